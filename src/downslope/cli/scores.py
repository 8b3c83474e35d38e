"""How good a run is: the samples to evaluate it on, its metrics there, and what is printed."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from downslope.cli import display
from downslope.cli.lines import print_json, print_table, say
from downslope.data import BUILT_IN, DataFinding, Dataset, Samples, Unsplit, read
from downslope.data.density import STRIDE
from downslope.data.tables.rows import TableRows
from downslope.data.tables.table import UnsplitTable
from downslope.engine.class_metrics import ClassMetrics
from downslope.engine.metrics import FEWEST_FOR_INTERVAL, TargetMetrics
from downslope.errors import DataError, DownslopeError
from downslope.runs.metric_text import (
    CLASS_COLUMNS,
    COLUMNS,
    class_rows,
    class_verdict,
    evaluations_note,
    figure,
    generated_note,
    has_several_numbers,
    joint_note,
    metrics_by_target,
    target_rows,
    targets_note,
    verdict,
)
from downslope.runs.open import open_run
from downslope.runs.outcome import STILL_FALLING
from downslope.runs.run import Run
from downslope.text import amount

MOST_CLASSES = 20  # of which metrics are printed


def report_columns(dataset: Dataset) -> None:
    """Print what each column of a table was taken for, and what else there is to know."""
    if dataset.encoding is not None:
        inputs = {one.name: len(one.input_names) for one in dataset.encoding.columns}
        targets = dataset.target_names
        rows = [
            (
                one.name,
                "target" if one.name in targets else one.kind,
                f"{one.distinct:,}",
                f"{one.missing:,}" if one.missing else "",
                str(inputs.get(one.name, "")),
                "" if one.name in targets else one.note,
            )
            for one in dataset.columns
        ]
        print_table(("column", "type", "values", "missing", "inputs", ""), rows, numeric=(2, 3, 4))
        say("If a type is wrong, set it: --column NAME=TYPE\n")
    if dataset.rows is not None:
        say(f"{_rows_of(dataset.rows)}\n")
    for note in dataset.notes:
        say(f"{note}\n")


def _rows_of(rows: TableRows) -> str:
    """How many rows were read, and what became of them: 300 rows: 298 used, 2 left out (no y)."""
    reasons = ", ".join(f"{count:,} {why}" for why, count in rows.left_out.items())
    left_out = f", {sum(rows.left_out.values()):,} left out ({reasons})" if reasons else ""
    return f"{amount(rows.read, 'row')} read: {rows.used:,} used{left_out}."


def report_findings(findings: Sequence[DataFinding]) -> None:
    """Print what was found in the data that has to be decided; the rest the columns say."""
    for one in _warnings(findings):
        say(f"{one}\n", heading="Look at this:")


def _warnings(findings: Sequence[DataFinding] | None) -> list[DataFinding]:
    return [one for one in findings or () if one.level == "warning"]


def _findings_object(findings: Sequence[DataFinding] | None) -> list[dict[str, Any]]:
    return [asdict(one) for one in findings or ()]


def _remind(run: Run) -> None:
    """Say that something had been found, beside the figures that it concerns."""
    count = len(_warnings(run.data.findings))
    if count:
        where = "shown before the training" if run.folder is None else "findings in run.json"
        say(f"{amount(count, 'warning')} about this data: {where}.")


def report_training(run: Run, dataset: Dataset, *, as_json: bool) -> None:
    """Print how a training ended and how good the network is on each part.

    The test part of a training that was stopped stays closed.
    """
    is_open = run.outcome.reason != "interrupted"
    with display.waiting("Measuring ...", lively=not as_json):
        figures: dict[str, Any] = {
            "train": run.measure(dataset.train),
            "validation": run.measure(dataset.validation),
            "test": None,
            "baseline": None,
        }
        interval: Any = None
        if is_open:
            figures["test"] = run.measure(dataset.test)
            figures["baseline"] = run.measure_baseline(dataset.test)
            interval = run.intervals(dataset.test)
        classes = _classes(run, dataset.test) if is_open else None
        targets = metrics_by_target(run, dataset.test) if is_open else None
    if as_json:
        honest = {
            "test_evaluations": run.test_evaluations,
            "findings": _findings_object(run.data.findings),
        }
        if dataset.rows is not None:
            left_out = dict(dataset.rows.left_out)
            rows = {"read": dataset.rows.read, "used": dataset.rows.used, "left_out": left_out}
            honest["rows"] = rows
        found = figures | _interval_object(interval) | _classes_object(classes)
        found |= _targets_object(run, targets)
        print_json(_training_object(run) | found | honest)
        return
    sizes = [*run.data.samples.values(), len(dataset.test)]
    names = ("training", "validation", "test", "baseline")
    rows = zip(names, sizes, figures.values(), strict=True)
    _print_figures(run, (row for row in rows if row[-1] is not None))
    if is_open:
        say(f"\nOn the {len(dataset.test):,} test samples, which were not used for training:")
        _print_verdict(run, figures["test"], interval, figures["baseline"])
        _print_classes(run, classes)
        _print_targets(run, targets)
        say(evaluations_note(run))
    else:
        folder = shown_folder(run)
        say(f"\nThe test part stays closed. To see the test score: downslope test {folder}")
    if run.data.generated:
        say(generated_note(run.data.name))
    _remind(run)
    say(f"\n{run.outcome}")
    say(f"Run: {run.folder}", exact=True)


def report_next(run: Run) -> None:
    """Print the commands that come next, to copy."""
    rows = [(f"{what}:", f"downslope {command}") for what, command in _next_commands(run)]
    width = max(len(what) for what, _ in rows)
    say("\nNext:")
    for what, command in rows:
        say(f"  {what:<{width}}  {command}")


def _next_commands(run: Run) -> Iterator[tuple[str, str]]:
    """What for, and the words after `downslope`."""
    folder, data = shown_folder(run), run.data
    if run.outcome.reason == "interrupted":
        yield "train to its end", f"resume {folder}"
    if run.outcome.reason == "non_finite":
        named = data.target_names if data.options.get("target") else ()
        targets = "".join(f" --target {shlex.quote(one)}" for one in named)
        yield "find a learning rate", f"rate {_shown_path(data.source)}{targets}"
        return
    if run.outcome.advice == STILL_FALLING:
        yield "train longer", f"resume {folder} --epochs {2 * run.settings.epochs}"
    yield "see how it learned", f"report {folder}"
    if data.task == "counting":
        yield "count in a photo", f"count {folder} PHOTO.jpg"
    elif data.encoding is not None:
        yield "predict for new rows", f"predict {folder} NEW.csv"
    elif len(data.input_shape) == 3 or data.name == "digits":
        yield "predict for an image", f"predict {folder} IMAGE.png"
    else:
        yield "predict for new inputs", f"predict {folder} NEW.npy"


def shown_folder(run: Run) -> str:
    """A run's folder for a command to copy; RUN where it has none."""
    return "RUN" if run.folder is None else _shown_path(run.folder)


