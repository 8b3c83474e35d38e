"""`downslope explore`: a loss that is hidden until its lowest point has been guessed."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import rich_click as click

from downslope.cli import options
from downslope.cli.lines import ask_line, say
from downslope.cli.runner import Output


@click.command()
@click.option(
    "--at",
    type=options.Numbers(),
    metavar="A,B,...",
    help="The weights at which to compute the loss, from 0 to 10; asked for if left out.",
)
@click.option("--seed", type=int, default=0, metavar="N", help="Which curve (default 0).")
@options.figures_output
def explore(output: Output, at: tuple[float, ...] | None, seed: int) -> int:
    """Guess where a hidden loss is lowest, then let its slope lead there.

    Nobody sees the graph of a network's loss: it can only be computed at weights that one tries.
    Name weights from 0 to 10, one a line, and an empty line to end. The slope then leads on from
    the best of them, and the curve is shown.
    """
    from downslope.insight.explore import explore as look

    points = tuple(_asked(seed, output)) if at is None else at
    return output.show(look(points, seed=seed))


def _asked(seed: int, output: Output) -> Iterator[float]:
    """The weights that somebody names, line by line; each is answered with its loss."""
    from downslope.errors import SettingError
    from downslope.insight.explore import MOST_POINTS, checked_point, hidden_loss, losses_and_slopes
    from downslope.insight.slope import number

    formula, is_asked = hidden_loss(seed), sys.stdin.isatty()
    if is_asked:
        say("Where is the loss lowest? Name a weight from 0 to 10; an empty line ends.", err=True)
    for _ in range(MOST_POINTS):
        line = (ask_line("w = ") if is_asked else sys.stdin.readline()).strip()
        if not line:
            return
        try:
            w = checked_point(_number(line))
        except SettingError as error:
            if not is_asked:
                raise
            say(error, err=True)
            continue
        (loss,), _ = losses_and_slopes(formula, [w])
        say(f"loss at w = {number(w, 4)}: {number(float(loss), 4)}", err=output.as_json)
        yield w


def _number(line: str) -> float | str:
    try:
        return float(line)
    except ValueError:
        return line
