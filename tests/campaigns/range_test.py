"""The range test of other libraries, and how they read a learning rate from its curve.

One training whose rate grows from step to step draws loss over rate (Smith, Cyclical learning
rates for training neural networks, 2017). PyTorch Lightning and fastai document what they take
from the curve; here are the same rules in our words, on curves of the same form: 100 steps, losses
averaged with 0.98 and corrected for their start, ended where one is four times the lowest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import downslope as ds
from downslope.engine import loop
from downslope.engine.compilation import compiled
from downslope.nn.losses import resolve
from downslope.runs.preparation import Preparation
from downslope.runs.validate import DEFAULT_LOSS

LOWEST, HIGHEST, STEPS = 1e-7, 10.0, 100  # fastai's
AVERAGED, TOO_MUCH = 0.98, 4.0  # both libraries'


class Curve(NamedTuple):
    """Averaged losses of a training whose rate grows."""

    rates: np.ndarray
    losses: np.ndarray


def range_test(network: ds.Network, data: ds.Dataset, seed: int = 0, **settings) -> Curve:
    """Draw the curve with our loop, for a training of these settings."""
    settings = {name: settings.get(name) for name in ("optimizer", "batch_size", "loss")}
    loss = resolve(settings["loss"] or DEFAULT_LOSS[data.task])
    optimizer = settings["optimizer"] or "sgd"
    if isinstance(optimizer, str):
        optimizer = ds.Optimizer(optimizer)
    size = settings["batch_size"] or 32
    per_epoch = -(-len(data.train) // (len(data.train) if size == "full" else size))
    chosen = ds.Settings(
        loss=loss.name,
        optimizer=optimizer,
        batch_size=size,
        epochs=-(-STEPS // per_epoch),
        seed=seed,
    )
    prepared = Preparation(network, data, loss, chosen)
    start = prepared.start()
    rates = np.geomspace(LOWEST, HIGHEST, STEPS)
    batches = prepared.plan.batches(0, STEPS)
    arguments = (
        start.state,
        prepared.material(start.key),
        batches,
        rates.astype(np.float32),
        np.int32(STEPS),
    )
    _, rows = compiled(loop.run_chunk, prepared.program, *arguments)(*arguments)
    return averaged(rates, np.asarray(rows.batch_loss, np.float64))


def averaged(rates: np.ndarray, losses: np.ndarray) -> Curve:
    """The running average, up to where it explodes."""
    kept, mean, lowest = [], 0.0, np.inf
    for step, loss in enumerate(losses, start=1):
        mean = AVERAGED * mean + (1 - AVERAGED) * loss
        value = mean / (1 - AVERAGED**step)
        if not np.isfinite(value) or (step > 1 and value > TOO_MUCH * lowest):
            break
        lowest = min(lowest, value)
        kept.append(value)
    return Curve(rates[: len(kept)], np.array(kept))


def lightning(curve: Curve) -> float | None:
    """Where the curve falls most from one step to the next, without 10 steps before and 1 after."""
    rates, losses = curve.rates[10:-1], curve.losses[10:-1]
    return float(rates[np.gradient(losses).argmin()]) if len(losses) > 1 else None


def fastai_steep(curve: Curve) -> float | None:
    """Where it falls most for a rate that grows by a factor, without a tenth before and 5 after."""
    rates, losses = curve.rates[STEPS // 10 : -5], curve.losses[STEPS // 10 : -5]
    if len(losses) < 2:
        return None
    return float(rates[(np.diff(losses) / np.diff(np.log(rates))).argmin()])


def fastai_valley(curve: Curve) -> float | None:
    """The middle of the longest fall: of its longest falling subsequence, a half of the way."""
    rates, losses = curve.rates[STEPS // 10 : -5], curve.losses[STEPS // 10 : -5]
    if len(losses) < 2:
        return None
    length = np.ones(len(losses), int)  # of the longest falling subsequence that ends here
    for end in range(1, len(losses)):
        before = length[:end][losses[:end] > losses[end]]
        length[end] = 1 + before.max(initial=0)
    end = int(length.argmax())
    start = end - int(length[end])
    third = (end - start) / 3
    return float(rates[max(0, start + int(third) + int(third / 2))])


RULES = {
    "Lightning": lightning,
    "fastai steep": fastai_steep,
    "fastai valley": fastai_valley,
}