def _shown_path(path: str | Path) -> str:
    """A path for a shell: relative where it lies below the working folder."""
    with contextlib.suppress(ValueError, OSError):
        path = Path(path).relative_to(Path.cwd())
    return shlex.quote(str(path))


def _classes(run: Run, samples: Samples) -> ClassMetrics | None:
    return run.class_metrics(samples) if run.data.task == "classification" else None


def _classes_object(classes: ClassMetrics | None) -> dict[str, Any]:
    return {} if classes is None else {"classes": classes.as_dict()}


def _print_classes(run: Run, classes: ClassMetrics | None) -> None:
    """Print the metrics of each class, where one is so rare that accuracy hides it."""
    said = "" if classes is None else class_verdict(run, classes)
    if classes is None or not said:
        return
    say(said)
    say()
    order = np.argsort(classes.support, kind="stable")[:MOST_CLASSES]
    rows = class_rows(classes)
    head = [COLUMNS.get(name, name) for name in CLASS_COLUMNS]
    print_table(head, [rows[index] for index in sorted(order)], numeric=range(1, len(head)))
    if len(rows) > MOST_CLASSES:
        say(f"The {MOST_CLASSES} rarest of {len(rows):,} classes; all with --json.")
    say()


def _print_verdict(run: Run, figures: Any, interval: Any, baseline: Any) -> None:
    said = verdict(run, figures, interval, baseline)
    if said:
        say(said)


def _targets_object(run: Run, targets: TargetMetrics | ClassMetrics | None) -> dict[str, Any]:
    """The metrics of each of several targets; what those of all together are."""
    if targets is None:
        return {}
    return {"targets": targets.as_list(), "targets_note": joint_note(run)}


def _print_targets(run: Run, targets: TargetMetrics | ClassMetrics | None) -> None:
    """Print the metrics of each of several targets beside its baselines."""
    if targets is None:
        return
    say(targets_note(run))
    say()
    head, rows = target_rows(targets)
    print_table(head, rows[:MOST_CLASSES], numeric=range(1, len(head)))
    if len(rows) > MOST_CLASSES:
        say(f"The first {MOST_CLASSES} of {len(rows):,} targets; all with --json.")
    say()


def _interval_object(interval: Any) -> dict[str, Any]:
    """The interval of the test figures; where few samples give none, why."""
    if interval == {}:
        why = f"fewer than {FEWEST_FOR_INTERVAL} samples are too few for an interval"
        return {"test_interval": None, "test_interval_note": why}
    return {"test_interval": interval}


