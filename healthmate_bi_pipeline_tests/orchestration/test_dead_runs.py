from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import dagster as dg
import psutil
import pytest

from healthmate_bi_pipeline.orchestration.dead_runs import (
    GONE_FOR,
    HOST_TAG,
    PID_TAG,
    STARTED_TAG,
    UNSEEN_FOR,
    UNSIGNED_FOR,
    Obituaries,
    fail_dead_runs,
    is_alive,
    process_tags,
    sign,
)


def _unfinished(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    @dg.job
    def nothing() -> None: ...

    run = instance.create_run_for_job(nothing, tags=tags)
    instance.handle_run_event(run.run_id, _start_of(run))
    return run.run_id


def _start_of(run: dg.DagsterRun) -> dg.DagsterEvent:
    return dg.DagsterEvent(event_type_value="PIPELINE_START", job_name=run.job_name)


@pytest.fixture
def dead_process() -> dict[str, str]:
    """The tags of a process that has ended."""
    package = "healthmate_bi_pipeline.orchestration.dead_runs"
    script = f"import json; from {package} import process_tags; print(json.dumps(process_tags()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    tags: dict[str, str] = json.loads(done.stdout)
    return tags


def test_this_process_lives() -> None:
    assert is_alive(process_tags())


def test_a_later_process_of_the_same_number_is_another() -> None:
    earlier = str(psutil.Process().create_time() - 3600)
    assert not is_alive({**process_tags(), STARTED_TAG: earlier})


def test_a_process_that_ended_is_dead(dead_process: dict[str, str]) -> None:
    assert not is_alive(dead_process)
    assert not is_alive({})


def test_only_runs_of_dead_processes_of_this_host_are_failed(
    memory_instance: dg.DagsterInstance, dead_process: dict[str, str]
) -> None:
    dead = _unfinished(memory_instance, dead_process)
    alive = _unfinished(memory_instance, process_tags())
    elsewhere = _unfinished(memory_instance, {**dead_process, HOST_TAG: "another-host"})
    untagged = _unfinished(memory_instance, {})
    assert fail_dead_runs(memory_instance) == [dead]
    status = {run.run_id: run.status for run in memory_instance.get_runs()}
    assert status[dead] is dg.DagsterRunStatus.FAILURE
    assert all(status[one] is dg.DagsterRunStatus.STARTED for one in (alive, elsewhere, untagged))
    assert fail_dead_runs(memory_instance) == []


def test_tags_are_texts() -> None:
    assert set(process_tags()) == {HOST_TAG, PID_TAG, STARTED_TAG}
    assert all(isinstance(value, str) for value in process_tags().values())


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _run(instance: dg.DagsterInstance, tags: dict[str, str], *, parent: str | None = None) -> dg.DagsterRun:
    @dg.job
    def nothing() -> None: ...

    lineage = {"parent_run_id": parent, "root_run_id": parent} if parent else {}
    run = instance.create_run_for_job(nothing, tags=tags, **lineage)
    instance.handle_run_event(run.run_id, _start_of(run))
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found


def _none_seen(host: str, pid: str) -> bool:
    return False


def test_a_repeated_run_is_not_dead_with_the_tags_of_the_run_before_it(
    memory_instance: dg.DagsterInstance, dead_process: dict[str, str]
) -> None:
    before = _run(memory_instance, dead_process)
    assert fail_dead_runs(memory_instance) == [before.run_id]
    again = _run(memory_instance, dead_process, parent=before.run_id)  # Dagster copies the tags
    assert fail_dead_runs(memory_instance) == []
    obituaries = Obituaries()
    assert not obituaries.is_gone(memory_instance, again, has_session=_none_seen, now=NOW)
    later = NOW + UNSIGNED_FOR
    assert obituaries.is_gone(memory_instance, again, has_session=_none_seen, now=later)
    sign(memory_instance, again.run_id)
    signed = memory_instance.get_run_by_id(again.run_id)
    assert signed is not None
    assert not obituaries.is_gone(memory_instance, signed, has_session=_none_seen, now=later)


def test_a_process_of_this_host_is_looked_at_itself(
    memory_instance: dg.DagsterInstance, dead_process: dict[str, str]
) -> None:
    dead, alive = _run(memory_instance, dead_process), _run(memory_instance, process_tags())
    obituaries = Obituaries()
    is_gone = [
        obituaries.is_gone(memory_instance, run, has_session=_none_seen, now=now)
        for now in (NOW, NOW + GONE_FOR)
        for run in (dead, alive)
    ]
    assert is_gone == [False, False, True, False]


def test_a_process_elsewhere_is_gone_when_it_has_had_no_session_for_a_while(
    memory_instance: dg.DagsterInstance,
) -> None:
    run = _run(memory_instance, {**process_tags(), HOST_TAG: "another-host", PID_TAG: "12"})
    sessions = {("another-host", "12")}
    obituaries = Obituaries()

    def is_gone(after: timedelta) -> bool:
        return obituaries.is_gone(
            memory_instance, run, has_session=lambda *asked: asked in sessions, now=NOW + after
        )

    assert not is_gone(timedelta(0))
    sessions.clear()
    assert not is_gone(timedelta(minutes=1))
    sessions.add(("another-host", "12"))  # PostgreSQL was restarted
    assert not is_gone(timedelta(minutes=2))
    sessions.clear()
    assert not is_gone(timedelta(minutes=3))
    assert is_gone(timedelta(minutes=3) + UNSEEN_FOR)
