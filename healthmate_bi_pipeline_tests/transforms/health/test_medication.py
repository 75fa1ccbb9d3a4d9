"""Proportion of days covered: PQA's examples, and an independent count day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.transforms.health.medication import days_covered


class Fill(NamedTuple):
    drug: str
    day: date
    supply: int
    drug_class: str = "class"


START, END = date(2018, 1, 1), date(2019, 1, 1)


def covered(engine: Engine, fills: Sequence[Fill]) -> float:
    table = engine.memory_table(
        pa.table(
            {
                "user_id": [1] * len(fills),
                "period_start": [datetime(2018, 1, 1)] * len(fills),
                "period_end": [datetime(2019, 1, 1)] * len(fills),
                "item": [f"{fill.drug_class}\x1f{fill.drug}\x1f{fill.day}" for fill in fills],
                "total": [float(fill.supply) for fill in fills],
            }
        )
    )
    (row,) = engine.rows(days_covered(table))
    return float(row["medication_pdc"])


def day(month: int, number: int) -> date:
    return date(2018, month, number)


@pytest.mark.parametrize(
    ("fills", "share"),
    [
        ([Fill("a", day(1, 1), 90), Fill("b", day(4, 1), 90)], 180 / 365),
        ([Fill("a", day(1, 1), 90), Fill("b", day(1, 1), 90)], 90 / 365),
        ([Fill("a", day(3, 25), 90), Fill("a", day(7, 5), 90), Fill("a", day(9, 25), 90)], 270 / 282),
        (
            [Fill("a", day(1, 1), 90), Fill("a", day(3, 25), 90), Fill("a", day(7, 5), 90), Fill("a", day(10, 15), 90)],
            348 / 365,
        ),
    ],
)  # fmt: skip
def test_the_examples_of_pqa(engine: Engine, fills: list[Fill], share: float) -> None:
    assert covered(engine, fills) == pytest.approx(share, abs=1e-12)


def counted_by_day(fills: Sequence[Fill]) -> float:
    """The same, by walking through the calendar."""
    total = days = 0
    for drug_class in {fill.drug_class for fill in fills}:
        own = [fill for fill in fills if fill.drug_class == drug_class]
        at_hand = set()
        for drug in {fill.drug for fill in own}:
            free = START
            for fill in sorted(f for f in own if f.drug == drug):
                first = max(free, fill.day)
                at_hand |= {first + timedelta(days=number) for number in range(fill.supply)}
                free = first + timedelta(days=fill.supply)
        first_fill = min(fill.day for fill in own)
        total += len({one for one in at_hand if one < END})
        days += (END - first_fill).days
    return total / days


fills = st.builds(
    Fill,
    drug=st.sampled_from("abc"),
    day=st.dates(START, END - timedelta(days=1)),
    supply=st.integers(1, 120),
    drug_class=st.sampled_from(["x", "y"]),
)


@given(
    chosen=st.lists(
        fills, min_size=1, max_size=12, unique_by=lambda fill: (fill.drug, fill.day, fill.drug_class)
    )
)
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_equal_to_a_walk_through_the_calendar(engine: Engine, chosen: list[Fill]) -> None:
    assert covered(engine, chosen) == pytest.approx(counted_by_day(chosen), abs=1e-12)
