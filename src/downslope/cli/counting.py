"""What `downslope count` does: photos become numbers of people, and pictures of where they are."""

from __future__ import annotations

from itertools import count as numbers
from pathlib import Path
from typing import NamedTuple

import numpy as np

from downslope.cli import output
from downslope.cli.inputs import read_crowd_photo
from downslope.cli.lines import say
from downslope.data import read_photo
from downslope.errors import DataError
from downslope.runs.open import open_run
from downslope.runs.run import Run
from downslope.storage.files import make_output_folder, plain_errors


class Estimate(NamedTuple):
    """A photo as the network saw it, and what it saw.

    Attributes:
        path: Where the photo is.
        photo: uint8 (h, w, 3).
        density: People per cell, float32 (h', w', 1); None of a network that learnt their number
            alone.
        people: How many they are.
    """

    path: Path
    photo: np.ndarray
    density: np.ndarray | None
    people: float


def count_and_report(
    folder: Path, photos: tuple[Path, ...], out: Path | None, *, as_json: bool, pictures: bool
) -> None:
    """Estimate the people in each photo, print the estimates, and draw them.

    Raises:
        DownslopeError: The run does not count, a photo cannot be read, or the disk refuses.
    """
    run = open_run(folder)
    if run.data.task != "counting" and not _knows_number_alone(run):
        raise DataError(
            f"The run in {run.folder} was trained for {run.data.task}.",
            "a run that counts people",
            "Train one with: downslope train crowd. For other runs use: downslope predict.",
        )
    assert run.folder is not None
    estimates = [estimate(run, path) for path in photos]
    output.report_counts(estimates, as_json=as_json)
    if not pictures:
        return
    from downslope.plots import draw_count

    place = run.folder / "pictures" if out is None else out.expanduser().absolute()
    for one in estimates:
        if one.density is None:
            continue
        path = claim_picture(place, f"{one.path.stem}-count")
        try:
            draw_count(one.photo, one.density, one.people, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        say(f"Picture: {path}", err=as_json, exact=True)


def estimate(run: Run, path: Path) -> Estimate:
    """Let the network count the people in one photo.

    Raises:
        DataError: The photo cannot be read.
    """
    if _knows_number_alone(run):
        photo = read_crowd_photo(path, run.data)
        return Estimate(path, photo, None, float(run.predict(photo[None])[0, 0]))
    photo = read_photo(path, run.data.photo_side, run.data.ranges)
    density = run.densities(photo[None])[0]
    return Estimate(path, photo, density, float(density.sum(dtype=np.float64)))


def _knows_number_alone(run: Run) -> bool:
    """Whether it learnt how many people there are and not where."""
    return run.data.task == "regression" and run.data.photo_side > 0


def claim_picture(folder: Path, stem: str) -> Path:
    """Create the first free file among `stem`.png, `stem`-2.png, ... in `folder`.

    Raises:
        StorageError: It cannot be created.
    """
    make_output_folder(folder)
    for number in numbers(1):
        path = folder / (f"{stem}.png" if number == 1 else f"{stem}-{number}.png")
        with plain_errors(path):
            try:
                path.touch(exist_ok=False)
            except FileExistsError:
                continue
            return path
    raise AssertionError("numbers never end")
