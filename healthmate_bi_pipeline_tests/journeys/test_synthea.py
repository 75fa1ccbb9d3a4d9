"""Synthea's patients, all the way, against an independent computation in pandas from its CSV files.

27 people of Massachusetts, their last eleven years: instants in UTC, units in UCUM, ids that are UUIDs, few
visits, small children, prescriptions for a year. The test copies fields to landing files and renames codes; it computes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from healthmate_bi_pipeline.catalog.datasets import HEALTH_READINGS, MEDICATION_DOSES, USERS
from healthmate_bi_pipeline.catalog.families import HEALTH, state_table
from healthmate_bi_pipeline.catalog.lake_tables import quarantine_table, raw_table
from healthmate_bi_pipeline.domain.identity import foreign_user_id
from healthmate_bi_pipeline.domain.period import Grain
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Built, Pipeline
from healthmate_bi_pipeline.warehouse import books
from healthmate_bi_pipeline_tests.accounts import assert_books_balance, fates, lake_frame, rules
from healthmate_bi_pipeline_tests.comparing import PERIODS, assert_equal, period_start
from healthmate_bi_pipeline_tests.running import SHARED_DATA, drop_file, health, opened, query, refresh

SYNTHEA = SHARED_DATA / "synthea_csv_omop27"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SYNTHEA.is_dir(), reason="Synthea's CSV files of ../shared/data are not here"),
]

METRICS = {  # LOINC
    "8480-6": "blood_pressure_systolic",
    "8462-4": "blood_pressure_diastolic",
    "8867-4": "heart_rate",
    "29463-7": "weight",
    "8302-2": "height",
    "8310-5": "body_temperature",
    "2339-0": "blood_glucose",
    "4548-4": "hba1c",
}
FIGURES = {
    "blood_pressure_systolic": "blood_pressure_systolic",
    "blood_pressure_diastolic": "blood_pressure_diastolic",
    "heart_rate": "heart_rate",
    "weight": "weight",
    "body_temperature": "temperature",
    "blood_glucose": "blood_sugar",
    "hba1c": "hba1c",
}
POSSIBLE = {
    "blood_pressure_systolic": (40, 300),
    "blood_pressure_diastolic": (20, 200),
    "heart_rate": (20, 300),
    "weight": (20, 400),
    "height": (50, 260),
    "body_temperature": (30, 44),
    "blood_glucose": (10, 1000),
    "hba1c": (2, 25),
}
PLAUSIBLE = {
    "blood_pressure_systolic": (70, 220),
    "blood_pressure_diastolic": (40, 130),
    "heart_rate": (35, 220),
    "weight": (35, 250),
    "height": (130, 220),
    "body_temperature": (34, 41.5),
    "blood_glucose": (40, 500),
    "hba1c": (4, 15),
}
BODY_MASS_INDEX = "39156-5"
ZONE = "America/New_York"
NOW = datetime(2026, 11, 22, 12)


SINCE = "2013"  # what lies before makes thousands of empty days, each of which is booked


def synthea(name: str) -> pd.DataFrame:
    """A CSV file as text, with the people's numbers."""
    frame = pd.read_csv(SYNTHEA / name, dtype=str, keep_default_na=False)
    column = "Id" if name == "patients.csv" else "PATIENT"
    numbers = {one: foreign_user_id("synthea", one) for one in frame[column].unique()}
    time = {"observations.csv": "DATE", "medications.csv": "START"}.get(name)
    frame = frame if time is None else frame[frame[time] >= SINCE]
    return frame.assign(user_id=frame[column].map(numbers))


def local(instants: pd.Series) -> pd.Series:
    """The clock in Massachusetts."""
    return pd.to_datetime(instants, utc=True).dt.tz_convert(ZONE).dt.tz_localize(None)


def drop_people(settings: Settings) -> None:
    """The people's records: what is known of them there; heights are measured, not on record."""
    people = synthea("patients.csv")
    records = pd.DataFrame(
        {
            "user_id": people["user_id"],
            "birth_year": people["BIRTHDATE"].str[:4],
            "sex": people["GENDER"].map({"M": "male", "F": "female"}),
            "time_zone": ZONE,
            "source": "synthea",
        }
    )
    drop_file(settings, "users/patients.csv", records.to_csv(index=False))


