"""Functions that are copied, as they stand here, into the files that Downslope writes for tables.

Each turns one column into a list of inputs, as `data/tables/encoding.py` does. They know NumPy and
each other, and nothing else.
"""

import csv
import datetime
import gzip
import io
import re

import numpy as np


def read_csv(path, columns):
    """Those columns of a text file by their names, as texts; None where a cell is empty."""
    text = read_text(path)
    mark = re.match(r'(?i)\s*"?sep=(.)"?[ \t]*\r?\n', text)
    text = text[mark.end() :] if mark else text
    plain = all(re.fullmatch("column [0-9]+", name) for name in columns)
    for delimiter in mark[1] if mark else (",", ";", "\t", "|", None):
        rows = cells_of(text, delimiter)
        found = [[cell or f"column {at}" for at, cell in enumerate(row, 1)] for row in rows[:100]]
        for names in found:
            if len(names) > 1:  # a comment may name the columns
                names[0] = re.sub("^(#|%|//) *(?=[^ ])", "", names[0])
        own = {*columns} - {"row names"}
        top = next((at for at, names in enumerate(found) if own <= {*names}), None)
        if top is not None:
            below = [row for row in rows[top + 1 :] if row != rows[top]]
            return by_name(found[top], below, columns)
        width = max(map(len, found), default=0)
        if plain and sum(len(row) == width for row in rows) > len(rows) / 2 and width > 1:
            names = [f"column {at}" for at in range(1, width + 1)]
            return by_name(names, [row for row in rows if len(row) == width], columns)
    raise ValueError(f"no line of {path} names all of: " + ", ".join(columns))


def read_text(path):
    """The letters of a text file, gzipped or not."""
    with open(path, "rb") as file:
        raw = file.read()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    try:
        return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def cells_of(text, delimiter):
    """The cells of each row without spaces around them; None separates by blanks."""
    if delimiter is None:
        lines = [re.findall(r'"[^"]*"|\S+', line) for line in text.splitlines()]
        lines = [line[1:] if line[:1] in (["#"], ["%"], ["//"]) else line for line in lines]
        return [[cell.strip('"') for cell in line] for line in lines if line]
    rows = list(csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=delimiter))
    return [[cell.strip() for cell in row] for row in rows]


def by_name(names, rows, columns):
    """The cells of each column; R writes names of rows without a name before all others."""
    if len(names) == 1:  # an empty line is an empty cell
        rows = [row or [""] for row in rows]
    else:
        rows = [row for row in rows if len(row) > 1 or any(row)]
    if rows and len(rows[0]) == len(names) + 1 and any(row[-1] for row in rows):
        names = ["row names", *names]
    indices = {name: names.index(name) for name in columns}
    return {name: [row[at] or None for row in rows] for name, at in indices.items()}


def is_missing(value):
    """Whether there is no number, date or yes/no: None, NaN, or a text such as NA."""
    if isinstance(value, str):
        marks = ("", "na", "n/a", "nan", "-nan", "null", "none", "<na>", "?", "-")
        return value.strip().lower() in marks
    return value is None or value != value


def read_number(value, thousands, decimal, unit, bare):
    """A number, or a text that is written as in 1234.5; NaN for anything else."""
    if is_missing(value):
        return np.nan
    if not isinstance(value, str):
        return float(value)
    text = value.strip().replace("\u2212", "-")
    if unit and not bare and not text.rstrip(")- ").endswith(unit):
        return np.nan
    if unit:
        text = text.replace(unit, "").replace(" ", "")
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    if re.fullmatch(r"\d[^()+-]*-", text):
        text = f"-{text[:-1].strip()}"
    for mark in thousands:
        text = text.replace(mark, "")
    try:
        return float(text.replace(decimal, "."))
    except ValueError:
        return np.nan


