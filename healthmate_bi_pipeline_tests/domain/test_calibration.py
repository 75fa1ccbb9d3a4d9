"""Forecasts against what came: published scores, identities, and the model on donors that it has not seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.bgbb import BgBb, Patterns
from healthmate_bi_pipeline.domain.bgbb_fit import fit
from healthmate_bi_pipeline.domain.calibration import SILENT_DAYS, brier_score, deciles, predicted_by_silence
from healthmate_bi_pipeline_tests.domain.simulation import simulated_weeks

forecasts = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 5), st.integers(0, 5)).map(lambda g: (g[0], g[1], g[1] + g[2])),
    min_size=1,
    max_size=60,
).filter(lambda groups: any(people for _, _, people in groups))


def test_the_published_example_of_the_score() -> None:
    """The example of scikit-learn's documentation of brier_score_loss."""
    assert brier_score([0.1, 0.9, 0.8, 0.3], [0, 1, 1, 0]) == pytest.approx(0.0375)


@pytest.mark.parametrize(("forecast", "score"), [(0.0, 1.0), (0.5, 0.25), (1.0, 0.0)])
def test_a_coin_scores_a_quarter(forecast: float, score: float) -> None:
    assert brier_score(forecast, 1) == score


@given(groups=forecasts)
def test_groups_score_what_their_people_score(groups: list[tuple[float, int, int]]) -> None:
    grouped = brier_score(*zip(*groups, strict=True))
    each = [
        (forecast - (number < hits)) ** 2 for forecast, hits, people in groups for number in range(people)
    ]
    assert grouped == pytest.approx(sum(each) / len(each))


@given(groups=forecasts, seed=st.integers(0, 9))
def test_deciles_hold_everybody_once_in_any_order(groups: list[tuple[float, int, int]], seed: int) -> None:
    shuffled = [groups[place] for place in np.random.default_rng(seed).permutation(len(groups))]
    found = deciles(*zip(*groups, strict=True))
    again = deciles(*zip(*shuffled, strict=True))
    assert [(tenth.decile, tenth.people) for tenth in found] == [
        (tenth.decile, tenth.people) for tenth in again
    ]
    assert sum(tenth.people for tenth in found) == sum(people for _, _, people in groups)
    assert sum(tenth.people * tenth.observed for tenth in found) == pytest.approx(
        sum(hits for _, hits, _ in groups)
    )
    assert sum(tenth.people * tenth.predicted for tenth in found) == pytest.approx(
        sum(people * forecast for forecast, _, people in groups)
    )
    means = [tenth.predicted for tenth in found]
    assert means == sorted(means)


def test_people_with_forecasts_of_their_own_fall_into_equal_tenths() -> None:
    found = deciles(np.arange(200) / 200, np.zeros(200))
    assert [tenth.people for tenth in found] == [20] * 10
    assert found[0].predicted == pytest.approx(np.mean(np.arange(20) / 200))


def test_the_plain_rule_counts_days_of_silence() -> None:
    assert SILENT_DAYS == 14
    assert predicted_by_silence([0, 13, 14, 400]).tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("predicted", "came_true", "people"), [(1.2, 0, 1), (-0.1, 0, 1), (0.5, 2, 1), (np.nan, 0, 1)]
)
def test_what_is_no_forecast_is_refused(predicted: float, came_true: int, people: int) -> None:
    with pytest.raises(ValueError, match="forecasts lie between"):
        brier_score(predicted, came_true, people)


def test_nobody_has_no_score_and_no_deciles() -> None:
    assert deciles([], [], []) == []
    with pytest.raises(ValueError, match="about nobody"):
        brier_score([], [], [])


def test_on_weeks_held_out_the_model_is_calibrated_and_beats_the_plain_rule() -> None:
    """Fit on 30 weeks, judged on whether people were active in the 4 weeks after them."""
    truth = BgBb(alpha=1.0, beta=1.5, gamma=0.7, delta=6.0)
    weeks = simulated_weeks(truth, np.full(40_000, 34), seed=11)
    known, held_out = weeks[:, :30], weeks[:, 30:]
    last = np.where(known.any(axis=1), 30 - known[:, ::-1].argmax(axis=1), 0)
    people = Patterns.of(known.sum(axis=1), last, 30)
    model = fit(people).model
    forecast = model.probability_active(people, ahead=4)
    came_true = held_out.any(axis=1)
    for tenth in deciles(forecast, came_true):
        # Five standard errors of the observed share.
        error = np.sqrt(tenth.predicted * (1 - tenth.predicted) / tenth.people)
        assert abs(tenth.observed - tenth.predicted) < 5 * error + 0.002
    rule = predicted_by_silence(7 * (30 - last))
    assert brier_score(forecast, came_true) < brier_score(rule, came_true)
