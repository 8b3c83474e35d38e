"""Numbers that are written as texts: in which notation a column writes them, and what they are.

The notation is found from all of a column, once. Where two notations read the same texts as
different numbers, as in 1,234 beside 950, nothing in the column says which is meant: whoever reads
the table has to ask.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pyarrow as pa
from pyarrow import compute

from downslope.data.tables.dates import date_form

pc: Any = compute  # whose functions are made when it is imported

Decimal = Literal["decimal-point", "decimal-comma"]  # what a user may say of a column of numbers
DECIMALS: tuple[Decimal, ...] = get_args(Decimal)
# how people write in lower case that a number, a date or yes/no is missing, besides not at all
MARKS = ("na", "n/a", "nan", "-nan", "null", "none", "<na>", "?", "-")
_LOOKED_AT_FIRST = 1000  # cells
MOST_ODD = 0.05  # of a column of numbers, cells that are written otherwise
LARGEST = float(np.finfo(np.float32).max)
# Each notation by an example: what may stand between thousands, and the decimal mark. Where two
# read a column alike, the first is taken.
NOTATIONS = {
    "1234.5": ("", "."),
    "1234,5": ("", ","),
    "1,234.5": (",", "."),
    "1.234,5": (".", ","),
    "1 234.5": (" \u00a0\u2009\u202f", "."),
    "1 234,5": (" \u00a0\u2009\u202f", ","),
    "1'234.5": ("'\u2019", "."),
}
PLAIN = "1234.5"
PERCENT = "%"
# of countries that write a decimal point: neither $1,234 nor $3.459 can be meant otherwise
_MONEY_WITH_POINT = (
    "$", "£", "¥", "₹", "₩", "₪", "฿", "₦", "₱", "US$", "A$", "C$", "NZ$", "HK$", "S$", "USD",
    "GBP", "JPY", "CNY", "INR", "CAD", "AUD",
)  # fmt: skip
MONEY = (
    *_MONEY_WITH_POINT, "€", "₽", "₺", "₫", "₴", "₡", "₲", "¢", "R$", "EUR", "CHF", "BRL", "SEK",
    "NOK", "DKK", "PLN", "CZK", "HUF", "kr", "zł", "Kč", "Ft", "Rs",
)  # fmt: skip
UNITS = (*MONEY, PERCENT)
# a length of time in seconds, perhaps longer than a day, with days before it or without
DURATIONS = {
    "26:05:00": r"^(?:(?P<d>[+-]?\d{1,9}) days?,? ?)?(?P<s>[+-]?)(?P<h>\d{1,6}):(?P<m>[0-5]\d)"
    r":(?P<n>[0-5]\d(?:\.\d+)?)$",
    "26:05": r"^(?P<d>)(?P<s>[+-]?)(?P<h>\d{1,6}):(?P<m>[0-5]\d)(?P<n>)$",
}
DAY = 86_400
# what may stand after each number of a column
_UNIT = (
    r"[\p{L}\x{b0}\x{2030}\x{2032}\x{2033}]"
    r"(?:[\p{L}\d\x{b0}\x{b2}\x{b3}\x{b7}/^. ]{0,10}[\p{L}\d\x{b2}\x{b3}])?"
)
_NO_UNITS = {  # of times and days, and of numbers such as 1e5
    *("am", "pm", "a", "p", "e", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep"),
    *("oct", "nov", "dec"),
}
_WITH_UNIT = (
    # after a digit, or after blanks: 7.png is the name of a file
    r"^[(+\x{2212}-]*\d(?:[\d.,\s'\x{a0}\x{2009}\x{202f}\x{2019}]*?\d)?[\s\x{a0}\x{2009}\x{202f}]*"
    rf"(?P<unit>{_UNIT})\)?$"
)
_KNOWN_UNITS = {  # of which several in one column are several sizes of one thing
    *("mg", "g", "kg", "t", "lb", "lbs", "oz", "mm", "cm", "m", "km", "in", "ft", "yd", "mi"),
    *("ms", "s", "sec", "min", "mins", "h", "hr", "hrs", "hours", "d", "day", "days", "weeks"),
    *("b", "kb", "mb", "gb", "tb", "ml", "cl", "l", "hz", "khz", "mhz", "ghz", "w", "kw", "mw"),
    *("k", "months", "years", "c", "f"),
}
_BRACKETS = r"^\(([^()+-]*\d[^()+-]*)\)$"  # of accountants, around what is negative
_TRAILING_MINUS = r"^(\d[^()+-]*?)\s*-$"
_POWER = r"(?:[eE][+-]?\d+)?"
_LEADING_ZEROS = r"^[+-]?0\d+$"
_WHOLE = r"^[+-]?\d+$"
_DOUBTFUL_POINT = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"  # 1.234 may be a thousand and more
_NUMBER_SIGNS = r"[\d.,\s'\x{a0}\x{2009}\x{202f}\x{2019}\x{2212}()+\-]|[eE][+-]?\d"


class Found(NamedTuple):
    """How a column of texts writes its numbers.

    Attributes:
        form: The notation, and the unit where there is one (see `is_notation`).
        odd: Which cells are written otherwise, bool (N,).
        decimal: The decimal mark, where the column leaves no doubt; else empty.
        other: The form that reads the same cells as other numbers; empty if there is none.
        cell: Which cell shows that, as an index.
        is_usual: Whether `form` is meant unless something speaks for `other`.
        mixed: Which cell is a number in another notation, where many are; -1 if few or none are.
    """

    form: str
    odd: np.ndarray
    decimal: str = ""
    other: str = ""
    cell: int = 0
    is_usual: bool = True
    mixed: int = -1


def is_missing(values: pa.ChunkedArray) -> np.ndarray:
    """Where texts say that there is no value: nulls, empty texts and `MARKS`, bool (N,)."""
    texts = pc.utf8_lower(_trimmed(values))
    absent = pc.is_in(texts, value_set=pa.array(["", *MARKS]))
    return pc.or_(pc.is_null(texts), absent).to_numpy(zero_copy_only=False)


def without_marks(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same texts, null where they say that there is no value."""
    return pc.if_else(pa.array(~is_missing(values)), values, pa.scalar(None, values.type))


