"""How the gradients become a change of the weights: optimizers and learning rates over time.

An optimizer here is everything but the learning rate, which is kept apart as plain numbers, one
per step: so one compiled program serves every rate and every schedule.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from downslope.errors import Faults, SettingError, quoted
from downslope.names import Registry, own_name
from downslope.numerals import rounded


@dataclass(frozen=True)
class Bounds:
    """The default of a setting, and which values it can have.

    Attributes:
        default: What holds where nothing is said.
        low: The smallest value.
        high: What values are below; None for no bound.
        words: The same in words, for messages.
        is_above: Whether `low` itself is too small.
        usual: A usual value, where the default is none.
    """

    default: float | None
    low: float
    high: float | None
    words: str
    is_above: bool = False
    usual: float | None = None

    def check(self, name: str, value: Any) -> None:
        """Check a value of the setting called `name`.

        Raises:
            SettingError: It is out of range, or no number.
        """
        is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if is_number and math.isfinite(value):
            above = value > self.low if self.is_above else value >= self.low
            if above and (self.high is None or value < self.high):
                return
        raise SettingError(
            f"The {name.replace('_', ' ')} is {value!r}.",
            self.words,
            f"{rounded(self.usual or self.default or 0, 6)} is usual.",
        )


def _fraction(default: float) -> Bounds:
    return Bounds(default, 0, 1, "at least 0 and below 1")


EPS = Bounds(1e-8, 0, None, "a number above 0", is_above=True)
# of every optimizer
WEIGHT_DECAY = Bounds(0.0, 0, None, "at least 0", usual=1e-4)
CLIP_NORM = Bounds(None, 0, None, "a number above 0", is_above=True, usual=1.0)


@dataclass(frozen=True)
class OptimizerRecord:
    """All that is known of one kind of optimizer.

    Attributes:
        name: Its name.
        learning_rate: The rate that it is usually given.
        formula: The update, which the learning rate multiplies before it is subtracted from the
            weights w: in plain text, of the gradient g, and of what the optimizer keeps.
        source: Where it was published.
        direction: Makes the optax transformation from gradients to the update, from a value for
            each of its settings.
        settings: Its own settings.
        state: What its optimizer state is: optimizers of the same state can take over each
            other's. Empty where it keeps none.
        decouples: Whether weight decay is added to the update (Loshchilov and Hutter, 2019)
            rather than to the gradient.
        highest_rate: From the momentum to the largest learning rate of full-batch descent at
            which a bowl of curvature 1 does not diverge; None where there is no such rule.
        synonyms: What other libraries call it.
    """

    name: str
    learning_rate: float
    formula: str
    source: str
    direction: Callable[..., optax.GradientTransformation]
    settings: Mapping[str, Bounds] = field(default_factory=dict)
    state: str = ""
    decouples: bool = False
    highest_rate: Callable[[float], float] | None = None
    synonyms: str = ""


_ADAM = MappingProxyType({"b1": _fraction(0.9), "b2": _fraction(0.999), "eps": EPS})
_MOMENTUM = MappingProxyType({"momentum": _fraction(0.9)})

# Learning rates are those that work for most networks; `docs/recipes.md` has the figures.
OPTIMIZERS = Registry(
    "optimizer",
    SettingError,
    [
        OptimizerRecord(
            "sgd",
            0.1,
            "g",
            "Robbins and Monro, A stochastic approximation method, 1951",
            optax.identity,
            highest_rate=lambda m: 2.0,
            synonyms="gd gradientdescent stochasticgradientdescent vanilla",
        ),
        OptimizerRecord(
            "momentum",
            0.05,
            "v, where v <- momentum v + g",
            "Polyak, Some methods of speeding up the convergence of iteration methods, 1964",
            lambda momentum: optax.trace(momentum),
            _MOMENTUM,
            state="sum of the gradients",
            highest_rate=lambda m: 2 * (1 + m),
            synonyms="sgdmomentum sgdm heavyball sgdwithmomentum",
        ),
        OptimizerRecord(
            "nesterov",
            0.05,
            "g + momentum v, where v <- momentum v + g",
            "Nesterov, A method of solving a convex programming problem with convergence rate "
            "O(1/k^2), 1983",
            lambda momentum: optax.trace(momentum, nesterov=True),
            _MOMENTUM,
            state="sum of the gradients",
            highest_rate=lambda m: (2 + 2 * m) / (1 + 2 * m),
            synonyms="nag nesterovmomentum sgdnesterov",
        ),
        OptimizerRecord(
            "rmsprop",
            0.001,
            "g / (sqrt(v) + eps), where v <- decay v + (1 - decay) g^2",
            "Tieleman and Hinton, Lecture 6.5 of Neural Networks for Machine Learning, 2012",
            lambda decay, eps: optax.scale_by_rms(decay, eps, eps_in_sqrt=False),
            MappingProxyType({"decay": _fraction(0.9), "eps": EPS}),
            state="mean of the squared gradients",
            synonyms="rms",
        ),
        OptimizerRecord(
            "adam",
            0.001,
            "m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps) in step t, where "
            "m <- b1 m + (1 - b1) g and v <- b2 v + (1 - b2) g^2",
            "Kingma and Ba, Adam: a method for stochastic optimization, 2015",
            optax.scale_by_adam,
            _ADAM,
            state="means of the gradients and of their squares",
        ),
        OptimizerRecord(
            "adamw",
            0.001,
            "adam's + weight_decay w",
            "Loshchilov and Hutter, Decoupled weight decay regularization, 2019",
            optax.scale_by_adam,
            _ADAM,
            state="means of the gradients and of their squares",
            decouples=True,
            synonyms="adamwithweightdecay",
        ),
    ],
    instead={
        "The nearest that there is: 'adam'. From Python an optax transformation can be given.": (
            "nadam radam adamax adagrad adadelta adabelief amsgrad yogi ftrl lamb lars "
            "lion adafactor muon sparseadam"
        ),
        "Use 'adam': all of them here work on gradients of batches.": (
            "lbfgs bfgs newton cg conjugategradient"
        ),
    },
)
_STORABLE = ("float32", "float64", "float16", "int32", "int64", "uint32", "bool")
# what a compiled program takes as an argument; it is compiled anew for other values of the others
_ARGUMENTS = ("momentum",)


@dataclass(frozen=True)
class Optimizer:
    """How gradients become the update of the weights.

        w <- w - learning rate * direction(gradient, optimizer state)

    `print(ds.catalogue("optimizers"))` shows the direction of each, its settings and its source.

    Attributes:
        name: A name in `OPTIMIZERS`, or a name for a transformation of your own.
        momentum: Fraction of the last update that is kept ("momentum", "nesterov").
        decay: Fraction of the mean of squared gradients that is kept ("rmsprop").
        b1: Fraction of the mean of gradients that is kept ("adam", "adamw").
        b2: Fraction of the mean of squared gradients that is kept ("adam", "adamw").
        eps: Added to the divisor ("rmsprop", "adam", "adamw").
        weight_decay: Pull of the weights towards 0; decoupled for adamw (Loshchilov and Hutter,
            2019), added to the gradient elsewhere.
        clip_norm: Longer gradients are shortened to this length; None leaves them alone.
        transformation: An `optax.GradientTransformation` of your own. Its updates, multiplied by
            the learning rate (1 unless another is given), are added to the weights, as
            `optax.apply_updates` does.
        is_own: Whether it is a transformation of your own. An optimizer that was read from a run
            folder without its transformation cannot train.

    A setting that is left out has the optimizer's default.

    Raises:
        SettingError: An unknown name, a setting that the optimizer does not have, or a value out
            of range.

    Example:
        >>> ds.Optimizer("adam", b1=0.95).b2
        0.999
        >>> import optax
        >>> ds.Optimizer("lion", transformation=optax.lion(0.001)).learning_rate
        1.0
    """

    name: str = "sgd"
    momentum: float | None = None
    decay: float | None = None
    b1: float | None = None
    b2: float | None = None
    eps: float | None = None
    weight_decay: float = 0.0
    clip_norm: float | None = None
    transformation: Any = None
    is_own: bool = False

    def __post_init__(self) -> None:
        if self.transformation is not None:
            _check_transformation(self.transformation)
            object.__setattr__(self, "is_own", True)
        faults = Faults()
        for name in SETTINGS:
            with faults.check():
                self._set(name, self.record.settings)
        with faults.check():
            WEIGHT_DECAY.check("weight_decay", self.weight_decay)
        if self.clip_norm is not None:
            with faults.check():
                CLIP_NORM.check("clip_norm", self.clip_norm)
        faults.tell()

    def _set(self, name: str, own: Mapping[str, Bounds]) -> None:
        """Check a setting that only some optimizers have; its default where it is left out."""
        value = getattr(self, name)
        if name not in own:
            if value is not None:
                raise SettingError(
                    f"The optimizer {self.name} was given {name}={value!r}.",
                    "settings among " + ", ".join([*own, "weight_decay", "clip_norm"]),
                    "Leave it out, or choose an optimizer that has it.",
                )
        elif value is None:
            object.__setattr__(self, name, own[name].default)
        else:
            own[name].check(name, value)
            object.__setattr__(self, name, float(value))

    @property
    def record(self) -> OptimizerRecord:
        """The record of this optimizer: formula, settings, source."""
        return _own_record(self.name) if self.is_own else OPTIMIZERS.find(self.name)

    @property
    def stored(self) -> Optimizer:
        """The part that a run folder stores; a transformation of your own is code."""
        return replace(self, transformation=None)

    @property
    def learning_rate(self) -> float:
        """The default learning rate of this optimizer."""
        return self.record.learning_rate

    @property
    def own_settings(self) -> dict[str, float]:
        """The settings of this optimizer, by their names."""
        return {name: getattr(self, name) for name in self.record.settings}

    def is_usual(self, name: str) -> bool:
        """Whether a setting has its default, or does not apply to this optimizer."""
        own = self.record.settings
        return name not in own or getattr(self, name) == own[name].default

    @property
    def form(self) -> Optimizer:
        """The same without the numbers that a compiled program takes as arguments."""
        taken = {name: 0.0 for name in _ARGUMENTS if name in self.record.settings}
        decay = 1.0 if self.weight_decay else 0.0
        clip = None if self.clip_norm is None else 1.0
        return replace(self, **taken, weight_decay=decay, clip_norm=clip)

    @property
    def numbers(self) -> OptimizerNumbers:
        """These numbers, as arrays of the engine."""
        clip = math.inf if self.clip_norm is None else self.clip_norm
        return OptimizerNumbers(*map(np.float32, (self.momentum or 0, self.weight_decay, clip)))

    def check_own(self, parameters: Any) -> None:
        """Check that the user's own transformation works on parameters of these shapes.

        Raises:
            SettingError: It fails, or needs more than gradients, its state and the parameters; or
                its state changes its shape, or holds what no file of arrays can.
        """
        update, advice = self.direction(), "Choose another optimizer of optax."
        try:
            state = jax.eval_shape(update.init, parameters)
            updates, after = jax.eval_shape(update.update, parameters, state, parameters)
        except Exception as error:  # whatever a transformation of the user's own raises
            raise SettingError(
                f"The optimizer {self.name} failed ({type(error).__name__}: {error}).",
                "a transformation that needs gradients, its own state and the parameters alone",
                advice,
            ) from error
        signature = jax.tree.map(lambda one: (one.shape, one.dtype), (parameters, state))
        if jax.tree.map(lambda one: (one.shape, one.dtype), (updates, after)) != signature:
            raise SettingError(
                f"The optimizer {self.name} gives updates or a state of other shapes or types.",
                "updates like the parameters, and a state that stays as it was made",
                advice,
            )
        kinds = {str(one.dtype) for one in jax.tree.leaves(state)}
        if strange := sorted(one for one in kinds if one not in _STORABLE):
            raise SettingError(
                f"The optimizer {self.name} has a state of type {', '.join(strange)}.",
                "arrays of " + ", ".join(_STORABLE) + ", which checkpoints can hold",
                "Leave its own type for the state out, and give it keys by jax.random.PRNGKey.",
            )

    @property
    def _downhill(self) -> optax.GradientTransformation:
        """The user's own transformation, whose updates are added, in the loop, which subtracts."""
        if self.transformation is None:
            raise SettingError(
                f"The optimizer {self.name} is the user's own, and not at hand.",
                "its optax.GradientTransformation",
                f"Give optimizers={{'{self.name}': TRANSFORMATION}} where the run is opened.",
            )
        return optax.chain(self.transformation, optax.scale(-1.0))

    def direction(self, numbers: OptimizerNumbers | None = None) -> optax.GradientTransformation:
        """The optax transformation from gradients to the direction of the update, uphill.

        Args:
            numbers: Those to use instead of its own, such as arguments of a compiled program.
        """
        given = self.numbers if numbers is None else numbers
        own = {**self.own_settings}
        own.update({name: getattr(given, name) for name in _ARGUMENTS if name in own})
        parts = []
        if self.clip_norm is not None:
            parts.append(_clipped(given.clip_norm))
        if self.weight_decay and not self.record.decouples:
            parts.append(optax.add_decayed_weights(given.weight_decay))
        parts.append(self._downhill if self.is_own else self.record.direction(**own))
        if self.weight_decay and self.record.decouples:
            parts.append(optax.add_decayed_weights(given.weight_decay))
        return optax.chain(*parts)


