"""How the gradients become a change of the weights: optimizers and learning rates over time.

An optimizer here is everything but the learning rate, which is kept apart as plain numbers, one
per step: so one compiled program serves every rate and every schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from downslope.errors import SettingError
from downslope.names import look_up, synonyms


@dataclass(frozen=True)
class Optimizer:
    """A direction to step in, made from the gradients.

    Attributes:
        name: A name in `OPTIMIZERS`.
        momentum: Share of the last step that is kept ("momentum", "nesterov").
        weight_decay: Pull of the weights towards 0; decoupled for adamw (Loshchilov and Hutter,
            2019), added to the gradient elsewhere.
        clip_norm: Gradients longer than this are shortened to it; None leaves them alone.

    Raises:
        SettingError: An unknown name or a value out of range.
    """

    name: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 0.0
    clip_norm: float | None = None

    def __post_init__(self) -> None:
        look_up(self.name, OPTIMIZERS, "optimizer", SettingError, OPTIMIZER_SYNONYMS)
        if not 0 <= self.momentum < 1:
            raise SettingError(
                f"The momentum is {self.momentum}.", "at least 0 and below 1", "0.9 is usual."
            )
        if not (self.weight_decay >= 0 and math.isfinite(self.weight_decay)):
            raise SettingError(
                f"The weight decay is {self.weight_decay}.", "at least 0", "0.0001 is usual."
            )
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise SettingError(
                f"The clip norm is {self.clip_norm}.", "a number above 0", "1 is usual."
            )

    @property
    def form(self) -> Optimizer:
        """The same without its numbers, which a compiled program takes as arguments."""
        clip = None if self.clip_norm is None else 1.0
        return Optimizer(self.name, 0.0, 1.0 if self.weight_decay else 0.0, clip)

    @property
    def numbers(self) -> OptimizerNumbers:
        """Its numbers, as arrays of the engine."""
        clip = math.inf if self.clip_norm is None else self.clip_norm
        return OptimizerNumbers(*map(np.float32, (self.momentum, self.weight_decay, clip)))

    def direction(self, numbers: OptimizerNumbers | None = None) -> optax.GradientTransformation:
        """The optax transformation from gradients to the direction of the step, uphill.

        Args:
            numbers: Those to use instead of its own, such as arguments of a compiled program.
        """
        momentum, weight_decay, clip_norm = self.numbers if numbers is None else numbers
        parts = []
        if self.clip_norm is not None:
            parts.append(_clipped(clip_norm))
        if self.weight_decay and self.name != "adamw":
            parts.append(optax.add_decayed_weights(weight_decay))
        parts.append(OPTIMIZERS[self.name](momentum))
        if self.weight_decay and self.name == "adamw":
            parts.append(optax.add_decayed_weights(weight_decay))
        return optax.chain(*parts)


class OptimizerNumbers(NamedTuple):
    """The numbers of an optimizer, each (), float32; attributes are those of `Optimizer`."""

    momentum: Any
    weight_decay: Any
    clip_norm: Any


def _clipped(most: Any) -> optax.GradientTransformation:
    """Gradients shortened to a length of `most`, also where its square leaves float32's range.

    optax's own would make gradients of which one is above 1.8e19 zero, without a word.
    """
    usual = optax.clip_by_global_norm(most)

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        clipped, state = usual.update(updates, state, params)
        is_huge = ~jnp.isfinite(optax.tree.norm(updates))
        small = jax.tree.map(lambda one: one * 2.0**-100, updates)  # whose squares have room
        length = optax.tree.norm(small)
        return jax.tree.map(
            lambda one, own: jnp.where(is_huge, own / length * most, one), clipped, small
        ), state

    return optax.GradientTransformation(usual.init, update)


def keeps_state(before: Optimizer, now: Optimizer) -> bool:
    """Whether the optimizer state of one means the same to the other.

    momentum and nesterov both keep the sum of the gradients, each step's share of it smaller by
    the momentum; adam and adamw both keep the means of the gradients and of their squares, unless
    weight decay is a part of these gradients.
    """
    names = {before.name, now.name}
    if names == {"adam", "adamw"}:
        return all(not one.weight_decay for one in (before, now) if one.name == "adam")
    return before.name == now.name or names == {"momentum", "nesterov"}


def carried_over(state: Any, before: Optimizer, now: Optimizer, fresh: Any) -> tuple[Any, str]:
    """The optimizer state of a training that goes on, perhaps with another optimizer.

    Args:
        state: What `before` left; None where that is not known.
        before: The optimizer so far.
        now: The optimizer from here on.
        fresh: The state that `now` begins with.

    Returns:
        The state, and a sentence where one that there was, or had been, is not used.
    """
    leaves, structure = jax.tree.flatten(fresh)
    if not leaves:
        return fresh, ""
    if not keeps_state(before, now):
        return fresh, (
            f"{now.name} starts with a fresh optimizer state: what {before.name} kept means "
            "nothing to it."
        )
    kept = jax.tree.leaves(state)
    if [np.shape(one) for one in kept] != [one.shape for one in leaves]:
        return fresh, f"{now.name} starts with a fresh optimizer state: none was kept."
    return jax.tree.unflatten(structure, kept), ""


def _rmsprop(momentum: Any) -> optax.GradientTransformation:
    return optax.scale_by_rms(0.9, 1e-8, eps_in_sqrt=False)  # Tieleman and Hinton, 2012


def _adam(momentum: Any) -> optax.GradientTransformation:
    return optax.scale_by_adam(b1=0.9, b2=0.999, eps=1e-8)  # Kingma and Ba, 2015


OPTIMIZERS: Mapping[str, Callable[[Any], optax.GradientTransformation]] = MappingProxyType(
    {
        "sgd": lambda momentum: optax.identity(),
        "momentum": lambda momentum: optax.trace(momentum),  # Polyak, 1964
        "nesterov": lambda momentum: optax.trace(momentum, nesterov=True),  # 1983
        "rmsprop": _rmsprop,
        "adam": _adam,
        "adamw": _adam,
    }
)


# what other libraries call them, and the nearest to those that there are not
OPTIMIZER_SYNONYMS = synonyms(
    {
        "sgd": "gd gradientdescent stochasticgradientdescent vanilla",
        "momentum": "sgdmomentum sgdm heavyball sgdwithmomentum",
        "nesterov": "nag nesterovmomentum sgdnesterov",
        "rmsprop": "rms",
        "adamw": "adamwithweightdecay",
        "The nearest that there is: 'adam'. From Python an optax transformation can be given.": (
            "nadam radam adamax adagrad adadelta adabelief amsgrad yogi ftrl lamb lars "
            "lion adafactor muon sparseadam"
        ),
        "Use 'adam': all of them here work on gradients of batches.": (
            "lbfgs bfgs newton cg conjugategradient"
        ),
    }
)
SCHEDULE_SYNONYMS = synonyms(
    {
        "constant": "none fixed const flat",
        "cosine": "cosineannealing cosineannealinglr cosinedecay cosinelr",
        "one-cycle": "1cycle onecyclelr onecyclepolicy triangular",
        "step": "steplr multistep multisteplr stepdecay piecewise",
        "The nearest that there is: 'cosine', which falls to 0.": (
            "exponential exponentiallr linear linearlr polynomial adaptive invscaling "
            "reducelronplateau plateau warmup"
        ),
    }
)


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes over the steps of a training.

    Attributes:
        kind: A name in `SCHEDULES`.
        warm_up: Share of all steps over which the rate rises from 0 in a straight line first.

    Raises:
        SettingError: An unknown kind or a share out of range.
    """

    kind: str = "constant"
    warm_up: float = 0.0

    def __post_init__(self) -> None:
        look_up(self.kind, SCHEDULES, "schedule", SettingError, SCHEDULE_SYNONYMS)
        if not 0 <= self.warm_up < 1:
            raise SettingError(
                f"The warm-up is {self.warm_up}.",
                "a share of all steps, at least 0 and below 1",
                "0.1 is usual.",
            )

    def rates(self, learning_rate: float, total_steps: int) -> np.ndarray:
        """The learning rate of every step, shape (total_steps,), float32.

        Args:
            learning_rate: The highest rate.
            total_steps: How many steps the training has.
        """
        rising = round(self.warm_up * total_steps)
        rest = max(1, total_steps - rising)
        shares = SCHEDULES[self.kind](np.arange(total_steps - rising), rest)
        if rising:
            climb = 1 / rising + (1 - 1 / rising) * np.arange(rising) / rising
            shares = np.concatenate([climb, shares])
        return (learning_rate * shares).astype(np.float32)


