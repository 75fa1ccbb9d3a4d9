"""Splitting a long window into pieces that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import TypeVar

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.errors import EngineFullError
from healthmate_bi_pipeline.usecases.pipeline import Built, Pipeline

_Made = TypeVar("_Made")

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


def made_in_chunks(
    window: Window,
    sizes: Mapping[date, int],
    *,
    unit: Period = Period.DAILY,
    most: int = ROWS_AT_ONCE,
    make: Callable[[Window], _Made],
) -> Iterator[tuple[Window, _Made]]:
    """Make a window piece by piece; a piece that does not fit into the engine's memory is made in halves.

    Args:
        window: whole periods of ``unit``.
        sizes: as ``chunks`` takes them.
        unit: what is not split.
        most: rows per piece, at first.
        make: makes a piece; may be called again with a part of it.

    Yields:
        Each piece, in order, with what ``make`` gave.

    Raises:
        EngineFullError: a single period does not fit.
    """
    start = window.start
    while start < window.end:
        piece = next(chunks(Window(start, window.end), sizes, unit=unit, most=most))
        try:
            made = make(piece)
        except EngineFullError:
            if piece == unit.window(piece.start):
                raise
            rows = sum(count for day, count in sizes.items() if piece.first_day <= day <= piece.last_day)
            most = rows // 2
            continue
        yield piece, made
        start = piece.end


def make_in_chunks(
    pipeline: Pipeline,
    asset: str,
    window: Window,
    sizes: Mapping[date, int],
    *,
    unit: Period,
    make: Callable[[Window], dict[date, int]],
) -> Built:
    """Make the partitions of a window piece by piece: each held against other writers, counted and told.

    Args:
        pipeline: for whom.
        asset: what is made.
        window: whole periods of ``unit``.
        sizes: as ``chunks`` takes them.
        unit: what is not split.
        make: makes a piece; its rows by the first day of each partition.
    """
    rows: dict[date, int] = {}

    def held(chunk: Window) -> dict[date, int]:
        with pipeline.warehouse.hold(asset, chunk):
            return make(chunk)

    with pipeline.recorded(asset, window) as tally:
        for chunk, made in made_in_chunks(window, sizes, unit=unit, make=held):
            rows |= made
            tally.rows += sum(made.values())
            pipeline.progress(asset, (chunk.end - window.start) / (window.end - window.start))
    return Built(rows)
