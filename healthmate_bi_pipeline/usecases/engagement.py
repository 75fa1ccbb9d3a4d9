"""The user engagement family: raw days → state → rows per person and period."""

from __future__ import annotations

from datetime import date
from functools import partial

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.datasets import APP_EVENTS, LOGIN_SESSIONS
from healthmate_bi_pipeline.catalog.engagement import ENGAGEMENT_FIGURE_BY_NAME, GROUP_FIGURES
from healthmate_bi_pipeline.catalog.engagement_tables import (
    ENGAGEMENT_COHORTS,
    ENGAGEMENT_FEATURES,
    ENGAGEMENT_FIGURE_GROUPS,
    ENGAGEMENT_ROWS,
    ENGAGEMENT_STARTS,
)
from healthmate_bi_pipeline.catalog.families import ENGAGEMENT, state_name
from healthmate_bi_pipeline.catalog.lake_tables import ACTIVE_DAYS
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.transforms import clock, groups
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.engagement import history, hours, sessions, summarize
from healthmate_bi_pipeline.transforms.finishing import merged_to_period
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.chunks import make_in_chunks
from healthmate_bi_pipeline.usecases.conform import person_stretches, scan_users
from healthmate_bi_pipeline.usecases.families import (
    Recipe,
    replace_partitions,
    scan_raw,
    scan_state,
)
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline
from healthmate_bi_pipeline.usecases.whole_tables import ANY_TIME, build_whole
from healthmate_bi_pipeline.warehouse import books


def _states(pipeline: Pipeline, engine: Engine, grain: Grain, window: Window) -> ir.Table:
    if grain is Grain.MONTH:
        return hours.month_states(scan_state(pipeline, engine, ENGAGEMENT, Grain.DAY, window))
    if grain is Grain.DAY:
        return hours.day_states(scan_state(pipeline, engine, ENGAGEMENT, Grain.HOUR, window))
    return _hour_states(pipeline, engine, window)


def _hour_states(pipeline: Pipeline, engine: Engine, window: Window) -> ir.Table:
    """The state of hours, in steps: events are read once for what is counted, and once for sessions."""
    pieces = engine.store(scan_raw(pipeline, engine, LOGIN_SESSIONS, window))
    reach = scan_raw(pipeline, engine, APP_EVENTS, window.widened(days_after=1))
    events = reach.filter(reach.day < ibis.literal((window.end).date()))
    numbered = engine.store(sessions.with_made_session(events, pieces))
    began = engine.store(
        union_all((sessions.logged_sessions(pieces, reach), sessions.made_sessions(numbered)))
    )
    opened = engine.store(sessions.open_hours(sessions.open_stretches(pieces, numbered)))
    endless = pieces.filter((pieces.piece == 0) & pieces.ended_at.isnull())
    starts = endless.select("user_id", "day", hour=endless.local_started_at.hour().cast("int64"))
    return hours.hour_states(began, opened, starts, events)


def _figures(
    pipeline: Pipeline, engine: Engine, period: Period, window: Window, state_versions: ir.Table
) -> dict[Table, ir.Table]:
    merged = engine.store(
        merged_to_period(scan_state(pipeline, engine, ENGAGEMENT, period.state_grain, window), period)
    )
    measures = {row["measure"] for row in engine.rows(merged.select("measure").distinct())}
    rows = summarize.summarize(
        merged,
        _active_before(pipeline, engine, period, window),
        period=period,
        measures=measures,
        users=scan_users(pipeline, engine),
        shifts=clock.clock_shifts(person_stretches(pipeline, engine, window)),
        versions=state_versions,
        complete_before=pipeline.complete_before,
    )
    stored = engine.store(rows)
    return {ENGAGEMENT_ROWS: stored, ENGAGEMENT_FIGURE_GROUPS: figure_groups(engine, stored)}


