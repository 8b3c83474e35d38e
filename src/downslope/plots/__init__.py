"""Plots of runs and results, drawn with matplotlib and saved as PNG or SVG.

Each function takes plain arrays or a result and returns a figure. `draw_run` draws all that suit a
run, and the `plot` method of a result draws that result.
"""

from downslope.plots.batches import batch_members
from downslope.plots.bowl import descents
from downslope.plots.classes import confusion_matrix
from downslope.plots.crowds import choose_over_range, count_scatter, crowd_samples, draw_count
from downslope.plots.curves import learning_rates, loss_curves
from downslope.plots.diff import two_courses
from downslope.plots.escape import endings
from downslope.plots.explore import explored
from downslope.plots.layer_bars import layer_gradients, layer_movement
from downslope.plots.layers import (
    filters_figure,
    importance_figure,
    layer_figures,
    layers_figure,
)
from downslope.plots.learning_rate import rate_search
from downslope.plots.line import line_between
from downslope.plots.mistakes import ClassPredictions, worst_mistakes
from downslope.plots.network import network_figure, plot_network
from downslope.plots.neuron import neuron_figure
from downslope.plots.plane import decision_map
from downslope.plots.regression import fitted_curve, predictions
from downslope.plots.results import Figures, figures_of, plot
from downslope.plots.run import draw_run
from downslope.plots.samples import sample_tiles
from downslope.plots.slope import tangents
from downslope.plots.style import new_figure, save, save_all
from downslope.plots.surface import surface_map, surface_relief

__all__ = [
    "ClassPredictions",
    "Figures",
    "batch_members",
    "choose_over_range",
    "confusion_matrix",
    "count_scatter",
    "crowd_samples",
    "decision_map",
    "descents",
    "draw_count",
    "draw_run",
    "endings",
    "explored",
    "figures_of",
    "filters_figure",
    "fitted_curve",
    "importance_figure",
    "layer_figures",
    "layer_gradients",
    "layer_movement",
    "layers_figure",
    "learning_rates",
    "line_between",
    "loss_curves",
    "network_figure",
    "neuron_figure",
    "new_figure",
    "plot",
    "plot_network",
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
