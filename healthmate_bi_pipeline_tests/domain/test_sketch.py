"""DDSketch: its bound, its merge, and the example that shows why percentiles are never averaged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.sketch import (
    ACCURACY,
    GAMMA,
    LEAST_VALUE,
    ZERO_BUCKET,
    bucket_of,
    merged,
    quantiles,
    sketch,
    value_of,
)

SHARES = [0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1]

durations = st.lists(
    st.one_of(
        st.floats(LEAST_VALUE, 1e9),
        st.floats(0, LEAST_VALUE),
        st.sampled_from([0.0, LEAST_VALUE, 1.0, GAMMA, GAMMA**7, 1e12]),
    ),
    min_size=1,
    max_size=300,
)


def assert_within_bound(estimated: np.ndarray, exact: np.ndarray) -> None:
    tolerance = np.where(exact < LEAST_VALUE, LEAST_VALUE, ACCURACY * (1 + 1e-9) * exact)
    assert (np.abs(estimated - exact) <= tolerance).all()


@given(values=durations)
def test_quantiles_lie_within_one_percent_of_exact_ones(values: list[float]) -> None:
    exact = np.quantile(np.array(values), SHARES, method="lower")
    assert_within_bound(quantiles(*sketch(values), SHARES), exact)


@given(parts=st.lists(durations, min_size=1, max_size=6))
def test_merging_sketches_is_the_sketch_of_all(parts: list[list[float]]) -> None:
    whole = sketch(np.concatenate(parts))
    in_parts = merged(*(sketch(part) for part in parts))
    assert [column.tolist() for column in in_parts] == [column.tolist() for column in whole]


def test_the_mean_of_two_percentiles_is_none() -> None:
    """STANDARDS' example: a busy service and a slow one. The mean of their p99 is 16.2, the true joint one 11.2."""
    dice = np.random.default_rng(0)
    busy, slow = dice.lognormal(0, 1, 100_000), dice.lognormal(2, 0.5, 1_000)
    exact = np.quantile(np.concatenate([busy, slow]), 0.99)
    of_each = [float(quantiles(*sketch(values), 0.99)) for values in (busy, slow)]
    joint = float(quantiles(*merged(sketch(busy), sketch(slow)), 0.99))
    assert round(np.mean([np.quantile(busy, 0.99), np.quantile(slow, 0.99)]), 1) == 16.2
    assert round(exact, 1) == 11.2
    assert np.mean(of_each) == pytest.approx(16.2, rel=ACCURACY)
    assert joint == pytest.approx(exact, rel=ACCURACY)


@given(value=st.floats(LEAST_VALUE, 1e12))
def test_a_bucket_holds_the_values_between_two_powers_of_gamma(value: float) -> None:
    bucket = int(bucket_of(value))
    assert GAMMA ** (bucket - 1) * (1 - 1e-9) < value <= GAMMA**bucket * (1 + 1e-9)
    assert float(value_of(bucket)) == pytest.approx(2 * GAMMA**bucket / (GAMMA + 1))


def test_buckets_rise_with_values_and_zero_comes_first() -> None:
    buckets = bucket_of([0, LEAST_VALUE / 2, LEAST_VALUE, 1, 200, 1e9])
    assert buckets.tolist()[:2] == [ZERO_BUCKET, ZERO_BUCKET]
    assert (np.diff(buckets[1:]) > 0).all()


def test_a_sketch_of_nothing_has_no_quantile() -> None:
    assert np.isnan(quantiles([], [], [0.5, 0.99])).all()
    assert [column.tolist() for column in merged()] == [[], []]
    assert [column.tolist() for column in sketch([])] == [[], []]


@pytest.mark.parametrize("value", [-1, np.nan, np.inf])
def test_what_is_no_duration_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        bucket_of([1, value])


@pytest.mark.parametrize("share", [-0.1, 1.1, 99])
def test_a_share_above_one_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="a share"):
        quantiles([0], [1], share)
