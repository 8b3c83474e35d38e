"""The chain of factors, beside sums over all paths that NumPy makes in float64."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from downslope.insight.chain_rule import chain_of
from downslope.insight.one_sample import walk
from downslope.insight.weight import Weight
from downslope.nn.losses import resolve
from downslope.nn.notation import parse


def chain(text, weight, inputs, targets, loss="squared_error", seed=3):
    network = parse(text)
    inputs = jnp.asarray([inputs], jnp.float32)
    parameters = network.init(inputs.shape[1:], seed)
    way = walk(network, parameters, inputs, jnp.asarray([targets]), resolve(loss))
    return chain_of(network, parameters, way, weight), parameters, way


def told(product):
    return " × ".join(one.symbol for one in product.factors)


def test_all_paths_through_two_hidden_layers():
    weight = Weight(1, "weights", (2, 1))
    network = "dense 2 tanh, dense 2 sigmoid, dense 1"
    found, parameters, way = chain(network, weight, [0.5, 2.0, -1.5], [3.0])
    weights = [np.asarray(own["weights"], np.float64) for own in parameters]
    flat = [1 - np.tanh(way.layers[0].pre_activations) ** 2]
    squashed = 1 / (1 + np.exp(-np.float64(way.layers[1].pre_activations)))
    flat += [squashed * (1 - squashed)]
    by_hand = {
        f"x[2] × f'(z1[1]) × w2[1,{v}] × f'(z2[{v}]) × w3[{v},0] × f'(z3[0]) × dL/dy[0]": (
            -1.5 * flat[0][1] * weights[1][1, v] * flat[1][v] * weights[2][v, 0]
            * 2 * (way.outputs[0] - 3.0)
        )
        for v in range(2)
    }  # fmt: skip
    assert found.has_all_paths
    assert {told(path): pytest.approx(path.value, rel=1e-5) for path in found.paths} == by_hand
    assert found.gradient == pytest.approx(sum(by_hand.values()), rel=1e-5)
    assert found.product == pytest.approx(found.gradient, rel=1e-5)
    assert told(found.start.terms[0]) == "x[2] × f'(z1[1]) × dL/da1[1]"
    assert found.links[0].symbol == "dL/da1[1]"
    assert len(found.links) == 2


def test_each_link_adds_up_to_the_slope_that_it_explains():
    found, _, way = chain(
        "dense 9 relu, layer_norm, dropout 0.5, dense 8 gelu, dense 7", Weight(1, "biases", (4,)),
        [0.5, 2.0], 3, "cross_entropy",
    )  # fmt: skip
    assert not found.has_all_paths
    slopes = {f"dL/da1{[4]}": way.layers[0].slope[4]}
    for layer, own in enumerate(way.layers, 1):
        slopes |= {f"dL/da{layer}[{unit}]": value for unit, value in enumerate(own.slope)}
    assert [link.symbol[:6] for link in found.links] == ["dL/da1", "dL/da2", "dL/da3", "dL/da4"]
    for link in found.links:
        assert link.value == pytest.approx(float(slopes[link.symbol]), rel=1e-4, abs=1e-7)
        assert link.rest == pytest.approx(link.value - sum(one.value for one in link.terms))
    assert told(found.start.terms[0]) == "1 × f'(z1[4]) × dL/da1[4]"


def test_an_activation_of_all_sums_together_has_terms_of_its_own():
    found, _, way = chain(
        "dense 3 softmax, dense 2", Weight(1, "weights", (0, 2)), [1.0], [0.3, -0.2]
    )
    softmax = way.layers[0].activations.astype(np.float64)
    by_hand = {
        unit: softmax[unit] * ((unit == 2) - softmax[2]) * way.layers[0].slope[unit]
        for unit in range(3)
    }
    assert found.links[0].symbol == "dL/dz1[2]"
    for term in found.links[0].terms:
        unit = int(term.factors[0].symbol[4])
        assert term.factors[0].symbol == f"da1[{unit}]/dz1[2]"
        assert term.value == pytest.approx(by_hand[unit], rel=1e-4)
    assert found.product == pytest.approx(found.gradient, rel=1e-5)


def test_a_convolution_acts_at_each_of_its_places():
    image = np.arange(9.0).reshape(3, 3, 1) / 4 - 1
    found, parameters, way = chain(
        "conv 1 2 padding=valid, flatten, dense 1", Weight(1, "weights", (0, 1, 0, 0)), image, [1.0]
    )
    terms = {
        (row, column): image[row, column + 1, 0] * way.layers[0].slope[row, column, 0]
        for row, column in itertools.product(range(2), range(2))
    }
    assert found.start.count == sum(value != 0 for value in terms.values())
    assert found.start.value == pytest.approx(sum(terms.values()), rel=1e-5)
    first = found.start.terms[0]
    assert first.value == pytest.approx(max(terms.values(), key=abs), rel=1e-5)
    assert first.factors[0].symbol.endswith(",0]/dw")
    weights = np.asarray(parameters[2]["weights"])[:, 0]
    link = found.links[-1].terms[0].factors[0]
    flat = int(link.symbol.split("[")[1].split(",")[0])
    assert link.symbol == f"w3[{flat},0]"
    assert link.value == weights[flat]


def test_the_largest_of_a_window_alone_passes_a_slope_on():
    image = np.array([[1.0, 5.0, 0.0], [2.0, 3.0, 0.0], [0.0, 0.0, 0.0]])[..., None]
    network = "conv 1 1, max_pool 2, flatten, dense 1"
    found, parameters, way = chain(network, Weight(1, "weights", (0, 0, 0, 0)), image, [0.0])
    largest = 5.0 if float(np.asarray(parameters[0]["weights"]).ravel()[0]) > 0 else 1.0
    assert found.start.count == 1
    assert found.start.value == pytest.approx(largest * float(way.layers[0].slope.sum()))
    assert [one.factors[0].symbol for one in found.links[0].terms] == [
        "dz2[0,0,0]/da1[0,1,0]" if largest == 5 else "dz2[0,0,0]/da1[0,0,0]"
    ]


def test_a_weight_without_a_slope_has_one_term_that_says_so():
    found, _, _ = chain("dense 2 relu, dense 1", Weight(1, "weights", (0, 0)), [0.0, 1.0], [1.0])
    assert (found.start.count, found.product, found.gradient) == (0, 0, 0)
    assert [one.factors[0].value for one in found.start.terms] == [0]
