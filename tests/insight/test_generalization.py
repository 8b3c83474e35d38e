"""The gap is that of plain NumPy, and its onset is named where there is one."""

import numpy as np
import pytest

import downslope as ds
from downslope.insight.generalization import compared, generalization, some_epochs
from downslope.nn.notation import parse
from downslope.numerals import rounded
from tests.plain import PLAIN
from tests.runs import by_hand

NETWORK = parse("dense 4 tanh, dense 3")


def test_losses_and_errors_in_plain_numpy():
    data = by_hand.classes_data(weighted=True)
    measured = ds.Record(every=1)
    run = ds.train(
        NETWORK, data, options=PLAIN, learning_rate=0.2, epochs=7, seed=1, record=measured
    )
    found = generalization(run)
    assert found.epochs.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert (found.samples, found.kept_epoch) == ((50, 60), 7)
    for part, mean, error in (
        (data.train, found.train_loss[-1], found.train_error[-1]),
        (data.validation, found.validation_loss[-1], found.validation_error[-1]),
    ):
        outputs, _ = by_hand.forward(NETWORK, run.parameters, data.scaling.apply(part.inputs))
        losses = by_hand.cross_entropies(outputs, part.targets)
        fractions = np.asarray(part.weights, np.float64) / np.sum(part.weights, dtype=np.float64)
        assert mean == pytest.approx(losses @ fractions, rel=1e-4)
        count = len(losses)
        squared = (fractions**2 * (losses - losses @ fractions) ** 2).sum() * count / (count - 1)
        assert error == pytest.approx(squared**0.5, rel=1e-3)
    gap = found.validation_loss[-1] - found.train_loss[-1]
    far = 1.96 * np.hypot(found.train_error[-1], found.validation_error[-1])
    assert (found.gap.mean, found.gap.high) == pytest.approx((gap, gap + far))
    np.testing.assert_allclose(found.train_loss, run.trace.train_loss, rtol=1e-4)
    np.testing.assert_allclose(found.validation_loss, run.trace.validation_loss, rtol=1e-4)
    assert found.test is None
    assert run.test_evaluations == 0
    for word, rows, metrics, part in zip(
        ("seen", "unseen"), found.examples, found.metrics, (data.train, data.validation),
        strict=True,
    ):  # fmt: skip
        assert (rows[0].index, rows[-1].index, len(rows)) == (0, len(part) - 1, 6)
        classes, losses = run.predict(part.inputs), run.losses(part)
        for one in rows:
            assert one.truth == f'"{data.class_names[part.targets[one.index]]}"'
            assert one.prediction.startswith(f'"{data.class_names[classes[one.index]]}" with ')
            assert one.loss == pytest.approx(losses[one.index], rel=1e-5)
        assert metrics["accuracy"] == pytest.approx((classes == part.targets).mean())
        assert f"{rounded(100 * metrics['accuracy'], 3)} % on {word}" in str(found)
    assert list(found.figures()) == ["generalization"]  # they are no images


def test_kept_weights_are_the_ones_that_are_judged():
    data = by_hand.classes_data(train=32)
    network = parse("dense 16 tanh, dense 3")
    run = ds.train(
        network, data, options=PLAIN, optimizer="adam", learning_rate=0.05, epochs=60,
        stop=ds.Stop(patience=8), record=ds.Record(every=1),
    )  # fmt: skip
    assert run.outcome.reason == "no_improvement"
    found = generalization(run)
    assert found.kept_epoch == run.outcome.kept_step  # one step per epoch
    assert found.kept_epoch < found.epochs[-1] == run.epochs
    assert found.validation_loss[found.kept] == pytest.approx(
        run.measure(data.validation)["loss"], rel=1e-4
    )
    assert found.summary.split("\n")[0].startswith(
        f"At the weights of epoch {found.kept_epoch} the training"
    )


def test_the_test_part_is_opened_only_when_asked_for_and_counted():
    data = by_hand.classes_data()
    run = ds.train(NETWORK, data, options=PLAIN, epochs=2)
    found = generalization(run, test=True)
    assert (run.test_evaluations, found.test_evaluations) == (1, 1)
    low, high = found.test_interval["loss"]
    loss, error = found.validation_loss[-1], found.validation_error[-1]
    agrees = low <= loss + 1.96 * error and high >= loss - 1.96 * error
    assert found.summary.split("\n")[2] == (
        "The loss on the test part (the first test evaluation) is "
        f"{found.test['loss']:.3g} (95 % interval {low:.3g} to {high:.3g}), which "
        f"{'agrees with' if agrees else 'differs from'} the validation loss."
    )
    assert found.test["loss"] == run.test()["loss"]
    assert "(test evaluation 3)" in generalization(run, test=True).summary.split("\n")[2]


