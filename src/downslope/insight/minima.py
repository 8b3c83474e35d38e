"""Where many starts end: how low, how different as functions and as weights, and what lies between.

The lowest that was found is called that. Nothing here proves that there is nothing lower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from downslope.data.dataset import Dataset, Task
from downslope.data.progress import OnProgress
from downslope.engine import metrics
from downslope.errors import SettingError, quoted
from downslope.insight.barriers import classical_map, rise, share_apart
from downslope.insight.minima_words import said_of
from downslope.insight.solutions import Solutions, lines_from_lowest
from downslope.nn.network import Network
from downslope.runs.train_many import SideBySide, train_side_by_side
from downslope.runs.train_options import TrainOptions
from downslope.runs.training import still_falling

MOST_STARTS = 10_000  # each two of them are compared
TRAINING = 750  # thousandths of the progress that stand for it


@dataclass(frozen=True, eq=False)
class Minima:
    """Where many starts of one network ended; those that diverged are left out.

    Starts are in the order of their training loss, the lowest first; all arrays follow it.

    Attributes:
        data: Name of the data set.
        task: What was learnt.
        loss: Name of the loss.
        seeds: The seed of each start, (starts,).
        train_loss: Each one's training loss, (starts,).
        validation_loss: Likewise.
        validation_figure: The task's first measure on the validation part: accuracy or mae.
        baseline: The training loss of the best answer that ignores its input.
        differ: Between each two, as answers to the validation samples (starts, starts): for
            classes the share that differs; for numbers and people the root of the mean square
            of the differences, in the units of the target.
        functions_apart: The same with no answer rounded to a class: the mean total variation
            distance of the probabilities. For numbers it is `differ`.
        places: A map of `functions_apart`, (starts, 2).
        map_share: The share of the squared distances that the map shows, 0 to 1.
        weights_apart: How far each one's weights lie from the lowest's, as a share of their
            lengths' root mean square, (starts,).
        matched_apart: The same with hidden units in the order of the lowest's; None where the
            network is not dense layers in a chain.
        line_losses: The training loss on the straight line from the lowest to each other, on at
            most 2,000 samples, (starts - 1, points).
        matched_line_losses: The same to each other with its units in order; or None.
        diverged: How many starts are left out.
        still_falling: Of how many the validation loss was still falling.
        epochs: Epochs of each training, as far as it got.
        is_interrupted: Whether the trainings were stopped before their end.
        seconds: How long the trainings took.
    """

    data: str
    task: Task
    loss: str
    seeds: np.ndarray
    train_loss: Float[np.ndarray, " starts"]
    validation_loss: Float[np.ndarray, " starts"]
    validation_figure: Float[np.ndarray, " starts"]
    baseline: float
    differ: Float[np.ndarray, "starts starts"]
    functions_apart: Float[np.ndarray, "starts starts"]
    places: Float[np.ndarray, "starts 2"]
    map_share: float
    weights_apart: Float[np.ndarray, " starts"]
    matched_apart: Float[np.ndarray, " starts"] | None
    line_losses: Float[np.ndarray, "others points"]
    matched_line_losses: Float[np.ndarray, "others points"] | None
    diverged: int
    still_falling: int
    epochs: int
    is_interrupted: bool
    seconds: float

    def __len__(self) -> int:
        """Return the number of starts."""
        return len(self.seeds)

    @property
    def barriers(self) -> Float[np.ndarray, " others"]:
        """How far the loss rises on each line above the straight line between its ends' losses.

        Source: Frankle et al., Linear Mode Connectivity and the Lottery Ticket Hypothesis, 2020.
        """
        return rise(self.line_losses)

    @property
    def matched_barriers(self) -> Float[np.ndarray, " others"] | None:
        """The same with hidden units in order; None where they have none that could be."""
        lines = self.matched_line_losses
        return None if lines is None else rise(lines)

    @property
    def pairs_differ(self) -> Float[np.ndarray, " pairs"]:
        """How much the answers of each two starts differ."""
        return self.differ[np.triu_indices(len(self), 1)]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in words."""
        return said_of(self)


