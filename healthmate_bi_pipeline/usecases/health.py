"""The health family: raw days → state → rows per person and period, and figures of groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.datasets import (
    ACTIVITY_INTERVALS,
    HEALTH_READINGS,
    MEDICATION_DOSES,
    PARTITIONED_DATASETS,
    SLEEP_SESSIONS,
    SYMPTOM_LOGS,
    Dataset,
)
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.catalog.measures import state_table
from healthmate_bi_pipeline.catalog.tables import HEALTH_GROUPS, HEALTH_METRIC_ROWS, HEALTH_STARTS
from healthmate_bi_pipeline.domain.period import Grain, Period, Window, midnight
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import ARROW_TYPES, arrow_schema
from healthmate_bi_pipeline.lake.writing import replace_rows
from healthmate_bi_pipeline.settings import SourceSettings
from healthmate_bi_pipeline.transforms import clock
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.health import days, groups, hours, summarize
from healthmate_bi_pipeline.transforms.health.placing import period_floor
from healthmate_bi_pipeline.transforms.health.sleep import DAYS_BEFORE as NIGHTS_BEFORE
from healthmate_bi_pipeline.transforms.state import content_versions
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.chunks import make_in_chunks
from healthmate_bi_pipeline.usecases.conform import person_stretches, scan_users
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline
from healthmate_bi_pipeline.warehouse import books, runs
from healthmate_bi_pipeline.warehouse.windows import replace_all, replace_window

_ANY_TIME = Window.of_days(UNPARTITIONED, UNPARTITIONED)


def build_state(pipeline: Pipeline, window: Window | None, *, grain: Grain) -> Built:
    """Make the health state of a window's hours, days or months."""
    assert window is not None  # noqa: S101 - states are partitioned
    table = state_table("health", grain)
    unit = Period.MONTHLY if grain is Grain.MONTH else Period.DAILY
    sizes = _sizes_below(pipeline, grain, window)
    return make_in_chunks(
        pipeline, table.name, window, sizes, unit=unit, make=partial(_build_states, pipeline, grain, table)
    )


def build_metrics(pipeline: Pipeline, window: Window | None, *, period: Period) -> Built:
    """Replace the figures of a window: per person and of groups, in one transaction with the books."""
    assert window is not None  # noqa: S101 - figures are partitioned
    asset = f"health_metrics/{period}"
    state = state_table("health", period.state_grain)
    with pipeline.warehouse.transaction() as connection:
        sizes = _rows_of(books.partition_records(connection, state.name, window=window))
    return make_in_chunks(
        pipeline,
        asset,
        window,
        sizes,
        unit=period.partitioned_by,
        make=partial(_build_figures, pipeline, period),
    )


def build_starts(pipeline: Pipeline) -> Built:
    """Note the first day on which each person recorded each measure that is expected daily.

    Completeness of data is counted from these days on; a view joins them, so that a first row that comes late
    touches no finished row.
    """
    asset = "health_metrics/starts"
    with pipeline.warehouse.hold(asset, _ANY_TIME), pipeline.recorded(asset, None) as tally:
        with pipeline.warehouse.transaction() as connection:
            version = versions.starts_inputs(pipeline, connection, _ANY_TIME).get(UNPARTITIONED, 0)
        with pipeline.engine() as engine:
            starts = summarize.first_days(scan_state(pipeline, engine, Grain.MONTH, None))
            with pipeline.warehouse.transaction() as connection:
                stream = engine.stream(starts, schema=_warehouse_schema(HEALTH_STARTS, starts.columns))
                tally.rows = replace_all(connection, table=HEALTH_STARTS, rows=stream)
                record = books.PartitionRecord(
                    asset, UNPARTITIONED, version, version, tally.rows, {}, pipeline.run_id, pipeline.now
                )
                books.record_partitions(connection, [record])
    return Built({UNPARTITIONED: tally.rows})


def _sizes_below(pipeline: Pipeline, grain: Grain, window: Window) -> dict[date, int]:
    """Rows per day of what a state is made from."""
    below = (
        ["state/health_days"]
        if grain is Grain.MONTH
        else [f"raw/{dataset.name}" for dataset in PARTITIONED_DATASETS]
    )
    sizes: dict[date, int] = defaultdict(int)
    with pipeline.warehouse.transaction() as connection:
        for asset in below:
            for day, count in _rows_of(books.partition_records(connection, asset, window=window)).items():
                sizes[day] += count
    return sizes


