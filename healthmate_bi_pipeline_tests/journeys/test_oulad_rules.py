"""The rules of the domain on clicks of real students, against what pandas counts."""

from __future__ import annotations

import pandas as pd
import pytest

from healthmate_bi_pipeline.domain.bgbb import Patterns
from healthmate_bi_pipeline.domain.bgbb_fit import fit
from healthmate_bi_pipeline.domain.calibration import brier_score, deciles, predicted_by_silence
from healthmate_bi_pipeline.domain.lifecycle import l_curve, lifecycles, stickiness, trailing_users
from healthmate_bi_pipeline.domain.retention import cohort_retention
from healthmate_bi_pipeline_tests.comparing import FREQUENCY
from healthmate_bi_pipeline_tests.journeys import oulad

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not oulad.OULAD.is_dir(), reason="the clicks of ../shared/data/oulad are not here"),
]

PERIODS = ("daily", "weekly", "monthly")


@pytest.fixture(scope="module")
def clicks() -> pd.DataFrame:
    return oulad.read_clicks()


def flags(clicks: pd.DataFrame, period: str) -> pd.DataFrame:
    """Students x intervals, without gaps."""
    active = oulad.active_intervals(clicks, period)
    every = range(int(active["number"].min()), int(active["number"].max()) + 1)
    return pd.crosstab(active["user_id"], active["number"]).reindex(columns=every, fill_value=0) > 0


def start_of(number: int, period: str) -> pd.Timestamp:
    return pd.Period(ordinal=number, freq=FREQUENCY[period]).start_time


def end_of_table(table: pd.DataFrame, period: str) -> pd.Timestamp:
    return start_of(table.columns[-1] + 1, period)


def test_the_clicks_are_those_of_the_data_set(clicks: pd.DataFrame) -> None:
    assert (len(clicks), clicks["user_id"].nunique()) == (737_471, 3_061)
    assert clicks["count"].sum() == 2_580_536
    assert clicks["page"].notna().all()


@pytest.mark.parametrize("period", PERIODS)
def test_stages_of_students(clicks: pd.DataFrame, period: str) -> None:
    table = flags(clicks, period)
    expected = oulad.stages(clicks, period, ended=end_of_table(table, period))
    found = {
        (table.index[person], start_of(table.columns[interval], period)): str(stage)
        for stage, is_in in lifecycles(table.to_numpy()).items()
        for person, interval in zip(*is_in.nonzero(), strict=True)
    }
    assert found == expected.to_dict()


@pytest.mark.parametrize("days", [1, 7, 28])
def test_daily_weekly_and_monthly_students(clicks: pd.DataFrame, days: int) -> None:
    found = trailing_users(flags(clicks, "daily").to_numpy(), days=days)
    assert found.tolist() == oulad.trailing_users(clicks, days).tolist()


@pytest.mark.parametrize("days", [7, 28])
def test_days_of_activity(clicks: pd.DataFrame, days: int) -> None:
    table = flags(clicks, "daily")
    for length in (days, 60, table.shape[1]):
        last = start_of(table.columns[length - 1], "daily")
        found = l_curve(table.to_numpy()[:, :length], days=days)
        assert found.tolist() == oulad.days_of_activity(clicks, last, days).tolist()


def test_stickiness(clicks: pd.DataFrame) -> None:
    daily, monthly = oulad.trailing_users(clicks, 1), oulad.trailing_users(clicks, 28)
    expected = daily.iloc[-28:].mean() / monthly.iloc[-1]
    assert stickiness(flags(clicks, "daily").to_numpy()) == pytest.approx(expected)


@pytest.mark.parametrize("period", PERIODS)
def test_retention_of_students(clicks: pd.DataFrame, period: str) -> None:
    table = flags(clicks, period)
    cells = cohort_retention(table.to_numpy(), finished=table.shape[1])
    found = {
        (start_of(table.columns[cohort], period), int(interval)): (int(people), int(active))
        for cohort, interval, people, active in zip(
            cells.cohort, cells.interval, cells.people, cells.active, strict=True
        )
    }
    expected = oulad.retention(clicks, period, ended=end_of_table(table, period))
    assert found == {
        key: (row.people, row.active) for key, row in zip(expected.index, expected.itertuples(), strict=True)
    }


@pytest.mark.parametrize("end", ["2013-11-25", "2013-12-30", "2014-02-17"])
def test_on_held_out_weeks_of_students_the_model_beats_the_plain_rule(clicks: pd.DataFrame, end: str) -> None:
    """Fit on what is known on a Monday, judged by who clicks in the four weeks after."""
    monday = pd.Timestamp(end)
    known = oulad.weekly_patterns(clicks, monday)
    people = Patterns.of(known["active"], known["last_active"], known["opportunities"])
    result = fit(people)
    assert result.is_converged, result.reason
    forecast = result.model.probability_active(people, ahead=4)
    later = clicks[(clicks["day"] >= monday) & (clicks["day"] < monday + pd.Timedelta(days=28))]
    came = known.index.isin(later["user_id"])
    last_day = clicks[clicks["day"] < monday].groupby("user_id")["day"].max().reindex(known.index)
    rule = predicted_by_silence(((monday - last_day).dt.days - 1).to_numpy())
    assert brier_score(forecast, came) < brier_score(rule, came)
    assert brier_score(forecast, came) < brier_score(came.mean(), came)
    if end == "2014-02-17":  # an ordinary time; others lie before and after the holidays
        for tenth in deciles(forecast, came):
            assert tenth.observed == pytest.approx(tenth.predicted, abs=0.1), tenth.decile


def test_a_fit_at_the_end_of_the_courses_converges_too(clicks: pd.DataFrame) -> None:
    """Students hardly differ in how they leave. That all courses end then is nothing that the model can know."""
    known = oulad.weekly_patterns(clicks, pd.Timestamp("2014-06-30"))
    result = fit(Patterns.of(known["active"], known["last_active"], known["opportunities"]))
    assert result.is_converged, result.reason
    assert "alike" in result.reason
