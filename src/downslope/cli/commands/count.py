"""`downslope count`: how many people there are in photos."""

from __future__ import annotations

from itertools import count as numbers
from pathlib import Path

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output


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
    from downslope.runs.counting import estimate
    from downslope.runs.open import open_run

    run = open_run(run_folder)
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
