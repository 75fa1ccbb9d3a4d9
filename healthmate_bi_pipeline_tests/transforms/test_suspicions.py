"""Slips of the unit, swapped blood pressures and impossible days, each against rows known to be right or wrong."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import ibis
import pyarrow as pa
import pytest

from healthmate_bi_pipeline.catalog.datasets import (
    ACTIVITY_INTERVALS,
    HEALTH_READINGS,
    SLEEP_SESSIONS,
    Dataset,
)
from healthmate_bi_pipeline.catalog.lake_tables import READING_BASELINES
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.settings import EngineSettings
from healthmate_bi_pipeline.transforms import conform, raw, suspicions
from healthmate_bi_pipeline_tests.transforms.judging import judge, stage

AT = "2026-03-01T10:00:00Z"
FEBRUARY = date(2026, 2, 1)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(EngineSettings(), scratch=tmp_path_factory.mktemp("scratch")) as engine:
        yield engine


def reading(metric: str, value: float, unit: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "user_id": 1, "metric": metric, "value": value, "unit": unit, "recorded_at": AT, "source": "cuff",
    } | more  # fmt: skip


def pressure(systolic: float, diastolic: float, **more: Any) -> list[dict[str, Any]]:
    return [
        reading("blood_pressure_systolic", systolic, "mmHg", **more),
        reading("blood_pressure_diastolic", diastolic, "mmHg", **more),
    ]


def suspected(
    engine: Engine,
    files: Sequence[Sequence[Mapping[str, Any]]],
    *,
    medians: Mapping[str, float] | None = None,
    repair: bool = False,
) -> list[dict[str, Any]]:
    """The rows of some files, judged, in their order."""
    staged = [
        stage(engine, HEALTH_READINGS, rows, file_number=number) for number, rows in enumerate(files, 1)
    ]
    judged = judge(engine, HEALTH_READINGS, staged[0].union(*staged[1:]) if staged[1:] else staged[0])
    usual = [
        {"user_id": 1, "metric": metric, "median": median, "month": FEBRUARY}
        for metric, median in (medians or {}).items()
    ]
    schema = arrow_schema(READING_BASELINES.columns)
    baselines = engine.memory_table(pa.Table.from_pylist(usual, schema=schema))
    found = engine.store(suspicions.suspected_rows(judged, baselines))
    changed = suspicions.with_suspicions(judged, found, repair=repair)
    assert tuple(changed.columns) == tuple(judged.columns)
    return engine.rows(changed.order_by("file_number", "row_number"))


USUAL = {"weight": 70.0, "blood_glucose": 95.0}
UNIT = "suspected_unit:value"
IMPOSSIBLE = "impossible_value:value"
SLIPS: list[tuple[dict[str, Any], str | None, float | None]] = [
    (reading("body_temperature", 98.6, "°C"), UNIT, 37.0),
    (reading("body_temperature", 86, "Cel"), UNIT, 30.0),
    (reading("body_temperature", 111, "degC"), UNIT, 43.89),
    (reading("body_temperature", 98.6, "°F"), None, None),
    (reading("body_temperature", 37, "°C"), None, None),
    (reading("body_temperature", 85.9, "°C"), IMPOSSIBLE, None),
    (reading("body_temperature", 111.1, "°C"), IMPOSSIBLE, None),
    (reading("body_temperature", 98.6, None), "missing_unit:unit", None),
    (reading("blood_glucose", 5.5, "mg/dL"), UNIT, 99.1),
    (reading("blood_glucose", 33, "mg/dL"), UNIT, 594.6),
    (reading("blood_glucose", 33.1, "mg/dL"), None, None),
    (reading("blood_glucose", 5.5, "mmol/L"), None, None),
    (reading("blood_glucose", 5.5, None), "missing_unit:unit", None),
    (reading("blood_glucose", 0.2, "mg/dL"), IMPOSSIBLE, None),
    (reading("blood_glucose", 5.5, "mg/dL", user_id=2), IMPOSSIBLE, None),  # nothing is known of the person
    (reading("blood_glucose", 20, "mg/dL", user_id=2), None, None),
    (reading("blood_glucose", 20, "mg/dL", recorded_at="2026-04-02T10:00:00Z"), None, None),  # nothing of March
    (reading("blood_glucose", 20, "mg/dL", recorded_at="2026-02-20T10:00:00Z"), None, None),  # nor of January
    (reading("weight", 154.322, "kg"), UNIT, 70.0),
    (reading("weight", 163.0, "kg"), UNIT, 73.94),  # 2.2046 times 70, and 5.6 % more
    (reading("weight", 164.0, "kg"), None, None),  # 6.3 % more
    (reading("weight", 145.1, "kg"), UNIT, 65.82),  # 6.0 % less
    (reading("weight", 144.9, "kg"), None, None),
    (reading("weight", 154.322, "lb"), None, None),
    (reading("weight", 154.322, None), "missing_unit:unit", None),
    (reading("weight", 154_322, "g"), None, None),
    (reading("weight", 154.322, "kg", user_id=2), None, None),
    (reading("height", 1.8, "m"), None, None),
    (reading("height", 71, "in"), None, None),
    (reading("height", 1.8, "cm"), IMPOSSIBLE, None),
    (reading("height", 1.8, None), "missing_unit:unit", None),
]  # fmt: skip


def test_a_slip_of_the_unit_is_set_aside(engine):
    rows = suspected(engine, [[row for row, _, _ in SLIPS]], medians=USUAL)
    assert [(row["metric"], row["value"], row["unit"], row["rule"]) for row in rows] == [
        (row["metric"], row["value"], row["unit"], rule) for row, rule, _ in SLIPS
    ]
    assert not any(row["is_repaired"] for row in rows)


def test_a_slip_of_the_unit_is_mended_when_asked(engine):
    rows = suspected(engine, [[row for row, _, _ in SLIPS]], medians=USUAL, repair=True)
    for row, (_, rule, meant) in zip(rows, SLIPS, strict=True):
        assert row["is_repaired"] == (meant is not None)
        if meant is None:
            assert row["rule"] == rule
        else:
            assert row["rule"] is None
            assert row["kept_value"] == pytest.approx(meant, rel=1e-3)
    assert {row["is_implausible"] for row in rows if row["value"] == 98.6 and row["is_repaired"]} == {False}
    assert {row["is_implausible"] for row in rows if row["value"] == 33} == {True}  # 595 mg/dL


def test_a_person_of_low_glucose_is_taken_at_their_word(engine):
    (row,) = suspected(engine, [[reading("blood_glucose", 30, "mg/dL")]], medians={"blood_glucose": 60.0})
    assert row["rule"] is None


SWAP = "suspected_swap:value"
SWAPS: dict[str, tuple[list[list[dict[str, Any]]], list[str | None]]] = {
    "right": ([pressure(120, 80)], [None, None]),
    "swapped": ([pressure(80, 120)], [SWAP, SWAP]),
    "equal": ([pressure(90, 90)], [SWAP, SWAP]),
    "one above the other": ([pressure(91, 90)], [None, None]),
    "by id, at other times": (
        [[pressure(80, 120, reading_id="r")[0], pressure(80, 120, reading_id="r", recorded_at="2026-03-01T10:01:00Z")[1]]],
        [SWAP, SWAP],
    ),
    "other ids": ([[pressure(80, 120, reading_id="a")[0], pressure(80, 120, reading_id="b")[1]]], [None, None]),
    "other sources": ([[pressure(80, 120)[0], pressure(80, 120, source="app")[1]]], [None, None]),
    "other people": ([[pressure(80, 120)[0], pressure(80, 120, user_id=2)[1]]], [None, None]),
    "alone": ([pressure(80, 120)[:1], pressure(80, 120, user_id=2)[1:]], [None, None]),
    "in two files": ([pressure(80, 120)[:1], pressure(80, 120)[1:]], [SWAP, SWAP]),
    "corrected": ([pressure(80, 120), pressure(120, 80)], [SWAP, SWAP, None, None]),
    "corrected in one file": ([[*pressure(80, 120), *pressure(120, 80)]], [SWAP, SWAP, None, None]),
    "a correction that is swapped": ([pressure(120, 80), pressure(79, 119)], [None, None, SWAP, SWAP]),
    "half a correction that makes no sense": ([pressure(120, 80), pressure(0, 180)[1:]], [None, None, SWAP]),
    "half a correction": ([pressure(120, 80), pressure(0, 85)[1:]], [None, None, None]),
    "an older version that comes later": (
        [pressure(120, 80, updated_at="2026-03-02"), pressure(80, 120, updated_at="2026-03-01")], [None, None, SWAP, SWAP],
    ),
    "taken back": ([pressure(80, 120, is_deleted="true")], [None, None]),
    "beside an impossible one": ([pressure(80, 500)], [None, IMPOSSIBLE]),
}  # fmt: skip


@pytest.mark.parametrize("case", SWAPS)
def test_swapped_blood_pressures(engine, case):
    files, expected = SWAPS[case]
    assert [row["rule"] for row in suspected(engine, files)] == expected


def test_files_and_rows_in_any_order_give_the_same(engine):
    rows = pressure(80, 120)
    for order in itertools.permutations([*rows, *pressure(130, 85, reading_id="a")]):
        found = suspected(engine, [list(order)])
        assert {row["value"] for row in found if row["rule"] == SWAP} == {80, 120}


def test_swapped_blood_pressures_are_mended_when_asked(engine):
    rows = suspected(engine, [pressure(80, 120), pressure(90, 90, user_id=2)], repair=True)
    assert [(row["kept_value"], row["is_repaired"], row["rule"]) for row in rows] == [
        (120, True, None), (80, True, None), (90, False, SWAP), (90, False, SWAP),
    ]  # fmt: skip
    apart = suspected(engine, [pressure(80, 120)[:1], pressure(80, 120)[1:]], repair=True)
    assert [row["rule"] for row in apart] == [SWAP, SWAP]  # who knows what came of which


def interval(hour: int, **more: Any) -> dict[str, Any]:
    return {
        "user_id": 1, "source": "watch", "started_at": f"2026-03-01T{hour:02}:00:00Z",
        "ended_at": f"2026-03-01T{hour + 1:02}:00:00Z",
    } | more  # fmt: skip


def night(hour: int, minutes: int, **more: Any) -> dict[str, Any]:
    return {
        "user_id": 1, "source": "watch", "started_at": f"2026-03-01T{hour:02}:00:00Z", "night_on": "2026-03-01",
        "asleep_minutes": minutes,
    } | more  # fmt: skip


STEPS, KCAL, ASLEEP = "impossible_day:steps", "impossible_day:calories_kcal", "impossible_day:asleep_minutes"
IMPOSSIBLE_DAYS: list[tuple[Dataset, list[dict[str, Any]], list[str | None]]] = [
    (ACTIVITY_INTERVALS, [interval(8, steps=60_000), interval(9, steps=40_000)], [None, None]),
    (ACTIVITY_INTERVALS, [interval(8, steps=60_000), interval(9, steps=40_001)], [STEPS, STEPS]),
    (ACTIVITY_INTERVALS, [interval(8, steps=60_000), interval(9, steps=60_000), interval(9, user_id=2, steps=5)], [STEPS, STEPS, None]),
    (ACTIVITY_INTERVALS, [interval(8, steps=60_000), interval(9, steps=60_000, source="phone")], [None, None]),
    (
        ACTIVITY_INTERVALS,  # the device's own total is judged apart from its stretches
        [interval(8, steps=60_000), interval(9, steps=60_000, is_daily_total="true"), interval(10, steps=30_000)],
        [None, None, None],
    ),
    (ACTIVITY_INTERVALS, [interval(8, calories_kcal=15_000), interval(9, calories_kcal=6_000, steps=3)], [KCAL, KCAL]),
    (ACTIVITY_INTERVALS, [interval(8, steps=90_000), interval(8, steps=90_000)], [None, None]),  # a duplicate
    (ACTIVITY_INTERVALS, [interval(8, steps=90_000), interval(9, steps=90_000, is_deleted="true")], [None, None]),
    (ACTIVITY_INTERVALS, [interval(8, steps=60_000), interval(9, steps=60_000), interval(10, steps=-1)], [STEPS, STEPS, "negative:steps"]),
    (SLEEP_SESSIONS, [night(0, 900), night(1, 540)], [None, None]),
    (SLEEP_SESSIONS, [night(0, 900), night(1, 541, is_nap="true")], [ASLEEP, ASLEEP]),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(IMPOSSIBLE_DAYS)))
def test_a_day_that_nobody_can_have_is_set_aside(engine, case):
    dataset, rows, expected = IMPOSSIBLE_DAYS[case]
    judged = judge(engine, dataset, stage(engine, dataset, rows))
    fates = engine.store(conform.repeated_rows(judged.filter(judged.rule.isnull()), dataset))
    classified = engine.store(raw.with_status(judged, fates, None))
    days = engine.store(suspicions.impossible_days(classified, dataset))
    changed = engine.rows(suspicions.with_impossible_days(classified, days, dataset).order_by("row_number"))
    assert [row["rule"] for row in changed] == expected
    assert all((row["booked_as"] == raw.QUARANTINED) == (row["rule"] is not None) for row in changed)


def test_a_baseline_is_the_median_of_a_month(engine):
    values = [
        *((day, value, "kg") for day, value in ((1, 69.0), (2, 70.0), (3, 80.0), (4, 154.0 * 0.45359237), (5, 1_000))),
        (6, 158.7328, "lb"),  # 72 kg
        (7, 30, None),
        (8, 30, "stone"),
    ]  # fmt: skip
    rows = [
        reading("weight", value, unit, recorded_at=f"2026-02-{day:02}T10:00:00Z")
        for day, value, unit in values
    ]
    rows += [reading("Weight", 90, "KG", recorded_at="2026-01-31T10:00:00Z")]
    rows += [reading("weight", 10**3, "kg", recorded_at="2026-02-20T10:00:00Z", user_id=3)]
    rows += [reading("weight", 50, "kg", recorded_at="2026-02-21T10:00:00Z", is_deleted="true")]
    rows += [reading("heart_rate", 60, "bpm"), reading("blood_glucose", 5.0, "mmol/L", user_id=2)]
    staged = stage(engine, HEALTH_READINGS, rows)
    units = engine.memory_table(conform.unit_table())
    found = {
        (row["user_id"], row["metric"], row["month"]): row["median"]
        for row in engine.rows(suspicions.reading_baselines(staged, units))
    }
    assert found == {
        (1, "weight", FEBRUARY): pytest.approx(70.0),  # of 69, 69.85, 70, 72 and 80
        (1, "weight", date(2026, 1, 1)): 90.0,
        (2, "blood_glucose", date(2026, 3, 1)): pytest.approx(90.091),
    }
    assert ibis.schema(arrow_schema(READING_BASELINES.columns)).names == READING_BASELINES.column_names
