"""What Dagster does by itself, as one part of the definitions: jobs, schedules and sensors."""

from functools import partial

import dagster as dg

from healthmate_bi_pipeline.orchestration.jobs import (
    build_collect,
    build_refresh,
    build_report_job,
    build_retention,
    build_vacuum,
)
from healthmate_bi_pipeline.orchestration.schedules import build_schedules
from healthmate_bi_pipeline.orchestration.sensors import build_sensors
from healthmate_bi_pipeline.orchestration.timetable import CHECKS_JOB
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline


def build_automation(settings: Settings) -> dg.Definitions:
    """The jobs, and what starts them."""
    refresh = build_refresh(settings)
    checks = dg.define_asset_job(
        CHECKS_JOB,
        selection=dg.AssetSelection.all_asset_checks(),
        description="Every check over everything there is; those of single runs look at their days only.",
    )
    return dg.Definitions(
        jobs=[
            refresh,
            checks,
            build_report_job(settings),
            build_retention(settings),
            build_vacuum(settings),
            build_collect(settings),
        ],
        schedules=build_schedules(settings),
        sensors=build_sensors(settings, refresh, open_pipeline=partial(Pipeline.open, settings)),
    )
