"""Figures per person → figures of groups: counts, sums, extremes and bands, never persons."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.catalog.health import FIGURE_BY_NAME, HEADLINE_FIGURES
from healthmate_bi_pipeline.catalog.tables import HEALTH_GROUPS, STAMPS
from healthmate_bi_pipeline.transforms.columns import EXACT, IBIS_TYPES

EVERYONE = "all"
PEOPLE = "people"
WHOLE_GROUP = -1

_PERIOD = (
    "aggregation_period", "period_start", "period_end", "is_complete", "state_version", "registry_version",
)  # fmt: skip


def group_figures(rows: ir.Table, bands: ir.Table) -> ir.Table:
    """Figures of everyone, per period.

    Args:
        rows: from ``summarize``.
        bands: ``band_table``.

    Returns:
        Rows of ``bi_health_groups`` without the stamps, sorted by key.
    """
    period = list(_PERIOD)
    everyone = rows.group_by(period).agg(people=rows.count()).mutate(figure=ibis.literal(PEOPLE))
    # One row per person, period and figure: one pass over them makes all figures and all bands.
    long = rows.select(*period, *HEADLINE_FIGURES).pivot_longer(
        list(HEADLINE_FIGURES), names_to="figure", values_to="value"
    )
    given = long.filter(long.value.notnull())
    whole = given.group_by([*period, "figure"]).agg(people=given.count(), **_moments(given.value))
    banded = given.join(
        bands, [given.figure == bands.figure, given.value >= bands.low, given.value < bands.high]
    )
    in_bands = banded.group_by([*period, "figure", "band"]).agg(people=banded.count())
    table = ibis.union(*(_shaped(part) for part in (everyone, whole, in_bands)))
    return table.order_by("period_start", "stratum", "figure", "band")


def band_table() -> pa.Table:
    """Every band of every figure: figure, band, low (inclusive), high (exclusive)."""
    rows = [
        (name, number, low, high)
        for name in HEADLINE_FIGURES
        for number, (low, high) in enumerate(_bounds(FIGURE_BY_NAME[name].bands))
    ]
    names = ("figure", "band", "low", "high")
    return pa.table(dict(zip(names, zip(*rows, strict=True), strict=True)))


def _bounds(lows: tuple[float, ...]) -> Iterator[tuple[float, float]]:
    """The bands between the bounds; the first and the last reach on without end."""
    for number, low in enumerate(lows):
        is_last = number == len(lows) - 1
        yield (-math.inf if number == 0 else float(low), math.inf if is_last else float(lows[number + 1]))


def _moments(value: Any) -> dict[str, Any]:
    return {
        "total": value.cast(EXACT).sum().cast("float64"),
        "total_squared": (value * value).cast("decimal(30, 6)").sum().cast("float64"),
        "low": value.min(),
        "high": value.max(),
    }


def _shaped(part: ir.Table) -> ir.Table:
    defaults = {"stratum": ibis.literal(EVERYONE), "band": ibis.literal(WHOLE_GROUP)}
    columns = [column for column in HEALTH_GROUPS.columns if column not in STAMPS]
    return part.select(
        **{
            column.name: (
                part[column.name]
                if column.name in part.columns
                else defaults.get(column.name, ibis.null("float64"))
            ).cast(IBIS_TYPES[column.type])
            for column in columns
        }
    )
