"""The backend that the people's app talks to: services, instances, routes; and what went wrong with it when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from healthmate_bi_pipeline.sources.demo.clocks import NEVER, Span
from healthmate_bi_pipeline.sources.demo.roles import LEAK_DAYS, SLOW_RELEASE_DAYS, Calendar

PRODUCTION, STAGING = "production", "staging"
ENVIRONMENTS = (PRODUCTION, STAGING)


@dataclass(frozen=True)
class Route:
    """Requests that are alike.

    Attributes:
        name: method and pattern.
        share: of the service's requests.
        median_ms: of a successful one's duration, at little load.
    """

    name: str
    share: float
    median_ms: float


@dataclass(frozen=True)
class Service:
    """A program of the backend.

    Attributes:
        name: of the service.
        share: of the people's requests that it answers.
        instances: how many of it run in production; one runs in staging.
        routes: what it answers.
        cpu_percent: of an instance at little load.
        memory_percent: the same.
        disk_percent: the same, on the first day.
    """

    name: str
    share: float
    instances: int
    routes: tuple[Route, ...]
    cpu_percent: float
    memory_percent: float
    disk_percent: float

    def instance_names(self, environment: str) -> tuple[str, ...]:
        """The instances of an environment."""
        if environment == STAGING:
            return (f"{self.name}-staging-1",)
        return tuple(f"{self.name}-{number + 1}" for number in range(self.instances))


SERVICES = (
    Service(
        "api-gateway", 1.0, 3,
        (
            Route("/health/*", 0.62, 48), Route("/auth/*", 0.12, 30), Route("/notifications/*", 0.18, 24),
            Route("/reports/*", 0.08, 62),
        ),
        cpu_percent=14, memory_percent=38, disk_percent=31,
    ),
    Service(
        "health-data", 0.62, 3,
        (
            Route("POST /readings", 0.55, 34), Route("GET /readings", 0.2, 52), Route("GET /trends", 0.12, 60),
            Route("POST /doses", 0.08, 28), Route("GET /medication", 0.05, 40),
        ),
        cpu_percent=18, memory_percent=52, disk_percent=44,
    ),
    Service(
        "auth", 0.12, 2,
        (Route("POST /token", 0.8, 22), Route("POST /login", 0.17, 58), Route("POST /logout", 0.03, 18)),
        cpu_percent=8, memory_percent=30, disk_percent=22,
    ),
    Service(
        "notifications", 0.18, 2,
        (Route("GET /inbox", 0.7, 19), Route("POST /devices", 0.2, 26), Route("POST /opened", 0.1, 21)),
        cpu_percent=9, memory_percent=41, disk_percent=27,
    ),
    Service(
        "reports", 0.08, 2,
        (Route("GET /summary", 0.75, 48), Route("GET /report/{id}", 0.2, 68), Route("POST /export", 0.05, 85)),
        cpu_percent=11, memory_percent=47, disk_percent=51,
    ),
)  # fmt: skip
SERVICE_NAMES = tuple(service.name for service in SERVICES)

SLOW_SERVICE, SLOW_FACTOR = "reports", 2.5
FAILING_SERVICE, FAILING_SHARE, FAILING_STATUS = "health-data", 0.7, 503
LEAKING_INSTANCE, LEAK_PERCENT_A_DAY = "notifications-2", 2.2
_NEVER = np.datetime64("9999-12-31T00:00", "us")


@dataclass(frozen=True)
class Incidents:
    """What goes wrong in production from when until before when, UTC; the year 9999 where it does not."""

    slow_from: np.datetime64
    slow_until: np.datetime64
    failing_from: np.datetime64
    failing_until: np.datetime64
    leak_from: np.datetime64
    leak_until: np.datetime64


def make_incidents(calendar: Calendar) -> Incidents:
    """The incidents of the stories."""
    return Incidents(
        slow_from=_moment(calendar.span, calendar.slow_release, 9, 30),
        slow_until=_moment(calendar.span, calendar.slow_release, 15, 10, later=SLOW_RELEASE_DAYS),
        failing_from=_moment(calendar.span, calendar.outage, 18, 12),
        failing_until=_moment(calendar.span, calendar.outage, 18, 59),
        leak_from=_moment(calendar.span, calendar.leak, 6, 0),
        leak_until=_moment(calendar.span, calendar.leak, 4, 20, later=LEAK_DAYS),
    )


def _moment(span: Span, day: int, hour: int, minute: int, *, later: int = 0) -> np.datetime64:
    if day == NEVER:
        return _NEVER
    moment: np.datetime64 = span.midnights[day + later] + np.timedelta64(hour * 60 + minute, "m")
    return moment


def is_within(utc: np.ndarray, start: np.datetime64, end: np.datetime64) -> np.ndarray:
    """Whether moments lie in a stretch of time."""
    within: np.ndarray = (utc >= start) & (utc < end)
    return within
