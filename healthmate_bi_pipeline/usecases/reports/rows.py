"""What the inputs of every report begin with, and what they say of the rows behind: what became of them, how new they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.datasets import Dataset
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.catalog.reports import ReportType
from healthmate_bi_pipeline.domain.period import Window, midnight
from healthmate_bi_pipeline.reporting.inputs import Arrivals, DatasetQuality
from healthmate_bi_pipeline.settings import ReportSettings
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline
from healthmate_bi_pipeline.usecases.reports.scope import Subject
from healthmate_bi_pipeline.warehouse import books, queries


class CommonInputs(TypedDict):
    """The fields of ``ReportInputs``."""

    report_type: ReportType
    cadence: str
    window: Window
    settings: ReportSettings
    as_of: datetime | None
    is_complete: bool
    quality: Sequence[DatasetQuality]
    input_versions: Mapping[str, int]


def common_inputs(
    pipeline: Pipeline,
    connection: Connection,
    subject: Subject,
    *,
    datasets: Sequence[Dataset],
    rests_on: Iterable[str],
) -> CommonInputs:
    """What the inputs of every report begin with.

    Args:
        pipeline: whose settings and time count.
        connection: to the books.
        subject: what the report is about.
        datasets: those that it rests on.
        rests_on: the assets whose versions stand in the report: of their partitions in its window, or as a whole.
    """
    window = subject.window
    whole = Window.of_days(UNPARTITIONED, UNPARTITIONED)
    held = {
        asset: versions.outputs(connection, asset, window) or versions.outputs(connection, asset, whole)
        for asset in rests_on
    }
    return CommonInputs(
        report_type=subject.report_type,
        cadence=subject.cadence,
        window=window,
        settings=pipeline.settings.report,
        as_of=newest_instant(pipeline, datasets, window),
        is_complete=pipeline.is_complete(window.end),
        quality=row_quality(connection, datasets, window),
        input_versions={asset: versions.combined(parts.items()) for asset, parts in held.items() if parts},
    )


def row_quality(connection: Connection, datasets: Sequence[Dataset], window: Window) -> list[DatasetQuality]:
    """What became of the rows of a window, per dataset."""
    assets = {f"raw/{dataset.name}": dataset for dataset in datasets}
    counts = queries.row_counts(connection, assets, window)
    of_files = {
        dataset.name: books.file_totals(connection, dataset.name, window=window) for dataset in datasets
    }
    return [
        DatasetQuality(
            dataset=dataset.name,
            staged=counts[asset].staged,
            kept=counts[asset].kept,
            duplicates=counts[asset].duplicates,
            superseded=counts[asset].superseded,
            quarantined=counts[asset].quarantined,
            quarantined_by_rule=counts[asset].quarantined_by_rule,
            files=of_files[dataset.name].files,
            rejected_lines=of_files[dataset.name].rejected,
            undated=of_files[dataset.name].undated,
        )
        for asset, dataset in assets.items()
    ]


def arrivals(
    connection: Connection, datasets: Sequence[Dataset], window: Window, *, delay: timedelta
) -> dict[str, Arrivals]:
    """Per dataset how many days came in time; days that closed before the first file was read are not judged.

    Args:
        connection: to the books.
        datasets: whose days.
        window: which days.
        delay: after a day's end late data are waited for so long.
    """
    begun = books.first_file_at(connection)
    found = {}
    for dataset in datasets:
        seen = books.first_seen(connection, dataset.name, window)
        closes = {day: midnight(day).replace(tzinfo=UTC) + timedelta(days=1) + delay for day in seen}
        judged = [day for day in seen if begun is not None and closes[day] >= begun]
        in_time = sum(seen[day] <= closes[day] for day in judged)
        found[dataset.name] = Arrivals(in_time, len(judged))
    return found


def newest_instant(pipeline: Pipeline, datasets: Sequence[Dataset], window: Window) -> datetime | None:
    """The newest instant of the window's data."""
    newest = [
        pipeline.lake.newest(raw_table(dataset).name, column, window=window)
        for dataset in datasets
        if (column := _time_of(dataset)) is not None
    ]
    return max(filter(None, newest), default=None)


def _time_of(dataset: Dataset) -> str | None:
    return next((name for name in dataset.day_of if dataset.field_named(name).type is Type.TIMESTAMP), None)
