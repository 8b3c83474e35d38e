"""Each of Arrow's types in each role of a column: it works, or one message says why not.

    python -m tests.campaigns.arrow_types [--out FILE] [TYPE ...]

A table has three ordinary columns and one of the type, with and without gaps, in one chunk and in
several. It is an input as found and as each kind that can be said, the target, the group, or the
time; from memory and, where the format has the type, from a Parquet and an Arrow file. What works
must give the same inputs again when the same table is encoded later, and each row the same by
itself. Any exception that is none of Downslope's own is a failure. All of it takes a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import decimal
import json
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather
import pyarrow.parquet

import downslope as ds
from downslope.data.checks.check_data import findings_in
from downslope.data.load import load
from downslope.data.readers.table_file import read_table
from downslope.data.tables.column_types import KINDS

ROWS = 60
ROLES = (
    "input", *(f"input as {kind}" for kind in KINDS), "input as day-first", "target",
    "target as classification", "target as regression", "group", "time",
)  # fmt: skip
_FIRST = dt.datetime(2024, 1, 1)


def _cycle(values: list[Any]) -> list[Any]:
    return [values[index % len(values)] for index in range(ROWS)]


def _plain(values: list[Any], kind: pa.DataType) -> Callable[[], pa.Array]:
    return lambda: pa.array(values, kind)


def _storage(kind: Any, values: pa.Array) -> pa.Array:
    return pa.ExtensionArray.from_storage(kind, values)


_WHOLE = [7 * index % 41 for index in range(ROWS)]
_TEXTS = _cycle(["red", "green", "blue"])
_DAYS = [_FIRST.date() + dt.timedelta(days=3 * index) for index in range(ROWS)]
_MOMENTS = [_FIRST + dt.timedelta(hours=31 * index) for index in range(ROWS)]
_TIMES = [dt.time(index * 7 % 24, index % 60) for index in range(ROWS)]
_SPANS = [dt.timedelta(minutes=index * index) for index in range(ROWS)]
_DECIMALS = [decimal.Decimal(index * 13 % 37) / 4 for index in range(ROWS)]
TYPES: dict[str, Callable[[], pa.Array]] = {
    "null": lambda: pa.nulls(ROWS),
    "bool": _plain(_cycle([True, False, True]), pa.bool_()),
    **{
        str(kind): _plain(_WHOLE, kind)
        for kind in (
            pa.int8(), pa.int16(), pa.int32(), pa.int64(),
            pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.float32(), pa.float64(),
        )
    },
    "float16": lambda: pa.array(np.array(_WHOLE, np.float16)),
    "not a number": lambda: pa.array([float("nan") if one % 5 == 0 else one for one in _WHOLE]),
    "infinite": lambda: pa.array([float("inf") if one % 5 == 0 else one for one in _WHOLE]),
    "uint64, large": _plain([2**63 + one for one in _WHOLE], pa.uint64()),
    **{
        f"{kind} {scale}": _plain(_DECIMALS, make(9, scale))
        for kind, make in {
            "decimal32": pa.decimal32, "decimal64": pa.decimal64, "decimal128": pa.decimal128,
            "decimal256": pa.decimal256,
        }.items()
        for scale in (2,)
    },
    "decimal128, whole": lambda: pa.array([decimal.Decimal(one) for one in _WHOLE]),
    "decimal256, 60 digits": _plain(
        [decimal.Decimal(10**55 + one) for one in _WHOLE], pa.decimal256(60, 0)
    ),
    "string": _plain(_TEXTS, pa.string()),
    "large_string": _plain(_TEXTS, pa.large_string()),
    "string_view": lambda: pa.array(_TEXTS).cast(pa.string_view()),
    "string of numbers": lambda: pa.array([str(one) for one in _WHOLE]),
    "string of dates": lambda: pa.array([str(one) for one in _DAYS]),
    "string of times": lambda: pa.array([str(one) for one in _TIMES]),
    "binary": lambda: pa.array([one.encode() for one in _TEXTS], pa.binary()),
    "large_binary": lambda: pa.array([one.encode() for one in _TEXTS], pa.large_binary()),
    "binary_view": lambda: pa.array([one.encode() for one in _TEXTS], pa.binary_view()),
    "binary, no text": lambda: pa.array([bytes([255, one]) for one in _WHOLE], pa.binary()),
    "fixed_size_binary": lambda: pa.array([one.encode()[:3] for one in _TEXTS], pa.binary(3)),
    "date32": _plain(_DAYS, pa.date32()),
    "date64": _plain(_DAYS, pa.date64()),
    **{f"time32 {unit}": _plain(_TIMES, pa.time32(unit)) for unit in ("s", "ms")},
    **{f"time64 {unit}": _plain(_TIMES, pa.time64(unit)) for unit in ("us", "ns")},
    **{f"timestamp {u}": _plain(_MOMENTS, pa.timestamp(u)) for u in ("s", "ms", "us", "ns")},
    "timestamp UTC": _plain(_MOMENTS, pa.timestamp("us", "UTC")),
    "timestamp Berlin": _plain(_MOMENTS, pa.timestamp("us", "Europe/Berlin")),
    "timestamp +05:30": _plain(_MOMENTS, pa.timestamp("s", "+05:30")),
    "timestamp in an unknown zone": lambda: pa.array(
        [one * 10**12 for one in _WHOLE], pa.timestamp("us", "Mars/Olympus")
    ),
    "timestamp of the year 9000": lambda: pa.array(
        [221_845_392_000 + one for one in _WHOLE], pa.timestamp("s")
    ),
    **{f"duration {unit}": _plain(_SPANS, pa.duration(unit)) for unit in ("s", "us", "ns")},
    "month_day_nano_interval": lambda: pa.array(
        [(one, 1, 0) for one in _WHOLE], pa.month_day_nano_interval()
    ),
    "dictionary of string": lambda: pa.array(_TEXTS).dictionary_encode(),
    "dictionary of large_string, int8": lambda: pa.DictionaryArray.from_arrays(
        pa.array([one % 3 for one in _WHOLE], pa.int8()), pa.array(["a", "b", "c"], "large_string")
    ),
    "dictionary of string_view, uint32": lambda: pa.DictionaryArray.from_arrays(
        pa.array([one % 3 for one in _WHOLE], pa.uint32()),
        pa.array(["a", "b", "c"]).cast(pa.string_view()),
    ),
    "dictionary of int64": lambda: pa.array([one % 5 for one in _WHOLE]).dictionary_encode(),
    "dictionary of double": lambda: pa.array([one % 5 / 2 for one in _WHOLE]).dictionary_encode(),
    "dictionary of bool": lambda: pa.DictionaryArray.from_arrays(
        pa.array([one % 2 for one in _WHOLE], pa.int8()), pa.array([False, True])
    ),
    "dictionary of date32": lambda: pa.array(_DAYS).dictionary_encode(),
    "dictionary of string, all different": lambda: pa.array(
        [f"code {index}" for index in range(ROWS)]
    ).dictionary_encode(),
    "run_end_encoded": lambda: pc.run_end_encode(pa.array(sorted(_TEXTS))),
    "run_end_encoded of numbers": lambda: pc.run_end_encode(pa.array(sorted(_WHOLE))),
    "list": lambda: pa.array([[one] for one in _WHOLE]),
    "large_list": lambda: pa.array([[one] for one in _WHOLE], pa.large_list(pa.int64())),
    "list_view": lambda: pa.array([[one] for one in _WHOLE], pa.list_view(pa.int64())),
    "fixed_size_list": lambda: pa.array([[one, 1] for one in _WHOLE], pa.list_(pa.int64(), 2)),
    "struct": lambda: pa.array([{"a": one} for one in _WHOLE]),
    "map": lambda: pa.array([[("a", one)] for one in _WHOLE], pa.map_(pa.string(), pa.int64())),
    "dense_union": lambda: pa.UnionArray.from_dense(
        pa.array([0] * ROWS, pa.int8()), pa.array(range(ROWS), pa.int32()), [pa.array(_WHOLE)]
    ),
    "sparse_union": lambda: pa.UnionArray.from_sparse(
        pa.array([0] * ROWS, pa.int8()), [pa.array(_WHOLE)]
    ),
    "arrow.uuid": lambda: _storage(
        pa.uuid(), pa.array([bytes([one % 6] * 16) for one in _WHOLE], pa.binary(16))
    ),
    "arrow.bool8": lambda: _storage(
        pa.bool8(), pa.array([one % 2 for one in _WHOLE], pa.int8())
    ),
    "arrow.json": lambda: _storage(pa.json_(), pa.array(_cycle(["1", "{}", "[]"]))),
    "arrow.fixed_shape_tensor": lambda: _storage(
        pa.fixed_shape_tensor(pa.int32(), [2]),
        pa.array([[one, 1] for one in _WHOLE], pa.list_(pa.int32(), 2)),
    ),
    "arrow.opaque": lambda: _storage(
        pa.opaque(pa.binary(), "geometry", "someone"),
        pa.array([bytes([255, one]) for one in _WHOLE], pa.binary()),
    ),
}  # fmt: skip
# a real use of each: what must work, whatever else is only told
WORKS = {
    "input": {
        "bool", "int8", "uint64, large", "float16", "not a number", "decimal32 2", "decimal128 2",
        "large_string", "string_view", "binary", "binary_view",
        "fixed_size_binary", "date32", "date64", "time32 s", "time64 ns", "timestamp ns",
        "timestamp Berlin", "timestamp in an unknown zone", "timestamp of the year 9000",
        "duration us", "dictionary of string", "dictionary of string_view, uint32",
        "dictionary of int64", "dictionary of date32", "run_end_encoded", "arrow.uuid",
        "arrow.bool8", "arrow.json",
    },
    "ignored": {  # an input that is left out, so that the others can be learnt from
        "list", "list_view", "struct", "map", "dense_union", "sparse_union", "null",
        "month_day_nano_interval", "arrow.fixed_shape_tensor", "binary, no text",
        "decimal256, 60 digits",
    },
    "target": {
        "bool", "int8", "float16", "decimal128 2", "string_view", "binary", "duration us",
        "dictionary of string", "dictionary of int64", "dictionary of bool", "run_end_encoded",
        "not a number", "arrow.bool8",
    },
    "group": {"string_view", "dictionary of string, all different", "int64", "date32", "arrow.uuid",
              "timestamp Berlin", "decimal128 2"},
    "time": {"date32", "date64", "timestamp ns", "timestamp Berlin", "time64 us", "int64",
             "decimal128 2", "duration us", "string of dates", "dictionary of date32", "float16",
             "string of times"},
}  # fmt: skip


def table_with(name: str, *, gaps: bool = False, chunks: int = 1) -> pa.Table:
    """A table whose column `it` is of a type."""
    values = TYPES[name]()
    if gaps and not str(values.type).startswith(("dense_union", "sparse_union", "run_end", "null")):
        indices = pa.array([None if index % 7 == 3 else index for index in range(ROWS)])
        with contextlib.suppress(pa.ArrowNotImplementedError):  # Arrow itself cannot
            values = values.take(indices)
    size = -(-ROWS // chunks)
    column = pa.chunked_array([values.slice(start, size) for start in range(0, ROWS, size)])
    rng = np.random.default_rng(3)
    return pa.table(
        {
            "a": rng.normal(size=ROWS),
            "b": rng.normal(size=ROWS).round(2),
            "y": rng.normal(size=ROWS),
            "it": column,
        }
    )


def verdict(table: Any, role: str) -> str:
    """ "works", or the message of one of Downslope's errors; anything else is raised."""
    said: dict[str, Any] = {"target": "y"}
    first, _, kind = role.partition(" as ")
    if first == "target":
        said = {"target": "it"} | ({"task": kind} if kind else {})
    elif first in ("group", "time"):
        said[first] = "it"
    elif kind:
        said["column_types"] = {"it": kind}
    try:
        dataset = load(table, **said)
        findings_in(dataset)
    except ds.DownslopeError as error:
        return f"{type(error).__name__}: {error}"
    _check_again(dataset, table)
    assert dataset.encoding is not None
    is_input = any(one.name == "it" for one in dataset.encoding.columns)
    return "works" if is_input or role != "input" else "ignored"


