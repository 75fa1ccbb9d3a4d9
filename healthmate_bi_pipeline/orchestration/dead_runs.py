"""Runs whose process was killed: Dagster would show them as running for ever, and its queue wait for them."""

import os
import socket
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import dagster as dg
import psutil

HOST_TAG = ".dagster/healthmate_host"
PID_TAG = ".dagster/healthmate_pid"
STARTED_TAG = ".dagster/healthmate_process_started_at"
"""Tags that begin so are not shown: three of them made one line of the list of runs four."""

GONE = "The process of this run is gone. What it had not finished is made again."

GONE_FOR = timedelta(minutes=2)
"""How long a run stays unfinished: as soon as it has failed it is launched again, and by then its code server, which may
have been killed with it, has to be back."""

UNSIGNED_FOR = timedelta(minutes=10)
"""A run says within seconds after its start which process works on it."""

UNSEEN_FOR = timedelta(minutes=5)
"""How long a process of another host may have no session: after a restart of PostgreSQL it has none for a while."""

_CLOCK_SLACK_SECONDS = 10.0
"""How far the start of one process may seem to move when the system's clock is set."""


def process_tags() -> dict[str, str]:
    """Tags that say which process works on a run."""
    return {
        HOST_TAG: socket.gethostname(),
        PID_TAG: str(os.getpid()),
        STARTED_TAG: f"{psutil.Process().create_time():.2f}",
    }


def sign(instance: dg.DagsterInstance, run_id: str) -> None:
    """Put it on a run that this process works on it, so that others can tell when it is gone."""
    instance.add_run_tags(run_id, process_tags())


def fail_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark as failed the unfinished runs of this host whose process is gone; their ids."""
    unfinished = dg.RunsFilter(
        statuses=[
            dg.DagsterRunStatus.NOT_STARTED,
            dg.DagsterRunStatus.STARTED,
            dg.DagsterRunStatus.CANCELING,
        ],
        tags={HOST_TAG: socket.gethostname()},
    )
    dead = [
        run for run in instance.get_runs(unfinished) if not is_alive(run.tags) and is_signed(instance, run)
    ]
    for run in dead:
        instance.report_run_failed(run, GONE)
    return [run.run_id for run in dead]


def is_signed(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the tags speak of the run's own process: a repeated run is born with those of the run before it."""
    if HOST_TAG not in run.tags:
        return False
    before = instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
    return before is None or any(
        run.tags.get(name) != before.tags.get(name) for name in (HOST_TAG, PID_TAG, STARTED_TAG)
    )


def is_alive(tags: Mapping[str, str]) -> bool:
    """Whether the process that tags speak of still runs, and is not a later one of that number."""
    try:
        process = psutil.Process(int(tags[PID_TAG]))
        is_same = abs(process.create_time() - float(tags[STARTED_TAG])) <= _CLOCK_SLACK_SECONDS
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except (KeyError, ValueError, psutil.NoSuchProcess):
        return False


class Obituaries:
    """Finds out, look by look, which started runs no process works on any more.

    Of this host's processes the system is asked; a process on another host or in another container has a session with
    the warehouse for as long as it works.
    """

    def __init__(self) -> None:
        self._unseen_since: dict[str, datetime] = {}

    def is_gone(
        self,
        instance: dg.DagsterInstance,
        run: dg.DagsterRun,
        *,
        has_session: Callable[[str, str], bool],
        now: datetime,
    ) -> bool:
        """Whether the process of a started run is gone.

        Args:
            instance: where the run is recorded.
            run: a started one.
            has_session: whether a process, named by host and number, has a session with the warehouse.
            now: the instant of this look.
        """
        if not is_signed(instance, run):
            return self._is_over(run.run_id, UNSIGNED_FOR, now)
        host, pid = run.tags[HOST_TAG], run.tags[PID_TAG]
        if host == socket.gethostname():
            return not is_alive(run.tags) and self._is_over(run.run_id, GONE_FOR, now)
        if has_session(host, pid):
            self._unseen_since.pop(run.run_id, None)
            return False
        return self._is_over(run.run_id, UNSEEN_FOR, now)

    def _is_over(self, run_id: str, patience: timedelta, now: datetime) -> bool:
        """Whether it has been like this, as far as was looked, for that long."""
        return now - self._unseen_since.setdefault(run_id, now) >= patience
