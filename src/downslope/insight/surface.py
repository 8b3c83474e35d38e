"""The loss surface around the weights of a run, in a plane, with the path that it walked.

The path's own losses are those at its true weights, which lie beside the plane; how much of the
path the plane holds is said with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from downslope.data.dataset import Samples
from downslope.data.progress import OnProgress
from downslope.engine.evaluation import evaluation_batches
from downslope.engine.losses_at import losses_at
from downslope.errors import SettingError
from downslope.insight.path import Path, path_of
from downslope.insight.plane import Kind, Plane, plane_of_path, plane_of_weights, random_plane
from downslope.nn.network import NetworkParameters
from downslope.numerals import rounded
from downslope.result import OfParts, Result
from downslope.runs.preparation import sample_weights
from downslope.runs.run import Run

POINTS = 51  # along each direction
MOST_POINTS = 501
MOST_SAMPLES = 2048  # of each part, as in a training's record
ROOM = 0.25  # around a path, of its extent
FLATTEST = 0.5  # the shorter side of the plane beside the longer one, at least
PIECE = 3_000_000_000  # multiplications between two reports of progress: less than a second


@dataclass(frozen=True, eq=False)
class Walked:
    """A path as it lies in a plane.

    Attributes:
        path: Its points and their weights.
        a: Where each point is along the first direction, (points,).
        b: Likewise along the second.
        train_loss: The training loss at each point's true weights, (points,).
        validation_loss: Likewise the validation loss.
    """

    path: Path
    a: Float[np.ndarray, " points"]
    b: Float[np.ndarray, " points"]
    train_loss: Float[np.ndarray, " points"]
    validation_loss: Float[np.ndarray, " points"]


@dataclass(frozen=True, eq=False)
class Surface(Result):
    """The loss over a plane of weight space.

    Attributes:
        data: Name of the data set.
        loss: Name of the loss.
        plane: The plane.
        a: The coefficients of the columns along the first direction, (columns,).
        b: The coefficients of the rows along the second direction, (rows,).
        train_loss: The mean training loss at each point, (rows, columns), in the units of a run's
            trace; infinite or not a number where it overflows.
        validation_loss: Likewise the validation loss.
        here: Training and validation loss at the run's own weights, which are at (0, 0).
        walked: The path of the training, where the plane follows it.
        samples: How many samples of the training and of the validation part were used.
    """

    data: str
    loss: str
    plane: Plane
    a: Float[np.ndarray, " columns"]
    b: Float[np.ndarray, " rows"]
    train_loss: Float[np.ndarray, "rows columns"]
    validation_loss: Float[np.ndarray, "rows columns"]
    here: OfParts
    walked: Walked | None
    samples: OfParts

    @property
    def summary(self) -> str:
        """What is to be seen, in a sentence or two."""
        train, validation = self.here
        lowest = float(np.nanmin(self.train_loss))
        ends = (
            f"The run ended at a training loss of {rounded(train)} and a validation loss of "
            f"{rounded(validation)}; the lowest training loss of the picture is {rounded(lowest)}."
        )
        if self.plane.kind == "weights":
            count = sum(np.size(one) for one in jax.tree.leaves(self.plane.origin))
            held = f"; two of them change here, and the other {count - 2:,} stay as they are"
            return f"The loss is a function of {count:,} weights and biases{held}. {ends}"
        if self.plane.fraction is None:
            return ends
        fraction = 100 * self.plane.fraction
        return f"The plane holds {fraction:.1f} % of the path's variance. {ends}"


def surface(
    run: Run,
    *,
    plane: Kind = "path",
    weights: Sequence[str] = (),
    points: int = POINTS,
    reach: float | None = None,
    seed: int = 0,
    most_samples: int = MOST_SAMPLES,
    on_progress: OnProgress | None = None,
) -> Surface:
    """Find the loss over a plane in weight space around the weights of a run.

        L(w + a u + b v)

    with the run's weights w and two directions u and v.

    Source: Li et al., Visualizing the loss landscape of neural nets, 2018 (filter-normalised random
    directions, and the principal components of the path).

    Args:
        run: The run.
        plane: "path": the two principal components of the weights during training. "random": two
            random directions, filter-normalised. "weights": two single weights.
        weights: For "weights": two of them, such as "1.weights[3,5]" and "1.biases[5]".
        points: Number of points along each direction.
        reach: How far the plane goes to each side of the run's weights. Left out, it goes a
            little beyond the path; to 1 along random directions, where 1 changes each neuron's
            weights by their own length; and to twice the larger of two weights, at least 1.
        seed: Seed of the random directions.
        most_samples: Of more samples of a part, so many are used, always the same.
        on_progress: Called with (points done, points in all).

    Returns:
        Training and validation loss at each point, and the path of the training in the plane.

    Raises:
        DataError: The run's data is missing or has changed.
        RunError: The training cannot be repeated exactly here.
        SettingError: A setting is out of range, or there is no such weight.

    Example:
        >>> found = ds.insight.surface(ds.open_run("runs/moons-1"), points=5)
        >>> found.train_loss.shape
        (5, 5)
    """
    if not isinstance(points, int) or not 2 <= points <= MOST_POINTS:
        raise SettingError(
            f"The number of points is {points!r}.",
            f"a whole number from 2 to {MOST_POINTS}",
            f"{POINTS} is usual.",
        )
    if reach is not None and not 0 < reach < np.inf:
        raise SettingError(f"The reach is {reach!r}.", "a number above 0", "1 is usual.")
    run = run.with_data()
    path = None
    if plane == "path":
        path = path_of(run)
        spanned = plane_of_path(path)
    elif plane == "random":
        spanned = random_plane(run.parameters, seed)
    elif plane == "weights":
        spanned = plane_of_weights(run.parameters, weights)
    else:
        raise SettingError(
            f"There is no plane called {plane!r}.", "path, random or weights", "Try path."
        )
    positions = None if path is None else spanned.coordinates(path)
    a, b = _axes(spanned, positions, points, reach)
    parts = some_of(run, most_samples)
    train, validation = _heights(run, spanned, a, b, parts, on_progress)
    here = [float(losses_of(run, part, _single(run.parameters))[0]) for part in parts]
    return Surface(
        data=run.data.name,
        loss=run.loss.name,
        plane=spanned,
        a=a,
        b=b,
        train_loss=train,
        validation_loss=validation,
        here=OfParts(*here),
        walked=None if path is None or positions is None else _walked(run, path, positions, parts),
        samples=OfParts(*map(len, parts)),
    )


def _axes(
    plane: Plane, positions: np.ndarray | None, points: int, reach: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """How far along each direction the points are."""
    if reach is None and positions is not None:
        low, high = positions.min(axis=0), positions.max(axis=0)
        half = (0.5 + ROOM) * (high - low)
        half = np.maximum(half, FLATTEST * half.max())
        middle = (low + high) / 2
    else:
        middle, half = np.zeros(2), np.full(2, reach or _usual_reach(plane))
    a, b = (np.linspace(m - h, m + h, points) for m, h in zip(middle, half, strict=True))
    return a, b


def _usual_reach(plane: Plane) -> float:
    if plane.kind != "weights":
        return 1.0
    largest = 0.0
    for direction in (plane.first, plane.second):
        pairs = zip(jax.tree.leaves(plane.origin), jax.tree.leaves(direction), strict=True)
        largest = max(largest, *(float(np.abs(one * chosen).max()) for one, chosen in pairs))
    return max(1.0, 2 * largest)


def some_of(run: Run, most: int) -> tuple[Samples, Samples]:
    """Some samples of the training and of the validation part, as training weighs them."""

    def part(samples: Samples) -> Samples:
        weights = sample_weights(samples, run.settings.class_weights, len(run.data.class_names))
        chosen = evaluation_batches(len(samples), max(1, min(most, len(samples))), most)[0]
        return replace(samples, weights=weights).take(chosen)

    assert run.dataset is not None  # `with_data` has brought it
    return part(run.dataset.train), part(run.dataset.validation)


def losses_of(
    run: Run, part: Samples, parameters: NetworkParameters, **where: Any
) -> Float[np.ndarray, "..."]:
    """The losses of a run's network at many weights, in the units of its trace; see `losses_at`."""
    return losses_at(run.model.at(parameters), part, **where)


