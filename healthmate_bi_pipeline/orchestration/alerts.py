"""Alerts with what only Dagster knows: runs that failed before anything of ours was begun."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg

from healthmate_bi_pipeline.catalog.alerts import LOOK_BACK
from healthmate_bi_pipeline.errors import HealthMateError
from healthmate_bi_pipeline.orchestration.checks import window_of_run
from healthmate_bi_pipeline.orchestration.defects import unexpected
from healthmate_bi_pipeline.orchestration.jobs import CAUSE_TAG, REPORT
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.alerts.judging import JOB_PREFIX
from healthmate_bi_pipeline.usecases.alerts.telling import Evaluation, tell_alerts
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse.alerts import EndedRun, outcomes_of
from healthmate_bi_pipeline.warehouse.runs import ABANDONED, FAILED, SUCCEEDED

MOST_RUNS = 200
"""Failed runs that are looked at, the last ones: a backfill of years that fails is one alert an asset anyway."""


def send_alerts(
    settings: Settings,
    *,
    instance: dg.DagsterInstance,
    now: datetime | None = None,
    is_thorough: bool = True,
    wait_seconds: float = 60.0,
) -> Evaluation:
    """Look at everything, Dagster's runs too, and tell every channel what it does not know.

    Args:
        settings: the configuration.
        instance: whose runs are looked at.
        now: the instant that counts as now.
        is_thorough: whether what is overdue is looked for, which takes seconds.
        wait_seconds: how long to wait for another process that does the same.

    Raises:
        BusyError: another process does the same for longer.
        HealthMateError: it cannot be done; the text holds no value and no secret.
    """
    try:
        with Pipeline.open(settings, now=now) as pipeline:
            outside = find_outside_runs(pipeline, instance)
            return tell_alerts(pipeline, outside=outside, is_thorough=is_thorough, wait_seconds=wait_seconds)
    except HealthMateError:
        raise
    except Exception as error:  # noqa: BLE001 - its text must not reach the log of the sensor
        raise HealthMateError(unexpected(error)) from None


def find_outside_runs(pipeline: Pipeline, instance: dg.DagsterInstance) -> list[EndedRun]:
    """Dagster's failed runs as far as our own books do not tell of them, and the success of their jobs since.

    A report that somebody asks for is left out: its run tells them what is wrong with the question.
    """
    since = pipeline.now.astimezone(UTC) - LOOK_BACK
    failed = instance.get_run_records(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since), limit=MOST_RUNS
    )
    with pipeline.warehouse.transaction() as connection:
        booked = outcomes_of(connection, [record.dagster_run.run_id for record in failed])
    found: list[EndedRun] = []
    for record in failed:
        run = record.dagster_run
        failed_at = _ended_at(record)
        outcomes = booked.get(run.run_id, {})
        if not {FAILED, ABANDONED}.isdisjoint(outcomes.values()):
            continue  # the books tell it, of the very asset
        if _has_failed_check(instance, run.run_id):
            continue  # the check tells it: what was to be made from what it failed for was held back
        if planned := _planned_assets(instance, run.run_id):
            left = [name for name in planned if outcomes.get(name) != SUCCEEDED]
            # When all were made, what failed is a check of one.
            found += _of_assets(run, left or planned, failed_at)
        elif run.job_name != REPORT and not _has_failed_children(instance, run.run_id):
            job = f"{JOB_PREFIX}{run.job_name}"
            found.append(EndedRun(job, None, failed_at, run.run_id, has_succeeded=False))
    jobs = {run.asset for run in found if run.asset.startswith(JOB_PREFIX)}
    found += [success for job in sorted(jobs) for success in _last_success(instance, job)]
    return found


def _planned_assets(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """What a run was to make; a run in process has no selection, but always says what it will make."""
    planned = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    keys = {entry.dagster_event.asset_key for entry in planned if entry.dagster_event is not None}
    return sorted(key.to_user_string() for key in keys if key is not None)


def _has_failed_check(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a check of a run failed as an error, as one that blocks does."""
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [entry.dagster_event.asset_check_evaluation_data for entry in entries if entry.dagster_event]
    return any(not one.passed and one.severity is dg.AssetCheckSeverity.ERROR for one in found)


def _of_assets(run: dg.DagsterRun, names: Iterable[str], failed_at: datetime) -> Iterator[EndedRun]:
    """A failed run, as one of each of some assets."""
    for name in names:
        asset = ASSET_BY_NAME.get(name)
        window = window_of_run(run.tags, asset) if asset else None
        yield EndedRun(name, str(window) if window else None, failed_at, run.run_id, has_succeeded=False)


def _has_failed_children(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether runs that this one started failed: they speak for themselves."""
    children = dg.RunsFilter(tags={CAUSE_TAG: run_id}, statuses=[dg.DagsterRunStatus.FAILURE])
    return bool(instance.get_runs(children, limit=1))


def _ended_at(record: dg.RunRecord) -> datetime:
    """When a run ended: what it made before that is no success since."""
    if record.end_time is not None:
        return datetime.fromtimestamp(record.end_time, UTC)
    return record.update_timestamp.astimezone(UTC)


def _last_success(instance: dg.DagsterInstance, job: str) -> Sequence[EndedRun]:
    name = job.removeprefix(JOB_PREFIX)
    succeeded = dg.RunsFilter(job_name=name, statuses=[dg.DagsterRunStatus.SUCCESS])
    return [
        EndedRun(
            job, None, record.create_timestamp.astimezone(UTC), record.dagster_run.run_id, has_succeeded=True
        )
        for record in instance.get_run_records(succeeded, limit=1)
    ]
