"""Every measure of engagement at every grain, and every figure of every period, against its values at once.

See ``test_roll_up``: rows are rolled up in steps, and each state and figure must be what the values of its whole
period give (``engagement_rolling``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.engagement import ENGAGEMENT_FIGURES, ENGAGEMENT_MEASURES
from healthmate_bi_pipeline.catalog.families import ENGAGEMENT, state_table
from healthmate_bi_pipeline.catalog.figures import Figure, Statistic
from healthmate_bi_pipeline.domain.engagement import (
    engagement_score,
    interaction,
    loyalty,
    recency,
)
from healthmate_bi_pipeline.domain.period import Grain
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.accounts import lake_frame
from healthmate_bi_pipeline_tests.comparing import FREQUENCY, PERIODS, assert_equal, period_start
from healthmate_bi_pipeline_tests.journeys.engagement_rolling import Rows, random_rows, values_of
from healthmate_bi_pipeline_tests.running import drop_file, engagement, opened, refresh

pytestmark = pytest.mark.slow

KEY = ["user_id", "measure", "item", "slot"]
ROW = ["user_id", "period_start"]
NOT_ADDED = "session_day"  # only its extremes mean something


@pytest.fixture(scope="module")
def rows() -> Rows:
    return random_rows(seed=20_240_229)


@pytest.fixture(scope="module")
def values(rows: Rows) -> pd.DataFrame:
    return values_of(rows)


@pytest.fixture(scope="module")
def pipeline(rows: Rows, journey_settings: Settings) -> Iterator[Pipeline]:
    half = len(rows.events) // 2
    drop_file(journey_settings, "login_sessions/all.csv", rows.sessions.to_csv(index=False))
    drop_file(journey_settings, "app_events/one.csv", rows.events[:half].to_csv(index=False))
    drop_file(journey_settings, "app_events/other.csv", rows.events[half:].to_csv(index=False))
    with opened(journey_settings, now=datetime(2025, 3, 1, 12)) as pipeline:
        refresh(pipeline, groups=("staged", "raw", "state"))
        refresh(pipeline, groups=("user_engagement",))
        yield pipeline


def test_every_measure_has_values_to_be_compared(values: pd.DataFrame) -> None:
    names = {measure.name for measure in ENGAGEMENT_MEASURES}
    assert set(values["measure"]) == names, "a new measure needs its values in journeys/engagement_rolling.py"


@pytest.mark.parametrize("grain", ENGAGEMENT.grains)
def test_the_state_is_that_of_the_whole(pipeline: Pipeline, values: pd.DataFrame, grain: Grain) -> None:
    frame = lake_frame(pipeline, state_table(ENGAGEMENT, grain).name)
    slot = pd.to_datetime(frame["month" if grain is Grain.MONTH else "day"])
    if grain is Grain.HOUR:
        slot += pd.to_timedelta(frame["hour"], unit="h")
    state = frame.assign(slot=slot).set_index(KEY)
    period = {Grain.HOUR: "hourly", Grain.DAY: "daily", Grain.MONTH: "monthly"}[grain]
    mine = values.assign(slot=period_start(values["at"], period), day=values["at"].dt.normalize())
    grouped = mine.groupby(KEY)
    assert_equal(state["n"], grouped.size())
    added = mine[mine["measure"] != NOT_ADDED]
    sums = added["value"].groupby([added[name] for name in KEY]).sum(min_count=1)
    squares = (added["value"] ** 2).groupby([added[name] for name in KEY]).sum(min_count=1)
    for found, expected in (
        (state["total"], sums),
        (state["total_squared"], squares),
        (state["low"], grouped["value"].min()),
        (state["high"], grouped["value"].max()),
    ):
        assert_equal(found, expected)
    if grain is not Grain.HOUR:
        assert_equal(state["days"], grouped["day"].nunique())
        first_days = pd.to_datetime(state["first_day"]).sort_index()
        assert (first_days == grouped["day"].min().reindex(first_days.index)).all()


def _expected(values: pd.DataFrame, figure: Figure, period: str) -> pd.Series:
    mine = values[values["measure"] == figure.measure]
    by = [mine["user_id"], period_start(mine["at"], period)]
    grouped = mine["value"].groupby(by)
    match figure.statistic:
        case Statistic.MEAN:
            found = grouped.mean()
        case Statistic.TOTAL:
            found = grouped.sum()
        case Statistic.COUNT:
            found = grouped.size()
        case Statistic.DAYS:
            found = mine["at"].dt.normalize().groupby(by).nunique()
        case _:
            raise AssertionError(figure.statistic)
    return found / figure.divisor


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize(
    "figure",
    [figure for figure in ENGAGEMENT_FIGURES if figure.statistic is not None],
    ids=lambda figure: figure.name,
)
def test_the_figure_is_that_of_the_whole(
    pipeline: Pipeline, values: pd.DataFrame, figure: Figure, period: str
) -> None:
    found = engagement(pipeline, period)[figure.name]
    if PERIODS.index(period) < PERIODS.index(figure.shortest):
        assert found.isna().all()
        return
    expected = _expected(values, figure, period)
    assert expected.notna().any()
    if figure.type is Type.INTEGER:
        found, expected = found.replace(0, np.nan), expected.replace(0, np.nan)
    assert_equal(found, expected)


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize(("measure", "figure"), [("feature", "features_used"), ("page", "pages_visited")])
def test_the_set_is_that_of_the_whole(
    pipeline: Pipeline, values: pd.DataFrame, measure: str, figure: str, period: str
) -> None:
    mine = values[values["measure"] == measure].assign(
        period_start=lambda rows: period_start(rows["at"], period), day=lambda rows: rows["at"].dt.normalize()
    )
    found = engagement(pipeline, period)
    sets = mine.groupby(ROW)["item"].agg(lambda items: sorted(set(items)))
    shown = found[figure].dropna()
    assert shown.to_dict() == sets.to_dict()
    assert_equal(found[f"{figure.split('_', maxsplit=1)[0]}_{figure.split('_')[1]}_count"], sets.map(len))
    if measure == "feature" and PERIODS.index(period) >= PERIODS.index("weekly"):
        days = mine.groupby([*ROW, "item"])["day"].nunique()
        adopted = (days >= 2).groupby(level=ROW).sum()
        assert_equal(found["features_adopted_count"], adopted)


@pytest.mark.parametrize("period", PERIODS[1:])
def test_the_score_is_that_of_the_whole(pipeline: Pipeline, values: pd.DataFrame, period: str) -> None:
    placed = values.assign(period_start=period_start(values["at"], period))
    counts = placed.groupby([*ROW, "measure"]).size().unstack(fill_value=0)
    last = placed[placed["measure"] == "sessions"].groupby(ROW)["at"].max().reindex(counts.index)
    starts = counts.index.get_level_values("period_start").to_series()
    ends = starts.dt.to_period(FREQUENCY[period]).dt.end_time.dt.normalize().to_numpy()
    silent = (pd.Series(ends, counts.index) - last.dt.normalize()).dt.days
    depth = (counts["deep_sessions"] / counts["sessions"].where(counts["sessions"] > 0)).where(
        counts["page_views"] > 0
    )
    parts = (
        depth,
        recency(silent),
        loyalty(counts["sessions"]),
        interaction(counts["notifications_opened"], counts["notifications_received"]),
    )
    score, available = engagement_score(*parts)
    found = engagement(pipeline, period)
    assert_equal(found["engagement_score"], pd.Series(score, counts.index))
    shown = found["engagement_score_components"].replace(0, np.nan)
    assert_equal(shown, pd.Series(available, counts.index).replace(0, np.nan))