def find_numbers(
    values: pa.ChunkedArray, *, is_said: bool = False, decimal: Decimal | None = None
) -> Found | None:
    """How texts write numbers; None where they are something else.

    A few odd cells among many numbers are told apart; the unit is that of (nearly) all of them.
    Whole numbers with zeros before them, such as 01234, are codes.

    Args:
        values: Texts, and nulls.
        is_said: Whether the user said that they are numbers.
        decimal: What the user said of the decimal mark, if anything.
    """
    texts, missing = _trimmed(values), is_missing(values)
    given = int((~missing).sum())
    plain = _matching(texts, _pattern(PLAIN)) & ~missing
    rest = texts.filter(pa.array(~missing & ~plain))
    unit = _unit(rest, given) if len(rest) else ""
    if not given or unit is None:
        return None
    bare = _bare(texts, unit)
    asked = [one for one in NOTATIONS if decimal in (None, _said(NOTATIONS[one][1]))]
    if not len(rest) and decimal is None:
        asked = [PLAIN]
    fits = {one: _matching(bare, _pattern(one)) & ~missing for one in asked}
    notation = _most_fitting(fits, given)
    found = Found(_form(notation, unit), ~fits[notation] & ~missing)
    with_minus = _matching(texts, _TRAILING_MINUS)
    if with_minus.any() and not (with_minus & _matching(texts, r"\d.*\d")).any() and not is_said:
        return None  # 1- and 2- may be marks of a school
    if 2 * found.odd.sum() > given:
        return None
    others = np.any([fit & found.odd for fit in fits.values()], axis=0)
    is_mixed = others.sum() > max(1, MOST_ODD * given)
    are_all = is_mixed and (others == found.odd).all()
    if not is_said and (
        _are_codes(bare, fits[notation]) or not (are_all or _are_numbers(texts, found, given))
    ):
        return None
    if is_mixed:
        found = found._replace(mixed=int(others.argmax()))
    if decimal is not None:
        return found._replace(decimal=NOTATIONS[notation][1])
    return _doubted(found, fits, bare, notation, unit)


def find_durations(values: pa.ChunkedArray, *, is_said: bool = False) -> Found | None:
    """How texts write lengths of time; None where they are something else, or times of day.

    Args:
        values: Texts, and nulls.
        is_said: Whether the user said that they are numbers.
    """
    texts, missing = _trimmed(values), is_missing(values)
    given = int((~missing).sum())
    for form, pattern in DURATIONS.items():
        if not _is_usual(texts.filter(pa.array(~missing)), pattern):
            continue
        seconds = np.where(missing, np.nan, _seconds(texts, form))
        odd = np.isnan(seconds) & ~missing
        if not given or odd.sum() > MOST_ODD * given:
            continue
        has_days = _matching(texts, "day").any()
        if is_said or has_days or (seconds > DAY).any() or (seconds < 0).any():
            return Found(form, odd)
    return None


