"""The random weights that a network starts from: a record of each way to draw them.

Each draws with the variance that keeps activations (LeCun), activations behind a rectifier (He), or
activations and gradients together (Glorot) at the same size from layer to layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from downslope.errors import NetworkError
from downslope.names import Registry, own_name
from downslope.nn.activations import Activation, activation

Function = Callable[[Array, tuple[int, ...], Any], Float[Array, "..."]]


@dataclass(frozen=True)
class Initializer:
    """A distribution of mean 0 from which the first weights are drawn.

    Attributes:
        name: Its name in the notation of networks.
        variance: From the number of inputs and outputs of a unit to the variance of a weight.
        is_uniform: Draw from a uniform distribution rather than a normal one.
        formula: The variance in plain text.
        source: The publication of the formula.
        function: Draws the weights instead: from (key, shape, dtype) to an array, as the
            initializers of `jax.nn.initializers` do.
        synonyms: What other libraries call it, separated by blanks.

    Example:
        >>> narrow = ds.Initializer("narrow", variance=lambda inputs, outputs: 0.01 / inputs)
        >>> layer = ds.Dense(32, "tanh", initializer=narrow)
        >>> weights = ds.Network([layer]).init((64,))[0]["weights"]
        >>> weights.shape
        (64, 32)
    """

    name: str
    variance: Callable[[int, int], float] | None = None
    is_uniform: bool = False
    formula: str = ""
    source: str = ""
    function: Function | None = None
    synonyms: str = ""

    def draw(
        self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> Float[Array, "..."]:
        """Draw float weights of `shape` from the random `key`.

        Raises:
            NetworkError: A function of the user's own gives another shape.
        """
        dtype = jnp.result_type(float)  # float32, or float64 where the caller enabled it
        if self.function is not None:
            drawn = jnp.asarray(self.function(key, shape, dtype), dtype)
            if drawn.shape != shape:
                raise NetworkError(
                    f"The initializer {self.name} gives weights of shape {drawn.shape}.",
                    f"the shape {shape}",
                    "Write it as f(key, shape, dtype), as those of jax.nn.initializers are.",
                )
            return drawn
        assert self.variance is not None
        std = math.sqrt(self.variance(fan_in, fan_out))
        if self.is_uniform:
            bound = math.sqrt(3.0) * std
            return jax.random.uniform(key, shape, dtype, -bound, bound)
        # the barrier keeps XLA from merging two factors, so that the bits are the same wherever
        # it is drawn, alone or inside a compiled program
        normal = lax.optimization_barrier(jax.random.normal(key, shape, dtype))
        return jnp.asarray(std, dtype) * normal


def _family(
    name: str, variance: Callable[[int, int], float], formula: str, source: str
) -> list[Initializer]:
    """The normal and the uniform initializer with this variance."""
    return [
        Initializer(f"{name}_normal", variance, False, formula, source),
        Initializer(f"{name}_uniform", variance, True, formula, source),
    ]


INITIALIZERS = Registry(
    "initializer",
    NetworkError,
    [
        *_family(
            "glorot",
            lambda fan_in, fan_out: 2.0 / (fan_in + fan_out),
            "2 / (inputs + outputs)",
            "Glorot and Bengio, Understanding the difficulty of training deep networks, 2010",
        ),
        *_family(
            "he",
            lambda fan_in, fan_out: 2.0 / fan_in,
            "2 / inputs",
            "He et al., Delving deep into rectifiers, 2015",
        ),
        *_family(
            "lecun",
            lambda fan_in, fan_out: 1.0 / fan_in,
            "1 / inputs",
            "LeCun et al., Efficient backprop, 1998",
        ),
    ],
)


def initializer(
    given: str | Function | Initializer, of: str | Activation | Callable = "identity"
) -> Initializer:
    """The record of an initializer that is given by its name, as a function, or as its record.

    Args:
        given: The initializer; "auto" for the one that fits the activation.
        of: The activation of the layer.

    Raises:
        NetworkError: There is no initializer of that name, or it is no function.
    """
    if isinstance(given, Initializer):
        return given
    if callable(given):
        return Initializer(own_name(given), function=given)
    return INITIALIZERS.find(activation(of).initializer if given == "auto" else given)


def plain_initializer(given: str | Function | Initializer) -> str | Initializer:
    """What a layer keeps: "auto", the name of one of ours, or the record of any other.

    Raises:
        NetworkError: As `initializer`.
    """
    if given == "auto":
        return "auto"
    found = initializer(given)
    return found.name if INITIALIZERS.get(found.name) is found else found
