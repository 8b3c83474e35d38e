"""A training that goes on from an earlier run, beside one that was never interrupted."""

import dataclasses

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand

NETWORK = parse("dense 6 tanh, dense 3")
DATA = by_hand.classes_data()
SETTINGS = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": "full"}
ROUNDING = {"rtol": 1e-4, "atol": 1e-6}  # each epoch sums its samples in another order


def fit(network=NETWORK, data=DATA, **settings) -> ds.Run:
    return ds.train(network, data, options=PLAIN, **{**SETTINGS, **settings})


@pytest.mark.parametrize("optimizer", ["sgd", "nesterov", "adam"])
def test_two_halves_are_one_whole(optimizer):
    first = fit(optimizer=optimizer, epochs=5)
    second = fit(optimizer=optimizer, epochs=5, start=first)
    whole = fit(optimizer=optimizer, epochs=10)
    by_hand.assert_same_parameters(second.parameters, whole.parameters, **ROUNDING)
    losses = [*first.trace.batch_loss, *second.trace.batch_loss]
    np.testing.assert_allclose(losses, whole.trace.batch_loss, rtol=1e-5)


def test_numbers_keep_the_scaling_that_the_weights_were_learnt_with():
    network, data = parse("dense 4 tanh, dense 2"), by_hand.numbers_data()
    first = fit(network, data, epochs=20)
    shifted = dataclasses.replace(
        data,
        train=ds.Samples(data.train.inputs[:10] + 1, data.train.targets[:10] + 50),
        scaling=ds.Scaling.learn(data.train.inputs[:10] + 1),
    )
    second = fit(network, shifted, epochs=1, learning_rate=1e-9, start=first)
    np.testing.assert_allclose(
        second.predict(data.test.inputs), first.predict(data.test.inputs), rtol=1e-5
    )


def test_a_first_step_that_fails_leaves_the_weights_that_were_given():
    first = fit(epochs=5)
    broken = by_hand.classes_data()
    broken.train.inputs[:] = np.nan
    second = fit(data=broken, epochs=5, stop=ds.Stop(patience=1), start=first)
    assert (second.outcome.reason, second.outcome.step) == ("non_finite", 0)
    by_hand.assert_same_parameters(second.parameters, first.parameters)


def test_an_opened_run_can_be_gone_on_from(tmp_path):
    first = fit(epochs=5, optimizer="sgd")
    first.save(tmp_path / "run")
    opened = ds.open_run(tmp_path / "run")
    second = fit(epochs=5, optimizer="sgd", start=opened)
    whole = fit(epochs=10, optimizer="sgd")
    by_hand.assert_same_parameters(second.parameters, whole.parameters, **ROUNDING)


def test_a_run_says_what_it_went_on_from(tmp_path):
    first = fit(epochs=5)
    assert first.origin is None
    second = fit(epochs=3, start=first.save(tmp_path / "first")).save(tmp_path / "second")
    third = fit(epochs=1, start=second)
    opened = ds.open_run(tmp_path / "second")
    assert opened.origin == second.origin
    assert opened.origin is not None and third.origin is not None
    assert (opened.origin.run, opened.origin.steps) == (str(tmp_path / "first"), 5)
    assert opened.origin.fingerprint == DATA.fingerprint
    assert (third.origin.run, third.origin.steps) == (str(tmp_path / "second"), 8)
    fourth = fit(epochs=1, start=first)
    assert fourth.origin is not None and fourth.origin.run == ""


def test_another_optimizer_starts_without_memory():
    first = fit(epochs=5, optimizer="adam")
    with pytest.warns(UserWarning, match="nesterov starts with a fresh optimizer state: what adam"):
        second = fit(epochs=1, optimizer="nesterov", start=first)
    third = fit(epochs=1, optimizer="sgd", start=first)  # 1.9 times its step is the first of that
    moved = [
        jax.tree.map(lambda new, old: new - old, one.parameters, first.parameters)
        for one in (second, third)
    ]
    for own, plain in zip(*map(jax.tree.leaves, moved), strict=True):
        np.testing.assert_allclose(own, 1.9 * plain, rtol=1e-3, atol=1e-7)


