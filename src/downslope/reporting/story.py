"""The chapters of a report in their order, and what each is written by.

To add a figure, write one function that takes the `Material` and yields pieces, and name it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from downslope.reporting.material import Material
from downslope.reporting.pieces import Chapter, Piece
from downslope.reporting.story_begin import the_first_predictions, the_loss, the_samples
from downslope.reporting.story_descent import the_repetition, the_slopes, the_steps
from downslope.reporting.story_replay import the_gap, the_layers, the_surface
from downslope.reporting.story_result import (
    how_good,
    the_ending,
    the_same_samples,
    the_settings,
)
from downslope.reporting.story_weight import the_change, the_factors, the_network, the_neuron
from downslope.runs.evaluate import TrainingResult

Write = Callable[[Material], Iterable[Piece]]

SIX_STEPS: tuple[tuple[str, tuple[Write, ...]], ...] = (
    ("The samples", (the_samples,)),
    ("Predictions of the untrained network", (the_first_predictions,)),
    ("The loss: how wrong the predictions are", (the_loss,)),
    ("Gradients: which way is down", (the_slopes, the_factors)),
    ("Steps against the gradient", (the_steps, the_change)),
    ("Epochs: all samples again and again", (the_repetition, the_gap, the_same_samples)),
)
CLOSER = ("Layers and the loss surface", (the_network, the_layers, the_neuron, the_surface))
RESULT = "How good the network is"
AFTERWARDS: tuple[tuple[str, tuple[Write, ...]], ...] = (
    ("How the training ended, and what to try", (the_ending,)),
    ("All settings", (the_settings,)),
)


def chapters(material: Material, result: TrainingResult) -> list[Chapter]:
    """All chapters that have something to tell."""
    good = (RESULT, (lambda material: how_good(material, result),))
    written = [
        Chapter(title, tuple(piece for write in parts for piece in write(material)))
        for title, parts in (*SIX_STEPS, CLOSER, good, *AFTERWARDS)
    ]
    return [one for one in written if one.pieces]