def _drop_readings(settings: Settings) -> None:
    seen = synthea("observations.csv").query("CODE in @METRICS")
    readings = pd.DataFrame(
        {
            "user_id": seen["user_id"],
            "reading_id": seen["ENCOUNTER"],
            "metric": seen["CODE"].map(METRICS),
            "value": seen["VALUE"],
            "unit": seen["UNITS"],
            "recorded_at": seen["DATE"],
            "source": "synthea",
        }
    )
    drop_file(settings, "health_readings/observations.ndjson", readings.to_json(orient="records", lines=True))


def prescriptions() -> pd.DataFrame:
    """The medications with what a prescription lasts: from its start to its stop, where there is one."""
    given = synthea("medications.csv")
    start, stop = (pd.to_datetime(given[name], utc=True) for name in ("START", "STOP"))
    return given.assign(at=local(given["START"]), days=(stop - start).dt.days)


def lasting_prescriptions() -> pd.DataFrame:
    """Those that can be a refill: of a day to 400."""
    given = prescriptions()
    return given[given["days"].between(1, 400)]


def _drop_fills(settings: Settings) -> None:
    """Each prescription as one refill: when it was handed out is not told, so all of it at the start."""
    given = prescriptions()
    fills = pd.DataFrame(
        {
            "user_id": given["user_id"],
            "dose_id": given["ENCOUNTER"] + " " + given["CODE"] + " " + given["STOP"],
            "medication": given["DESCRIPTION"],
            "filled_at": given["START"],
            "status": "filled",
            "days_supply": given["days"],
            "source": "synthea",
        }
    )
    drop_file(settings, "medication_doses/medications.csv", fills.to_csv(index=False))


@pytest.fixture(scope="module")
def readings() -> pd.DataFrame:
    """What there is to count, straight from the observations."""
    seen = synthea("observations.csv").query("CODE in @METRICS")
    seen = seen.assign(
        metric=seen["CODE"].map(METRICS), number=seen["VALUE"].astype(float), at=local(seen["DATE"])
    )
    return seen[_within(seen, POSSIBLE)].assign(is_plausible=lambda rows: _within(rows, PLAUSIBLE))


def _within(rows: pd.DataFrame, limits: dict[str, tuple[float, float]]) -> pd.Series:
    low, high = (rows["metric"].map({name: pair[place] for name, pair in limits.items()}) for place in (0, 1))
    return rows["number"].between(low, high)


@pytest.fixture(scope="module")
def made(journey_settings: Settings) -> Iterator[tuple[Pipeline, dict[str, Built]]]:
    drop_people(journey_settings)
    _drop_readings(journey_settings)
    _drop_fills(journey_settings)
    with opened(journey_settings, now=NOW) as pipeline:
        people = synthea("patients.csv")
        pairs = pa.table({"user_id": people["user_id"], "foreign_id": people["Id"]})
        with pipeline.warehouse.transaction() as connection:
            books.register_identities(connection, "synthea", pairs, now=NOW)
        yield pipeline, refresh(pipeline)


@pytest.fixture(scope="module")
def pipeline(made: tuple[Pipeline, dict[str, Built]]) -> Pipeline:
    return made[0]


def test_every_row_is_accounted_for(pipeline: Pipeline, readings: pd.DataFrame) -> None:
    assert_books_balance(pipeline)
    assert len(readings) == 137
    assert rules(pipeline, HEALTH_READINGS) == {"impossible_value:value": 1}  # a child below 20 kg
    assert fates(pipeline, HEALTH_READINGS) == {"kept": 137, "quarantined": 1}


def test_the_rows_set_aside_are_the_weights_of_small_children(pipeline: Pipeline) -> None:
    found = lake_frame(pipeline, quarantine_table(HEALTH_READINGS).name)
    light = synthea("observations.csv").query("CODE == '29463-7'")
    light = light[light["VALUE"].astype(float) < 20]
    assert set(found["metric"]) == {"weight"}
    assert set(found["reading_id"]) == set(light["ENCOUNTER"])
    born = synthea("patients.csv").set_index("user_id")["BIRTHDATE"].str[:4].astype(int)
    assert ((found["recorded_at"].dt.year - found["user_id"].map(born)) < 6).all()


