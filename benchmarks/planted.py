"""Leaks planted into real tables: which of them the guard finds, and what it says without them.

    python -m benchmarks.planted DATA:TARGET ...

For each table a line: what is reported of it as it is, then of four copies with one leak each
whether that is reported, and nothing else beside what was reported before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

import downslope as ds
from downslope.data.readers.table_file import read_table

pc: Any = compute  # whose functions are made when it is imported
COPIED = 0.1  # of the rows
ROWS_OF_A_GROUP = 5


def main() -> None:
    """Plant into what is named on the command line."""
    found = planted = 0
    for given in sys.argv[1:]:
        source, _, target = given.rpartition(":")
        table = read_table(Path(source))
        clean = reported(table, target)
        told = [f"clean: {', '.join(sorted(clean)) or 'nothing'}"]
        for kind, plant in PLANTS.items():
            new = reported(plant(table, target, np.random.default_rng(0)), target)
            is_found = kind in new or bool(new & ALSO.get(kind, set()))
            others = new - clean - {kind} - ALSO.get(kind, set())
            planted, found = planted + 1, found + is_found
            told.append(
                f"{kind}: {'found' if is_found else 'MISSED'}"
                + (f" (and {', '.join(sorted(others))})" if others else "")
            )
        print(f"{Path(source).name}: {'; '.join(told)}", flush=True)
    print(f"{found} of {planted} planted leaks found")


def reported(table: pa.Table, target: str) -> set[str]:
    """The kinds of warnings about a table."""
    findings = ds.check_data(ds.load(table, target=target)).findings or ()
    return {one.kind for one in findings if one.level == "warning"}


def copies(table: pa.Table, target: str, rng: np.random.Generator) -> pa.Table:
    """Some rows stand in the table twice."""
    rows = table.num_rows
    again = rng.choice(rows, int(COPIED * rows), replace=False)
    return table.take(rng.permutation(np.concatenate([np.arange(rows), again])))


def leak(table: pa.Table, target: str, rng: np.random.Generator) -> pa.Table:
    """A column that is the target in other words: recoded, or in another unit with some noise."""
    values = table.column(target)
    if pa.types.is_floating(values.type) or len(values.unique()) > 20:
        numbers = values.cast(pa.float64()).to_numpy()
        noise = 0.01 * np.nanstd(numbers) * rng.normal(size=len(numbers))
        return table.append_column("extra", pa.array(0.92 * (numbers + noise) + 7))
    codes = values.combine_chunks().dictionary_encode().indices.to_pylist()
    recoded = [None if code is None else 3 * code + 1 for code in codes]
    return table.append_column("extra", pa.array(recoded))


def identifier(table: pa.Table, target: str, rng: np.random.Generator) -> pa.Table:
    """A key of each row."""
    return table.append_column("record_id", pa.array(rng.permutation(table.num_rows) * 7 + 1000))


def groups(table: pa.Table, target: str, rng: np.random.Generator) -> pa.Table:
    """Several rows of one owner, who has one target."""
    order = pc.sort_indices(table.column(target)).to_numpy()
    names = rng.permutation(table.num_rows)
    owner = np.empty(table.num_rows, np.int64)
    owner[order] = names[np.arange(table.num_rows) // ROWS_OF_A_GROUP]
    return table.append_column("owner", pa.array([f"P{one}" for one in owner]))


PLANTS: dict[str, Callable[[pa.Table, str, np.random.Generator], pa.Table]] = {
    "copies": copies,
    "leak": leak,
    "identifier": identifier,
    "groups": groups,
}
ALSO = {"copies": {"near copies"}}  # the same in other words


if __name__ == "__main__":
    main()
