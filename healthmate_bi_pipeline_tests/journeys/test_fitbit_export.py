"""A real Fitbit export, all the way, against an independent computation from its CSV files in pandas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.domain.identity import foreign_user_id
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.sources.fitbit import import_fitbit
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.running import SHARED_DATA, health, opened, query, refresh

FITBIT = SHARED_DATA / "fitbit"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FITBIT.is_dir(), reason="the real Fitbit export of ../shared/data is not here"),
]


@pytest.fixture(scope="module")
def imported(journey_settings: Settings) -> Iterator[Pipeline]:
    import_fitbit(FITBIT, time_zone="UTC", landing=journey_settings.landing_path)
    with opened(journey_settings, now=datetime(2026, 11, 22, 12)) as pipeline:
        refresh(pipeline)
        yield pipeline


def _csv(name: str, time: str) -> pd.DataFrame:
    frame = pd.read_csv(FITBIT / name)
    frame["at"] = pd.to_datetime(frame[time], format="mixed")
    ids = {one: foreign_user_id("fitbit", str(one)) for one in frame["Id"].unique()}
    return frame.assign(user_id=frame["Id"].map(ids))


def _daily_sums(daily_column: str, hourly_file: str, hourly_column: str) -> pd.Series:
    """Per person and day: the device's own total where there is one, else the sum of the hours."""
    daily = _csv("mar/dailyActivity_merged.csv", "ActivityDate")
    totals = daily.groupby(["user_id", "at"])[daily_column].max()
    hourly = _csv(hourly_file, "ActivityHour")
    sums = hourly.groupby(["user_id", hourly["at"].dt.normalize()])[hourly_column].sum()
    return totals.combine_first(sums).rename("value")


def _assert_equal(found: pd.Series, expected: pd.Series, *, tolerance: float = 1e-9) -> None:
    found, expected = found.dropna().astype(float), expected.dropna().astype(float)
    expected.index.names = found.index.names
    pd.testing.assert_series_equal(
        found.sort_index(), expected.sort_index(), check_names=False, rtol=tolerance, check_index_type=False
    )


def test_every_figure_equals_the_csv_files(imported: Pipeline) -> None:
    steps = _daily_sums("TotalSteps", "mar/hourlySteps_merged.csv", "StepTotal")
    calories = _daily_sums("Calories", "mar/hourlyCalories_merged.csv", "Calories")
    heart = _csv("heartrate/heartrate_seconds_mar_5users.csv.gz", "Time")
    weight = _csv("mar/weightLogInfo_merged.csv", "Date")
    sleep = _csv("apr_sleep/sleepDay_merged.csv", "SleepDay").drop_duplicates()
    daily = _csv("mar/dailyActivity_merged.csv", "ActivityDate")
    daily["exercise"] = daily["VeryActiveMinutes"] + daily["FairlyActiveMinutes"]
    for period in ("daily", "weekly", "monthly", "quarterly", "yearly"):
        rows = health(imported, period)

        def start(at: pd.Series | pd.DatetimeIndex, period: str = period) -> pd.Series:
            at = pd.Series(at)
            if period == "daily":
                return at.dt.normalize()
            return at.dt.to_period(
                {"weekly": "W-SUN", "monthly": "M", "quarterly": "Q", "yearly": "Y"}[period]
            ).dt.start_time

        for column, of_days in (("steps", steps), ("calories_burned", calories)):
            frame = of_days.reset_index()
            frame.columns = ["user_id", "day", "value"]
            grouped = frame.groupby(["user_id", start(frame["day"])])["value"]
            _assert_equal(rows[f"total_{column}"], grouped.sum())
            _assert_equal(rows[f"avg_{column}_per_day"], grouped.mean())
        grouped = heart.groupby(["user_id", start(heart["at"])])["Value"]
        for statistic in ("mean", "min", "max", "count"):
            column = {"mean": "avg_heart_rate", "count": "heart_rate_readings"}.get(
                statistic, f"{statistic}_heart_rate"
            )
            _assert_equal(rows[column].replace(0, np.nan), grouped.agg(statistic))
        grouped = weight.groupby(["user_id", start(weight["at"])])["WeightKg"]
        _assert_equal(rows["avg_weight"], grouped.mean(), tolerance=1e-7)  # kept to the milligram
        minutes = sleep.groupby(["user_id", start(sleep["at"])])[
            ["TotalMinutesAsleep", "TotalTimeInBed"]
        ].sum()
        nights = sleep.groupby(["user_id", start(sleep["at"])]).size()
        _assert_equal(rows["total_sleep_hours"], minutes["TotalMinutesAsleep"] / 60)
        _assert_equal(rows["avg_sleep_hours"], minutes["TotalMinutesAsleep"] / 60 / nights)
        _assert_equal(
            rows["sleep_quality_score"], 100 * minutes["TotalMinutesAsleep"] / minutes["TotalTimeInBed"]
        )
        grouped = daily.groupby(["user_id", start(daily["at"])])["exercise"]
        _assert_equal(rows["total_exercise_minutes"], grouped.sum())


def test_hourly_rows_equal_the_hourly_files(imported: Pipeline) -> None:
    rows = health(imported, "hourly")
    for file, csv_column, column in (
        ("mar/hourlySteps_merged.csv", "StepTotal", "total_steps"),
        ("mar/hourlyCalories_merged.csv", "Calories", "total_calories_burned"),
        ("mar/hourlyIntensities_merged.csv", "TotalIntensity", "total_intensity_points"),
    ):
        hourly = _csv(file, "ActivityHour")
        _assert_equal(rows[column], hourly.groupby(["user_id", "at"])[csv_column].sum())


def test_a_day_native_measure_is_null_in_hourly_rows(imported: Pipeline) -> None:
    rows = health(imported, "hourly")
    for column in ("resting_heart_rate", "avg_sleep_hours", "avg_steps_per_day", "days_with_steps", "nights"):
        assert rows[column].isna().all(), column


def test_daily_totals_differ_from_the_sum_of_hours_and_feed_the_day(imported: Pipeline) -> None:
    hourly = _csv("mar/hourlySteps_merged.csv", "ActivityHour")
    sums = hourly.groupby(["user_id", hourly["at"].dt.normalize()])["StepTotal"].sum()
    daily = (
        _csv("mar/dailyActivity_merged.csv", "ActivityDate").groupby(["user_id", "at"])["TotalSteps"].max()
    )
    both = pd.concat([sums, daily], axis=1, join="inner")
    assert (both["StepTotal"] != both["TotalSteps"]).mean() > 0.1  # the export really is like that
    rows = health(imported, "daily")["total_steps"].rename_axis(both.index.names)
    assert (rows.reindex(both.index) == both["TotalSteps"]).all()


def test_importing_again_changes_nothing(imported: Pipeline, journey_settings: Settings) -> None:
    before = query(imported, "SELECT * FROM bi_aggregated_health_metrics ORDER BY 1, 2, 3")
    import_fitbit(FITBIT, time_zone="UTC", landing=journey_settings.landing_path)
    made = refresh(imported)
    assert {name for name, built in made.items() if built.total} == set()
    pd.testing.assert_frame_equal(
        before, query(imported, "SELECT * FROM bi_aggregated_health_metrics ORDER BY 1, 2, 3")
    )
