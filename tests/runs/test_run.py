"""A run answers, measures itself, and comes back from its folder as it was."""

import dataclasses

import numpy as np
import pytest

import downslope as ds
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand

NUMBERS = parse("dense 5 tanh, dense 2")
CLASSES = parse("dense 6 tanh, dense 3")
DATA = by_hand.classes_data(weighted=True)


@pytest.fixture(scope="module")
def run() -> ds.Run:
    return ds.train(CLASSES, DATA, options=PLAIN, epochs=3)


@pytest.fixture(scope="module")
def numbers_run() -> ds.Run:
    return ds.train(NUMBERS, by_hand.numbers_data(), options=PLAIN, epochs=3)


@pytest.fixture(scope="module")
def crowd_run() -> ds.Run:
    network = parse("conv 2 3 relu, average_pool 4, conv 1 1")
    return ds.train(
        network, by_hand.crowd_data(), options=PLAIN, epochs=2, batch_size=4, learning_rate=0.01
    )


def test_classes_and_probabilities_are_those_of_the_logits(run):
    inputs = DATA.test.inputs
    logits, _ = by_hand.forward(CLASSES, run.parameters, DATA.scaling.apply(inputs))
    np.testing.assert_allclose(run.outputs(inputs), logits, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        run.probabilities(inputs), by_hand.softmax(logits), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_array_equal(run.predict(inputs), logits.argmax(axis=1))


def test_numbers_are_in_the_units_of_the_targets(numbers_run):
    data = numbers_run.dataset
    outputs, _ = by_hand.forward(
        NUMBERS, numbers_run.parameters, data.scaling.apply(data.test.inputs)
    )
    targets = data.train.targets.astype(np.float64)
    predictions = outputs * targets.std(axis=0) + targets.mean(axis=0)
    np.testing.assert_allclose(numbers_run.predict(data.test.inputs), predictions, rtol=1e-4)


def test_the_number_of_people_is_the_sum_of_the_map(crowd_run):
    photos = crowd_run.dataset.test.inputs
    maps = crowd_run.outputs(photos)
    assert maps.shape == (6, 2, 4, 1)
    np.testing.assert_allclose(crowd_run.predict(photos), maps.sum(axis=(1, 2, 3)), rtol=1e-6)


def test_people_are_counted_in_photos_of_any_size(crowd_run):
    assert crowd_run.predict(np.zeros((2, 12, 20, 3), np.uint8)).shape == (2,)


@pytest.mark.parametrize("count", [0, 1, 255, 257, 600])
def test_any_number_of_samples_is_answered_each_as_if_alone(run, count):
    inputs = np.resize(DATA.test.inputs, (count, 4))
    classes = run.predict(inputs)
    assert classes.shape == (count,)
    np.testing.assert_array_equal(classes, np.resize(run.predict(DATA.test.inputs), count))


def test_a_single_logit_gives_two_probabilities():
    data = by_hand.classes_data()
    two = {
        name: ds.Samples(part.inputs, np.minimum(part.targets, 1))
        for name, part in zip(data.sizes, (data.train, data.validation, data.test), strict=True)
    }
    data = dataclasses.replace(data, class_names=("no", "yes"), **two)
    run = ds.train(parse("dense 1"), data, options=PLAIN, loss="binary_cross_entropy", epochs=2)
    fractions = run.probabilities(data.train.inputs)
    logits = run.outputs(data.train.inputs)[:, 0].astype(np.float64)
    np.testing.assert_allclose(fractions[:, 1], 1 / (1 + np.exp(-logits)), rtol=1e-5)
    np.testing.assert_allclose(fractions.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(run.predict(data.train.inputs), fractions.argmax(axis=1))


def test_signals_end_in_the_outputs(run):
    signals = run.signals(DATA.test.inputs[:5])
    assert [signal.layer for signal in signals] == ["1 Dense", "2 Dense"]
    np.testing.assert_allclose(
        signals[-1].activations, run.outputs(DATA.test.inputs[:5]), rtol=1e-5, atol=1e-6
    )


def test_the_test_figures_equal_those_of_numpy(run):
    inputs, labels, weights = DATA.test.inputs, DATA.test.targets, DATA.test.weights
    logits, _ = by_hand.forward(CLASSES, run.parameters, DATA.scaling.apply(inputs))
    losses = by_hand.cross_entropies(logits, labels)
    assert run.test() == {
        "loss": pytest.approx((weights * losses).sum() / weights.sum(), rel=1e-5),
        "accuracy": pytest.approx((logits.argmax(axis=1) == labels).mean()),
    }


def test_the_baseline_is_the_mix_of_classes_whatever_the_input(run):
    labels, weights = DATA.test.targets, DATA.test.weights
    fractions = np.bincount(DATA.train.targets) / len(DATA.train)
    losses = -np.log(fractions[labels])
    assert run.baseline() == {
        "loss": pytest.approx((weights * losses).sum() / weights.sum(), rel=1e-5),
        "accuracy": pytest.approx((labels == fractions.argmax()).mean()),
    }


def test_the_baseline_of_numbers_is_their_training_mean_or_median(numbers_run):
    data = numbers_run.dataset
    median = np.abs(data.test.targets - np.median(data.train.targets, axis=0))
    miss = data.test.targets - data.train.targets.mean(axis=0, dtype=np.float64)
    assert numbers_run.baseline() == {
        "loss": pytest.approx(((miss / data.train.targets.std(axis=0)) ** 2).mean(), rel=1e-5),
        "mae": pytest.approx(median.mean(), rel=1e-5),
        "rmse": pytest.approx(np.sqrt((miss**2).mean()), rel=1e-5),
    }


def test_figures_of_counting_are_about_people(crowd_run):
    data = crowd_run.dataset
    counts = data.test.targets.sum(axis=(1, 2, 3))
    miss = crowd_run.predict(data.test.inputs) - counts
    always = counts - data.train.targets.sum(axis=(1, 2, 3)).mean()
    median = counts - np.median(data.train.targets.sum(axis=(1, 2, 3)))
    found, baseline = crowd_run.test(), crowd_run.baseline()
    assert found["mae"] == pytest.approx(np.abs(miss).mean(), rel=1e-5)
    assert found["rmse"] == pytest.approx(np.sqrt((miss**2).mean()), rel=1e-5)
    assert baseline["mae"] == pytest.approx(np.abs(median).mean(), rel=1e-5)
    assert baseline["rmse"] == pytest.approx(np.sqrt((always**2).mean()), rel=1e-5)


@pytest.mark.parametrize("kind", ["run", "numbers_run", "crowd_run"])
def test_a_run_comes_back_from_its_folder_as_it_was(kind, request, tmp_path):
    run = request.getfixturevalue(kind)
    saved = run.save(tmp_path / "kept")
    opened = ds.open_run(tmp_path / "kept")
    assert saved.folder == opened.folder == tmp_path / "kept"
    by_hand.assert_same_parameters(opened.parameters, run.parameters)
    by_hand.assert_same_trace(opened.trace, run.trace)
    for name in ("network", "loss", "settings", "data", "outcome", "seconds"):
        assert getattr(opened, name) == getattr(run, name)
    inputs, test = run.dataset.test.inputs, run.dataset.test
    np.testing.assert_array_equal(opened.predict(inputs), run.predict(inputs))
    assert opened.measure(test) == run.measure(test)
    assert opened.measure_baseline(test) == run.measure_baseline(test)
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [
        "manifest.json", "run.json", "test-evaluations", "trace", "trace.safetensors",
        "weights.safetensors",
    ]  # fmt: skip


def test_every_setting_comes_back(tmp_path):
    settings = {
        "optimizer": ds.Optimizer("adamw", weight_decay=0.01, clip_norm=2.0),
        "schedule": ds.Schedule("cosine", warm_up=0.1),
        "batch_size": "full",
        "class_weights": (1.0, 2.0, 0.5),
        "record": ds.Record(samples=9, every=2),
        "stop": ds.Stop(target_loss=0.01, patience=4),
        "seed": 3,
    }
    ds.train(CLASSES, DATA, options=PLAIN, epochs=2, **settings).save(tmp_path / "run")
    opened = ds.open_run(tmp_path / "run").settings
    assert {name: getattr(opened, name) for name in settings} == settings


def test_a_saved_run_is_never_overwritten(run, tmp_path):
    run.save(tmp_path / "run")
    with pytest.raises(ds.StorageError, match="is not empty"):
        run.save(tmp_path / "run")


def test_the_data_is_loaded_again_when_it_is_needed(tmp_path):
    run = ds.train(parse("dense 2"), ds.load("xor"), options=PLAIN, epochs=1)
    run.save(tmp_path / "run")
    opened = ds.open_run(tmp_path / "run")
    assert opened.dataset is None
    assert opened.test() == run.test()
    changed = dataclasses.replace(opened.data, fingerprint="0" * 64)
    with pytest.raises(ds.DataError) as caught:
        dataclasses.replace(opened, data=changed).test()
    assert str(caught.value) == (
        "The data at xor has changed since the training. Expected the data with the fingerprint "
        "000000000000. Put it back, or say where it is now: --data PATH, "
        "or in Python run.with_data(PATH)."
    )


def test_a_loss_of_the_users_own_is_asked_for_when_opening(tmp_path):
    def quartic(prediction, target):
        return ((prediction - target) ** 4).mean(axis=1)

    data = by_hand.numbers_data()
    data = dataclasses.replace(
        data, train=ds.Samples(data.train.inputs, (data.train.targets - 200) / 100)
    )
    run = ds.train(NUMBERS, data, options=PLAIN, loss=quartic, learning_rate=0.01, epochs=1)
    run.save(tmp_path / "run")
    with pytest.raises(ds.RunError) as caught:
        ds.open_run(tmp_path / "run")
    assert str(caught.value) == (
        "The run has parts of its user's own: the loss quartic. Expected these functions or "
        "objects, since code is never stored. Open it from Python with "
        "open_run(folder, losses=[quartic])."
    )
    opened = ds.open_run(tmp_path / "run", losses=quartic)
    assert opened.measure(data.train) == run.measure(data.train)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            np.zeros(4),
            "The inputs have shape (4,) and type float64. Expected numbers of shape (samples, 4), "
            "as in points. Give one row per sample; for a single sample write inputs[None].",
        ),
        (
            np.zeros((2, 5)),
            "The inputs have shape (2, 5) and type float64. Expected numbers of shape "
            "(samples, 4), as in points. Give one row per sample; for a single sample write "
            "inputs[None].",
        ),
        (
            [["a", "b", "c", "d"]],
            "The inputs have shape (1, 4) and type <U1. Expected numbers of shape (samples, 4), "
            "as in points. Give one row per sample; for a single sample write inputs[None].",
        ),
        (
            3.0,
            "The inputs have shape () and type float64. Expected numbers of shape (samples, 4), "
            "as in points. Give one row per sample; for a single sample write inputs[None].",
        ),
        (
            [[1, 2, 3, 4], [1, 2, 3]],
            "The inputs have rows of different lengths. Expected numbers of shape (samples, 4), "
            "as in points. Give one row per sample; for a single sample write inputs[None].",
        ),
    ],
)
def test_inputs_of_the_wrong_shape_read_as_intended(run, inputs, message):
    for ask in (run.predict, run.outputs, run.probabilities, run.signals):
        with pytest.raises(ds.DataError) as caught:
            ask(inputs)
        assert str(caught.value) == message


