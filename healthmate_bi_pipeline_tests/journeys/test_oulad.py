"""Clicks of real students all the way, against an independent computation in pandas.

What the data are and what pandas counts of them stands in ``oulad``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.datasets import APP_EVENTS
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.transforms.engagement.history import COHORTS
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.accounts import assert_books_balance, fates
from healthmate_bi_pipeline_tests.comparing import PERIODS, assert_equal, period_start
from healthmate_bi_pipeline_tests.journeys import oulad
from healthmate_bi_pipeline_tests.running import opened, query, refresh

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not oulad.OULAD.is_dir(), reason="the clicks of ../shared/data/oulad are not here"),
]

NOW = datetime(2014, 7, 9, 12)
"""The last click was on the 27th of June: its week is over and complete, its year is not."""

FROM_DAILY = PERIODS[1:]


@pytest.fixture(scope="module")
def clicks() -> pd.DataFrame:
    return oulad.read_clicks()


@pytest.fixture(scope="module")
def made(clicks: pd.DataFrame, journey_settings: Settings) -> Iterator[Pipeline]:
    folder = journey_settings.landing_path / "app_events"
    folder.mkdir(parents=True)
    for presentation, rows in clicks.groupby("presentation"):
        oulad.app_events(rows).to_parquet(folder / f"{presentation}.parquet", index=False)
    with opened(journey_settings, now=NOW) as pipeline:
        refresh(pipeline)
        yield pipeline


@pytest.fixture(scope="module")
def ended(made: Pipeline) -> pd.Timestamp:
    """What ends by then is complete."""
    return pd.Timestamp(NOW) - made.settings.period.delay


@pytest.fixture(scope="module")
def figures(made: Pipeline) -> pd.DataFrame:
    rows = query(made, "SELECT * FROM bi_user_engagement_analytics ORDER BY user_id, period_start")
    return rows.set_index(["user_id", "period_start"])


def of_period(figures: pd.DataFrame, period: str) -> pd.DataFrame:
    return figures[figures["aggregation_period"] == period]


def by_person(clicks: pd.DataFrame, period: str) -> pd.core.groupby.DataFrameGroupBy:
    return clicks.assign(start=period_start(clicks["day"] + pd.Timedelta(hours=12), period)).groupby(
        ["user_id", "start"]
    )


def test_equal_rows_are_separate_clicks(made: Pipeline, clicks: pd.DataFrame) -> None:
    assert clicks.duplicated().any()
    assert fates(made, APP_EVENTS) == {"kept": len(clicks)}
    assert_books_balance(made)


@pytest.mark.parametrize("period", PERIODS)
def test_clicks_and_pages(figures: pd.DataFrame, clicks: pd.DataFrame, period: str) -> None:
    found, expected = of_period(figures, period), by_person(clicks, period)
    assert_equal(found["page_views"], expected["count"].sum())
    assert_equal(found["pages_visited_count"], expected["page"].nunique())
    pages = found["pages_visited"].dropna()
    pages = pages[pages.map(len) > 0]
    assert pages.to_dict() == expected["page"].agg(lambda names: sorted(set(names))).to_dict()


@pytest.mark.parametrize("period", FROM_DAILY)
def test_active_days_and_stages(
    figures: pd.DataFrame, clicks: pd.DataFrame, ended: pd.Timestamp, period: str
) -> None:
    found = of_period(figures, period)
    days = found["active_days"]
    assert_equal(days[days > 0], by_person(clicks, period)["day"].nunique())
    assert found["lifecycle"].dropna().to_dict() == oulad.stages(clicks, period, ended=ended).to_dict()


@pytest.mark.parametrize("period", FROM_DAILY)
def test_the_score_and_its_sub_indices(figures: pd.DataFrame, clicks: pd.DataFrame, period: str) -> None:
    """No session is logged and every click is at noon: each day with clicks is a session; nobody was notified."""
    daily = clicks.groupby(["user_id", "day"])["count"].sum().reset_index()
    daily["start"] = period_start(daily["day"], period)
    sessions = daily.groupby(["user_id", "start"])
    last = sessions["day"].max()
    ends = oulad.end_of(last.reset_index()["start"], period).to_numpy()
    expected = pd.DataFrame(
        {
            "click_depth_index": sessions["count"].agg(lambda clicked: (clicked >= 3).mean()),
            "recency_index": 1 / ((ends - last) / pd.Timedelta(days=1)),
            "loyalty_index": 1 - 1 / sessions.size(),
        }
    )
    found = of_period(figures, period)
    for index in expected:
        assert_equal(found[index], expected[index])
    assert found["interaction_index"].isna().all()
    assert_equal(found["engagement_score"], 100 * expected.mean(axis=1))
    assert set(found["engagement_score_components"].dropna()) <= {0, 3}


@pytest.mark.parametrize("period", FROM_DAILY)
def test_daily_weekly_and_monthly_students(made: Pipeline, clicks: pd.DataFrame, period: str) -> None:
    rows = query(
        made, "SELECT * FROM bi_engagement_activity WHERE aggregation_period = :period", period=period
    ).set_index("period_start")
    daily = oulad.trailing_users(clicks, 1)
    active = rows["active_people"].astype("int64")
    assert_equal(active[active > 0], oulad.active_intervals(clicks, period).groupby("start").size())
    # Of a period that goes on beyond the last click nothing is compared: its trailing days are told by the pipeline.
    rows = rows[pd.to_datetime(rows["as_of"]) <= daily.index[-1]]
    as_of = pd.DatetimeIndex(rows["as_of"])
    assert len(rows) > 1 or period == "yearly"
    found = {7: rows["weekly_active_people"], 28: rows["monthly_active_people"]}
    for days, people in found.items():
        assert people.tolist() == oulad.trailing_users(clicks, days).reindex(as_of).tolist()
    a_day = daily.rolling(28, min_periods=1).sum().reindex(as_of).to_numpy() / 28
    np.testing.assert_allclose(
        rows["stickiness"].astype(float), a_day / rows["monthly_active_people"].astype(float)
    )


@pytest.mark.parametrize("period", ["weekly", "monthly"])
@pytest.mark.parametrize("days", [7, 28])
def test_days_of_activity(made: Pipeline, clicks: pd.DataFrame, period: str, days: int) -> None:
    rows = query(
        made,
        "SELECT * FROM bi_engagement_active_days WHERE aggregation_period = :period AND window_days = :days",
        period=period,
        days=days,
    )
    last_click = clicks["day"].max()
    compared = 0
    for end, curve in rows.groupby("period_end"):
        last = pd.Timestamp(end) - pd.Timedelta(days=1)
        if last <= last_click:
            expected = oulad.days_of_activity(clicks, last, days)
            assert_equal(curve.set_index("active_days")["people"], expected[expected > 0])
            compared += 1
    assert compared >= 8


@pytest.mark.parametrize("period", ["daily", "weekly", "monthly"])
def test_retention_of_students(
    made: Pipeline, clicks: pd.DataFrame, ended: pd.Timestamp, period: str
) -> None:
    rows = query(made, "SELECT * FROM bi_engagement_cohorts WHERE interval = :period", period=period)
    found = {
        (pd.Timestamp(row.cohort_start), row.number): (row.people, row.active_people)
        for row in rows.itertuples()
    }
    expected = oulad.retention(clicks, period, ended=ended)
    farthest = dict(COHORTS)[Period(period)]
    expected = expected[expected.index.get_level_values("interval") <= farthest]
    assert found == {
        key: (row.people, row.active) for key, row in zip(expected.index, expected.itertuples(), strict=True)
    }


@pytest.mark.parametrize("week_end", ["2013-11-04", "2014-01-06", "2014-02-17", "2014-06-23"])
def test_what_the_churn_model_knows(made: Pipeline, clicks: pd.DataFrame, week_end: str) -> None:
    rows = query(made, "SELECT * FROM bi_user_retention WHERE week_end = :day", day=week_end)
    found = rows.set_index("user_id")[["active_weeks", "last_active_week", "weeks"]].astype("int64")
    expected = oulad.weekly_patterns(clicks, pd.Timestamp(week_end)).astype("int64")
    assert found.sort_index().to_numpy().tolist() == expected.sort_index().to_numpy().tolist()
    assert found.sort_index().index.tolist() == expected.sort_index().index.tolist()
