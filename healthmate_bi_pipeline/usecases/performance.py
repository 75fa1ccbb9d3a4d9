"""The family of system performance: raw requests and samples → state, figures, incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import ibis.expr.types as ir
from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.datasets import API_REQUESTS, HOST_SAMPLES
from healthmate_bi_pipeline.catalog.families import PERFORMANCE, state_name, state_table
from healthmate_bi_pipeline.catalog.performance import LONGEST_LOOK_BACK_DAYS
from healthmate_bi_pipeline.catalog.performance_tables import (
    PERFORMANCE_INCIDENTS,
    SYSTEM_PERFORMANCE_METRICS,
)
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.performance import requests, slots, summarize
from healthmate_bi_pipeline.transforms.state import shaped_as_state
from healthmate_bi_pipeline.usecases.families import Recipe, scan_raw, scan_state
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline
from healthmate_bi_pipeline.usecases.ranges import by_window, scan_tiles
from healthmate_bi_pipeline.usecases.versions import combined, hash64
from healthmate_bi_pipeline.usecases.whole_tables import build_whole
from healthmate_bi_pipeline.warehouse import books

INCIDENTS = f"{PERFORMANCE.group}/incidents"


def _states(pipeline: Pipeline, engine: Engine, grain: Grain, window: Window) -> ir.Table:
    table = state_table(PERFORMANCE, grain)
    match grain:
        case Grain.FIVE_MINUTES:
            found = requests.slot_states(_classified(pipeline, engine, window))
        case Grain.HOUR:
            found = _hour_states(pipeline, engine, window)
        case Grain.DAY:
            of_hours = scan_state(pipeline, engine, PERFORMANCE, Grain.HOUR, window)
            found = summarize.merged_states(of_hours, ("day",))
        case Grain.MONTH:
            of_days = scan_state(pipeline, engine, PERFORMANCE, Grain.DAY, window)
            # By way of a time: the engine's truncated date is a time, whatever its type is said to be.
            month = of_days.day.cast("timestamp(6)").truncate("M").cast("date")
            found = summarize.merged_states(of_days.mutate(month=month).drop("day"), ("month",))
    return shaped_as_state(found, table)


def _classified(pipeline: Pipeline, engine: Engine, window: Window) -> ir.Table:
    raw = scan_raw(pipeline, engine, API_REQUESTS, window)
    return engine.store(requests.classified(raw, pipeline.settings.performance))


def _hour_states(pipeline: Pipeline, engine: Engine, window: Window) -> ir.Table:
    """What requests and samples make of hours, and what their five minutes are judged to be."""
    classified = _classified(pipeline, engine, window)
    sums = engine.store(requests.request_sums(classified))
    # Burn rates look back before the first day.
    reach = window.widened(days_before=LONGEST_LOOK_BACK_DAYS)
    of_slots = scan_state(pipeline, engine, PERFORMANCE, Grain.FIVE_MINUTES, reach)
    judged = engine.store(slots.judged_slots(of_slots, pipeline.settings.performance))
    parts = [
        *requests.request_states(classified, sums),
        *requests.host_states(scan_raw(pipeline, engine, HOST_SAMPLES, window)),
        *slots.judged_states(judged, first_day=window.first_day),
    ]
    names = sorted(parts[0].columns)
    return union_all(part.select(*names) for part in parts)


def _figures(
    pipeline: Pipeline, engine: Engine, period: Period, window: Window, state_versions: ir.Table
) -> Mapping[Table, ir.Table]:
    states = scan_state(pipeline, engine, PERFORMANCE, period.state_grain, window)
    merged = engine.store(summarize.merged_to_levels(states, period))
    percentiles = engine.store(summarize.percentile_rows(merged))
    wide = engine.store(summarize.wide_rows(merged, percentiles))
    rows = summarize.figure_rows(
        wide,
        engine.memory_table(summarize.unit_table()),
        period=period,
        versions=state_versions,
        complete_before=pipeline.complete_before,
    )
    return {SYSTEM_PERFORMANCE_METRICS: engine.store(rows)}


def range_figures(pipeline: Pipeline, windows: Sequence[Window]) -> list[list[dict[str, Any]]]:
    """Figures of ranges of as many days, each as one period, merged from the states that tile them."""
    with pipeline.engine() as engine:
        states = scan_tiles(pipeline, engine, PERFORMANCE, windows)
        merged = engine.store(summarize.merged_to_ranges(states))
        percentiles = engine.store(summarize.percentile_rows(merged))
        wide = engine.store(summarize.wide_rows(merged, percentiles))
        return by_window(engine.rows(engine.store(summarize.range_rows(wide, windows[0]))), windows)


PERFORMANCE_RECIPE = Recipe(PERFORMANCE, states=_states, figures=_figures)


def build_incidents(pipeline: Pipeline) -> Built:
    """Find the incidents of all time: one that goes on over midnight is one."""

    def make(engine: Engine) -> Mapping[Table, ir.Table]:
        states = scan_state(pipeline, engine, PERFORMANCE, Grain.FIVE_MINUTES, None)
        judged = engine.store(slots.judged_slots(states, pipeline.settings.performance))
        return {PERFORMANCE_INCIDENTS: slots.incidents(judged)}

    return build_whole(
        pipeline, INCIDENTS, version=lambda connection: _incident_version(pipeline, connection), make=make
    )


def incident_inputs(pipeline: Pipeline, connection: Connection, window: Window) -> dict[date, int]:
    """What incidents would be made from: the five minutes of all time, and what was promised."""
    del window  # not partitioned
    version = _incident_version(pipeline, connection)
    return {UNPARTITIONED: version} if version else {}


def _incident_version(pipeline: Pipeline, connection: Connection) -> int:
    days = books.partition_records(connection, state_name(PERFORMANCE, Grain.FIVE_MINUTES))
    if not days:
        return 0
    held = combined((day, record.output_version) for day, record in days.items())
    return hash64(PERFORMANCE.registry_version, pipeline.settings.performance, held)
