"""Layers made of layers: a short cut around some, and branches side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.errors import NetworkError
from downslope.nn.forms import Spot, TorchModule
from downslope.nn.layer import (
    Layer,
    Misfit,
    Padded,
    Parameters,
    Shape,
    as_layer,
    forward_padded,
    in_order,
    numbered,
)

UNCOPIED = ("flatten", "passed")  # layers whose outputs are their inputs


def chain_shape(layers: Sequence[Layer], shape: Shape) -> Shape:
    """Shape behind `layers`, for inputs of `shape`."""
    for layer in layers:
        shape = layer.output_shape(shape)
    return shape


def signal_shapes(layers: Sequence[Layer], shape: Shape) -> Iterator[Shape]:
    """Shapes of all signals behind `layers`, also of those inside of layers made of layers."""
    for layer in layers:
        inner = layer.branches if isinstance(layer, Parallel) else ()
        for chain in (layer.layers,) if isinstance(layer, Residual) else inner:
            yield from signal_shapes(chain, shape)
        shape = layer.output_shape(shape)
        if layer.word not in UNCOPIED:
            yield shape


def _init_chain(layers: Sequence[Layer], key: Array, shape: Shape) -> Parameters:
    parameters: list[Parameters] = []
    for index, layer in enumerate(layers):
        parameters.append(layer.init(jax.random.fold_in(key, index), shape))
        shape = layer.output_shape(shape)
    return numbered(parameters)


def _run_chain(
    layers: Sequence[Layer], parameters: Parameters, signals: Any, key: Array | None
) -> Any:
    """What the layers make of signals, which may be `Padded`."""
    for index, (layer, weights) in enumerate(zip(layers, in_order(parameters), strict=True)):
        own = None if key is None else jax.random.fold_in(key, index)
        if isinstance(signals, Padded):
            signals = forward_padded(layer, weights, signals, own)
        else:
            signals = layer.forward(weights, signals, own)
    return signals


def _checked(layers: object, owner: str) -> tuple[Layer, ...]:
    if not isinstance(layers, Sequence):
        layers = (layers,)
    if isinstance(layers, str):
        raise NetworkError(
            f"{owner} was given {layers!r}.", "layers", "Write e.g. Residual([Dense(8, 'relu')])."
        )
    if not layers:
        raise NetworkError(f"{owner} was given no layers.", "at least one", "Add a layer to it.")
    return tuple(as_layer(one, f"A layer in {owner}") for one in layers)


@dataclass(frozen=True)
class Residual(Layer):
    """Add the inputs to the outputs of the inner layers: x + f(x).

    Source: He et al., Deep residual learning for image recognition, 2015.

    Attributes:
        layers: The layers of f, one after another; f must keep the shape.

    Raises:
        NetworkError: There are no layers, or something else than layers was given.

    Example:
        >>> block = ds.Residual([ds.Dense(8, "relu"), ds.Dense(8)])
        >>> ds.Network([block, ds.Dense(2)]).shapes((8,))
        ((8,), (2,))
    """

    layers: tuple[Layer, ...]
    word: ClassVar[str] = "residual"

    def __init__(self, layers: Sequence[Layer] | Layer) -> None:
        object.__setattr__(self, "layers", _checked(layers, "Residual"))

    @property
    def is_random(self) -> bool:
        """Whether a layer inside is random."""
        return any(layer.is_random for layer in self.layers)

    @property
    def mixes_batch(self) -> bool:
        """Whether a layer inside does."""
        return any(layer.mixes_batch for layer in self.layers)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        inner = chain_shape(self.layers, input_shape)
        if inner != input_shape:
            raise Misfit(
                f"inner layers that keep the shape {input_shape}, while they make {inner} of it",
                "Give its last inner layer as many units as the residual layer has inputs.",
            )
        return input_shape

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """The parameters of each inner layer under its number."""
        return _init_chain(self.layers, key, input_shape)

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """The sum x + f(x)."""
        return inputs + _run_chain(self.layers, parameters, inputs, key)

    def padded_sum(
        self, parameters: Parameters, inputs: Padded, key: Array | None = None
    ) -> Padded:
        """The sum x + f(x)."""
        made = _run_chain(self.layers, parameters, inputs, key)
        return Padded(inputs.values + made.values, inputs.sizes)

    def to_numpy(self, spot: Spot) -> list[str]:
        """The inputs are kept, and added."""
        return self._kept(spot, "{} + x")

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A module with the inner ones."""
        inside = tuple(spot.inner(self.layers, in_order(spot.parameters)))
        return [TorchModule("Residual", inside=inside, definition=_RESIDUAL)]

    def to_keras(self, spot: Spot) -> list[str]:
        """The inputs are kept, and added."""
        return self._kept(spot, "layers.Add()([{}, x])")

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """The inputs added to what the inner layers make of them."""
        made = spot.inner(self.layers, in_order(spot.parameters), "", x)
        return graph.node("Add", x, made)

    def _kept(self, spot: Spot, added: str) -> list[str]:
        before = f"before_{spot.suffix}"
        inner = spot.inner(self.layers, in_order(spot.parameters))
        return [f"{before} = x", *inner, f"x = {added.format(before)}"]


