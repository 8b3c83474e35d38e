"""The worst mistakes of a classifier: the samples whose true class it thought least likely."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from downslope.data.scaling import Scaling
from downslope.insight.pixels import image_shape
from downslope.plots import style
from downslope.plots.samples import shower_of
from downslope.text import amount

_TILES_PER_ROW = 6
_TABLES_PER_ROW = 2
_BARS = 4  # most unusual features shown for a row of a table
_TEXTS, _LINES, _LETTERS = 8, 3, 100  # texts that are shown, and of each the beginning


@dataclass(frozen=True, eq=False)
class ClassPredictions:
    """The predictions of a classifier for samples whose class is known.

    Attributes:
        truth: Indices of the true classes, shape (N,).
        chosen: Indices of the predicted classes, shape (N,).
        probabilities: Shape (N, classes).
        class_names: One per class.

    Example:
        >>> predictions = ds.plots.ClassPredictions(
        ...     truth=np.array([0, 1, 1]),
        ...     chosen=np.array([0, 1, 0]),
        ...     probabilities=np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]),
        ...     class_names=("upper", "lower"),
        ... )
        >>> predictions.wrong
        array([False, False,  True])
    """

    truth: Int[np.ndarray, " n"]
    chosen: Int[np.ndarray, " n"]
    probabilities: Float[np.ndarray, "n classes"]
    class_names: tuple[str, ...]

    @property
    def wrong(self) -> np.ndarray:
        """Whether each prediction is a mistake, bool of shape (N,)."""
        return self.truth != self.chosen

    @property
    def of_truth(self) -> np.ndarray:
        """The probability of each sample's true class, shape (N,); 0 where it is not a number."""
        return self._of(self.truth)

    @property
    def of_chosen(self) -> np.ndarray:
        """The probability of each predicted class, shape (N,); 0 where it is not a number."""
        return self._of(self.chosen)

    def _of(self, classes: np.ndarray) -> np.ndarray:
        values = self.probabilities[np.arange(len(classes)), classes].astype(np.float64)
        return np.nan_to_num(values, nan=0.0)

    def worst(self, most: int) -> np.ndarray:
        """Indices of the mistakes, worst first; without any, of the least certain predictions."""
        pool = np.flatnonzero(self.wrong) if self.wrong.any() else np.arange(len(self.truth))
        return pool[np.argsort(self.of_truth[pool], kind="stable")[:most]]

    def sentence(self, shown: int) -> str:
        """What the worst ones are, for the subtitle."""
        wrong = int(self.wrong.sum())
        total = amount(len(self.truth), "test sample")
        if not wrong:
            least = "prediction" if shown == 1 else f"{shown} predictions"
            return f"No mistake among {total}; shown: the least certain {least}."
        if wrong == 1:
            return f"1 mistake among {total}."
        which = "all shown" if shown == wrong else f"the {shown} worst shown"
        return (
            f"{wrong:,} mistakes among {total}, {which}; lowest probability of the true class "
            "first."
        )


def as_images(inputs: np.ndarray, input_names: tuple[str, ...]) -> np.ndarray | None:
    """The inputs (N, ...) as images (N, height, width, 1 or 3), or None if they are not images."""
    shape = image_shape(inputs.shape[1:], input_names)
    return None if shape is None else inputs.reshape(-1, *shape)


def worst_mistakes(
    inputs: np.ndarray,
    predictions: ClassPredictions,
    *,
    input_names: tuple[str, ...] = (),
    scaling: Scaling | None = None,
    name: str = "",
    texts: Sequence[str] = (),
) -> Figure:
    """Draw the worst mistakes: images as images, rows of a table by their unusual features.

    Texts, such as messages, are shown as they begin.

    Without any mistake the least certain correct predictions are drawn, and the subtitle says so.

    Args:
        inputs: All test inputs, shape (N, *input_shape), not scaled.
        predictions: The predictions for them.
        input_names: One per input of a table; empty for images.
        scaling: Mean and standard deviation of the training inputs; needed for tables.
        name: Name of the data set, for the title.
        texts: The texts of all samples, where they are texts.

    Returns:
        The figure.

    Example:
        >>> inputs = np.random.default_rng(0).uniform(size=(3, 8, 8, 1))
        >>> predictions = ds.plots.ClassPredictions(
        ...     truth=np.array([0, 1, 1]),
        ...     chosen=np.array([0, 1, 0]),
        ...     probabilities=np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]),
        ...     class_names=("upper", "lower"),
        ... )
        >>> figure = ds.plots.worst_mistakes(inputs, predictions, name="shapes")
    """
    images = as_images(inputs, input_names)
    most = 2 * _TILES_PER_ROW if images is not None else 3 * _TABLES_PER_ROW
    most = _TEXTS if texts else most
    chosen = predictions.worst(most)
    mistaken = bool(predictions.wrong.any())
    title = "Worst mistakes" if mistaken else "Least certain predictions"
    title = f"{title}: {name}" if name else title
    if texts:
        return _draw_texts(texts, predictions, chosen, title)
    if images is not None:
        return _draw_images(images, predictions, chosen, title)
    flat = inputs.reshape(len(inputs), -1).astype(np.float64)
    scaling = scaling or Scaling.learn(flat)
    unusual = (flat - scaling.mean.reshape(-1)) / scaling.std.reshape(-1)
    names = input_names or tuple(f"input {number + 1}" for number in range(flat.shape[1]))
    return _draw_table(flat[chosen], unusual[chosen], names, predictions, chosen, title)


