"""Blood pressure categories and glucose bands: the golden values."""

from __future__ import annotations

import pyarrow as pa
import pytest

from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.transforms.health.categories import glucose_band, pressure_category
from healthmate_bi_pipeline_tests.transforms.health.test_score import column, computed


@pytest.mark.parametrize(
    ("systolic", "diastolic", "category"),
    [
        (119, 79, "normal"),
        (120, 79, "elevated"),
        (129, 80, "stage_1"),
        (139, 90, "stage_2"),
        (118, 91, "stage_2"),
        (180, 120, "stage_2"),
        (181, 80, "severe"),
        (130, 121, "severe"),
        (180.5, 80, "severe"),
        (120, None, None),
    ],
)
def test_the_higher_category_counts(
    engine: Engine, systolic: float, diastolic: float | None, category: str | None
) -> None:
    table = engine.memory_table(
        pa.table(
            {
                "number": [0],
                "upper": pa.array([systolic], pa.float64()),
                "lower": pa.array([diastolic], pa.float64()),
            }
        )
    )
    assert computed(engine, table, pressure_category(table.upper, table.lower)) == [category]


def test_bands_are_of_whole_milligrams(engine: Engine) -> None:
    values = [53.4, 53.6, 69.4, 69.6, 10.0 * 18.0182, 180.6, 250.4, 250.6]
    table = column(engine, values)
    assert computed(engine, table, glucose_band(table.value)) == [
        "below_54",
        "54_to_69",
        "54_to_69",
        "70_to_180",
        "70_to_180",
        "181_to_250",
        "181_to_250",
        "above_250",
    ]
