"""What `downslope compare` does: a plan per value, all of them trained, what differs in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from downslope.cli import display
from downslope.cli.ending import STOPPED
from downslope.cli.lines import plain_json, print_json, print_table, say
from downslope.cli.runner import Output, list_pictures
from downslope.cli.training import claimed
from downslope.cli.values import READ, SYNONYMS, read_value
from downslope.engine import metrics
from downslope.engine.settings import Stop
from downslope.errors import SettingError
from downslope.insight.compare import compare_variants
from downslope.insight.comparison import Comparison, Course
from downslope.insight.variants import Variant, check_values
from downslope.names import look_up
from downslope.numerals import rounded
from downslope.runs.metric_text import COLUMNS, figure
from downslope.runs.train_options import TrainOptions
from downslope.storage.files import write_file

SECONDS = 25.0  # for all trainings, where no one says how many epochs


def compare_and_report(
    source: str,
    reading: Mapping[str, Any],
    options: TrainOptions,
    vary: tuple[str, tuple[str, ...]],
    *,
    seeds: int,
    seconds: float | None,
    test: bool,
    out: Path | None,
    as_json: bool,
    pictures: bool,
) -> int:
    """Compare values of one setting, keep what was found, and print it.

    Returns:
        The exit code.

    Raises:
        DownslopeError: Something given cannot be used, or the disk refuses.
        KeyboardInterrupt: It was stopped before two values were finished.
    """
    setting, texts = vary
    each = options_of(options, setting, texts)
    with claimed(out) as claim:
        dataset = options.suited(Output(as_json).read(source, reading))
        variants = [Variant(text, one.complete(dataset)) for text, one in each.items()]
        for one in variants:
            one.options.plan(dataset)  # says what is wrong before the folder is made
        folder = claim(f"{dataset.name}-compare").path
        is_free = options.epochs is not None or setting == "epochs"
        what = f"Comparing {setting.replace('_', ' ')} on {dataset.name}"
        with display.working(what, lively=not as_json) as on_progress:
            found = compare_variants(
                dataset,
                variants,
                setting=setting,
                seeds=seeds,
                seconds=SECONDS if seconds is None and not is_free else seconds,
                test=test,
                on_progress=on_progress,
            )
        kept = {"folder": str(folder), **as_object(found)}
        write_file(folder / "compare.json", plain_json(kept).encode() + b"\n")
    _report(found, kept, folder, as_json=as_json)
    if pictures:
        draw(found, folder, as_json)
    return STOPPED if found.is_interrupted else 0


def options_of(
    options: TrainOptions, setting: str, texts: Sequence[str]
) -> dict[str, TrainOptions]:
    """The train options with each value of a setting, by its text.

    Raises:
        NetworkError: A network cannot be read.
        SettingError: There is no such setting, or a value cannot be read.
    """
    look_up(setting, READ, "setting", SettingError, SYNONYMS)
    check_values(setting, texts)
    advice = f"Write e.g. --vary {setting}=... with values separated by commas."
    each = {}
    for text in texts:
        value = read_value(setting, text, advice)
        change = {"stop": Stop(patience=value)} if setting == "patience" else {setting: value}
        each[text] = options.replace(**change)
        each[text].check_rate()
    return each


def as_object(found: Comparison) -> dict[str, Any]:
    """A comparison as plain values, for JSON."""

    def course(one: Course, courses: Sequence[Course]) -> dict[str, Any]:
        apart = found.differences(courses).get(one.name)
        names = metrics.names(found.task)
        curves = {
            f"{part}_loss": [trace.epochs[f"{part}_loss"].tolist() for trace in one.traces]
            for part in ("train", "validation")
        }
        return {
            "value": one.name,
            "seeds": list(one.seeds),
            "epochs": one.epochs,
            "samples_seen": one.epochs * found.samples,
            "seconds": one.seconds,
            "diverged": one.diverged,
            "validation": {
                name: _root(name, one.of(place)).tolist() for place, name in enumerate(names)
            },
            "test": {name: values.tolist() for name, values in one.test.items()} or None,
            "from_best": None
            if apart is None
            else {"mean": apart.mean, "interval": [apart.low, apart.high], "told": apart.is_told},
            "curves": {"epoch": [trace.epochs["epoch"].tolist() for trace in one.traces], **curves},
        }

    return {
        "data": found.data,
        "setting": found.setting,
        "judged_by": f"validation {found.figure}",
        "conclusion": found.conclusion,
        "notes": list(found.notes),
        "interrupted": found.is_interrupted,
        **{
            name: [course(one, courses) for one in courses]
            for name, courses in (
                ("equal_samples", found.equal_samples),
                ("equal_time", found.equal_time),
            )
        },
    }


def _report(found: Comparison, kept: Mapping[str, Any], folder: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(kept)
        return
    for words, courses in (
        ("At equal samples seen" if found.setting != "epochs" else "", found.equal_samples),
        ("In equal time", found.equal_time),
    ):
        if courses:
            say(f"\n{words}, on the validation part:" if words else "")
            _print(found, courses)
    say(f"\n{found.conclusion}\n")
    for note in found.notes:
        say(f"- {note}")
    if found.is_interrupted:
        say("- Stopped on request: only what was finished is shown.")
    say(f"\nFound: {folder}", exact=True)


def _print(found: Comparison, courses: Sequence[Course]) -> None:
    names = metrics.names(found.task)
    has_test = any(one.test for one in courses)
    head = [found.setting.replace("_", " "), "seeds", "epochs", "seconds"]
    for name in names:
        head += [COLUMNS[name], "from - to"]
    if has_test:
        head += [f"test: {COLUMNS[name]}" for name in names]
    rows = []
    for one in courses:
        row = [one.name, str(len(one.seeds)), f"{one.epochs:,}", rounded(one.seconds, 2)]
        for place, name in enumerate(names):
            values = _root(name, one.of(place))
            low, high = (figure(name, float(end), found.task) for end in _ends(values))
            row += [figure(name, float(values.mean()), found.task), f"{low} - {high}"]
        if has_test:
            row += [figure(name, float(np.mean(one.test[name])), found.task) for name in names]
        rows.append(row)
    print_table(head, rows, numeric=range(1, len(head)))


def _root(name: str, values: np.ndarray) -> np.ndarray:
    return np.sqrt(values) if name == "rmse" else values


def _ends(values: np.ndarray) -> tuple[Any, Any]:
    return values.min(), values.max()


def draw(found: Comparison, folder: Path, as_json: bool) -> None:
    """Draw the comparison into its folder."""
    from downslope.plots import save_all
    from downslope.plots.compare import comparison

    with display.waiting("Drawing pictures ...", lively=not as_json):
        paths = save_all([("compare", comparison(found))], folder)
    if not as_json:
        list_pictures(paths)
