"""The sub-indices of Taki et al. (2017), and the score that is their mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.engagement import (
    click_depth,
    engagement_score,
    feature_breadth,
    feature_reach,
    interaction,
    is_adopted,
    loyalty,
    recency,
)

indices = st.one_of(st.just(np.nan), st.floats(0, 1))


def test_the_sub_indices_at_their_ends() -> None:
    assert click_depth([0, 4], [4, 4]).tolist() == [0, 1]
    assert recency([0, 6]).tolist() == [1, pytest.approx(1 / 7)]
    assert loyalty([1, 2, 100]).tolist() == [0, 0.5, 0.99]
    assert interaction([0, 2, 3], [2, 2, 2]).tolist() == [0, 1, 1]


def test_without_anything_to_judge_there_is_no_index() -> None:
    assert np.isnan([click_depth(0, 0), recency(np.nan), loyalty(0), interaction(0, 0)]).all()
    assert np.isnan([feature_breadth(0, 0), feature_reach(0, 0)]).all()


def test_a_person_of_eight_sessions() -> None:
    """Six deep sessions of eight, the last one three days ago, one of four notifications opened."""
    score, available = engagement_score(click_depth(6, 8), recency(3), loyalty(8), interaction(1, 4))
    assert (float(score), int(available)) == (pytest.approx(100 * (0.75 + 0.25 + 0.875 + 0.25) / 4), 4)


@given(given_indices=st.lists(indices, min_size=4, max_size=4))
def test_the_score_is_the_mean_of_what_there_is(given_indices: list[float]) -> None:
    score, available = engagement_score(*given_indices)
    known = [index for index in given_indices if not np.isnan(index)]
    assert int(available) == len(known)
    if known:
        assert float(score) == pytest.approx(100 * np.mean(known))
    else:
        assert np.isnan(score)


def test_a_feature_is_adopted_with_the_second_interval() -> None:
    assert is_adopted([0, 1, 2, 9]).tolist() == [False, False, True, True]
