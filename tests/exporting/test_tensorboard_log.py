"""Event files as TensorBoard's own reader sees them, beside the run's trace."""

import json
import time

import numpy as np
import pytest
from click.testing import CliRunner

import downslope as ds
from downslope.cli.main import cli
from downslope.exporting import tensorboard_log as module
from downslope.runs import training
from tests.plain import PLAIN
from tests.runs import by_hand

NETWORK = ds.Network([ds.Dense(3)])


def curves(folder):
    """What TensorBoard's reader finds in a folder: steps and values of each curve."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {
        tag: np.array([(one.step, one.value) for one in events.Scalars(tag)])
        for tag in events.Tags()["scalars"]
    }


def train(folder, **settings):
    pytest.importorskip("tensorboardX")
    with ds.tensorboard_log(folder) as on_chunk:
        return ds.train(
            NETWORK,
            by_hand.classes_data(),
            options=PLAIN,
            epochs=6,
            batch_size=10,
            on_chunk=on_chunk,
            **settings,
        )


@pytest.mark.peers
def test_tensorboards_reader_finds_what_the_trace_holds(tmp_path):
    run = train(tmp_path / "run")
    trace = run.trace
    found = {part: curves(tmp_path / "run/tensorboard" / part) for part in ("train", "validation")}
    assert set(found["train"]) == {"batch loss", "learning rate", "loss", "accuracy"}
    assert set(found["validation"]) == {"loss", "accuracy"}
    for tag, name in (("batch loss", "batch_loss"), ("learning rate", "learning_rate")):
        np.testing.assert_array_equal(found["train"][tag][:, 0], np.arange(1, 31))
        np.testing.assert_allclose(found["train"][tag][:, 1], trace.steps[name], rtol=1e-6)
    for part in found:
        for measure in ("loss", "accuracy"):
            curve = found[part][measure]
            np.testing.assert_array_equal(curve[:, 0], trace.epochs["step"])
            np.testing.assert_allclose(curve[:, 1], trace.epochs[f"{part}_{measure}"], rtol=1e-6)


@pytest.mark.peers
def test_it_can_be_read_while_the_training_runs(tmp_path):
    pytest.importorskip("tensorboardX")
    seen = []
    with ds.tensorboard_log(tmp_path) as log:

        def on_chunk(progress):
            log(progress)
            seen.append((progress.step, len(curves(tmp_path / "tensorboard/train")["batch loss"])))

        ds.train(
            NETWORK,
            by_hand.classes_data(),
            options=PLAIN,
            epochs=6,
            batch_size=10,
            on_chunk=on_chunk,
        )
    assert len(seen) > 1
    assert all(step == written for step, written in seen)


@pytest.mark.peers
def test_of_many_steps_some_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_STEPS", 8)
    train(tmp_path)
    steps = curves(tmp_path / "tensorboard/train")["batch loss"][:, 0]
    np.testing.assert_array_equal(steps, [4, 8, 12, 16, 20, 24, 28, 30])


@pytest.mark.peers
def test_the_run_is_saved_beside_them(tmp_path):
    run = train(tmp_path / "run")
    run.save(tmp_path / "run")
    assert ds.open_run(tmp_path / "run").outcome == run.outcome
    with pytest.raises(ds.StorageError) as caught:
        train(tmp_path / "run")
    assert str(caught.value) == (
        f"The folder {tmp_path}/run/tensorboard is not empty. Expected a new or empty folder. "
        "Choose another; nothing is ever overwritten."
    )
    with pytest.raises(ds.StorageError, match=r"The folder .*/run is not empty"):
        run.save(tmp_path / "run")


@pytest.mark.peers
def test_a_training_that_never_began_leaves_nothing(tmp_path):
    with pytest.raises(ds.SettingError):
        train(tmp_path / "run", loss="huber")
    assert not (tmp_path / "run").exists()


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ds.SettingError) as caught, ds.tensorboard_log(tmp_path):
        pass
    message = (
        "The package tensorboardX is not installed. Expected it, to write event files for "
        "TensorBoard. Install it with: pip install tensorboardX tensorboard"
    )
    assert str(caught.value) == message
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["train", "xor", "--log", "tensorboard"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == f"Error: {message}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.peers
def test_from_the_command_line(tmp_path, monkeypatch):
    pytest.importorskip("tensorboardX")
    monkeypatch.chdir(tmp_path)
    words = ["train", "xor", "--log", "tensorboard", "--epochs", "3", "--network", "dense 2"]
    result = CliRunner().invoke(cli, [*words, "--no-pictures"])
    assert result.exit_code == 0, result.output
    folder = tmp_path / "runs/xor-1/tensorboard"
    assert result.stdout.splitlines()[-1] == f"Curves: tensorboard --logdir {folder}"
    trace = ds.open_run("runs/xor-1").trace
    steps = curves(folder / "validation")["accuracy"][:, 0]
    np.testing.assert_array_equal(steps, trace.epochs["step"])
    made = json.loads(CliRunner().invoke(cli, [*words, "--no-pictures", "--json"]).stdout)
    assert len(curves(tmp_path / made["run"] / "tensorboard/train")["batch loss"]) == made["steps"]


@pytest.mark.peers
def test_a_training_that_goes_on_goes_on_with_its_curves(tmp_path, monkeypatch):
    """Those of steps that were done, lost with the process, and done again are there once."""
    pytest.importorskip("tensorboardX")
    monkeypatch.setattr(training, "CHUNK_SECONDS", 0.0)
    folder, settings = tmp_path / "run", {"epochs": 6, "batch_size": 10}
    every = ds.Checkpoints(seconds=None, epochs=2)

    class Lost(Exception):
        pass

    def train_and_lose():
        with ds.tensorboard_log(folder) as log:

            def on_chunk(progress):
                log(progress)
                if progress.step == 18:  # the last state is of step 10
                    raise Lost

            data = by_hand.classes_data()
            named = {"on_chunk": on_chunk, "folder": folder, "checkpoints": every}
            ds.train(NETWORK, data, options=PLAIN, **named, **settings)

    with pytest.raises(Lost):
        train_and_lose()
    time.sleep(1.1)  # event files are named after the second
    with ds.tensorboard_log(folder) as log:
        run = ds.resume(folder, data=by_hand.classes_data(), on_chunk=log)
    found = {part: curves(folder / "tensorboard" / part) for part in ("train", "validation")}
    np.testing.assert_array_equal(found["train"]["batch loss"][:, 0], np.arange(1, 31))
    np.testing.assert_allclose(found["train"]["batch loss"][:, 1], run.trace.batch_loss, rtol=1e-6)
    for part in found:
        np.testing.assert_array_equal(found[part]["loss"][:, 0], run.trace.epochs["step"])


@pytest.mark.peers
def test_resume_on_the_command_line_goes_on_with_the_curves(tmp_path):
    pytest.importorskip("tensorboardX")
    words = ["train", "xor", "--epochs", "3", "--log", "tensorboard", "--no-pictures", "--json"]
    folder = str(tmp_path / "run")
    assert CliRunner().invoke(cli, [*words, "--out", folder]).exit_code == 0
    time.sleep(1.1)
    again = ["resume", folder, "--epochs", "5", "--no-pictures", "--json"]
    prediction = CliRunner().invoke(cli, again)
    assert prediction.exit_code == 0, prediction.output
    steps = ds.open_run(folder).trace.steps["step"]
    found = curves(tmp_path / "run/tensorboard/train")
    np.testing.assert_array_equal(found["batch loss"][:, 0], steps)
