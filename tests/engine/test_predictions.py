"""A sample's prediction has the same bits alone and among others."""

import numpy as np
import pytest

from downslope.data.scaling import Scaling
from downslope.engine import predictions
from downslope.engine.predictions import linked, outputs_of
from downslope.engine.scales import Units
from downslope.nn.losses import resolve
from downslope.nn.notation import parse

NETWORKS = [
    ("dense 32 relu, dense 3", (8,), 3000),  # in pieces of 2,048
    ("dense 60 tanh, dense 10", (400,), 300),  # of 256
    ("dense 300 tanh, dense 700 relu, dense 10", (400,), 100),  # of 32
    ("layer_norm, dense 16 gelu, dense 1", (5,), 40),
    ("embed 9 3, dense 4 sigmoid, dense 2", (3,), 40),
    ("conv 4 3 relu, max_pool 2, flatten, dense 20 relu, dense 5", (12, 12, 1), 280),
    ("conv 4 3 relu, group_norm 2, residual (conv 4 3 tanh), conv 1 1", (24, 16, 3), 7),
]


def units(shape):
    """Inputs that are scaled, as a training scales them."""
    return Units(Scaling(np.full(shape[-1:], 0.25), np.full(shape[-1:], 1.5)))


@pytest.mark.parametrize(("text", "shape", "count"), NETWORKS)
def test_a_row_is_predicted_alike_alone_and_among_others(text, shape, count):
    network = parse(text)
    draw = np.random.default_rng(4)
    inputs = draw.normal(size=(count, *shape)) + 3
    parameters, own = network.init(shape, 2), units(shape)
    among = outputs_of(network, parameters, own, inputs)
    order = draw.permutation(count)
    np.testing.assert_array_equal(outputs_of(network, parameters, own, inputs[order]), among[order])
    for rows in ([0], [count - 1], [3, 1], range(2, 7), range(count - 1)):
        found = outputs_of(network, parameters, own, inputs[list(rows)])
        np.testing.assert_array_equal(found, among[list(rows)])
    if text.startswith("dense 32"):
        as_is = np.asarray(network.forward(parameters, own.seen(inputs)))
        np.testing.assert_allclose(among, as_is, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "outputs"), [("cross_entropy", 3), ("binary_cross_entropy", 1), ("poisson", 1)]
)
def test_a_link_is_alike_too(name, outputs):
    loss = resolve(name)
    values = np.random.default_rng(1).normal(size=(2500, outputs)) * 3
    among = linked(loss, values)
    np.testing.assert_allclose(among, np.asarray(loss.link(values.astype(np.float32))), rtol=1e-6)
    for rows in ([0], [2499], [5, 2], range(100)):
        np.testing.assert_array_equal(linked(loss, values[list(rows)]), among[list(rows)])
    assert linked(loss, values[:0]).shape == (0, outputs)


def test_photos_of_several_sizes_are_counted_alike():
    network = parse("conv 4 3 relu, group_norm 2, conv 1 1")
    draw = np.random.default_rng(3)
    sizes = np.array([(16, 24), (24, 24), (8, 16), (24, 8), (16, 8)])
    photos = np.zeros((5, 24, 24, 3))
    for photo, (high, wide) in zip(photos, sizes, strict=True):
        photo[:high, :wide] = draw.normal(size=(high, wide, 3))
    parameters, own = network.init((24, 24, 3), 0), units((3,))
    among = outputs_of(network, parameters, own, photos, sizes)
    for one in range(5):
        part = slice(one, one + 1)
        alone = outputs_of(network, parameters, own, photos[part], sizes[part])
        np.testing.assert_array_equal(alone, among[part])


def test_a_piece_is_as_large_as_its_network_is_small():
    widths = {
        "dense 8": 2048,
        "dense 64 relu, dense 10": 256,
        "dense 5000 relu, dense 5000": 32,
    }
    assert {text: predictions._width(parse(text), (784,)) for text in widths} == widths
    assert predictions._width(parse("conv 32 3, conv 32 3"), (64, 64, 3)) == 4
    assert predictions._width(parse("conv 16 3"), (2000, 1500, 3)) == 1