def _constant(steps: np.ndarray, total: int) -> np.ndarray:
    return np.ones(len(steps))


def _step(steps: np.ndarray, total: int) -> np.ndarray:
    """A tenth after half of the steps, a hundredth after three quarters (He et al., 2015)."""
    half, three_quarters = (steps >= max(1, total * part // 4) for part in (2, 3))
    return np.where(half, 0.1, 1.0) * np.where(three_quarters, 0.1, 1.0)


def _cosine(steps: np.ndarray, total: int) -> np.ndarray:
    """Down to nothing along half a wave (Loshchilov and Hutter, 2017)."""
    return (1 + np.cos(np.pi * steps / total)) / 2


def _one_cycle(steps: np.ndarray, total: int) -> np.ndarray:
    """Up over the first 30 %, then down to almost nothing (Smith and Topin, 2018)."""
    if total < 4:  # too short to rise and fall
        return np.ones(len(steps))
    top = int(0.3 * total)
    first, last = 1 / 25, 1 / 25e4
    rising = 1 + (first - 1) * _cosine(steps, max(1, top))
    falling = last + (1 - last) * _cosine(steps - top, total - top)
    return np.where(steps < top, rising, falling)


# each gives, for some steps out of a total, the share of the highest rate that they are made with;
# in NumPy, since optax's, which they equal, are compiled anew for every training
SCHEDULES: Mapping[str, Callable[[np.ndarray, int], np.ndarray]] = MappingProxyType(
    {"constant": _constant, "step": _step, "cosine": _cosine, "one-cycle": _one_cycle}
)


def check_learning_rate(rate: float) -> None:
    """Check that a learning rate is a finite number above 0.

    Raises:
        SettingError: It is not.
    """
    if isinstance(rate, str) and rate == "auto":
        raise SettingError(
            "The learning rate is 'auto'.",
            "a number above 0",
            "Find one with downslope.insight.find_rate, which takes the same arguments, and give "
            "its .rate.",
        )
    usable = isinstance(rate, int | float) and not isinstance(rate, bool)
    if not usable or not math.isfinite(rate) or rate <= 0:
        raise SettingError(
            f"The learning rate is {rate!r}.",
            "a number above 0",
            "Try 0.1 for sgd or 0.001 for adam.",
        )
