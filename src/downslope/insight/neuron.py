"""One neuron: inputs times weights plus bias, the activation of that sum, and what it likes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from downslope.data.dataset import Dataset, Samples
from downslope.engine.model import Model
from downslope.errors import DataError, NetworkError
from downslope.insight.step_trace import number
from downslope.insight.weight import checked_layer
from downslope.nn.activations import Activation, activation
from downslope.nn.dense import Dense
from downslope.nn.equations import Equation
from downslope.nn.images import Conv2D
from downslope.nn.layer import Parameters, is_ours
from downslope.nn.network import Network
from downslope.numerals import rounded
from downslope.result import FEW_ENOUGH, PROGRAM_ONLY, Part, Result
from downslope.runs.run import Run
from downslope.text import Table

AT_ONCE = 256  # samples whose activations are in memory
CURVE = 201  # points of the activation's curve


@dataclass(frozen=True, eq=False)
class Neuron(Result):
    """A neuron with its inputs for one sample.

    Attributes:
        layer: Its layer, from 1.
        layer_name: The name of the layer, such as "1 Dense".
        unit: Its index in the layer, from 0; of a convolution, the channel.
        activation: Name of its activation.
        position: Of a convolution, the (row, column) of its output.
        grid: Of a convolution, how many (rows, columns) its output has.
        sample: Index of the training sample, from 0.
        names: The names of its inputs.
        inputs: Its inputs, (inputs,), or (size, size, channels) for a convolution.
        weights: Its weights, of the same shape.
        bias: Its bias.
        sum: Its pre-activation: the sum of all products and the bias.
        output: Its activation.
        slope: The derivative of the activation there, by the pre-activation.
        equation: The activation and its derivative, as formulas.
        curve: The activation function around there: (points, 2), of pre-activation and activation.
        responses: Its pre-activation for every training sample, (N,); of a convolution the largest
            over the image. Pre-activations differ where activations may not.
        dataset: The data set of its samples.
    """

    layer: int
    layer_name: str
    unit: int
    activation: str
    position: tuple[int, int] | None
    grid: tuple[int, int] | None
    sample: int
    names: tuple[str, ...]
    inputs: Float[np.ndarray, "..."]
    weights: Float[np.ndarray, "..."]
    bias: float
    sum: float
    output: float
    slope: float
    equation: Equation
    curve: Float[np.ndarray, "points 2"]
    responses: Float[np.ndarray, " n"]
    dataset: Dataset = field(metadata=PROGRAM_ONLY)

    _also: ClassVar[tuple[str, ...]] = ("products",)
    _most_numbers: ClassVar[int | None] = FEW_ENOUGH

    @property
    def products(self) -> Float[np.ndarray, "..."]:
        """Each input times its weight."""
        return self.inputs * self.weights

    def strongest(self, most: int) -> Int[np.ndarray, " most"]:
        """Places of the largest products, whatever their sign, in the flattened inputs."""
        return np.argsort(-np.abs(self.products.ravel()), kind="stable")[:most]

    def responds_most(self, most: int = 6) -> Int[np.ndarray, " most"]:
        """The training samples with the largest pre-activations, the largest first."""
        return np.argsort(-self.responses, kind="stable")[:most]

    def responds_least(self, most: int = 6) -> Int[np.ndarray, " most"]:
        """The training samples with the smallest pre-activations, the smallest first."""
        return np.argsort(self.responses, kind="stable")[:most]

    def worked_out(self) -> Iterator[str]:
        """The activation and its derivative with their numbers; nothing without a formula."""
        if self.activation == "identity" or not self.equation.formula:
            return
        z, a = self.sum, self.output
        numbers = {"z": z, "a": a, "a[i]": a, "a[j]": a, "i == j": 1}
        yield f"{self.equation.lines[0]} = {number(a)}"
        yield self.equation.slope(numbers, self.slope, 4)

    @property
    def summary(self) -> str:
        """The neuron and its sample, in a sentence."""
        where = (
            ""
            if self.position is None
            else f" at row {self.position[0]}, column {self.position[1]}"
        )
        return (
            f"Unit {self.unit} of layer {self.layer_name}{where}, looking at training sample "
            f"{self.sample:,}"
        )

    def parts(self) -> Iterator[Part]:
        """The strongest inputs with their products in a table, and what it responds to."""
        yield self.summary
        yield ""
        yield _table(self)
        yield from self.worked_out()
        values = self.responses
        yield ""
        yield (
            f"Over all {len(values):,} training samples its pre-activation ranges from "
            f"{number(values.min())} to {number(values.max())}, mean "
            f"{number(values.mean(dtype=np.float64))}; above 0 for "
            f"{rounded(100 * float((values > 0).mean()), 3)} %."
        )
        for word, positions in (
            ("largest", self.responds_most()),
            ("smallest", self.responds_least()),
        ):
            told = ", ".join(f"{position:,} ({number(values[position])})" for position in positions)
            yield f"It is {word} for the training samples {told}."


def neuron(
    run: Run,
    layer: int,
    unit: int,
    sample: int | None = None,
    *,
    position: tuple[int, int] | None = None,
) -> Neuron:
    """Look at one neuron of a run's network: its inputs, weights, products and activation.

        z = sum_i w_i x_i + b,  a = f(z)

    Args:
        run: The run.
        layer: The neuron's layer, from 1: a dense layer or a convolution.
        unit: Index of the unit, from 0; of a convolution, of the channel.
        sample: Index of the training sample that it looks at, from 0; None for the sample with the
            largest pre-activation.
        position: Of a convolution, the (row, column) of its output; None for the largest
            activation.

    Returns:
        The neuron, with its pre-activation for every training sample.

    Raises:
        DataError: The data is missing or has changed, or there is no such sample.
        NetworkError: There is no such layer or unit, or the layer has no neurons.

    Example:
        >>> found = ds.insight.neuron(ds.open_run("runs/moons-1"), layer=1, unit=3)
        >>> found.products.shape
        (2,)
        >>> bool(np.isclose(found.sum, found.products.sum() + found.bias))
        True
    """
    run = run.with_data()
    assert run.dataset is not None
    own = with_units(run.network, layer, unit, run.data.input_shape)
    samples = run.dataset.train
    responses = responses_of(run, samples, layer, unit)
    sample = int(np.nan_to_num(responses, nan=-np.inf).argmax()) if sample is None else sample
    if not 0 <= sample < len(samples):
        raise DataError(
            f"Sample {sample:,} was asked for, and {run.data.name} has {len(samples):,} training "
            "samples.",
            f"a number from 0 to {len(samples) - 1:,}",
            "Choose another sample, or leave it out for the one with the largest pre-activation.",
        )
    signals = run.signals(samples.inputs[sample : sample + 1])
    first = run.scaling.apply(samples.inputs[sample : sample + 1])
    inputs = np.asarray(first if layer == 1 else signals[layer - 2].activations)[0]
    found = weigh(
        own, run.parameters[layer - 1], inputs, np.asarray(signals[layer - 1].pre_activations)[0],
        unit, position,
    )  # fmt: skip
    function = activation(own.activation)
    return Neuron(
        layer=layer,
        layer_name=run.network.layer_name(layer - 1),
        unit=unit,
        activation=function.name,
        position=found.position,
        grid=found.grid,
        sample=sample,
        names=names_of(layer, found.inputs.shape, run.data.input_names, found.first_channel),
        inputs=found.inputs,
        weights=found.weights,
        bias=found.bias,
        sum=found.sum,
        output=found.output,
        slope=found.slope,
        equation=function.equation,
        curve=_curve(function, found.sum, found.beside, unit),
        responses=responses,
        dataset=run.dataset,
    )


class Weighed(NamedTuple):
    """What a unit makes of its inputs; of a convolution, at one position of its output.

    Attributes:
        inputs: Its inputs, (inputs,), or (size, size, channels) of a convolution.
        weights: Its weights, of the same shape.
        bias: Its bias.
        sum: Its pre-activation.
        output: Its activation.
        slope: The derivative of the activation there.
        beside: The pre-activations of all units there, (units,).
        position: Of a convolution, the (row, column) of its output.
        grid: Of a convolution, how many (rows, columns) its output has.
        first_channel: Of a convolution, the first input channel that it sees.
    """

    inputs: np.ndarray
    weights: np.ndarray
    bias: float
    sum: float
    output: float
    slope: float
    beside: np.ndarray
    position: tuple[int, int] | None
    grid: tuple[int, int] | None
    first_channel: int


def weigh(
    layer: Dense | Conv2D,
    parameters: Parameters,
    inputs: np.ndarray,
    pre_activations: np.ndarray,
    unit: int,
    position: tuple[int, int] | None = None,
) -> Weighed:
    """What a unit makes of one sample.

    Args:
        layer: Its layer.
        parameters: The layer's weights and biases.
        inputs: What comes into the layer, without a sample axis.
        pre_activations: The pre-activations of the layer, likewise.
        unit: Index of the unit, from 0.
        position: Of a convolution, the (row, column) of its output; None for the largest
            activation.

    Raises:
        NetworkError: There is no such position.
    """
    function = activation(layer.activation)
    outputs = np.asarray(function(jnp.asarray(pre_activations)))[..., unit]
    grid, channel, beside = None, 0, pre_activations
    if isinstance(layer, Conv2D):
        position = _checked_position(outputs, position)
        channels = seen_channels(layer, inputs.shape[-1], unit)
        inputs = patch_of(layer, inputs, position)[..., channels]
        grid, channel = (outputs.shape[0], outputs.shape[1]), channels.start
        beside, outputs = pre_activations[position], outputs[position]
    else:
        position = None
    return Weighed(
        inputs=inputs,
        weights=np.asarray(parameters["weights"])[..., unit],
        bias=float(np.asarray(parameters["biases"])[unit]),
        sum=float(beside[unit]),
        output=float(outputs),
        slope=_slope(function, beside, unit),
        beside=beside,
        position=position,
        grid=grid,
        first_channel=channel,
    )


def _checked_position(outputs: np.ndarray, position: tuple[int, int] | None) -> tuple[int, int]:
    """A position of a convolution's output, if there is such a position; None for the largest."""
    if position is None:
        row, column = np.unravel_index(int(outputs.argmax()), outputs.shape)
        return int(row), int(column)
    if not all(0 <= one < side for one, side in zip(position, outputs.shape, strict=True)):
        raise NetworkError(
            f"The position {position} was asked for, and its layer gives "
            f"{outputs.shape[0]} x {outputs.shape[1]} positions.",
            "a row and a column from 0",
            "Leave it out for where the neuron responds most.",
        )
    return position


