"""The path that a training walked through weight space, found by walking it again.

A run keeps its last weights alone. But a training is a pure function of data, settings and seed,
so the weights of every step between can be had again; that they are the same is checked at the
end of the path.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float, Int

from downslope.errors import RunError
from downslope.learning import loop
from downslope.learning.batches import BatchPlan
from downslope.learning.chunks import run_finite_chunk
from downslope.learning.compiling import compiled
from downslope.learning.preparation import Preparation
from downslope.learning.run import Run
from downslope.learning.train import Pace
from downslope.network.network import NetworkParameters

MOST_POINTS = 60  # of a path: enough to look like a line
MOST_NUMBERS = 1 << 25  # of all weights at all points: 128 MiB


@dataclass(frozen=True, eq=False)
class Path:
    """The weights of a training at a number of its steps.

    Attributes:
        steps: The steps that were done, (points,), rising; 0 is before the first.
        epochs: The same counted in epochs, (points,), with parts of one.
        parameters: The weights there, each array (points, ...).
        kept: The place among the points of the weights that the run kept.
    """

    steps: Int[np.ndarray, " points"]
    epochs: Float[np.ndarray, " points"]
    parameters: NetworkParameters
    kept: int

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.steps)

    def at(self, point: int) -> NetworkParameters:
        """The weights at one point, as `Network.forward` takes them."""
        return jax.tree.map(lambda leaf: leaf[point], self.parameters)


def path_of(run: Run, *, most: int = MOST_POINTS) -> Path:
    """Walk the path of a run again, and keep the weights at a number of steps.

    The points are at the ends of epochs, or in short trainings between them as well, evenly
    spaced; the first is before the first step.

    Args:
        run: The run.
        most: How many points there are at most; large networks have fewer, so that they fit into
            the memory.

    Raises:
        DataError: The run's data is gone or has changed.
        RunError: Training it again gives other weights than those of the run.
    """
    run = run.with_data()
    assert run.dataset is not None
    prepared = Preparation(run.network, run.dataset, run.loss, run.settings)
    most = max(3, min(most, MOST_NUMBERS // max(1, run.parameter_count)))
    steps = _points(prepared.plan, run.outcome.step, run.outcome.kept_step, most)
    kept = int(np.searchsorted(steps, run.outcome.kept_step))
    states = _walk(prepared, steps)
    _check_same(run, states[kept])
    return Path(
        steps=steps,
        epochs=steps / prepared.plan.steps_per_epoch,
        parameters=jax.tree.map(lambda *leaves: np.stack(leaves), *states),
        kept=kept,
    )


def _points(plan: BatchPlan, last: int, kept: int, most: int) -> np.ndarray:
    """The steps at which to look; the first, the kept and the last among them."""
    per_epoch, room = plan.steps_per_epoch, most - 2  # for the kept and the last
    epochs = max(1, -(-last // per_epoch))
    every = -(-epochs // room)  # epochs from one point to the next,
    parts = min(per_epoch, max(1, room // epochs))  # or points in each epoch
    places = np.arange(0, epochs, every)[:, None] + np.arange(parts) / parts
    steps = np.round(places.ravel() * per_epoch).astype(np.int64)
    return np.unique([*steps[steps <= last], kept, last])


def _walk(prepared: Preparation, steps: np.ndarray) -> list[NetworkParameters]:
    """The weights after each of these numbers of steps."""
    state, key = prepared.start()
    material = prepared.material(key)
    plan = prepared.plan
    capacity = Pace(plan).capacity  # the same shapes as in training: compiled already
    batches = np.zeros((capacity, plan.batch_size), np.int32)
    rates = np.zeros(capacity, np.float32)
    program = prepared.program
    run_chunk = compiled(loop.run_chunk, program, state, material, batches, rates, np.int32(0))
    kept, done = [], 0
    for step in steps.tolist():
        while done < step:
            count = min(capacity, step - done)
            batches[:count] = plan.batches(done, done + count)
            rates[:count] = prepared.rates[done : done + count]
            state, _ = run_finite_chunk(run_chunk, state, material, batches, rates, count)
            done += count
        kept.append(jax.tree.map(np.asarray, state.parameters))
    return kept


def _check_same(run: Run, found: NetworkParameters) -> None:
    """Check that the path leads to the run's weights.

    Raises:
        RunError: It does not.
    """
    pairs = zip(jax.tree.leaves(run.parameters), jax.tree.leaves(found), strict=True)
    if not all(np.allclose(mine, yours, rtol=1e-3, atol=1e-4) for mine, yours in pairs):
        raise RunError(
            "Training again as the run was trained leads to other weights.",
            "a run that started from weights drawn anew, made on such a machine with these "
            "versions of the libraries",
            "Look at the plane of two random directions instead.",
        )
