"""How the value of each setting is read from text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from downslope.errors import SettingError
from downslope.names import look_up, synonyms


def _batch_size(text: str) -> int | str:
    return text if text == "full" else int(text)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


READ: Mapping[str, Callable[[str], Any]] = {
    "network": str,
    "loss": str,
    "optimizer": str,
    "learning_rate": float,
    "schedule": str,
    "batch_size": _batch_size,
    "epochs": int,
    "seed": int,
    "patience": int,
    "class_weights": _numbers,
    "label_smoothing": float,
    "augment": str,
}


SYNONYMS = synonyms(
    {
        "learning_rate": "lr rate learningrateinit eta",
        "batch_size": "bs batch",
        "epochs": "epoch maxiter",
        "optimizer": "solver optim",
        "seed": "randomstate",
        "network": "model architecture layers hiddenlayersizes",
        "schedule": "scheduler lrscheduler",
        "patience": "earlystopping niternochange",
        "class_weights": "classweight",
        "label_smoothing": "labelsmoothing smoothing",
        "augment": "augmentation transforms",
        "loss": "criterion",
    }
)


def read_value(setting: str, text: str, advice: str) -> Any:
    """A setting's value.

    Args:
        setting: Its name in `READ`.
        text: The value.
        advice: What to do where it cannot be read.

    Raises:
        SettingError: There is no such setting, or the value cannot be read.
    """
    read = look_up(setting, READ, "setting", SettingError, SYNONYMS)
    try:
        return read(text)
    except ValueError:
        kind = "a whole number" if read is int else 'a whole number, or "full"'
        expected = {float: "a number", _numbers: "numbers separated by commas"}.get(read, kind)
        raise SettingError(f"A value of {setting} is {text!r}.", expected, advice) from None
