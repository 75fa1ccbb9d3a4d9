"""One figure of several things: bars from zero, to the left where it is negative."""

from __future__ import annotations

import altair as alt

from healthmate_bi_pipeline.reporting.blocks import Absence, Bar, BarChart
from healthmate_bi_pipeline.reporting.charts.axes import cut
from healthmate_bi_pipeline.reporting.charts.marks import HINT, Row, layers, places, table, texts
from healthmate_bi_pipeline.reporting.charts.svg import Drawing
from healthmate_bi_pipeline.reporting.charts.theme import NARROW, Colours
from healthmate_bi_pipeline.reporting.wording import absence_text, figure_text, people_text, value_with_unit

_BAR = 13
_SHORT_LABEL = 16
"""Letters of a label that stands beside its bar; longer ones stand above."""


def bars(chart: BarChart, colours: Colours) -> Drawing:
    """The drawing of bars."""
    is_beside = all(len(bar.label) <= _SHORT_LABEL for bar in chart.bars)
    left, step = (112, 24) if is_beside else (2, 40)
    right = 12 + 6.6 * max((len(figure_text(chart.figure, bar.value)) for bar in chart.bars), default=1)
    rows = [_row(number, bar, chart.figure) for number, bar in enumerate(chart.bars)]
    inner = 1 - _BAR / step
    y = places(len(rows), "row", inner=inner, outer=inner / 2, align=0.5 if is_beside else 0.9)
    known = [row for row in rows if not row["absence"]]
    values = [row["value"] for row in known]
    scale = alt.Scale(domain=_domain(values), nice=False)
    x = alt.X("value", type="quantitative", axis=None, scale=scale)
    width = NARROW - left - right
    ink, muted = colours("ink"), colours("muted")
    label_y = {} if is_beside else {"dy": -(_BAR / 2 + 9)}
    marks = [
        table(rows).mark_rect(color=colours("track"), aria=False)
        .encode(x=alt.XValue(0), x2=alt.X2Value("width"), y=y).properties(name="track"),
        texts(rows, field="label", x=alt.XValue(-8 if is_beside else 0), y=y,
              align="right" if is_beside else "left", colour=ink, **label_y),
    ]  # fmt: skip
    for name, sign in (("series-1", 1), ("series-2", -1)):
        some = [row for row in known if row["value"] * sign > 0]
        if some:
            bar = table(some).mark_bar(color=colours(name), opacity=1)
            marks.append(
                bar.encode(x=x, y=y, description=HINT).properties(name=name.replace("series-", "bar_"))
            )
    if known:
        number = texts(known, field="text", x=alt.XValue(width + right - 2), y=y, align="right", colour=ink)
        zero = table([{"row": row["row"], "value": 0} for row in known])
        tick = zero.mark_tick(
            color=muted, orient="vertical", size=_BAR + 6, thickness=1, opacity=1, aria=False
        )
        marks += [number, tick.encode(x=x, y=y).properties(name="zero")]
    absent = [row for row in rows if row["absence"]]
    if absent:
        words = texts(absent, field="absence", x=alt.XValue(6), y=y, colour=muted, fontStyle="italic")
        marks.append(words.properties(name="absent"))
    height = step * len(rows) + 4
    return Drawing(layers(*marks), NARROW, height, top=2, right=right, bottom=2, left=left)


def _domain(values: list[float]) -> list[float]:
    """From the smallest to the largest with zero between; never empty."""
    low, high = min([*values, 0.0]), max([*values, 0.0])
    return [low, high] if high > low else [0.0, 1.0]


def _row(number: int, bar: Bar, figure: str) -> Row:
    row = {
        "row": number,
        "label": cut(bar.label, length=_SHORT_LABEL if len(bar.label) <= _SHORT_LABEL else 52),
    }
    if isinstance(bar.value, Absence):
        return {**row, "value": None, "absence": absence_text(bar.value), "text": "", "hint": ""}
    hint = f"{bar.label}: {value_with_unit(figure, bar.value)}"
    if bar.people is not None and not isinstance(bar.people, Absence):
        hint += f", {people_text(bar.people)}"
    if bar.hint:
        hint += f"; {bar.hint}"
    return {**row, "value": bar.value, "absence": "", "text": figure_text(figure, bar.value), "hint": hint}
