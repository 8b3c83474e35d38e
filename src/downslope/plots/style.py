"""One visual language for all pictures: colours, letters, sizes, and how a figure is saved.

Nothing here touches matplotlib's global state: figures are made and dressed one by one, so
pictures look the same in a notebook, on a server and in several threads.
"""

from __future__ import annotations

import io
import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.legend import Legend
from matplotlib.ticker import Formatter
from PIL import Image

from downslope.errors import printable
from downslope.numerals import rounded
from downslope.plots.letters import drawable, make_readable
from downslope.plots.svg import FORMULA, make_printable, svg_of
from downslope.storage.files import make_output_folder, write_file

# Okabe and Ito, "Color universal design", 2008: told apart by colour-blind eyes as well
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
AMBER, SKY, YELLOW = "#E69F00", "#56B4E9", "#F0E442"
INK, MUTED, FAINT, GRID, PAPER = "#1B1F27", "#646B78", "#B4BAC4", "#E8EAEE", "#FFFFFF"
ALARM = "#B00020"
BRIGHT = "#FEFEFE"  # letters on strong colours: the one bright colour that stays in dark pages

PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, AMBER, SKY, "#4D4D4D", YELLOW)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
# strengths as opacity, so that what is weak has the colour of the page, be it bright or dark
RIGHT = LinearSegmentedColormap.from_list("right", [to_rgba(BLUE, 0.09), to_rgba(BLUE, 1)])
WRONG = LinearSegmentedColormap.from_list(
    "wrong", [to_rgba(VERMILLION, 0.1), to_rgba(VERMILLION, 0.9), to_rgba("#A84A00", 1)]
)
DENSITY = LinearSegmentedColormap.from_list(
    "density", ["#FFFFFF", "#FCE9C4", AMBER, VERMILLION, "#7A1F4B", "#2B0A3D"]
)

WIDTH = 9.0  # inches; at 100 pixels each, the width of a README
DPI = 160
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 14.0, 9.5, 8.5
SHORTENED_FROM = 1e7  # numbers in pictures are written with powers of ten from here on
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_DIGITS = 6
_NEGATIVE = re.compile(r"(?<![\w.)-])-(?=\d)")  # the hyphen of a negative number in a sentence
_MARGIN = 0.12  # inches around everything
_LINE = 0.19  # inches per line of the subtitle
_LETTERS_PER_INCH = 13.8  # of the subtitle's letters, on average


def new_figure(title: str, subtitle: str = "", *, height: float, width: float = WIDTH) -> Figure:
    """Make an empty figure under a heading, which later drawing never overlaps.

    Args:
        title: The heading.
        subtitle: A sentence or two below it, broken into lines as needed.
        height: Height of everything below the heading, in inches.
        width: Width, in inches.

    Returns:
        The figure.

    Example:
        >>> figure = ds.plots.new_figure("Two losses", "Both on the validation part.", height=3)
        >>> axes = figure.subplots()
        >>> lines = axes.plot([1, 2, 3], [0.9, 0.5, 0.4])
    """
    room = int((width - 2 * _MARGIN) * _LETTERS_PER_INCH)
    lines = _balanced(_NEGATIVE.sub("\N{MINUS SIGN}", subtitle), room)
    header = 0.52 + _LINE * len(lines)
    total = height + header
    layout = ConstrainedLayoutEngine(
        rect=(0, 0, 1, height / total), w_pad=_MARGIN, h_pad=_MARGIN, wspace=0, hspace=0
    )
    figure = Figure(figsize=(width, total), dpi=DPI, facecolor=PAPER, layout=layout)
    figure.set_label(f"{title}. {subtitle}".strip())  # what `alt_text` gives
    FigureCanvasAgg(figure)  # draws without a screen, whatever the user's settings say
    left, top = _MARGIN / width, 1 - 0.14 / total
    figure.text(
        left, top, plain(title, 80), size=TITLE_SIZE, weight="bold", color=INK, va="top"
    ).set_in_layout(False)
    figure.text(
        left,
        top - 0.29 / total,
        plain("\n".join(lines), 2000),
        size=TEXT_SIZE,
        color=MUTED,
        va="top",
        linespacing=1.3,
    ).set_in_layout(False)
    return figure


