"""Incidents as a reader counts them: what several thresholds say of one outage is one episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from healthmate_bi_pipeline.catalog.performance import BURNING_BUDGETS, FAILING_REQUESTS, SLOW_RESPONSES
from healthmate_bi_pipeline.domain.service_levels import Urgency
from healthmate_bi_pipeline.reporting.system_performance.inputs import Incident, Place
from healthmate_bi_pipeline.reporting.wording import HARD_SPACE, THIN_SPACE, number_text

LEAST_FAILURES = 5
"""With fewer failures, one of few requests, an incident stands in the table and is not told."""
LEAST_SLOW_MINUTES = 10
_JOINED = timedelta(minutes=30)

_SLOW_BURNS = {
    threshold.name
    for threshold in BURNING_BUDGETS
    if threshold.alert is not None and threshold.alert.urgency is Urgency.TICKET
}

THRESHOLD_LABELS = {
    SLOW_RESPONSES.name: "slow responses",
    FAILING_REQUESTS.name: "failing requests",
    **{
        threshold.name: f"budget burning over {threshold.name.removeprefix('burn_')}"
        for threshold in BURNING_BUDGETS
    },
}


@dataclass(frozen=True)
class Episode:
    """A stretch in which a service broke thresholds: ``worst`` is the one that was exceeded the most."""

    place: Place
    started_at: datetime
    ended_at: datetime
    incidents: tuple[Incident, ...]

    @property
    def worst(self) -> Incident:
        """The incident whose limit was exceeded the most."""
        return max(self.incidents, key=lambda one: (excess(one), one.threshold))

    @property
    def has_failures(self) -> bool:
        """Whether requests failed, rather than only being slow."""
        return any(one.threshold != SLOW_RESPONSES.name for one in self.incidents)

    @property
    def is_page(self) -> bool:
        """Whether somebody had to be woken: more than a slow burn."""
        return any(not is_slow_burn(one) for one in self.incidents)

    @property
    def failures(self) -> int:
        """Most failures that one of the thresholds counted in its minutes."""
        return max(one.errors for one in self.incidents)

    @property
    def requests(self) -> int:
        """Requests in the same minutes."""
        return max(self.incidents, key=lambda one: (one.errors, one.requests)).requests


def is_slow_burn(incident: Incident) -> bool:
    """Whether it is a ticket for the day, not something to be woken for."""
    return incident.threshold in _SLOW_BURNS


def excess(incident: Incident) -> float:
    """How many times its limit the worst value was."""
    return incident.worst_value / incident.limit_value if incident.limit_value else 0.0


def value_text(incident: Incident, value: float) -> str:
    """A value of a threshold with its unit."""
    if incident.threshold == SLOW_RESPONSES.name:
        return f"{number_text(value, decimals=0)}{HARD_SPACE}ms"
    if incident.threshold == FAILING_REQUESTS.name:
        return f"{number_text(value * 100, decimals=1)}{THIN_SPACE}%"
    return number_text(value, decimals=1)


def episodes(incidents: Sequence[Incident]) -> tuple[Episode, ...]:
    """The episodes that are worth telling, in order of time.

    A budget that burns slowly goes on doing so after an outage: it makes an episode only where its service had no
    other.
    """
    told = [one for one in incidents if _is_told(one)]
    fast = [one for one in told if not is_slow_burn(one)]
    with_fast = {one.place for one in fast}
    slow = [one for one in told if is_slow_burn(one) and one.place not in with_fast]
    found: list[Episode] = []
    for place in sorted({one.place for one in told}):
        group: list[Incident] = []
        for one in sorted((*fast, *slow), key=lambda one: (one.started_at, one.ended_at, one.threshold)):
            if one.place != place:
                continue
            if group and one.started_at > max(each.ended_at for each in group) + _JOINED:
                found.append(_episode(group))
                group = []
            group.append(one)
        if group:
            found.append(_episode(group))
    return tuple(sorted(found, key=lambda one: (one.started_at, one.place)))


def _is_told(incident: Incident) -> bool:
    if incident.threshold == SLOW_RESPONSES.name:
        return incident.breach_minutes >= LEAST_SLOW_MINUTES
    return incident.errors >= LEAST_FAILURES


def _episode(group: Sequence[Incident]) -> Episode:
    return Episode(
        group[0].place,
        min(one.started_at for one in group),
        max(one.ended_at for one in group),
        tuple(group),
    )