def minima(
    network: Network | str | None,
    data: Dataset,
    *,
    starts: int = 32,
    options: TrainOptions | None = None,
    on_progress: OnProgress | None = None,
    **settings: Any,
) -> Minima:
    """Train one network from many starts, all else the same, and look at where they end.

    The seed of a start decides its first weights, the order of the samples and all other chance.

    Args:
        network: What learns; None for the recipe's.
        data: What it learns from; its test part stays sealed.
        starts: How many: seeds 0, 1, ...
        options: How to train, as for `train`; its seed means nothing.
        on_progress: Called with (done, in all), in thousandths of the work.
        settings: Changes of the options, by the arguments of `train`.

    Returns:
        Where they ended. Ctrl-C ends the trainings early; where they were then is looked at.

    Raises:
        DataError: There are no samples to train on or to validate with.
        NetworkError: The network does not fit the data.
        SettingError: A setting is out of range, or fewer than two starts ended in finite numbers.
    """
    is_whole = isinstance(starts, int) and not isinstance(starts, bool)
    if not is_whole or not 2 <= starts <= MOST_STARTS:
        bound = f"most {MOST_STARTS:,}" if is_whole and starts > MOST_STARTS else "least 2"
        raise SettingError(
            f"The number of starts is {quoted(starts)}.",
            f"a whole number of at {bound}",
            "Try 32.",
        )
    tell = on_progress or (lambda done, total: None)
    found = train_side_by_side(
        network,
        data,
        options=options,
        seeds=range(starts),
        on_progress=lambda step, steps: tell(TRAINING * step // steps, 1000),
        **settings,
    )
    return minima_of(found, data, on_progress=lambda done, total: tell(
        TRAINING + (1000 - TRAINING) * done // total, 1000
    ))  # fmt: skip


def minima_of(
    found: SideBySide, dataset: Dataset, *, on_progress: OnProgress | None = None
) -> Minima:
    """Look at where trainings that differ in their seeds alone ended.

    Args:
        found: The trainings, as `train_side_by_side` returned them.
        dataset: What they learnt from.
        on_progress: Called with (lines done, lines in all).

    Raises:
        SettingError: Fewer than two ended in finite numbers.
    """
    solutions = Solutions.of(found, dataset)
    ended = [found.outcomes[place] for place in solutions.members]
    judged = solutions.judged(dataset.validation)
    answers = [solutions.outputs(one, dataset.validation.inputs) for one in range(len(ended))]
    apart = solutions.functions_apart(answers)
    differ = apart
    if dataset.task == "classification":
        differ = share_apart(np.stack([metrics.chosen_class(one) for one in answers]))
    places, map_share = classical_map(apart)
    lines = lines_from_lowest(solutions, on_progress or (lambda done, total: None))
    samples = len(dataset.train)
    per_epoch = -(-samples // found.settings[0].samples_per_step(samples))
    return Minima(
        data=dataset.name,
        task=dataset.task,
        loss=found.loss.name,
        seeds=found.seeds[solutions.members],
        train_loss=solutions.train_loss,
        validation_loss=judged[:, 0],
        validation_figure=judged[:, 1],
        baseline=solutions.baseline(),
        differ=differ,
        functions_apart=apart,
        places=places,
        map_share=map_share,
        weights_apart=lines.apart,
        matched_apart=lines.matched_apart,
        line_losses=lines.losses,
        matched_line_losses=lines.matched_losses,
        diverged=len(found) - len(ended),
        still_falling=sum(
            bool(still_falling(found.traces[place].validation_loss)) for place in solutions.members
        ),
        epochs=max(one.step for one in ended) // per_epoch,
        is_interrupted=any(one.reason == "interrupted" for one in ended),
        seconds=found.seconds.total,
    )
