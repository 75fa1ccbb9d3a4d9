"""The episodes of alerts, as they are kept, and the facts of other tables that alerts are judged by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from healthmate_bi_pipeline.catalog.alert_tables import ALERTS
from healthmate_bi_pipeline.catalog.performance_tables import PERFORMANCE_INCIDENTS
from healthmate_bi_pipeline.catalog.tables import INGESTED_FILES, PIPELINE_RUNS
from healthmate_bi_pipeline.domain.alerts import Episode, Kind, Told
from healthmate_bi_pipeline.settings import Severity
from healthmate_bi_pipeline.warehouse.performance_queries import Incident
from healthmate_bi_pipeline.warehouse.runs import ABANDONED, FAILED, SUCCEEDED
from healthmate_bi_pipeline.warehouse.schema import SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ALERTS = SQL_TABLES[ALERTS.name]
_RUNS = SQL_TABLES[PIPELINE_RUNS.name]
_INCIDENTS = SQL_TABLES[PERFORMANCE_INCIDENTS.name]
_FILES = SQL_TABLES[INGESTED_FILES.name]


@dataclass(frozen=True)
class EndedRun:
    """A piece of work that has ended.

    Attributes:
        asset: what was made.
        window: its days, as a ``Window`` is written; ``None``: it has none.
        run_id: the run that it was part of.
        has_succeeded: how it ended.
    """

    asset: str
    window: str | None
    started_at: datetime
    run_id: str
    has_succeeded: bool


@dataclass(frozen=True)
class Arrivals:
    """Files of a dataset with rows.

    Attributes:
        last_at: when the last one was read.
        days: on how many days (UTC) of the last ones up to then files were read.
    """

    dataset: str
    last_at: datetime
    days: int


def kept_episodes(connection: Connection, *, resolved_since: datetime | None) -> list[Episode]:
    """The episodes that are open, and those that ended since an instant (``None``: since ever), by opening."""
    found = sa.select(_ALERTS).order_by(_ALERTS.c.opened_at, _ALERTS.c.fingerprint.collate("C"))
    if resolved_since is not None:
        found = found.where(_ALERTS.c.resolved_at.is_(None) | (_ALERTS.c.resolved_at >= resolved_since))
    return [_episode(row) for row in connection.execute(found).mappings()]


def count_open(connection: Connection, *, now: datetime) -> int:
    """How many episodes are open and due."""
    counted = sa.select(sa.func.count()).where(_ALERTS.c.resolved_at.is_(None), _ALERTS.c.due_at <= now)
    return int(connection.execute(counted).scalar_one())


def keep_episodes(connection: Connection, episodes: Iterable[Episode]) -> None:
    """Enter episodes, or what has become of them."""
    rows = [_row(episode) for episode in episodes]
    if not rows:
        return
    entered = insert(_ALERTS)
    changed = {column.name: entered.excluded[column.name] for column in _ALERTS.c if not column.primary_key}
    connection.execute(entered.on_conflict_do_update(index_elements=_ALERTS.primary_key, set_=changed), rows)


def drop_episodes(connection: Connection, episodes: Iterable[Episode], *, resolved_before: datetime) -> None:
    """Strike out some episodes, and all that ended before an instant."""
    keys = [episode.key for episode in episodes]
    gone = _ALERTS.c.resolved_at < resolved_before
    if keys:
        gone |= sa.tuple_(_ALERTS.c.fingerprint, _ALERTS.c.opened_at).in_(keys)
    connection.execute(sa.delete(_ALERTS).where(gone))


def failed_runs(connection: Connection, *, since: datetime) -> list[EndedRun]:
    """The runs that began since an instant and failed or were killed, in their order."""
    return _ended(
        connection, _RUNS.c.outcome.in_((FAILED, ABANDONED)), _RUNS.c.started_at >= since
    )  # fmt: skip


def succeeded_runs(connection: Connection, assets: Collection[str], *, since: datetime) -> list[EndedRun]:
    """The runs of some assets that began since an instant and succeeded, in their order."""
    return _ended(
        connection,
        _RUNS.c.outcome == SUCCEEDED,
        _RUNS.c.started_at >= since,
        _RUNS.c.assets[1].in_(sorted(assets)),
    )


def outcomes_of(connection: Connection, run_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """What the books say of some runs: how each asset that was begun ended, by run and asset."""
    run = _own_run()
    found = sa.select(run, _RUNS.c.assets[1], _RUNS.c.outcome).where(run.in_(sorted(run_ids)))
    outcomes: dict[str, dict[str, str]] = {}
    for run_id, asset, outcome in connection.execute(found.order_by(_RUNS.c.started_at)):
        outcomes.setdefault(run_id, {})[asset] = outcome
    return outcomes


def _ended(connection: Connection, *conditions: sa.ColumnElement[bool]) -> list[EndedRun]:
    found = (
        sa.select(
            _RUNS.c.assets[1].label("asset"),
            _RUNS.c.window,
            _RUNS.c.started_at,
            _own_run().label("run_id"),
            (_RUNS.c.outcome == SUCCEEDED).label("has_succeeded"),
        )
        .where(*conditions)
        .order_by(_RUNS.c.started_at, _RUNS.c.run_id.collate("C"))
    )
    return [EndedRun(**row) for row in connection.execute(found).mappings()]


def _own_run() -> sa.ColumnElement[str]:
    """The run that a piece of work was part of: how its own name begins."""
    return sa.func.split_part(_RUNS.c.run_id, ":", 1)


def incidents_since(connection: Connection, *, since: datetime) -> list[Incident]:
    """The incidents whose last bad minutes lie after an instant (UTC, naive), in the order of their key."""
    found = (
        sa.select(_INCIDENTS)
        .where(_INCIDENTS.c.ended_at > since)
        .order_by(
            *(_INCIDENTS.c[name].collate("C") for name in ("service_name", "environment", "threshold")),
            _INCIDENTS.c.started_at,
        )
    )
    return [Incident(**row) for row in connection.execute(found).mappings()]


def arrivals(connection: Connection, *, days: int) -> list[Arrivals]:
    """When files with rows came last, by dataset, and on how many of the last days up to then."""
    has_rows = _FILES.c.staged > 0
    last = (
        sa.select(_FILES.c.dataset, sa.func.max(_FILES.c.first_seen_at).label("last_at"))
        .where(has_rows)
        .group_by(_FILES.c.dataset)
        .subquery()
    )
    day = sa.cast(sa.func.timezone("UTC", _FILES.c.first_seen_at), sa.Date())
    last_day = sa.cast(sa.func.timezone("UTC", last.c.last_at), sa.Date())
    found = (
        sa.select(last.c.dataset, last.c.last_at, sa.func.count(day.distinct()).label("days"))
        .join(_FILES, (_FILES.c.dataset == last.c.dataset) & has_rows & (day > last_day - days))
        .group_by(last.c.dataset, last.c.last_at)
        .order_by(last.c.dataset.collate("C"))
    )
    return [Arrivals(**row) for row in connection.execute(found).mappings()]


def _episode(row: Mapping[Any, Any]) -> Episode:
    values = {field.name: row[field.name] for field in fields(Episode)}
    told = {
        channel: Told(datetime.fromisoformat(of["at"]), Severity(of["severity"]), of["is_over"])
        for channel, of in row["told"].items()
    }
    return Episode(
        **{**values, "kind": Kind(row["kind"]), "severity": Severity(row["severity"]), "told": told}
    )


def _row(episode: Episode) -> dict[str, Any]:
    told = {
        channel: {"at": of.at.isoformat(), "severity": of.severity.value, "is_over": of.is_over}
        for channel, of in episode.told.items()
    }
    values = {field.name: getattr(episode, field.name) for field in fields(episode)}
    return {
        **values,
        "kind": episode.kind.value,
        "severity": episode.severity.value,
        "counts": dict(episode.counts),
        "told": told,
    }