def _rows_of(records: Mapping[date, books.PartitionRecord]) -> dict[date, int]:
    return {day: record.rows for day, record in records.items()}


def _build_states(pipeline: Pipeline, grain: Grain, table: Table, window: Window) -> dict[date, int]:
    with pipeline.warehouse.transaction() as connection:
        inputs = versions.state_inputs(pipeline, connection, window, grain=grain)
    partition = table.columns[-1].name
    with pipeline.engine() as engine:
        states = engine.store(_states(pipeline, engine, grain, window))
        held = {row[partition]: row for row in engine.rows(content_versions(states, partition))}
        schema = arrow_schema(table.columns)
        replace_rows(
            pipeline.lake, engine, table.name, states, schema=schema, partition_by=partition, window=window
        )
    unit = Period.MONTHLY if grain is Grain.MONTH else Period.DAILY
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


def _states(pipeline: Pipeline, engine: Engine, grain: Grain, window: Window) -> ir.Table:
    if grain is Grain.MONTH:
        return days.month_states(scan_state(pipeline, engine, Grain.DAY, window))
    readings = _scan_raw(pipeline, engine, HEALTH_READINGS, window)
    activity = _scan_raw(pipeline, engine, ACTIVITY_INTERVALS, window)
    if grain is Grain.HOUR:
        symptoms = _scan_raw(pipeline, engine, SYMPTOM_LOGS, window)
        ranks = _source_ranks(engine, (readings, activity, symptoms), pipeline.settings.source)
        raw_hours = hours.RawHours(readings, activity, symptoms)
        return _hour_states(engine, raw_hours, ranks)
    sleep = _scan_raw(pipeline, engine, SLEEP_SESSIONS, window.widened(days_before=NIGHTS_BEFORE))
    doses = _scan_raw(pipeline, engine, MEDICATION_DOSES, window)
    ranks = _source_ranks(engine, (readings, activity, sleep, doses), pipeline.settings.source)
    of_hours = scan_state(pipeline, engine, Grain.HOUR, window)
    raw = days.RawDays(readings, activity, sleep, doses, first_day=window.first_day)
    return days.day_states(of_hours, raw, ranks)


def _scan_raw(pipeline: Pipeline, engine: Engine, dataset: Dataset, window: Window) -> ir.Table:
    table = raw_table(dataset)
    files = pipeline.lake.files(table.name, window=window)
    return engine.scan(files, schema=arrow_schema(table.columns), partition_by="day")


def _hour_states(engine: Engine, raw: hours.RawHours, ranks: ir.Table) -> ir.Table:
    """The state of hours, in steps: readings are read once, and again only where sources compete."""
    slots = union_all(
        engine.store(hours.reading_slots(raw.readings, is_ordered=is_ordered)) for is_ordered in (False, True)
    )
    crowded = None
    if engine.count(slots.filter(slots.source != slots.last_source)):
        crowded = engine.store(hours.crowded_states(raw.readings, slots, ranks))
    return hours.hour_states(raw, slots, crowded, ranks)


def scan_state(pipeline: Pipeline, engine: Engine, grain: Grain, window: Window | None) -> ir.Table:
    """The health state of a window, or of all time, at a grain."""
    table = state_table("health", grain)
    partition = table.columns[-1].name
    files = pipeline.lake.files(table.name, window=window, partition_by=partition)
    return engine.scan(files, schema=arrow_schema(table.columns), partition_by=partition)


def _source_ranks(engine: Engine, tables: Sequence[ir.Table], settings: SourceSettings) -> ir.Table:
    """The rank of every source that occurs, 1 the highest."""
    names = sorted(
        row["source"]
        for row in engine.rows(ibis.union(*(table.select("source") for table in tables)).distinct())
    )
    return engine.memory_table(
        pa.table(
            {
                "source": pa.array(names, pa.string()),
                "source_rank": pa.array([source_rank(name, settings) for name in names], pa.int64()),
            }
        )
    )


def source_rank(source: str, settings: SourceSettings) -> int:
    """The rank of a source: the place of the first class with a pattern that it matches, from 1.

    >>> source_rank("Apple Watch", SourceSettings()), source_rank("something else", SourceSettings())
    (2, 5)
    """
    for rank, (_, patterns) in enumerate(settings.ranks, start=1):
        if any(fnmatchcase(source.lower(), pattern.lower()) for pattern in patterns):
            return rank
    return len(settings.ranks) + 1


