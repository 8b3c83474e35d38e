"""Arrays in safetensors files: what does not fit is refused."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

import downslope as ds
from downslope.storage.arrays import MOST_HEAD, decode_arrays, encode_arrays, unflatten
from tests.campaigns.watched import Memory

LIKE = {"0": {"weights": np.zeros((2, 3)), "biases": np.zeros(3)}}


def test_a_missing_array_is_named():
    with pytest.raises(KeyError, match=r"0\.biases"):
        unflatten({"0.weights": np.ones((2, 3))}, LIKE)


def test_an_array_of_another_shape_is_named():
    flat = {"0.weights": np.ones((3, 2)), "0.biases": np.ones(3)}
    with pytest.raises(ValueError, match=r"^0\.weights has shape \(3, 2\) instead of \(2, 3\)$"):
        unflatten(flat, LIKE)


WHOLE = encode_arrays({"a": np.arange(10.0), "b": np.arange(3, dtype=np.int32)})
PATH = Path("weights.safetensors")


def refusal(content: bytes) -> str:
    with pytest.raises(ds.RunError) as caught:
        decode_arrays(content, PATH)
    assert caught.value.received.startswith("weights.safetensors cannot be read (")
    assert caught.value.expected == "a file as written by a training"
    assert caught.value.advice == "Restore the file, or train again."
    return caught.value.received[len("weights.safetensors cannot be read (") : -2]


def headed(head: object, values: bytes = b"") -> bytes:
    """A file with this head, whatever it claims."""
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + values


def claim(dtype="F32", shape=(2,), offsets=(0, 8)) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def test_a_file_comes_back():
    arrays = decode_arrays(WHOLE, PATH)
    assert {name: one.tolist() for name, one in arrays.items()} == {
        "a": np.arange(10.0).tolist(),
        "b": [0, 1, 2],
    }


@pytest.mark.parametrize("content", [WHOLE[:-1], WHOLE + b"x", WHOLE[:5], b"\xff" * 100, b""])
def test_a_file_that_cannot_be_read(content):
    refusal(content)


@pytest.mark.parametrize(
    "content",
    [
        headed({"a": claim(shape=(3,))}, bytes(8)),
        headed({"a": claim(shape=(2**40, 2**40))}, bytes(8)),
        headed({"a": claim(shape=(-2,))}, bytes(8)),
        headed({"a": claim(offsets=(0, 2**60))}, bytes(8)),
        headed({"a": claim(offsets=(8, 0))}, bytes(8)),
        headed({"a": claim(), "b": claim()}, bytes(8)),
        headed({"a": claim(), "b": claim(offsets=(4, 12))}, bytes(12)),
        headed({"a": claim(), "b": claim(offsets=(16, 24))}, bytes(24)),
        headed({"a": claim(shape=(1,) * 70 + (2,))}, bytes(8)),
        headed({"a": claim("object")}, bytes(8)),
        headed({"a": claim("BF16", (4,))}, bytes(8)),
        headed({"a": claim("F8_E4M3", (8,))}, bytes(8)),
        headed({"a": {}}, bytes(8)),
        headed([], bytes(8)),
        headed(b'{"a":' * 300_000),
    ],
)
def test_a_head_that_claims_what_is_not_there(content):
    refusal(content)


@pytest.mark.parametrize("dtype", [bool, np.float16, np.int8, np.uint16])
def test_types_that_no_run_has(dtype):
    assert refusal(encode_arrays({"a": np.zeros(4, dtype)})) == (
        f"a is of the type {np.dtype(dtype)}"
    )


def test_a_head_of_very_many_arrays_takes_little_memory():
    none = claim(shape=(0,), offsets=(0, 0))
    many = headed({f"a{index}": none for index in range(200_000)})
    assert len(many) > MOST_HEAD
    memory = Memory()
    assert refusal(many) == "its head is too long"
    assert memory.taken() < 10e6
