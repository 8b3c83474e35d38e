"""When states are stored, and that they come back as they were."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

import downslope as ds
from downslope.errors import StorageError
from downslope.nn.notation import parse
from downslope.runs import checkpoint
from downslope.runs.checkpoint import (
    Checkpoints,
    CheckpointWriter,
    newest_checkpoint,
    read_checkpoint,
)
from tests.plain import PLAIN
from tests.runs import by_hand


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"seconds": -1},
            "The time between two checkpoints is -1 seconds. Expected a number of at least 0, or "
            "None. 10 is usual.",
        ),
        (
            {"epochs": 0},
            "The number of epochs between two checkpoints is 0. Expected a whole number of at "
            "least 1. Try 1.",
        ),
        (
            {"most": 1},
            "The number of checkpoints is 1. Expected a whole number of at least 2. 6 is the "
            "default.",
        ),
    ],
)
def test_values_out_of_range(values, message):
    with pytest.raises(ds.SettingError, match=f"^{re.escape(message)}$"):
        Checkpoints(**values)


def keeper_at(monkeypatch, folder, now: list[float], **values) -> CheckpointWriter:
    monkeypatch.setattr(checkpoint, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return CheckpointWriter(folder, Checkpoints(**values))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    settings = {"optimizer": "adam", "epochs": 4, "batch_size": 10, "stop": ds.Stop(patience=3)}
    return ds.train(
        parse("dense 3"), by_hand.classes_data(), options=PLAIN, folder=folder, **settings
    )


def test_by_time_and_by_epoch(monkeypatch, run, tmp_path):
    now = [100.0]
    writer = keeper_at(monkeypatch, tmp_path, now, seconds=10.0, epochs=5)
    state = SimpleNamespace(step=0)
    monkeypatch.setattr(checkpoint, "to_arrays", lambda run, state: {"a": np.zeros(1)})
    writer.store(run, state, epoch=0)
    assert not writer.is_due(0) and not writer.is_due(4)
    assert writer.is_due(5)
    now[0] = 109.9
    assert not writer.is_due(0)
    now[0] = 110.0
    assert writer.is_due(0)


def test_storing_never_takes_more_than_its_share(monkeypatch, run, tmp_path):
    now = [100.0]
    writer = keeper_at(monkeypatch, tmp_path, now, seconds=10.0)

    def slowly(run, state):
        now[0] += 3.0
        return {"a": np.zeros(1)}

    monkeypatch.setattr(checkpoint, "to_arrays", slowly)
    writer.store(run, SimpleNamespace(step=0), epoch=0)
    now[0] += 149.0
    assert not writer.is_due(100)
    now[0] += 1.1
    assert writer.is_due(100)


def test_neither_where_nobody_asks(monkeypatch, tmp_path):
    writer = keeper_at(monkeypatch, tmp_path, [1e9], seconds=None)
    assert not writer.is_due(1000)


def test_a_state_comes_back_bit_for_bit(run):
    found, note = newest_checkpoint(run.folder)
    assert (found.step, note) == (run.outcome.step, "")
    prepared = ds.replay(run)._parts[-1].prepared
    state = found.state(prepared.shapes)
    by_hand.assert_same_trace(found.trace, run.trace)
    by_hand.assert_same_parameters(state.parameters, ds.replay(run).parameters(found.step))
    assert int(state.step) == found.step
    assert float(state.best_loss) == run.trace.validation_loss.min()
    first = read_checkpoint(run.folder, 0)
    begun = first.state(prepared.shapes).parameters
    by_hand.assert_same_parameters(begun, ds.replay(run).parameters(0))
    assert len(first.trace.batch_loss) == len(first.trace.epochs["epoch"]) == 0


def test_a_state_of_another_network(run):
    found, _ = newest_checkpoint(run.folder)
    other = ds.train(parse("dense 4, dense 3"), by_hand.classes_data(), options=PLAIN, epochs=1)
    shapes = ds.replay(other)._parts[-1].prepared.shapes
    with pytest.raises(ds.RunError) as caught:
        found.state(shapes)
    assert str(caught.value).startswith(
        f"{run.folder}/checkpoints cannot be read (the state of step {found.step}: "
    )


def test_a_refusal_says_from_where_it_goes_on(run):
    writer = CheckpointWriter(run.folder, Checkpoints())
    with pytest.raises(StorageError) as caught, writer.going_on():
        raise StorageError("The disk is full.", "space", "Free some.")
    assert str(caught.value) == (
        f"The disk is full. Expected space. Free some. The training is whole up to step "
        f"{run.outcome.step}: go on from there with: downslope resume {run.folder}."
    )
