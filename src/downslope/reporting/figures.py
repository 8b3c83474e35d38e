"""Figures inside a page: drawn once, in the colours that the page has, be it bright or dark."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from matplotlib.figure import Figure

from downslope.errors import escape_html
from downslope.plots import style
from downslope.plots.svg import svg_of

# a colour of our figures, its name in the page's style sheet, and what it is there in the dark
_COLOURS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        style.INK: ("ink", "#E9ECF1"),
        style.MUTED: ("muted", "#A9B1BD"),
        style.FAINT: ("faint", "#555D69"),
        style.GRID: ("grid", "#2A3038"),
        style.PAPER: ("paper", "#14171C"),
        style.BLUE: ("blue", "#4AA3E0"),
        style.VERMILLION: ("vermillion", "#F0813D"),
        style.GREEN: ("green", "#2BC49A"),
        style.PURPLE: ("purple", "#DE99BE"),
        style.AMBER: ("amber", "#F0B23C"),
        style.SKY: ("sky", "#8CCBF2"),
        style.PALETTE[6]: ("grey", "#B5B5B5"),
        style.ALARM: ("alarm", "#FF7B8E"),
    }
)
_NAMES = {colour.lower(): name for colour, (name, _) in _COLOURS.items()}
_HEX = re.compile(r"(?<=[ :\"])#[0-9a-f]{6}\b")
_OWN_STYLE = re.compile(r"\s*<defs>\s*<style type=\"text/css\">.*?</style>\s*</defs>", re.DOTALL)


def variables(dark: bool) -> str:
    """The page's colours as declarations of a style sheet."""
    return " ".join(
        f"--{name}: {in_the_dark if dark else colour};"
        for colour, (name, in_the_dark) in _COLOURS.items()
    )


def inline(figure: Figure, prefix: str) -> str:
    """A figure as an element of a page, which scales with it and follows its colours.

    Args:
        figure: The figure.
        prefix: Put before each name inside, another one for each figure of the page.
    """
    text = _OWN_STYLE.sub("", svg_of(figure, prefix))
    head, _, body = text.partition(">")
    box = re.search(r'viewBox="[^"]*"', head)
    label = escape_html(style.alt_text(figure), quote=True)
    text = f'<svg role="img" aria-label="{label}" {box[0] if box else ""}>{body}'
    text = text.replace("xlink:href", "href")
    return _HEX.sub(lambda found: f"var(--{_NAMES[found[0]]})" if found[0] in _NAMES else found[0],
                    text)  # fmt: skip