def is_notation(form: str) -> bool:
    """Whether this is a form in which numbers are written: "1234.5", "1.234,5 €", "1234.5 kg"."""
    if form in DURATIONS:
        return True
    if not any(form == one or form.startswith(f"{one} ") for one in NOTATIONS):
        return False
    unit = _parts(form)[1]
    is_unit = pc.match_substring_regex(pa.scalar(unit), f"^{_UNIT}$").as_py()
    return unit in ("", *UNITS) or is_unit


def notation_note(values: pa.ChunkedArray, form: str) -> str:
    """What a user should know of how a column's numbers are read; empty where that is plain."""
    if form in DURATIONS:
        which = "hours:minutes" if form == "26:05" else "hours:minutes:seconds"
        return f"durations in seconds, written as {which}"
    notes = [] if form == PLAIN else [f"written as {form}"]
    texts = _trimmed(values)
    for pattern in (_BRACKETS, _TRAILING_MINUS):
        negative = _matching(texts, pattern)
        if negative.any():
            notes.append(f"{texts[int(negative.argmax())].as_py()[:20]} is negative")
    return "; ".join(notes)


def several_units(values: pa.ChunkedArray, rows: np.ndarray) -> str:
    """Two cells in words, of a column whose numbers have several units; else empty.

    Args:
        values: Texts, and nulls.
        rows: Which row of its source each one is, from 1.
    """
    texts, missing = _trimmed(values), is_missing(values)
    given = texts.filter(pa.array(~missing))
    if not _is_usual(given, f"{_WITH_UNIT}|{_pattern(PLAIN)}"):
        return ""
    units = _units_of(texts)
    plain = _matching(texts, _pattern(PLAIN))
    known = [unit for unit in units if unit is not None and unit.lower() in _KNOWN_UNITS]
    found = sorted(set(known))
    if not found or len(known) + plain.sum() < (1 - MOST_ODD) * len(given):
        return ""
    first = [next(row for row, unit in enumerate(units) if unit == one) for one in found[:2]]
    if len(found) == 1:
        if not plain.any():
            return ""
        first.append(int(plain.argmax()))
    shown = [f"{texts[one].as_py()[:40]!r} in row {rows[one]:,}" for one in first]
    return " and ".join(shown)


def _is_usual(texts: pa.ChunkedArray, pattern: str) -> bool:
    """Whether half of the first texts match: the others are then worth the time."""
    some = _matching(texts.slice(0, _LOOKED_AT_FIRST), pattern)
    return 2 * int(some.sum()) >= len(some) > 0


def _units_of(texts: pa.ChunkedArray) -> list[str | None]:
    found = pc.struct_field(pc.extract_regex(texts, _WITH_UNIT), "unit")
    return found.to_pylist()


def _seconds(texts: pa.ChunkedArray, form: str) -> np.ndarray:
    """How many seconds texts say, float64 (N,); NaN where one is written otherwise."""
    found = pc.extract_regex(texts.combine_chunks(), DURATIONS[form])
    if not isinstance(found, pa.Array):
        found = found.combine_chunks()

    def number(name: str) -> np.ndarray:
        part = pc.replace_substring_regex(pc.struct_field(found, name), r"^\+?$|^\+", "")
        part = pc.if_else(pc.equal(part, ""), "0", part)
        return part.cast(pa.float64()).to_numpy(zero_copy_only=False)

    sign = np.where(pc.equal(pc.struct_field(found, "s"), "-").fill_null(False), -1.0, 1.0)
    clock = 3600 * number("h") + 60 * number("m") + number("n")
    return DAY * number("d") + sign * clock


