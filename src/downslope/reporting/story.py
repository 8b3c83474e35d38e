"""The chapters of a report in their order, and what each is written by.

To add a figure, write one function that takes the `Material` and yields pieces, and name it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from downslope.reporting.material import Material
from downslope.reporting.pieces import Chapter, Piece
from downslope.reporting.story_begin import the_first_answers, the_loss, the_samples
from downslope.reporting.story_descent import the_repetition, the_slopes, the_steps
from downslope.reporting.story_replay import the_gap, the_layers, the_surface
from downslope.reporting.story_result import (
    Result,
    how_good,
    the_ending,
    the_same_samples,
    the_settings,
)
from downslope.reporting.story_weight import the_change, the_factors, the_neuron

Write = Callable[[Material], Iterable[Piece]]

SIX_STEPS: tuple[tuple[str, tuple[Write, ...]], ...] = (
    ("Samples go in", (the_samples,)),
    ("The untrained network answers", (the_first_answers,)),
    ("How far its answers are off: the loss", (the_loss,)),
    ("Which way is down: the slopes", (the_slopes, the_factors)),
    ("Steps against the slope", (the_steps, the_change)),
    ("Again and again: the epochs", (the_repetition, the_gap, the_same_samples)),
)
CLOSER = ("A closer look: the layers and the way down", (the_layers, the_neuron, the_surface))
RESULT = "How good it is"
AFTERWARDS: tuple[tuple[str, tuple[Write, ...]], ...] = (
    ("How it ended, and what to try", (the_ending,)),
    ("All settings", (the_settings,)),
)


def chapters(material: Material, result: Result) -> list[Chapter]:
    """All chapters that have something to tell."""
    good = (RESULT, (lambda material: how_good(material, result),))
    written = [
        Chapter(title, tuple(piece for write in parts for piece in write(material)))
        for title, parts in (*SIX_STEPS, CLOSER, good, *AFTERWARDS)
    ]
    return [one for one in written if one.pieces]
