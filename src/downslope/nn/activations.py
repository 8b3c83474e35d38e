"""The functions that turn a neuron's pre-activation into its activation: a record of each.

To add an activation, add its record to `ACTIVATIONS`; docs, messages and exporters read it there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.errors import NetworkError
from downslope.names import Registry, own_name
from downslope.nn.equations import Equation

Function = Callable[[Float[Array, "..."]], Float[Array, "..."]]


@dataclass(frozen=True)
class Activation:
    """An activation function a(z), with what is known of it and its forms in other libraries.

    A plain function of your own works as an activation as well. Make it an `Activation` to name it
    or to export it.

    Attributes:
        name: Its name in the notation of networks.
        function: From pre-activations z, shape (N, ...), to activations of the same shape, written
            with `jax.numpy`.
        formula: a(z), as an expression such as "1 / (1 + exp(-z))". Any other text is shown as it
            is.
        derivative: da/dz likewise, as an expression of z and of a, which is a(z).
        source: The publication; empty where the function is older than the field.
        initializer: The initializer that "auto" stands for.
        is_elementwise: Whether each activation depends on its own pre-activation alone.
        is_increasing: Whether a larger z never gives a smaller a(z), so that the largest
            pre-activation has the largest activation.
        is_flat_below: Whether its derivative is 0 for every z below 0; a neuron there learns
            nothing.
        steepest: Its largest derivative, if it saturates on both sides; None otherwise.
        numpy: a(z) as a NumPy expression of z, or as lines of which the last one returns it.
        torch: The call that makes its PyTorch module; images have their channels on axis 1.
        keras: Its name in Keras, or the call that makes its layer.
        onnx: Adds it to an ONNX graph: from (graph, name of z) to the name of a(z).
        synonyms: What other libraries call it, separated by blanks.

    Example:
        >>> cube = ds.Activation("cube", lambda z: z**3, numpy="z**3")
        >>> ds.Dense(32, activation=cube).activate(np.array([-2.0, 3.0]))
        array([-8., 27.])
    """

    name: str
    function: Function
    formula: str = ""
    derivative: str = ""
    source: str = ""
    initializer: str = "glorot_uniform"
    is_elementwise: bool = False
    is_increasing: bool = False
    is_flat_below: bool = False
    steepest: float | None = None
    numpy: str = ""
    torch: str = ""
    keras: str = ""
    onnx: Callable[[Any, str], str] | None = None
    synonyms: str = ""

    @property
    def equation(self) -> Equation:
        """The activation a of a pre-activation z and its derivative, as formulas."""
        return Equation("a", "z", self.formula, self.derivative)

    def __call__(self, z: Float[Array, "..."]) -> Float[Array, "..."]:
        """The activations of the pre-activations `z`."""
        return self.function(z)


def identity(z: Float[Array, "..."]) -> Float[Array, "..."]:
    """a(z) = z."""
    return z


def softmax(z: Float[Array, "... units"]) -> Float[Array, "... units"]:
    """a(z)_i = exp(z_i) / sum_j exp(z_j) over the last axis."""
    return jax.nn.softmax(z, axis=-1)


def _leaky_relu(z: Float[Array, "..."]) -> Float[Array, "..."]:
    return jax.nn.leaky_relu(z, 0.01)


def _gelu(z: Float[Array, "..."]) -> Float[Array, "..."]:
    return jax.nn.gelu(z, approximate=False)


ACTIVATIONS = Registry(
    "activation",
    NetworkError,
    [
        Activation(
            "identity",
            identity,
            formula="z",
            derivative="1",
            is_elementwise=True,
            is_increasing=True,
            numpy="z",
            torch="nn.Identity()",
            keras="linear",
            onnx=lambda graph, z: z,
            synonyms="linear none id passthrough null",
        ),
        Activation(
            "sigmoid",
            jax.nn.sigmoid,
            formula="1 / (1 + exp(-z))",
            derivative="a * (1 - a)",
            is_elementwise=True,
            is_increasing=True,
            steepest=0.25,
            numpy="0.5 + 0.5 * np.tanh(z / 2)",  # nothing overflows
            torch="nn.Sigmoid()",
            keras="sigmoid",
            onnx=lambda graph, z: graph.node("Sigmoid", z),
            synonyms="logistic logit expit",
        ),
        Activation(
            "tanh",
            jnp.tanh,
            formula="(exp(z) - exp(-z)) / (exp(z) + exp(-z))",
            derivative="1 - a**2",
            is_elementwise=True,
            is_increasing=True,
            steepest=1.0,
            numpy="np.tanh(z)",
            torch="nn.Tanh()",
            keras="tanh",
            onnx=lambda graph, z: graph.node("Tanh", z),
            synonyms="hyperbolictangent",
        ),
        Activation(
            "relu",
            jax.nn.relu,  # with slope 0 at 0
            formula="max(z, 0)",
            derivative="1 if z > 0 else 0",
            source="Nair and Hinton, Rectified linear units improve restricted Boltzmann "
            "machines, 2010",
            initializer="he_normal",
            is_elementwise=True,
            is_increasing=True,
            is_flat_below=True,
            numpy="np.maximum(z, 0)",
            torch="nn.ReLU()",
            keras="relu",
            onnx=lambda graph, z: graph.node("Relu", z),
            synonyms="rectifier rectifiedlinear",
        ),
        Activation(
            "leaky_relu",
            _leaky_relu,
            formula="z if z >= 0 else z / 100",
            derivative="1 if z >= 0 else 1/100",
            source="Maas et al., Rectifier nonlinearities improve neural network acoustic "
            "models, 2013",
            initializer="he_normal",
            is_elementwise=True,
            is_increasing=True,
            numpy="np.where(z > 0, z, z / 100)",
            torch="nn.LeakyReLU()",
            keras="layers.LeakyReLU(negative_slope=0.01)",  # its own slope below 0 is another
            onnx=lambda graph, z: graph.node("LeakyRelu", z, alpha=0.01),
            synonyms="lrelu leaky leakyrectifier",
        ),
        Activation(
            "elu",
            jax.nn.elu,
            formula="z if z > 0 else exp(z) - 1",
            derivative="1 if z > 0 else exp(z)",
            source="Clevert et al., Fast and accurate deep network learning by exponential "
            "linear units, 2015",
            initializer="lecun_normal",
            is_elementwise=True,
            is_increasing=True,
            numpy="np.where(z > 0, z, np.expm1(np.minimum(z, 0)))",
            torch="nn.ELU()",
            keras="elu",
            onnx=lambda graph, z: graph.node("Elu", z, alpha=1.0),
        ),
        Activation(
            "gelu",
            _gelu,
            formula="z * Phi(z)",
            derivative="Phi(z) + z * phi(z)",
            source="Hendrycks and Gimpel, Gaussian error linear units, 2016",
            initializer="he_normal",
            is_elementwise=True,
            numpy="erf = np.vectorize(math.erf, otypes=[np.float32])\n"
            "return z * (1 + erf(z / np.float32(math.sqrt(2)))) / 2",
            torch="nn.GELU()",
            keras="gelu",
            onnx=lambda graph, z: graph.node("Gelu", z, approximate="none"),
            synonyms="gelutanh gelunew quickgelu geluapproximate",
        ),
        Activation(
            "silu",
            jax.nn.silu,
            formula="z / (1 + exp(-z))",
            derivative="a + (1 - a) / (1 + exp(-z))",
            source="Elfwing et al., Sigmoid-weighted linear units for neural network function "
            "approximation in reinforcement learning, 2017",
            initializer="he_normal",
            is_elementwise=True,
            numpy="z * (0.5 + 0.5 * np.tanh(z / 2))",
            torch="nn.SiLU()",
            keras="silu",
            onnx=lambda graph, z: graph.node("Mul", z, graph.node("Sigmoid", z)),
            synonyms="swish silu1",
        ),
        Activation(
            "softplus",
            jax.nn.softplus,
            formula="log(1 + exp(z))",
            derivative="1 / (1 + exp(-z))",
            source="Dugas et al., Incorporating second-order functional knowledge for better "
            "option pricing, 2000",
            initializer="lecun_normal",
            is_elementwise=True,
            is_increasing=True,
            numpy="np.logaddexp(z, 0)",
            torch="nn.Softplus()",
            keras="softplus",
            onnx=lambda graph, z: graph.node("Softplus", z),
        ),
        Activation(
            "softmax",
            softmax,
            formula="exp(z[i]) / sum(exp(z[j]) for j in units)",
            derivative="a[i] * ((i == j) - a[j])",
            source="Bridle, Probabilistic interpretation of feedforward classification network "
            "outputs, 1990",
            numpy="powers = np.exp(z - z.max(axis=-1, keepdims=True))\n"
            "return powers / powers.sum(axis=-1, keepdims=True)",
            torch="nn.Softmax(dim=1)",
            keras="softmax",
            onnx=lambda graph, z: graph.node("Softmax", z, axis=1),
        ),
    ],
    instead={
        "The nearest that there is: 'sigmoid'.": "hardsigmoid logsigmoid",
        "The nearest that there is: 'tanh'.": "hardtanh softsign",
        "The nearest that there is: 'leaky_relu'.": "prelu rrelu",
        "The nearest that there is: 'silu'.": "mish hardswish",
        "The nearest that there is: 'elu'.": "selu celu",
        "The nearest that there is: 'relu'.": "relu6",
        "Leave it out: the loss cross_entropy takes logits.": "logsoftmax",
    },
)
_BY_FUNCTION = {one.function: name for name, one in ACTIVATIONS.items()}


def activation(given: str | Function | Activation) -> Activation:
    """The record of an activation that is given by its name, as a function, or as its record.

    Raises:
        NetworkError: There is no activation of that name, or it is no function.
    """
    if isinstance(given, Activation):
        return given
    if not callable(given):
        return ACTIVATIONS.find(given)
    if given in _BY_FUNCTION:
        return ACTIVATIONS[_BY_FUNCTION[given]]
    return Activation(own_name(given), given)


def plain_activation(given: str | Function | Activation) -> str | Activation:
    """What a layer keeps: the name of one of ours, the record of any other.

    Raises:
        NetworkError: As `activation`.
    """
    found = activation(given)
    return found.name if ACTIVATIONS.get(found.name) is found else found
