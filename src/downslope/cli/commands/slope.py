"""`downslope slope`: value, slope and tangent of a function of one number."""

from __future__ import annotations

from typing import Any

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output


@click.command()
@click.argument("function", required=False)
@click.option("--at", type=options.Numbers(), metavar="X,Y,...", help="The points.")
@click.option("--target", type=float, metavar="T", help="Losses: the true value.")
@click.option(
    "--span", type=options.Numbers(), metavar="FROM,TO", help="Where the curve begins and ends."
)
@options.figures_output
def slope(
    function: str | None,
    at: tuple[float, ...] | None,
    target: float | None,
    span: Any,
    output: Output,
) -> int:
    """Find the slope of a loss, an activation or any function of x.

    FUNCTION is a name such as squared_error or tanh, or an expression such as "x**2 - 3*x".
    Without it: the square error of predictions for a photo of 500 people, at 350 and 600.
    """
    from downslope.insight.slope import slope as find

    return output.show(find(function, at=at, target=target, span=span))
