"""The law of additive state: whatever the parts and their order, their merge is the state of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthmate_bi_pipeline.catalog.measures import COMPONENTS, HEALTH_MEASURES
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import ARROW_TYPES
from healthmate_bi_pipeline.settings import EngineSettings
from healthmate_bi_pipeline.transforms.state import COMPONENT_NAMES, merge_states

KEY = ("user_id", "measure")
SCHEMA = pa.schema(
    [
        ("user_id", pa.int64()),
        ("measure", pa.string()),
        ("part", pa.int64()),
        *((component.column.name, ARROW_TYPES[component.column.type]) for component in COMPONENTS),
    ]
)
ORDERED = {measure.name for measure in HEALTH_MEASURES if measure.keeps_order}

VALUE = st.tuples(
    st.sampled_from([measure.name for measure in HEALTH_MEASURES]),
    st.decimals(-1_000_000, 1_000_000, places=6),
    st.booleans(),
    st.integers(1, 5),
    st.integers(0, 3),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(EngineSettings(), scratch=tmp_path_factory.mktemp("scratch")) as engine:
        yield engine


def state_of_one(number: int, value: tuple[str, Decimal, bool, int, int]) -> dict[str, Any]:
    """A single value as a state; its number stands for its time, so that no two come at once."""
    measure, amount, is_implausible, rank, part = value
    key = f"{number:06}" if measure in ORDERED else None
    return {
        "user_id": 1, "measure": measure, "part": part, "n": 1, "total": amount,
        "total_squared": round(amount * amount, 6), "low": float(amount), "high": float(amount),
        "first_key": key, "first_value": float(amount) if key else None,
        "last_key": key, "last_value": float(amount) if key else None,
        "implausible": int(is_implausible), "days": 1, "first_day": date(2026, 1, 1 + number % 28), "source_rank": rank,
    }  # fmt: skip


def whole(states: list[dict[str, Any]]) -> dict[str, Any]:
    """The state of all values at once, in plain Python."""
    keyed = sorted((state for state in states if state["first_key"]), key=lambda state: state["first_key"])
    summed = ("n", "total", "total_squared", "implausible", "days")
    return {
        **{name: sum(state[name] for state in states) for name in summed},
        "low": min(state["low"] for state in states),
        "high": max(state["high"] for state in states),
        "first_key": keyed[0]["first_key"] if keyed else None,
        "first_value": keyed[0]["first_value"] if keyed else None,
        "last_key": keyed[-1]["last_key"] if keyed else None,
        "last_value": keyed[-1]["last_value"] if keyed else None,
        "first_day": min(state["first_day"] for state in states),
        "source_rank": min(state["source_rank"] for state in states),
    }


@settings(max_examples=60, deadline=None)
@given(values=st.lists(VALUE, min_size=1, max_size=40), order=st.randoms(use_true_random=False))
def test_parts_merge_to_the_whole(engine, values, order):
    states = [state_of_one(number, value) for number, value in enumerate(values)]
    by_measure: dict[str, list[dict[str, Any]]] = {}
    for state in states:
        by_measure.setdefault(state["measure"], []).append(state)
    order.shuffle(states)
    rows = engine.memory_table(pa.Table.from_pylist(states, schema=SCHEMA))
    at_once = merge_states(rows, KEY)
    in_steps = merge_states(merge_states(rows, (*KEY, "part")), KEY)
    for merged in (at_once, in_steps):
        found = {row["measure"]: {name: row[name] for name in COMPONENT_NAMES} for row in engine.rows(merged)}
        assert found == {measure: whole(mine) for measure, mine in by_measure.items()}