def durations(values, seconds):
    """Seconds of texts such as 26:05, or with `seconds` 26:05:00; numbers as they are."""
    form = r"(?:([+-]?\d+) days?,? ?)?([+-]?)(\d+):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?"
    found = []
    for value in values:
        match = re.fullmatch(form, value.strip()) if isinstance(value, str) else None
        if match is None or (match[5] is not None) != seconds:
            found.append(None if isinstance(value, str) else value)
            continue
        clock = 3600 * int(match[3]) + 60 * int(match[4]) + float(match[5] or 0)
        found.append(86_400 * int(match[1] or 0) + (-clock if match[2] == "-" else clock))
    return found


def number(values, fill, missing=False, thousands="", decimal=".", unit="", bare=True):
    """The number, `fill` where there is none; then whether there was none."""
    x = np.array([read_number(value, thousands, decimal, unit, bare) for value in values])
    gaps = ~np.isfinite(x)
    x = np.where(gaps, fill, x)
    return [x, gaps] if missing else [x]


def rank(x, quantiles):
    """How many intervals of quantiles lie below each number, and how far into its own it is."""
    return np.interp(np.asarray(x, np.float64), quantiles, np.arange(len(quantiles)))


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


def category_index(values, known):
    """The index of each text among the known ones, from 2 on; 0 for any other, 1 for none."""
    indices = {text: index for index, text in enumerate(known, start=2)} | {None: 1}
    return [[indices.get(text, 0) for text in texts(values)]]


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


def date(values, pattern, fill, cycles=(), missing=False):
    """Days since 1970 and where in each cycle; then whether there was no date."""
    moments = np.array([moment(value, pattern) for value in values])
    gaps = np.isnan(moments)
    days = np.where(gaps, fill, moments) / 86_400
    columns = [days]
    for cycle in cycles:
        turns = days / {"year": 365.2425, "week": 7, "day": 1}[cycle]
        columns += [np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)]
    return [*columns, gaps] if missing else columns


def moment(value, pattern):
    """Seconds since 1970, or since midnight, of a text, a date or a time; NaN of nothing."""
    if is_missing(value):
        return np.nan
    if hasattr(value, "hour") and not hasattr(value, "year"):
        return 3600 * value.hour + 60 * value.minute + value.second + value.microsecond / 1e6
    if not isinstance(value, str):
        if getattr(value, "tzinfo", None) is not None:
            return value.timestamp()
        return np.datetime64(value, "us").astype(np.int64) / 1e6
    match = re.match(pattern, value.strip())
    part = {name: text or "" for name, text in match.groupdict().items()} if match else {}
    hour, minute, second = (int(part.get(name) or 0) for name in "HMS")
    is_bare = part.get("H") and not (part.get("M") or part.get("p"))
    if match is None or hour > 24 or minute > 59 or second > 60 or is_bare:
        raise ValueError(f"{value!r} is not written as the dates of the training were")
    if part.get("p"):
        hour = hour % 12 + 12 * (part["p"].lower() == "p")
    seconds = 3600 * hour + 60 * minute + second + float("0." + (part.get("f") or "0"))
    return seconds + 86_400 * day_number(part) - zone(part.get("z", "").lower())


def day_number(part):
    """Days from 1970 to the day that the parts of a date say; 0 where they say none."""
    if "G" in part:
        day = datetime.date.fromisocalendar(int(part["G"]), int(part["V"]), int(part.get("u") or 1))
        return day.toordinal() - 719_163
    if "Y" not in part:
        return 0
    year = int(part["Y"])
    if len(part["Y"]) == 2:
        year += 2000 if year < 69 else 1900
    month = int(part.get("m") or 1)
    if "b" in part:
        month = "janfebmaraprmayjunjulaugsepoctnovdec".index(part["b"][:3].lower()) // 3 + 1
    if "q" in part:
        month = 3 * int(part["q"]) - 2
    return datetime.date(year, month, int(part.get("d") or 1)).toordinal() - 719_163


def zone(name):
    """Seconds east of UTC of a zone such as +02:00, UTC or EST."""
    known = {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
    if name.strip() in known:
        return 3600 * known[name.strip()]
    match = re.search(r"([+-])(\d{1,2}?):?(\d\d)?$", name)
    if match is None:
        return 0
    sign, hours, minutes = match.groups()
    return (-1 if sign == "-" else 1) * (3600 * int(hours) + 60 * int(minutes or 0))
