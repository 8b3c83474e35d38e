"""Each cause planted once, healthy runs without a fault, and a proof that the change helps."""

import dataclasses
import json
import math
import re

import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds
from downslope.diagnosis.causes import causes
from downslope.diagnosis.diagnose import change_text
from downslope.diagnosis.evidence import Evidence, _kernel
from downslope.diagnosis.proof import Setup, Trial, effect_of
from downslope.result import plain

PLAIN = {
    "optimizer": "adam", "learning_rate": 0.01, "schedule": "constant", "batch_size": 16,
    "epochs": 20, "record": ds.Record(every=1),
}  # fmt: skip
NARROW = "dense 1 relu, dense 1 relu, dense 2"
ONE_HIDDEN = "dense 32 tanh, dense 2"
TWO = "dense 8 relu, dense 8 relu, dense 2"


def ring(samples=300, seed=0, validation=0.1):
    """Two classes, inside and outside of a circle: no line separates them."""
    inputs = np.random.default_rng(seed).normal(0, 1.5, (samples, 2))
    return ds.Dataset.from_arrays(
        inputs, (np.hypot(*inputs.T) > 1.7).astype(int), validation=validation
    )


def wave(samples=300, seed=0):
    """A bent function of two inputs."""
    inputs = np.random.default_rng(seed).uniform(-2, 2, (samples, 2))
    return ds.Dataset.from_arrays(inputs, np.sin(2 * inputs[:, 0]) + inputs[:, 1])


def rescaled(data, inputs=1.0, targets=1.0):
    """Not scaled, with inputs and targets of another size."""
    parts = {
        name: dataclasses.replace(
            part, inputs=part.inputs * inputs,
            targets=part.targets * targets if data.task == "regression" else part.targets,
        )
        for name, part in (("train", data.train), ("validation", data.validation))
    }  # fmt: skip
    return dataclasses.replace(data, **parts).unscaled()


def train(network=TWO, data=None, **settings):
    return ds.train(network, ring() if data is None else data, **{**PLAIN, **settings})


def named(run):
    return [one.cause for one in ds.diagnose(run, budget=0).findings]


def started(function, last=None):
    start = ds.Initializer("own", function=function)
    return ds.Network([ds.Dense(8, "tanh", initializer=start), ds.Dense(8, "tanh"), ds.Dense(2)])


def outlying():
    data = wave()
    targets = data.train.targets.copy()
    targets[3] = 1e4
    return dataclasses.replace(data, train=dataclasses.replace(data.train, targets=targets))


def noise():
    data = ring(validation=0.4)
    draw = np.random.default_rng(1)
    parts = {
        name: dataclasses.replace(part, targets=draw.integers(0, 2, len(part)).astype(np.int32))
        for name, part in (("train", data.train), ("validation", data.validation))
    }
    return dataclasses.replace(data, **parts)


def rare():
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(400, 2))
    targets = (draw.random(400) < 0.04).astype(int)
    return ds.Dataset.from_arrays(inputs, targets)


