"""Analyses of a finished training: steps, gradients, surfaces, rates and minima.

Pure functions of data sets, networks and runs. Each returns a result, which prints itself as text
and has `summary`, `to_dict()` and `plot()`. The examples open a run that was saved before:

    >>> run = ds.train("dense 8 tanh, dense 2", "moons", epochs=2)
    >>> run = run.save("runs/moons-1")
"""

from downslope.insight.batches import batches
from downslope.insight.bowl import bowl
from downslope.insight.compare import compare
from downslope.insight.curvature import curvature
from downslope.insight.diff import diff
from downslope.insight.escape import escape
from downslope.insight.explore import explore
from downslope.insight.generalization import generalization
from downslope.insight.layers import layers_over_time
from downslope.insight.learning_curve import learning_curve
from downslope.insight.learning_rate import find_rate
from downslope.insight.line import line
from downslope.insight.minima import minima
from downslope.insight.network import network
from downslope.insight.neuron import neuron
from downslope.insight.pixels import first_filters, important_inputs
from downslope.insight.slope import slope
from downslope.insight.step import trace_step
from downslope.insight.surface import surface
from downslope.insight.words import word_contributions

__all__ = [
    "batches",
    "bowl",
    "compare",
    "curvature",
    "diff",
    "escape",
    "explore",
    "find_rate",
    "first_filters",
    "generalization",
    "important_inputs",
    "layers_over_time",
    "learning_curve",
    "line",
    "minima",
    "network",
    "neuron",
    "slope",
    "surface",
    "trace_step",
    "word_contributions",
]
