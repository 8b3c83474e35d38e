"""Layers over a training, beside what NumPy makes of the same weights."""

import numpy as np
import pytest

import downslope as ds
from downslope.insight.layers import layers_over_time, spread_steps
from downslope.insight.step import trace_step
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand

DATA = by_hand.classes_data()
PROBED = DATA.scaling.apply(DATA.train.inputs)  # all, since there are few


@pytest.fixture(scope="module")
def run():
    network = parse("dense 6 relu, dense 5 tanh, dense 3")
    return ds.train(network, DATA, options=PLAIN, learning_rate=0.8, batch_size=10, epochs=4)


@pytest.fixture(scope="module")
def course(run):
    return layers_over_time(run, 4)


def length(own):
    return np.sqrt(sum((one**2).sum() for one in own.values()))


def test_every_measure_is_what_numpy_finds(run, course):
    assert list(course.steps) == list(spread_steps(20, 4)) == [1, 3, 9, 20]
    assert [one.name for one in course.layers] == ["1 Dense", "2 Dense", "3 Dense"]
    replay = ds.replay(run)
    for point, step in enumerate(map(int, course.steps)):
        before, after = (by_hand.as_float64(replay.parameters(one)) for one in (step - 1, step))
        hidden = PROBED.astype(np.float64)
        batch = DATA.train.take(replay.batch_of(step))
        slopes = ds.backpropagate(
            run.network, replay.parameters(step - 1),
            DATA.scaling.apply(batch.inputs), batch.targets,
            loss="cross_entropy",
        ).gradients  # fmt: skip
        for index, one in enumerate(course.layers):
            own = before[index]
            pre_activations = hidden @ own["weights"] + own["biases"]
            hidden = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh}.get(
                one.activation, lambda z: z
            )(pre_activations)
            change = {name: after[index][name] - own[name] for name in own}
            gradient = by_hand.as_float64(slopes)[index]
            expected = {
                "gradient_length": length(gradient),
                "weight_length": length(own),
                "update_fraction": length(change) / length(own),
                "mean": hidden.mean(),
                "std": hidden.std(),
            }
            for name, value in expected.items():
                found = getattr(one, name)[point]
                assert found == pytest.approx(value, rel=2e-4, abs=1e-6), (step, index, name)
            dead = (hidden == 0).all(axis=0).mean() if index == 0 else np.nan
            flat = (1 - np.tanh(pre_activations) ** 2 < 0.05).mean() if index == 1 else np.nan
            np.testing.assert_allclose(one.dead[point], dead, atol=1e-6)
            np.testing.assert_allclose(one.saturated[point], flat, atol=1e-6)
    assert course.layers[1].saturated[-1] > course.layers[1].saturated[0]


def test_dead_units_of_a_convolution_are_its_channels():
    network = parse("conv 4 3 relu, max_pool 4, layer_norm, conv 1 1")
    data = by_hand.crowd_data()
    run = ds.train(network, data, options=PLAIN, learning_rate=1e-9, batch_size=4, epochs=1)
    course = layers_over_time(run, 2)
    assert [one.name for one in course.layers] == ["1 Conv2D", "3 LayerNorm", "4 Conv2D"]
    signals = np.asarray(run.signals(data.train.inputs)[0].activations)
    fraction = (signals == 0).all(axis=(0, 1, 2)).mean()
    np.testing.assert_allclose(course.layers[0].dead, fraction)
    assert np.isnan(course.layers[1].dead).all()


def test_steps_are_closer_at_the_beginning():
    steps = spread_steps(1000, 25)
    assert (steps[0], steps[-1], len(steps)) == (1, 1000, 25)
    assert (np.diff(steps, 2) >= -1).all()
    assert list(spread_steps(3, 25)) == [1, 2, 3]


def test_it_is_told_in_words(course):
    lines = str(course).splitlines()
    assert lines[0] == (
        "Layers of the training on points, from step 1 to step 20; activations of 50 training "
        "samples"
    )
    assert lines[3].startswith("1 Dense")
    assert "dead units" in lines[3]
    assert "saturated" in lines[4]


def test_a_training_without_steps_is_told():
    data = by_hand.classes_data()
    data.train.inputs[:] = np.nan
    run = ds.train(parse("dense 3"), data, options=PLAIN, batch_size=10, epochs=1)
    assert run.outcome.step == 0
    with pytest.raises(ds.RunError) as caught:
        layers_over_time(run)
    assert str(caught.value) == (
        "The training has no steps: its first one left something that is not finite. Expected a "
        "training of at least one step. Look at that step with: downslope trace RUN --step 1."
    )
    traced = trace_step(run, 1)  # of numbers that are none
    assert np.isnan(traced.way.loss)
    assert "This step was not made" in str(traced)


def test_a_single_point_is_refused(run):
    with pytest.raises(ds.SettingError) as caught:
        layers_over_time(run, 1)
    assert str(caught.value) == (
        "1 steps are to be looked at. Expected at least 2. 25 is the default."
    )
