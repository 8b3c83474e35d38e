"""How much memory what is read may take, whoever wrote the file.

A file of a few kilobytes can claim to hold gigabytes. So each reader asks here, before it unpacks
or allocates anything, with what the file says of its own size.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

from downslope.errors import DataError, SettingError
from downslope.numerals import rounded
from downslope.storage.files import most_bytes

SETTING = "DOWNSLOPE_MAX_GIB"  # environment variable: GiB that a file may unpack to
USUAL_GIB = 1.0
RATIO = 4  # a file may always unpack to so many times its own size
BYTES_PER_PIXEL = 12  # of an image while it is decoded, turned and shrunk


def most_gib() -> float:
    """The limit, in GiB.

    Raises:
        SettingError: The environment variable is not a number above 0.
    """
    text = os.environ.get(SETTING, "").strip()
    try:
        limit = float(text) if text else USUAL_GIB
    except ValueError:
        limit = 0.0
    if not 0 < limit < 1e9:
        raise SettingError(
            f"The environment variable {SETTING} is {text[:40]!r}.",
            "a number of GiB above 0",
            f"Set for example {SETTING}=8, or remove it for {USUAL_GIB:g}.",
        )
    return limit


def most_bytes_unpacked() -> int:
    """The same in bytes."""
    return int(most_gib() * 2**30)


def most_pixels() -> int:
    """How many pixels an image may have."""
    return most_bytes_unpacked() // BYTES_PER_PIXEL


def check_unpacked(path: Path, wanted: int, what: str = "file", ratio: int = RATIO) -> None:
    """Check that something may take so much memory.

    Args:
        path: The file that it comes from.
        wanted: Bytes that it takes unpacked.
        what: What messages call the file.
        ratio: To how many times its own size a file may always unpack.

    Raises:
        DataError: It takes more than the limit, and more than that.
    """
    if wanted <= most_bytes_unpacked():
        return
    try:
        own = path.stat().st_size
    except OSError:  # standard input
        own = 0
    if wanted > ratio * own:
        raise DataError(
            f"The {what} {path} takes {in_gib(wanted)} of memory or more once it is unpacked "
            f"({in_gib(own)} on disk).",
            f"at most {most_gib():g} GiB unpacked",
            "If it is meant to be so large, raise the limit with the environment variable "
            f"{SETTING}={gib_for(wanted)}.",
        )


def no_memory(path: Path, what: str = "file") -> DataError:
    """What to raise where a file takes more memory than there is."""
    return DataError(
        f"The {what} {path} takes more memory than there is.",
        "a file that fits into this machine's memory",
        "Take a part of it, or close other programs.",
    )


def gib_for(wanted: int) -> int:
    """Which limit in GiB, a whole number, lets through what takes so many bytes."""
    return -(-wanted // 2**30)


def check_fits(shape: tuple[int, ...], kind: np.dtype, what: str, advice: str) -> None:
    """Check that an array fits into half of the memory that this process may use.

    Args:
        shape: Its shape.
        kind: The type of its values.
        what: What it holds, in the plural.
        advice: What makes it smaller.

    Raises:
        DataError: It does not.
    """
    wanted = math.prod(shape) * kind.itemsize
    if wanted > most_bytes():
        raise DataError(
            f"The {shape[0]:,} {what} of shape {shape[1:]} take {in_gib(wanted)} of memory.",
            f"at most {in_gib(most_bytes())}, half of the memory that this process may use",
            f"Use {advice}, or fewer {what}.",
        )


def in_gib(size: float) -> str:
    """A number of bytes in words."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= factor:
            return f"{rounded(size / factor, 3)} {unit}"
    return f"{size:.0f} bytes"
