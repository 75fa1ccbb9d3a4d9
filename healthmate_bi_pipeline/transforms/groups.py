"""Figures per person → figures of groups: counts, sums, extremes and bands, never persons."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.figures import Figure
from healthmate_bi_pipeline.catalog.provenance import STAMPS
from healthmate_bi_pipeline.transforms.columns import EXACT, IBIS_TYPES, union_all

EVERYONE = "all"
PEOPLE = "people"
WHOLE_GROUP = -1

STRATA: tuple[tuple[str, ...], ...] = ((), ("age_band",), ("sex",), ("age_band", "sex"))
_SPOKEN = {"age_band": "age", "sex": "sex"}
_SUM = "decimal(38, 6)"
_NO_MOMENTS = {
    "total": ibis.null(_SUM), "total_squared": ibis.null(_SUM), "low": ibis.null("float64"),
    "high": ibis.null("float64"),
}  # fmt: skip

_PERIOD = (
    "aggregation_period", "period_start", "period_end", "is_complete", "state_version", "registry_version",
)  # fmt: skip


def group_figures(
    rows: ir.Table,
    bands: ir.Table,
    *,
    table: Table,
    figures: Sequence[str],
    strata: Sequence[tuple[str, ...]] = STRATA,
    categories: Mapping[str, tuple[str, ...]] | None = None,
) -> ir.Table:
    """Figures of groups of people, per period.

    Args:
        rows: figures per person, from a family's ``summarize``.
        bands: ``band_table`` of the figures.
        table: what the rows are for, from ``group_table``.
        figures: which figures.
        strata: for each kind of group the columns that tell the groups apart; none: everyone.
        categories: of figures that are texts, the texts in the order of their bands; they have no sums and extremes.

    Returns:
        Rows of the table without the stamps, sorted by key.
    """
    finest = sorted({name for names in strata for name in names})
    cells = _cells(rows, bands, [*_PERIOD, *finest], figures, categories or {})
    parts = []
    for names in strata:
        by = [*_PERIOD, *names, "figure", "band"]
        merged = cells.group_by(by).agg(
            people=cells.people.sum(),
            total=cells.total.sum(),
            total_squared=cells.total_squared.sum(),
            low=cells.low.min(),
            high=cells.high.max(),
        )
        parts.append(_shaped(merged.mutate(stratum=_label(merged, names)), table))
    return union_all(parts).order_by("period_start", "stratum", "figure", "band")


def _cells(
    rows: ir.Table,
    bands: ir.Table,
    by: list[str],
    names: Sequence[str],
    categories: Mapping[str, tuple[str, ...]],
) -> ir.Table:
    """Counts and sums of the smallest groups, of which the larger ones are merged."""
    everyone = rows.group_by(by).agg(people=rows.count()).mutate(figure=ibis.literal(PEOPLE))
    # One row per person, period and figure: one pass over them makes all figures and all bands.
    figures = {name: _number(rows[name], categories.get(name)) for name in names if name in rows.columns}
    long = rows.select(*by, **figures).pivot_longer(list(figures), names_to="figure", values_to="value")
    given = long.filter(long.value.notnull())
    # What is the place of a text is a number for the bands, and none that could be added up.
    amount = given.figure.isin(list(categories)).ifelse(ibis.null("float64"), given.value)
    whole = given.group_by([*by, "figure"]).agg(people=given.count(), **_moments(amount))
    banded = given.join(
        bands, [given.figure == bands.figure, given.value >= bands.low, given.value < bands.high]
    )
    in_bands = banded.group_by([*by, "figure", "band"]).agg(people=banded.count())
    columns = ["figure", "band", "people", "total", "total_squared", "low", "high"]
    shapes = {"band": ibis.literal(WHOLE_GROUP), **_NO_MOMENTS}
    return union_all(
        part.mutate(**{name: shapes[name] for name in columns if name not in part.columns})
        .mutate(band=ibis._.band.cast("int64"))
        .select(*by, *columns)
        for part in (everyone, whole, in_bands)
    )


def _label(rows: ir.Table, names: tuple[str, ...]) -> Any:
    if not names:
        return ibis.literal(EVERYONE)
    return ibis.literal(", ").join([ibis.literal(f"{_SPOKEN[name]} ") + rows[name] for name in names])


def band_table(figures: Mapping[str, Figure], names: Sequence[str]) -> pa.Table:
    """Every band of some figures: figure, band, low (inclusive), high (exclusive)."""
    rows = [
        (name, number, low, high)
        for name in names
        for number, (low, high) in enumerate(_bounds(figures[name].bands))
    ]
    columns = ("figure", "band", "low", "high")
    return pa.table(dict(zip(columns, zip(*rows, strict=True), strict=True)))


def _bounds(lows: tuple[float, ...]) -> Iterator[tuple[float, float]]:
    """The bands between the bounds; the first and the last reach on without end."""
    for number, low in enumerate(lows):
        is_last = number == len(lows) - 1
        yield (-math.inf if number == 0 else float(low), math.inf if is_last else float(lows[number + 1]))


def _number(value: Any, texts: tuple[str, ...] | None) -> Any:
    """A figure as a number; of a text its place among the texts."""
    if texts is None:
        return value.cast("float64")
    return ibis.cases(*((value == text, float(place)) for place, text in enumerate(texts)))


def _moments(value: Any) -> dict[str, Any]:
    return {
        "total": value.cast(EXACT).sum().cast(_SUM),
        "total_squared": (value * value).cast("decimal(30, 6)").sum().cast(_SUM),
        "low": value.min(),
        "high": value.max(),
    }


def _shaped(part: ir.Table, table: Table) -> ir.Table:
    columns = [column for column in table.columns if column not in STAMPS]
    return part.select(**{column.name: part[column.name].cast(IBIS_TYPES[column.type]) for column in columns})
