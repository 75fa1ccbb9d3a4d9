"""Control charts of single values (XmR) after NHS England, "Making Data Count": what varies as it always does.

The limits come from the moving ranges, the distances of neighbours, so that a shift does not widen them; ranges that
are signals themselves are left out once. Values are given without gaps, in order. What chance alone does to the
rules is worked out in ``signal_tests``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

LIMIT_FACTOR = 2.66
"""Mean moving range times this is three standard deviations of a normal value: 3 / 1.128."""
RANGE_FACTOR = 3.267
"""A moving range of so many times their mean or more is a signal, and is left out."""
NEAR_SHARE = 2 / 3
"""Where the near limits lie between centre and limit: two standard deviations."""
SHIFT_POINTS = 7
"""So many points in a row on one side of the centre are a signal."""
TREND_POINTS = 7
"""So many points in a row that rise, or fall, are a signal; the first of them is counted."""
NEAR_POINTS, NEAR_OF = 2, 3
"""So many of so many points in a row beyond a near limit, on one side, are a signal."""
TRIAL_BELOW = 12
"""Limits from fewer points are trial limits: they will still move."""


class ChartRule(StrEnum):
    """The rules of the chart."""

    OUTSIDE = "outside"
    NEAR = "near"
    SHIFT = "shift"
    TREND = "trend"


@dataclass(frozen=True)
class Limits:
    """Centre and limits of a chart, in the unit of its values.

    Attributes:
        moving_range: mean moving range that they come from.
        points: how many values there are.
    """

    centre: float
    lower: float
    upper: float
    moving_range: float
    points: int

    @property
    def near_lower(self) -> float:
        """The lower near limit."""
        return self.centre - NEAR_SHARE * (self.centre - self.lower)

    @property
    def near_upper(self) -> float:
        """The upper near limit."""
        return self.centre + NEAR_SHARE * (self.upper - self.centre)

    @property
    def is_trial(self) -> bool:
        """Whether there are so few points that the limits will still move."""
        return self.points < TRIAL_BELOW


def control_limits(values: npt.ArrayLike, *, is_screened: bool = True) -> Limits | None:
    """The limits of a series; ``None`` of fewer than two values.

    Args:
        values: in order, without gaps.
        is_screened: leave out moving ranges that are signals themselves.

    >>> limits = control_limits([1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1])
    >>> round(limits.centre, 2), round(limits.lower, 2), round(limits.upper, 2)
    (1.94, -0.72, 4.6)
    """
    series = _series(values)
    if len(series) < 2:
        return None
    ranges = np.abs(np.diff(series))
    if is_screened:
        kept = ranges[ranges < RANGE_FACTOR * ranges.mean()]
        ranges = kept if len(kept) else ranges
    centre, width = float(series.mean()), LIMIT_FACTOR * float(ranges.mean())
    return Limits(centre, centre - width, centre + width, float(ranges.mean()), len(series))


def find_signals(
    values: npt.ArrayLike,
    limits: Limits,
    *,
    shift_points: int = SHIFT_POINTS,
    trend_points: int = TREND_POINTS,
) -> Mapping[ChartRule, Integers]:
    """The points that each rule points at, by their places from 0.

    >>> values = [1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]
    >>> {str(rule): found.tolist() for rule, found in find_signals(values, control_limits(values)).items()}
    {'outside': [4], 'near': [], 'shift': [], 'trend': []}
    """
    series = _series(values)
    side = np.sign(series - limits.centre).astype(np.int64)
    steps = np.sign(np.diff(series)).astype(np.int64)
    is_rising = _in_runs(steps, trend_points - 1)
    is_trend = np.zeros(len(series), dtype=bool)
    is_trend[1:] |= is_rising  # a step joins two points
    is_trend[: len(is_rising)] |= is_rising
    return {
        ChartRule.OUTSIDE: _places((series > limits.upper) | (series < limits.lower)),
        ChartRule.NEAR: _places(_near(series > limits.near_upper) | _near(series < limits.near_lower)),
        ChartRule.SHIFT: _places(_in_runs(side, shift_points)),
        ChartRule.TREND: _places(is_trend),
    }


def last_run(signs: npt.ArrayLike) -> int:
    """How many equal signs, other than 0, a series ends with.

    >>> last_run([1, -1, -1, -1]), last_run([1, 0]), last_run([])
    (3, 0, 0)
    """
    given = np.asarray(signs)
    if not len(given) or given[-1] == 0:
        return 0
    differs = np.flatnonzero(given != given[-1])
    return int(len(given) - 1 - differs[-1]) if len(differs) else len(given)


def _series(values: npt.ArrayLike) -> Floats:
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1 or not np.isfinite(series).all():
        raise ValueError("a control chart takes one series of numbers without gaps")
    return series


def _places(is_signal: npt.NDArray[np.bool_]) -> Integers:
    return np.flatnonzero(is_signal).astype(np.int64)


def _in_runs(signs: Integers, least: int) -> npt.NDArray[np.bool_]:
    """Which of the signs lie in a run of equal ones, other than 0, of at least some length."""
    if not len(signs):
        return np.zeros(0, dtype=bool)
    run = np.concatenate(([0], np.cumsum(np.diff(signs) != 0)))
    return np.asarray((np.bincount(run)[run] >= least) & (signs != 0))


def _near(is_beyond: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which points beyond a near limit have so many more beside them."""
    found = np.zeros(len(is_beyond), dtype=bool)
    if len(is_beyond) < NEAR_OF:
        return found
    enough = np.lib.stride_tricks.sliding_window_view(is_beyond, NEAR_OF).sum(axis=1) >= NEAR_POINTS
    for offset in range(NEAR_OF):
        found[offset : offset + len(enough)] |= enough
    return found & is_beyond
