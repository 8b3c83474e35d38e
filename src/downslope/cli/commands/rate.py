"""`downslope rate`: which learning rate is good for a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output

if TYPE_CHECKING:
    from downslope.runs.train_options import TrainOptions


@click.command()
@click.argument("source", metavar="DATA")
@options.reading
@options.seeded_training
@click.option(
    "--seconds",
    type=float,
    default=20.0,
    metavar="X",
    help="About how long the search may take (default 20); for a training that takes longer, "
    "about as long as that takes.",
)
@options.out_folder
@options.drawn_output
def rate(
    source: str,
    reading: dict[str, Any],
    train_options: TrainOptions,
    seconds: float,
    out: Path | None,
    output: Output,
) -> int:
    """Find a good learning rate for a training on DATA.

    Many short trainings, with rates from far too small to far too large and several seeds, run side
    by side. The output says which rates are good, which one to take, above which it overshoots and
    below which it is too slow, and shows each in a short training. No run is kept.

    To find a rate and train with it at once: downslope train DATA --learning-rate auto.
    """
    from downslope.cli.training import claimed
    from downslope.errors import SettingError
    from downslope.insight.learning_rate import find_rate

    if train_options.learning_rate is not None:
        raise SettingError(
            f"The learning rate was given as {train_options.learning_rate!r}, and rate is to find "
            "it.",
            "no --learning-rate",
            "Leave it out.",
        )
    with claimed(out) as claim:
        dataset = train_options.suited(output.read(source, reading))
        train_options.plan(dataset)  # says what is wrong before the folder is made
        folder = claim(f"{dataset.name}-rate").path
        with output.working(f"Looking for a learning rate on {dataset.name}") as on_progress:
            found = find_rate(
                None, dataset, options=train_options, seconds=seconds, on_progress=on_progress
            )
        return output.keep(found, folder / "rate.json")
