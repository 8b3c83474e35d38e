"""Arrays in safetensors files: what does not fit is refused."""

import numpy as np
import pytest

import downslope as ds
from downslope.store.arrays import read_arrays, unflatten, write_arrays

LIKE = {"0": {"weights": np.zeros((2, 3)), "biases": np.zeros(3)}}


def test_a_missing_array_is_named():
    with pytest.raises(KeyError, match=r"0\.biases"):
        unflatten({"0.weights": np.ones((2, 3))}, LIKE)


def test_an_array_of_another_shape_is_named():
    flat = {"0.weights": np.ones((3, 2)), "0.biases": np.ones(3)}
    with pytest.raises(ValueError, match=r"^0\.weights has shape \(3, 2\) instead of \(2, 3\)$"):
        unflatten(flat, LIKE)


@pytest.mark.parametrize("damage", ["missing", "cut", "noise", "empty"])
def test_a_file_that_cannot_be_read_reads_as_intended(tmp_path, damage):
    path = tmp_path / "weights.safetensors"
    write_arrays(path, {"a": np.arange(10.0)})
    content = path.read_bytes()
    match damage:
        case "missing":
            path.unlink()
        case "cut":
            path.write_bytes(content[:-1])
        case "noise":
            path.write_bytes(b"\xff" * 100)
        case "empty":
            path.write_bytes(b"")
    with pytest.raises(ds.RunError) as caught:
        read_arrays(path)
    assert caught.value.received.startswith(f"{path} cannot be read (")
    assert caught.value.expected == "a safetensors file as written by a training"
    assert caught.value.advice == "Restore the file, or train again."
