"""Time: windows that are half-open, and the six periods that tile it.

Wall-clock times are naive ``datetime`` values (DESIGN, rule 4); this module knows no time zones. Add here
what a period *is* (its floor, its next, its label); what is computed per period lives in ``transforms``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum


@dataclass(frozen=True, order=True)
class Window:
    """A half-open stretch of wall-clock time, ``start <= t < end``.

    >>> Window.of_days(date(2026, 1, 5), date(2026, 1, 6)).days
    2
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a window cannot end ({self.end}) before it starts ({self.start})")

    @classmethod
    def of_days(cls, first: date, last: date) -> Window:
        """The window from the first to the last day, both inclusive."""
        return cls(midnight(first), midnight(last) + timedelta(days=1))

    @classmethod
    def parse(cls, text: str) -> Window:
        """The window that is written so.

        Raises:
            ValueError: none is.

        >>> window = Window.of_days(date(2026, 1, 5), date(2026, 1, 6))
        >>> str(window), Window.parse(str(window)) == window
        ('2026-01-05…2026-01-06', True)
        """
        first, _, last = text.partition("…")
        start, end = datetime.fromisoformat(first), datetime.fromisoformat(last or first)
        return cls(start, end) if " " in text else cls.of_days(start.date(), end.date())

    def without(self, other: Window) -> list[Window]:
        """What is left of the window where another one is taken out of it.

        >>> january = Window.of_days(date(2026, 1, 1), date(2026, 1, 31))
        >>> [str(part) for part in january.without(Window.of_days(date(2026, 1, 5), date(2026, 1, 9)))]
        ['2026-01-01…2026-01-04', '2026-01-10…2026-01-31']
        """
        if self.intersection(other) is None:
            return [self]
        parts = ((self.start, other.start), (other.end, self.end))
        return [Window(start, end) for start, end in parts if start < end]

    @property
    def first_day(self) -> date:
        """The day that the window starts in."""
        return self.start.date()

    @property
    def last_day(self) -> date:
        """The last day that the window touches."""
        return (self.end - timedelta(microseconds=1)).date()

    @property
    def days(self) -> int:
        """How many days the window touches."""
        return (self.last_day - self.first_day).days + 1

    def each_day(self) -> Iterator[date]:
        """The days that the window touches, in order."""
        return (self.first_day + timedelta(days=number) for number in range(self.days))

    def widened(self, *, days_before: int = 0, days_after: int = 0) -> Window:
        """The window with whole days added on either side."""
        return Window(self.start - timedelta(days=days_before), self.end + timedelta(days=days_after))

    def intersection(self, other: Window) -> Window | None:
        """What both windows cover, or ``None``."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else None

    def __str__(self) -> str:
        if self.start.time() == self.end.time() == time():
            return f"{self.first_day}" if self.days == 1 else f"{self.first_day}…{self.last_day}"
        return f"{self.start:%Y-%m-%d %H:%M}…{self.end:%Y-%m-%d %H:%M}"


def midnight(day: date) -> datetime:
    """The start of a day."""
    return datetime.combine(day, time())


class Grain(StrEnum):
    """How finely additive state is kept."""

    FIVE_MINUTES = "five minutes"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"

    @property
    def plural(self) -> str:
        """Many of them, as in the names of tables.

        >>> [grain.plural for grain in Grain]
        ['five_minutes', 'hours', 'days', 'months']
        """
        return "five_minutes" if self is Grain.FIVE_MINUTES else f"{self}s"


class Period(StrEnum):
    """The six periods that figures are published for, from the shortest to the longest."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"

    def floor(self, moment: datetime) -> datetime:
        """The start of the period that a moment lies in. Weeks start on Monday (ISO 8601).

        >>> Period.WEEKLY.floor(datetime(2027, 1, 1)), Period.QUARTERLY.floor(datetime(2026, 6, 30, 23))
        (datetime.datetime(2026, 12, 28, 0, 0), datetime.datetime(2026, 4, 1, 0, 0))
        """
        day = datetime(moment.year, moment.month, moment.day)
        match self:
            case Period.HOURLY:
                return day + timedelta(hours=moment.hour)
            case Period.DAILY:
                return day
            case Period.WEEKLY:
                return day - timedelta(days=day.weekday())
            case Period.MONTHLY:
                return day.replace(day=1)
            case Period.QUARTERLY:
                return datetime(day.year, day.month - (day.month - 1) % 3, 1)
            case Period.YEARLY:
                return datetime(day.year, 1, 1)

    def next(self, start: datetime) -> datetime:
        """The start of the period after the one that starts at ``start``."""
        match self:
            case Period.HOURLY:
                return start + timedelta(hours=1)
            case Period.DAILY:
                return start + timedelta(days=1)
            case Period.WEEKLY:
                return start + timedelta(days=7)
            case Period.MONTHLY:
                return self.floor(start + timedelta(days=31))
            case Period.QUARTERLY:
                return self.floor(start + timedelta(days=93))
            case Period.YEARLY:
                return datetime(start.year + 1, 1, 1)

    def previous(self, start: datetime) -> datetime:
        """The start of the period before the one that starts at ``start``."""
        return self.floor(start - timedelta(seconds=1))

    def window(self, moment: datetime) -> Window:
        """The period that a moment lies in."""
        start = self.floor(moment)
        return Window(start, self.next(start))

    def windows(self, window: Window) -> Iterator[Window]:
        """The periods that a window touches, in order, each whole."""
        start = self.floor(window.start)
        while start < window.end:
            end = self.next(start)
            yield Window(start, end)
            start = end

    def covering(self, window: Window) -> Window:
        """The shortest run of whole periods that contains a window."""
        last = (
            self.floor(window.end - timedelta(microseconds=1)) if window.end > window.start else window.start
        )
        return Window(self.floor(window.start), self.next(self.floor(last)))

    def inside(self, window: Window) -> Window | None:
        """The longest run of whole periods that lies in a window, or ``None``.

        >>> print(Period.MONTHLY.inside(Window.of_days(date(2026, 1, 10), date(2026, 4, 20))))
        2026-02-01…2026-03-31
        """
        start = self.floor(window.start)
        if start < window.start:
            start = self.next(start)
        end = self.floor(window.end)
        return Window(start, end) if start < end else None

    @property
    def state_grain(self) -> Grain:
        """The grain of state that this period is merged from; a week is a dead end (DESIGN, rule 7)."""
        match self:
            case Period.HOURLY:
                return Grain.HOUR
            case Period.DAILY | Period.WEEKLY:
                return Grain.DAY
            case _:
                return Grain.MONTH

    def fits_into(self, window: Window) -> bool:
        """Whether a window is at least as long as the shortest of these periods.

        >>> Period.WEEKLY.fits_into(Window.of_days(date(2026, 1, 1), date(2026, 1, 7)))
        True
        """
        shortest = {
            Period.HOURLY: timedelta(hours=1),
            Period.DAILY: timedelta(days=1),
            Period.WEEKLY: timedelta(days=7),
            Period.MONTHLY: timedelta(days=28),
            Period.QUARTERLY: timedelta(days=90),
            Period.YEARLY: timedelta(days=365),
        }
        return window.end - window.start >= shortest[self]

    @property
    def partitioned_by(self) -> Period:
        """The period that its tables are partitioned by: hourly rows are made a day at a time (rule 5)."""
        return Period.DAILY if self is Period.HOURLY else self

    def label(self, start: datetime) -> str:
        """The key of a partition: the first day of the period.

        >>> Period.MONTHLY.label(datetime(2026, 2, 1))
        '2026-02-01'
        """
        return f"{start:%Y-%m-%d}"

    def parse_label(self, label: str) -> Window:
        """The window of the partition with this label.

        Raises:
            ValueError: the label is no day, or no period starts on it.
        """
        start = midnight(date.fromisoformat(label))
        window = self.partitioned_by.window(start)
        if window.start != start:
            raise ValueError(f"no {self} period starts on {label}")
        return window


def is_complete(*, end: datetime, now: datetime, delay: timedelta) -> bool:
    """Whether a period that ended at ``end`` is no longer expected to change.

    Args:
        end: the period's exclusive end, wall-clock.
        now: the instant, UTC, naive.
        delay: the time that the last time zone and late data are given.
    """
    return end + delay <= now
