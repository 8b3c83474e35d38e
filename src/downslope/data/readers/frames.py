"""Tables of other programs, from memory and from files, in the few types that the rest knows.

These are: yes and no, whole numbers, numbers, texts, categories (a dictionary of texts), dates,
times of day and moments. Whatever can be said in one of them is. A column that cannot be is kept
as one without values, and its field says why, so that it stands in no other column's way.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from downslope.errors import DataError

pc: Any = compute  # whose functions are made when it is imported
_UNUSABLE = b"downslope.unusable"  # of a field: why its column has no values
_INDEX = b"downslope.index"  # of a field: the column is an index
_WRITTEN = b"written"  # of a text file, to be decided (`kinds.is_written`)
_WHAT = "numbers, texts, dates, times, categories or yes and no"
_PERIODS = {  # pandas' names for lengths of time, and NumPy's
    "D": "D", "H": "h", "MIN": "m", "T": "m", "S": "s", "MS": "ms", "L": "ms", "US": "us",
    "U": "us", "NS": "ns", "N": "ns",
}  # fmt: skip
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def is_frame(value: Any) -> bool:
    """Whether `table_from` may know what to do with it."""
    return isinstance(value, pa.Table | pa.RecordBatch) or any(
        hasattr(value, name) for name in ("__arrow_c_stream__", "__dataframe__")
    )


def table_from(frame: Any) -> pa.Table:
    """An Arrow table with the columns of a frame of pandas, polars or another library.

    Raises:
        DataError: It is no frame, has two columns of one name, or cannot be read.
    """
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(frame, pandas.DataFrame):
        return plain_table(_of_pandas(frame))
    if isinstance(frame, pa.Table):
        return plain_table(frame)
    if not is_frame(frame):
        raise DataError(
            f"The source is of type {type(frame).__name__}.",
            "a name, a path, a frame of pandas, polars or Arrow, or the two (X, y) of arrays",
            "Give one of these." + " Collect it first." * hasattr(frame, "collect"),
        )
    return plain_table(_guarded(lambda: _of_protocol(frame)))


def texts_in(values: Any) -> pa.Array | None:
    """A list, an array or a column of texts, None among them where there is none, as one column.

    Anything else gives None.
    """
    if hasattr(values, "to_frame"):  # a column of pandas or polars
        table = table_from(values.to_frame())
        names = [name for name in table.column_names if not is_index(table, name)]
        column = table.column(names[0]).combine_chunks() if len(names) == 1 else pa.nulls(0)
        return column if pa.types.is_string(column.type) else None
    if isinstance(values, np.ndarray):
        values = values.tolist() if values.ndim == 1 else []
    if not isinstance(values, list | tuple) or not any(isinstance(one, str) for one in values):
        return None
    if not all(isinstance(one, str) or _is_missing(one) for one in values):
        return None
    texts = [str(one) if isinstance(one, str) else None for one in values]
    return pa.array([one and one.encode("utf-8", "replace").decode() for one in texts], pa.string())


def plain_table(table: pa.Table, what: str = "The frame") -> pa.Table:
    """The same table in the types that the rest knows.

    Args:
        table: Any table.
        what: What messages call it.

    Raises:
        DataError: Two columns have the same name.
    """
    refuse_same_names(table.column_names, what)
    index = _index_of(table)
    columns, fields = [], []
    for field, values in zip(table.schema, table.columns, strict=True):
        marks = dict(field.metadata or {})
        plain, why = values, marks.get(_UNUSABLE, b"").decode()
        if not why:
            plain, why = _plain(values, _extension(field))
        is_own = field.name in index or _INDEX in marks
        columns.append(plain)
        fields.append(_field(field.name, plain, why, index=is_own))
        if _WRITTEN in marks:
            fields[-1] = field
    said = table.schema.metadata or {}  # what a text file's reader says of it stays
    own = {key: value for key, value in said.items() if key.startswith(b"downslope.")}
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=own or None))


def refuse_same_names(names: Iterable[str], what: str) -> None:
    """Check that all columns have names of their own.

    Raises:
        DataError: Two have the same.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"{what} has more than one column called {twice[0]!r}.",
            "a name of its own for each column",
            "Rename one of them.",
        )


def why_unusable(table: pa.Table, name: str) -> str:
    """Why a column of a plain table has no values, such as "values of type list"; else empty."""
    return (table.schema.field(name).metadata or {}).get(_UNUSABLE, b"").decode()


