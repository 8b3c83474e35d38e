"""What people look at: pictures of a run, drawn with matplotlib and saved as PNG or SVG.

Each function takes plain arrays and returns a figure; `draw_run` draws all that suit a run.
"""

from downslope.pictures.bowl import descents
from downslope.pictures.classes import confusion_matrix
from downslope.pictures.crowds import choose_over_range, count_scatter, crowd_samples, draw_count
from downslope.pictures.curves import loss_curves
from downslope.pictures.escape import endings
from downslope.pictures.files import save_all
from downslope.pictures.layer_bars import layer_movement, layer_slopes
from downslope.pictures.layers import (
    draw_layers,
    filters_figure,
    importance_figure,
    layers_figure,
)
from downslope.pictures.line import line_between
from downslope.pictures.mistakes import Answers, worst_mistakes
from downslope.pictures.neuron import neuron_figure
from downslope.pictures.parting import two_courses
from downslope.pictures.plane import decision_map
from downslope.pictures.rates import rate_search
from downslope.pictures.regression import fitted_curve, predictions
from downslope.pictures.run import draw_run
from downslope.pictures.samples import sample_tiles
from downslope.pictures.schedule import learning_rates
from downslope.pictures.slope import tangents
from downslope.pictures.style import new_figure, save
from downslope.pictures.surface import surface_map, surface_relief

__all__ = [
    "Answers",
    "choose_over_range",
    "confusion_matrix",
    "count_scatter",
    "crowd_samples",
    "decision_map",
    "descents",
    "draw_count",
    "draw_layers",
    "draw_run",
    "endings",
    "filters_figure",
    "fitted_curve",
    "importance_figure",
    "layer_movement",
    "layer_slopes",
    "layers_figure",
    "learning_rates",
    "line_between",
    "loss_curves",
    "neuron_figure",
    "new_figure",
    "predictions",
    "rate_search",
    "sample_tiles",
    "save",
    "save_all",
    "surface_map",
    "surface_relief",
    "tangents",
    "two_courses",
    "worst_mistakes",
]