PLANTED = {
    "learning_rate_too_high": lambda: train(optimizer="sgd", learning_rate=1e4),
    "learning_rate_too_low": lambda: train(learning_rate=1e-7),
    "too_few_steps": lambda: train(epochs=2, learning_rate=1e-3),
    "inputs_not_scaled": lambda: train(data=rescaled(ring(), 1e4)),
    "targets_not_scaled": lambda: train("dense 8 relu, dense 1", rescaled(wave(), 1.0, 1e5)),
    "outlier_owns_loss": lambda: train("dense 8 relu, dense 1", outlying()),
    "saturated_activations": lambda: train(started(lambda key, shape, kind: jnp.full(
        shape, 50.0) * jnp.sign(jnp.sin(jnp.arange(math.prod(shape)).reshape(shape) + 0.5))),
        learning_rate=1e-4),
    "dead_relus": lambda: train(optimizer="sgd", learning_rate=30.0),
    "vanishing_gradients": lambda: train(", ".join(["dense 8 sigmoid"] * 7 + ["dense 2"])),
    "exploding_gradients": lambda: train(ds.Network([
        *(ds.Dense(8, "relu", initializer=ds.Initializer("wide", variance=lambda *_: 25.0))
          for _ in range(5)), ds.Dense(2)]), learning_rate=1e-6),
    "constant_start": lambda: train(started(lambda key, shape, kind: jnp.zeros(shape, kind))),
    "start_wrongly_scaled": lambda: train(ds.Network([
        ds.Dense(8, "relu", initializer=ds.Initializer("narrow", variance=lambda *_: 1e-6)),
        ds.Dense(2)]), learning_rate=1e-4),
    "no_hidden_activation": lambda: train("dense 8, dense 8, dense 2"),
    "wrong_last_activation": lambda: train("dense 8 relu, dense 1 sigmoid", wave()),
    "wrong_loss": lambda: train("dense 8 relu, dense 1", rescaled(dataclasses.replace(
        wave(), **{name: dataclasses.replace(part, targets=np.exp(part.targets)) for name, part in (
            ("train", wave().train), ("validation", wave().validation))})), loss="poisson"),
    "nothing_to_learn": lambda: train(data=noise()),
    "dominating_class": lambda: train(data=rare(), epochs=3),
    "constant_predictions": lambda: train("dense 8 relu, dense 1", wave(), optimizer=ds.Optimizer(
        "adamw", weight_decay=90.0)),
    "too_small": lambda: train("dense 1 relu, dense 2"),
    "overfitting": lambda: train("dense 128 relu, dense 128 relu, dense 2", noisy_blobs(),
                                 epochs=80, stop=ds.Stop(keep="last")),
    "dropout_too_strong": lambda: train("dense 8 relu, dropout 0.95, dense 2", learning_rate=0.003),
    "weight_decay_too_strong": lambda: train(optimizer=ds.Optimizer("adamw", weight_decay=50.0)),
    "labels_shifted": lambda: train(data=other(shift=1)),
    "noisy_labels": lambda: train(data=other(wrong=0.15)),
    "missing_class": lambda: train(data=without_class()),
    "leak": lambda: train(data=other(leaks=True)),
    "copied_samples": lambda: train(data=other(copies=80)),
    "unchanged_layer": lambda: train(
        NARROW, ring(seed=1), start=train(NARROW, epochs=1, learning_rate=1e-7), freeze=2),
    "running_statistics_behind": lambda: train(
        "dense 64 relu, batch_norm, dense 2", far(), epochs=2, batch_size=128),
    "clipping_always_on": lambda: train(optimizer=ds.Optimizer("sgd", clip_norm=1e-6)),
}  # fmt: skip


def other(shift=0, wrong=0.0, leaks=False, copies=0):
    """The ring with something wrong in its rows."""
    draw = np.random.default_rng(0)
    inputs = draw.normal(0, 1.5, (300, 2))
    targets = np.roll((np.hypot(*inputs.T) > 1.7).astype(int), shift)
    targets[draw.random(300) < wrong] ^= 1
    if leaks:
        inputs = np.c_[inputs, targets + 0.01 * draw.normal(size=300)]
    again = [*range(300 - copies), *range(copies)]
    return ds.Dataset.from_arrays(inputs[again], targets[again])


def far():
    """The ring far from 0, where running means begin."""
    inputs = np.random.default_rng(0).normal(0, 1.5, (300, 2))
    targets = (np.hypot(*inputs.T) > 1.7).astype(int)
    return ds.Dataset.from_arrays(inputs + 20, targets, scaling="none")


def without_class():
    data = ring()
    train = data.train.take(np.flatnonzero(data.train.targets == 0))
    return dataclasses.replace(data, train=train)


def noisy_blobs():
    draw = np.random.default_rng(3)
    inputs = draw.normal(size=(240, 10))
    targets = (inputs[:, 0] + 0.8 * draw.normal(size=240) > 0).astype(int)
    return ds.Dataset.from_arrays(inputs, targets, validation=0.5)


# those of one network, which is compiled once; all others take longer
QUICK = ("learning_rate_too_high", "learning_rate_too_low", "too_few_steps", "dead_relus",
         "inputs_not_scaled", "nothing_to_learn", "dominating_class", "labels_shifted",
         "noisy_labels", "missing_class")  # fmt: skip


@pytest.mark.parametrize(
    "cause", [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in PLANTED]
)
def test_a_planted_cause_is_seen(cause):
    run = PLANTED[cause]()
    evidence = Evidence(run.with_data())
    own = next(one for one in causes() if one.name == cause)
    symptom = own.look(evidence)
    assert symptom is not None
    assert symptom.strength >= 0.5
    for change in symptom.changes:
        Setup.of(evidence.run).changed(change)  # it can be made
    first = [one for one in ds.diagnose(run, budget=0).findings if one.level == "fault"]
    explaining = {cause, *(one.name for one in causes() if cause in one.explains)}
    assert explaining & {one.cause for one in first} or own.level == "warning"
    assert len(first) <= 2


