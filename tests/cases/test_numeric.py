"""Numbers far from 0, in any unit, targets of every form, and weights: the right values.

The inputs that are named are in shared/cases; training/01_labels_from_1.py, 09_large_offset.py,
17_class_weights_batch1.py, 21_targets.py, 22_npz.py and 23_lost_after_training.py print what the
tests here ask for.
"""

import numpy as np
import pytest

import downslope as ds
from downslope.data.dataset import known_targets
from downslope.errors import DataError, SettingError
from tests.plain import PLAIN

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3))
LINE = X @ [1.0, 2.0, -1.0] + 0.1 * RNG.normal(size=300)


def data(inputs, targets, task="regression", names=(), weights=None) -> ds.Dataset:
    """200 samples to train on, 50 to validate and 50 to test with."""

    def part(start, stop):
        own = None if weights is None else weights[start:stop]
        return ds.Samples(inputs[start:stop], targets[start:stop], own)

    parts = part(0, 200), part(200, 250), part(250, 300)
    return ds.Dataset("d", task, *parts, ds.Scaling.learn(parts[0].inputs), class_names=names)


ONE = (ds.Dense(1),)


def fit(dataset, layers=ONE, **settings) -> ds.Run:
    usual = {"optimizer": "adam", "learning_rate": 0.05, "epochs": 25}
    return ds.train(ds.Network(list(layers)), dataset, options=PLAIN, **{**usual, **settings})


@pytest.mark.parametrize("name", ["target_offset.csv", "unix_minute.csv"])
def test_a_table_far_from_0_is_learnt_as_if_it_were_near(cases, name):
    table = ds.load(cases / "tables" / name, target="y", task="regression")
    layers = (ds.Dense(16, "relu"), ds.Dense(1))
    run = fit(table, layers, learning_rate=0.02, epochs=30)
    assert run.test()["mae"] < 0.5
    assert 14 < run.baseline()["mae"] < 18


@pytest.mark.parametrize(
    ("unit", "offset"),
    [
        (1e-21, 0.0), (1e18, 0.0), (20.0, 1.7e9), (1.0, 2.46e9), (1.0, 5e6), (0.01, 2e4),
        (3.6e6, 1.7e12),
    ],
)  # fmt: skip
def test_neither_unit_nor_offset_changes_what_is_learnt(unit, offset):
    near = fit(data(X, LINE))
    far = fit(data(X * unit + offset, LINE * unit + offset))
    for name, power in (("mae", 1), ("rmse", 1), ("loss", 2)):
        of_near = near.test()[name]
        assert far.test()[name] / unit**power == pytest.approx(of_near, rel=0.02), name
        assert far.baseline()[name] / unit**power == pytest.approx(near.baseline()[name], rel=1e-6)
    assert far.trace.validation_loss[-1] / unit**2 == pytest.approx(
        near.trace.validation_loss[-1], rel=0.02
    )
    predicted = far.predict(X[250:] * unit + offset)
    assert np.abs((predicted - offset) / unit - near.predict(X[250:])).max() < 0.05


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_other_losses_learn_targets_far_from_0(loss):
    run = fit(data(X, LINE + 2.46e9), loss=loss)
    assert run.test()["mae"] < 0.3
    assert run.baseline()["mae"] > 1.5


def test_a_spread_that_its_type_lost_is_told():
    times = 1.7e9 + 600 * RNG.uniform(size=300)
    with pytest.warns(UserWarning, match=r"input 1 are about 1700000\d* with .* float32"):
        ds.Scaling.learn(np.stack([X[:, 0], times], axis=1).astype(np.float32))
    with pytest.warns(UserWarning, match="values of target.*lost in rounding"):
        fit(data(X, (LINE + 3e7).astype(np.float32)), epochs=1)
    with pytest.warns(UserWarning, match="values of input 0.*float64 has steps"):
        ds.Scaling.learn(10**18 + np.arange(300)[:, None])


def test_each_of_several_targets_is_learnt_in_its_own_unit():
    both = np.stack([1000 * LINE, X[:, 0] - X[:, 2], 1e-6 * X[:, 1] + 7], axis=1)
    dataset = data(X, both)
    run = fit(dataset, (ds.Dense(3),))
    miss = run.predict(dataset.test.inputs) - dataset.test.targets
    r2 = 1 - (miss**2).mean(axis=0) / dataset.test.targets.var(axis=0)
    assert (r2 > 0.95).all()
    assert run.target_scaling.std.shape == (3,)