def _training_object(run: Run) -> dict[str, Any]:
    return {
        "run": str(run.folder),
        "data": {"name": run.data.name, "samples": run.data.samples},
        "parameters": run.parameter_count,
        "outcome": {"reason": run.outcome.reason, "message": run.outcome.message},
        "epochs": run.epochs,
        "steps": run.outcome.step,
        "learning_rate": run.settings.learning_rate,
        "seconds": {
            "total": run.seconds.total,
            "training": run.seconds.training,
            "compiling": run.seconds.compiling,
        },
    }


def report_test(chosen: Chosen, *, as_json: bool) -> None:
    """Print how good a run is on chosen samples."""
    run = chosen.run
    with display.waiting("Measuring ...", lively=not as_json):
        figures = run.measure(chosen.samples)
        baseline = run.measure_baseline(chosen.samples)
        interval = run.intervals(chosen.samples)
        classes = _classes(run, chosen.samples)
        targets = metrics_by_target(run, chosen.samples)
    count = len(chosen.samples)
    if as_json:
        data = {"name": chosen.name, "samples": count}
        all_figures = {"test": figures, "baseline": baseline, **_interval_object(interval)}
        all_figures |= _classes_object(classes) | _targets_object(run, targets)
        opened = {"test_evaluations": run.test_evaluations, "opened_now": chosen.is_sealed}
        found = {"findings": _findings_object(run.data.findings)} if chosen.is_sealed else {}
        print_json({"run": str(run.folder), "data": data, **all_figures, **opened, **found})
        return
    _print_figures(run, [("test", count, figures), ("baseline", count, baseline)])
    say(f"\n{amount(count, 'sample')} of {chosen.name}: {chosen.note}.")
    _print_verdict(run, figures, interval, baseline)
    _print_classes(run, classes)
    _print_targets(run, targets)
    if chosen.generated:
        say(generated_note(chosen.name))
    if chosen.is_sealed:
        say(evaluations_note(run))
        _remind(run)


def _print_figures(run: Run, rows: Any) -> None:
    table, names = [], []
    for part, count, figures in rows:
        names = ["loss"] if has_several_numbers(run.data) else list(figures)
        cells = [figure(name, figures[name], run.data.task) for name in names]
        table.append([part, f"{count:,}", *cells])
    head = ["", "samples", *(COLUMNS[name] for name in names)]
    print_table(head, table, numeric=range(1, len(head)))


class Chosen(NamedTuple):
    """Labelled samples to measure a run on, with the data's name and a sentence about them."""

    run: Run
    name: str
    samples: Samples
    generated: bool
    note: str

    @property
    def is_sealed(self) -> bool:
        """Whether the samples are the run's own test part."""
        return self.run.dataset is not None and self.samples is self.run.dataset.test


def test_and_report(folder: Path, other: str | None, *, as_json: bool) -> None:
    """Measure a run and print the figures.

    Raises:
        DownslopeError: The folder is not a run, or the data does not fit.
    """
    run = open_run(folder)
    chosen = _own_test_part(run, as_json) if other is None else _other(run, other, as_json)
    report_test(chosen, as_json=as_json)


def _own_test_part(run: Run, as_json: bool, note: str = "its test part") -> Chosen:
    with display.reading(run.data.source, lively=not as_json) as on_progress:
        run = run.with_data(on_progress=on_progress)
    assert run.dataset is not None
    return Chosen(run, run.data.name, run.dataset.test, run.data.generated, note)


def _other(run: Run, source: str, as_json: bool) -> Chosen:
    """All samples of other data; only the test part where it is the run's own data after all."""
    same = "the data it was trained on, so only the test part was used"
    known = source if source in BUILT_IN else str(Path(source).expanduser().absolute())
    if known == run.data.source:
        return _own_test_part(run, as_json, same)
    with display.reading(source, lively=not as_json) as on_progress:
        unsplit = read(
            source,
            **_said(run),
            class_names=run.data.class_names,
            encoding=run.data.encoding,
            image_shape=_image_shape(run),
            ranges=run.data.ranges or None,
            photo_side=run.data.photo_side or None,
            stride=run.data.options.get("stride", STRIDE),
            on_progress=on_progress,
        )
    if not isinstance(unsplit, Unsplit):
        unsplit = _as_learnt(run, unsplit)
        for note in unsplit.notes:
            say(f"{unsplit.name}: {note}", err=True)
    if run.data.task == "multilabel" and unsplit.task == "regression":  # by the run's loss
        unsplit = replace(unsplit, task="multilabel", class_names=run.data.class_names)
    _check_fit(run, unsplit)
    unsplit = _as_bright(run, unsplit)
    if _is_same(run, unsplit):
        dataset = unsplit.split(run.data.options.get("split_seed", 0))
        run = replace(run, dataset=dataset)
        return Chosen(run, unsplit.name, dataset.test, unsplit.generated, same)
    part = "all its samples" if unsplit.test is None else "its test part"
    return Chosen(run, unsplit.name, unsplit.for_testing, unsplit.generated, part)