def read_numbers(values: pa.ChunkedArray, form: str = PLAIN) -> tuple[np.ndarray, np.ndarray]:
    """Texts as numbers, each for itself.

    Args:
        values: Texts, and nulls.
        form: How they are written (see `is_notation`).

    Returns:
        Float64 (N,), NaN where there is none; and which cells hold something else, bool (N,).
    """
    texts, missing = _trimmed(values), is_missing(values)
    if form in DURATIONS:
        seconds = np.where(missing, np.nan, _seconds(texts, form))
        return seconds, np.isnan(seconds) & ~missing
    notation, unit = _parts(form)
    bare = _bare(texts, unit)
    fits = _matching(bare, _pattern(notation)) & ~missing
    thousands, decimal = NOTATIONS[notation]
    numbers = pc.if_else(pa.array(fits), bare, pa.scalar(None, pa.string()))
    if thousands:
        numbers = pc.replace_substring_regex(numbers, f"[{re.escape(thousands)}]", "")
    if decimal == ",":
        numbers = pc.replace_substring(numbers, ",", ".")
    numbers = pc.replace_substring_regex(numbers, r"^\+", "")
    read = numbers.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    fits &= np.abs(np.nan_to_num(read, nan=0.0, posinf=np.inf, neginf=-np.inf)) <= LARGEST
    return np.where(fits, read, np.nan), ~fits & ~missing


def parts(form: str) -> tuple[str, str, str]:
    """What may stand between thousands, the decimal mark, and the unit of a form."""
    notation, unit = _parts(form)
    return *NOTATIONS[notation], unit


def are_whole(values: pa.ChunkedArray, form: str) -> bool:
    """Whether all numbers that are written in a form are whole ones, without a decimal mark."""
    if form in DURATIONS:
        return False
    notation, unit = _parts(form)
    thousands, _ = NOTATIONS[notation]
    bare = _bare(_trimmed(values), unit)
    is_number = _matching(bare, _pattern(notation)) & ~is_missing(values)
    whole = _matching(bare, rf"^[+-]?[\d{re.escape(thousands)}]{{1,18}}$")
    return bool(is_number.any()) and bool(whole[is_number].all())


def _parts(form: str) -> tuple[str, str]:
    """The notation and the unit of a form."""
    notation = next(one for one in NOTATIONS if form == one or form.startswith(f"{one} "))
    return notation, form.removeprefix(notation).lstrip()


