"""What a report looks at beside its own period: what it is compared with, and the trend that it draws."""

from __future__ import annotations

from datetime import timedelta

from healthmate_bi_pipeline.domain.period import Period, Window

_HISTORY = timedelta(days=28)
_MOST_DAILY_POINTS = 62
_MOST_WEEKLY_POINTS_IN_DAYS = 200


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
