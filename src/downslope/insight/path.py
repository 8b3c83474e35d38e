"""The path that a training walked through weight space, found by walking it again.

A run keeps its last weights alone; those of every step between come by again in its replay.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import jax
import numpy as np
from jaxtyping import Float, Int

from downslope.nn.network import NetworkParameters
from downslope.result import PROGRAM_ONLY
from downslope.runs.replay import replay
from downslope.runs.run import Run

MOST_POINTS = 60  # of a path: enough to look like a line
MOST_NUMBERS = 1 << 25  # of all weights at all points: 128 MiB


@dataclass(frozen=True, eq=False)
class Path:
    """The weights of a training at a number of its steps.

    Attributes:
        steps: The steps that were done, (points,), rising; 0 is before the first.
        epochs: The same counted in epochs, (points,), with parts of one.
        parameters: The weights there, each array (points, ...).
        kept: The index among the points of the weights that the run kept.
    """

    steps: Int[np.ndarray, " points"]
    epochs: Float[np.ndarray, " points"]
    parameters: NetworkParameters = field(metadata=PROGRAM_ONLY)
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
        RunError: The run went on from another one, or does not repeat here.
    """
    past, steps = replay(run), steps_of(run, most)
    found = [jax.tree.map(np.asarray, one.parameters) for _, one in past.states(steps.tolist())]
    return Path(
        steps=steps,
        epochs=steps / past.steps_per_epoch,
        parameters=jax.tree.map(lambda *leaves: np.stack(leaves), *found),
        kept=int(np.searchsorted(steps, run.outcome.kept_step)),
    )


def steps_of(run: Run, most: int = MOST_POINTS) -> np.ndarray:
    """The steps behind which the path has its points, rising; see `path_of`."""
    most = max(3, min(most, MOST_NUMBERS // max(1, run.parameter_count)))
    per_epoch = replay(run).steps_per_epoch
    return _points(per_epoch, run.outcome.step, run.outcome.kept_step, most)


def _points(per_epoch: int, last: int, kept: int, most: int) -> np.ndarray:
    """The steps at which to look; the first, the kept and the last among them."""
    room = most - 2  # for the kept and the last
    epochs = max(1, -(-last // per_epoch))
    every = -(-epochs // room)  # epochs from one point to the next,
    parts = min(per_epoch, max(1, room // epochs))  # or points in each epoch
    indices = np.arange(0, epochs, every)[:, None] + np.arange(parts) / parts
    steps = np.round(indices.ravel() * per_epoch).astype(np.int64)
    return np.unique([*steps[steps <= last], kept, last])
