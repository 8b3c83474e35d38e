"""Layers for signals without a place: fully connected, activated, flattened, dropped."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.errors import NetworkError, quoted
from downslope.nn.activations import Activation, Function, activation, plain_activation
from downslope.nn.forms import Spot, TorchModule, torch_activation
from downslope.nn.initializers import Function as Draw
from downslope.nn.initializers import Initializer, initializer, plain_initializer
from downslope.nn.layer import Layer, Misfit, Parameters, Shape

LARGEST = (1 << 31) - 1  # what arrays are counted with


EXAMPLES = {"units": 32, "channels": 16, "numbers": 8, "values": 10}  # in messages; 2 elsewhere


def positive(name: str, value: int, layer: str, most: int = LARGEST) -> None:
    """Check that `value` is a whole number from 1 to `most`.

    Raises:
        NetworkError: It is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        too_many = isinstance(value, int) and value > most
        raise NetworkError(
            f"{layer} has {name} {quoted(value)}{_text(value)}.",
            f"a whole number of at {f'most {most:,}' if too_many else 'least 1'}",
            f"Write {layer}({name}={_example(name, value)}).",
        )


def _text(value: object) -> str:
    return ", which is text" if isinstance(value, str) else ""


def _example(name: str, value: object) -> object:
    """What was probably meant by a text; else a usual number."""
    is_number = isinstance(value, str) and value.isdecimal() and value.isascii() and int(value)
    return value if is_number else EXAMPLES.get(name, 2)


def keep_plain(layer: Any) -> None:
    """Let a layer keep its activation and its initializer as names where they are ours.

    Raises:
        NetworkError: There is no activation or initializer of that name.
    """
    object.__setattr__(layer, "activation", plain_activation(layer.activation))
    object.__setattr__(layer, "initializer", plain_initializer(layer.initializer))


@dataclass(frozen=True)
class Dense(Layer):
    """Fully connected: a(x W + b), in which each unit sees all inputs.

        y = a(x W + b),  x of shape (N, features), W (features, units), b (units,)

    Attributes:
        units: Number of neurons.
        activation: A name in `ACTIVATIONS`, a function a(z) written with `jax.numpy`, or an
            `Activation`.
        initializer: A name in `INITIALIZERS`, "auto" for the one that fits the activation, a
            function (key, shape, dtype) -> weights, or an `Initializer`.

    Raises:
        NetworkError: `units` is no positive whole number, or a name is unknown.

    Example:
        >>> network = ds.Network([ds.Dense(32, "relu"), ds.Dense(10)])
        >>> network.shapes((64,))
        ((32,), (10,))
    """

    units: int
    activation: str | Function | Activation = "identity"
    initializer: str | Draw | Initializer = "auto"
    word: ClassVar[str] = "dense"

    def __post_init__(self) -> None:
        positive("units", self.units, "Dense")
        keep_plain(self)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(features,) to (units,)."""
        if len(input_shape) != 1:
            raise Misfit("a flat list of numbers, (features,)", "Put a Flatten layer before it.")
        return (self.units,)

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """Weights (features, units) from the initializer, biases (units,) zero."""
        features = input_shape[0]
        draw = initializer(self.initializer, self.activation).draw
        weights = draw(key, (features, self.units), features, self.units)
        return {"weights": weights, "biases": jnp.zeros(self.units, weights.dtype)}

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n features"], key: Array | None = None
    ) -> Float[Array, "n units"]:
        """The pre-activations x W + b."""
        return inputs @ parameters["weights"] + parameters["biases"]

    def activate(self, pre_activations: Float[Array, "n units"]) -> Float[Array, "n units"]:
        """Apply the activation to each pre-activation."""
        return activation(self.activation)(pre_activations)

    keras_names: ClassVar[Mapping[str, str]] = {"weights": "kernel", "biases": "bias"}

    def to_numpy(self, spot: Spot) -> list[str]:
        """The product, plus biases: x W + b."""
        z = f"x @ {spot.array('weights')} + {spot.array('biases')}"
        return spot.numpy_activated(self.activation, z)

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A linear module."""
        own = spot.parameters
        weights = {"weight": own["weights"].T, "bias": own["biases"]}
        linear = TorchModule(f"nn.Linear({spot.shape[0]}, {self.units})", weights)
        return [linear, *torch_activation(self.activation)]

    def to_keras(self, spot: Spot) -> list[str]:
        """A dense layer."""
        return spot.keras_activated(self.activation, f"Dense({self.units}")

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """A general matrix product."""
        weights = graph.constant(spot.parameters["weights"], f"{spot.number}.weights")
        biases = graph.constant(spot.parameters["biases"], f"{spot.number}.biases")
        return add_activation(self.activation, graph, graph.node("Gemm", x, weights, biases))


def add_activation(given: Any, graph: Any, z: str) -> str:
    """Add an activation to an ONNX graph: from the name of z to that of a(z)."""
    add = activation(given).onnx
    assert add is not None  # as the export has checked
    return add(graph, z)


