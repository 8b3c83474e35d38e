"""ShanghaiTech and Mall folders: what is read, and what is wrong with those that are not."""

import numpy as np
import pytest

from downslope.data.density import density_map
from downslope.data.photos import read_photo
from downslope.data.readers.crowds import PhotoOptions, read_mall, read_shanghaitech
from downslope.errors import DataError
from tests.data.tiny_folders import heads_within, mall, photo, shanghaitech, shanghaitech_label

PLAIN = PhotoOptions()


def message(read, folder):
    with pytest.raises(DataError) as caught:
        read(folder, PLAIN)
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize("labels", ["ground-truth", "ground_truth"])
def test_shanghaitech(tmp_path, labels):
    unsplit = read_shanghaitech(shanghaitech(tmp_path / "part", 12, labels), PLAIN)
    samples = unsplit.samples
    assert samples.inputs.shape == (12, 48, 64, 3)
    assert samples.inputs.dtype == np.uint8
    assert samples.targets.shape == (12, 6, 8, 1)
    assert samples.targets.dtype == np.float32
    assert samples.sources == tuple(f"images/IMG_{number}.jpg" for number in range(1, 13))
    np.testing.assert_allclose(samples.counts, range(1, 13), rtol=1e-6)
    np.testing.assert_array_equal(
        samples.inputs[9], read_photo(tmp_path / "part/images/IMG_10.jpg", 64)
    )
    np.testing.assert_array_equal(
        samples.targets[9], density_map(heads_within(10, seed=10), 48, 64)
    )


def test_the_split_dataset(tmp_path):
    unsplit = read_shanghaitech(shanghaitech(tmp_path / "part"), PLAIN)
    dataset = unsplit.split(3)
    assert dataset.sizes == {"train": 14, "validation": 2, "test": 4}
    assert dataset.task == "counting"
    assert dataset.output_shape == (6, 8, 1)
    assert dataset.scaling.mean.shape == (3,)
    assert dataset.photo_side == 64
    assert dataset.options == {"split_seed": 3, "photo_side": 64, "stride": 8}
    assert dataset.source == str(tmp_path / "part")


def test_photos_are_halved_and_heads_with_them(tmp_path):
    photo(tmp_path / "images/IMG_1.jpg", 800, 600)
    corner = np.array([[798.0, 2.0]])
    shanghaitech_label(tmp_path / "ground-truth/GT_IMG_1.mat", corner)
    unsplit = read_shanghaitech(tmp_path, PLAIN)
    assert unsplit.photo_side == 400
    assert unsplit.samples.inputs.shape == (1, 304, 400, 3)
    density = unsplit.samples.targets[0, :, :, 0]
    assert density.shape == (38, 50)
    assert np.unravel_index(density.argmax(), density.shape) == (0, 49)
    again = read_shanghaitech(tmp_path, PhotoOptions(photo_side=160, stride=8))
    assert again.samples.inputs.shape == (1, 120, 160, 3)
    assert again.samples.targets.shape == (1, 15, 20, 1)


def test_smaller_photos_are_padded(tmp_path):
    shanghaitech(tmp_path, 2)
    photo(tmp_path / "images/IMG_3.jpg", 32, 56)
    shanghaitech_label(tmp_path / "ground-truth/GT_IMG_3.mat", np.array([[40.0, 60.0]]))
    samples = read_shanghaitech(tmp_path, PLAIN).samples
    assert samples.inputs.shape == (3, 56, 64, 3)
    assert samples.inputs[2, :, 32:].max() == 0 < samples.inputs[2, :, :32].max()
    assert samples.inputs[0, 48:].max() == 0
    assert samples.sizes.tolist() == [[48, 64], [48, 64], [56, 32]]
    assert samples.targets[2, :, 4:].max() == 0  # the head outside went to its photo's corner
    np.testing.assert_allclose(samples.counts, [1, 2, 1], rtol=1e-6)


def test_a_test_part_beside_the_training_part(tmp_path):
    shanghaitech(tmp_path / "train_data", 20)
    shanghaitech(tmp_path / "test_data", 3, "ground_truth")
    unsplit = read_shanghaitech(tmp_path, PLAIN)
    assert unsplit.for_testing is unsplit.test
    dataset = unsplit.split(0)
    assert dataset.sizes == {"train": 18, "validation": 2, "test": 3}
    assert dataset.test.sources[0] == "test_data/images/IMG_1.jpg"
    assert dataset.train.sources[0].startswith("train_data/images/IMG_")