def summarized(
    pipeline: Pipeline,
    engine: Engine,
    states: ir.Table,
    *,
    period: Period | Window,
    window: Window,
    state_versions: ir.Table,
) -> ir.Table:
    """Figures per person of the periods of a window, or of the window as a whole, stored in the engine.

    Args:
        pipeline: where the people's records are.
        engine: where the states are.
        states: the state of the window at the period's grain; of days for a window as a whole.
        period: the period, or the window again.
        window: what the states cover.
        state_versions: ``period_start`` and ``state_version``.
    """
    if isinstance(period, Window):
        merged = engine.store(summarize.merged_to_range(states, period))
    else:
        merged = summarize.merged_to_period(states, period)
        if period not in summarize.GRAINS:
            merged = engine.store(merged)
    measures = {row["measure"] for row in engine.rows(merged.select("measure").distinct())}
    return engine.store(
        summarize.summarize(
            merged,
            period=period,
            measures=measures,
            users=scan_users(pipeline, engine),
            shifts=clock.clock_shifts(person_stretches(pipeline, engine, window)),
            versions=state_versions,
            complete_before=pipeline.utc_now - pipeline.settings.period.delay,
        )
    )


def range_figures(pipeline: Pipeline, window: Window) -> list[dict[str, Any]]:
    """Figures of groups over any days, merged from the state of the days; nothing is written."""
    with pipeline.engine() as engine:
        versions_table = engine.memory_table(_version_rows([(window.start, 0)]))
        rows = summarized(
            pipeline,
            engine,
            scan_state(pipeline, engine, Grain.DAY, window),
            period=window,
            window=window,
            state_versions=versions_table,
        )
        return engine.rows(_groups(engine, rows, strata=groups.STRATA[:1]))


def _groups(engine: Engine, rows: ir.Table, *, strata: Sequence[tuple[str, ...]] = groups.STRATA) -> ir.Table:
    return groups.group_figures(rows, engine.memory_table(groups.band_table()), strata=strata)


def _build_figures(pipeline: Pipeline, period: Period, window: Window) -> dict[date, int]:
    asset = f"health_metrics/{period}"
    with pipeline.warehouse.transaction() as connection:
        inputs = versions.metrics_inputs(pipeline, connection, window, period=period)
        of_state = versions.state_versions(connection, window, period=period)
    with pipeline.engine() as engine:
        states = scan_state(pipeline, engine, period.state_grain, window)
        rows = summarized(
            pipeline,
            engine,
            states,
            period=period,
            window=window,
            state_versions=_version_table(engine, period, of_state),
        )
        held = _rows_per_partition(engine, rows, period)
        with pipeline.warehouse.transaction() as connection:
            for table, expression in (
                (HEALTH_METRIC_ROWS, rows),
                (HEALTH_GROUPS, _groups(engine, rows, strata=_strata(period))),
            ):
                replaced = replace_window(
                    connection,
                    table=table,
                    period=period,
                    window=window,
                    rows=engine.stream(expression, schema=_warehouse_schema(table, expression.columns)),
                    now=pipeline.now,
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


def _strata(period: Period) -> Sequence[tuple[str, ...]]:
    """The groups of a period: of hours only everyone, since nobody compares age bands by the hour."""
    return groups.STRATA[:1] if period is Period.HOURLY else groups.STRATA


def _version_table(engine: Engine, period: Period, of_state: Mapping[date, int]) -> ir.Table:
    """The state's version per period; the hours of a day all come from that day's state."""
    starts = [
        (part.start, version)
        for first, version in of_state.items()
        for part in period.windows(period.partitioned_by.window(midnight(first)))
    ]
    return engine.memory_table(_version_rows(starts))


def _version_rows(starts: list[tuple[datetime, int]]) -> pa.Table:
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


def _warehouse_schema(table: Table, given: Collection[str]) -> pa.Schema:
    """The types of the columns that are given, as the warehouse takes them."""
    return pa.schema(
        [
            pa.field(column.name, ARROW_TYPES.get(column.type, pa.string()))
            for column in table.columns
            if column.name in given
        ]
    )
