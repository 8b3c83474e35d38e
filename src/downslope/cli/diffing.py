"""What `downslope diff` does: two runs side by side, told and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from downslope.cli import display
from downslope.cli.lines import print_json, print_table, say
from downslope.cli.runner import list_pictures
from downslope.insight.diff import Parting, Side, diff
from downslope.insight.differing_settings import Change, Unlike
from downslope.runs.metric_text import COLUMNS, figure
from downslope.runs.open import open_run
from downslope.runs.run import Origin

_PARTS = {"train": "training", "validation": "validation"}


def diff_and_report(one: Path, other: Path, out: Path | None, *, as_json: bool) -> None:
    """Find where two runs part, print and draw it.

    Args:
        one: A run's folder.
        other: Another's.
        out: Where the picture goes; None for none.
        as_json: Whether one JSON object is printed.

    Raises:
        DownslopeError: A folder is not a run, or the disk refuses.
    """
    found = diff(open_run(one), open_run(other))
    paths: list[Path] = []
    if out is not None and not found.same_folder:
        from downslope.plots import save_all
        from downslope.plots.diff import two_courses

        with display.waiting("Drawing ...", lively=not as_json):
            paths = save_all([("diff", two_courses(found))], out)
    if as_json:
        print_json({**as_object(found), "pictures": [str(path) for path in paths]})
        return
    say(f"A: {one}\nB: {other}\n", exact=True)
    for sentence in found.sentences:
        say(sentence)
    if not found.same_folder:
        _print_figures(found)
    list_pictures(paths)


def _print_figures(found: Parting) -> None:
    """The two runs' last figures beside each other, as far as there are any."""
    sides = (found.one, found.other)
    names = dict.fromkeys(name for side in sides for name in side.figures if name != "epoch")
    if not names:
        return
    rows = [["epoch", *(f"{side.figures['epoch']:,}" if side.figures else "" for side in sides)]]
    rows += [[_word(name), *(_cell(side, name) for side in sides)] for name in names]
    say()
    print_table(("measured while training", "A", "B"), rows, numeric=(1, 2))
    say()


def _word(name: str) -> str:
    part, _, measure = name.partition("_")
    return f"{_PARTS[part]}: {COLUMNS[measure]}"


def _cell(side: Side, name: str) -> str:
    measure = name.partition("_")[2]
    return figure(measure, side.figures[name], side.task) if name in side.figures else ""


def as_object(found: Parting) -> dict[str, Any]:
    """Where two runs part as plain values, for JSON; `a` is the first run, `b` the second."""
    largest = found.largest_ratio
    return {
        "a": _side(found.one),
        "b": _side(found.other),
        "same_run": found.same_folder,
        "words": list(found.sentences),
        "data": _unlike(found.data),
        "network": _unlike(found.network),
        "other_start": found.start,
        "from_step": [
            {
                "step": part.first,
                "settings": _unlike(part.settings),
                "versions": _unlike(part.versions),
            }
            for part in found.stretches
        ],
        "steps": found.steps,
        "equal_steps": found.equal_steps,
        "parted_at": found.parted_at,
        "first_losses": None if found.first_losses is None else list(found.first_losses),
        "takes_effect_at": found.takes_effect_at,
        "cause": found.cause,
        "largest_ratio": None if largest is None else {"ratio": largest[0], "step": largest[1]},
        "same_weights": found.same_weights,
        "weights_apart": found.weights_apart,
    }


def _side(side: Side) -> dict[str, Any]:
    ended = side.outcome
    return {
        "run": None if side.folder is None else str(side.folder),
        "data": side.data,
        "steps": side.steps,
        "kept_step": ended.kept_step,
        "outcome": {"reason": ended.reason, "message": ended.message},
        "parent": _parent(side.parent),
        "changes": [_change(one) for one in side.changes],
        "figures": dict(side.figures),
    }


def _parent(parent: Origin | None) -> dict[str, Any] | None:
    return None if parent is None else {"run": parent.run, "step": parent.steps}


def _change(change: Change) -> dict[str, Any]:
    changed = [{"name": one.name, "before": one.one, "after": one.other} for one in change.changed]
    return {"step": change.step, "changed": changed}


def _unlike(unlike: Sequence[Unlike]) -> list[dict[str, str]]:
    return [{"name": one.name, "a": one.one, "b": one.other} for one in unlike]