def test_progress_is_reported_in_order(tmp_path):
    seen = []
    options = PhotoOptions(on_progress=lambda done, total: seen.append((done, total)))
    read_shanghaitech(shanghaitech(tmp_path, 5), options)
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_hidden_and_other_files_are_left_alone(tmp_path):
    shanghaitech(tmp_path, 3)
    (tmp_path / "images/._IMG_1.jpg").write_text("x")
    (tmp_path / "images/Thumbs.db").write_text("x")
    assert len(read_shanghaitech(tmp_path, PLAIN).samples) == 3


def test_photos_without_labels(tmp_path):
    shanghaitech(tmp_path, 3)
    (tmp_path / "ground-truth/GT_IMG_2.mat").unlink()
    path = tmp_path / "images/IMG_2.jpg"
    assert message(read_shanghaitech, tmp_path) == (
        f"1 photo has no labels: {path}. Expected ground-truth/GT_IMG_2.mat beside "
        "images/IMG_2.jpg. Add what is missing, or remove what is too many."
    )
    (tmp_path / "ground-truth/GT_IMG_3.mat").unlink()
    assert message(read_shanghaitech, tmp_path).startswith(
        f"2 photos have no labels: {path} is the first. Expected "
    )


def test_labels_without_photo(tmp_path):
    shanghaitech(tmp_path, 12)
    (tmp_path / "images/IMG_10.jpg").unlink()
    (tmp_path / "images/IMG_9.jpg").unlink()
    assert message(read_shanghaitech, tmp_path) == (
        f"2 label files have no photo: {tmp_path / 'ground-truth/GT_IMG_9.mat'} is the first. "
        "Expected images/IMG_9.jpg beside ground-truth/GT_IMG_9.mat. "
        "Add what is missing, or remove what is too many."
    )


def test_folders_with_nothing_in_them(tmp_path):
    (tmp_path / "images").mkdir()
    assert message(read_shanghaitech, tmp_path) == (
        f"The folder {tmp_path} holds no photos. Expected images/IMG_1.jpg and so on. "
        "Check the path, or add the photos."
    )
    (tmp_path / "frames").mkdir()
    assert message(read_mall, tmp_path) == (
        f"The folder {tmp_path} holds no photos. Expected frames/seq_000001.jpg and so on. "
        "Check the path, or add the photos."
    )


def test_an_unreadable_photo_is_named(tmp_path):
    path = shanghaitech(tmp_path, 5) / "images/IMG_4.jpg"
    path.write_bytes(path.read_bytes()[:700])
    assert message(read_shanghaitech, tmp_path).startswith(f"The photo {path} cannot be read.")


def test_mall_is_split_in_time(tmp_path):
    folder = mall(tmp_path / "mall", range(1, 11), range(10))
    dataset = read_mall(folder, PLAIN).split(0)
    assert dataset.sizes == {"train": 7, "validation": 1, "test": 2}
    assert dataset.test.sources == ("frames/seq_000009.jpg", "frames/seq_000010.jpg")
    np.testing.assert_allclose(dataset.train.counts, range(7), atol=1e-5)
    np.testing.assert_allclose(dataset.test.counts, [8, 9], rtol=1e-6)


@pytest.mark.parametrize("labels", [range(5, 8), range(12)])
def test_a_later_piece_of_the_video(tmp_path, labels):
    samples = read_mall(mall(tmp_path, range(6, 9), labels), PLAIN).samples
    np.testing.assert_allclose(samples.counts, [5, 6, 7], rtol=1e-6)


def test_frames_without_labels(tmp_path):
    mall(tmp_path, range(1, 6), range(3))
    path = tmp_path / "frames/seq_000004.jpg"
    assert message(read_mall, tmp_path) == (
        f"2 photos have no labels: {path} is the first. Expected one entry of mall_gt.mat for "
        "each frame. Add what is missing, or remove what is too many."
    )
    (tmp_path / "mall_gt.mat").unlink()
    assert message(read_mall, tmp_path) == (
        f"5 photos have no labels: {tmp_path / 'frames/seq_000001.jpg'} is the first. "
        "Expected mall_gt.mat beside the folder frames. "
        "Add what is missing, or remove what is too many."
    )


def test_labels_without_frames(tmp_path):
    mall(tmp_path, range(1, 4), range(4))
    assert message(read_mall, tmp_path) == (
        f"1 entry of labels has no photo: {tmp_path / 'mall_gt.mat'}. "
        "Expected a frame for each of its 4 entries; there are 3. "
        "Add what is missing, or remove what is too many."
    )


def test_a_hole_in_the_video(tmp_path):
    mall(tmp_path, [1, 2, 4], range(4))
    assert message(read_mall, tmp_path) == (
        f"In {tmp_path / 'frames'} there are 3 frames numbered 1 to 4; number 3 is missing or "
        "double. Expected frames that follow each other without a hole. "
        "Add the missing frame, or remove the double one."
    )
