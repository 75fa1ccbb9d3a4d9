<<<<<<< HEAD
"""Clicks of real students all the way, against an independent computation in pandas.

What the data are and what pandas counts of them stands in ``oulad``.
=======
"""Clicks of the students of an online course (OULAD, Kuzilek 2017, CC BY 4.0) as app events.

Days are offsets from the start of the course, which is taken for 2013-10-01. Equal rows are separate clicks. Active
people and retention must be what one table of students by days gives.
>>>>>>> performance
"""

from __future__ import annotations

from collections.abc import Iterator
<<<<<<< HEAD
from datetime import datetime
=======
from datetime import date, datetime
>>>>>>> performance

import numpy as np
import pandas as pd
import pytest

<<<<<<< HEAD
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
=======
from healthmate_bi_pipeline.domain.lifecycle import l_curve, lifecycles, stickiness, trailing_users
from healthmate_bi_pipeline.domain.retention import cohort_retention
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.running import SHARED_DATA, drop_file, engagement, opened, query, refresh

CLICKS = SHARED_DATA / "oulad" / "studentVle_ds" / "code_module=AAA"
ANCHOR = pd.Timestamp(2013, 10, 1)
LAST_DAY = 100  # days of the course that are looked at
NOW = datetime(2014, 2, 1, 12)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CLICKS.exists(), reason="the OULAD clicks are not there"),
]


@pytest.fixture(scope="module")
def clicks() -> pd.DataFrame:
    rows = pd.read_parquet(CLICKS)
    rows = rows[(rows["code_presentation"].astype(str) == "2013J") & (rows["date"] <= LAST_DAY)]
    return pd.DataFrame(
        {
            "user_id": rows["id_student"].astype(int),
            "event": "page_view",
            "name": rows["id_site"].astype(int).astype(str),
            "occurred_at": ANCHOR + pd.to_timedelta(rows["date"], unit="D") + pd.Timedelta(hours=12),
            "count": rows["sum_click"].astype(int),
        }
    )


@pytest.fixture(scope="module")
def table(clicks: pd.DataFrame) -> pd.DataFrame:
    """Students by days: who clicked."""
    day = clicks["occurred_at"].dt.normalize()
    flags = pd.crosstab(clicks["user_id"], day) > 0
    return flags.reindex(columns=pd.date_range(day.min(), day.max()), fill_value=False)


@pytest.fixture(scope="module")
def pipeline(clicks: pd.DataFrame, journey_settings: Settings) -> Iterator[Pipeline]:
    drop_file(journey_settings, "app_events/clicks.csv", clicks.to_csv(index=False))
    with opened(journey_settings, now=NOW) as pipeline:
        refresh(pipeline, groups=("staged", "raw", "state"))
        refresh(pipeline, groups=("user_engagement", "engagement_groups"))
        yield pipeline


def test_no_click_is_lost_and_none_counted_twice(pipeline: Pipeline, clicks: pd.DataFrame) -> None:
    assert clicks.duplicated().any()
    by_day = clicks.groupby(["user_id", clicks["occurred_at"].dt.normalize()])["count"].sum()
    found = engagement(pipeline, "daily")["page_views"].dropna()
    assert found.astype(int).to_dict() == by_day.to_dict()


def test_pages_are_sets(pipeline: Pipeline, clicks: pd.DataFrame) -> None:
    month = clicks["occurred_at"].dt.to_period("M").dt.start_time
    pages = clicks.groupby(["user_id", month])["name"].nunique()
    found = engagement(pipeline, "monthly")["pages_visited_count"].dropna()
    assert found.astype(int).to_dict() == pages.to_dict()


def test_active_people(pipeline: Pipeline, table: pd.DataFrame) -> None:
    rows = query(
        pipeline,
        "SELECT * FROM bi_engagement_activity WHERE aggregation_period = 'daily' ORDER BY period_start",
    )
    rows = rows.set_index("period_start").loc[table.columns]
    active = table.to_numpy()
    assert rows["active_people"].tolist() == active.sum(axis=0).tolist()
    assert rows["weekly_active_people"].tolist() == trailing_users(active, days=7).tolist()
    assert rows["monthly_active_people"].tolist() == trailing_users(active, days=28).tolist()
    expected = [stickiness(active[:, : number + 1]) for number in range(active.shape[1])]
    assert rows["stickiness"].tolist() == pytest.approx(expected)


def test_the_l28_curve(pipeline: Pipeline, table: pd.DataFrame) -> None:
    day = date(2013, 12, 20)
    rows = query(
        pipeline,
        "SELECT active_days, people FROM bi_engagement_active_days WHERE aggregation_period = 'daily'"
        " AND period_start = :day AND window_days = 28",
        day=day,
    )
    curve = l_curve(table.loc[:, : pd.Timestamp(day)].to_numpy(), days=28).tolist()
    assert dict(rows.itertuples(index=False)) == {
        n: people for n, people in enumerate(curve, start=1) if people
    }


def _weeks(table: pd.DataFrame) -> np.ndarray:
    weeks = table.columns.to_period("W-SUN")
    return table.T.groupby(weeks).any().T.to_numpy()


def test_lifecycle_by_week(pipeline: Pipeline, table: pd.DataFrame) -> None:
    rows = query(pipeline, "SELECT * FROM bi_engagement_lifecycle WHERE aggregation_period = 'weekly'")
    counts = rows.pivot_table(index="period_start", columns="lifecycle", values="people", fill_value=0)
    weeks = _weeks(table)
    starts = pd.date_range(
        table.columns[0] - pd.Timedelta(days=table.columns[0].weekday()), periods=weeks.shape[1], freq="7D"
    )
    counts = counts.reindex(starts, fill_value=0)
    for stage, flags in lifecycles(weeks).items():
        assert counts[str(stage)].tolist() == flags.sum(axis=0).tolist(), stage


def test_retention_by_week(pipeline: Pipeline, table: pd.DataFrame) -> None:
    rows = query(pipeline, "SELECT * FROM bi_engagement_cohorts WHERE interval = 'weekly'")
    weeks = _weeks(table)
    first = (table.columns[0] - pd.Timedelta(days=table.columns[0].weekday())).date()
    cells = cohort_retention(weeks, finished=weeks.shape[1])
    found = {
        ((row.cohort_start - first).days // 7, row.number): (row.people, row.active_people)
        for row in rows.itertuples()
    }
    for cohort, number, people, active in zip(
        cells.cohort.tolist(),
        cells.interval.tolist(),
        cells.people.tolist(),
        cells.active.tolist(),
        strict=True,
    ):
        assert found[cohort, number] == (people, active)
>>>>>>> performance
