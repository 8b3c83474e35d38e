"""Where many starts end: every figure is that of the trainings alone."""

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.insight.minima import minima, minima_of
from downslope.insight.solutions import some_of
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand

NETWORK = parse("dense 5 tanh, dense 3")
DATA = by_hand.classes_data(weighted=True)


@pytest.fixture(scope="module")
def found():
    told = []
    result = minima(
        NETWORK,
        DATA,
        options=PLAIN,
        starts=4,
        epochs=6,
        learning_rate=0.2,
        on_progress=lambda done, total: told.append((done, total)),
    )
    assert told == sorted(told)
    assert told[-1] == (1000, 1000)
    return result


@pytest.fixture(scope="module")
def runs(found):
    """The same starts alone, in the order in which they were found."""
    return [
        ds.train(NETWORK, DATA, options=PLAIN, epochs=6, learning_rate=0.2, seed=int(seed))
        for seed in found.seeds
    ]


def test_losses_are_those_of_each_alone(found, runs):
    assert sorted(found.seeds) == [0, 1, 2, 3]
    assert (np.diff(found.train_loss) >= 0).all()
    for index, run in enumerate(runs):
        measured = run.measure(DATA.validation)
        assert found.train_loss[index] == pytest.approx(run.measure(DATA.train)["loss"], rel=1e-4)
        assert found.validation_loss[index] == pytest.approx(measured["loss"], rel=1e-4)
        assert found.validation_metric[index] == pytest.approx(measured["accuracy"])
    assert found.baseline_loss == pytest.approx(
        runs[0].measure_baseline(DATA.train)["loss"], rel=1e-6
    )
    assert (found.epochs, found.diverged, found.is_interrupted) == (6, 0, False)


def test_differences_of_answers_in_plain_numpy(found, runs):
    inputs = DATA.scaling.apply(DATA.validation.inputs)
    outputs = [by_hand.forward(NETWORK, run.parameters, inputs)[0] for run in runs]
    fractions = [by_hand.softmax(one) for one in outputs]
    for one in range(4):
        for other in range(4):
            differ = (outputs[one].argmax(1) != outputs[other].argmax(1)).mean()
            assert found.predictions_differ[one, other] == pytest.approx(differ)
            apart = np.abs(fractions[one] - fractions[other]).sum(1).mean() / 2
            assert found.functions_apart[one, other] == pytest.approx(apart, abs=1e-4)
    assert found.pairs_differ.shape == (6,)


def test_lines_in_plain_numpy(found, runs):
    inputs, labels = DATA.scaling.apply(DATA.train.inputs), DATA.train.targets
    weights = np.asarray(DATA.train.weights, np.float64)
    for index, run in enumerate(runs[1:]):
        losses = []
        for fraction in np.linspace(0, 1, found.line_losses.shape[1]):
            between = jax.tree.map(
                lambda a, b, fraction=fraction: (
                    np.asarray(a, np.float64) * (1 - fraction) + fraction * b
                ),
                runs[0].parameters,
                run.parameters,
            )
            outputs, _ = by_hand.forward(NETWORK, between, inputs)
            losses.append(np.average(by_hand.cross_entropies(outputs, labels), weights=weights))
        np.testing.assert_allclose(found.line_losses[index], losses, rtol=1e-3)
        straight = np.linspace(losses[0], losses[-1], len(losses))
        expected = max(0, (np.array(losses) - straight).max())
        assert found.barriers[index] == pytest.approx(expected, abs=1e-3)
        matched = found.matched_line_losses[index]
        assert matched[[0, -1]] == pytest.approx([losses[0], losses[-1]], rel=1e-3)  # same function
    assert (found.matched_weights_apart <= found.weights_apart + 1e-6).all()
    assert (found.matched_weights_apart[0], found.weights_apart[0]) == (0, 0)


def test_in_words(found):
    lowest, results, predictions, lines = found.summary.split("\n")[:4]
    assert lowest == (
        f"Of 4 starts, seed {found.seeds[0]} ended lowest, at a training loss of "
        f"{found.train_loss[0]:.3g} (highest: {found.train_loss[-1]:.3g}; the best constant "
        f"prediction: {found.baseline_loss:.3g}). It is the lowest found; there may be lower ones."
    )
    loss = found.validation_loss
    rank = 1 + (loss < loss[0]).sum()
    assert results.startswith(
        "With the seed alone, the validation loss varies from "
        f"{loss.min():.3g} to {loss.max():.3g} (mean "
    )
    assert results.endswith(
        f"The start with the lowest training loss has rank {rank} of 4 by validation loss."
    )
    pairs = 100 * found.pairs_differ
    assert predictions == (
        f"Two of the networks predict different classes for {pairs.mean():.1f} % of the validation "
        f"samples on average ({pairs.min():.1f} to {pairs.max():.1f} %)."
    )
    assert lines.startswith(
        "On the straight line from the lowest to each other one, the training loss has a barrier "
        f"of {np.median(found.barriers):.2g} (median; "
    )
    assert "global" not in found.summary


def test_numbers_and_networks_without_an_order():
    data = by_hand.numbers_data()
    found = minima(parse("dense 2"), data, options=PLAIN, starts=3, epochs=2, learning_rate=0.05)
    runs = [
        ds.train(
            parse("dense 2"), data, options=PLAIN, epochs=2, learning_rate=0.05, seed=int(seed)
        )
        for seed in found.seeds
    ]
    predictions = [run.predict(data.validation.inputs) for run in runs]
    spread = data.train.targets.std(axis=0)  # several targets, each in its own unit
    apart = np.sqrt((((predictions[0] - predictions[2]) / spread) ** 2).mean())
    assert found.predictions_differ[0, 2] == pytest.approx(apart, rel=1e-3)
    assert (
        found.matched_line_losses is found.matched_weights_apart is found.matched_barriers is None
    )
    assert found.barriers.max() < 1e-4 * found.baseline_loss  # one layer, squared error: one bowl
    assert found.summary.split("\n")[2].startswith(
        "The predictions of two of the networks differ by "
    )


def test_starts_that_diverge_are_left_out():
    found = ds.train_side_by_side(
        NETWORK, DATA, options=PLAIN, learning_rates=[0.2, 1e38, 0.2], seeds=[0, 1, 2], epochs=2
    )
    result = minima_of(found, DATA)
    assert sorted(result.seeds) == [0, 2]
    assert "1 of 3 starts diverged." in result.summary
    assert result.map.shape == (2, 2)
    found = ds.train_side_by_side(
        NETWORK, DATA, options=PLAIN, learning_rates=1e38, seeds=[0, 1, 2], epochs=2
    )
    with pytest.raises(ds.SettingError) as raised:
        minima_of(found, DATA)
    assert str(raised.value) == (
        "Of 3 trainings 0 ended in finite numbers. Expected at least two. Try a tenth of the "
        "learning rate."
    )


def test_too_few_starts_are_told():
    with pytest.raises(ds.SettingError) as raised:
        minima(NETWORK, DATA, options=PLAIN, starts=1)
    assert str(raised.value) == (
        "The number of starts is 1. Expected a whole number of at least 2. Try 32."
    )


def test_some_samples_are_the_same_each_time():
    some = some_of(DATA.train, 10)
    assert len(some) == 10
    np.testing.assert_array_equal(some.inputs, some_of(DATA.train, 10).inputs)
    assert some_of(DATA.train, 50) is DATA.train