_RESIDUAL = '''\
class Residual(nn.Sequential):
    """The inputs added to what the layers make of them."""

    def forward(self, x):
        return x + super().forward(x)'''
_PARALLEL = '''\
class Parallel(nn.ModuleList):
    """Branches that see the same inputs, joined along the channels."""

    def forward(self, x):
        return torch.cat([branch(x) for branch in self], dim=1)'''


@dataclass(frozen=True)
class Parallel(Layer):
    """Several branches that see the same inputs, joined along the last axis (channels).

        y = concatenate(f_1(x), f_2(x), ...)

    Attributes:
        branches: Each a chain of layers; all must agree in every axis but the last.

    Raises:
        NetworkError: There are no branches, or a branch is no chain of layers.

    Example:
        >>> layer = ds.Parallel([ds.Conv2D(8, 3)], [ds.Conv2D(4, 5)])
        >>> layer.output_shape((28, 28, 1))
        (28, 28, 12)
    """

    branches: tuple[tuple[Layer, ...], ...]
    word: ClassVar[str] = "parallel"

    def __init__(self, *branches: Sequence[Layer] | Layer) -> None:
        chains = tuple(_checked(branch, "Parallel") for branch in branches)
        if len(chains) < 2:
            raise NetworkError(
                f"Parallel was given {len(chains)} branches.",
                "at least two",
                "Write e.g. Parallel([Conv2D(8, 3)], [Conv2D(8, 5)]).",
            )
        object.__setattr__(self, "branches", chains)

    @property
    def is_random(self) -> bool:
        """Whether a layer inside is random."""
        return any(layer.is_random for branch in self.branches for layer in branch)

    @property
    def mixes_batch(self) -> bool:
        """Whether a layer inside does."""
        return any(layer.mixes_batch for branch in self.branches for layer in branch)

    def output_shape(self, input_shape: Shape) -> Shape:
        """The branches' common shape, with their last axes added up."""
        shapes = [chain_shape(branch, input_shape) for branch in self.branches]
        if len({shape[:-1] for shape in shapes}) > 1:
            raise Misfit(
                f"branches that agree in height and width, while they make {shapes}",
                "Pool or stride by the same factor in every branch.",
            )
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """The parameters of each branch under its number."""
        return numbered(
            _init_chain(branch, jax.random.fold_in(key, index), input_shape)
            for index, branch in enumerate(self.branches)
        )

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """Run each branch and join their outputs."""
        return jnp.concatenate(self._outputs(parameters, inputs, key), axis=-1)

    def padded_sum(self, parameters: Parameters, inputs: Padded, key: Array | None = None) -> Any:
        """Run each branch and join their outputs."""
        outputs = self._outputs(parameters, inputs, key)
        if not isinstance(outputs[0], Padded):  # every branch is flat
            return jnp.concatenate(outputs, axis=-1)
        return Padded(jnp.concatenate([one.values for one in outputs], -1), outputs[0].sizes)

    def _outputs(self, parameters: Parameters, signals: Any, key: Array | None) -> list[Any]:
        """What each branch makes of signals, which may be `Padded`."""
        outputs = []
        for index, branch in enumerate(self.branches):
            own = None if key is None else jax.random.fold_in(key, index)
            outputs.append(_run_chain(branch, parameters[str(index + 1)], signals, own))
        return outputs

    def to_numpy(self, spot: Spot) -> list[str]:
        """Branch after branch, joined."""
        return self._joined(spot, "np.concatenate([{}], axis=-1)")

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A module with a sequence for each branch."""
        branches = tuple(
            TorchModule("nn.Sequential", inside=tuple(made)) for made in self._branches(spot)
        )
        return [TorchModule("Parallel", inside=branches, definition=_PARALLEL)]

    def to_keras(self, spot: Spot) -> list[str]:
        """Branch after branch, joined."""
        return self._joined(spot, "layers.Concatenate()([{}])")

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """The branches joined along the channels."""
        return graph.node("Concat", *self._branches(spot, x), axis=1)

    def _branches(self, spot: Spot, *more: str) -> list[Any]:
        """Each branch, exported."""
        parameters = in_order(spot.parameters)
        return [
            spot.inner(branch, in_order(own), f"{number}.", *more)
            for number, (branch, own) in enumerate(zip(self.branches, parameters, strict=True), 1)
        ]

    def _joined(self, spot: Spot, join: str) -> list[str]:
        before = f"before_{spot.suffix}"
        lines, made = [f"{before} = x"], []
        for number, inner in enumerate(self._branches(spot), start=1):
            made.append(f"branch_{spot.suffix}_{number}")
            start = [f"x = {before}"] if number > 1 else []
            lines += [*start, *inner, f"{made[-1]} = x"]
        return [*lines, f"x = {join.format(', '.join(made))}"]
