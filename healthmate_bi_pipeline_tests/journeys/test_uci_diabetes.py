"""The diabetes diaries of AIM-94 (UCI), all the way, against an independent computation in pandas.

35 people, 1988 to 1991: glucose from meters and from paper, written by hand in places and dirty as they came.
The test copies fields from the diaries to landing files and changes none but the order of the date's parts.
The AIM-94 data set was provided by Michael Kahn, MD, PhD, Washington University, St. Louis, MO.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.datasets import HEALTH_READINGS, MEDICATION_DOSES, SYMPTOM_LOGS
from healthmate_bi_pipeline.catalog.lake_tables import quarantine_table, raw_table, staged_table
from healthmate_bi_pipeline.domain.identity import foreign_user_id
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.health import range_figures
from healthmate_bi_pipeline.usecases.pipeline import Built, Pipeline
from healthmate_bi_pipeline_tests.accounts import assert_books_balance, fates, lake_frame, rules
from healthmate_bi_pipeline_tests.comparing import PERIODS, assert_equal, period_start
from healthmate_bi_pipeline_tests.running import SHARED_DATA, drop_file, health, opened, query, refresh

UCI = SHARED_DATA / "uci_diabetes"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not UCI.is_dir(), reason="the UCI diabetes diaries of ../shared/data are not here"),
]

GLUCOSE = ("48", "57", "58", "59", "60", "61", "62", "63", "64")
AFTER_MEAL = ("59", "61", "63")  # "before breakfast" is no promise of eight hours without food: no context
SYMPTOM = "65"
EVENTS = (SYMPTOM, "66", "67", "68", "69", "70", "71", "72")
INSULIN = {"33": "Regular insulin", "34": "NPH insulin", "35": "UltraLente insulin"}
NOW = datetime(2026, 11, 22, 12)


def diaries() -> pd.DataFrame:
    """All lines of all diaries as text, with the person and the line's place."""
    parts = []
    for path in sorted(UCI.glob("data-*")):
        lines = pd.read_csv(
            path, sep="\t", names=["date", "time", "code", "value"], dtype=str, keep_default_na=False
        )
        number = foreign_user_id("uci_diabetes", path.name.removeprefix("data-"))
        parts.append(lines.assign(file=path.name, line=range(1, len(lines) + 1), user_id=number))
    return pd.concat(parts, ignore_index=True)


def diary_time(lines: pd.DataFrame) -> pd.Series:
    """The wall-clock time as pandas reads it."""
    return pd.to_datetime(lines["date"] + " " + lines["time"], format="%m-%d-%Y %H:%M")


def landing_time(lines: pd.DataFrame) -> pd.Series:
    """The date with its parts in the order of ISO 8601, and the time as it stands."""
    return (
        lines["date"].str.replace(r"(\d\d)-(\d\d)-(\d{4})", r"\3-\1-\2", regex=True) + " " + lines["time"]
    ).str.strip()


def _readings(lines: pd.DataFrame) -> pd.DataFrame:
    """Glucose, and the lines whose code stands for nothing: whoever copies cannot know that they are none."""
    mine = lines[~lines["code"].isin([*EVENTS, *INSULIN])]
    is_glucose = mine["code"].isin(GLUCOSE)
    return pd.DataFrame(
        {
            "user_id": mine["user_id"],
            "metric": np.where(is_glucose, "blood_glucose", "code " + mine["code"]),
            "value": mine["value"],
            "unit": "mg/dL",
            "context": np.where(mine["code"].isin(AFTER_MEAL), "after_meal", ""),
            "recorded_at": landing_time(mine),
            "source": "diary",
            "file": mine["file"],
        }
    )


def _drop_doses_and_symptoms(settings: Settings, lines: pd.DataFrame) -> None:
    """Insulin as doses that were taken, on no schedule that the diaries tell; how many units has no column."""
    doses = lines[lines["code"].isin(INSULIN)]
    doses = pd.DataFrame(
        {
            "user_id": doses["user_id"],
            "medication": doses["code"].map(INSULIN),
            "medication_class": "insulin",
            "taken_at": landing_time(doses),
            "status": "taken",
            "source": "diary",
        }
    )
    drop_file(settings, "medication_doses/insulin.csv", doses.to_csv(index=False))
    felt = lines[lines["code"] == SYMPTOM]
    symptoms = pd.DataFrame(
        {
            "user_id": felt["user_id"],
            "symptom": "Hypoglycemic symptoms",
            "recorded_at": landing_time(felt),
            "source": "diary",
        }
    )
    drop_file(settings, "symptom_logs/hypoglycemia.csv", symptoms.to_csv(index=False))


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    return diaries()


