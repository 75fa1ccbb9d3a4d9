"""Counts that checks compare: of the books against themselves, and of figures against the books."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

import sqlalchemy as sa

from healthmate_bi_pipeline.catalog.engagement_tables import ENGAGEMENT_ROWS, ENGAGEMENT_STARTS
from healthmate_bi_pipeline.catalog.tables import HEALTH_METRIC_ROWS, HEALTH_STARTS, INGESTED_FILES
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.warehouse.schema import SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from healthmate_bi_pipeline.catalog.columns import Table

_FILES = SQL_TABLES[INGESTED_FILES.name]
_FIGURES = SQL_TABLES[HEALTH_METRIC_ROWS.name]
_STARTS = SQL_TABLES[HEALTH_STARTS.name]
_ENGAGEMENT = SQL_TABLES[ENGAGEMENT_ROWS.name]
_ACTIVE_STARTS = SQL_TABLES[ENGAGEMENT_STARTS.name]

_TRUNCATED_TO: dict[Period, str] = {
    Period.DAILY: "day",
    Period.WEEKLY: "week",  # PostgreSQL's weeks start on Monday too
    Period.MONTHLY: "month",
    Period.QUARTERLY: "quarter",
    Period.YEARLY: "year",
}


def count_unbalanced_lines(connection: Connection, dataset: str) -> tuple[int, int]:
    """How many lines of the files of a dataset are not accounted for, and how many lines there are."""
    missing = sa.func.abs(_FILES.c.lines - _FILES.c.rows - _FILES.c.rejected) + sa.func.abs(
        _FILES.c.rows - _FILES.c.staged - _FILES.c.undated
    )
    counted = sa.select(sa.func.sum(missing), sa.func.sum(_FILES.c.lines)).where(_FILES.c.dataset == dataset)
    unbalanced, lines = connection.execute(counted).one()
    return int(unbalanced or 0), int(lines or 0)


def figure_versions(
    connection: Connection, table: Table, *, period: Period, window: Window | None
) -> dict[date, dict[int, int]]:
    """Rows of a table of figures by the first day of their partition and the version of their state."""
    figures = SQL_TABLES[table.name]
    first = sa.func.date_trunc(_TRUNCATED_TO[period.partitioned_by], figures.c.period_start).label("first")
    counted = (
        sa.select(first, figures.c.state_version, sa.func.count())
        .where(*_within(figures, period, window))
        .group_by(first, figures.c.state_version)
    )
    found: dict[date, dict[int, int]] = defaultdict(dict)
    for start, version, rows in connection.execute(counted):
        found[start.date()][version] = rows
    return dict(found)


def count_rows_without_start(connection: Connection) -> tuple[int, int]:
    """How many daily rows with values of measures that are expected daily have no first day that is as early.

    And how many such rows there are.
    """
    has_values = sa.and_(_FIGURES.c.aggregation_period == str(Period.DAILY), _FIGURES.c.day_slots_filled > 0)
    started = sa.exists().where(
        _STARTS.c.user_id == _FIGURES.c.user_id,
        _STARTS.c.first_day <= sa.cast(_FIGURES.c.period_start, sa.Date()),
    )
    counted = sa.select(sa.func.count().filter(~started), sa.func.count()).where(has_values)
    without, rows = connection.execute(counted).one()
    return int(without), int(rows)


def count_active_rows_without_start(connection: Connection) -> tuple[int, int]:
    """How many daily rows with activity have no first active day that is as early, and how many there are."""
    is_active = sa.and_(
        _ENGAGEMENT.c.aggregation_period == str(Period.DAILY), _ENGAGEMENT.c.active_hours.is_not(None)
    )
    started = sa.exists().where(
        _ACTIVE_STARTS.c.user_id == _ENGAGEMENT.c.user_id,
        _ACTIVE_STARTS.c.first_active_on <= sa.cast(_ENGAGEMENT.c.period_start, sa.Date()),
    )
    counted = sa.select(sa.func.count().filter(~started), sa.func.count()).where(is_active)
    without, rows = connection.execute(counted).one()
    return int(without), int(rows)


def filled_figures(
    connection: Connection, table: Table, *, period: Period, window: Window
) -> tuple[int, dict[str, int]]:
    """How many rows of a table of figures start in a window, and how many of them have a value, by column."""
    figures = SQL_TABLES[table.name]
    filled = [sa.func.count(column).label(column.name) for column in figures.c]
    counted = sa.select(sa.func.count(), *filled).where(*_within(figures, period, window))
    rows, *counts = connection.execute(counted).one()
    return rows, dict(zip((column.name for column in figures.c), counts, strict=True))


def _within(figures: sa.Table, period: Period, window: Window | None) -> list[sa.ColumnElement[bool]]:
    conditions = [figures.c.aggregation_period == str(period)]
    if window is not None:
        conditions += [figures.c.period_start >= window.start, figures.c.period_start < window.end]
    return conditions