def with_units(
    network: Network, layer: int, unit: int, input_shape: tuple[int, ...]
) -> Dense | Conv2D:
    """Layer `layer`, from 1, if it has neurons, and this one among them.

    Raises:
        NetworkError: It has not.
    """
    own = network.layers[checked_layer(network, layer) - 1]
    if not isinstance(own, Dense | Conv2D) or not is_ours(own):
        kinds = [
            network.layer_name(position)
            for position, one in enumerate(network.layers)
            if type(one) in (Dense, Conv2D)
        ]
        raise NetworkError(
            f"Layer {network.layer_name(layer - 1)} has no neurons of its own.",
            f"one of: {', '.join(kinds) or 'dense layers and convolutions, of which it has none'}",
            "Choose another layer.",
        )
    units = network.shapes(input_shape)[layer - 1][-1]
    if not 0 <= unit < units:
        raise NetworkError(
            f"Unit {unit} of layer {layer} was asked for, and it has {units:,}.",
            f"a unit from 0 to {units - 1:,}",
            "Choose another unit.",
        )
    return own


def responses_of(run: Run, samples: Samples, layer: int, unit: int) -> Float[np.ndarray, " n"]:
    """A unit's weighted sum for each sample; of a convolution the largest over the image."""
    own = replace(run.network.layers[layer - 1], activation="identity")  # pyright: ignore[reportCallIssue] - it has one
    part = Network([*run.network.layers[: layer - 1], own])
    model = Model(part, run.loss, run.parameters[:layer], scaling=run.scaling)
    found = []
    for start in range(0, len(samples), AT_ONCE):
        inputs = samples.inputs[start : start + AT_ONCE]
        outputs = model.outputs(inputs)[..., unit]
        found.append(outputs.reshape(len(outputs), -1).max(axis=1))
    return np.concatenate(found)


