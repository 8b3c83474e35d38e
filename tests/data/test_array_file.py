"""NumPy's files are read without trusting what they claim."""

import io
import zipfile

import numpy as np
import pytest

from downslope.data.readers.array_file import read_arrays
from downslope.errors import DataError, SettingError

ARRAY = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "array",
    [ARRAY, np.asfortranarray(ARRAY), ARRAY[:0], np.float64(3), np.array(["a", "bc"]), ARRAY > 3],
    ids=["plain", "by columns", "empty", "scalar", "texts", "bits"],
)
def test_round_trip(array, tmp_path):
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.npy")[""], array)
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", one=array, two=ARRAY)
        found = read_arrays(tmp_path / "a.npz")
        assert list(found) == ["one", "two"]
        np.testing.assert_array_equal(found["one"], array)


def packed(shape, values=b"", kind="<f4"):
    file = io.BytesIO()
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + values


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "EOF: reading magic string, expected 8 bytes got 0"),
        (packed((2,), b"1234"), "it holds 4 bytes where 8 are claimed"),
        (packed((2,), b"1234" * 3), "it holds 12 bytes where 8 are claimed"),
        (packed((-2,), b"1234"), "an axis has a length below 0"),
        (b"\x93NUMPY\x09\x00", "version 9.0 of the format is not known"),
    ],
    ids=["empty", "cut short", "too long", "negative", "version"],
)
def test_headers_that_do_not_fit(content, reason, tmp_path):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_arrays(path)
    assert str(caught.value) == (
        f"The file {path} cannot be read: {reason}. Expected arrays as numpy.save or numpy.savez "
        "writes them. Check the file, or write it again."
    )


def test_claims_without_end(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", packed((2**40,), b"1234"))
    with pytest.raises(DataError, match="it holds 4 bytes where 4398046511104 are claimed"):
        read_arrays(path)
    np.savez_compressed(path, a=np.zeros(10_000))
    monkeypatch.setenv("DOWNSLOPE_MAX_GIB", "1e-5")
    with pytest.raises(DataError) as caught:
        read_arrays(path)
    assert str(caught.value) == (
        f"The file {path} takes 78.2 KiB of memory or more once it is unpacked "
        f"({path.stat().st_size} bytes on disk). Expected at most 1e-05 GiB unpacked. If it is "
        "meant to be so large, raise the limit with the environment variable DOWNSLOPE_MAX_GIB=1."
    )
    monkeypatch.setenv("DOWNSLOPE_MAX_GIB", "1e-4")
    assert read_arrays(path)["a"].shape == (10_000,)
    monkeypatch.setenv("DOWNSLOPE_MAX_GIB", "much")
    with pytest.raises(SettingError, match="DOWNSLOPE_MAX_GIB is 'much'"):
        read_arrays(path)


def test_files_that_are_no_archive(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, a=ARRAY)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    with pytest.raises(DataError, match="cannot be read: File is not a zip file"):
        read_arrays(path)
    path.write_bytes(whole.replace(ARRAY.tobytes()[40:60], bytes(20)))
    with pytest.raises(DataError, match=r"cannot be read: Bad CRC-32 for file 'a\.npy'"):
        read_arrays(path)
    with pytest.raises(DataError, match="cannot be read: No such file or directory"):
        read_arrays(tmp_path / "b.npz")