def is_index(table: pa.Table, name: str) -> bool:
    """Whether a column is the index of the pandas frame from which the table came."""
    return _INDEX in (table.schema.field(name).metadata or {})


def refuse_unusable(table: pa.Table, name: str | None, role: str) -> None:
    """Check that a column which was named as the target, group or time holds something.

    Raises:
        DataError: Its type has no place in a table.
    """
    if name is None or name not in table.column_names:
        return
    why = why_unusable(table, name)
    if why:
        raise DataError(
            f"The column {name!r} was named as the {role}, and it holds {why}.",
            f"a column of {_WHAT}",
            "Convert it, or name another column.",
        )


def _guarded(read: Callable[[], pa.Table]) -> pa.Table:
    """What another library reads; whatever it raises becomes a message."""
    try:
        return read()
    except DataError:
        raise
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # Rust's panics are no Exception
        raise DataError(
            f"The frame cannot be read: {_first_words(error)}.",
            f"columns of {_WHAT}",
            "Convert the column, or leave it out.",
        ) from error


def _first_words(error: BaseException) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__


def _of_protocol(frame: Any) -> pa.Table:
    try:
        return _by_stream(frame)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:  # Rust's panics are no Exception
        if not (hasattr(frame, "columns") and hasattr(frame, "dtypes")):
            raise
    columns, fields = [], []
    for name, kind in zip(frame.columns, frame.dtypes, strict=True):
        try:
            values, why = _by_stream(frame[[name]]).column(0), ""
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException:
            values, why = _none(len(frame)), f"values of type {kind}"
            if hasattr(frame[name], "to_list"):
                values, why = _of_objects(frame[name].to_list())
        columns.append(values)
        fields.append(_field(str(name), values, why))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _by_stream(frame: Any) -> pa.Table:
    if isinstance(frame, pa.RecordBatch) or hasattr(frame, "__arrow_c_stream__"):
        return pa.table(frame)
    from pyarrow.interchange import from_dataframe

    return from_dataframe(frame)


def _field(name: str, values: pa.ChunkedArray, why: str, *, index: bool = False) -> pa.Field:
    marks = ({_UNUSABLE: why.encode()} if why else {}) | ({_INDEX: b"yes"} if index else {})
    return pa.field(name, values.type, metadata=marks or None)


def _of_pandas(frame: Any) -> pa.Table:
    """The columns of a pandas frame, then those levels of its index that say anything."""
    names = [str(name) for name in frame.columns]
    refuse_same_names(names, "The frame")
    columns, fields = [], []
    for index, name in enumerate(names):
        values, why = _of_series(frame.iloc[:, index])
        fields.append(_field(name, values, why))
        columns.append(values)
    if type(frame.index).__name__ != "RangeIndex":
        for level in range(frame.index.nlevels):
            own = frame.index.get_level_values(level)
            name = f"__index_level_{level}__" if own.name is None else str(own.name)
            if name in names:
                continue
            values, why = _of_series(own.to_series())
            columns.append(values)
            fields.append(_field(name, values, why, index=True))
            names.append(name)
    if not fields:
        return pa.table({})
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _of_series(series: Any) -> tuple[pa.ChunkedArray, str]:
    """The values of a pandas series, and why there are none."""
    kind = series.dtype
    if hasattr(series, "sparse"):
        series = series.sparse.to_dense()
    if str(kind) == "float128":
        series = series.astype("float64")
    try:
        return _chunked(pa.array(series, from_pandas=True)), ""
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except Exception:
        pass  # values of several types, or of one that Arrow does not have
    if str(kind) == "category":
        categories, why = _of_series(series.cat.categories.to_series())
        if not why:
            codes = pa.array(series.cat.codes.to_numpy(), mask=(series.cat.codes < 0).to_numpy())
            return _chunked(categories.combine_chunks().take(codes).dictionary_encode()), ""
    elif str(kind) == "object":
        return _of_objects(series.tolist())
    return _none(len(series)), f"values of type {kind}"


def _of_objects(values: list[Any]) -> tuple[pa.ChunkedArray, str]:
    """Python's own values as whole numbers, numbers or else texts."""
    given = [one for one in values if not _is_missing(one)]
    strange = next((one for one in given if type(one) not in _SAID_AS_TEXT), None)
    if strange is not None and not isinstance(strange, _DATES):
        return _none(len(values)), f"values of type {type(strange).__name__}"
    if all(type(one) in (int, float) for one in given):
        with contextlib.suppress(pa.ArrowException, OverflowError):
            return _chunked(pa.array(values)), ""
        numbers = [None if _is_missing(one) else float(one) for one in values]
        if len({one for one in numbers if one is not None}) == len(set(given)):
            return _chunked(pa.array(numbers, pa.float64())), ""
    texts = [None if _is_missing(one) else _as_text(one) for one in values]
    return _chunked(pa.array(texts, pa.string())), ""


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ in ("NaTType", "NAType") or value != value


