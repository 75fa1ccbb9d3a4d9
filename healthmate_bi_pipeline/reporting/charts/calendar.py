"""A figure of every day as cells of a colour scale, laid out by week and weekday.

Two months or less look like a wall calendar, with the day's number in its cell; more have a column per week.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import altair as alt

from healthmate_bi_pipeline.reporting.blocks import Absence, CalendarChart
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
from healthmate_bi_pipeline.reporting.wording import (
    MONTHS,
    WEEKDAYS,
    day_text,
    figure_text,
    people_text,
    short_day_text,
    value_with_unit,
)

_WALL_WEEKS = 10
_NARROW_WEEKS = 18
_YEAR_WEEKS = 54
_LEGEND, _REMARK = 26, 14


def calendar(chart: CalendarChart, colours: Colours) -> Drawing:
    """The drawing of a calendar."""
    if not chart.days:
        return Drawing(layers(texts([{"text": "no days"}], field="text", x=alt.XValue(0), y=alt.YValue(10),
                                    colour=colours("muted"))), NARROW, 24)  # fmt: skip
    monday = chart.days[0].period_start - timedelta(days=chart.days[0].period_start.weekday())
    rows, limits = _rows(chart, monday)
    weeks = max(row["week"] for row in rows) + 1
    if weeks <= _WALL_WEEKS:
        return _wall(chart, rows, limits, monday=monday, weeks=weeks, colours=colours)
    return _year(chart, rows, limits, monday=monday, weeks=weeks, colours=colours)


def _rows(chart: CalendarChart, monday: datetime) -> tuple[list[Row], tuple[float, float] | None]:
    limits = ends([day.value for day in chart.days])
    low, high = limits or (0.0, 0.0)
    rows: list[Row] = []
    for day in chart.days:
        hint = f"{day_text(day.period_start)}: {value_with_unit(chart.figure, day.value)}"
        if day.people is not None and not isinstance(day.people, Absence):
            hint += f", {people_text(day.people)}"
        rows.append(
            {
                "week": (day.period_start - monday).days // 7,
                "weekday": day.period_start.weekday(),
                "text": str(day.period_start.day),
                "step": 0 if isinstance(day.value, Absence) else step_of(day.value, low=low, high=high),
                "is_withheld": day.value is Absence.SUPPRESSED,
                "hint": hint,
            }
        )
    return rows, limits


def _wall(
    chart: CalendarChart,
    rows: Sequence[Row],
    limits: tuple[float, float] | None,
    *,
    monday: datetime,
    weeks: int,
    colours: Colours,
) -> Drawing:
    """A row per week, as on a wall."""
    left, top, height = 48, 18, 26 * weeks
    x, y = columns(7, "weekday", inner=0.06), places(weeks, "week", inner=0.1)
    muted = colours("muted")
    heads = [{"weekday": at, "text": name[:3]} for at, name in enumerate(WEEKDAYS)]
    starts = [{"week": at, "text": short_day_text(monday + timedelta(weeks=at))} for at in range(weeks)]
    marks = [
        texts(heads, field="text", x=x, y=alt.YValue(-9), align="center", colour=muted, fontSize=SMALL),
        texts(starts, field="text", x=alt.XValue(-6), y=y, align="right", colour=muted, fontSize=SMALL),
        *_cells(rows, x=x, y=y, side=26, colours=colours),
    ]
    shown = [row for row in rows if row["step"]]
    if shown:
        days = texts(shown, field="text", x=x, y=y, align="center", colour=muted, fontSize=SMALL)
        marks.append(days.encode(color=inks(colours)))
    return _with_legend(chart, marks, rows, limits, size=(NARROW, top + height), margins=(top, left),
                        colours=colours)  # fmt: skip


def _year(
    chart: CalendarChart,
    rows: Sequence[Row],
    limits: tuple[float, float] | None,
    *,
    monday: datetime,
    weeks: int,
    colours: Colours,
) -> Drawing:
    """A column per week; what is longer than a year goes on below."""
    blocks = -(-weeks // _YEAR_WEEKS)
    across = min(weeks, _YEAR_WEEKS)
    width = NARROW if weeks <= _NARROW_WEEKS else WIDE
    left, top = 32, 18
    cell = min((width - left - 2) / across, 17)
    lines = 8 * blocks - 1
    height = cell * lines
    placed = [
        {**row, "column": row["week"] % _YEAR_WEEKS, "line": row["week"] // _YEAR_WEEKS * 8 + row["weekday"]}
        for row in rows
    ]
    margin = width - left - cell * across
    x, y = columns(across, "column", inner=0.12), places(lines, "line", inner=0.12)
    muted = colours("muted")
    names = [
        {"line": block * 8 + at, "text": WEEKDAYS[at][:3]} for block in range(blocks) for at in (0, 2, 4, 6)
    ]
    months = _month_labels(chart)
    marks = [
        texts(names, field="text", x=alt.XValue(-6), y=y, align="right", colour=muted, fontSize=SMALL),
        *_cells(placed, x=x, y=y, side=cell * 0.8, colours=colours),
    ]
    for number, text in months:
        week = (number - monday).days // 7
        at_x, at_y = week % _YEAR_WEEKS * cell, week // _YEAR_WEEKS * 8 * cell - 9
        marks.append(
            texts([{"text": text}], field="text", x=alt.XValue(at_x), y=alt.YValue(at_y), colour=muted,
                  fontSize=SMALL)
        )  # fmt: skip
    return _with_legend(chart, marks, placed, limits, size=(width, top + height), margins=(top, left),
                        colours=colours, right=margin)  # fmt: skip


def _month_labels(chart: CalendarChart) -> list[tuple[datetime, str]]:
    """The first days of months among the days, with the month's name."""
    firsts = [day.period_start for day in chart.days if day.period_start.day == 1]
    return [(first, MONTHS[first.month - 1][:3]) for first in firsts]