def tried(table: Any, role: str) -> str:
    """The verdict; "FAILED ..." where it is an exception that is none of ours."""
    try:
        return verdict(table, role)
    except Exception as error:
        return f"FAILED {type(error).__name__}: {str(error)[:300]}"


def is_good(name: str, role: str, found: str) -> bool:
    """Whether this may happen to a type in a role."""
    if found.startswith("FAILED"):
        return False
    if role == "input" and name in WORKS["ignored"]:
        return found == "ignored"
    return found == "works" or name not in WORKS.get(role, ())


def _check_again(dataset: ds.Dataset, table: Any) -> None:
    """The same table later has the same inputs, and so has each row by itself."""
    assert dataset.encoding is not None and dataset.rows is not None
    frame = read_table(table) if isinstance(table, Path) else table
    from downslope.data.readers.frames import table_from

    plain = table_from(frame)
    again = dataset.encoding.encode(plain)
    kept = again[dataset.rows.numbers - 1]
    np.testing.assert_array_equal(kept[dataset.rows.parts.train], dataset.train.inputs)
    for row in (0, ROWS // 2, ROWS - 1):
        np.testing.assert_array_equal(
            dataset.encoding.encode(plain.slice(row, 1)), again[row : row + 1]
        )


def sources(name: str, folder: Path) -> list[tuple[str, Any]]:
    """The table in memory, and as files of those formats that have the type."""
    found: list[tuple[str, Any]] = [
        ("memory", table_with(name)),
        ("with gaps", table_with(name, gaps=True)),
        ("in chunks", table_with(name, gaps=True, chunks=3)),
    ]
    for number, (ending, write) in enumerate(
        ((".parquet", pyarrow.parquet.write_table), (".arrow", pyarrow.feather.write_feather))
    ):
        path = folder / f"{len(list(folder.iterdir()))}-{number}{ending}"
        try:
            write(table_with(name, gaps=True), path)
        except (pa.ArrowException, NotImplementedError, TypeError):
            path.unlink(missing_ok=True)
            continue
        found.append((ending, path))
    return found


def main() -> None:
    """Try all types in all roles, and write what each did."""
    parser = argparse.ArgumentParser(description="Arrow's types in each role.")
    parser.add_argument("types", nargs="*", default=list(TYPES))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    rows, bad = [], 0
    for name in asked.types:
        with tempfile.TemporaryDirectory() as folder:
            for source, table in sources(name, Path(folder)):
                for role in ROLES:
                    found = tried(table, role)
                    is_bad = not is_good(name, role, found)
                    bad += is_bad
                    rows.append({"type": name, "source": source, "role": role, "found": found})
                    if is_bad:
                        print(json.dumps(rows[-1]))
    if asked.out is not None:
        asked.out.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    kinds = Counter(row["found"].split(":")[0].split(" ")[0] for row in rows)
    print(f"{len(rows):,} cases, {bad} bad: {dict(kinds)}")


if __name__ == "__main__":
    main()