# the names of all settings that only some optimizers have
SETTINGS = tuple(dict.fromkeys(name for one in OPTIMIZERS.values() for name in one.settings))


def optimizer_of(given: str | Optimizer | optax.GradientTransformation) -> Optimizer:
    """An optimizer that is given by its name, as a value, or as a transformation of the user's own.

    Raises:
        SettingError: It is none of these, or there is no optimizer of that name.
    """
    if isinstance(given, Optimizer):
        return given
    return Optimizer(given) if isinstance(given, str) else Optimizer("optax", transformation=given)


def _check_transformation(given: Any) -> None:
    if not all(callable(getattr(given, name, None)) for name in ("init", "update")):
        raise SettingError(
            f"The optimizer is {quoted(given)}.",
            "a name, an Optimizer, or an optax.GradientTransformation",
            "Write e.g. optimizer=optax.lion(0.001).",
        )


@lru_cache(maxsize=64)
def _own_record(name: str) -> OptimizerRecord:
    return OptimizerRecord(name, 1.0, "", "", optax.identity, state=f"of {name}")


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

    Means of gradients that weight decay is a part of are others than those without it, unless
    both are of the same kind.
    """
    if before.is_own or now.is_own:
        return before.transformation is now.transformation
    if before.name == now.name:
        return True
    pulled = [bool(one.weight_decay) and not one.record.decouples for one in (before, now)]
    is_same = before.record.state == now.record.state
    return is_same and (before.record.decouples == now.record.decouples or not any(pulled))


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


@dataclass(frozen=True)
class ScheduleRecord:
    """All that is known of one kind of schedule.

    Attributes:
        name: Its name.
        function: From some steps t, counted from 0, and the number T of all steps to the fraction
            of the highest learning rate that each is made with.
        formula: The fraction in plain text, of t and T.
        source: Where it was published; empty where it is older than the field.
        synonyms: What other libraries call it.
    """

    name: str
    function: Callable[[np.ndarray, int], np.ndarray]
    formula: str
    source: str = ""
    synonyms: str = ""


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes over the steps of a training.

        rate_t = learning rate * fraction(t, T),  t = 0, ..., T - 1

    Attributes:
        kind: A name in `SCHEDULES`, or a name for a function of your own.
        warm_up: Fraction of all steps over which the rate first rises from 0 in a straight line.
        function: A function of your own: from a step t, counted from 0, and the number T of all
            steps to the fraction of the learning rate at that step. Schedules of optax take t
            alone.
        is_own: Whether it is a function of your own. A schedule that was read from a run folder
            without its function cannot train.

    Raises:
        SettingError: An unknown kind or a fraction out of range.

    Example:
        >>> linear = ds.Schedule("linear", function=lambda t, T: 1 - t / T)
        >>> linear.rates(0.1, 4)
        array([0.1  , 0.075, 0.05 , 0.025], dtype=float32)
    """

    kind: str = "constant"
    warm_up: float = 0.0
    function: Any = None
    is_own: bool = False

    def __post_init__(self) -> None:
        if self.function is not None:
            if not callable(self.function):
                raise SettingError(
                    f"The schedule is {quoted(self.function)}.",
                    "a name, a Schedule, or a function of a step and the number of all steps",
                    "Write e.g. schedule=lambda step, steps: 1 - step / steps.",
                )
            object.__setattr__(self, "is_own", True)
        if not self.is_own:
            SCHEDULES.find(self.kind)
        if not 0 <= self.warm_up < 1:
            raise SettingError(
                f"The warm-up is {self.warm_up}.",
                "a fraction of all steps, at least 0 and below 1",
                "0.1 is usual.",
            )

    @property
    def record(self) -> ScheduleRecord:
        """The record of this schedule: formula and source.

        Raises:
            SettingError: It is the user's own.
        """
        return SCHEDULES.find(self.kind)

    @property
    def stored(self) -> Schedule:
        """The part that a run folder stores; a function of your own is code."""
        return replace(self, function=None)

    def _own(self, steps: np.ndarray, total: int) -> np.ndarray:
        """The fractions of a function of the user's own.

        Raises:
            SettingError: It fails, or one of them is no number of at least 0.
        """
        if self.function is None:
            raise SettingError(
                f"The schedule {self.kind} is the user's own, and not at hand.",
                "its function",
                f"Give schedules={{'{self.kind}': FUNCTION}} where the run is opened.",
            )
        try:
            takes_all = len(inspect.signature(self.function).parameters) > 1
            more = (total,) if takes_all else ()
            found = _of_steps(lambda step: self.function(step, *more), steps)
        except Exception as error:  # whatever a function of the user's own raises
            raise SettingError(
                f"The schedule {self.kind} failed ({type(error).__name__}: {error}).",
                "a function from a step and the number of all steps to a fraction",
                "Write e.g. schedule=lambda step, steps: 1 - step / steps.",
            ) from error
        if not (np.isfinite(found) & (found >= 0)).all():
            step = int(np.flatnonzero(~(np.isfinite(found) & (found >= 0)))[0])
            raise SettingError(
                f"The schedule {self.kind} gives {found[step]} for step {step:,}.",
                "a finite number of at least 0",
                "Give the fraction of the learning rate that the step is made with.",
            )
        return found

    def rates(self, learning_rate: float, total_steps: int) -> np.ndarray:
        """The learning rate of every step, shape (total_steps,), float32.

        Args:
            learning_rate: The highest rate.
            total_steps: How many steps the training has.
        """
        rising = round(self.warm_up * total_steps)
        rest = max(1, total_steps - rising)
        steps = np.arange(total_steps - rising)
        fractions = self._own(steps, rest) if self.is_own else self.record.function(steps, rest)
        if rising:
            climb = 1 / rising + (1 - 1 / rising) * np.arange(rising) / rising
            fractions = np.concatenate([climb, fractions])
        return (learning_rate * fractions).astype(np.float32)


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


