"""A training that was broken off goes on with the same bits; longer, or in another direction."""

import dataclasses
import hashlib
import os
import shutil
import signal
import warnings

import numpy as np
import pytest

import downslope as ds
from downslope.nn.notation import parse
from downslope.runs import checkpoint, training
from downslope.runs.resume import resuming
from downslope.storage.checkpoints import stored_steps
from tests.plain import PLAIN
from tests.runs import by_hand

NETWORK = parse("dense 6 tanh, dropout 0.2, dense 3")
DATA = by_hand.classes_data()  # 50 samples: 8 steps in an epoch
SETTINGS = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 7, "epochs": 5, "seed": 3}
EVERY = ds.Record(every=1)


class Broken(Exception):
    """What ends a training without a word."""


def weights_after(run, step):
    return ds.replay(run).parameters(step)


def fit(folder, *, until=None, network=NETWORK, data=DATA, **settings) -> ds.Run:
    """A training into a folder, broken off behind step `until`."""

    def on_chunk(progress):
        if progress.step == until:
            raise Broken

    every = ds.Checkpoints(seconds=None, epochs=1)
    return ds.train(
        network,
        data,
        options=PLAIN,
        folder=folder,
        checkpoints=every,
        on_chunk=on_chunk,
        **{**SETTINGS, "record": EVERY, **settings},
    )


def go_on(folder, **changes) -> ds.Run:
    return ds.resume(folder, data=DATA, **changes)


