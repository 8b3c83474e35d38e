"""The functions that turn a neuron's weighted sum into its activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.errors import NetworkError
from downslope.names import look_up, synonyms

Activation = Callable[[Float[Array, "..."]], Float[Array, "..."]]


def identity(sums: Float[Array, "..."]) -> Float[Array, "..."]:
    """Pass the weighted sum on unchanged: a(z) = z."""
    return sums


def relu(sums: Float[Array, "..."]) -> Float[Array, "..."]:
    """a(z) = max(z, 0), with slope 0 at z = 0 (Nair and Hinton, 2010)."""
    return jax.nn.relu(sums)


def leaky_relu(sums: Float[Array, "..."]) -> Float[Array, "..."]:
    """a(z) = z for z >= 0, else z / 100 (Maas et al., 2013)."""
    return jax.nn.leaky_relu(sums, 0.01)


def gelu(sums: Float[Array, "..."]) -> Float[Array, "..."]:
    """a(z) = z Phi(z), with the exact normal distribution Phi (Hendrycks and Gimpel, 2016)."""
    return jax.nn.gelu(sums, approximate=False)


def softmax(sums: Float[Array, "... units"]) -> Float[Array, "... units"]:
    """a(z)_i = exp(z_i) / sum_j exp(z_j) over the last axis."""
    return jax.nn.softmax(sums, axis=-1)


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "identity": identity,
        "sigmoid": jax.nn.sigmoid,  # 1 / (1 + exp(-z))
        "tanh": jnp.tanh,
        "relu": relu,
        "leaky_relu": leaky_relu,
        "elu": jax.nn.elu,  # z for z > 0, else exp(z) - 1 (Clevert et al., 2015)
        "gelu": gelu,
        "silu": jax.nn.silu,  # z sigmoid(z) (Elfwing et al., 2017)
        "softplus": jax.nn.softplus,  # log(1 + exp(z))
        "softmax": softmax,
    }
)


# what PyTorch, Keras and people call them, and the nearest to those that there are not
SYNONYMS = synonyms(
    {
        "identity": "linear none id passthrough null",
        "sigmoid": "logistic logit expit",
        "tanh": "hyperbolictangent",
        "relu": "rectifier rectifiedlinear",
        "leaky_relu": "lrelu leaky leakyrectifier",
        "silu": "swish silu1",
        "gelu": "gelutanh gelunew quickgelu geluapproximate",
        "The nearest that there is: 'sigmoid'.": "hardsigmoid logsigmoid",
        "The nearest that there is: 'tanh'.": "hardtanh softsign",
        "The nearest that there is: 'leaky_relu'.": "prelu rrelu",
        "The nearest that there is: 'silu'.": "mish hardswish",
        "The nearest that there is: 'elu'.": "selu celu",
        "The nearest that there is: 'relu'.": "relu6",
        "Leave it out: the loss cross_entropy takes logits.": "logsoftmax",
    }
)


def activation(name: str) -> Activation:
    """Return the activation called `name`.

    Raises:
        NetworkError: There is no such activation.
    """
    return look_up(name, ACTIVATIONS, "activation", NetworkError, SYNONYMS)