# in NumPy, since optax's, which they equal, are compiled anew for every training
SCHEDULES = Registry(
    "schedule",
    SettingError,
    [
        ScheduleRecord(
            "constant",
            lambda steps, total: np.ones(len(steps)),
            "1",
            synonyms="none fixed const flat",
        ),
        ScheduleRecord(
            "step",
            _step,
            "1, from half of the steps on 1/10, from three quarters on 1/100",
            "He et al., Deep residual learning for image recognition, 2015",
            synonyms="steplr multistep multisteplr stepdecay piecewise",
        ),
        ScheduleRecord(
            "cosine",
            _cosine,
            "(1 + cos(pi t / T)) / 2",
            "Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017",
            synonyms="cosineannealing cosineannealinglr cosinedecay cosinelr",
        ),
        ScheduleRecord(
            "one-cycle",
            _one_cycle,
            "from 1/25 up to 1 over 30 % of the steps, then down to 1/250,000, each along half a "
            "cosine",
            "Smith and Topin, Super-convergence: very fast training of neural networks using "
            "large learning rates, 2018",
            synonyms="1cycle onecyclelr onecyclepolicy triangular",
        ),
    ],
    instead={
        "The nearest that there is: 'cosine', which falls to 0.": (
            "exponential exponentiallr linear linearlr polynomial adaptive invscaling "
            "reducelronplateau plateau warmup"
        ),
    },
)


