"""What the health summary is made from: figures of groups in the warehouse; of free ranges, the states that tile them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.datasets import USERS
from healthmate_bi_pipeline.catalog.device_changes import COMPARED_FIGURES
from healthmate_bi_pipeline.catalog.families import HEALTH, figures_name, state_name
from healthmate_bi_pipeline.catalog.reports import HEALTH_SUMMARY
from healthmate_bi_pipeline.domain.control_charts import TRIAL_BELOW
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.reporting.health_summary.inputs import DeviceChange, HealthSummaryInputs
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.reporting.inputs import GroupFigure, TrendPoint
from healthmate_bi_pipeline.transforms.groups import EVERYONE
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.device_changes import DEVICE_CHANGES_ASSET
from healthmate_bi_pipeline.usecases.health import accounts, range_figures
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.group_figures import deviation, group_figures
from healthmate_bi_pipeline.usecases.reports.recipe import Reach, Reading, ReportRecipe
from healthmate_bi_pipeline.usecases.reports.rows import arrivals, common_inputs
from healthmate_bi_pipeline.usecases.reports.scope import (
    Subject,
    evidence_of,
    previous_window,
    recent_days,
    trend_of,
)
from healthmate_bi_pipeline.warehouse import queries

PEOPLE = "people"


def gather_health_summary(pipeline: Pipeline, subject: Subject) -> HealthSummaryInputs | None:
    """What the report is made from, or ``None`` when nobody has data in its days."""
    with pipeline.warehouse.transaction() as connection:
        before = previous_window(subject.period, subject.window)
        (current, covered), (previous, _) = _groups(
            pipeline, connection, subject.period, (subject.window, before)
        )
        if PEOPLE not in current:
            return None
        trend_period, trend_window = trend_of(subject.window)
        trend = _trend(connection, trend_period, trend_window)
        history_period, history = _history(connection, subject)
        delay = pipeline.settings.period.delay
        devices = _devices(connection, subject)
        come = arrivals(connection, HEALTH.datasets, subject.window, delay=delay)
        person_days = queries.person_days(connection, subject.window)
        common = common_inputs(
            pipeline,
            connection,
            subject,
            datasets=HEALTH.datasets,
            rests_on=(state_name(HEALTH, Grain.DAY),),
        )
    return HealthSummaryInputs(
        **common,
        people=current[PEOPLE].people,
        current=_without_people(current),
        previous_window=before if previous else None,
        previous=_without_people(previous) if previous else None,
        trend_period=trend_period,
        trend=trend,
        history_period=history_period,
        history=history,
        person_days=person_days,
        covered=covered,
        accounts=accounts(pipeline, [subject.window.end])[subject.window.end],
        devices=devices,
        arrivals=come,
    )


def _without_people(figures: Mapping[str, GroupFigure]) -> dict[str, GroupFigure]:
    return {name: figure for name, figure in figures.items() if name != PEOPLE}


def _groups(
    pipeline: Pipeline, connection: Connection, period: Period | None, windows: Sequence[Window]
) -> list[tuple[dict[str, GroupFigure], dict[str, dict[str, int]]]]:
    """For each window the figures of everyone, and of each group how many people have them."""
    if period is None:
        return [_told(rows) for rows in range_figures(pipeline, windows)]
    found = []
    for window in windows:
        rows = queries.group_figures(connection, period=period, window=window)
        told = group_figures({name: getattr(row, name) for name in _GROUP_FIELDS} for row in rows)
        found.append((told, queries.people_by_stratum(connection, period=period, window=window)))
    return found


def _told(rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, GroupFigure], dict[str, dict[str, int]]]:
    covered: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        if row["band"] == queries.WHOLE_GROUP:
            covered[row["stratum"]][row["figure"]] = row["people"]
    return group_figures(row for row in rows if row["stratum"] == EVERYONE), dict(covered)


_GROUP_FIELDS = ("figure", "band", "people", "total", "total_squared", "low", "high")


def _trend(connection: Connection, period: Period, window: Window) -> list[TrendPoint]:
    """The means of the shorter periods that start in a window; those without data are left out."""
    points: dict[datetime, dict[str, GroupFigure]] = defaultdict(dict)
    for row in queries.group_figures(connection, period=period, window=window):
        if row.band == queries.WHOLE_GROUP and row.figure != PEOPLE and row.total is not None:
            points[row.period_start][row.figure] = GroupFigure(
                row.figure,
                row.people,
                row.total / row.people,
                deviation=deviation(row.people, row.total, row.total_squared),
            )
    return [TrendPoint(start, figures) for start, figures in sorted(points.items())]


def _history(connection: Connection, subject: Subject) -> tuple[Period, list[TrendPoint]]:
    """What insights are looked for in: days, while there are too few of the longer periods for limits."""
    period, window = evidence_of(subject.period, subject.window)
    history = _trend(connection, period, window)
    days = recent_days(subject.window)
    if period is Period.DAILY or len(history) >= TRIAL_BELOW or subject.window.days > days.days:
        return period, history
    return Period.DAILY, _trend(connection, Period.DAILY, days)


def _devices(connection: Connection, subject: Subject) -> tuple[DeviceChange, ...]:
    """How the people of each device changed since the month before; of other periods nothing is kept."""
    if subject.period is not Period.MONTHLY:
        return ()
    return tuple(
        DeviceChange(
            row["source"],
            _change(row["metric"], row["people"], row["total"], row["total_squared"]),
            _change(row["metric"], row["other_people"], row["other_total"], row["other_total_squared"]),
        )
        for row in queries.device_changes(connection, month=subject.window.first_day)
    )


def _change(metric: str, people: int, total: float | None, squared: float | None) -> GroupFigure:
    return GroupFigure(
        COMPARED_FIGURES[metric],
        people,
        None if total is None else total / people,
        deviation=deviation(people, total, squared),
    )


def _reads(period: Period) -> tuple[Reading, ...]:
    trends = (Period.DAILY, Period.WEEKLY, Period.MONTHLY)
    return (
        Reading(figures_name(HEALTH, period), Reach.OWN),
        Reading(figures_name(HEALTH, Period.DAILY), Reach.INSIDE),
        *(Reading(figures_name(HEALTH, trend), Reach.TREND, trend) for trend in trends),
        *((Reading(DEVICE_CHANGES_ASSET, Reach.OWN),) if period is Period.MONTHLY else ()),
        *(Reading(f"raw/{dataset.name}", Reach.INSIDE) for dataset in HEALTH.datasets),
        Reading(f"raw/{USERS.name}", Reach.BESIDE),
    )


def _beside(
    pipeline: Pipeline, _connection: Connection, _period: Period, parts: Sequence[Window]
) -> dict[date, int]:
    """How many accounts there were at each period's end: a new person makes no older report stale."""
    counts = accounts(pipeline, [part.end for part in parts])
    return {part.first_day: versions.hash64(*counts[part.end].items()) for part in parts}


HEALTH_SUMMARY_RECIPE = ReportRecipe(
    report_type=HEALTH_SUMMARY,
    exists_with=lambda period: (figures_name(HEALTH, period),),
    reads=_reads,
    gather=gather_health_summary,
    build=lambda inputs, stamp: health_summary(inputs, stamp=stamp),
    beside=_beside,
)
