"""Which inputs matter, where it is known; and what the first layer looks for."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

import downslope as ds
from downslope.insight.pixels import first_filters, image_shape, important_inputs
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand

NUMBERS = by_hand.numbers_data()


def fit(network, data, **settings):
    return ds.train(
        parse(network), data, options=PLAIN, **{"learning_rate": 0.05, "epochs": 2, **settings}
    )


def test_in_a_linear_network_each_input_matters_by_its_weight():
    run = fit("dense 2", NUMBERS)
    few = NUMBERS.test.inputs[:4]
    weights = np.asarray(run.parameters[0]["weights"], np.float64)[:, 1]
    weights = weights * run.target_scaling.std[1]
    scaled = NUMBERS.scaling.apply(few).astype(np.float64)
    base = NUMBERS.scaling.apply(NUMBERS.train.inputs.mean(axis=0, dtype=np.float64))
    found = important_inputs(run, few, outputs=np.ones(4, int))
    np.testing.assert_allclose(found.scores, (scaled - base) * weights, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.value, run.predict(few)[:, 1], rtol=1e-5)
    slopes = important_inputs(run, few, outputs=np.ones(4, int), method="gradient_times_input")
    np.testing.assert_allclose(slopes.scores, scaled * weights, rtol=1e-3, atol=1e-3)


def test_what_all_inputs_add_is_the_difference_of_the_answers():
    data = by_hand.classes_data()
    run = fit("dense 8 tanh, dense 5 gelu, dense 3", data, learning_rate=0.5)
    few = data.test.inputs[:5]
    found = important_inputs(run, few)
    logits = run.outputs(few)
    np.testing.assert_array_equal(found.outputs, logits.argmax(axis=1))
    np.testing.assert_allclose(found.value, logits.max(axis=1), rtol=1e-5)
    assert np.abs(found.value - found.base).max() > 1
    assert np.abs(found.unexplained).max() < 1e-4


def test_of_people_it_is_their_number_that_is_explained():
    data = by_hand.crowd_data()
    run = fit("conv 3 3 relu, max_pool 4, conv 1 1", data, batch_size=4, learning_rate=0.01)
    few = data.test.inputs[:2]
    found = important_inputs(run, few)
    np.testing.assert_allclose(found.value, run.predict(few), rtol=1e-4)
    assert found.scores.shape == few.shape
    taller = np.concatenate([few, few], axis=1)  # photos may have another size
    found = important_inputs(run, taller)
    np.testing.assert_allclose(found.value, run.predict(taller), rtol=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"method": "magic"},
            "The method is 'magic'. Expected one of integrated_gradients, gradient_times_input. "
            "Choose one of them.",
        ),
        (
            {"outputs": np.array([0, 2])},
            "The outputs to explain are [0, 2]. Expected a number from 0 to 1 for each of 2 "
            "samples. Leave them out for the predictions.",
        ),
    ],
)
def test_what_cannot_be_explained_is_told(settings, message):
    run = fit("dense 2", NUMBERS, epochs=1)
    with pytest.raises(ds.InputError) as caught:
        important_inputs(run, NUMBERS.test.inputs[:2], **settings)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("shape", "names", "image"),
    [
        ((8, 6, 3), (), (8, 6, 3)),
        ((8, 6), (), (8, 6, 1)),
        ((64,), (), (8, 8, 1)),
        ((64,), ("column",), None),
        ((60,), (), None),
        ((4,), (), None),
        ((8, 6, 2), (), None),
    ],
)
def test_inputs_that_are_images(shape, names, image):
    assert image_shape(shape, names) == image


def test_the_first_filters_are_the_first_weights():
    data = by_hand.crowd_data()
    run = fit("standardize, conv 3 2 relu, max_pool 4, conv 1 1", data, batch_size=4)
    filters = first_filters(run)
    assert filters.shape == (3, 2, 2, 3)
    np.testing.assert_array_equal(filters[1], run.parameters[1]["weights"][..., 1])
    assert first_filters(fit("conv 1 1, max_pool 4", data, batch_size=4)) is None


def test_a_dense_layer_on_an_image_looks_for_whole_images(digits):
    run = fit("dense 5 relu, dense 10", digits, epochs=1, batch_size="full")
    filters = first_filters(run)
    assert filters.shape == (5, 8, 8, 1)
    np.testing.assert_array_equal(filters[3].ravel(), run.parameters[0]["weights"][:, 3])
    named = dataclasses.replace(run, data=dataclasses.replace(run.data, input_names=("a",) * 64))
    assert first_filters(named) is None


def test_the_scores_of_a_column_are_those_of_all_its_inputs():
    draw = np.random.default_rng(0)
    size, town = draw.normal(size=80), draw.choice(["Bern", "Rome"], 80)
    table = pa.table({"size": size, "town": town, "price": 10 * size + 0.1 * (town == "Rome")})
    run = ds.train("piecewise 4, dense 1", ds.load(table, target="price"), epochs=20)
    test = run.dataset.test.inputs
    found = important_inputs(run, test)
    assert list(found.columns) == ["size", "town"]
    names = run.data.input_names
    assert names[0] == "size (rank)"
    own = [index for index, name in enumerate(names) if name.startswith("size")]
    np.testing.assert_allclose(found.columns["size"], found.scores[:, own].sum(axis=1))
    together = found.columns["size"] + found.columns["town"]
    np.testing.assert_allclose(together, found.value - found.base, atol=0.1)
    assert np.abs(found.columns["size"]).mean() > 5 * np.abs(found.columns["town"]).mean()
