"""How good a run is on labelled samples, beside the best constant predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from downslope.data.dataset import Samples
from downslope.data.describe import rows_of
from downslope.data.progress import OnProgress
from downslope.engine.class_metrics import ClassMetrics
from downslope.engine.metrics import FEWEST_FOR_INTERVAL, TargetMetrics
from downslope.errors import DataError
from downslope.result import PROGRAM_ONLY, Part, Result
from downslope.runs.finding import Finding
from downslope.runs.metric_text import (
    COLUMNS,
    calibration_verdict,
    class_verdict,
    doubt,
    evaluations_note,
    figure,
    generated_note,
    has_several_numbers,
    metrics_by_target,
    metrics_table,
    shown_folder,
    targets_note,
    usual_prediction,
    verdict,
)
from downslope.runs.other_data import Labelled, labelled
from downslope.runs.run import Run
from downslope.runs.run_folder import Seconds
from downslope.runs.verdicts import told_beside
from downslope.text import Table, amount

MOST_ROWS = 20  # classes or targets in a table
_NAMES = {"train": "training", "linear": "linear model"}

Metrics = Mapping[str, float]
Intervals = Mapping[str, tuple[float, float]]


class EvaluatedData(NamedTuple):
    """The data that a run was evaluated on.

    Attributes:
        name: Its name.
        samples: The number of samples; of a whole data set that of each part.
    """

    name: str
    samples: int | Mapping[str, int]


class Ending(NamedTuple):
    """How a training ended; see `Outcome`."""

    reason: str
    message: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class Evaluation(Result):
    """How good a run is on labelled samples.

    Attributes:
        run: The run.
        data: The name of the data and the number of samples.
        part: Which samples of it they are, as a part of a sentence.
        test: The loss and the metrics on the samples; None where they were not measured.
        baseline: The same of the best constant predictions.
        linear: The same of a linear model, fitted to the training part; None where there is none.
        test_interval: The 95 % interval of each metric; None where there is none.
        test_interval_note: Why there is none; may be empty.
        baseline_note: That the samples are too few to tell whether it is better than the baseline,
            or that it is worse; may be empty.
        classes: The metrics of each class; None where the run learned no classes.
        targets: The metrics of each of several targets; None where there is one.
        targets_note: How the metrics of all targets together come about; may be empty.
        test_evaluations: How often the run was evaluated on its test part.
        opened_now: Whether the samples are the run's own test part.
        findings: What the data checks found in the run's own data, as plain values.
        is_generated: Whether the samples were made by a program.
        notes: What else there is to know of other data.
    """

    run: Run = field(repr=False, metadata=PROGRAM_ONLY)
    data: EvaluatedData
    part: str
    test: Metrics | None
    baseline: Metrics | None
    linear: Metrics | None
    test_interval: Intervals | None
    test_interval_note: str
    baseline_note: str
    classes: ClassMetrics | None
    targets: TargetMetrics | ClassMetrics | None
    targets_note: str
    test_evaluations: int
    opened_now: bool
    findings: tuple[dict[str, Any], ...]
    is_generated: bool
    notes: tuple[str, ...]

    @property
    def measured(self) -> dict[str, Metrics]:
        """All metrics, by what they are of: "test", "baseline" and "linear"."""
        named = {"test": self.test, "baseline": self.baseline, "linear": self.linear}
        return {name: metrics for name, metrics in named.items() if metrics is not None}

    @property
    def sizes(self) -> dict[str, int]:
        """The number of samples behind each of `measured`."""
        samples = self.data.samples
        sizes = {"test": samples} if isinstance(samples, int) else dict(samples)
        return {**sizes, "baseline": sizes["test"], "linear": sizes["test"]}

    @property
    def summary(self) -> str:
        """The metrics beside those of the best constant predictions, in a sentence or two."""
        if self.test is None or self.baseline is None:
            return "The test part stays closed."
        loss, usual = (figure("loss", one["loss"], self.run.data.task)
                       for one in (self.test, self.baseline))  # fmt: skip
        several = f"Loss: {loss}. Always predicting {usual_prediction(self.run, 'loss')}: {usual}."
        return self._verdict or several

    @property
    def _verdict(self) -> str:
        assert self.test is not None
        assert self.baseline is not None
        return verdict(self.run, self.test, self.test_interval or {}, self.baseline, self.linear)

    def metrics_table(self, caption: str = "") -> Table:
        """All metrics, a row for each part; of several numbers, whose units differ, the loss."""
        run, task = self.run, self.run.data.task
        names = (
            ["loss"] if has_several_numbers(run.data) else list(next(iter(self.measured.values())))
        )
        rows = [
            [
                _NAMES.get(part, part),
                f"{self.sizes[part]:,}",
                *(figure(name, metrics[name], task) for name in names),
            ]
            for part, metrics in self.measured.items()
        ]
        head = ["", "samples", *(COLUMNS[name] for name in names)]
        return Table(head, rows, numeric=range(1, len(head)), caption=caption)

    def parts(self) -> Iterator[Part]:
        """The metrics in a table and in words, those of each class or target, and notes."""
        yield from self.notes
        yield self.metrics_table()
        yield ""
        count = self.sizes["test"]
        yield f"{amount(count, 'sample')} of {self.data.name}: {self.part}."
        yield from self._in_words()
        if self.opened_now:
            yield evaluations_note(self.run)
        yield from self._limits()

    def _in_words(self) -> Iterator[Part]:
        if self._verdict:
            yield self._verdict
        if self.baseline_note:
            yield self.baseline_note
        if self.classes is not None and (said := calibration_verdict(self.classes)):
            yield said
        rare = "" if self.classes is None else class_verdict(self.run, self.classes)
        for said, found, kept in (
            (rare, self.classes, f"The {MOST_ROWS} rarest of {{:,}} classes; all with --json."),
            (self.targets_note, self.targets,
             f"The first {MOST_ROWS} of {{:,}} targets; all with --json."),
        ):  # fmt: skip
            if found is None or not said:
                continue
            yield said
            yield ""
            yield metrics_table(found, MOST_ROWS)
            if len(found.names) > MOST_ROWS:
                yield kept.format(len(found.names))
            yield ""

    def _limits(self) -> Iterator[str]:
        if self.is_generated:
            yield generated_note(self.data.name)
        count = sum(one["level"] == "warning" for one in self.findings)
        if count:
            where = "shown before the training"
            where = where if self.run.folder is None else "findings in run.json"
            yield f"{amount(count, 'warning')} about this data: {where}."


@dataclass(frozen=True, eq=False)
class TrainingResult(Evaluation):
    """How a training ended, and how good the network is on each part of its data.

    Attributes are those of `Evaluation`, and:
        parameters: The number of weights and biases.
        outcome: Why the training ended, and the same in a sentence.
        epochs: The number of epochs that were finished.
        steps: The number of steps.
        learning_rate: The (highest) learning rate.
        seconds: How long it took.
        train: The metrics on the training part.
        validation: The metrics on the validation part.
        rows: Of a table: how many rows were read, used and left out, by reason; else None.
    """

    parameters: int
    outcome: Ending
    epochs: int
    steps: int
    learning_rate: float
    seconds: Seconds
    train: Metrics
    validation: Metrics
    rows: Mapping[str, Any] | None

    @property
    def measured(self) -> dict[str, Metrics]:
        """All metrics by part; "test", "baseline" and "linear" if the test part was opened."""
        return {"train": self.train, "validation": self.validation, **super().measured}

    def parts(self) -> Iterator[Part]:
        """The metrics of each part, those of the test part in words, and how it ended."""
        yield self.metrics_table()
        yield ""
        if self.test is not None:
            count = self.sizes["test"]
            yield f"On the {count:,} test samples, which were not used for training:"
            yield from self._in_words()
            yield evaluations_note(self.run)
        elif self.sizes["test"]:
            folder = shown_folder(self.run)
            yield f"The test part stays closed. To see the test score: downslope test {folder}"
        else:
            yield "The test part is empty."
        yield from self._limits()
        yield ""
        yield str(self.run.outcome)
        yield from told_beside(self.run.outcome)


def evaluate(run: Run, data: Any = None, *, on_progress: OnProgress | None = None) -> Evaluation:
    """Evaluate a run on its test part, or on other labelled data.

    An evaluation of the run's own test part is counted.

    Args:
        run: The run.
        data: None for its test part; else all of other labelled data: whatever `load` takes, such
            as a path, a frame, or a pair (X, y) of arrays; or `Samples`. Of the data that the run
            was trained on the test part alone is used.
        on_progress: Called with (photos so far, photos in all) where reading takes a while.

    Returns:
        The metrics, beside those of the best constant predictions.

    Raises:
        DataError: The data cannot be read, or does not fit the run.

    Example:
        >>> found = ds.evaluate(ds.open_run("runs/moons-1"))
        >>> found.data.samples, sorted(found.test)
        (160, ['accuracy', 'loss'])
    """
    return evaluation_of(labelled(run, data, on_progress))


def evaluation_of(chosen: Labelled) -> Evaluation:
    """`evaluate` of samples that have been read."""
    data = EvaluatedData(chosen.name, len(chosen.samples))
    found = _measured(chosen.run, chosen.samples)
    return Evaluation(
        data=data,
        part=chosen.part,
        opened_now=chosen.is_test_part,
        findings=_findings(chosen.run) if chosen.is_test_part else (),
        is_generated=chosen.is_generated,
        notes=chosen.notes,
        **found,
    )


def training_result(run: Run, *, with_test: bool = True) -> TrainingResult:
    """Evaluate a run on each part of its data.

    Args:
        run: The run.
        with_test: Whether the test part is opened, which is counted; without it the metrics of
            several targets are of the validation part.

    Returns:
        How the training ended, and the metrics of each part.

    Raises:
        DataError: The data is missing or has changed.

    Example:
        >>> found = ds.training_result(ds.open_run("runs/moons-1"), with_test=False)
        >>> list(found.measured), found.outcome.reason
        (['train', 'validation'], 'epochs')
    """
    run = run.with_data()
    dataset = run.dataset
    assert dataset is not None
    train, validation = run.measure(dataset.train), run.measure(dataset.validation)
    if with_test and len(dataset.test):
        found = _measured(run, dataset.test)
    else:
        found = _closed(run, dataset.validation)
    return TrainingResult(
        data=EvaluatedData(run.data.name, run.data.samples),
        part="its test part",
        opened_now=found["test"] is not None,
        findings=_findings(run),
        is_generated=run.data.generated,
        notes=(),
        parameters=run.parameter_count,
        outcome=Ending(run.outcome.reason, run.outcome.message, run.findings),
        epochs=run.epochs,
        steps=run.outcome.step,
        learning_rate=run.settings.learning_rate,
        seconds=run.seconds,
        train=train,
        validation=validation,
        rows=rows_of(dataset),
        **found,
    )


def _measured(run: Run, samples: Samples) -> dict[str, Any]:
    """The fields of an `Evaluation` that say how good a run is on samples."""
    test = run.measure(samples)  # which counts
    interval = run.intervals(samples)
    why = f"fewer than {FEWEST_FOR_INTERVAL} samples are too few for an interval"
    is_of_classes = run.data.task == "classification"
    return {
        **_closed(run, samples),
        "test": test,
        "baseline": run.measure_baseline(samples),
        "linear": _linear(run, samples),
        "test_interval": interval or None,
        "test_interval_note": "" if interval else why,
        "baseline_note": doubt(run, samples),
        "classes": run.class_metrics(samples) if is_of_classes else None,
        "test_evaluations": run.test_evaluations,
    }


def _linear(run: Run, samples: Samples) -> Metrics | None:
    """The metrics of the linear model; None where the data to fit it to is gone."""
    with suppress(DataError):
        return run.measure_linear(samples)
    return None


def _closed(run: Run, samples: Samples) -> dict[str, Any]:
    """The same where nothing of the test part is measured."""
    targets = metrics_by_target(run, samples)
    return {
        "run": run,
        "test": None,
        "baseline": None,
        "linear": None,
        "test_interval": None,
        "test_interval_note": "",
        "baseline_note": "",
        "classes": None,
        "targets": targets,
        "targets_note": "" if targets is None else targets_note(run),
        "test_evaluations": run.test_evaluations,
    }


def _findings(run: Run) -> tuple[dict[str, Any], ...]:
    return tuple(asdict(one) for one in run.data.findings or ())