@pytest.mark.parametrize(
    "network", ["dense 32 tanh, dense 2", "dense 16 relu, dropout 0.2, dense 2"]
)
def test_a_healthy_run_has_no_fault(network):
    run = train(network, ring(600), epochs=40)
    found = ds.diagnose(run, budget=0)
    assert [one for one in found.findings if one.level in ("fault", "warning")] == []
    assert found.summary.startswith("Nothing seems wrong with this training")


@pytest.mark.slow
def test_members_of_an_ensemble_are_looked_at_as_networks():
    found = ds.diagnose(ds.train(None, wave(), members=2, epochs=30), budget=0)
    assert found.faults == ()


def test_a_linear_task_needs_no_activation():
    inputs = np.random.default_rng(0).normal(size=(300, 4))
    data = ds.Dataset.from_arrays(inputs, inputs @ np.arange(1.0, 5))
    assert "no_hidden_activation" not in named(train("dense 4, dense 1", data, epochs=40))


def test_small_batches_are_normal():
    run = train("dense 32 tanh, dense 2", ring(), batch_size=1, epochs=30, learning_rate=0.005)
    found = {one.cause: one.level for one in ds.diagnose(run, budget=0).findings}
    assert found["noisy_loss_of_small_batches"] == "normal"
    assert "batch_too_small" not in found


@pytest.mark.slow
def test_another_optimizer_is_named_only_where_it_helps():
    run = train("dense 8 tanh, dense 8 tanh, dense 2", optimizer="sgd", learning_rate=0.002)
    assert "optimizer_unsuited" not in named(run)
    symptom = next(one for one in causes() if one.name == "optimizer_unsuited").look(
        Evidence(run.with_data())
    )
    changed = Setup.of(run).changed(symptom.changes[0]).options
    assert (changed.optimizer, changed.learning_rate) == ("adam", 0.003)


