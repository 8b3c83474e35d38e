"""Networks as text: read as meant, and told apart from what cannot be read."""

import pytest
from hypothesis import given, settings

import downslope as ds
from downslope.nn.notation import describe, own_parts, parse
from tests.reference import drawing


@settings(max_examples=300)
@given(drawing.networks())
def test_the_text_of_a_network_makes_the_same_network(drawn):
    network, _ = drawn
    assert parse(describe(network)) == network


def test_an_activation_by_itself_is_its_name():
    network = parse("conv 4 3, layer_norm, RELU, flatten, dense 2, softmax")
    assert network.layers[2] == ds.Activate("relu")
    assert describe(network) == "conv 4 3, layer_norm, relu, flatten, dense 2, softmax"
    own = ds.Network([ds.Dense(3), ds.Activate(_cube)])
    assert describe(own) == "dense 3, activation cube"
    assert parse(describe(own), own_parts(own)) == own


def _cube(z):
    return z**3


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("dense 32 relu, dense 10", [ds.Dense(32, "relu"), ds.Dense(10)]),
        (" Dense 32  relu ,dense units=10 ", [ds.Dense(32, "relu"), ds.Dense(10)]),
        ("conv 8 relu", [ds.Conv2D(8, 3, "relu")]),
        ("conv 8 5 relu 2", [ds.Conv2D(8, 5, "relu", 2)]),
        ("conv 8 relu 5", [ds.Conv2D(8, 5, "relu")]),
        ("conv 8 3 dilation=2 padding=valid", [ds.Conv2D(8, 3, dilation=2, padding="valid")]),
        ("max_pool, average_pool 3, upsample 4", None),
        ("dropout 0.25, layer_norm, group_norm 4, flatten", None),
        ("residual (dense 8 relu, dense 8)", [ds.Residual([ds.Dense(8, "relu"), ds.Dense(8)])]),
        (
            "parallel(conv 8 3|residual(conv 2), conv 4)",
            [ds.Parallel([ds.Conv2D(8)], [ds.Residual([ds.Conv2D(2)]), ds.Conv2D(4)])],
        ),
    ],
)
def test_text_is_read_as_meant(text, layers):
    if layers is None:
        layers = {
            "m": [ds.MaxPool2D(2), ds.AveragePool2D(3), ds.Upsample2D(4)],
            "d": [ds.Dropout(0.25), ds.LayerNorm(), ds.GroupNorm(4), ds.Flatten()],
        }[text[0]]
    assert parse(text) == ds.Network(layers)


def test_defaults_are_left_out_of_the_text():
    network = ds.Network([ds.Conv2D(8, dilation=2), ds.MaxPool2D(), ds.Flatten(), ds.Dense(1)])
    assert describe(network) == "conv 8 3 dilation=2, max_pool 2, flatten, dense 1"


EXAMPLE = 'Write e.g. "dense 32 relu, dense 10".'
KINDS = (
    "dense, conv, max_pool, average_pool, global_average_pool, global_max_pool, upsample, flatten, "
    "dropout, activation, batch_norm, layer_norm, group_norm, "
    "standardize, embed, embed_bag, piecewise, grouped, members, residual, parallel"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"The network has a layer ''. Expected a layer: {KINDS}. {EXAMPLE}"),
        (
            "dens 3",
            f"The network has a layer 'dens 3'. Expected a layer: {KINDS}. Did you mean 'dense'?",
        ),
        ("dense 3,", f"The network has a layer ''. Expected a layer: {KINDS}. {EXAMPLE}"),
        ("dense", f"The layer 'dense' has no units. Expected its units. {EXAMPLE}"),
        ("dropout relu", None),
        (
            "dense 3 relu he_normal 7",
            "The layer 'dense 3 relu he_normal 7' has a setting '7' too many. "
            f"Expected settings among: units, activation, initializer. {EXAMPLE}",
        ),
        (
            "flatten 2",
            "The layer 'flatten 2' has a setting '2' too many. "
            f"Expected settings among: none. {EXAMPLE}",
        ),
        (
            "dense 3 units=4",
            "The layer 'dense 3 units=4' has a setting 'units=4' too many. "
            f"Expected settings among: units, activation, initializer. {EXAMPLE}",
        ),
        (
            "residual dense 3",
            "The layer 'residual dense 3' has no brackets. Expected its inner layers in "
            'brackets: residual (...). Write e.g. "residual (dense 8 relu, dense 8)".',
        ),
        (
            "residual (dense 3",
            "The network 'residual (dense 3' has brackets that do not match. Expected as many "
            "'(' as ')'. Close each bracket behind the layers that belong into it.",
        ),
        (
            "dense 3)",
            "The network 'dense 3)' has brackets that do not match. Expected as many "
            "'(' as ')'. Close each bracket behind the layers that belong into it.",
        ),
    ],
)
def test_text_that_cannot_be_read_gets_a_clear_answer(text, message):
    with pytest.raises(ds.NetworkError) as caught:
        parse(text)
    if message is not None:
        assert str(caught.value) == message
