"""What is looked at again and again: files in the landing folder, and whether all is as it should be."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from healthmate_bi_pipeline.errors import BusyError
from healthmate_bi_pipeline.orchestration.alerts import send_alerts
from healthmate_bi_pipeline.orchestration.jobs import is_refreshing
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.collect import landing_digest

SECONDS_BETWEEN = 30
SECONDS_BETWEEN_ALERTS = 60
BETWEEN_THOROUGH_LOOKS = timedelta(minutes=15)
"""What is overdue is told after hours anyway, and looking for it takes seconds."""


def build_sensors(settings: Settings, refresh: dg.JobDefinition) -> list[dg.SensorDefinition]:
    """The sensors; they do not run until somebody switches them on, here or in the settings."""

    @dg.sensor(
        name="landing_files",
        job=refresh,
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Refreshes when files have come to the landing folder and no longer change.",
    )
    def landing_files(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        found = landing_digest(settings)
        seen, _, asked = (context.cursor or ",").partition(",")
        if found is None:
            return dg.SensorResult(skip_reason="The landing folder is empty.")
        if found == asked:
            return dg.SensorResult(skip_reason="There is nothing new in the landing folder.")
        if found != seen:  # somebody may still be writing
            return dg.SensorResult(skip_reason="Files are coming in.", cursor=f"{found},{asked}")
        if is_refreshing(context.instance):
            return dg.SensorResult(skip_reason="A refresh is not done yet.")
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=found)], cursor=f"{found},{found}")

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=SECONDS_BETWEEN_ALERTS,
        default_status=dg.DefaultSensorStatus.RUNNING
        if settings.alerts.enabled
        else dg.DefaultSensorStatus.STOPPED,
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

    return [landing_files, alerts]
