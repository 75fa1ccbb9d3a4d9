"""A report that somebody asks for, written at once and recorded in the instance where it is a partition."""

from pathlib import Path

import dagster as dg

from healthmate_bi_pipeline.catalog.reports import ReportType
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.orchestration.assets import asset_key
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.recipes import RECIPE_BY_TYPE
from healthmate_bi_pipeline.usecases.reports.writing import report_asset, write_report


def write_recorded_report(settings: Settings, report_type: ReportType, window: Window) -> list[Path]:
    """Write a report over any days; the paths of its files.

    One that is exactly a period's is that period's partition, so Dagster is told.

    Raises:
        UsageError: there are no data in these days.
    """
    with Pipeline.open(settings) as pipeline:
        built = write_report(pipeline, RECIPE_BY_TYPE[report_type.name], window)
    period = report_type.cadence_of(window)
    if period is not None:
        _record(report_type, period, window)
    return [settings.reports_path / path for path in built.paths]


def _record(report_type: ReportType, period: Period, window: Window) -> None:
    with dg.DagsterInstance.get() as instance:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                asset_key=asset_key(report_asset(report_type, period)),
                partition=period.label(window.start),
                metadata={"dagster/partition_row_count": 1},
            )
        )
