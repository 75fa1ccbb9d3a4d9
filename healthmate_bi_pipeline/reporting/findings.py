"""The tests that are made of one figure over time: what each rule finds, and how likely that is by chance alone.

``insights`` decides over all of them together which are worth saying. Numbers come from ``evidence`` only, so from
what is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from healthmate_bi_pipeline.catalog.watched_figures import WatchedFigure, watched_figure
from healthmate_bi_pipeline.domain.comparisons import (
    Difference,
    Mean,
    difference,
    difference_of_means,
    difference_of_shares,
)
from healthmate_bi_pipeline.domain.control_charts import (
    SHIFT_POINTS,
    TREND_POINTS,
    TRIAL_BELOW,
    ChartRule,
    Limits,
    control_limits,
    find_signals,
)
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.domain.signal_tests import (
    Effect,
    change_effect,
    near_effect,
    points_effect,
    run_effect,
    shift_effect,
    straight_misfit,
    tail_degrees,
    without_levels,
)
from healthmate_bi_pipeline.domain.trend_tests import mann_kendall
from healthmate_bi_pipeline.reporting.document import Absence
from healthmate_bi_pipeline.reporting.evidence import Sample, Tracked

Floats = npt.NDArray[np.float64]

LEAST_POINTS = TRIAL_BELOW
"""With fewer points the limits still move; then nothing is tested against the history."""
LEAST_DAYS = 21
"""Of days as many as give each weekday three."""
LEAST_SHARE_KNOWN = 0.5
"""Of the points since the first one as many have a number; else those that have are not like the others."""
NEWS = {Period.DAILY: 28, Period.WEEKLY: 13, Period.MONTHLY: 12}
"""A shift that began more points ago, those of the report's period apart, is the level of today and no news."""
LEAST_DAYS_A_SIDE = 7
"""Two periods are compared by their days when each has so many."""
RANGE_TO_DEVIATION = 1.128
"""Mean moving range of two normal values over their standard deviation."""
STEP_DEGREES = 2 / 3
"""Degrees of freedom of a mean square of steps, for each step: neighbouring steps share a value."""


@dataclass(frozen=True)
class History:
    """The points of a history that have a number.

    Attributes:
        samples: those points.
        values: their numbers.
        times: their places in the history, gaps counted.
        strata: the weekday of days; 0 of longer periods.
        latest: how many of them lie in the report's window.
        missing: how many points between the first and the last one have no number.
    """

    samples: tuple[Sample, ...]
    values: Floats
    times: Floats
    strata: npt.NDArray[np.int64]
    latest: int
    missing: int

    @property
    def has_weekdays(self) -> bool:
        """Whether days are compared with the same weekday."""
        return bool(self.strata.any())

    @property
    def is_dense(self) -> bool:
        """Whether enough of its points have a number."""
        return self.missing <= (1 - LEAST_SHARE_KNOWN) * (self.missing + len(self.values))


@dataclass(frozen=True)
class Finding:
    """What one test found.

    Attributes:
        rule: its name in ``catalog/insight_rules``.
        is_signal: the rule itself holds, whatever its p value.
        is_news: it began lately; what did not is not told, and yet explains the history.
        estimate: the size, in the figure's unit; its sign is the direction.
        level: what the figure was before, or else is.
        first: the first point that it is about.
        last: the last one.
        points: how many points were looked at.
        misfit: what a model of it leaves unexplained; to choose between shift and trend.
        lower: control limit at the point, of the rules that speak of one.
        upper: the other one.
        before: the sample compared with.
    """

    rule: str
    is_signal: bool
    estimate: float
    low: float
    high: float
    level: float
    statistic: str
    statistic_value: float
    p_value: float
    first: Sample
    last: Sample
    points: int
    misfit: float = math.inf
    lower: float | None = None
    upper: float | None = None
    before: Sample | None = None
    is_news: bool = True


