"""Functions that are copied, as they stand here, into the files that Downslope writes for tables.

Each turns one column into a list of inputs, as `data/encoding.py` does. They know NumPy and each
other, and nothing else.
"""

import csv

import numpy as np


def read_csv(path):
    """The columns of a CSV file by their names, as texts; None where a value is missing."""
    missing = ("", "NA", "N/A", "n/a", "na", "NaN", "nan", "NULL", "null", "None", "none", "?", "-")
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    cells = {name.strip(): [row[name].strip() for row in rows] for name in rows[0]}
    return {
        name: [None if cell in missing else cell for cell in column]
        for name, column in cells.items()
    }


def number(values, fill, missing=False):
    """The number, `fill` where there is none; then whether there was none."""
    x = np.array([np.nan if value in (None, "") else float(value) for value in values])
    gaps = ~np.isfinite(x)
    x = np.where(gaps, fill, x)
    return [x, gaps] if missing else [x]


def texts(values):
    """Texts without spaces around them, None where there is no value; 3.0 is the text 3."""
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


def yes_no(values, yes, fill, missing=False):
    """1 for the text `yes` in large or small letters, else 0; then whether there was no text."""
    found = texts(values)
    x = [fill if text is None else float(text.lower() == yes.lower()) for text in found]
    gaps = [text is None for text in found]
    return [x, gaps] if missing else [x]


def date(values, fill, cycles=(), missing=False):
    """Days since 1970 and where in each cycle; then whether there was no date (ISO text)."""
    moments = np.array([value or "NaT" for value in values], "datetime64[s]")
    gaps = np.isnat(moments)
    days = np.where(gaps, fill, moments.astype(np.int64)) / 86_400
    columns = [days]
    for cycle in cycles:
        turns = days / {"year": 365.2425, "week": 7, "day": 1}[cycle]
        columns += [np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)]
    return [*columns, gaps] if missing else columns