def _draw_images(
    images: np.ndarray, predictions: ClassPredictions, chosen: np.ndarray, title: str
) -> Figure:
    rows = -(-len(chosen) // _TILES_PER_ROW)
    tile = style.WIDTH / _TILES_PER_ROW
    shape = min(1.6, images.shape[1] / images.shape[2])
    figure = style.new_figure(
        title, predictions.sentence(len(chosen)), height=rows * (tile * shape * 0.86 + 0.68)
    )
    show = shower_of(images)
    grid = figure.subplots(rows, _TILES_PER_ROW, squeeze=False)
    for axes, index in zip(grid.flat, chosen, strict=False):
        show(axes, images[index])
        _caption(axes, predictions, index)
    for axes in grid.flat[len(chosen) :]:
        axes.set_axis_off()
    return figure


def _draw_texts(
    texts: Sequence[str], predictions: ClassPredictions, chosen: np.ndarray, title: str
) -> Figure:
    """A panel for each text, below its true and its predicted class."""
    figure = style.new_figure(
        title, predictions.sentence(len(chosen)), height=0.3 + (0.36 + 0.18 * _LINES) * len(chosen)
    )
    grid = figure.subplots(len(chosen), 1, squeeze=False)
    for axes, index in zip(grid.flat, chosen, strict=True):
        axes.set_axis_off()
        style.entitle(axes, _verdict(predictions, index))
        text = style.plain(" ".join(texts[int(index)].split()), _LINES * _LETTERS)
        lines = textwrap.wrap(text, _LETTERS)[:_LINES] or ["(no text)"]
        axes.text(
            *(0, 1, "\n".join(lines)),
            transform=axes.transAxes,
            va="top",
            size=style.TEXT_SIZE,
            color=style.INK,
        )
    return figure


def _caption(axes: Axes, predictions: ClassPredictions, index: int) -> None:
    """Above an image its true class, below it the predicted one and its probability."""
    true = style.plain(predictions.class_names[predictions.truth[index]], 13)
    axes.set_title(f"true {true}", loc="center", size=style.TEXT_SIZE, color=style.INK, pad=4)
    said = style.plain(predictions.class_names[predictions.chosen[index]], 11)
    text = f"predicted {said}\n{style.percent(predictions.of_chosen[index])}"
    colour = style.VERMILLION if predictions.wrong[index] else style.BLUE
    axes.set_xlabel(text, size=style.TEXT_SIZE, color=colour, labelpad=4)


def _draw_table(
    values: np.ndarray,
    unusual: np.ndarray,
    names: tuple[str, ...],
    predictions: ClassPredictions,
    chosen: np.ndarray,
    title: str,
) -> Figure:
    bars = min(_BARS, len(names))
    rows = -(-len(chosen) // _TABLES_PER_ROW)
    sentence = predictions.sentence(len(chosen)) + (
        " Bars: the most unusual inputs, in standard deviations from the training mean."
    )
    figure = style.new_figure(title, sentence, height=rows * (0.62 + 0.24 * bars) + 0.3)
    grid = figure.subplots(rows, _TABLES_PER_ROW, squeeze=False, sharex=True)
    order = np.argsort(-np.abs(unusual), axis=1, kind="stable")[:, :bars]
    top = np.nan_to_num(np.take_along_axis(unusual, order, axis=1), nan=0.0)
    ends = (1.03 * min(0.0, float(top.min())), 1.03 * max(1.0, float(top.max())))
    for index, axes in zip(range(len(chosen)), grid.flat, strict=False):
        picked = order[index]
        labels = [names[number] for number in picked]
        _draw_bars(axes, top[index], values[index, picked], labels, ends)
        style.entitle(axes, _verdict(predictions, chosen[index]))
    for axes in grid.flat[len(chosen) :]:
        axes.set_axis_off()
    return figure


def _verdict(predictions: ClassPredictions, index: int) -> str:
    true = predictions.class_names[predictions.truth[index]]
    said = predictions.class_names[predictions.chosen[index]]
    short = 18  # letters of a name, so that two of them fit above a panel
    true, said = (text if len(text) <= short else f"{text[:short]}…" for text in (true, said))
    return f"true {true}, predicted {said} ({style.percent(predictions.of_chosen[index])})"


def _signed(std: float) -> str:
    """With one decimal and a sign, which 0 has not: +1.6, 0.0, −0.8."""
    text = f"{std:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def _draw_bars(
    axes: Axes,
    deviations: np.ndarray,
    values: np.ndarray,
    names: list[str],
    ends: tuple[float, float],
) -> None:
    style.dress(axes)
    axes.grid(False)
    positions = range(len(names))
    colours = [style.AMBER if std > 0 else style.SKY for std in deviations]
    axes.barh(positions, deviations, height=0.6, color=colours)
    axes.axvline(0, color=style.FAINT, linewidth=0.8)
    axes.set_yticks(positions, [style.plain(name, 22) for name in names])
    axes.invert_yaxis()
    axes.set_xlim(*ends)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(length=0, labelbottom=False)
    axes.tick_params(axis="y", labelcolor=style.INK)
    for index, std, value in zip(positions, deviations, values, strict=True):
        axes.text(
            1.02,
            index,
            f"{_signed(std)}  (value {style.short(value)})",
            transform=axes.get_yaxis_transform(),
            va="center",
            size=style.SMALL_SIZE,
            color=style.MUTED,
        )
