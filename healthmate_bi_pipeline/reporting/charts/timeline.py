"""What happened when: a lane per label, its name above, a bar per span."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import altair as alt

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.blocks import TimelineChart
from healthmate_bi_pipeline.reporting.charts.axes import cut
from healthmate_bi_pipeline.reporting.charts.marks import HINT, TO, Row, layers, places, table, texts
from healthmate_bi_pipeline.reporting.charts.svg import Drawing
from healthmate_bi_pipeline.reporting.charts.theme import NARROW, Colours
from healthmate_bi_pipeline.reporting.wording import instant_text, short_day_text

_LANE, _BAR, _AXIS = 38, 13, 22
_HOUR = timedelta(hours=1)
_LEAST_WIDTH = 3
"""So wide is the bar of what lasted a moment."""


def timeline(chart: TimelineChart, colours: Colours) -> Drawing:
    """The drawing of a timeline."""
    lanes = list(dict.fromkeys(span.label for span in chart.spans)) or ["nothing in this period"]
    height = _LANE * len(lanes)
    hours = (chart.window.end - chart.window.start) / _HOUR
    scale = alt.Scale(domain=[0, hours], nice=False)
    ticks = _ticks(chart.window)
    labels = json.dumps(list(ticks.values()), ensure_ascii=False)
    axis = alt.Axis(
        values=list(ticks),
        labelExpr=f"{labels}[indexof({json.dumps(list(ticks))}, datum.value)]",
        grid=True,
        labelAlign="left",
        labelPadding=8,
    )
    inner = 1 - _BAR / _LANE
    x, y = (
        alt.X("from", type="quantitative", scale=scale, axis=axis),
        places(len(lanes), "lane", inner=inner, outer=inner / 2, align=0.9),
    )
    tracks = [
        {"lane": at, "from": 0, "to": hours, "text": cut(name, length=50)} for at, name in enumerate(lanes)
    ]
    rows = _rows(chart, lanes=lanes, least=hours * _LEAST_WIDTH / (NARROW - 4))
    marks = [
        table(tracks).mark_rect(color=colours("track"), aria=False).encode(x=x, x2=TO, y=y)
        .properties(name="track"),
        texts(tracks, field="text", x=alt.XValue(0), y=y, colour=colours("ink" if chart.spans else "muted"),
              dy=-(_BAR / 2 + 9)),
    ]  # fmt: skip
    if rows:
        bars = table(rows).mark_rect(color=colours("series-2"), opacity=1)
        marks.append(bars.encode(x=x, x2=TO, y=y, description=HINT).properties(name="span"))
    return Drawing(layers(*marks), NARROW, height + _AXIS + 2, top=2, right=2, bottom=_AXIS, left=2)


def _rows(chart: TimelineChart, *, lanes: list[str], least: float) -> list[Row]:
    """The spans inside the window, in hours from its start."""
    rows: list[Row] = []
    for span in chart.spans:
        start = max(span.start, chart.window.start)
        end = min(span.end, chart.window.end)
        if end < start:
            continue
        begin, stop = (start - chart.window.start) / _HOUR, (end - chart.window.start) / _HOUR
        latest = (chart.window.end - chart.window.start) / _HOUR
        begin = min(begin, latest - least)
        hint = f"{span.label}: {instant_text(span.start)} to {instant_text(span.end)}"
        rows.append(
            {
                "lane": lanes.index(span.label),
                "from": begin,
                "to": max(stop, begin + least),
                "hint": f"{hint}; {span.hint}" if span.hint else hint,
            }
        )
    return rows


def _ticks(window: Window) -> dict[float, str]:
    """Where the axis is named: about five places, in hours from the start."""
    if window.days <= 2:
        hours = 6 * window.days
        return {float(at): f"{(window.start + at * _HOUR):%H:%M}" for at in range(0, window.days * 24, hours)}
    stride = max(1, -(-window.days // 5))
    starts: list[datetime] = [window.start + timedelta(days=at) for at in range(0, window.days, stride)]
    last = window.end - (window.end - window.start) * 0.1  # no room for a name behind it
    return {(start - window.start) / _HOUR: short_day_text(start) for start in starts if start <= last}
