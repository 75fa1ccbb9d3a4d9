"""Requeue: rows in quarantine taken up again, after a rule or a setting was changed.

Their days are noted as changed, so that they and all that is made from them are stale for whoever runs next;
a run that is killed in between forgets nothing. What was staged without a day is not taken up: its place in
the lake and in the books of its file cannot be changed in one commit. Such rows are counted and named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.datasets import DATASET_BY_NAME, DATASETS, Dataset
from healthmate_bi_pipeline.catalog.lake_tables import quarantine_table, staged_table
from healthmate_bi_pipeline.catalog.rules import ROW_RULES
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.transforms.stage import FUTURE_TOLERANCE
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline
from healthmate_bi_pipeline.warehouse import books, runs

_NO_DAY = "__HIVE_DEFAULT_PARTITION__"
_PLACES = pa.schema([("file_number", pa.int64()), ("row_number", pa.int64())])


@dataclass(frozen=True)
class Held:
    """The rows of a dataset that lie in quarantine.

    Attributes:
        dataset: what they are rows of.
        rules: how many by rule.
        places: where they stand: file_number, row_number.
        days: the days that they are booked under; none for a dataset without days.
    """

    dataset: Dataset
    rules: Mapping[str, int]
    places: pa.Table
    days: Sequence[date]

    @property
    def rows(self) -> int:
        """How many."""
        return sum(self.rules.values())


def find_held(pipeline: Pipeline, names: Sequence[str], *, rule: str | None) -> list[Held]:
    """The rows in quarantine, of some datasets or of all, of one rule or of all.

    Args:
        pipeline: where to look.
        names: of datasets; all when empty.
        rule: with its column (``impossible_value:value``), or without for all columns.

    Raises:
        UsageError: there is no such dataset or rule.
    """
    unknown = [name for name in names if name not in DATASET_BY_NAME]
    if unknown:
        raise UsageError(f"There is no dataset {unknown[0]}; expected one of {', '.join(DATASET_BY_NAME)}.")
    if rule is not None and rule.partition(":")[0] not in ROW_RULES:
        raise UsageError(f"There is no rule {rule}; expected one of {', '.join(ROW_RULES)}.")
    chosen = [DATASET_BY_NAME[name] for name in dict.fromkeys(names)] or list(DATASETS)
    with pipeline.engine() as engine:
        found = [_held(pipeline, engine, dataset, rule) for dataset in chosen]
    return [held for held in found if held.rows]


def note_held(pipeline: Pipeline, found: Sequence[Held]) -> None:
    """Make stale what rows in quarantine would be taken up by."""
    cause = f"requeue:{uuid4()}"
    with pipeline.warehouse.transaction() as connection:
        for held in found:
            name = held.dataset.name
            if held.dataset.is_partitioned:
                books.note_days(connection, name, cause, dict.fromkeys(held.days, 0))
            else:
                books.forget_partitions(connection, f"raw/{name}")
            runs.record_action(
                connection,
                actor=pipeline.actor,
                action="requeue",
                object=f"quarantine/{name}",
                window=str(Window.of_days(min(held.days), max(held.days))) if held.days else None,
                rows=held.rows,
                outcome="done",
                detail={"rules": dict(held.rules)},
                now=pipeline.now,
            )


def still_held(pipeline: Pipeline, held: Held) -> dict[str, int]:
    """How many of some rows lie in quarantine now, by rule."""
    with pipeline.engine() as engine:
        rows = _quarantine(pipeline, engine, held.dataset)
        same = rows.semi_join(engine.memory_table(held.places), list(_PLACES.names))
        counted = same.group_by("rule").agg(n=same.count())
        return {row["rule"]: row["n"] for row in engine.rows(counted.order_by("rule"))}


def count_come_due(pipeline: Pipeline, names: Sequence[str]) -> dict[str, int]:
    """Rows that were staged without a day because their time lay ahead, and whose time has come, by dataset."""
    due: dict[str, int] = {}
    latest = ibis.literal(pipeline.utc_now + FUTURE_TOLERANCE)
    with pipeline.engine() as engine:
        for dataset in DATASETS:
            if not dataset.is_partitioned or (names and dataset.name not in names):
                continue
            table = staged_table(dataset)
            files = pipeline.lake.files(table.name, values=[_NO_DAY])
            rows = engine.scan(files, schema=arrow_schema(table.columns), partition_by="day")
            moments = [
                rows[column].cast("timestamp(6)")
                for name in dataset.moment
                for column in (
                    (name, f"local_{name}") if dataset.field_named(name).type is Type.TIMESTAMP else (name,)
                )
            ]
            ready = rows.filter((rows.defect == "in_the_future") & (ibis.coalesce(*moments) <= latest))
            if count := engine.count(ready):
                due[dataset.name] = count
    return due


def _held(pipeline: Pipeline, engine: Engine, dataset: Dataset, rule: str | None) -> Held:
    rows = _quarantine(pipeline, engine, dataset)
    if rule is not None:
        is_it = rows.rule == rule if ":" in rule else (rows.rule == rule) | rows.rule.startswith(f"{rule}:")
        rows = rows.filter(is_it)
    stored = engine.store(rows.select(*_PLACES.names, "rule", "day"))
    counted = stored.group_by("rule").agg(n=stored.count()).order_by("rule")
    days = [row["day"] for row in engine.rows(stored.select("day").distinct().order_by("day"))]
    return Held(
        dataset,
        {row["rule"]: row["n"] for row in engine.rows(counted)},
        engine.stream(stored, schema=_PLACES).read_all(),
        days if dataset.is_partitioned else (),
    )


def _quarantine(pipeline: Pipeline, engine: Engine, dataset: Dataset) -> ir.Table:
    table = quarantine_table(dataset)
    files = pipeline.lake.files(table.name)
    schema = arrow_schema(table.columns)
    if dataset.is_partitioned:
        return engine.scan(files, schema=schema, partition_by="day")
    return engine.scan(files, schema=schema).mutate(day=ibis.literal(UNPARTITIONED))
