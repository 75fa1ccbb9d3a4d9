"""Which reports were written from figures that have become others since."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.recipe import read_partitions
from healthmate_bi_pipeline.usecases.reports.recipes import REPORT_RECIPES
from healthmate_bi_pipeline.usecases.reports.scope import LONGEST_LOOK_BACK_DAYS
from healthmate_bi_pipeline.warehouse import restatements


def name_reports(pipeline: Pipeline, *, asset: str, period: Period) -> None:
    """Say which reports were written from what was restated of an asset.

    Also what an earlier run restated that was killed before it said so.
    """
    with pipeline.warehouse.transaction() as connection:
        restated = restatements.restated_periods(connection, asset=asset)
        if not restated:
            return
        days = {period.partitioned_by.floor(start).date() for start in restated}
        reach = Window(midnight(min(days)), midnight(max(days))).widened(
            days_after=LONGEST_LOOK_BACK_DAYS + 366
        )
        held: dict[date, list[str]] = defaultdict(list)
        for report in restatements.newest_reports(connection, reach):
            for day in _read_by(report, asset, days, period):
                held[day].append(report.report_id)
        named = {start: held[period.partitioned_by.floor(start).date()] for start in restated}
        restatements.name_reports(connection, named, asset=asset)


def _read_by(report: restatements.WrittenReport, asset: str, days: set[date], period: Period) -> set[date]:
    """Which partitions of an asset a report was written from, of some."""
    part = Window(report.period_start, report.period_end)
    recipe = next(recipe for recipe in REPORT_RECIPES if recipe.report_type.name == report.report_type)
    if report.cadence not in {str(cadence) for cadence in recipe.report_type.cadences}:
        # Over days of its own it was merged from the states of these days.
        reads = {name for cadence in recipe.report_type.cadences for name in recipe.upstream(cadence)}
        inside = {day for day in days if part.intersection(period.partitioned_by.window(midnight(day)))}
        return inside if asset in reads else set()
    cadence = Period(report.cadence)
    candidates = dict.fromkeys(days, 0)
    return {
        day
        for reading in recipe.reads(cadence)
        if reading.asset == asset
        for day, _ in read_partitions(reading, candidates, cadence, part)
    }
