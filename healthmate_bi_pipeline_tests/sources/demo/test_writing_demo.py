"""The demo: the same bytes every time, and people that could be real."""

from datetime import date
from hashlib import sha256

import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.datasets import DATASETS
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.sources.demo import write_demo
from healthmate_bi_pipeline.sources.demo.writing_demo import PEOPLE_OF_A_BLOCK
from healthmate_bi_pipeline_tests.sources.demo.reading import (
    count_bad,
    instants,
    read_dataset,
    read_device,
    read_file,
)

FIRST, LAST = date(2026, 2, 23), date(2026, 4, 19)  # clocks change in New York, Berlin and Auckland
MEASURED = ("health_readings", "activity_intervals", "sleep_sessions")
KEYS = {
    "health_readings": ["user_id", "metric", "recorded_at", "source"],
    "activity_intervals": ["user_id", "source", "started_at", "ended_at"],
    "sleep_sessions": ["user_id", "source", "started_at"],
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    landing = tmp_path_factory.mktemp("landing")
    return landing, write_demo(landing, first_day=FIRST, last_day=LAST)


@pytest.fixture(scope="module")
def landing(demo):
    return demo[0]


@pytest.fixture(scope="module")
def watch(landing):
    """Heart rate of the watch with wall-clock times, bad rows apart."""
    return with_local_time(landing, good(read_device(landing, "health_readings", "watch")), "recorded_at")


@pytest.fixture(scope="module")
def hours(landing):
    frame = read_device(landing, "activity_intervals", "watch")
    return with_local_time(landing, frame[(frame["steps"] >= 0) & frame["started_at"].notna()], "started_at")


def good(readings):
    return readings[(readings["value"] < 1_000) & readings["recorded_at"].notna()]


def with_local_time(landing, frame, column):
    """The time where each person was, by their record; who has none and who moved is left out."""
    users = read_device(landing, "users", "users")
    users = users[~users["user_id"].duplicated(keep=False)]
    frame = frame.merge(users[["user_id", "time_zone"]], on="user_id")
    parts = [
        part.assign(local=part[column].dt.tz_convert(zone).dt.tz_localize(None))
        for zone, part in frame.groupby("time_zone")
    ]
    return pd.concat(parts)


def hashes(folder):
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_arguments_give_the_same_bytes(demo, tmp_path):
    landing, result = demo
    write_demo(tmp_path / "again", first_day=FIRST, last_day=LAST, people=60, seed=20)
    assert hashes(tmp_path / "again") == hashes(landing)
    assert {path.relative_to(landing).as_posix() for path in result.files} == set(hashes(landing))


def test_another_seed_gives_other_people(landing, tmp_path):
    write_demo(tmp_path / "other", first_day=FIRST, last_day=LAST, seed=21)
    other, first = hashes(tmp_path / "other"), hashes(landing)
    assert other.keys() == first.keys()
    assert not set(other.values()) & set(first.values())


def test_every_dataset_has_its_columns_and_several_formats_are_used(demo):
    landing, result = demo
    endings = {path.name.split(".", 1)[1] for path in result.files}
    assert endings == {"parquet", "csv", "csv.gz", "csv.zst", "ndjson", "ndjson.zst"}
    for dataset in DATASETS:
        frame = read_dataset(landing, dataset.name)
        assert len(frame) == result.counts[dataset.name].rows
        known = {field.name for field in dataset.fields}
        for path in (landing / dataset.name).iterdir():
            assert set(dataset.required) <= set(read_file(path).columns) <= known


@pytest.mark.parametrize("dataset", MEASURED)
def test_about_3_rows_in_1000_are_bad_and_no_other(demo, dataset):
    landing, result = demo
    counts = result.counts[dataset]
    # Counted a second time from the files, by the limits and units of the catalog.
    assert count_bad(read_dataset(landing, dataset), dataset) == counts.bad
    assert 0.001 < counts.bad / counts.rows < 0.007
    assert (
        0.0025
        < sum(c.bad for c in result.counts.values()) / sum(c.rows for c in result.counts.values())
        < 0.0035
    )


@pytest.mark.parametrize("dataset", MEASURED)
def test_the_second_files_are_late_corrected_deleted_and_repeated_rows(demo, dataset):
    landing, result = demo
    frame, counts = read_dataset(landing, dataset), result.counts[dataset]
    is_second = frame["file"].str.contains("-2.", regex=False)
    first, second = frame[~is_second], frame[is_second]
    assert min(counts.late, counts.corrected, counts.deleted, counts.repeated) > 0
    assert len(second) == counts.late + counts.corrected + counts.deleted + counts.repeated
    assert first["is_deleted"].notna().sum() == 0
    assert second["is_deleted"].notna().sum() == counts.deleted
    both = second.merge(first, on=KEYS[dataset], suffixes=("", "_first"))
    both = both.dropna(subset=KEYS[dataset])
    assert len(both) == counts.corrected + counts.deleted + counts.repeated
    values = [name for name in ("value", "steps", "asleep_minutes") if name in frame]
    differs = (both[values].to_numpy() != both[[f"{name}_first" for name in values]].to_numpy()).any(axis=1)
    assert differs.sum() == counts.corrected


def test_people_live_in_zones_with_and_without_clock_changes(landing):
    users = read_device(landing, "users", "users")
    assert {"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"} <= set(
        users["time_zone"]
    )
    assert set(users["sex"]) <= {"female", "male", "other"}
    assert users["birth_year"].between(1930, 2010).all()
    moved = users[users["user_id"].duplicated(keep=False)]
    assert moved["time_zone"].tolist() == ["Europe/Berlin", "America/New_York"]
    assert moved["valid_from"].isna().tolist() == [True, False]


def test_somebody_has_data_and_no_record(landing):
    users = set(read_device(landing, "users", "users")["user_id"])
    seen = {user for dataset in MEASURED for user in read_dataset(landing, dataset)["user_id"]}
    assert len(seen - users) == 1
    assert len(users) == 59


def test_the_clock_of_a_device_is_the_one_of_its_people(landing):
    users = read_device(landing, "users", "users").drop_duplicates("user_id", keep=False)
    hours = (
        read_device(landing, "activity_intervals", "watch")
        .merge(users, on="user_id")
        .dropna(subset="started_at")
    )
    for zone, part in hours.groupby("time_zone"):
        wall = part["started_at"].dt.tz_convert(zone).dt.tz_localize(None)
        offset = (wall - part["started_at"].dt.tz_localize(None)).dt.total_seconds() / 60
        assert offset.tolist() == part["utc_offset_minutes"].tolist()
    cuff = (
        read_device(landing, "health_readings", "cuff")
        .merge(users, on="user_id")
        .dropna(subset="recorded_at")
    )
    for zone, part in cuff.groupby("time_zone"):
        at = instants(part["recorded_at"]).dt.tz_convert(zone).dt.strftime("%Y-%m-%dT%H:%M:%S%z")
        assert (at.str.slice(0, -2) + ":" + at.str.slice(-2)).tolist() == part["recorded_at"].tolist()


def test_days_of_23_and_25_hours(hours):
    def hours_of(zone, day):
        part = hours[(hours["time_zone"] == zone) & (hours["local"].dt.date == day)]
        return part.groupby("user_id").size().max()

    assert hours_of("Europe/Berlin", date(2026, 3, 29)) == 23
    assert hours_of("Europe/Berlin", date(2026, 3, 30)) == 24
    assert hours_of("Pacific/Auckland", date(2026, 4, 5)) == 25


def test_days_and_weeks_have_a_rhythm(watch, hours):
    by_hour = watch.groupby(watch["local"].dt.hour)["value"].mean()
    assert by_hour[[2, 3, 4]].max() < by_hour.mean() < by_hour[[17, 18]].min()
    steps = hours.groupby(hours["local"].dt.hour)["steps"].mean()
    assert steps[[2, 3, 4]].max() < 30 < 300 < steps[[12, 17, 18]].min()
    per_day = hours.groupby(["user_id", hours["local"].dt.date])["steps"].sum()
    assert 4_000 < per_day.mean() < 11_000
    is_weekend = pd.to_datetime(per_day.index.get_level_values(1)).day_of_week >= 5
    ratio = per_day[is_weekend].groupby("user_id").mean() / per_day[~is_weekend].groupby("user_id").mean()
    assert ratio.std() > 0.1


def test_a_blood_pressure_is_two_rows_of_one_reading(landing):
    cuff = good(read_device(landing, "health_readings", "cuff")).query("unit != 'furlong'")
    pairs = cuff.pivot_table(index="reading_id", columns="metric", values="value").dropna()
    assert len(pairs) > 0.95 * cuff["reading_id"].nunique()
    assert (pairs["blood_pressure_systolic"] >= pairs["blood_pressure_diastolic"] + 15).all()


def test_units_and_contexts_vary(landing):
    readings = read_dataset(landing, "health_readings")
    units = readings.groupby("metric")["unit"].agg(set)
    assert {"mg/dL", "mmol/L"} <= units["blood_glucose"]
    assert {"°C", "°F"} <= units["body_temperature"]
    assert {"kg", "lb"} <= units["weight"]
    assert "oxygen_saturation" in units
    assert {"fasting", "after_meal", "cgm"} <= set(
        readings.loc[readings["metric"] == "blood_glucose", "context"]
    )


def test_some_have_two_devices_at_once(landing):
    phone = read_device(landing, "activity_intervals", "phone")
    assert phone["started_at"].dt.tz is None  # by the clock on the wall
    watch = read_device(landing, "activity_intervals", "watch")
    both = set(phone["user_id"]) & set(watch["user_id"])
    assert 5 < len(both) < len(set(phone["user_id"]))
    nights = read_dataset(landing, "sleep_sessions").dropna(subset="ended_at")
    sources = nights.groupby(["user_id", nights["ended_at"].dt.floor("D")])["source"].nunique()
    assert (sources == 2).any()
    assert nights["is_nap"].any()


def test_a_daily_total_is_about_the_sum_of_its_hours(landing, hours):
    daily = read_device(landing, "activity_intervals", "daily")
    daily = daily[(daily["steps"] >= 0) & (daily["ended_at"] > daily["started_at"])]
    assert daily["is_daily_total"].all()
    assert ((daily["ended_at"] - daily["started_at"]).dt.days == 1).all()
    sums = (
        hours.groupby(["user_id", hours["local"].dt.floor("D")])["steps"].sum().rename("hours").reset_index()
    )
    both = daily.merge(sums, left_on=["user_id", "started_at"], right_on=["user_id", "local"])
    ratio = both["steps"] / both["hours"]
    assert (ratio != 1).mean() > 0.9
    assert ratio.median() == pytest.approx(1.02, abs=0.01)


def test_days_are_missing_and_all_lie_in_the_span(watch, hours):
    days = watch.groupby("user_id")["local"].agg(lambda local: local.dt.date.nunique())
    assert days.max() <= (LAST - FIRST).days + 1
    assert days.median() < (LAST - FIRST).days
    assert hours["local"].min() >= pd.Timestamp(FIRST)
    assert hours["local"].max() < pd.Timestamp(LAST) + pd.Timedelta(days=1)


def test_it_may_be_small(tmp_path):
    result = write_demo(tmp_path, first_day=FIRST, last_day=FIRST, people=1)
    assert result.counts["users"].rows == 1


def test_people_are_made_in_blocks(tmp_path):
    seen = []
    count = PEOPLE_OF_A_BLOCK + 1
    write_demo(
        tmp_path, first_day=FIRST, last_day=FIRST, people=count, progress=lambda *step: seen.append(step)
    )
    assert [share for _, share in seen] == [0, PEOPLE_OF_A_BLOCK / count, 1]
    users = read_device(tmp_path, "users", "users")
    assert users["user_id"].is_unique
    assert len(users) == count - 1


@pytest.mark.parametrize(
    "arguments",
    [{"people": 0}, {"seed": -1}, {"last_day": date(2026, 2, 22)}],
    ids=lambda value: next(iter(value)),
)
def test_wrong_arguments_are_refused(tmp_path, arguments):
    with pytest.raises(UsageError):
        write_demo(tmp_path / "landing", **({"first_day": FIRST, "last_day": LAST} | arguments))
    assert not (tmp_path / "landing").exists()
