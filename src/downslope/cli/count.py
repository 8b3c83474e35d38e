"""`downslope count`: how many people there are in photos."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


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
@options.as_json
@options.no_pictures
def count(
    run_folder: Path, photos: tuple[Path, ...], out: Path | None, as_json: bool, pictures: bool
) -> None:
    """Estimate how many people are in each PHOTO, with a RUN trained on photos of crowds.

    Each photo is drawn with its density map, which shows where the network sees people, as
    PHOTO-count.png; no picture is ever overwritten.
    """
    from downslope.cli.counting import count_and_report

    count_and_report(run_folder, photos, out, as_json=as_json, pictures=pictures)