def _as_text(value: Any) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _dates() -> tuple[type, ...]:
    import datetime

    return (datetime.date, datetime.time)


_DATES = _dates()
_SAID_AS_TEXT = (str, int, float, bool, bytes, np.str_, np.float64, np.int64, np.bool_)


def _none(rows: int) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(rows)])


def _chunked(values: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])


def _index_of(table: pa.Table) -> set[str]:
    """The columns that pandas wrote of an index."""
    try:
        said = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
        return {one for one in said.get("index_columns", ()) if isinstance(one, str)}
    except (ValueError, AttributeError, TypeError):  # whoever wrote it, no pandas
        return set()


def _extension(field: pa.Field) -> tuple[str, bytes]:
    """Name and parameters of an extension type, known to this process or not."""
    if isinstance(field.type, pa.BaseExtensionType):
        serialized = getattr(field.type, "__arrow_ext_serialize__", bytes)()
        return field.type.extension_name, serialized
    marks = field.metadata or {}
    name = marks.get(b"ARROW:extension:name", b"").decode("utf-8", errors="replace")
    return name, marks.get(b"ARROW:extension:metadata", b"")


def _plain(values: pa.ChunkedArray, extension: tuple[str, bytes]) -> tuple[pa.ChunkedArray, str]:
    """The values in a type that the rest knows, or none and the reason."""
    kind = values.type
    try:
        found = _of_extension(values, *extension) if extension[0] else _of_storage(values)
    except (pa.ArrowException, ValueError, OverflowError, KeyError):
        found = None
    if found is None:
        return _none(len(values)), f"values of type {str(kind)[:80]}"
    return found, ""


def _of_storage(values: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The values of a type of Arrow's own; None where it has no place in a table."""
    kind, types = values.type, pa.types
    if types.is_dictionary(kind):
        return _of_dictionary(values)
    if types.is_run_end_encoded(kind):
        return _each(values, kind.value_type, pc.run_end_decode, _of_storage)
    if types.is_floating(kind):
        return _without_nan(values)
    if types.is_decimal(kind):
        return _of_decimals(values)
    if types.is_duration(kind):
        per_second = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
        return pc.divide(values.cast(pa.int64()).cast(pa.float64(), safe=False), per_second)
    if types.is_timestamp(kind) and kind.tz is not None:
        return values.cast(pa.timestamp(kind.unit, "UTC"))  # zones may be unknown here
    if types.is_string(kind) or types.is_large_string(kind) or str(kind) == "string_view":
        return _of_texts(values)
    if str(kind).startswith(("binary", "large_binary", "fixed_size_binary")):
        is_view = str(kind) == "binary_view"
        return _of_texts(values.cast(pa.binary()) if is_view else values)
    known = (types.is_boolean, types.is_integer, types.is_date, types.is_time, types.is_timestamp)
    return values if types.is_null(kind) or any(one(kind) for one in known) else None


def _each(
    values: pa.ChunkedArray,
    kind: pa.DataType,
    change: Callable[[Any], pa.Array],
    then: Callable[[pa.ChunkedArray], pa.ChunkedArray | None],
) -> pa.ChunkedArray | None:
    """Change each chunk to a type, and go on with all of them."""
    return then(pa.chunked_array([change(chunk) for chunk in values.chunks], kind))


def _of_texts(values: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Texts, also of bytes that are UTF-8."""
    try:
        return values.cast(pa.string())
    except pa.ArrowInvalid:  # more than 2 GiB in one chunk, or no UTF-8
        is_text = pa.types.is_large_string(values.type)
        return values if is_text else None


def _without_nan(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_float16(values.type):  # for which Arrow has few functions
        values = values.cast(pa.float32())
    gaps = pc.is_nan(values)
    if not pc.any(gaps).as_py():
        return values
    return pc.if_else(gaps, pa.scalar(None, values.type), values)


def _of_decimals(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers, numbers, or texts where numbers of 64 bits would make two values one."""
    if values.type.bit_width < 128:  # for which Arrow has few functions
        values = values.cast(pa.decimal128(values.type.precision, values.type.scale))
    if values.type.scale == 0:
        try:
            return values.cast(pa.int64())
        except pa.ArrowInvalid:
            pass
    numbers = values.cast(pa.float64())
    if len(pc.unique(numbers)) == len(pc.unique(values)):
        return numbers
    return values.cast(pa.string())


def _of_dictionary(values: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Categories as a dictionary of texts; dates and yes or no as themselves."""
    own = values.type.value_type
    parts = []
    for chunk in values.chunks:
        field = pa.field("", chunk.dictionary.type)
        known, why = _plain(pa.chunked_array([chunk.dictionary]), _extension(field))
        if why:
            return None
        parts.append(known.combine_chunks().take(chunk.indices))
    if not parts:
        return pa.chunked_array([], pa.dictionary(pa.int32(), pa.string()))
    try:
        found = pa.chunked_array(parts)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # parts became of several types
        found = pa.chunked_array([one.cast(pa.string()) for one in parts])
    if pa.types.is_boolean(found.type) or pa.types.is_temporal(found.type):
        return found
    if pa.types.is_floating(own):
        found = texts_of_floats(found)
    return pc.dictionary_encode(found.cast(pa.string()))


def texts_of_floats(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each as a text for itself, whatever stands beside it: 3.0 is "3", and 2.5 is "2.5"."""
    is_whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), 2.0**53))
    whole = pc.cast(pc.if_else(is_whole, values, 0), pa.int64()).cast(pa.string())
    return pc.if_else(is_whole, whole, values.cast(pa.string()))


