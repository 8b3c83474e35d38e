"""The end of the story: how good it is, how it was trained, how it ended and what to try."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from downslope.engine.augment import Augment
from downslope.engine.class_metrics import ClassMetrics
from downslope.engine.metrics import MEASURES, TargetMetrics
from downslope.nn import notation
from downslope.numerals import rounded
from downslope.plots.run import figures_of_test
from downslope.plots.style import amount
from downslope.reporting.material import Material
from downslope.reporting.pieces import Picture, Piece, Words
from downslope.runs.metric_text import (
    CLASS_COLUMNS,
    COLUMNS,
    class_rows,
    class_verdict,
    evaluations_note,
    figure,
    has_several_numbers,
    metrics_by_target,
    target_rows,
    targets_note,
    usual_answer,
    verdict,
)
from downslope.text import Table

_MOST_CLASSES = 30
_MOST_FACTS = 3  # targets among the facts
_NAMES = {"train": "training", "validation": "validation", "test": "test", "baseline": "baseline"}


@dataclass(frozen=True)
class Result:
    """The figures of a run, measured once.

    Attributes:
        figures: By part, then by name; "test" and "baseline" where the test part was opened.
        interval: The 95 % interval of each test figure; empty where it was not, or has few samples.
        targets: The metrics of each of several targets, on the test part where it was opened, else
            on the validation part; None where there is one.
    """

    figures: dict[str, dict[str, float]]
    interval: dict[str, tuple[float, float]]
    targets: TargetMetrics | ClassMetrics | None = None


def measured(material: Material) -> Result:
    """Measure the run; opening the test part counts as a look at it."""
    run, data = material.run, material.dataset
    figures = {part: run.measure(getattr(data, part)) for part in ("train", "validation")}
    if not material.with_test or not len(data.test):
        return Result(figures, {}, metrics_by_target(run, data.validation))
    figures |= {"test": run.measure(data.test), "baseline": run.measure_baseline(data.test)}
    return Result(figures, run.intervals(data.test), metrics_by_target(run, data.test))


def facts(material: Material, result: Result) -> list[tuple[str, str, str]]:
    """What is seen first: for each its name, its value, and what to know of it."""
    run = material.run
    task = run.data.task
    main = MEASURES[task][0]
    is_open = "test" in result.figures
    part = "test" if is_open else "validation"
    note = f"on {part} samples"
    if main in result.interval:
        low, high = (figure(main, end, task) for end in result.interval[main])
        note = f"on test samples; 95 % interval {low} to {high}"
    found = [(COLUMNS[main], figure(main, result.figures[part][main], task), note)]
    if isinstance(result.targets, TargetMetrics):
        each = zip(
            *(getattr(result.targets, one) for one in ("names", "mae", "baseline_mae")), strict=True
        )
        found = [
            (
                f"MAE of {name}",
                rounded(mae),
                f"on {part} samples; baseline {rounded(usual)}",
            )
            for name, mae, usual in itertools.islice(each, _MOST_FACTS)
        ]
    elif is_open:
        value = figure(main, result.figures["baseline"][main], task)
        found.append(("baseline", value, f"always predicting {usual_answer(run, main)}"))
    found.append(("weights and biases", f"{run.parameter_count:,}", ""))
    found.append(("epochs", f"{run.epochs:,}", f"{amount(run.outcome.step, 'step')}"))
    found.append(("training took", _seconds(run.seconds.total), ""))
    return found


def _seconds(value: float) -> str:
    if value < 100:
        return f"{value:.1f} s"
    return f"{value / 60:.1f} min" if value < 6000 else f"{value / 3600:.1f} h"


def how_good(material: Material, result: Result) -> Iterator[Piece]:
    """The figures of each part, and the pictures of the test part."""
    run, task = material.run, material.run.data.task
    names = ["loss"] if has_several_numbers(run.data) else list(result.figures["train"])
    sizes = {**material.dataset.sizes, "baseline": len(material.dataset.test)}
    yield Table(
        ("", "samples", *(COLUMNS[name] for name in names)),
        [
            (
                _NAMES[part],
                f"{sizes[part]:,}",
                *(figure(name, found[name], task) for name in names),
            )
            for part, found in result.figures.items()
        ],
        numeric=range(1, 2 + len(names)),
        caption="Metrics on each part of the data",
    )
    if "test" not in result.figures:
        sealed = "not used for this report" if len(material.dataset.test) else "empty"
        yield from _each_target(material, result)
        yield Words(f"The test part was {sealed}: these are metrics of validation samples, "
                    "which the training used to choose.", important=True)  # fmt: skip
        return
    said = verdict(run, result.figures["test"], result.interval, result.figures["baseline"])
    if said:
        yield Words(said)
    yield from _each_target(material, result)
    if task == "classification":
        yield from _each_class(material)
    yield Words(evaluations_note(run), important=run.test_evaluations > 1)
    for name, drawn in figures_of_test(run):
        yield Picture(name, drawn)


def _each_target(material: Material, result: Result) -> Iterator[Piece]:
    """The metrics of each of several targets, the first where there are many."""
    if result.targets is None:
        return
    yield Words(targets_note(material.run))
    head, rows = target_rows(result.targets)
    part = "test" if "test" in result.figures else "validation"
    title = f"Metrics of each target on the {part} part"
    if len(rows) > _MOST_CLASSES:
        title += f": the first {_MOST_CLASSES} of {len(rows):,}"
    yield Table(head, rows[:_MOST_CLASSES], numeric=range(1, len(head)), caption=title)


def _each_class(material: Material) -> Iterator[Piece]:
    """The metrics of each class on the test part, the rarest where there are many."""
    run = material.run
    found = run.class_metrics(material.dataset.test)
    said, rows = class_verdict(run, found), class_rows(found)
    if said:
        yield Words(said)
    shown = sorted(np.argsort(found.support, kind="stable")[:_MOST_CLASSES])
    title = "Metrics of each class on the test part"
    if len(shown) < len(rows):
        title += f": the {len(shown)} rarest of {len(rows):,} classes"
    head = [COLUMNS.get(name, name) for name in CLASS_COLUMNS]
    yield Table(head, [rows[index] for index in shown], numeric=range(1, len(head)), caption=title)


def the_same_samples(material: Material) -> Iterator[Piece]:
    """What the trained network answers to the samples that the story began with."""
    run, begun = material.run, material.beginning
    said = [material.truths, material.in_words(run.predict(material.few.inputs))]
    losses = [[rounded(one) for one in material.losses(run)]]
    head = ["target", "trained network"]
    if begun is not None:
        said.insert(1, material.in_words(begun.untrained.predict(material.few.inputs)))
        losses.insert(0, [rounded(one) for one in material.losses(begun.untrained)])
        head.insert(1, "untrained network")
    places = range(len(head), len(head) + len(losses))
    head += ["loss before", "loss after"][-len(losses) :]
    rows = list(zip(*said, *losses, strict=True))
    yield Words("The trained network predicts the samples from the beginning of this report:")
    yield Table(head, rows, numeric=places, caption="Predictions before and after the training")


def the_settings(material: Material) -> Iterator[Piece]:
    """Everything that decides this training, and the network layer by layer."""
    run = material.run
    data, settings = run.data, run.settings
    stop = settings.stop
    rows = [
        ("data", data.source or data.name),
        ("fingerprint of the data", data.fingerprint[:16]),
        ("network", notation.describe(run.network)),
        ("loss", settings.loss),
        ("optimizer", settings.optimizer.name),
        ("learning rate", f"{rounded(settings.learning_rate, 6)}, {settings.schedule.kind}"),
        ("batch size", str(settings.batch_size)),
        ("epochs", f"{settings.epochs:,}"),
        ("seed", str(settings.seed)),
    ]
    if settings.optimizer.weight_decay:
        rows.append(("weight decay", rounded(settings.optimizer.weight_decay, 6)))
    if settings.augment is not None:
        rows.append(("augment", _changes(settings.augment)))
    if settings.class_weights:
        rows.append(("class weights", ", ".join(rounded(one, 6) for one in settings.class_weights)))
    if stop.patience is not None:
        rows.append(("patience", amount(stop.patience, "epoch")))
    if stop.target_loss is not None:
        rows.append(("target loss", rounded(stop.target_loss, 6)))
    yield Words(
        "Training again with the same data and settings gives the same run, bit for bit on one "
        "machine."
    )
    yield Table(("setting", "value"), rows, caption="Settings")
    shapes = run.network.shapes(data.input_shape)
    yield Table(
        ("layer", "shape of its output"),
        [
            (
                run.network.layer_name(place),
                " \N{MULTIPLICATION SIGN} ".join(f"{side:,}" for side in shape),
            )
            for place, shape in enumerate(shapes)
        ],
        caption="The network, layer by layer",
    )


def _changes(augment: Augment) -> str:
    """What is done to images while training, as at the command line."""
    parts = ["flip"] if augment.flip else []
    parts += [f"shift={augment.shift:g}"] if augment.shift else []
    parts += [f"crop={augment.crop:g}"] if augment.crop < 1 else []
    return ", ".join(parts) or "none"


def the_ending(material: Material) -> Iterator[Piece]:
    """Why the training ended, and what to try."""
    outcome = material.run.outcome
    yield Words(outcome.message, important=outcome.reason == "non_finite")
    yield Words(outcome.advice)
