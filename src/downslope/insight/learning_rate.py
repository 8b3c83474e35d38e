"""Which learning rate is good for a training, measured by training.

A first look trains shortly at rates from far too small to far too large. A second look trains at
rates around the best of the first, with several seeds and if it can be afforded as long as the
training itself will be: what a short training prefers is not what a long one ends best with. The
recommended rate has the lowest validation loss once seeds and neighbouring rates are averaged, so
that no lucky training decides.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import jax
import numpy as np
from jaxtyping import Float

from downslope.data.checks.check_data import checked
from downslope.data.dataset import Samples
from downslope.data.progress import OnProgress
from downslope.engine.losses_at import losses_at
from downslope.engine.model import Model
from downslope.engine.settings import Settings
from downslope.errors import DataError, SettingError
from downslope.insight.curvature import Curvature, curvature
from downslope.insight.learning_rate_choice import Choice, best_of, choose, drift, merged
from downslope.insight.learning_rate_trials import (
    ABOVE,
    BELOW,
    MOST_SAMPLES,
    RATIO,
    WIDE,
    WIDE_SHARE,
    Effort,
    Question,
    Round,
    effort_for,
    train_some,
    try_rates,
)
from downslope.nn.network import Network, NetworkParameters
from downslope.numerals import rounded
from downslope.result import PROGRAM_ONLY, Part, Result
from downslope.runs.preparation import sample_weights
from downslope.runs.train_options import TrainOptions, options_from

SECONDS = 20.0  # that may be spent, about, unless the training itself takes longer
MOST_EXTENSIONS = 2  # of the second look
SLOWER, FASTER = 3.0, 2.0  # how far beyond the borders the proof's other two rates are
_BEND_PRODUCTS = 4e10  # multiplications for the curvature, about


@dataclass(frozen=True, eq=False)
class Proof:
    """A short training at one rate.

    Attributes:
        name: "too small", "good" or "overshoots".
        rate: The learning rate.
        batch_loss: The loss of each step's batch, (steps,).
    """

    name: str
    rate: float
    batch_loss: Float[np.ndarray, " steps"]


@dataclass(frozen=True, eq=False)
class FoundRate(Result):
    """Which learning rates are good for a training.

    Attributes:
        learning_rate: The recommended rate.
        good: The lowest and the highest rate that end within a tenth of the lowest validation
            loss.
        overshoots: The lowest rate above the recommended one at which steps overshoot: a training
            diverged, rose to twice the loss at the start, or gained less than nine tenths of the
            largest fall of the training loss; None where none was tried.
        too_slow: The rate below which less than nine tenths are gained, because the steps are too
            small; None where none was tried.
        first_look: Short trainings at rates from far too small to far too large.
        second_look: Trainings at rates around the best of them.
        choice: The averaged losses that decided.
        start_loss: The training loss at the first weights, averaged over the seeds.
        proof: Three short trainings: too small, good, overshooting.
        curvature: The largest curvature of the training loss at the first weights; None where it
            is not finite.
        settings: The settings, with the recommended rate.
        data: Name of the data set.
        seconds: How long the search took, in seconds.
    """

    learning_rate: float
    good: tuple[float, float]
    overshoots: float | None
    too_slow: float | None
    first_look: Round
    second_look: Round
    choice: Choice
    start_loss: float
    proof: tuple[Proof, ...]
    curvature: Curvature | None
    settings: Settings = field(metadata=PROGRAM_ONLY)
    data: str
    seconds: float

    _also: ClassVar[tuple[str, ...]] = ("diverges_above",)

    @property
    def summary(self) -> str:
        """What was found, in sentences."""
        low, high = self.good
        said = [
            f"A good learning rate is {rounded(self.learning_rate)}: with {rounded(low, 2)} to "
            f"{rounded(high, 2)}, training ends within 10 % of the lowest validation loss."
        ]
        if self.overshoots is not None:
            said.append(f"It overshoots above {rounded(self.overshoots, 2)}.")
        if self.too_slow is not None:
            said.append(f"It is too slow below {rounded(self.too_slow, 2)}.")
        return " ".join(said)

    @property
    def diverges_above(self) -> float | None:
        """Above which rate the curvature makes full-batch steps diverge; None if no rule holds."""
        bend = self.curvature
        return None if bend is None else bend.highest_rate_of(self.settings.optimizer)

    def parts(self) -> Iterator[Part]:
        """The summary, what the curvature says, and how it was found."""
        yield self.summary
        if self.about_curvature:
            yield self.about_curvature
        yield self.how

    @property
    def how(self) -> str:
        """How it was found, in a sentence."""
        near, wide = self.second_look, self.first_look
        length = (
            "the whole length"
            if near.fraction == 1
            else f"{rounded(near.fraction, 2)} of the length"
        )
        return (
            f"Tried: {len(wide.rates)} rates for {wide.steps:,} steps, then {len(near.rates)} "
            f"rates with {len(near.seeds)} seeds for {near.steps:,} steps, {length} of the "
            "training."
        )

    @property
    def about_curvature(self) -> str:
        """What the curvature says, in a sentence; empty where nothing is known of it."""
        bend = self.curvature
        if bend is None or not math.isfinite(bend.highest_rate):
            return ""
        text = (
            "Largest curvature of the training loss at the initial weights (the Hessian's largest "
            f"eigenvalue): {rounded(bend.eigenvalue, 3)}. Full-batch gradient descent diverges "
            f"above a rate of 2 / {rounded(bend.eigenvalue, 3)} = {rounded(bend.highest_rate, 3)}"
        )
        own = self.diverges_above
        if own is not None and self.settings.optimizer.name != "sgd":
            text += f", full-batch {self.settings.optimizer.name} above {rounded(own, 3)}"
        return text + "."


def find_rate(
    network: Network | str | None,
    data: Any,
    *,
    options: TrainOptions | None = None,
    seconds: float = SECONDS,
    on_progress: OnProgress | None = None,
    **settings: Any,
) -> FoundRate:
    """Find a good learning rate by many short trainings side by side.

    It changes nothing: no weight, no random state. The same arguments give the same bits on one
    machine.

    Smith, Cyclical learning rates for training neural networks, 2017, raises the rate within a
    single training instead.

    Args:
        network: A `Network` or its notation; None for the recipe's.
        data: A `Dataset`, or whatever `load` takes; the test part is not used.
        options: All options as one value, as for `train`; its learning rate has no effect. The
            search uses its seed and the next few.
        seconds: About how long the search may take on two cores, in seconds, without compiling; or
            about as long as the training itself, where that takes longer. The time is computed from
            the number of multiplications, so that the search is the same on every machine.
        on_progress: Called with (done, in all), in hundredths of all steps.
        settings: Changes of the options, by the arguments of `train`.

    Returns:
        The rate, the range of good rates, and the trainings that show it.

    Raises:
        DataError: There are no samples, or the loss is finite at no rate.
        KeyboardInterrupt: It was stopped with Ctrl-C.
        NetworkError: The network does not fit the data.
        SettingError: A setting is unknown or out of range.

    Example:
        >>> found = ds.insight.find_rate("dense 2", "moons", epochs=1, seconds=0.1)
        >>> lowest, highest = found.good
        >>> bool(lowest <= found.learning_rate <= highest)
        True
    """
    began = time.perf_counter()
    if not 0 < seconds < math.inf:
        raise SettingError(
            f"The search may take {seconds!r} seconds.",
            "a number above 0",
            f"{rounded(SECONDS, 6)} are usual.",
        )
    wanted = options_from(options, settings, network).replace(learning_rate=None)
    planned = wanted.plan(checked(data))
    question = Question(planned.network, planned.dataset, planned.loss, planned.settings)
    effort = effort_for(question, seconds)
    tell = _Parts(on_progress)
    starts = _starts(question, effort.seeds)
    start_losses = _start_losses(question, starts)

    fraction = effort.fraction * WIDE_SHARE
    wide = try_rates(question, WIDE, question.seeds(1), fraction, start_losses, tell.part(0, 15))
    near = _second_look(question, wide, effort, start_losses, tell)
    choice = choose(near)
    rate = choice.rate
    if effort.fraction < 1:
        rate *= drift(best_of(wide), rate, WIDE_SHARE, effort.fraction)
    rate = float(f"{rate:.3g}")
    low, high = (end * rate / choice.rate for end in choice.good)
    overshoots = choice.overshoots(near, wide)
    too_slow = choice.too_slow(near, wide)
    proof = _prove(question, rate, too_slow, overshoots, fraction, tell)
    bend = _bend(question, starts[0])
    tell.end()
    return FoundRate(
        learning_rate=rate,
        good=(low, high),
        overshoots=overshoots,
        too_slow=too_slow,
        first_look=wide,
        second_look=near,
        choice=choice,
        start_loss=near.start_loss,
        proof=proof,
        curvature=bend,
        settings=replace(question.settings, learning_rate=rate),
        data=planned.dataset.name,
        seconds=time.perf_counter() - began,
    )


def _second_look(
    question: Question, wide: Round, effort: Effort, start_losses: np.ndarray, tell: _Parts
) -> Round:
    """Rates around the best of the first look; more of them where the best is at an edge."""
    middle = best_of(wide)
    first, count = -BELOW, BELOW + 1 + ABOVE  # all rates are powers of one ratio: rounds fit
    lowest, seeds, found = first, question.seeds(effort.seeds), None
    for turn in range(1 + MOST_EXTENSIONS):
        rates = middle * RATIO ** np.arange(first, first + count, dtype=float)
        part = tell.part(15 + 75 * turn // 3, 15 + 75 * (turn + 1) // 3)
        one = try_rates(question, rates, seeds, effort.fraction, start_losses, part)
        found = one if found is None else merged(found, one)
        index = choose(found).index
        if index <= 1:
            first = lowest = lowest - count
        elif index >= len(found.rates) - 2:
            first = lowest + len(found.rates)
        else:
            break
    assert found is not None  # there was one turn at least
    return found


def _prove(
    question: Question,
    rate: float,
    too_slow: float | None,
    overshoots: float | None,
    fraction: float,
    tell: _Parts,
) -> tuple[Proof, ...]:
    """Short trainings at the rate that was found, and well beyond the borders."""
    rates = {"good": rate}
    if too_slow is not None:
        rates = {"too small": too_slow / SLOWER, **rates}
    if overshoots is not None:
        rates["overshoots"] = overshoots * FASTER
    seeds = np.repeat(question.seeds(1), len(rates))
    found = train_some(question, np.array([*rates.values()]), seeds, fraction, tell.part(90, 97))
    return tuple(
        Proof(name, value, trace.batch_loss)
        for (name, value), trace in zip(rates.items(), found.traces, strict=True)
    )


def _some(question: Question, most: int) -> Samples:
    """Some training samples, as training weighs them."""
    train, settings = question.dataset.train, question.settings
    classes = len(question.dataset.class_names)
    weights = sample_weights(train, settings.class_weights, classes)
    weighed = replace(train, weights=weights)
    if len(train) <= most:
        return weighed
    return weighed.take(np.sort(np.random.default_rng(0).permutation(len(train))[:most]))


def _starts(question: Question, count: int) -> list[NetworkParameters]:
    """The first weights of each seed."""
    shape, draw = question.dataset.input_shape, jax.jit(question.network.init, static_argnums=0)
    seeds = question.seeds(count).astype(np.uint32)
    return [jax.tree.map(np.asarray, draw(shape, seed)) for seed in seeds]


def _start_losses(question: Question, starts: list[NetworkParameters]) -> np.ndarray:
    """The training loss at the first weights of each seed."""
    weights = jax.tree.map(lambda *leaves: np.stack(leaves), *starts)
    model = Model.on(question.dataset, question.network, question.loss, weights)
    return losses_at(model, _some(question, MOST_SAMPLES))


def _bend(question: Question, weights: NetworkParameters) -> Curvature | None:
    each = question.network.multiplications(question.dataset.input_shape)
    most = int(min(MOST_SAMPLES, max(32, _BEND_PRODUCTS / (240 * max(1, each)))))
    try:
        model = Model.on(question.dataset, question.network, question.loss, weights)
        return curvature(model, _some(question, most))
    except DataError:
        return None


class _Parts:
    """Hundredths of the whole work, told as its parts go on."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self.on_progress = on_progress

    def part(self, start: int, end: int) -> OnProgress | None:
        """What a part that takes from `start` to `end` hundredths is to call."""
        if self.on_progress is None:
            return None
        told = self.on_progress
        return lambda done, total: told(start + (end - start) * done // total, 100)

    def end(self) -> None:
        """Say that all is done."""
        if self.on_progress is not None:
            self.on_progress(100, 100)
