"""Differences: published examples and SciPy's way to the same figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ttest_ind

from healthmate_bi_pipeline.domain.comparisons import Mean, difference_of_means, difference_of_shares


def test_welch_is_that_of_scipy() -> None:
    dice = np.random.default_rng(1)
    first, second = dice.normal(5, 1, 40), dice.normal(4, 3, 25)
    found = difference_of_means(
        *(Mean(float(group.mean()), float(group.std(ddof=1)), len(group)) for group in (first, second))
    )
    known = ttest_ind(first, second, equal_var=False)
    interval = known.confidence_interval()
    assert (found.statistic, found.p_value, found.degrees) == pytest.approx(
        (known.statistic, known.pvalue, known.df)
    )
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize("groups", [(Mean(1, 1, 1), Mean(2, 1, 9)), (Mean(1, 0, 5), Mean(2, 0, 5))])
def test_groups_without_spread_cannot_be_compared(groups) -> None:
    assert difference_of_means(*groups) is None


@pytest.mark.parametrize(
    ("hits", "count", "other_hits", "other_count", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 20, 0.6791, 1.0),
        (5, 56, 0, 29, -0.0381, 0.1926),
    ],
)
def test_the_intervals_of_newcombe_1998(hits, count, other_hits, other_count, low, high) -> None:
    """Table II of the paper, method 10."""
    found = difference_of_shares(hits, count, other_hits=other_hits, other_count=other_count)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)
    assert found.estimate == pytest.approx(hits / count - other_hits / other_count)


def test_equal_shares_are_no_difference() -> None:
    assert difference_of_shares(0, 10, other_hits=0, other_count=20).p_value == 1
    assert math.isclose(difference_of_shares(5, 10, other_hits=10, other_count=20).p_value, 1)
    assert difference_of_shares(0, 0, other_hits=1, other_count=2) is None
