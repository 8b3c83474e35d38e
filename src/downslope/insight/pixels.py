"""What the first layer looks for in images, and which inputs matter for a prediction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from downslope.engine.compilation import compiled
from downslope.errors import DataError, SettingError
from downslope.nn.dense import Dense, Flatten
from downslope.nn.images import Conv2D
from downslope.nn.losses import Loss
from downslope.nn.network import Network, NetworkParameters
from downslope.nn.normalization import Standardize
from downslope.runs.run import Run

Method = Literal["integrated_gradients", "gradient_times_input"]
METHODS: tuple[Method, ...] = ("integrated_gradients", "gradient_times_input")
PATH = 64  # points between baseline and input
SMALLEST_IMAGE = 4  # pixels per side, below which flat inputs are no image


def image_shape(
    input_shape: tuple[int, ...], input_names: tuple[str, ...] = ()
) -> tuple[int, int, int] | None:
    """The (height, width, channels) in which inputs can be shown as images; None if they cannot.

    Flat inputs without names are taken for a square of pixels.
    """
    if len(input_shape) == 3 and input_shape[-1] in (1, 3):
        return input_shape[0], input_shape[1], input_shape[2]
    if len(input_shape) == 2 and min(input_shape) >= SMALLEST_IMAGE:
        return (*input_shape, 1)
    if len(input_shape) == 1 and not input_names:
        side = math.isqrt(input_shape[0])
        if side >= SMALLEST_IMAGE and side * side == input_shape[0]:
            return side, side, 1
    return None


def first_filters(run: Run) -> Float[np.ndarray, "units h w c"] | None:
    """Return the weights of the first layer with weights, as one small image per unit.

    Args:
        run: The run.

    Returns:
        Shape (units, height, width, channels): the patches of a convolution, or whole images for a
        dense layer. None where the layer's inputs are no image, or its patches are single pixels.

    Example:
        >>> run = ds.train("dense 4, dense 10", "digits", epochs=1)
        >>> ds.insight.first_filters(run).shape
        (4, 8, 8, 1)
    """
    shape = image_shape(run.data.input_shape, run.data.input_names)
    for layer, own in zip(run.network.layers, run.parameters, strict=True):
        if type(layer) is Conv2D:
            patches = np.moveaxis(np.asarray(own["weights"]), -1, 0)
            return patches if layer.size > 1 else None
        if type(layer) is Dense:
            weights = np.asarray(own["weights"])
            if shape is None or len(weights) != math.prod(shape):
                return None
            return weights.T.reshape(-1, *shape)
        if type(layer) not in (Flatten, Standardize):
            return None
    return None


@dataclass(frozen=True, eq=False)
class Importance:
    """How much each input matters for the predictions of some samples.

    Attributes:
        method: A name in `METHODS`.
        inputs: The samples as they were read, (N, *input_shape).
        scores: How much each input adds to the output that is explained, in that output's units,
            (N, *input_shape).
        outputs: Index of the output that is explained: the predicted class, or 0, (N,).
        value: That output, (N,): a class' logit, a number, or the number of people.
        base: The same output for the mean training input, or what the method compares with, (N,).
        columns: Of a table, the scores of all inputs of a column added up: its number, its rank,
            its categories, and whether it is missing; (N,) by the column's name. NaN for a column
            that enters as indices, along which there is no slope. Empty for anything else.
    """

    method: Method
    inputs: np.ndarray
    scores: Float[np.ndarray, "n ..."]
    outputs: np.ndarray
    value: Float[np.ndarray, " n"]
    base: Float[np.ndarray, " n"]
    columns: Mapping[str, Float[np.ndarray, " n"]] = field(default_factory=dict)

    @property
    def unexplained(self) -> Float[np.ndarray, " n"]:
        """What the scores of a sample do not add up to: 0 but for the steps of the path, (N,).

        Only integrated gradients promise that.
        """
        total = self.scores.reshape(len(self.scores), -1).sum(axis=1, dtype=np.float64)
        return self.value - self.base - total


def important_inputs(
    run: Run,
    inputs: np.ndarray,
    *,
    outputs: np.ndarray | None = None,
    method: Method = "integrated_gradients",
) -> Importance:
    """Find which inputs (pixels, or columns of a table) matter for a run's predictions.

    Integrated gradients follow the straight line from the mean training input m to the sample x,
    and add up the gradient of the output on the way:

        score_i = (x_i - m_i) * integral_0^1 dy/dx_i (m + t (x - m)) dt

    The scores add up to y(x) - y(m). Gradient times input takes the gradient at the sample alone.

    Source: Sundararajan, Taly and Yan, Axiomatic attribution for deep networks, 2017; Shrikumar et
    al., Not just a black box: learning important features through propagating activation
    differences, 2016.

    Args:
        run: The run.
        inputs: Raw inputs, (N, *input_shape).
        outputs: The index of the output to explain for each, (N,); None for the predicted class. No
            effect where people are counted: there it is their number.
        method: A name in `METHODS`.

    Returns:
        A score per input, (N, *input_shape), in units of the output; of a table also per column.

    Raises:
        DataError: The inputs have the wrong shape; or the data is missing or has changed.
        SettingError: There is no such method.

    Example:
        >>> run = ds.open_run("runs/moons-1").with_data()
        >>> found = ds.insight.important_inputs(run, run.dataset.validation.inputs[:3])
        >>> found.scores.shape
        (3, 2)
        >>> bool(np.allclose(found.scores.sum(axis=1), found.value - found.base, atol=0.01))
        True
    """
    if method not in METHODS:
        raise SettingError(
            f"The method is {method!r}.", f"one of {', '.join(METHODS)}", "Choose one of them."
        )
    run = run.with_data()
    assert run.dataset is not None
    predictions = run.outputs(inputs)
    inputs = np.asarray(inputs)
    counting = run.data.task == "counting"
    flat = predictions.reshape(len(predictions), -1)
    if outputs is None:
        outputs = np.zeros(len(flat), int) if counting else flat.argmax(axis=1)
    outputs = np.asarray(outputs)
    if outputs.shape != (len(inputs),) or not ((outputs >= 0) & (outputs < flat.shape[1])).all():
        raise DataError(
            f"The outputs to explain are {outputs.tolist()}.",
            f"a number from 0 to {flat.shape[1] - 1} for each of {len(inputs)} samples",
            "Leave them out for the predictions.",
        )
    scaled = np.asarray(run.scaling.apply(inputs))
    base = np.zeros_like(scaled[0])
    if scaled.shape[1:] == run.data.input_shape:  # photos may have another size
        mean = run.dataset.train.inputs.mean(axis=0, dtype=np.float64)
        base = run.scaling.apply(mean)
    pick = np.ones_like(flat) if counting else np.eye(flat.shape[1], dtype=np.float32)[outputs]
    program = _Explained(run.network, run.loss, counting, PATH if method == METHODS[0] else 0)
    arguments = (run.parameters, scaled, base, pick.reshape(predictions.shape))
    slopes, value, at_base = map(np.asarray, compiled(_explain, program, *arguments)(*arguments))
    distance = scaled - base if program.path else scaled
    scores = (distance * slopes).astype(np.float64)
    value, at_base = value.astype(np.float64), at_base.astype(np.float64)
    if run.target_scaling is not None:  # of the output that is explained, or of all people
        width = (1,) if counting else flat.shape[1:]
        own = (run.target_scaling.std, run.target_scaling.mean)
        size, mean = (np.broadcast_to(one.ravel(), width)[outputs] for one in own)
        value, at_base = value * size + mean, at_base * size + mean
        scores *= size.reshape(-1, *[1] * (scores.ndim - 1))
    columns = _by_column(run, scores)
    return Importance(method, inputs, scores, outputs, value, at_base, columns)


def _by_column(run: Run, scores: Float[np.ndarray, "n inputs"]) -> dict[str, np.ndarray]:
    encoding = run.data.encoding
    if encoding is None:
        return {}
    known = np.where(encoding.is_embedded, np.nan, scores)
    owners = np.array(encoding.input_columns)
    return {code.name: known[:, owners == code.name].sum(axis=1) for code in encoding.columns}


class _Explained(NamedTuple):
    """What is compiled; with a path of 0 points, the slope is taken at the samples alone."""

    network: Network
    loss: Loss
    counting: bool
    path: int


def _explain(
    program: _Explained,
    parameters: NetworkParameters,
    inputs: Float[Array, "n ..."],
    base: Float[Array, "..."],
    pick: Float[Array, "n ..."],
) -> tuple[Array, Array, Array]:
    """Slopes by the inputs, the explained outputs, and the same at the base; (N, ...), (N,)."""

    def explained(inputs: Array) -> Array:
        outputs = program.network.forward(parameters, inputs)
        outputs = program.loss.link(outputs) if program.counting else outputs
        return (outputs * pick).reshape(len(inputs), -1).sum(axis=1)

    slope = jax.grad(lambda inputs: explained(inputs).sum())
    bases = jnp.broadcast_to(base, inputs.shape)
    if not program.path:
        return slope(inputs), explained(inputs), explained(bases)

    def add(total: Array, point: tuple[Array, Array]) -> tuple[Array, None]:
        fraction, weight = point
        return total + weight * slope(bases + fraction * (inputs - bases)), None

    # Gauss and Legendre's points lie closer at both ends, where signals may turn sharply
    indices, weights = np.polynomial.legendre.leggauss(program.path)
    points = (jnp.asarray((indices + 1) / 2, jnp.float32), jnp.asarray(weights / 2, jnp.float32))
    total, _ = lax.scan(add, jnp.zeros_like(inputs), points)
    return total, explained(inputs), explained(bases)
