"""What charts of all families are put together from: texts and rows of a table as marks of Altair."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast

import altair as alt

from healthmate_bi_pipeline.reporting.blocks import Absence, Number
from healthmate_bi_pipeline.reporting.charts.theme import SMALL, STEPS, Colours

Row: TypeAlias = Mapping[str, Any]
Align: TypeAlias = Literal["left", "center", "right"]

_JSON = alt.JsonDataFormat(type="json")


HINT = alt.Description("hint", type="nominal")
"""What a mark says beside the pointer, in the field ``hint``."""
TO = alt.X2("to")
"""Where a mark from ``x`` ends, in the field ``to``."""


def table(rows: Sequence[Row]) -> alt.Chart:
    """A chart of these rows, without a mark yet.

    The rows are text: Altair copies a chart's data at every step. For the same reason channels are objects
    everywhere (``alt.XValue(3)``, not ``alt.value(3)``): to find out what a dict is takes 7 ms.
    """
    return alt.Chart(alt.InlineData(values=json.dumps([dict(row) for row in rows]), format=_JSON))


def texts(
    rows: Sequence[Row], *, field: str, x: Any, y: Any, align: Align = "left", colour: str, **mark: Any
) -> alt.Chart:
    """A text per row; ``field`` holds it."""
    chart = table(rows).mark_text(align=align, baseline="middle", color=colour, aria=False, **mark)
    made: alt.Chart = chart.encode(x=x, y=y, text=alt.Text(field, type="nominal"))
    return made


def places(count: int, field: str, *, inner: float, outer: float = 0, align: float = 0.5) -> Any:
    """A scale of so many equal bands along y, the first one above; ``align`` 1: the outer room is above."""
    scale = alt.Scale(domain=list(range(count)), paddingInner=inner, paddingOuter=outer, align=align)
    return alt.Y(field, type="ordinal", axis=None, scale=scale)


def columns(count: int, field: str, *, inner: float) -> Any:
    """The same along x, from left to right."""
    scale = alt.Scale(domain=list(range(count)), paddingInner=inner, paddingOuter=0)
    return alt.X(field, type="ordinal", axis=None, scale=scale)


def step_of(value: float, *, low: float, high: float) -> int:
    """Which of the steps of a colour scale a value lies on, from 1.

    >>> [step_of(value, low=0, high=10) for value in (0, 1.9, 2, 10)]
    [1, 1, 2, 5]
    """
    if high <= low:
        return STEPS
    return min(int((value - low) / (high - low) * STEPS), STEPS - 1) + 1


def fills(colours: Colours) -> Any:
    """The colours of cells, by the field ``step``."""
    return alt.Fill("step", type="ordinal", scale=_steps("step-", colours), legend=None)


def inks(colours: Colours) -> Any:
    """The colours of what is written on the cells."""
    return alt.Color("step", type="ordinal", scale=_steps("on-step-", colours), legend=None)


def _steps(name: str, colours: Colours) -> alt.Scale:
    numbers = list(range(1, STEPS + 1))
    return alt.Scale(domain=numbers, range=[colours(f"{name}{number}") for number in numbers])


def ends(cells: Sequence[Number]) -> tuple[float, float] | None:
    """The smallest and the largest number of some cells."""
    known = [cell for cell in cells if not isinstance(cell, Absence)]
    return (min(known), max(known)) if known else None


def step_legend(
    texts_of: tuple[str, str, str], *, y: float, width: float, colours: Colours
) -> list[alt.Chart]:
    """The colour scale below a chart: its lower end, a box per step, its upper end, and a remark below."""
    low, high, remark = texts_of
    left, box = max(12.0, 6.2 * len(low) + 8), 16
    rows = [{"step": at + 1, "at": left + box * at, "to": left + box * (at + 1) - 1} for at in range(STEPS)]
    pixels = alt.Scale(domain=[0, width], range=[0, width])
    boxes = table(rows).mark_rect(aria=False).encode(
        x=alt.X("at", type="quantitative", scale=pixels, axis=None),
        x2=TO,
        y=alt.YValue(y - 5),
        y2=alt.Y2Value(y + 5),
        fill=fills(colours),
    ).properties(name="legend")  # fmt: skip
    words = [
        (low, left - 5, y, "right"),
        (high, left + box * STEPS + 4, y, "left"),
        (remark, 0, y + 15, "left"),
    ]
    return [
        boxes,
        *(
            texts([{"text": text}], field="text", x=alt.XValue(at), y=alt.YValue(line), align=cast("Align", align),
                  colour=colours("muted"), fontSize=SMALL)
            for text, at, line, align in words
            if text
        ),
    ]  # fmt: skip


def slashes(rows: Sequence[Row], *, x: Any, y: Any, side: float, colours: Colours) -> list[alt.Chart]:
    """Cells that are not shown: a box of the background's colour, struck through."""
    if not rows:
        return []
    base = table(rows).encode(x=x, y=y)
    return [
        base.mark_rect(color=colours("track"), aria=False),
        base.mark_point(
            shape="M-1,1L1,-1", size=side * side, filled=False, color=colours("line"), strokeWidth=1, opacity=1
        ).encode(description=HINT).properties(name="withheld"),
    ]  # fmt: skip


def layers(*charts: alt.Chart) -> alt.LayerChart:
    """The charts on top of each other."""
    return alt.LayerChart(layer=list(charts))
