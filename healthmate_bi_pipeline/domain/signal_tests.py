"""How likely the signals of a control chart are by chance alone: a p value for each of its rules.

The rules of a chart are made to be read by one person on one chart; over many charts they find something in any
noise. Each rule is therefore judged a second time, by a test of the same points in a linear model

    value = level of its stratum (weekday) + effect x indicator of the points + noise

whose t is exact for independent normal values, also with strata and gaps (Box & Tiao 1975, J Am Stat Assoc 70:70, call
the indicator an intervention; for one point t is its studentised deleted residual). Where many places are tried, the
best p value is multiplied by their number (Bonferroni). Single points are judged by a t of as few degrees of freedom as
the tails of the other points are heavy: where wild values are usual, one more is no signal. Lasting shifts are judged
with the correlation of neighbours allowed for, which makes n values count as n (1 − r) / (1 + r). A run of rising points
needs no model: of r points in any order 2 in r! are sorted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from healthmate_bi_pipeline.domain.comparisons import t_quantile
from healthmate_bi_pipeline.domain.control_charts import NEAR_OF, SHIFT_POINTS, last_run
from healthmate_bi_pipeline.domain.trend_tests import neighbour_correlation, widening

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

LEAST_SHARE_OF_NOISE = 1e-12
"""Noise smaller than this share of the values is arithmetic, not noise."""


@dataclass(frozen=True)
class Effect:
    """By how much some points of a series differ from the others.

    Attributes:
        first: place of the first of the points.
        last: place of the last of them.
        estimate: the difference, strata allowed for.
        low: lower end of its 95 % interval.
        high: upper end.
        level: mean of the other points.
        statistic: t.
        degrees: its degrees of freedom.
        p_value: two-sided, all places that were tried allowed for.
        misfit: sum of squares that the model leaves.
    """

    first: int
    last: int
    estimate: float
    low: float
    high: float
    level: float
    statistic: float
    degrees: float
    p_value: float
    misfit: float


def points_effect(
    values: npt.ArrayLike, *, strata: npt.ArrayLike | None = None, latest: int = 1
) -> Effect | None:
    """The one of the latest points that differs most from all others.

    Args:
        values: in order, without gaps.
        strata: values with the same one have a level in common; all when not given.
        latest: how many points, from the end, are tried.

    >>> found = points_effect([5, 6, 5, 7, 6, 5, 6, 5, 7, 6, 5, 12])
    >>> found.first, round(found.estimate, 2), found.p_value < 0.0001
    (11, 6.27, True)
    """
    series = _Series.of(values, strata)
    places = np.arange(len(series.values) - min(latest, len(series.values)), len(series.values))
    return _best(series, places, places, allows_for_tails=True)


def near_effect(
    values: npt.ArrayLike, *, strata: npt.ArrayLike | None = None, latest: int = 1
) -> Effect | None:
    """The two of three points in a row, the later one among the latest, that differ most from all others together."""
    series = _Series.of(values, strata)
    count = len(series.values)
    lasts_tried = range(max(count - latest, 1), count)
    pairs = [(last - gap, last) for last in lasts_tried for gap in range(1, NEAR_OF) if last >= gap]
    if not pairs:
        return None
    firsts, lasts = np.array(pairs, dtype=np.int64).T
    return _best(series, firsts, lasts, is_pair=True, allows_for_tails=True)


def shift_effect(
    values: npt.ArrayLike, *, strata: npt.ArrayLike | None = None, least: int = SHIFT_POINTS
) -> Effect | None:
    """The most likely place of a shift that lasts to the end, with at least so many points on either side.

    The interval is that of a shift at the place found; it does not know that the place was sought.

    >>> found = shift_effect([5, 6, 5, 7, 6, 5, 6, 5, 7, 6, 9, 10, 9, 11, 10, 9, 10, 9])
    >>> found.first, round(found.estimate, 2), found.p_value < 0.0001
    (10, 3.82, True)
    """
    series = _Series.of(values, strata)
    count = len(series.values)
    starts = np.arange(least, count - least + 1)
    if not len(starts):
        return None
    return _best(series, starts, np.full(len(starts), count - 1), allows_for_neighbours=True)


def change_effect(values: npt.ArrayLike, *, strata: npt.ArrayLike | None = None, start: int) -> Effect | None:
    """The points from a given place on against those before it: a shift whose place is known."""
    series = _Series.of(values, strata)
    if not 0 < start < len(series.values):
        return None
    last = np.array([len(series.values) - 1])
    return _best(series, np.array([start]), last, allows_for_neighbours=True)


@dataclass(frozen=True)
class Run:
    """Points in a row that rise, or fall.

    Attributes:
        length: how many points.
        rise: the last minus the first.
        p_value: that so long a run ends at one of the latest points.
    """

    length: int
    rise: float
    p_value: float


def run_effect(values: npt.ArrayLike, *, latest: int = 1) -> Run:
    """The run of rising or falling points that a series ends with.

    Args:
        values: in order, without gaps.
        latest: how many places it could have ended at and would have been looked at.

    >>> run = run_effect([3, 1, 2, 3, 4, 5, 6, 7])
    >>> run.length, run.rise, round(run.p_value, 4)
    (7, 6.0, 0.0004)
    """
    series = np.asarray(values, dtype=np.float64)
    length = last_run(np.sign(np.diff(series))) + 1
    rise = float(series[-1] - series[-length]) if len(series) else 0.0
    return Run(length, rise, min(1.0, max(latest, 1) * 2 / math.factorial(length)))


@dataclass(frozen=True)
class _Series:
    """Values, their strata as numbers, and what is left of the values within the strata."""

    values: Floats
    strata: Integers
    within: Floats
    parameters: int

    @classmethod
    def of(cls, values: npt.ArrayLike, strata: npt.ArrayLike | None) -> _Series:
        series = np.asarray(values, dtype=np.float64)
        if series.ndim != 1 or not np.isfinite(series).all():
            raise ValueError("a test of signals takes one series of numbers without gaps")
        given = np.zeros(len(series), dtype=np.int64) if strata is None else np.asarray(strata)
        levels, number = np.unique(given, return_inverse=True)
        rows = series[np.newaxis, :]
        return cls(series, number.astype(np.int64), _within(rows, number)[0], len(levels) + 1)


def _within(rows: Floats, strata: npt.NDArray[np.integer]) -> Floats:
    """Each row minus its mean in each stratum."""
    is_in = strata[:, np.newaxis] == np.arange(strata.max(initial=0) + 1)
    means = rows @ is_in / is_in.sum(axis=0)
    return np.asarray(rows - means[:, strata])


def _best(
    series: _Series,
    firsts: Integers,
    lasts: Integers,
    *,
    is_pair: bool = False,
    allows_for_neighbours: bool = False,
    allows_for_tails: bool = False,
) -> Effect | None:
    """The effect with the largest t of indicators that reach from a first to a last point."""
    degrees = len(series.values) - series.parameters
    noise = float(series.within @ series.within)
    if degrees < 1 or noise <= LEAST_SHARE_OF_NOISE * float(series.values @ series.values):
        return None
    place = np.arange(len(series.values))
    if is_pair:
        is_in = (place == firsts[:, np.newaxis]) | (place == lasts[:, np.newaxis])
    else:
        is_in = (place >= firsts[:, np.newaxis]) & (place <= lasts[:, np.newaxis])
    rows = _within(is_in.astype(np.float64), series.strata)
    squares = (rows * rows).sum(axis=1)
    can_tell = squares > 1e-9
    if not can_tell.any():
        return None
    products = rows @ series.within
    with np.errstate(divide="ignore", invalid="ignore"):
        estimates = products / squares
        misfits = np.maximum(noise - products * estimates, LEAST_SHARE_OF_NOISE * noise)
        statistics = np.where(can_tell, estimates * np.sqrt(squares * degrees / misfits), 0.0)
    best = int(np.abs(statistics).argmax())
    counted, statistic = float(degrees), float(statistics[best])
    if allows_for_neighbours:
        wide = widening(neighbour_correlation(series.within - estimates[best] * rows[best]))
        counted, statistic = max(degrees / wide, 1.0), statistic / math.sqrt(wide)
    if allows_for_tails:
        counted = min(counted, tail_degrees((series.within - estimates[best] * rows[best])[~is_in[best]]))
    p_value = 2 * float(scipy.special.stdtr(counted, -abs(statistic))) * int(can_tell.sum())
    estimate = float(estimates[best])
    half = t_quantile(counted) * abs(estimate / statistic) if statistic else math.inf
    return Effect(
        first=int(firsts[best]),
        last=int(lasts[best]),
        estimate=estimate,
        low=estimate - half,
        high=estimate + half,
        level=float(series.values[~is_in[best]].mean()),
        statistic=statistic,
        degrees=counted,
        p_value=min(1.0, p_value),
        misfit=float(misfits[best]),
    )


def straight_misfit(
    values: npt.ArrayLike, *, strata: npt.ArrayLike | None = None, times: npt.ArrayLike | None = None
) -> float:
    """The sum of squares that a straight line through all values leaves, to compare with ``Effect.misfit``."""
    series = _Series.of(values, strata)
    place = np.arange(len(series.values)) if times is None else np.asarray(times, dtype=np.float64)
    line = _within(np.asarray(place, dtype=np.float64)[np.newaxis, :], series.strata)[0]
    squares = float(line @ line)
    noise = float(series.within @ series.within)
    return noise - float(line @ series.within) ** 2 / squares if squares else noise


def without_levels(values: npt.ArrayLike, *, strata: npt.ArrayLike) -> Floats:
    """The values with the level of each stratum taken out and the overall mean left in.

    >>> without_levels([1, 5, 3, 7], strata=[0, 1, 0, 1]).tolist()
    [3.0, 3.0, 5.0, 5.0]
    """
    series = _Series.of(values, strata)
    return np.asarray(series.within + series.values.mean())


def tail_degrees(residuals: npt.ArrayLike) -> float:
    """The degrees of freedom of the t distribution whose tails are as heavy: 4 + 6 / excess kurtosis.

    >>> tail_degrees([-1, 1] * 20), round(tail_degrees([-1, 1] * 20 + [6]), 1)
    (inf, 5.0)
    """
    given = np.asarray(residuals, dtype=np.float64)
    centred = given - given.mean() if len(given) else given
    variance = float((centred**2).mean()) if len(given) else 0.0
    excess = float((centred**4).mean()) / variance**2 - 3 if variance > 0 else 0.0
    return 4 + 6 / excess if excess > 0 else math.inf


def has_levels(values: npt.ArrayLike, *, strata: npt.ArrayLike, level: float = 0.05) -> bool:
    """Whether strata differ, weekdays for instance: Kruskal & Wallis 1952 (J Am Stat Assoc 47:583).

    >>> has_levels([1, 9, 2, 8, 1, 9, 2, 8], strata=[0, 1, 0, 1, 0, 1, 0, 1])
    True
    """
    series, given = np.asarray(values, dtype=np.float64), np.asarray(strata)
    groups = [series[given == one] for one in np.unique(given)]
    if len(groups) < 2 or np.ptp(series) == 0:
        return False
    return float(scipy.stats.kruskal(*groups).pvalue) <= level
