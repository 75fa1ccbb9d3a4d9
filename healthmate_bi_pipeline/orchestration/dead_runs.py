"""Runs whose process was killed: Dagster would show them as running for ever."""

import os
import socket
from collections.abc import Mapping

import dagster as dg
import psutil

HOST_TAG = ".dagster/healthmate_host"
PID_TAG = ".dagster/healthmate_pid"
STARTED_TAG = ".dagster/healthmate_process_started_at"
"""Tags that begin so are not shown: three of them made one line of the list of runs four."""

_CLOCK_SLACK_SECONDS = 10.0
"""How far the start of one process may seem to move when the system's clock is set."""


def process_tags() -> dict[str, str]:
    """Tags that say which process works on a run."""
    return {
        HOST_TAG: socket.gethostname(),
        PID_TAG: str(os.getpid()),
        STARTED_TAG: f"{psutil.Process().create_time():.2f}",
    }


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
    dead = [run for run in instance.get_runs(unfinished) if not is_alive(run.tags)]
    for run in dead:
        instance.report_run_failed(
            run, "The process of this run is gone. What it had not finished is made again."
        )
    return [run.run_id for run in dead]


def is_alive(tags: Mapping[str, str]) -> bool:
    """Whether the process that tags speak of still runs, and is not a later one of that number."""
    try:
        process = psutil.Process(int(tags[PID_TAG]))
        is_same = abs(process.create_time() - float(tags[STARTED_TAG])) <= _CLOCK_SLACK_SECONDS
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except (KeyError, ValueError, psutil.NoSuchProcess):
        return False
