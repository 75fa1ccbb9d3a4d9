"""What time it is where somebody is: instants ↔ wall-clock times, in arrays over people.

Times are numpy ``datetime64[us]`` without a zone; which clock they are of is said by the name. Everyone's
offset is looked up in a table by the hour, so that moves and travel cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from healthmate_bi_pipeline.domain.time_zones import offset_stretches
from healthmate_bi_pipeline.sources.demo.places import ZONES

Times = npt.NDArray[np.datetime64]
Integers = npt.NDArray[np.integer[Any]]
Numbers = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]

NEVER = 1 << 30
"""The number of a day that does not come."""
_MARGIN_DAYS = 5
_HOUR_US = 3_600_000_000
_MOST_EAST, _MOST_WEST = np.timedelta64(14, "h"), np.timedelta64(12, "h")
_NOON = np.timedelta64(12, "h")


@dataclass(frozen=True)
class Span:
    """The days of the demo, both inclusive; a day is known by its number, 0 being the first."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many there are."""
        return (self.last - self.first).days + 1

    @cached_property
    def dates(self) -> Times:
        """The dates, as ``datetime64[D]``."""
        return np.datetime64(self.first, "D") + np.arange(self.days)

    @cached_property
    def midnights(self) -> Times:
        """The wall-clock start of each day."""
        return self.dates.astype("datetime64[us]")

    @property
    def end(self) -> np.datetime64:
        """The wall-clock end of the last day."""
        return np.datetime64(self.last + timedelta(days=1), "us")

    def day_of(self, local: Times) -> Integers:
        """The number of the day that wall-clock times lie in."""
        return (local.astype("datetime64[D]") - np.datetime64(self.first, "D")).astype(np.int64)

    def number_of(self, day: date) -> int:
        """The number of a date, which may lie outside."""
        return (day - self.first).days

    def date_of(self, number: int) -> date:
        """The date of a day's number."""
        return self.first + timedelta(days=number)

    @cached_property
    def is_weekend(self) -> Flags:
        """Whether each day is a Saturday or a Sunday."""
        weekend: Flags = (self.first.weekday() + np.arange(self.days)) % 7 >= 5
        return weekend

    @cached_property
    def week(self) -> Integers:
        """The number of each day's week, from Monday to Sunday; 0 is the one of the first day."""
        return (self.first.weekday() + np.arange(self.days)) // 7

    def monday_of(self, week: Integers) -> Integers:
        """The numbers of the days on which weeks begin; the first one may lie before the span."""
        return week * 7 - self.first.weekday()

    @cached_property
    def month(self) -> Integers:
        """The month of each day, 1 to 12."""
        return self.dates.astype("datetime64[M]").astype(np.int64) % 12 + 1

    @cached_property
    def warmth(self) -> Numbers:
        """The season north of the equator: 1 in the middle of July, −1 in the middle of January."""
        day_of_year = (self.dates - self.dates.astype("datetime64[Y]")).astype(np.int64)
        warmth: Numbers = np.cos(2 * np.pi * (day_of_year - 196) / 365.25)
        return warmth


@dataclass(frozen=True)
class Stay:
    """From which day on and until before which day people are in another place; one value per person."""

    first_day: Integers
    end_day: Integers
    place: Integers


@dataclass(frozen=True)
class Clocks:
    """The clocks of some people.

    Attributes:
        start: the first hour of the table, UTC.
        offsets: wall-clock time minus UTC in minutes, people × hours.
    """

    start: np.datetime64
    offsets: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.offsets)

    def offset_minutes(self, person: Integers, utc: Times) -> Integers:
        """Wall-clock time minus UTC of people at instants."""
        hour = (utc - self.start).astype(np.int64) // _HOUR_US
        return self.offsets[person, np.clip(hour, 0, self.offsets.shape[1] - 1)].astype(np.int64)

    def to_local(self, person: Integers, utc: Times) -> Times:
        """Wall-clock times of instants."""
        local: Times = utc + as_minutes(self.offset_minutes(person, utc))
        return local

    def to_utc(self, person: Integers, local: Times) -> Times:
        """Instants of wall-clock times: of two the earlier one; one that was skipped comes as much later."""
        before = self.offset_minutes(person, local - _MOST_EAST)
        after = self.offset_minutes(person, local + _MOST_WEST)
        first: Times = local - as_minutes(before)
        if (before == after).all():
            return first
        second = local - as_minutes(after)
        is_second = (self.offset_minutes(person, first) != before) & (
            self.offset_minutes(person, second) == after
        )
        return np.where(is_second, second, first)


UTC_CLOCKS = Clocks(np.datetime64(0, "us"), np.zeros((1, 1), dtype=np.int16))
"""Of the backend, which is nobody."""


def make_clocks(span: Span, home: Integers, stays: Sequence[Stay] = ()) -> Clocks:
    """The clocks of people by their places, changing at noon UTC of the days on which they leave."""
    start = span.midnights[0] - np.timedelta64(_MARGIN_DAYS, "D")
    hours = (span.days + 2 * _MARGIN_DAYS) * 24
    place = np.broadcast_to(home[:, None], (len(home), hours)).copy()
    hour = np.arange(hours)
    for stay in stays:
        first, end = (
            ((day + _MARGIN_DAYS) * 24 + 12)[:, None].astype(np.int64)
            for day in (stay.first_day, stay.end_day)
        )
        place = np.where((hour >= first) & (hour < end), stay.place[:, None], place)
    table = np.stack([_offsets(zone, str(start), hours) for zone in ZONES])
    return Clocks(start, table[place, hour])


def change_of_place(span: Span, day: Integers) -> Times:
    """The instants at which people arrive who change their place on days."""
    arrival: Times = span.midnights[0] + day.astype("timedelta64[D]") + _NOON
    return arrival


@lru_cache(maxsize=64)
def _offsets(zone: str, start: str, hours: int) -> npt.NDArray[np.int16]:
    """The offset of a zone by the hour."""
    first: datetime = np.datetime64(start, "us").item()
    stretches = offset_stretches(zone, start=first, end=first + timedelta(hours=hours))
    utc = np.datetime64(start, "us") + np.arange(hours) * np.timedelta64(1, "h")
    starts = np.array([stretch.start for stretch in stretches], dtype="datetime64[us]")
    minutes = np.array([stretch.offset_minutes for stretch in stretches], dtype=np.int16)
    return minutes[np.searchsorted(starts, utc, side="right") - 1]


def as_minutes(count: Integers | Numbers) -> npt.NDArray[np.timedelta64]:
    """A number of minutes as durations, to the second."""
    if count.dtype.kind == "i":
        return (count.astype(np.int64) * 60_000_000).astype("timedelta64[us]")
    return (np.round(count * 60).astype(np.int64) * 1_000_000).astype("timedelta64[us]")


def hours_of(local: Times) -> Numbers:
    """The time of day of wall-clock times, in hours."""
    since_midnight = local - local.astype("datetime64[D]").astype("datetime64[us]")
    hours: Numbers = since_midnight.astype(np.int64) / _HOUR_US
    return hours
