"""Runs that failed before anything of ours was begun, and the sensor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from healthmate_bi_pipeline.errors import HealthMateError, TransientError
from healthmate_bi_pipeline.orchestration.alerts import find_outside_runs, send_alerts
from healthmate_bi_pipeline.orchestration.automation import build_automation
from healthmate_bi_pipeline.orchestration.build import build_definitions
from healthmate_bi_pipeline.orchestration.jobs import CAUSE_TAG, REPORT
from healthmate_bi_pipeline.settings import AlertSettings, Settings
from healthmate_bi_pipeline.usecases.alerts import telling
from healthmate_bi_pipeline.usecases.alerts.telling import LOCK
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse import runs
from healthmate_bi_pipeline_tests.orchestration.toys import Toys
from healthmate_bi_pipeline_tests.running import opened

DAY = date(2026, 3, 2)


@pytest.fixture
def pipeline(settings: Settings) -> Iterator[Pipeline]:
    with opened(settings, now=datetime.now(UTC)) as found:
        yield found


@contextmanager
def _no_pipeline() -> Iterator[Pipeline]:
    raise TransientError("The connection to PostgreSQL was lost.")
    yield


def _made(
    settings: Settings,
    instance: dg.DagsterInstance,
    names: list[str],
    *,
    toys: Toys | None = None,
    is_open: bool,
) -> bool:
    """Make a day of some assets; whether it succeeded."""
    definitions = build_definitions(
        settings.model_copy(update={"start_date": DAY}),
        **({"assets": toys.graph(), "checks": ()} if toys else {}),
        open_pipeline=None if is_open else _no_pipeline,
    )
    keys = {dg.AssetKey(name.split("/")) for name in names}
    job = definitions.resolve_implicit_global_asset_job_def().get_subset(asset_selection=keys)
    result = job.execute_in_process(instance=instance, partition_key=f"{DAY}", raise_on_error=False)
    return bool(result.success)


def _found(pipeline: Pipeline, instance: dg.DagsterInstance) -> list[tuple[str, str | None, bool]]:
    return sorted((run.asset, run.window, run.has_succeeded) for run in find_outside_runs(pipeline, instance))


def test_a_run_that_did_not_come_to_its_pipeline_is_known(
    settings: Settings, pipeline: Pipeline, memory_instance: dg.DagsterInstance
) -> None:
    assert not _made(settings, memory_instance, ["raw/health_readings", "raw/app_events"], is_open=False)
    assert _found(pipeline, memory_instance) == [
        ("raw/app_events", "2026-03-02", False), ("raw/health_readings", "2026-03-02", False),
    ]  # fmt: skip


def test_a_run_whose_process_was_killed_on_another_machine_is_known(
    settings: Settings, pipeline: Pipeline, memory_instance: dg.DagsterInstance
) -> None:
    """Our books say that it runs: they can tell the dead of this machine only."""
    names = ["raw/app_events", "raw/health_readings"]
    _made(settings, memory_instance, names, is_open=False)
    (run,) = memory_instance.get_runs()
    with pipeline.warehouse.transaction() as connection:
        for name in names:
            key = f"{run.run_id}:{name}:0"
            runs.start_run(connection, run_id=key, assets=[name], window="2026-03-02", now=pipeline.now)
        runs.finish_run(
            connection, run_id=f"{run.run_id}:{names[0]}:0", outcome=runs.SUCCEEDED, rows=1, now=pipeline.now
        )
    assert _found(pipeline, memory_instance) == [("raw/health_readings", "2026-03-02", False)]


def test_it_is_an_alert_until_the_same_days_were_made(
    settings: Settings, pipeline: Pipeline, memory_instance: dg.DagsterInstance
) -> None:
    def subjects(minutes: int) -> list[str]:
        now = datetime.now(UTC) + timedelta(minutes=minutes)
        return [one.fingerprint for one in send_alerts(settings, instance=memory_instance, now=now).open]

    _made(settings, memory_instance, ["raw/health_readings"], is_open=False)
    assert subjects(5) == ["run:raw/health_readings"]
    assert _made(settings, memory_instance, ["raw/health_readings"], is_open=True)
    assert subjects(6) == ["run:raw/health_readings"]  # it may come back
    assert subjects(17) == []


def test_what_the_books_know_is_not_told_twice(
    settings: Settings, pipeline: Pipeline, memory_instance: dg.DagsterInstance
) -> None:
    """What was to be made from it failed with it, and is no trouble of its own."""
    toys = Toys()

    def failing() -> None:
        with pipeline.recorded("raw/toys", None):
            raise TransientError("It is tried again.")

    toys.failing["raw/toys"] = failing
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("healthmate_bi_pipeline.orchestration.failures.MAX_RETRIES", 0)
        patch.setattr(Pipeline, "recorded", _recorded_as_dagsters(memory_instance, Pipeline.recorded))
        assert not _made(settings, memory_instance, ["raw/toys", "state/days"], toys=toys, is_open=True)
    assert _found(pipeline, memory_instance) == []


def test_what_a_check_held_back_is_left_to_the_check(
    pipeline: Pipeline, memory_instance: dg.DagsterInstance
) -> None:
    @dg.asset
    def first() -> None: ...

    @dg.asset_check(asset=first, blocking=True)
    def balanced() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.ERROR)

    @dg.asset(deps=[first])
    def second() -> None: ...

    result = dg.materialize(
        [first, balanced, second], instance=memory_instance, raise_on_error=False
    )  # fmt: skip
    assert not result.success
    assert [event.asset_key.to_user_string() for event in result.get_asset_materialization_events()] == [
        "first"
    ]
    assert _found(pipeline, memory_instance) == []


def _recorded_as_dagsters(instance: dg.DagsterInstance, recorded):  # type: ignore[no-untyped-def]
    """The toys hold the test's pipeline, which has a run of its own; in a run it has Dagster's."""

    def with_run(self: Pipeline, *arguments: object):  # type: ignore[no-untyped-def]
        (run,) = instance.get_runs()
        object.__setattr__(self, "run_id", run.run_id)
        return recorded(self, *arguments)

    return with_run


def _fail(instance: dg.DagsterInstance, name: str, **tags: str) -> dg.DagsterRun:
    @dg.op
    def nothing() -> None:
        raise dg.Failure("It did not work.")

    @dg.job(name=name)
    def job() -> None:
        nothing()

    result = job.execute_in_process(instance=instance, raise_on_error=False, tags=tags)
    assert not result.success
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    return run


def _succeed(instance: dg.DagsterInstance, name: str) -> None:
    @dg.job(name=name)
    def job() -> None: ...

    assert job.execute_in_process(instance=instance).success


def test_a_job_that_failed_is_an_alert_until_it_succeeds(
    pipeline: Pipeline, memory_instance: dg.DagsterInstance
) -> None:
    _fail(memory_instance, "collect_host_sample")
    assert _found(pipeline, memory_instance) == [("job/collect_host_sample", None, False)]
    _succeed(memory_instance, "collect_host_sample")
    assert _found(pipeline, memory_instance) == [
        ("job/collect_host_sample", None, False), ("job/collect_host_sample", None, True),
    ]  # fmt: skip


def test_a_refresh_whose_runs_failed_leaves_it_to_them(
    pipeline: Pipeline, memory_instance: dg.DagsterInstance
) -> None:
    refresh = _fail(memory_instance, "refresh")
    _fail(memory_instance, "child", **{CAUSE_TAG: refresh.run_id})
    assert [asset for asset, _, _ in _found(pipeline, memory_instance)] == ["job/child"]


def test_a_report_that_somebody_asked_for_in_vain_is_their_own_business(
    pipeline: Pipeline, memory_instance: dg.DagsterInstance
) -> None:
    _fail(memory_instance, REPORT)
    assert _found(pipeline, memory_instance) == []


def test_the_sensor_looks_and_asks_for_nothing(
    settings: Settings, memory_instance: dg.DagsterInstance
) -> None:
    sensor = build_automation(settings).resolve_sensor_def("alerts")
    assert sensor.minimum_interval_seconds == 60

    def tick(cursor: str | None) -> tuple[str | None, str | None]:
        with dg.build_sensor_context(instance=memory_instance, cursor=cursor) as context:
            found = sensor.evaluate_tick(context)
        assert not found.run_requests
        return found.skip_message, found.cursor

    message, first = tick(None)
    assert message == "0 open"
    assert first is not None
    assert tick(first) == ("0 open", first)  # what is overdue was looked for just now
    long_ago = (datetime.now(UTC) - timedelta(minutes=15)).isoformat()
    assert tick(long_ago)[1] != long_ago
    with Pipeline.open(settings) as pipeline, pipeline.warehouse.hold_alone(LOCK):
        assert tick(first) == ("Another process is at it.", first)


@pytest.mark.parametrize("is_enabled", [True, False])
def test_one_setting_switches_the_sensor_on(settings: Settings, is_enabled: bool) -> None:
    changed = settings.model_copy(update={"alerts": AlertSettings(enabled=is_enabled)})
    sensor = build_automation(changed).resolve_sensor_def("alerts")
    assert (sensor.default_status is dg.DefaultSensorStatus.RUNNING) == is_enabled


def test_what_nobody_expected_is_told_without_its_text(
    settings: Settings, memory_instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_arguments: object, **_named: object) -> None:
        raise ValueError("12 Main Street")

    monkeypatch.setattr(telling, "judge_facts", failing)
    with pytest.raises(HealthMateError, match="Unexpected ValueError at .*telling.py") as failed:
        send_alerts(settings, instance=memory_instance)
    assert "Main" not in str(failed.value)
