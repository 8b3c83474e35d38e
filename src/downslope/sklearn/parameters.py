"""What an estimator's parameters mean for the engine: a network, an optimizer, a loss, a seed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.special import expit, softmax
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions

from downslope.engine.optimizers import SCHEDULES, Optimizer, Schedule, optimizer_of
from downslope.engine.settings import LARGEST_SEED
from downslope.errors import InputError
from downslope.nn import activations
from downslope.nn.dense import Dense, Dropout
from downslope.nn.losses import LOSSES, Loss, resolve
from downslope.nn.network import Network

LARGEST_AUTO_BATCH = 200  # as in scikit-learn
INITIALIZER = "glorot_uniform"  # as in scikit-learn: on few samples smaller weights do better
NAMES = {"logistic": "sigmoid"}  # scikit-learn's for ours

# in scikit-learn's own notation, for its own messages
CONSTRAINTS: Mapping[str, list] = MappingProxyType(
    {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({*activations.ACTIVATIONS, *NAMES}), callable, "array-like"],
        "solver": [
            StrOptions({"adam", "adamw", "rmsprop", "sgd"}),
            Optimizer,
            HasMethods(["init", "update"]),  # a transformation of optax
        ],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions(set(SCHEDULES)), callable, Schedule],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "standardize": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterovs_momentum": ["boolean"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "preset": [StrOptions({"strong"}), None],
    }
)
BESIDE_PRESET = (
    "preset", "loss", "class_weight", "random_state", "verbose", "validation_fraction",
)  # fmt: skip


def given_beside_preset(estimator: Any) -> list[str]:
    """The parameters that were given and have no effect beside a preset."""
    usual = type(estimator)().get_params()
    return [
        name
        for name, value in estimator.get_params().items()
        if name not in BESIDE_PRESET and not (value is usual[name] or value == usual[name])
    ]


@contextmanager
def value_errors() -> Iterator[None]:
    """What the engine refuses, as the error that scikit-learn's users catch."""
    try:
        yield
    except InputError as error:
        raise ValueError(str(error)) from error


def hidden_sizes(given: Any) -> list[int]:
    """The number of neurons of each hidden layer.

    Raises:
        ValueError: One is not a whole number above 0.
    """
    sizes = [given] if isinstance(given, Integral) else list(given)
    if not all(isinstance(size, int | np.integer) and size > 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]


def per_layer(name: str, given: Any, layers: int) -> list:
    """One value for each hidden layer, from one for all or a sequence.

    Raises:
        ValueError: There are more or fewer values than layers.
    """
    if isinstance(given, str | Real) or callable(given):
        return [given] * layers
    if len(given) != layers:
        raise ValueError(
            f"{name} has {len(given)} values, and there are {layers} hidden layers. "
            "Give one value for all layers, or one for each."
        )
    return list(given)


def network_of(sizes: Sequence[int], activation: Any, dropout: Any, outputs: int) -> Network:
    """Dense layers, each hidden one followed by dropout where that is above 0.

    Raises:
        ValueError: There are too many or too few activations or rates, or one is unknown.
    """
    names = per_layer("activation", activation, len(sizes))
    rates = per_layer("dropout", dropout, len(sizes))
    layers: list = []
    with value_errors():
        for size, name, rate in zip(sizes, names, rates, strict=True):
            own: Any = name if callable(name) else str(NAMES.get(name, name))
            layers.append(Dense(size, own, INITIALIZER))
            if rate != 0:
                layers.append(Dropout(float(rate)))
        return Network([*layers, Dense(outputs)])


def solver_of(solver: Any, alpha: float, momentum: float, nesterov: bool) -> Optimizer:
    """The optimizer; a value of ours, or a transformation of optax, is taken as it is.

    Args:
        solver: A name in scikit-learn's sense, an optimizer of ours, or a transformation.
        alpha: The pull of the weights towards 0, per batch.
        momentum: For "sgd".
        nesterov: Whether it is Nesterov's, for "sgd".
    """
    if not isinstance(solver, str):
        return optimizer_of(solver)
    if solver == "sgd" and momentum > 0:
        kind = "nesterov" if nesterov else "momentum"
        return Optimizer(kind, momentum=float(momentum), weight_decay=alpha)
    return Optimizer(solver, weight_decay=alpha)


def batch_size_for(given: Any, samples: int) -> int:
    """Samples per step, no more than there are."""
    if given == "auto":
        return min(LARGEST_AUTO_BATCH, samples)
    if given > samples:
        warnings.warn(
            f"batch_size={given} is larger than the number of training samples, {samples}, which "
            "are used instead.",
            stacklevel=6,
        )
    return min(int(given), samples)


def seed_of(random_state: Any, seen: int) -> int:
    """A seed for a training; another one where samples have been `seen` before."""
    is_number = isinstance(random_state, Integral)
    drawn = random_state if is_number else check_random_state(random_state).randint(2**31 - 1)
    return (int(drawn) + seen) % (LARGEST_SEED + 1)


# what turns outputs into predictions: scikit-learn's name for it, and how it is done in float64
_LINKS: Mapping[Callable, tuple[str, Callable[[np.ndarray], np.ndarray]]] = MappingProxyType(
    {
        LOSSES["cross_entropy"].link: ("softmax", lambda outputs: softmax(outputs, axis=1)),
        LOSSES["binary_cross_entropy"].link: ("logistic", expit),
        LOSSES["poisson"].link: ("exp", np.exp),
    }
)


def out_activation(loss: Loss) -> str:
    """What scikit-learn calls the step from outputs to predictions."""
    own = getattr(loss.link, "__name__", "own")
    return _LINKS[loss.link][0] if loss.link in _LINKS else own


def predictions(loss: Loss, outputs: np.ndarray) -> np.ndarray:
    """Probabilities or numbers from a network's outputs (N, outputs), in float64."""
    if loss.link is activations.identity:
        return outputs
    if loss.link in _LINKS:
        return _LINKS[loss.link][1](outputs)
    return np.asarray(loss.link(jnp.asarray(outputs, jnp.float32)), np.float64)


def class_loss(given: Any, classes: int, is_multilabel: bool) -> Loss:
    """The loss of a classifier.

    Args:
        given: "auto", a name, a function of logits and classes, or a loss of ours.
        classes: How many classes or labels there are.
        is_multilabel: Whether any number of labels may hold at once.

    Raises:
        ValueError: The loss does not suit the targets.
    """
    if given == "auto":
        given = "binary_cross_entropy" if classes == 2 or is_multilabel else "cross_entropy"
    if is_multilabel and given == "cross_entropy":
        raise ValueError(
            "The loss 'cross_entropy' is for classes of which one holds, and any number of these "
            "labels may. Use loss='binary_cross_entropy' or 'auto'."
        )
    loss = resolve(given)
    if is_multilabel and loss is LOSSES["binary_cross_entropy"]:
        return replace(loss, takes_classes=False)  # each label is a number, 0 or 1
    if callable(given):
        link = LOSSES["binary_cross_entropy" if is_multilabel else "cross_entropy"].link
        return replace(loss, link=link)
    return loss
