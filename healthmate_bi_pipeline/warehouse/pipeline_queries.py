"""What reports on the pipeline itself read from its books: rows per day, partitions, runs, actions, reports.

All of it is added up in the database; an instant is naive UTC where it comes in and goes out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from healthmate_bi_pipeline.catalog.tables import (
    AUDIT_LOG,
    INGESTED_FILE_DAYS,
    INGESTED_FILES,
    PARTITIONS,
    PIPELINE_RUNS,
    REPORTS,
)
from healthmate_bi_pipeline.warehouse.runs import RUNNING, SUCCEEDED
from healthmate_bi_pipeline.warehouse.schema import SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from healthmate_bi_pipeline.domain.period import Window

_FILES = SQL_TABLES[INGESTED_FILES.name]
_FILE_DAYS = SQL_TABLES[INGESTED_FILE_DAYS.name]
_PARTITIONS = SQL_TABLES[PARTITIONS.name]
_RUNS = SQL_TABLES[PIPELINE_RUNS.name]
_AUDIT = SQL_TABLES[AUDIT_LOG.name]
_REPORTS = SQL_TABLES[REPORTS.name]


@dataclass(frozen=True)
class DayRows:
    """The rows that files brought for a dataset's day; ``late``: those read after it had closed."""

    dataset: str
    day: date
    rows: int
    late: int
    newest_read_at: datetime


@dataclass(frozen=True)
class RunCount:
    """Runs of one kind of asset (``raw``, ``state`` …) that ended alike; durations are of those that have ended."""

    group: str
    outcome: str
    runs: int
    rows: int
    seconds_p50: float | None
    seconds_p95: float | None
    seconds_max: float | None


@dataclass(frozen=True)
class FailedRun:
    """A run that did not succeed."""

    started_at: datetime
    ended_at: datetime | None
    outcome: str
    assets: tuple[str, ...]
    window: str | None


@dataclass(frozen=True)
class ActionCount:
    """Entries of the audit log that are alike, and by how many actors."""

    action: str
    outcome: str
    entries: int
    actors: int
    rows: int


@dataclass(frozen=True)
class ReportCount:
    """Reports of a type and cadence, and how many of their numbers were withheld."""

    report_type: str
    cadence: str
    reports: int
    versions: int
    withheld: int
    reports_with_withheld: int


def day_rows(connection: Connection, window: Window, *, delay: timedelta) -> list[DayRows]:
    """The rows of every dataset's days in a window; a day closes ``delay`` after its end."""
    closes = sa.cast(_FILE_DAYS.c.day, sa.TIMESTAMP()) + timedelta(days=1) + delay
    is_late = _utc(_FILES.c.first_seen_at) > closes
    rows = sa.func.coalesce(sa.func.sum(_FILE_DAYS.c.rows), 0).cast(sa.BigInteger())
    found = (
        sa.select(
            _FILE_DAYS.c.dataset,
            _FILE_DAYS.c.day,
            rows.label("rows"),
            sa.func.coalesce(sa.func.sum(_FILE_DAYS.c.rows).filter(is_late), 0)
            .cast(sa.BigInteger())
            .label("late"),
            sa.func.max(_utc(_FILES.c.first_seen_at)).label("newest_read_at"),
        )
        .join(
            _FILES,
            (_FILES.c.file_hash == _FILE_DAYS.c.file_hash) & (_FILES.c.dataset == _FILE_DAYS.c.dataset),
        )
        .where(_FILE_DAYS.c.day.between(window.first_day, window.last_day), _FILE_DAYS.c.rows > 0)
        .group_by(_FILE_DAYS.c.dataset, _FILE_DAYS.c.day)
        .order_by(_FILE_DAYS.c.dataset.collate("C"), _FILE_DAYS.c.day)
    )
    return [DayRows(**row) for row in connection.execute(found).mappings()]


def last_days(connection: Connection, *, until: date) -> dict[str, date]:
    """The last day up to a day that each dataset has rows for."""
    found = (
        sa.select(_FILE_DAYS.c.dataset, sa.func.max(_FILE_DAYS.c.day))
        .where(_FILE_DAYS.c.day <= until, _FILE_DAYS.c.rows > 0)
        .group_by(_FILE_DAYS.c.dataset)
        .order_by(_FILE_DAYS.c.dataset.collate("C"))
    )
    return {dataset: day for dataset, day in connection.execute(found)}  # noqa: C416 - rows are no pairs