def test_weights_do_the_same_at_every_batch_size():
    labels = (X[:, 0] + 0.7 * RNG.normal(size=300) > 1.6).astype(int)
    fractions = []
    for batch, rate in ((1, 0.01), (8, 0.05), ("full", 0.5)):
        plain, weighed = (
            fit(
                data(X, labels, "classification", ("no", "yes")), (ds.Dense(2),),
                optimizer="sgd", batch_size=batch, learning_rate=rate, class_weights=weights,
                epochs=100 if batch == "full" else 15,
            ).predict(X)
            for weights in ((), (1.0, 30.0))
        )  # fmt: skip
        found = [float((one[labels == 1] == 1).mean()) for one in (plain, weighed)]
        fractions.append(found)
    plain, weighed = np.array(fractions).T
    assert (weighed > plain + 0.2).all(), fractions
    assert np.ptp(weighed) < 0.12, fractions


def test_sample_weights_at_batch_1_are_those_of_repeated_samples():
    labels = (X[:, 0] > 0).astype(int)
    settings = {"optimizer": "sgd", "batch_size": 1, "epochs": 1}
    dataset = data(X, labels, "classification", ("a", "b"), np.where(labels, 3.0, 1.0))
    run = fit(dataset, (ds.Dense(2),), **settings, learning_rate=0.01)
    none = fit(data(X, labels, "classification", ("a", "b")), (ds.Dense(2),), **settings)
    assert not np.array_equal(run.parameters[0]["weights"], none.parameters[0]["weights"])


NAMES = ("a", "b", "c")
CLASSES = np.array([0, 2, 1, 1, 0, 2])


@pytest.mark.parametrize(
    "targets",
    [
        CLASSES, CLASSES.astype(np.uint8), CLASSES.astype(np.int64), CLASSES.astype(np.float32),
        CLASSES[:, None], np.eye(3)[CLASSES], np.eye(3, dtype=bool)[CLASSES],
        CLASSES.astype(np.float64)[:, None],
    ],
)  # fmt: skip
def test_every_form_of_classes_is_the_same(targets):
    known = known_targets(targets, "classification", NAMES)
    assert known.dtype == np.int32
    np.testing.assert_array_equal(known, CLASSES)


@pytest.mark.parametrize(
    ("targets", "advice"),
    [
        (CLASSES + 1, "They are counted from 1: subtract 1."),
        (np.where(CLASSES == 1, -1, CLASSES), "the weight 0"),
        (2 * (CLASSES > 0) - 1, "Give 0 for -1"),
        (CLASSES * 7, "Name each class"),
        (CLASSES + 0.5, "choose task='regression'"),
        (np.array([1e30, 0, 1]), "choose task='regression'"),
        (np.eye(3)[CLASSES] * 2, "task='multilabel'"),
        (np.eye(3)[CLASSES] - 0.1, "sum is 0.7"),
        (np.eye(4)[CLASSES], "there are 3 class names"),
        (np.array(["a", "b"]), "Number the classes"),
        (CLASSES.reshape(1, 2, 3), "shape (1, 2, 3)"),
    ],
)
def test_all_else_is_one_message_before_the_first_step(targets, advice):
    with pytest.raises(DataError) as caught:
        known_targets(targets, "classification", NAMES, "train")
    assert advice in str(caught.value)


def test_shares_of_classes_are_learnt_measured_and_compared():
    labels = (X[:, 0] > 0).astype(int)
    soft = np.where(np.eye(2)[labels] > 0, 0.9, 0.1)
    dataset = data(X, soft, "classification", ("a", "b"))
    run = fit(dataset, (ds.Dense(2),), class_weights=(1.0, 2.0))
    assert run.test()["accuracy"] > 0.9
    assert run.baseline()["accuracy"] < 0.8
    assert run.measure(ds.Samples(X, labels))["accuracy"] > 0.9
    assert run.measure(ds.Samples(X, np.eye(2)[labels]))["loss"] == pytest.approx(
        run.measure(ds.Samples(X, labels[:, None]))["loss"]
    )


