"""A figure over time: a line per series, a gap where there is no number, control limits and signals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import altair as alt

from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.blocks import Absence, Series, TrendChart
from healthmate_bi_pipeline.reporting.charts.axes import Axis, apart, cut, nice_axis
from healthmate_bi_pipeline.reporting.charts.marks import HINT, TO, Row, layers, table, texts
from healthmate_bi_pipeline.reporting.charts.svg import Drawing
from healthmate_bi_pipeline.reporting.charts.theme import NARROW, SERIES, SMALL, Colours
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.wording import (
    figure_text,
    people_text,
    point_text,
    short_day_text,
    value_with_unit,
)

_LEFT, _TOP, _HEIGHT, _BOTTOM = 44, 12, 148, 24
_MOST_LABELS = 5
"""At most so many periods are named below a trend, fewer where their names are long."""
_LETTER = 6.6
"""Room for a letter of a name, and more than that."""
_MOST_DOTS = 62
"""Of longer series only those points have dots that the line does not show: signals, the last, lone ones."""
_SHAPES = ("circle", "square", "triangle-up", "diamond")


def trend(chart: TrendChart, colours: Colours) -> Drawing:
    """The drawing of a trend."""
    axis = _axis(chart)
    right = _right_margin(chart)
    width = NARROW - _LEFT - right
    count = max(1, *(len(series.points) for series in chart.series))
    encoding = _Encoding(_period_labels(chart, width=width), axis, count)
    marks = [*_shade(chart, encoding, colours), *_grid(encoding)]
    for number, series in enumerate(chart.series):
        marks += _limits(series, encoding, number=number, colours=colours)
        marks += _line(series, encoding, number=number, colours=colours)
    marks += _end_labels(chart, axis=axis, width=width, colours=colours)
    return Drawing(
        layers(*marks), NARROW, _TOP + _HEIGHT + _BOTTOM, top=_TOP, right=right, bottom=_BOTTOM, left=_LEFT
    )


class _Encoding:
    """The two scales that all marks of a trend share."""

    def __init__(self, labels: Mapping[int, str], axis: Axis, count: int) -> None:
        texts_at = json.dumps(list(labels.values()), ensure_ascii=False)
        self.x_scale = alt.Scale(domain=[-0.5, count - 0.5], nice=False, zero=False)
        self.y_scale = alt.Scale(domain=[axis.low, axis.high], nice=False, zero=False)
        self.x = alt.X(
            "at",
            type="quantitative",
            scale=self.x_scale,
            axis=alt.Axis(
                values=list(labels),
                labelExpr=f"{texts_at}[indexof({json.dumps(list(labels))}, datum.value)]",
                labelPadding=9,
            ),
        )
        self.y = alt.Y(
            "value",
            type="quantitative",
            scale=self.y_scale,
            axis=alt.Axis(values=axis.values, format=f",.{axis.decimals}f", grid=True),
        )


def _grid(encoding: _Encoding) -> Iterator[alt.Chart]:
    """Axes and grid, also where no series has a number."""
    empty = table([{"at": 0, "value": None}])
    yield empty.mark_point(aria=False, opacity=0, size=0).encode(x=encoding.x, y=encoding.y)


def _shade(chart: TrendChart, encoding: _Encoding, colours: Colours) -> list[alt.Chart]:
    """The report's own period, shaded behind the lines."""
    if chart.highlight is None:
        return []
    inside = [
        at
        for at, point in enumerate(chart.series[0].points)
        if chart.highlight.start <= point.period_start < chart.highlight.end
    ]
    if not inside:
        return []
    row = {"at": inside[0] - 0.5, "to": inside[-1] + 0.5}
    marked = table([row]).mark_rect(color=colours("shade"), aria=False, opacity=1)
    shade = marked.encode(x=encoding.x, x2=TO, y=alt.YValue(0), y2=alt.Y2Value(_HEIGHT))
    return [shade.properties(name="shade")]


def _limits(series: Series, encoding: _Encoding, *, number: int, colours: Colours) -> list[alt.Chart]:
    """Centre and control limits; the limits are dashed."""
    if series.limits is None:
        return []
    scale = style_of(series.figure).scale
    limits = [{"value": value * scale} for value in (series.limits.lower, series.limits.upper)]
    across = {"x": alt.XValue(0), "x2": alt.X2Value("width"), "y": encoding.y}
    return [
        table(limits).mark_rule(color=colours("muted"), strokeDash=[4, 3], aria=False).encode(**across)
        .properties(name=f"limit_{number}"),
        table([{"value": series.limits.centre * scale}]).mark_rule(color=colours("line"), aria=False)
        .encode(**across).properties(name=f"centre_{number}"),
    ]  # fmt: skip


def _line(series: Series, encoding: _Encoding, *, number: int, colours: Colours) -> list[alt.Chart]:
    rows = _rows(series)
    colour = colours(f"series-{number % SERIES + 1}")
    known = [row for row in rows if row["value"] is not None]
    dotted = known if len(rows) <= _MOST_DOTS else [row for row in known if row["at"] in _lone(series)]
    signals = [row for row in known if row["at"] in series.signals]
    radius = 2.6 if len(rows) <= 35 else 1.8
    dash = [] if number < SERIES else [5, 3]
    on = {"x": encoding.x, "y": encoding.y}
    hinted = {**on, "description": HINT}
    marks = [
        table(rows).mark_line(
            color=colour, strokeWidth=1.8, strokeJoin="round", strokeCap="round", strokeDash=dash, aria=False
        ).encode(**on).properties(name=f"line_{number}"),
    ]  # fmt: skip
    if dotted:
        shape = _SHAPES[number % len(_SHAPES)]
        size = 4 * radius**2 * (1 if shape == "circle" else 0.9)
        dots = table(dotted).mark_point(shape=shape, size=size, filled=True, color=colour, opacity=1)
        marks.append(dots.encode(**hinted).properties(name=f"dots_{number}"))
    if signals:
        ring = table(signals).mark_point(
            shape="diamond", size=110, filled=False, color=colours("signal"), strokeWidth=1.8, opacity=1
        )
        marks.append(ring.encode(**hinted).properties(name=f"signal_{number}"))
    withheld = [row for row in rows if row["is_withheld"]]
    if withheld and number == 0:
        cross = table(withheld).mark_point(
            shape="M-1,-1L1,1M-1,1L1,-1", size=30, filled=False, color=colours("muted"), opacity=1
        )
        crosses = cross.encode(x=encoding.x, y=alt.YValue(_HEIGHT - 6), description=HINT)
        marks.append(crosses.properties(name="withheld"))
    return marks


