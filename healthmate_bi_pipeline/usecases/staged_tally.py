"""Counting rows on their way into the lake: per file, day and defect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.datasets import Dataset
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.usecases.set_aside import message

MALFORMED = "malformed_line"
_BEHIND_UTC_HOURS = 12  # no wall clock is further behind


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

    @classmethod
    def of(cls, engine: Engine, rows: ir.Table, dataset: Dataset) -> StagedTally:
        """Count staged rows; only the columns that are needed for it are computed."""
        keys = ["file_number", "day", "defect"] if dataset.is_partitioned else ["file_number", "defect"]
        figures = {"n": rows.count(), "first_row": rows.row_number.min()}
        if dataset.is_partitioned:
            figures["first_day"] = _earliest_day(rows, dataset).min()
        tally = cls()
        for row in engine.rows(rows.group_by(keys).agg(**figures)):
            number, day, defect = row["file_number"], row.get("day"), row["defect"]
            tally.counts[number, day, defect] = row["n"]
            if defect is not None:
                known = tally.first_rows.get((number, defect), row["first_row"])
                tally.first_rows[number, defect] = min(known, row["first_row"])
            first_days = filter(None, (tally.first_day, row.get("first_day")))
            tally.first_day = min(first_days, default=None)
        return tally

    def add(self, other: StagedTally) -> None:
        """Count another tally in."""
        for key, count in other.counts.items():
            self.counts[key] += count
        self.first_rows |= other.first_rows
        self.first_day = min(filter(None, (self.first_day, other.first_day)), default=None)

    @property
    def days(self) -> int:
        """Days that rows lie under, that of the rows without one among them."""
        return len({day for _, day, _ in self.counts})

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


def _earliest_day(rows: ir.Table, dataset: Dataset) -> Any:
    """The earliest wall-clock day that a row can have: an instant may lie where clocks are behind UTC."""
    days = []
    for name in dataset.moment:
        if dataset.field_named(name).type is Type.TIMESTAMP:
            instant, local = rows[name], rows[f"local_{name}"]
            # An offset of its own may move the row to another day than the one it was written with.
            is_moved = instant.notnull() & rows.utc_offset_minutes.notnull()
            is_open = local.isnull() | is_moved
            days.append(is_open.ifelse(instant - ibis.interval(hours=_BEHIND_UTC_HOURS), local).date())
        else:
            days.append(rows[name].cast("date"))
    return rows.day.notnull().ifelse(ibis.coalesce(*days), ibis.null("date"))


def _column(dataset: Dataset, defect: str) -> str:
    return "" if defect == MALFORMED or not dataset.moment else f":{dataset.moment[0]}"
