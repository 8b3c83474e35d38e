"""Whole rungs with contenders of a few lines, in processes of their own as always."""

import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import samples
from benchmarks.catalogue import Contender
from benchmarks.driver import Worker
from benchmarks.race import _Runner, _start_all, race
from benchmarks.results import Row
from benchmarks.rungs import RUNGS, smallest
from benchmarks.work import fans_in


def silent(line: str) -> None:
    pass


def test_contenders_take_turns_and_the_first_round_is_not_counted(monkeypatch):
    """The worker finds the contenders by the rung's name, so a real rung has to do."""
    rung = replace(smallest(RUNGS["wide"]), name="wide")
    only = tuple(one for one in rung.contenders if one.key == "matmul-numpy")
    missing = Contender("ghost", "Ghost", "peer", "no_such_package", "pytorch.train")
    contest = race(replace(rung, contenders=(*only, missing)), 2, True, silent)
    product, ghost = contest.rows
    assert len(product.seconds) == len(product.figures["rate"]) == 2
    assert min(product.seconds) > 0
    assert product.peak > 10
    assert ghost.absent == "no_such_package is not installed"
    assert ghost.seconds == ()


def test_every_function_of_a_contender_runs_at_the_smallest_size_somewhere():
    """What CI does not run rots; only a variant without pictures is left out."""
    full = {one.task for rung in RUNGS.values() for one in rung.contenders}
    small = {one.task for rung in RUNGS.values() for one in smallest(rung).contenders}
    assert full - small == {"shell.again_without_pictures"}


@pytest.mark.parametrize("name", RUNGS)
def test_every_rung_has_contenders_samples_and_a_smallest_size(name):
    full, small = RUNGS[name], smallest(RUNGS[name])
    assert any(one.role == "ours" for one in full.contenders)
    assert {one.key for one in small.contenders} <= {one.key for one in full.contenders}
    keys = [one.key for one in full.contenders]
    assert len(set(keys)) == len(keys)
    made = samples.make(small.work)
    assert made.inputs.shape == (small.work.samples, *small.work.input_shape)
    assert made.inputs.dtype == np.float32
    assert len(made.targets) == small.work.samples
    assert small.work.steps <= full.work.steps
    assert len(fans_in(full.work)) == len(full.work.layers)


def test_full_sizes_have_the_steps_that_the_readme_tells():
    steps = {name: RUNGS[name].work.steps for name in ("tiny", "mnist", "wide", "lenet", "density")}
    assert steps == {"tiny": 5000, "mnist": 936, "wide": 40, "lenet": 50, "density": 10}
    wide = RUNGS["wide"].work
    products = 784 * 1024 * 2 + 1024 * 1024 * 3 + 1024 * 10 * 3
    assert wide.matrix_products == 2 * 256 * products


def test_samples_are_read_as_they_were_made(tmp_path):
    work = smallest(RUNGS["tiny"]).work
    samples.write(work, tmp_path)
    for read, made in zip(samples.read(tmp_path), samples.make(work), strict=True):
        np.testing.assert_array_equal(read, made)


def test_an_interrupted_start_leaves_nobody_behind():
    """As Ctrl-C does, while one contender works for a minute and another has not begun."""
    worker = Worker("Sleeper", (sys.executable, "-c", "import time; time.sleep(60)"))
    runners = [_Runner(Row(key, key, "peer")) for key in ("stops", "sleeps", "waits")]
    ran = []

    def start(runner, contender):
        ran.append(runner.row.key)
        if runner.row.key == "stops":
            raise KeyboardInterrupt
        runner.start(worker)

    began = time.monotonic()
    with worker, pytest.raises(KeyboardInterrupt):
        _start_all(runners, [None] * 3, start, at_once=1)
    assert time.monotonic() - began < 30
    assert "waits" not in ran


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["speed"], "there is no rung 'speed'; there are tiny, digits,"),
        (["--rounds", "0"], "--rounds is 0; it has to be 1 or more"),
    ],
)
def test_what_cannot_be_done_is_said(given, message, capsys):
    with pytest.raises(SystemExit):
        command.arguments(given)
    assert message in capsys.readouterr().err


def test_the_smallest_size_never_overwrites_the_results_of_a_full_run():
    assert command.arguments(["--smallest"]).out != command.RESULTS
    assert command.arguments([]).out == command.RESULTS


# Who wins by doing less would be found here: all start from other weights, so the losses after
# the same steps are alike, not equal.
@pytest.mark.slow
@pytest.mark.parametrize(("name", "before"), [("tiny", 1.0), ("digits", np.log(10))])
def test_every_contender_learns_as_much_as_the_others(name, before):
    rung = smallest(RUNGS[name])
    contenders = tuple(one for one in rung.contenders if one.key != "torch-compile")
    contest = race(replace(rung, contenders=contenders), 1, True, silent)
    losses = {row.label: row.loss for row in contest.rows if not row.absent}
    assert all("not installed" in row.absent for row in contest.rows if row.absent)
    assert max(losses.values()) < 0.3 * before, losses
    assert max(losses.values()) < 3 * min(losses.values()), losses
