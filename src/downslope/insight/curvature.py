"""How sharply the training loss bends, and the learning rate that is too much for that bend.

Along a direction in which a bowl bends with curvature c, a step of gradient descent multiplies the
distance from the lowest point by 1 - rate * c: above a rate of 2 / c each step leaves further away
than it came. The sharpest bend of all is the largest eigenvalue of the Hessian, the matrix of
second derivatives. The matrix itself would be huge; what it makes of a vector costs two walks
back through the network, and Lanczos' method finds the largest eigenvalue from a few of those.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float
from scipy.linalg import eigh_tridiagonal

from downslope.data.dataset import Samples
from downslope.engine.compilation import compiled
from downslope.engine.evaluation import Part, evaluation_batches, on_device, take
from downslope.engine.model import Model
from downslope.engine.optimizers import Optimizer
from downslope.engine.scales import Scales
from downslope.errors import DataError
from downslope.nn.layer import Padded
from downslope.nn.losses import Loss
from downslope.nn.network import Network, NetworkParameters
from downslope.nn.padded import loss_without_padding, without_padding
from downslope.result import PROGRAM_ONLY

MOST_SAMPLES = 2048  # that the bend is measured on, unless more are asked for
TOLERANCE = 1e-3  # of the eigenvalue
MOST_STEPS = 100  # of Lanczos' method; a few dozen are usual
_WIDEST = 256  # samples at a time
_MOST_NUMBERS = 1 << 18  # of their inputs


@dataclass(frozen=True, eq=False)
class Curvature:
    """The largest curvature of the training loss at some weights.

    Attributes:
        eigenvalue: The largest eigenvalue of the Hessian of the mean loss that training minimises;
            for numbers that of targets with standard deviation 1.
        uncertainty: The distance within which there is an eigenvalue.
        direction: The direction of this curvature, of length 1, in the shape of the parameters.
        products: How many products of the Hessian and a vector were computed.
        samples: How many samples were used.
    """

    eigenvalue: float
    uncertainty: float
    direction: NetworkParameters = field(metadata=PROGRAM_ONLY)
    products: int
    samples: int

    _also: ClassVar[tuple[str, ...]] = ("highest_rate",)

    @property
    def highest_rate(self) -> float:
        """Full-batch gradient descent diverges at learning rates above this: 2 / eigenvalue.

        Infinite where the loss has no positive curvature.
        """
        return 2 / self.eigenvalue if self.eigenvalue > 0 else math.inf

    def highest_rate_of(self, optimizer: Optimizer) -> float | None:
        """The same for an optimizer; None where no such rule holds.

        With momentum m it is 2 (1 + m) / eigenvalue (Polyak, Some methods of speeding up the
        convergence of iteration methods, 1964); with Nesterov's (2 + 2 m) / (1 + 2 m) times
        1 / eigenvalue, from the eigenvalues of the same recurrence. Weight decay adds to the
        curvature. Optimizers that scale each weight's step have no such rule, nor has clipping.
        """
        rule = optimizer.record.highest_rate
        if rule is None or optimizer.clip_norm is not None:
            return None
        bend = self.eigenvalue + optimizer.weight_decay
        return rule(optimizer.momentum or 0) / bend if bend > 0 else math.inf


def curvature(model: Model, samples: Samples, *, most_samples: int = MOST_SAMPLES) -> Curvature:
    """Find the largest curvature of the mean loss: the largest eigenvalue of its Hessian.

        H v = lambda v,  H = d^2 L / dw^2

    Full-batch gradient descent diverges at learning rates above 2 / lambda. The eigenvalue is found
    with the Lanczos iteration, from products H v, without the matrix H.

    Source: Lanczos, An iteration method for the solution of the eigenvalue problem, 1950; the
    products by Pearlmutter, Fast exact multiplication by the Hessian, 1994.

    Args:
        model: The network with its weights, loss and scaling, such as `run.model`; dropout is left
            out. The curvature is that of the loss in scaled units, in which training makes its
            steps.
        samples: Inputs as they were read, targets, and weights if there are any.
        most_samples: Of more samples, so many are used, always the same.

    Returns:
        The largest eigenvalue with its direction; the same arguments give the same bits.

    Raises:
        DataError: There are no samples, or a loss or gradient is not finite.

    Example:
        >>> run = ds.open_run("runs/moons-1").with_data()
        >>> found = ds.insight.curvature(run.model, run.dataset.train)
        >>> bool(found.highest_rate == 2 / found.eigenvalue)
        True
    """
    if not len(samples):
        raise DataError("There are no samples.", "at least one", "Check how they were read.")
    width = max(1, min(_WIDEST, _MOST_NUMBERS // math.prod(samples.inputs.shape[1:])))
    units, parameters = model.units, model.parameters
    batches = evaluation_batches(len(samples), width, most_samples)
    part = on_device(samples, samples.weights, batches, units)
    scales = units.scales(samples.inputs)
    program = _Program(model.network, model.loss)
    start, unravel = ravel_pytree(parameters)
    run = compiled(_bend, program, parameters, start, part, scales)

    def multiply(vector: np.ndarray) -> np.ndarray:
        product = np.asarray(run(parameters, vector.astype(start.dtype), part, scales), np.float64)
        if not np.isfinite(product).all():
            raise DataError(
                "The loss bends by no finite number at these weights.",
                "weights and samples at which loss and slopes are finite",
                "Look for missing or huge values in the data, or take earlier weights.",
            )
        return product

    found = _lanczos(multiply, len(start))
    direction = jax.tree.map(np.asarray, unravel(jnp.asarray(found.direction, start.dtype)))
    count = min(len(samples), most_samples)
    return Curvature(found.eigenvalue, found.uncertainty, direction, found.products, count)


@dataclass(frozen=True)
class _Program:
    """What is compiled."""

    network: Network
    loss: Loss


def _bend(
    program: _Program,
    parameters: NetworkParameters,
    vector: Float[Array, " weights"],
    part: Part,
    scales: Scales,
) -> Float[Array, " weights"]:
    """The Hessian of the mean loss, times a vector.

    Both derivatives walk backwards: some layers' slopes are written by hand, and have no
    derivative in forward mode.
    """
    weights, unravel = ravel_pytree(parameters)
    network, loss = program.network, program.loss
    if part.sizes is not None:
        network, loss = without_padding(network), loss_without_padding(loss)

    def of_batch(sums: tuple[Array, Array], batch: Array) -> tuple[tuple[Array, Array], None]:
        inputs, targets, counts, _ = take(part, batch, masked=True)
        assert counts is not None  # they are there with a mask
        signals: Any = scales.scale_inputs(inputs)
        if (sizes := part.sizes_of(batch)) is not None:
            signals = Padded(signals, sizes)

        def total(flat: Array) -> Array:
            outputs: Any = network.forward(unravel(flat), signals)
            return (loss.per_sample(outputs, targets) * counts).sum()

        product = jax.grad(lambda flat: jnp.vdot(jax.grad(total)(flat), vector))(weights)
        return (sums[0] + product, sums[1] + counts.sum()), None

    zero = jnp.zeros_like(weights), jnp.zeros((), weights.dtype)
    (product, count), _ = lax.scan(of_batch, zero, part.batches)
    return product / count


@dataclass(frozen=True, eq=False)
class _Found:
    """What Lanczos' method found."""

    eigenvalue: float
    uncertainty: float
    direction: np.ndarray
    products: int


