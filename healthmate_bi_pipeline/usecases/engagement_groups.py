"""Engagement of groups: who was active in a period and in the days up to its end, and what they used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.engagement_tables import (
    ENGAGEMENT_ACTIVE_DAYS,
    ENGAGEMENT_ACTIVITY,
    ENGAGEMENT_FEATURE_USE,
)
from healthmate_bi_pipeline.catalog.families import (
    ENGAGEMENT,
    ENGAGEMENT_GROUPS,
    state_name,
    state_table,
)
from healthmate_bi_pipeline.domain.lifecycle import MONTH_DAYS
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.transforms.engagement import groups
from healthmate_bi_pipeline.transforms.engagement.summarize import active_people
from healthmate_bi_pipeline.transforms.finishing import merged_to_period, merged_to_range
from healthmate_bi_pipeline.usecases.engagement import scan_active_days
from healthmate_bi_pipeline.usecases.families import Recipe, scan_state
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse import books


def _figures(
    pipeline: Pipeline, engine: Engine, period: Period, window: Window, state_versions: ir.Table
) -> dict[Table, ir.Table]:
    starts = {
        row["period_start"]: row["state_version"]
        for row in engine.rows(state_versions.order_by("period_start"))
    }
    complete_before = pipeline.utc_now - pipeline.settings.period.delay
    as_of = _last_days(pipeline, period, starts, window, complete_before)
    periods = engine.memory_table(groups.period_table(period, starts, as_of, complete_before))
    merged = engine.store(
        merged_to_period(scan_state(pipeline, engine, ENGAGEMENT, period.state_grain, window), period)
    )
    if period is Period.HOURLY:
        hourly = groups.activity(merged, None, periods)
        return {
            # An hour in which nothing happened has no row.
            ENGAGEMENT_ACTIVITY: engine.store(hourly.filter(hourly.people > 0)),
            ENGAGEMENT_FEATURE_USE: groups.feature_use(merged, periods, has_days=False),
        }
    days = _active_days(pipeline, engine, as_of.values())
    trailing = engine.store(groups.trailing_days(days, periods))
    has_days = period is not Period.DAILY
    return {
        ENGAGEMENT_ACTIVITY: engine.store(groups.activity(merged, trailing, periods)),
        ENGAGEMENT_ACTIVE_DAYS: groups.active_day_curves(trailing, periods),
        ENGAGEMENT_FEATURE_USE: groups.feature_use(merged, periods, has_days=has_days),
    }


def _last_days(
    pipeline: Pipeline,
    period: Period,
    starts: Iterable[datetime],
    window: Window,
    complete_before: datetime,
) -> Mapping[datetime, date]:
    """The day that trailing counts end with: the last of the period; of a running one the last with data."""
    with pipeline.warehouse.transaction() as connection:
        records = books.partition_records(connection, state_name(ENGAGEMENT, Grain.DAY), window=window)
    filled = sorted(day for day, record in records.items() if record.rows)
    found: dict[datetime, date] = {}
    for start in starts:
        part = period.window(start)
        inside = [day for day in filled if part.first_day <= day <= part.last_day]
        is_over = part.end <= complete_before
        found[start] = part.last_day if is_over or not inside else inside[-1]
    return found


@dataclass(frozen=True)
class RangeGroups:
    """Engagement of groups over any days.

    Attributes:
        activity: as a row of ``bi_engagement_activity``.
        curves: as rows of ``bi_engagement_active_days``.
        features: as rows of ``bi_engagement_feature_use``.
        lifecycle: stage -> people.
        active_before: people active in as many days before.
    """

    activity: dict[str, Any]
    curves: list[dict[str, Any]]
    features: list[dict[str, Any]]
    lifecycle: dict[str, int]
    active_before: int


def range_groups(pipeline: Pipeline, window: Window) -> RangeGroups:
    """Engagement of groups over any days, as one period, merged from the state of the days; nothing is written."""
    complete_before = pipeline.utc_now - pipeline.settings.period.delay
    before = Window(window.start - (window.end - window.start), window.start)
    with pipeline.warehouse.transaction() as connection:
        records = books.partition_records(connection, state_name(ENGAGEMENT, Grain.DAY), window=window)
    filled = [day for day, record in records.items() if record.rows]
    as_of = window.last_day if window.end <= complete_before or not filled else max(filled)
    with pipeline.engine() as engine:
        periods = engine.memory_table(groups.window_table(window, as_of, complete_before))
        states = scan_state(pipeline, engine, ENGAGEMENT, Grain.DAY, window)
        merged = engine.store(merged_to_range(states, window))
        trailing = engine.store(groups.trailing_days(_active_days(pipeline, engine, [as_of]), periods))
        (activity,) = engine.rows(groups.activity(merged, trailing, periods))
        has_days = Period.WEEKLY.fits_into(window)
        counted = groups.lifecycle_counts(scan_active_days(pipeline, engine, None), window, before)
        (stages,) = engine.rows(counted)
        active_before = stages.pop("before") or 0
        if window.end > complete_before:
            stages.pop("dormant")  # not said before it is over
        return RangeGroups(
            activity=activity,
            curves=engine.rows(groups.active_day_curves(trailing, periods)),
            features=engine.rows(groups.feature_use(merged, periods, has_days=has_days)),
            lifecycle={stage: int(people or 0) for stage, people in stages.items()},
            active_before=int(active_before),
        )


def _active_days(pipeline: Pipeline, engine: Engine, ends: Iterable[date]) -> ir.Table:
    """Who was active on which of the days that trailing counts look at."""
    table = state_table(ENGAGEMENT, Grain.DAY)
    days = {end - timedelta(days=back) for end in ends for back in range(MONTH_DAYS)}
    files = pipeline.lake.files(table.name, values=days, partition_by="day")
    states = engine.scan(files, schema=arrow_schema(table.columns), partition_by="day")
    return engine.store(active_people(states, Period.DAILY).mutate(day=lambda t: t.period_start.date()))


ENGAGEMENT_GROUPS_RECIPE = Recipe(ENGAGEMENT_GROUPS, states=None, figures=_figures)