def test_numbers_without_an_axis_of_outputs_are_one_output():
    run = fit(data(X, LINE), epochs=2)
    assert run.dataset.train.targets.shape == (200, 1)
    assert run.measure(ds.Samples(X, LINE)) == run.measure(ds.Samples(X, LINE[:, None]))


@pytest.mark.parametrize("targets", [LINE, -np.arange(300), np.where(LINE > 2, -1e-3, 4.0)])
def test_poisson_refuses_negative_targets(targets):
    with pytest.raises(DataError, match=r"Expected numbers of at least 0"):
        fit(data(X, targets), loss="poisson", epochs=1)


LABELS = (X + 0.1 * RNG.normal(size=X.shape) > 0.3).astype(np.int32)


@pytest.mark.parametrize("task", ["regression", "multilabel"])
def test_several_labels_that_may_hold_at_once_are_learnt(task):
    names = ("x", "y", "z") if task == "multilabel" else ()
    dataset = data(X, LABELS, task, names)
    run = fit(dataset, (ds.Dense(3),), loss="binary_cross_entropy")
    figures, usual = run.test(), run.baseline()
    assert run.data.task == "multilabel"
    assert figures["accuracy"] > 0.9 > usual["accuracy"]
    predicted = run.predict(X[250:])
    assert figures["accuracy"] == pytest.approx((predicted == LABELS[250:]).mean())
    assert figures["all_right"] == pytest.approx((predicted == LABELS[250:]).all(axis=1).mean())
    assert run.probabilities(X[:5]).shape == (5, 3)


def test_labels_out_of_range_are_told():
    with pytest.raises(SettingError, match=r"the target 'target 2' of sample 0 .* is 2"):
        fit(data(X, LABELS + [0, 1, 0] * (LABELS == 1) + [0, 2, 0] * (LABELS == 0)),
            (ds.Dense(3),), loss="binary_cross_entropy", epochs=1)  # fmt: skip


def test_labels_of_an_array_file_are_learnt(tmp_path):
    np.savez(tmp_path / "labels.npz", X=X, y=LABELS)
    loaded = ds.load(tmp_path / "labels.npz")
    assert (loaded.task, loaded.class_names) == ("multilabel", ("label 1", "label 2", "label 3"))


@pytest.mark.parametrize("toward", ["uniform", "frequencies"])
@pytest.mark.parametrize(("loss", "outputs"), [("cross_entropy", 2), ("binary_cross_entropy", 1)])
def test_label_smoothing_spreads_a_share_of_each_target(loss, outputs, toward):
    labels = (X[:, 0] > 0.7).astype(int)
    dataset = data(X, labels, "classification", ("a", "b"))
    settings = {"loss": loss, "batch_size": "full", "optimizer": "sgd", "epochs": 1}
    plain, smooth = (
        fit(dataset, (ds.Dense(outputs),), label_smoothing=one, smooth_toward=toward, **settings)
        for one in (0.0, 0.2)
    )
    first = ds.replay(plain).state(0).parameters[0]["weights"]
    logits = dataset.scaling.apply(X[:200]) @ np.asarray(first, np.float64)
    if outputs == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    each = np.array([0.5, 0.5])
    if toward == "frequencies":
        each = (np.bincount(labels[:200]) + 1) / 202
    fractions = 0.8 * np.eye(2)[labels[:200]] + 0.2 * each
    expected = -(fractions * logs).sum(axis=1).mean()
    assert smooth.trace.batch_loss[0] == pytest.approx(expected, rel=1e-5)
    assert plain.measure_baseline(dataset.train) == smooth.measure_baseline(dataset.train)
    with pytest.raises(ds.SettingError, match="has no classes"):
        fit(data(X, LINE), label_smoothing=0.1)


def test_printed_predictions_have_the_digits_that_tell_them_apart():
    from downslope.runs.named_predictions import _cells

    run = fit(data(X, 20 * LINE + 1.7e9), epochs=1)
    assert _cells(run, {"value": 1_700_000_002.96}) == {"value": "1,700,000,002.96"}
    run = fit(data(X, np.stack([LINE, LINE + 2.46e9], axis=1)), (ds.Dense(2),), epochs=1)
    values = {"value": {"target 1": 0.25, "target 2": 2_460_000_001.5}}
    assert [*_cells(run, values).values()] == ["0.25", "2,460,000,001.5"]
