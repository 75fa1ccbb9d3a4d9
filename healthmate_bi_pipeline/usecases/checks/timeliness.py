"""Checks that what is due has been made: of each partition by itself, whatever else ran."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from healthmate_bi_pipeline.catalog.families import FAMILIES, Family, figures_name
from healthmate_bi_pipeline.domain.period import Period, Window, is_complete, midnight
from healthmate_bi_pipeline.settings import Severity
from healthmate_bi_pipeline.usecases.checks.judging import CheckSpec, Measurement
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline.warehouse import books


def _overdue(pipeline: Pipeline, window: Window | None, *, family: Family, period: Period) -> Measurement:
    """Partitions whose period ended for everybody some hours ago, and that are missing or stale."""
    del window  # that of a run has just been made
    asset = ASSET_BY_NAME[figures_name(family, period)]
    allowed = timedelta(hours=pipeline.settings.period.settle_hours + pipeline.settings.alerts.overdue_hours)

    def is_due(end_of: Window) -> bool:
        return is_complete(end=end_of.end, now=pipeline.utc_now, delay=allowed)

    unit = period.partitioned_by
    stale = [day for day in stale_partitions(pipeline, asset) if is_due(unit.window(midnight(day)))]
    with pipeline.warehouse.transaction() as connection:
        made = books.partition_records(connection, asset.name)
    due = {day for day in made if is_due(unit.window(midnight(day)))} | set(stale)
    return Measurement(len(stale), len(due), days=tuple(stale))


TIMELINESS: tuple[CheckSpec, ...] = tuple(
    CheckSpec(
        "is_fresh",
        figures_name(family, period),
        "Every partition whose time has come has been made, from the rows that there are.",
        partial(_overdue, family=family, period=period),
        is_of_all=True,
        is_by_clock=True,
        counted="partitions",
        severity=Severity.WARNING,
    )
    for family in FAMILIES
    for period in Period
)
