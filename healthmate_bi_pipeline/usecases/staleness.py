"""Which partitions of an asset are stale: made from something else than they would be made from now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.lake.first_day import read_first_day
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.graph import AssetSpec
from healthmate_bi_pipeline.usecases.keeping import left_out
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline
from healthmate_bi_pipeline.warehouse import books


def stale_partitions(pipeline: Pipeline, asset: AssetSpec) -> list[date]:
    """The first days of an asset's stale partitions, in order; what is not made any more is not stale.

    An asset without partitions is stale as a whole (``[UNPARTITIONED]``) or not at all; one that takes files
    in is always tried.
    """
    if asset.inputs is None:
        return [UNPARTITIONED]
    window = known_window(pipeline)
    if asset.partitioned_by is not None:
        window = asset.partitioned_by.covering(window)
    with pipeline.warehouse.transaction() as connection:
        expected = asset.inputs(pipeline, connection, window)
        records = books.partition_records(connection, versions.booked_as(pipeline, asset))
    stale = versions.stale(expected, {day: record.input_version for day, record in records.items()})
    left = left_out(pipeline, asset, stale, is_told=False)
    stale = [day for day in stale if day not in left]
    return _wanted_reports(pipeline, asset, stale, records) if asset.group == "reports" else stale


def _wanted_reports(
    pipeline: Pipeline, asset: AssetSpec, stale: list[date], made: Mapping[date, object]
) -> list[date]:
    """Of the stale reports those that were made before, and of the usual cadences the last complete period's.

    A report on every day of the past is made when somebody asks for it, by a backfill or with dates.
    """
    last = asset.wanted(pipeline) if asset.wanted else None
    return [day for day in stale if day in made or day == last]


def known_window(pipeline: Pipeline) -> Window:
    """From the first day to the last one that any wall clock shows now."""
    first = pipeline.settings.start_date or read_first_day(pipeline.lake) or pipeline.utc_now.date()
    last = (pipeline.utc_now + timedelta(hours=14)).date()
    return Window.of_days(min(first, last), last)
