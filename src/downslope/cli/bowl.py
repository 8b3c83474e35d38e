"""`downslope bowl`: gradient descent on a bowl of two weights."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


@click.command()
@click.option(
    "--rates", type=options.Numbers(), metavar="A,B,...", help="Learning rates, one descent each."
)
@click.option(
    "--start", type=options.Numbers(), metavar="W1,W2", help="The weights before the first step."
)
@click.option("--steps", type=int, metavar="N", help="How many steps each descent has.")
@options.figures
@options.no_pictures
@options.as_json
def bowl(
    rates: tuple[float, ...] | None,
    start: tuple[float, ...] | None,
    steps: int | None,
    out: Path,
    pictures: bool,
    as_json: bool,
) -> None:
    """Walk down a bowl of two weights, lowest at (4, 3).

    A small, a good and a too large learning rate from the same start, with the engine's own steps.
    """
    from downslope.cli.article import show_bowl

    show_bowl(rates, start, steps, out if pictures else None, as_json=as_json)
