"""Which weight is meant, as it is typed."""

import numpy as np
import pytest

import downslope as ds
from downslope.insight.weight import Weight, find_weight
from downslope.nn.notation import parse

NETWORK = parse("conv 2 3, flatten, dense 4 relu, residual (dense 4), layer_norm, dense 3")
PARAMETERS = NETWORK.init((4, 4, 1), seed=0)


@pytest.mark.parametrize(
    ("asked", "weight"),
    [
        ((1, 1, "2,0,0"), Weight(1, "weights", (2, 0, 0, 1))),
        ((1, 0, "bias"), Weight(1, "biases", (0,))),
        ((3, 2, "17"), Weight(3, "weights", (17, 2))),
        ((3, None, "weights[17, 2]"), Weight(3, "weights", (17, 2))),
        ((3, None, "17,2"), Weight(3, "weights", (17, 2))),
        ((3, None, "Biases[3]"), Weight(3, "biases", (3,))),
        ((4, 1, "1.weights[3]"), Weight(4, "1.weights", (3, 1))),
        ((4, 1, "1.bias"), Weight(4, "1.biases", (1,))),
        ((5, 3, "scale"), Weight(5, "scale", (3,))),
        ((None, 2, "3"), Weight(6, "weights", (3, 2))),
    ],
)
def test_a_weight_is_found_by_its_place(asked, weight):
    assert find_weight(NETWORK, PARAMETERS, *asked) == weight
    assert find_weight(NETWORK, PARAMETERS, weight.layer, None, str(weight)) == weight


def test_what_is_left_open_is_the_steepest():
    slopes = [dict(own) for own in PARAMETERS]
    slopes[0] = {"weights": np.zeros((3, 3, 1, 2)), "biases": np.array([9.0, 9.0])}
    slopes[0]["weights"][1, 2, 0, 1] = -5
    slopes[0]["weights"][0, 2, 0, 0] = 2
    assert find_weight(NETWORK, tuple(slopes)) == Weight(1, "weights", (1, 2, 0, 1))
    assert find_weight(NETWORK, tuple(slopes), 1, 0) == Weight(1, "weights", (0, 2, 0, 0))
    assert find_weight(NETWORK, tuple(slopes), 5).layer == 5


def test_only_that_weight_is_changed():
    weight = Weight(4, "1.weights", (3, 1))
    changed = weight.with_value(PARAMETERS, 7.0)
    assert weight.of(changed) == 7
    assert weight.of(PARAMETERS) != 7
    before = np.asarray(PARAMETERS[3]["1"]["weights"])
    assert (np.asarray(changed[3]["1"]["weights"]) != before).sum() == 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            (7, None, None),
            "Layer 7 was asked for, and the network has 6. Expected one of: 1 Conv2D, 2 Flatten, "
            "3 Dense, 4 Residual, 5 LayerNorm, 6 Dense. Layers are counted from 1.",
        ),
        (
            (2, None, None),
            "Layer 2 Flatten has no weights. Expected one of: 1 Conv2D, 3 Dense, 4 Residual, "
            "5 LayerNorm, 6 Dense. Choose another layer.",
        ),
        (
            (6, 3, "0"),
            "Unit 3 of layer 6 was asked for, and its weights lead to 3 units. Expected a unit "
            "from 0 to 2. Choose another unit.",
        ),
        (
            (6, None, "1"),
            "The weight '1' of layer 6 leaves open to which unit it leads. Expected a unit from 0 "
            "to 2. Name the unit as well.",
        ),
        (
            (6, 1, "4"),
            "Layer 6 has no weight '4'. Expected an index in biases[0-2], weights[0-3,0-2]. Name "
            "the array and the index, such as weights[0,0], or the unit and the input.",
        ),
        (
            (6, 1, "slope"),
            "Layer 6 has no weight 'slope'. Expected an index in biases[0-2], weights[0-3,0-2]. "
            "Name the array and the index, such as weights[0,0], or the unit and the input.",
        ),
    ],
)
def test_a_weight_that_is_not_there_is_told(asked, message):
    with pytest.raises(ds.NetworkError) as caught:
        find_weight(NETWORK, PARAMETERS, *asked)
    assert str(caught.value) == message


def test_a_network_without_weights():
    with pytest.raises(ds.NetworkError, match="The network has no weights"):
        find_weight(parse("flatten"), ({},))
