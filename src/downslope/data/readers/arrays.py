"""Samples in arrays, lists, frames and sparse matrices: inputs, and what is learnt of them.

Inputs of numbers become samples as they are; frames, and arrays that hold texts, become a table
whose last columns are learnt. Classes and numbers are told apart as in tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from downslope.data.dataset import Samples, Task, known_targets
from downslope.data.limits import SETTING, gib_for, in_gib, most_bytes_unpacked, most_gib
from downslope.data.readers.frames import is_frame, is_index, table_from, texts_in
from downslope.data.tables.options import TableOptions
from downslope.data.tables.table import UnsplitTable, table_of
from downslope.data.tables.targets import labelled, refuse_new_classes
from downslope.data.unsplit import Unsplit
from downslope.errors import DataError, SettingError

_CHANNELS = (1, 3, 4)


class Pair(NamedTuple):
    """Inputs with their targets.

    Attributes:
        inputs: Numbers, the first axis counts the samples.
        targets: As many of them; an Arrow array of one value each, or a NumPy array.
        names: What messages call the two, such as "array X of a.npz".
        column: The name of the targets alone.
    """

    inputs: np.ndarray
    targets: Any
    names: tuple[str, str]
    column: str = "y"


class Learnt(NamedTuple):
    """What is learnt of samples: the fields of a data set."""

    task: Task
    targets: np.ndarray
    class_names: tuple[str, ...]
    notes: tuple[str, ...]


def read_arrays(
    given: Sequence[tuple[Any, Any]],
    options: TableOptions,
    names: tuple[str, ...],
    class_names: tuple[str, ...],
    name: str,
) -> tuple[Unsplit | UnsplitTable, list[int]]:
    """All samples of the parts, one part after the other, and how many each part has."""
    suffixes = ["", *(f" of part {number}" for number in range(2, len(given) + 1))]
    inputs = [
        _values(X, f"array X{suffix}") for (X, _), suffix in zip(given, suffixes, strict=True)
    ]
    targets = [
        _target(y, f"array y{suffix}", class_names)
        for (_, y), suffix in zip(given, suffixes, strict=True)
    ]
    sizes = [len(one) for one in inputs]
    for count, learnt, suffix in zip(sizes, targets, suffixes, strict=True):
        if count != len(learnt) or not count:
            raise DataError(
                f"The array X{suffix} has {count} samples and y{suffix} has {len(learnt)}.",
                "a target for each input, and at least one",
                "The first axis counts the samples.",
            )
    if any(isinstance(one, pa.Table) for one in inputs):
        return _table(inputs, targets, options, names, class_names, name), sizes
    if options.column_types:
        raise SettingError(
            "Kinds of columns were named, and X is an array of numbers.",
            "a frame",
            "Leave them out.",
        )
    pairs = [
        Pair(inputs_of(one, f"array X{suffix}"), learnt, (f"array X{suffix}", f"array y{suffix}"))
        for one, learnt, suffix in zip(inputs, targets, suffixes, strict=True)
    ]
    refuse_unlike([one.inputs for one in pairs], "The inputs of the parts have")
    both = np.concatenate([one.inputs for one in pairs]) if len(pairs) > 1 else pairs[0].inputs
    if names and (both.ndim != 2 or len(names) != both.shape[1]):
        raise SettingError(
            f"There are {len(names)} names, and the inputs have shape {both.shape[1:]}.",
            "a name for each input, of inputs of shape (N, features)",
            "Leave names out, or give one for each.",
        )
    found = learnt_of(pairs, options._replace(class_names=class_names), name)
    return Unsplit(
        name=name,
        task=found.task,
        samples=Samples(both, found.targets),
        class_names=found.class_names,
        input_names=names,
        notes=found.notes,
        options=options.given,
        **of_images(both),
    ), sizes


def _values(X: Any, what: str) -> np.ndarray | pa.Table:
    """Inputs as an array of numbers, or as a table where they have columns of other kinds."""
    if hasattr(X, "to_frame"):  # a column of pandas or polars
        X = X.to_frame()
    if is_frame(X):
        table = table_from(X)
        return table.drop_columns([one for one in table.column_names if is_index(table, one)])
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        return _dense(X, what)
    if (texts := texts_in(X)) is not None:
        return pa.table({"x1": texts})
    values = _as_array(X, what)
    if values.dtype.kind in "OUS" and values.ndim == 2:
        columns = values if values.dtype == object else np.asarray(X, object)
        return table_from(
            pa.table({f"x{index + 1}": _column(one, what) for index, one in enumerate(columns.T)})
        )
    return values


def _as_array(values: Any, what: str) -> np.ndarray:
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        reason = str(error).split(".")[0].splitlines()[0][:200]
        raise DataError(
            f"The {what} cannot be read as an array: {reason}.",
            "numbers of one shape for each sample",
            "Give each sample as many values; bring images to one size.",
        ) from None


def _column(values: Any, what: str) -> pa.Array:
    """Python's or NumPy's values as one column."""
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind == "f":
        values = values.astype(np.float64)
    try:
        return pa.array(values.tolist() if values.dtype == object else values, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError, UnicodeDecodeError):
        raise unlearnable(values, what) from None


def _dense(X: Any, what: str) -> np.ndarray:
    """A sparse matrix as an array of float32.

    Raises:
        DataError: It would take more than the limit.
    """
    rows, columns = X.shape
    wanted = rows * columns * 4
    if wanted > most_bytes_unpacked():
        raise DataError(
            f"The sparse {what}, {rows:,} rows and {columns:,} columns, takes {in_gib(wanted)} of "
            "memory once it is dense.",
            f"at most {most_gib():g} GiB",
            "Keep the columns that are used most (scikit-learn: max_features, TruncatedSVD), or "
            f"raise the limit with the environment variable {SETTING}={gib_for(wanted)}.",
        )
    return X.astype(np.float32).toarray()


def _target(y: Any, what: str, class_names: tuple[str, ...]) -> Any:
    """Targets: an Arrow column of one value each, a table, or an array (N, outputs)."""
    if hasattr(y, "to_frame"):  # a column of pandas or polars
        y = y.to_frame()
    if isinstance(y, pa.Array | pa.ChunkedArray):
        y = pa.table({"y": y})
    if is_frame(y):
        table = table_from(y)
        table = table.drop_columns([one for one in table.column_names if is_index(table, one)])
        if table.num_columns > 1:
            return table
        name = table.column_names[0]
        named = table.rename_columns(["y"]) if name in ("0", "") else table  # it has no name
        whole = pa.types.is_integer(named.column(0).type) and not named.column(0).null_count
        if class_names and whole:
            return _named(named.column(0).to_numpy(), class_names)
        return named
    if hasattr(y, "toarray") and hasattr(y, "nnz"):
        y = _dense(y, what)
    values = _as_array(y, what)
    if values.ndim not in (1, 2) or not values.size or values.dtype.kind not in "buifUSO":
        raise unlearnable(values, what)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 1:
        if class_names and values.dtype.kind in "iu":
            return _named(values, class_names)
        return _column(values, what)
    return values


def _named(classes: np.ndarray, class_names: tuple[str, ...]) -> pa.Array:
    """Classes by number as classes by name."""
    known = known_targets(classes, "classification", class_names)
    return pa.array(np.asarray(class_names, object)[known].tolist(), pa.string())


def _table(
    inputs: Sequence[Any],
    targets: Sequence[Any],
    options: TableOptions,
    names: tuple[str, ...],
    class_names: tuple[str, ...],
    name: str,
) -> UnsplitTable:
    """Parts that have columns of their own kinds, as one table with the targets behind."""
    if names and not all(isinstance(one, pa.Table) and len(names) == one.num_columns
                         and one.column_names[0] == "x1" for one in inputs):  # fmt: skip
        raise SettingError(
            "The inputs were given names, and X is a frame.",
            "names of the frame's own",
            "Rename its columns.",
        )
    tables, learnt = [], ()
    for one, target in zip(inputs, targets, strict=True):
        if not isinstance(one, pa.Table):
            raise DataError(
                "The inputs of one part are a frame, and those of another an array.",
                "parts of one kind",
                "Give frames alone, or arrays alone.",
            )
        table = one.rename_columns(list(names)) if names else one
        columns = _target_columns(target, table.column_names)
        learnt = tuple(columns)
        for column, values in columns.items():
            table = table.append_column(column, values)
        tables.append(table)
    try:
        if any({*one.column_names} != {*tables[0].column_names} for one in tables):
            raise pa.ArrowInvalid("the columns have other names")
        whole = pa.concat_tables(tables, promote_options="permissive") if tables[1:] else tables[0]
    except pa.ArrowException as error:
        raise DataError(
            f"The parts cannot be joined: {str(error).splitlines()[0][:200].rstrip('.')}.",
            "parts with the same columns, of the same types",
            "Read all parts in the same way.",
        ) from None
    said = options._replace(targets=learnt, class_names=class_names)
    if class_names and len(learnt) == 1:
        said = said._replace(column_types={**options.column_types, learnt[0]: "category"})
    found = table_of(whole, said, name=name)
    return replace(found, options={**options.given, "target": _one_or_all(learnt)})


def _one_or_all(names: tuple[str, ...]) -> str | list[str]:
    return names[0] if len(names) == 1 else list(names)


def _target_columns(target: Any, taken: Sequence[str]) -> dict[str, Any]:
    """The columns that are learnt, by names that no input has."""
    if isinstance(target, pa.Table):
        columns = dict(zip(target.column_names, target.columns, strict=True))
    elif isinstance(target, np.ndarray):
        columns = {f"y{index + 1}": pa.array(one) for index, one in enumerate(target.T)}
    else:
        columns = {"y": target}

    def free(name: str) -> str:
        return name if name not in taken else free(f"{name}_")

    return {free(name): values for name, values in columns.items()}


def inputs_of(values: np.ndarray, what: str) -> np.ndarray:
    """Inputs of shape (N, features) or (N, height, width, channels).

    Args:
        values: Numbers in one of many shapes.
        what: What messages call them, such as "array X of a.npz".

    Raises:
        DataError: They are no numbers, not finite, or of an unknown shape.
    """
    shape = values.shape
    if values.dtype.kind not in "buif":
        raise DataError(
            f"The {what} holds values of type {values.dtype}.",
            "numbers",
            "Save texts as a table; save numbers with a dtype such as float32.",
        )
    if values.dtype.kind == "f":
        bad = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        if bad.any():
            raise DataError(
                f"Row {int(bad.argmax()) + 1} of the {what} has a value that is not a finite "
                "number.",
                "finite numbers, of at most 3.4e38",
                "Fill in what is missing, or leave the row out.",
            )
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim == 3:
        values = values[..., None]
    if values.ndim == 4 and values.shape[-1] not in _CHANNELS and values.shape[1] in _CHANNELS:
        values = np.moveaxis(values, 1, -1)
    is_known = values.ndim == 2 or (values.ndim == 4 and values.shape[-1] in _CHANNELS)
    if not is_known or not values.size:
        raise DataError(
            f"The {what} has the shape {shape}.",
            "(N, F) for features, (N, H, W) or (N, H, W, channels) for images with 1, 3 or 4 "
            "channels",
            "Save it in one of these shapes.",
        )
    return values


def refuse_unlike(inputs: Sequence[np.ndarray], says: str) -> None:
    """Check that the inputs of all parts have one shape.

    Raises:
        DataError: They have not; the message begins with `says`.
    """
    shapes = dict.fromkeys(one.shape[1:] for one in inputs)
    if len(shapes) > 1:
        raise DataError(
            f"{says} the shapes {' and '.join(map(str, shapes))}.",
            "inputs of one shape",
            "Keep the arrays of one data set together.",
        )


def of_images(inputs: np.ndarray) -> dict[str, Any]:
    """The fields of a data set that images (N, height, width, channels) have of their own."""
    if inputs.ndim != 4:
        return {"per": "feature", "white": 0.0}
    return {"per": "channel" if inputs.shape[-1] > 1 else "all", "white": _white(inputs)}


def learnt_of(
    parts: Sequence[Pair],
    options: TableOptions,
    name: str,
    test: np.ndarray | None = None,
) -> Learnt:
    """What is learnt of all parts, one after the other.

    Args:
        parts: Inputs with their targets: Arrow columns, or arrays (N,) or (N, outputs).
        options: What the user said of the task and the classes.
        name: What messages call the data.
        test: Which samples are the test part, whose classes have to be those of the others.

    Raises:
        DataError: They cannot be learnt.
        SettingError: The task is unknown.
    """
    columns = [_labels(part, options) for part in parts]
    if any(isinstance(one, np.ndarray) for one in columns):
        return _several(columns, parts[0], options)
    for one, part in zip(columns, parts, strict=True):
        missing = one.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
        if missing.any():
            raise DataError(
                f"Row {int(missing.argmax()) + 1} of the {part.names[1]} has no value.",
                "a class or a number for each sample",
                "Leave the row out.",
            )
    try:
        values = pa.chunked_array(columns)
    except (pa.ArrowException, ValueError, TypeError):
        types = " and ".join(dict.fromkeys(str(one.type) for one in columns))
        raise DataError(
            f"The targets of the parts are of the types {types}.",
            "targets of one type",
            "Read all parts in the same way.",
        ) from None
    column, said = parts[0].column, options
    if options.class_names:
        said = options._replace(column_types={column: "category"})
    found = labelled(pa.table({column: values}), (column,), said, name)
    if len(found.targets) < len(values):
        raise unlearnable(parts[0].targets, parts[0].names[1])
    if test is not None:
        refuse_new_classes(found, np.setdiff1d(np.arange(len(values)), test), test)
    return Learnt(found.task, found.targets, found.class_names, found.notes)


def _several(columns: Sequence[Any], first: Pair, options: TableOptions) -> Learnt:
    """Several numbers or labels for each sample."""
    are_alike = all(isinstance(one, np.ndarray) and one.ndim == 2 for one in columns)
    if not are_alike or len({one.shape[1] for one in columns}) > 1:
        raise unlearnable(first.targets, first.names[1])
    values = np.concatenate([one.astype(np.float64) for one in columns])
    if not np.isfinite(values).all():
        raise unlearnable(first.targets, first.names[1])
    names = options.class_names
    if options.task != "regression" and ((values == 0) | (values == 1)).all():
        labels = names or tuple(f"label {number + 1}" for number in range(values.shape[1]))
        return Learnt("multilabel", values.astype(np.float32), labels, ())
    if names:
        raise SettingError(
            f"There are {len(names)} class names, and {values.shape[1]} numbers are learnt.",
            "classes or labels",
            "Leave class_names out.",
        )
    return Learnt("regression", values, (), ())


def _labels(part: Pair, options: TableOptions) -> Any:
    """One value per sample as an Arrow column; several each, where they are no classes."""
    values = part.targets
    if isinstance(values, pa.Table):
        if values.num_columns == 1:
            return _one_chunk(values.column(0))
        try:
            columns = [one.to_numpy() for one in values.columns]
            return np.stack([one.astype(np.float64) for one in columns], axis=1)
        except (ValueError, TypeError):
            types = ", ".join(str(one.type) for one in values.columns[:5])
            raise DataError(
                f"The {part.names[1]} has columns of type {types}.",
                "numbers, or columns of 0 and 1",
                "Give X as a frame as well to learn several columns of texts.",
            ) from None
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return _one_chunk(values)
    values = values.reshape(len(values), -1)
    if values.dtype.kind not in "buifUS" or not values.shape[1]:
        raise unlearnable(part.targets, part.names[1])
    if values.shape[1] == 1:
        return _column(values[:, 0], part.names[1])
    if values.dtype.kind in "US":
        raise unlearnable(part.targets, part.names[1])
    if options.task == "regression":
        return values
    is_one_hot = ((values == 0) | (values == 1)).all() and (values.sum(axis=1) == 1).all()
    class_names = options.class_names
    if is_one_hot and len(class_names) == values.shape[1]:
        return _named(values.argmax(axis=1), class_names)
    return pa.array(values.argmax(axis=1)) if is_one_hot else values


def _one_chunk(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def unlearnable(targets: Any, what: str) -> DataError:
    """What to raise where targets cannot be learnt."""
    kind = getattr(targets, "dtype", getattr(targets, "type", type(targets).__name__))
    shape = getattr(targets, "shape", (len(targets),))
    return DataError(
        f"The {what}, {kind} of shape {shape}, cannot be learnt.",
        "a class or finite numbers for each sample",
        "Save whole numbers, texts or float32.",
    )


def _white(images: np.ndarray) -> float:
    """What the brightest pixel of an image file is among these; 0 where that is not known."""
    if images.dtype == np.uint8:
        return 255.0
    lowest, highest = float(images.min()), float(images.max())
    if lowest < 0 or highest > 255:
        return 0.0
    return 1.0 if highest <= 1 else 255.0
