"""People that could be real: they differ, have days, weeks and seasons, fall ill, travel and stay away."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.sources.demo import write_demo
from healthmate_bi_pipeline_tests.sources.demo.reading import good_readings, read_device

FIRST, LAST = date(2025, 11, 1), date(2026, 8, 9)
EUROPE = ["Europe/Berlin", "Europe/Madrid", "Europe/London"]  # all change on the same day
DAYS = (LAST - FIRST).days + 1


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("landing")
    write_demo(folder, first_day=FIRST, last_day=LAST, people=100)
    return folder


@pytest.fixture(scope="module")
def users(landing):
    users = read_device(landing, "users", "users")
    return users[(users["birth_year"] < 2030) & (users["time_zone"] != "Europe/Atlantis")]


@pytest.fixture(scope="module")
def pulse(landing):
    readings = good_readings(read_device(landing, "health_readings", "watch"))
    return with_wall_clock(readings, "recorded_at")


@pytest.fixture(scope="module")
def hours(landing):
    frame = read_device(landing, "activity_intervals", "watch")
    return with_wall_clock(frame[(frame["steps"] >= 0) & frame["started_at"].notna()], "started_at")


@pytest.fixture(scope="module")
def totals(landing):
    frame = read_device(landing, "activity_intervals", "daily")
    return frame[(frame["steps"] >= 0) & (frame["ended_at"] > frame["started_at"])]


def with_wall_clock(frame, column):
    offset = pd.to_timedelta(frame["utc_offset_minutes"], unit="min")
    return frame.assign(local=frame[f"{column}_local"] + offset)


def readings_of(landing, device, metric):
    readings = good_readings(read_device(landing, "health_readings", device))
    return readings[readings["metric"] == metric]


def test_people_differ(users):
    first = users.drop_duplicates("user_id")
    ages = FIRST.year - first["birth_year"]
    assert ages.between(18, 92).all()
    assert ages.std() > 12
    assert first["sex"].value_counts(normalize=True)[["female", "male"]].min() > 0.3
    assert first["time_zone"].nunique() == 7
    assert set(first["nicotine_use"].dropna()) <= {
        "never", "quit_5_years", "quit_1_year", "quit_recently", "e_cigarette", "smoker",
    }  # fmt: skip
    assert first["nicotine_use"].isna().mean() == pytest.approx(0.3, abs=0.15)
    assert first["mepa_score"].dropna().between(0, 16).all()
    for trait in ("is_bp_treated", "has_diabetes", "is_lipid_treated"):
        assert 0.03 < first[trait].mean() < 0.5


def test_records_have_versions_for_moves_and_treatments(users):
    later = users[users["valid_from"].notna()]
    first = users.drop_duplicates("user_id").set_index("user_id")
    before = first.loc[later["user_id"]]
    moved = before["time_zone"].to_numpy() != later["time_zone"].to_numpy()
    treated = ~before["is_bp_treated"].to_numpy() & later["is_bp_treated"].to_numpy()
    assert moved.any()
    assert treated.any()
    mover = users[users["user_id"] == 1001]
    assert mover["time_zone"].tolist()[:2] == ["Europe/Berlin", "America/New_York"]


def test_somebody_has_data_and_no_record(landing, users):
    seen = set(read_device(landing, "activity_intervals")["user_id"])
    assert seen - set(users["user_id"]) == {1060}


def test_days_of_23_and_25_hours(landing, users):
    totals = read_device(landing, "activity_intervals", "daily")
    at_home = users[~users["user_id"].duplicated(keep=False)]
    totals = totals.merge(at_home[["user_id", "time_zone"]], on="user_id")
    assert totals["started_at_local"].dropna().dt.hour.eq(0).mean() > 0.99

    def most_hours(zones, day):
        of_hours = pulse_hours[(pulse_hours["time_zone"].isin(zones)) & (pulse_hours["local"].dt.date == day)]
        return of_hours.groupby("user_id")["recorded_at"].agg(lambda at: at.dt.floor("h").nunique()).max()

    readings = good_readings(read_device(landing, "health_readings", "watch"))
    readings = readings[readings["source"] != "watch Pulse 3"]
    pulse_hours = with_wall_clock(readings, "recorded_at").merge(
        at_home[["user_id", "time_zone"]], on="user_id"
    )
    assert most_hours(EUROPE, date(2026, 3, 29)) == 23
    assert most_hours(EUROPE, date(2026, 3, 30)) == 24


def test_days_and_weeks_have_a_rhythm(pulse, hours, totals):
    by_hour = pulse.groupby(pulse["local"].dt.hour)["kept"].mean()
    assert by_hour[[2, 3, 4]].max() < by_hour[[9, 13, 16]].min() < by_hour[[17, 18]].min()
    steps = hours.groupby(hours["local"].dt.hour)["steps"].mean()
    assert steps[[4, 23]].max() < steps[[12, 17, 18]].min()
    assert 4_000 < totals["steps"].mean() < 11_000
    weekend = totals["started_at_local"].dt.day_of_week >= 5
    mine, others = (totals[part].groupby("user_id")["steps"].mean() for part in (weekend, ~weekend))
    assert (mine / others).std() > 0.1


def test_nights_with_a_reading_each_five_minutes_give_a_resting_heart_rate(pulse):
    """Six slots of five minutes with a reading, one behind the other, between 3 and 7."""
    night = pulse[(pulse["local"].dt.hour >= 3) & (pulse["local"].dt.hour < 7)]
    slots = night.assign(
        day=night["local"].dt.date, slot=(night["local"].dt.hour - 3) * 12 + night["local"].dt.minute // 5
    ).drop_duplicates(["user_id", "day", "slot"])
    dense = slots.groupby(["user_id", "day"]).filter(lambda rows: len(rows) > 30)
    grid = dense.pivot_table(index=["user_id", "day"], columns="slot", values="kept")
    lowest = grid.T.rolling(6).mean().min()
    assert len(lowest) > 100
    assert (lowest.notna()).mean() > 0.95
    assert lowest.groupby("user_id").mean().between(40, 85).all()
    assert pulse["user_id"].nunique() > grid.index.get_level_values(0).nunique() >= 8


def test_infections_raise_temperature_and_pulse_and_bring_symptoms(landing, pulse):
    fevers = readings_of(landing, "home", "body_temperature")
    fevers = fevers[fevers["kept"] > 37.8]
    days = pd.MultiIndex.from_arrays([fevers["user_id"], fevers["recorded_at_local"].dt.date])
    night = pulse[pulse["local"].dt.hour < 5]
    is_ill = pd.MultiIndex.from_arrays([night["user_id"], night["local"].dt.date]).isin(days)
    ill, well = (night[part].groupby("user_id")["kept"].mean() for part in (is_ill, ~is_ill))
    assert (ill - well).dropna().mean() == pytest.approx(8, abs=1.5)
    logs = read_device(landing, "symptom_logs", "diary").dropna(subset=["recorded_at", "symptom"])
    coughs = logs[logs["symptom"] == "cough"]
    on_ill_days = pd.MultiIndex.from_arrays([coughs["user_id"], coughs["recorded_at_local"].dt.date]).isin(
        days
    )
    assert on_ill_days.mean() > 0.4
    assert logs["severity"].between(0, 11).all()
    assert logs["symptom"].nunique() == 8


def test_conditions_show(landing, users):
    first = users.drop_duplicates("user_id").set_index("user_id")
    sticks = readings_of(landing, "meter", "blood_glucose")
    fasting = sticks[sticks["context"] == "fasting"].groupby("user_id")["kept"].median()
    has = first["has_diabetes"].reindex(fasting.index).fillna(value=False).astype(bool)
    assert fasting[has].mean() > 130 > 115 > fasting[~has].mean()
    labs = read_device(landing, "health_readings", "lab")
    hba1c = (
        labs[(labs["metric"] == "hba1c") & (labs["value"] < 20)]
        .groupby("user_id")["value"]
        .agg(["mean", "size"])
    )
    assert first.loc[hba1c.index.intersection(first.index), "has_diabetes"].all()
    assert hba1c["mean"].mean() == pytest.approx(6.7, abs=0.6)
    assert 2 <= hba1c["size"].median() <= 4  # a quarter each
    assert labs["metric"].value_counts()["non_hdl_cholesterol"] > 25
    assert set(labs.loc[labs["metric"] == "blood_glucose", "context"]) == {"fasting"}


def test_sensors_are_worn_for_two_weeks_and_more(landing):
    sensor = good_readings(read_device(landing, "health_readings", "cgm"))
    per_day = sensor.groupby(["user_id", sensor["recorded_at"].dt.date]).size()
    assert per_day.median() > 0.9 * 288
    assert per_day.groupby("user_id").size().median() >= 14
    assert set(sensor["context"]) == {"cgm"}
    assert sensor["kept"].between(40, 400).all()


def test_units_and_models_vary(landing):
    readings = read_device(landing, "health_readings")
    units = readings.groupby("metric")["unit"].agg(set)
    assert {"mg/dL", "mmol/L"} <= units["blood_glucose"]
    assert {"°C", "°F"} <= units["body_temperature"]
    assert {"kg", "lb"} <= units["weight"]
    assert {"cm", "in"} <= units["height"]
    assert {"oxygen_saturation", "hba1c", "non_hdl_cholesterol"} <= set(units.index)
    kinds = readings["source"].drop_duplicates().str.split().str[0].value_counts()
    assert kinds[["watch", "cuff", "scale", "meter"]].min() >= 2


def test_some_have_two_devices_at_once(landing, totals):
    phone = set(read_device(landing, "activity_intervals", "phone")["user_id"])
    watch = set(totals["user_id"])
    assert 5 < len(phone & watch) < len(phone)
    nights = read_device(landing, "sleep_sessions").dropna(subset="ended_at")
    sources = nights.groupby(["user_id", nights["ended_at"].dt.floor("D")])["source"].nunique()
    assert (sources == 2).any()
    assert nights["is_nap"].astype(bool).any()


def test_a_daily_total_is_about_the_sum_of_its_hours(totals, hours):
    sums = (
        hours.groupby(["user_id", hours["local"].dt.floor("D")])["steps"].sum().rename("hours").reset_index()
    )
    both = totals.merge(sums, left_on=["user_id", "started_at_local"], right_on=["user_id", "local"])
    assert totals["is_daily_total"].all()
    assert (both["steps"] / both["hours"]).median() == pytest.approx(1.015, abs=0.02)


def test_days_are_missing_people_come_later_and_leave(totals):
    days = totals.groupby("user_id")["started_at_local"].agg(["min", "max", "nunique"])
    assert days["nunique"].max() < DAYS
    assert (days["min"] > pd.Timestamp(FIRST) + pd.Timedelta(days=14)).mean() > 0.1
    assert (days["max"] < pd.Timestamp(LAST) - pd.Timedelta(days=14)).mean() > 0.1
    assert days["min"].min() == pd.Timestamp(FIRST)
    assert days["max"].max() == pd.Timestamp(LAST)


def test_refills_last_until_the_next_one_or_nearly(landing):
    fills = read_device(landing, "medication_doses", "pharmacy").dropna(subset="filled_at")
    fills = fills[fills["status"] == "filled"].sort_values("filled_at")
    assert fills["days_supply"].isin([30, 90]).all()
    gap = fills.groupby(["user_id", "medication"])["filled_at"].diff().dt.days
    late = (gap - fills["days_supply"]).dropna()
    assert late.quantile(0.05) >= -5
    assert late.median() == pytest.approx(0, abs=2)
    assert (late > 10).any()


def test_doses_are_scheduled_once_or_twice_a_day_and_taken_when_needed(landing):
    doses = read_device(landing, "medication_doses", "app")
    needed = doses["is_as_needed"]
    assert doses.loc[needed, "scheduled_at"].isna().all()
    assert set(doses.loc[~needed, "status"]) >= {"taken", "skipped", "unlogged"}
    taken = doses["status"] == "taken"
    assert doses.loc[taken & ~needed, "taken_at"].notna().mean() > 0.99
    assert doses.loc[doses["status"].isin(["skipped", "unlogged"]), "taken_at"].isna().all()
    scheduled = doses[~needed & doses["scheduled_at"].notna() & ~doses["dose_id"].str.endswith("-again")]
    day = scheduled["scheduled_at_local"].dt.date
    per_day = scheduled.groupby(["medication", "user_id", day]).size()
    expected = per_day.index.get_level_values("medication").map({"metformin 850 mg": 2}).fillna(1)
    assert (per_day == expected).mean() > 0.99  # a journey across the date line has days of its own
    assert doses["dose_id"].str.endswith("-again").any()  # taken twice


def test_numbers_are_plain(landing):
    """Nothing is written with more digits than a device shows, so that no machine's last bit shows."""
    for dataset, columns in (
        ("health_readings", ["value"]),
        ("activity_intervals", ["steps", "calories_kcal", "distance_m"]),
        ("sleep_sessions", ["asleep_minutes", "in_bed_minutes"]),
    ):
        for column in columns:
            values = read_device(landing, dataset)[column].dropna().to_numpy()
            assert np.array_equal(values, np.round(values, 3))
