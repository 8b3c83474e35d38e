"""The article's three figures: what they show, and that nothing covers anything."""

import numpy as np
import pytest

from downslope.insight import bowl, escape, slope
from downslope.plots import style
from downslope.plots.bowl import descents
from downslope.plots.escape import endings
from downslope.plots.slope import tangents


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"function": "x**2 - 3*x", "at": [1.0]},
        {"function": "relu", "at": [0, 2]},
        {"function": "binary_cross_entropy", "target": 1},
        {"function": "exp(-x)*sin(3*x)", "at": np.linspace(-1, 2, 6)},
        {"function": "7", "at": 0},
        {"function": "log(x)", "at": 0.5, "span": (-1, 1)},
    ],
)
def test_tangents(arguments, texts, overlaps):
    found = slope(**arguments)
    figure = tangents(found)
    assert overlaps(figure) == []
    shown = "\n".join(texts(figure))
    for one in found.tangents:
        assert f"slope {one.slope:.6g}".replace("-", "\N{MINUS SIGN}") in shown


def test_the_tangent_of_the_picture_has_the_slope():
    axes = tangents(slope()).axes[0]
    for line, wanted in zip(axes.lines[2::2], (-300, 200), strict=True):
        x, y = line.get_data()
        assert np.diff(y) / np.diff(x) == pytest.approx([wanted, wanted])


def test_a_kink_has_two_halves_of_a_tangent_and_a_jump_none(texts):
    figure = tangents(slope("abs(x - 2)", at=2))
    x, y = figure.axes[0].lines[1].get_data()
    assert np.diff(y) / np.diff(x) == pytest.approx([-1, 1])
    assert any("kink: slope \N{MINUS SIGN}1 left,\n1 right" in text for text in texts(figure))
    figure = tangents(slope("where(x < 2, 0, 1)", at=2))
    assert [len(line.get_xdata()) for line in figure.axes[0].lines[1:]] == [1]
    assert any("jumps from 0\nto 1" in text for text in texts(figure))


def test_the_arrow_uphill_lies_inside_and_is_none_at_the_lowest_point():
    for start in [(4, -1.5), (0.5, -1.5), (9, 9), (4, 3)]:
        plane = descents(bowl(start=start, rates=[0.1])).axes[1]
        arrows = [one for one in plane.texts if one.get_text() == ""]
        assert len(arrows) == (start != (4, 3))
        for arrow in arrows:
            x, y = arrow.xy
            assert plane.get_xlim()[0] <= x <= plane.get_xlim()[1]
            assert plane.get_ylim()[0] <= y <= plane.get_ylim()[1]


def test_descents(texts, overlaps):
    figure = descents(bowl())
    plane = figure.axes[1]
    ways = [line for line in plane.lines if len(line.get_xdata()) == 16]
    assert [tuple(way.get_xydata()[0]) for way in ways] == [(0.5, -1.5)] * 3
    assert "lowest point (4, 3)" in texts(figure)
    assert [pair for pair in overlaps(figure) if "" not in pair] == []
    assert "The loss is lowest at (4, 3)." in style.alt_text(figure)


def test_descents_that_leave_the_picture():
    descents(bowl(rates=[1e30, 3.0, 0.1], start=(100, 100))).draw_without_rendering()


def test_endings(texts, overlaps):
    found = escape(starts=30, epochs=20)
    figure = endings(found)
    assert overlaps(figure) == []
    assert f"ended in A: {found.walkers[1].ended_in_a} of 30" in texts(figure)
    heights = [sum(bar.get_height() for bar in axes.patches) for axes in figure.axes[1:]]
    assert heights[:3] == [30, 30, 30] and heights[3] < 30
    assert any(f"{30 - heights[3]} ended beyond this picture" in text for text in texts(figure))