def _heights(
    run: Run,
    plane: Plane,
    a: np.ndarray,
    b: np.ndarray,
    parts: tuple[Samples, Samples],
    on_progress: OnProgress | None,
) -> list[np.ndarray]:
    """The losses of each part over the plane, in pieces of a few rows where they take long."""
    grid = np.stack(np.meshgrid(a, b), axis=-1)
    each = run.network.multiplications(run.data.input_shape)
    rows = max(1, PIECE // max(1, each * len(a) * max(map(len, parts))))
    heights, done, total = [], 0, len(parts) * grid[..., 0].size
    for part in parts:
        pieces = []
        for start in range(0, len(b), rows):
            piece = grid[start : start + rows]
            where = {"directions": (plane.first, plane.second), "coefficients": piece}
            pieces.append(losses_of(run, part, plane.origin, **where))
            done += piece[..., 0].size
            if on_progress is not None:
                on_progress(done, total)
        heights.append(np.concatenate(pieces))
    return heights


def _walked(run: Run, path: Path, positions: np.ndarray, parts: tuple[Samples, Samples]) -> Walked:
    train, validation = (losses_of(run, part, path.parameters) for part in parts)
    return Walked(path, positions[:, 0], positions[:, 1], train, validation)


def _single(parameters: NetworkParameters) -> NetworkParameters:
    """One point where many are expected."""
    return jax.tree.map(lambda leaf: np.asarray(leaf)[None], parameters)
