"""When a resource is used up: known slopes in, days out, and nothing where there is no trend."""

import numpy as np
import pytest

from healthmate_bi_pipeline.domain.resource_limits import FARTHEST_DAYS, LEAST_DAYS, time_to_limit


def test_a_ramp_reaches_its_limit_when_it_says():
    noise = np.random.default_rng(1).normal(0, 0.5, 14)
    found = time_to_limit(range(14), 60 + 2.0 * np.arange(14) + noise)
    assert found is not None
    assert found.trend.slope == pytest.approx(2.0, abs=0.1)
    assert found.level == pytest.approx(86, abs=1)
    assert found.days == pytest.approx(7, abs=1)
    assert found.earliest < found.days < found.latest


def test_noise_without_a_trend_is_told_in_few_cases():
    random = np.random.default_rng(2)
    told = sum(time_to_limit(range(14), random.normal(50, 3, 14)) is not None for _ in range(400))
    assert told <= 4  # 1 % two-sided, of which half rise


@pytest.mark.parametrize(
    "values",
    [
        [50.0] * 14,
        [90.0 - 2 * day for day in range(14)],
        [50 + 0.1 * day for day in range(14)],  # 500 days away
        [50 + 5.0 * day for day in range(LEAST_DAYS - 1)],
    ],
    ids=["flat", "falling", "too far", "too few"],
)
def test_nothing_is_told_where_nothing_can_be(values):
    assert time_to_limit(range(len(values)), values) is None


def test_missing_days_count_as_time():
    days = [0, 1, 2, 5, 6, 9, 10, 11]
    found = time_to_limit(days, [40 + 3.0 * day for day in days])
    assert found is not None
    assert found.trend.slope == pytest.approx(3)
    assert found.days == pytest.approx((100 - 73) / 3)
    assert found.days < FARTHEST_DAYS