def test_weight_decay_that_is_added_keeps_the_optimizer_state():
    first = fit(epochs=5)
    decayed = ds.Optimizer("adam", weight_decay=1e-12)
    second = fit(epochs=5, optimizer=decayed, start=first)
    whole = fit(epochs=10)
    by_hand.assert_same_parameters(second.parameters, whole.parameters, **ROUNDING)


def test_a_run_that_was_opened_goes_on_with_the_state_of_its_last_checkpoint(tmp_path):
    fit(epochs=5, folder=tmp_path / "run")
    second = fit(epochs=5, start=ds.open_run(tmp_path / "run"))
    by_hand.assert_same_parameters(second.parameters, fit(epochs=10).parameters, **ROUNDING)


def test_a_run_that_was_opened_and_has_no_checkpoint_says_so(tmp_path):
    fit(epochs=5).save(tmp_path / "run")
    with pytest.warns(UserWarning, match="adam starts with a fresh optimizer state: none was kept"):
        fit(epochs=1, start=ds.open_run(tmp_path / "run"))


def test_another_network_is_refused():
    with pytest.raises(ds.SettingError) as caught:
        fit(parse("dense 7 tanh, dense 3"), start=fit(epochs=1))
    assert str(caught.value) == (
        "The network is 'dense 7 tanh, dense 3', and the run to go on from had "
        "'dense 6 tanh, dense 3'. Expected the same network. Leave start out to begin anew."
    )


def test_another_loss_is_refused():
    with pytest.raises(ds.SettingError, match="The loss is 'squared', and the run to go on from"):
        fit(loss=lambda_named("squared"), start=fit(epochs=1))


def lambda_named(name):
    def function(prediction, target):
        return (prediction**2).mean(axis=1)

    function.__name__ = name
    return function


def test_a_slow_fall_within_the_tolerance_counts_as_none():
    slow = {"learning_rate": 1e-4, "epochs": 60, "record": ds.Record(every=1)}
    losses = fit(**slow).trace.validation_loss
    assert (np.diff(losses) < 0).all()
    tolerance = float(2 * -np.diff(losses)[0])
    run = fit(**slow, stop=ds.Stop(patience=7, tolerance=tolerance))
    assert run.outcome.reason == "no_improvement"
    assert len(run.trace.validation_loss) == 8  # the first is below infinity
    assert run.outcome.kept_step == 8  # the lowest is kept however little it fell
    assert run.outcome.message == (
        f"The validation loss had not fallen by more than {tolerance:.4g} for 7 epochs; the "
        f"weights of epoch 8, where it was {losses[7]:.4g}, were restored."
    )
    assert fit(**slow, stop=ds.Stop(patience=7)).outcome.reason == "epochs"


@pytest.mark.parametrize("tolerance", [-1.0, float("nan"), float("inf")])
def test_a_tolerance_out_of_range_is_refused(tolerance):
    with pytest.raises(ds.SettingError, match="The tolerance is"):
        ds.Stop(tolerance=tolerance)


def test_the_baseline_of_labels_is_their_log_odds():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(40, 3)).astype(np.float32)
    labels = (rng.uniform(size=(40, 2)) < [0.2, 0.7]).astype(np.float32)
    part = ds.Samples(inputs, labels)
    data = ds.Dataset("labels", "regression", part, part, part, ds.Scaling.learn(inputs))
    from downslope.nn.losses import LOSSES

    loss = dataclasses.replace(LOSSES["binary_cross_entropy"], takes_classes=False)
    run = fit(parse("dense 2"), data, epochs=1, loss=loss)
    fractions = labels.mean(axis=0)
    np.testing.assert_allclose(run.baseline_output, np.log(fractions / (1 - fractions)), rtol=1e-5)


