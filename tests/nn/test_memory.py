"""Networks that no memory holds: refused with the figure, before anything is allocated."""

import time

import numpy as np
import pytest

import downslope as ds
from downslope.insight.learning_rate import find_rate
from downslope.nn import memory
from downslope.nn.memory import check_memory
from downslope.nn.notation import parse
from tests.plain import PLAIN

# for flat inputs and for images, each with what is too much: weights, or signals
FLAT = {
    "dense 2147483647, dense 2": "weights",
    "dense 2000000000, dense 2": "weights",
    "dense 100000, dense 100000, dense 2": "weights",
    "embed 16777216 2147483647, dense 2": "weights",
    ", ".join(["dense 30000"] * 200) + ", dense 2": "weights",
    "residual (dense 1000000, dense 1000000, dense 5), dense 2": "weights",
    "parallel (dense 999999 | dense 9), dense 999999, dense 2": "weights",
    ", ".join(["parallel (dropout 0.1 | dropout 0.1)"] * 60) + ", dense 2": "signals",
    ", ".join(["parallel (layer_norm | layer_norm)"] * 80) + ", dense 2": "signals",
}
IMAGES = {
    "upsample 2147483647, flatten, dense 2": "signals",
    ", ".join(["upsample 2"] * 40) + ", flatten, dense 2": "signals",
    ", ".join(["upsample 2147483647"] * 255) + ", average_pool 9": "signals",
    "conv 2147483647 3, flatten, dense 2": "weights",
    "conv 3 2147483647, flatten, dense 2": "weights",
    "residual (upsample 900000, average_pool 900000), flatten, dense 2": "signals",
    "parallel (upsample 900000, average_pool 900000 | conv 1 1), flatten, dense 2": "signals",
}


@pytest.mark.parametrize("text", [*FLAT, *IMAGES])
def test_what_no_memory_holds(text):
    shape = (8, 8, 3) if text in IMAGES else (5,)
    what = {**FLAT, **IMAGES}[text]
    began = time.perf_counter()
    with pytest.raises(ds.NetworkError) as caught:
        check_memory(parse(text), shape, 32)
    message = str(caught.value)
    assert ("weights and biases, which take at least" if what == "weights" else "signals of 32 "
            "samples take at least") in message  # fmt: skip
    assert "GiB" in message
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize(
    ("text", "shape", "weights", "largest"),
    [
        ("dense 32 relu, dense 10", (64,), 64 * 32 + 32 + 32 * 10 + 10, 64),
        ("conv 8 3 relu, max_pool 2, flatten, dense 3", (6, 6, 1), 80 + 72 * 3 + 3, 72),
        ("residual (upsample 2, average_pool 2), flatten, dense 1", (4, 4, 2), 33, 128),
        ("parallel (dense 3 | dense 4), dense 1", (2,), 9 + 12 + 8, 7),
    ],
)
def test_the_counts_are_those_of_what_is_drawn(text, shape, weights, largest):
    network = parse(text)
    assert network.count_weights(shape) == weights
    assert memory.fuse(network).signal_sizes(shape)[0] == np.prod(shape)
    assert max(memory.fuse(network).signal_sizes(shape)) == largest
    check_memory(network, shape, 32)


def test_the_limits(monkeypatch):
    network = parse("dense 1000, dense 1")  # 12,001 weights
    monkeypatch.setattr(memory, "memory_bytes", lambda: 12_001 * 4 * 3 - 1)
    with pytest.raises(ds.NetworkError) as caught:
        check_memory(network, (10,))
    assert str(caught.value) == (
        "The network has 12,001 weights and biases, which take at least 141 KiB while they are "
        "trained. Expected at most the 141 KiB of memory that this process may use. "
        "Use fewer units or channels, or pool before the dense layers."
    )
    check_memory(network, (10,), trains=False)
    monkeypatch.setattr(memory, "memory_bytes", lambda: 12_001 * 4 * 3 + 1)
    check_memory(network, (10,), 35)
    with pytest.raises(ds.NetworkError) as caught:
        check_memory(network, (10,), 36)
    assert str(caught.value) == (
        "The signals of 36 samples take at least 142 KiB; the largest has 1,000 numbers for each. "
        "Expected at most the 141 KiB of memory that this process may use. "
        "Use a smaller batch, fewer units or channels, more pooling, or smaller inputs."
    )


def test_every_way_to_train_asks(monkeypatch):
    data, network = ds.load("xor"), parse("dense 50000, dense 50000, dense 2")
    monkeypatch.setattr(memory, "memory_bytes", lambda: 1 << 30)
    for begin in (
        lambda: ds.train(network, data, options=PLAIN),
        lambda: ds.train_side_by_side(
            network, data, options=PLAIN, learning_rates=[0.1, 0.2], seeds=[0]
        ),
        lambda: find_rate(network, data, options=PLAIN),
    ):
        with pytest.raises(ds.NetworkError, match="2,500,300,002 weights and biases"):
            begin()
