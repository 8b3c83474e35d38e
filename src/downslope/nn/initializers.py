"""The random weights that a network starts from.

Each draws with the variance that keeps signals (LeCun), signals behind a rectifier (He), or
signals and gradients together (Glorot) at the same size from layer to layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from downslope.errors import NetworkError
from downslope.names import look_up


@dataclass(frozen=True)
class Initializer:
    """Draws weights with mean 0 and a variance of `variance(fan_in, fan_out)`.

    Attributes:
        variance: From the number of inputs and outputs of one unit to the variance of a weight.
        uniform: Draw from a uniform distribution rather than a normal one.
        source: Where the formula was published.
    """

    variance: Callable[[int, int], float]
    uniform: bool
    source: str

    def draw(
        self, key: Array, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> Float[Array, "..."]:
        """Draw float weights of `shape` from the random `key`."""
        deviation = math.sqrt(self.variance(fan_in, fan_out))
        dtype = jnp.result_type(float)  # float32, or float64 where the caller enabled it
        if self.uniform:
            bound = math.sqrt(3.0) * deviation
            return jax.random.uniform(key, shape, dtype, -bound, bound)
        # the barrier keeps XLA from merging two factors, so that the bits are the same wherever
        # it is drawn, alone or inside a compiled program
        normal = lax.optimization_barrier(jax.random.normal(key, shape, dtype))
        return jnp.asarray(deviation, dtype) * normal


GLOROT = "Glorot and Bengio, Understanding the difficulty of training deep networks, 2010"
HE = "He et al., Delving deep into rectifiers, 2015"
LECUN = "LeCun et al., Efficient backprop, 1998"


def _glorot(fan_in: int, fan_out: int) -> float:
    return 2.0 / (fan_in + fan_out)


def _he(fan_in: int, fan_out: int) -> float:
    return 2.0 / fan_in


def _lecun(fan_in: int, fan_out: int) -> float:
    return 1.0 / fan_in


INITIALIZERS: Mapping[str, Initializer] = MappingProxyType(
    {
        "glorot_normal": Initializer(_glorot, False, GLOROT),
        "glorot_uniform": Initializer(_glorot, True, GLOROT),
        "he_normal": Initializer(_he, False, HE),
        "he_uniform": Initializer(_he, True, HE),
        "lecun_normal": Initializer(_lecun, False, LECUN),
        "lecun_uniform": Initializer(_lecun, True, LECUN),
    }
)

FITTING: Mapping[str, str] = MappingProxyType(
    {
        "identity": "glorot_uniform",
        "sigmoid": "glorot_uniform",
        "tanh": "glorot_uniform",
        "softmax": "glorot_uniform",
        "relu": "he_normal",
        "leaky_relu": "he_normal",
        "gelu": "he_normal",
        "silu": "he_normal",
        "elu": "lecun_normal",
        "softplus": "lecun_normal",
    }
)


def initializer(name: str, activation: str) -> Initializer:
    """Return the initializer called `name`, or for "auto" the one that fits the activation.

    Raises:
        NetworkError: There is no such initializer.
    """
    if name == "auto":
        name = FITTING[activation]
    return look_up(name, INITIALIZERS, "initializer", NetworkError)
