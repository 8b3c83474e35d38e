"""What the learning was: steps, slopes, surfaces, rates and minima of networks that a user trains.

Pure functions of data sets, networks and runs; each returns plain values that every door shows.
"""

from downslope.insight.bowl import bowl
from downslope.insight.compare import compare
from downslope.insight.escape import escape
from downslope.insight.generalization import generalization
from downslope.insight.learning_curve import learning_curve
from downslope.insight.minima import minima
from downslope.insight.slope import slope

__all__ = [
    "bowl",
    "compare",
    "escape",
    "generalization",
    "learning_curve",
    "minima",
    "slope",
]
