"""Everything that comes in wrong at once: each is named with file, place, rule and column, and the rest goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.datasets import (
    HEALTH_READINGS,
    MEDICATION_DOSES,
    SYMPTOM_LOGS,
    USERS,
)
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.checks import CHECKS, Verdict, check
from healthmate_bi_pipeline.usecases.checks.plausibility import PLAUSIBILITY
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.accounts import assert_books_balance, fates, lake_frame, rules
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, health, opened, refresh

NOW = datetime(2026, 3, 20, 12)

Case = tuple[dict[str, Any], str | None]
"""A row, and the rule that it breaks."""


def person(user: int, **more: Any) -> dict[str, Any]:
    return {"user_id": user, "time_zone": "Europe/Berlin", "birth_year": 1980} | more


def reading(metric: str, value: float, unit: str | None, *, day: int = 10, **more: Any) -> dict[str, Any]:
    return {
        "user_id": 1, "reading_id": None, "metric": metric, "value": value, "unit": unit, "source": "app",
        "recorded_at": f"2026-03-{day:02}T10:00:00Z",
    } | more  # fmt: skip


def pressure(systolic: float | None, diastolic: float | None, *, day: int) -> list[dict[str, Any]]:
    return [
        reading(f"blood_pressure_{name}", value, "mmHg", day=day, reading_id=f"bp{day}")
        for name, value in (("systolic", systolic), ("diastolic", diastolic))
        if value is not None
    ]


def dose(number: str, scheduled_at: str | None, taken_at: str | None, **more: Any) -> dict[str, Any]:
    return {
        "user_id": 1, "dose_id": number, "medication": "Metformin", "scheduled_at": scheduled_at, "taken_at": taken_at,
        "status": None, "source": "app",
    } | more  # fmt: skip


def symptom(severity: float, hour: int) -> dict[str, Any]:
    return {
        "user_id": 1,
        "symptom": "Cough",
        "severity": severity,
        "recorded_at": f"2026-03-10T{hour}:00:00Z",
    }


CASES: dict[str, list[Case]] = {
    "users": [
        (person(1), None),
        (person(2, birth_year=2027), "impossible_value:birth_year"),
        (person(3, time_zone="Europe/Atlantis"), "unknown_code:time_zone"),
        (person(4), None),
    ],
    "medication_doses": [
        (dose("1", "2026-03-10T08:00:00Z", "2026-03-10T08:10:00Z"), None),
        (dose("2", "2026-03-10T08:00:00Z", "2026-03-10T08:20:00Z"), None),  # twice: kept, and capped later
        (dose("3", None, "2026-03-10T12:00:00Z"), None),  # without a schedule, but taken: an extra dose
        (dose("4", None, None, status="skipped"), "undated:scheduled_at"),
        (dose("5", None, "2026-03-10T12:00:00Z", status="skipped"), "missing:scheduled_at"),
        (dose("6", "2026-03-12T08:00:00Z", "2026-03-11T07:59:00Z"), "taken_too_early:taken_at"),
        (dose("7", "2026-03-12T08:00:00Z", "2026-03-11T08:00:00Z"), None),
        (dose("8", "2026-03-12T20:00:00Z", "2026-03-12T20:00:00Z", status="skipped"), "contradiction:status"),
    ],
    "symptom_logs": [(symptom(11, 10), "impossible_value:severity"), (symptom(10, 11), None), (symptom(0, 12), None)],
    "health_readings": [
        *((row, None) for row in pressure(120, None, day=1)),  # systolic without diastolic
        *((row, "suspected_swap:value") for row in pressure(80, 120, day=2)),
        *((row, None) for row in pressure(125, 85, day=3)),
        (reading("height", 1.8, "m", day=1), None),
        (reading("height", 71, "in", day=2), None),
        (reading("height", 1.8, "cm", day=3), "impossible_value:value"),
        (reading("height", 71, None, day=4), "missing_unit:unit"),
        (reading("weight", 154.3, "lb", day=1), None),
        (reading("weight", 154.3, "lbs", day=2), None),
        (reading("weight", 154.3, None, day=3), "missing_unit:unit"),
        (reading("weight", 70, "kg", recorded_at="2026-02-10T10:00:00Z"), None),
        (reading("weight", 154.3, "kg", day=4), "suspected_unit:value"),
        (reading("blood_glucose", 5.5, None), "missing_unit:unit"),
        (reading("blood_glucose", 5.5, "mmol/L", day=11), None),
        (reading("heart_rate", 60, "bpm", user_id=99), None),  # a person without a record
        (reading("heart_rate", 61, "bpm", user_id=2), None),  # nor these two, whose records are set aside
        (reading("heart_rate", 62, "bpm", user_id=3), None),
        (reading("heart_rate", 63, "bpm", recorded_at="2027-03-10T10:00:00Z"), "in_the_future:recorded_at"),
        (reading("heart_rate", 64, "bpm", user_id=4), None),
    ],
}  # fmt: skip
UNDATED = ("undated", "in_the_future")


@pytest.fixture
def pipeline(settings: Settings) -> Iterator[Pipeline]:
    for dataset, cases in CASES.items():
        drop_file(settings, f"{dataset}/bad.csv", csv_text([row for row, _ in cases]))
    with opened(settings, now=NOW) as pipeline:
        yield pipeline


def expected_rules(dataset: str) -> dict[str, list[int]]:
    """The records that break a rule, by rule."""
    found: dict[str, list[int]] = {}
    for number, (_, rule) in enumerate(CASES[dataset], start=1):
        if rule is not None:
            found.setdefault(rule, []).append(number)
    return found


def test_each_is_named_and_the_rest_goes_on(pipeline):
    made = refresh(pipeline)
    said = [line for built in made.values() for line in built.messages]
    for dataset in CASES:
        for rule, records in expected_rules(dataset).items():
            more = f" and {len(records) - 1} more" if len(records) > 1 else ""
            start = f"{dataset}/bad.csv: record {records[0]}{more}: {rule}: "
            assert [line for line in said if line.startswith(start)], "\n".join((start, *said))
    assert len(said) == sum(len(expected_rules(dataset)) for dataset in CASES)
    for dataset in (USERS, HEALTH_READINGS, MEDICATION_DOSES, SYMPTOM_LOGS):
        cases = CASES[dataset.name]
        assert fates(pipeline, dataset) == {
            "kept": sum(rule is None for _, rule in cases),
            "quarantined": sum(rule is not None and not rule.startswith(UNDATED) for _, rule in cases),
        }
        assert rules(pipeline, dataset) == {
            rule: len(records)
            for rule, records in expected_rules(dataset.name).items()
            if not rule.startswith(UNDATED)
        }
    assert_books_balance(pipeline)
    for spec in CHECKS:
        if spec in PLAUSIBILITY:  # what came is bad on purpose
            continue
        judged = check(pipeline, spec, None)
        assert judged.verdict in (Verdict.PASSED, Verdict.NOT_APPLICABLE), (
            spec.asset,
            spec.name,
            judged.reason,
        )


def test_what_is_left_is_right(pipeline):
    refresh(pipeline)
    rows = lake_frame(pipeline, raw_table(HEALTH_READINGS).name)
    heights = rows[rows["metric"] == "height"].sort_values("day")["value"]
    assert list(heights) == pytest.approx([180.0, 180.34])
    weights = rows[rows["metric"] == "weight"].sort_values("day")["value"]
    assert list(weights) == pytest.approx([70.0, 69.989, 69.989], abs=1e-3)
    march = health(pipeline, "monthly").xs(pd.Timestamp(2026, 3, 1), level="period_start")
    assert {1, 2, 3, 4, 99} <= set(march.index)
    assert march.loc[1, "avg_blood_pressure_systolic"] == pytest.approx((120 + 125) / 2)
    assert march.loc[1, "avg_blood_pressure_diastolic"] == 85
    assert march.loc[1, "avg_blood_sugar"] == pytest.approx(99.1, abs=0.01)
    assert march.loc[[99, 2, 3, 4], "avg_heart_rate"].tolist() == [60, 61, 62, 64]
    doses = lake_frame(pipeline, raw_table(MEDICATION_DOSES).name)
    assert sorted(doses["dose_id"]) == ["1", "2", "3", "7"]
    assert set(doses["day"]) == {date(2026, 3, 10), date(2026, 3, 12)}
