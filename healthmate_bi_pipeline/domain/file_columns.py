"""The columns of a file as it came: what is kept of them, and when they drift from those of the files before.

A column that is no longer delivered, is spelled otherwise or has changed its type makes figures null without any
row being wrong. Here is what counts as such a change; which files are compared is said in ``usecases.checks.drift``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

UNTYPED = "untyped"
"""The type of a column that says none: in CSV and NDJSON, and in Parquet where all values are null."""

NOT_SHOWN = "?"
"""Stands for every name that is not kept."""

MOST_UNKNOWN = 100
"""So many columns of a file that its dataset does not know are kept."""

REJECTED_LINE = "line"
"""Importers keep the text of a line that they could not read in a column of this name; no row is made from it."""

EXPECTED_SHARE = 0.95
"""A column is expected that so many of the files before had: a file by hand with fewer does not excuse all others."""

_LIKENESS = 0.85  # units for unit, not source_id for source
# Headers are words. Where rows were turned into columns, or objects are keyed by people, "names" are values: of
# numbers, times and addresses this lets none through. Up to three digits in a row are a name's (hba1c, pm_25).
_NAME = re.compile(r"(?!.*\d{4})[^\W\d][\w .()%/-]{0,62}")
# Whole numbers with a gap among them come as floating point from some writers; both are read as numbers.
_READ_AS = {"integer": "number"}


@dataclass(frozen=True)
class Retyped:
    """A column with a type that no file before had.

    Attributes:
        before: the types that it had.
        now: the type that it has.
    """

    name: str
    before: tuple[str, ...]
    now: str


@dataclass(frozen=True)
class Drift:
    """How the columns of a file differ from those of the files before.

    Attributes:
        lost: columns of the dataset that nearly all files before had, and this one has not.
        unknown: columns that the dataset does not know and that no file before had; of the first files those that
            are spelled nearly like one that is missing.
        retyped: columns of the dataset with a type that none of them had, where types are known.
    """

    lost: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    retyped: tuple[Retyped, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lost or self.unknown or self.retyped)


def kept_columns(columns: Iterable[tuple[str, str]], known: Collection[str]) -> dict[str, str]:
    """What is kept of a file's columns: the types by name.

    Args:
        columns: names as they are read, and types.
        known: the columns of the dataset.

    >>> kept_columns([("user_id", "integer"), ("steps", "number"), ("jane@example.org", "text")], {"user_id"})
    {'user_id': 'integer', '?': 'text', 'steps': 'number'}
    """
    found = dict(columns)
    kept = {name: found[name] for name in sorted(found) if name in known}
    others = sorted({name if _NAME.fullmatch(name) else NOT_SHOWN: found[name] for name in found}.items())
    return kept | dict([(name, type_) for name, type_ in others if name not in known][:MOST_UNKNOWN])


def unread_columns(columns: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """The columns that the dataset does not know: nothing reads them."""
    return tuple(sorted(name for name in columns if name not in known and name != REJECTED_LINE))


def meant_column(name: str, columns: Collection[str], known: Iterable[str]) -> str | None:
    """The column of the dataset that an unknown one is likely to be: spelled nearly alike, and absent.

    >>> meant_column("calorie_kcal", {"calorie_kcal", "steps"}, ["calories_kcal", "steps"])
    'calories_kcal'
    """
    absent = [column for column in known if column not in columns]
    return next(iter(get_close_matches(name.strip().lower(), absent, n=1, cutoff=_LIKENESS)), None)


def with_meant(unread: Iterable[str], columns: Collection[str], known: Collection[str]) -> list[str]:
    """Unknown columns as people are told of them: each with the one that is likely to be meant.

    >>> with_meant(["colour", "units"], {"colour", "units"}, ["unit"])
    ['colour', 'units (unit?)']
    """
    meant = ((name, meant_column(name, columns, known)) for name in unread)
    shown = {NOT_SHOWN: f"{NOT_SHOWN} (a name that is not kept)"}
    return [f"{name} ({column}?)" if column else shown.get(name, name) for name, column in meant]


def find_drift(
    columns: Mapping[str, str], before: Mapping[str, Mapping[str, int]], *, files: int, known: Collection[str]
) -> Drift:
    """How the columns of a file differ from those of the files before it.

    Args:
        columns: its columns as they are kept.
        before: for each column of the files before, how many of them had it, by type.
        files: how many files there were before; none: nothing is a change, only a slip in writing is told.
        known: the columns of the dataset.

    >>> find_drift(
    ...     {"value": "text"},
    ...     {"value": {"number": 20}, "unit": {"text": 20}},
    ...     files=20,
    ...     known={"value", "unit"},
    ... )
    Drift(lost=('unit',), unknown=(), retyped=(Retyped(name='value', before=('number',), now='text'),))
    """
    if not files:
        unread = unread_columns(columns, known)
        return Drift(unknown=tuple(name for name in unread if meant_column(name, columns, known)))
    had = {name: sum(types.values()) for name, types in before.items()}
    lost = [
        name for name in sorted(known) if name not in columns and had.get(name, 0) >= EXPECTED_SHARE * files
    ]
    unknown = [name for name in unread_columns(columns, known) if name not in before]
    retyped = []
    for name in sorted(columns.keys() & before.keys() & set(known)):
        types = sorted(before[name].keys() - {UNTYPED})
        now = columns[name]
        if types and now != UNTYPED and _read_as(now) not in {_read_as(type_) for type_ in types}:
            retyped.append(Retyped(name, tuple(types), now))
    return Drift(tuple(lost), tuple(unknown), tuple(retyped))


def _read_as(type_: str) -> str:
    return _READ_AS.get(type_, type_)
