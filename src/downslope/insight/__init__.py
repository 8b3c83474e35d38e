"""What the learning was: steps, slopes, surfaces, rates and minima of networks that a user trains.

Pure functions of data sets, networks and runs; each returns plain values that every door shows.
"""

from downslope.insight.curvature import curvature
from downslope.insight.line import line
from downslope.insight.rates import find_rate
from downslope.insight.surface import surface

__all__ = ["curvature", "find_rate", "line", "surface"]
