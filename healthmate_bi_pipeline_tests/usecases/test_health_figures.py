"""From landing files to finished figures: what is more than a statistic of one measure.

Each person has one thing to show; all figures are worked out by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from healthmate_bi_pipeline.domain.bands import GMI_INTERCEPT, GMI_SLOPE
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, health, opened, query, refresh

NOW = datetime(2026, 4, 20, 12)
Rows = list[dict[str, Any]]

PRESSURE, FEW_PRESSURES, FINGER, SENSOR, SLEEPER, SHIFTED, DOSES, SYMPTOMS, SCORE, LATE = range(1, 11)
MONDAY = date(2026, 3, 2)


def _reading(user: int, metric: str, at: str, value: float, **more: Any) -> dict[str, Any]:
    return {"user_id": user, "metric": metric, "value": value, "recorded_at": at, "source": "app", **more}


def _pressure(user: int, number: int, at: str, upper: float, lower: float | None) -> Rows:
    rows = [_reading(user, "blood_pressure_systolic", at, upper, reading_id=f"r{number}", unit="mmHg")]
    if lower is not None:
        rows.append(
            _reading(user, "blood_pressure_diastolic", at, lower, reading_id=f"r{number}", unit="mmHg")
        )
    return rows


def _readings() -> Rows:
    rows: Rows = []
    for number in range(12):  # four on each of three days
        at = f"{MONDAY + timedelta(days=number // 4)}T{8 + number % 4:02}:00:00"
        upper, lower = (150, 95) if number < 3 else (118, 76)
        rows += _pressure(PRESSURE, number, at, upper, lower)
    rows += _pressure(PRESSURE, 99, f"{MONDAY}T20:00:00", 240, None)  # half a pressure has no category
    rows += _pressure(FEW_PRESSURES, 1, f"{MONDAY}T08:00:00", 118, 76)
    values = [50, 60, 70, 180.4, 181, 250, 251, 100]
    for number, value in enumerate(values):
        context = "fasting" if value == 100 else "after_meal"
        rows.append(
            _reading(
                FINGER,
                "blood_glucose",
                f"{MONDAY}T{number + 6:02}:00:00",
                value,
                unit="mg/dL",
                context=context,
            )
        )
    for number in range(15 * 288):  # fifteen days of a sensor, a quarter of the values out of range
        at = datetime(2026, 3, 2) + timedelta(minutes=5 * number)
        value = 190 if number % 4 == 0 else 130
        rows.append(_reading(SENSOR, "blood_glucose", at.isoformat(), value, unit="mg/dL", context="cgm"))
    rows += [
        _reading(SCORE, "hba1c", f"{MONDAY}T09:00:00", 7.5, unit="%"),
        _reading(SCORE, "blood_glucose", f"{MONDAY}T09:00:00", 90, unit="mg/dL", context="fasting"),
        _reading(SCORE, "non_hdl_cholesterol", f"{MONDAY}T09:00:00", 140, unit="mg/dL"),
        _reading(SCORE, "weight", f"{MONDAY}T09:00:00", 81, unit="kg"),
        *_pressure(SCORE, 1, f"{MONDAY}T09:00:00", 122, 70),
        _reading(LATE, "weight", "2026-03-11T09:00:00", 70, unit="kg"),
        _reading(LATE, "heart_rate", "2026-03-21T09:00:00", 70, unit="bpm"),
        _reading(LATE, "heart_rate", "2026-04-05T09:00:00", 70, unit="bpm"),
    ]
    return rows


def _night(user: int, wake: date, begin: str, hours: float) -> dict[str, Any]:
    start = datetime.fromisoformat(f"{wake - timedelta(days=1)}T{begin}:00")
    end = start + timedelta(hours=hours)
    return {
        "user_id": user, "started_at": start.isoformat(), "ended_at": end.isoformat(), "source": "ring",
        "asleep_minutes": int(hours * 60), "in_bed_minutes": int(hours * 60),
    }  # fmt: skip


def _sleep() -> Rows:
    days = [MONDAY - timedelta(days=1) + timedelta(days=number) for number in range(8)]
    rows = [_night(SLEEPER, day, "23:00", 8) for day in days]
    # Every other night an hour longer: each pair differs by 60 minutes.
    rows += [_night(SHIFTED, day, "23:00", 8 + number % 2) for number, day in enumerate(days)]
    return [*rows, *(_night(SCORE, day, "22:00", 6.5) for day in days)]


def _dose(number: int, day: date, status: str, **more: Any) -> dict[str, Any]:
    return {
        "user_id": DOSES, "dose_id": f"d{number}", "medication": "A", "status": status, "source": "app",
        "scheduled_at": f"{day}T08:00:00", **more,
    }  # fmt: skip


def _doses() -> Rows:
    first = MONDAY
    rows = [
        _dose(1, first, "taken", taken_at=f"{first}T08:05:00"),
        _dose(2, first, "taken", taken_at=f"{first}T09:05:00"),  # the same dose a second time
        _dose(3, first + timedelta(days=1), "skipped"),
        _dose(4, first + timedelta(days=2), "unlogged"),
        _dose(5, first + timedelta(days=3), "taken", taken_at=f"{first + timedelta(days=4)}T00:30:00"),
        _dose(6, first, "taken", scheduled_at=None, taken_at=f"{first}T15:00:00"),
        _dose(
            7,
            first,
            "taken",
            scheduled_at=None,
            taken_at=f"{first}T16:00:00",
            is_as_needed=True,
            medication="B",
        ),
    ]
    fills = [(date(2026, 1, 1), 30), (date(2026, 1, 25), 30)]  # the second lasts to March 1
    for number, (day, supply) in enumerate(fills):
        rows.append(
            _dose(
                100 + number,
                day,
                "filled",
                scheduled_at=None,
                filled_at=f"{day}T10:00:00",
                days_supply=supply,
            )
        )
    return rows


def _symptoms() -> Rows:
    logs = [("headache", 4, 2), ("Headache ", 6, 2), ("nausea", None, 2), ("headache", 5, 4)]
    return [
        {"user_id": SYMPTOMS, "symptom": name, "severity": severity, "source": "app",
         "recorded_at": f"2026-03-{day:02}T{8 + number:02}:00:00"}
        for number, (name, severity, day) in enumerate(logs)
    ]  # fmt: skip


def _activity() -> Rows:
    return [
        {"user_id": SCORE, "started_at": f"{day}T10:00:00", "ended_at": f"{day}T11:00:00", "source": "watch",
         "moderate_minutes": 10, "vigorous_minutes": 6, "steps": 5000}
        for day in (MONDAY + timedelta(days=number) for number in range(4))
    ]  # fmt: skip


USERS: Rows = [
    {"user_id": SCORE, "birth_year": 1980, "sex": "female", "height_cm": 180, "is_bp_treated": True,
     "has_diabetes": True, "nicotine_use": "never", "mepa_score": 9, "source": "app"},
    {"user_id": SLEEPER, "birth_year": 1950, "sex": "male", "source": "app"},
    {"user_id": SHIFTED, "birth_year": 1951, "sex": "female", "source": "app"},
]  # fmt: skip


@pytest.fixture(scope="module")
def made(new_settings: Callable[[], Settings]) -> Iterator[Pipeline]:
    settings = new_settings()
    files = {
        "users": USERS, "health_readings": _readings(), "sleep_sessions": _sleep(), "medication_doses": _doses(),
        "symptom_logs": _symptoms(), "activity_intervals": _activity(),
    }  # fmt: skip
    for dataset, rows in files.items():
        drop_file(settings, f"{dataset}/1.csv", csv_text(rows))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline)
        yield pipeline


def row(pipeline: Pipeline, period: str, user: int, start: str) -> pd.Series[Any]:
    found: pd.Series[Any] = health(pipeline, period).loc[(user, pd.Timestamp(start))]
    return found


def test_a_category_of_the_mean_needs_twelve_readings_on_three_days(made: Pipeline) -> None:
    weekly = row(made, "weekly", PRESSURE, "2026-03-02")
    assert weekly["blood_pressures"] == 12
    assert weekly["blood_pressure_category_shares"] == {"normal": 0.75, "stage_2": 0.25}
    # The mean systolic pressure is (3 x 150 + 9 x 118 + 240) / 13 = 134.8.
    assert weekly["blood_pressure_category"] == "stage_1"
    daily = row(made, "daily", PRESSURE, "2026-03-02")
    assert daily["blood_pressure_category_shares"] == {"normal": 0.25, "stage_2": 0.75}
    assert daily["blood_pressure_category"] is None
    hourly = row(made, "hourly", PRESSURE, "2026-03-02 20:00")
    assert pd.isna(hourly["blood_pressures"])
    assert hourly["max_blood_pressure_systolic"] == 240
    assert row(made, "weekly", FEW_PRESSURES, "2026-03-02")["blood_pressure_category"] == "insufficient"


def test_finger_sticks_have_bands_and_no_time_in_range(made: Pipeline) -> None:
    daily = row(made, "daily", FINGER, "2026-03-02")
    shares = {"54_to_69": 1, "70_to_180": 3, "181_to_250": 2, "above_250": 1, "below_54": 1}
    assert daily["blood_sugar_band_shares"] == {name: count / 8 for name, count in shares.items()}
    assert daily["blood_sugar_in_range"] == 3 / 8
    assert pd.isna(daily["cgm_time_in_range"])
    assert pd.isna(daily["glucose_management_indicator"])
    values = pd.Series([50, 60, 70, 180.4, 181, 250, 251, 100])
    assert daily["cv_blood_sugar"] == pytest.approx(100 * values.std() / values.mean(), rel=1e-9)


@pytest.mark.parametrize(
    ("period", "start"), [("daily", "2026-03-03"), ("weekly", "2026-03-02"), ("monthly", "2026-03-01")]
)
def test_a_sensor_has_time_in_range_and_gmi(made: Pipeline, period: str, start: str) -> None:
    found = row(made, period, SENSOR, start)
    assert found["cgm_time_in_range"] == 0.75
    assert found["glucose_management_indicator"] == pytest.approx(3.31 + 0.02392 * 145)
    assert pd.isna(found["blood_sugar_in_range"])


@pytest.mark.parametrize(("mean", "gmi"), [(100, 5.70), (154, 6.99), (200, 8.09)])
def test_gmi_is_the_published_line(mean: float, gmi: float) -> None:
    assert round(GMI_INTERCEPT + GMI_SLOPE * mean, 2) == gmi


def test_sleep_regularity(made: Pipeline) -> None:
    assert row(made, "weekly", SLEEPER, "2026-03-02")["sleep_regularity_index"] == 100
    shifted = row(made, "weekly", SHIFTED, "2026-03-02")
    assert shifted["sleep_regularity_index"] == pytest.approx(-100 + 200 * 1380 / 1440)  # 91.667
    assert pd.isna(row(made, "daily", SLEEPER, "2026-03-04")["sleep_regularity_index"])


def test_three_outcomes_of_doses_stay_apart(made: Pipeline) -> None:
    weekly = row(made, "weekly", DOSES, "2026-03-02")
    names = (
        "total_medications_scheduled", "total_medications_taken", "missed_doses", "unlogged_doses",
        "extra_doses_taken", "as_needed_doses_taken",
    )  # fmt: skip
    assert [weekly[name] for name in names] == [4, 2, 1, 1, 2, 1]
    assert weekly["medication_adherence_rate"] == 0.5
    assert weekly["medication_adherence_upper_bound"] == 0.75
    first = row(made, "daily", DOSES, "2026-03-02")
    assert (first["medication_adherence_rate"], first["extra_doses_taken"]) == (1, 2)
    # The one that was due on Thursday and taken after midnight belongs to Thursday.
    assert row(made, "daily", DOSES, "2026-03-05")["medication_adherence_rate"] == 1


def test_days_covered_of_an_ended_quarter(made: Pipeline) -> None:
    assert row(made, "quarterly", DOSES, "2026-01-01")["medication_pdc"] == pytest.approx(60 / 90)
    assert pd.isna(row(made, "yearly", DOSES, "2026-01-01")["medication_pdc"])
    assert pd.isna(row(made, "monthly", DOSES, "2026-01-01")["medication_pdc"])


def test_symptoms(made: Pipeline) -> None:
    monthly = row(made, "monthly", SYMPTOMS, "2026-03-01")
    assert (monthly["total_symptoms_logged"], monthly["days_with_symptoms"]) == (4, 2)
    assert monthly["avg_symptom_severity"] == 5
    assert monthly["most_common_symptom"] == "headache"
    assert monthly["symptom_frequency"] == {
        "headache": {"logs": 3, "days": 2},
        "nausea": {"logs": 1, "days": 1},
    }
    hourly = row(made, "hourly", SYMPTOMS, "2026-03-02 10:00")
    assert (hourly["total_symptoms_logged"], hourly["most_common_symptom"]) == (1, "nausea")
    assert pd.isna(hourly["avg_symptom_severity"])
    assert hourly["source_count"] == 1


def test_the_score_is_the_mean_of_what_can_be_scored(made: Pipeline) -> None:
    weekly = row(made, "weekly", SCORE, "2026-03-02")
    points = {
        "activity": 100,  # (10 + 2 x 6) x 7 = 154 a week
        "sleep": 70,
        "bmi": 70,  # 81 / 1.8^2 = 25.0
        "blood_pressure": 55,
        "glucose": 30,  # diabetes: HbA1c 7.5
        "lipids": 60,
        "nicotine": 100,
        "diet": 50,
    }
    assert {name: weekly[f"health_score_{name}"] for name in points} == points
    assert weekly["health_score_components"] == 8
    assert weekly["overall_health_score"] == pytest.approx(sum(points.values()) / 8)
    daily = row(made, "daily", SCORE, "2026-03-02")
    assert daily["health_score_components"] == 7
    assert daily["overall_health_score"] == pytest.approx((sum(points.values()) - 100) / 7)
    assert pd.isna(row(made, "hourly", SCORE, "2026-03-02 09:00")["overall_health_score"])
    next_day = row(made, "daily", SCORE, "2026-03-03")  # sleep, and what stands in the record
    assert next_day["overall_health_score"] == pytest.approx((70 + 100 + 50) / 3)
    assert next_day["health_score_trend"] == pytest.approx(
        next_day["overall_health_score"] - daily["overall_health_score"]
    )


def test_completeness_counts_from_the_first_day_of_each_measure(made: Pipeline) -> None:
    march = row(made, "monthly", LATE, "2026-03-01")
    assert march["day_slots_filled"] == 2
    assert march["data_completeness"] == pytest.approx(
        2 / (21 + 11)
    )  # weight from the 11th, heart rate from the 21st
    assert row(made, "monthly", LATE, "2026-04-01")["data_completeness"] == pytest.approx(1 / 60)
    assert row(made, "daily", LATE, "2026-03-11")["data_completeness"] == 1
    assert row(made, "daily", LATE, "2026-03-21")["data_completeness"] == 0.5
    assert pd.isna(row(made, "hourly", LATE, "2026-03-21 09:00")["data_completeness"])


def test_groups_by_age_and_sex_add_up_to_everyone(made: Pipeline) -> None:
    groups = query(
        made,
        "SELECT stratum, figure, band, people, total FROM bi_health_groups"
        " WHERE aggregation_period = 'weekly' AND period_start = '2026-03-02'",
    )
    people = groups[groups["figure"] == "people"].set_index("stratum")["people"]
    assert people.to_dict() == {
        "all": 9,
        "age 40-64": 1, "age 65+": 2, "age unknown": 6,
        "sex female": 2, "sex male": 1, "sex unknown": 6,
        "age 40-64, sex female": 1, "age 65+, sex female": 1, "age 65+, sex male": 1, "age unknown, sex unknown": 6,
    }  # fmt: skip
    for stratum in ("age", "sex"):
        parts = groups[groups["stratum"].str.startswith(stratum) & ~groups["stratum"].str.contains(", ")]
        added = parts.groupby(["figure", "band"])[["people", "total"]].sum(min_count=1)
        whole = groups[groups["stratum"] == "all"].set_index(["figure", "band"])[["people", "total"]]
        pd.testing.assert_frame_equal(added, whole.sort_index(), check_dtype=False, rtol=1e-12)
    days = query(
        made,
        "SELECT DISTINCT split_part(stratum, ' ', 1) AS kind, stratum LIKE '%, %' AS is_both FROM bi_health_groups"
        " WHERE aggregation_period = 'daily' ORDER BY kind",
    )
    assert days.to_dict("list") == {"kind": ["age", "all", "sex"], "is_both": [False] * 3}
    hours = query(made, "SELECT DISTINCT stratum FROM bi_health_groups WHERE aggregation_period = 'hourly'")
    assert list(hours["stratum"]) == ["all"]