def figure_groups(engine: Engine, rows: ir.Table) -> ir.Table:
    """The figures of everybody who was active: rows of ``bi_engagement_groups``.

    Who only got a notification has a row too, and a score of 0; among those who use the app they are not counted.
    """
    rows = rows.filter(rows.active_hours.notnull()) if "active_hours" in rows.columns else rows.limit(0)
    bands = engine.memory_table(groups.band_table(ENGAGEMENT_FIGURE_BY_NAME, GROUP_FIGURES))
    return groups.group_figures(
        rows, bands, table=ENGAGEMENT_FIGURE_GROUPS, figures=GROUP_FIGURES, strata=groups.STRATA[:1]
    )


def _active_before(pipeline: Pipeline, engine: Engine, period: Period, window: Window) -> ir.Table | None:
    if period is Period.HOURLY:
        return None
    earlier = Window(period.previous(window.start), window.end)
    states = scan_state(pipeline, engine, ENGAGEMENT, period.state_grain, earlier)
    return engine.store(summarize.active_before(summarize.active_people(states, period), period, window))


ENGAGEMENT_RECIPE = Recipe(ENGAGEMENT, states=_states, figures=_figures)


def build_active_days(pipeline: Pipeline, window: Window | None) -> Built:
    """Note the days on which people were active, month by month."""
    assert window is not None  # noqa: S101 - partitioned by month
    with pipeline.warehouse.transaction() as connection:
        records = books.partition_records(connection, state_name(ENGAGEMENT, Grain.DAY), window=window)
    sizes = {day: record.rows for day, record in records.items()}
    make = partial(_build_active_days, pipeline)
    return make_in_chunks(pipeline, ACTIVE_DAYS.name, window, sizes, unit=Period.MONTHLY, make=make)


def _build_active_days(pipeline: Pipeline, window: Window) -> dict[date, int]:
    with pipeline.warehouse.transaction() as connection:
        inputs = versions.active_days_inputs(pipeline, connection, window)
    with pipeline.engine() as engine:
        days = scan_state(pipeline, engine, ENGAGEMENT, Grain.DAY, window)
        rows = history.active_days(days).select(*ACTIVE_DAYS.column_names)
        return replace_partitions(
            pipeline, engine, ACTIVE_DAYS, rows, window=window, unit=Period.MONTHLY, inputs=inputs
        )


def build_starts(pipeline: Pipeline) -> Built:
    """Note the first active day of each person, and the first day of each feature.

    A view joins them, so that a first row that comes late touches no finished row.
    """

    def make(engine: Engine) -> dict[Table, ir.Table]:
        months = scan_state(pipeline, engine, ENGAGEMENT, Grain.MONTH, None)
        return {
            ENGAGEMENT_STARTS: history.first_active_days(months),
            ENGAGEMENT_FEATURES: history.first_feature_days(months),
        }

    return build_whole(
        pipeline,
        f"{ENGAGEMENT.group}/starts",
        version=lambda connection: versions.starts_inputs(
            pipeline, connection, ANY_TIME, family=ENGAGEMENT
        ).get(UNPARTITIONED, 0),
        make=make,
    )


def build_cohorts(pipeline: Pipeline) -> Built:
    """Count how many people of each cohort were still active so many days, weeks and months later."""
    settled = versions.settled_day(pipeline)
    return build_whole(
        pipeline,
        f"{ENGAGEMENT.group}/cohorts",
        version=lambda connection: versions.cohorts_inputs(pipeline, connection, ANY_TIME).get(
            UNPARTITIONED, 0
        ),
        make=lambda engine: {
            ENGAGEMENT_COHORTS: history.cohort_retention(scan_active_days(pipeline, engine, None), settled)
        },
    )


def scan_active_days(pipeline: Pipeline, engine: Engine, window: Window | None) -> ir.Table:
    """The days on which people were active, of the months of a window or of all time."""
    files = pipeline.lake.files(ACTIVE_DAYS.name, window=window, partition_by="month")
    return engine.scan(files, schema=arrow_schema(ACTIVE_DAYS.columns), partition_by="month")
