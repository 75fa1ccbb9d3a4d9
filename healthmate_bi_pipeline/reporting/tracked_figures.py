"""Figures that are followed over time (``evidence.Tracked``), as the key figures, charts and sentences of a page.

Reads values that may be shown; the same ones go to the insights, so that page and insights cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence

from healthmate_bi_pipeline.catalog.registry import figure_named
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    Comparison,
    KeyFigure,
    Number,
    Point,
    Series,
    TrendChart,
)
from healthmate_bi_pipeline.reporting.evidence import Sample, Tracked
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.wording import (
    NOUNS,
    change_text,
    is_change_visible,
    point_text,
    value_with_unit,
)


def key_figure(tracked: Tracked, *, minimum: int, basis: str = "", label: str = "") -> KeyFigure:
    """The figure in the report's window, against the period before.

    Args:
        tracked: the figure.
        minimum: the fewest people about whom something is said.
        basis: what it rests on where that is not people.
        label: what a reader calls it, where that is not its usual name.
    """
    current = tracked.current
    known = figure_named(tracked.figure)
    note = ""
    if current.value is Absence.SUPPRESSED:
        note = f"Not shown: too few people (fewer than {minimum})."
    elif current.value is Absence.NO_DATA:
        note = "No data in this period."
    return KeyFigure(
        figure=tracked.figure,
        label=label or style_of(tracked.figure).label,
        unit=(known.unit if known else None) or "",
        value=current.value,
        people=current.people,
        comparison=_comparison(tracked),
        note=note,
        basis=basis,
    )


def _comparison(tracked: Tracked) -> Comparison | None:
    before = tracked.previous
    if before is None or isinstance(tracked.current.value, Absence):
        return None
    change = (
        before.value
        if isinstance(before.value, Absence)
        else round(tracked.current.value - before.value, style_of(tracked.figure).digits)
    )
    return Comparison(tracked.previous_name, before.window, before.value, change)


def told(metric: KeyFigure, *, with_label: bool = True) -> str:
    """A figure as a part of a sentence, with its change."""
    label = f"{metric.label[0].lower()}{metric.label[1:]} " if with_label else ""
    text = f"{label}{value_with_unit(metric.figure, metric.value)}"
    comparison = metric.comparison
    if comparison is None or isinstance(comparison.change, Absence):
        return text
    if not is_change_visible(metric.figure, comparison.change):
        return f"{text} (no change)"
    return f"{text} ({change_text(metric.figure, comparison.change)})"


def history_chart(
    tracked: Sequence[Tracked],
    *,
    chart_id: str,
    title: str,
    window: Window,
    minimum: int,
    least_points: int = 2,
) -> TrendChart | None:
    """Figures of one unit over their history; none where there are fewer points to see than a line needs."""
    lines = [_series(one) for one in tracked if _known(one.history) >= least_points]
    if not lines:
        return None
    period = tracked[0].period
    noun = NOUNS[period]
    first = lines[0].points[0].period_start
    gaps = {point.value for line in lines for point in line.points if isinstance(point.value, Absence)}
    words = {
        Absence.NO_DATA: f"{noun}s without data",
        Absence.SUPPRESSED: f"{noun}s with fewer than {minimum} people",
    }
    notes = []
    if gaps:
        notes.append(f"Gaps: {' and '.join(text for gap, text in words.items() if gap in gaps)}.")
    if first < window.start:
        notes.append("Shaded: the period of this report.")
    return TrendChart(
        chart_id=chart_id,
        title=title,
        description=f"{title}, by {noun}. {' '.join(_described(line) for line in lines)}",
        unit=style_of(tracked[0].figure).unit,
        period=period.value,
        series=tuple(lines),
        highlight=window if first < window.start else None,
        note=" ".join(notes),
    )


def trimmed(history: Sequence[Sample]) -> tuple[Sample, ...]:
    """The history from its first value on; nothing is known of the time before."""
    first = next(
        (place for place, one in enumerate(history) if one.value is not Absence.NO_DATA), len(history)
    )
    return tuple(history[first:])


def _known(history: Sequence[Sample]) -> int:
    return sum(not isinstance(one.value, Absence) for one in history)


def _series(tracked: Tracked) -> Series:
    return Series(
        tracked.figure,
        f"{style_of(tracked.figure).label}{f', {tracked.subject}' if tracked.subject else ''}",
        tuple(
            Point(one.window.start, point_text(tracked.period, one.window.start), one.value, one.people)
            for one in tracked.history
        ),
    )


def _described(series: Series) -> str:
    known = [(point.value, point.label) for point in series.points if not isinstance(point.value, Absence)]
    first, last, lowest, highest = (
        f"{value_with_unit(series.figure, value)} ({label})"
        for value, label in (known[0], known[-1], min(known), max(known))
    )
    return f"{series.label}: first {first}, last {last}, lowest {lowest}, highest {highest}."


def is_shown(number: Number) -> bool:
    """Whether there is a number."""
    return not isinstance(number, Absence)