NORMAL = {
    "plateau_before_fall": lambda: train(
        "dense 8 sigmoid, dense 8 sigmoid, dense 2", epochs=120, learning_rate=0.005),
    "waves_of_momentum": lambda: train(
        optimizer=ds.Optimizer("momentum", momentum=0.98), learning_rate=0.02, epochs=200,
        batch_size="full"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("cause", NORMAL)
def test_what_only_looks_wrong_is_told_as_normal(cause):
    levels = {one.cause: one.level for one in ds.diagnose(NORMAL[cause](), budget=0).findings}
    assert levels.get(cause) == "normal"
    assert "fault" not in levels.values()


def test_single_high_losses_and_easier_validation_samples_are_normal():
    evidence = Evidence(train(ONE_HIDDEN, ring(600), epochs=40).with_data())
    losses = evidence.train_losses.copy()
    losses[-30] = 5 * losses[0]
    spiky = dataclasses.replace(evidence)
    spiky.__dict__["train_losses"] = losses
    spikes = next(one for one in causes() if one.name == "spikes_that_pass").look(spiky)
    assert spikes.where == f"step {len(losses) - 29:,}"
    easier = dataclasses.replace(evidence)
    easier.__dict__["metrics"] = {"loss": 0.99 * evidence.train_metrics["loss"]}
    chance = next(one for one in causes() if one.name == "better_on_validation_by_chance")
    assert chance.look(easier) is not None
    easier.__dict__["metrics"] = {"loss": 1.01 * evidence.train_metrics["loss"]}
    assert chance.look(easier) is None


def test_the_change_is_proved_by_training():
    run = train(learning_rate=1e-6)
    found = ds.diagnose(run, budget=120)  # so that a busy machine is no reason
    first = found.faults[0]
    assert first.cause in ("learning_rate_too_low", "too_few_steps")
    assert first.proof is not None
    assert first.proof.metric == "accuracy"
    assert first.proof.after > first.proof.before
    assert first.proof.interval[0] > 0
    assert first.proof.better >= 3
    assert found.trainings >= 8
    mended = ds.train(TWO, ring(), **{**PLAIN, **first.change})
    assert mended.measure(mended.dataset.validation)["accuracy"] > first.proof.before
    told = found.to_dict()
    assert json.dumps(told)
    assert told["findings"][0]["proof"]["seeds"] == 4
    assert "run" not in told
    assert f"Measured: {first.proof}." in str(found)


def test_an_effect_counts_only_where_the_seeds_agree():
    setup = Setup.of(train(epochs=1).with_data())

    def trial(*losses):  # and no accuracy
        return Trial(setup, {"loss": np.array(losses)}, 10, 0.0)

    before = trial(1.0, 1.1, 0.9, 1.0)
    assert effect_of(before, trial(0.5, 0.6, 0.4, 0.5)).helps
    assert not effect_of(before, trial(0.5, 1.6, 0.4, 1.5)).helps
    assert not effect_of(before, trial(0.99, 1.08, 0.89, 0.99)).helps  # sure, and too little
    proof = effect_of(before, trial(0.5, 0.6, 0.4, 0.5)).proof
    assert proof.interval == pytest.approx((-0.5, -0.5))


def test_no_training_is_made_without_a_budget():
    found = ds.diagnose(train(learning_rate=1e-7), budget=0)
    assert (found.trainings, found.seconds) == (0, 0.0)
    assert "This is a guess: no training was made to prove it." in found.summary
    assert all(one.proof is None for one in found.findings)


def test_every_cause_is_a_file_and_is_documented(request):
    page = (request.config.rootpath / "docs" / "diagnosis.md").read_text(encoding="utf-8")
    names = [one.name for one in causes()]
    assert len(set(names)) == len(names) >= 25
    for one in causes():
        assert f"`{one.name}`" in page
        assert {*one.explains} <= {*names, "overfits"}
        assert one.source in page
    for sheet in set(re.findall(r"pictures/diagnosis[a-z-]*.png", page)):
        size = (request.config.rootpath / "docs" / sheet).stat().st_size
        assert 0 < size < 200_000


@pytest.mark.peers
def test_kernel_ridge_regression_is_that_of_a_peer():
    peer = pytest.importorskip("sklearn.kernel_ridge")
    draw = np.random.default_rng(0)
    known, unseen = draw.normal(size=(60, 3)), draw.normal(size=(20, 3))
    wanted = np.sin(known[:, :2])
    squares = ((known[:, None] - known) ** 2).sum(axis=-1)
    other = peer.KernelRidge(alpha=0.1, kernel="rbf", gamma=3 / np.median(squares))
    other.fit(known, wanted - wanted.mean(axis=0))
    found = _kernel(known, wanted, unseen, 3.0)
    assert found == pytest.approx(other.predict(unseen) + wanted.mean(axis=0), abs=1e-9)


def test_what_is_left_without_a_leaking_column_is_measured():
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(400, 3))
    targets = inputs[:, 0] + draw.normal(size=400)
    inputs = np.c_[inputs, 3 * targets + 1]
    evidence = Evidence(train(data=ds.Dataset.from_arrays(inputs, targets), network="dense 1"))
    assert evidence.simple_score > 0.95
    assert 0.2 < evidence.simple_score_without("input 4") < 0.7  # half of it is noise
    assert math.isnan(evidence.simple_score_without("input 9"))
    leak = next(one for one in causes() if one.name == "leak").look(evidence)
    assert leak.where == "column input 4"
    assert "without it" in leak.seen


def test_right_labels_of_a_task_that_simple_methods_do_badly_at_are_not_noisy():
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(700, 5))
    length = np.linalg.norm(inputs, axis=1)
    data = ds.Dataset.from_arrays(inputs, np.digitize(length, [1.6, 2.1, 2.6]))
    assert "noisy_labels" not in named(train("dense 64 relu, dense 4", data, epochs=60))


def test_changes_read_as_options():
    change = {"learning_rate": 0.001, "network": "dense 8, dense 2", "clip_norm": None}
    assert change_text(change) == 'learning-rate 0.001, network "dense 8, dense 2", clip-norm None'
    assert plain(change) == change


def test_what_cannot_be_diagnosed_is_refused_in_one_message(tmp_path):
    run = train(epochs=1)
    with pytest.raises(ds.SettingError, match="The budget is -1"):
        ds.diagnose(run, budget=-1)
    saved = run.save(tmp_path / "run")
    with pytest.raises(ds.DataError, match="was given from memory"):
        ds.diagnose(ds.open_run(saved.folder))
    broken = dataclasses.replace(
        run, outcome=dataclasses.replace(run.outcome, reason="interrupted")
    )
    with pytest.raises(ds.RunError, match="The training has not ended"):
        ds.diagnose(broken)


def test_an_own_loss_without_a_value_is_named_and_not_the_rate():
    def own(prediction, target):
        return -jnp.log(jnp.clip(prediction[:, 0], 0.0, 1.0)) * target[:, 0] ** 2

    found = ds.diagnose(train("dense 8 relu, dense 1", wave(), loss=own, epochs=2), budget=0)
    assert [one.cause for one in found.faults][:1] == ["wrong_loss"]
    assert "own is no loss of Downslope's" in found.faults[0].seen


def test_what_follows_from_another_symptom_is_not_named_before_it():
    assert named(train(data=noise(), epochs=4))[0] == "nothing_to_learn"
