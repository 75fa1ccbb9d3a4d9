"""Where a wall-clock time lies among the periods, and how long these are, as expressions."""

from __future__ import annotations

from typing import Any

import ibis

from healthmate_bi_pipeline.domain.period import Period, Window

_TRUNCATION = {
    Period.HOURLY: "h",
    Period.DAILY: "D",
    Period.WEEKLY: "W",
    Period.MONTHLY: "M",
    Period.QUARTERLY: "Q",
    Period.YEARLY: "Y",
}
_LENGTHS = {
    Period.HOURLY: ibis.interval(hours=1),
    Period.DAILY: ibis.interval(days=1),
    Period.WEEKLY: ibis.interval(days=7),
    Period.MONTHLY: ibis.interval(months=1),
    Period.QUARTERLY: ibis.interval(months=3),
    Period.YEARLY: ibis.interval(years=1),
}


def period_floor(moment: Any, period: Period) -> Any:
    """The start of the period that a wall-clock time lies in, as ``Period.floor``."""
    return moment.cast("timestamp(6)").truncate(_TRUNCATION[period])


def period_end(start: Any, period: Period | Window) -> Any:
    """The end, exclusive, of the period, or of the range of as many days as a window, that starts at a time."""
    length = ibis.interval(days=period.days) if isinstance(period, Window) else _LENGTHS[period]
    return start + length
