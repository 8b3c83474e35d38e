"""A chunk of steps that ends with finite weights, whatever happens in between.

The loop asks of each step only whether its loss is finite, and looks at the weights once, at the
end of a chunk. A chunk that ends with others is run again by the same program, up to the last
step that left all weights finite; the result is the same bits as if each step had looked.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from downslope.engine import loop

RunChunk = Callable[..., tuple[loop.State, loop.Rows]]


def run_finite_chunk(
    run_chunk: RunChunk,
    state: loop.State,
    material: loop.Material,
    batches: np.ndarray,
    rates: np.ndarray,
    count: int,
) -> tuple[loop.State, loop.Rows]:
    """Run `count` steps; where weights overflow, the step that would do it ends the training.

    Args:
        run_chunk: The compiled `loop.run_chunk`.
        state: The state before the first of these steps; its weights are finite.
        material: Samples and scaling.
        batches: The samples of each step, as for `loop.run_chunk`.
        rates: The learning rate of each step.
        count: How many steps to run.

    Returns:
        The state, and one row per step of the arrays' length as `loop.run_chunk` gives them. A
        network, or a member, whose weights overflowed is as it was before that step; its
        ending is NON_FINITE.
    """
    after, rows = run_chunk(state, material, batches, rates, np.int32(count))
    overflown = np.asarray(after.ending) == loop.OVERFLOWN
    if not overflown.any():
        return after, rows

    def run(steps: int) -> loop.State:
        return run_chunk(state, material, batches, rates, np.int32(steps))[0]

    kept = _last_finite(run, _first_failure(rows, overflown, count))
    before = run(kept)
    failed = np.asarray(run(kept + 1).ending) == loop.OVERFLOWN
    ending = np.where(failed, np.int32(loop.NON_FINITE), np.asarray(before.ending))
    before = before._replace(ending=ending)
    if not (ending == loop.RUNNING).any():
        return before, rows
    # other members go on from here; the step that failed keeps its loss
    batches, rates = (np.roll(array, -kept, axis=0) for array in (batches, rates))
    after, rest = run_finite_chunk(run_chunk, before, material, batches, rates, count - kept)
    joined = jax.tree.map(
        lambda first, then: np.concatenate([first[:kept], then])[: len(first)],
        *(jax.tree.map(np.asarray, one) for one in (rows, rest)),
    )
    joined.batch_loss[kept, failed] = np.asarray(rows.batch_loss)[kept, failed]
    return after, joined


def _first_failure(rows: loop.Rows, overflown: np.ndarray, count: int) -> int:
    """A number of steps after which the weights of an overflown network are not finite.

    Its loss is not finite from the next step on, where there was one.
    """
    losses = np.asarray(rows.batch_loss)[:count].reshape(count, -1)[:, overflown.reshape(-1)]
    failures = np.flatnonzero(~np.isfinite(losses).all(axis=1))
    return int(failures[0]) if len(failures) else count


def _last_finite(run: Callable[[int], loop.State], failing: int) -> int:
    """The most steps below `failing` that leave all weights finite; 0 always does."""
    low, high, back = 0, failing, 1
    while high - low > 1:
        # it is nearly always the step just before: look there first, then ever further back
        middle = max(high - back, (low + high) // 2)
        if (np.asarray(run(middle).ending) == loop.OVERFLOWN).any():
            high, back = middle, 2 * back
        else:
            low, back = middle, high
    return low
