"""The losses at many points of weight space equal a plain loop in float64."""

import dataclasses

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.engine import losses_at as module
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand

NETWORK = parse("dense 6 tanh, dense 5 relu, dense 3")


def like(parameters, seed):
    """A random direction."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: rng.normal(size=leaf.shape).astype(np.float32), parameters)


def mean_loss(network, parameters, samples, scaling) -> float:
    logits, _ = by_hand.forward(network, parameters, scaling.apply(samples.inputs))
    losses = by_hand.cross_entropies(logits, samples.targets)
    return float(np.average(losses, weights=samples.weights))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("most", [(2048, 1 << 18), (16, 200)])  # in one piece, and in many
def test_a_plane_equals_a_loop(weighted, most, monkeypatch):
    monkeypatch.setattr(module, "MOST_SAMPLES", most[0])
    monkeypatch.setattr(module, "MOST_NUMBERS", most[1])
    data = by_hand.classes_data(weighted=weighted)
    base = NETWORK.init((4,), seed=1)
    spans = [like(base, 2), like(base, 3)]
    far = np.random.default_rng(0).uniform(-1, 1, (7, 3, 2))
    found = ds.losses_at(
        ds.Model(NETWORK, "cross_entropy", base, scaling=data.scaling),
        data.train,
        directions=spans,
        coefficients=far,
    )
    assert found.shape == (7, 3)
    assert found.dtype == np.float64
    for index in np.ndindex(7, 3):
        there = [
            {
                name: np.asarray(own[name], np.float64)
                + sum(
                    fraction * span[layer][name]
                    for fraction, span in zip(far[index], spans, strict=True)
                )
                for name in own
            }
            for layer, own in enumerate(base)
        ]
        expected = mean_loss(NETWORK, there, data.train, data.scaling)
        assert found[index] == pytest.approx(expected, rel=2e-5)


def test_a_line_needs_no_axis_for_its_one_direction():
    data = by_hand.classes_data()
    start, end = (NETWORK.init((4,), seed=seed) for seed in (0, 1))
    along = jax.tree.map(lambda one, other: np.asarray(other - one), start, end)
    found = ds.losses_at(
        ds.Model(NETWORK, "cross_entropy", start, scaling=data.scaling),
        data.train,
        directions=[along],
        coefficients=np.linspace(0, 1, 5),
    )
    assert found.shape == (5,)
    for index, parameters in ((0, start), (4, end)):
        expected = mean_loss(NETWORK, parameters, data.train, data.scaling)
        assert found[index] == pytest.approx(expected, rel=1e-5)


def test_many_solutions_at_once():
    data = by_hand.classes_data()
    found = ds.train_side_by_side(
        NETWORK, data, options=PLAIN, learning_rates=[0.01, 0.1, 0.3], epochs=2
    )
    losses = ds.losses_at(
        ds.Model(NETWORK, "cross_entropy", found.parameters, scaling=data.scaling), data.test
    )
    expected = [
        mean_loss(NETWORK, found.parameters_of(member), data.test, data.scaling)
        for member in range(3)
    ]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("flatten, dense 4 tanh, dense 2", by_hand.numbers_data()),
        ("layer_norm, dense 4 tanh, dense 2", by_hand.numbers_data()),  # not linear at first
        ("standardize, conv 4 3 relu, max_pool 4, conv 1 1", by_hand.crowd_data()),
    ],
)
def test_every_kind_of_network_in_the_units_of_its_data(text, data):
    network = parse(text)
    run = ds.train(network, data, options=PLAIN, batch_size=10, epochs=1, learning_rate=0.01)
    spans = [like(run.parameters, 5)]
    losses = ds.losses_at(
        run.model,
        data.validation,
        directions=spans,
        coefficients=np.array([0.0, 0.1]),
    )
    moved = jax.tree.map(lambda one, span: one + np.float32(0.1) * span, run.parameters, spans[0])
    for loss, parameters in zip(losses, (run.parameters, moved), strict=True):
        there = dataclasses.replace(run, model=run.model.at(parameters))
        assert loss == pytest.approx(there.measure(data.validation)["loss"], rel=1e-4)


def test_what_does_not_fit_is_told():
    data = by_hand.classes_data()
    base = NETWORK.init((4,))
    other = parse("dense 3").init((4,))
    model = ds.Model(NETWORK, "cross_entropy", base, scaling=data.scaling)
    with pytest.raises(ds.SettingError) as raised:
        ds.losses_at(model, data.train, directions=[base, other])
    assert str(raised.value) == (
        "Direction 2 has another shape than the parameters. Expected the same layers, names and "
        "shapes. Make it from such parameters, for example as a difference of two."
    )
    with pytest.raises(ds.SettingError) as raised:
        ds.losses_at(
            model,
            data.train,
            directions=[base, base],
            coefficients=np.zeros((4, 3)),
        )
    assert str(raised.value) == (
        "There are 2 directions, and the coefficients are of shape (4, 3). Expected an array of "
        "shape (..., 2). Stack one number per direction along the last axis."
    )
    with pytest.raises(ds.SettingError, match="and the coefficients are none"):
        ds.losses_at(model, data.train, directions=[base])
    with pytest.raises(ds.DataError, match="There are no samples"):
        ds.losses_at(model, data.train.take(np.arange(0)))