LIKE = parse("dense 6, batch_norm, tanh, dropout 0.5, dense 3")


def two_classes():
    """The first class of `DATA` against the others."""
    parts = (
        dataclasses.replace(part, targets=(part.targets > 0).astype(np.int32))
        for part in (DATA.train, DATA.validation, DATA.test)
    )
    train, validation, test = parts
    names = ("a", "other")
    return dataclasses.replace(
        DATA, train=train, validation=validation, test=test, class_names=names
    )


@pytest.mark.parametrize("freeze", [False, True])
def test_other_classes_begin_with_all_but_the_last_layer(freeze, tmp_path):
    settings = {"optimizer": ds.Optimizer("adamw", weight_decay=0.1), "batch_size": 16, "epochs": 3}
    first = fit(LIKE, **settings)
    second = ds.train(
        None, two_classes(), options=PLAIN, **SETTINGS | settings, start=first, freeze=freeze,
        folder=tmp_path / "run",
    )  # fmt: skip
    assert second.network.layers[:-1] == LIKE.layers[:-1]
    assert second.parameters[-1]["weights"].shape == (6, 2)
    assert second.settings.freeze == (4 if freeze else 0)
    np.testing.assert_array_equal(second.scaling.mean, first.scaling.mean)
    begun = ds.replay(second).parameters(0)
    by_hand.assert_same_parameters(begun[:-1], first.parameters[:-1])
    ended = ds.replay(second).parameters(second.outcome.step)
    by_hand.assert_same_parameters(ended, second.parameters)
    same = [
        np.array_equal(mine[name], yours[name])
        for mine, yours in zip(second.parameters[:-1], first.parameters[:-1], strict=True)
        for name in mine
    ]
    assert all(same) if freeze else not any(same)
    step = ds.insight.trace_step(second, 2, layer=5)
    assert step.weight.difference.value == pytest.approx(step.weight.chain.gradient, abs=1e-5)


def test_what_is_frozen_needs_weights_to_begin_with():
    with pytest.raises(ds.SettingError, match="would be random"):
        fit(LIKE, freeze=True)
    with pytest.raises(ds.SettingError, match="9 layers were to be frozen"):
        fit(LIKE, freeze=9, start=fit(LIKE, epochs=1))


def test_weights_of_a_file_are_begun_with(tmp_path):
    first = fit(LIKE, epochs=1, batch_size=16)
    (file,) = ds.export(first, tmp_path / "weights.safetensors", to="safetensors")
    weights = ds.load_weights(LIKE, file, input_shape=(4,))
    for mine, yours in zip(weights, first.parameters, strict=True):
        assert mine.keys() == yours.keys()
    begun = fit(LIKE, start=weights, epochs=1, folder=tmp_path / "run")
    by_hand.assert_same_parameters(ds.replay(begun).parameters(0), first.parameters)
    with pytest.raises(ds.NetworkError) as caught:
        fit("dense 5, dense 3", start=weights)
    assert str(caught.value) == (
        "The weights do not fit the network: 1.biases is (6,) instead of (5,); 1.weights is (4, 6) "
        "instead of (4, 5); 2.biases, (3,), is missing; 2.weights, (5, 3), is missing; 2.offset is "
        "of no layer; 2.running_mean is of no layer; 2.running_variance is of no layer; 2.scale is "
        "of no layer and 2 more. Expected the arrays that the network would draw for each layer. "
        "Give the network that they are of, or say by load_weights(names=...) which is which."
    )
    with pytest.raises(ds.NetworkError, match=r"arrays of no layer: 5\.biases, 5\.weights"):
        ds.load_weights(parse("dense 6, batch_norm"), file)
    renamed = ds.load_weights(parse("dense 3"), file, names={"1.weights": "5.weights"})
    np.testing.assert_array_equal(renamed[0]["weights"], first.parameters[4]["weights"])
