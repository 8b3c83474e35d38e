"""Folders of images and of crowds as people have them: nothing that is found is dropped in silence.

Layouts as in shared/cases/training/06_folders.py, 07_crowd.py and 24_images_named_alike.py, and
others of the same kinds.
"""

import json

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Transpose
from scipy.io import savemat

import downslope as ds
from downslope.errors import DataError
from tests.data.tiny_folders import heads_within, photo, shanghaitech, shanghaitech_label

RNG = np.random.default_rng(0)


def draw(path, brightness=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = (brightness + RNG.integers(0, 20, (8, 8, 3))).astype(np.uint8)
    Image.fromarray(pixels).save(path, "PNG" if path.suffix == ".png" else None)


def fill(root, *folders, count=8):
    for index, folder in enumerate(folders):
        for number in range(count):
            draw(root / folder / f"{number}.png", 40 + 50 * index)
    return root


def unused(data):
    return next((one for one in data.notes if one.startswith("Found and not used: ")), "")


@pytest.mark.parametrize(
    ("folders", "classes", "tests"),
    [
        (["cats", "dogs/one", "dogs/two"], ("cats", "dogs"), 5),
        (["cats", "birds", "birds/more"], ("birds", "cats"), 5),
        (["data/cats", "data/dogs"], ("cats", "dogs"), 3),
        (["a/b/cats", "a/b/dogs"], ("cats", "dogs"), 3),
        (["Train/cats", "Train/dogs", "Test/cats", "Test/dogs"], ("cats", "dogs"), 16),
        (["training/a", "training/b", "testing/a", "testing/b"], ("a", "b"), 16),
        (["train_set/a", "train_set/b", "test_set/a", "test_set/b"], ("a", "b"), 16),
        (["data/TRAIN/a", "data/TRAIN/b", "data/Validation/a"], ("a", "b"), 8),
        (["a", "b", "test/a", "test/b"], ("a", "b"), 16),
        (["car", "plane", "train"], ("car", "plane", "train"), 5),
    ],
)
def test_layouts(tmp_path, folders, classes, tests):
    data = ds.load(fill(tmp_path, *folders))
    assert data.class_names == classes
    assert sum(data.sizes.values()) == 8 * len(folders)
    assert data.sizes["test"] == tests
    assert unused(data) == ""


def test_unlabelled_images_beside_the_training_part_are_no_class(tmp_path):
    """As a competition gives them: train/ by class, test1/ without."""
    data = ds.load(fill(tmp_path, "train/cats", "train/dogs", "test1"))
    assert data.class_names == ("cats", "dogs")
    assert "test1/ (8 images without a folder per class)" in unused(data)
    flat = tmp_path / "flat"
    for name in ("cat", "dog"):
        for number in range(8):
            draw(flat / "train" / f"{name}.{number}.png")
    fill(flat, "test1")
    data = ds.load(flat)
    assert data.class_names == ("cat", "dog")
    assert "The class of an image is what its name begins with: cat, dog." in data.notes
    assert "test1/ (8 images" in unused(data)


def test_names_that_say_no_class_are_told(tmp_path):
    for number in range(4):
        draw(tmp_path / "a" / f"IMG_{number}.png")
        draw(tmp_path / "b" / "train" / f"{number}.png")
        draw(tmp_path / "b" / "test" / f"{number}.png")
    with pytest.raises(DataError, match="holds 4 images and no folder per class"):
        ds.load(tmp_path / "a")
    with pytest.raises(DataError, match="images in the folders test, train"):
        ds.load(tmp_path / "b")


def test_everything_found_and_not_used_is_listed(tmp_path):
    fill(tmp_path, "cats", "birds", "@eaDir", "__MACOSX/cats", ".ipynb_checkpoints")
    (tmp_path / "dogs").mkdir()
    (tmp_path / "cows" / "deeper").mkdir(parents=True)
    (tmp_path / "pigs").mkdir()
    for number in range(3):
        (tmp_path / "pigs" / f"IMG_{number}.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    (tmp_path / "cats" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "cats" / "x.jpg").mkdir()
    draw(tmp_path / "lost.png")
    data = ds.load(tmp_path)
    assert data.class_names == ("birds", "cats")
    assert sum(data.sizes.values()) == 16
    said = unused(data)
    for one in ("dogs/ (empty)", "cows/ (empty)", "pigs/ (3 .heic: not read)", "1 image outside"):
        assert one in said
    assert "@eaDir/" in said
    assert said.count("\n") == 0
    (tmp_path / "cows" / "deeper" / "a.svg").write_text("<svg/>")
    assert "cows/ (1 .svg: not read)" in unused(ds.load(tmp_path))


def test_many_kinds_of_names_are_images(tmp_path):
    fill(tmp_path, "a", "b")
    image = Image.new("RGB", (8, 8))
    for ending in ("jfif", "JPE", "ppm", "pgm", "webp"):
        kind = {"jfif": "JPEG", "JPE": "JPEG", "webp": "WEBP"}.get(ending, "PPM")
        image.save(tmp_path / "a" / f"z.{ending}", kind)
    (tmp_path / "a" / "z.jp2").write_bytes(b"x")
    data = ds.load(tmp_path)
    assert sum(data.sizes.values()) == 16 + 5
    assert "z.jp2" in unused(data)


def test_a_class_that_the_test_part_lacks_is_told(tmp_path):
    data = ds.load(fill(tmp_path, "train/a", "train/b", "test/a"))
    assert "The test part has no images of b." in data.notes


def test_x_and_y_exchanged_are_refused(tmp_path):
    for number in range(1, 7):
        photo(tmp_path / "images" / f"IMG_{number}.jpg", 640, 200)
        heads = heads_within(20, 640, 200, seed=number)
        shanghaitech_label(tmp_path / "ground-truth" / f"GT_IMG_{number}.mat", heads[:, ::-1])
    with pytest.raises(DataError) as caught:
        ds.load(tmp_path)
    assert "heads lie outside of their photos, and 0 would with x and y exchanged" in str(
        caught.value
    )
    assert "Exchange the two columns of the labels." in str(caught.value)


def test_heads_outside_are_told_and_counted(tmp_path):
    shanghaitech(tmp_path, 12)
    heads = np.r_[heads_within(12, seed=12), [[500, 20], [-30, -30]]]
    shanghaitech_label(tmp_path / "ground-truth" / "GT_IMG_12.mat", heads)
    data = ds.load(tmp_path)
    assert data.notes[0].startswith("2 of 80 heads lie outside of their photos, most of them in ")
    counts = np.concatenate([one.counts for one in (data.train, data.validation, data.test)])
    assert counts.max() == pytest.approx(14, abs=1e-4)


@pytest.mark.parametrize("other", ["IMG_3.png", "IMG_3.JPEG", "IMG_3.tif"])
def test_two_photos_of_one_name_are_told(tmp_path, other):
    shanghaitech(tmp_path, 6)
    Image.new("RGB", (64, 48)).save(tmp_path / "images" / other)
    with pytest.raises(DataError, match=r"Two photos in .* are called IMG_3: IMG_3"):
        ds.load(tmp_path)


def test_a_struct_as_python_writes_it(tmp_path):
    shanghaitech(tmp_path, 12)
    for number in range(1, 13):
        at = tmp_path / "ground-truth" / f"GT_IMG_{number}.mat"
        heads = heads_within(number, seed=number)
        savemat(at, {"image_info": {"number": number, "location": heads}})
    counts = np.concatenate([one.counts for one in _parts(ds.load(tmp_path))])
    np.testing.assert_allclose(np.sort(counts), range(1, 13), atol=1e-4)


def _parts(data):
    return data.train, data.validation, data.test


@pytest.mark.parametrize("kind", ["tif", "jpg", "png"])
def test_crowd_photos_are_turned_once(tmp_path, kind):
    """Stored lying, tagged with orientation 6; heads are those of the upright photo."""
    named = {}
    for number in range(12):
        pixels = np.full((128, 96, 3), 90, np.uint8)
        pixels[100:108, 10:18] = 250
        image = Image.fromarray(pixels).transpose(Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = 6
        image.save(tmp_path / f"a{number}.{kind}", exif=exif)
        named[f"a{number}.{kind}"] = [[14, 104]]
    (tmp_path / "heads.json").write_text(json.dumps(named))
    data = ds.load(tmp_path)
    assert data.input_shape == (128, 96, 3)
    assert data.train.inputs[0, 104, 14].min() > 200
    where = np.unravel_index(data.train.targets[0, ..., 0].argmax(), (16, 12))
    assert where == (12, 1) or where == (13, 1)


def test_a_folder_above_several_data_sets_is_told(tmp_path):
    for part in ("part_A_final", "part_B_final"):
        shanghaitech(tmp_path / part / "train_data", 3)
    with pytest.raises(DataError, match="holds several data sets: part_A_final, part_B_final"):
        ds.load(tmp_path)


def test_what_a_table_of_images_does_not_name_is_told(tmp_path):
    for number in range(12):
        draw(tmp_path / "images" / f"{number}.png", 40 + 100 * (number % 2))
    rows = [f"{number}.png,{'ab'[number % 2]}" for number in range(10)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,label", *rows]) + "\n")
    (note,) = [one for one in ds.load(tmp_path).notes if one.startswith("Found and not used")]
    assert "2 images (images/10.png, images/11.png)" in note


def test_other_files_among_crowd_photos_are_told(tmp_path):
    shanghaitech(tmp_path, 12)
    (tmp_path / "images" / "IMG_13.HEIC").write_bytes(b"x")
    (tmp_path / "ground-truth" / "IMG_1.h5").write_bytes(b"x")
    said = ds.load(tmp_path).notes[0]
    assert "images/IMG_13.HEIC, ground-truth/IMG_1.h5" in said


def test_a_folder_to_predict_tells_what_it_leaves_out(tmp_path, capsys):
    from downslope.cli.inputs import with_folders_opened
    from downslope.runs.run_folder import DataSummary

    data = ds.load(fill(tmp_path / "data", "a", "b"))
    new = fill(tmp_path / "new", ".", "more", count=2)
    (new / "notes.txt").write_text("x")
    (new / "x.jpg").mkdir()
    files = with_folders_opened([new], DataSummary.of(data))
    assert [one.name for one in files] == ["0.png", "1.png"]
    assert "more/ (2 images), x.jpg/ (empty), notes.txt" in capsys.readouterr().err
