"""Limits on a line: the golden ones, with gaps left out, and none where they would mislead."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.blocks import Absence, Point, Series
from healthmate_bi_pipeline.reporting.control_limits import with_control_limits

GOLDEN = [1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]
FIRST = datetime(2026, 1, 5)


def series(values, *, days=7):
    return Series(
        "avg_sleep_hours",
        "Sleep",
        tuple(
            Point(
                FIRST + timedelta(days=days * place),
                "",
                Absence.NO_DATA if value is None else float(value),
                40,
            )
            for place, value in enumerate(values)
        ),
    )


def test_the_golden_series_has_its_limits_and_its_one_signal():
    found = with_control_limits(series(GOLDEN), period=Period.WEEKLY)
    assert (found.limits.centre, found.limits.lower, found.limits.upper) == pytest.approx(
        (1.94, -0.72, 4.60), abs=0.005
    )
    assert found.signals == (4,)


def test_gaps_are_left_out_and_signals_keep_their_places():
    found = with_control_limits(series([1, None, 2, None, *GOLDEN]), period=Period.WEEKLY)
    assert found.signals == (8,)


def test_too_few_points_and_equal_points_have_none():
    for values in (GOLDEN[:11], [3] * 20):
        assert with_control_limits(series(values), period=Period.WEEKLY).limits is None


def test_days_with_a_weekly_cycle_have_none_and_other_days_do():
    noise = np.random.default_rng(1).normal(size=28)
    cycle = np.resize([0, 0, 0, 0, 0, 6, 6], 28)
    assert with_control_limits(series(noise + cycle, days=1), period=Period.DAILY).limits is None
    assert with_control_limits(series(noise, days=1), period=Period.DAILY).limits is not None
