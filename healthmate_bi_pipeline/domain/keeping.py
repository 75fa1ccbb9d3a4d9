"""How long something is kept, and from which day on: in days, weeks, months or years of the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from healthmate_bi_pipeline.settings import KEPT_FOR_EVER


class Unit(StrEnum):
    """What is counted."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


@dataclass(frozen=True)
class Keeping:
    """How long something is kept.

    >>> str(Keeping(30, Unit.DAYS)), str(Keeping(1, Unit.YEARS))
    ('30 days', '1 year')
    """

    count: int
    unit: Unit

    def cut(self, today: date) -> date:
        """The first day that is kept: what ended before it is over.

        Months and years are the calendar's; a day that a month does not have is its last one.

        >>> Keeping(30, Unit.DAYS).cut(date(2026, 3, 31)), Keeping(1, Unit.MONTHS).cut(date(2026, 3, 31))
        (datetime.date(2026, 3, 1), datetime.date(2026, 2, 28))
        """
        match self.unit:
            case Unit.DAYS | Unit.WEEKS:
                return today - timedelta(days=self.count * (7 if self.unit is Unit.WEEKS else 1))
            case Unit.MONTHS | Unit.YEARS:
                months = today.year * 12 + today.month - 1
                months -= self.count * (12 if self.unit is Unit.YEARS else 1)
                first = date(months // 12, months % 12 + 1, 1)
                last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
                return first.replace(day=min(today.day, last.day))

    @property
    def least_days(self) -> int:
        """Days that it comes to at the least.

        >>> Keeping(1, Unit.MONTHS).least_days, Keeping(12, Unit.MONTHS).least_days
        (28, 365)
        """
        months = {Unit.MONTHS: self.count, Unit.YEARS: 12 * self.count}.get(self.unit)
        if months is None:
            return self.count * (7 if self.unit is Unit.WEEKS else 1)
        return months * 365 // 12 - (2 if months % 12 else 0)

    def __str__(self) -> str:
        unit = str(self.unit)
        return f"{self.count} {unit[:-1] if self.count == 1 else unit}"


def parse_keeping(text: str) -> Keeping | None:
    """What the settings say, as ``settings.KeptFor`` is written; ``None``: for ever.

    >>> parse_keeping("104 weeks"), parse_keeping("for ever")
    (Keeping(count=104, unit=<Unit.WEEKS: 'weeks'>), None)
    """
    if text == KEPT_FOR_EVER:
        return None
    count, unit = text.split(" ")
    return Keeping(int(count), Unit(unit.removesuffix("s") + "s"))