def known_history(tracked: Tracked, *, window: Window) -> History:
    """The points of a figure's history that have a number."""
    known = [
        (place, sample, sample.value)
        for place, sample in enumerate(tracked.history)
        if not isinstance(sample.value, Absence) and math.isfinite(sample.value)
    ]
    samples = tuple(sample for _, sample, _ in known)
    is_daily = tracked.period is Period.DAILY
    places = [place for place, _, _ in known]
    return History(
        samples=samples,
        values=np.array([value for _, _, value in known], dtype=np.float64),
        times=np.array(places, dtype=np.float64),
        strata=np.array([one.window.start.weekday() if is_daily else 0 for one in samples], dtype=np.int64),
        latest=sum(sample.window.intersection(window) is not None for sample in samples),
        missing=places[-1] - places[0] + 1 - len(places) if places else 0,
    )


def find(tracked: Tracked, *, window: Window) -> list[Finding]:
    """All tests that can be made of a figure, also those that found nothing."""
    watched = watched_figure(tracked.figure)
    history = known_history(tracked, window=window)
    found = []
    if history.latest and history.is_dense and len(history.values) >= _least(tracked.period):
        found += list(_of_history(history, news=NEWS.get(tracked.period, NEWS[Period.MONTHLY])))
    compared = _comparison(tracked, watched=watched, history=history)
    return [*found, compared] if compared else found


def _least(period: Period) -> int:
    return LEAST_DAYS if period is Period.DAILY else LEAST_POINTS


def _of_history(history: History, *, news: int) -> Iterator[Finding]:
    """The rules of the control chart, and the trend."""
    level = without_levels(history.values, strata=history.strata)
    limits = control_limits(level)
    assert limits is not None  # noqa: S101 - there are enough points
    signals = find_signals(level, limits)
    outside = points_effect(history.values, strata=history.strata, latest=history.latest)
    if outside is not None:
        is_signal = outside.first in signals[ChartRule.OUTSIDE]
        yield _from_effect("outside", outside, history, limits=limits, level=level, is_signal=is_signal)
    near = near_effect(history.values, strata=history.strata, latest=history.latest)
    if near is not None:
        is_signal = {near.first, near.last} <= set(signals[ChartRule.NEAR].tolist())
        yield _from_effect("near", near, history, limits=limits, level=level, is_signal=is_signal)
    shift = shift_effect(history.values, strata=history.strata)
    if shift is not None:
        on_its_side = np.sign(level - limits.centre) == np.sign(shift.estimate)
        of_it = [one for one in signals[ChartRule.SHIFT] if one >= shift.first and on_its_side[one]]
        is_news = shift.first >= len(level) - history.latest - news + 1
        is_signal = len(of_it) >= SHIFT_POINTS
        found = _from_effect("shift", shift, history, limits=limits, level=level, is_signal=is_signal)
        yield replace(found, is_news=is_news)
    yield _run(history, level=level, limits=limits)
    trend = _trend(history)
    if trend is not None:
        yield trend


def _from_effect(
    rule: str, effect: Effect, history: History, *, limits: Limits, level: Floats, is_signal: bool
) -> Finding:
    own_level = history.values[effect.last] - level[effect.last]  # what the weekday adds
    return Finding(
        rule=rule,
        is_signal=is_signal,
        estimate=effect.estimate,
        low=effect.low,
        high=effect.high,
        level=effect.level,
        statistic="t",
        statistic_value=effect.statistic,
        p_value=effect.p_value,
        first=history.samples[effect.first],
        last=history.samples[effect.last],
        points=len(history.values),
        misfit=effect.misfit,
        lower=float(limits.lower + own_level),
        upper=float(limits.upper + own_level),
    )


def _run(history: History, *, level: Floats, limits: Limits) -> Finding:
    run = run_effect(level, latest=1)
    half = 1.96 * math.sqrt(2) * limits.moving_range / RANGE_TO_DEVIATION
    first = len(level) - run.length
    return Finding(
        rule="run",
        is_signal=run.length >= TREND_POINTS,
        estimate=run.rise,
        low=run.rise - half,
        high=run.rise + half,
        level=float(history.values[first]),
        statistic="points in a row",
        statistic_value=run.length,
        p_value=run.p_value,
        first=history.samples[first],
        last=history.samples[-1],
        points=len(level),
    )


