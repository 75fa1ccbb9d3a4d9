"""What Delta knows about a table without reading it: rows and nulls, from the statistics of its files.

Nothing here looks at a value, so it may be shown where values may not (DESIGN, rule 12).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.lake.store import Lake


@dataclass(frozen=True)
class Statistics:
    """Figures about some rows.

    Attributes:
        rows: how many there are.
        nulls: how many of them have no value, by column; Delta counts the first 32 columns of a table.
    """

    rows: int = 0
    nulls: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Statistics) -> Statistics:
        nulls = {
            name: self.nulls.get(name, 0) + other.nulls.get(name, 0) for name in (*self.nulls, *other.nulls)
        }
        return Statistics(self.rows + other.rows, nulls)


def partition_statistics(
    lake: Lake, name: str, *, partition_by: str, window: Window | None = None
) -> dict[date | None, Statistics]:
    """Figures per partition of a table; rows without a partition value are under ``None``.

    Args:
        lake: where the table lies.
        name: the table.
        partition_by: its partition column, of dates.
        window: only the partitions of these days, and not those without a value.
    """
    found: dict[date | None, Statistics] = defaultdict(Statistics)
    for value, statistics in _file_statistics(lake, name, f"partition.{partition_by}"):
        if window is None or (value is not None and window.first_day <= value <= window.last_day):
            found[value] += statistics
    return dict(found)


def table_statistics(lake: Lake, name: str) -> Statistics:
    """Figures of a whole table."""
    return sum((statistics for _, statistics in _file_statistics(lake, name, None)), Statistics())


def _file_statistics(
    lake: Lake, name: str, partition_column: str | None
) -> list[tuple[date | None, Statistics]]:
    table = lake.open(name)
    if table is None:
        return []
    marker = "null_count."
    return [
        (
            action[partition_column] if partition_column else None,
            Statistics(
                action["num_records"],
                {
                    key.removeprefix(marker): count
                    for key, count in action.items()
                    if key.startswith(marker) and count is not None
                },
            ),
        )
        for action in pa.table(table.get_add_actions(flatten=True)).to_pylist()
    ]