@pytest.fixture(scope="module")
def numbers(lines: pd.DataFrame) -> pd.DataFrame:
    """The glucose that can be, and whether it looks like mmol/L to one who knows the month before."""
    mine = lines[lines["code"].isin(GLUCOSE)]
    mine = mine.assign(at=diary_time(mine), number=pd.to_numeric(mine["value"], errors="coerce"))
    mine = mine[mine["number"].between(10, 1000)].assign(month=lambda rows: rows["at"].dt.to_period("M"))
    medians = mine.groupby(["user_id", "month"])["number"].median()
    before = pd.MultiIndex.from_arrays([mine["user_id"], mine["month"] - 1])
    usual = medians.reindex(before).to_numpy()
    return mine.assign(is_suspect=(mine["number"] <= 33) & (usual > 60))


@pytest.fixture(scope="module")
def glucose(numbers: pd.DataFrame) -> pd.DataFrame:
    """What there is to count, straight from the diaries: of two values at one time the later one."""
    return numbers[~numbers["is_suspect"]].drop_duplicates(["user_id", "at"], keep="last")


@pytest.fixture(scope="module")
def insulin(lines: pd.DataFrame) -> pd.DataFrame:
    """The injections that have a day."""
    mine = lines[lines["code"].isin(list(INSULIN)) & (lines["date"] != "")]
    return mine.assign(at=diary_time(mine))


@pytest.fixture(scope="module")
def made(lines: pd.DataFrame, journey_settings: Settings) -> Iterator[tuple[Pipeline, dict[str, Built]]]:
    for name, rows in _readings(lines).groupby("file"):
        drop_file(
            journey_settings,
            f"health_readings/{name}.csv",
            rows.drop(columns="file").to_csv(index=False),
        )
    _drop_doses_and_symptoms(journey_settings, lines)
    with opened(journey_settings, now=NOW) as pipeline:
        yield pipeline, refresh(pipeline)


@pytest.fixture(scope="module")
def pipeline(made: tuple[Pipeline, dict[str, Built]]) -> Pipeline:
    return made[0]


def test_every_line_is_accounted_for(
    pipeline: Pipeline, lines: pd.DataFrame, numbers: pd.DataFrame, glucose: pd.DataFrame
) -> None:
    assert len(lines) == 15_227
    assert_books_balance(pipeline)
    unknown = ~lines["code"].isin([*GLUCOSE, *EVENTS, *INSULIN])
    assert (
        rules(pipeline, HEALTH_READINGS)
        == {
            "unknown_code:metric": int(unknown.sum()),
            "wrong_type:value": 7,  # 0Hi and 0Lo: the meter's range was left
            "impossible_value:value": 1,  # a zero
            "suspected_unit:value": 16,  # deep lows of people who had been higher, which cannot be told from mmol/L
        }
    )
    assert int(numbers["is_suspect"].sum()) == 16
    assert int(unknown.sum()) == 107
    assert fates(pipeline, HEALTH_READINGS) == {"kept": len(glucose), "superseded": 1, "quarantined": 131}
    files = query(
        pipeline,
        "SELECT dataset, sum(lines) AS lines, sum(rejected) AS rejected, sum(undated) AS undated"
        " FROM bi_ingested_files GROUP BY dataset",
    ).set_index("dataset")
    assert files.loc["health_readings"].astype(int).tolist() == [len(glucose) + 132, 0, 0]
    assert files.loc["medication_doses"].astype(int).tolist() == [7_599, 0, 33]
    assert files.loc["symptom_logs"].astype(int).tolist() == [224, 0, 0]


def test_doses_are_the_injections_of_the_diaries(pipeline: Pipeline, insulin: pd.DataFrame) -> None:
    """Two doses of one drug at one time, which no id tells apart, count once."""
    assert len(insulin) == 7_566
    once = insulin.drop_duplicates(["user_id", "code", "at"])
    assert fates(pipeline, MEDICATION_DOSES) == {"kept": len(once), "duplicates": len(insulin) - len(once)}
    assert len(insulin) - len(once) == 10
    kept = lake_frame(pipeline, raw_table(MEDICATION_DOSES).name)
    drugs = once["code"].map(INSULIN).str.lower()
    found = kept.groupby(["user_id", "medication", "local_taken_at"]).size()
    assert_equal(found, once.groupby(["user_id", drugs, "at"]).size())
    assert set(kept["status"]) == {"taken"}


