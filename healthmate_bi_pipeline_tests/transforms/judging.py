"""Landing rows through the transforms of a raw day, without lake and warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.catalog.datasets import USERS, Dataset
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.transforms import clock, conform
from healthmate_bi_pipeline.transforms.stage import LandingFile, stage_rows, with_lineage

SEEN_AT = datetime(2026, 6, 1, 12)
WINDOW = Window.of_days(date(2024, 1, 1), date(2026, 6, 1))


def stage(
    engine: Engine, dataset: Dataset, rows: Sequence[Mapping[str, Any]], *, file_number: int = 1
) -> ir.Table:
    """Rows as they would stand in a CSV file, staged."""
    names = sorted({name for row in rows for name in row})
    columns = {
        name: pa.array([None if row.get(name) is None else str(row[name]) for row in rows], pa.string()) for name in names
    }  # fmt: skip
    table = pa.table({"row_number": list(range(1, len(rows) + 1)), **columns})
    file = LandingFile(f"hash {file_number}", file_number, SEEN_AT)
    return engine.store(stage_rows(with_lineage(engine.memory_table(table), file), dataset))


def people(engine: Engine, zones: Mapping[int, str]) -> ir.Table:
    """Stretches of people who live in one zone each."""
    users = pa.table(
        {
            "user_id": pa.array(list(zones), pa.int64()),
            "valid_from": pa.nulls(len(zones), pa.timestamp("us")),
            "time_zone": pa.array(list(zones.values()), pa.string()),
        }
    )
    places = clock.zone_stretches(zones.values(), WINDOW)
    return engine.store(clock.person_stretches(engine.memory_table(users), engine.memory_table(places)))


def judge(
    engine: Engine, dataset: Dataset, staged: ir.Table, *, zones: Mapping[int, str] | None = None
) -> ir.Table:
    """Staged rows, judged."""
    if dataset is USERS:
        return engine.store(conform.judge_users(staged, engine.memory_table(conform.zone_table())))
    return engine.store(
        conform.judge(
            staged.filter(staged.defect.isnull()),
            dataset,
            stretches=people(engine, zones or {}),
            units=engine.memory_table(conform.unit_table()),
        )
    )


def judged_rows(
    engine: Engine,
    dataset: Dataset,
    rows: Iterable[Mapping[str, Any]],
    *,
    zones: Mapping[int, str] | None = None,
) -> list[dict[str, Any]]:
    """Landing rows, judged, in their order."""
    judged = judge(engine, dataset, stage(engine, dataset, list(rows)), zones=zones)
    return engine.rows(judged.order_by("row_number"))