def bytes_read(connection: Connection, window: Window) -> dict[str, int]:
    """Size of the files of each dataset that have rows in a window."""
    has_rows = sa.exists().where(
        _FILE_DAYS.c.dataset == _FILES.c.dataset,
        _FILE_DAYS.c.file_hash == _FILES.c.file_hash,
        _FILE_DAYS.c.day.between(window.first_day, window.last_day),
    )
    added = (
        sa.select(_FILES.c.dataset, sa.func.sum(_FILES.c.bytes).cast(sa.BigInteger()))
        .where(has_rows)
        .group_by(_FILES.c.dataset)
        .order_by(_FILES.c.dataset.collate("C"))
    )
    return {dataset: int(size) for dataset, size in connection.execute(added)}


def partition_days(
    connection: Connection, assets: Collection[str], window: Window
) -> dict[str, dict[date, int]]:
    """The partitions of some assets that start in a window, with their rows."""
    found: dict[str, dict[date, int]] = defaultdict(dict)
    picked = (
        sa.select(_PARTITIONS.c.asset, _PARTITIONS.c.partition, _PARTITIONS.c.rows)
        .where(
            _PARTITIONS.c.asset.in_(sorted(assets)),
            _PARTITIONS.c.partition.between(window.first_day, window.last_day),
        )
        .order_by(_PARTITIONS.c.asset.collate("C"), _PARTITIONS.c.partition)
    )
    for asset, day, rows in connection.execute(picked):
        found[asset][day] = rows
    return dict(found)


def staged_per_day(
    connection: Connection, assets: Collection[str], window: Window
) -> dict[str, dict[date, int]]:
    """Staged rows of raw days, as the books of these days have them."""
    staged = _PARTITIONS.c.counts["staged"].astext.cast(sa.BigInteger())
    found: dict[str, dict[date, int]] = defaultdict(dict)
    picked = (
        sa.select(_PARTITIONS.c.asset, _PARTITIONS.c.partition, staged)
        .where(
            _PARTITIONS.c.asset.in_(sorted(assets)),
            _PARTITIONS.c.partition.between(window.first_day, window.last_day),
        )
        .order_by(_PARTITIONS.c.asset.collate("C"), _PARTITIONS.c.partition)
    )
    for asset, day, rows in connection.execute(picked):
        found[asset][day] = int(rows or 0)
    return dict(found)


def rows_unaccounted(connection: Connection, assets: Collection[str], window: Window) -> dict[str, int]:
    """By how many rows the counts of raw days do not add up, day by day, for the assets where they do not."""
    count = {
        name: sa.func.coalesce(_PARTITIONS.c.counts[name].astext.cast(sa.BigInteger()), 0)
        for name in ("staged", "kept", "duplicates", "superseded", "quarantined")
    }
    fates = count["kept"] + count["duplicates"] + count["superseded"] + count["quarantined"]
    missing = sa.func.sum(sa.func.abs(count["staged"] - fates)).cast(sa.BigInteger()).label("missing")
    found = (
        sa.select(_PARTITIONS.c.asset, missing)
        .where(
            _PARTITIONS.c.asset.in_(sorted(assets)),
            _PARTITIONS.c.partition.between(window.first_day, window.last_day),
        )
        .group_by(_PARTITIONS.c.asset)
    )
    return {row.asset: int(row.missing) for row in connection.execute(found) if row.missing}


def runs_begun(connection: Connection, window: Window, *, until: datetime) -> list[RunCount]:
    """Runs that began in a window and up to an instant, by group of their asset and outcome."""
    return _run_counts(connection, _began_in(window, until))


def runs_of_partitions(connection: Connection, window: Window) -> list[RunCount]:
    """Runs that made the partitions which start in a window, whenever that was: a backfill runs later."""
    return _run_counts(connection, [_made_partitions(window)])


def failed_runs(connection: Connection, window: Window, *, until: datetime, limit: int) -> list[FailedRun]:
    """The last runs that began in a window and did not succeed."""
    found = (
        sa.select(
            _utc(_RUNS.c.started_at).label("started_at"),
            _utc(_RUNS.c.ended_at).label("ended_at"),
            _RUNS.c.outcome,
            _RUNS.c.assets,
            _RUNS.c.window,
        )
        .where(*_began_in(window, until), _RUNS.c.outcome.not_in((SUCCEEDED, RUNNING)))
        .order_by(_RUNS.c.started_at.desc(), _RUNS.c.run_id.collate("C"))
        .limit(limit)
    )
    return [
        FailedRun(row["started_at"], row["ended_at"], row["outcome"], tuple(row["assets"]), row["window"])
        for row in connection.execute(found).mappings()
    ]


