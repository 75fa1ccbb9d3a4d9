"""Noting restatements: what of complete periods changes while a window is replaced, in the same transaction.

All names in the statements are the catalog's; what comes from outside is bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from healthmate_bi_pipeline.catalog.columns import Table, Type
from healthmate_bi_pipeline.catalog.restatements import RESTATEMENTS, SIGNIFICANT_DIGITS, Shape, shape_of
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.warehouse.schema import SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

_RESTATEMENTS = SQL_TABLES[RESTATEMENTS.name]
_NUMBERS = (Type.INTEGER, Type.NUMBER, Type.EXACT)
_PROVENANCE = ("state_version", "registry_version", "is_complete", "created_at", "updated_at")

LATE, REQUEUED, DEFINITION, OTHER = "late rows", "requeued rows", "new definition", "other"


@dataclass(frozen=True)
class Remaking:
    """A making of periods again: what restatements are noted under."""

    asset: str
    run_id: str
    at: datetime


def note_restatements(
    connection: Connection,
    *,
    table: Table,
    period: Period,
    window: Window,
    held: str,
    incoming: str,
    matched: str,
    remaking: Remaking,
) -> int:
    """Note every figure of a complete period that is about to become another one.

    Args:
        connection: in the transaction that replaces them.
        table: whose rows are replaced.
        period: that of all rows.
        window: where they start.
        held: the table with the rows that are there.
        incoming: the table with those that come instead.
        matched: the table with the keys of both, and ``is_same``.
        remaking: who makes them again, and when.

    Returns:
        How many were noted.
    """
    shape = shape_of(table)
    is_counted = shape.is_of_people or period is Period.HOURLY
    query = (_counted if is_counted else _valued)(table, shape, held=held, incoming=incoming, matched=matched)
    insert = f"""
        INSERT INTO bi_restatements (
            at, run_id, asset, table_name, aggregation_period, period_start, subject, figure, rows, old_value,
            new_value, cause, files
        )
        SELECT :at, :run_id, :asset, :table_name, :period, period_start, subject, figure, rows, old_value, new_value,
            CASE WHEN is_redefined THEN '{DEFINITION}' ELSE '{OTHER}' END, '{{}}'
        FROM ({query}) AS restated
        ORDER BY period_start, subject, figure
    """  # noqa: S608 - names of the catalog
    return connection.execute(
        sa.text(insert),
        {
            "at": remaking.at,
            "run_id": remaking.run_id,
            "asset": remaking.asset,
            "table_name": table.name,
            "period": str(period),
            "start": window.start,
            "end": window.end,
        },
    ).rowcount


def _counted(table: Table, shape: Shape, *, held: str, incoming: str, matched: str) -> str:
    """How many rows have another value, by figure."""
    names = table.key
    figures = _figures(table, shape)
    return f"""
        SELECT o.period_start, '' AS subject, v.figure, count(*) AS rows,
            NULL::double precision AS old_value, NULL::double precision AS new_value,
            bool_or(o.registry_version <> n.registry_version) AS is_redefined
        FROM {matched} AS m
        JOIN {held} AS o ON {_same("o", "m", names)}
        JOIN {incoming} AS n ON {_same("n", "m", names)}
        CROSS JOIN LATERAL (VALUES {figures}) AS v (figure, old_value, new_value)
        WHERE NOT m.is_same AND o.aggregation_period = :period AND o.is_complete AND {_DIFFERS}
        GROUP BY o.period_start, v.figure
    """  # noqa: S608


def _valued(table: Table, shape: Shape, *, held: str, incoming: str, matched: str) -> str:
    """What each figure was and is, also where it was not there or is no more."""
    del matched
    names = table.key
    subject = ", ".join(f"coalesce(o.{name}, n.{name})" for name in shape.subject)
    of_window = "aggregation_period = :period AND period_start >= :start AND period_start < :end"
    return f"""
        SELECT coalesce(o.period_start, n.period_start) AS period_start, concat_ws(' ', {subject or "''"}) AS subject,
            v.figure, 1 AS rows, v.old_value, v.new_value,
            coalesce(o.registry_version <> n.registry_version, false) AS is_redefined
        FROM (SELECT * FROM {held} WHERE {of_window}) AS o
        FULL JOIN {incoming} AS n ON {_same("o", "n", names)}
        CROSS JOIN LATERAL (VALUES {_figures(table, shape)}) AS v (figure, old_value, new_value)
        WHERE {_DIFFERS} AND coalesce(o.period_start, n.period_start) IN (
            SELECT period_start FROM {held} WHERE {of_window} AND is_complete
        )
    """  # noqa: S608


_DIFFERS = (
    "CASE WHEN v.old_value IS NULL OR v.new_value IS NULL THEN num_nulls(v.old_value, v.new_value) = 1"
    f" ELSE abs(v.old_value - v.new_value) > {0.5 * 10**-SIGNIFICANT_DIGITS}"
    " * greatest(abs(v.old_value), abs(v.new_value)) END"
)


def _figures(table: Table, shape: Shape) -> str:
    """The figures of a pair of rows, o and n, as rows of their own: name, old value, new value."""
    if shape.figure is not None:
        name = f"coalesce(o.{shape.figure}, n.{shape.figure})"
        if shape.band is not None:
            band = f"coalesce(o.{shape.band}, n.{shape.band})"
            name = f"{name} || CASE WHEN {band} < 0 THEN '' ELSE ' band ' || {band} END"
        return f"({name}, {shape.value.format(row='o')}, {shape.value.format(row='n')})"
    numbers = [
        column.name
        for column in table.columns
        if column.type in _NUMBERS and column.name not in (*table.key, *_PROVENANCE)
    ]
    return ", ".join(
        f"('{name}', o.{name}::double precision, n.{name}::double precision)" for name in numbers
    )


def _same(one: str, other: str, names: Sequence[str]) -> str:
    return " AND ".join(f"{one}.{name} = {other}.{name}" for name in names)


def explain(
    connection: Connection,
    *,
    run_id: str,
    asset: str,
    span: Window,
    files: Sequence[str],
    is_requeued: bool,
) -> None:
    """Say why figures of some periods became others: files with rows that came late, or rows taken up again."""
    if not files and not is_requeued:
        return
    connection.execute(
        sa.update(_RESTATEMENTS)
        .where(
            _RESTATEMENTS.c.run_id == run_id,
            _RESTATEMENTS.c.asset == asset,
            _RESTATEMENTS.c.period_start >= span.start,
            _RESTATEMENTS.c.period_start < span.end,
        )
        .values(cause=LATE if files else REQUEUED, files=list(files))
    )


def restated_periods(connection: Connection, *, asset: str) -> list[datetime]:
    """Starts of periods of an asset whose restatements name no reports yet, in order."""
    found = sa.select(_RESTATEMENTS.c.period_start).where(
        _RESTATEMENTS.c.asset == asset, _RESTATEMENTS.c.reports.is_(None)
    )
    return list(connection.scalars(found.distinct().order_by(_RESTATEMENTS.c.period_start)))


@dataclass(frozen=True)
class WrittenReport:
    """A report, as far as it says what it was written from."""

    report_id: str
    report_type: str
    cadence: str
    period_start: datetime
    period_end: datetime


def newest_reports(connection: Connection, reach: Window) -> list[WrittenReport]:
    """The newest version of each report that covers a part of some time."""
    reports = SQL_TABLES["bi_reports"]
    of_one = ("report_type", "cadence", "period_start", "period_end", "audience")
    found = (
        sa.select(*(reports.c[field.name] for field in fields(WrittenReport)))
        .where(reports.c.period_end > reach.start, reports.c.period_start < reach.end)
        .ext(distinct_on(*(reports.c[name] for name in of_one)))
        .order_by(*(reports.c[name] for name in of_one), reports.c.version.desc())
    )
    return [WrittenReport(**row) for row in connection.execute(found).mappings()]


def name_reports(connection: Connection, reports: Mapping[datetime, Sequence[str]], *, asset: str) -> None:
    """Say which reports were written from the old figures, by the start of the period."""
    for start, names in reports.items():
        connection.execute(
            sa.update(_RESTATEMENTS)
            .where(
                _RESTATEMENTS.c.asset == asset,
                _RESTATEMENTS.c.period_start == start,
                _RESTATEMENTS.c.reports.is_(None),
            )
            .values(reports=list(names))
        )


def late_files(
    connection: Connection, *, datasets: Sequence[str], span: Window, since: datetime
) -> list[str]:
    """Hashes of the files with rows of some days that were read after an instant, in the order of their numbers."""
    files, days = SQL_TABLES["bi_ingested_files"], SQL_TABLES["bi_ingested_file_days"]
    found = (
        sa.select(files.c.file_hash)
        .join(days, (days.c.file_hash == files.c.file_hash) & (days.c.dataset == files.c.dataset))
        .where(
            files.c.dataset.in_(list(datasets)),
            files.c.first_seen_at > since,
            days.c.day.between(span.first_day, span.last_day),
        )
        .group_by(files.c.file_hash)
        .order_by(sa.func.min(files.c.file_number))
    )
    return list(connection.scalars(found))


def was_requeued(connection: Connection, *, datasets: Sequence[str], span: Window, since: datetime) -> bool:
    """Whether rows of some days were taken up again from quarantine after an instant."""
    days, audit = SQL_TABLES["bi_ingested_file_days"], SQL_TABLES["bi_audit_log"]
    noted = sa.exists().where(
        days.c.dataset.in_(list(datasets)),
        days.c.file_hash.startswith("requeue:"),
        days.c.day.between(span.first_day, span.last_day),
    )
    asked = sa.exists().where(audit.c.action == "requeue", audit.c.at > since)
    return bool(connection.scalar(sa.select(sa.and_(noted, asked))))
