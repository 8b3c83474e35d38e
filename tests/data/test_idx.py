"""IDX files: a round trip, and every way in which one can be broken."""

import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from downslope.data.readers.idx import holds_idx, read_idx, read_idx_folder
from downslope.errors import DataError
from tests.data.tiny_folders import idx_bytes as packed
from tests.data.tiny_folders import idx_folder as write_set


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arrays.arrays(np.uint8, arrays.array_shapes(max_dims=4, min_side=0, max_side=6)),
    st.booleans(),
)
def test_round_trip(tmp_path, array, zipped):
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(packed(array), 1) if zipped else packed(array))
    read = read_idx(path)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("dot", "-.")
@pytest.mark.parametrize(("pack", "ending"), [(gzip.compress, ".gz"), (bytes, "")])
def test_a_folder_of_four_files(tmp_path, dot, pack, ending):
    folder = tmp_path / "shapes"
    write_set(folder, 60, dot, pack, ending)
    tests, _ = write_set(folder, 12, dot, pack, ending, part="t10k")
    assert holds_idx(folder)
    dataset = read_idx_folder(folder).split(0)
    assert dataset.sizes == {"train": 54, "validation": 6, "test": 12}
    assert dataset.name == "shapes"
    assert dataset.class_names == ("0", "1", "2")
    assert dataset.input_shape == (7, 5, 1)
    assert dataset.output_shape == (3,)
    assert dataset.train.inputs.dtype == np.uint8
    assert dataset.train.targets.dtype == np.int32
    assert np.bincount(dataset.validation.targets).tolist() == [2, 2, 2]
    assert dataset.scaling.mean.shape == ()
    np.testing.assert_array_equal(dataset.test.inputs[..., 0], tests)


@pytest.mark.parametrize("part", ["train", "t10k"])
def test_one_part_alone_is_split_three_ways(tmp_path, part):
    write_set(tmp_path, 60, part=part)
    assert read_idx_folder(tmp_path).split(0).sizes == {"train": 42, "validation": 6, "test": 12}


def test_an_empty_folder_holds_no_idx(tmp_path):
    assert not holds_idx(tmp_path)


DATA = packed(np.zeros((5, 4, 3)))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (DATA[:-1], "holds 59 of the 60 values that it claims"),
        (DATA + b"x", "goes on after the 60 values that it claims"),
        (DATA[:9], "ends inside its header"),
        (gzip.compress(DATA + b"x"), "goes on after the 60 values that it claims"),
    ],
    ids=["cut short", "too long", "no header", "too long inside gzip"],
)
def test_sizes_that_do_not_fit(tmp_path, data, what):
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_idx(path)
    assert str(caught.value) == (
        f"The file {path} {what}. Expected as many values as its header states. "
        "Download or write it again."
    )


def test_a_header_that_claims_more_than_there_can_be(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"\0\0\x08\x03" + b"\xff" * 12)
    with pytest.raises(DataError, match="of memory or more once it is unpacked"):
        read_idx(path)


def test_more_axes_than_an_array_can_have(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"\0\0\x08\x46" + b"\0\0\0\1" * 70 + b"x")
    with pytest.raises(DataError) as caught:
        read_idx(path)
    assert str(caught.value) == (
        f"The file {path} claims 70 axes. Expected at most 8; images have 3. Download or write it "
        "again."
    )


@pytest.mark.parametrize(
    ("data", "begins"),
    [(b"", "(none)"), (b"PK\3\4....", "50 4b 03 04"), (b"\0\0\x0d\1....", "00 00 0d 01")],
    ids=["empty", "a zip file", "floats"],
)
def test_something_else_than_idx(tmp_path, data, begins):
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_idx(path)
    assert str(caught.value) == (
        f"The file {path} begins with the bytes {begins}. Expected 00 00 08 and the number of "
        "axes, as in an IDX file of unsigned bytes. Check that it is an IDX file; other types of "
        "values are not read."
    )


@pytest.mark.parametrize("damage", [lambda z: z[:-12], lambda z: z[:12] + b"\xff" * 9 + z[21:]])
def test_broken_gzip(tmp_path, damage):
    path = tmp_path / "a.gz"
    noise = np.random.default_rng(0).integers(0, 256, (50, 9, 9))
    path.write_bytes(damage(gzip.compress(packed(noise))))
    with pytest.raises(DataError) as caught:
        read_idx(path)
    assert str(caught.value) == (
        f"The file {path} cannot be read: its compressed data are broken. "
        "Expected an IDX file, gzipped or not. Check the file, or download it again."
    )


def test_images_without_labels(tmp_path):
    write_set(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError) as caught:
        read_idx_folder(tmp_path)
    assert str(caught.value) == (
        f"In {tmp_path} there is train-images-idx3-ubyte, and no train labels. "
        "Expected a file train-labels-idx1-ubyte, gzipped or not. Put both files into the folder."
    )


def test_more_labels_than_images(tmp_path):
    write_set(tmp_path, 60)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(packed(np.zeros(61)))
    with pytest.raises(DataError) as caught:
        read_idx_folder(tmp_path)
    assert str(caught.value) == (
        f"In {tmp_path} the train part has 60 images and 61 labels. "
        "Expected one label for each image. Keep the files of one data set together."
    )


def test_labels_in_the_place_of_images(tmp_path):
    write_set(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(packed(np.zeros(60)))
    with pytest.raises(DataError) as caught:
        read_idx_folder(tmp_path)
    assert str(caught.value) == (
        f"The file {path} holds an array of shape (60,). Expected images with 3 axes and at "
        "least one value. Check that the file has the right name."
    )


def test_parts_of_different_sizes(tmp_path):
    write_set(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(packed(np.zeros((2, 9, 8))))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(packed(np.zeros(2)))
    with pytest.raises(DataError) as caught:
        read_idx_folder(tmp_path)
    assert str(caught.value) == (
        f"In {tmp_path} the training images are 5 by 7 pixels and the test images 8 by 9. "
        "Expected images of one size. Keep the files of one data set together."
    )