def _lanczos(multiply: Callable[[np.ndarray], np.ndarray], size: int) -> _Found:
    """The largest eigenvalue of a symmetric matrix of which only products are known.

    In the space of the vectors seen so far the matrix has three diagonals; its largest
    eigenvalue there grows to that of the whole. Every new vector is made orthogonal to all
    before, so that rounding lets none come back.
    """
    most = min(size, MOST_STEPS)
    basis = np.empty((most, size))
    first = np.random.default_rng(0).normal(size=size)
    basis[0] = first / np.linalg.norm(first)
    diagonal, beside = [], []
    while True:
        known = basis[: len(diagonal) + 1]
        product = multiply(known[-1])
        diagonal.append(float(known[-1] @ product))
        for _ in range(2):  # once leaves rounding behind
            product = product - known.T @ (known @ product)
        rest = float(np.linalg.norm(product))
        values, vectors = eigh_tridiagonal(diagonal, beside)
        eigenvalue, fractions = float(values[-1]), vectors[:, -1]
        uncertainty = rest * abs(float(fractions[-1]))
        is_found = uncertainty <= TOLERANCE * abs(eigenvalue)  # also where nothing bends: 0 <= 0
        if is_found or len(known) == most:
            return _Found(eigenvalue, uncertainty, fractions @ known, len(known))
        beside.append(rest)
        basis[len(known)] = product / rest
