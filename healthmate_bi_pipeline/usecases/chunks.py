"""Splitting a long window into pieces that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from healthmate_bi_pipeline.domain.period import Period, Window

ROWS_AT_ONCE = 3_000_000
"""Rows that are worked on at once: some 200 bytes each stay below the engine's default memory."""


def chunks(
    window: Window, sizes: Mapping[date, int], *, unit: Period = Period.DAILY, most: int = ROWS_AT_ONCE
) -> Iterator[Window]:
    """Split a window into runs of whole periods of about ``most`` rows, in order.

    Args:
        window: whole periods of ``unit``.
        sizes: rows per day, or per first day of the period; a day that is missing has none.
        unit: what is not split.
        most: rows per piece; a single period may hold more.
    """  # fmt: skip
    start, rows = None, 0
    by_period: dict[date, int] = {}
    for day, count in sizes.items():
        first = unit.floor(Window.of_days(day, day).start).date()
        by_period[first] = by_period.get(first, 0) + count
    end = window.start
    for period in unit.windows(window):
        count = by_period.get(period.first_day, 0)
        if start is not None and rows + count > most:
            yield Window(start, end)
            start, rows = None, 0
        start = start or period.start
        rows, end = rows + count, period.end
    if start is not None:
        yield Window(start, end)
