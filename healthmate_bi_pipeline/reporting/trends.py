"""Charts over time of figures that are not about people: every short period is there, gaps where nothing is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence, Number, Point, Series, TrendChart
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.wording import NOUNS, point_text, value_with_unit


def series_of(
    figure: str, label: str, values: Mapping[datetime, Number], *, period: Period, span: Window
) -> Series:
    """A figure in every short period of a span."""
    return Series(
        figure,
        label,
        tuple(
            Point(
                part.start,
                point_text(period, part.start),
                values.get(part.start, Absence.NO_DATA),
                people=None,
            )
            for part in period.windows(span)
        ),
    )


def has_line(series: Series) -> bool:
    """Whether there are at least two points to see."""
    return sum(not isinstance(point.value, Absence) for point in series.points) > 1


def trend_chart(
    chart_id: str,
    title: str,
    series: Sequence[Series],
    *,
    period: Period,
    window: Window,
    note: str = "",
) -> TrendChart | None:
    """A chart of series of one unit; none where there is nothing to see.

    Args:
        chart_id: unique in the report.
        title: what the reader sees above it.
        series: with a point for every short period.
        period: the short period.
        window: the report's own, shaded where the points begin before it.
        note: what must be known about it.
    """
    lines = tuple(one for one in series if has_line(one))
    if not lines:
        return None
    noun = NOUNS[period]
    has_gaps = any(isinstance(point.value, Absence) for one in lines for point in one.points)
    begins_before = lines[0].points[0].period_start < window.start
    notes = (
        note,
        f"Gaps: {noun}s without data." if has_gaps else "",
        "Shaded: the period of this report." if begins_before else "",
    )
    return TrendChart(
        chart_id=chart_id,
        title=title,
        description=f"{title}, {noun} by {noun}. {' '.join(_described(one) for one in lines)}",
        unit=style_of(lines[0].figure).unit,
        period=period.value,
        series=lines,
        highlight=window if begins_before else None,
        note=" ".join(text for text in notes if text),
    )


def _described(series: Series) -> str:
    known = [(point.value, point.label) for point in series.points if not isinstance(point.value, Absence)]
    first, last, lowest, highest = (
        f"{value_with_unit(series.figure, value)} ({label})"
        for value, label in (known[0], known[-1], min(known), max(known))
    )
    return f"{series.label}: first {first}, last {last}, lowest {lowest}, highest {highest}."
