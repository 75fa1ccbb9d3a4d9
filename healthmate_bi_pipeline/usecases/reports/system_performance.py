"""What the report on system performance is made from: figures of places; of free ranges, the states that tile them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.families import PERFORMANCE, figures_name, state_name
from healthmate_bi_pipeline.catalog.performance import ALL, BURN_WINDOWS
from healthmate_bi_pipeline.catalog.reports import SYSTEM_PERFORMANCE
from healthmate_bi_pipeline.domain.control_charts import TRIAL_BELOW
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.reporting.system_performance.inputs import (
    Incident,
    Measured,
    Place,
    PlacePoint,
    Places,
    Route,
    ServiceLevels,
    SystemPerformanceInputs,
)
from healthmate_bi_pipeline.reporting.system_performance.report import METRICS, system_performance
from healthmate_bi_pipeline.settings import PerformanceSettings
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.performance import INCIDENTS, range_figures
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.recipe import Reach, Reading, ReportRecipe
from healthmate_bi_pipeline.usecases.reports.rows import arrivals, common_inputs
from healthmate_bi_pipeline.usecases.reports.scope import (
    Subject,
    evidence_of,
    previous_window,
    recent_days,
    trend_of,
)
from healthmate_bi_pipeline.warehouse import performance_queries as queries

MOST_INCIDENTS = 100
MOST_ROUTES = 10
LEAST_ROUTE_REQUESTS = 20
"""Of fewer requests a route's percentile and error rate say little."""
RESOURCE_DAYS = 28
"""Days of the charts of resources."""

_RESOURCES = ("cpu_percent_mean", "memory_percent_mean", "disk_percent_mean")
_OVER_TIME = ("requests", "error_rate", "response_time_p95", *_RESOURCES)
_FIGURES = frozenset(
    (
        *METRICS, "errors", "failed_response_time_p50", *(f"burn_rate_{name}" for name in BURN_WINDOWS),
        *(f"{name}_percent_{statistic}" for name in ("cpu", "memory", "disk") for statistic in ("mean", "p95", "max")),
    )
)  # fmt: skip


@dataclass(frozen=True)
class _Period:
    """The places and routes of a period, or of any days."""

    places: Places
    slow: Sequence[Route] = ()
    failing: Sequence[Route] = ()


def gather_system_performance(pipeline: Pipeline, subject: Subject) -> SystemPerformanceInputs | None:
    """What the report is made from, or ``None`` when there are neither requests nor samples in its days."""
    window = subject.window
    with pipeline.warehouse.transaction() as connection:
        before = previous_window(subject.period, window)
        if subject.period is None:
            current, earlier = (_of_days(rows) for rows in range_figures(pipeline, (window, before)))
        else:
            current, earlier = (_of_period(connection, subject.period, part) for part in (window, before))
        if not current.places:
            return None
        previous = earlier.places
        trend_period, trend_window = trend_of(window)
        evidence_period, evidence_window, evidence = _evidence(connection, subject)
        resource_window = Window(window.end - timedelta(days=RESOURCE_DAYS), window.end)
        counts = queries.incident_counts(connection, window=window)
        return SystemPerformanceInputs(
            **common_inputs(
                pipeline,
                connection,
                subject,
                datasets=PERFORMANCE.datasets,
                rests_on=(state_name(PERFORMANCE, Grain.DAY),),
            ),
            current=current.places,
            previous_window=before if previous else None,
            previous=previous,
            trend_period=trend_period,
            trend=_points(connection, trend_period, trend_window, _OVER_TIME),
            evidence_period=evidence_period,
            evidence_window=evidence_window,
            evidence=evidence,
            resources=_points(connection, Period.DAILY, resource_window, _RESOURCES),
            incidents=_incidents(queries.incidents(connection, window=window, limit=MOST_INCIDENTS)),
            incident_counts={
                (Place(one.service_name, one.environment), one.threshold): (one.incidents, one.breach_minutes)
                for one in counts
            },
            slow_routes=current.slow,
            failing_routes=current.failing,
            levels=_levels(pipeline.settings.performance, current.places),
            hours=queries.hours_seen(connection, window=window, figure="requests"),
            sampled_hours=queries.hours_seen(connection, window=window, figure="cpu_percent_mean"),
            hours_expected=_hours(window, pipeline.utc_now),
            arrivals=arrivals(connection, PERFORMANCE.datasets, window, delay=pipeline.settings.period.delay),
        )


def _of_period(connection: Connection, period: Period, window: Window) -> _Period:
    rows = queries.place_figures(connection, period=period, window=window, figures=_FIGURES)
    slow, failing = (
        [
            _route(one)
            for one in queries.route_figures(
                connection,
                period=period,
                window=window,
                by=by,
                least_requests=LEAST_ROUTE_REQUESTS,
                limit=MOST_ROUTES,
            )
        ]
        for by in ("response_time_p95", "errors")
    )
    places: dict[Place, dict[str, Measured]] = defaultdict(dict)
    for row in rows:
        place = Place(row.service_name, row.environment, row.instance_id)
        places[place][row.metric_name] = Measured(row.metric_value, row.samples)
    return _Period(dict(places), slow, failing)


