"""Looking into a data set before it is learnt from: what would make its figures too good.

Nothing is changed and no row is left out: what was found is told. The test part is compared with
the training part for copies and groups, and its targets decide nothing else.
"""

from __future__ import annotations

import math
import shlex
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from downslope.data.checks.duplicates import Copies, copied_rows
from downslope.data.checks.findings import DataFinding, FindingKind
from downslope.data.checks.image_copies import copied_images
from downslope.data.checks.leaks import Group, Leak, divided_groups, leaking_columns
from downslope.data.checks.views import TEST, TRAIN, VALIDATION, View, Views, views_of
from downslope.data.dataset import Dataset, Samples
from downslope.data.load import load
from downslope.data.tables.column_types import NUMBERS_ROWS
from downslope.errors import printable
from downslope.numerals import rounded
from downslope.text import amount

SMALL_CLASS = 10  # samples, of which one is for validation and two are for the test
_FEW_OUTLIERS = 0.01  # of the values of a column
_SCALE_OF_OUTLIERS = 30  # times the standard deviation of all other values
_LEAST_FOR_OUTLIERS = 50
_LEAST_SENTINELS = 3  # rows with a number that stands for a missing value
_MOST_SENTINELS = 0.5  # of the rows
_MOST_EXAMPLES = 3
_MOST_NAMES = 5
_ID_NAMES = {"id", "ids", "uid", "uuid", "key", "index", "no", "nr", "number", "row", "rowid"}


def check_data(dataset: Dataset) -> Dataset:
    """Look for problems in a data set.

    It looks for copies and near copies of training samples in the validation and test parts;
    columns that give the target away; groups of rows that are divided between the parts; columns
    that number or name the rows, or have the same value everywhere; columns whose scale a few
    values set; numbers such as -999 that may stand for a missing value; classes of few samples.

    Args:
        dataset: The data set.

    Returns:
        The same data set with the `DataFinding`s as its `findings`.

    Example:
        >>> data = ds.check_data(ds.load("moons"))
        >>> data.findings
        ()
    """
    return replace(dataset, findings=findings_in(dataset))


def checked(data: Any) -> Dataset:
    """A data set as it is; whatever else `load` takes, loaded and checked.

    Warnings among the findings are raised as Python warnings, at the line that called the caller.
    """
    if isinstance(data, Dataset):
        return data
    dataset = check_data(load(data))
    for finding in dataset.findings or ():
        if finding.level == "warning":
            warnings.warn(str(finding), stacklevel=3)
    return dataset


def findings_in(dataset: Dataset) -> tuple[DataFinding, ...]:
    """What `check_data` finds, warnings first."""
    found = _small_classes(dataset)
    if len(dataset.input_shape) == 3:
        found += _copied_images(dataset)
    elif len(dataset.input_shape) == 1:
        views = views_of(dataset)
        found += _copied_rows(views)
        leaks = leaking_columns(views)
        known = {one.name for one in leaks}
        found += [_leak(one, dataset, views.is_table) for one in leaks]
        found += [_group(one, dataset) for one in divided_groups(views) if one.name not in known]
        if views.is_table:
            found += _useless_columns(views)
        sentinels = _sentinels(views)
        known = {name for one in sentinels for name in one.columns}
        found += [*sentinels, *(one for one in _outliers(views) if one.columns[0] not in known)]
    return tuple(sorted(found, key=lambda one: one.level != "warning"))


