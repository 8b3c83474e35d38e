"""Which figures there are of each kind of result: the one table between looking and drawing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from downslope.errors import escape_html
from downslope.insight.batches import Batches
from downslope.insight.bowl import Bowl
from downslope.insight.comparison import Comparison
from downslope.insight.diff import RunDiff
from downslope.insight.escape import Escape
from downslope.insight.explore import Exploration
from downslope.insight.generalization import Generalization
from downslope.insight.layers import LayersOverTime
from downslope.insight.learning_curve import LearningCurve
from downslope.insight.learning_rate import FoundRate
from downslope.insight.line import Line
from downslope.insight.minima import Minima
from downslope.insight.network import NetworkView
from downslope.insight.neuron import Neuron
from downslope.insight.slope import Slope
from downslope.insight.surface import Surface
from downslope.plots import style
from downslope.plots.batches import batch_members
from downslope.plots.bowl import descents
from downslope.plots.compare import comparison
from downslope.plots.diff import two_courses
from downslope.plots.escape import endings
from downslope.plots.explore import explored
from downslope.plots.generalization import generalization_figures, learning_curves
from downslope.plots.layers import layer_figures
from downslope.plots.learning_rate import rate_search
from downslope.plots.line import line_between
from downslope.plots.minima import minima_map
from downslope.plots.network import network_figure
from downslope.plots.neuron import neuron_figure
from downslope.plots.slope import tangents
from downslope.plots.style import save_all
from downslope.plots.surface import surface_map, surface_relief
from downslope.result import Result

Drawing = Mapping[str, Callable[[], Figure]]  # functions that draw, by the name of their files

# a new kind of result is drawn once it has its line here
DRAWINGS: Mapping[type[Result], Callable[[Any], Drawing]] = {
    Batches: lambda found: {"batches": lambda: batch_members(found)},
    Bowl: lambda found: {"bowl": lambda: descents(found)},
    Comparison: lambda found: {"compare": lambda: comparison(found)},
    Escape: lambda found: {"escape": lambda: endings(found)},
    Exploration: lambda found: {"explore": lambda: explored(found)},
    FoundRate: lambda found: {"rate": lambda: rate_search(found)},
    Generalization: generalization_figures,
    RunDiff: lambda found: {} if found.same_folder else {"diff": lambda: two_courses(found)},
    LearningCurve: lambda found: {"learning-curve": lambda: learning_curves(found)},
    LayersOverTime: layer_figures,
    Line: lambda found: {"line": lambda: line_between(found)},
    Minima: lambda found: {"minima": lambda: minima_map(found)},
    NetworkView: lambda found: {"network": lambda: network_figure(found)},
    Neuron: lambda found: {
        f"neuron-{found.layer}-{found.unit}": lambda: neuron_figure(found),
    },
    Slope: lambda found: {"slope": lambda: tangents(found)},
    Surface: lambda found: {
        "surface": lambda: surface_map(found),
        "surface-relief": lambda: surface_relief(found),
    },
}


class Figures(dict[str, Figure]):
    """Figures by name, as `Result.plot` returns them; a notebook shows them.

    Example:
        >>> figures = ds.insight.slope("x**2", at=3).plot()
        >>> list(figures)
        ['slope']
    """

    def _repr_html_(self) -> str:
        """Return them as images, each with its heading and sentences for who cannot see it."""
        return "".join(map(_html, self.values()))


def _html(figure: Figure) -> str:
    data, words = b64encode(style.png_of(figure)).decode(), escape_html(style.alt_text(figure))
    return f'<img src="data:image/png;base64,{data}" alt="{words}" style="max-width:100%">'


def figures_of(result: Result) -> Drawing:
    """Return what can be drawn of a result, without drawing it.

    Args:
        result: The result.

    Returns:
        Functions that draw, by the names of the figures; empty where the result has no figures.

    Example:
        >>> drawings = ds.plots.figures_of(ds.insight.slope("x**2", at=3))
        >>> figure = drawings["slope"]()
    """
    draw = DRAWINGS.get(type(result))
    return {} if draw is None else draw(result)


def plot(result: Result, folder: str | Path | None = None) -> Figures:
    """Draw a result, and write its figures into a folder if there is one; see `Result.plot`.

    Args:
        result: The result.
        folder: Where the figures are written as PNG and SVG; None for nowhere.

    Returns:
        The figures by name.

    Raises:
        StorageError: The files cannot be written.

    Example:
        >>> figures = ds.plots.plot(ds.insight.slope("x**2", at=3))
        >>> list(figures)
        ['slope']
    """
    drawn = Figures({name: draw() for name, draw in result.figures().items()})
    if folder is not None:
        save_all(drawn.items(), folder)
    return drawn
