"""Labelled samples to evaluate a run on: its own test part, or other data read as the run's was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from downslope.data import BUILT_IN, Samples, Unsplit, read
from downslope.data.density import STRIDE
from downslope.data.load import pair_of
from downslope.data.progress import OnProgress
from downslope.data.tables.table import UnsplitTable
from downslope.errors import DataError, DownslopeError
from downslope.runs.measure import is_test_part
from downslope.runs.predict import checked_inputs
from downslope.runs.run import Run

_SAME = "the data it was trained on, so only the test part was used"


class Labelled(NamedTuple):
    """Labelled samples for a run.

    Attributes:
        run: The run, with its data where that was read.
        name: The name of the samples' data.
        samples: The samples.
        is_generated: Whether they were made by a program.
        part: Which samples of the data they are, as a part of a sentence.
        notes: What there is to know of how they were read, as sentences.
    """

    run: Run
    name: str
    samples: Samples
    is_generated: bool
    part: str
    notes: tuple[str, ...] = ()

    @property
    def is_test_part(self) -> bool:
        """Whether the samples are the run's own test part."""
        return is_test_part(self.run, self.samples)


def labelled(run: Run, data: Any = None, on_progress: OnProgress | None = None) -> Labelled:
    """The run's test part, or all samples of other data.

    Args:
        run: The run.
        data: None for the test part; or the other data, as for `evaluate`.
        on_progress: Called with (photos so far, photos in all) where reading takes a while.

    Raises:
        DataError: The data cannot be read, or does not fit the run.
    """
    if data is None:
        return _test_part(run, on_progress, "its test part")
    if isinstance(data, tuple):
        inputs, targets = pair_of(data)
        data = Samples(checked_inputs(run, inputs), _numbered(run, targets))
    if isinstance(data, Samples):
        if is_test_part(run, data):
            return _test_part(run, on_progress, "its test part")
        return Labelled(run, "data in memory", data, False, "all its samples")
    if isinstance(data, str | Path):
        source = str(data)
        known = source if source in BUILT_IN else str(Path(source).expanduser().absolute())
        if known == run.data.source:
            return _test_part(run, on_progress, _SAME)
    unsplit = read(
        data,
        **_said(run),
        class_names=run.data.class_names,
        encoding=run.data.encoding,
        image_shape=_image_shape(run),
        ranges=run.data.ranges or None,
        photo_side=run.data.photo_side or None,
        stride=run.data.options.get("stride", STRIDE),
        on_progress=on_progress,
    )
    notes: tuple[str, ...] = ()
    if not isinstance(unsplit, Unsplit):
        unsplit = _as_learnt(run, unsplit)
        notes = tuple(f"{unsplit.name}: {note}" for note in unsplit.notes)
    if run.data.task == "multilabel" and unsplit.task == "regression":  # by the run's loss
        unsplit = replace(unsplit, task="multilabel", class_names=run.data.class_names)
    _check_fit(run, unsplit)
    unsplit = _as_bright(run, unsplit)
    if _is_same(run, unsplit):
        dataset = unsplit.split(run.data.options.get("split_seed", 0))
        run = replace(run, dataset=dataset)
        return Labelled(run, unsplit.name, dataset.test, unsplit.generated, _SAME, notes)
    part = "all its samples" if unsplit.test is None else "its test part"
    return Labelled(run, unsplit.name, unsplit.for_testing, unsplit.generated, part, notes)


def _test_part(run: Run, on_progress: OnProgress | None, part: str) -> Labelled:
    run = run.with_data(on_progress=on_progress)
    assert run.dataset is not None
    return Labelled(run, run.data.name, run.dataset.test, run.data.generated, part)


def _numbered(run: Run, targets: Any) -> np.ndarray:
    """Classes that are named by texts as their numbers; other targets as they are.

    Raises:
        DataError: The run has no class of a name.
    """
    targets, names = np.asarray(targets), run.data.class_names
    if targets.dtype.kind not in "OUS" or targets.ndim != 1 or not names:
        return targets
    numbers = {name: number for number, name in enumerate(names)}
    unknown = [str(one) for one in targets.tolist() if str(one) not in numbers]
    if unknown:
        raise DataError(
            f"The targets have the class {unknown[0]!r}.",
            f"the classes of the training: {', '.join(names)}",
            "Rename it, or leave its samples out.",
        )
    return np.array([numbers[str(one)] for one in targets.tolist()], np.int32)


def _said(run: Run) -> dict[str, Any]:
    """What was said of the run's data that holds for other data as well."""
    names = ("target", "column_types", "task", "names")
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
    # ranks are no part of a fingerprint, and the encoding says which inputs they are
    return replace(dataset, encoding=run.data.encoding).fingerprint == run.data.fingerprint


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
