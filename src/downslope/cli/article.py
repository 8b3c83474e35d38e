"""What `downslope slope`, `bowl` and `escape` do: the numbers of a figure, and its pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from downslope.cli import display
from downslope.cli.lines import print_json, print_table, say
from downslope.cli.runner import list_pictures
from downslope.insight.bowl import RATES, START, STEPS, bowl
from downslope.insight.escape import BATCH_SIZES, escape
from downslope.insight.slope import number, slope
from downslope.numerals import rounded
from downslope.plots.bowl import descents
from downslope.plots.escape import endings
from downslope.plots.files import save_all
from downslope.plots.slope import tangents


def show_slope(
    function: str | None,
    at: tuple[float, ...] | None,
    target: float | None,
    span: Any,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Print value and slope of a function at some points, and draw its tangents.

    Raises:
        DownslopeError: Something given cannot be used, or the disk refuses.
    """
    found = slope(function, at=at, target=target, span=span)
    paths = _drawn("slope", lambda: tangents(found), out, as_json)
    points = [
        {
            found.variable: one.at,
            "value": one.value,
            "slope": one.slope,
            "finite_difference": one.difference,
            "kink": one.kink,
            "jump": one.jump,
            "automatic": one.automatic,
        }
        for one in found.tangents
    ]
    result = {"function": found.name, "target": found.target, "points": points}
    if not as_json:
        say(f"{found.title}\n")
        head = (found.variable, found.result, "slope", "finite difference")
        rows = [
            [number(one.at), number(one.value), number(one.slope), number(one.difference, 7)]
            for one in found.tangents
        ]
        print_table(head, rows, numeric=range(4))
        say()
        for sentence in filter(None, (*found.sentences, found.note)):
            say(sentence)
    _finish(result, paths, as_json)


def show_bowl(
    rates: Any, start: Any, steps: int | None, out: Path | None, *, as_json: bool
) -> None:
    """Descend on the bowl, print where each descent ended, and draw them.

    Raises:
        DownslopeError: Something given cannot be used, or the disk refuses.
    """
    with display.waiting("Descending ...", lively=not as_json):
        found = bowl(
            rates=RATES if rates is None else rates,
            start=START if start is None else start,
            steps=STEPS if steps is None else steps,
        )
    paths = _drawn("bowl", lambda: descents(found), out, as_json)
    result = {
        "lowest": [4.0, 3.0],
        "start": found.start,
        "gradient": found.gradient,
        "descents": [
            {
                "rate": one.rate,
                "weights": one.weights.tolist(),
                "losses": one.losses.tolist(),
                "distance": one.distance,
                "verdict": one.verdict,
            }
            for one in found.descents
        ],
    }
    if not as_json:
        rows = [
            [
                rounded(one.rate, 6),
                *map(_weight, one.weights[-1]),
                rounded(one.losses[-1]),
                one.verdict,
            ]
            for one in found.descents
        ]
        print_table(("rate", "w1", "w2", "loss", "how it went"), rows, numeric=range(4))
        say(f"\n{found.sentence}")
    _finish(result, paths, as_json)


def _weight(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 1e6 else rounded(value)


def show_escape(settings: Mapping[str, Any], out: Path | None, *, as_json: bool) -> None:
    """Count how many starts left the local minimum, and draw where they ended.

    Raises:
        DownslopeError: Something given cannot be used, or the disk refuses.
    """
    sizes = settings["batch_sizes"] or BATCH_SIZES
    with display.waiting("Walking from all starts ...", lively=not as_json):
        found = escape(**{**settings, "batch_sizes": sizes})
    paths = _drawn("escape", lambda: endings(found), out, as_json)
    result = {
        "starts": len(found.starts),
        "samples": found.samples,
        "epochs": found.epochs,
        "learning_rate": found.learning_rate,
        "walkers": [
            {
                "batch_size": one.batch_size,
                "steps": one.steps,
                "ended_in_a": one.in_a,
                "ended_in_b": one.in_b,
                "ended_elsewhere": one.elsewhere,
                "reached_a": int(one.reached.sum()),
                "back_in_b": int(one.left.sum()),
                "ends": one.ends.tolist(),
            }
            for one in found.walkers
        ],
        "conclusion": found.conclusion,
    }
    if not as_json:
        head = ("", "steps", "came to A", "back in B", "ended in A", "ended in B", "elsewhere")
        counts = (
            "steps", "reached_a", "back_in_b", "ended_in_a", "ended_in_b", "ended_elsewhere",
        )  # fmt: skip
        rows = [
            [one.name, *(f"{row[name]:,}" for name in counts)]
            for one, row in zip(found.walkers, result["walkers"], strict=True)
        ]
        say(f"{found.setting}\n")
        print_table(head, rows, numeric=range(1, 7))
        say(f"\n{found.conclusion}")
    _finish(result, paths, as_json)


def _drawn(name: str, draw: Callable[[], Figure], out: Path | None, as_json: bool) -> list[Path]:
    """Draw if it is wanted, before anything is printed: the folder may refuse."""
    if out is None:
        return []
    with display.waiting("Drawing ...", lively=not as_json):
        return save_all([(name, draw())], out)


def _finish(result: dict[str, Any], paths: list[Path], as_json: bool) -> None:
    """Say where the pictures are, or print the result as JSON."""
    if as_json:
        print_json(result | {"pictures": [str(path) for path in paths]})
    elif paths:
        say()
        list_pictures(paths)
