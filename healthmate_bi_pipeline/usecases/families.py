"""What every family has: states of hours, days and months, and the figures of six periods.

A recipe joins the declaration of a family to the pure functions that its states and figures are made by; all
that is the same for every family is here: chunks, versions, books, and the transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.datasets import Dataset
from healthmate_bi_pipeline.catalog.families import Family, figures_name, state_name, state_table
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.domain.period import Grain, Period, Window, midnight
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import ARROW_TYPES, arrow_schema
from healthmate_bi_pipeline.lake.writing import replace_rows
from healthmate_bi_pipeline.transforms.placing import period_floor
from healthmate_bi_pipeline.transforms.state import content_versions
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.chunks import make_in_chunks
from healthmate_bi_pipeline.usecases.pipeline import Built, Pipeline
from healthmate_bi_pipeline.usecases.restating import explain_restatements
from healthmate_bi_pipeline.warehouse import books, runs
from healthmate_bi_pipeline.warehouse.restatements import Remaking
from healthmate_bi_pipeline.warehouse.windows import replace_window


@dataclass(frozen=True)
class Recipe:
    """A family and what it is made by.

    Attributes:
        family: its declaration.
        states: the rows of its state at a grain, of the slots of a window; ``None``: another family makes them.
        figures: the rows of its tables for the periods of a window, ``family.rows`` first and stored, given the
            versions of its state (``period_start`` and ``state_version``).
    """

    family: Family
    states: Callable[[Pipeline, Engine, Grain, Window], ir.Table] | None
    figures: Callable[[Pipeline, Engine, Period, Window, ir.Table], Mapping[Table, ir.Table]]


def build_state(pipeline: Pipeline, window: Window | None, *, recipe: Recipe, grain: Grain) -> Built:
    """Make the state of a family for a window's hours, days or months."""
    assert window is not None  # noqa: S101 - states are partitioned
    table = state_table(recipe.family, grain)
    unit = Period.MONTHLY if grain is Grain.MONTH else Period.DAILY
    sizes = _sizes_below(pipeline, recipe.family, grain, window)
    return make_in_chunks(
        pipeline, table.name, window, sizes, unit=unit, make=partial(_build_states, pipeline, recipe, grain)
    )


def build_metrics(pipeline: Pipeline, window: Window | None, *, recipe: Recipe, period: Period) -> Built:
    """Replace the figures of a window: all tables of a family in one transaction with the books."""
    assert window is not None  # noqa: S101 - figures are partitioned
    asset = figures_name(recipe.family, period)
    state = state_name(recipe.family, period.state_grain)
    with pipeline.warehouse.transaction() as connection:
        rows = _rows_of(books.partition_records(connection, state, window=window))
    sizes = {day: count * recipe.family.levels for day, count in rows.items()}
    return make_in_chunks(
        pipeline,
        asset,
        window,
        sizes,
        unit=period.partitioned_by,
        make=partial(_build_figures, pipeline, recipe, period),
    )


def _sizes_below(pipeline: Pipeline, family: Family, grain: Grain, window: Window) -> dict[date, int]:
    """Rows per day of what a state is made from."""
    finer = family.finer(grain)
    datasets = family.layer(grain).datasets
    if finer is not None and not datasets:
        below = [state_name(family, finer)]
    else:  # the finer state is smaller than the raw days that it came from
        below = [f"raw/{dataset.name}" for layer in family.layers for dataset in layer.datasets]
    sizes: dict[date, int] = defaultdict(int)
    with pipeline.warehouse.transaction() as connection:
        for asset in dict.fromkeys(below):
            for day, count in _rows_of(books.partition_records(connection, asset, window=window)).items():
                sizes[day] += count
    return sizes


def _rows_of(records: Mapping[date, books.PartitionRecord]) -> dict[date, int]:
    return {day: record.rows for day, record in records.items()}


def _build_states(pipeline: Pipeline, recipe: Recipe, grain: Grain, window: Window) -> dict[date, int]:
    table = state_table(recipe.family, grain)
    with pipeline.warehouse.transaction() as connection:
        inputs = versions.state_inputs(pipeline, connection, window, family=recipe.family, grain=grain)
    unit = Period.MONTHLY if grain is Grain.MONTH else Period.DAILY
    with pipeline.engine() as engine:
        assert recipe.states is not None  # noqa: S101 - it has assets of states
        states = recipe.states(pipeline, engine, grain, window)
        return replace_partitions(pipeline, engine, table, states, window=window, unit=unit, inputs=inputs)


def replace_partitions(
    pipeline: Pipeline,
    engine: Engine,
    table: Table,
    rows: ir.Table,
    *,
    window: Window,
    unit: Period,
    inputs: Mapping[date, int],
) -> dict[date, int]:
    """Replace the partitions of a lake table in a window, and book what they hold.

    Args:
        pipeline: for whom.
        engine: where the rows are.
        table: one that is partitioned by its last column.
        rows: all rows of the window.
        window: whole periods of ``unit``.
        unit: the period of a partition.
        inputs: what the partitions are made from, by their first day.

    Returns:
        Rows by the first day of each partition.
    """
    partition = table.columns[-1].name
    schema = arrow_schema(table.columns)
    replace_rows(
        pipeline.lake, engine, table.name, rows, schema=schema, partition_by=partition, window=window
    )
    # Read again rather than kept in between: that would cost the engine more than to make them.
    written = scan_partitions(pipeline, engine, table, window)
    held = {row[partition]: row for row in engine.rows(content_versions(written, partition))}
    records = [
        books.PartitionRecord(
            asset=table.name,
            partition=part.first_day,
            input_version=inputs.get(part.first_day, 0),
            output_version=held[part.first_day]["version"] if part.first_day in held else 0,
            rows=held[part.first_day]["rows"] if part.first_day in held else 0,
            counts={},
            run_id=pipeline.run_id,
            refreshed_at=pipeline.now,
        )
        for part in unit.windows(window)
    ]
    with pipeline.warehouse.transaction() as connection:
        books.record_partitions(connection, records)
    return {record.partition: record.rows for record in records}


