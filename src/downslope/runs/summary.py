"""A run as a short card in HTML, for notebooks: plain values and a drawing of a few lines.

Nothing is measured for it: it shows what the run knows already, and opens no test part.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from downslope.errors import escape_html
from downslope.nn import notation
from downslope.numerals import rounded
from downslope.runs.run_value import RunValue
from downslope.runs.verdicts import told_beside

_WIDTH, _HEIGHT, _ROOM = 260, 64, 4  # of the drawing, in pixels
# blue and vermillion that can be seen on bright and on dark notebooks
_PARTS = (("train", "training", "#2F8FCE", ""), ("validation", "validation", "#DD6B20", "5 3"))
_LONGEST = 160  # letters of a network that are shown


def shortened(network: str) -> str:
    """A network's notation, cut off where it is too long for a card."""
    return network if len(network) <= _LONGEST else f"{network[:_LONGEST]}…"


def summary_of(run: RunValue) -> dict[str, str]:
    """`Run.summary`."""
    settings, trace = run.settings, run.trace.epochs
    sizes = ", ".join(f"{count:,} {part}" for part, count in run.data.samples.items())
    network = shortened(notation.describe(run.network))
    facts = {
        "data": f"{run.data.name} ({run.data.task}): {sizes} samples",
        "network": f"{network} ({run.parameter_count:,} weights and biases)",
        "trained": (
            f"{settings.optimizer.name}, learning rate {rounded(settings.learning_rate, 6)} "
            f"({settings.schedule.kind}), batch size {settings.batch_size}, "
            f"{run.epochs:,} epochs, seed {settings.seed}"
        ),
    }
    losses = [trace.get(f"{part}_loss", np.zeros(0)) for part in ("train", "validation")]
    if all(len(values) for values in losses):
        train, validation = (rounded(values[-1]) for values in losses)
        facts["loss at the end"] = f"{train} on training, {validation} on validation samples"
    facts["ended"] = " ".join((str(run.outcome), *told_beside(run.outcome)))
    return facts


def card(run: RunValue) -> str:
    """The card as HTML, with everything that comes from the user escaped."""
    rows = "".join(
        '<tr><th scope="row" style="text-align:left;vertical-align:top;padding:1px 12px 1px 0;'
        f'font-weight:600">{escape_html(name)}</th>'
        '<td style="text-align:left;vertical-align:top;padding:1px 0">'
        f"{escape_html(value)}</td></tr>"
        for name, value in summary_of(run).items()
    )
    folder = run.folder
    where = "" if folder is None else f"<div><code>{escape_html(str(folder))}</code></div>"
    return (
        '<div style="font-family:system-ui,sans-serif;font-size:13px;line-height:1.45;'
        'max-width:46em;border:1px solid rgba(128,128,128,.4);border-radius:6px;padding:10px 14px">'
        '<div style="font-weight:700;font-size:15px;margin-bottom:4px">'
        f"{escape_html(run.data.name)}</div>{_drawing(run.trace.epochs)}"
        f'<table style="border-collapse:collapse;background:none">{rows}</table>{where}</div>'
    )


def _drawing(epochs: Mapping[str, np.ndarray]) -> str:
    """Training and validation loss over the epochs, as two fine lines; nothing without them."""
    columns = [np.asarray(epochs.get(f"{part}_loss", []), float) for part, *_ in _PARTS]
    finite = [values[np.isfinite(values)] for values in columns]
    if min(map(len, finite)) < 2:
        return ""
    low, high = min(map(np.min, finite)), max(map(np.max, finite))
    lines = []
    for values, (_, name, colour, dashes) in zip(columns, _PARTS, strict=True):
        x = np.linspace(_ROOM, _WIDTH - _ROOM, len(values))
        y = _HEIGHT - _ROOM - (values - low) / max(high - low, 1e-30) * (_HEIGHT - 2 * _ROOM)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))
        lines.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6" '
            f'stroke-dasharray="{dashes}"><title>{name} loss</title></polyline>'
        )
    ends = f"from {rounded(high)} down to {rounded(low)}"
    label = f"Training (solid) and validation loss (dashed), {ends}"
    return (
        f'<svg role="img" aria-label="{label}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" style="display:block;margin:2px 0 6px">'
        f"{''.join(lines)}</svg>"
    )
