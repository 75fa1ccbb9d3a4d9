"""Additive state: the rule of merging, the same for every family, measure and period."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.measures import COMPONENTS, Merge
from healthmate_bi_pipeline.transforms.columns import EXACT, IBIS_TYPES

COMPONENT_NAMES = tuple(component.column.name for component in COMPONENTS)


def merge_states(
    states: ir.Table, by: Sequence[str], *, components: Collection[str] = COMPONENT_NAMES
) -> ir.Table:
    """Merge states that share a key: each component by its own rule.

    Merging is associative and does not depend on the order of rows: sums are fixed-point or whole numbers.

    Args:
        states: rows with all components.
        by: the key of the merged state.
        components: which of them are wanted.
    """
    merged: dict[str, Any] = {}
    for component in COMPONENTS:
        name = component.column.name
        if name not in components:
            continue
        column = states[name]
        match component.merge:
            case Merge.SUM:
                merged[name] = column.sum().cast(IBIS_TYPES[component.column.type])
            case Merge.LEAST:
                merged[name] = column.min()
            case Merge.GREATEST:
                merged[name] = column.max()
            case Merge.OF_FIRST:
                merged[name] = column.argmin(states.first_key, where=states.first_key.notnull())
            case Merge.OF_LAST:
                merged[name] = column.argmax(states.last_key, where=states.last_key.notnull())
    return states.group_by(list(by)).agg(**merged)


def shaped_as_state(rows: ir.Table, table: Table) -> ir.Table:
    """The columns of a state table, in order; components that a measure does not keep are null."""
    return rows.select(
        **{
            column.name: (
                rows[column.name] if column.name in rows.columns else ibis.null()
            ).cast(IBIS_TYPES[column.type])
            for column in table.columns
        }
    )  # fmt: skip


def content_versions(states: ir.Table, partition: str) -> ir.Table:
    """A hash of what each partition holds, whatever the order of its rows: partition, version, rows."""
    whole = ibis.struct({name: states[name] for name in states.columns}).hash()
    hashed = states.select(partition, content=whole)
    return hashed.group_by(partition).agg(version=hashed.content.bit_xor(), rows=hashed.count())


def value_components(value: Any) -> dict[str, Any]:
    """The components of the state of some values, as aggregates: count, exact sums, extremes."""
    return {
        "n": value.count(),
        "total": value.cast(EXACT).sum().cast("decimal(38, 6)"),
        "total_squared": (value * value).cast("decimal(24, 6)").sum().cast("decimal(38, 6)"),
        "low": value.min(),
        "high": value.max(),
    }


def single_values(rows: ir.Table) -> ir.Table:
    """Rows that each are one value of their slot, as states."""
    number = rows.value.cast("float64")
    return rows.mutate(
        n=ibis.literal(1, type="int64"),
        total=rows.value.cast("decimal(38, 6)"),
        total_squared=(number * number).cast("decimal(38, 6)"),
        low=number,
        high=number,
    )
