"""The tests that are made of one figure over time: what each rule finds, and how likely that is by chance alone.

``insights`` decides over all of them together which are worth saying.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from healthmate_bi_pipeline.catalog.watched_figures import watched_figure
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
    near_effect,
    points_effect,
    run_effect,
    shift_effect,
    straight_misfit,
    without_levels,
)
from healthmate_bi_pipeline.domain.trend_tests import mann_kendall
from healthmate_bi_pipeline.reporting.evidence import Tracked
from healthmate_bi_pipeline.reporting.findings import Finding, History, known_history
from healthmate_bi_pipeline.reporting.period_comparisons import compare_periods

Floats = npt.NDArray[np.float64]

LEAST_POINTS = TRIAL_BELOW
"""With fewer points the limits still move; then nothing is tested against the history."""
LEAST_DAYS = 21
"""Of days as many as give each weekday three."""
NEWS = {Period.DAILY: 28, Period.WEEKLY: 13, Period.MONTHLY: 12}
"""A shift that began more points ago, those of the report's period apart, is the level of today and no news."""
RANGE_TO_DEVIATION = 1.128
"""Mean moving range of two normal values over their standard deviation."""


def find(tracked: Tracked, *, window: Window) -> list[Finding]:
    """All tests that can be made of a figure, also those that found nothing."""
    watched = watched_figure(tracked.figure)
    history = known_history(tracked, window=window)
    found = []
    if history.latest and history.is_dense and len(history.values) >= _least(tracked.period):
        found += list(_of_history(history, news=NEWS.get(tracked.period, NEWS[Period.MONTHLY])))
    compared = compare_periods(tracked, watched=watched, history=history)
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
