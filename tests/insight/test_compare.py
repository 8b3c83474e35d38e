"""Values of one setting beside each other: the figures are those of each training alone."""

from importlib import import_module

import numpy as np
import pytest

import downslope as ds
from downslope.insight.compare import OPENED, SEALED, compare
from downslope.insight.comparison import Comparison, Course
from downslope.insight.significance import RULE
from downslope.insight.variants import Variant, grouped
from downslope.nn.notation import parse
from downslope.runs.outcome import all_epochs, non_finite
from tests.plain import PLAIN
from tests.runs import by_hand

subject = import_module("downslope.insight.compare")  # the function has the same name
NETWORK = parse("dense 3")  # quickly compiled
DATA = by_hand.classes_data()


@pytest.fixture(scope="module")
def batches() -> Comparison:
    """Three batch sizes, with paces that no other process can disturb."""
    patch = pytest.MonkeyPatch()
    pace = {"full": 0.01, 1: 0.1, 16: 0.02}
    patch.setattr(subject, "seconds_per_epoch", lambda one, data: pace[one.options.batch_size])
    told = []
    found = compare(
        NETWORK,
        DATA,
        options=PLAIN,
        vary={"batch_size": ["full", 1, 16]},
        seeds=3,
        epochs=4,
        test=True,
        on_progress=lambda done, total: told.append((done, total)),
    )
    patch.undo()
    assert told == sorted(told)
    assert told[-1] == (1000, 1000)
    return found


def test_each_training_is_what_it_is_alone(batches):
    for course, size in zip(batches.equal_samples, ("full", 1, 16), strict=True):
        assert course.seeds == (0, 1, 2)
        for index, seed in enumerate(course.seeds):
            run = ds.train(NETWORK, DATA, options=PLAIN, batch_size=size, epochs=4, seed=seed)
            alone, test = run.measure(DATA.validation), run.measure(DATA.test)
            assert course.of(0)[index] == pytest.approx(alone["loss"], rel=1e-4)
            assert course.of(1)[index] == pytest.approx(alone["accuracy"], rel=1e-6)
            assert course.test["loss"][index] == pytest.approx(test["loss"], rel=1e-4)
            np.testing.assert_allclose(
                course.traces[index].batch_loss, run.trace.batch_loss, rtol=1e-3
            )


def test_in_equal_time_the_faster_ones_train_longer(batches):
    assert [one.epochs for one in batches.equal_samples] == [4, 4, 4]
    assert [one.epochs for one in batches.equal_time] == [40, 4, 20]
    assert [one.seconds for one in batches.equal_time] == pytest.approx([0.4, 0.4, 0.4])
    assert batches.equal_time[1] is batches.equal_samples[1]
    run = ds.train(NETWORK, DATA, options=PLAIN, batch_size="full", epochs=40, seed=1)
    found = batches.equal_time[0].of(0)[1]
    assert found == pytest.approx(run.measure(DATA.validation)["loss"], rel=1e-4)


def test_the_words_are_those_of_the_figures(batches):
    means = [f"{one.name}: {one.of(0).mean():.3g}" for one in batches.equal_samples]
    assert batches.summary.startswith(
        "At equal samples seen, no clear difference in validation loss "
        f"({', '.join(means)}): the seed and the choice of samples change it as much. "
    )
    assert "In equal time (0.4 s), " in batches.summary
    assert batches.notes == (
        "All have the learning rate 0.1. Another rate may suit some of them better, and change the "
        "order.",
        RULE,
        OPENED,
    )


def test_too_little_time_means_fewer_epochs_for_all(monkeypatch):
    monkeypatch.setattr(subject, "seconds_per_epoch", lambda one, data: 0.1)
    found = compare(
        NETWORK,
        DATA,
        options=PLAIN,
        vary={"learning_rate": [0.1, 0.3]},
        seeds=2,
        epochs=10,
        seconds=1.0,
    )
    # 4 trainings beside each other, each half as long as alone: 0.2 s for an epoch of all
    assert [one.epochs for one in found.equal_samples] == [5, 5]
    assert found.equal_time == ()
    assert found.notes == (
        "All were trained for 5 of 10 epochs, so that together they take about 1 s: give the "
        "epochs, or more seconds, for more.",
        RULE,
        SEALED,
    )
    assert found.equal_samples[0].test == {}


