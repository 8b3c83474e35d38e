"""Values as JSON has them."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from downslope.insight.plain import as_plain


@dataclass(frozen=True)
class Inner:
    values: np.ndarray
    share: np.float32


@dataclass(frozen=True)
class Outer:
    inner: Inner
    pair: tuple
    names: dict
    path: Path | None = None


def test_frozen_values_become_objects():
    value = Outer(Inner(np.arange(3), np.float32(0.5)), (1, np.int64(2)), {3: "x"}, Path("a/b"))
    plain = as_plain(value)
    assert plain == {
        "inner": {"values": [0, 1, 2], "share": 0.5},
        "pair": [1, 2],
        "names": {"3": "x"},
        "path": str(Path("a/b")),
    }
    assert json.loads(json.dumps(plain)) == plain


def test_arrays_that_are_long_are_summed_up():
    large = np.arange(5000.0).reshape(50, 100)
    assert as_plain({"x": large}) == {
        "x": {"shape": [50, 100], "least": 0.0, "greatest": 4999.0, "mean": 2499.5}
    }