@pytest.mark.parametrize("period", PERIODS)
def test_every_figure_equals_the_observations(
    pipeline: Pipeline, readings: pd.DataFrame, period: str
) -> None:
    rows = health(pipeline, period)
    everything = readings.groupby(["user_id", period_start(readings["at"], period)])
    filled = lasting_prescriptions()
    filled = filled.iloc[:0] if period == "hourly" else filled
    filled_at = period_start(filled["at"], period)
    assert set(rows.index) == set(everything.groups) | set(zip(filled["user_id"], filled_at, strict=True))
    assert_equal(rows["data_accuracy"], everything["is_plausible"].mean())
    for metric, column in FIGURES.items():
        mine = readings[readings["metric"] == metric]
        grouped = mine.groupby(["user_id", period_start(mine["at"], period)])["number"]
        assert_equal(rows[f"avg_{column}"], grouped.mean())
        assert_equal(rows[f"{column}_readings"].replace(0, np.nan), grouped.size())
        if metric not in ("weight", "hba1c"):
            assert_equal(rows[f"min_{column}"], grouped.min())
            assert_equal(rows[f"max_{column}"], grouped.max())
    assert rows["has_user_record"].all()


def test_body_mass_index_is_what_synthea_computed(pipeline: Pipeline, readings: pd.DataFrame) -> None:
    """Theirs, to one decimal, from the weight and height of the visit; ours from what was kept of them."""
    theirs = synthea("observations.csv").query("CODE == @BODY_MASS_INDEX")
    theirs = theirs.assign(
        day=period_start(local(theirs["DATE"]), "daily"), number=theirs["VALUE"].astype(float)
    )
    ours = health(pipeline, "daily")["avg_bmi"].dropna().astype(float)
    both = pd.concat(
        [ours, theirs.set_index(["user_id", "day"])["number"].rename_axis(ours.index.names)],
        axis=1,
        join="inner",
    )
    assert len(both) == len(ours)
    assert len(both) == len(readings.query("metric == 'weight'"))
    assert (both["avg_bmi"] - both["number"]).abs().max() < 0.06


def test_days_are_those_of_massachusetts(pipeline: Pipeline, readings: pd.DataFrame) -> None:
    instants = pd.to_datetime(readings["DATE"])
    is_night = instants.dt.tz_localize(None).dt.normalize() != readings["at"].dt.normalize()
    assert is_night.any()  # there are visits after midnight in UTC
    kept = lake_frame(pipeline, raw_table(HEALTH_READINGS).name)
    found = kept.set_index(["reading_id", "metric"])
    expected = readings.set_index(["ENCOUNTER", "metric"])
    assert (found["local_recorded_at"].reindex(expected.index) == expected["at"]).all()
    assert (pd.to_datetime(found["day"]).reindex(expected.index) == expected["at"].dt.normalize()).all()


def test_heights_are_in_the_state(pipeline: Pipeline, readings: pd.DataFrame) -> None:
    months = lake_frame(pipeline, state_table(HEALTH, Grain.MONTH).name)
    mine = readings[readings["metric"] == "height"]
    grouped = mine.groupby(["user_id", period_start(mine["at"], "monthly")])["number"]
    state = months[months["measure"] == "height"]
    state = state.set_index([state["user_id"], pd.to_datetime(state["month"])])
    assert_equal(state["n"], grouped.size())
    assert_equal(state["total"], grouped.sum())
    assert_equal(state["low"], grouped.min())
    assert_equal(state["high"], grouped.max())


def test_people_are_who_they_were(pipeline: Pipeline) -> None:
    people = synthea("patients.csv").set_index("user_id")
    records = lake_frame(pipeline, raw_table(USERS).name).set_index("user_id").reindex(people.index)
    assert (records["birth_year"] == people["BIRTHDATE"].str[:4].astype(int)).all()
    assert (records["sex"] == people["GENDER"].map({"M": "male", "F": "female"})).all()
    identities = query(pipeline, "SELECT * FROM bi_identities WHERE system = 'synthea'").set_index("user_id")
    assert identities["foreign_id"].to_dict() == people["Id"].to_dict()
    assert set(health(pipeline, "yearly").index.get_level_values("user_id")) <= set(people.index)


