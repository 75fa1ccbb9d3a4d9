"""What reports are made from, and the reports that were made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from healthmate_bi_pipeline.catalog.device_changes import DEVICE_CHANGES
from healthmate_bi_pipeline.catalog.tables import HEALTH_GROUPS, PARTITIONS, REPORTS
from healthmate_bi_pipeline.warehouse.schema import SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from healthmate_bi_pipeline.domain.period import Period, Window

_GROUPS = SQL_TABLES[HEALTH_GROUPS.name]
_DEVICE_CHANGES = SQL_TABLES[DEVICE_CHANGES.name]
_PARTITIONS = SQL_TABLES[PARTITIONS.name]
_REPORTS = SQL_TABLES[REPORTS.name]

WHOLE_GROUP = -1
"""The band that stands for everyone in the group."""


@dataclass(frozen=True)
class GroupFigures:
    """A row of ``bi_health_groups``: a figure of a group, or of those in one band of it, in one period."""

    aggregation_period: str
    period_start: datetime
    period_end: datetime
    stratum: str
    figure: str
    band: int
    people: int
    total: float | None
    total_squared: float | None
    low: float | None
    high: float | None
    is_complete: bool
    state_version: int
    registry_version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class RowCounts:
    """What became of rows, summed over partitions: staged = kept + duplicates + superseded + quarantined."""

    staged: int = 0
    kept: int = 0
    duplicates: int = 0
    superseded: int = 0
    quarantined: int = 0
    quarantined_by_rule: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportEntry:
    """A report as a list shows it: what it covers and where it lies."""

    report_id: str
    report_type: str
    cadence: str
    version: int
    period_start: datetime
    period_end: datetime
    audience: str
    generated_at: datetime
    generated_by: str
    confidence_score: float | None
    content_sha256: str
    html_path: str
    json_path: str


@dataclass(frozen=True)
class ReportRecord(ReportEntry):
    """A report with its content: a row of ``bi_reports``."""

    data_sources: Any
    summary: Any
    metrics: Any
    insights: Any
    recommendations: Any
    input_versions: Mapping[str, int]


def group_figures(
    connection: Connection, *, period: Period, window: Window, stratum: str = "all"
) -> list[GroupFigures]:
    """The figures of a group in the periods that start in a window, ordered by period, figure and band."""
    found = (
        sa.select(_GROUPS)
        .where(
            _GROUPS.c.aggregation_period == str(period),
            _GROUPS.c.period_start >= window.start,
            _GROUPS.c.period_start < window.end,
            _GROUPS.c.stratum == stratum,
        )
        .order_by(_GROUPS.c.period_start, _GROUPS.c.figure.collate("C"), _GROUPS.c.band)
    )
    return [GroupFigures(**row) for row in connection.execute(found).mappings()]


def device_changes(connection: Connection, *, month: date) -> list[dict[str, Any]]:
    """Rows of ``bi_device_changes`` of a month, in the order of its key."""
    found = _DEVICE_CHANGES
    selected = sa.select(found).where(found.c.month == month).order_by(found.c.metric, found.c.source)
    return [dict(row) for row in connection.execute(selected).mappings()]


def people_by_stratum(connection: Connection, *, period: Period, window: Window) -> dict[str, dict[str, int]]:
    """How many people have each figure, by group, in the period that a window is; groups by one trait, and ``all``."""
    found = (
        sa.select(_GROUPS.c.stratum, _GROUPS.c.figure, _GROUPS.c.people)
        .where(
            _GROUPS.c.aggregation_period == str(period),
            _GROUPS.c.period_start == window.start,
            _GROUPS.c.band == WHOLE_GROUP,
            _GROUPS.c.stratum.not_like("%, %"),
        )
        .order_by(_GROUPS.c.stratum.collate("C"), _GROUPS.c.figure.collate("C"))
    )
    people: dict[str, dict[str, int]] = defaultdict(dict)
    for stratum, figure, count in connection.execute(found):
        people[stratum][figure] = count
    return dict(people)


def person_days(connection: Connection, window: Window, *, stratum: str = "all") -> dict[str, int]:
    """For each figure the people with a value on a day, added up over the days of a window."""
    added = (
        sa.select(_GROUPS.c.figure, sa.func.sum(_GROUPS.c.people).cast(sa.BigInteger()))
        .where(
            _GROUPS.c.aggregation_period == "daily",
            _GROUPS.c.period_start >= window.start,
            _GROUPS.c.period_start < window.end,
            _GROUPS.c.stratum == stratum,
            _GROUPS.c.band == WHOLE_GROUP,
        )
        .group_by(_GROUPS.c.figure)
        .order_by(_GROUPS.c.figure.collate("C"))
    )
    return {figure: int(people) for figure, people in connection.execute(added)}


def row_counts(connection: Connection, assets: Collection[str], window: Window) -> dict[str, RowCounts]:
    """What became of the rows of some assets in the partitions that start in a window.

    Every asset that was asked for is there, with zeros where nothing was made.
    """
    picked = sa.and_(
        _PARTITIONS.c.asset.in_(sorted(assets)),
        _PARTITIONS.c.partition.between(window.first_day, window.last_day),
    )
    names = [column.name for column in fields(RowCounts) if column.name != "quarantined_by_rule"]
    sums = [
        sa.func.sum(_PARTITIONS.c.counts[name].astext.cast(sa.BigInteger())).cast(sa.BigInteger()).label(name)
        for name in names
    ]
    rules: dict[str, dict[str, int]] = defaultdict(dict)
    each = sa.func.jsonb_each_text(_PARTITIONS.c.counts["rules"]).table_valued("key", "value", name="rule")
    by_rule = (
        sa.select(_PARTITIONS.c.asset, each.c.key, sa.func.sum(each.c.value.cast(sa.BigInteger())))
        .select_from(_PARTITIONS.join(each, sa.true()))
        .where(picked)
        .group_by(_PARTITIONS.c.asset, each.c.key)
        .order_by(_PARTITIONS.c.asset, each.c.key)
    )
    for asset, rule, rows in connection.execute(by_rule):
        rules[asset][rule] = int(rows)
    found = {asset: RowCounts() for asset in sorted(assets)}
    summed = sa.select(_PARTITIONS.c.asset, *sums).where(picked).group_by(_PARTITIONS.c.asset)
    for row in connection.execute(summed).mappings():
        counts = {name: row[name] or 0 for name in names}
        found[row["asset"]] = RowCounts(**counts, quarantined_by_rule=rules[row["asset"]])
    return found


def latest_report(
    connection: Connection, report_type: str, cadence: str, window: Window, audience: str
) -> ReportRecord | None:
    """The newest version of the report that covers exactly this window, if there is one."""
    found = (
        sa.select(_REPORTS)
        .where(
            _REPORTS.c.report_type == report_type,
            _REPORTS.c.cadence == cadence,
            _REPORTS.c.period_start == window.start,
            _REPORTS.c.period_end == window.end,
            _REPORTS.c.audience == audience,
        )
        .order_by(_REPORTS.c.version.desc())
        .limit(1)
    )
    row = connection.execute(found).mappings().one_or_none()
    return ReportRecord(**row) if row else None


def record_report(connection: Connection, record: ReportRecord) -> None:
    """Enter a report. A version is entered once: of two runs that make the same one the second fails."""
    connection.execute(
        sa.insert(_REPORTS).values({name: getattr(record, name) for name in REPORTS.column_names})
    )


def list_reports(connection: Connection, *, audience: str | None = None) -> list[ReportEntry]:
    """The newest version of every report, for one audience or all; the latest periods of each type first."""
    covers = [
        _REPORTS.c[name] for name in ("report_type", "cadence", "audience", "period_start", "period_end")
    ]
    newest = (
        sa.select(*(_REPORTS.c[column.name] for column in fields(ReportEntry)))
        .ext(distinct_on(*covers))
        .order_by(*covers, _REPORTS.c.version.desc())
    )
    if audience is not None:
        newest = newest.where(_REPORTS.c.audience == audience)
    listed = newest.subquery()
    ordered = sa.select(listed).order_by(
        listed.c.report_type,
        listed.c.cadence,
        listed.c.audience,
        listed.c.period_start.desc(),
        listed.c.period_end,
    )
    return [ReportEntry(**row) for row in connection.execute(ordered).mappings()]