@dataclass(frozen=True)
class Activate(Layer):
    """An activation as a layer by itself, for what stands between a layer and its activation.

        y = a(x)

    In the notation of networks it is the activation's name: "conv 16 3, batch_norm, relu". Where
    nothing stands between, give the activation to the layer before: "conv 16 3 relu", whose first
    weights are drawn to suit it.

    Attributes:
        activation: A name in `ACTIVATIONS`, a function a(z) written with `jax.numpy`, or an
            `Activation`.

    Raises:
        NetworkError: There is no activation of that name.

    Example:
        >>> ds.Activate("relu").forward({}, np.array([[-2.0, 3.0]]))
        Array([[0., 3.]], dtype=float32)
    """

    activation: str | Function | Activation
    word: ClassVar[str] = "activation"

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", plain_activation(self.activation))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        return input_shape

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """The inputs."""
        return inputs

    def activate(self, pre_activations: Float[Array, "n ..."]) -> Float[Array, "n ..."]:
        """Apply the activation."""
        return activation(self.activation)(jnp.asarray(pre_activations))

    def to_numpy(self, spot: Spot) -> list[str]:
        """The activation."""
        return spot.numpy_activated(self.activation, "x")

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """The activation's module."""
        return torch_activation(self.activation)

    def to_keras(self, spot: Spot) -> list[str]:
        """The activation as a layer."""
        return spot.keras_activation(self.activation)

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """The activation."""
        return add_activation(self.activation, graph, x)


_FLATTEN_PIXELS = '''\
class FlattenPixels(nn.Module):
    """Pixel after pixel, each with all of its channels, as the weights behind it want them."""

    def forward(self, x):
        return x.movedim(1, -1).flatten(1)'''


@dataclass(frozen=True)
class Flatten(Layer):
    """All values of a sample in one row: (N, ...) to (N, features).

    Example:
        >>> ds.Flatten().output_shape((28, 28, 1))
        (784,)
    """

    word: ClassVar[str] = "flatten"

    def output_shape(self, input_shape: Shape) -> Shape:
        """Any shape to (features,)."""
        return (math.prod(input_shape),)

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n features"]:
        """The inputs in one row."""
        return inputs.reshape(inputs.shape[0], -1)

    def to_numpy(self, spot: Spot) -> list[str]:
        """A reshape."""
        return ["x = x.reshape(len(x), -1)"]

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """Pixel after pixel, in the order that the following weights were trained for."""
        if not spot.is_image:
            return [TorchModule("nn.Flatten()")]
        return [TorchModule("FlattenPixels()", definition=_FLATTEN_PIXELS)]

    def to_keras(self, spot: Spot) -> list[str]:
        """A flattening layer."""
        return ["x = layers.Flatten()(x)"]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """Channels last, as the following weights need them, then flat."""
        if spot.is_image:
            x = graph.node("Transpose", x, perm=(0, 2, 3, 1))
        return graph.node("Flatten", x, axis=1)


@dataclass(frozen=True)
class Dropout(Layer):
    """In training, set a random fraction of the activations to 0.

        y = x m / (1 - rate),  m = 1 with probability 1 - rate, else 0

    The division keeps the mean, so that prediction uses the inputs unchanged (inverted dropout).

    Source: Srivastava et al., Dropout, 2014.

    Attributes:
        rate: The fraction of activations that is set to 0, at least 0 and below 1.

    Raises:
        NetworkError: The rate is out of range.

    Example:
        >>> network = ds.Network([ds.Dense(32, "relu"), ds.Dropout(0.2), ds.Dense(10)])
        >>> network.is_random
        True
    """

    rate: float
    word: ClassVar[str] = "dropout"

    def __post_init__(self) -> None:
        if not (isinstance(self.rate, int | float) and 0 <= self.rate < 1):
            raise NetworkError(
                f"Dropout has rate {self.rate!r}.",
                "a fraction of at least 0 and below 1",
                "0.5 is usual behind dense layers, 0.1 to 0.3 behind convolutions.",
            )

    @property
    def is_random(self) -> bool:
        """Whether the rate is above 0."""
        return self.rate > 0

    def output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        return input_shape

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """Silence and enlarge, or outside of training pass on unchanged."""
        if key is None or self.rate == 0:
            return inputs
        kept = jax.random.bernoulli(key, 1 - self.rate, inputs.shape)
        return jnp.where(kept, inputs / (1 - self.rate), jnp.zeros_like(inputs))

    def to_numpy(self, spot: Spot) -> list[str]:
        """Nothing: it silences in training only."""
        return []

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A dropout module, for training on."""
        return [TorchModule(f"nn.Dropout({self.rate})")]

    def to_keras(self, spot: Spot) -> list[str]:
        """A dropout layer, for training on."""
        return [f"x = layers.Dropout({self.rate})(x)"]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """Nothing."""
        return x
