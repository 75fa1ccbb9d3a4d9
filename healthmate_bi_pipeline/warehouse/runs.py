"""Runs of the pipeline and the audit log: who did what, when, and how it ended."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psutil
import sqlalchemy as sa

from healthmate_bi_pipeline.catalog.tables import AUDIT_LOG, PIPELINE_RUNS
from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.warehouse.schema import SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

_RUNS = SQL_TABLES[PIPELINE_RUNS.name]
_AUDIT = SQL_TABLES[AUDIT_LOG.name]

RUNNING, SUCCEEDED, FAILED, ABANDONED = "running", "succeeded", "failed", "abandoned"
OUTCOMES = (RUNNING, SUCCEEDED, FAILED, ABANDONED)

_CLOCK_SLACK = timedelta(seconds=10)
"""How far the start of one process may seem to move when the system's clock is set."""


def start_run(
    connection: Connection, *, run_id: str, assets: Sequence[str], window: str | None, now: datetime
) -> None:
    """Note that this process has started to make something."""
    connection.execute(
        sa.insert(_RUNS).values(
            run_id=run_id,
            started_at=now,
            outcome=RUNNING,
            assets=list(assets),
            window=window,
            host=socket.gethostname(),
            pid=os.getpid(),
            process_started_at=_started_at(psutil.Process()),
        )
    )


def finish_run(connection: Connection, *, run_id: str, outcome: str, rows: int | None, now: datetime) -> None:
    """Note how a run ended.

    Raises:
        IntegrityError: there is no such run, or no such outcome.
    """
    if outcome not in OUTCOMES:
        raise IntegrityError(f"Run {run_id} cannot end as {outcome}; expected one of {', '.join(OUTCOMES)}.")
    ended = sa.update(_RUNS).where(_RUNS.c.run_id == run_id).values(outcome=outcome, rows=rows, ended_at=now)
    if connection.execute(ended).rowcount != 1:
        raise IntegrityError(f"Run {run_id} was never started.")


def abandon_dead_runs(connection: Connection, *, now: datetime) -> list[str]:
    """Mark runs of this host whose process is gone; their names.

    A process that was killed cannot say so itself. What it held in the database is free already.
    """
    here = sa.select(_RUNS.c.run_id, _RUNS.c.pid, _RUNS.c.process_started_at).where(
        _RUNS.c.outcome == RUNNING, _RUNS.c.host == socket.gethostname()
    )
    dead = sorted(
        row.run_id for row in connection.execute(here) if not _is_running(row.pid, row.process_started_at)
    )
    if dead:
        # Asked again in the update: a run that ended in between keeps its outcome.
        ended = sa.update(_RUNS).where(_RUNS.c.run_id.in_(dead), _RUNS.c.outcome == RUNNING)
        marked = connection.scalars(ended.values(outcome=ABANDONED, ended_at=now).returning(_RUNS.c.run_id))
        return sorted(marked)
    return []


def record_action(
    connection: Connection,
    *,
    actor: str,
    action: str,
    object: str,  # noqa: A002 - the column's name
    window: str | None,
    rows: int | None,
    outcome: str,
    detail: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    """Add an entry to the audit log; with the caller's transaction, so that what was undone is not claimed.

    Args:
        connection: in a transaction.
        actor: an operating system's user or a Dagster run.
        action: ingest, replace, report, sql, …
        object: the dataset, table or report.
        window: the stretch of time.
        rows: how many were touched.
        outcome: done, failed or denied.
        detail: counts and keys, never values of a person.
        now: the instant.
    """
    connection.execute(
        sa.insert(_AUDIT).values(
            at=now,
            actor=actor,
            action=action,
            object=object,
            window=window,
            rows=rows,
            outcome=outcome,
            detail=None if detail is None else dict(detail),
        )
    )


def _is_running(pid: int, started_at: datetime) -> bool:
    try:
        process = psutil.Process(pid)
        is_same = abs(_started_at(process) - started_at) <= _CLOCK_SLACK
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _started_at(process: psutil.Process) -> datetime:
    return datetime.fromtimestamp(process.create_time(), UTC)