def _cells(rows: Sequence[Row], *, x: alt.X, y: alt.Y, side: float, colours: Colours) -> list[alt.Chart]:
    shown = [row for row in rows if row["step"]]
    withheld = [row for row in rows if row["is_withheld"]]
    empty = [row for row in rows if not row["step"] and not row["is_withheld"]]
    marks = []
    if shown:
        cells = table(shown).mark_rect(opacity=1)
        marks.append(cells.encode(x=x, y=y, fill=fills(colours), description=HINT).properties(name="cell"))
    if empty:
        frames = table(empty).mark_rect(filled=False, stroke=colours("line"), strokeWidth=1, opacity=1)
        marks.append(frames.encode(x=x, y=y, description=HINT).properties(name="empty"))
    return [*marks, *slashes(withheld, x=x, y=y, side=side, colours=colours)]


def _with_legend(
    chart: CalendarChart,
    marks: list[alt.Chart],
    rows: Sequence[Row],
    limits: tuple[float, float] | None,
    *,
    size: tuple[float, float],
    margins: tuple[float, float],
    colours: Colours,
    right: float = 2,
) -> Drawing:
    """The cells with their colour scale below; ``size`` is that without it."""
    (width, height), (top, left) = size, margins
    reasons = []
    if any(not row["step"] and not row["is_withheld"] for row in rows):
        reasons.append("frame: no data")
    if any(row["is_withheld"] for row in rows):
        reasons.append("struck: not shown")
    legend = step_legend(
        (
            figure_text(chart.figure, limits[0]) if limits else "",
            value_with_unit(chart.figure, limits[1]) if limits else "no numbers",
            ", ".join(reasons),
        ),
        y=height - top + 15, width=width - left - right, colours=colours,
    )  # fmt: skip
    both = alt.layer(layers(*marks), alt.layer(*legend)).resolve_scale(
        x="independent", y="independent", fill="independent"
    )
    bottom = _LEGEND + (_REMARK if reasons else 0)
    return Drawing(both, width, height + bottom, top=top, right=right, bottom=bottom, left=left)
