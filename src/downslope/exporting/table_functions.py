"""Functions that are copied, as they stand here, into the files that Downslope writes for tables.

Each turns one column into a list of inputs, as `data/encoding.py` does. They know NumPy and each
other, and nothing else.
"""

import csv

import numpy as np


def read_csv(path):
    """The columns of a CSV file by their names, as texts; None where a cell is empty."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    cells = {name.strip(): [row[name].strip() for row in rows] for name in rows[0]}
    return {name: [cell or None for cell in column] for name, column in cells.items()}


def is_missing(value):
    """Whether there is no number, date or yes/no: None, NaN, or a text such as NA."""
    if isinstance(value, str):
        marks = ("", "na", "n/a", "nan", "-nan", "null", "none", "<na>", "?", "-")
        return value.strip().lower() in marks
    return value is None or value != value


def read_number(value, thousands, decimal, unit):
    """A number, or a text that is written as in 1234.5; NaN for anything else."""
    if is_missing(value):
        return np.nan
    if not isinstance(value, str):
        return float(value)
    text = value.strip().replace("\u2212", "-")
    if unit and text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    if unit:
        text = text.replace(unit, "").replace(" ", "")
    for mark in thousands:
        text = text.replace(mark, "")
    try:
        return float(text.replace(decimal, "."))
    except ValueError:
        return np.nan


def number(values, fill, missing=False, thousands="", decimal=".", unit=""):
    """The number, `fill` where there is none; then whether there was none."""
    x = np.array([read_number(value, thousands, decimal, unit) for value in values])
    gaps = ~np.isfinite(x)
    x = np.where(gaps, fill, x)
    return [x, gaps] if missing else [x]


def texts(values):
    """Texts without spaces around them, None where there is no value; the number 3.0 is 3."""
    whole = [
        int(value) if isinstance(value, float) and value.is_integer() else value for value in values
    ]
    return [
        str(value).strip() or None if value is not None and value == value else None
        for value in whole
    ]


def category(values, known, others=False, missing=False):
    """For each known text whether it is the value; then any other text; then no text at all."""
    found = texts(values)
    columns = [[text == one for text in found] for one in known]
    if others:
        columns.append([text is not None and text not in known for text in found])
    if missing:
        columns.append([text is None for text in found])
    return columns


def place(values, known):
    """The place of each text among the known ones, from 2 on; 0 for any other, 1 for none."""
    places = {text: place for place, text in enumerate(known, start=2)} | {None: 1}
    return [[places.get(text, 0) for text in texts(values)]]


def yes_no(values, fill, missing=False):
    """1 for yes, true, y, t and 1, 0 for their opposites; then whether there was neither."""
    words = texts([None if is_missing(value) else value for value in values])
    yes = ("yes", "true", "y", "t", "1", "1.0", "on")
    no = ("no", "false", "n", "f", "0", "0.0", "off")
    for text in words:
        if text is not None and text.lower() not in yes + no:
            raise ValueError(f"{text!r} is neither yes nor no")
    x = [fill if text is None else float(text.lower() in yes) for text in words]
    gaps = [text is None for text in words]
    return [x, gaps] if missing else [x]


def date(values, fill, cycles=(), missing=False):
    """Days since 1970 and where in each cycle; then whether there was no date (ISO text)."""
    known = ["NaT" if is_missing(value) else value for value in values]
    moments = np.array(known, "datetime64[s]")
    gaps = np.isnat(moments)
    days = np.where(gaps, fill, moments.astype(np.int64)) / 86_400
    columns = [days]
    for cycle in cycles:
        turns = days / {"year": 365.2425, "week": 7, "day": 1}[cycle]
        columns += [np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)]
    return [*columns, gaps] if missing else columns
