"""When a resource will be used up, if it goes on as it does: Theil-Sen over days, only where there is a trend."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from healthmate_bi_pipeline.domain.trend_tests import Trend, mann_kendall

LEAST_DAYS = 7
"""Of fewer days no trend is told."""
MOST_CHANCE = 0.01
"""A trend is told where chance alone makes one as clear in fewer than so many cases: many machines are looked at."""
FARTHEST_DAYS = 90
"""What lies further ahead than this is no forecast any more."""


@dataclass(frozen=True)
class TimeToLimit:
    """How many days are left until a limit.

    Attributes:
        level: where the trend stands on the last day.
        days: from the last day until the limit.
        earliest: the same at the steepest slope of the 95 % interval.
        latest: at the flattest; infinite where that does not rise.
        trend: the test behind it.
        points: days that it rests on.
    """

    level: float
    days: float
    earliest: float
    latest: float
    trend: Trend
    points: int


def time_to_limit(days: npt.ArrayLike, values: npt.ArrayLike, *, limit: float = 100.0) -> TimeToLimit | None:
    """The time until a rising series reaches its limit; ``None`` where it does not rise, or too slowly to tell.

    Args:
        days: numbers of the days, rising; some may be missing.
        values: one per day.
        limit: what it cannot exceed.

    >>> found = time_to_limit(range(10), [50.2, 51.9, 54.1, 56.0, 57.8, 60.1, 62.0, 63.9, 66.2, 68.0])
    >>> round(found.trend.slope, 1), round(found.days)
    (2.0, 16)
    """
    time, series = np.asarray(days, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if len(series) < LEAST_DAYS:
        return None
    trend = mann_kendall(series, times=time, allows_for_neighbours=True)
    if trend is None or trend.slope <= 0 or trend.low <= 0 or trend.p_value > MOST_CHANCE:
        return None
    level = float(np.median(series - trend.slope * time) + trend.slope * time[-1])
    left = max(limit - level, 0.0)
    if left / trend.slope > FARTHEST_DAYS:
        return None
    latest = left / trend.low if trend.low > 0 else math.inf
    return TimeToLimit(level, left / trend.slope, left / trend.high, latest, trend, len(series))
