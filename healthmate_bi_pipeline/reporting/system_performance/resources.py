"""Resources of machines: which of them is on its way to the limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from healthmate_bi_pipeline.domain.resource_limits import TimeToLimit, time_to_limit
from healthmate_bi_pipeline.reporting.system_performance.inputs import Place, PlacePoint

TREND_DAYS = 14
"""A forecast rests on so many days: a leak begins with a release, and what was before says nothing of it."""

RESOURCES = {"cpu": "processors", "memory": "memory", "disk": "disk"}


@dataclass(frozen=True)
class Filling:
    """A resource of a machine that rises towards its limit."""

    place: Place
    resource: str
    forecast: TimeToLimit
    last_day: datetime

    @property
    def figure(self) -> str:
        """The figure whose daily values rise."""
        return mean_of(self.resource)


def mean_of(resource: str) -> str:
    """The figure of a resource that is watched."""
    return f"{resource}_percent_mean"


def filling_resources(points: Sequence[PlacePoint]) -> tuple[Filling, ...]:
    """The resources with a trend to the limit, the nearest first."""
    found = []
    if not points:
        return ()
    since = points[-1].period_start - timedelta(days=TREND_DAYS - 1)
    points = [point for point in points if point.period_start >= since]
    places = sorted({place for point in points for place in point.places if place.is_machine})
    for place in places:
        for resource in RESOURCES:
            figure = mean_of(resource)
            known = [
                (point.period_start, point.places[place][figure].value)
                for point in points
                if figure in point.places.get(place, {})
            ]
            if not known:
                continue
            first, last = known[0][0], known[-1][0]
            forecast = time_to_limit(
                [(start - first).days for start, _ in known], [value for _, value in known]
            )
            if forecast is not None and last == points[-1].period_start:
                found.append(Filling(place, resource, forecast, last))
    return tuple(sorted(found, key=lambda one: (one.forecast.days, one.place, one.resource)))
