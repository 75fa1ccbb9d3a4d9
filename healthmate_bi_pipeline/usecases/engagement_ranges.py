"""Engagement over any days as one period, merged from the states that tile them; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.datasets import USERS
from healthmate_bi_pipeline.catalog.engagement import (
    ACTIVE_HOURS,
    ENGAGEMENT_FIGURE_BY_NAME,
    GROUP_FIGURES,
    PAGE,
)
from healthmate_bi_pipeline.catalog.families import ENGAGEMENT, state_name
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.domain.lifecycle import MONTH_DAYS
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.transforms.engagement import groups, summarize
from healthmate_bi_pipeline.transforms.finishing import merged_to_ranges, needed_components
from healthmate_bi_pipeline.usecases.engagement import figure_groups, scan_active_days
from healthmate_bi_pipeline.usecases.engagement_groups import days_before
from healthmate_bi_pipeline.usecases.families import version_rows
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.ranges import (
    FIGURE_COLUMNS,
    PeoplePart,
    added_rows,
    by_window,
    made_of_people,
    scan_tiles,
)
from healthmate_bi_pipeline.warehouse import books

Rows = list[dict[str, Any]]

_TOLD_COMPONENTS = frozenset(
    {"n", "total", "days", "high"}
    | needed_components(ENGAGEMENT_FIGURE_BY_NAME[name] for name in GROUP_FIGURES)
)
_SHAPES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "activity": (
        (),
        ("active_people", "mean_daily_active_people", "weekly_active_people", "monthly_active_people"),
    ),
    "curves": (("window_days", "active_days"), ("people",)),
    "features": (("feature",), ("people", "uses", "adopters")),
    "figures": (("figure", "band"), FIGURE_COLUMNS),
}
"""What tells rows apart beside their range, and what of them adds up over people."""


@dataclass(frozen=True)
class RangeEngagement:
    """Engagement of everybody over any days.

    Attributes:
        activity: people as in a row of ``bi_engagement_activity``, and ``stickiness``.
        curves: people by number of active days, as in ``bi_engagement_active_days``.
        features: people, uses and adopters, as in ``bi_engagement_feature_use``.
        figures: as in ``bi_engagement_groups``.
    """

    activity: dict[str, Any]
    curves: Rows
    features: Rows
    figures: Rows


@dataclass(frozen=True)
class RangeLifecycle:
    """Who came, stayed and left over any days, against as many days before.

    Attributes:
        stages: stage -> people; who fell silent is not said before the range is over.
        active_before: people active in the days before.
    """

    stages: dict[str, int]
    active_before: int


def range_engagement(pipeline: Pipeline, windows: Sequence[Window]) -> list[RangeEngagement]:
    """Activity, features used and figures of everybody over ranges of as many days."""
    as_of = {window: _last_day(pipeline, window) for window in windows}
    parts = made_of_people(lambda part: engagement_of_part(pipeline, as_of, part))
    added = {
        name: by_window(added_rows((part[name] for part in parts), key=("period_start", *key), counts=counts), windows)
        for name, (key, counts) in _SHAPES.items()
    }  # fmt: skip
    return [
        RangeEngagement(
            activity[0] | {"stickiness": _stickiness(activity[0], curves)}, curves, features, figures
        )
        for activity, curves, features, figures in zip(*(added[name] for name in _SHAPES), strict=True)
    ]


def engagement_of_part(pipeline: Pipeline, as_of: Mapping[Window, date], part: PeoplePart) -> dict[str, Rows]:
    """Rows of what ``RangeEngagement`` holds, of some people.

    Args:
        pipeline: where their states are.
        as_of: the ranges, each with the day that its trailing counts end with.
        part: the people.
    """
    with pipeline.engine() as engine:
        states = part.of(scan_tiles(pipeline, engine, ENGAGEMENT, as_of))
        # Who viewed a page is counted by the views too.
        told = states.filter(states.measure != PAGE.name)
        merged = engine.store(merged_to_ranges(told, components=_TOLD_COMPONENTS))
        periods = engine.memory_table(groups.window_table(as_of, pipeline.complete_before))
        days = part.of(days_before(pipeline, engine, as_of.values()))
        trailing = engine.store(groups.trailing_days(days, periods))
        has_days = all(Period.WEEKLY.fits_into(window) for window in as_of)
        return {
            "activity": engine.rows(groups.activity(merged, trailing, periods)),
            "curves": engine.rows(groups.active_day_curves(trailing, periods)),
            "features": engine.rows(groups.feature_use(merged, periods, has_days=has_days)),
            "figures": _figures(pipeline, engine, merged, tuple(as_of)),
        }


def _figures(pipeline: Pipeline, engine: Engine, merged: ir.Table, windows: Sequence[Window]) -> Rows:
    nobody = arrow_schema(raw_table(USERS).columns).empty_table()  # no figure of everybody asks for records
    rows = summarize.summarize(
        merged,
        None,
        period=windows[0],
        measures={row["measure"] for row in engine.rows(merged.select("measure").distinct())},
        users=engine.memory_table(nobody),
        shifts=None,
        versions=engine.memory_table(version_rows([(window.start, 0) for window in windows])),
        complete_before=pipeline.complete_before,
    )
    told = {*GROUP_FIGURES, "active_hours"}  # by which who only got a notification is left out
    untold = [name for name in rows.columns if name in ENGAGEMENT_FIGURE_BY_NAME and name not in told]
    return engine.rows(figure_groups(engine, engine.store(rows.drop(*untold))))


def _stickiness(activity: Mapping[str, Any], curves: Rows) -> float | None:
    """Shares do not add up: from the counts of all people, as in ``bi_engagement_activity``."""
    monthly = activity["monthly_active_people"]
    days = sum(row["active_days"] * row["people"] for row in curves if row["window_days"] == MONTH_DAYS)
    return days / MONTH_DAYS / monthly if monthly else None


def range_lifecycle(pipeline: Pipeline, window: Window) -> RangeLifecycle:
    """The stages of everybody over any days."""
    before = Window(window.start - (window.end - window.start), window.start)

    def counted(part: PeoplePart) -> Rows:
        with pipeline.engine() as engine:
            days = part.of(scan_active_days(pipeline, engine, None))
            return engine.rows(groups.lifecycle_counts(days, window, before))

    names = ("new", "returning", "resurrecting", "dormant", "before")
    (found,) = added_rows(made_of_people(counted), key=(), counts=names)
    stages = {stage: int(people or 0) for stage, people in found.items()}
    active_before = stages.pop("before")
    if window.end > pipeline.complete_before:
        stages.pop("dormant")
    return RangeLifecycle(stages, active_before)


def range_active_people(pipeline: Pipeline, windows: Sequence[Window]) -> list[int]:
    """How many different people were active over each of some ranges of days."""

    def counted(part: PeoplePart) -> Rows:
        with pipeline.engine() as engine:
            states = part.of(scan_tiles(pipeline, engine, ENGAGEMENT, windows))
            active = states.filter(states.measure == ACTIVE_HOURS.name)
            return engine.rows(active.group_by("period_start").agg(people=active.user_id.nunique()))

    added = added_rows(made_of_people(counted), key=("period_start",), counts=("people",))
    return [sum(row["people"] for row in rows) for rows in by_window(added, windows)]


def _last_day(pipeline: Pipeline, window: Window) -> date:
    """The day that trailing counts end with: the last of the range; of a running one the last with data."""
    with pipeline.warehouse.transaction() as connection:
        records = books.partition_records(connection, state_name(ENGAGEMENT, Grain.DAY), window=window)
    filled = [day for day, record in records.items() if record.rows]
    return window.last_day if window.end <= pipeline.complete_before or not filled else max(filled)
