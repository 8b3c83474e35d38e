"""What the learning was: steps, slopes, surfaces, rates and minima of networks that a user trains.

Pure functions of data sets, networks and runs; each returns plain values that every door shows.
"""

from downslope.insight.bowl import bowl
from downslope.insight.escape import escape
from downslope.insight.slope import slope

__all__ = ["bowl", "escape", "slope"]
