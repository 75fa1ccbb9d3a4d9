"""Two groups against each other: the difference, its 95 % interval, and how likely it is by chance alone.

Means by Welch 1947 (Biometrika 34:28), for groups of unequal spread; shares by Newcombe 1998 (Stat Med 17:873), whose
interval (his method 10) stays inside −1 and 1 and holds for few people, with the p value of the pooled z test. Groups
count as independent: for the same people in two periods that makes the interval too wide rather than too narrow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import scipy

CONFIDENCE_LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """The first group minus the second one.

    Attributes:
        estimate: the difference.
        low: lower end of its interval.
        high: upper end.
        standard_error: of the estimate.
        statistic: t of means, z of shares.
        degrees: degrees of freedom of t; infinite for z.
        p_value: two-sided.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    statistic: float
    degrees: float
    p_value: float


@dataclass(frozen=True)
class Mean:
    """The mean of a group, and the sample standard deviation of its values."""

    value: float
    deviation: float
    count: int


def difference_of_means(first: Mean, second: Mean) -> Difference | None:
    """The first mean minus the second by Welch; ``None`` where a group is too small or has no spread to judge by.

    >>> found = difference_of_means(Mean(20.8, 2.3, 15), Mean(23.0, 3.8, 15))
    >>> round(found.estimate, 1), round(found.statistic, 2), round(found.degrees, 1), round(found.p_value, 3)
    (-2.2, -1.92, 23.0, 0.068)
    """
    if first.count < 2 or second.count < 2:
        return None
    errors = first.deviation**2 / first.count, second.deviation**2 / second.count
    if sum(errors) <= 0:
        return None
    degrees = sum(errors) ** 2 / (errors[0] ** 2 / (first.count - 1) + errors[1] ** 2 / (second.count - 1))
    return difference(first.value - second.value, standard_error=math.sqrt(sum(errors)), degrees=degrees)


def difference(estimate: float, *, standard_error: float, degrees: float) -> Difference:
    """A difference whose standard error is known, by Student's t."""
    statistic = estimate / standard_error
    half = t_quantile(degrees) * standard_error
    p_value = min(1.0, 2 * float(scipy.special.stdtr(degrees, -abs(statistic))))
    return Difference(estimate, estimate - half, estimate + half, standard_error, statistic, degrees, p_value)


def t_quantile(degrees: float) -> float:
    """How many standard errors the 95 % interval reaches on either side."""
    return float(scipy.special.stdtrit(degrees, (1 + CONFIDENCE_LEVEL) / 2))


def difference_of_shares(hits: int, count: int, *, other_hits: int, other_count: int) -> Difference | None:
    """The first share minus the second; ``None`` where a group has nobody.

    >>> found = difference_of_shares(56, 70, other_hits=48, other_count=80)
    >>> round(found.estimate, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    if count < 1 or other_count < 1:
        return None
    first, second = hits / count, other_hits / other_count
    (low, high), (other_low, other_high) = _wilson(first, count), _wilson(second, other_count)
    estimate = first - second
    pooled = (hits + other_hits) / (count + other_count)
    error = math.sqrt(pooled * (1 - pooled) * (1 / count + 1 / other_count))
    statistic = estimate / error if error else 0.0
    return Difference(
        estimate=estimate,
        low=estimate - math.hypot(first - low, other_high - second),
        high=estimate + math.hypot(high - first, second - other_low),
        standard_error=error,
        statistic=statistic,
        degrees=math.inf,
        p_value=min(1.0, 2 * float(scipy.special.ndtr(-abs(statistic)))),
    )


def _wilson(share: float, count: int) -> tuple[float, float]:
    """The score interval of one share (Wilson 1927)."""
    z = float(scipy.special.ndtri((1 + CONFIDENCE_LEVEL) / 2))
    middle = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (middle - half) / (1 + z * z / count), (middle + half) / (1 + z * z / count)
