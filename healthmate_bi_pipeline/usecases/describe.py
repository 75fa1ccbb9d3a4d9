"""What may be shown of what was made: rows and filled columns, and never a value (DESIGN, rule 12).

Read from Delta's statistics and by counting in PostgreSQL; nothing is scanned that need not be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.families import FAMILY_BY_GROUP
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.lake.statistics import Statistics, partition_statistics, table_statistics
from healthmate_bi_pipeline.usecases.graph import AssetSpec
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse import books, checks

_PARTITION_COLUMNS = ("day", "month")


@dataclass(frozen=True)
class Preview:
    """A partition without its values.

    Attributes:
        rows: how many it holds.
        filled: how many of them have a value, by column; columns that nobody counted are missing.
    """

    rows: int
    filled: Mapping[str, int]


def preview(pipeline: Pipeline, asset: AssetSpec, first: date) -> Preview | None:
    """What a partition holds, or ``None`` for an asset whose rows are not looked at (files).

    Args:
        pipeline: where to look.
        asset: whose partition.
        first: its first day; that of ``UNPARTITIONED`` for an asset without partitions.
    """
    if asset.place == "lake":
        return _of_lake(pipeline, asset, first)
    family = FAMILY_BY_GROUP.get(asset.group)
    if family is not None and asset.table is family.view and asset.partitioned_by is not None:
        period = Period(asset.name.rpartition("/")[2])
        window = asset.partitioned_by.window(midnight(first))
        with pipeline.warehouse.transaction() as connection:
            rows, filled = checks.filled_figures(connection, family.rows, period=period, window=window)
        return Preview(rows, filled)
    return None


def counts_per_partition(pipeline: Pipeline, asset: str, window: Window) -> dict[date, dict[str, int]]:
    """The numbers that the books keep of an asset's partitions, beside their rows."""
    with pipeline.warehouse.transaction() as connection:
        records = books.partition_records(connection, asset, window=window)
    return {
        day: {name: count for name, count in record.counts.items() if isinstance(count, int)}
        for day, record in records.items()
    }


def _of_lake(pipeline: Pipeline, asset: AssetSpec, first: date) -> Preview:
    column = _partition_column(asset.table)
    if column is None or asset.partitioned_by is None:
        statistics = table_statistics(pipeline.lake, asset.table.name)
    else:
        found = partition_statistics(
            pipeline.lake, asset.table.name, partition_by=column, window=Window.of_days(first, first)
        )
        statistics = found.get(first, Statistics())
    filled = {name: statistics.rows - nulls for name, nulls in statistics.nulls.items()}
    return Preview(statistics.rows, filled)


def _partition_column(table: Table) -> str | None:
    """The column that a table is laid out by: its last one, where that is a day or a month."""
    last = table.columns[-1].name
    return last if last in _PARTITION_COLUMNS else None
