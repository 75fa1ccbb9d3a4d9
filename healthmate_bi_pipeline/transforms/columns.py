"""Small words for Ibis expressions that every transform needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.domain.bands import Steps

EXACT = "decimal(18, 6)"
"""A value before it is summed: sums of fixed-point numbers do not depend on the order of the rows."""

IBIS_TYPES: dict[Type, str] = {
    Type.INTEGER: "int64",
    Type.NUMBER: "float64",
    Type.EXACT: "decimal(38, 6)",
    Type.TEXT: "string",
    Type.TEXT_LIST: "array<string>",
    Type.BOOLEAN: "boolean",
    Type.DATE: "date",
    Type.TIMESTAMP: "timestamp(6)",
    Type.INSTANT: "timestamp('UTC', 6)",
}


def minutes(amount: Any) -> Any:
    """A number of minutes, as an interval."""
    return ibis.interval(minutes=1) * amount.cast("int64")


def first_rule(rules: Iterable[tuple[Any, Any]]) -> Any:
    """The name of the first rule that a row breaks, or null. Pairs of a condition and a name."""
    pairs = [(condition.fill_null(ibis.literal(False)), name) for condition, name in rules]  # noqa: FBT003 - a value
    return ibis.cases(*pairs, else_=ibis.null("string")) if pairs else ibis.null("string")


def stepped(value: Any, steps: Steps) -> Any:
    """The result of the highest bound that is not above a value; null where there is none, or no value."""
    bounds = [(value >= bound, _integer(result)) for bound, result in steps.falling()]
    return ibis.cases(*bounds, else_=_integer(None))


def _integer(value: int | None) -> Any:
    return ibis.null("int64") if value is None else ibis.literal(value, type="int64")


def union_all(tables: Iterable[ir.Table]) -> ir.Table:
    """All rows of some tables of the same columns."""
    first, *rest = tables
    return ibis.union(first, *rest) if rest else first
