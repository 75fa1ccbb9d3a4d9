"""What is waited for: files in the landing folder."""

import dagster as dg

from healthmate_bi_pipeline.orchestration.jobs import is_refreshing
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.collect import landing_digest

SECONDS_BETWEEN = 30


def build_sensors(settings: Settings, refresh: dg.JobDefinition) -> list[dg.SensorDefinition]:
    """The sensors; they do not run until somebody switches them on."""

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

    return [landing_files]
