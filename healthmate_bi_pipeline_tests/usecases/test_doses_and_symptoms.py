"""Doses, refills and symptoms from files to checked rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.datasets import MEDICATION_DOSES, SYMPTOM_LOGS, USERS
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.accounts import INGEST, assert_books_balance, fates, lake_frame, rules
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, refresh

NOW = datetime(2026, 3, 10, 12)


@pytest.fixture
def pipeline(settings: Settings) -> Iterator[Pipeline]:
    with opened(settings, now=NOW) as pipeline:
        yield pipeline


def dose(number: int, **more: Any) -> dict[str, Any]:
    return {
        "user_id": 1, "dose_id": f"d{number}", "medication": " Metformin", "medication_class": "Biguanides",
        "scheduled_at": None, "taken_at": None, "filled_at": None, "status": None, "is_as_needed": None,
        "days_supply": None, "source": "app",
    } | more  # fmt: skip


def raw_rows(pipeline: Pipeline, dataset: Any) -> pd.DataFrame:
    frame = lake_frame(pipeline, raw_table(dataset).name)
    assert set(frame.columns) == set(raw_table(dataset).column_names)
    return frame.sort_values("row_number").reset_index(drop=True)


def test_doses_and_refills_say_what_became_of_them(pipeline, settings):
    drop_file(settings, "users/u.csv", csv_text([{"user_id": 1, "time_zone": "Europe/Berlin"}]))
    at = "2026-03-01T23:30:00Z"  # half past midnight in Berlin
    drop_file(settings, "medication_doses/a.csv", csv_text([
        dose(1, scheduled_at=at, taken_at="2026-03-01T23:40:00Z"),
        dose(2, scheduled_at=at, taken_at="2026-03-01T23:50:00Z"),  # the same dose, logged twice: two rows
        dose(3, scheduled_at=at, status="Skipped"),
        dose(4, scheduled_at=at),
        dose(5, taken_at=at, is_as_needed="true"),
        dose(6, taken_at="2026-03-05T08:00:00Z"),
        dose(7, filled_at="2026-03-04", days_supply=30),
        dose(8, scheduled_at="2026-03-04 08:00", status="taken"),
    ]))  # fmt: skip
    refresh(pipeline, groups=INGEST)
    rows = raw_rows(pipeline, MEDICATION_DOSES)
    assert list(rows["status"]) == [
        "taken", "taken", "skipped", "unlogged", "taken", "taken", "filled", "taken",
    ]  # fmt: skip
    assert list(rows["is_as_needed"]) == [False] * 4 + [True] + [False] * 3
    assert set(rows["medication"]) == {"metformin"}
    assert set(rows["medication_class"]) == {"biguanides"}
    assert list(rows["day"]) == [
        *[date(2026, 3, 2)] * 5, date(2026, 3, 5), date(2026, 3, 4), date(2026, 3, 4),
    ]  # fmt: skip
    assert rows["local_taken_at"][0] == datetime(2026, 3, 2, 0, 40)
    assert rows["scheduled_at"][7] == datetime(2026, 3, 4, 7)
    assert rows["filled_at"][6] == datetime(2026, 3, 3, 23)
    assert rows["days_supply"][6] == 30
    assert_books_balance(pipeline)


def test_a_dose_that_is_moved_to_another_day_leaves_the_old_one(pipeline, settings):
    drop_file(
        settings, "medication_doses/a.csv", csv_text([dose(1, scheduled_at="2026-03-01 08:00"), dose(2, scheduled_at="2026-03-01 20:00")]),
    )  # fmt: skip
    refresh(pipeline, groups=INGEST)
    drop_file(
        settings,
        "medication_doses/b.csv",
        csv_text([dose(1, scheduled_at="2026-03-04 08:00", status="skipped")]),
    )
    refresh(pipeline, groups=INGEST)
    rows = raw_rows(pipeline, MEDICATION_DOSES)
    assert dict(zip(rows["dose_id"], rows["day"], strict=True)) == {"d1": date(2026, 3, 4), "d2": date(2026, 3, 1)}  # fmt: skip
    assert fates(pipeline, MEDICATION_DOSES) == {"kept": 2, "superseded": 1}
    assert_books_balance(pipeline)


def test_bad_doses_and_symptoms_are_named_and_the_rest_goes_on(pipeline, settings):
    drop_file(settings, "medication_doses/a.csv", csv_text([
        dose(1, status="skipped"),  # nothing says when
        dose(2, status="skipped", filled_at="2026-03-01"),
        dose(3, scheduled_at="2026-03-03T08:00:00Z", taken_at="2026-03-01T08:00:00Z"),
        dose(4, scheduled_at="2026-03-03T08:00:00Z", taken_at="2026-03-03T08:00:00Z"),
    ]))  # fmt: skip
    symptom = {"user_id": 1, "symptom": "Headache ", "recorded_at": "2026-03-01T10:00:00Z", "source": "app"}
    drop_file(settings, "symptom_logs/a.csv", csv_text([
        symptom | {"severity": 11}, symptom | {"severity": 4}, symptom | {"symptom": "nausea"},
    ]))  # fmt: skip
    made = refresh(pipeline, groups=INGEST)
    said = [line for built in made.values() for line in built.messages]
    for expected in (
        "medication_doses/a.csv: record 1: undated:scheduled_at: ",
        "medication_doses/a.csv: record 2: missing:scheduled_at: ",
        "medication_doses/a.csv: record 3: taken_too_early:taken_at: ",
        "symptom_logs/a.csv: record 1: impossible_value:severity: ",
    ):
        assert [line for line in said if line.startswith(expected)], said
    assert len(said) == 4
    assert rules(pipeline, MEDICATION_DOSES) == {"missing:scheduled_at": 1, "taken_too_early:taken_at": 1}
    assert fates(pipeline, MEDICATION_DOSES) == {"kept": 1, "quarantined": 2}
    symptoms = raw_rows(pipeline, SYMPTOM_LOGS)
    assert list(symptoms["symptom"]) == ["headache", "nausea"]
    assert symptoms["severity"].tolist()[0] == 4
    assert pd.isna(symptoms["severity"][1])
    assert_books_balance(pipeline)


def test_the_record_of_a_person_says_more_than_before(pipeline, settings):
    person = {
        "user_id": 1, "time_zone": "Europe/Berlin", "nicotine_use": "Quit_5_Years", "mepa_score": 12,
        "is_lipid_treated": "true",
    }  # fmt: skip
    drop_file(settings, "users/u.csv", csv_text([person]))
    refresh(pipeline, groups=INGEST)
    (row,) = lake_frame(pipeline, raw_table(USERS).name).to_dict("records")
    assert (row["nicotine_use"], row["mepa_score"], row["is_lipid_treated"]) == ("quit_5_years", 12, True)