def test_refills_are_the_prescriptions_that_last(pipeline: Pipeline) -> None:
    given = prescriptions()
    assert len(given) == 275
    is_open = given["days"].isna()
    is_odd = given["days"].notna() & ~given["days"].between(1, 400)
    assert rules(pipeline, MEDICATION_DOSES) == {
        "missing:days_supply": int(is_open.sum()),  # never stopped
        "impossible_value:days_supply": int(is_odd.sum()),  # over on the day it began, or after years
    }
    assert (int(is_open.sum()), int(is_odd.sum())) == (31, 11)
    assert fates(pipeline, MEDICATION_DOSES) == {"kept": 233, "quarantined": 42}
    kept = lake_frame(pipeline, raw_table(MEDICATION_DOSES).name)
    lasting = lasting_prescriptions()
    found = kept.groupby(["user_id", "medication", "local_filled_at"])["days_supply"].sum()
    drugs = lasting["DESCRIPTION"].str.lower()
    assert_equal(found, lasting.groupby(["user_id", drugs, "at"])["days"].sum())
    assert set(kept["status"]) == {"filled"}
    assert (pd.to_datetime(kept["day"]) == kept["local_filled_at"].dt.normalize()).all()


def _days_covered(fills: pd.DataFrame, end: pd.Timestamp) -> float:
    """PQA's proportion, counted day by day: of each drug from its first refill to the end of the period."""
    covered = days = 0
    for _, of_drug in fills.groupby("DESCRIPTION"):
        at_hand: set[pd.Timestamp] = set()
        free = of_drug["at"].min().normalize()
        for day, supply in of_drug.groupby(of_drug["at"].dt.normalize())["days"].sum().items():
            free = max(free, day)  # what comes early is begun when the rest is used up
            at_hand.update(pd.date_range(free, periods=int(supply), freq="D"))
            free += pd.Timedelta(days=int(supply))
        covered += sum(day < end for day in at_hand)
        days += (end - of_drug["at"].min().normalize()).days
    return covered / days


@pytest.mark.parametrize("period", PERIODS)
def test_days_covered_by_refills(pipeline: Pipeline, period: str) -> None:
    rows = health(pipeline, period)
    if period not in ("quarterly", "yearly"):
        assert rows["medication_pdc"].isna().all()
        return
    fills = lasting_prescriptions()
    expected = {
        (person, start): _days_covered(mine, rows.loc[(person, start), "period_end"])
        for (person, start), mine in fills.groupby(["user_id", period_start(fills["at"], period)])
    }
    assert 0 < min(expected.values()) < 0.9
    assert_equal(rows["medication_pdc"], pd.Series(expected))


@pytest.mark.parametrize("period", PERIODS)
def test_blood_pressures_are_the_pairs_of_a_visit(
    pipeline: Pipeline, readings: pd.DataFrame, period: str
) -> None:
    wide = readings.pivot_table(index=["user_id", "ENCOUNTER", "at"], columns="metric", values="number")
    pairs = wide.dropna(subset=["blood_pressure_systolic", "blood_pressure_diastolic"]).reset_index()
    upper, lower = pairs["blood_pressure_systolic"], pairs["blood_pressure_diastolic"]
    category = np.select(
        [
            (upper > 180) | (lower > 120),
            (upper >= 140) | (lower >= 90),
            (upper >= 130) | (lower >= 80),
            upper >= 120,
        ],
        ["severe", "stage_2", "stage_1", "elevated"],
        "normal",
    )
    by = [pairs["user_id"], period_start(pairs["at"], period)]
    rows = health(pipeline, period)
    assert_equal(rows["blood_pressures"].replace(0, np.nan), upper.groupby(by).size())
    shares = pd.Series(category).groupby(by).value_counts(normalize=True)
    found = rows["blood_pressure_category_shares"].dropna()
    told = pd.Series({(*key, name): share for key, one in found.items() for name, share in one.items()})
    assert_equal(told, shares)
    if period not in ("hourly", "daily"):
        assert set(rows.loc[found.index, "blood_pressure_category"]) == {"insufficient"}