def test_lines_that_slipped_a_column_have_no_day(
    made: tuple[Pipeline, dict[str, Built]], lines: pd.DataFrame
) -> None:
    """A meter's hexadecimal codes (3A, 21, 22) pushed the date out: named, kept apart, and no value told."""
    pipeline, built = made
    doses = lines[lines["code"].isin(list(INSULIN))].reset_index(drop=True)
    slipped = doses[doses["date"] == ""]
    staged = lake_frame(pipeline, staged_table(MEDICATION_DOSES).name)
    undated = staged[staged["defect"] == "undated"]
    assert sorted(undated["row_number"]) == [place + 1 for place in slipped.index]
    first = slipped.index.min() + 1
    messages = built["staged/medication_doses"].messages
    assert len(messages) == 1
    assert messages[0].startswith(f"medication_doses/insulin.csv: record {first:,} and 32 more: undated:")


def test_symptoms_are_those_of_the_diaries(pipeline: Pipeline, lines: pd.DataFrame) -> None:
    felt = lines[lines["code"] == SYMPTOM]
    once = felt.assign(at=diary_time(felt)).drop_duplicates(["user_id", "at"])
    assert fates(pipeline, SYMPTOM_LOGS) == {"kept": len(once), "duplicates": 2}
    kept = lake_frame(pipeline, raw_table(SYMPTOM_LOGS).name)
    assert set(kept["symptom"]) == {"hypoglycemic symptoms"}
    assert kept["severity"].isna().all()
    found = kept.groupby(["user_id", "local_recorded_at"]).size()
    assert_equal(found, once.groupby(["user_id", "at"]).size())


def test_the_rows_set_aside_are_the_dirty_ones(
    pipeline: Pipeline, lines: pd.DataFrame, numbers: pd.DataFrame
) -> None:
    names = query(pipeline, "SELECT file_number, name FROM bi_ingested_files").set_index("file_number")[
        "name"
    ]
    found = lake_frame(pipeline, quarantine_table(HEALTH_READINGS).name)
    copied = lines[~lines["code"].isin([*EVENTS, *INSULIN])]
    copied = copied.assign(row=copied.groupby("file").cumcount() + 1)
    is_suspect = copied.index.isin(numbers.index[numbers["is_suspect"]])
    is_dirty = ~copied["code"].isin(GLUCOSE) | copied["value"].str.fullmatch("0Hi|0Lo|0+")
    dirty = copied[is_dirty | is_suspect]
    assert set(zip(found["file_number"].map(names), found["row_number"], strict=True)) == set(
        zip(dirty["file"] + ".csv", dirty["row"], strict=True)
    )
    at = pd.to_datetime(dirty["date"], format="%m-%d-%Y")
    assert sorted(pd.to_datetime(found["day"])) == sorted(at)  # each under its own wall-clock day


def test_messages_name_the_place_and_the_rule_and_no_value(
    made: tuple[Pipeline, dict[str, Built]], lines: pd.DataFrame
) -> None:
    messages = made[1]["raw/health_readings"].messages
    copied = lines[~lines["code"].isin([*EVENTS, *INSULIN])]
    places = copied.groupby("file").cumcount() + 1
    first = places[copied["value"].isin(["0Hi", "0Lo"])].min()
    assert [message for message in messages if "wrong_type" in message] == [
        f"health_readings/data-02.csv: record {first} and 6 more: wrong_type:value: the text is not of the column's type."
    ]
    text = "\n".join(messages)
    assert "0Hi" not in text
    assert "code 56" not in text


@pytest.mark.parametrize("period", PERIODS)
def test_every_figure_equals_the_diaries(
    pipeline: Pipeline, lines: pd.DataFrame, glucose: pd.DataFrame, period: str
) -> None:
    rows = health(pipeline, period)
    grouped = glucose.groupby(["user_id", period_start(glucose["at"], period)])["number"]
    is_event = (lines["code"] == SYMPTOM) | (lines["code"].isin(list(INSULIN)) & (period != "hourly"))
    events = lines[is_event & (lines["date"] != "")]
    starts = period_start(diary_time(events), period)
    assert set(rows.index) == set(grouped.groups) | set(zip(events["user_id"], starts, strict=True))
    assert (rows["source_count"] == 1).all()
    for column, expected in (
        ("avg_blood_sugar", grouped.mean()),
        ("min_blood_sugar", grouped.min()),
        ("max_blood_sugar", grouped.max()),
        ("sd_blood_sugar", grouped.std()),
        ("cv_blood_sugar", 100 * grouped.std() / grouped.mean()),
        ("blood_sugar_in_range", grouped.agg(lambda values: values.between(70, 180).mean())),
        ("data_accuracy", grouped.agg(lambda values: values.between(40, 500).mean())),
    ):
        assert_equal(rows[column], expected)
    assert_equal(rows["blood_sugar_readings"].replace(0, np.nan), grouped.size())
    assert not rows["has_user_record"].any()  # the diaries say nothing about the people
    assert rows["is_complete"].all()