def test_losses_that_cannot_be_compared_are_judged_by_a_measure(monkeypatch):
    monkeypatch.setattr(subject, "seconds_per_epoch", lambda one, data: 0.1)
    data = by_hand.numbers_data()
    found = compare(
        parse("dense 2"),
        data,
        options=PLAIN,
        vary={"loss": ["squared_error", "absolute_error"]},
        seeds=2,
        epochs=3,
        learning_rate=0.05,
    )
    assert found.metric == "mae"
    assert "validation MAE" in found.summary
    run = ds.train(
        parse("dense 2"),
        data,
        options=PLAIN,
        loss="absolute_error",
        epochs=3,
        learning_rate=0.05,
        seed=1,
    )
    mae = run.measure(data.validation)["mae"]
    assert found.equal_samples[1].of(1)[1] == pytest.approx(mae, rel=1e-4)


def test_rates_and_seeds_are_trained_together():
    plain = ds.TrainOptions(network=NETWORK, epochs=3)
    ones = [
        Variant("a", plain.replace(learning_rate=0.1)),
        Variant("b", plain.replace(epochs=4)),
        Variant("c", plain.replace(seed=3)),
    ]
    assert grouped(ones) == [[ones[0], ones[2]], [ones[1]]]


def course(name: str, losses, right=None, diverged: int = 0) -> Course:
    losses = np.asarray(losses, float)
    values = np.stack([losses, losses if right is None else np.asarray(right, float)], axis=-1)
    ends = [non_finite(np.nan, 1, 0)] * diverged
    ends += [all_epochs(3, 9, None)] * (len(values) - diverged)
    return Course(name, tuple(range(len(values))), 3, 1.0, (), tuple(ends), values)


def said(*courses: Course, figure: str = "loss", setting: str = "optimizer") -> str:
    return Comparison(setting, "points", "classification", figure, 50, courses, (), ()).summary


def test_no_difference_is_claimed_that_chance_covers():
    rng = np.random.default_rng(0)
    one, other = rng.normal(1, 0.2, (2, 5, 40))
    assert said(course("sgd", one), course("adam", other)) == (
        "At equal samples seen, no clear difference in validation loss "
        f"(sgd: {one.mean():.3g}, adam: {other.mean():.3g}): the seed and the choice of samples "
        "change it as much."
    )
    assert said(course("sgd", one[:1]), course("adam", other[:1] + 9)).endswith(
        ": one training of each is too few."
    )


def test_what_is_told_and_what_is_not():
    rng = np.random.default_rng(1)
    best, near, far = (rng.normal(mean, 0.1, (5, 40)) for mean in (0.5, 0.501, 0.9))
    text = said(course("a", best), course("b c", near), course("d", far))
    assert text == (
        'At equal samples seen, optimizer "b c" has the lowest validation loss, 0.492: '
        "lower than d by 0.41 (0.37 to 0.45). No clear difference from a "
        "(\N{MINUS SIGN}0.027 to +0.029)."
    )


def test_shares_are_told_in_points():
    right, wrong = np.ones((4, 50)), np.zeros((4, 50))
    right[:, :5] = 0
    text = said(course("a", wrong, right), course("b", wrong, wrong), figure="accuracy")
    assert text == (
        "At equal samples seen, optimizer a has the highest validation accuracy, 90.0 %: "
        "higher than b by 90.0 points (81.4 to 98.6 points)."
    )


