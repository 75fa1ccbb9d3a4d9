"""Plausibility: what is usual for each person, and the rows that are wrong only beside others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import partial

import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.datasets import HEALTH_READINGS, Dataset
from healthmate_bi_pipeline.catalog.lake_tables import READING_BASELINES, staged_table
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.transforms import conform, suspicions
from healthmate_bi_pipeline.transforms.state import content_versions
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.chunks import make_in_chunks
from healthmate_bi_pipeline.usecases.pipeline import Built, Pipeline
from healthmate_bi_pipeline.warehouse import books


def build_baselines(pipeline: Pipeline, window: Window | None) -> Built:
    """Freeze what is usual for each person in the months of a window that are over; the others are left out."""
    assert window is not None  # noqa: S101 - baselines are partitioned
    asset = READING_BASELINES.name
    with pipeline.warehouse.transaction() as connection:
        inputs = versions.baseline_inputs(pipeline, connection, window)
        sizes = books.staged_rows(connection, HEALTH_READINGS.name, window)
    if not inputs:
        return Built({})
    over = Window(midnight(min(inputs)), Period.MONTHLY.next(midnight(max(inputs))))
    return make_in_chunks(
        pipeline, asset, over, sizes, unit=Period.MONTHLY, make=partial(_build_months, pipeline, inputs)
    )


def _build_months(pipeline: Pipeline, inputs: Mapping[date, int], window: Window) -> dict[date, int]:
    staged = staged_table(HEALTH_READINGS)
    with pipeline.engine() as engine:
        files = pipeline.lake.files(staged.name, window=window)
        readings = engine.scan(files, schema=arrow_schema(staged.columns), partition_by="day")
        units = engine.memory_table(conform.unit_table())
        baselines = engine.store(
            suspicions.reading_baselines(readings, units).select(*READING_BASELINES.column_names)
        )
        held = {row["month"]: row for row in engine.rows(content_versions(baselines, "month"))}
        stream = engine.stream(baselines, schema=arrow_schema(READING_BASELINES.columns))
        pipeline.lake.replace(READING_BASELINES.name, stream, partition_by="month", window=window)
    records = [
        books.PartitionRecord(
            asset=READING_BASELINES.name,
            partition=month,
            input_version=version,
            output_version=held[month]["version"] if month in held else 0,
            rows=held[month]["rows"] if month in held else 0,
            counts={},
            run_id=pipeline.run_id,
            refreshed_at=pipeline.now,
        )
        for month, version in sorted(inputs.items())
        if window.first_day <= month <= window.last_day
    ]
    with pipeline.warehouse.transaction() as connection:
        books.record_partitions(connection, records)
    return {record.partition: record.rows for record in records}


def without_suspects(
    pipeline: Pipeline, engine: Engine, dataset: Dataset, judged: ir.Table, *, days: Iterable[date]
) -> ir.Table:
    """Judged rows, those in which a slip is suspected set aside or mended, as the settings say.

    Args:
        pipeline: where the baselines are.
        engine: where the rows are.
        dataset: what they are rows of.
        judged: from ``conform.judge``, stored.
        days: the days that the rows are staged under.
    """
    if dataset is not HEALTH_READINGS:
        return judged
    found = engine.store(suspicions.suspected_rows(judged, _baselines_before(pipeline, engine, days)))
    if engine.count(found) == 0:
        return judged
    return suspicions.with_suspicions(judged, found, repair=pipeline.settings.plausibility.repair_slips)


def without_impossible_days(engine: Engine, dataset: Dataset, classified: ir.Table) -> ir.Table:
    """Classified rows, those of days that nobody can have had set aside."""
    if not dataset.day_limits:
        return classified
    days = engine.store(suspicions.impossible_days(classified, dataset))
    return suspicions.with_impossible_days(classified, days, dataset) if engine.count(days) else classified


def _baselines_before(pipeline: Pipeline, engine: Engine, days: Iterable[date]) -> ir.Table:
    """The baselines of the months before those that some staged days can belong to."""
    near = {day + timedelta(days=shift) for day in days for shift in (-1, 0, 1)}
    months = {Period.MONTHLY.previous(Period.MONTHLY.floor(midnight(day))).date() for day in near}
    files = pipeline.lake.files(READING_BASELINES.name, values=sorted(months), partition_by="month")
    return engine.scan(files, schema=arrow_schema(READING_BASELINES.columns), partition_by="month")
