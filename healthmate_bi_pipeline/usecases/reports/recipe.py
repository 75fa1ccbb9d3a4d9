"""What a type of report consists of for the pipeline: what it reads, how it is gathered and built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, auto
from typing import Any

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.reports import ReportType
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.reporting.document import Report, Stamp
from healthmate_bi_pipeline.reporting.inputs import ReportInputs
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline
from healthmate_bi_pipeline.usecases.reports.scope import (
    LONGEST_LOOK_BACK_DAYS,
    Subject,
    evidence_of,
    previous_window,
    recent_days,
    trend_of,
)
from healthmate_bi_pipeline.usecases.versions import combined, hash64, outputs
from healthmate_bi_pipeline.warehouse import books

REPORT_VERSION = 6
"""Raised when reports say something new about the same figures."""


_EVER = datetime(1970, 1, 1)


class Reach(Enum):
    """Which partitions of an asset a report reads."""

    OWN = auto()
    """Its own period's and the one before."""
    INSIDE = auto()
    """Those of the days that it covers."""
    TREND = auto()
    """Those that its charts and its insights look back on."""
    BEFORE = auto()
    """All up to the end of its period."""
    WHOLE = auto()
    """It has none."""
    BESIDE = auto()
    """None by their versions: it stands before it in the graph, and what is read of it is in ``beside``."""


@dataclass(frozen=True)
class Reading:
    """An asset that a report reads."""

    asset: str
    reach: Reach
    period: Period | None = None
    """Of the asset's partitions, where they are read as a trend."""


@dataclass(frozen=True)
class ReportRecipe:
    """A type of report and what it is made by.

    Attributes:
        report_type: the catalog's entry.
        exists_with: the assets whose filled partitions are what there is something to say about.
        reads: everything that it reads, by its period; also the assets that it stands behind in the graph.
        gather: what it is made from; ``None``: there is nothing to say.
        build: the report, from what was gathered.
        reads_reports: whether it looks at the other reports of its period, and so is written after them.
        has_empty_periods: whether a period without anything, between others, has a report too: it says so.
        beside: versions of what it reads beside partitions (settings, incidents, runs, the audit log), by the first
            day of each of some periods: what was read of the period itself, so that no other makes it stale.
    """

    report_type: ReportType
    exists_with: Callable[[Period], tuple[str, ...]]
    reads: Callable[[Period], tuple[Reading, ...]]
    gather: Callable[[Pipeline, Subject], ReportInputs | None]
    build: Callable[[Any, Stamp], Report]
    reads_reports: bool = False
    has_empty_periods: bool = False
    beside: Callable[[Pipeline, Connection, Period, Sequence[Window]], Mapping[date, int]] | None = None

    def upstream(self, period: Period) -> tuple[str, ...]:
        """The assets that a period's report is made from."""
        return tuple(dict.fromkeys(reading.asset for reading in self.reads(period)))

    def shown(self, period: Period) -> tuple[str, ...]:
        """The assets whose partitions inside its period are shown in a period's report."""
        inside = (Reach.OWN, Reach.INSIDE, Reach.TREND)
        return tuple(
            dict.fromkeys(reading.asset for reading in self.reads(period) if reading.reach in inside)
        )


def report_inputs(
    pipeline: Pipeline, connection: Connection, window: Window, *, recipe: ReportRecipe, period: Period
) -> dict[date, int]:
    """What the reports of a window would be made from, by the first day of each that there is something to say about."""
    reach = window.widened(days_before=LONGEST_LOOK_BACK_DAYS)
    readings = recipe.reads(period)
    held = {reading.asset: _outputs(connection, reading, reach) for reading in readings}
    exists = _existing(pipeline, connection, window, recipe=recipe, period=period)
    settings = hash64(pipeline.settings.report, pipeline.settings.finance)
    parts = _parts(exists, period, window)
    beside = recipe.beside(pipeline, connection, period, parts) if recipe.beside and parts else {}
    return {
        part.first_day: hash64(
            REPORT_VERSION,
            recipe.report_type.name,
            settings,
            pipeline.is_complete(part.end),
            *(combined(read_partitions(reading, held[reading.asset], period, part)) for reading in readings),
            *((beside.get(part.first_day, 0),) if recipe.beside else ()),
        )
        for part in parts
    }


def _existing(
    pipeline: Pipeline, connection: Connection, window: Window | None, *, recipe: ReportRecipe, period: Period
) -> set[date]:
    """The days, or first days of partitions, that there is something to say about."""
    if not recipe.has_empty_periods:
        return _filled(connection, recipe.exists_with(period), window)
    filled = _filled(connection, recipe.exists_with(period), None)
    today = pipeline.utc_now.date()
    if not filled or min(filled) > today:
        return filled
    return set(Window.of_days(min(filled), today).each_day())


def _filled(connection: Connection, assets: Iterable[str], window: Window | None) -> set[date]:
    """The first days of the partitions that hold rows."""
    return {
        day
        for asset in assets
        for day, record in books.partition_records(connection, asset, window=window).items()
        if record.rows
    }


def _parts(days: set[date], period: Period, window: Window) -> list[Window]:
    """The periods of a window with any of some days in them."""
    starts = sorted({period.floor(midnight(day)) for day in days})
    return [period.window(start) for start in starts if window.start <= start < window.end]


def _outputs(connection: Connection, reading: Reading, window: Window) -> Mapping[date, int]:
    if reading.reach is Reach.BESIDE:
        return {}
    if reading.reach is Reach.WHOLE:
        window = Window.of_days(UNPARTITIONED, UNPARTITIONED)
    if reading.reach is Reach.BEFORE:
        return _up_to(outputs(connection, reading.asset, Window(min(_EVER, window.start), window.end)))
    return outputs(connection, reading.asset, window)


def _up_to(held: Mapping[date, int]) -> dict[date, int]:
    """For each partition one version of it and of all before it."""
    found, so_far = {}, 0
    for day, version in sorted(held.items()):
        so_far = hash64(so_far, day, version)
        found[day] = so_far
    return found


def read_partitions(
    reading: Reading, held: Mapping[date, int], period: Period, part: Window
) -> list[tuple[date, int]]:
    """The partitions of an asset that the report on a period reads, with their versions."""
    match reading.reach:
        case Reach.OWN:
            days = [part.first_day, previous_window(period, part).first_day]
        case Reach.INSIDE:
            days = list(part.each_day())
        case Reach.BEFORE:
            last = max((day for day in held if day <= part.last_day), default=None)
            days = [] if last is None else [last]
        case Reach.WHOLE:
            days = [UNPARTITIONED]
        case Reach.BESIDE:
            days = []
        case Reach.TREND:
            looked_at = (trend_of(part), evidence_of(period, part), (Period.DAILY, recent_days(part)))
            spans = [span for short, span in looked_at if short is reading.period]
            days = sorted({day for span in spans for day in span.each_day()})
    return [(day, held[day]) for day in days if day in held]


def last_complete(pipeline: Pipeline, *, recipe: ReportRecipe, period: Period) -> date | None:
    """The first day of the last complete period that there is something to say about."""
    with pipeline.warehouse.transaction() as connection:
        known = _existing(pipeline, connection, None, recipe=recipe, period=period)
    firsts = {period.floor(midnight(day)) for day in known}
    complete = [first.date() for first in firsts if pipeline.is_complete(period.window(first).end)]
    return max(complete, default=None)