def scan_raw(pipeline: Pipeline, engine: Engine, dataset: Dataset, window: Window) -> ir.Table:
    """The raw rows of a dataset of the days of a window."""
    table = raw_table(dataset)
    files = pipeline.lake.files(table.name, window=window)
    return engine.scan(files, schema=arrow_schema(table.columns), partition_by="day")


def scan_state(
    pipeline: Pipeline, engine: Engine, family: Family, grain: Grain, window: Window | None
) -> ir.Table:
    """The state of a family of a window, or of all time, at a grain."""
    return scan_partitions(pipeline, engine, state_table(family, grain), window)


def scan_partitions(
    pipeline: Pipeline,
    engine: Engine,
    table: Table,
    window: Window | None,
    *,
    values: Collection[date] | None = None,
) -> ir.Table:
    """The rows of a lake table that is partitioned by its last column: of a window, of some partitions, or of all time."""
    partition = table.columns[-1].name
    files = pipeline.lake.files(table.name, window=window, values=values, partition_by=partition)
    return engine.scan(files, schema=arrow_schema(table.columns), partition_by=partition)


def _build_figures(pipeline: Pipeline, recipe: Recipe, period: Period, window: Window) -> dict[date, int]:
    family = recipe.family
    asset = figures_name(family, period)
    with pipeline.warehouse.transaction() as connection:
        inputs = versions.metrics_inputs(pipeline, connection, window, family=family, period=period)
        of_state = versions.state_versions(connection, window, family=family, period=period)
        made_before = {
            first: record.refreshed_at
            for first, record in books.partition_records(connection, asset, window=window).items()
        }
    remaking = Remaking(asset, pipeline.run_id, pipeline.now)
    with pipeline.engine() as engine:
        tables = recipe.figures(pipeline, engine, period, window, _version_table(engine, period, of_state))
        held = _rows_per_partition(engine, tables[family.rows], period)
        with pipeline.warehouse.transaction() as connection:
            for table, expression in tables.items():
                replaced = replace_window(
                    connection,
                    table=table,
                    period=period,
                    window=window,
                    rows=engine.stream(expression, schema=warehouse_schema(table, expression.columns)),
                    now=pipeline.now,
                    remaking=remaking,
                )
                runs.record_action(
                    connection,
                    actor=pipeline.actor,
                    action="replace",
                    object=f"{table.name} {period}",
                    window=str(window),
                    rows=replaced.inserted + replaced.changed + replaced.unchanged,
                    outcome="done",
                    detail={
                        "inserted": replaced.inserted,
                        "changed": replaced.changed,
                        "unchanged": replaced.unchanged,
                        "deleted": replaced.deleted,
                    },
                    now=pipeline.now,
                )
            explain_restatements(
                connection, family=family, period=period, run_id=pipeline.run_id, made_before=made_before
            )
            books.record_partitions(
                connection,
                [
                    books.PartitionRecord(
                        asset=asset,
                        partition=part.first_day,
                        input_version=inputs.get(part.first_day, 0),
                        output_version=inputs.get(part.first_day, 0),
                        rows=held.get(part.first_day, 0),
                        counts={},
                        run_id=pipeline.run_id,
                        refreshed_at=pipeline.now,
                    )
                    for part in period.partitioned_by.windows(window)
                ],
            )
    return {part.first_day: held.get(part.first_day, 0) for part in period.partitioned_by.windows(window)}


def _version_table(engine: Engine, period: Period, of_state: Mapping[date, int]) -> ir.Table:
    """The state's version per period; the hours of a day all come from that day's state."""
    starts = [
        (part.start, version)
        for first, version in of_state.items()
        for part in period.windows(period.partitioned_by.window(midnight(first)))
    ]
    return engine.memory_table(version_rows(starts))


def version_rows(starts: list[tuple[datetime, int]]) -> pa.Table:
    """Starts of periods and the versions of their state, as a table."""
    return pa.table(
        {
            "period_start": pa.array([start for start, _ in starts], pa.timestamp("us")),
            "state_version": pa.array([version for _, version in starts], pa.int64()),
        }
    )


def _rows_per_partition(engine: Engine, rows: ir.Table, period: Period) -> dict[date, int]:
    start = period_floor(rows.period_start, period.partitioned_by)
    counted = rows.group_by(first=start).agg(n=rows.count())
    return {row["first"].date(): row["n"] for row in engine.rows(counted)}


def warehouse_schema(table: Table, given: Collection[str]) -> pa.Schema:
    """The types of the columns that are given, as the warehouse takes them."""
    return pa.schema(
        [
            pa.field(column.name, ARROW_TYPES.get(column.type, pa.string()))
            for column in table.columns
            if column.name in given
        ]
    )
