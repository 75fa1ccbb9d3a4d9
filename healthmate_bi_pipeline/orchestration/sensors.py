"""What is looked at again and again: new files, days with other rows than before, and whether all is as it should be."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from healthmate_bi_pipeline.catalog.datasets import DATASETS
from healthmate_bi_pipeline.errors import BusyError
from healthmate_bi_pipeline.orchestration.alerts import send_alerts
from healthmate_bi_pipeline.orchestration.jobs import is_refreshing, refresh_config
from healthmate_bi_pipeline.orchestration.resources import OpenPipeline
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.sources.landing import folder_digest
from healthmate_bi_pipeline.usecases.graph import ASSETS, OF_ALL_TIME
from healthmate_bi_pipeline.usecases.late_data import find_late_days, intake_mark, spans
from healthmate_bi_pipeline.warehouse.failures import translated

SECONDS_BETWEEN = 30
SECONDS_BETWEEN_ALERTS = 60
BETWEEN_THOROUGH_LOOKS = timedelta(minutes=15)
"""What is overdue is told after hours anyway, and looking for it takes seconds."""

AT_ONCE = [asset.name for asset in ASSETS if asset.name not in OF_ALL_TIME]
"""Late days do not have all of history looked at again, and the reports on it: that is done once a day."""


def build_sensors(
    settings: Settings, refresh: dg.JobDefinition, *, open_pipeline: OpenPipeline
) -> list[dg.SensorDefinition]:
    """The sensors; the settings start them, the UI starts and stops each."""
    return [
        _landing_files(settings, refresh),
        _late_data(settings, refresh, open_pipeline),
        _alerts(settings),
    ]


def _landing_files(settings: Settings, refresh: dg.JobDefinition) -> dg.SensorDefinition:
    @dg.sensor(
        name="landing_files",
        job=refresh,
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=_status(is_running=settings.schedules.enabled),
        description="Takes files in that have come to the landing folder and no longer change.",
    )
    def landing_files(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        found = folder_digest(settings.landing_path, DATASETS)
        seen, _, asked = (context.cursor or ",").partition(",")
        if found is None:
            return dg.SensorResult(skip_reason="The landing folder is empty.")
        if found == asked:
            return dg.SensorResult(skip_reason="There is nothing new in the landing folder.")
        if found != seen:  # somebody may still be writing
            return dg.SensorResult(skip_reason="Files are coming in.", cursor=f"{found},{asked}")
        if is_refreshing(context.instance):
            return dg.SensorResult(skip_reason="A refresh is not done yet.")
        request = dg.RunRequest(run_key=found, run_config=refresh_config(select=["staged"]))
        return dg.SensorResult(run_requests=[request], cursor=f"{found},{found}")

    return landing_files


def _late_data(
    settings: Settings, refresh: dg.JobDefinition, open_pipeline: OpenPipeline
) -> dg.SensorDefinition:
    @dg.sensor(
        name="late_data",
        job=refresh,
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=_status(is_running=settings.schedules.enabled),
        description="Makes the days again that rows have come for, and all that holds them: nothing else. As many days"
        " at once as schedules.most_days; what looks at all of history follows with figures_daily.",
    )
    def late_data(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        if is_refreshing(context.instance):
            return dg.SensorResult(skip_reason="A refresh is not done yet.")
        with translated(), open_pipeline() as pipeline:
            # The watermark: as long as nothing came in, a day that is not stale does not become so.
            if context.cursor == intake_mark(pipeline):
                return dg.SensorResult(skip_reason="No rows have come in.")
            late = find_late_days(pipeline, most=settings.schedules.most_days)
        if not late.days:
            return dg.SensorResult(skip_reason="All days hold their rows.", cursor=late.mark)
        # Killed between asking and keeping the cursor, the next tick asks with the same key: Dagster runs it once.
        request = dg.RunRequest(
            run_key=f"{late.mark} {late.days[0]} {late.days[-1]} {len(late.days)}",
            run_config=refresh_config(select=AT_ONCE, days=spans(late.days)),
            tags={"healthmate/late_days": f"{len(late.days)} of {len(late.days) + late.left}"},
        )
        return dg.SensorResult(run_requests=[request])

    return late_data


def _alerts(settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=SECONDS_BETWEEN_ALERTS,
        default_status=_status(is_running=settings.alerts.enabled),
        description="Looks for what is not as it should be, and tells mail, webhooks and log what they do not know yet.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = datetime.now(UTC)
        last = datetime.fromisoformat(context.cursor) if context.cursor else None
        is_thorough = last is None or now - last >= BETWEEN_THOROUGH_LOOKS
        try:
            found = send_alerts(
                settings, instance=context.instance, now=now, is_thorough=is_thorough, wait_seconds=1
            )
        except BusyError:
            return dg.SensorResult(skip_reason="Another process is at it.")
        said = [f"{one.channel}: {one.failure or f'told of {one.told}'}" for one in found.deliveries]
        return dg.SensorResult(
            skip_reason="; ".join([f"{len(found.open)} open", *said]),
            cursor=now.isoformat() if is_thorough else context.cursor,
        )

    return alerts


def _status(*, is_running: bool) -> dg.DefaultSensorStatus:
    return dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED
