"""Where clocks change: a time zone as a list of stretches of constant offset.

The database of zones is the ``tzdata`` package, pinned like any dependency, so that the same rows get the same
wall-clock times on every machine and every engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

DISTANT_PAST = datetime(1, 1, 2)
DISTANT_FUTURE = datetime(9999, 12, 30)


@dataclass(frozen=True)
class OffsetStretch:
    """A stretch of instants (UTC, half-open) during which a zone has one offset."""

    start: datetime
    end: datetime
    offset_minutes: int


@lru_cache(maxsize=1)
def known_time_zones() -> frozenset[str]:
    """The names of all IANA time zones."""
    return frozenset((resources.files("tzdata") / "zones").read_text(encoding="utf-8").split())


def offset_stretches(zone: str, *, start: datetime, end: datetime) -> tuple[OffsetStretch, ...]:
    """The stretches of constant offset of a zone that cover ``start`` to ``end`` (UTC, naive).

    The first one reaches back and the last one ahead without end, so that any instant has an offset.
    Offsets are whole minutes; the seconds of local mean time (before 1972) are rounded.

    >>> [
    ...     s.offset_minutes
    ...     for s in offset_stretches("Europe/Berlin", start=datetime(2026, 1, 1), end=datetime(2026, 12, 31))
    ... ]
    [60, 120, 60]

    Raises:
        ValueError: the zone is unknown.
    """
    changes = [
        change for year in range(start.year, end.year + 1) for change in _changes_of_year(zone, year)
    ]  # fmt: skip
    changes = [change for change in changes if start < change[0] < end]
    starts = [DISTANT_PAST, *(moment for moment, _ in changes)]
    ends = [*(moment for moment, _ in changes), DISTANT_FUTURE]
    offsets = [_offset_minutes(_zone(zone), start), *(offset for _, offset in changes)]
    return tuple(OffsetStretch(*parts) for parts in zip(starts, ends, offsets, strict=True))


@lru_cache(maxsize=4096)
def _changes_of_year(zone: str, year: int) -> tuple[tuple[datetime, int], ...]:
    """The instants of a UTC year at which the offset changes, with the offset from then on."""
    place = _zone(zone)
    changes: list[tuple[datetime, int]] = []
    moment, last = datetime(year, 1, 1), datetime(year + 1, 1, 1)
    offset = _offset_minutes(place, moment - timedelta(minutes=1))
    while moment <= last:
        if _offset_minutes(place, moment) != offset:
            before, after = moment - timedelta(days=1), moment
            while after - before > timedelta(minutes=1):
                middle = before + timedelta(minutes=int((after - before).total_seconds() // 120))
                if _offset_minutes(place, middle) == offset:
                    before = middle
                else:
                    after = middle
            if after < last:
                offset = _offset_minutes(place, after)
                changes.append((after, offset))
        moment += timedelta(days=1)
    return tuple(changes)


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    # Not ZoneInfo(name): that prefers the machine's own database, which differs from machine to machine.
    if name not in known_time_zones():
        raise ValueError(f"unknown time zone {name!r}")
    with (resources.files("tzdata") / "zoneinfo" / name).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _offset_minutes(place: ZoneInfo, moment: datetime) -> int:
    offset = moment.replace(tzinfo=UTC).astimezone(place).utcoffset()
    if offset is None:  # pragma: no cover - a ZoneInfo always has one
        raise ValueError(f"{place} has no offset")
    return round(offset.total_seconds() / 60)