def _small_classes(dataset: Dataset) -> list[DataFinding]:
    parts = (dataset.train, dataset.validation, dataset.test)
    names, advice = dataset.class_names, "join it with another class, or leave it out"
    classes = [(f"class {name!r}", "has") for name in names]
    if dataset.task == "multilabel":  # of each label yes and no
        holds = [(one.targets > 0.5).sum(axis=0) for one in parts]
        sizes = [len(one) for one in parts]
        counts = [np.r_[own, size - own] for own, size in zip(holds, sizes, strict=True)]
        classes = [
            (f"target {name!r}", f"is {word} in") for word in ("yes", "no") for name in names
        ]
        advice = "or leave the target out"
    elif dataset.task == "classification" and all(one.targets.ndim == 1 for one in parts):
        counts = [np.bincount(one.targets, minlength=len(names)) for one in parts]
    else:
        return []
    found = []
    for index, (name, has) in enumerate(classes):
        train, validation, test = (int(one[index]) for one in counts)
        total = train + validation + test
        if total < SMALL_CLASS:
            says = (
                f"The {name} {has} {amount(total, 'sample')}: {train} for training, "
                f"{validation} for validation, {test} for the test."
            )
            advise = f"Add samples of it, {advice}."
            found.append(DataFinding("small class", "warning", says, advise, count=total))
    return found


def _copied_rows(views: Views) -> list[DataFinding]:
    found = []
    advice = "The figures count them as unseen: remove the copies" + (
        ", or keep them together with --group." if views.is_table else "."
    )
    for copies, is_near in zip(copied_rows(views), (False, True), strict=True):
        what = (
            "near copies of training rows, different in the last digits"
            if is_near
            else ("copies of training rows, the target included")
        )
        pairs = _examples(copies, views.row, views.row)
        sizes = [int((views.part == part).sum()) for part in (VALIDATION, TEST)]
        found += _told(what, "row", views.part[copies.held_out], sizes, pairs, advice, is_near)
    return found


def _copied_images(dataset: Dataset) -> list[DataFinding]:
    train, validation, test = dataset.train, dataset.validation, dataset.test
    both = np.concatenate([validation.inputs, test.inputs])
    names = [*_names(validation, "validation"), *_names(test, "test")]
    of_training = _names(train, "training")
    part = np.repeat([VALIDATION, TEST], [len(validation), len(test)])
    found = []
    advice = "The figures count them as unseen: remove one image of each pair."
    for copies, is_near in zip(copied_images(train.inputs, both), (False, True), strict=True):
        alike = "copies of training images" + (" to the last pixel" if not is_near else "")
        what = f"near {alike}, resized, saved again or brightened" if is_near else alike
        pairs = _examples(copies, names.__getitem__, of_training.__getitem__)
        sizes = [len(validation), len(test)]
        found += _told(what, "image", part[copies.held_out], sizes, pairs, advice, is_near)
    return found


def _names(samples: Samples, part: str) -> Sequence[str]:
    if samples.sources is not None:
        return [f"{name} ({part})" for name in samples.sources]
    return [f"{part} image {number:,}" for number in range(1, len(samples) + 1)]


def _examples(
    copies: Copies, held_out: Callable[[int], str], training: Callable[[int], str]
) -> tuple[str, ...]:
    pairs = zip(copies.held_out[:_MOST_EXAMPLES], copies.training, strict=False)
    return tuple(f"{held_out(int(one))} is {training(int(other))}" for one, other in pairs)


def _told(
    what: str,
    unit: str,
    part: np.ndarray,
    sizes: Sequence[int],
    examples: tuple[str, ...],
    advice: str,
    is_near: bool,
) -> list[DataFinding]:
    """Say how many samples of which part are copies; nothing where there are none."""
    if not len(part):
        return []
    counts = [int((part == number).sum()) for number in (VALIDATION, TEST)]
    fractions = [
        f"{count:,} of {size:,} {name} {unit}s"
        for name, count, size in zip(("validation", "test"), counts, sizes, strict=True)
        if count
    ]
    are = "is" if sum(counts) == 1 else "are"
    says = f"{' and '.join(reversed(fractions))} {are} {what}: {'; '.join(examples)}"
    says += "; and so on." if len(part) > len(examples) else "."
    kind = "near copies" if is_near else "copies"
    return [DataFinding(kind, "warning", says, advice, count=len(part), examples=examples)]


