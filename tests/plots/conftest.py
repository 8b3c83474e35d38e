"""What the tests of pictures share: a small run, traces made by hand, ways to look at figures."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

import downslope as ds
from downslope.engine.metrics import MEASURES
from tests.plain import PLAIN


@pytest.fixture(scope="session")
def texts():
    """Every text that a figure shows apart from its axes' ticks."""

    def find(figure: Figure) -> list[str]:
        return [text.get_text() for text in _texts(figure) if text.get_text()]

    return find


@pytest.fixture(scope="session")
def overlaps():
    """The pairs of texts of a figure that cover each other, or leave the figure."""

    def find(figure: Figure) -> list[tuple[str, str]]:
        figure.draw_without_rendering()
        shown = [*_texts(figure), *(label for axes in figure.axes for label in _ticks(axes))]
        names = [text.get_text() for text in shown if text.get_text()]
        boxes = np.array([text.get_window_extent().extents for text in shown if text.get_text()])
        low, high = boxes[:, :2], boxes[:, 2:]
        outside = ((low < -1) | (high > np.array(figure.bbox.extents[2:]) + 1)).any(axis=1)
        common = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
        covered = np.triu((common > 1).all(axis=2), 1)
        # boxes of slanted names touch though their letters do not
        slanted = np.array([text.get_rotation() % 90 != 0 for text in shown if text.get_text()])
        covered &= ~(slanted[:, None] & slanted)
        return [(names[i], "the figure's edge") for i in np.flatnonzero(outside)] + [
            (names[i], names[j]) for i, j in np.argwhere(covered)
        ]

    return find


def _texts(figure: Figure) -> list[Text]:
    found = list(figure.texts)
    for axes in figure.axes:
        found += axes.texts
        if axes.axison:
            found += [axes.xaxis.label, axes.yaxis.label]
            found += [axes.title, *(text for text in axes.get_children() if _is_title(axes, text))]
        legend = axes.get_legend()
        found += [] if legend is None else [*legend.get_texts(), legend.get_title()]
    return found


def _is_title(axes: Axes, child: Artist) -> bool:
    """Whether it is the title at the left: axes keep it as a plain child."""
    return isinstance(child, Text) and child.get_text() == axes.get_title(loc="left") != ""


def _ticks(axes: Axes) -> list[Text]:
    """The labels of the ticks that lie within the axes' limits."""
    if not axes.axison:
        return []
    labels = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        labels += [
            tick.label1
            for tick in axis.get_major_ticks()
            if low <= tick.get_loc() <= high and tick.label1.get_visible()
        ]
    return labels


@pytest.fixture(scope="session")
def png_size():
    """Width and height of a PNG file in pixels, read from its header."""

    def read(path: Path) -> tuple[int, int]:
        head = path.read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        return struct.unpack(">II", head[16:])

    return read


@pytest.fixture(scope="session")
def make_trace():
    """A trace with the given losses per epoch; the measures are the losses once more."""

    def make(task, train, validation, per_epoch=4, batch_loss=None) -> ds.Trace:
        count = len(train)
        epoch = np.arange(1, count + 1)
        epochs = {"epoch": epoch, "step": epoch * per_epoch}
        for name in ("loss", *MEASURES[task]):
            epochs[f"train_{name}"] = np.array(train, np.float32)
            epochs[f"validation_{name}"] = np.array(validation, np.float32)
        if batch_loss is None:
            batch_loss = np.repeat(train, per_epoch)
        batch_loss = np.array(batch_loss, np.float32)
        steps = {
            "step": np.arange(1, len(batch_loss) + 1),
            "batch_loss": batch_loss,
            "learning_rate": np.full(len(batch_loss), 0.1, np.float32),
        }
        return ds.Trace(steps=steps, epochs=epochs)

    return make


@pytest.fixture(scope="session")
def moons_run() -> ds.Run:
    network = ds.Network([ds.Dense(8, "tanh"), ds.Dense(2)])
    return ds.train(
        network, ds.load("moons"), options=PLAIN, optimizer="adam", learning_rate=0.02, epochs=3
    )
