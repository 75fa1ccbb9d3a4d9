"""Closed days: raw days whose rows were deleted because their time was over.

Nothing is counted of them any more, and nothing is forgotten: the books keep what the day held. What comes later goes
to quarantine as ``after_retention``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.datasets import Dataset
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.warehouse import books, receipts

AFTER_RETENTION = "after_retention"

_CLOSED = pa.schema([("closed_day", pa.date32()), ("last_file", pa.int64())])


def closed_days(
    connection: Connection, dataset: Dataset, window: Window
) -> dict[date, books.PartitionRecord | None]:
    """The closed days of a window with what the books have of them; ``None``: the day had never been made."""
    asset = f"raw/{dataset.name}"
    last = receipts.last_deleted_day(connection, asset)
    if last is None or last < window.first_day:
        return {}
    records = books.partition_records(connection, asset, window=window)
    return {day: records.get(day) for day in window.each_day() if day <= last}


def with_late_rows(
    engine: Engine, judged: ir.Table, closed: Mapping[date, books.PartitionRecord | None]
) -> ir.Table:
    """Judged rows, those among them that came when their day was closed under the rule for it."""
    if not closed:
        return judged
    known = [
        {"closed_day": day, "last_file": _removed(record).get("last_file", 0)}
        for day, record in closed.items()
    ]
    days = engine.memory_table(pa.Table.from_pylist(known, schema=_CLOSED))
    joined = judged.left_join(days, judged.own_day == days.closed_day)
    is_late = joined.last_file.notnull() & (joined.file_number > joined.last_file)
    return joined.mutate(rule=is_late.ifelse(AFTER_RETENTION, joined.rule)).drop("closed_day", "last_file")


def countable(rows: ir.Table, closed: Mapping[date, books.PartitionRecord | None]) -> ir.Table:
    """The rows that are to be counted: of closed days only those that came later.

    Rows are staged near their wall-clock day, so that some that were counted before their day was closed are still
    there: an open day may hold a piece of them.
    """
    return rows.filter((rows.own_day > max(closed)) | (rows.rule == AFTER_RETENTION)) if closed else rows


def of_open_days(rows: ir.Table, closed: Mapping[date, books.PartitionRecord | None]) -> ir.Table:
    """Raw rows without those of closed days."""
    return rows.filter(rows.day > max(closed)) if closed else rows


def booked_after_removal(
    made: books.PartitionRecord, before: books.PartitionRecord | None
) -> books.PartitionRecord:
    """What the books have of a closed day: what was deleted, and what came later.

    Its version stays: what was made from it is not made again.
    """
    if before is None:
        return replace(made, output_version=0, removed_at=made.refreshed_at, removed={"last_file": 0})
    return replace(
        made,
        output_version=before.output_version,
        rows=before.rows,
        counts=_added(_removed(before).get("counts", {}), made.counts),
        removed_at=before.removed_at or made.refreshed_at,
        removed=before.removed,
    )


def held_counts(record: books.PartitionRecord) -> dict[str, int]:
    """The counts of a raw day that its rows are still there of."""
    gone = _removed(record).get("counts", {})
    return {
        name: count - gone.get(name, 0) for name, count in record.counts.items() if isinstance(count, int)
    }


def _removed(record: books.PartitionRecord | None) -> Mapping[str, Any]:
    return (record.removed if record is not None else None) or {}


def _added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two counts of a raw day in one, rules and all."""
    return {
        name: _added(one.get(name) or {}, other.get(name) or {})
        if isinstance(one.get(name, other.get(name)), Mapping)
        else (one.get(name) or 0) + (other.get(name) or 0)
        for name in dict.fromkeys((*one, *other))
    }
