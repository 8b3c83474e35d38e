"""The end of the story: how good it is, how it was trained, how it ended and what to try."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from downslope.engine.class_metrics import ClassMetrics
from downslope.engine.metrics import MEASURES, TargetMetrics
from downslope.nn import notation
from downslope.numerals import rounded
from downslope.plots.run import figures_of_test
from downslope.reporting.material import Material
from downslope.reporting.pieces import Picture, Piece, Words
from downslope.runs.evaluate import TrainingResult
from downslope.runs.metric_text import (
    COLUMNS,
    calibration_verdict,
    class_verdict,
    evaluations_note,
    figure,
    metrics_table,
    targets_note,
    usual_prediction,
    verdict,
)
from downslope.runs.run import Run
from downslope.runs.verdicts import told_beside
from downslope.text import Table, amount

_MOST_CLASSES = 30
_MOST_FACTS = 3  # targets among the facts


def facts(material: Material, result: TrainingResult) -> list[tuple[str, str, str]]:
    """What is seen first: for each its name, its value, and what to know of it."""
    run = material.run
    task = run.data.task
    main = MEASURES[task][0]
    is_open = result.test is not None
    part = "test" if is_open else "validation"
    note = f"on {part} samples"
    if result.test_interval is not None:
        low, high = (figure(main, end, task) for end in result.test_interval[main])
        note = f"on test samples; 95 % interval {low} to {high}"
    found = [(COLUMNS[main], figure(main, result.measured[part][main], task), note)]
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
    elif result.baseline is not None:
        value = figure(main, result.baseline[main], task)
        found.append(("baseline", value, f"always predicting {usual_prediction(run, main)}"))
    found.append(("weights and biases", f"{run.parameter_count:,}", ""))
    found.append(("epochs", f"{run.epochs:,}", f"{amount(run.outcome.step, 'step')}"))
    found.append(("training took", _seconds(run.seconds.total), ""))
    return found


def _seconds(value: float) -> str:
    if value < 100:
        return f"{value:.1f} s"
    return f"{value / 60:.1f} min" if value < 6000 else f"{value / 3600:.1f} h"


def how_good(material: Material, result: TrainingResult) -> Iterator[Piece]:
    """The figures of each part, and the pictures of the test part."""
    run = material.run
    yield result.metrics_table("Metrics on each part of the data")
    if result.test is None or result.baseline is None:
        sealed = "not used for this report" if len(material.dataset.test) else "empty"
        yield from _each_target(material, result)
        yield Words(f"The test part was {sealed}: these are metrics of validation samples, "
                    "which the training used to choose.", important=True)  # fmt: skip
        return
    said = verdict(run, result.test, result.test_interval or {}, result.baseline)
    if said:
        yield Words(said)
    if result.baseline_note:
        yield Words(result.baseline_note, important=True)
    yield from _each_target(material, result)
    yield from _each_class(run, result)
    yield Words(evaluations_note(run), important=run.test_evaluations > 1)
    for name, drawn in figures_of_test(run):
        yield Picture(name, drawn)


def _each_target(material: Material, result: TrainingResult) -> Iterator[Piece]:
    """The metrics of each of several targets, the first where there are many."""
    if result.targets is None:
        return
    yield Words(targets_note(material.run))
    part = "validation" if result.test is None else "test"
    yield _table(result.targets, f"Metrics of each target on the {part} part", "first", "targets")


def _each_class(run: Run, result: TrainingResult) -> Iterator[Piece]:
    """The metrics of each class on the test part, the rarest where there are many."""
    if result.classes is None:
        return
    for said in (calibration_verdict(result.classes), class_verdict(run, result.classes)):
        if said:
            yield Words(said)
    yield _table(result.classes, "Metrics of each class on the test part", "rarest", "classes")


def _table(found: ClassMetrics | TargetMetrics, title: str, which: str, what: str) -> Table:
    count = len(found.names)
    if count > _MOST_CLASSES:
        title += f": the {_MOST_CLASSES} {which} of {count:,} {what}"
    return metrics_table(found, _MOST_CLASSES, title)


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
    indices = range(len(head), len(head) + len(losses))
    head += ["loss before", "loss after"][-len(losses) :]
    rows = list(zip(*said, *losses, strict=True))
    yield Words("The trained network predicts the samples from the beginning of this report:")
    yield Table(head, rows, numeric=indices, caption="Predictions before and after the training")


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
        rows.append(("augment", settings.augment.notation))
    if settings.class_weights:
        rows.append(("class weights", ", ".join(rounded(one, 6) for one in settings.class_weights)))
    if stop.patience is not None:
        rows.append(("patience", amount(stop.patience, "epoch")))
    if stop.keeps_best:
        rows.append(("weights kept", "those with the lowest validation loss"))
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
                run.network.layer_name(index),
                " \N{MULTIPLICATION SIGN} ".join(f"{side:,}" for side in shape),
            )
            for index, shape in enumerate(shapes)
        ],
        caption="The network, layer by layer",
    )


def the_ending(material: Material) -> Iterator[Piece]:
    """Why the training ended, and what to try."""
    outcome = material.run.outcome
    yield Words(outcome.message, important=outcome.reason == "non_finite")
    yield Words(outcome.advice)
    for said in told_beside(outcome):
        yield Words(said)