def _of_extension(values: pa.ChunkedArray, name: str, said: bytes) -> pa.ChunkedArray | None:
    """The values of a type that a library added."""
    storage = values
    if isinstance(values.type, pa.BaseExtensionType):
        storage = pa.chunked_array(
            [chunk.storage for chunk in values.chunks], values.type.storage_type
        )
    if name == "arrow.bool8":
        return pc.not_equal(storage, 0)
    if name == "arrow.uuid":
        texts = [None if one is None else _uuid(one) for one in storage.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    if name == "pandas.period":
        return _period_starts(storage, json.loads(said)["freq"])
    if name == "pandas.interval":
        return _intervals(storage, json.loads(said)["closed"])
    return _of_storage(storage)


def _uuid(raw: bytes) -> str:
    digits = raw.hex()
    ends = (0, 8, 12, 16, 20, 32)
    return "-".join(digits[a:b] for a, b in itertools.pairwise(ends))


def _intervals(pairs: pa.ChunkedArray, closed: str) -> pa.ChunkedArray:
    """Intervals as pandas writes them: (0, 1]."""
    left = "[" if closed in ("left", "both") else "("
    right = "]" if closed in ("right", "both") else ")"
    ends = [one or {"left": None, "right": None} for one in pairs.to_pylist()]
    texts = [
        None if one["left"] is None else f"{left}{one['left']}, {one['right']}{right}"
        for one in ends
    ]
    return pa.chunked_array([pa.array(texts, pa.string())])


def _period_starts(ordinals: pa.ChunkedArray, length: str) -> pa.ChunkedArray:
    """The first moment of each of pandas' periods, of which it stores a running number.

    Args:
        ordinals: The numbers.
        length: Of a period, such as "M", "Q-DEC", "W-SUN" or "3h".
    """
    match = re.fullmatch(r"\d*([A-Za-z]+?)E?(?:-([A-Z]{3}))?", length)
    if match is None:
        return ordinals
    unit, last = match[1].upper() if match[1] != "ms" else "MS", match[2]
    missing = ordinals.is_null().to_numpy()
    numbers = ordinals.fill_null(0).to_numpy().astype(np.int64)
    after = 12 - (_MONTHS.index(last) + 1) if last in _MONTHS else 0  # months to December
    if unit == "W":
        first = 0 if last is None else (_WEEKDAYS.index(last) + 1) % 7
        found = (7 * (numbers - 1) - 3 + first).astype("datetime64[D]")
    elif unit in ("M", "Q", "Y", "A"):
        months = {"M": 1, "Q": 3}.get(unit, 12) * numbers - after
        found = months.astype("datetime64[M]").astype("datetime64[D]")
    elif unit in ("B", "C"):
        found = np.busday_offset(np.datetime64("1970-01-01"), numbers)
    elif unit in _PERIODS:
        found = numbers.astype(f"datetime64[{_PERIODS[unit]}]")
        if _PERIODS[unit] in ("h", "m"):
            found = found.astype("datetime64[s]")
    else:
        return ordinals
    return pa.chunked_array([pa.array(found, mask=missing)])