def _leak(leak: Leak, dataset: Dataset, is_table: bool) -> DataFinding:
    target = _target(dataset, leak.target)
    fraction = f"{math.floor(1000 * leak.fraction) / 10:.1f} %"
    tells = f"tells {target} rightly in {fraction} of the rows"
    if dataset.task != "classification":
        tells = f"explains {fraction} of the variance of {target}"
    what = "the target" if len(dataset.target_names) < 2 else target
    says = f"The column {leak.name!r} alone gives {what} away: it {tells}."
    out = f" with --column {_ignored(leak.name)}" if is_table else ""
    advice = f"If it is not known when the network is to be asked, leave it out{out}."
    return DataFinding("leak", "warning", says, advice, columns=(leak.name,))


def _target(dataset: Dataset, index: int) -> str:
    """What a target is called; one from an array has no name."""
    names = dataset.target_names
    return printable(names[index]) if names else "the target"


def _group(group: Group, dataset: Dataset) -> DataFinding:
    target = _target(dataset, group.target)
    fraction = f"{math.floor(1000 * group.fraction) / 10:.1f} %"
    shared = f"rows of one value share {target} in {fraction} of the cases"
    if dataset.task != "classification":
        shared = f"{fraction} of the variance of {target} lies between its values"
    says = (
        f"The column {group.name!r} divides the rows into {group.values:,} groups ({shared}), and "
        f"{amount(group.divided, 'row')} of the validation and test parts "
        f"{'is' if group.divided == 1 else 'are'} of a group that is in training."
    )
    advice = f"Keep groups in one part with --group {shlex.quote(group.name)}."
    return DataFinding(
        "groups", "warning", says, advice, columns=(group.name,), count=group.divided
    )


def _sentinels(views: Views) -> list[DataFinding]:
    """Columns whose smallest or largest number may stand for a missing value, as -999 does."""
    found = []
    for view in views.inputs:
        if view.numbers is None or view.column.kind != "number":
            continue
        known = np.isfinite(view.numbers)
        values, counts = np.unique(view.numbers[known], return_counts=True)
        if len(values) < 3:
            continue
        for value, count, others in (
            (values[0], counts[0], values[1:]),
            (values[-1], counts[-1], values[:-1]),
        ):
            gap = float(np.abs(others - value).min())
            is_far = gap > max(1.0, float(np.ptp(others)))
            few = _LEAST_SENTINELS <= count <= _MOST_SENTINELS * known.sum()
            if not (is_far and few and _is_sentinel(float(value))):
                continue
            index = int(np.flatnonzero(view.numbers == value)[0])
            low, high = rounded(float(others.min())), rounded(float(others.max()))
            says = (
                f"The column {view.name!r} has {value:g} in {count:,} rows, first in "
                f"{views.row(index)}, and its other values are from {low} to {high}."
            )
            advice = "Empty these cells if it means that there is none: it is learnt as a number."
            found.append(
                DataFinding(
                    "sentinel", "warning", says, advice, columns=(view.name,), count=int(count)
                )
            )
            break
    return found


def _is_sentinel(value: float) -> bool:
    """Whether people write such a number where there is none: -1, -999, 9999, -32768, 1e20."""
    if not value.is_integer():
        return False
    digits = str(abs(int(value))) if abs(value) < 1e18 else ""
    is_nines = len(digits) > 1 and set(digits) == {"9"}
    is_limit = abs(value) in (2.0**15, 2.0**31, 2.0**15 - 1, 2.0**31 - 1, 88888.0, 77777.0)
    is_power = len(digits) > 3 and set(digits[1:]) == {"0"} and value < 0
    return is_nines or is_limit or is_power or abs(value) >= 1e18 or value == -1


