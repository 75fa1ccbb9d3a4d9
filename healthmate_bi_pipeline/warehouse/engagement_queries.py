"""What the report on user engagement reads: groups, counted and averaged by PostgreSQL; never rows of persons."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.engagement_tables import (
    CHURN_CALIBRATION,
    ENGAGEMENT_ACTIVE_DAYS,
    ENGAGEMENT_ACTIVITY,
    ENGAGEMENT_COHORTS,
    ENGAGEMENT_FEATURE_USE,
    ENGAGEMENT_FIGURE_GROUPS,
    ENGAGEMENT_LIFECYCLE,
    ENGAGEMENT_STARTS,
    USER_RETENTION,
)
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.warehouse.schema import SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

Rows = list[dict[str, Any]]

RECENT_WEEKS = 4
"""Who was active in so many of the last whole weeks counts as recently active."""

_LIFECYCLE = sa.table(
    ENGAGEMENT_LIFECYCLE.name, *(sa.column(name) for name in ENGAGEMENT_LIFECYCLE.column_names)
)


def _of_periods(connection: Connection, table: Table, period: Period, window: Window, *order: str) -> Rows:
    """All rows of a table of groups of the periods that start in a window, in order."""
    found = SQL_TABLES[table.name]
    selected = (
        sa.select(found)
        .where(
            found.c.aggregation_period == str(period),
            found.c.period_start >= window.start,
            found.c.period_start < window.end,
        )
        .order_by(found.c.period_start, *(found.c[name] for name in order))
    )
    return [dict(row) for row in connection.execute(selected).mappings()]


def activity(connection: Connection, *, period: Period, window: Window) -> Rows:
    """Rows of ``bi_engagement_activity``."""
    return _of_periods(connection, ENGAGEMENT_ACTIVITY, period, window)


def figures(connection: Connection, *, period: Period, window: Window) -> Rows:
    """Rows of ``bi_engagement_groups``."""
    return _of_periods(connection, ENGAGEMENT_FIGURE_GROUPS, period, window, "figure", "band")


def feature_use(connection: Connection, *, period: Period, window: Window) -> Rows:
    """Rows of ``bi_engagement_feature_use``."""
    return _of_periods(connection, ENGAGEMENT_FEATURE_USE, period, window, "feature")


def active_days(connection: Connection, *, period: Period, window: Window) -> Rows:
    """Rows of ``bi_engagement_active_days``."""
    return _of_periods(connection, ENGAGEMENT_ACTIVE_DAYS, period, window, "window_days", "active_days")


def lifecycle(connection: Connection, *, period: Period, window: Window) -> dict[str, int]:
    """Stage -> people of the period that is the window."""
    selected = sa.select(_LIFECYCLE.c.lifecycle, _LIFECYCLE.c.people).where(
        _LIFECYCLE.c.aggregation_period == str(period), _LIFECYCLE.c.period_start == window.start
    )
    return {stage: int(people) for stage, people in connection.execute(selected)}


def cohorts(
    connection: Connection, *, interval: Period, first: date, last: date, numbers: tuple[int, int]
) -> Rows:
    """Rows of ``bi_engagement_cohorts`` of the cohorts that start on some days, by cohort and number.

    Args:
        connection: to read by.
        interval: daily, weekly or monthly.
        first: the first start of a cohort.
        last: the last one.
        numbers: the first and the last number of intervals.
    """
    found = SQL_TABLES[ENGAGEMENT_COHORTS.name]
    selected = (
        sa.select(found)
        .where(
            found.c.interval == str(interval),
            found.c.cohort_start.between(first, last),
            found.c.number.between(*numbers),
        )
        .order_by(found.c.cohort_start, found.c.number)
    )
    return [dict(row) for row in connection.execute(selected).mappings()]


def churn_risks(connection: Connection, *, week_ends: Collection[date], bands: Sequence[float]) -> Rows:
    """The churn risk of who was recently active, at some ends of weeks: people, total, total_squared, and of each band.

    Args:
        connection: to read by.
        week_ends: Mondays.
        bands: their lower bounds, from 0 up.

    Returns:
        Rows with week_end, people, total, total_squared, band_0, band_1, …, in order.
    """
    found = SQL_TABLES[USER_RETENTION.name]
    risk = 1 - found.c.probability_alive
    uppers = (*bands[1:], 2.0)
    counted = [
        sa.func.count().filter(risk >= low, risk < high).label(f"band_{number}")
        for number, (low, high) in enumerate(zip(bands, uppers, strict=True))
    ]
    selected = (
        sa.select(
            found.c.week_end,
            sa.func.count().label("people"),
            sa.func.sum(sa.cast(risk, sa.Numeric(20, 12))).label("total"),
            sa.func.sum(sa.cast(risk * risk, sa.Numeric(20, 12))).label("total_squared"),
            *counted,
        )
        .where(
            found.c.week_end.in_(sorted(week_ends)),
            found.c.weeks - found.c.last_active_week < RECENT_WEEKS,
        )
        .group_by(found.c.week_end)
        .order_by(found.c.week_end)
    )
    return [dict(row) for row in connection.execute(selected).mappings()]


def forecast_coverage(connection: Connection, week_end: date) -> tuple[int, int]:
    """People with a churn forecast at an end of a week, and people with a first activity before it."""
    retention, starts = SQL_TABLES[USER_RETENTION.name], SQL_TABLES[ENGAGEMENT_STARTS.name]
    count = sa.func.count()
    told = connection.scalar(sa.select(count).select_from(retention).where(retention.c.week_end == week_end))
    known = connection.scalar(sa.select(count).select_from(starts).where(starts.c.first_active_on < week_end))
    return told or 0, known or 0


def first_day(connection: Connection) -> date | None:
    """The first day on which anybody was active."""
    starts = SQL_TABLES[ENGAGEMENT_STARTS.name]
    found: date | None = connection.scalar(sa.select(sa.func.min(starts.c.first_active_on)))
    return found


def calibration(connection: Connection, *, before: date) -> Rows:
    """The rows of the last judged month that began no later than a day, by decile; none where there is none."""
    found = SQL_TABLES[CHURN_CALIBRATION.name]
    last = sa.select(sa.func.max(found.c.month)).where(found.c.month <= before).scalar_subquery()
    selected = sa.select(found).where(found.c.month == last).order_by(found.c.decile)
    return [dict(row) for row in connection.execute(selected).mappings()]