def patch_of(
    layer: Conv2D, inputs: Float[np.ndarray, "h w c"], position: tuple[int, int]
) -> Float[np.ndarray, "size size c"]:
    """What a convolution sees at one position of its output; 0 beyond the image's border."""
    reach = (layer.size - 1) * layer.dilation + 1
    cut = np.zeros((layer.size, layer.size, inputs.shape[-1]), inputs.dtype)
    spots = []
    for at, side in zip(position, inputs.shape[:2], strict=True):
        around = 0
        if layer.padding == "same":
            around = max((math.ceil(side / layer.stride) - 1) * layer.stride + reach - side, 0)
        first = at * layer.stride - around // 2
        spots.append(first + layer.dilation * np.arange(layer.size))
    inside = [(one >= 0) & (one < side) for one, side in zip(spots, inputs.shape[:2], strict=True)]
    rows, columns = (one[there] for one, there in zip(spots, inside, strict=True))
    cut[np.ix_(*inside)] = inputs[np.ix_(rows, columns)]
    return cut


def seen_channels(layer: Conv2D, channels: int, unit: int) -> slice:
    """The input channels that an output channel sees: those of its group."""
    each = channels // layer.groups
    group = unit // (layer.channels // layer.groups)
    return slice(group * each, (group + 1) * each)


