"""Rows for the warehouse's tables, made from the catalog."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from healthmate_bi_pipeline.catalog.columns import Column, Table, Type
from healthmate_bi_pipeline.catalog.provenance import STAMPS
from healthmate_bi_pipeline.catalog.tables import HEALTH_METRIC_ROWS
from healthmate_bi_pipeline.domain.period import Period

ARROW = {
    Type.INTEGER: pa.int64(),
    Type.NUMBER: pa.float64(),
    Type.TEXT: pa.string(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIMESTAMP: pa.timestamp("us"),
    Type.JSON: pa.string(),
}
FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 12, 30, 0, 123456, tzinfo=UTC)


def figures_of(table: Table) -> list[Column]:
    """The columns that hold figures: neither key nor provenance."""
    return [column for column in table.columns if column.is_nullable and column.name not in table.key]


def health_row(user_id: int, period: Period, start: datetime, **values: Any) -> dict[str, Any]:
    """A row of health figures; what is not given is null, or what every row has."""
    row: dict[str, Any] = {
        "user_id": user_id,
        "aggregation_period": str(period),
        "period_start": start,
        "period_end": period.next(start),
        "has_user_record": True,
        "is_complete": True,
        "state_version": 1,
        "registry_version": 1,
    }
    return {**dict.fromkeys(columns_without_stamps(HEALTH_METRIC_ROWS)), **row, **values}


def columns_without_stamps(table: Table) -> list[str]:
    return [column.name for column in table.columns if column not in STAMPS]


def reader(
    rows: Iterable[Mapping[str, Any]], table: Table = HEALTH_METRIC_ROWS, *, batch_rows: int = 3
) -> pa.RecordBatchReader:
    """Rows as a stream of small batches, in an order of columns that is not the table's."""
    columns = sorted((column for column in table.columns if column not in STAMPS), key=lambda one: one.name)
    wanted = pa.schema([pa.field(column.name, ARROW[column.type]) for column in columns])
    jsons = {column.name for column in columns if column.type is Type.JSON}
    plain = [
        {
            name: json.dumps(value) if name in jsons and value is not None else value
            for name, value in row.items()
        }
        for row in rows
    ]
    made = pa.Table.from_pylist(plain, schema=wanted)
    return pa.RecordBatchReader.from_batches(wanted, made.to_batches(max_chunksize=batch_rows))