@pytest.mark.parametrize("period", PERIODS)
def test_injections_and_symptoms_of_every_period(
    pipeline: Pipeline, lines: pd.DataFrame, insulin: pd.DataFrame, period: str
) -> None:
    rows = health(pipeline, period)
    felt = lines[lines["code"] == SYMPTOM]
    felt = felt.assign(at=diary_time(felt)).drop_duplicates(["user_id", "at"])
    logged = felt.groupby(["user_id", period_start(felt["at"], period)]).size()
    assert_equal(rows["total_symptoms_logged"].replace(0, np.nan), logged)
    assert rows["avg_symptom_severity"].isna().all()  # nobody noted one
    common = rows["most_common_symptom"].dropna()
    assert set(common) == {"hypoglycemic symptoms"}
    assert len(common) == len(logged)
    if period == "hourly":
        assert rows["extra_doses_taken"].isna().all()
        return
    once = insulin.drop_duplicates(["user_id", "code", "at"])
    injected = once.groupby(["user_id", period_start(once["at"], period)]).size()
    assert_equal(rows["extra_doses_taken"].replace(0, np.nan), injected)
    days = felt["at"].dt.normalize().groupby([felt["user_id"], period_start(felt["at"], period)]).nunique()
    assert_equal(rows["days_with_symptoms"].replace(0, np.nan), days)
    # Nothing was scheduled, so there is nothing to adhere to.
    assert (rows["total_medications_scheduled"].fillna(0) == 0).all()
    assert (rows["total_medications_taken"].fillna(0) == 0).all()
    assert rows["medication_adherence_rate"].isna().all()


def test_no_reading_is_taken_for_a_fasting_one(pipeline: Pipeline, lines: pd.DataFrame) -> None:
    kept = lake_frame(pipeline, raw_table(HEALTH_READINGS).name)
    contexts = kept["context"].value_counts().to_dict()
    assert contexts == {"after_meal": int(lines["code"].isin(AFTER_MEAL).sum())}
    for period in PERIODS:
        assert health(pipeline, period)["overall_health_score"].isna().all()


def test_groups_count_people(pipeline: Pipeline, glucose: pd.DataFrame) -> None:
    found = query(
        pipeline,
        "SELECT * FROM bi_health_groups WHERE figure = 'avg_blood_sugar' AND aggregation_period = 'monthly'"
        " AND stratum = 'all'",
    )
    means = glucose.groupby(["user_id", period_start(glucose["at"], "monthly")])["number"].mean()
    by_month = means.groupby(level=1)
    whole = found[found["band"] == -1].set_index("period_start")
    assert_equal(whole["people"], by_month.size())
    assert np.allclose(whole["total"].sort_index(), by_month.sum(), rtol=0, atol=1e-5)  # each to a millionth
    assert_equal(whole["low"], by_month.min())
    assert_equal(whole["high"], by_month.max())
    bands = pd.cut(means, [0, 54, 70, 181, 251, np.inf], right=False, labels=False)
    expected = means.groupby([means.index.get_level_values(1), bands]).size()
    banded = found[found["band"] != -1].set_index(["period_start", "band"])["people"]
    assert_equal(banded, expected)


def test_a_free_range_of_days(pipeline: Pipeline, glucose: pd.DataFrame) -> None:
    first, last = date(1991, 4, 20), date(1991, 8, 11)
    (figures,) = range_figures(pipeline, [Window.of_days(first, last)])
    whole = next(row for row in figures if row["figure"] == "avg_blood_sugar" and row["band"] == -1)
    inside = glucose[
        glucose["at"].between(pd.Timestamp(first), pd.Timestamp(last) + timedelta(days=1), inclusive="left")
    ]
    means = inside.groupby("user_id")["number"].mean()
    assert whole["people"] == len(means) > 5
    assert np.isclose(whole["total"], means.sum(), rtol=0, atol=1e-5)
    assert (whole["low"], whole["high"]) == (means.min(), means.max())