def _trimmed(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(values.cast(pa.string()))


def _matching(texts: pa.ChunkedArray, pattern: str) -> np.ndarray:
    found = pc.match_substring_regex(texts, pattern)
    return pc.fill_null(found, False).to_numpy(zero_copy_only=False)


def _pattern(notation: str) -> str:
    thousands, decimal = NOTATIONS[notation]
    point = re.escape(decimal)
    whole = r"\d+"
    if thousands:  # in groups of three; in India of two before the last three
        mark = f"[{re.escape(thousands)}]"
        whole = rf"(?:[1-9]\d{{0,2}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}|\d+)"
    return rf"^[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+){_POWER}$"


def _unit(rest: pa.ChunkedArray, given: int) -> str | None:
    """The unit of cells that are no plain numbers, often none; None where they are no numbers.

    A unit is what is left of a cell without its number.
    """
    left = pc.replace_substring_regex(rest, _NUMBER_SIGNS, "")
    counts = {one["values"]: one["counts"] for one in pc.value_counts(left).to_pylist()}
    numbers = given - len(rest) + sum(counts.get(unit, 0) for unit in ("", *UNITS))
    if 2 * numbers < given:
        return _own_unit(rest, given)
    units = [unit for unit in UNITS if unit in counts]
    unit = max(units, key=lambda unit: counts[unit], default="")
    return "" if unit == PERCENT and 2 * counts[unit] < numbers else unit


def _own_unit(rest: pa.ChunkedArray, given: int) -> str | None:
    """The unit of a column whose numbers all have the same one, but for a few odd cells.

    None where there is no such unit, or where the texts are dates, as in 12 Jan and 13 Jan.
    """
    if not _is_usual(rest, _WITH_UNIT):
        return None
    units = Counter(unit for unit in _units_of(rest) if unit is not None)
    if not units:
        return None
    unit, count = units.most_common(1)[0]
    is_word = unit.lower() not in _NO_UNITS and (given > 1 or unit.lower() in _KNOWN_UNITS)
    few = given - count <= max(1, MOST_ODD * given) and count > 1
    return unit if few and is_word and date_form(rest) is None else None


def _bare(texts: pa.ChunkedArray, unit: str) -> pa.ChunkedArray:
    """Cells without their unit; with a hyphen where a minus sign or accountants' brackets stand.

    A sum of money may stand without its currency; 12 beside 12 % may be anything.
    """
    texts = pc.replace_substring(texts, "\u2212", "-")
    sign = re.escape(unit)
    if unit:  # €(12), €12- and 12- €
        before = rf"^(\d[^()+-]*?)\s*-\s*{sign}$"
        texts = pc.replace_substring_regex(texts, before, rf"-\1 {unit}")
        texts = pc.replace_substring_regex(texts, rf"^{sign}\s*(\(.*\)|\d.*-)$", r"\1")
    texts = pc.replace_substring_regex(texts, _BRACKETS, r"-\1")
    texts = pc.replace_substring_regex(texts, _TRAILING_MINUS, r"-\1")
    if unit:
        before = pc.replace_substring_regex(texts, rf"^([+-]?)\s*{sign}\s*([+-]?)", r"\1\2")
        after = pc.replace_substring_regex(before, rf"\s*{sign}$", "")
        if unit not in MONEY:
            marked = pc.match_substring_regex(texts, rf"{sign}$")
            return pc.if_else(marked, after, pa.scalar("", pa.string()))
        return after
    return texts


def _said(mark: str) -> Decimal:
    return "decimal-comma" if mark == "," else "decimal-point"


def _form(notation: str, unit: str) -> str:
    return f"{notation} {unit}" if unit else notation


def _most_fitting(fits: dict[str, np.ndarray], given: int) -> str:
    """The notation in which most cells are written, the first of those that fit alike.

    A single 1,2 among many whole numbers is an odd cell: it takes several to make a notation.
    """
    counts = {one: int(fit.sum()) for one, fit in fits.items()}
    best = max(counts, key=lambda one: counts[one])
    if best == "1234,5" and PLAIN in fits:
        commas = fits[best] & ~fits[PLAIN]
        few = commas.sum() <= max(1, 0.01 * given) and commas.sum() <= MOST_ODD * given
        if few and not (commas & fits["1,234.5"]).any():
            return PLAIN
    return best


def _doubted(
    found: Found, fits: dict[str, np.ndarray], bare: pa.ChunkedArray, notation: str, unit: str
) -> Found:
    """What was found, with the other way to read the same cells, or its certain decimal mark."""
    if notation == "1234,5":
        other, is_usual, looked_for = "1,234.5", False, r"^[+-]?\d+,\d+$"
        is_doubtful = bool(fits[other][fits[notation]].all())
        if is_doubtful and unit in _MONEY_WITH_POINT:
            return found._replace(form=_form(other, unit), decimal=".")
    else:
        other, looked_for = "1.234,5", _DOUBTFUL_POINT
        points = _matching(bare, r"\.") & fits[notation]
        is_doubtful = not (points & ~_matching(bare, looked_for)).any()
        is_doubtful &= unit not in _MONEY_WITH_POINT
        is_usual = unit not in MONEY  # 1.234 € may be a thousand and more
        if notation != PLAIN or not points.any():
            mark = NOTATIONS[notation][1] if _matching(bare, r"[.,]")[fits[notation]].any() else ""
            return found._replace(decimal=mark)
    if not is_doubtful:
        return found._replace(decimal=NOTATIONS[notation][1])
    cell = int(np.flatnonzero(_matching(bare, looked_for))[0])
    return found._replace(other=_form(other, unit), cell=cell, is_usual=is_usual)


def _are_codes(bare: pa.ChunkedArray, among: np.ndarray) -> bool:
    """Whether all numbers are whole and some have zeros before them."""
    zeros = _matching(bare, _LEADING_ZEROS) & among
    return bool(zeros.any()) and bool(_matching(bare, _WHOLE)[among].all())


def _are_numbers(texts: pa.ChunkedArray, found: Found, given: int) -> bool:
    """Whether a column is one of numbers, with odd cells in it or without."""
    odd = int(found.odd.sum())
    if not odd:
        return True
    numbers = given - odd
    if odd > 0.5 * given or numbers < 2:
        return False
    others = pc.value_counts(texts.filter(pa.array(found.odd))).to_pylist()
    again = max(one["counts"] for one in others)
    distinct = pc.count_distinct(texts.filter(pa.array(~found.odd)), mode="only_valid").as_py()
    if distinct <= 20 and 3 * distinct <= numbers and again > 1:  # 0, 1, 2, 3+ are categories
        return False
    if odd <= max(1, MOST_ODD * given):
        return True
    return distinct > 0.5 * given or distinct > 1000
