"""The import of the real export of Furberg et al. (2016), against a count by pandas."""

from pathlib import Path

import pandas as pd
import pytest

from healthmate_bi_pipeline_tests.sources.fitbit.exports import frame_of, imported

EXPORT = Path(__file__).parents[4] / "shared" / "data" / "fitbit"

pytestmark = pytest.mark.skipif(not EXPORT.is_dir(), reason=f"the real export is not at {EXPORT}")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return imported(EXPORT, tmp_path_factory.mktemp("landing"), "UTC")


@pytest.fixture(scope="module")
def activity(result):
    return frame_of(result, "activity_intervals")


def read(name):
    return pd.read_csv(EXPORT / name)


def test_every_line_of_every_file_is_read(result):
    assert not result.problems
    assert not result.unused
    lines = {file.path: file.lines for file in result.inputs}
    assert lines == {
        path.relative_to(EXPORT).as_posix(): len(pd.read_csv(path)) for path in EXPORT.rglob("*.csv*")
    }
    assert result.rows == {
        "activity_intervals": 24_084 + 457,
        "health_readings": 530_859 + 33,
        "sleep_sessions": 194,
        "users": 35,
    }


def test_people(result):
    ids = {
        str(number) for path in EXPORT.rglob("*.csv*") for number in pd.read_csv(path, usecols=["Id"])["Id"]
    }
    assert set(result.identities["foreign_id"].to_pylist()) == ids
    assert set(frame_of(result, "users")["user_id"]) == set(result.identities["user_id"].to_pylist())


def test_daily_totals(activity):
    daily, source = activity[activity["is_daily_total"]], read("mar/dailyActivity_merged.csv")
    assert len(daily) == len(source)
    assert daily["steps"].sum() == source["TotalSteps"].sum()
    assert daily["calories_kcal"].sum() == source["Calories"].sum()
    assert daily["moderate_minutes"].sum() == source["FairlyActiveMinutes"].sum()
    assert daily["vigorous_minutes"].sum() == source["VeryActiveMinutes"].sum()
    assert daily["distance_m"].sum() == pytest.approx(source["TotalDistance"].sum() * 1000)
    by_day = source.groupby(pd.to_datetime(source["ActivityDate"], format="%m/%d/%Y"))["TotalSteps"].sum()
    assert daily.groupby("started_at")["steps"].sum().to_dict() == by_day.to_dict()


@pytest.mark.parametrize(
    ("column", "file", "source_column"),
    [
        ("steps", "mar/hourlySteps_merged.csv", "StepTotal"),
        ("calories_kcal", "mar/hourlyCalories_merged.csv", "Calories"),
        ("intensity_points", "mar/hourlyIntensities_merged.csv", "TotalIntensity"),
    ],
)
def test_hours(activity, column, file, source_column):
    hourly, source = activity[~activity["is_daily_total"]], read(file)
    assert hourly[column].count() == len(source)
    by_hour = source.groupby(pd.to_datetime(source["ActivityHour"], format="%m/%d/%Y %I:%M:%S %p"))[
        source_column
    ].sum()
    assert hourly.groupby("started_at")[column].sum().to_dict() == by_hour.to_dict()
    assert not hourly.duplicated(["user_id", "started_at"]).any()


def test_nights(result):
    nights, source = frame_of(result, "sleep_sessions"), read("apr_sleep/sleepDay_merged.csv")
    once = source.drop_duplicates()  # the export holds a night of one person twice
    assert len(source) - len(once) == 1
    assert nights["asleep_minutes"].sum() == once["TotalMinutesAsleep"].sum()
    assert nights["in_bed_minutes"].sum() == once["TotalTimeInBed"].sum()


def test_heart_rate_and_weight(result):
    readings = frame_of(result, "health_readings")
    heart, source = (
        readings[readings["metric"] == "heart_rate"],
        read("heartrate/heartrate_seconds_mar_5users.csv.gz"),
    )
    assert heart["value"].describe().to_dict() == source["Value"].describe().to_dict()
    times = pd.to_datetime(source["Time"], format="%m/%d/%Y %I:%M:%S %p")
    assert (heart["recorded_at"].to_numpy() == times.to_numpy()).all()  # the order is that of the lines
    assert heart["origin"].iloc[[0, -1]].tolist() == [
        "heartrate/heartrate_seconds_mar_5users.csv.gz:2",
        f"heartrate/heartrate_seconds_mar_5users.csv.gz:{len(source) + 1}",
    ]
    weight, log = readings[readings["metric"] == "weight"], read("mar/weightLogInfo_merged.csv")
    assert weight["value"].sum() == pytest.approx(log["WeightKg"].sum())
    assert (weight["source"] == "fitbit manual").sum() == log["IsManualReport"].sum()
