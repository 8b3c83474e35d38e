"""The weights behind some epochs of a finished run, by training once more from the same start.

A run is a pure function of data, settings and seed, so the weights come by again as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from downslope.data.progress import OnProgress
from downslope.errors import RunError
from downslope.learning import loop
from downslope.learning.chunks import run_finite_chunk
from downslope.learning.compiling import compiled
from downslope.learning.preparation import Preparation
from downslope.learning.run import Run
from downslope.learning.train import Pace
from downslope.network.network import NetworkParameters

MOST_APART = 1e-3  # of a loss: another version of the engine rounds differently


def some_epochs(run: Run, most: int) -> list[int]:
    """At most so many of the epochs that were finished: half evenly, half denser at the start.

    The first and the last are always among them.
    """
    evenly = np.linspace(1, run.epochs, most // 2)
    denser = np.geomspace(1, run.epochs, most - most // 2)
    return np.unique(np.rint(np.concatenate([evenly, denser])).astype(int)).tolist()


def parameters_behind(
    run: Run, epochs: Sequence[int], on_progress: OnProgress | None = None
) -> Iterator[NetworkParameters]:
    """The parameters behind each of some epochs of a run whose data is at hand.

    Args:
        run: The run.
        epochs: Numbers of epochs that it finished, from 1, rising.
        on_progress: Called with (steps done, steps in all).

    Raises:
        RunError: The training does not come by the recorded losses again.
    """
    assert run.dataset is not None
    prepared = Preparation(run.network, run.dataset, run.loss, run.settings)
    plan = prepared.plan
    state, key = prepared.start()
    material, pace = prepared.material(key), Pace(plan)
    batches = np.zeros((pace.capacity, plan.batch_size), np.int32)
    rates = np.zeros(pace.capacity, np.float32)
    run_chunk = compiled(
        loop.run_chunk, prepared.program, state, material, batches, rates, np.int32(0)
    )
    step, last = 0, epochs[-1] * plan.steps_per_epoch
    for epoch in epochs:
        end = epoch * plan.steps_per_epoch
        while step < end:
            with pace.timed(end - step) as count:
                batches[:count] = plan.batches(step, step + count)
                rates[:count] = prepared.rates[step : step + count]
                state, rows = run_finite_chunk(run_chunk, state, material, batches, rates, count)
                losses = np.asarray(rows.batch_loss)[:count]
            _check(run, step, losses)
            step += count
            if on_progress is not None:
                on_progress(step, last)
        yield state.parameters


def _check(run: Run, step: int, losses: np.ndarray) -> None:
    recorded = run.trace.batch_loss[step : step + len(losses)]
    if not np.allclose(losses, recorded, rtol=MOST_APART, atol=1e-6):
        wrong = step + int(np.argmin(np.isclose(losses, recorded, rtol=MOST_APART, atol=1e-6)))
        raise RunError(
            f"Trained once more, the run has another loss at step {wrong + 1}.",
            "the recorded one",
            "It went on from another run, or was trained by another version: train it anew.",
        )
