"""The job, its schedule and its sensor, without a daemon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product, takewhile

import dagster as dg
import pytest
from dagster._utils.schedules import cron_string_iterator

from healthmate_bi_pipeline.catalog.reports import REPORT_TYPES
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.orchestration.automation import build_automation
from healthmate_bi_pipeline.orchestration.jobs import (
    CAUSE_TAG,
    ONE_AT_A_TIME_TAG,
    is_refreshing,
    refresh_config,
)
from healthmate_bi_pipeline.orchestration.timetable import after_the_end
from healthmate_bi_pipeline.settings import RetentionSettings, ScheduleSettings, Settings
from healthmate_bi_pipeline.usecases.graph import OF_ALL_TIME
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
    assert all(run.tags["dagster/max_retries"] == "0" for run in others)  # the job itself is repeated
    assert all(run.is_success for run in others)


def test_the_job_makes_days_again_that_are_asked_for(
    automation: dg.Definitions, memory_instance: dg.DagsterInstance
) -> None:
    asked = {"select": ["raw/symptom_logs"], "from": "2026-02-01", "to": "2026-02-03"}
    key = dg.AssetKey(["raw", "symptom_logs"])
    for times in (1, 2):
        result = automation.resolve_job_def("refresh").execute_in_process(
            instance=memory_instance, run_config={"ops": {"make_stale_partitions": {"config": asked}}}
        )
        assert result.success
        made = memory_instance.fetch_materializations(key, limit=100).records
        assert sorted(str(record.partition_key) for record in made) == sorted(
            ["2026-02-01", "2026-02-02", "2026-02-03"] * times
        )


def test_the_job_says_what_is_wrong_with_what_it_is_asked_for(
    automation: dg.Definitions, memory_instance: dg.DagsterInstance
) -> None:
    result = automation.resolve_job_def("refresh").execute_in_process(
        instance=memory_instance,
        run_config={"ops": {"make_stale_partitions": {"config": {"from": "1.2.2026"}}}},
        raise_on_error=False,
    )
    assert not result.success
    data = result.failure_data_for_node("make_stale_partitions")
    assert data is not None
    assert data.user_failure_data is not None
    assert data.user_failure_data.description == "`from` and `to` are days like 2026-01-31."


OF_NO_PERIOD = {"checks_daily", "collect_every_five_minutes", "retention_nightly", "vacuum_nightly"}
YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 10, tzinfo=UTC))


def _ticks(schedule: dg.ScheduleDefinition) -> list[datetime]:
    """When a schedule is due in a year and ten days."""
    crons = [schedule.cron_schedule] if isinstance(schedule.cron_schedule, str) else schedule.cron_schedule
    return sorted(
        moment
        for cron in crons
        for moment in takewhile(
            lambda moment: moment < YEAR[1], cron_string_iterator(YEAR[0].timestamp(), cron, "UTC")
        )
    )


def test_every_period_and_every_usual_report_has_a_schedule(automation: dg.Definitions) -> None:
    names = {schedule.name for schedule in automation.schedules or ()}
    usual = {f"report_{report.name}_{period}" for report in REPORT_TYPES for period in report.usual_cadences}
    assert names == {f"figures_{period}" for period in Period} | usual | OF_NO_PERIOD


@pytest.mark.parametrize("period", [period for period in Period if period is not Period.HOURLY])
def test_figures_are_due_when_their_period_has_ended_for_everybody_and_when_it_is_complete(
    automation: dg.Definitions, settings: Settings, period: Period
) -> None:
    ticks = _ticks(automation.resolve_schedule_def(f"figures_{period}"))
    delays = (timedelta(hours=settings.period.settle_hours), settings.period.delay)
    ends = [part.end for part in period.windows(Window(datetime(2025, 12, 31), datetime(2027, 1, 5)))]
    for delay, end in product(delays, ends):
        due = (end + delay).replace(tzinfo=UTC)
        if YEAR[0] < due < YEAR[1] - timedelta(hours=1):
            assert any(due <= tick < due + timedelta(hours=1) for tick in ticks), (period, end, delay)
    if period is not Period.DAILY:
        assert len(ticks) <= 2 * len(ends)


def test_a_late_report_is_due_every_day() -> None:
    assert after_the_end(Period.MONTHLY, timedelta(days=40), minute=45) == "45 0 * * *"


@pytest.mark.parametrize("deletes", [False, True])
@pytest.mark.parametrize("enabled", [False, True])
def test_one_setting_starts_them_all(settings: Settings, enabled: bool, deletes: bool) -> None:
    asked = settings.model_copy(
        update={
            "schedules": ScheduleSettings(enabled=enabled),
            "retention": RetentionSettings(enabled=deletes),
        }
    )
    made = build_automation(asked)
    running = {
        schedule.name for schedule in made.schedules or () if schedule.default_status.value == "RUNNING"
    }
    not_of_themselves = {"collect_every_five_minutes"} | (set() if deletes else {"retention_nightly"})
    all_others = {schedule.name for schedule in made.schedules or ()} - not_of_themselves
    assert running == (all_others if enabled else set())
    statuses = {sensor.name: sensor.default_status.value for sensor in made.sensors or ()}
    assert statuses["landing_files"] == statuses["late_data"] == ("RUNNING" if enabled else "STOPPED")


def _with_cron(settings: Settings, **cron: str) -> dg.Definitions:
    return build_automation(settings.model_copy(update={"schedules": ScheduleSettings(cron=cron)}))


def test_every_time_can_be_set(settings: Settings, automation: dg.Definitions) -> None:
    names = {schedule.name for schedule in automation.schedules or ()}
    changed = _with_cron(settings, **dict.fromkeys(names, "1 20 * * 2"))
    assert {(one.name, one.cron_schedule, one.job_name) for one in changed.schedules or ()} == {
        (one.name, "1 20 * * 2", one.job_name) for one in automation.schedules or ()
    }


def test_a_wrong_time_says_what_there_is(settings: Settings, automation: dg.Definitions) -> None:
    names = ", ".join(sorted(schedule.name for schedule in automation.schedules or ()))
    with pytest.raises(UsageError, match=f"there is no schedule figures_weakly; there are {names}\\."):
        _with_cron(settings, figures_weakly="0 20 * * 2")
    with pytest.raises(UsageError, match=r"schedules.cron.retention_nightly: 'tuesdays' is no time"):
        _with_cron(settings, retention_nightly="tuesdays")


def test_every_schedule_starts_a_job_that_there_is(
    automation: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    for schedule in automation.schedules or ():
        context = dg.build_schedule_context(
            instance=instance, scheduled_execution_time=datetime(2026, 3, 9, 12, 20, tzinfo=UTC)
        )
        (request,) = schedule.evaluate_tick(context).run_requests or ()
        assert automation.resolve_job_def(schedule.job_name)
        assert bool(request.run_config) == (schedule.job_name == "refresh")


def test_a_tick_makes_what_is_due_and_what_it_is_made_from(
    settings: Settings, automation: dg.Definitions, memory_instance: dg.DagsterInstance
) -> None:
    drop_file(settings, "symptom_logs/s.csv", _logs_of(1, ["2026-03-03"]))
    schedule = automation.resolve_schedule_def("figures_weekly")
    context = dg.build_schedule_context(
        instance=memory_instance, scheduled_execution_time=datetime(2026, 3, 9, 12, 20, tzinfo=UTC)
    )
    (request,) = schedule.evaluate_tick(context).run_requests or ()
    assert request.run_key == "figures_weekly 2026-03-09T12:20"
    result = automation.resolve_job_def("refresh").execute_in_process(
        instance=memory_instance, run_config=request.run_config
    )
    assert result.success
    made = _materialized(memory_instance)
    assert made["health_metrics/weekly"] == {"2026-03-02"}
    assert "2026-03-03" in made["raw/symptom_logs"]
    assert not any(name.endswith(("/daily", "/monthly", "/yearly")) for name in made)


def test_the_hourly_tick_is_left_out_while_a_refresh_runs(
    automation: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    hourly, daily = (automation.resolve_schedule_def(f"figures_{name}") for name in ("hourly", "daily"))
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=datetime(2026, 3, 10, 12, 5, tzinfo=UTC)
    )
    assert len(hourly.evaluate_tick(context).run_requests or ()) == 1

    _waiting(instance, automation)
    assert is_refreshing(instance)
    assert hourly.evaluate_tick(context).skip_message == "The last refresh is not done yet."
    # The others wait in the queue instead.
    assert len(daily.evaluate_tick(context).run_requests or ()) == 1
    assert automation.resolve_job_def("refresh").tags[ONE_AT_A_TIME_TAG] == "refresh"
    limits = instance.get_concurrency_config().run_queue_config.tag_concurrency_limits
    assert limits == [{"key": ONE_AT_A_TIME_TAG, "value": {"applyLimitPerUniqueValue": True}, "limit": 1}]


def _materialized(instance: dg.DagsterInstance) -> dict[str, set[str]]:
    return {
        key.to_user_string(): instance.get_materialized_partitions(key)
        for key in instance.all_asset_keys()
        if instance.get_latest_materialization_event(key) is not None
    }


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


def test_late_rows_have_their_days_made_again_and_nothing_else(
    settings: Settings, automation: dg.Definitions, memory_instance: dg.DagsterInstance
) -> None:
    sensor, refresh = automation.resolve_sensor_def("late_data"), automation.resolve_job_def("refresh")
    cursor: str | None = None

    def tick() -> dg.SensorResult:
        nonlocal cursor
        found = sensor.evaluate_tick(dg.build_sensor_context(instance=memory_instance, cursor=cursor))
        cursor = found.cursor or cursor
        return found

    def made_by(run_config: dict[str, object]) -> dict[str, set[str]]:
        before = {run.run_id for run in memory_instance.get_runs()}
        assert refresh.execute_in_process(instance=memory_instance, run_config=run_config).success
        found: dict[str, set[str]] = {}
        for run in memory_instance.get_runs():
            if run.run_id in before:
                continue
            for event in memory_instance.all_logs(
                run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
            ):
                key, partition = event.dagster_event.asset_key, event.dagster_event.partition
                if partition is not None:
                    found.setdefault(key.to_user_string(), set()).add(partition)
        return found

    days = [f"2026-0{month}-0{day}" for month in (1, 2, 3) for day in (2, 3, 9)]
    drop_file(settings, "symptom_logs/first.csv", _logs_of(1, days))
    assert tick().skip_message == "All days hold their rows."  # nothing has been taken in
    made_by(refresh_config())
    assert tick().skip_message == "All days hold their rows."
    assert tick().skip_message == "No rows have come in."

    drop_file(settings, "symptom_logs/late.csv", _logs_of(2, ["2026-01-03", "2026-02-09"]))
    assert tick().skip_message == "No rows have come in."
    made_by(refresh_config(select=["staged"]))
    (request,) = tick().run_requests or ()
    assert request.tags["healthmate/late_days"] == "6 of 6"
    (again,) = tick().run_requests or ()  # as if it had been killed before its cursor was kept
    assert again.run_key == request.run_key
    made = made_by(request.run_config)
    # A row may turn out to be one of the day before or after, by the person's clock.
    assert made["raw/symptom_logs"] == {
        f"2026-0{month}-{day:02}" for month, late in ((1, 3), (2, 9)) for day in (late - 1, late, late + 1)
    }
    assert {"2026-01-03", "2026-02-09"} <= made["health_metrics/daily"] <= made["raw/symptom_logs"]
    assert made["health_metrics/weekly"] == {"2025-12-29", "2026-02-09"}
    assert made["health_metrics/monthly"] == {"2026-01-01", "2026-02-01"}
    assert made["health_metrics/quarterly"] == {"2026-01-01"}
    assert not OF_ALL_TIME.intersection(made)
    assert not [name for name in made if name.startswith(("user_engagement", "system_performance"))]
    assert tick().skip_message == "All days hold their rows."


def test_as_many_late_days_at_once_as_are_allowed(
    settings: Settings, memory_instance: dg.DagsterInstance
) -> None:
    capped = build_automation(settings.model_copy(update={"schedules": ScheduleSettings(most_days=2)}))
    sensor, refresh = capped.resolve_sensor_def("late_data"), capped.resolve_job_def("refresh")
    days = ["2026-01-02", "2026-01-03", "2026-01-05"]
    drop_file(settings, "symptom_logs/first.csv", _logs_of(1, days))

    def run(run_config: dict[str, object]) -> None:
        assert refresh.execute_in_process(instance=memory_instance, run_config=run_config).success

    run(refresh_config(select=["staged"]))
    asked = []
    while requests := sensor.evaluate_tick(dg.build_sensor_context(instance=memory_instance)).run_requests:
        asked.append(requests[0])
        run(requests[0].run_config)
    assert [request.tags["healthmate/late_days"] for request in asked] == ["2 of 6", "2 of 4", "2 of 2"]
    assert len({request.run_key for request in asked}) == 3
    assert _materialized(memory_instance)["raw/symptom_logs"] == {f"2026-01-0{day}" for day in range(1, 7)}


def _logs_of(person: int, days: list[str]) -> str:
    header = "user_id,symptom,severity,recorded_at\n"
    return header + "".join(f"{person},headache,4,{day}T08:00:00Z\n" for day in days)