def curves(train, validation, noise=0.5, samples=400, seed=0):
    """Losses of samples around given means, the same samples behind each epoch."""
    rng = np.random.default_rng(seed)
    parts = [
        np.array(means)[:, None] + noise * rng.normal(size=samples) for means in (train, validation)
    ]
    parts = [
        one - one.mean(axis=1, keepdims=True) + np.array(means)[:, None]
        for one, means in zip(parts, (train, validation), strict=True)
    ]
    for one in parts:
        jitter = rng.normal(0, 0.02, one.shape)
        one += jitter - jitter.mean(axis=1, keepdims=True)
    epochs = np.arange(1, len(train) + 1)
    return compared(epochs, *parts, data="points", task="classification", loss="cross_entropy")


def test_onsets_by_hand():
    found = curves([1, 0.6, 0.4, 0.3, 0.2, 0.1], [1, 0.62, 0.5, 0.55, 0.6, 0.7])
    # the standard error of a gap is 0.035: 0.02 is no gap, 0.1 is one
    assert (found.opens_at, found.lowest_at, found.rises_at) == (3, 3, 4)
    assert found.rise.mean == pytest.approx(0.2, abs=0.01)
    assert found.summary.split("\n")[0] == (
        "At the weights of epoch 6 the training loss is 0.1 and the validation loss 0.7: a gap of "
        f"0.6 (95 % interval {found.gap.low:.2g} to 0.67), clear from epoch 3 on."
    )
    assert found.summary.split("\n")[1].startswith(
        "The validation loss was lowest in epoch 3, and is clearly higher from epoch 4 on, by 0.2 "
        "at the end (95 % interval 0.2 to 0.2): harmful overfitting."
    )


def test_a_gap_that_does_no_harm():
    found = curves([1, 0.6, 0.4, 0.3], [1, 0.8, 0.7, 0.6])
    assert (found.opens_at, found.lowest_at, found.rises_at) == (2, 4, None)
    assert found.summary.split("\n")[1] == (
        "The validation loss was lowest in epoch 4, the last: no harmful overfitting."
    )


def test_no_gap():
    found = curves([1, 0.6, 0.41, 0.4], [1, 0.62, 0.4, 0.405])
    assert (found.opens_at, found.rises_at) == (None, None)
    assert found.summary.split("\n")[0].endswith(", which chance can explain.")
    assert found.summary.split("\n")[1].startswith(
        "The validation loss was lowest in epoch 3; slightly higher at the end (+"
    )


def test_one_jump_back_does_not_end_a_gap():
    train, validation = np.full(20, 0.3), np.full(20, 0.6)
    train[0] = validation[0] = 1
    train[8] = 0.65
    assert curves(train, validation).opens_at == 2


def overfitted(train: int, text: str, seed: int, **settings):
    data = by_hand.classes_data(train=train, validation=600)
    return generalization(ds.train(parse(text), data, options=PLAIN, seed=seed, **settings))


def test_an_onset_is_the_same_for_other_seeds():
    found = [
        overfitted(
            32, "dense 48 tanh, dense 3", seed, optimizer="adam", learning_rate=0.01, epochs=200
        )
        for seed in range(4)
    ]
    opens = [one.opens_at for one in found]
    assert max(opens) <= 1.5 * min(opens)
    assert all(one.lowest_at < one.rises_at < 100 for one in found)
    assert all("harmful overfitting" in one.summary.split("\n")[1] for one in found)


def test_enough_samples_and_few_weights_do_not_overfit():
    for seed in range(3):
        found = overfitted(2000, "dense 3", seed, learning_rate=0.05, epochs=10)
        assert found.rises_at is None
        assert found.gap.low < 0.05


def test_a_run_without_an_epoch_is_told():
    data = by_hand.numbers_data()
    run = ds.train(parse("dense 2"), data, options=PLAIN, learning_rate=1e38, batch_size=10)
    assert run.outcome.reason == "non_finite"
    with pytest.raises(ds.RunError) as raised:
        generalization(run)
    assert str(raised.value) == (
        f"The run ended at step {run.outcome.step}, within its first epoch. Expected a run of at "
        "least one epoch. Train it for longer."
    )


@pytest.mark.parametrize(("finished", "most"), [(1, 40), (5, 40), (300, 40), (41, 8)])
def test_some_epochs(finished, most):
    chosen = some_epochs(finished, most)
    assert chosen == sorted(set(chosen))
    assert (chosen[0], chosen[-1]) == (1, finished)
    assert len(chosen) <= most
    assert finished > most or chosen == list(range(1, finished + 1))