def _trend(history: History) -> Finding | None:
    """The change over the whole history by the Theil-Sen slope."""
    trend = mann_kendall(
        history.values, times=history.times, strata=history.strata, allows_for_neighbours=True
    )
    if trend is None:
        return None
    length = float(history.times[-1] - history.times[0])
    return Finding(
        rule="trend",
        is_signal=trend.score != 0,
        estimate=trend.slope * length,
        low=trend.low * length,
        high=trend.high * length,
        level=float(np.median(history.values)),
        statistic="Z",
        statistic_value=trend.z,
        p_value=trend.p_value,
        first=history.samples[0],
        last=history.samples[-1],
        points=len(history.values),
        misfit=straight_misfit(history.values, strata=history.strata, times=history.times),
    )


def _comparison(tracked: Tracked, *, watched: WatchedFigure, history: History) -> Finding | None:
    """The figure against the period before, judged by the widest of the spreads that are known.

    A day is judged against the same weekdays of its history by the other rules, not against the day before.
    """
    current, previous = tracked.current, tracked.previous
    if previous is None or current.window.days < LEAST_DAYS_A_SIDE:
        return None
    if isinstance(current.value, Absence) or isinstance(previous.value, Absence):
        return None
    judged = [
        one
        for one in (
            _between_people(current, previous, watched=watched),
            _between_periods(tracked, current.value - previous.value, history=history),
            _between_days(tracked, current.value - previous.value, history=history),
        )
        if one is not None
    ]
    if not judged:
        return None
    widest = max(judged, key=lambda one: one.p_value)
    return Finding(
        rule="comparison",
        is_signal=True,
        estimate=widest.estimate,
        low=widest.low,
        high=widest.high,
        level=previous.value,
        statistic="z" if math.isinf(widest.degrees) else "t",
        statistic_value=widest.statistic,
        p_value=widest.p_value,
        first=current,
        last=current,
        points=2,
        before=previous,
    )


def _between_people(current: Sample, previous: Sample, *, watched: WatchedFigure) -> Difference | None:
    """By the spread between people."""
    if watched.is_share_of_people:
        share, other_share = _share(current), _share(previous)
        if share is None or other_share is None:
            return None
        return difference_of_shares(*share, other_hits=other_share[0], other_count=other_share[1])
    mean, other_mean = _mean(current), _mean(previous)
    return difference_of_means(mean, other_mean) if mean and other_mean else None


def _mean(sample: Sample) -> Mean | None:
    value, deviation, people = sample.value, sample.deviation, sample.people
    if people is None or isinstance(people, Absence):
        return None
    if isinstance(value, Absence) or isinstance(deviation, Absence):
        return None
    return Mean(value, deviation, people)


def _share(sample: Sample) -> tuple[int, int] | None:
    """Of a share of people those whom it counts, and all."""
    people = sample.people
    if people is None or isinstance(people, Absence) or isinstance(sample.value, Absence):
        return None
    return round(sample.value * people), people


def _between_periods(tracked: Tracked, change: float, *, history: History) -> Difference | None:
    """By how much neighbouring periods differed before, with tails as heavy as those of their differences."""
    before = history.values[: len(history.values) - history.latest]
    if tracked.period is Period.DAILY or not history.latest or len(before) < LEAST_POINTS - 1:
        return None
    steps = np.diff(before)
    usual = math.sqrt(float((steps**2).mean()) / history.latest)
    if usual <= 0:
        return None
    degrees = min(STEP_DEGREES * len(steps), tail_degrees(steps))
    return difference(change, standard_error=usual, degrees=degrees)


def _between_days(tracked: Tracked, change: float, *, history: History) -> Difference | None:
    """By how much the days of both periods differ among themselves, weekdays and neighbours allowed for."""
    previous = tracked.previous
    if tracked.period is not Period.DAILY or previous is None:
        return None
    inside = [place for place, one in enumerate(history.samples) if one.window.start >= previous.window.start]
    earlier = len(inside) - history.latest
    if min(earlier, history.latest) < LEAST_DAYS_A_SIDE or len(inside) < LEAST_DAYS:
        return None
    effect = change_effect(history.values[inside], strata=history.strata[inside], start=earlier)
    if effect is None or effect.statistic == 0:
        return None
    error = abs(effect.estimate / effect.statistic)
    return difference(change, standard_error=error, degrees=effect.degrees)


def size(watched: WatchedFigure, finding: Finding) -> float:
    """How large a finding is, in smallest changes worth saying; 0 where none is."""
    least = watched.smallest_at(finding.level)
    return abs(finding.estimate) / least if least > 0 else 0.0
