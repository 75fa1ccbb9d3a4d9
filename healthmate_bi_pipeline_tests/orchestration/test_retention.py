"""Retention in Dagster: the job, the command, days that somebody asks for, and the log of runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from healthmate_bi_pipeline.cli.main import app
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.orchestration.automation import build_automation
from healthmate_bi_pipeline.orchestration.build import build_definitions
from healthmate_bi_pipeline.orchestration.execution import execute
from healthmate_bi_pipeline.orchestration.plan import without
from healthmate_bi_pipeline.orchestration.retention import apply_retention
from healthmate_bi_pipeline.orchestration.run import run_pipeline
from healthmate_bi_pipeline.orchestration.run_log import delete_old_runs, find_old_runs
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.retention.deleting import delete_due
from healthmate_bi_pipeline.warehouse.server import dagster_database_url
from healthmate_bi_pipeline_tests.running import opened, query
from healthmate_bi_pipeline_tests.usecases.retention.keeping import NOW, deliver, kept, reading, receipts

SELECT = (
    "staged",
    "state/reading_baselines",
    "raw",
    "state/health_hours",
    "state/health_days",
    "state/health_months",
    "state/device_readings",  # rows go when all that is made from them has been
    "health_metrics",
)
LATER = datetime.now(UTC) + timedelta(days=200)


@pytest.fixture
def filled(environment: Settings) -> Settings:
    days = (date(2026, 2, 10), date(2026, 2, 20), date(2026, 7, 1))
    deliver(environment, "health_readings/a.csv", [reading(day) for day in days])
    return kept(environment, periods={"daily": "100 days", "weekly": "100 days"})


def run(
    settings: Settings, instance: dg.DagsterInstance, *, now: datetime = NOW, **more: object
) -> list[str]:
    summary = run_pipeline(
        settings, select=SELECT, instance=instance, now=now.replace(tzinfo=UTC), **more  # type: ignore[arg-type]
    )  # fmt: skip
    assert summary.failures == []
    return summary.messages


def daily_rows(pipeline: Pipeline) -> list[date]:
    found = query(
        pipeline,
        "SELECT period_start::date AS day FROM bi_health_metric_rows WHERE aggregation_period = 'daily' ORDER BY 1",
    )
    return list(found["day"])


def test_the_log_of_runs_shrinks_and_still_tells_the_newest_state(
    filled: Settings, instance: dg.DagsterInstance
) -> None:
    key = dg.AssetKey(["health_metrics", "monthly"])
    february = Window.of_days(date(2026, 2, 1), date(2026, 2, 28))
    run(filled, instance)
    for _ in range(3):  # the same partitions again, so that the older events tell nothing
        execute(build_definitions(filled), {"health_metrics/monthly"}, instance=instance, period=Period.MONTHLY, window=february, tags={})  # fmt: skip
    runs = instance.get_runs_count()
    made = instance.get_materialized_partitions(key)
    events = query_events(filled)
    with opened(filled, now=LATER.replace(tzinfo=None)) as pipeline:
        assert find_old_runs(pipeline, instance) is not None
        assert instance.get_runs_count() == runs
        (due,) = delete_old_runs(pipeline, instance)
        assert instance.get_runs_count() == runs - due.partitions
        assert due.partitions >= 2
        assert query_events(filled) == events - due.rows
        assert due.rows > 0
        assert due.bytes > 1_000
        assert instance.get_materialized_partitions(key) == made
        for asset in instance.get_asset_keys():
            assert instance.get_latest_materialization_event(asset) is not None
        assert receipts(pipeline).loc["dagster/runs", ["rows", "outcome"]].tolist() == [due.rows, "done"]
        assert delete_old_runs(pipeline, instance) == []


def query_events(settings: Settings) -> int:
    engine = create_engine(dagster_database_url(settings))
    with engine.connect() as connection:
        found = connection.scalar(text("SELECT count(*) FROM event_logs WHERE run_id <> ''"))
    engine.dispose()
    return int(found or 0)


def test_young_runs_stay(filled: Settings, instance: dg.DagsterInstance) -> None:
    run(filled, instance)
    with opened(filled, now=datetime.now(UTC).replace(tzinfo=None) + timedelta(days=80)) as pipeline:
        assert find_old_runs(pipeline, instance) is None


def test_days_that_somebody_asks_for(filled: Settings, instance: dg.DagsterInstance) -> None:
    forever = filled.model_copy(update={"retention": filled.retention.model_copy(update={"enabled": False})})
    run(forever, instance)
    with opened(filled, now=NOW) as pipeline:
        everything = daily_rows(pipeline)
        delete_due(pipeline)
        assert daily_rows(pipeline) == [date(2026, 7, 1)]
    assert run(filled, instance) == []
    with opened(filled, now=NOW) as pipeline:
        assert daily_rows(pipeline) == [date(2026, 7, 1)]
    # A late row makes its month again, not its day, nor the days beside it.
    deliver(filled, "health_readings/late.csv", [reading(date(2026, 2, 15))])
    run(filled, instance)
    with opened(filled, now=NOW) as pipeline:
        assert daily_rows(pipeline) == [date(2026, 7, 1)]
    run(filled, instance, first_day=date(2026, 2, 10), last_day=date(2026, 2, 20))
    with opened(filled, now=NOW) as pipeline:
        assert daily_rows(pipeline) == sorted([*everything, date(2026, 2, 15)])


def test_what_cannot_be_made_whole_is_left_and_told(filled: Settings, instance: dg.DagsterInstance) -> None:
    run(filled, instance)
    settings = kept(filled, datasets={"health_readings": "100 days"}, periods={"daily": "for ever"})
    with opened(settings, now=NOW) as pipeline:
        delete_due(pipeline)
        hours = pipeline.lake.open("state/health_hours")
        assert hours is not None
        before = hours.to_pandas()
    messages = run(settings, instance, first_day=date(2026, 2, 10), last_day=date(2026, 7, 1))
    assert [
        line for line in messages if line.startswith("state/health_hours: ") and "stay as they are" in line
    ]
    with opened(settings, now=NOW) as pipeline:
        hours = pipeline.lake.open("state/health_hours")
        assert hours is not None
        assert len(hours.to_pandas()) == len(before)
        assert len(daily_rows(pipeline)) == 3
    # A backfill of these days is refused.
    failures = execute(
        build_definitions(settings), {"state/health_hours"}, instance=instance, period=Period.DAILY,
        window=Period.DAILY.window(midnight(date(2026, 2, 10))), tags={},
    )  # fmt: skip
    assert "what it is made from was deleted" in failures[0].line


def test_windows_are_split_where_something_is_left_out() -> None:
    days = Window.of_days(date(2026, 1, 1), date(2026, 1, 5))
    left = {"a": {date(2026, 1, 1), date(2026, 1, 2)}, "b": {date(2026, 1, 2)}, "c": set[date]()}
    assert [(str(window), sorted(names)) for window, names in without(days, Period.DAILY, left)] == [
        ("2026-01-01", ["a"]),
        ("2026-01-02", ["a", "b"]),
        ("2026-01-03…2026-01-05", []),
    ]
    assert without(days, Period.DAILY, {"a": set()}) == [(days, frozenset())]


def test_the_job_and_its_schedule(filled: Settings, instance: dg.DagsterInstance) -> None:
    run(filled, instance)
    automation = build_automation(filled)
    schedule = automation.resolve_schedule_def("retention_nightly")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    result = automation.resolve_job_def("retention").execute_in_process(instance=instance)
    assert result.success
    off = build_automation(
        filled.model_copy(update={"retention": filled.retention.model_copy(update={"enabled": False})})
    )
    failed = off.resolve_job_def("retention").execute_in_process(instance=instance, raise_on_error=False)
    assert not failed.success
    (failure,) = (event for event in failed.all_events if event.is_step_failure)
    assert "Retention is off" in str(failure.step_failure_data.user_failure_data)


def test_the_command(
    environment: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(environment, "health_readings/a.csv", [reading(date(2024, 2, 10))])
    run(environment, instance, now=datetime(2024, 2, 12))
    told = CliRunner().invoke(app, ["retention", "--dry-run"])
    assert told.exit_code == 0
    assert "Retention is off" in told.output
    assert "health_metrics/daily" in told.output
    assert "would be deleted" in told.output
    refused = CliRunner().invoke(app, ["retention"])
    assert refused.exit_code != 0
    assert "Retention is off, so nothing was deleted" in str(refused.exception)
    monkeypatch.setenv("HEALTHMATE_RETENTION__ENABLED", "true")
    done = CliRunner().invoke(app, ["retention"])
    assert done.exit_code == 0, done.output
    assert "deleted." in done.output
    again = CliRunner().invoke(app, ["retention"])
    assert again.output.strip() == "Nothing is past its time."
    status = CliRunner().invoke(app, ["status"])
    assert "retention: " in status.output
    monkeypatch.setenv("HEALTHMATE_RETENTION__PERIODS__HOURLY", "1 day")
    wrong = CliRunner().invoke(app, ["retention", "--dry-run"])
    assert "retention.periods.hourly: 1 day is shorter than" in str(wrong.exception)


def test_dry_run_changes_nothing(filled: Settings, instance: dg.DagsterInstance) -> None:
    run(filled, instance)
    runs = instance.get_runs_count()
    found = apply_retention(filled, dry_run=True, instance=instance, now=LATER)
    assert {due.object for due in found.things} >= {"health_metrics/daily"}
    assert instance.get_runs_count() == runs
    with opened(filled, now=NOW) as pipeline:
        assert receipts(pipeline).empty
        assert daily_rows(pipeline)