def _said(run: Run) -> dict[str, Any]:
    """What was said of the run's data that holds for other data as well."""
    names = ("target", "kinds", "task", "names")
    if _image_shape(run) is not None:  # a table of images; other tables are split in _as_learnt
        names += ("group", "time")
    options = run.data.options
    return {name: options[name] for name in names if name in options}


def _image_shape(run: Run) -> tuple[int, int, int] | None:
    """What other images are brought to: what the run's own were; None where they are photos."""
    shape = run.data.input_shape
    if len(shape) != 3 or shape[2] not in (1, 3) or run.data.task == "counting":
        return None
    return shape[0], shape[1], shape[2]


def _as_bright(run: Run, other: Unsplit) -> Unsplit:
    """Pixels from image files as the run knows them: of 0 to 1, if it learnt from such arrays.

    Raises:
        DataError: The run learnt from numbers that are no pixels of 0 to 1 or 0 to 255.
    """
    white = run.data.white
    if _image_shape(run) is None or white == other.white or not other.white:
        return other
    if not white:
        raise DataError(
            f"{other.name} holds images, and the run was trained on images whose numbers are no "
            "pixels of 0 to 1 or 0 to 255.",
            "inputs of the same numbers (.npz)",
            "Prepare them as the training images were, and save them as an array.",
        )

    def scaled(part: Samples) -> Samples:
        pixels = (part.inputs * (white / other.white)).astype(np.float32)
        return replace(part, inputs=pixels)

    test = None if other.test is None else scaled(other.test)
    return replace(other, samples=scaled(other.samples), test=test, white=white)


def _as_learnt(run: Run, table: UnsplitTable) -> Unsplit:
    """The rows of a table as the run learnt to read them."""
    if run.data.encoding is None:
        raise DataError(
            f"{table.name} is a table, and the run was not trained on one.",
            f"data like {run.data.name}",
            "Choose other data, or train on this table first.",
        )
    options, names = run.data.options, table.table.column_names
    by = {what: options.get(what) for what in ("group", "time")}  # splits the run's data as before
    table = replace(table, **{what: name for what, name in by.items() if name in names})
    return table.encoded(run.data.encoding)


def _is_same(run: Run, unsplit: Unsplit) -> bool:
    """Whether these are the very samples that the run was trained on."""
    count = len(unsplit.samples) + (0 if unsplit.test is None else len(unsplit.test))
    if count < sum(run.data.samples.values()):  # hashing takes longer than counting
        return False
    try:
        dataset = unsplit.split(run.data.options.get("split_seed", 0))
    except DownslopeError:  # too few samples to split, so never trained on
        return False
    return dataset.fingerprint == run.data.fingerprint


def _check_fit(run: Run, other: Unsplit) -> None:
    """Check that the run can answer to these samples.

    Raises:
        DataError: It learnt something else, or from inputs of another shape.
    """
    learnt, name = run.data, other.name
    if other.task != learnt.task:
        raise DataError(
            f"{name} is for {other.task}, and the run was trained for {learnt.task}.",
            f"data for {learnt.task}, as {learnt.name}",
            "Choose other data, or train on this data first.",
        )
    shape = other.samples.inputs.shape[1:]
    if learnt.task == "counting":  # photos may have any height and width
        fits = len(shape) == len(learnt.input_shape) and shape[-1] == learnt.input_shape[-1]
    else:
        fits = shape == learnt.input_shape
    if not fits:
        raise DataError(
            f"The inputs of {name} have shape {shape}.",
            f"shape {learnt.input_shape}, as in {learnt.name}",
            "Choose data with the inputs that the run was trained on.",
        )
    if other.target_names and other.target_names != learnt.target_names:
        raise DataError(
            f"{name} has the targets {', '.join(other.target_names)}.",
            f"the targets of {learnt.name}: {', '.join(learnt.target_names)}",
            "Choose data with the same targets in the same order.",
        )
    width, own = other.samples.targets.shape[1:], len(learnt.target_names) or 1
    if learnt.task == "regression" and len(width) == 1 and width != (own,):
        raise DataError(
            f"{name} has {width[0]} target{'s' * (width[0] > 1)} for each sample.",
            f"{own}, as {learnt.name}",
            "Choose data with the targets that the run was trained on.",
        )
    if other.class_names != learnt.class_names:
        raise DataError(
            f"{name} has the classes {', '.join(other.class_names)}.",
            f"the classes of {learnt.name}: {', '.join(learnt.class_names)}",
            "Choose data with the same classes in the same order.",
        )
