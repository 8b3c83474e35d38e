"""The results of each command on standard output: one JSON object, or tables and sentences."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from downslope.cli import display
from downslope.cli.lines import print_json, print_table, say
from downslope.cli.words import amount
from downslope.data import DataFinding, Dataset, Samples
from downslope.engine.class_metrics import ClassMetrics
from downslope.engine.metrics import FEWEST_FOR_INTERVAL, TargetMetrics
from downslope.numerals import rounded
from downslope.runs.metric_text import (
    CLASS_COLUMNS,
    COLUMNS,
    class_rows,
    class_verdict,
    figure,
    generated_note,
    has_several_numbers,
    joint_note,
    label_words,
    metrics_by_target,
    openings_note,
    target_rows,
    targets_note,
    verdict,
)
from downslope.runs.outcome import STILL_FALLING
from downslope.runs.run import Run

if TYPE_CHECKING:
    from downslope.cli.counting import Estimate
    from downslope.cli.inputs import Input
    from downslope.cli.testing import Chosen
    from downslope.data.tables.rows import TableRows

MOST_CLASSES = 20  # of which metrics are printed


DIGITS = 6  # of an answer of the size of its spread


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
            "test_openings": run.test_openings,
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
        say(openings_note(run))
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
        named = data.target_names if (data.options or {}).get("target") else ()
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
        opened = {"test_openings": run.test_openings, "opened_now": chosen.is_sealed}
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
        say(openings_note(run))
        _remind(run)


def _print_figures(run: Run, rows: Any) -> None:
    table, names = [], []
    for part, count, figures in rows:
        names = ["loss"] if has_several_numbers(run.data) else list(figures)
        cells = [figure(name, figures[name], run.data.task) for name in names]
        table.append([part, f"{count:,}", *cells])
    head = ["", "samples", *(COLUMNS[name] for name in names)]
    print_table(head, table, numeric=range(1, len(head)))


def report_predictions(run: Run, inputs: Sequence[tuple[Path, Input]], *, as_json: bool) -> None:
    """Print a run's answers to inputs."""
    answers = _answers(run, [one.values for _, one in inputs])
    places = [{"input": str(path), "row": one.row} for path, one in inputs]
    if as_json:
        print_json({"predictions": [a | b for a, b in zip(places, answers, strict=True)]})
        return
    cells = [_cells(run, one) for one in answers]
    names = list(cells[0]) if cells else []
    print_table(
        ["input", "row", *names],
        [
            [str(place["input"]), str(place["row"]), *one.values()]
            for place, one in zip(places, cells, strict=True)
        ],
        numeric=[1, *(2 + index for index, name in enumerate(names) if name != "class")],
    )


def _answers(run: Run, inputs: list[np.ndarray]) -> list[dict[str, Any]]:
    if run.data.task == "counting" or run.data.photo_side:  # photos of many sizes
        return [{"count": float(run.predict(one[None]).ravel()[0])} for one in inputs]
    together = np.stack(inputs)
    if run.data.task == "classification":
        shares = run.probabilities(together)
        chosen = run.predict(together)
        return [
            {"class": run.data.class_names[index], "probability": float(share[index])}
            for index, share in zip(chosen.tolist(), shares, strict=True)
        ]
    values, names = run.predict(together).reshape(len(together), -1).tolist(), run.data.target_names
    if run.data.task == "multilabel":
        shares = run.probabilities(together).tolist()
        return [
            {
                "value": dict(zip(names, map(bool, one), strict=True)),
                "probability": dict(zip(names, share, strict=True)),
            }
            for one, share in zip(values, shares, strict=True)
        ]
    if len(names) > 1:
        return [{"value": dict(zip(names, one, strict=True))} for one in values]
    return [{"value": one[0] if len(one) == 1 else one} for one in values]


def _digits(run: Run) -> list[int]:
    """How many digits tell the answers apart, of each output: more where they lie far from 0."""
    scaling = run.answer_scaling
    if scaling is None:
        return [DIGITS]
    mean, deviation = np.broadcast_arrays(np.abs(scaling.mean).ravel(), scaling.deviation.ravel())
    far = np.log10(np.maximum(mean / deviation, 1.0))
    return [min(16, DIGITS + int(np.ceil(one))) for one in far]


def _cells(run: Run, answer: dict[str, Any]) -> dict[str, str]:
    """A prediction as the cells of a table, by column: of several targets one each."""
    if "class" in answer:
        return {"class": answer["class"], "probability": f"{100 * answer['probability']:.1f} %"}
    if "count" in answer:
        return {"count": f"{answer['count']:.1f}"}
    if "probability" in answer:
        words = label_words(run.data)
        return {
            name: f"{words[index][holds]} ({100 * answer['probability'][name]:.1f} %)"
            for index, (name, holds) in enumerate(answer["value"].items())
        }
    value, digits = answer["value"], _digits(run)
    if isinstance(value, list):  # the pixels of an image
        return {"value": " ".join(rounded(one, digits[0]) for one in value)}
    values = value if isinstance(value, dict) else {"value": value}
    each = digits if len(digits) == len(values) else digits[:1] * len(values)
    return {name: rounded(one, few) for (name, one), few in zip(values.items(), each, strict=True)}


def report_counts(estimates: Sequence[Estimate], *, as_json: bool) -> None:
    """Print how many people are estimated to be in each photo."""
    if as_json:
        print_json({"photos": [{"path": str(one.path), "count": one.people} for one in estimates]})
        return
    rows = [[str(one.path), f"{one.people:,.1f}"] for one in estimates]
    print_table(["photo", "people"], rows, numeric=(1,))