def test_photos_of_the_wrong_shape_read_as_intended(crowd_run):
    with pytest.raises(ds.DataError) as caught:
        crowd_run.predict(np.zeros((2, 8, 16), np.uint8))
    assert str(caught.value) == (
        "The inputs have shape (2, 8, 16) and type uint8. Expected numbers of shape (samples, "
        "height, width, 3), as in spots. Give one row per sample; for a single sample write "
        "inputs[None]."
    )


def test_samples_of_the_wrong_shape_are_not_measured(run, numbers_run):
    with pytest.raises(ds.DataError, match=r"The inputs have shape \(40, 3\)"):
        run.measure(numbers_run.dataset.test)


def test_numbers_have_no_probabilities(numbers_run):
    with pytest.raises(ds.DataError) as caught:
        numbers_run.probabilities(np.zeros((1, 3)))
    assert str(caught.value) == (
        "numbers has no classes. Expected a run that learnt classes. Use predict."
    )


def test_a_run_prints_as_one_line(run):
    assert repr(run) == (
        "Run('points', 'dense 6 tanh, dense 3', 51 parameters, 'Trained for 3 epochs.')"
    )
    assert run.parameter_count == 51


def test_finished_epochs_are_counted_not_measured_ones():
    seldom = ds.Record(every=3)
    run = ds.train(parse("dense 3"), by_hand.classes_data(), options=PLAIN, epochs=4, record=seldom)
    assert run.epochs == 4
    assert run.trace.epochs["epoch"].tolist() == [3, 4]