def _balanced(text: str, room: int) -> list[str]:
    """Break a text into as few lines as possible, all of about the same length."""
    lines = textwrap.wrap(text, room)
    for narrower in range(room - 1, room // 2, -1):
        shorter = textwrap.wrap(text, narrower)
        if len(shorter) > len(lines):
            break
        lines = shorter
    return lines


def dress(axes: Axes, *, title: str = "", x: str = "", y: str = "") -> Axes:
    """Give axes of numbers their look: a light grid, two quiet edges, small ticks."""
    axes.set_facecolor(PAPER)
    axes.grid(True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(colors=MUTED, labelsize=SMALL_SIZE, length=3, color=FAINT)
    axes.xaxis.set_major_formatter(Numbers())
    axes.yaxis.set_major_formatter(Numbers())
    axes.set_xlabel(plain(x, 80), size=TEXT_SIZE, color=INK)
    axes.set_ylabel(plain(y, 60), size=TEXT_SIZE, color=INK)
    if title:
        entitle(axes, title)
    return axes


def bare(axes: Axes, *, title: str = "") -> Axes:
    """Give axes that hold an image their look: a hairline around it and no ticks."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(FAINT)
        spine.set_linewidth(0.6)
    if title:
        entitle(axes, title)
    return axes


def entitle(axes: Axes, title: str) -> None:
    """Set the title of one panel, at its left."""
    axes.set_title(plain(title, 90), loc="left", size=TEXT_SIZE, color=INK, pad=5, weight="bold")


def equation(axes: Axes, formulas: Sequence[str], pad: float = 16) -> None:
    """Write formulas, as matplotlib's mathtext has them, above one panel."""
    if formulas:
        text = "          ".join(formulas)
        axes.set_title(text, loc="left", size=TEXT_SIZE + 1.5, color=INK, pad=pad, gid=FORMULA)


def formulas_inside(axes: Axes, formulas: Sequence[str]) -> None:
    """Write formulas into the upper left corner of one panel, one below the other."""
    for row, text in enumerate(formulas):
        at = (6, -4 - 27 * row)
        axes.annotate(
            text, (0, 1), at, xycoords="axes fraction", textcoords="offset points", va="top",
            size=TEXT_SIZE, color=INK, gid=FORMULA, annotation_clip=False,
        )  # fmt: skip


def named_line(axes: Axes, x: float, words: str, fraction: float, near: float = 0.35) -> None:
    """Draw a fine vertical line, named above the axes.

    Args:
        axes: Where.
        x: Where on them.
        words: Its name.
        fraction: Where between their left end, 0, and their right end, 1.
        near: How near to an end the name begins or ends at the line, to stay inside.
    """
    axes.axvline(x, color=INK, linewidth=0.9, linestyle=(0, (2, 2)))
    side = "left" if fraction < near else "right" if fraction > 1 - near else "center"
    axes.annotate(
        words,
        (x, 1),
        (0, 3),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        ha=side,
        size=SMALL_SIZE,
        color=INK,
    )


def legend_beside(axes: Axes, **more: Any) -> Legend:
    """A legend to the right of the axes; `more` are arguments of matplotlib's."""
    return axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        fontsize=TEXT_SIZE,
        labelcolor=INK,
        **more,
    )


def label_ends(axes: Axes, labels: list[tuple[float, str, str]], height: float) -> None:
    """Name lines at the right edge of the axes, next to where they end, without overlaps.

    Args:
        axes: With their final limits.
        labels: For each line the value where it ends, its name, and its colour.
        height: About how high the axes are, in inches.
    """
    to_axes = axes.transData + axes.transAxes.inverted()
    left = axes.get_xlim()[0]
    positions = [float(to_axes.transform((left, value))[1]) for value, _, _ in labels]
    positions = spread_out(positions, 0.2 / height)
    for position, (_, name, colour) in zip(positions, labels, strict=True):
        axes.text(
            1.012,
            position,
            plain(name, 40),
            transform=axes.transAxes,
            color=colour,
            size=TEXT_SIZE,
            va="center",
        )


def spread_out(positions: list[float], gap: float) -> list[float]:
    """Move positions from 0 to 1 until they lie `gap` apart, each as little as needed.

    Neighbours that are too close form a group around their common middle; groups that then
    touch are joined, as in isotonic regression.
    """
    order = sorted(range(len(positions)), key=positions.__getitem__)
    groups: list[list[int]] = []
    for index in order:
        groups.append([index])
        while len(groups) > 1 and _lowest(groups[-1], positions, gap) < gap + _highest(
            groups[-2], positions, gap
        ):
            groups[-2:] = [groups[-2] + groups[-1]]
    moved = list(positions)
    for group in groups:
        low = _lowest(group, positions, gap)
        for number, index in enumerate(group):
            moved[index] = low + number * gap
    return moved


def _lowest(group: list[int], positions: list[float], gap: float) -> float:
    """Where the lowest of a group goes, so that the group is centred, and within 0 to 1."""
    extent = (len(group) - 1) * gap
    middle = sum(positions[index] for index in group) / len(group)
    return max(min(middle - extent / 2, 1 - extent), 0.0)


def _highest(group: list[int], positions: list[float], gap: float) -> float:
    return _lowest(group, positions, gap) + (len(group) - 1) * gap


def plain(text: str, most: int = 24) -> str:
    """Shorten a text of the user's to `most` letters, and keep its $ from becoming a formula."""
    text = printable(text, keep="\n")
    text = text if len(text) <= most else text[: most - 1].rstrip() + "…"
    return drawable(text).replace("$", r"\$")


def short(value: float, digits: int = 3) -> str:
    """A number where there is little room: 23,600; 4.63×10⁹; 8.4×10⁻⁵; with a true minus sign."""
    text = rounded(value, digits)
    if math.isfinite(value) and (abs(value) >= SHORTENED_FROM or "e" in text):
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        power = f"10{str(int(exponent)).translate(_SUPERSCRIPT)}"
        text = {"1": power, "-1": f"-{power}"}.get(
            mantissa, f"{mantissa}\N{MULTIPLICATION SIGN}{power}"
        )
    return text.replace("-", "\N{MINUS SIGN}")


class Numbers(Formatter):
    """Writes the numbers at an axis like `short`, with as many digits as tell them apart."""

    def __init__(self) -> None:
        self.digits, self.smallest = _MOST_DIGITS, 0.0

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """The texts of all numbers at an axis."""
        positions = np.unique(np.asarray(values, float))
        highest = float(np.abs(positions).max()) if len(positions) else 0.0
        if len(positions) > 1 and highest:
            gap = float(np.diff(positions).min())
            self.digits = max(2, 2 + math.ceil(math.log10(highest / gap)))
            self.smallest = 1e-9 * highest  # what is less is 0, but for rounding
        return [self(one) for one in values]

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The text of one number."""
        if abs(x) < self.smallest:
            return "0"
        if self.digits <= _MOST_DIGITS:
            return short(x, self.digits)
        return rounded(x, self.digits).replace("-", "\N{MINUS SIGN}")


def percent(fraction: float) -> str:
    """A fraction as a percentage that never claims 0 or 100 without being it: "99.8 %"."""
    if not 0 <= fraction <= 1:  # a loss of the user's own need not give probabilities
        return f"{rounded(fraction, 3)}"
    if fraction in (0, 1) or 0.095 <= fraction <= 0.985:
        return f"{100 * fraction:.0f} %"
    if fraction < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if fraction >= 0.9995 else f"{100 * fraction:.1f} %"


def alt_text(figure: Figure) -> str:
    """What a figure shows, in words, for those who do not see it: its heading and sentences."""
    return str(figure.get_label())


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG, or as SVG where the path says so; never a part of it.

    Args:
        figure: The figure.
        path: The file, which is replaced if it exists.

    Returns:
        The path.

    Raises:
        StorageError: The file cannot be written.

    Example:
        >>> figure = ds.plots.new_figure("Empty", height=1)
        >>> ds.plots.save(figure, "empty.svg").name
        'empty.svg'
    """
    path = Path(path)
    content = svg_of(figure).encode() if path.suffix == ".svg" else png_of(figure)
    write_file(path, content)
    return path


def png_of(figure: Figure) -> bytes:
    """Draw a figure as a PNG image."""
    buffer = io.BytesIO()
    make_printable(figure)
    figure.set_dpi(DPI)
    make_readable(figure)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # savefig would draw it twice, once only to lay it out
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    image.save(buffer, "png", dpi=(DPI, DPI), compress_level=3)
    return buffer.getvalue()


_BEYOND = 1.0  # an axis reaches at most this many ranges of the truth beyond the truth


def value_range(truth: np.ndarray, predictions: np.ndarray) -> tuple[float, float, str]:
    """The part of an axis that shows all of the truth and all predictions that are not far from it.

    Args:
        truth: True values, at least one.
        predictions: The network's predictions; they may be infinite or no numbers.

    Returns:
        The lowest and the highest value, and a sentence on the predictions that are left out; empty
        if there are none.
    """
    truth, predictions = (np.asarray(values, np.float64) for values in (truth, predictions))
    low, high = float(truth.min()), float(truth.max())
    reach = _BEYOND * (high - low or abs(high) or 1.0)
    inside = (predictions >= low - reach) & (predictions <= high + reach)
    low = min([low, *predictions[inside].tolist()])
    high = max([high, *predictions[inside].tolist()])
    outside = int((~inside).sum())
    if not outside:
        return low, high, ""
    lie = "prediction lies" if outside == 1 else "predictions lie"
    return low, high, f" {outside:,} {lie} outside of the picture."


def mean_distance(truth: np.ndarray, predictions: np.ndarray, unit: str = "") -> str:
    """The mean absolute error in words, such as "MAE 2.5 people"."""
    distance = np.abs(np.asarray(predictions, np.float64) - np.asarray(truth, np.float64)).mean()
    if not np.isfinite(distance):
        return "MAE beyond measure"
    number = f"{distance:.1f}" if unit and distance < 1e6 else f"{rounded(distance, 3)}"
    return f"MAE {number}{unit and ' '}{unit}"


def save_all(
    named: Iterable[tuple[str, Figure]], folder: str | Path, kinds: tuple[str, ...] = ("png", "svg")
) -> list[Path]:
    """Write figures into a folder; figures of the same names are replaced.

    Args:
        named: The figures, each with the name of its files.
        folder: Created if it does not exist.
        kinds: "png", "svg" or both.

    Returns:
        The files, in order.

    Raises:
        StorageError: The files cannot be written.

    Example:
        >>> figure = ds.plots.new_figure("Empty", height=1)
        >>> files = ds.plots.save_all([("empty", figure)], "plots", kinds=("svg",))
        >>> [file.name for file in files]
        ['empty.svg']
    """
    folder = Path(folder)
    make_output_folder(folder)
    return [save(figure, folder / f"{name}.{kind}") for name, figure in named for kind in kinds]