def _of_steps(function: Callable[[Any], Any], steps: np.ndarray) -> np.ndarray:
    """A function of one step for many: at once where JAX can trace it, else one by one."""
    try:
        found = np.asarray(jax.vmap(function)(jnp.asarray(steps)), np.float64)
    except Exception:  # functions of plain Python or NumPy
        found = np.array([float(function(int(step))) for step in steps], np.float64)
    return found.reshape(len(steps))


def schedule_of(given: str | Schedule | Callable[..., Any]) -> Schedule:
    """A schedule that is given by its name, as a value, or as a function of the user's own.

    Raises:
        SettingError: There is no schedule of that name.
    """
    if isinstance(given, Schedule):
        return given
    return Schedule(given) if isinstance(given, str) else Schedule(_name(given), function=given)


def _name(given: Any) -> str:
    return own_name(given) if callable(given) else "own"


def check_learning_rate(rate: float) -> None:
    """Check that a learning rate is a finite number above 0.

    Raises:
        SettingError: It is not.
    """
    if isinstance(rate, str) and rate == "auto":
        raise SettingError(
            'The learning rate is "auto", which only downslope train takes.',
            "a number above 0",
            "Find one with: downslope rate DATA; in Python with downslope.insight.find_rate, which "
            "takes the same arguments.",
        )
    usable = isinstance(rate, int | float) and not isinstance(rate, bool)
    if not usable or not math.isfinite(rate) or rate <= 0:
        raise SettingError(
            f"The learning rate is {rate!r}.",
            "a number above 0",
            "Try 0.1 for sgd or 0.001 for adam.",
        )
