"""`downslope fork`: a new run that begins at a step of another one."""

import json
import warnings

import downslope as ds


def test_a_fork_with_other_settings(call, xor_run):
    words = ("--set", "learning_rate=0.5", "--set", "optimizer=momentum", "--set", "patience=2")
    words = ("--at-step", 10, *words, "--set", "epochs=4", "--set", "schedule=cosine")
    made = json.loads(call("fork", xor_run, *words, "--json", "--no-pictures").stdout)
    run, parent = ds.open_run(made["run"]), ds.open_run(xor_run)
    assert (run.parent.run, run.parent.steps) == (str(xor_run), 10)
    assert run.settings.optimizer.name == "momentum"
    assert (run.settings.learning_rate, run.settings.epochs) == (0.5, 4)
    assert (run.settings.stop.patience, run.settings.schedule.kind) == (2, "cosine")
    assert run.phases[0].settings == parent.settings
    assert made["test_evaluations"] == 1 + parent.test_evaluations


def test_another_optimizer_has_its_own_defaults_as_in_python(call, xor_run, tmp_path):
    """What the optimizer before had, such as its weight decay, stays with it."""
    usual = ds.open_run(xor_run)
    decaying = ds.Optimizer("adamw", weight_decay=0.3, b1=0.8)
    parent = ds.train(
        usual.network, "xor", optimizer=decaying, epochs=2, folder=tmp_path / "parent"
    )
    words = ("--at-step", 3, "--set", "optimizer=adam", "--json", "--no-pictures")
    forked = ds.open_run(json.loads(call("fork", parent.folder, *words).stdout)["run"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where the optimizer state begins anew
        same = ds.fork(parent, 3, tmp_path / "same", optimizer="adam")
    assert forked.settings == same.settings
    assert forked.settings.optimizer == ds.Optimizer("adam")
    assert (forked.parameters[0]["weights"] == same.parameters[0]["weights"]).all()


def test_it_says_where_it_begins(call, xor_run, tmp_path):
    text = call("fork", xor_run, "--at-step", 10, "--out", "mine", "--no-pictures").stdout
    assert text.startswith(f"Continuing from step 10 in {tmp_path}/mine\n")


def test_what_cannot_be_used(refused, xor_run, tmp_path):
    steps = ds.open_run(xor_run).outcome.step
    assert refused("fork", xor_run, "--at-step", steps + 1) == (
        f"Step {steps + 1} was asked for, and the run has {steps} steps. Expected a step from 0 to "
        f"{steps}. Choose another step."
    )
    assert refused("fork", xor_run, "--at-step", 3, "--set", "learning_rate=fast") == (
        "A value of learning_rate is 'fast'. Expected a number. Write e.g. --set "
        "learning_rate=VALUE."
    )
    assert refused("fork", xor_run, "--at-step", 3, "--set", "learning-rat=1") == (
        "There is no setting that can be changed called 'learning_rat'. Expected one of optimizer, "
        "learning_rate, schedule, epochs, seed, shuffle, class_weights, "
        "label_smoothing, smooth_toward, augment, freeze, patience. Did you mean "
        "'learning_rate'?"
    )
    assert refused("fork", xor_run, "--at-step", 3, "--set", "epochs").endswith(
        "'epochs' does not say NAME=VALUE, such as learning_rate=0.01."
    )
    assert list(tmp_path.iterdir()) == []
