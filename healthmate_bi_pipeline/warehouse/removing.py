"""What is deleted because its time was over: rows of figures and reports, and what the books keep of partitions.

Functions on a connection, so that rows, books and receipts go with the caller's transaction, or none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from healthmate_bi_pipeline.catalog.tables import INGESTED_FILE_DAYS, INGESTED_FILES, PARTITIONS, REPORTS
from healthmate_bi_pipeline.warehouse.schema import SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from healthmate_bi_pipeline.catalog.columns import Table
    from healthmate_bi_pipeline.domain.period import Period, Window

_FILES = SQL_TABLES[INGESTED_FILES.name]
_FILE_DAYS = SQL_TABLES[INGESTED_FILE_DAYS.name]
_PARTITIONS = SQL_TABLES[PARTITIONS.name]
_REPORTS = SQL_TABLES[REPORTS.name]


@dataclass(frozen=True)
class Extent:
    """How much there is of something, and of which days; no days where there is nothing."""

    rows: int = 0
    bytes: int = 0
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True)
class Figures:
    """The rows of a table of figures that start in a window.

    Attributes:
        table: the table.
        column: what says when they start.
        window: when.
        period: which of its periods; ``None`` for a table of one.
    """

    table: Table
    column: str
    window: Window
    period: Period | None


def measure_figures(connection: Connection, figures: Figures) -> Extent:
    """How many rows there are, how much they take up without indexes, and of which days they are."""
    table = SQL_TABLES[figures.table.name]
    column = table.c[figures.column]
    size = sa.func.sum(sa.func.pg_column_size(sa.literal_column(figures.table.name)))
    counted = sa.select(
        sa.func.count(),
        sa.func.coalesce(size, 0).cast(sa.BigInteger()),
        sa.cast(sa.func.min(column), sa.Date()),
        sa.cast(sa.func.max(column), sa.Date()),
    ).where(*_within(figures))
    return Extent(*connection.execute(counted).one())


def delete_figures(connection: Connection, figures: Figures) -> int:
    """Delete them; how many rows there were."""
    deleted = sa.delete(SQL_TABLES[figures.table.name]).where(*_within(figures))
    return connection.execute(deleted).rowcount


def _within(figures: Figures) -> list[sa.ColumnElement[bool]]:
    table = SQL_TABLES[figures.table.name]
    column = table.c[figures.column]
    conditions = [column >= figures.window.start, column < figures.window.end]
    if figures.period is not None:
        conditions.append(table.c.aggregation_period == str(figures.period))
    return conditions


def measure_reports(connection: Connection, report_type: str, cadence: str, *, ended_by: datetime) -> Extent:
    """How many versions of the reports of a type and cadence cover days that ended by then."""
    counted = sa.select(
        sa.func.count(),
        sa.literal(0),
        sa.cast(sa.func.min(_REPORTS.c.period_start), sa.Date()),
        sa.cast(sa.func.max(_REPORTS.c.period_end - sa.text("interval '1 day'")), sa.Date()),
    ).where(*_ended(report_type, cadence, ended_by))
    return Extent(*connection.execute(counted).one())


def delete_reports(connection: Connection, report_type: str, cadence: str, *, ended_by: datetime) -> int:
    """Delete their entries; how many there were."""
    return connection.execute(sa.delete(_REPORTS).where(*_ended(report_type, cadence, ended_by))).rowcount


def _ended(report_type: str, cadence: str, ended_by: datetime) -> list[sa.ColumnElement[bool]]:
    return [
        _REPORTS.c.report_type == report_type,
        _REPORTS.c.cadence == cadence,
        _REPORTS.c.period_end <= ended_by,
    ]


def removed_partitions(connection: Connection, asset: str, *, window: Window | None = None) -> set[date]:
    """The first days of the partitions of an asset whose rows were deleted because their time was over."""
    found = sa.select(_PARTITIONS.c.partition).where(
        _PARTITIONS.c.asset == asset, _PARTITIONS.c.removed_at.is_not(None)
    )
    if window is not None:
        found = found.where(_starts_in(window))
    return set(connection.scalars(found))


def mark_removed(
    connection: Connection, asset: str, *, window: Window, now: datetime, last_file: int | None = None
) -> int:
    """Note that the rows of the partitions that start in a window are deleted; how many there were.

    Args:
        connection: in a transaction.
        asset: whose partitions.
        window: where they start.
        now: the instant.
        last_file: of raw days, whose counts are kept: rows of later files come after the deletion.
    """
    marked = sa.update(_PARTITIONS).where(_PARTITIONS.c.asset == asset, _starts_in(window))
    if last_file is None:
        marked = marked.where(_PARTITIONS.c.removed_at.is_(None)).values(removed_at=now)
    else:
        kept = sa.func.jsonb_build_object("counts", _PARTITIONS.c.counts, "last_file", last_file)
        is_known = _PARTITIONS.c.removed["counts"] == _PARTITIONS.c.counts
        marked = marked.where(is_known.is_not(sa.true())).values(removed_at=now, removed=kept)
    return connection.execute(marked).rowcount


def last_file_number(connection: Connection, dataset: str) -> int:
    """The number of the file of a dataset that was read last; 0 before the first."""
    return (
        connection.scalar(sa.select(sa.func.max(_FILES.c.file_number)).where(_FILES.c.dataset == dataset))
        or 0
    )


def files_up_to(connection: Connection, dataset: str, day: date) -> dict[str, int]:
    """The lines of the files of a dataset that were read by a day and hold no row of a later one, by hash."""
    holds_later = sa.exists().where(
        _FILE_DAYS.c.dataset == dataset,
        _FILE_DAYS.c.file_hash == _FILES.c.file_hash,
        _FILE_DAYS.c.rows > 0,
        _FILE_DAYS.c.day > day,
    )
    read_on = sa.cast(sa.func.timezone("UTC", _FILES.c.first_seen_at), sa.Date())
    found = sa.select(_FILES.c.file_hash, _FILES.c.lines).where(
        _FILES.c.dataset == dataset, read_on <= day, ~holds_later
    )
    return {row.file_hash: row.lines for row in connection.execute(found)}


def _starts_in(window: Window) -> sa.ColumnElement[bool]:
    return _PARTITIONS.c.partition.between(window.first_day, window.last_day)
