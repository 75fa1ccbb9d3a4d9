"""Trends: the golden example, SciPy's way to the same figures, and series with a cycle or with neighbours alike."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, norm, theilslopes

from healthmate_bi_pipeline.domain.trend_tests import mann_kendall, neighbour_correlation, widening

GOLDEN = [120, 122, 121, 125, 127, 126, 130]


def noise(count, *, correlation=0.0, seed=0):
    dice = np.random.default_rng(seed)
    made = dice.normal(size=count)
    for place in range(1, count):
        made[place] = correlation * made[place - 1] + made[place] * np.sqrt(1 - correlation**2)
    return made


def test_the_golden_example() -> None:
    trend = mann_kendall(GOLDEN)
    assert (trend.score, round(trend.z, 3), round(trend.p_value, 5), round(trend.slope, 3)) == (
        17,
        2.403,
        0.01626,
        1.667,
    )


def test_slope_and_interval_are_those_of_scipy() -> None:
    values = noise(40)
    trend, known = mann_kendall(values), theilslopes(values, alpha=0.95)
    assert (trend.slope, trend.low, trend.high) == pytest.approx(
        (known.slope, known.low_slope, known.high_slope)
    )


def test_ties_narrow_the_variance_as_in_scipys_tau() -> None:
    values = np.round(noise(60) * 2)
    trend = mann_kendall(values)
    plain = 60 * 59 * 125 / 18
    assert trend.deviation**2 < plain
    known = kendalltau(np.arange(60), values, method="asymptotic")
    uncorrected = trend.score / trend.deviation  # SciPy makes no correction for continuity
    assert 2 * norm.sf(abs(uncorrected)) == pytest.approx(known.pvalue, rel=1e-9)


def test_a_constant_series_has_no_trend() -> None:
    trend = mann_kendall([4.0] * 12)
    assert (trend.score, trend.z, trend.p_value, trend.slope) == (0, 0.0, 1.0, 0.0)


def test_too_few_values() -> None:
    assert mann_kendall([1.0]) is None
    assert mann_kendall([1.0, 2.0], strata=[0, 1]) is None


def test_a_weekly_cycle_is_no_trend_and_hides_none() -> None:
    day = np.arange(91)
    cycle = np.where(day % 7 >= 5, 30.0, 0.0)
    flat = mann_kendall(cycle + noise(91), strata=day % 7)
    assert flat.p_value > 0.05
    rising = cycle + noise(91) + 0.03 * day
    trend = mann_kendall(rising, strata=day % 7)
    assert trend.z > mann_kendall(rising).z
    assert trend.p_value < 0.001
    assert trend.low < 0.03 < trend.high


def test_neighbours_that_resemble_each_other_count_for_less() -> None:
    alike = [noise(91, correlation=0.6, seed=seed) for seed in range(200)]
    plain = np.mean([mann_kendall(values).p_value <= 0.05 for values in alike])
    widened = np.mean([mann_kendall(values, allows_for_neighbours=True).p_value <= 0.05 for values in alike])
    assert plain > 0.2
    assert widened < 0.12


def test_the_correlation_of_neighbours_is_about_right() -> None:
    found = [neighbour_correlation(noise(91, correlation=0.5, seed=seed)) for seed in range(100)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)
    assert neighbour_correlation([1.0, 2.0]) == 0
    assert widening(0.5) == pytest.approx(3.0)