def test_divergence_is_told():
    fine, bad = course("0.1", np.ones((3, 9))), course("9", np.ones((3, 9)), diverged=2)
    tail = " With learning rate 9 2 of 3 trainings diverged."
    assert said(fine, bad, setting="learning_rate") == (
        "At equal samples seen, only learning rate 0.1 ended well, at a validation loss of 1."
        + tail
    )
    assert said(bad, setting="learning_rate") == "At equal samples seen, none ended well." + tail


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"vary": {"batch": [1, 2]}},
            "There is no setting called 'batch'. Expected one of network, loss, optimizer, "
            "learning_rate, schedule, batch_size, epochs, seed, shuffle, class_weights, "
            "label_smoothing, smooth_toward, augment, stop, members, effort. "
            "Did you mean 'batch_size'?",
        ),
        (
            {"vary": {"batch_size": [1]}},
            "The batch_size is varied over 1. Expected two or more values that differ. Give more "
            "values, such as batch_size=full,1,32.",
        ),
        (
            {"vary": {"epochs": [3, 3]}},
            "The epochs is varied over 3 and 3. Expected two or more values that differ. Give more "
            "values, such as batch_size=full,1,32.",
        ),
        (
            {"vary": {"epochs": [3, 4], "seed": [1, 2]}},
            "2 settings are varied. Expected one. Compare one setting at a time: else the "
            "cause of a difference is unknown.",
        ),
        (
            {"vary": {"epochs": [3, 4]}, "seed": 7},
            "The seed is set to 7. Expected a number of seeds. Leave seed out, and say with seeds "
            "how many trainings of each value there are.",
        ),
        (
            {"vary": {"epochs": [3, 4]}, "seeds": 0},
            "The number of seeds is 0. Expected a whole number of at least 1. Try 5.",
        ),
    ],
)
def test_what_cannot_be_compared_is_told(settings, message):
    with pytest.raises(ds.SettingError) as raised:
        compare(NETWORK, DATA, options=PLAIN, **settings)
    assert str(raised.value) == message


def test_ctrl_c_keeps_the_values_that_were_finished(monkeypatch):
    monkeypatch.setattr(subject, "seconds_per_epoch", lambda one, data: 0.1)
    done = []
    trained = subject.train_side_by_side

    def stopping(*given, options, **settings):
        found = trained(*given, options=options, **settings)
        done.append(options.batch_size)
        if len(done) == limit:
            object.__setattr__(
                found, "outcomes", (ds.Outcome("interrupted", "", "", 1, 1), *found.outcomes[1:])
            )
        return found

    monkeypatch.setattr(subject, "train_side_by_side", stopping)
    limit = 3
    found = compare(
        NETWORK, DATA, options=PLAIN, vary={"batch_size": [8, 16, 32]}, seeds=2, epochs=2, test=True
    )
    assert [one.name for one in found.equal_samples] == ["8", "16"]
    assert found.is_interrupted
    assert found.notes[-1] == SEALED  # what was not finished opens nothing
    done, limit = [], 2  # within the first two values
    with pytest.raises(KeyboardInterrupt):
        compare(NETWORK, DATA, options=PLAIN, vary={"batch_size": [8, 16, 32]}, seeds=2, epochs=2)


def test_half_a_comparison_in_equal_time_is_none(monkeypatch):
    pace = {8: 0.01, 16: 0.1, 32: 0.02}
    monkeypatch.setattr(
        subject, "seconds_per_epoch", lambda one, data: pace[one.options.batch_size]
    )
    trained, done = subject.train_side_by_side, []

    def stopping(*given, **settings):
        done.append(settings["epochs"])
        if len(done) == 5:  # the second that is trained for longer
            raise KeyboardInterrupt
        return trained(*given, **settings)

    monkeypatch.setattr(subject, "train_side_by_side", stopping)
    found = compare(
        NETWORK, DATA, options=PLAIN, vary={"batch_size": [8, 16, 32]}, seeds=2, epochs=2
    )
    assert done == [2, 2, 2, 20, 10]
    assert len(found.equal_samples) == 3
    assert found.equal_time == ()
    assert found.is_interrupted
