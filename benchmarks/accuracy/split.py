"""One split of a table, as Downslope makes it, for peers that take frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.tables import TABLES


@dataclass(frozen=True)
class Split:
    """The columns as frames, with the targets.

    Attributes:
        inputs: Training, validation and test part: numbers as float64, categories as texts.
        targets: Their targets, float64 or class numbers.
        categories: The columns that are categories.
        classes: How many classes there are; 0 for numbers.
    """

    inputs: tuple[Any, Any, Any]
    targets: tuple[np.ndarray, np.ndarray, np.ndarray]
    categories: tuple[str, ...]
    classes: int


def split_of(file: Path, seed: int) -> Split:
    """The split of a table by a seed, with the types of columns that Downslope finds.

    Dates become numbers, as peers take none; what Downslope ignores is left out.
    """
    import pandas

    import downslope as ds

    data: Any = ds.load(file, target=TABLES[file.stem].target, split_seed=seed)
    codes = {code.name: code for code in data.encoding.columns}
    table = data.rows.table
    columns = {}
    for name, code in codes.items():
        if code.kind == "category":
            texts = code.texts(table.column(name))
            columns[name] = ["(missing)" if text is None else str(text) for text in texts]
        else:
            encoded = code.encode(table.column(name))
            numbers = encoded[:, 0].copy()
            if code.says_missing:
                numbers[encoded[:, -1] > 0] = np.nan
            columns[name] = numbers
    frame = pandas.DataFrame(columns)
    parts = data.rows.parts
    rows = (parts.train, parts.validation, parts.test)
    targets = [part.targets for part in (data.train, data.validation, data.test)]
    return Split(
        inputs=tuple(frame.iloc[one].reset_index(drop=True) for one in rows),
        targets=tuple(one if one.ndim == 1 else one[:, 0] for one in targets),
        categories=tuple(name for name, code in codes.items() if code.kind == "category"),
        classes=len(data.class_names),
    )
