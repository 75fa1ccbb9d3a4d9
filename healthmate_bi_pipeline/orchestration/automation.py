"""What Dagster does by itself, as one part of the definitions: the job, its schedule and its sensor."""

import dagster as dg

from healthmate_bi_pipeline.orchestration.jobs import build_refresh
from healthmate_bi_pipeline.orchestration.schedules import build_schedules
from healthmate_bi_pipeline.orchestration.sensors import build_sensors
from healthmate_bi_pipeline.settings import Settings


def build_automation(settings: Settings) -> dg.Definitions:
    """The job ``refresh``, and what starts it."""
    refresh = build_refresh(settings)
    return dg.Definitions(
        jobs=[refresh], schedules=build_schedules(refresh), sensors=build_sensors(settings, refresh)
    )
