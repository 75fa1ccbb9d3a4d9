"""Figures per person → figures of groups: counts, sums, extremes and bands, never persons."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.health import FIGURE_BY_NAME, HEADLINE_FIGURES, Figure
from healthmate_bi_pipeline.catalog.tables import HEALTH_GROUPS
from healthmate_bi_pipeline.transforms.columns import EXACT

EVERYONE = "all"
PEOPLE = "people"
WHOLE_GROUP = -1

_PERIOD = (
    "aggregation_period", "period_start", "period_end", "is_complete", "state_version", "registry_version",
)  # fmt: skip


def group_figures(rows: ir.Table) -> ir.Table:
    """Figures of everyone, per period.

    Args:
        rows: from ``summarize``.

    Returns:
        Rows of ``bi_health_groups`` without the stamps, sorted by key.
    """
    everyone = rows.group_by(list(_PERIOD)).agg(people=rows.count())
    parts = [
        everyone.select(
            *_PERIOD, "people", figure=ibis.literal(PEOPLE), band=ibis.literal(WHOLE_GROUP, type="int64"),
            **_moments(None),
        )
    ]  # fmt: skip
    for name in HEADLINE_FIGURES:
        figure = FIGURE_BY_NAME[name]
        given = rows.filter(rows[name].notnull())
        parts.append(_whole(given, figure))
        if figure.bands:
            parts.append(_bands(given, figure))
    both = ibis.union(*parts).mutate(stratum=ibis.literal(EVERYONE))
    names = [name for name in HEALTH_GROUPS.column_names if name not in ("created_at", "updated_at")]
    return both.select(*names).order_by("period_start", "stratum", "figure", "band")


def _moments(value: Any | None) -> dict[str, Any]:
    if value is None:
        return {name: ibis.null("float64") for name in ("total", "total_squared", "low", "high")}
    return {
        "total": value.cast(EXACT).sum().cast("float64"),
        "total_squared": (value * value).cast("decimal(30, 6)").sum().cast("float64"),
        "low": value.min(),
        "high": value.max(),
    }


def _whole(given: ir.Table, figure: Figure) -> ir.Table:
    grouped = given.group_by(list(_PERIOD)).agg(people=given.count(), **_moments(given[figure.name]))
    return grouped.select(
        *_PERIOD, "people", figure=ibis.literal(figure.name), band=ibis.literal(WHOLE_GROUP, type="int64"),
        **{name: grouped[name] for name in ("total", "total_squared", "low", "high")},
    )  # fmt: skip


def _bands(given: ir.Table, figure: Figure) -> ir.Table:
    value = given[figure.name]
    number = ibis.cases(
        *((value >= low, position) for position, low in reversed(list(enumerate(figure.bands)))), else_=0
    ).cast("int64")
    banded = given.mutate(band=number)
    grouped = banded.group_by([*_PERIOD, "band"]).agg(people=banded.count())
    return grouped.select(
        *_PERIOD, "people", "band", figure=ibis.literal(figure.name), **_moments(None)
    ).select(*_PERIOD, "people", "figure", "band", "total", "total_squared", "low", "high")
