"""Values of insights as JSON has them: numbers, texts, lists and objects."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

MOST_NUMBERS = 4096  # of an array; of a longer one its shape and how its numbers spread


def as_plain(value: Any) -> Any:
    """A value as JSON has it; frozen values become objects with their fields.

    Fields that only a program can use, such as networks, are left out.
    """
    if isinstance(value, np.ndarray):
        return value.tolist() if value.size <= MOST_NUMBERS else _summary(value)
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "as_plain"):
        return value.as_plain()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: as_plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): as_plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _summary(array: np.ndarray) -> dict[str, Any]:
    return {
        "shape": list(array.shape),
        "least": float(array.min()),
        "greatest": float(array.max()),
        "mean": float(array.mean(dtype=np.float64)),
    }
