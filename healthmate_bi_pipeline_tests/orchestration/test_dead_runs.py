from __future__ import annotations

import json
import subprocess
import sys

import dagster as dg
import psutil
import pytest

from healthmate_bi_pipeline.orchestration.dead_runs import (
    HOST_TAG,
    PID_TAG,
    STARTED_TAG,
    fail_dead_runs,
    is_alive,
    process_tags,
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
