"""Figures inside a page follow its colours."""

import re

import pytest

from downslope.insight import slope
from downslope.plots import style
from downslope.plots.slope import tangents
from downslope.reporting.figures import inline, variables


def test_colours_of_ours_become_the_pages():
    text = inline(tangents(slope()), "a-")
    assert {"var(--ink)", "var(--paper)", "var(--blue)"} <= set(re.findall(r"var\([^)]*\)", text))
    for colour in (style.INK, style.PAPER, style.BLUE, style.MUTED):
        assert colour.lower() not in text
    assert "<style" not in text and "xmlns" not in text
    assert re.match('<svg role="img" aria-label="The slope of squared error', text)


def luminance(colour):
    """Relative luminance, as in WCAG 2."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_letters_and_lines_stand_out_from_the_page(dark):
    colours = dict(re.findall(r"--(\w+): (#\w+);", variables(dark)))
    paper = luminance(colours["paper"])

    def contrast(name):
        bright, dim = sorted((luminance(colours[name]), paper), reverse=True)
        return (bright + 0.05) / (dim + 0.05)

    assert all(contrast(name) >= 4.5 for name in ("ink", "muted", "blue", "alarm"))
    assert all(contrast(name) >= 3 for name in ("vermillion", "green"))
