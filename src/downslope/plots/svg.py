"""A figure as SVG: the same bytes for the same figure, and nothing in it that points elsewhere."""

from __future__ import annotations

import io
import re

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text

from downslope.errors import printable
from downslope.plots.letters import make_readable

_NOTHING = {"Creator": None, "Date": None, "Format": None, "Type": None}  # is said of its making
_HEAD = re.compile(r"^.*?(?=<svg )", re.DOTALL)
_ABOUT = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_NAMED = re.compile(r'\s*\bid="([^"]+)"')
FORMULA = "formula"  # the mark (gid) of texts that are formulas of ours
_FORMULA = re.compile(r"(?<!\\)\$")
_USED = re.compile(r'(url\(#|href="#)([^)"]+)')


def make_printable(figure: Figure) -> None:
    """Let every text of a figure be drawn as it is, whoever wrote it: nothing in it is obeyed.

    What has no shape is drawn as its escape, and a $ begins no formula but those of ours.
    """
    for artist in figure.findobj(Text):
        assert isinstance(artist, Text)  # what was asked for
        if artist.get_gid() == FORMULA:
            continue
        text = artist.get_text()
        shown = _FORMULA.sub(r"\\$", printable(text, keep="\n"))
        if shown != text:
            artist.set_text(shown)


def svg_of(figure: Figure, prefix: str = "i") -> str:
    """Draw a figure as an SVG document; letters are drawn as shapes, so no font is needed.

    Args:
        figure: The figure.
        prefix: Put before each name inside, so that several figures fit into one page.
    """
    make_printable(figure)
    buffer = io.BytesIO()
    dpi = figure.dpi
    make_readable(figure)
    try:
        FigureCanvasSVG(figure).print_svg(buffer, metadata=_NOTHING)
    finally:
        figure.set_dpi(dpi)
    text = _ABOUT.sub("", _HEAD.sub("", buffer.getvalue().decode("utf-8")))
    # names are drawn by chance: those that something refers to are numbered, the others left out
    used = {name for _, name in _USED.findall(text)}
    names: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        if found[1] not in used:
            return ""
        return f' id="{names.setdefault(found[1], f"{prefix}{len(names)}")}"'

    text = _NAMED.sub(named, text)
    return _USED.sub(lambda found: f"{found[1]}{names.get(found[2], found[2])}", text)
