"""What a report is made of: chapters of words, tables and figures, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from downslope.text import Table


@dataclass(frozen=True)
class Words:
    """A paragraph.

    Attributes:
        text: Plain text; whatever it says is shown as it is.
        important: Whether it is set apart, for what must not be missed.
    """

    text: str
    important: bool = False


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure.

    Attributes:
        name: The name of its files.
        figure: The figure; its heading and sentence are what is read out to who cannot see it.
        caption: What to look at, in a sentence; may be empty.
    """

    name: str
    figure: Figure
    caption: str = ""


Piece = Words | Table | Picture


@dataclass(frozen=True, eq=False)
class Chapter:
    """A part of the story under its heading.

    Attributes:
        title: The heading.
        pieces: What it holds, in order; at least one.
    """

    title: str
    pieces: tuple[Piece, ...]
