"""Dates and times as texts: in which form a column writes them, and when they were.

One form fits a whole column, and is kept: later files are read in it, row by row. A form is
written with the letters of `strftime` ("%d/%m/%Y %H:%M"), and a few of our own: "%q" is a quarter.
Where two forms fit, as in 03/04/2024, nothing in the data says which is meant: the first of `DATES`
is taken, and who shows the column says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
from pyarrow import compute

pc: Any = compute  # whose functions are made when it is imported

Order = Literal["month-first", "day-first", "year-first"]
ORDERS: tuple[Order, ...] = get_args(Order)
DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%m.%d.%Y",
    "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%d.%b.%Y", "%d%b%Y", "%b %d %Y",
    "%b-%d-%Y", "%Y %b %d", "%Y-%b-%d", "%Y/%b/%d", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y",
    "%m-%d-%y", "%y/%m/%d", "%y-%m-%d", "%d %b %y", "%d-%b-%y", "%d/%b/%y", "%d%b%y",
    "%b %d %H:%M:%S %Y", "%b %d %H:%M:%S %z %Y", "%G-W%V-%u", "%GW%V%u",
)  # fmt: skip
PERIODS = (  # the beginning of each is meant
    "%Y-%m", "%Y/%m", "%m/%Y", "%m-%Y", "%m.%Y", "%YM%m", "%b %Y", "%b-%Y", "%b/%Y", "%Y %b",
    "%Y-%b", "%b-%y", "%b %y", "%Y-Q%q", "%YQ%q", "%Y Q%q", "%Y/Q%q", "Q%q %Y", "Q%q-%Y", "Q%q/%Y",
    "%qQ%Y", "%qQ %Y", "%qQ%y", "Q%q %y", "%G-W%V", "%GW%V",
)  # fmt: skip
TIMES = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%I %p")
_TIMES_AFTER_A_DATE = (*TIMES, "%H.%M", "%H.%M.%S", "%I.%M.%S %p", "%H%M%S", "%H%M")
_LOOKED_AT_FIRST = 1000  # values; most forms fail on the first
_LONGEST = 70  # letters of a date
_MANY = 20  # different texts among which a few may be no dates:
MOST_ODD = 0.05  # of them
_SEEDS = 12  # of these texts, forms are looked for in so many

_SPACE = "[ \t,\u00a0\u202f]"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_DAY_OF_WEEK = (
    "(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?|mo|tu|we|th|fr|sa|su"
)
_ZONES = {  # hours east of UTC; the names of RFC 5322, beside those of UTC
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7,
    "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip
_YEAR_OF_TWO = "[0-9]{4}|[0-9]{2}"
_TOKENS = {
    "Y": "(?P<Y>[0-9]{4})",
    "y": f"(?P<Y>{_YEAR_OF_TWO})",
    "m": "(?P<m>[0-9]{1,2})",
    "d": "(?P<d>[0-9]{1,2})",
    "b": rf"(?P<b>{_MONTH})\.?",
    "q": "0?(?P<q>[1-4])",
    "G": "(?P<G>[0-9]{4})",
    "V": "(?P<V>[0-9]{1,2})",
    "u": "(?P<u>[1-7])",
    "H": "(?P<H>[0-9]{1,2})",
    "I": "(?P<H>[0-9]{1,2})",
    "M": "(?P<M>[0-9]{2})",
    "S": "(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]+))?",
    "p": r"(?P<p>[ap])\.?m\.?",
    "z": r"(?P<z>(?:utc|gmt)? ?[+-][0-9]{1,2}(?::?[0-9]{2})?|[a-z]{1,3})(?: ?\([^)]*\))?",
    "a": rf"\(?(?:{_DAY_OF_WEEK})\.?\)?",
}
_COMPACT = {  # where no other sign says where a number ends
    "m": "(?P<m>[0-9]{2})",
    "d": "(?P<d>[0-9]{2})",
    "H": "(?P<H>[0-9]{2})",
    "V": "(?P<V>[0-9]{2})",
}
_ANY_TIME = (
    "(?P<H>[0-9]{1,2})(?::(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]+))?)?)?"
    rf"(?:{_SPACE}*(?P<p>[ap])\.?m\.?)?"
)
_BETWEEN = f"(?:{_SPACE}*[T ,:_\u00a0\u202f-]{_SPACE}*)"  # a date and a time


def date_form(values: pa.ChunkedArray, order: Order | None = None) -> str | None:
    """The form in which these texts are dates or times; None if there is none.

    All of them are, or nearly all of many: one typing error makes no column of another kind (see
    `odd_dates`).

    Args:
        values: Texts, and nulls.
        order: Which of month, day and year stands first; None if that is not known.
    """
    texts = _different(values)
    if not len(texts):
        return None
    lengths = pc.utf8_length(texts)
    longest = pc.max(lengths).as_py()
    some = texts.slice(0, _LOOKED_AT_FIRST)
    if 4 <= longest <= _LONGEST:
        # the longest has all the parts that any has; others may lack the time
        first = texts[pc.index(lengths, longest).as_py()].as_py()
        for form in _in_order(_forms_of(first), order):
            if _fits(some, form) and _fits(texts, form):
                return form
    return _nearly(texts, some, order) if len(texts) >= _MANY else None


def _in_order(forms: Iterable[str], order: Order | None) -> list[str]:
    return [one for one in forms if order is None or order_of(one) in (None, order)]


def _nearly(texts: pa.Array, some: pa.Array, order: Order | None) -> str | None:
    """The form in which nearly all of many different texts are dates."""
    seeds = some.take(np.linspace(0, len(some) - 1, _SEEDS).astype(np.int64)).to_pylist()
    forms = {form: None for one in seeds if len(one) <= _LONGEST for form in _forms_of(one)}
    for form in _in_order(forms, order):
        odd = np.isnan(_seconds(some, pattern(form, strict=True)))
        if odd.mean() <= MOST_ODD:
            odd = np.isnan(_seconds(texts, pattern(form, strict=True)))
            if odd.mean() <= MOST_ODD:
                return form
    return None


def odd_dates(values: pa.ChunkedArray, form: str) -> np.ndarray:
    """Which texts are no dates in a form, bool (N,)."""
    found = values.cast(pa.string()).combine_chunks().dictionary_encode()
    texts = pc.utf8_trim_whitespace(found.dictionary)
    odd = np.isnan(_seconds(texts, pattern(form, strict=True)))
    indices = found.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.append(odd, False)[indices]


def form_of_type(kind: pa.DataType) -> str | None:
    """The form in which times of an Arrow type are written as text; None if it holds none."""
    if pa.types.is_date(kind):
        return "%Y-%m-%d"
    if pa.types.is_timestamp(kind):
        return "%Y-%m-%d %H:%M:%S" + " %z" * (kind.tz is not None)
    return "%H:%M:%S" if pa.types.is_time(kind) else None


def other_form(values: pa.ChunkedArray, form: str) -> str | None:
    """A form with day, month and year exchanged, if all texts could be meant like that as well."""
    date, rest = form.removeprefix("%a ")[:8], form.removeprefix("%a ")[8:]
    alike = {
        "%m/%d/%Y": ("%d/%m/%Y",), "%d/%m/%Y": ("%m/%d/%Y",),
        "%d-%m-%Y": ("%m-%d-%Y",), "%m-%d-%Y": ("%d-%m-%Y",),
        "%m/%d/%y": ("%d/%m/%y", "%y/%m/%d"), "%d/%m/%y": ("%m/%d/%y", "%y/%m/%d"),
        "%d-%m-%y": ("%m-%d-%y", "%y-%m-%d"), "%m-%d-%y": ("%d-%m-%y", "%y-%m-%d"),
        "%y/%m/%d": ("%m/%d/%y", "%d/%m/%y"), "%y-%m-%d": ("%d-%m-%y", "%m-%d-%y"),
    }.get(date, ())  # fmt: skip
    texts = _different(values) if alike else values
    return next((f"{one}{rest}" for one in alike if _fits(texts, f"{one}{rest}")), None)


def order_of(form: str) -> Order | None:
    """Which stands first; None where nothing could be exchanged, as with the names of months."""
    form = form.removeprefix("%a ")
    if form.startswith(("%Y", "%y", "%G")):
        return "year-first"
    if form.startswith("%m"):
        return "month-first"
    return "day-first" if form.startswith("%d") and "%m" in form else None


def in_words(form: str) -> str:
    """A form as people write it: "%d/%m/%Y" is day/month/year."""
    form = re.sub("(%[A-Za-z])(?=%[A-Za-z])", r"\1 ", form)
    words = {"Q%q": "quarter", "%qQ": "quarter ", "%a ": "weekday ", " %a": " weekday"}
    words |= {"%Y": "year", "%y": "year", "%G": "year", "%m": "month", "%b": "month", "%d": "day"}
    words |= {"W%V": "week", "%u": "weekday", "%H": "hour", "%I": "hour", "%M": "minute"}
    words |= {"%S": "second", "%p": "AM or PM", "%z": "zone"}
    for sign, word in words.items():
        form = form.replace(sign, word)
    return form


def form_note(values: pa.ChunkedArray, form: str, order: Order | None = None) -> str:
    """What a user should know of how a column's texts are read; empty where that is plain.

    Args:
        values: The texts.
        form: In which form they are read.
        order: What the user said of their order.
    """
    notes = []
    other = other_form(values, form) if order is None else None
    if other is not None:
        say = order_of(other)
        notes.append(f"read as {in_words(form)}; say {say} if it is {in_words(other)}")
    if "%y" in form:
        notes.append("two-digit years are 1969 to 2068")
    return "; ".join(notes)


def is_form(form: str) -> bool:
    """Whether this is one of the forms that `date_form` finds."""
    rest = form.removesuffix(" %z").removeprefix("%a ").removesuffix(" %a")
    if rest in (*DATES, *PERIODS, *TIMES):
        return True
    return any(
        rest.removesuffix(f" {time}") in DATES for time in _TIMES_AFTER_A_DATE if time in rest
    )


def as_seconds(values: pa.ChunkedArray, form: str = "") -> np.ndarray:
    """Seconds since 1970, or since midnight; float64 of shape (N,), NaN where there is none.

    Args:
        values: Times of any type, or texts.
        form: In which form texts are written; empty if that is to be found. Years may be of two
            digits or four, and the time of day may be there or not, whatever the form says.

    Raises:
        ValueError: Not all of the values are dates in one form, or it is not certain in which.
    """
    if pa.types.is_temporal(values.type):
        own = form_of_type(values.type)
        if own is None:
            raise ValueError(f"they are of type {values.type}")
        if form and len(values) > values.null_count:
            _check_alike(own, form)
        return _of_type(values)
    if not (pa.types.is_integer(values.type) or _is_text(values.type) or _is_empty(values)):
        raise ValueError(f"they are of type {values.type}")
    texts = values.cast(pa.string()).combine_chunks().dictionary_encode()
    form = form or _certain_form(pa.chunked_array([texts.dictionary]))
    known = _seconds(texts.dictionary, pattern(form, strict=False))
    indices = texts.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    blank = np.array([not one.strip() for one in texts.dictionary.to_pylist()], bool)
    found = np.append(known, np.nan)[indices]
    wrong = np.append(np.isnan(known) & ~blank, False)[indices]
    if wrong.any():
        row = int(wrong.argmax())
        first = texts.dictionary[int(indices[row])].as_py().strip()[:40]
        raise ValueError(f"{first!r} in row {row + 1} is not written as {in_words(form)}")
    return found


def pattern(form: str, *, strict: bool) -> str:
    """A regular expression for texts in a form, in the language that RE2 and Python share.

    The groups: Y, m, d, b (month's name), q, G, V, u (week), H, M, S, f (fraction), p, z.

    Args:
        form: The form.
        strict: Whether years have as many digits as it says, and texts no more parts.
    """
    date, time, zone = _split(form)
    body = _written(date, strict=strict)
    if not date:
        body += _written(time, strict=True) if strict else _ANY_TIME
    elif "%H" not in date and any(sign in date for sign in ("%d", "%u")):
        inner = _ANY_TIME if not strict else _written(time, strict=True)
        if not strict and time and ":" not in time:
            inner = _written(time, strict=True)
        if inner:
            body += f"(?:{_BETWEEN}{inner})?"
    if zone:
        body += f"{_SPACE}*{_TOKENS['z']}"
    return f"(?i)^{_SPACE}*{body}{_SPACE}*$"


def _split(form: str) -> tuple[str, str, str]:
    """The date, the time and the zone of a form."""
    body = form.removesuffix(" %z")
    zone = "%z" if body != form else ""
    for time in sorted(_TIMES_AFTER_A_DATE, key=len, reverse=True):
        if body == time:
            return "", time, zone
        if body.endswith(f" {time}"):
            return body.removesuffix(f" {time}"), time, zone
    return body, "", zone


def _written(form: str, *, strict: bool) -> str:
    """The pattern of one part of a form."""
    is_compact = bool(re.search("%[A-Za-z]%[a-zA-Z]", form)) and "%b" not in form
    has_name = "%b" in form
    period = not any(sign in form for sign in ("%d", "%u", "%H", "%I"))
    found, index = "", 0
    while index < len(form):
        sign = form[index : index + 2]
        if sign[0] != "%":
            found += f"{_SPACE}*" if sign == " %" and form[index + 2] == "p" else ""
            found += f"{_SPACE}+" if form[index] == " " else re.escape(form[index])
            found = found.replace(f"{_SPACE}*{_SPACE}+", f"{_SPACE}*")
            index += 1
            continue
        token = _COMPACT.get(sign[1]) if is_compact else None
        token = token or _TOKENS[sign[1]]
        if sign in ("%Y", "%G") and period and strict:
            token = token.replace("[0-9]{4}", "1[5-9][0-9]{2}|2[01][0-9]{2}")
        if sign == "%Y" and not strict and not is_compact:
            token = _TOKENS["y"]
        if sign == "%d" and has_name:
            token += "(?:st|nd|rd|th)?"
        found += token
        index += 2
    return found


@lru_cache(maxsize=1024)
def _compiled(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _forms_of(text: str) -> list[str]:
    """All forms that a text may be written in."""
    found = [
        f"{time}{zone}"
        for time in TIMES
        for zone in ("", " %z")
        if _compiled(pattern(f"{time}{zone}", strict=True)).match(text)
    ]
    for date in (*DATES, *PERIODS):
        for named in (date, f"%a {date}", f"{date} %a"):
            start = _compiled(f"(?i)^{_SPACE}*{_written(named, strict=True)}").match(text)
            if start is not None:
                found += _with_rest(named, text)
    return [one for one in found if _compiled(pattern(one, strict=True)).match(text)]


def _with_rest(date: str, text: str) -> list[str]:
    """The date alone, and with each time and zone that the text may have behind it."""
    if not any(sign in text for sign in ":.") and "T" not in text and "m" not in text.lower():
        return [date]
    times = [time for time in _TIMES_AFTER_A_DATE if "%H" not in date]
    return [date, *(f"{date} {time}{zone}" for time in times for zone in ("", " %z"))]


def _different(values: pa.ChunkedArray) -> pa.Array:
    """The different texts without spaces around them, and without empty ones."""
    texts = pc.utf8_trim_whitespace(pc.unique(values.cast(pa.string())).drop_null())
    return texts.filter(pc.greater(pc.utf8_length(texts), 0))


def _certain_form(texts: pa.ChunkedArray) -> str:
    if not len(_different(texts)):
        return DATES[0]  # whichever: there is nothing to be read
    form = date_form(texts)
    if form is None:
        raise ValueError("no form fits all of them")
    other = other_form(texts, form)
    if other is not None:
        first = str(_different(texts)[0])
        raise ValueError(f"{first!r} can be {in_words(form)} or {in_words(other)}")
    return form


def _fits(texts: pa.Array, form: str) -> bool:
    return not np.isnan(_seconds(texts, pattern(form, strict=True))).any()


def _check_alike(own: str, form: str) -> None:
    """Check that times of a type are of the kind that a form writes."""
    if (own in TIMES) != (form.removesuffix(" %z") in TIMES):
        what = "times of day" if own in TIMES else "dates"
        raise ValueError(f"they are {what}, and not written as {in_words(form)}")
    if own.endswith("%z") != ("%z" in form) and own != "%Y-%m-%d":
        has = "have a time zone" if own.endswith("%z") else "have no time zone"
        raise ValueError(f"they {has}, unlike {in_words(form)}")


def _of_type(values: pa.ChunkedArray) -> np.ndarray:
    kind = values.type
    if pa.types.is_time(kind):
        per_second = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
        whole = values.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
    else:
        if pa.types.is_date(kind):
            values = values.cast(pa.timestamp("s"), safe=False)
        per_second = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[values.type.unit]
        whole = values.cast(pa.int64())
    numbers = pc.cast(whole, pa.float64(), safe=False)
    return numbers.to_numpy(zero_copy_only=False).astype(np.float64) / per_second


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_empty(values: pa.ChunkedArray) -> bool:
    return values.null_count == len(values)


def _seconds(texts: pa.Array, pattern: str) -> np.ndarray:
    """When texts were, float64 (N,), NaN where one does not match or there is no such day."""
    parts = pc.extract_regex(texts, pattern)
    names = {field.name for field in parts.type}
    size = len(texts)
    matched = parts.is_valid().to_numpy(zero_copy_only=False)

    def letters(name: str) -> np.ndarray:
        if name not in names:
            return np.full(size, "", object)
        return pc.utf8_lower(pc.struct_field(parts, name)).fill_null("").to_numpy(False)

    def number(name: str, default: int) -> np.ndarray:
        if name not in names:
            return np.full(size, default, np.int64)
        found = pc.struct_field(parts, name).fill_null("")
        found = pc.if_else(pc.equal(found, ""), str(default), found)
        return found.cast(pa.int64()).to_numpy(zero_copy_only=False)

    seconds, is_time = _time_of_day(letters, number)
    if "Y" in names or "G" in names:
        days, is_day = _days(names, letters, number)
        matched = matched & is_day
        seconds = seconds + 86_400.0 * days
    if "z" in names:
        offsets = [_offset(one) for one in letters("z")]
        seconds = seconds - np.array(offsets, np.float64)
    return np.where(matched & is_time, seconds, np.nan)


def _time_of_day(letters: Any, number: Any) -> tuple[np.ndarray, np.ndarray]:
    """Seconds since midnight, and whether there is such a time."""
    hour, minute, second = number("H", 0), number("M", 0), number("S", 0)
    fraction = np.array([float(f"0.{one}") if one else 0.0 for one in letters("f")])
    half = letters("p")
    is_half, is_late = half != "", half == "p"
    exists = np.where(is_half, (hour >= 1) & (hour <= 12), hour <= 23)
    exists |= ~is_half & (hour == 24) & (minute == 0) & (second == 0)  # the end of a day
    exists &= (minute <= 59) & (second <= 60)
    exists &= (letters("H") == "") | (letters("M") != "") | is_half  # 13 alone is no time
    hour = np.where(is_half, hour % 12 + 12 * is_late, hour)
    return 3600.0 * hour + 60.0 * minute + second + fraction, exists


def _days(names: set[str], letters: Any, number: Any) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970, and whether there is such a day."""
    if "G" in names:  # the first week of a year is that with the 4th of January
        first = (number("G", 1970) - 1970).astype("datetime64[Y]").astype("datetime64[D]")
        days = first.astype(np.int64) + 3
        week = number("V", 1)
        monday = days - (days + 3) % 7
        return monday + 7 * (week - 1) + number("u", 1) - 1, (week >= 1) & (week <= 53)
    year = number("Y", 1970)
    if "Y" in names:
        is_short = _lengths(letters("Y")) == 2
        year = np.where(is_short, year + np.where(year < 69, 2000, 1900), year)
    month = number("m", 1)
    if "b" in names:
        indices = {name: index for index, name in enumerate(_MONTHS, 1)} | {"": 1}
        month = np.array([indices[one[:3]] for one in letters("b")], np.int64)
    if "q" in names:
        month = 3 * number("q", 1) - 2
    day = number("d", 1)
    is_month = (month >= 1) & (month <= 12)
    months = 12 * (year - 1970) + np.where(is_month, month, 1) - 1
    start = months.astype("datetime64[M]").astype("datetime64[D]")
    after = (months + 1).astype("datetime64[M]").astype("datetime64[D]")
    exists = is_month & (day >= 1) & (day <= (after - start).astype(np.int64))
    return start.astype(np.int64) + day - 1, exists


def _lengths(texts: np.ndarray) -> np.ndarray:
    return np.array([len(one) for one in texts], np.int64)


def _offset(zone: str) -> float:
    """Seconds east of UTC; NaN where the name of a zone is not known."""
    zone = zone.strip()
    if zone in _ZONES:
        return 3600.0 * _ZONES[zone]
    signed = zone.removeprefix("utc").removeprefix("gmt").strip().replace(":", "")
    if not signed:
        return 0.0
    if signed[0] not in "+-":
        return float("nan")
    digits = signed[1:]
    hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])
    return (1 if signed[0] == "+" else -1) * (3600.0 * int(hours) + 60.0 * int(minutes))
