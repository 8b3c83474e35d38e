"""Figures as files, in all the kinds that are wanted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from matplotlib.figure import Figure

from downslope.plots import style
from downslope.storage.files import make_output_folder


def save_all(
    named: Iterable[tuple[str, Figure]], folder: str | Path, kinds: tuple[str, ...] = ("png", "svg")
) -> list[Path]:
    """Write figures into a folder; those of the same names are replaced.

    Args:
        named: The figures, each with the name of its files.
        folder: Made if need be.
        kinds: "png", "svg" or both.

    Returns:
        The files, in order.

    Raises:
        StorageError: The disk or the folder refuses.
    """
    folder = Path(folder)
    make_output_folder(folder)
    return [
        style.save(figure, folder / f"{name}.{kind}") for name, figure in named for kind in kinds
    ]
