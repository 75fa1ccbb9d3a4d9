"""The job, its schedule and its sensor, without a daemon."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
import pytest

from healthmate_bi_pipeline.orchestration.automation import build_automation
from healthmate_bi_pipeline.orchestration.jobs import CAUSE_TAG, is_refreshing
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline_tests.running import drop_file


@pytest.fixture
def automation(settings: Settings) -> dg.Definitions:
    return build_automation(settings)


def _waiting(instance: dg.DagsterInstance, automation: dg.Definitions) -> dg.DagsterRun:
    """A refresh that has not begun."""
    return instance.create_run_for_job(automation.resolve_job_def("refresh"))


def test_the_job_makes_what_is_stale_in_runs_of_its_own(
    automation: dg.Definitions, memory_instance: dg.DagsterInstance
) -> None:
    result = automation.resolve_job_def("refresh").execute_in_process(instance=memory_instance)
    assert result.success
    own, *others = sorted(memory_instance.get_runs(), key=lambda run: run.job_name == "__ASSET_JOB")
    assert own.run_id == result.run_id
    assert others
    assert all(run.tags[CAUSE_TAG] == result.run_id for run in others)
    assert all(run.is_success for run in others)


def test_the_schedule_asks_every_hour(automation: dg.Definitions, instance: dg.DagsterInstance) -> None:
    schedule = automation.resolve_schedule_def("refresh_hourly")
    assert schedule.cron_schedule == "5 * * * *"
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=datetime(2026, 3, 10, 12, 5, tzinfo=UTC)
    )
    tick = schedule.evaluate_tick(context)
    assert len(tick.run_requests or ()) == 1

    _waiting(instance, automation)
    assert is_refreshing(instance)
    tick = schedule.evaluate_tick(context)
    assert not tick.run_requests
    assert tick.skip_message == "The last refresh is not done yet."


def test_the_sensor_asks_once_for_files_that_no_longer_change(
    settings: Settings, automation: dg.Definitions, memory_instance: dg.DagsterInstance
) -> None:
    sensor = automation.resolve_sensor_def("landing_files")
    cursor = None

    def tick() -> tuple[int, str | None]:
        nonlocal cursor
        context = dg.build_sensor_context(instance=memory_instance, cursor=cursor)
        found = sensor.evaluate_tick(context)
        cursor = found.cursor or cursor
        return len(found.run_requests or ()), found.skip_message

    assert tick() == (0, "The landing folder is empty.")
    drop_file(settings, "users/u.csv", "user_id\n1\n")
    assert tick() == (0, "Files are coming in.")
    drop_file(settings, "users/u.csv", "user_id\n1\n2\n")
    assert tick() == (0, "Files are coming in.")
    waiting = _waiting(memory_instance, automation)
    assert tick() == (0, "A refresh is not done yet.")
    memory_instance.report_run_canceled(waiting)
    assert tick() == (1, None)
    assert tick() == (0, "There is nothing new in the landing folder.")
    drop_file(settings, "users/more.csv", "user_id\n3\n")
    assert [tick()[0], tick()[0], tick()[0]] == [0, 1, 0]
