"""A figure of two things at once, as cells of a colour scale: cohorts by age, for instance."""

from __future__ import annotations

import altair as alt

from healthmate_bi_pipeline.reporting.blocks import Absence, HeatMap
from healthmate_bi_pipeline.reporting.charts.axes import cut
from healthmate_bi_pipeline.reporting.charts.marks import (
    HINT,
    Row,
    columns,
    ends,
    fills,
    inks,
    layers,
    places,
    slashes,
    step_legend,
    step_of,
    table,
    texts,
)
from healthmate_bi_pipeline.reporting.charts.svg import Drawing
from healthmate_bi_pipeline.reporting.charts.theme import NARROW, SMALL, WIDE, Colours
from healthmate_bi_pipeline.reporting.wording import figure_text, value_with_unit

_TOP, _LEGEND, _REMARK, _STEP = 30, 26, 14, 24
_NARROW_COLUMNS = 8
_NUMBERS_FROM = 24
"""Width of a cell from which on its number stands in it."""


def heat_map(chart: HeatMap, colours: Colours) -> Drawing:
    """The drawing of a heat map."""
    width = NARROW if len(chart.columns) <= _NARROW_COLUMNS else WIDE
    left = min(16 + 6.4 * max((len(label) for label in (*chart.rows, chart.row_title)), default=4), 124)
    plot, height = width - left - 2, _STEP * len(chart.rows)
    x = columns(len(chart.columns), "column", inner=0.06)
    y = places(len(chart.rows), "row", inner=0.08)
    limits = ends([cell for row in chart.cells for cell in row])
    low, high = limits or (0.0, 0.0)
    rows = _rows(chart, low=low, high=high)
    shown = [row for row in rows if row["step"]]
    muted = colours("muted")
    marks = [*_labels(chart, x=x, y=y, colours=colours)]
    if shown:
        cells = table(shown).mark_rect(opacity=1).encode(x=x, y=y, fill=fills(colours), description=HINT)
        marks.append(cells.properties(name="cell"))
        if plot / max(len(chart.columns), 1) >= _NUMBERS_FROM:
            numbers = texts(shown, field="text", x=x, y=y, align="center", colour=muted, fontSize=SMALL)
            marks.append(numbers.encode(color=inks(colours)))
    withheld = [row for row in rows if row["is_withheld"]]
    marks += slashes(withheld, x=x, y=y, side=26, colours=colours)
    main = layers(*marks)
    legend = step_legend(
        (
            figure_text(chart.figure, low) if limits else "",
            value_with_unit(chart.figure, high) if limits else "no numbers",
            "struck through: not shown" if withheld else "",
        ),
        y=height + 16, width=plot, colours=colours,
    )  # fmt: skip
    both = alt.layer(main, alt.layer(*legend)).resolve_scale(
        x="independent", y="independent", fill="independent"
    )
    bottom = _LEGEND + (_REMARK if withheld else 0)
    return Drawing(both, width, _TOP + height + bottom, top=_TOP, right=2, bottom=bottom, left=left)


def _rows(chart: HeatMap, *, low: float, high: float) -> list[Row]:
    """The cells that are drawn; what is not there yet is left empty."""
    rows: list[Row] = []
    for at, cells in enumerate(chart.cells):
        for column, cell in enumerate(cells):
            if cell is Absence.NO_DATA:
                continue
            where = f"{chart.rows[at]}, {chart.column_title.lower()} {chart.columns[column]}"
            is_withheld = isinstance(cell, Absence)
            rows.append(
                {
                    "row": at,
                    "column": column,
                    "step": 0 if isinstance(cell, Absence) else step_of(cell, low=low, high=high),
                    "text": figure_text(chart.figure, cell),
                    "hint": f"{where}: {value_with_unit(chart.figure, cell)}",
                    "is_withheld": is_withheld,
                }
            )
    return rows


def _labels(chart: HeatMap, *, x: alt.X, y: alt.Y, colours: Colours) -> list[alt.Chart]:
    muted = colours("muted")
    lines = [{"row": at, "text": cut(label, length=16)} for at, label in enumerate(chart.rows)]
    heads = [{"column": at, "text": label} for at, label in enumerate(chart.columns)]
    return [
        texts(lines, field="text", x=alt.XValue(-7), y=y, align="right", colour=colours("ink")),
        texts(heads, field="text", x=x, y=alt.YValue(-8), align="center", colour=muted, fontSize=SMALL),
        texts([{"text": chart.column_title}], field="text", x=alt.XValue(0), y=alt.YValue(-22), colour=muted,
              fontSize=SMALL),
        texts([{"text": cut(chart.row_title, length=18)}], field="text", x=alt.XValue(-7), y=alt.YValue(-8),
              align="right", colour=muted, fontSize=SMALL),
    ]  # fmt: skip
