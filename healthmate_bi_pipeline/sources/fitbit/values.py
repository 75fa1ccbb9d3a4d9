"""Texts → times and numbers, in arrays: the three styles of date, and plain decimal numbers.

A table has few distinct dates and few distinct times of day, so that each distinct text is read once, exactly
and without the operating system's locale, and the rest is array arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]

_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(?: ?([AP])M)?", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_EPOCH = date(1970, 1, 1).toordinal()
_NOTHING = np.iinfo(np.int64).min


@lru_cache(maxsize=1 << 16)
def day_number(text: str) -> int | None:
    """The day since 1970-01-01 that a text names; ``None`` if it is no date.

    >>> day_number("4/12/2016"), day_number("2016-04-12"), day_number("2/30/2016")
    (16903, 16903, None)
    """
    if match := _US_DATE.fullmatch(text):
        month, day, year = (int(part) for part in match.groups())
    elif match := _ISO_DATE.fullmatch(text):
        year, month, day = (int(part) for part in match.groups())
    else:
        return None
    try:
        return date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None


@lru_cache(maxsize=1 << 18)
def microsecond_of_day(text: str) -> int | None:
    """The time of day that a text names; midnight where it is empty, ``None`` if it is no time.

    >>> [
    ...     (microsecond_of_day(text) or 0) // 3_600_000_000
    ...     for text in ("12:00:00 AM", "1:00 pm", "13:00:00", "")
    ... ]
    [0, 13, 13, 0]
    >>> microsecond_of_day("13:00:00 PM") is None
    True
    """
    if not text:
        return 0
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if half := (match[5] or "").upper():
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "P" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + int((match[4] or "").ljust(6, "0"))


def parse_wall_clock(texts: pa.Array) -> tuple[pa.Array, Mask]:
    """Wall-clock times (``timestamp[us]``, naive), and which texts are none; those are null.

    Taken are ``4/12/2016 12:00:00 AM``, ``3/25/2016`` and ``2016-04-12 00:00:00`` (or with a ``T``), each
    with or without a time of day.
    """
    # The space behind makes two parts of a text without a time.
    padded = pc.binary_join_element_wise(pc.replace_substring(texts, "T", " ", max_replacements=1), "", " ")
    parts = pc.split_pattern(padded, " ", max_splits=1)
    days = _read_distinct(pc.list_element(parts, 0), day_number)
    times = _read_distinct(pc.utf8_trim(pc.list_element(parts, 1), " "), microsecond_of_day)
    bad = (days == _NOTHING) | (times == _NOTHING)
    moments = np.where(bad, 0, days * 86_400_000_000 + times)
    return pa.array(moments, pa.int64(), mask=bad).cast(pa.timestamp("us")), bad


def parse_numbers(texts: pa.Array) -> tuple[pa.Array, Mask]:
    """Numbers (null where the text is empty or no number), and which texts are neither empty nor a number."""
    filled = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    try:
        numbers = filled.cast(pa.float64())
    except pa.ArrowInvalid:
        numbers = pa.array([_number(text) for text in filled.to_pylist()], pa.float64())
    numbers = pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
    return numbers, as_mask(pc.and_(pc.is_valid(filled), pc.is_null(numbers)))


def _read_distinct(texts: pa.Array, read: Callable[[str], int | None]) -> npt.NDArray[np.int64]:
    encoded = texts.dictionary_encode()
    values = [read(text) for text in encoded.dictionary.to_pylist()]
    numbers = np.array([_NOTHING if value is None else value for value in values], dtype=np.int64)
    found: npt.NDArray[np.int64] = numbers[encoded.indices.to_numpy()]
    return found


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and _NUMBER.fullmatch(text) else None


def as_mask(values: pa.Array) -> Mask:
    """Booleans without nulls as a numpy array."""
    mask: Mask = values.to_numpy(zero_copy_only=False)
    return mask
