"""What Dagster does by itself, as one part of the definitions: jobs, schedules and sensors."""

from functools import partial

import dagster as dg

from healthmate_bi_pipeline.orchestration.jobs import (
    build_collect,
    build_refresh,
    build_report_job,
    build_retention,
)
from healthmate_bi_pipeline.orchestration.schedules import build_schedules
from healthmate_bi_pipeline.orchestration.sensors import build_sensors
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline


def build_automation(settings: Settings) -> dg.Definitions:
    """The jobs, and what starts them."""
    refresh, collect, retention = build_refresh(settings), build_collect(settings), build_retention(settings)
    return dg.Definitions(
        jobs=[refresh, collect, build_report_job(settings), retention],
        schedules=build_schedules(settings, refresh, collect, retention),
        sensors=build_sensors(settings, refresh, open_pipeline=partial(Pipeline.open, settings)),
    )
