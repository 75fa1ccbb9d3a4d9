"""What a report is about, and what it looks at beside its own period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from healthmate_bi_pipeline.catalog.reports import ReportType
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.document import RANGE

_HISTORY = timedelta(days=28)
_MOST_DAILY_POINTS = 62
_MOST_WEEKLY_POINTS_IN_DAYS = 200

LONGEST_LOOK_BACK_DAYS = 1200
"""No report looks further back from its window than this."""

_EVIDENCE: dict[Period, tuple[Period, int]] = {
    Period.DAILY: (Period.DAILY, 91),  # 13 of each weekday
    Period.WEEKLY: (Period.WEEKLY, 52),
    Period.MONTHLY: (Period.MONTHLY, 36),
    Period.QUARTERLY: (Period.MONTHLY, 36),
    Period.YEARLY: (Period.MONTHLY, 36),
}
"""By cadence: the period of the points that insights are looked for in, and how many, the report's own included."""


@dataclass(frozen=True)
class Subject:
    """What a report is about: ``period`` is ``None`` for a free range of days."""

    report_type: ReportType
    period: Period | None
    window: Window

    @property
    def cadence(self) -> str:
        """A period's value, or ``range``."""
        return str(self.period) if self.period else RANGE


def recent_days(window: Window) -> Window:
    """The days that insights are looked for in while there are too few of the longer periods."""
    return Window(window.end - timedelta(days=_EVIDENCE[Period.DAILY][1]), window.end)


def previous_window(period: Period | None, window: Window) -> Window:
    """The period before, or as many days before."""
    if period is not None:
        return period.window(period.previous(window.start))
    return Window(window.start - (window.end - window.start), window.start)


def trend_of(window: Window) -> tuple[Period, Window]:
    """The shorter periods that a trend is drawn of, and from where on: some history before a short window."""
    if window.end - window.start <= _HISTORY:
        return Period.DAILY, Window(window.end - _HISTORY, window.end)
    if window.days <= _MOST_DAILY_POINTS:
        return Period.DAILY, window
    if window.days <= _MOST_WEEKLY_POINTS_IN_DAYS:
        return Period.WEEKLY, window
    return Period.MONTHLY, window


def evidence_of(period: Period | None, window: Window) -> tuple[Period, Window]:
    """The periods that insights are looked for in, the last one of them inside the report's window."""
    if period is None:
        return trend_of(window)
    short, count = _EVIDENCE[period]
    start = short.floor(window.end - timedelta(microseconds=1))
    for _ in range(count - 1):
        start = short.previous(start)
    return short, Window(start, window.end)