def _outliers(views: Views) -> list[DataFinding]:
    """Columns of numbers whose scale a few training values set."""
    found = []
    advice = "Correct the value, empty the cell if it means that there is none, or take logarithms."
    for view in views.inputs:
        if view.numbers is None or view.column.kind != "number":
            continue
        rows = np.flatnonzero((views.part == TRAIN) & np.isfinite(view.numbers))
        if len(rows) < _LEAST_FOR_OUTLIERS:
            continue
        values = view.numbers[rows]
        distances = np.abs(values - np.median(values))
        if 2 * np.count_nonzero(distances) < len(rows):  # mostly 0: whatever counts stands out
            continue
        usual = values[distances <= np.quantile(distances, 1 - _FEW_OUTLIERS)]
        if not 0 < _SCALE_OF_OUTLIERS * np.std(usual) < np.std(values):
            continue
        index = int(distances.argmax())
        low, high = rounded(float(usual.min())), rounded(float(usual.max()))
        says = (
            f"The column {view.name!r} has {rounded(float(values[index]))} in "
            f"{views.row(rows[index])}, and nearly all others are from {low} to {high}: such "
            "values set the scale, and the others become nearly the same number."
        )
        found.append(DataFinding("outliers", "warning", says, advice, columns=(view.name,)))
    return found


def _useless_columns(views: Views) -> list[DataFinding]:
    """What there is to say of columns that are constant or name the rows; used ones first."""
    found = []
    for says, kind, test in _USELESS:
        columns = [one.column for one in views.columns if test(one)]
        used = [one.name for one in columns if one.kind != "ignored"]
        others = [one.name for one in columns if one.kind == "ignored"]
        for names, is_used in ((used, True), (others, False)):
            if names:
                found.append(_of_columns(kind, names, says, is_used))
    return found


def _is_empty(view: View) -> bool:
    return not view.column.distinct


def _is_constant(view: View) -> bool:
    return view.column.distinct == 1 and not view.column.missing


def _numbers_rows(view: View) -> bool:
    return view.column.note == NUMBERS_ROWS


def _names_rows(view: View) -> bool:
    """Whether a column has another value in each row, and is no measure and no text."""
    column = view.column
    if column.distinct < max(20, len(view.codes) - column.missing) or _numbers_rows(view):
        return False
    if view.numbers is None:
        return column.kind not in ("text", "date")
    return view.is_input and _is_own_number(view)


_USELESS: tuple[tuple[str, FindingKind, Callable[[View], bool]], ...] = (
    ("no values", "constant", _is_empty),
    ("the same value in every row", "constant", _is_constant),
    ("the number of the row", "identifier", _numbers_rows),
    ("another value in each row", "identifier", _names_rows),
)


def _is_own_number(view: View) -> bool:
    """Whether whole numbers that are all different name the rows rather than measure something.

    They do if they are called so, if they are in order, or if chance would have repeated some.
    """
    if view.numbers is None or not view.is_whole or view.column.missing:
        return False
    if set(view.name.lower().replace("-", "_").replace(" ", "_").split("_")) & _ID_NAMES:
        return True
    steps, count = np.diff(view.numbers), len(view.numbers)
    repeated = count**2 / 2 / (np.ptp(view.numbers) + 1)
    return bool((steps > 0).all() or (steps < 0).all() or repeated > 10)


def _of_columns(kind: FindingKind, names: Sequence[str], has: str, is_used: bool) -> DataFinding:
    shown = ", ".join(repr(name) for name in names[:_MOST_NAMES])
    shown += f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    is_one = len(names) == 1
    says = f"The column{'' if is_one else 's'} {shown} {'has' if is_one else 'have'} {has}."
    columns = tuple(names)
    if not is_used:
        advice = "It is left out." if is_one else "They are left out."
        return DataFinding(kind, "note", says, advice, columns)
    advice = f"Leave {'it' if is_one else 'each'} out with --column {_ignored(names[0])}."
    return DataFinding(kind, "warning", says, advice, columns)


def _ignored(name: str) -> str:
    """The option that leaves a column out, as a shell takes it."""
    return shlex.quote(f"{name}=ignored")
