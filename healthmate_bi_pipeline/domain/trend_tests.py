"""Whether a series rises or falls over its whole length, and how fast: Mann-Kendall and Theil-Sen.

Mann 1945 (Econometrica 13:245), Kendall 1975, Sen 1968 (J Am Stat Assoc 63:1379). A series with a cycle is compared
within its strata only, a Monday with Mondays: the seasonal Kendall test and slope (Hirsch, Slack & Smith 1982,
Water Resour Res 18:107). Neighbours that resemble each other carry less than their number says: the variance is
widened by their correlation (Yue & Wang 2004, Water Resour Manage 18:201).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

CONFIDENCE_LEVEL = 0.95
MOST_CORRELATION = 0.9
"""No more is ascribed to neighbours: the widening would have no end."""


@dataclass(frozen=True)
class Trend:
    """A monotone trend of a series.

    Attributes:
        score: Kendall's S: pairs that rise minus pairs that fall.
        deviation: standard deviation of S by chance, ties and neighbours allowed for.
        z: S over it, one step closer to 0 (continuity).
        p_value: two-sided.
        slope: median slope of all pairs, per unit of time.
        low: lower end of its 95 % interval.
        high: upper end.
        correlation: of neighbours, that the variance was widened by; 0 where it was not.
    """

    score: int
    deviation: float
    z: float
    p_value: float
    slope: float
    low: float
    high: float
    correlation: float = 0.0


def mann_kendall(
    values: npt.ArrayLike,
    *,
    times: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    allows_for_neighbours: bool = False,
) -> Trend | None:
    """The trend of a series; ``None`` where there is no pair to compare.

    Args:
        values: in order of time, without gaps.
        times: of the values, rising; 0, 1, 2 … when not given.
        strata: the values that may be compared have the same one.
        allows_for_neighbours: widen the variance by the correlation of neighbours, where they resemble each other.

    >>> trend = mann_kendall([120, 122, 121, 125, 127, 126, 130])
    >>> trend.score, round(trend.z, 3), round(trend.p_value, 5), round(trend.slope, 3)
    (17, 2.403, 0.01626, 1.667)
    """
    series = np.asarray(values, dtype=np.float64)
    time = np.arange(len(series), dtype=np.float64) if times is None else np.asarray(times, dtype=np.float64)
    groups = np.zeros(len(series), dtype=np.int64) if strata is None else np.asarray(strata)
    earlier, later = np.triu_indices(len(series), k=1)
    is_pair = groups[earlier] == groups[later]
    earlier, later = earlier[is_pair], later[is_pair]
    if not len(earlier):
        return None
    rises = series[later] - series[earlier]
    score = int(np.sign(rises).sum())
    slopes = np.sort(rises / (time[later] - time[earlier]))
    slope = float(np.median(slopes))
    correlation = 0.0
    if allows_for_neighbours:
        correlation = neighbour_correlation(_without_levels(series - slope * time, groups))
    variance = sum(_variance(series[groups == group]) for group in np.unique(groups))
    deviation = math.sqrt(variance * widening(correlation))
    z = (score - np.sign(score)) / deviation if deviation else 0.0
    low, high = _interval(slopes, deviation)
    p_value = min(1.0, 2 * float(scipy.special.ndtr(-abs(z))))
    return Trend(score, deviation, float(z), p_value, slope, low, high, correlation)


def neighbour_correlation(residuals: npt.ArrayLike) -> float:
    """The correlation of neighbours, corrected for its bias in short series, between 0 and 0.9.

    The estimate of Kendall 1954 (Biometrika 41:403): of n values without any it is −1/n rather than 0.

    >>> (
    ...     neighbour_correlation([1, -1, 1, -1, 1, -1]),
    ...     round(neighbour_correlation([3, 2, 1, -1, -2, -3] * 2), 2),
    ... )
    (0.0, 0.69)
    """
    given = np.asarray(residuals, dtype=np.float64)
    squares = float(given @ given)
    if len(given) < 6 or squares <= 0:
        return 0.0
    plain = float(given[1:] @ given[:-1]) / squares
    corrected = (len(given) * plain + 1) / (len(given) - 4)
    return min(max(corrected, 0.0), MOST_CORRELATION)


def widening(correlation: float) -> float:
    """By how much the variance of a mean grows where neighbours are so correlated.

    >>> widening(0.0), round(widening(0.5), 1)
    (1.0, 3.0)
    """
    return (1 + correlation) / (1 - correlation)


def _variance(series: Floats) -> float:
    """The variance of S by chance, ties allowed for."""
    number = len(series)
    ties = np.unique(series, return_counts=True)[1].astype(np.float64)
    return float((number * (number - 1) * (2 * number + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18)


def _without_levels(series: Floats, groups: npt.NDArray[np.generic]) -> Floats:
    """The series minus the mean of each stratum."""
    number = np.unique(groups, return_inverse=True)[1]
    return np.asarray(series - (np.bincount(number, weights=series) / np.bincount(number))[number])


def _interval(slopes: Floats, deviation: float) -> tuple[float, float]:
    """The slopes whose ranks lie so far from the middle one (Sen 1968; Gilbert 1987)."""
    reach = float(scipy.special.ndtri((1 + CONFIDENCE_LEVEL) / 2)) * deviation
    last = len(slopes) - 1
    low = min(max(round((len(slopes) - reach) / 2) - 1, 0), last)
    high = min(max(round((len(slopes) + reach) / 2), 0), last)
    return float(slopes[low]), float(slopes[max(low, high)])
