"""`downslope bowl`: gradient descent on a bowl of two weights."""

from __future__ import annotations

from typing import Any

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output


@click.command()
@click.option(
    "--rates", type=options.Numbers(), metavar="A,B,...", help="Learning rates, one descent each."
)
@click.option(
    "--start", type=options.Numbers(), metavar="W1,W2", help="The weights before the first step."
)
@click.option("--steps", type=int, metavar="N", help="How many steps each descent has.")
@options.figures_output
def bowl(output: Output, **settings: Any) -> int:
    """Walk down a bowl of two weights, lowest at (4, 3).

    A small, a good and a too large learning rate from the same start, with the engine's own steps.
    """
    from downslope.insight.bowl import bowl as descend

    with output.waiting("Descending ..."):
        found = descend(**{name: one for name, one in settings.items() if one is not None})
    return output.show(found)
