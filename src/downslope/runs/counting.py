"""How many people there are in a photo, and how far such counts of a run are off."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from downslope.data.dataset import DataInfo
from downslope.data.photos import read_photo
from downslope.errors import DataError
from downslope.numerals import rounded
from downslope.runs.run import Run
from downslope.runs.run_folder import DataSummary
from downslope.text import amount


class Estimate(NamedTuple):
    """A photo as the network saw it, and what it saw.

    Attributes:
        path: Where the photo is.
        photo: (h, w, 3) of 0 to 255.
        density: People per cell, float32 (h', w', 1); None of a network that learnt their number
            alone.
        people: How many they are.
    """

    path: Path
    photo: np.ndarray
    density: np.ndarray | None
    people: float


def estimate(run: Run, path: Path) -> Estimate:
    """Let the network count the people in one photo.

    Raises:
        DataError: The photo cannot be read, or the run does not count people.
    """
    if not counts_people(run.data):
        raise DataError(
            f"The run in {run.folder} was trained for {run.data.task}.",
            "a run that counts people",
            "Train one with: downslope train crowd. For other runs use: downslope predict.",
        )
    if run.data.task != "counting":
        photo = read_crowd_photo(path, run.data)
        return Estimate(path, photo, None, float(run.predict(photo[None])[0, 0]))
    photo = read_photo(path, run.data.photo_side, run.data.ranges or None)
    density = run.densities(photo[None])[0]
    return Estimate(path, photo, density, float(density.sum(dtype="float64")))


def counts_people(data: DataInfo) -> bool:
    """Whether people are learnt to be counted: where they are, or their number alone."""
    return data.task == "counting" or (data.task == "regression" and data.photo_side > 0)


def usual_error(run: Run) -> str:
    """How far counts of a run are off on the photos of its validation part, in words."""
    assert run.dataset is not None
    part = run.dataset.validation
    if not len(part):
        return ""
    off, interval = run.measure(part)["mae"], run.intervals(part).get("mae")
    within = "" if interval is None else " (95 % interval {} to {})".format(*map(rounded, interval))
    return (
        f"On {amount(len(part), 'validation photo')} its counts are off by {rounded(off)} "
        f"on average{within}."
    )


def read_crowd_photo(path: Path, card: DataSummary) -> np.ndarray:
    """A photo as those of the training were read, with black at the bottom and on the right.

    Raises:
        DataError: It cannot be read, or is larger than those.
    """
    photo = read_photo(path, card.photo_side, card.ranges or None)
    height, width, _ = card.input_shape
    if photo.shape[0] > height or photo.shape[1] > width:
        raise DataError(
            f"{path} has {photo.shape[1]} x {photo.shape[0]} pixels once it is shrunk.",
            f"at most {width} x {height}, the largest of the photos that the run was trained on",
            "Turn or crop it, or train a run that says where people are (end with conv 1 1), "
            "which takes photos of every size.",
        )
    padded = np.zeros(card.input_shape, photo.dtype)
    padded[: photo.shape[0], : photo.shape[1]] = photo
    return padded
