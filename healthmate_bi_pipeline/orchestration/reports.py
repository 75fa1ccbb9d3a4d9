"""A report that somebody asks for, written at once and recorded in the instance where it is a partition."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from healthmate_bi_pipeline.catalog.reports import ReportType
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.orchestration.assets import asset_key
from healthmate_bi_pipeline.orchestration.links import report_links
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.recipes import RECIPE_BY_TYPE
from healthmate_bi_pipeline.usecases.reports.writing import report_asset, write_report


@dataclass(frozen=True)
class ReportOrder:
    """A report that somebody asks for.

    Attributes:
        report_type: what it is about.
        window: any days.
        generated_by: whose name stands in it; by default the user's of this process.
    """

    report_type: ReportType
    window: Window
    generated_by: str | None = None


@dataclass(frozen=True)
class WrittenReport:
    """The files of a report, and what may be said of it here."""

    paths: tuple[Path, ...]
    links: Mapping[str, dg.MetadataValue]
    summary: str


def write_recorded_report(
    settings: Settings, order: ReportOrder, *, instance: dg.DagsterInstance | None = None
) -> WrittenReport:
    """Write a report over any days.

    One that is exactly a period's is that period's partition, so Dagster is told.

    Args:
        settings: the configuration.
        order: what is asked for.
        instance: who is told; by default the instance of ``DAGSTER_HOME``.

    Raises:
        UsageError: there are no data in these days.
    """
    report_type, window = order.report_type, order.window
    with Pipeline.open(settings) as pipeline:
        recipe = RECIPE_BY_TYPE[report_type.name]
        built = write_report(pipeline, recipe, window, generated_by=order.generated_by)
    links = report_links(settings, built.paths)
    period = report_type.cadence_of(window)
    if period is not None:
        told = _materialization(order, period, {**links, "report": dg.MetadataValue.md(built.summary)})
        if instance is not None:
            instance.report_runless_asset_event(told)
        else:
            with dg.DagsterInstance.get() as opened:
                opened.report_runless_asset_event(told)
    return WrittenReport(tuple(settings.reports_path / path for path in built.paths), links, built.summary)


def _materialization(
    order: ReportOrder, period: Period, metadata: Mapping[str, dg.MetadataValue]
) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key=asset_key(report_asset(order.report_type, period)),
        partition=period.label(order.window.start),
        metadata={"dagster/partition_row_count": 1, **metadata},
    )
