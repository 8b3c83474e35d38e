"""What a network learns from: samples with their targets, in three parts that never overlap."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from downslope.data.checks.findings import DataFinding
from downslope.data.memory import aligned
from downslope.data.readers.image_file import Ranges
from downslope.data.scaling import Scaling
from downslope.errors import DataError, printable

if TYPE_CHECKING:  # whoever reads no table needs no library for tables
    from downslope.data.tables.column_types import Column
    from downslope.data.tables.encoding import Encoding
    from downslope.data.tables.rows import TableRows

Task = Literal["classification", "multilabel", "regression", "counting"]
LARGEST = 1e150


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs with their targets.

    Attributes:
        inputs: Shape (N, *input_shape), any real dtype; photos and pixels stay uint8. Give values
            that are far from 0 compared with their spread, such as times, as float64.
        targets: Class numbers, shape (N,), or the fraction of each class, (N, classes); numbers of
            any real dtype, shape (N, outputs); people as float32 density maps of shape
            (N, height, width, 1), whose sum is the count.
        weights: How much each sample counts in the loss, shape (N,), or None for 1 each.
        sources: The file that each sample came from, or None.
        sizes: Height and width of each photo within its array, float32 (N, 2), where smaller photos
            are padded at the bottom and on the right; None where they fill their arrays.

    Raises:
        DataError: The lengths differ, a weight is below 0, a number is not finite, or a photo is
            larger than its array.

    Example:
        >>> samples = ds.Samples(inputs=np.zeros((5, 3)), targets=np.array([0, 1, 1, 0, 1]))
        >>> len(samples), samples.take(np.array([0, 2])).targets
        (5, array([0, 1]))
    """

    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None = None
    sources: tuple[str, ...] | None = None
    sizes: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Refuse parts of different lengths, and put the arrays where they are used as they are."""
        for name in ("targets", "weights", "sources", "sizes"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self.inputs):
                raise DataError(
                    f"There are {len(self.inputs)} inputs and {len(values)} {name}.",
                    f"as many {name} as inputs",
                    "Check how the two were read.",
                )
        if self.weights is not None:
            weights = np.asarray(self.weights)
            wrong = np.flatnonzero(~((weights >= 0) & np.isfinite(weights)))
            if len(wrong):
                raise DataError(
                    f"The weight of sample {wrong[0]} is {weights[wrong[0]]}.",
                    "a finite number of at least 0",
                    "Give each sample a weight, or leave the weights out to count all alike.",
                )
        object.__setattr__(self, "sizes", self._checked_sizes())
        check_finite("input", self.inputs)
        check_finite("target", self.targets)
        for name in ("inputs", "targets"):
            object.__setattr__(self, name, aligned(getattr(self, name)))

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.inputs)

    def take(self, indices: np.ndarray) -> Samples:
        """Return the samples at `indices`, shape (K,), in that order."""
        return Samples(
            inputs=self.inputs[indices],
            targets=self.targets[indices],
            weights=None if self.weights is None else self.weights[indices],
            sources=None if self.sources is None else tuple(self.sources[i] for i in indices),
            sizes=None if self.sizes is None else self.sizes[indices],
        )

    def _checked_sizes(self) -> np.ndarray | None:
        if self.sizes is None:
            return None
        sizes, sides = np.asarray(self.sizes, np.float32), self.inputs.shape[1:3]
        cells = np.divide(sides, self.targets.shape[1:3]) if self.targets.ndim == 4 else (1, 1)
        fits = self.inputs.ndim == 4 and sizes.shape == (len(self.inputs), 2)
        if not fits or not ((sizes > 0) & (sizes <= sides) & (sizes % cells == 0)).all():
            raise DataError(
                f"The sizes of {len(self.inputs):,} photos have the shape {sizes.shape}, or a "
                f"photo is larger than its array of {sides}, or no whole number of cells.",
                "height and width of each photo, (N, 2), in pixels",
                "Leave them out where all photos fill their arrays.",
            )
        return sizes if (sizes < sides).any() else None

    @property
    def counts(self) -> np.ndarray:
        """Number of people in each density map, shape (N,)."""
        return self.targets.sum(axis=(1, 2, 3), dtype=np.float64)

    def as_counts(self) -> Samples:
        """The same photos with the number of people as target, (N, 1)."""
        return replace(self, targets=np.rint(self.counts).astype(np.float32)[:, None])


def is_flag(inputs: np.ndarray) -> np.ndarray:
    """Which columns of a table hold nothing but 0 and 1, a mask (features,)."""
    return np.array([bool(((one == 0) | (one == 1)).all()) for one in inputs.T])


def check_finite(what: str, values: np.ndarray) -> None:
    """Check that there is no NaN and no infinity among the inputs or targets of samples.

    Args:
        what: "input" or "target".
        values: Those of all samples, (N, ...).

    Raises:
        DataError: There is.
    """
    if values.dtype.kind != "f":
        return
    if values.dtype.itemsize > 4 and values.size:
        largest = max(abs(float(values.min())), abs(float(values.max())))
        if LARGEST < largest < np.inf:
            raise DataError(
                f"The {what}s reach {largest:.3g}.",
                f"numbers of at most {LARGEST:g}, whose squares can be added up",
                "Give them in another unit.",
            )
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):  # no array of answers for each number, which are all yes
            return
    wrong = np.argwhere(~np.isfinite(values))
    if not len(wrong):
        return
    sample, *index = map(int, wrong[0])
    is_alone = values[0].size == 1
    where = "" if is_alone else f"{index[0]} " if len(index) == 1 else f"{index} "
    raise DataError(
        f"The {what} {where}of sample {sample} is {values[tuple(wrong[0])]}.",
        "finite numbers",
        "Fill in what is missing, or leave the sample out.",
    )


def known_targets(
    targets: np.ndarray, task: Task, class_names: tuple[str, ...], part: str = ""
) -> np.ndarray:
    """Targets in the one form that all that follows takes for granted.

    Args:
        targets: Of classes, whole numbers from 0 in any dtype, (N,) or (N, 1), or fractions of each
            class, (N, classes), such as one-hot; of labels, 0 or 1 each, or how likely it is,
            (N, labels); of numbers, (N,) or (N, outputs).
        task: What is learnt.
        class_names: One per class.
        part: Which part of a data set they are of, for the message.

    Returns:
        Classes as int32 (N,), or their fractions as float32 (N, classes) where a sample is of
        several; labels as float32 (N, labels); numbers as (N, outputs); people as they are.

    Raises:
        DataError: They are none of these.
    """
    targets = np.asarray(targets)
    where = f" of the {part} part" if part else ""
    if targets.dtype.kind not in "biuf":
        raise DataError(
            f"The targets{where} are of type {targets.dtype}.",
            f"numbers from 0 to {len(class_names) - 1}, one per sample"
            if class_names
            else "numbers",
            "Number the classes, and give their names as class_names."
            if task == "classification"
            else "Convert them first.",
        )
    if task == "regression":
        return targets[:, None] if targets.ndim == 1 else targets
    if task == "counting":
        return targets
    if task == "multilabel":
        return _labels(targets, class_names, where)
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if targets.ndim == 1:
        return _classes(targets, class_names, where)
    if targets.ndim == 2 and targets.shape[1] == len(class_names):
        return _fractions(targets, where)
    raise DataError(
        f"The targets{where} have shape {targets.shape}, and there are {len(class_names)} class "
        "names.",
        f"one class per sample, (N,), or a fraction of each class, (N, {len(class_names)})",
        "Give each sample one class, or name each class.",
    )


def _classes(targets: np.ndarray, class_names: tuple[str, ...], where: str) -> np.ndarray:
    """Classes by number as int32 (N,)."""
    classes = len(class_names)
    with np.errstate(invalid="ignore"):  # what is no whole number is told below
        whole = targets.astype(np.int64) if targets.dtype.kind != "i" else targets
    wrong = np.flatnonzero((whole != targets) | (whole < 0) | (whole >= classes))
    if not len(wrong):
        return np.ascontiguousarray(targets, np.int32)
    found = np.unique(targets)
    advice = "Number the classes from 0, in the order of class_names."
    if (whole != targets).any():
        advice += " To learn numbers, choose task='regression'."
    elif found[0] == 1 and found[-1] == classes:
        advice = "They are counted from 1: subtract 1."
    elif found.tolist() == [-1, 1]:
        advice = "Give 0 for -1: (targets + 1) // 2."
    elif found[0] < 0:
        advice += " To leave samples out of the loss, give them the weight 0, or leave them out."
    elif found[-1] >= classes:
        advice = "Name each class in class_names, or correct the targets."
    raise DataError(
        f"The target of sample {wrong[0]}{where} is {targets[wrong[0]]}, and there are {classes} "
        f"classes{': ' if classes else ''}{', '.join(class_names[:8])}"
        f"{', ...' if classes > 8 else ''}.",
        f"a whole number from 0 to {classes - 1}" if classes else "a name for each class",
        advice,
    )


def _labels(targets: np.ndarray, class_names: tuple[str, ...], where: str) -> np.ndarray:
    """Labels of which any number may hold, as float32 (N, labels)."""
    if targets.ndim != 2 or targets.shape[1] != len(class_names):
        raise DataError(
            f"The targets{where} have shape {targets.shape}, and there are {len(class_names)} "
            "labels.",
            f"a 0 or 1 for each label, (N, {len(class_names)})",
            "Give each sample a column per label, and each label a name in class_names.",
        )
    wrong = np.argwhere(~((targets >= 0) & (targets <= 1)))
    if len(wrong):
        sample, label = map(int, wrong[0])
        raise DataError(
            f"The label {class_names[label]!r} of sample {sample}{where} is "
            f"{targets[sample, label]:g}.",
            "0 or 1, or how likely it is, between them",
            "Correct it; to learn numbers, choose task='regression'.",
        )
    return np.ascontiguousarray(targets, np.float32)


def _fractions(targets: np.ndarray, where: str) -> np.ndarray:
    """Shares of each class as float32 (N, classes); as classes where each sample is of one."""
    sums = targets.sum(axis=1, dtype=np.float64)
    wrong = np.flatnonzero((targets < 0).any(axis=1) | ~(np.abs(sums - 1) < 1e-3))
    if len(wrong):
        shown = ", ".join(f"{one:g}" for one in targets[wrong[0]][:8])
        raise DataError(
            f"The fractions of the classes of sample {wrong[0]}{where} are {shown}"
            f"{', ...' if targets.shape[1] > 8 else ''}, whose sum is {sums[wrong[0]]:g}.",
            "fractions of at least 0 whose sum is 1, such as one-hot",
            "Divide each row by its sum; where several labels may hold at once, choose "
            "task='multilabel'.",
        )
    if ((targets == 0) | (targets == 1)).all():
        return targets.argmax(axis=1).astype(np.int32)
    return np.ascontiguousarray(targets, np.float32)


def _numbered(targets: int) -> tuple[str, ...]:
    """Names of targets that have none."""
    return tuple(f"target {number}" for number in range(1, targets + 1))


@dataclass(frozen=True)
class DataInfo:
    """What there is to know of data besides its samples: a data set has it, and a run keeps it.

    Attributes:
        name: Short name, also used for the run folder.
        task: What is learnt: "classification", "multilabel" (any number of labels may hold at
            once), "regression" or "counting".
        class_names: One name per class or label; empty for numbers and people.
        input_names: One name per input of a table; empty for images.
        target_names: One name per target, such as a table's columns; several numbers without
            names are target 1, target 2 and so on, labels have their class names.
        photo_side: Photos of crowds only: they are shrunk until their longer side is at most this
            many pixels.
        source: Where it was loaded from: a built-in name or an absolute path.
        generated: Whether the samples were made by a program rather than measured.
        options: What to give `load` besides the source, to get the same data set again.
        white: Of images, what the brightest pixel of an image file is as an input; 0 if unknown.
        ranges: Which values of images of more than 8 bits are black and white, by depth.
        findings: What `check_data` found in it; None where nobody has looked.
    """

    name: str
    task: Task
    _: KW_ONLY
    class_names: tuple[str, ...] = ()
    input_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    photo_side: int = 0
    source: str = ""
    generated: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    white: float = 255.0
    ranges: Ranges = field(default_factory=dict)
    findings: tuple[DataFinding, ...] | None = None

    @property
    def is_scaled(self) -> bool:
        """Whether inputs and targets are scaled before a network sees them."""
        return self.options.get("scaling") != "none"

    @property
    def facts(self) -> dict[str, Any]:
        """All of it by name, for another value that has it as well."""
        return {one.name: getattr(self, one.name) for one in fields(DataInfo)}


@dataclass(frozen=True, eq=False)
class Dataset(DataInfo):
    """A data set, split into a training, a validation and a test part.

    `load` reads one from files, `Dataset.from_arrays` makes one of arrays. The attributes are those
    of `DataInfo` (name, task, class names, ...), and:

    Attributes:
        train: The samples that the weights are fitted to.
        validation: The samples that decide when to stop and which settings are best.
        test: The samples for one last, honest evaluation.
        scaling: How inputs are scaled before they enter a network; learned from `train` alone.
        encoding: How the columns of a table became inputs; None for anything else.
        columns: The type of each column of the table.
        notes: What you should know about how the data was read, a sentence each.
        rows: The rows of the table; None for anything else.
        bins: Of a table whose numbers also enter as ranks, into how many intervals; else 0.

    Example:
        >>> data = ds.load("moons")
        >>> data.sizes
        {'train': 560, 'validation': 80, 'test': 160}
        >>> data.input_shape, data.class_names
        ((2,), ('upper', 'lower'))
    """

    train: Samples
    validation: Samples
    test: Samples
    scaling: Scaling
    _: KW_ONLY
    encoding: Encoding | None = None
    columns: tuple[Column, ...] = ()
    notes: tuple[str, ...] = ()
    rows: TableRows | None = None
    bins: int = 0

    from_arrays: ClassVar[Callable[..., Dataset]]  # see `load.from_arrays`

    def __post_init__(self) -> None:
        """Bring the targets of all parts into one form.

        Raises:
            DataError: A class is out of range, or targets have a shape or type of their own.
        """
        # a name is shown everywhere: it is what can be shown of the file's or the folder's
        object.__setattr__(self, "name", printable(self.name))
        for name in ("train", "validation", "test"):
            part = getattr(self, name)
            known = known_targets(part.targets, self.task, self.class_names, name)
            if known is not part.targets:
                object.__setattr__(self, name, replace(part, targets=known))
        names, shape = self.target_names, self.train.targets.shape[1:]
        if self.task == "multilabel":
            names = self.class_names
        elif self.task == "regression" and len(shape) == 1 and len(names) != shape[0]:
            if names != _numbered(len(names)):
                raise DataError(
                    f"There are {shape[0]} targets and {len(names)} names of targets.",
                    "a name for each target",
                    "Name each, or leave the names out.",
                )
            names = _numbered(shape[0]) if shape[0] > 1 else ()
        if len({*names}) < len(names):
            raise DataError(
                f"Two targets have one name: {', '.join(names[:8])}.",
                "a name of its own for each target",
                "Rename one of them.",
            )
        object.__setattr__(self, "target_names", names)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input, without the sample axis."""
        return self.train.inputs.shape[1:]

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape that a network's output needs for one sample."""
        if self.task == "classification":
            return (len(self.class_names),)
        return self.train.targets.shape[1:]

    def as_counts(self) -> Dataset:
        """The same photos with the number of people as target, without their positions."""
        parts = ("train", "validation", "test")
        return replace(
            self,
            task="regression",
            options={**self.options, "task": "regression"},
            **{part: getattr(self, part).as_counts() for part in parts},
        )

    def with_ranks(self, bins: int) -> Dataset:
        """A table whose numbers also enter as ranks among quantiles of the training part.

        Columns of nothing but 0 and 1 are then left as they are: scaled, a category in one of a
        thousand rows would be an input of 30.

        Args:
            bins: Into how many intervals the quantiles divide the values; 0 for a table without
                ranks, all of whose columns are scaled.
        """
        if self.encoding is None or bins == self.bins:
            return self
        plain = self.train.inputs[:, len(self.encoding.ranked) :]
        return self.encoded_as(self.encoding.learn_ranks(plain, bins), bins)

    def encoded_as(self, encoding: Encoding, bins: int, notes: list[str] | None = None) -> Dataset:
        """The same table, whose columns become inputs as an encoding says that was learnt before.

        Args:
            encoding: The encoding; how the target is read stays.
            bins: Into how many intervals its quantiles divide the values; 0 for no ranks.
            notes: To which a sentence is added for each thing that a user should know, such as
                values that the encoding does not know.

        Raises:
            DataError: A column is missing, is the target now, or holds values of another kind.
        """
        assert self.encoding is not None
        encoding = replace(encoding, targets=self.encoding.targets)
        learnt = {code.name for code in encoding.targets} & {one.name for one in encoding.columns}
        if learnt:
            raise DataError(
                f"The column {min(learnt)!r} of {self.name} is to be learnt, and it was an input "
                "where the columns were encoded before.",
                "a target that was no input before",
                "Choose another target, or begin without what was learnt before.",
            )
        if encoding.without_ranks == self.encoding.without_ranks:
            before = len(self.encoding.ranked)
            plain = tuple(part.inputs[:, before:] for part in self._parts)
            inputs = tuple(encoding.with_ranks(one) for one in plain)
        else:
            inputs = self._encoded_anew(encoding, notes)
        train, validation, test = (
            replace(part, inputs=one) for part, one in zip(self._parts, inputs, strict=True)
        )
        unscaled = encoding.is_embedded | (not self.is_scaled)
        if bins:
            unscaled = unscaled | is_flag(train.inputs)
            unscaled[: len(encoding.ranked)] = True
        return replace(
            self,
            train=train,
            validation=validation,
            test=test,
            scaling=Scaling.learn(train.inputs).without(unscaled),
            input_names=encoding.input_names,
            encoding=encoding,
            bins=bins,
        )

    @property
    def _parts(self) -> tuple[Samples, Samples, Samples]:
        return self.train, self.validation, self.test

    def _encoded_anew(self, encoding: Encoding, notes: list[str] | None) -> tuple[np.ndarray, ...]:
        """The inputs of each part, from the rows of the table."""
        if self.rows is None:
            raise DataError(
                f"The inputs of {self.name} were encoded otherwise, and its rows are not at hand.",
                "inputs in the encoding that was learnt before, or a table",
                "Load the table with its target, and give that.",
            )
        inputs = encoding.encode(self.rows.table, notes, self.rows.numbers)
        parts = self.rows.parts
        return tuple(inputs[one] for one in (parts.train, parts.validation, parts.test))

    def unscaled(self) -> Dataset:
        """The same samples, which a network is given as they are: inputs and targets not scaled.

        Example:
            >>> ds.load("digits").unscaled().scaling.std
            array(1.)
        """
        mean, std = np.zeros_like(self.scaling.mean), np.ones_like(self.scaling.std)
        options = {**self.options, "scaling": "none"}
        return replace(self, scaling=Scaling(mean, std), options=options)

    def scaled_as(self, scaling: Scaling, *, is_scaled: bool) -> Dataset:
        """The same samples with the scaling of other data, where these have one."""
        options = {name: value for name, value in self.options.items() if name != "scaling"}
        options |= {} if is_scaled else {"scaling": "none"}
        return replace(self, scaling=scaling, options=options)

    def standardized(self) -> Dataset:
        """The same samples, whose inputs and targets are scaled, as `load` does by itself."""
        if self.is_scaled:
            return self
        inputs = self.train.inputs
        per = "feature" if inputs.ndim == 2 else "channel" if inputs.shape[-1] == 3 else "all"
        scaling = Scaling.learn(inputs, per)
        if self.encoding is not None:
            scaling = scaling.without(self.encoding.is_embedded)
        options = {name: value for name, value in self.options.items() if name != "scaling"}
        return replace(self, scaling=scaling, options=options)

    @property
    def sizes(self) -> dict[str, int]:
        """Number of samples in each part."""
        return {part: len(getattr(self, part)) for part in ("train", "validation", "test")}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every array of every part, as 64 hexadecimal digits; ranks are left out."""
        digest = hashlib.sha256()
        ranks = 0 if self.encoding is None else len(self.encoding.ranked)
        for part in (self.train, self.validation, self.test):
            inputs = part.inputs[:, ranks:] if ranks else part.inputs
            for array in (inputs, part.targets, part.weights, part.sizes):
                if array is not None:
                    digest.update(f"{array.dtype}{array.shape}".encode())
                    digest.update(np.ascontiguousarray(array).ravel().view(np.uint8).data)
        return digest.hexdigest()

    def __repr__(self) -> str:
        """Return one line: arrays are too long to print."""
        sizes = ", ".join(f"{count} {part}" for part, count in self.sizes.items())
        return f"Dataset({self.name!r}, {self.task}, inputs {self.input_shape}, {sizes})"
