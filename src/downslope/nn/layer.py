"""What every layer is: a frozen value that says how signals pass, and holds no weights.

The weights travel beside the layer as `Parameters`, so the same layer can be drawn, trained and
compared many times. A layer's work has two halves, as a neuron's has: the weighted sum of the
inputs, then the activation of that sum.

A layer of your own is a class with three methods (see `Layer`).
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.errors import NetworkError, quoted
from downslope.nn.activations import Activation, activation
from downslope.nn.forms import Spot, TorchModule

Shape = tuple[int, ...]
Parameters = dict[str, Any]  # names to arrays; composite layers nest
RUNNING = "running_"  # what the names of running statistics begin with


class Misfit(Exception):
    """Raise it in `Layer.output_shape` where the layer cannot take inputs of this shape.

    The network turns it into a `NetworkError` that names the layer.

    Args:
        needs: What the layer needs, as a noun phrase.
        advice: What to do, as a full sentence.
    """

    def __init__(self, needs: str, advice: str) -> None:
        self.needs = needs
        self.advice = advice
        super().__init__(needs)


class Padded(NamedTuple):
    """Images of several sizes in one array, each at its top left corner; the rest is padding.

    Attributes:
        values: Shape (N, height, width, channels).
        sizes: Height and width of each image, float32 (N, 2): they pass through the same
            functions as the values, whose gradients are floats.
    """

    values: Float[Array, "n h w c"]
    sizes: Float[Array, "n 2"]

    @property
    def mask(self) -> Float[Array, "n h w 1"]:
        """1 in the images and 0 in the padding."""
        down, across = (jnp.arange(side) for side in self.values.shape[1:3])
        inside = (down < self.sizes[:, :1])[:, :, None] & (across < self.sizes[:, 1:])[:, None]
        return inside[..., None].astype(self.values.dtype)

    @property
    def cut(self) -> Float[Array, "n h w c"]:
        """The values, with zeros for padding: what a convolution finds beyond a border."""
        return jnp.where(self.mask > 0, self.values, 0)


@dataclass(frozen=True, eq=False)
class Layer(abc.ABC):
    """Abstract base of all layers: subclass it for a layer of your own.

    A layer computes activations from inputs in two steps: `weighted_sum`, then `activate`. It needs
    `output_shape` and `weighted_sum`, with `init` where it has weights, and `activate` where an
    activation follows. Its settings are fields of a frozen dataclass, or other attributes that
    never change and can be hashed: two layers of one class are the same if all their attributes
    are, and share compiled programs. No sample of a batch may influence another, unless the layer
    says so by `mixes_batch`.

    Parameters whose names begin with "running_" are running statistics: no gradient changes them.

    Any object with the methods `output_shape(input_shape)`, `init(key, input_shape)` and
    `forward(parameters, inputs, key)` serves as a layer as well.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Scale(ds.Layer):
        ...     start: float = 1.0
        ...
        ...     def output_shape(self, input_shape):
        ...         return input_shape
        ...
        ...     def init(self, key, input_shape):
        ...         return {"factors": np.full(input_shape, self.start)}
        ...
        ...     def weighted_sum(self, parameters, inputs, key=None):
        ...         return inputs * parameters["factors"]
        >>> network = ds.Network([Scale(0.5), ds.Dense(10)])
        >>> network.shapes((4,))
        ((4,), (10,))
    """

    word: ClassVar[str] = ""  # its name in the notation of networks, such as "dense"

    def __eq__(self, other: object, /) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *sorted(vars(self).items())))

    @property
    def is_random(self) -> bool:
        """Whether `weighted_sum` draws from its key in training."""
        return False

    @property
    def mixes_batch(self) -> bool:
        """Whether a sample's outputs in training depend on the other samples of its batch."""
        return False

    @property
    def needs_key(self) -> bool:
        """Whether the layer computes something else in training, when it is given a key."""
        return self.is_random or self.mixes_batch

    @abc.abstractmethod
    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape of one output for one input of `input_shape`, both without the sample axis.

        Raises:
            Misfit: Inputs of this shape cannot be taken.
        """

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """Draw this layer's parameters from the random `key`; none unless it says otherwise."""
        return {}

    @abc.abstractmethod
    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """Compute the pre-activations.

        Args:
            parameters: The layer's parameters, from `init` or from training.
            inputs: Shape (N, *input_shape).
            key: The random key of a training step, or None outside of training.

        Returns:
            Shape (N, *output_shape).
        """

    def side_after(self, side: Any) -> Any:
        """Height or width of the output for an input of this height or width.

        Unchanged, unless the layer says otherwise.
        """
        return side

    def padded_sum(self, parameters: Parameters, inputs: Padded, key: Array | None = None) -> Any:
        """Compute `weighted_sum` for images of several sizes, each as if it were alone.

        Padding counts as zeros, as beyond the border of an image. A layer that combines more of an
        image than a neighbourhood has to leave out the padding itself.
        """
        pre_activations = self.weighted_sum(parameters, inputs.cut, key)
        return (
            Padded(pre_activations, self.side_after(inputs.sizes))
            if pre_activations.ndim == 4
            else pre_activations
        )

    def activate(self, pre_activations: Float[Array, "n ..."]) -> Float[Array, "n ..."]:
        """The activations of the pre-activations; the same unless the layer has an activation."""
        return pre_activations

    def forward(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """Compute the activations from the inputs: `weighted_sum`, then `activate`."""
        return self.activate(self.weighted_sum(parameters, inputs, key))

    keras_names: ClassVar[Mapping[str, str]] = {}
    """What Keras calls the layer's parameters, where it calls them otherwise."""

    def to_numpy(self, spot: Spot) -> list[str]:
        """Lines of NumPy that change x from the layer's inputs to its outputs, for `export`."""
        raise NotImplementedError

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """The layer's PyTorch modules, one after another; images have their channels first."""
        raise NotImplementedError

    def to_keras(self, spot: Spot) -> list[str]:
        """Lines of Keras that change x from the layer's inputs to its outputs."""
        raise NotImplementedError

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """Add the layer to an ONNX graph; images have their channels first.

        Args:
            spot: Where the layer is.
            graph: Grows by `graph.node(operation, *inputs, **attributes)` and
                `graph.constant(array, name)`, each of which returns the name of what it added.
            x: The name of the inputs.

        Returns:
            The name of the outputs.
        """
        raise NotImplementedError

    def has_form(self, form: str) -> bool:
        """Whether the layer has a form: "numpy", "torch", "keras" or "onnx"."""
        return getattr(type(self), f"to_{form}") is not getattr(Layer, f"to_{form}")


def forward_padded(
    layer: Layer, parameters: Parameters, inputs: Padded, key: Array | None = None
) -> Any:
    """Both halves of a layer for images of several sizes; `Padded`, unless the layer is flat."""
    pre_activations = layer.padded_sum(parameters, inputs, key)
    if not isinstance(pre_activations, Padded):
        return layer.activate(pre_activations)
    return Padded(layer.activate(pre_activations.values), pre_activations.sizes)


def is_running(path: Iterable[Any]) -> bool:
    """Whether a path in parameters, as JAX gives it, leads to a running statistic."""
    return any(str(getattr(one, "key", "")).startswith(RUNNING) for one in path)


def map_by_kind(learned: Callable, running: Callable, tree: Any, *others: Any) -> Any:
    """Trees of parameters mapped by one function where they are learned, by another elsewhere."""

    def mapped(path: Any, *leaves: Any) -> Any:
        return (running if is_running(path) else learned)(*leaves)

    return jax.tree_util.tree_map_with_path(mapped, tree, *others)


def learned_arrays(parameters: Any) -> list[Any]:
    """The arrays of weights and biases, without running statistics."""
    found, _ = jax.tree_util.tree_flatten_with_path(parameters)
    return [leaf for path, leaf in found if not is_running(path)]


def learned_by_name(parameters: Any) -> dict[str, Any]:
    """The same by their names, those of inner layers with their numbers: "1.weights"."""
    found, _ = jax.tree_util.tree_flatten_with_path(parameters)
    return {
        ".".join(str(one.key) for one in path): leaf for path, leaf in found if not is_running(path)
    }


def numbered(each: Iterable[Any]) -> dict[str, Any]:
    """What each layer of a chain has, under the layer's number: "1", "2", ..."""
    return {str(number): one for number, one in enumerate(each, start=1)}


def in_order(own: Mapping[str, Any]) -> list[Any]:
    """The same as a list, in the order of the layers."""
    return [own[str(number)] for number in range(1, len(own) + 1)]


@dataclass(frozen=True)
class Adapted(Layer):
    """An object of the user's own, which is no `Layer`, as one.

    Attributes:
        layer: The object.
    """

    layer: Any

    @property
    def is_random(self) -> bool:
        """Whether the object says so."""
        return bool(getattr(self.layer, "is_random", False))

    @property
    def mixes_batch(self) -> bool:
        """Whether the object says so."""
        return bool(getattr(self.layer, "mixes_batch", False))

    def output_shape(self, input_shape: Shape) -> Shape:
        """The object's."""
        return tuple(self.layer.output_shape(input_shape))

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """The object's."""
        return self.layer.init(key, input_shape)

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """What the object's `forward` gives."""
        return self.layer.forward(parameters, inputs, key)


_METHODS = ("output_shape", "init", "forward")


def as_layer(given: object, called: str = "The layer") -> Layer:
    """A layer, or an object with a layer's three methods, as a layer.

    Raises:
        NetworkError: It is neither, or it cannot be hashed.
    """
    is_object = not isinstance(given, type) and all(
        callable(getattr(given, name, None)) for name in _METHODS
    )
    layer = given if isinstance(given, Layer) else Adapted(given) if is_object else None
    if layer is None:
        raise NetworkError(
            f"{called} is {quoted(given)}.",
            f"a layer such as Dense(10), or an object with the methods {', '.join(_METHODS)}",
            "Call the layer's class with its settings.",
        )
    try:
        hash(layer)
    except TypeError as error:
        raise NetworkError(
            f"The layer {layer_kind(layer)} cannot be hashed ({error}).",
            "settings that never change, by which compiled programs are found again",
            "Make its class a frozen dataclass of numbers, texts and tuples.",
        ) from None
    return layer


def layer_kind(layer: Layer) -> str:
    """The name of a layer's class, such as "Dense"."""
    return type(layer.layer if isinstance(layer, Adapted) else layer).__name__


def is_ours(layer: Layer) -> bool:
    """Whether a layer is one of Downslope's."""
    return type(layer).__module__.startswith("downslope.") and not isinstance(layer, Adapted)


def activation_of(layer: Layer) -> Activation:
    """The record of the activation that a layer ends with."""
    if is_ours(layer):
        return activation(getattr(layer, "activation", "identity"))
    if type(layer).activate is Layer.activate:
        return activation("identity")
    return Activation(layer_kind(layer), layer.activate)
