"""Engagement of groups: who was active in a period and in the days up to its end, and what they used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

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
from healthmate_bi_pipeline.transforms.engagement import groups
from healthmate_bi_pipeline.transforms.engagement.summarize import active_people
from healthmate_bi_pipeline.transforms.finishing import merged_to_period
from healthmate_bi_pipeline.usecases.families import Recipe, scan_partitions, scan_state
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse import books


def _figures(
    pipeline: Pipeline, engine: Engine, period: Period, window: Window, state_versions: ir.Table
) -> dict[Table, ir.Table]:
    starts = {
        row["period_start"]: row["state_version"]
        for row in engine.rows(state_versions.order_by("period_start"))
    }
    complete_before = pipeline.complete_before
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
    days = days_before(pipeline, engine, as_of.values())
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


def days_before(pipeline: Pipeline, engine: Engine, ends: Iterable[date]) -> ir.Table:
    """Who was active on which of the days that trailing counts look at: those up to some days."""
    table = state_table(ENGAGEMENT, Grain.DAY)
    days = {end - timedelta(days=back) for end in ends for back in range(MONTH_DAYS)}
    states = scan_partitions(pipeline, engine, table, None, values=days)
    return engine.store(active_people(states, Period.DAILY).mutate(day=lambda t: t.period_start.date()))


ENGAGEMENT_GROUPS_RECIPE = Recipe(ENGAGEMENT_GROUPS, states=None, figures=_figures)
