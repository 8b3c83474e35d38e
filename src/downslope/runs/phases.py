"""A training in parts that had settings of their own: where one went on with others.

The steps are counted through all parts, and so are the epochs: each part has the same data, the
same network and loss, and as many samples in a step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from downslope.data.dataset import Dataset
from downslope.engine import loop
from downslope.engine.optimizers import Optimizer, carried_over
from downslope.runs.preparation import Preparation
from downslope.runs.run import Run
from downslope.runs.run_folder import Phase


@dataclass(frozen=True, eq=False)
class Part:
    """One of the parts.

    Attributes:
        first: Steps done before it.
        prepared: What its steps need.
    """

    first: int
    prepared: Preparation


def parts_of(run: Run, dataset: Dataset) -> tuple[Part, ...]:
    """All parts of a run's training, in their order."""
    dataset = dataset.scaled_as(run.scaling, is_scaled=run.data.is_scaled)
    settings = [*(one.settings for one in run.phases), run.settings]
    firsts = [0, *(one.until for one in run.phases)]
    return tuple(
        Part(first, Preparation(run.network, dataset, run.loss, own, scaled_as=run))
        for first, own in zip(firsts, settings, strict=True)
    )


def rates_of(phases: tuple[Phase, ...], prepared: Preparation) -> np.ndarray:
    """The learning rate of every step of a training, (steps,): in each part its own."""
    rates = prepared.rates.copy()
    for phase in reversed(phases):
        own = phase.settings
        steps = prepared.plan.steps_per_epoch * own.epochs
        rates[: phase.until] = own.schedule.rates(own.learning_rate, steps)[: phase.until]
    return rates


def taken_over(
    state: loop.State, before: Optimizer, prepared: Preparation
) -> tuple[loop.State, str]:
    """A state as the part that begins with it needs it.

    The optimizer state stays where it means the same to the optimizer from here on; what had
    ended the training does so no more.

    Args:
        state: The state that the part before ended in.
        before: The optimizer of that part.
        prepared: What the part that begins needs.

    Returns:
        The state, and a sentence where the optimizer starts with a fresh state.
    """
    drawn = prepared.start().state
    optimizer = prepared.settings.optimizer
    optimizer_state, note = carried_over(
        state.optimizer_state, before, optimizer, drawn.optimizer_state
    )
    best = state.parameters if state.best is None else state.best
    is_running = int(state.ending) == loop.RUNNING
    state = state._replace(
        optimizer_state=optimizer_state,
        best=None if drawn.best is None else best,
        best_loss=drawn.best_loss if state.best is None else state.best_loss,
        best_step=state.step if state.best is None else state.best_step,
        stale=state.stale if is_running else drawn.stale,
        ending=np.int32(loop.RUNNING),
    )
    return state, note
