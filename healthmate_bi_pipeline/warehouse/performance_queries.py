"""What reports on system performance read: figures of places, routes that stand out, hours seen, incidents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from healthmate_bi_pipeline.catalog.performance import ALL
from healthmate_bi_pipeline.catalog.performance_tables import (
    PERFORMANCE_INCIDENTS,
    SYSTEM_PERFORMANCE_METRICS,
)
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.warehouse.schema import SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

_METRICS = SQL_TABLES[SYSTEM_PERFORMANCE_METRICS.name]
_INCIDENTS = SQL_TABLES[PERFORMANCE_INCIDENTS.name]

ROUTE_FIGURES = ("requests", "errors", "error_rate", "response_time_p95")


@dataclass(frozen=True)
class PlaceFigure:
    """A figure of a place in one period; ``*`` stands for all of a kind."""

    period_start: datetime
    service_name: str
    environment: str
    instance_id: str
    metric_name: str
    metric_value: float
    samples: int


@dataclass(frozen=True)
class RouteFigures:
    """The figures of a route group of a service, over all its machines."""

    service_name: str
    environment: str
    route_group: str
    requests: float
    errors: float
    error_rate: float
    response_time_p95: float | None


@dataclass(frozen=True)
class Incident:
    """A row of ``bi_performance_incidents``; instants UTC."""

    service_name: str
    environment: str
    threshold: str
    started_at: datetime
    ended_at: datetime
    breach_minutes: int
    worst_value: float
    limit_value: float
    unit: str
    requests: int
    errors: int


@dataclass(frozen=True)
class IncidentCount:
    """How often, and how long, a service broke a threshold."""

    service_name: str
    environment: str
    threshold: str
    incidents: int
    breach_minutes: int


def place_figures(
    connection: Connection, *, period: Period, window: Window, figures: Collection[str]
) -> list[PlaceFigure]:
    """Figures of services, environments and machines, of all routes together, of the periods that start in a window."""
    found = (
        sa.select(
            *(
                _METRICS.c[name]
                for name in (
                    "period_start", "service_name", "environment", "instance_id", "metric_name", "metric_value",
                )
            ),
            _samples().label("samples"),
        )
        .where(*_of_periods(period, window), _METRICS.c.route_group == ALL, _METRICS.c.metric_name.in_(sorted(figures)))
        .order_by(*_sorted("period_start", "service_name", "environment", "instance_id", "metric_name"))
    )  # fmt: skip
    return [PlaceFigure(**row) for row in connection.execute(found).mappings()]


def route_figures(
    connection: Connection, *, period: Period, window: Window, by: str, least_requests: int, limit: int
) -> list[RouteFigures]:
    """The routes of a period with the highest value of one of ``ROUTE_FIGURES``, the highest first.

    Args:
        connection: to the warehouse.
        period: the period.
        window: its window.
        by: the figure.
        least_requests: routes with fewer requests are left out: they jump.
        limit: so many at most.
    """
    place = [_METRICS.c[name] for name in ("service_name", "environment", "route_group")]
    turned = (
        sa.select(
            *place,
            *(
                sa.func.max(_METRICS.c.metric_value).filter(_METRICS.c.metric_name == name).label(name)
                for name in ROUTE_FIGURES
            ),
        )
        .where(
            *_of_periods(period, window),
            _METRICS.c.instance_id == ALL,
            _METRICS.c.route_group != ALL,
            _METRICS.c.metric_name.in_(ROUTE_FIGURES),
        )
        .group_by(*place)
        .subquery()
    )
    found = (
        sa.select(turned)
        .where(turned.c.requests >= least_requests, turned.c[by] > 0)
        .order_by(
            turned.c[by].desc(),
            *(turned.c[column.name].collate("C") for column in place),
        )
        .limit(limit)
    )
    return [RouteFigures(**row) for row in connection.execute(found).mappings()]


def hours_seen(
    connection: Connection, *, window: Window, figure: str
) -> dict[str, dict[tuple[str, str], int]]:
    """In how many hours of a window there was a figure: environment -> (service, machine) -> hours.

    The place ``(*, *)`` is the environment as a whole.
    """
    place = [_METRICS.c[name] for name in ("environment", "service_name", "instance_id")]
    counted = (
        sa.select(*place, sa.func.count().label("hours"))
        .where(
            *_of_periods(Period.HOURLY, window),
            _METRICS.c.metric_name == figure,
            _METRICS.c.route_group == ALL,
            _METRICS.c.environment != ALL,
        )
        .group_by(*place)
    )
    hours: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for row in connection.execute(counted):
        hours[row.environment][row.service_name, row.instance_id] = int(row.hours)
    return dict(hours)


def incidents(connection: Connection, *, window: Window, limit: int) -> list[Incident]:
    """The longest incidents that touch a window, in order of time."""
    longest = (
        sa.select(_INCIDENTS)
        .where(*_touching(window))
        .order_by(
            _INCIDENTS.c.breach_minutes.desc(),
            _INCIDENTS.c.started_at,
            *(_INCIDENTS.c[name].collate("C") for name in ("service_name", "environment", "threshold")),
        )
        .limit(limit)
        .subquery()
    )
    found = sa.select(longest).order_by(
        longest.c.started_at,
        *(longest.c[name].collate("C") for name in ("service_name", "environment", "threshold")),
    )
    return [Incident(**row) for row in connection.execute(found).mappings()]


def incident_counts(connection: Connection, *, window: Window) -> list[IncidentCount]:
    """How often and how long each service broke each threshold in incidents that touch a window."""
    of = [_INCIDENTS.c[name] for name in ("service_name", "environment", "threshold")]
    counted = (
        sa.select(
            *of,
            sa.func.count().label("incidents"),
            sa.func.sum(_INCIDENTS.c.breach_minutes).cast(sa.BigInteger()).label("breach_minutes"),
        )
        .where(*_touching(window))
        .group_by(*of)
        .order_by(*(column.collate("C") for column in of))
    )
    return [IncidentCount(**row) for row in connection.execute(counted).mappings()]


def incidents_that_touch(connection: Connection, window: Window) -> list[tuple[datetime, datetime, str]]:
    """Start, end and a digest of every incident that touches a window, in order: what tells whether one changed."""
    digest = sa.func.md5(
        sa.func.concat_ws("|", *(sa.cast(column, sa.Text()) for column in _INCIDENTS.c))
    ).label("digest")
    found = (
        sa.select(_INCIDENTS.c.started_at, _INCIDENTS.c.ended_at, digest)
        .where(*_touching(window))
        .order_by(_INCIDENTS.c.started_at, digest)
    )
    return [(row.started_at, row.ended_at, row.digest) for row in connection.execute(found)]


def _of_periods(period: Period, window: Window) -> list[sa.ColumnElement[bool]]:
    return [
        _METRICS.c.aggregation_period == str(period),
        _METRICS.c.period_start >= window.start,
        _METRICS.c.period_start < window.end,
    ]


def _touching(window: Window) -> list[sa.ColumnElement[bool]]:
    return [_INCIDENTS.c.started_at < window.end, _INCIDENTS.c.ended_at > window.start]


def _samples() -> sa.ColumnElement[int]:
    return sa.cast(_METRICS.c.tags["samples"].astext, sa.BigInteger())


def _sorted(*names: str) -> list[sa.ColumnElement[str]]:
    """The columns in an order that no server's locale changes."""
    return [_METRICS.c[name].collate("C") if name != "period_start" else _METRICS.c[name] for name in names]
