"""What time it is where somebody is: instants ↔ wall-clock times, in arrays over people.

Times are numpy ``datetime64[us]`` without a zone; which clock they are of is said by the name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from healthmate_bi_pipeline.domain.time_zones import offset_stretches

Times = npt.NDArray[np.datetime64]
Integers = npt.NDArray[np.int64]

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",  # half an hour beside the others, and no clock changes
    "Pacific/Auckland",  # clock changes on other days, and the other way round
    "Europe/London",
    "America/Los_Angeles",
)
POUNDS_AND_FAHRENHEIT = (1, 5)
"""The places in ``ZONES`` where people weigh themselves in pounds."""
SOUTHERN = (3,)
NEVER = np.datetime64("9999-01-01", "us")


@dataclass(frozen=True)
class Clocks:
    """The zones of some people, of whom each may move once.

    Attributes:
        zone: place in ``ZONES``, per person.
        next_zone: the same, after the move.
        moves_at: when, UTC; ``NEVER`` for those who stay.
        first_year: first year of the times that are asked for.
        last_year: the last one.
    """

    zone: Integers
    next_zone: Integers
    moves_at: Times
    first_year: int
    last_year: int

    def offset_minutes(self, person: Integers, utc: Times) -> Integers:
        """Wall-clock time minus UTC of people at instants; NaT counts as no time at all and gives 0."""
        zone = np.where(utc >= self.moves_at[person], self.next_zone[person], self.zone[person])
        offsets = np.zeros(utc.shape, dtype=np.int64)
        for place in np.unique(zone).tolist():
            starts, _, minutes = self._stretches(place)
            here = (zone == place) & ~np.isnat(utc)
            offsets[here] = minutes[np.searchsorted(starts, utc[here], side="right") - 1]
        return offsets

    def to_local(self, person: Integers, utc: Times) -> Times:
        """Wall-clock times of instants."""
        local: Times = utc + as_minutes(self.offset_minutes(person, utc))
        return local

    def to_utc(self, person: Integers, local: Times) -> Times:
        """Instants of wall-clock times: of two the earlier one; of none, one before the clock changed."""
        before = self._to_utc(self.zone[person], local)
        is_before = before < self.moves_at[person]
        return np.where(is_before, before, self._to_utc(self.next_zone[person], local))

    def _to_utc(self, zone: Integers, local: Times) -> Times:
        utc = local.copy()
        for place in np.unique(zone).tolist():
            _, local_ends, minutes = self._stretches(place)
            here = zone == place
            utc[here] -= as_minutes(minutes[np.searchsorted(local_ends, local[here], side="right")])
        return utc

    def _stretches(self, place: int) -> tuple[Times, Times, Integers]:
        return _stretches(ZONES[place], self.first_year, self.last_year)


@lru_cache(maxsize=64)
def _stretches(zone: str, first_year: int, last_year: int) -> tuple[Times, Times, Integers]:
    """Starts (UTC), ends (wall-clock) and offsets of the stretches of a zone."""
    found = offset_stretches(zone, start=datetime(first_year, 1, 1), end=datetime(last_year + 1, 1, 1))
    starts = np.array([stretch.start for stretch in found], dtype="datetime64[us]")
    offsets = np.array([stretch.offset_minutes for stretch in found], dtype=np.int64)
    ends: Times = np.array([stretch.end for stretch in found], dtype="datetime64[us]")
    ends += as_minutes(offsets)
    return starts, ends, offsets


@dataclass(frozen=True)
class Span:
    """The days of the demo, both inclusive."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many there are."""
        return (self.last - self.first).days + 1

    @property
    def midnights(self) -> Times:
        """The wall-clock start of each day."""
        return np.array(
            [self.first + timedelta(days=day) for day in range(self.days)], dtype="datetime64[us]"
        )

    @property
    def end(self) -> np.datetime64:
        """The wall-clock end of the last day."""
        return np.datetime64(self.last + timedelta(days=1), "us")

    def day_of(self, local: Times) -> Integers:
        """The number of the day that wall-clock times lie in, 0 being the first."""
        start = np.datetime64(self.first, "D")
        return (local.astype("datetime64[D]") - start).astype(np.int64)


def as_minutes(count: npt.NDArray[np.integer | np.floating]) -> npt.NDArray[np.timedelta64]:
    """A number of minutes as durations, to the second."""
    return (np.round(count * 60).astype(np.int64) * 1_000_000).astype("timedelta64[us]")


def hours_of(local: Times) -> npt.NDArray[np.float64]:
    """The time of day of wall-clock times, in hours."""
    since_midnight = local - local.astype("datetime64[D]").astype("datetime64[us]")
    hours: npt.NDArray[np.float64] = since_midnight.astype(np.int64) / 3_600_000_000
    return hours
