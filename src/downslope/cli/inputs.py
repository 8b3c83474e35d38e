"""Reading what a run is asked about: rows of numbers from tables, and images."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from downslope.cli.lines import say
from downslope.data import read_photo
from downslope.data.readers.array_file import inputs_in, read_arrays
from downslope.data.readers.file_names import is_table_file
from downslope.data.readers.image_folder import images_in
from downslope.data.readers.image_set import read_pixels
from downslope.data.readers.table_file import file_notes, is_number, read_table, read_table_text
from downslope.data.tables.encoding import Encoding
from downslope.errors import DataError
from downslope.runs.counting import read_crowd_photo
from downslope.runs.run_folder import DataSummary
from downslope.text import amount

STANDARD_INPUT = "-"
TABLES = (".csv", ".npy", ".npz")
ADVICE = "Give one row per sample, as the run was trained."


class Input(NamedTuple):
    """One sample to answer to: its row in its file, from 1, and its values."""

    row: int
    values: np.ndarray


def with_folders_opened(paths: Sequence[Path], card: DataSummary) -> list[Path]:
    """The files of these paths: each folder is replaced by the images in it, by their names.

    Raises:
        DataError: A folder holds no images, cannot be read, or the run takes no images.
    """
    files = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside, note = images_in(path)
        if not inside or len(card.input_shape) != 3:
            what = "holds no images" if not inside else "is one of images"
            raise DataError(
                f"The folder {path} {what}.",
                f"inputs like those of {card.name}, on which the run was trained",
                "Name files, or a folder with images for a run that was trained on images.",
            )
        if note:
            say(f"{path}: {note}", err=True)
        files += inside
    return files


def read_inputs(path: Path, card: DataSummary) -> list[Input]:
    """Read the samples in a file, in the shape that a run needs.

    Args:
        path: A table (.csv, .npy, .npz) or an image.
        card: What the run was trained on.

    Raises:
        DataError: The file is missing, cannot be read, or does not fit the run.
    """
    if str(path) == STANDARD_INPUT:
        return _from_pipe(card)
    if not path.is_file():
        raise DataError(
            f"There is no file {path}.", "a table (.csv, .npy, .npz) or an image", "Check the path."
        )
    if card.encoding is not None and is_table_file(path):
        known = [one.name for one in card.encoding.columns]
        return _encoded(read_table(path, known=known), card.encoding, str(path))
    is_table = path.suffix.lower() in TABLES
    if card.task == "counting":
        if is_table:
            raise DataError(
                f"{path} is a table, and the run counts people in photos.",
                "a photo (.jpg or .png)",
                "Give photos.",
            )
        return [Input(1, read_photo(path, card.photo_side, card.ranges or None))]
    if not is_table:
        return [Input(1, _read_image(path, card))]
    read = _read_csv if path.suffix.lower() == ".csv" else _read_arrays
    values = _shaped(path, read(path, card), card)
    bad = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
    if bad.any():
        raise DataError(
            f"Row {int(bad.argmax()) + 1} of {path} has a value that is not a finite number.",
            "numbers only",
            "Fill in what is missing, or leave the row out.",
        )
    return [Input(row, one) for row, one in enumerate(values, start=1)]


def _from_pipe(card: DataSummary) -> list[Input]:
    """Rows of a table that another program writes into this one."""
    if card.encoding is None:
        raise DataError(
            "Standard input is to be read, and the run was not trained on a table.",
            "a run that was trained on a table, with named columns",
            "Write the inputs to a file and name it.",
        )
    known = [one.name for one in card.encoding.columns]
    table = read_table_text(sys.stdin.buffer.read(), Path("standard input"), known)
    return _encoded(table, card.encoding, "standard input")


def _encoded(table: pa.Table, encoding: Encoding, name: str) -> list[Input]:
    """The rows of a table, read as the training read its own; says what a user should know."""
    notes: list[str] = []
    values = encoding.encode(table, notes)
    for note in (*file_notes(table), *notes):
        say(f"{name}: {note}", err=True)
    return [Input(row, one) for row, one in enumerate(values, start=1)]


def _shaped(path: Path, values: np.ndarray, card: DataSummary) -> np.ndarray:
    """Rows of the shape that the run needs; flat rows of the right length are folded."""
    wanted = card.input_shape
    if values.dtype.kind not in "buif":
        raise DataError(f"{path} holds values of type {values.dtype}.", "numbers", ADVICE)
    if values.shape == wanted:
        return values[None]
    got = values.shape[1:]
    is_flat = len(got) == 1 or len(wanted) == 1 or (*got, 1) == wanted
    if values.ndim > 1 and len(values) and is_flat and math.prod(got) == math.prod(wanted):
        return values.reshape(-1, *wanted)
    if got == wanted and not len(values):
        raise DataError(f"{path} has no rows.", "one row per sample", ADVICE)
    shape = ", ".join(["rows", *map(str, wanted)])
    raise DataError(
        f"{path} holds an array of shape {values.shape}.",
        f"numbers of shape ({shape}), as in {card.name}",
        ADVICE,
    )


def _read_arrays(path: Path, card: DataSummary) -> np.ndarray:
    arrays = read_arrays(path)
    found = inputs_in(arrays)
    if found is None:
        raise DataError(
            f"{path} holds the arrays {', '.join(arrays) or 'none'}.",
            'one array, or one called "inputs" or "X"',
            "Keep only the inputs in it.",
        )
    return found


def _read_csv(path: Path, card: DataSummary) -> np.ndarray:
    """Numbers separated by commas; where a first line names columns, those of the run are taken."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [(line, row) for line, row in enumerate(csv.reader(file), 1) if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read.",
            "a text file of numbers separated by commas",
            "Save it as CSV.",
        ) from error
    names = None
    if rows and not any(is_number(cell) for cell in rows[0][1]):
        names = [cell.strip() for cell in rows.pop(0)[1]]
    if not rows:
        raise DataError(f"{path} has no rows.", "one row per sample", ADVICE)
    width = len(rows[0][1])
    for line, row in rows:
        wrong = next((cell for cell in row if not is_number(cell)), None)
        if wrong is not None or len(row) != width:
            found = f"the value {wrong!r}" if wrong is not None else amount(len(row), "value")
            raise DataError(
                f"Line {line} of {path} has {found}.",
                f"{width} numbers separated by commas",
                "Correct the line, or leave it out.",
            )
    values = np.array([[float(cell) for cell in row] for _, row in rows], np.float64)
    if names is not None and card.input_names and set(card.input_names) <= set(names):
        return values[:, [names.index(name) for name in card.input_names]]
    return values


def _read_image(path: Path, card: DataSummary) -> np.ndarray:
    """An image at the size that the run was trained on, with as many colours."""
    shape = card.input_shape
    if card.name == "digits" and shape == (64,):  # 8 by 8 pixels of 0 to 16
        return np.rint(read_pixels(path, 8, 8, "L") / 255 * 16).reshape(64).astype(np.uint8)
    if len(shape) != 3 or shape[-1] not in (1, 3):
        raise DataError(
            f"{path} is no table, and the run was not trained on images.",
            "a table (.csv, .npy or .npz)",
            ADVICE,
        )
    if not card.white:
        raise DataError(
            f"{path} is an image, and the run was trained on images whose numbers are no pixels "
            "of 0 to 1 or 0 to 255.",
            "inputs of the same numbers (.npy or .npz)",
            "Prepare it as the training images were, and save it as an array.",
        )
    if card.photo_side:
        return read_crowd_photo(path, card)
    pixels = read_pixels(
        path, shape[0], shape[1], "L" if shape[-1] == 1 else "RGB", card.ranges or None
    ).reshape(shape)
    return pixels if card.white == 255 else (pixels * (card.white / 255)).astype(np.float32)
