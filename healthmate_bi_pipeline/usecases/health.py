"""The health family: raw days → state → rows per person and period, and figures of groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.datasets import (
    ACTIVITY_INTERVALS,
    HEALTH_READINGS,
    MEDICATION_DOSES,
    SLEEP_SESSIONS,
    SYMPTOM_LOGS,
)
from healthmate_bi_pipeline.catalog.families import HEALTH
from healthmate_bi_pipeline.catalog.health_groups import (
    CATEGORIES,
    FIGURE_BY_NAME,
    GROUPED_FIGURES,
    PRESSURE_SHARES,
)
from healthmate_bi_pipeline.catalog.measures import BLOOD_PRESSURE_CATEGORY, SOURCE, SYMPTOM
from healthmate_bi_pipeline.catalog.tables import HEALTH_GROUPS, HEALTH_METRIC_ROWS, HEALTH_STARTS
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.settings import SourceSettings
from healthmate_bi_pipeline.transforms import clock, groups, people
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.finishing import (
    GRAINS,
    merged_to_period,
    merged_to_ranges,
    needed_components,
)
from healthmate_bi_pipeline.transforms.health import days, hours, summarize
from healthmate_bi_pipeline.transforms.health.grouping import grouped_rows
from healthmate_bi_pipeline.transforms.health.sleep import DAYS_BEFORE as NIGHTS_BEFORE
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.conform import person_stretches, scan_users
from healthmate_bi_pipeline.usecases.families import (
    Recipe,
    scan_raw,
    scan_state,
    version_rows,
)
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline
from healthmate_bi_pipeline.usecases.ranges import (
    FIGURE_COLUMNS,
    PeoplePart,
    added_rows,
    by_window,
    made_of_people,
    scan_tiles,
)
from healthmate_bi_pipeline.usecases.whole_tables import ANY_TIME, build_whole

_SETS = {
    BLOOD_PRESSURE_CATEGORY: ("blood_pressures", "blood_pressure_category", *PRESSURE_SHARES.values()),
    SYMPTOM: ("most_common_symptom", "symptom_frequency"),
    SOURCE: ("source_count",),
}
"""Sets that only some figures are made from; who has any of them has another measure too, and so stays counted."""

_UNTOLD_SETS = tuple(
    measure.name for measure, figures in _SETS.items() if not set(figures) & set(GROUPED_FIGURES)
)
_TOLD_COMPONENTS = frozenset(
    {"n", "total", "total_squared", "days", "implausible", "last_value"}
    | needed_components(FIGURE_BY_NAME[name] for name in GROUPED_FIGURES)
)
"""What the figures of groups are made from: those that are made by name need no extremes and no keys."""


def build_starts(pipeline: Pipeline) -> Built:
    """Note the first day on which each person recorded each measure that is expected daily.

    Completeness of data is counted from these days on; a view joins them, so that a first row that comes late
    touches no finished row.
    """
    return build_whole(
        pipeline,
        "health_metrics/starts",
        version=lambda connection: versions.starts_inputs(pipeline, connection, ANY_TIME, family=HEALTH).get(
            UNPARTITIONED, 0
        ),
        make=lambda engine: {
            HEALTH_STARTS: summarize.first_days(scan_state(pipeline, engine, HEALTH, Grain.MONTH, None))
        },
    )


def _states(pipeline: Pipeline, engine: Engine, grain: Grain, window: Window) -> ir.Table:
    if grain is Grain.MONTH:
        return days.month_states(scan_state(pipeline, engine, HEALTH, Grain.DAY, window))
    readings = scan_raw(pipeline, engine, HEALTH_READINGS, window)
    activity = scan_raw(pipeline, engine, ACTIVITY_INTERVALS, window)
    if grain is Grain.HOUR:
        symptoms = scan_raw(pipeline, engine, SYMPTOM_LOGS, window)
        ranks = _source_ranks(engine, (readings, activity, symptoms), pipeline.settings.source)
        raw_hours = hours.RawHours(readings, activity, symptoms)
        return _hour_states(engine, raw_hours, ranks)
    sleep = scan_raw(pipeline, engine, SLEEP_SESSIONS, window.widened(days_before=NIGHTS_BEFORE))
    doses = scan_raw(pipeline, engine, MEDICATION_DOSES, window)
    ranks = _source_ranks(engine, (readings, activity, sleep, doses), pipeline.settings.source)
    of_hours = scan_state(pipeline, engine, HEALTH, Grain.HOUR, window)
    raw = days.RawDays(readings, activity, sleep, doses, first_day=window.first_day)
    return days.day_states(of_hours, raw, ranks)


def _hour_states(engine: Engine, raw: hours.RawHours, ranks: ir.Table) -> ir.Table:
    """The state of hours, in steps: readings are read once, and again only where sources compete."""
    slots = union_all(
        engine.store(hours.reading_slots(raw.readings, is_ordered=is_ordered)) for is_ordered in (False, True)
    )
    crowded = None
    if engine.count(slots.filter(slots.source != slots.last_source)):
        crowded = engine.store(hours.crowded_states(raw.readings, slots, ranks))
    return hours.hour_states(raw, slots, crowded, ranks)


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
    period: Period,
    window: Window,
    state_versions: ir.Table,
) -> ir.Table:
    """Figures per person of the periods of a window, stored in the engine.

    Args:
        pipeline: where the people's records are.
        engine: where the states are.
        states: the state of the window at the period's grain.
        period: the period.
        window: what the states cover.
        state_versions: ``period_start`` and ``state_version``.
    """
    merged = merged_to_period(states, period)
    if period not in GRAINS:
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
            complete_before=pipeline.complete_before,
        )
    )


def range_figures(pipeline: Pipeline, windows: Sequence[Window]) -> list[list[dict[str, Any]]]:
    """Figures of groups over ranges of as many days, each as one period, merged from the states that tile them."""
    parts = made_of_people(lambda part: figures_of_part(pipeline, windows, part))
    return by_window(
        added_rows(parts, key=("period_start", "stratum", "figure", "band"), counts=FIGURE_COLUMNS), windows
    )


def figures_of_part(pipeline: Pipeline, windows: Sequence[Window], part: PeoplePart) -> list[dict[str, Any]]:
    """The same of some people, together."""
    with pipeline.engine() as engine:
        states = part.of(scan_tiles(pipeline, engine, HEALTH, windows))
        told = states.filter(states.measure.notin(_UNTOLD_SETS))
        merged = engine.store(merged_to_ranges(told, components=_TOLD_COMPONENTS))
        rows = summarize.summarize(
            merged,
            period=windows[0],
            measures={row["measure"] for row in engine.rows(merged.select("measure").distinct())},
            users=scan_users(pipeline, engine),
            shifts=None,
            versions=engine.memory_table(version_rows([(window.start, 0) for window in windows])),
            complete_before=pipeline.complete_before,
        )
        # What groups are not told by is not worked out.
        untold = [name for name in rows.columns if name in FIGURE_BY_NAME and name not in GROUPED_FIGURES]
        return engine.rows(_groups(engine, engine.store(rows.drop(*untold)), strata=groups.STRATA[:3]))


def accounts(pipeline: Pipeline, ends: Sequence[datetime]) -> dict[datetime, dict[str, int]]:
    """How many people have an account at some moments, by age and by sex as groups are called, and ``all``."""
    moments = pa.table({"moment": pa.array(sorted(set(ends)), pa.timestamp("us"))})
    with pipeline.engine() as engine:
        rows = engine.rows(people.accounts(scan_users(pipeline, engine), engine.memory_table(moments)))
    found: dict[datetime, dict[str, int]] = {end: defaultdict(int) for end in ends}
    for row in rows:
        for stratum in (groups.EVERYONE, f"age {row['age_band']}", f"sex {row['sex']}"):
            found[row["moment"]][stratum] += row["accounts"]
    return {end: dict(sorted(counts.items())) for end, counts in found.items()}


def _groups(engine: Engine, rows: ir.Table, *, strata: Sequence[tuple[str, ...]] = groups.STRATA) -> ir.Table:
    bands = engine.memory_table(groups.band_table(FIGURE_BY_NAME, GROUPED_FIGURES))
    return groups.group_figures(
        grouped_rows(rows),
        bands,
        table=HEALTH_GROUPS,
        figures=GROUPED_FIGURES,
        strata=strata,
        categories=CATEGORIES,
    )


def _figures(
    pipeline: Pipeline, engine: Engine, period: Period, window: Window, state_versions: ir.Table
) -> dict[Table, ir.Table]:
    states = scan_state(pipeline, engine, HEALTH, period.state_grain, window)
    rows = summarized(pipeline, engine, states, period=period, window=window, state_versions=state_versions)
    return {HEALTH_METRIC_ROWS: rows, HEALTH_GROUPS: _groups(engine, rows, strata=_strata(period))}


def _strata(period: Period) -> Sequence[tuple[str, ...]]:
    """The groups of a period: of hours only everyone, and of days not age and sex together.

    Nobody compares them so finely, and there would be more rows of groups than of people.
    """
    fewer = {Period.HOURLY: groups.STRATA[:1], Period.DAILY: groups.STRATA[:3]}
    return fewer.get(period, groups.STRATA)


HEALTH_RECIPE = Recipe(HEALTH, states=_states, figures=_figures)
