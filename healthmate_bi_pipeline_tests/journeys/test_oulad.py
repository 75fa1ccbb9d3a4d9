"""Clicks of the students of an online course (OULAD, Kuzilek 2017, CC BY 4.0) as app events.

Days are offsets from the start of the course, which is taken for 2013-10-01. Equal rows are separate clicks. Active
people and retention must be what one table of students by days gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

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