def _rows(series: Series) -> list[Row]:
    scale = style_of(series.figure).scale
    rows: list[Row] = []
    for at, point in enumerate(series.points):
        hint = f"{point.label}: {value_with_unit(series.figure, point.value)}"
        if point.people is not None and not isinstance(point.people, Absence):
            hint += f", {people_text(point.people)}"
        if at in series.signals:
            hint += " (signal)"
        value = None if isinstance(point.value, Absence) else point.value * scale
        is_withheld = point.value is Absence.SUPPRESSED
        rows.append({"at": at, "value": value, "hint": hint, "is_withheld": is_withheld})
    return rows


def _lone(series: Series) -> set[int]:
    """The points that have no neighbour with a number, the last one, and the signals."""
    known = [not isinstance(point.value, Absence) for point in series.points]
    found = set(series.signals)
    for has_number, run in groupby(range(len(known)), key=known.__getitem__):
        numbers = list(run)
        if has_number and (len(numbers) == 1 or numbers[-1] == len(known) - 1):
            found.add(numbers[-1])
    return found


def _period_labels(chart: TrendChart, *, width: float) -> dict[int, str]:
    """The periods that are named below the axis, by their numbers."""
    period = Period(chart.period)
    is_short = period in {Period.DAILY, Period.WEEKLY}
    names = [
        short_day_text(point.period_start) if is_short else point_text(period, point.period_start)
        for point in chart.series[0].points
    ]
    room = int(width / (_LETTER * max((len(name) for name in names), default=1) + 10))
    stride = -(-len(names) // max(1, min(room, _MOST_LABELS)))
    return {at: name for at, name in enumerate(names) if at % stride == 0}


def _right_margin(chart: TrendChart) -> float:
    """Room for what stands behind the lines."""
    longest = max((len(text) for _, text, _ in _ends(chart)), default=0)
    return min(max(48, 10 + 6.8 * longest), 116)


def _ends(chart: TrendChart) -> list[tuple[float, str, str]]:
    """What stands behind the lines: value on the axis, text, and the name of its colour.

    Of one series the last value, with the names of its limits; of several their names.
    """
    found = []
    for number, series in enumerate(chart.series):
        scale = style_of(series.figure).scale
        known = [point.value for point in series.points if not isinstance(point.value, Absence)]
        if known:
            is_alone = len(chart.series) == 1
            text = figure_text(series.figure, known[-1]) if is_alone else _name(series, chart)
            found.append((known[-1] * scale, text, f"series-{number % SERIES + 1}"))
        if series.limits is not None and len(chart.series) == 1:
            limits = series.limits
            found += [
                (limits.upper * scale, "upper", "muted"),
                (limits.centre * scale, "centre", "muted"),
                (limits.lower * scale, "lower", "muted"),
            ]
    return found


def _name(series: Series, chart: TrendChart) -> str:
    """The name beside a line: the figure's short one, where it has one and no other line is of that figure."""
    short = style_of(series.figure).short
    is_shared = sum(other.figure == series.figure for other in chart.series) > 1
    return cut(series.label if is_shared or short == series.figure else short, length=16)


def _end_labels(chart: TrendChart, *, axis: Axis, width: float, colours: Colours) -> list[alt.Chart]:
    ends = _ends(chart)
    heights = [_HEIGHT * (1 - (value - axis.low) / (axis.high - axis.low)) for value, _, _ in ends]
    marks = []
    for number, ((_, text, colour), y) in enumerate(zip(ends, apart(heights, last=_HEIGHT + 4), strict=True)):
        style: dict[str, Any] = {"fontSize": SMALL} if colour == "muted" else {"fontWeight": 600}
        label = texts(
            [{"text": text}],
            field="text",
            x=alt.XValue(width + 6),
            y=alt.YValue(y),
            colour=colours(colour),
            **style,
        )
        marks.append(label.properties(name=f"end_{number}") if colour != "muted" else label)
    return marks


def _axis(chart: TrendChart) -> Axis:
    """The value axis.

    It does not begin at zero, as a body's figures do not, but is never shorter than the figure's least span.
    """
    style = style_of(chart.series[0].figure)
    values = [value for series in chart.series for value in _values(series)] or [0.0, 1.0]
    low, high = min(values), max(values)
    lack = max(0.0, style.least_span * style.scale - (high - low)) / 2
    margin = (high - low) * 0.05
    bottom = low - lack - margin
    return nice_axis(max(0.0, bottom) if low >= 0 else bottom, high + lack + margin)


def _values(series: Series) -> list[float]:
    scale = style_of(series.figure).scale
    limits = series.limits
    known = [point.value for point in series.points if not isinstance(point.value, Absence)]
    return [value * scale for value in (*known, *((limits.lower, limits.upper) if limits else ()))]
