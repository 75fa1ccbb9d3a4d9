"""Tests of signals: right as often as they say on noise, right about size and place of what was planted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from healthmate_bi_pipeline.domain.signal_tests import (
    change_effect,
    near_effect,
    points_effect,
    run_effect,
    shift_effect,
)

DAYS = np.arange(91)
WEEKDAY = DAYS % 7
CYCLE = np.where(WEEKDAY >= 5, 20.0, 0.0)
SIMULATED = 1000
TESTS = {
    "point": lambda values: points_effect(values, strata=WEEKDAY).p_value,
    "near": lambda values: near_effect(values, strata=WEEKDAY).p_value,
    "shift": lambda values: shift_effect(values, strata=WEEKDAY).p_value,
    "run": lambda values: run_effect(values - CYCLE).p_value,
}


@pytest.mark.parametrize("name", TESTS)
def test_noise_with_a_weekly_cycle_is_found_no_more_often_than_said(name: str) -> None:
    dice = np.random.default_rng(11)
    found = np.array([TESTS[name](CYCLE + dice.normal(size=91)) for _ in range(SIMULATED)])
    assert (found <= 0.05).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / SIMULATED)


def test_a_known_place_is_students_test() -> None:
    values = np.random.default_rng(2).normal(size=30)
    found = change_effect(values, start=12)
    known = ttest_ind(values[12:], values[:12])
    assert found.estimate == pytest.approx(values[12:].mean() - values[:12].mean())
    assert found.degrees == 28, "in this noise neighbours do not resemble each other"
    assert (found.statistic, found.p_value) == pytest.approx((known.statistic, known.pvalue))


def test_a_planted_shift_is_found_where_it_is() -> None:
    values = CYCLE + np.random.default_rng(5).normal(size=91) + np.where(DAYS >= 77, -2.0, 0.0)
    found = shift_effect(values, strata=WEEKDAY)
    assert found.p_value < 1e-5
    assert abs(found.first - 77) <= 1
    assert found.low < -2.0 < found.high < 0


def test_a_planted_point_is_found() -> None:
    values = CYCLE + np.random.default_rng(6).normal(size=91)
    values[88] += 9
    found = points_effect(values, strata=WEEKDAY, latest=5)
    assert (found.first, found.last) == (88, 88)
    assert found.low < 9 < found.high
    assert points_effect(values, strata=WEEKDAY, latest=1).first == 90


def test_two_planted_points_of_three_are_found() -> None:
    values = CYCLE + np.random.default_rng(7).normal(size=91)
    values[[88, 90]] += 5
    found = near_effect(values, strata=WEEKDAY)
    assert (found.first, found.last) == (88, 90)
    assert found.p_value < 1e-4


@pytest.mark.parametrize(("values", "length"), [([1, 2, 3], 3), ([3, 2, 1], 3), ([1, 2, 2], 1), ([1], 1)])
def test_the_length_of_a_run(values: list[int], length: int) -> None:
    assert run_effect(values).length == length


def test_the_chance_of_a_run_is_that_of_sorted_points() -> None:
    dice = np.random.default_rng(8)
    shuffled = dice.random((40_000, 5))
    steps = np.diff(shuffled, axis=1)
    sorted_share = ((steps > 0).all(axis=1) | (steps < 0).all(axis=1)).mean()
    assert run_effect([1, 2, 3, 4, 5]).p_value == pytest.approx(sorted_share, abs=0.002)
    assert run_effect(np.arange(400)).p_value == 0


def test_a_series_without_noise_has_no_test() -> None:
    assert points_effect([4.0] * 20) is None
    assert shift_effect(CYCLE, strata=WEEKDAY) is None
    assert shift_effect([1.0, 2.0, 3.0]) is None
    assert near_effect([1.0]) is None
