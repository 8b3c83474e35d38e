"""All pictures of a run, in the order in which a person asks: how it went, how good it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from downslope.data.dataset import Samples
from downslope.data.scaling import Scaling
from downslope.plots.classes import confusion_matrix
from downslope.plots.crowds import choose_over_range, count_scatter, crowd_samples
from downslope.plots.curves import loss_curves
from downslope.plots.mistakes import ClassPredictions, worst_mistakes
from downslope.plots.plane import decision_map
from downslope.plots.regression import fitted_curve, predictions
from downslope.plots.style import save_all
from downslope.runs.measure import look
from downslope.runs.run import Run

if TYPE_CHECKING:  # whoever reads no table needs no library for tables
    from downslope.data.tables.encoding import Encoding

Named = Iterator[tuple[str, Figure]]


def draw_run(run: Run, folder: str | Path, *, with_test: bool = True) -> list[Path]:
    """Draw all plots that suit a run's task into a folder, as PNG files.

    Always `loss.png`. For classes `confusion.png` and `mistakes.png`; for people `crowd.png` and
    `counts.png`; for numbers `predicted.png` and, with a single input, `fit.png`.

    Args:
        run: The run; the test part of its data is drawn.
        folder: Created if it does not exist; plots of the same names are replaced.
        with_test: Whether to evaluate on the test part; without it there is `loss.png` alone.

    Returns:
        The files, in the order above.

    Raises:
        DataError: The run's data is missing or has changed.
        StorageError: The files cannot be written.

    Example:
        >>> files = ds.plots.draw_run(ds.open_run("runs/moons-1"), "plots", with_test=False)
        >>> [file.name for file in files]
        ['loss.png']
    """
    run = run.with_data()
    assert run.dataset is not None
    paths = save_all([("loss", curves_of(run))], folder, ("png",))
    if with_test and len(run.dataset.test):
        look(run, run.dataset.test)
        paths += save_all(figures_of_test(run), folder, ("png",))
    return paths


def figures_of_test(run: Run) -> Named:
    """The figures of the test part that suit a run's task, each with its name.

    Args:
        run: A run whose data is at hand; whoever calls this has counted the look at it.
    """
    assert run.dataset is not None
    draw = {"classification": _classes, "regression": _numbers, "counting": _people}
    test = run.dataset.test
    if len(test):
        yield from draw.get(run.data.task, lambda run, test: ())(run, test)


def curves_of(run: Run) -> Figure:
    """The course of a run's training."""
    loss = run.loss.name
    return loss_curves(
        run.trace,
        run.data.task,
        run.outcome,
        name=run.data.name,
        loss=loss,
        targets=len(run.data.target_names) or 1,
    )


def _classes(run: Run, test: Samples) -> Named:
    predictions = ClassPredictions(
        truth=test.targets if test.targets.ndim == 1 else test.targets.argmax(axis=1),
        chosen=run.predict(test.inputs),
        probabilities=run.probabilities(test.inputs),
        class_names=run.data.class_names,
    )
    name, names = run.data.name, run.data.class_names
    yield "confusion", confusion_matrix(predictions.truth, predictions.chosen, names, name=name)
    inputs = run.data.input_names
    encoding = run.data.encoding
    if encoding is not None:
        yield "mistakes", _mistakes_in_a_table(run, test, encoding, predictions)
    elif test.inputs.shape[1:] == (2,):
        yield (
            "mistakes",
            decision_map(
                test.inputs, predictions, run.probabilities, input_names=inputs, name=name
            ),
        )
    else:
        yield (
            "mistakes",
            worst_mistakes(
                test.inputs, predictions, input_names=inputs, scaling=run.scaling, name=name
            ),
        )


def _mistakes_in_a_table(
    run: Run, test: Samples, encoding: Encoding, predictions: ClassPredictions
) -> Figure:
    """The worst mistakes by the inputs that have a standard deviation: no ranks, no indices."""
    assert run.dataset is not None
    shown = ~encoding.is_embedded
    shown[: len(encoding.ranked)] = False
    if not shown.any():
        shown[:] = True
    names = tuple(np.array(run.data.input_names)[shown].tolist())
    inputs, train = test.inputs[:, shown], run.dataset.train.inputs[:, shown]
    if inputs.shape[1:] == (2,) and not encoding.embedded and not _texts(run, test):

        def classify(plain: np.ndarray) -> np.ndarray:
            return run.probabilities(encoding.with_ranks(plain))

        return decision_map(inputs, predictions, classify, input_names=names, name=run.data.name)
    return worst_mistakes(
        inputs,
        predictions,
        input_names=names,
        scaling=Scaling.learn(train),
        name=run.data.name,
        texts=_texts(run, test),
    )


def _texts(run: Run, test: Samples) -> tuple[str, ...]:
    """The texts of the first column of texts in the test part; none of other data."""
    dataset = run.dataset
    columns = () if run.data.encoding is None else run.data.encoding.columns
    names = [one.name for one in columns if one.kind == "text"]
    if not names or dataset is None or dataset.rows is None or dataset.test is not test:
        return ()
    column = dataset.rows.table.column(names[0]).take(dataset.rows.parts.test)
    return tuple("" if one is None else str(one) for one in column.to_pylist())


def _numbers(run: Run, test: Samples) -> Named:
    name, targets = run.data.name, run.data.target_names
    always = run.measure_baseline(test)["mae"]
    predicted = run.predict(test.inputs)
    figure = predictions(test.targets, predicted, baseline=always, name=name, targets=targets)
    yield "predicted", figure
    encoding = run.data.encoding
    ranks, indices = (0, 0) if encoding is None else map(len, (encoding.ranked, encoding.embedded))
    plain = test.inputs[:, ranks:]
    if plain.shape[1:] == (1,) and not indices:

        def predict(inputs: np.ndarray) -> np.ndarray:
            return run.predict(inputs if encoding is None else encoding.with_ranks(inputs))

        input_name = (*run.data.input_names[ranks:], "x")[0]
        yield (
            "fit",
            fitted_curve(
                plain,
                test.targets,
                predict,
                baseline=always,
                input_name=input_name,
                name=name,
                targets=targets,
            ),
        )


def _people(run: Run, test: Samples) -> Named:
    name = run.data.name
    truth = test.counts
    chosen = choose_over_range(truth)
    few = test.take(chosen)
    maps = run.densities(few)
    note = "The scenes were drawn by a program." if run.data.generated else ""
    yield "crowd", crowd_samples(few.inputs, few.targets, maps, name=name, note=note)
    assert run.baseline_median is not None
    median = float(run.baseline_median[0])
    yield "counts", count_scatter(truth, run.predict(test), baseline=median, name=name)
