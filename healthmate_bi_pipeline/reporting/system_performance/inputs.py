"""What a report on system performance is made from. None of it is about people: it counts requests and samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from healthmate_bi_pipeline.catalog.performance import ALL
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.inputs import Arrivals, ReportInputs


@dataclass(frozen=True, order=True)
class Place:
    """A service, an environment or a machine; ``*`` stands for all of a kind."""

    service: str
    environment: str
    instance: str = ALL

    @property
    def is_service(self) -> bool:
        """Whether it is one service in one environment, as a whole."""
        return ALL not in (self.service, self.environment) and self.instance == ALL

    @property
    def is_machine(self) -> bool:
        """Whether it is one machine."""
        return self.instance != ALL


@dataclass(frozen=True)
class Measured:
    """A figure, and how many requests or samples it rests on."""

    value: float
    samples: int


Figures = Mapping[str, Measured]
Places = Mapping[Place, Figures]


@dataclass(frozen=True)
class PlacePoint:
    """The figures of places in one short period."""

    period_start: datetime
    places: Places


@dataclass(frozen=True)
class Route:
    """A route group of a service, over all its machines; ``response_time_p95`` is ``None`` where none is known."""

    place: Place
    route_group: str
    requests: float
    errors: float
    error_rate: float
    response_time_p95: float | None


@dataclass(frozen=True)
class Incident:
    """When a service broke a threshold: instants UTC, values in ``unit``."""

    place: Place
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
class ServiceLevels:
    """What was promised of a service."""

    response_time_ms: float
    error_rate: float
    availability: float
    apdex_target_ms: float


@dataclass(frozen=True, kw_only=True)
class SystemPerformanceInputs(ReportInputs):
    """All that a report on system performance needs.

    Attributes:
        current: the figures of places in the window.
        previous_window: what it is compared with, ``None`` where there is nothing before.
        previous: the figures there.
        trend_period: the short period of the charts.
        trend: its points in order; they may begin before the window.
        evidence_period: the period of the points that insights are looked for in.
        evidence_window: what they cover.
        evidence: the points in order.
        resources: daily means of machines, over the last four weeks.
        incidents: the longest that touch the window, in order of time.
        incident_counts: all that do: place and threshold -> incidents and minutes.
        slow_routes: those with the highest 95th percentile of the response time.
        failing_routes: those with the most failures.
        levels: what was promised, by service.
        hours: hours with requests, by environment, then service and machine.
        sampled_hours: hours with host samples, likewise.
        hours_expected: hours of the window that have passed.
        arrivals: per dataset, which days came in time.
    """

    current: Places
    previous_window: Window | None = None
    previous: Places = field(default_factory=dict)
    trend_period: Period = Period.DAILY
    trend: Sequence[PlacePoint] = ()
    evidence_period: Period = Period.DAILY
    evidence_window: Window | None = None
    evidence: Sequence[PlacePoint] = ()
    resources: Sequence[PlacePoint] = ()
    incidents: Sequence[Incident] = ()
    incident_counts: Mapping[tuple[Place, str], tuple[int, int]] = field(default_factory=dict)
    slow_routes: Sequence[Route] = ()
    failing_routes: Sequence[Route] = ()
    levels: Mapping[str, ServiceLevels] = field(default_factory=dict)
    hours: Mapping[str, Mapping[tuple[str, str], int]] = field(default_factory=dict)
    sampled_hours: Mapping[str, Mapping[tuple[str, str], int]] = field(default_factory=dict)
    hours_expected: int = 0
    arrivals: Mapping[str, Arrivals] = field(default_factory=dict)

    @property
    def main_environment(self) -> str:
        """The environment with the most requests, or machines where there are no requests."""
        weights: dict[str, tuple[float, int]] = {}
        for place, figures in self.current.items():
            if place.environment == ALL:
                continue
            requests, machines = weights.get(place.environment, (0.0, 0))
            if place.service == ALL and "requests" in figures:
                requests = figures["requests"].value
            weights[place.environment] = (requests, machines + place.is_machine)
        return min(weights, key=lambda name: (*(-weight for weight in weights[name]), name), default=ALL)

    @property
    def services(self) -> tuple[Place, ...]:
        """Services with requests, those of the main environment first, the busiest first."""
        main = self.main_environment
        found = [
            place for place, figures in self.current.items() if place.is_service and "requests" in figures
        ]
        return tuple(
            sorted(
                found,
                key=lambda place: (
                    place.environment != main,
                    place.environment,
                    -self.current[place]["requests"].value,
                    place.service,
                ),
            )
        )

    @property
    def machines(self) -> tuple[Place, ...]:
        """Machines with host samples, those of the main environment first."""
        main = self.main_environment
        found = [place for place, figures in self.current.items() if place.is_machine and is_sampled(figures)]
        return tuple(sorted(found, key=lambda place: (place.environment != main, place)))

    def label(self, place: Place) -> str:
        """What a reader calls a place; the main environment goes without saying."""
        name = place.instance if place.is_machine else place.service
        return name if place.environment == self.main_environment else f"{name} ({place.environment})"


def is_sampled(figures: Figures) -> bool:
    """Whether there were host samples."""
    return any(f"{name}_percent_mean" in figures for name in ("cpu", "memory", "disk"))
