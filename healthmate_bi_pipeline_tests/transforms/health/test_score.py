"""Points of Life's Essential 8: the golden values of the published table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from healthmate_bi_pipeline.domain import bands
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.transforms.columns import stepped
from healthmate_bi_pipeline.transforms.health.score import blood_pressure_points, with_health_score


def column(engine: Engine, values: Sequence[float | None], name: str = "value") -> ir.Table:
    numbers = list(range(len(values)))
    return engine.memory_table(pa.table({"number": numbers, name: pa.array(values, pa.float64())}))


def computed(engine: Engine, table: ir.Table, expression: Any) -> list[Any]:
    rows = engine.rows(table.select("number", result=expression).order_by("number"))
    return [row["result"] for row in rows]


@pytest.mark.parametrize(
    ("steps", "values", "points"),
    [
        (
            bands.ACTIVITY_POINTS,
            [0, 1, 29.999, 30, 59.999, 60, 89.999, 90, 119.999, 120, 149.999, 150],
            [0, 20, 20, 40, 40, 60, 60, 80, 80, 90, 90, 100],
        ),
        (
            bands.SLEEP_POINTS,
            [3.999, 4, 5, 6, 7, 8.999, 9, 9.999, 10],
            [0, 20, 40, 70, 100, 100, 90, 90, 40],
        ),
        (
            bands.BMI_POINTS,
            [18.4, 18.5, 24.99, 25, 29.99, 30, 35, 39.99, 40],
            [None, 100, 100, 70, 70, 30, 15, 15, 0],
        ),
        (bands.FASTING_GLUCOSE_POINTS, [99.9, 100, 125.9, 126], [100, 60, 60, None]),
        (bands.HBA1C_POINTS, [5.6, 5.7, 6.4, 6.5], [100, 60, 60, None]),
        (bands.DIABETES_HBA1C_POINTS, [6.9, 7, 8, 9, 10], [40, 30, 20, 10, 0]),
        (bands.NON_HDL_POINTS, [129, 130, 160, 190, 220], [100, 60, 40, 20, 0]),
        (bands.DIET_POINTS, [3, 4, 8, 12, 15, 16], [0, 25, 50, 80, 100, 100]),
        (bands.SLEEP_POINTS, [None], [None]),
    ],
)
def test_points_rise_and_fall_where_the_table_says(
    engine: Engine, steps: bands.Steps, values: list[float | None], points: list[int | None]
) -> None:
    table = column(engine, values)
    assert computed(engine, table, stepped(table.value, steps)) == points


def test_a_treated_blood_pressure_counts_20_less_and_not_below_0(engine: Engine) -> None:
    pressures = [(110, 70), (120, 70), (120, 80), (140, 80), (160, 70), (120, None)]
    table = engine.memory_table(
        pa.table(
            {
                "number": list(range(len(pressures))),
                "upper": pa.array([upper for upper, _ in pressures], pa.float64()),
                "lower": pa.array([lower for _, lower in pressures], pa.float64()),
                "yes": [True] * len(pressures),
                "no": [False] * len(pressures),
            }
        )
    )
    treated = blood_pressure_points(table.upper, table.lower, is_treated=table.yes)
    assert computed(engine, table, treated) == [80, 55, 30, 5, 0, None]
    untreated = blood_pressure_points(table.upper, table.lower, is_treated=table.no)
    assert computed(engine, table, untreated) == [100, 75, 50, 25, 0, None]


PERSON: dict[str, Any] = {
    "avg_sleep_hours": None,
    "avg_bmi": None,
    "avg_blood_pressure_systolic": None,
    "avg_blood_pressure_diastolic": None,
    "is_bp_treated": None,
    "avg_non_hdl_cholesterol": None,
    "is_lipid_treated": None,
    "nicotine_use": None,
    "mepa_score": None,
    "exercise_minutes__days": None,
    "moderate_minutes__total": None,
    "vigorous_minutes__total": None,
    "fasting_glucose__total": None,
    "fasting_glucose__n": None,
    "avg_hba1c": None,
    "has_diabetes": None,
    "days": 7,
}
TYPES = {
    "is_bp_treated": pa.bool_(),
    "is_lipid_treated": pa.bool_(),
    "has_diabetes": pa.bool_(),
    "nicotine_use": pa.string(),
    "days": pa.int64(),
}


def scored(engine: Engine, **known: Any) -> dict[str, Any]:
    person = PERSON | known
    table = engine.memory_table(
        pa.table({name: pa.array([value], TYPES.get(name, pa.float64())) for name, value in person.items()})
    )
    start = ibis.timestamp("2026-01-05 00:00:00")
    rows = table.mutate(period_start=start, period_end=start + ibis.interval(days=1) * table.days)
    (row,) = engine.rows(with_health_score(rows))
    return row


def test_the_mean_of_all_eight(engine: Engine) -> None:
    row = scored(
        engine,
        avg_sleep_hours=6.5,  # 70
        avg_bmi=27,  # 70
        avg_blood_pressure_systolic=118,
        avg_blood_pressure_diastolic=84,  # 50
        is_bp_treated=True,  # 30
        avg_non_hdl_cholesterol=140,  # 60
        nicotine_use="quit_1_year",  # 50
        mepa_score=12,  # 80
        exercise_minutes__days=7,
        moderate_minutes__total=50,
        vigorous_minutes__total=20,  # 90 a week: 80
        fasting_glucose__total=310,
        fasting_glucose__n=3,  # 103: 60
    )
    assert row["health_score_components"] == 8
    assert row["overall_health_score"] == pytest.approx((70 + 70 + 30 + 60 + 50 + 80 + 80 + 60) / 8)


def test_below_two_components_there_is_no_score(engine: Engine) -> None:
    assert scored(engine, avg_sleep_hours=8)["overall_health_score"] is None
    both = scored(engine, avg_sleep_hours=8, nicotine_use="smoker")
    assert (both["health_score_components"], both["overall_health_score"]) == (2, 50)


@pytest.mark.parametrize(
    ("known", "points"),
    [
        ({"has_diabetes": True, "avg_hba1c": 7.5}, 30),
        ({"has_diabetes": True, "fasting_glucose__total": 90, "fasting_glucose__n": 1}, None),
        ({"fasting_glucose__total": 90, "fasting_glucose__n": 1, "avg_hba1c": 5.8}, 60),
        ({"fasting_glucose__total": 90, "fasting_glucose__n": 1, "avg_hba1c": 6.6}, None),
        ({"avg_hba1c": 5.1}, 100),
        ({}, None),
    ],
)
def test_glucose_follows_the_diagnosis(engine: Engine, known: dict[str, Any], points: float | None) -> None:
    assert scored(engine, **known)["health_score_glucose"] == points


@pytest.mark.parametrize(
    ("days", "observed", "points"), [(7, 4, 100), (7, 3, None), (30, 17, None), (30, 18, 100), (1, 1, None)]
)
def test_activity_needs_four_observed_days_a_week(
    engine: Engine, days: int, observed: int, points: float | None
) -> None:
    row = scored(
        engine, days=days, exercise_minutes__days=observed, moderate_minutes__total=22 * observed
    )  # 154 a week
    assert row["health_score_activity"] == points
