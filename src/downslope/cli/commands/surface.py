"""`downslope surface`: the loss around the weights of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output, RunAt


@click.command()
@options.run
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
@options.drawn_output
def surface(
    run: RunAt,
    plane: Literal["path", "random"],
    weights: tuple[str, str] | None,
    other: Path | None,
    points: int,
    reach: float | None,
    seed: int,
    output: Output,
) -> int:
    """Show the loss surface around the weights of a RUN, with the path of the training.

    The training and the validation loss are computed on a plane and drawn as a map and as a relief
    in the run's pictures. The output says how much of the path lies in the plane.
    """
    from downslope.insight.line import line
    from downslope.insight.surface import surface as survey
    from downslope.runs.open import open_run

    opened = output.open(run)
    if other is not None:
        with output.waiting("Computing the loss between the two runs ..."):
            along = line(opened, open_run(other), points=points)
        return output.show_of(opened, along, other=str(other))
    with output.working(f"Computing the loss surface of {opened.data.name}") as on_progress:
        found = survey(
            opened,
            plane="weights" if weights else plane,
            weights=weights or (),
            points=points,
            reach=reach,
            seed=seed,
            on_progress=on_progress,
        )
    return output.show_of(opened, found)