def names_of(
    layer: int, shape: tuple[int, ...], input_names: tuple[str, ...], channel: int = 0
) -> tuple[str, ...]:
    """What each of a unit's inputs is called; of an image, from this channel on."""
    if layer == 1 and len(input_names) == math.prod(shape):
        return input_names
    before = "x" if layer == 1 else f"a{layer - 1}"
    before = "patch" if len(shape) == 3 else before  # row, column and channel in it
    positions = np.stack(np.unravel_index(np.arange(math.prod(shape)), shape), axis=-1)
    positions[:, -1] += channel
    return tuple(f"{before}[{','.join(map(str, one))}]" for one in positions.tolist())


def _slope(function: Activation, pre_activations: np.ndarray, unit: int) -> float:
    """The derivative of a unit's activation by its own pre-activation."""
    along = jnp.zeros(pre_activations.shape).at[unit].set(1)
    _, found = jax.jvp(function.function, (jnp.asarray(pre_activations),), (along,))
    return float(found[unit])


def _curve(function: Activation, at: float, pre_activations: np.ndarray, unit: int) -> np.ndarray:
    """The activation around a pre-activation; those of the other units stay as they are."""
    reach = max(4.0, 1.25 * abs(at)) if math.isfinite(at) else 4.0
    around = np.linspace(-reach, reach, CURVE).astype(np.float32)
    if function.is_elementwise:
        return np.stack([around, np.asarray(function(jnp.asarray(around)))], axis=1)
    rows = np.repeat(pre_activations[None], CURVE, axis=0)
    rows[:, unit] = around
    return np.stack([around, np.asarray(function(jnp.asarray(rows)))[:, unit]], axis=1)


def _table(one: Neuron, most: int = 10) -> Table:
    chosen = one.strongest(most)
    inputs, weights, products = (array.ravel() for array in (one.inputs, one.weights, one.products))
    rows = [
        (one.names[at], number(inputs[at]), number(weights[at]), number(products[at]))
        for at in chosen
    ]
    if products.size > len(chosen):
        rest = products.sum(dtype=np.float64) - products[chosen].sum(dtype=np.float64)
        rows.append((f"{products.size - len(chosen):,} others", "", "", number(rest)))
    rows += [
        ("bias", "", "", number(one.bias)),
        ("pre-activation", "", "", number(one.sum)),
        (f"activation ({one.activation})", "", "", number(one.output)),
    ]
    return Table(("input", "value", "weight", "product"), rows, numeric=(1, 2, 3))
