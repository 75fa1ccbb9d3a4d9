"""A period against the one before: their difference, held against the widest of the spreads that are known."""

from __future__ import annotations

import math

import numpy as np

from healthmate_bi_pipeline.catalog.watched_figures import WatchedFigure
from healthmate_bi_pipeline.domain.comparisons import (
    Difference,
    Mean,
    difference,
    difference_of_means,
    difference_of_shares,
)
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.domain.signal_tests import change_effect, tail_degrees
from healthmate_bi_pipeline.reporting.blocks import Absence
from healthmate_bi_pipeline.reporting.evidence import Sample, Tracked
from healthmate_bi_pipeline.reporting.findings import Finding, History

LEAST_DAYS_A_SIDE = 7
"""Two periods are compared by their days when each has so many."""
LEAST_DAYS = 21
"""By so many days of both together."""
LEAST_STEPS = 10
"""Two periods are held against the steps between earlier ones when there are so many."""
STEP_DEGREES = 2 / 3
"""Degrees of freedom of a mean square of steps, for each step: neighbouring steps share a value."""


def compare_periods(tracked: Tracked, *, watched: WatchedFigure, history: History) -> Finding | None:
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
    mean, other_mean = mean_of(current), mean_of(previous)
    return difference_of_means(mean, other_mean) if mean and other_mean else None


def mean_of(sample: Sample) -> Mean | None:
    """The mean over people of a sample; ``None`` where some of what makes it up is not shown."""
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
    if tracked.period is Period.DAILY or not history.latest or len(before) <= LEAST_STEPS:
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