def actions(connection: Connection, window: Window, *, until: datetime) -> list[ActionCount]:
    """Entries of the audit log in a window and up to an instant, by action and outcome."""
    counted = (
        sa.select(
            _AUDIT.c.action,
            _AUDIT.c.outcome,
            sa.func.count().label("entries"),
            sa.func.count(_AUDIT.c.actor.distinct()).label("actors"),
            sa.func.coalesce(sa.func.sum(_AUDIT.c.rows), 0).cast(sa.BigInteger()).label("rows"),
        )
        .where(_utc(_AUDIT.c.at) >= window.start, _utc(_AUDIT.c.at) < min(window.end, until))
        .group_by(_AUDIT.c.action, _AUDIT.c.outcome)
        .order_by(_AUDIT.c.action.collate("C"), _AUDIT.c.outcome.collate("C"))
    )
    return [ActionCount(**row) for row in connection.execute(counted).mappings()]


# Numbers that were withheld, wherever they stand in what a report holds; "strict": each is found once.
_WITHHELD: sa.ColumnElement[Any] = sa.literal_column("'strict $.**.status ? (@ == \"suppressed\")'::jsonpath")


def report_counts(
    connection: Connection, window: Window, *, until: datetime, without: Collection[str]
) -> list[ReportCount]:
    """Published reports on periods inside a window, the newest version of each, and what was withheld in them."""
    newest = _newest_reports(window, until, without).subquery()
    counted = (
        sa.select(
            newest.c.report_type,
            newest.c.cadence,
            sa.func.count().label("reports"),
            sa.func.sum(newest.c.version).cast(sa.BigInteger()).label("versions"),
            sa.func.sum(newest.c.withheld).cast(sa.BigInteger()).label("withheld"),
            sa.func.count().filter(newest.c.withheld > 0).label("reports_with_withheld"),
        )
        .group_by(newest.c.report_type, newest.c.cadence)
        .order_by(newest.c.report_type.collate("C"), newest.c.cadence.collate("C"))
    )
    return [ReportCount(**row) for row in connection.execute(counted).mappings()]


def book_digests(
    connection: Connection, window: Window, assets: Collection[str], *, with_runs: bool
) -> dict[date, str]:
    """A digest per day of what the books say of it: the partitions of some assets, and the files of all datasets.

    Args:
        connection: to the warehouse.
        window: the days.
        assets: whose partitions.
        with_runs: whether another run that made the same is told too.
    """
    names = ("asset", "input_version", "rows", *(("run_id",) if with_runs else ()))
    entry = sa.func.concat_ws("|", *(_PARTITIONS.c[name] for name in names))
    of_partitions = (
        sa.select(_PARTITIONS.c.partition.label("day"), _digest(entry).label("digest"))
        .where(
            _PARTITIONS.c.asset.in_(sorted(assets)),
            _PARTITIONS.c.partition.between(window.first_day, window.last_day),
        )
        .group_by(_PARTITIONS.c.partition)
    )
    of_files = (
        sa.select(
            _FILE_DAYS.c.day, _digest(sa.func.concat_ws("|", _FILE_DAYS.c.dataset, _FILE_DAYS.c.file_hash))
        )
        .where(_FILE_DAYS.c.day.between(window.first_day, window.last_day), _FILE_DAYS.c.rows >= 0)
        .group_by(_FILE_DAYS.c.day)
    )
    found: dict[date, str] = {}
    for statement in (of_partitions, of_files):
        for day, digest in connection.execute(statement):
            found[day] = f"{found.get(day, '')}{digest}"
    return found


def run_digests(connection: Connection, window: Window) -> dict[date, str]:
    """A digest per day of the runs that began on it."""
    day = sa.cast(_utc(_RUNS.c.started_at), sa.Date())
    entry = sa.func.concat_ws("|", _RUNS.c.run_id, _RUNS.c.outcome)
    found = (
        sa.select(day, _digest(entry))
        .where(_utc(_RUNS.c.started_at) >= window.start, _utc(_RUNS.c.started_at) < window.end)
        .group_by(day)
    )
    return {row[0]: row[1] for row in connection.execute(found)}


