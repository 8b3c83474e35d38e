"""The display on a terminal: curves, and the lines around them."""

import io
import time
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from downslope.cli import display
from downslope.cli.curves import Scale, draw
from downslope.cli.live import LiveTraining, clock, shown_span, thinned
from downslope.runs.finding import Finding


def test_a_falling_line_goes_from_the_upper_left_to_the_lower_right():
    values = np.linspace(2, 1, 8)
    lines = draw(np.linspace(0, 1, 8), values, Scale(values), 4, 2)
    assert lines == ["⠑⢄⠀⠀", "⠀⠀⠑⢄"]


def test_a_level_line_and_none_at_all():
    assert draw([0, 1], np.ones(2), Scale(np.ones(2)), 2, 1) in (["⠒⠒"], ["⠤⠤"])
    assert draw([], np.empty(0), Scale(np.empty(0)), 2, 1) == ["⠀⠀"]
    assert draw([0, 1], np.full(2, np.nan), Scale(np.full(2, np.nan)), 2, 1) == ["⠀⠀"]


def test_losses_that_fall_far_are_drawn_by_their_logarithms():
    assert not Scale(np.array([1.0, 2.0])).is_log
    assert not Scale(np.array([-1.0, 200.0])).is_log
    scale = Scale(np.array([0.01, 1.0, np.inf]))
    np.testing.assert_allclose(scale.height(np.array([0.01, 0.1, 1])), [0, 0.5, 1])


def test_the_width_is_at_least_half_full():
    assert [shown_span(done) for done in (0, 1, 0.6, 0.3, 0.01)] == [1, 1, 1, 0.5, 0.015625]


def test_batch_losses_are_thinned():
    values, indices = thinned(np.arange(1000.0), 2000, most=10)
    assert len(values) == len(indices) == 10
    assert (values[0], indices[-1]) == (49.5, 0.5)


def test_times():
    assert [clock(one) for one in (0.4, 75, 3723)] == ["0:00", "1:15", "1:02:03"]


def progress(epochs: int, findings: tuple = ()) -> SimpleNamespace:
    losses = np.exp(-np.arange(1, epochs + 1) / 3)
    steps = np.arange(1, epochs + 1) * 10
    table = {"step": steps, "validation_accuracy": losses}
    trace = SimpleNamespace(
        batch_loss=np.ones(10 * epochs + 5),
        train_loss=losses,
        validation_loss=losses,
        epochs=table,
    )
    done = 10 * epochs + 5
    return SimpleNamespace(
        step=done,
        steps=200,
        epoch=epochs,
        epochs=20,
        seconds=done / 10,
        seconds_left=(200 - done) / 10,
        first=0,
        trace=trace,
        findings=findings,
    )


WRONG = Finding("nothing_changes", "fault", "", "The loss is 3.", "No gradient.")


def test_what_is_certainly_wrong_is_told_once_and_only_if_asked(capsys):
    data = SimpleNamespace(name="xor", train=range(100), task="classification")
    told = "Nothing changes: The loss is 3. No gradient."
    live = LiveTraining(data, 20)
    live.update(progress(9, (WRONG,)))
    assert shown(live)[-1] == told
    unwatched = LiveTraining(data, 20, watch=False)
    unwatched.update(progress(9, (WRONG,)))
    assert told not in shown(unwatched)
    for watch, times in ((True, 1), (False, 0)):
        with display.training(data, 20, lively=False, watch=watch) as on_chunk:
            on_chunk(progress(9, (WRONG,)))
            on_chunk(progress(10, (WRONG,)))
        assert capsys.readouterr().err.count(told) == times


def shown(live: LiveTraining, width: int = 90) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(live)
    return console.file.getvalue().splitlines()


def test_what_is_on_the_screen():
    data = SimpleNamespace(name="xor", train=range(100), task="classification")
    live = LiveTraining(data, 20)
    assert "Compiling the network" in shown(live)[1]
    live.update(progress(0))
    assert "batch loss 1" in shown(live)[2]
    live.update(progress(9))
    for width in (60, 90, 200):
        lines = shown(live, width)
        assert lines[0].startswith("xor  100 training samples, 20 epochs")
        assert lines[1].startswith("epoch 10/20  ")
        assert "training loss 0.0497" in lines[2]
        assert "validation loss 0.0497" in lines[2]
        assert lines[8].startswith("100 samples/s   0:10 left   validation accuracy 5.0 %")
        assert all(len(line) <= width for line in lines)
    live.finish()
    assert "took 0:10" in shown(live)[8]


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_a_long_compilation_is_told_in_plain_lines(seconds, monkeypatch, capsys):
    monkeypatch.setattr(display, "LONGEST_SILENCE", 0.1)
    data = SimpleNamespace(name="xor", train=range(100), task="classification")
    with display.training(data, 20, lively=False) as on_chunk:
        time.sleep(seconds)
        monkeypatch.setattr(display, "LONGEST_SILENCE", 100.0)
        on_chunk(progress(0))
        time.sleep(0.2)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "training on xor: 100 samples, 20 epochs"
    told = ["Compiling the network for this machine (the longer the more layers it has) ..."]
    assert said[1:] == (told if seconds else [])
