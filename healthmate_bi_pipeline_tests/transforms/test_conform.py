"""Rules, units and the choice among versions, each against a row that is known to be right or wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthmate_bi_pipeline.catalog.datasets import (
    ACTIVITY_INTERVALS,
    APP_EVENTS,
    HEALTH_READINGS,
    LOGIN_SESSIONS,
    MEDICATION_DOSES,
    SLEEP_SESSIONS,
    SYMPTOM_LOGS,
    USERS,
    Dataset,
)
from healthmate_bi_pipeline.catalog.readings import METRICS
from healthmate_bi_pipeline.catalog.rules import ROW_RULES
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.settings import EngineSettings
from healthmate_bi_pipeline.transforms import conform
from healthmate_bi_pipeline.transforms.suspicions import IMPOSSIBLE_DAY, SUSPECTED_SWAP, SUSPECTED_UNIT
from healthmate_bi_pipeline_tests.transforms.judging import judge, judged_rows, stage

READING = {
    "user_id": 1, "metric": "heart_rate", "value": 60, "unit": "bpm", "recorded_at": "2026-03-01T10:00:00Z", "source": "watch",
}  # fmt: skip
ACTIVITY = {
    "user_id": 1, "started_at": "2026-03-01T10:00:00Z", "ended_at": "2026-03-01T11:00:00Z", "steps": 100, "source": "watch",
}  # fmt: skip
SLEEP = {
    "user_id": 1, "started_at": "2026-03-01T22:00:00Z", "ended_at": "2026-03-02T06:00:00Z", "asleep_minutes": 420,
    "source": "watch",
}  # fmt: skip
DOSE = {
    "user_id": 1, "medication": "metformin", "scheduled_at": "2026-03-01T10:00:00Z", "taken_at": "2026-03-01T10:05:00Z",
    "source": "app",
}  # fmt: skip
FILL = {"scheduled_at": None, "taken_at": None, "filled_at": "2026-03-01T10:00:00Z", "days_supply": 30}
SYMPTOM = {
    "user_id": 1,
    "symptom": "headache",
    "severity": 3,
    "recorded_at": "2026-03-01T10:00:00Z",
    "source": "app",
}
SESSION = {
    "user_id": 1, "session_id": "s1", "started_at": "2026-03-01T10:00:00Z", "ended_at": "2026-03-01T10:20:00Z",
    "source": "app",
}  # fmt: skip
EVENT = {
    "user_id": 1, "session_id": "s1", "event": "page_view", "name": "home", "occurred_at": "2026-03-01T10:00:00Z",
    "source": "app",
}  # fmt: skip
PERSON = {"user_id": 1, "valid_from": "2026-01-01", "time_zone": "Europe/Berlin"}
BASE: dict[Dataset, dict[str, Any]] = {
    HEALTH_READINGS: READING, ACTIVITY_INTERVALS: ACTIVITY, SLEEP_SESSIONS: SLEEP, MEDICATION_DOSES: DOSE,
    SYMPTOM_LOGS: SYMPTOM, LOGIN_SESSIONS: SESSION, APP_EVENTS: EVENT, USERS: PERSON,
}  # fmt: skip

BROKEN: list[tuple[Dataset, dict[str, Any], str]] = [
    (HEALTH_READINGS, {"user_id": None}, "missing:user_id"),
    (HEALTH_READINGS, {"user_id": "me"}, "wrong_type:user_id"),
    (HEALTH_READINGS, {"user_id": 1.5}, "wrong_type:user_id"),
    (HEALTH_READINGS, {"metric": None}, "missing:metric"),
    (HEALTH_READINGS, {"metric": "hart_rate"}, "unknown_code:metric"),
    (HEALTH_READINGS, {"value": None}, "missing:value"),
    (HEALTH_READINGS, {"value": "sixty"}, "wrong_type:value"),
    (HEALTH_READINGS, {"value": "NaN"}, "wrong_type:value"),
    (HEALTH_READINGS, {"value": "inf"}, "wrong_type:value"),
    (HEALTH_READINGS, {"context": "sitting"}, "unknown_code:context"),
    (HEALTH_READINGS, {"unit": "kg"}, "unknown_unit:unit"),
    (HEALTH_READINGS, {"metric": "weight", "value": 70, "unit": None}, "missing_unit:unit"),
    (HEALTH_READINGS, {"metric": "weight", "value": 70, "unit": "stone"}, "unknown_unit:unit"),
    (HEALTH_READINGS, {"value": 19.9}, "impossible_value:value"),
    (HEALTH_READINGS, {"value": -60}, "impossible_value:value"),
    (HEALTH_READINGS, {"metric": "weight", "value": 1000, "unit": "lb"}, "impossible_value:value"),
    (HEALTH_READINGS, {"utc_offset_minutes": 900}, "impossible_value:utc_offset_minutes"),
    (HEALTH_READINGS, {"utc_offset_minutes": 10**15}, "impossible_value:utc_offset_minutes"),
    (HEALTH_READINGS, {"utc_offset_minutes": "+01:00"}, "wrong_type:utc_offset_minutes"),
    (HEALTH_READINGS, {"is_deleted": "perhaps"}, "wrong_type:is_deleted"),
    (HEALTH_READINGS, {"updated_at": "lately"}, "wrong_type:updated_at"),
    (ACTIVITY_INTERVALS, {"ended_at": None}, "missing:ended_at"),
    (LOGIN_SESSIONS, {"user_id": None}, "missing:user_id"),
    (LOGIN_SESSIONS, {"session_id": None}, "missing:session_id"),
    (LOGIN_SESSIONS, {"ended_at": "2026-03-01T09:59:59Z"}, "ends_before_start:ended_at"),
    (LOGIN_SESSIONS, {"ended_at": "2026-03-02T10:00:01Z"}, "too_long:ended_at"),
    (LOGIN_SESSIONS, {"ended_at": "2026-03-08T10:00:00Z"}, "too_long:ended_at"),  # a session of a week
    (LOGIN_SESSIONS, {"ended_at": "noon"}, "wrong_type:ended_at"),
    (APP_EVENTS, {"event": None}, "missing:event"),
    (APP_EVENTS, {"event": "page_turn"}, "unknown_code:event"),
    (APP_EVENTS, {"count": -1}, "negative:count"),
    (APP_EVENTS, {"count": 1_000_001}, "impossible_value:count"),
    (APP_EVENTS, {"count": 1.5}, "wrong_type:count"),
    (ACTIVITY_INTERVALS, {"ended_at": "later"}, "wrong_type:ended_at"),
    (ACTIVITY_INTERVALS, {"ended_at": "9999-12-31T23:59:59Z"}, "wrong_type:ended_at"),
    (ACTIVITY_INTERVALS, {"steps": -1}, "negative:steps"),
    (ACTIVITY_INTERVALS, {"calories_kcal": -0.5}, "negative:calories_kcal"),
    (ACTIVITY_INTERVALS, {"moderate_minutes": -1}, "negative:moderate_minutes"),
    (ACTIVITY_INTERVALS, {"steps": 100_001}, "impossible_value:steps"),
    (ACTIVITY_INTERVALS, {"ended_at": "2026-03-01T09:59:59Z"}, "ends_before_start:ended_at"),
    (ACTIVITY_INTERVALS, {"ended_at": "2026-03-03T10:00:01Z"}, "too_long:ended_at"),
    (ACTIVITY_INTERVALS, {"ended_at": "2026-05-31T10:00:01Z"}, "too_long:ended_at"),
    (ACTIVITY_INTERVALS, {"moderate_minutes": 40, "vigorous_minutes": 30}, "more_than_elapsed"),
    (ACTIVITY_INTERVALS, {"steps": None}, "not_measured"),
    (SLEEP_SESSIONS, {"asleep_minutes": None}, "missing:asleep_minutes"),
    (SLEEP_SESSIONS, {"ended_at": None}, "missing:ended_at"),
    (SLEEP_SESSIONS, {"asleep_minutes": -1}, "negative:asleep_minutes"),
    (SLEEP_SESSIONS, {"asleep_minutes": 482}, "more_than_elapsed"),
    (SLEEP_SESSIONS, {"in_bed_minutes": 410}, "more_than_elapsed:asleep_minutes"),
    (SLEEP_SESSIONS, {"asleep_minutes": 1441, "in_bed_minutes": None}, "impossible_value:asleep_minutes"),
    (SLEEP_SESSIONS, {"ended_at": "2026-03-01T21:00:00Z"}, "ends_before_start:ended_at"),
    (SLEEP_SESSIONS, {"ended_at": "2026-02-01T21:00:00Z"}, "ends_before_start:ended_at"),
    (SLEEP_SESSIONS, {"ended_at": "2026-03-02T22:00:01Z"}, "too_long:ended_at"),
    (SLEEP_SESSIONS, {"ended_at": None, "night_on": "2026-02-28"}, "ends_before_start:night_on"),
    (SLEEP_SESSIONS, {"ended_at": None, "night_on": "2026-05-01"}, "too_long:night_on"),
    (SLEEP_SESSIONS, {"is_nap": "a bit"}, "wrong_type:is_nap"),
    (MEDICATION_DOSES, {"user_id": None}, "missing:user_id"),
    (MEDICATION_DOSES, {"medication": None}, "missing:medication"),
    (MEDICATION_DOSES, {"taken_at": "after lunch"}, "wrong_type:taken_at"),
    (MEDICATION_DOSES, {"is_as_needed": "now and then"}, "wrong_type:is_as_needed"),
    (MEDICATION_DOSES, {"status": "forgotten"}, "unknown_code:status"),
    (MEDICATION_DOSES, {"status": "skipped"}, "contradiction:status"),
    (MEDICATION_DOSES, {"status": "Unlogged"}, "contradiction:status"),
    (MEDICATION_DOSES, {"filled_at": "2026-03-01T10:00:00Z", "status": "taken"}, "contradiction:status"),
    (MEDICATION_DOSES, {**FILL, "taken_at": "2026-03-01T10:00:00Z"}, "contradiction:status"),
    (MEDICATION_DOSES, {"scheduled_at": None, "status": "skipped"}, "missing:scheduled_at"),
    (
        MEDICATION_DOSES,
        {"scheduled_at": None, "status": "unlogged", "is_as_needed": True},
        "missing:scheduled_at",
    ),
    (MEDICATION_DOSES, {"taken_at": "2026-02-28T09:59:59Z"}, "taken_too_early:taken_at"),
    (MEDICATION_DOSES, {"taken_at": "2026-02-01T10:00:00Z"}, "taken_too_early:taken_at"),
    (MEDICATION_DOSES, {"status": "filled", "taken_at": None}, "missing:filled_at"),
    (MEDICATION_DOSES, {**FILL, "days_supply": None}, "missing:days_supply"),
    (MEDICATION_DOSES, {**FILL, "days_supply": "a month"}, "wrong_type:days_supply"),
    (MEDICATION_DOSES, {**FILL, "days_supply": -30}, "negative:days_supply"),
    (MEDICATION_DOSES, {**FILL, "days_supply": 0}, "impossible_value:days_supply"),
    (MEDICATION_DOSES, {**FILL, "days_supply": 401}, "impossible_value:days_supply"),
    (SYMPTOM_LOGS, {"symptom": " "}, "missing:symptom"),
    (SYMPTOM_LOGS, {"severity": 11}, "impossible_value:severity"),
    (SYMPTOM_LOGS, {"severity": -1}, "negative:severity"),
    (SYMPTOM_LOGS, {"severity": "bad"}, "wrong_type:severity"),
    (SYMPTOM_LOGS, {"user_id": "me"}, "wrong_type:user_id"),
    (USERS, {"nicotine_use": "sometimes"}, "unknown_code:nicotine_use"),
    (USERS, {"mepa_score": 17}, "impossible_value:mepa_score"),
    (USERS, {"mepa_score": -1}, "negative:mepa_score"),
    (USERS, {"is_lipid_treated": "maybe"}, "wrong_type:is_lipid_treated"),
    (USERS, {"user_id": None}, "missing:user_id"),
    (USERS, {"user_id": "me"}, "wrong_type:user_id"),
    (USERS, {"time_zone": "Berlin"}, "unknown_code:time_zone"),
    (USERS, {"sex": "f"}, "unknown_code:sex"),
    (USERS, {"birth_year": 2027}, "impossible_value:birth_year"),
    (USERS, {"birth_year": 1879}, "impossible_value:birth_year"),
    (USERS, {"height_cm": 1.75}, "impossible_value:height_cm"),
    (USERS, {"valid_from": "some day"}, "wrong_type:valid_from"),
]
GOOD: list[tuple[Dataset, dict[str, Any]]] = [
    *((dataset, {}) for dataset in BASE),
    (HEALTH_READINGS, {"metric": "HEART_RATE", "unit": "BPM", "context": "Resting"}),
    (HEALTH_READINGS, {"unit": None}),  # of the heart there is one unit
    (HEALTH_READINGS, {"value": 20}),
    (HEALTH_READINGS, {"value": 300}),
    (HEALTH_READINGS, {"user_id": 2**62 + 1}),
    (HEALTH_READINGS, {"utc_offset_minutes": 840}),
    (HEALTH_READINGS, {"value": None, "metric": None, "is_deleted": "true"}),  # takes back: needs no value
    (ACTIVITY_INTERVALS, {"ended_at": ACTIVITY["started_at"]}),
    (ACTIVITY_INTERVALS, {"ended_at": "2026-03-03T10:00:00Z"}),
    (ACTIVITY_INTERVALS, {"moderate_minutes": 31, "vigorous_minutes": 30}),  # whole minutes at both ends
    (ACTIVITY_INTERVALS, {"steps": 0}),
    (SLEEP_SESSIONS, {"asleep_minutes": 481}),
    (SLEEP_SESSIONS, {"ended_at": None, "night_on": "2026-03-02"}),
    (SLEEP_SESSIONS, {"ended_at": None, "night_on": "2026-03-01"}),
    (SLEEP_SESSIONS, {"started_at": None, "ended_at": None, "night_on": "2026-03-02"}),
    (MEDICATION_DOSES, {"status": "TAKEN", "dose_id": "d1"}),
    (MEDICATION_DOSES, {"taken_at": "2026-02-28T10:00:00Z"}),  # a day ahead, no more
    (MEDICATION_DOSES, {"taken_at": "2026-03-20T10:00:00Z"}),
    (MEDICATION_DOSES, {"taken_at": None}),
    (MEDICATION_DOSES, {"taken_at": None, "status": "taken"}),
    (MEDICATION_DOSES, {"taken_at": None, "status": "skipped"}),
    (MEDICATION_DOSES, {"scheduled_at": None}),  # an extra dose
    (MEDICATION_DOSES, FILL),
    (MEDICATION_DOSES, {**FILL, "status": "filled", "days_supply": 1}),
    (MEDICATION_DOSES, {**FILL, "days_supply": 400}),
    (SYMPTOM_LOGS, {"severity": None}),
    (SYMPTOM_LOGS, {"severity": 0}),
    (SYMPTOM_LOGS, {"severity": 10}),
    (USERS, {"nicotine_use": "E_Cigarette", "mepa_score": 16, "is_lipid_treated": "true"}),
    (USERS, {"valid_from": None, "sex": "Female", "birth_year": 2026, "time_zone": None}),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(EngineSettings(), scratch=tmp_path_factory.mktemp("scratch")) as engine:
        yield engine


@pytest.mark.parametrize("dataset", list(BASE), ids=lambda dataset: dataset.name)
def test_a_broken_row_carries_the_name_of_its_rule(engine, dataset):
    cases = [(change, rule) for of, change, rule in BROKEN if of is dataset]
    rows = judged_rows(engine, dataset, [BASE[dataset] | change for change, _ in cases])
    assert [(change, row["rule"]) for (change, _), row in zip(cases, rows, strict=True)] == cases


@pytest.mark.parametrize("dataset", list(BASE), ids=lambda dataset: dataset.name)
def test_a_good_row_carries_none(engine, dataset):
    changes = [change for of, change in GOOD if of is dataset]
    rows = judged_rows(engine, dataset, [BASE[dataset] | change for change in changes])
    assert [(change, row["rule"]) for change, row in zip(changes, rows, strict=True)] == [
        (c, None) for c in changes
    ]


def test_every_rule_of_the_catalog_is_reached():
    beside_others = {SUSPECTED_UNIT, SUSPECTED_SWAP, IMPOSSIBLE_DAY}  # see test_suspicions.py
    beside_others |= {"reserved"}  # of machines, see usecases/test_machines.py
    beside_others |= {"after_retention"}  # of closed days, see usecases/retention
    assert {rule.split(":")[0] for _, _, rule in BROKEN} | beside_others == set(ROW_RULES)


@pytest.mark.parametrize(
    "dataset", [dataset for dataset in BASE if dataset.is_partitioned], ids=lambda d: d.name
)
def test_a_broken_row_is_booked_on_a_day_near_the_one_it_is_staged_under(engine, dataset):
    changes = [change for of, change, _ in BROKEN if of is dataset]
    rows = judged_rows(engine, dataset, [BASE[dataset] | change for change in changes])
    for row in rows:
        assert -dataset.days_after <= (row["own_day"] - row["day"]).days <= dataset.days_before


POUND = 0.45359237  # kg, exact (international yard and pound agreement, 1959)
UNITS: list[tuple[str, float, str, float]] = [
    ("weight", 70, "kg", 70.0),
    ("weight", 154.3235835, "lb", 70.0),  # 70 kg / 0.45359237
    ("weight", 200, "lbs", 200 * POUND),
    ("weight", 200, "[lb_av]", 200 * POUND),
    ("weight", 70_500, "g", 70.5),
    ("height", 1.8, "m", 180.0),
    ("height", 72, "in", 182.88),
    ("height", 72, "Inches", 182.88),
    ("height", 180, "cm", 180.0),
    ("body_temperature", 98.6, "°F", 37.0),
    ("body_temperature", 100.4, "[degF]", 38.0),
    ("body_temperature", 37.2, "Cel", 37.2),
    ("body_temperature", 37.2, "°C", 37.2),
    ("blood_glucose", 5.5, "mmol/L", 99.1),  # the usual table: 5.5 mmol/L is 99 mg/dL
    ("blood_glucose", 100, "mg/dL", 100.0),
    ("non_hdl_cholesterol", 3.4, "mmol/L", 131.5),
    ("blood_pressure_systolic", 120, "mm[Hg]", 120.0),
    ("blood_pressure_diastolic", 80, "mm Hg", 80.0),
    ("heart_rate", 60, "/min", 60.0),
    ("heart_rate", 60, "{beats}/min", 60.0),
    ("oxygen_saturation", 97, "percent", 97.0),
    ("hba1c", 5.4, "%", 5.4),
]


def test_units_are_converted(engine):
    rows = judged_rows(
        engine, HEALTH_READINGS, [READING | {"metric": m, "value": v, "unit": u} for m, v, u, _ in UNITS]
    )  # fmt: skip
    for (metric, value, unit, kept), row in zip(UNITS, rows, strict=True):
        assert row["rule"] is None, (metric, unit)
        assert row["kept_value"] == pytest.approx(kept, rel=1e-3 if "mmol" in unit else 1e-9), (
            metric,
            value,
            unit,
        )
    assert {metric for metric, _, _, _ in UNITS} == {metric.code for metric in METRICS}


def test_outside_the_soft_limits_is_kept_and_counted(engine):
    cases = [
        (metric.code, value, metric.unit, not metric.soft[0] <= value <= metric.soft[1])
        for metric in METRICS
        for value in {metric.hard[0], metric.soft[0], sum(metric.soft) / 2, metric.soft[1], metric.hard[1]}
    ]
    rows = judged_rows(
        engine, HEALTH_READINGS, [READING | {"metric": m, "value": v, "unit": u} for m, v, u, _ in cases]
    )
    assert [(row["metric"], row["value"], row["rule"], row["is_implausible"]) for row in rows] == [
        (metric, value, None, is_implausible) for metric, value, _, is_implausible in cases
    ]


DAYS: list[tuple[Dataset, dict[str, Any], date]] = [
    (HEALTH_READINGS, {"recorded_at": "2026-03-01T23:30:00Z"}, date(2026, 3, 2)),  # Berlin
    (HEALTH_READINGS, {"recorded_at": "2026-03-01T23:30:00Z", "utc_offset_minutes": -60}, date(2026, 3, 1)),
    (HEALTH_READINGS, {"recorded_at": "2026-03-01T23:30:00-05:00"}, date(2026, 3, 1)),
    (HEALTH_READINGS, {"recorded_at": "2026-03-01 23:30"}, date(2026, 3, 1)),
    (HEALTH_READINGS, {"recorded_at": "2026-03-01T23:30:00Z", "user_id": 2}, date(2026, 3, 1)),  # no record
    (ACTIVITY_INTERVALS, {"started_at": "2026-02-28T23:30:00Z"}, date(2026, 3, 1)),
    (SLEEP_SESSIONS, {}, date(2026, 3, 2)),  # of waking
    (SLEEP_SESSIONS, {"ended_at": "2026-03-01T22:59:00Z", "asleep_minutes": 30}, date(2026, 3, 1)),
    (SLEEP_SESSIONS, {"ended_at": "2026-03-01T23:00:00Z", "asleep_minutes": 30}, date(2026, 3, 2)),
    (SLEEP_SESSIONS, {"ended_at": None, "night_on": "2026-03-02"}, date(2026, 3, 2)),
    (MEDICATION_DOSES, {"scheduled_at": "2026-03-01T23:30:00Z"}, date(2026, 3, 2)),
    (
        MEDICATION_DOSES,
        {"taken_at": "2026-03-02T23:30:00Z"},
        date(2026, 3, 1),
    ),  # late: of the day planned for
    (MEDICATION_DOSES, {"scheduled_at": None, "taken_at": "2026-03-01T23:30:00Z"}, date(2026, 3, 2)),
    (MEDICATION_DOSES, FILL | {"filled_at": "2026-03-01T23:30:00Z"}, date(2026, 3, 2)),
    (SYMPTOM_LOGS, {"recorded_at": "2026-03-01T23:30:00Z"}, date(2026, 3, 2)),
    (
        LOGIN_SESSIONS,
        {"started_at": "2026-03-01T22:59:00Z", "ended_at": "2026-03-01T23:30:00Z"},
        date(2026, 3, 1),
    ),
    (LOGIN_SESSIONS, {"started_at": "2026-03-01T23:30:00Z", "ended_at": None}, date(2026, 3, 2)),
    (APP_EVENTS, {"occurred_at": "2026-03-01T23:30:00Z"}, date(2026, 3, 2)),
]


@pytest.mark.parametrize(
    "dataset", [dataset for dataset in BASE if dataset.is_partitioned], ids=lambda d: d.name
)
def test_a_row_belongs_to_the_day_of_the_person(engine, dataset):
    cases = [(change, day) for of, change, day in DAYS if of is dataset]
    rows = judged_rows(
        engine, dataset, [BASE[dataset] | change for change, _ in cases], zones={1: "Europe/Berlin"}
    )
    assert [(change, row["own_day"]) for (change, _), row in zip(cases, rows, strict=True)] == cases
    assert {row["rule"] for row in rows} == {None}


def fate_names(engine: Engine, dataset: Dataset, files: list[list[dict[str, Any]]]) -> list[str]:
    """What became of the rows of some files, in their order; only what stands more than once has a fate."""
    staged = [stage(engine, dataset, rows, file_number=number) for number, rows in enumerate(files, start=1)]
    judged = judge(engine, dataset, staged[0].union(*staged[1:]) if staged[1:] else staged[0])
    good = judged.filter(judged.rule.isnull())
    found = {
        (row["file_number"], row["row_number"]): row["fate"]
        for row in engine.rows(conform.repeated_rows(good, dataset))
    }
    places = engine.rows(judged.select("file_number", "row_number").order_by("file_number", "row_number"))
    return [found.get((place["file_number"], place["row_number"]), "alone") for place in places]


OTHER = READING | {"value": 61}
WITH_ID = READING | {"reading_id": "r1"}


def fates_of_cases(
    engine: Engine, dataset: Dataset, cases: list[tuple[list[list[dict[str, Any]]], list[str]]]
) -> list[tuple[list[list[dict[str, Any]]], list[str]]]:
    """The same cases with the fates that were found: all in one go, each about people of its own."""
    shifted = [
        [[row | {"user_id": 100 * number + row["user_id"]} for row in rows] for rows in files]
        for number, (files, _) in enumerate(cases)
    ]
    most = max(len(files) for files in shifted)
    merged = [
        [row for files in shifted if place < len(files) for row in files[place]] for place in range(most)
    ]
    names = iter(fate_names(engine, dataset, merged))
    found: list[list[str]] = [[] for _ in cases]
    for place in range(most):
        for case, files in zip(found, shifted, strict=True):
            case += [next(names) for _ in files[place]] if place < len(files) else []
    return [(files, fates) for (files, _), fates in zip(cases, found, strict=True)]


READING_CASES: list[tuple[list[list[dict[str, Any]]], list[str]]] = [
        ([[READING, READING]], ["duplicate", "kept"]),
        ([[READING], [READING], [READING]], ["duplicate", "duplicate", "kept"]),
        ([[READING, OTHER]], ["superseded", "kept"]),
        ([[READING, OTHER, READING]], ["duplicate", "superseded", "kept"]),
        ([[OTHER], [READING]], ["superseded", "kept"]),
        ([[OTHER | {"updated_at": "2026-03-05"}], [READING]], ["kept", "superseded"]),
        ([[OTHER | {"updated_at": "2026-03-05"}], [READING | {"updated_at": "2026-03-04"}]], ["kept", "superseded"]),
        ([[OTHER | {"updated_at": "2026-03-05T00:00:00Z"}], [READING | {"updated_at": "2026-03-05T01:00+02:00"}]], ["kept", "superseded"]),
        ([[READING | {"updated_at": "2026-03-05"}], [READING | {"updated_at": "2026-03-05"}]], ["duplicate", "kept"]),
        ([[READING | {"updated_at": "2026-03-04"}], [READING | {"updated_at": "2026-03-05"}]], ["superseded", "kept"]),
        ([[READING | {"origin": "a:1"}], [READING | {"origin": "b:7"}]], ["duplicate", "kept"]),
        ([[READING], [READING | {"source": "phone"}]], ["alone", "alone"]),
        ([[READING | {"source": None}], [READING | {"source": "unknown"}]], ["duplicate", "kept"]),
        ([[READING], [READING | {"recorded_at": "2026-03-01T12:00:00+02:00"}]], ["duplicate", "kept"]),
        ([[READING], [READING | {"metric": "Heart_Rate"}]], ["duplicate", "kept"]),
        ([[READING], [READING | {"value": 1000}]], ["alone", "alone"]),  # a broken row competes with nobody
        ([[READING | {"is_deleted": "true", "value": None}], [READING]], ["superseded", "kept"]),
        ([[READING], [READING | {"is_deleted": "true", "value": None}]], ["superseded", "superseded"]),
        ([[READING | {"is_deleted": "true"}, READING | {"is_deleted": "true"}]], ["duplicate", "superseded"]),
        ([[WITH_ID], [WITH_ID | {"recorded_at": "2026-03-02T10:00:00Z"}]], ["superseded", "kept"]),
        ([[WITH_ID], [WITH_ID | {"metric": "weight", "unit": "kg"}]], ["alone", "alone"]),
        ([[WITH_ID], [WITH_ID | {"user_id": 2}]], ["alone", "alone"]),
        ([[WITH_ID], [READING]], ["alone", "alone"]),
]  # fmt: skip


def test_the_last_version_of_a_key_wins(engine):
    assert fates_of_cases(engine, HEALTH_READINGS, READING_CASES) == READING_CASES


OTHER_CASES: list[tuple[Dataset, list[list[dict[str, Any]]], list[str]]] = [
        (ACTIVITY_INTERVALS, [[ACTIVITY], [ACTIVITY | {"steps": 200}]], ["superseded", "kept"]),
        (ACTIVITY_INTERVALS, [[ACTIVITY], [ACTIVITY | {"ended_at": "2026-03-01T10:30:00Z"}]], ["alone", "alone"]),
        (SLEEP_SESSIONS, [[SLEEP], [SLEEP | {"ended_at": "2026-03-02T07:00:00Z"}]], ["superseded", "kept"]),
        (
            SLEEP_SESSIONS,
            [[{"user_id": 1, "night_on": "2026-03-02", "asleep_minutes": 400}], [{"user_id": 1, "night_on": "2026-03-02", "asleep_minutes": 410}]],
            ["superseded", "kept"],
        ),
        (SLEEP_SESSIONS, [[SLEEP], [SLEEP | {"started_at": None, "ended_at": None, "night_on": "2026-03-02"}]], ["alone", "alone"]),
        (MEDICATION_DOSES, [[DOSE], [DOSE | {"medication": "Metformin "}]], ["duplicate", "kept"]),
        (MEDICATION_DOSES, [[DOSE], [DOSE | {"status": "taken"}]], ["duplicate", "kept"]),
        (MEDICATION_DOSES, [[DOSE], [DOSE | {"taken_at": "2026-03-01T10:06:00Z"}]], ["alone", "alone"]),
        (MEDICATION_DOSES, [[DOSE | {"taken_at": None}], [DOSE | {"taken_at": None, "status": "skipped"}]], ["superseded", "kept"]),
        (MEDICATION_DOSES, [[DOSE | {"dose_id": "1"}], [DOSE | {"dose_id": "2"}]], ["alone", "alone"]),  # taken twice
        (MEDICATION_DOSES, [[DOSE | {"dose_id": "1"}], [DOSE | {"dose_id": "1", "taken_at": None}]], ["superseded", "kept"]),
        (MEDICATION_DOSES, [[DOSE | FILL], [DOSE | FILL | {"days_supply": 90}]], ["superseded", "kept"]),
        (SYMPTOM_LOGS, [[SYMPTOM], [SYMPTOM | {"symptom": " Headache", "severity": 5}]], ["superseded", "kept"]),
        (SYMPTOM_LOGS, [[SYMPTOM], [SYMPTOM | {"symptom": "nausea"}]], ["alone", "alone"]),
        (LOGIN_SESSIONS, [[SESSION | {"ended_at": None}], [SESSION]], ["superseded", "kept"]),
        (LOGIN_SESSIONS, [[SESSION], [SESSION | {"session_id": "s2"}]], ["alone", "alone"]),
        (LOGIN_SESSIONS, [[SESSION], [SESSION | {"user_id": 2}]], ["alone", "alone"]),
        (APP_EVENTS, [[EVENT, EVENT], [EVENT]], ["alone", "alone", "alone"]),  # three clicks
        (APP_EVENTS, [[EVENT | {"event_id": "e"}], [EVENT | {"event_id": "e"}]], ["duplicate", "kept"]),
        (APP_EVENTS, [[EVENT | {"event_id": "e"}], [EVENT]], ["alone", "alone"]),
        (USERS, [[PERSON], [PERSON | {"plan": "plus"}]], ["superseded", "kept"]),
        (USERS, [[PERSON], [PERSON | {"valid_from": "2026-02-01"}]], ["alone", "alone"]),
        (USERS, [[PERSON], [PERSON | {"valid_from": "2026-01-01T00:00:00Z"}]], ["duplicate", "kept"]),
        (USERS, [[PERSON | {"valid_from": None}], [PERSON | {"valid_from": None, "plan": "plus"}]], ["superseded", "kept"]),
        (USERS, [[PERSON | {"valid_from": None}], [PERSON]], ["alone", "alone"]),
]  # fmt: skip


@pytest.mark.parametrize(
    "dataset",
    [ACTIVITY_INTERVALS, SLEEP_SESSIONS, MEDICATION_DOSES, SYMPTOM_LOGS, LOGIN_SESSIONS, APP_EVENTS, USERS],
    ids=lambda dataset: dataset.name,
)
def test_each_dataset_has_its_key(engine, dataset):
    cases = [(files, expected) for of, files, expected in OTHER_CASES if of is dataset]
    assert fates_of_cases(engine, dataset, cases) == cases


def test_what_is_known_by_nothing_has_no_rival(engine):
    """Two equal clicks are two clicks; a row that has the key is known by it beside them."""
    clicks = replace(SYMPTOM_LOGS, keys=(("user_id", "severity"),), has_keyless_rows=True)
    keyless = SYMPTOM | {"severity": None}
    cases = [
        ([[keyless, keyless], [keyless]], ["alone", "alone", "alone"]),
        ([[keyless, keyless | {"is_deleted": "true"}]], ["alone", "alone"]),
        ([[SYMPTOM, keyless], [SYMPTOM, keyless]], ["duplicate", "alone", "kept", "alone"]),
    ]
    assert fates_of_cases(engine, clicks, cases) == cases


VERSIONS = st.lists(
    st.tuples(
        st.integers(1, 15),  # person
        st.sampled_from(["2026-03-01T10:00:00Z", "2026-03-01 10:00", "2026-03-01T09:00:00-01:00", "2026-03-01T11:00:00Z"]),
        st.integers(60, 62),
        st.sampled_from([None, "2026-03-02", "2026-03-03T00:00:00Z", "2026-03-03"]),
        st.booleans(),  # deleted
        st.integers(1, 3),  # file
    ),
    min_size=50,
    max_size=300,
)  # fmt: skip


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=VERSIONS)
def test_versions_against_a_plain_computation(engine, versions):
    files: dict[int, list[dict[str, Any]]] = {1: [], 2: [], 3: []}
    for person, at, value, updated_at, is_deleted, file in versions:
        files[file].append(
            READING | {
                "user_id": person, "recorded_at": at, "value": value, "updated_at": updated_at,
                "is_deleted": "true" if is_deleted else None,
            }
        )  # fmt: skip
    rows = [(number, place, row) for number in files for place, row in enumerate(files[number], start=1)]

    def instant(text: str | None) -> datetime:
        if text is None:
            return datetime.min
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)

    groups: dict[tuple[Any, ...], list[tuple[int, int, dict[str, Any]]]] = {}
    for number, place, row in rows:
        groups.setdefault((row["user_id"], instant(row["recorded_at"])), []).append((number, place, row))
    expected = []
    for number, place, row in rows:
        group = groups[row["user_id"], instant(row["recorded_at"])]
        winner = max(group, key=lambda member: (instant(member[2]["updated_at"]), member[0], member[1]))

        def said(version: dict[str, Any]) -> tuple[Any, ...]:
            return version["value"], instant(version["updated_at"]), version["is_deleted"]

        if len(group) == 1:
            expected.append("alone")
        elif (number, place) == winner[:2]:
            expected.append("superseded" if row["is_deleted"] else "kept")
        else:
            expected.append("duplicate" if said(row) == said(winner[2]) else "superseded")
    full = [rows for rows in files.values() if rows]
    assert fate_names(engine, HEALTH_READINGS, full) == expected


def test_an_instant_of_the_repeated_hour_is_not_the_other_one(engine):
    night = datetime(2025, 10, 26, 0, 30)  # 02:30 in Berlin, twice
    rows = [
        READING | {"recorded_at": f"{night + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}"} for hour in (0, 1)
    ]
    assert fate_names(engine, HEALTH_READINGS, [rows]) == ["alone", "alone"]
    first, second = judged_rows(engine, HEALTH_READINGS, rows, zones={1: "Europe/Berlin"})
    assert first["local_recorded_at"] == second["local_recorded_at"] == datetime(2025, 10, 26, 2, 30)