@pytest.fixture(autouse=True)
def one_step_at_a_time(monkeypatch):
    """Chunks of one step: a state is stored behind each epoch."""
    monkeypatch.setattr(training, "CHUNK_SECONDS", 0.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The training that was never interrupted."""
    return fit(tmp_path_factory.mktemp("whole") / "run")


def checksums(folder) -> dict[str, str]:
    """Of what a run left, and of its last state."""
    files = ("weights.safetensors", "trace.safetensors", "trace/steps.parquet")
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    last, _ = checkpoint.newest_checkpoint(folder)
    arrays = {name: one.tobytes() for name, one in sorted(last.arrays.items())}
    return found | {name: hashlib.sha256(one).hexdigest() for name, one in arrays.items()}


@pytest.mark.parametrize("step", [1, 20, 39, 40])
def test_it_ends_with_the_bits_of_the_uninterrupted_one(whole, tmp_path, step):
    with pytest.raises(Broken):
        fit(tmp_path / "run", until=step)
    assert not (tmp_path / "run" / "manifest.json").exists()
    run = go_on(tmp_path / "run")
    assert checksums(run.folder) == checksums(whole.folder)
    assert str(run.outcome) == str(whole.outcome)
    assert run.phases == ()


@pytest.mark.parametrize("settings", [{"batch_size": 1}, {"batch_size": "full"}, {}])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_so_it_does_with_other_settings(tmp_path, settings, optimizer):
    settings = {**settings, "optimizer": optimizer, "epochs": 3, "stop": ds.Stop(patience=2)}
    one = fit(tmp_path / "whole", **settings)
    with pytest.raises(Broken):
        fit(tmp_path / "run", until=2, **settings)
    assert checksums(go_on(tmp_path / "run").folder) == checksums(one.folder)


def test_numbers_with_their_scaling(tmp_path):
    data, network = by_hand.numbers_data(), parse("dense 4 tanh, dense 2")
    one = fit(tmp_path / "whole", network=network, data=data)
    with pytest.raises(Broken):
        fit(tmp_path / "run", until=18, network=network, data=data)
    run = ds.resume(tmp_path / "run", data=data)
    assert checksums(run.folder) == checksums(one.folder)
    np.testing.assert_array_equal(run.predict(data.test.inputs), one.predict(data.test.inputs))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_ends_it_cleanly(whole, tmp_path, number):
    def ask(progress):
        if progress.step == 20:
            os.kill(os.getpid(), number)

    run = ds.train(
        NETWORK,
        DATA,
        options=PLAIN,
        folder=tmp_path / "run",
        on_chunk=ask,
        record=EVERY,
        **SETTINGS,
    )
    assert str(run.outcome) == (
        "Stopped on request at step 20 (epoch 3); what was learnt is kept. "
        "Go on with: downslope resume RUN."
    )
    assert ds.open_run(run.folder).outcome == run.outcome
    assert checksums(go_on(run.folder).folder) == checksums(whole.folder)


def test_a_run_that_is_broken_off_can_be_opened(tmp_path):
    with pytest.raises(Broken):
        fit(tmp_path / "run", until=21)
    run = ds.open_run(tmp_path / "run")
    assert str(run.outcome) == (
        "The training has not ended; its last checkpoint is of step 16 (epoch 3). "
        "If it does not run any more, go on with: downslope resume RUN."
    )
    assert len(run.trace.batch_loss) == 16
    assert len(run.trace.validation_loss) == 2
    assert run.predict(DATA.test.inputs).shape == (40,)


def test_a_run_that_is_broken_off_and_was_patient_is_opened_at_its_best(tmp_path):
    data = by_hand.classes_data()
    draw = np.random.default_rng(0)
    noise = ds.Samples(data.validation.inputs, draw.permutation(data.validation.targets))
    data = dataclasses.replace(data, validation=noise)
    settings = {"data": data, "epochs": 9, "learning_rate": 0.1, "stop": ds.Stop(patience=20)}
    whole = fit(tmp_path / "whole", **settings)
    assert whole.outcome.kept_step < 64  # which the checkpoint knows
    with pytest.raises(Broken):
        fit(tmp_path / "run", until=70, **settings)
    opened = ds.open_run(tmp_path / "run")
    by_hand.assert_same_parameters(opened.parameters, whole.parameters)
    assert opened.outcome.kept_step == whole.outcome.kept_step
    assert opened.outcome.message.startswith("The training has not ended; its last checkpoint is ")
    assert opened.outcome.message.endswith("), were restored.")
    by_hand.assert_same_parameters(
        weights_after(dataclasses.replace(opened, dataset=data), opened.outcome.kept_step),
        opened.parameters,
    )
    again = ds.resume(tmp_path / "run", data=data)  # from the last weights, bit for bit
    np.testing.assert_array_equal(again.trace.batch_loss, whole.trace.batch_loss)


def test_a_damaged_state_costs_the_steps_since_the_one_before(whole, tmp_path):
    with pytest.raises(Broken):
        fit(tmp_path / "run", until=21)
    (newest,) = (tmp_path / "run" / "checkpoints").glob("step-16-*")
    newest.write_bytes(newest.read_bytes()[:-1] + b"x")
    with pytest.warns(UserWarning, match=r"its checksum is another\)\. Going on from step 8\.$"):
        run = go_on(tmp_path / "run")
    assert checksums(run.folder) == checksums(whole.folder)


def test_training_longer(whole, tmp_path):
    fit(tmp_path / "run", epochs=3)
    run = go_on(tmp_path / "run", epochs=5)
    by_hand.assert_same_parameters(run.parameters, whole.parameters)
    np.testing.assert_array_equal(run.trace.batch_loss, whole.trace.batch_loss)
    (phase,) = run.phases
    assert (phase.until, phase.settings.epochs, run.settings.epochs) == (24, 3, 5)
    assert ds.open_run(run.folder).phases == run.phases
    assert run.seconds.training > 0


def test_another_learning_rate(whole, tmp_path):
    with pytest.raises(Broken):
        fit(tmp_path / "run", until=18)
    run = go_on(tmp_path / "run", learning_rate=0.5)
    rates = run.trace.steps["learning_rate"]
    assert rates[:16].tolist() == [np.float32(0.01)] * 16
    assert set(rates[16:].tolist()) == {0.5}
    np.testing.assert_array_equal(run.trace.batch_loss[:17], whole.trace.batch_loss[:17])
    assert not np.array_equal(run.trace.batch_loss[18:], whole.trace.batch_loss[18:])
    opened = dataclasses.replace(ds.open_run(run.folder), dataset=DATA)
    before = dataclasses.replace(whole, dataset=DATA)
    by_hand.assert_same_parameters(weights_after(opened, 16), weights_after(before, 16))
    assert ds.replay(opened).rate_of(16) == np.float32(0.01)
    assert ds.replay(opened).rate_of(17) == 0.5


def test_a_training_that_diverged_goes_another_way_from_where_it_was_sound(tmp_path):
    data, network = by_hand.numbers_data(), parse("dense 2")
    settings = {"optimizer": "sgd", "learning_rate": 50.0, "batch_size": "full", "epochs": 20}
    failed = fit(tmp_path / "run", network=network, data=data, **settings)
    assert failed.outcome.reason == "non_finite"
    again = ds.resume(tmp_path / "run", data=data, learning_rate=1e-6)
    assert again.phases[0].until == failed.outcome.step
    run = ds.fork(failed, 1, tmp_path / "fork", learning_rate=0.001)
    assert run.outcome.reason == "epochs"
    assert len(run.trace.batch_loss) == 20


def test_nothing_left_to_do(tmp_path):
    run = fit(tmp_path / "run", epochs=2)
    for changes in ({}, {"epochs": 2}):
        with pytest.raises(ds.RunError) as caught:
            go_on(tmp_path / "run", **changes)
        assert str(caught.value) == (
            f"The training in {tmp_path}/run has already finished. Trained for 2 epochs. "
            "Expected a training that was interrupted, or more epochs. To train longer: --epochs "
            "4. To branch off at one of its steps: downslope fork."
        )
    with pytest.raises(ds.SettingError) as caught:
        go_on(tmp_path / "run", epochs=1)
    assert str(caught.value) == (
        "1 epochs are 8 steps, and 16 are done. Expected more than 2 epochs. Give a larger number; "
        "what is done is counted with them."
    )
    assert ds.open_run(tmp_path / "run").outcome == run.outcome


def test_a_run_without_checkpoints(tmp_path):
    ds.train(NETWORK, DATA, options=PLAIN, **SETTINGS).save(tmp_path / "run")
    with pytest.raises(ds.RunError) as caught:
        go_on(tmp_path / "run")
    assert str(caught.value) == (
        f"{tmp_path}/run has no checkpoint. Expected the folder of a training that stored its "
        "states. Train with: downslope train; or in Python with train(..., folder=FOLDER)."
    )


def test_other_data(tmp_path):
    with pytest.raises(Broken):
        fit(tmp_path / "run", until=5)
    other = by_hand.classes_data(seed=1)
    with pytest.raises(ds.DataError) as caught:
        ds.resume(tmp_path / "run", data=other)
    assert str(caught.value) == (
        "What was given is not the data that the run was trained on: it has other values. Expected "
        f"the data with the fingerprint {DATA.fingerprint[:12]}. Name the file or folder that it "
        "was trained on; downslope test measures the run on other data, and train(..., start=run) "
        "goes on with it."
    )


def test_a_vanished_data_file(tmp_path):
    rows = "".join(f"{index % 7},{index % 2}\n" for index in range(60))
    (tmp_path / "a.csv").write_text("x,y\n" + rows)
    data = ds.load(tmp_path / "a.csv", target="y")
    with pytest.raises(Broken):
        fit(tmp_path / "run", until=5, network=parse("dense 2"), data=data)
    states = stored_steps(tmp_path / "run")
    (tmp_path / "a.csv").unlink()
    with pytest.raises(ds.DataError) as caught:
        ds.resume(tmp_path / "run")
    assert str(caught.value) == (
        f"The data that the run was trained on is not at {tmp_path}/a.csv any more. Expected the "
        "same file or folder. Put it back, or say where it is now: --data PATH, "
        "or in Python run.with_data(PATH)."
    )
    assert stored_steps(tmp_path / "run") == states


def test_other_versions_are_said(tmp_path, monkeypatch):
    with pytest.raises(Broken):
        fit(tmp_path / "run", until=5)
    versions = training.run_folder.versions
    monkeypatch.setattr(training.run_folder, "versions", lambda: {**versions(), "jax": "9.9"})
    monkeypatch.setattr("downslope.runs.resume.versions_now", lambda: {**versions(), "jax": "9.9"})
    with pytest.warns(UserWarning, match="It goes on under other versions") as caught:
        run = go_on(tmp_path / "run")
    assert str(caught[0].message) == (
        "It goes on under other versions or with other means (jax "
        f"{versions()['jax']} then and 9.9 now): it may end with other bits than it would have "
        "uninterrupted."
    )
    assert run.phases[0].versions["jax"] == versions()["jax"]
    assert run.versions["jax"] == "9.9"


def test_a_fork_goes_the_same_way(whole, tmp_path):
    run = ds.fork(whole, 20, tmp_path / "fork")
    assert checksums(run.folder) == checksums(whole.folder)
    assert (run.parent.run, run.parent.steps) == (str(whole.folder), 20)
    assert stored_steps(run.folder)[0] == 20


def test_a_fork_with_other_settings(whole, tmp_path):
    run = ds.fork(
        whole, 20, tmp_path / "fork", optimizer="sgd", learning_rate=0.1, seed=7, epochs=6
    )
    np.testing.assert_array_equal(run.trace.batch_loss[:20], whole.trace.batch_loss[:20])
    assert run.trace.batch_loss[21] != whole.trace.batch_loss[21]
    assert len(run.trace.batch_loss) == 48
    opened = dataclasses.replace(ds.open_run(run.folder), dataset=DATA)
    assert opened.phases == run.phases
    by_hand.assert_same_parameters(
        weights_after(opened, 20),
        weights_after(dataclasses.replace(whole, dataset=DATA), 20),
    )
    by_hand.assert_same_parameters(
        weights_after(opened, 48), run.parameters
    )  # losses on the way compared
    again = ds.fork(opened, 30, tmp_path / "again", learning_rate=0.2)
    assert [one.until for one in again.phases] == [20, 30]
    opened = dataclasses.replace(ds.open_run(again.folder), dataset=DATA)
    by_hand.assert_same_parameters(weights_after(opened, 48), again.parameters)
    early = ds.fork(opened, 10, tmp_path / "early")
    assert early.settings == whole.settings
    by_hand.assert_same_parameters(early.parameters, whole.parameters)


@pytest.mark.parametrize(
    ("before", "after", "is_kept"),
    [("momentum", "rmsprop", False), ("momentum", "nesterov", True)],
)
def test_a_fork_keeps_the_optimizer_state_where_it_means_the_same(tmp_path, before, after, is_kept):
    run = fit(tmp_path / "run", epochs=2, optimizer=before)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        forked = ds.fork(run, 10, tmp_path / "fork", optimizer=after)
    notes = [str(one.message) for one in said]
    usual = f"{after} starts with a fresh optimizer state: what {before} kept means nothing to it."
    rate = "The learning rate is 0.001 from here on, rmsprop's usual; it was 0.01. Give a learning "
    assert notes == ([] if is_kept else [usual, f"{rate}rate for another."])
    assert forked.settings.learning_rate == (0.01 if is_kept else 0.001)
    arrays = checkpoint.read_checkpoint(tmp_path / "fork", 10).arrays
    assert any(one.any() for name, one in arrays.items() if "optimizer_state." in name) == is_kept
    opened = dataclasses.replace(ds.open_run(forked.folder), dataset=DATA)
    by_hand.assert_same_parameters(
        weights_after(opened, 16), forked.parameters
    )  # the losses are compared


def test_two_changes_at_one_step_are_replayed_one_after_the_other(tmp_path):
    run = fit(tmp_path / "run", epochs=2, optimizer="momentum")
    with pytest.warns(UserWarning, match="rmsprop starts with a fresh"):
        one = ds.fork(run, 10, tmp_path / "one", optimizer="rmsprop", learning_rate=0.01)
    two = ds.fork(one, 10, tmp_path / "two", learning_rate=0.003)
    assert [phase.until for phase in two.phases] == [10, 10]
    opened = dataclasses.replace(ds.open_run(two.folder), dataset=DATA)
    shutil.rmtree(two.folder / "checkpoints")
    by_hand.assert_same_parameters(weights_after(opened, 16), two.parameters)


def test_a_fork_from_the_first_weights_takes_another_order(whole, tmp_path):
    run = ds.fork(whole, 0, tmp_path / "fork", seed=8)
    assert run.trace.batch_loss[0] != whole.trace.batch_loss[0]
    opened = dataclasses.replace(ds.open_run(run.folder), dataset=DATA)
    by_hand.assert_same_parameters(
        weights_after(opened, 0), whole.network.init((4,), SETTINGS["seed"])
    )
    by_hand.assert_same_parameters(weights_after(opened, 40), run.parameters)


def test_what_a_fork_cannot_change(whole, tmp_path):
    with pytest.raises(ds.SettingError) as caught:
        ds.fork(whole, 30, tmp_path / "fork", batch_size=3)
    assert str(caught.value) == (
        "There is no setting that can be changed called 'batch_size'. Expected one of optimizer, "
        "learning_rate, schedule, epochs, seed, shuffle, class_weights, "
        "label_smoothing, smooth_toward, augment, freeze, stop. Choose one of them."
    )
    assert not (tmp_path / "fork").exists()


def test_a_folder_has_one_writer(tmp_path):
    with pytest.raises(Broken):
        fit(tmp_path / "run", until=5)
    with resuming(tmp_path / "run", {}, data=DATA):
        with pytest.raises(ds.StorageError) as caught:
            go_on(tmp_path / "run")
        assert str(caught.value) == (
            f"Another training is writing into {tmp_path}/run. Expected a folder that nobody else "
            "writes into. Wait until it has ended, or choose another folder."
        )
    assert go_on(tmp_path / "run").outcome.reason == "epochs"


def test_a_run_that_went_on_from_another_keeps_its_first_state(whole, tmp_path):
    run = fit(tmp_path / "second", epochs=2, start=whole, seed=9)
    opened = dataclasses.replace(ds.open_run(run.folder), dataset=DATA)
    by_hand.assert_same_parameters(weights_after(opened, 0), whole.parameters)
    by_hand.assert_same_parameters(weights_after(opened, 16), run.parameters)
    with pytest.raises(Broken):
        fit(tmp_path / "third", epochs=2, start=whole, seed=9, until=5)
    again = go_on(tmp_path / "third")
    by_hand.assert_same_parameters(again.parameters, run.parameters)
    assert again.origin == run.origin
