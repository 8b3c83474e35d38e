"""Where many starts end: how low, how different as functions and as weights, and what lies between.

The lowest that was found is called that. Nothing here proves that there is nothing lower.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from downslope.data.checks.check_data import checked
from downslope.data.dataset import Dataset, Task
from downslope.data.progress import OnProgress
from downslope.engine import metrics
from downslope.engine.metrics import MEASURES
from downslope.errors import SettingError, quoted
from downslope.insight.barriers import classical_map, fraction_apart, rise
from downslope.insight.solutions import Solutions, lines_from_lowest
from downslope.nn.network import Network
from downslope.numerals import rounded
from downslope.result import Part, Result
from downslope.runs.metric_text import COLUMNS, figure
from downslope.runs.train_many import SideBySide, train_side_by_side
from downslope.runs.train_options import TrainOptions, options_from
from downslope.runs.training import still_falling
from downslope.text import Table

MOST_STARTS = 10_000  # each two of them are compared
TRAINING = 750  # thousandths of the progress that stand for it
MOST_ROWS = 8  # of the table: the lowest


@dataclass(frozen=True, eq=False)
class Minima(Result):
    """Where trainings of one network from many starts ended; starts that diverged are left out.

    Starts are in the order of their training loss, the lowest first; all arrays follow it.

    Attributes:
        data: Name of the data set.
        task: The task.
        loss: Name of the loss.
        seeds: The seed of each start, (starts,).
        train_loss: The training loss of each, (starts,).
        validation_loss: Likewise the validation loss.
        validation_metric: The task's first metric on the validation part: accuracy or MAE.
        baseline_loss: The training loss of the best constant prediction.
        predictions_differ: The difference between the predictions of each two starts for the
            validation samples, (starts, starts): for classes the fraction that differs; for numbers
            and people the root mean square of the differences, in the units of the target.
        functions_apart: Likewise for probabilities: the mean total variation distance. For numbers
            it is `predictions_differ`.
        map: A map of `functions_apart`, (starts, 2).
        map_fraction: The fraction of the squared distances that the map shows, 0 to 1.
        weights_apart: The distance of each start's weights from the lowest's, as a fraction of the
            root mean square of their lengths, (starts,).
        matched_weights_apart: The same with hidden units in the order of the lowest's; None where
            the network is not dense layers in a chain.
        line_losses: The training loss on the straight line from the lowest to each other, on at
            most 2,000 samples, (starts - 1, points).
        matched_line_losses: The same to each other with its units in order; or None.
        diverged: How many starts are left out.
        still_falling: The number of starts whose validation loss was still falling.
        epochs: Epochs of each training that were done.
        is_interrupted: Whether the trainings were stopped before their end.
        seconds: How long the trainings took, in seconds.
        is_relative: Whether there are several targets: then errors and differences of predictions
            are in standard deviations of each target in the training part.
    """

    data: str
    task: Task
    loss: str
    seeds: np.ndarray
    train_loss: Float[np.ndarray, " starts"]
    validation_loss: Float[np.ndarray, " starts"]
    validation_metric: Float[np.ndarray, " starts"]
    baseline_loss: float
    predictions_differ: Float[np.ndarray, "starts starts"]
    functions_apart: Float[np.ndarray, "starts starts"]
    map: Float[np.ndarray, "starts 2"]
    map_fraction: float
    weights_apart: Float[np.ndarray, " starts"]
    matched_weights_apart: Float[np.ndarray, " starts"] | None
    line_losses: Float[np.ndarray, "others points"]
    matched_line_losses: Float[np.ndarray, "others points"] | None
    diverged: int
    still_falling: int
    epochs: int
    is_interrupted: bool
    seconds: float
    is_relative: bool = False

    _also: ClassVar[tuple[str, ...]] = ("barriers", "matched_barriers")

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
        """The difference between the predictions of each pair of starts."""
        return self.predictions_differ[np.triu_indices(len(self), 1)]

    @property
    def summary(self) -> str:
        """How low they ended, how different they are, and what lies between: a line for each."""
        said = (_lowest(self), _validation(self), _predictions(self), _lines(self), *_limits(self))
        return "\n".join(said)

    def parts(self) -> Iterator[Part]:
        """The lowest in a table, what its columns mean, and the summary."""
        yield _table(self)
        if len(self) > MOST_ROWS:
            yield f"... and {len(self) - MOST_ROWS} more; all with --json"
        yield ""
        yield (
            "differ: how many validation predictions differ from the lowest's; distance: how far "
            "the weights lie from its own (1.4: nothing in common); barrier: how far the training "
            "loss rises on the straight line to it."
            + (
                " Matched: with the hidden units in its order."
                if self.matched_barriers is not None
                else ""
            )
            + (" MAE and differ: in standard deviations of each target." * self.is_relative)
        )
        yield ""
        yield self.summary


def minima(
    network: Network | str | None,
    data: Any,
    *,
    starts: int = 32,
    options: TrainOptions | None = None,
    on_progress: OnProgress | None = None,
    **settings: Any,
) -> Minima:
    """Train one network from many starts and compare where the trainings end.

    All else is the same. The seed of a start decides its first weights, the order of the samples
    and all other chance.

    Args:
        network: A `Network` or its notation; None for the recipe's.
        data: A `Dataset`, or whatever `load` takes; its test part is not used.
        starts: Number of starts: seeds 0, 1, ...
        options: All options as one value, as for `train`; its seed has no effect.
        on_progress: Called with (done, in all), in thousandths of the work.
        settings: Changes of the options, by the arguments of `train`.

    Returns:
        The losses, and how far apart predictions and weights are. Ctrl-C ends the trainings early;
        their weights at that moment are compared.

    Raises:
        DataError: There are no samples to train on or to validate with.
        NetworkError: The network does not fit the data.
        SettingError: A setting is out of range, or fewer than two starts ended in finite numbers.

    Example:
        >>> found = ds.insight.minima("dense 8 tanh, dense 2", "moons", starts=2, epochs=1)
        >>> found.predictions_differ.shape
        (2, 2)
    """
    is_whole = isinstance(starts, int) and not isinstance(starts, bool)
    if not is_whole or not 2 <= starts <= MOST_STARTS:
        bound = f"most {MOST_STARTS:,}" if is_whole and starts > MOST_STARTS else "least 2"
        raise SettingError(
            f"The number of starts is {quoted(starts)}.",
            f"a whole number of at {bound}",
            "Try 32.",
        )
    wanted = options_from(options, settings, network)
    dataset = wanted.suited(checked(data))
    tell = on_progress or (lambda done, total: None)
    found = train_side_by_side(
        None,
        dataset,
        options=wanted,
        seeds=range(starts),
        on_progress=lambda step, steps: tell(TRAINING * step // steps, 1000),
    )
    return minima_of(found, dataset, on_progress=lambda done, total: tell(
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
    ended = [found.outcomes[index] for index in solutions.members]
    measured = solutions.measured(dataset.validation)
    predictions = [solutions.outputs(one, dataset.validation.inputs) for one in range(len(ended))]
    apart = solutions.functions_apart(predictions)
    differ = apart
    if dataset.task == "classification":
        differ = fraction_apart(np.stack([metrics.chosen_class(one) for one in predictions]))
    errors = None  # of several numbers, each in its own unit
    if solutions.spread is not None:
        misses = [abs(one - dataset.validation.targets) / solutions.spread for one in predictions]
        errors = np.array([one.mean() for one in misses])
    indices, map_fraction = classical_map(apart)
    lines = lines_from_lowest(solutions, on_progress or (lambda done, total: None))
    samples = len(dataset.train)
    per_epoch = -(-samples // found.settings[0].samples_per_step(samples))
    return Minima(
        data=dataset.name,
        task=dataset.task,
        loss=found.loss.name,
        seeds=found.seeds[solutions.members],
        train_loss=solutions.train_loss,
        validation_loss=measured[:, 0],
        validation_metric=measured[:, 1] if errors is None else errors,
        is_relative=errors is not None,
        baseline_loss=solutions.baseline(),
        predictions_differ=differ,
        functions_apart=apart,
        map=indices,
        map_fraction=map_fraction,
        weights_apart=lines.apart,
        matched_weights_apart=lines.matched_apart,
        line_losses=lines.losses,
        matched_line_losses=lines.matched_losses,
        diverged=len(found) - len(ended),
        still_falling=sum(
            bool(still_falling(found.traces[index].validation_loss)) for index in solutions.members
        ),
        epochs=max(one.step for one in ended) // per_epoch,
        is_interrupted=any(one.reason == "interrupted" for one in ended),
        seconds=found.seconds.total,
    )


def _table(found: Minima) -> Table:
    name, matched = MEASURES[found.task][0], found.matched_barriers
    head = ["seed", "training loss", "validation loss", COLUMNS[name], "differ", "distance"]
    head += ["barrier", *(["matched"] if matched is not None else [])]
    rows = []
    for index in range(min(len(found), MOST_ROWS)):
        differ = float(found.predictions_differ[0, index])
        row = [
            str(found.seeds[index]),
            rounded(found.train_loss[index]),
            rounded(found.validation_loss[index]),
            figure(name, float(found.validation_metric[index]), found.task),
        ]
        if index == 0:
            row += ["the lowest", *[""] * (len(head) - len(row) - 1)]
        else:
            row.append(f"{100 * differ:.1f} %" if name == "accuracy" else rounded(differ, 3))
            row += [f"{found.weights_apart[index]:.2f}", rounded(found.barriers[index - 1], 2)]
            row += [rounded(matched[index - 1], 2)] if matched is not None else []
        rows.append(row)
    return Table(head, rows, numeric=range(len(head)))


def _lowest(found: Minima) -> str:
    low, high = found.train_loss[0], found.train_loss[-1]
    return (
        f"Of {len(found)} starts, seed {found.seeds[0]} ended lowest, at a training loss of "
        f"{rounded(low, 3)} (highest: {rounded(high, 3)}; the best constant prediction: "
        f"{rounded(found.baseline_loss, 3)}). It is the lowest found; there may be lower ones."
    )


def _validation(found: Minima) -> str:
    loss, metric = found.validation_loss, found.validation_metric
    rank = 1 + int((loss < loss[0]).sum())
    name = MEASURES[found.task][0]
    if name == "accuracy":
        ends = f"accuracy {100 * metric.min():.1f} to {100 * metric.max():.1f} %"
    else:
        unit = " standard deviations of the targets" if found.is_relative else ""
        ends = f"MAE {rounded(metric.min(), 3)} to {rounded(metric.max(), 3)}{unit}"
    return (
        f"With the seed alone, the validation loss varies from {rounded(loss.min(), 3)} to "
        f"{rounded(loss.max(), 3)} (mean {rounded(loss.mean(), 3)}, standard deviation "
        f"{rounded(loss.std(ddof=1), 2)}; {ends}). The start with the lowest training loss has "
        f"rank {rank} of {len(found)} by validation loss."
    )


def _predictions(found: Minima) -> str:
    pairs = found.pairs_differ
    if found.task == "classification":
        return (
            f"Two of the networks predict different classes for {100 * pairs.mean():.1f} % of the "
            f"validation samples on average ({100 * pairs.min():.1f} to {100 * pairs.max():.1f} %)."
        )
    unit = " people" if found.task == "counting" else ""
    unit = " standard deviations of the targets" if found.is_relative else unit
    return (
        f"The predictions of two of the networks differ by {rounded(pairs.mean(), 3)}{unit} on "
        f"average ({rounded(pairs.min(), 3)} to {rounded(pairs.max(), 3)}; root mean square over "
        "the validation samples)."
    )


def _lines(found: Minima) -> str:
    barriers = found.barriers
    said = (
        "On the straight line from the lowest to each other one, the training loss has a barrier "
        f"of {rounded(np.median(barriers), 2)} (median; {rounded(barriers.min(), 2)} to "
        f"{rounded(barriers.max(), 2)})"
    )
    matched = found.matched_barriers
    if matched is None:
        return said + "."
    less = np.median(matched)
    said += f"; with the hidden units reordered to match, {rounded(less, 2)}"
    if np.median(barriers) > 0 and less < np.median(barriers) / 2:
        fraction = 1 - less / np.median(barriers)
        return (
            said
            + f": {100 * fraction:.0f} % of the barrier comes from the order of the units alone."
        )
    return said + ": they differ by more than the order of their units."


def _limits(found: Minima) -> list[str]:
    said = []
    if found.diverged:
        said.append(f"{found.diverged} of {len(found) + found.diverged} starts diverged.")
    if found.still_falling:
        said.append(
            f"The validation loss of {found.still_falling} was still falling: more epochs may "
            "change these results."
        )
    if found.is_interrupted:
        said.append(f"Stopped on request in epoch {found.epochs + 1}: all are shown as they were.")
    return said
