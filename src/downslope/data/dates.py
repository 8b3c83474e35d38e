"""Dates that are written as texts: in which form a column writes them, and when they were.

One form has to fit a whole column. Where two do, as in 03/04/2024, nothing in the data says which
is meant: the first of `FORMS` is taken, and who shows the column says so.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
from pyarrow import compute

pc: Any = compute  # whose functions are made when it is imported

Order = Literal["month-first", "day-first"]
ORDERS: tuple[Order, ...] = get_args(Order)
FORMS = (
    "%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%d %b %Y", "%b %d, %Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
)  # fmt: skip
_LOOKED_AT_FIRST = 1000  # rows; most forms fail on the first


def date_form(values: pa.ChunkedArray, order: Order | None = None) -> str | None:
    """The form in which all of these texts are dates; None if there is none.

    Args:
        values: Texts, and nulls.
        order: Whether the month or the day stands first; None if that is not known.
    """
    some = pc.drop_null(values.slice(0, _LOOKED_AT_FIRST))
    for form in FORMS if len(some) else ():
        if order in (None, order_of(form)) and _fits(some, form) and _fits(values, form):
            return form
    return None


def other_form(values: pa.ChunkedArray, form: str) -> str | None:
    """The form with day and month exchanged, if all texts could be meant like that as well."""
    if order_of(form) is None:
        return None
    swapped = form.replace("%m", "%D").replace("%d", "%m").replace("%D", "%d")
    return swapped if swapped in FORMS and _fits(values, swapped) else None


def order_of(form: str) -> Order | None:
    """Whether the month or the day stands first; None where the year or a month's name does."""
    if form.startswith("%m"):
        return "month-first"
    return "day-first" if form.startswith("%d") and "%m" in form else None


def in_words(form: str) -> str:
    """A form as people write it: "%d/%m/%Y" is day/month/year."""
    words = {"%Y": "year", "%m": "month", "%b": "month", "%d": "day"}
    words |= {"%H": "hour", "%M": "minute", "%S": "second"}
    for sign, word in words.items():
        form = form.replace(sign, word)
    return form


def as_seconds(values: pa.ChunkedArray, form: str = "") -> np.ndarray:
    """Seconds since 1970 as float64 of shape (N,), NaN where there is no date.

    Args:
        values: Times of any kind, or texts.
        form: In which form texts are written; empty if that is to be found.

    Raises:
        ValueError: Not all of the values are dates in one form, or it is not certain in which.
    """
    if not pa.types.is_temporal(values.type):
        texts = values.cast(pa.string())
        form = form or _certain_form(texts)
        read = _read(texts, form)
        if read.null_count > texts.null_count:
            wrong = pc.and_(pc.is_valid(texts), pc.is_null(read))
            first = str(texts.filter(wrong)[0])[:40]
            raise ValueError(f"{first!r} is not written as {in_words(form)}")
        values = read
    instants = values.cast(pa.timestamp("s"), safe=False)
    seconds = instants.cast(pa.int64()).cast(pa.float64(), safe=False)
    return seconds.to_numpy(zero_copy_only=False).astype(np.float64)


def _certain_form(texts: pa.ChunkedArray) -> str:
    if len(texts) == texts.null_count:
        return FORMS[0]  # whichever: there is nothing to be read
    form = date_form(texts)
    if form is None:
        raise ValueError("no form fits all of them")
    other = other_form(texts, form)
    if other is not None:
        first = str(pc.drop_null(texts)[0])
        raise ValueError(f"{first!r} can be {in_words(form)} or {in_words(other)}")
    return form


def _fits(texts: pa.ChunkedArray, form: str) -> bool:
    return _read(texts, form).null_count == texts.null_count


def _read(texts: pa.ChunkedArray, form: str) -> pa.ChunkedArray:
    return pc.strptime(texts, format=form, unit="s", error_is_null=True)
