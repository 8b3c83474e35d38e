"""What the learning was: steps, slopes, surfaces, rates and minima of networks that a user trains.

Pure functions of data sets, networks and runs; each returns plain values that every door shows.
"""

from downslope.insight.compare import compare
from downslope.insight.generalization import generalization
from downslope.insight.layers import layers_over_time
from downslope.insight.learning_curve import learning_curve
from downslope.insight.minima import minima
from downslope.insight.neuron import neuron
from downslope.insight.pixels import first_filters, important_inputs
from downslope.insight.steps import trace_step

__all__ = [
    "compare",
    "first_filters",
    "generalization",
    "important_inputs",
    "layers_over_time",
    "learning_curve",
    "minima",
    "neuron",
    "trace_step",
]