def _of_days(rows: Iterable[Mapping[str, Any]]) -> _Period:
    """The same from figures that were merged from states."""
    places: dict[Place, dict[str, Measured]] = defaultdict(dict)
    routes: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for row in rows:
        name = row["metric_name"]
        if row["route_group"] == ALL:
            if name in _FIGURES:
                place = Place(row["service_name"], row["environment"], row["instance_id"])
                places[place][name] = Measured(row["metric_value"], row["samples"])
        elif row["instance_id"] == ALL and name in queries.ROUTE_FIGURES:
            routes[row["service_name"], row["environment"], row["route_group"]][name] = row["metric_value"]
    known = [
        queries.RouteFigures(
            *key,
            requests=of["requests"],
            errors=of["errors"],
            error_rate=of["error_rate"],
            response_time_p95=of.get("response_time_p95"),
        )
        for key, of in sorted(routes.items())
        if of["requests"] >= LEAST_ROUTE_REQUESTS
    ]
    return _Period(dict(places), _highest(known, "response_time_p95"), _highest(known, "errors"))


def _highest(routes: Iterable[queries.RouteFigures], by: str) -> list[Route]:
    """The same order as the warehouse gives: the highest first, then by name."""
    found = [one for one in routes if (getattr(one, by) or 0) > 0]
    return [_route(one) for one in sorted(found, key=lambda one: -getattr(one, by))[:MOST_ROUTES]]


def _route(row: queries.RouteFigures) -> Route:
    return Route(
        Place(row.service_name, row.environment),
        row.route_group,
        row.requests,
        row.errors,
        row.error_rate,
        row.response_time_p95,
    )


def _points(
    connection: Connection, period: Period, window: Window, figures: Collection[str]
) -> list[PlacePoint]:
    points: dict[datetime, dict[Place, dict[str, Measured]]] = defaultdict(lambda: defaultdict(dict))
    for row in queries.place_figures(connection, period=period, window=window, figures=figures):
        place = Place(row.service_name, row.environment, row.instance_id)
        points[row.period_start][place][row.metric_name] = Measured(row.metric_value, row.samples)
    return [PlacePoint(start, dict(places)) for start, places in sorted(points.items())]


def _evidence(connection: Connection, subject: Subject) -> tuple[Period, Window, list[PlacePoint]]:
    """What insights are looked for in: days, while there are too few of the longer periods for limits."""
    period, window = evidence_of(subject.period, subject.window)
    points = _points(connection, period, window, _OVER_TIME)
    days = recent_days(subject.window)
    if period is not Period.DAILY and len(points) < TRIAL_BELOW and subject.window.days <= days.days:
        period, window, points = Period.DAILY, days, _points(connection, Period.DAILY, days, _OVER_TIME)
    if points:
        window = Window(points[0].period_start, window.end)
    return period, window, points


def _incidents(rows: Iterable[queries.Incident]) -> list[Incident]:
    return [
        Incident(
            Place(row.service_name, row.environment),
            row.threshold,
            row.started_at,
            row.ended_at,
            row.breach_minutes,
            row.worst_value,
            row.limit_value,
            row.unit,
            row.requests,
            row.errors,
        )
        for row in rows
    ]


def _levels(settings: PerformanceSettings, places: Places) -> dict[str, ServiceLevels]:
    """What was promised of each service: its own level, else that of all."""
    found = {}
    for name in sorted({place.service for place in places if place.is_service}):
        own = settings.services.get(name)
        response_time = (own and own.response_time_ms) or settings.response_time_ms
        found[name] = ServiceLevels(
            response_time_ms=response_time,
            error_rate=(own and own.error_rate) or settings.error_rate,
            availability=(own and own.availability) or settings.availability,
            apdex_target_ms=(own and own.apdex_target_ms) or settings.apdex_target_ms or response_time,
        )
    return found


def _hours(window: Window, now: datetime) -> int:
    """Whole hours of a window that have passed."""
    return max(0, int((min(window.end, now) - window.start).total_seconds()) // 3600)


def _reads(period: Period) -> tuple[Reading, ...]:
    trends = (Period.DAILY, Period.WEEKLY, Period.MONTHLY)
    return (
        Reading(figures_name(PERFORMANCE, period), Reach.OWN),
        *(Reading(figures_name(PERFORMANCE, trend), Reach.TREND, trend) for trend in trends),
        # Days for the trend of resources, hours for what share of the period was seen.
        *(Reading(figures_name(PERFORMANCE, inner), Reach.INSIDE) for inner in (Period.DAILY, Period.HOURLY)),
        Reading(INCIDENTS, Reach.BESIDE),
        *(Reading(f"raw/{dataset.name}", Reach.INSIDE) for dataset in PERFORMANCE.datasets),
    )


def _beside(
    pipeline: Pipeline, connection: Connection, period: Period, parts: Sequence[Window]
) -> dict[date, int]:
    """What was promised, and the incidents that touch each period.

    The table of incidents is one whole that every new day changes; a report changes only with its own.
    """
    span = Window(parts[0].start, parts[-1].end)
    touching: dict[date, list[str]] = defaultdict(list)
    for started_at, ended_at, digest in queries.incidents_that_touch(connection, span):
        for part in period.windows(Window(started_at, ended_at)):
            touching[part.first_day].append(digest)
    return {
        part.first_day: versions.hash64(pipeline.settings.performance, *touching.get(part.first_day, ()))
        for part in parts
    }


SYSTEM_PERFORMANCE_RECIPE = ReportRecipe(
    report_type=SYSTEM_PERFORMANCE,
    exists_with=lambda period: (figures_name(PERFORMANCE, period),),
    reads=_reads,
    gather=gather_system_performance,
    build=lambda inputs, stamp: system_performance(inputs, stamp=stamp),
    beside=_beside,
)
