"""How much the people's apps ask of the backend in each hour (UTC)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from healthmate_bi_pipeline.sources.demo.clocks import Flags, Numbers, Span, Times
from healthmate_bi_pipeline.sources.demo.visits import Visits
from healthmate_bi_pipeline.sources.demo.world import World

REQUESTS_PER_AWAKE_HOUR = 3.0
"""Of a person whose devices send data: an app in the background."""
REQUESTS_PER_VISIT = 14.0
_HOUR = np.timedelta64(1, "h")


@dataclass
class Load:
    """The expected requests of all people by the hour; it grows block of people by block.

    Attributes:
        span: the days; the backend's are those of UTC.
        expected: requests, one value per hour from the first day's midnight on.
    """

    span: Span
    expected: Numbers = field(init=False)

    def __post_init__(self) -> None:
        self.expected = np.zeros(self.span.days * 24)

    def add(self, world: World, visits: Visits) -> None:
        """Count the people of a block who are asked for."""
        grid, asked = world.movement.grid, world.block.is_asked_for
        is_syncing = world.movement.is_awake & grid.is_inside & grid.of_day(world.habits.has_data)
        self._add(grid.utc[is_syncing & asked[:, None]], REQUESTS_PER_AWAKE_HOUR)
        self._add(visits.start[asked[visits.person]], REQUESTS_PER_VISIT)

    def _add(self, utc: Times, requests: float) -> None:
        hour = (utc - self.span.midnights[0]) // _HOUR
        inside: Flags = (hour >= 0) & (hour < len(self.expected))
        self.expected += np.bincount(hour[inside], minlength=len(self.expected)) * requests

    @property
    def share_of_peak(self) -> Numbers:
        """The load of each hour, 1 being that of a busy one (the 99th percentile)."""
        busy = float(np.quantile(self.expected, 0.99))
        share: Numbers = self.expected / (busy if busy > 1 else 1.0)
        return share
