"""Head positions from MATLAB files, and files that hold something else."""

import numpy as np
import pytest
from scipy.io import savemat

from downslope.data.readers.heads import read_mall_heads, read_shanghaitech_heads
from downslope.errors import DataError
from tests.data.tiny_folders import mall_label, shanghaitech_label

HEADS = np.array([[1.5, 2.5], [60.0, 40.25]])


@pytest.mark.parametrize("heads", [HEADS, HEADS[:1], np.zeros((0, 2)), np.zeros((0, 0))])
def test_round_trip(tmp_path, heads):
    path = tmp_path / "a.mat"
    shanghaitech_label(path, heads)
    np.testing.assert_array_equal(read_shanghaitech_heads(path), heads.reshape(-1, 2))
    mall_label(path, [heads, HEADS])
    first, second = read_mall_heads(path)
    np.testing.assert_array_equal(first, heads.reshape(-1, 2))
    np.testing.assert_array_equal(second, HEADS)


@pytest.mark.parametrize("damage", [b"", b"hello", b"MATLAB 5.0 MAT-file" + bytes(200)])
@pytest.mark.parametrize("read", [read_shanghaitech_heads, read_mall_heads])
def test_a_broken_file(tmp_path, read, damage):
    path = tmp_path / "a.mat"
    path.write_bytes(damage)
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(caught.value) == (
        f"The label file {path} cannot be read. Expected a MATLAB file of version 4 to 7.2, "
        "at most 64 MiB. Download it again, or save it from MATLAB with -v7."
    )
    assert caught.value.__suppress_context__


def test_a_file_cut_off(tmp_path):
    path = tmp_path / "a.mat"
    shanghaitech_label(path, HEADS)
    whole = path.read_bytes()
    for length in range(0, len(whole), 16):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError):
            read_shanghaitech_heads(path)


def test_another_variable(tmp_path):
    path = tmp_path / "a.mat"
    savemat(path, {"other": HEADS})
    with pytest.raises(DataError) as caught:
        read_shanghaitech_heads(path)
    assert str(caught.value) == (
        f"The label file {path} holds something else than head positions. "
        "Expected a variable image_info. Check that it belongs to this data set."
    )


@pytest.mark.parametrize("heads", [np.full((2, 2), np.nan), np.zeros((2, 3)), np.zeros((1, 2, 2))])
def test_points_that_are_none(tmp_path, heads):
    path = tmp_path / "a.mat"
    shanghaitech_label(path, heads)
    with pytest.raises(DataError, match="holds something else than head positions"):
        read_shanghaitech_heads(path)
    mall_label(path, [heads])
    with pytest.raises(DataError, match=r"Expected frame\{1,n\} with the positions"):
        read_mall_heads(path)


def test_a_plain_table_of_points(tmp_path):
    path = tmp_path / "a.mat"
    savemat(path, {"image_info": HEADS, "frame": HEADS})
    for read in (read_shanghaitech_heads, read_mall_heads):
        with pytest.raises(DataError, match="holds something else than head positions"):
            read(path)
