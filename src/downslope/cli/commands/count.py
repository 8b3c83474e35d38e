"""`downslope count`: how many people there are in photos."""

from __future__ import annotations

from itertools import count as numbers
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output
from downslope.errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from downslope.runs.run import Run


@click.command()
@options.run_folder
@click.argument(
    "photos", metavar="PHOTO...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder for the pictures (default RUN/pictures).",
)
@options.drawn_output
def count(run_folder: Path, photos: tuple[Path, ...], out: Path | None, output: Output) -> None:
    """Estimate how many people are in each PHOTO, with a RUN trained on photos of crowds.

    Each photo is drawn with its density map, which shows where the network sees people, as
    PHOTO-count.png; no picture is ever overwritten.
    """
    from downslope.cli.lines import print_json, print_table, say
    from downslope.runs.open import open_run

    run = open_run(run_folder)
    if run.data.task != "counting" and not _knows_number_alone(run):
        raise DataError(
            f"The run in {run.folder} was trained for {run.data.task}.",
            "a run that counts people",
            "Train one with: downslope train crowd. For other runs use: downslope predict.",
        )
    assert run.folder is not None  # it was opened from there
    estimates = [estimate(run, path) for path in photos]
    if output.as_json:
        print_json({"photos": [{"path": str(one.path), "count": one.people} for one in estimates]})
    else:
        rows = [[str(one.path), f"{one.people:,.1f}"] for one in estimates]
        print_table(["photo", "people"], rows, numeric=(1,))
    if not output.pictures:
        return
    from downslope.plots import draw_count

    folder = run.folder / "pictures" if out is None else out.expanduser().absolute()
    for one in estimates:
        if one.density is None:
            continue
        path = claim_picture(folder, f"{one.path.stem}-count")
        try:
            draw_count(one.photo, one.density, one.people, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        say(f"Picture: {path}", err=output.as_json, exact=True)


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


def estimate(run: Run, path: Path) -> Estimate:
    """Let the network count the people in one photo.

    Raises:
        DataError: The photo cannot be read.
    """
    from downslope.cli.inputs import read_crowd_photo
    from downslope.data import read_photo

    if _knows_number_alone(run):
        photo = read_crowd_photo(path, run.data)
        return Estimate(path, photo, None, float(run.predict(photo[None])[0, 0]))
    photo = read_photo(path, run.data.photo_side, run.data.ranges or None)
    density = run.densities(photo[None])[0]
    return Estimate(path, photo, density, float(density.sum(dtype="float64")))


def _knows_number_alone(run: Run) -> bool:
    """Whether it learnt how many people there are and not where."""
    return run.data.task == "regression" and run.data.photo_side > 0


def claim_picture(folder: Path, stem: str) -> Path:
    """Create the first free file among `stem`.png, `stem`-2.png, ... in `folder`.

    Raises:
        StorageError: It cannot be created.
    """
    from downslope.storage.files import make_output_folder, plain_errors

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