def action_digests(connection: Connection, window: Window) -> dict[date, str]:
    """A digest per day of the entries of the audit log."""
    day = sa.cast(_utc(_AUDIT.c.at), sa.Date())
    entry = sa.cast(_AUDIT.c.id, sa.Text())
    found = (
        sa.select(day, _digest(entry))
        .where(_utc(_AUDIT.c.at) >= window.start, _utc(_AUDIT.c.at) < window.end)
        .group_by(day)
    )
    return {row[0]: row[1] for row in connection.execute(found)}


def report_digests(
    connection: Connection, window: Window, *, until: datetime, without: Collection[str]
) -> list[tuple[datetime, datetime, str]]:
    """Start, end and hash of the newest version of every published report on a period inside a window."""
    newest = _newest_reports(window, until, without).subquery()
    found = sa.select(newest.c.period_start, newest.c.period_end, newest.c.content_sha256).order_by(
        newest.c.period_start, newest.c.content_sha256
    )
    return [(row.period_start, row.period_end, row.content_sha256) for row in connection.execute(found)]


def _newest_reports(window: Window, until: datetime, without: Collection[str]) -> sa.Select[Any]:
    covers = [_REPORTS.c[name] for name in ("report_type", "cadence", "period_start", "period_end")]
    withheld = sa.func.jsonb_array_length(sa.func.jsonb_path_query_array(_REPORTS.c.metrics, _WITHHELD))
    return (
        sa.select(*covers, _REPORTS.c.version, _REPORTS.c.content_sha256, withheld.label("withheld"))
        .ext(distinct_on(*covers))
        .where(
            _REPORTS.c.audience == "groups",
            _REPORTS.c.period_start >= window.start,
            _REPORTS.c.period_end <= window.end,
            _REPORTS.c.report_type.not_in(sorted(without)),
            _utc(_REPORTS.c.generated_at) <= until,
        )
        .order_by(*covers, _REPORTS.c.version.desc())
    )


def _run_counts(connection: Connection, conditions: list[sa.ColumnElement[bool]]) -> list[RunCount]:
    group = sa.func.split_part(_RUNS.c.assets[1], "/", 1).label("group")
    seconds: sa.ColumnElement[float] = sa.extract("epoch", _RUNS.c.ended_at - _RUNS.c.started_at).cast(
        sa.Double()
    )
    counted = (
        sa.select(
            group,
            _RUNS.c.outcome,
            sa.func.count().label("runs"),
            sa.func.coalesce(sa.func.sum(_RUNS.c.rows), 0).cast(sa.BigInteger()).label("rows"),
            *(
                sa.func.percentile_cont(share).within_group(seconds).label(name)
                for name, share in (("seconds_p50", 0.5), ("seconds_p95", 0.95), ("seconds_max", 1.0))
            ),
        )
        .where(*conditions)
        .group_by(group, _RUNS.c.outcome)
        .order_by(group.collate("C"), _RUNS.c.outcome.collate("C"))
    )
    return [RunCount(**row) for row in connection.execute(counted).mappings()]


def _began_in(window: Window, until: datetime) -> list[sa.ColumnElement[bool]]:
    began = _utc(_RUNS.c.started_at)
    return [began >= window.start, began < min(window.end, until)]


def _made_partitions(window: Window) -> sa.ColumnElement[bool]:
    """Whether a run made partitions that start in a window; a run's name begins with that of the books."""
    return sa.exists().where(
        _PARTITIONS.c.partition.between(window.first_day, window.last_day),
        _PARTITIONS.c.run_id == sa.func.split_part(_RUNS.c.run_id, ":", 1),
        _PARTITIONS.c.asset == _RUNS.c.assets[1],
        ~_PARTITIONS.c.asset.contains("reports/", autoescape=True),
    )


def _digest(entry: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """A digest of entries, whatever order they come in."""
    text = sa.cast(entry, sa.Text()).collate("C")
    return sa.func.md5(sa.func.string_agg(text, aggregate_order_by(sa.literal(","), text)))


def _utc(instant: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """An instant as naive UTC."""
    return sa.func.timezone("UTC", instant)


def by_group(counts: Collection[RunCount]) -> Mapping[str, list[RunCount]]:
    """The counts of each group of assets."""
    found: dict[str, list[RunCount]] = defaultdict(list)
    for one in counts:
        found[one.group].append(one)
    return found
