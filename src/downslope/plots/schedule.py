"""The learning rate over the steps of a training."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from downslope.plots import style
from downslope.runs.trace import Trace

_MOST_POINTS = 2000


def learning_rates(trace: Trace, *, name: str = "") -> Figure:
    """Draw the learning rate of every step.

    Args:
        trace: The course of the training.
        name: Of the data set, for the title.
    """
    rates = np.asarray(trace.steps["learning_rate"], np.float64)
    every = max(1, -(-len(rates) // _MOST_POINTS))
    low, high = (float(end(rates)) for end in (np.min, np.max)) if len(rates) else (0.0, 0.0)
    subtitle = (
        f"First step {style.short(rates[0])}, last step {style.short(rates[-1])}, highest "
        f"{style.short(high)}."
    )
    title = f"Learning rate: {name}" if name else "Learning rate"
    figure = style.new_figure(title, subtitle, height=2.4)
    axes = style.dress(figure.subplots(), x="step", y="learning rate")
    axes.plot(trace.steps["step"][::every], rates[::every], color=style.BLUE, linewidth=1.8)
    axes.set_ylim(min(0.0, low), 1.06 * high or 1.0)
    axes.set_xlim(1, max(2, len(rates)))
    return figure
