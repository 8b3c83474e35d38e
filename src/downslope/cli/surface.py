"""`downslope surface`: the loss around the weights of a run."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


@click.command()
@options.run_folder
@options.moved_data
@click.option(
    "--plane",
    type=click.Choice(("path", "random")),
    default="path",
    help="path: the two main directions of the path that the training walked; random: two random "
    "directions, filter-normalised.",
)
@click.option(
    "--weights",
    nargs=2,
    metavar="A B",
    help="The plane of two weights or biases instead, such as those of layer 1: "
    '"1.weights[3,5]" "1.biases[5]".',
)
@click.option(
    "--line-to",
    "other",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="The straight line to another run's weights instead, with the barrier on it.",
)
@click.option(
    "--points", type=int, default=51, metavar="N", help="Points in each direction (default 51)."
)
@click.option("--reach", type=float, metavar="X", help="How far to go in each direction.")
@click.option(
    "--seed", type=int, default=0, metavar="N", help="Random seed for --plane random (default 0)."
)
@options.as_json
@options.no_pictures
def surface(
    run_folder: Path,
    data: Path | None,
    plane: str,
    weights: tuple[str, str] | None,
    other: Path | None,
    points: int,
    reach: float | None,
    seed: int,
    as_json: bool,
    pictures: bool,
) -> None:
    """Show the loss surface around the weights of a RUN, with the path of the training.

    The training and the validation loss are computed on a plane and drawn as a map and as a relief
    in the run's pictures. The output says how much of the path lies in the plane.
    """
    from downslope.cli.surveying import line_and_report, survey_and_report

    if other is not None:
        line_and_report(run_folder, data, other, points, as_json=as_json, pictures=pictures)
        return
    survey_and_report(
        run_folder,
        data,
        plane="weights" if weights else plane,
        weights=weights or (),
        points=points,
        reach=reach,
        seed=seed,
        as_json=as_json,
        pictures=pictures,
    )
