"""Counting rows while they flow into the lake: per file, day and defect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.datasets import Dataset
from healthmate_bi_pipeline.usecases.set_aside import message

MALFORMED = "malformed_line"
_BEHIND_UTC = timedelta(hours=12)  # no wall clock is further behind


@dataclass
class StagedTally:
    """How many rows of which file lie under which day.

    Attributes:
        counts: rows by file number, day (``None``: no day) and defect.
        first_rows: the first row of a file with a defect, by file number and defect.
        first_day: the earliest wall-clock day that any row can have.
    """

    counts: dict[tuple[int, date | None, str | None], int] = field(default_factory=lambda: defaultdict(int))
    first_rows: dict[tuple[int, str], int] = field(default_factory=dict)
    first_day: date | None = None

    def watching(self, rows: pa.RecordBatchReader, dataset: Dataset) -> pa.RecordBatchReader:
        """The same stream, counted as it flows."""
        return pa.RecordBatchReader.from_batches(rows.schema, self._counted(rows, dataset))

    def add(self, other: StagedTally) -> None:
        """Count another tally in."""
        for key, count in other.counts.items():
            self.counts[key] += count
        self.first_rows |= other.first_rows
        self.first_day = min(filter(None, (self.first_day, other.first_day)), default=None)

    @property
    def files(self) -> int:
        """Files with at least one record."""
        return len({number for number, _, _ in self.counts})

    @property
    def lines(self) -> int:
        """Records, those that could not be split among them."""
        return sum(self.counts.values())

    @property
    def rejected(self) -> int:
        """Records that could not be split."""
        return sum(count for (_, _, defect), count in self.counts.items() if defect == MALFORMED)

    @property
    def rows(self) -> int:
        """Records that could be split."""
        return self.lines - self.rejected

    @property
    def staged(self) -> int:
        """Rows without a defect."""
        return sum(count for (_, _, defect), count in self.counts.items() if defect is None)

    @property
    def undated(self) -> int:
        """Rows that have no day."""
        return self.rows - self.staged

    def of_file(self, number: int, moved_days: Mapping[date, int]) -> dict[str, Any]:
        """The figures of one file as its account keeps them.

        Args:
            number: the file.
            moved_days: days of other files whose rows it supersedes; noted with no row of its own.
        """
        own = StagedTally({key: count for key, count in self.counts.items() if key[0] == number})
        days: dict[date, int] = dict.fromkeys(moved_days, 0)
        for (_, day, _), count in own.counts.items():
            if day is not None:
                days[day] = days.get(day, 0) + count
        return {
            "lines": own.lines,
            "rows": own.rows,
            "rejected": own.rejected,
            "staged": own.staged,
            "undated": own.undated,
            "days": days,
        }

    def messages(self, dataset: Dataset, names: Mapping[int, str]) -> list[str]:
        """One line per file and defect: file, first line, rule, number of rows."""
        totals: dict[tuple[int, str], int] = defaultdict(int)
        for (number, _, defect), count in self.counts.items():
            if defect is not None:
                totals[number, defect] += count
        return [
            message(
                dataset,
                names.get(number, f"file {number}"),
                rule=f"{defect}{_column(dataset, defect)}",
                first=self.first_rows[number, defect],
                count=count,
            )
            for (number, defect), count in sorted(totals.items())
        ]

    def _counted(self, rows: pa.RecordBatchReader, dataset: Dataset) -> Iterator[pa.RecordBatch]:
        for batch in rows:
            self._count(batch, dataset)
            yield batch

    def _count(self, batch: pa.RecordBatch, dataset: Dataset) -> None:
        keys = ["file_number", "day", "defect"] if dataset.is_partitioned else ["file_number", "defect"]
        table = pa.Table.from_batches([batch.select([*keys, "row_number"])])
        grouped = table.group_by(keys).aggregate([("row_number", "count"), ("row_number", "min")])
        for row in grouped.to_pylist():
            number, defect = row["file_number"], row["defect"]
            self.counts[number, row.get("day"), defect] += row["row_number_count"]
            if defect is not None:
                known = self.first_rows.get((number, defect), row["row_number_min"])
                self.first_rows[number, defect] = min(known, row["row_number_min"])
        self._look_back(batch, dataset)

    def _look_back(self, batch: pa.RecordBatch, dataset: Dataset) -> None:
        """Move the first day back; an instant may be on the day before, where clocks are behind UTC."""
        rest = batch.filter(pc.is_valid(batch["day"])) if dataset.is_partitioned else batch.slice(0, 0)
        for name in dataset.moment:
            if dataset.field_named(name).type is Type.TIMESTAMP:
                instant, local = rest[name], rest[f"local_{name}"]
                # An offset of its own may move the row to another day than the one it was written with.
                is_moved = pc.and_(pc.is_valid(instant), pc.is_valid(rest["utc_offset_minutes"]))
                is_open = pc.or_(pc.is_null(local), is_moved)
                self._earlier(pc.min(rest.filter(pc.invert(is_open))[f"local_{name}"]).as_py(), timedelta(0))
                self._earlier(pc.min(rest.filter(is_open)[name]).as_py(), _BEHIND_UTC)
                rest = rest.filter(pc.and_(pc.is_null(instant), pc.is_null(local)))
            else:
                self._earlier(pc.min(rest[name]).as_py(), timedelta(0))

    def _earlier(self, moment: datetime | date | None, behind: timedelta) -> None:
        if moment is None:
            return
        moved = moment - behind
        day = moved.date() if isinstance(moved, datetime) else moved
        self.first_day = day if self.first_day is None else min(self.first_day, day)


def _column(dataset: Dataset, defect: str) -> str:
    return "" if defect == MALFORMED or not dataset.moment else f":{dataset.moment[0]}"
