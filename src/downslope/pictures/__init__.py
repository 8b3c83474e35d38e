"""What people look at: pictures of a run, drawn with matplotlib and saved as PNG or SVG.

Each function takes plain arrays and returns a figure; `draw_run` draws all that suit a run.
"""

from downslope.pictures.bowl import descents
from downslope.pictures.classes import confusion_matrix
from downslope.pictures.crowds import choose_over_range, count_scatter, crowd_samples, draw_count
from downslope.pictures.curves import loss_curves
from downslope.pictures.escape import endings
from downslope.pictures.files import save_all
from downslope.pictures.layers import layer_movement, layer_slopes
from downslope.pictures.mistakes import Answers, worst_mistakes
from downslope.pictures.plane import decision_map
from downslope.pictures.regression import fitted_curve, predictions
from downslope.pictures.run import draw_run
from downslope.pictures.samples import sample_tiles
from downslope.pictures.schedule import learning_rates
from downslope.pictures.slope import tangents
from downslope.pictures.style import new_figure, save

__all__ = [
    "Answers",
    "choose_over_range",
    "confusion_matrix",
    "count_scatter",
    "crowd_samples",
    "decision_map",
    "descents",
    "draw_count",
    "draw_run",
    "endings",
    "fitted_curve",
    "layer_movement",
    "layer_slopes",
    "learning_rates",
    "loss_curves",
    "new_figure",
    "predictions",
    "sample_tiles",
    "save",
    "save_all",
    "tangents",
    "worst_mistakes",
]
