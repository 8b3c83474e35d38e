"""What `downslope test` does: choose labelled samples that fit a run, and measure it on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from downslope.cli import display, output
from downslope.cli.lines import say
from downslope.data import BUILT_IN, Samples, Unsplit, read
from downslope.data.density import STRIDE
from downslope.data.tables.table import UnsplitTable
from downslope.errors import DataError, DownslopeError
from downslope.runs.open import open_run
from downslope.runs.run import Run


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
    output.report_test(chosen, as_json=as_json)


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
            ranges=run.data.ranges,
            photo_side=run.data.photo_side or None,
            stride=(run.data.options or {}).get("stride", STRIDE),
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
        dataset = unsplit.split((run.data.options or {}).get("split_seed", 0))
        run = replace(run, dataset=dataset)
        return Chosen(run, unsplit.name, dataset.test, unsplit.generated, same)
    part = "all its samples" if unsplit.test is None else "its test part"
    return Chosen(run, unsplit.name, unsplit.for_testing, unsplit.generated, part)


def _said(run: Run) -> dict[str, Any]:
    """What was said of the run's data that holds for other data as well."""
    names = ("target", "kinds", "task", "names")
    if _image_shape(run) is not None:  # a table of images; other tables are split in _as_learnt
        names += ("group", "time")
    options = run.data.options or {}
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
    options, names = run.data.options or {}, table.table.column_names
    by = {what: options.get(what) for what in ("group", "time")}  # splits the run's data as before
    table = replace(table, **{what: name for what, name in by.items() if name in names})
    return table.encoded(run.data.encoding)


def _is_same(run: Run, unsplit: Unsplit) -> bool:
    """Whether these are the very samples that the run was trained on."""
    count = len(unsplit.samples) + (0 if unsplit.test is None else len(unsplit.test))
    if count < sum(run.data.samples.values()):  # hashing takes longer than counting
        return False
    try:
        dataset = unsplit.split((run.data.options or {}).get("split_seed", 0))
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
