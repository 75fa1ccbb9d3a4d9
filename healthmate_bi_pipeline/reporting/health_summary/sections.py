"""The sections of the health summary about people: panels of figures with their charts.

Reads ``Shown…`` values only. Which figures stand together is declared in ``SECTIONS``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from healthmate_bi_pipeline.catalog.health_groups import FIGURE_BY_NAME
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    BandChart,
    Block,
    DataTable,
    KeyFigure,
    KeyFigures,
    Point,
    Series,
    TableColumn,
    Text,
    TrendChart,
)
from healthmate_bi_pipeline.reporting.control_limits import with_control_limits
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.health_summary.guidelines import (
    BAND_LABELS,
    HIGH_SHARE,
    MET_SHARE,
    MINUTES,
    labelled,
)
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.suppression import ShownFigure
from healthmate_bi_pipeline.reporting.wording import (
    NOUNS,
    band_labels,
    point_text,
    share_text,
    value_with_unit,
)


@dataclass(frozen=True)
class Panel:
    """Figures of one unit that are read together; ``beside`` are told with them and not drawn."""

    title: str
    figures: tuple[str, ...]
    beside: tuple[str, ...] = ()


SECTIONS: tuple[tuple[str, str, tuple[Panel, ...]], ...] = (
    (
        "cardiovascular-health",
        "Cardiovascular health",
        (
            Panel("Partial cardiovascular-health mean", ("overall_health_score",)),
            Panel("Components that could be scored", ("health_score_components",)),
        ),
    ),
    (
        "vital-signs",
        "Vital signs",
        (
            Panel("Blood pressure", ("avg_blood_pressure_systolic", "avg_blood_pressure_diastolic")),
            Panel("Blood pressure categories", (HIGH_SHARE,)),
            Panel("Heart rate", ("avg_heart_rate", "resting_heart_rate")),
            Panel("Weight", ("avg_weight",)),
            Panel("Body mass index", ("avg_bmi",)),
            Panel("Blood glucose", ("avg_blood_sugar",)),
            Panel("Glucose in range", ("blood_sugar_in_range",)),
            Panel("HbA1c", ("avg_hba1c",)),
            Panel("Body temperature", ("avg_temperature",)),
            Panel("Oxygen saturation", ("avg_oxygen_saturation",)),
        ),
    ),
    (
        "activity",
        "Activity",
        (
            Panel("Steps", ("avg_steps_per_day",)),
            Panel("Activity against the guideline", (MINUTES,), beside=(MET_SHARE,)),
            Panel("Energy burned", ("avg_calories_burned_per_day",)),
            Panel("Exercise", ("avg_exercise_minutes_per_day",)),
        ),
    ),
    (
        "sleep",
        "Sleep",
        (
            Panel("Sleep duration", ("avg_sleep_hours",)),
            Panel("Sleep efficiency", ("sleep_quality_score",)),
            Panel("Sleep regularity", ("sleep_regularity_index",)),
        ),
    ),
    ("medication", "Medication", (Panel("Adherence", ("medication_adherence_rate",)),)),
    (
        "symptoms",
        "Symptoms",
        (
            Panel("Symptom logs", ("total_symptoms_logged",)),
            Panel("Severity", ("avg_symptom_severity",)),
        ),
    ),
)

_WITHHELD_BANDS = (
    "Not shown: bands of fewer than {minimum} people, and others from which such a number could be"
    " worked out."
)


@dataclass(frozen=True)
class ShownTrend:
    """The trend as it may be shown: every short period in order, with the figures that it has."""

    period: Period
    highlight: Window | None
    points: tuple[tuple[Window, Mapping[str, ShownFigure]], ...]


def figure_sections(
    metrics: Mapping[str, KeyFigure],
    *,
    shown: Mapping[str, ShownFigure],
    trend: ShownTrend,
    further: Mapping[str, tuple[Block, ...]],
    minimum: int,
) -> tuple[Section, ...]:
    """The sections that have data, each with a panel per group of figures.

    Args:
        metrics: the key figures.
        shown: the figures with their bands.
        trend: the figures over time.
        further: what else stands in a panel, by its first figure.
        minimum: the fewest people about whom something is said.
    """
    sections = []
    for section_id, title, panels in SECTIONS:
        parts = [
            _panel(
                panel,
                metrics=metrics,
                shown=shown,
                trend=trend,
                further=further.get(panel.figures[0], ()),
                minimum=minimum,
            )
            for panel in panels
            if panel.figures[0] in further
            or any(not isinstance(metrics[figure].value, Absence) for figure in panel.figures)
        ]
        if parts:
            sections.append(Section(section_id, title, subsections=tuple(parts)))
    return tuple(sections)


def _panel(
    panel: Panel,
    *,
    metrics: Mapping[str, KeyFigure],
    shown: Mapping[str, ShownFigure],
    trend: ShownTrend,
    further: tuple[Block, ...],
    minimum: int,
) -> Section:
    figures = [figure for figure in panel.figures if metrics[figure].people != 0]
    told = [*figures, *(figure for figure in panel.beside if metrics[figure].people != 0)]
    blocks: list[Block] = [KeyFigures(tuple(metrics[figure] for figure in told))] if told else []
    line = _trend_chart(figures, trend=trend, minimum=minimum)
    if line is not None:
        blocks.append(line)
    missing = []
    for figure in figures:
        bands = shown[figure].bands
        people = shown[figure].people
        if any(not isinstance(count, Absence) for count in bands) and people != 1:
            blocks.append(_band_chart(shown[figure], minimum=minimum))
        elif Absence.SUPPRESSED in bands and not isinstance(people, Absence):
            missing.append(style_of(figure).label.lower())
    if missing:
        blocks.append(Text((_withheld_distribution(missing, minimum=minimum),)))
    blocks += further
    return Section(f"panel-{_slug(panel.figures[0])}", panel.title, blocks=tuple(blocks))


def _withheld_distribution(labels: Sequence[str], *, minimum: int) -> str:
    return (
        f"The distribution of {' and of '.join(labels)} is not shown: too many of its bands hold fewer than"
        f" {minimum} people."
    )


def _slug(figure: str) -> str:
    return figure.replace("_", "-")


def _band_chart(figure: ShownFigure, *, minimum: int) -> BandChart:
    style = style_of(figure.figure)
    bands = labelled(figure, _band_labels(figure.figure))
    told = "; ".join(f"{band.label} {style.unit}: {share_text(band.share)}" for band in bands)
    is_whole = not any(isinstance(band.people, Absence) for band in bands)
    return BandChart(
        chart_id=f"bands-{_slug(figure.figure)}",
        title=f"People by {style.label[0].lower()}{style.label[1:]}",
        description=f"Share of people by their own mean in the period. {told}.",
        figure=figure.figure,
        unit=style.unit,
        bands=bands,
        note="" if is_whole else _WITHHELD_BANDS.format(minimum=minimum),
    )


def _band_labels(figure: str) -> tuple[str, ...]:
    scale = style_of(figure).scale
    bounds = tuple(bound * scale for bound in FIGURE_BY_NAME[figure].bands)
    return BAND_LABELS.get(figure) or band_labels(bounds)


def _trend_chart(figures: Sequence[str], *, trend: ShownTrend, minimum: int) -> TrendChart | None:
    """Figures over time; none where there are not at least two points to see."""
    series = tuple(
        Series(
            figure,
            style_of(figure).label,
            tuple(_point(trend.period, window, means.get(figure)) for window, means in trend.points),
        )
        for figure in figures
    )
    series = tuple(
        one for one in series if sum(not isinstance(point.value, Absence) for point in one.points) > 1
    )
    if not series:
        return None
    if len(series) == 1:  # the limits of several lines would cross
        series = (with_control_limits(series[0], period=trend.period),)
    noun = NOUNS[trend.period]
    told = " ".join(_describe(one) for one in series)
    return TrendChart(
        chart_id=f"trend-{_slug(series[0].figure)}",
        title=f"{noun.capitalize()} by {noun}",
        description=f"Mean over people, by {noun}. {told}",
        unit=style_of(series[0].figure).unit,
        period=trend.period.value,
        series=series,
        highlight=trend.highlight,
        note=_trend_note(series, trend=trend, minimum=minimum),
    )


def _trend_note(series: Sequence[Series], *, trend: ShownTrend, minimum: int) -> str:
    """What gaps and shading mean, where there are any."""
    values = {point.value for one in series for point in one.points if isinstance(point.value, Absence)}
    noun = NOUNS[trend.period]
    gaps = {
        Absence.NO_DATA: f"{noun}s without data",
        Absence.SUPPRESSED: f"{noun}s with fewer than {minimum} people",
    }
    parts = []
    if values:
        parts.append(f"Gaps: {' and '.join(text for absence, text in gaps.items() if absence in values)}.")
    if trend.highlight is not None:
        parts.append("Shaded: the period of this report.")
    return " ".join(parts)


def _point(period: Period, window: Window, shown: ShownFigure | None) -> Point:
    label = point_text(period, window.start)
    if shown is None:
        return Point(window.start, label, Absence.NO_DATA, 0)
    return Point(window.start, label, shown.mean, shown.people)


def _describe(series: Series) -> str:
    known = [(point.value, point.label) for point in series.points if not isinstance(point.value, Absence)]
    first, last, lowest, highest = (
        f"{value_with_unit(series.figure, value)} ({label})"
        for value, label in (known[0], known[-1], min(known), max(known))
    )
    return f"{series.label}: first {first}, last {last}, lowest {lowest}, highest {highest}."


def personal_ranges(figures: Sequence[ShownFigure]) -> DataTable | None:
    """Where one person's figures lie, instead of distributions of one."""
    rows = []
    for one in figures:
        if one.people != 1 or not one.bands:
            continue
        style = style_of(one.figure)
        labels = _band_labels(one.figure)
        label = next(label for label, count in zip(labels, one.bands, strict=True) if count == 1)
        value = "" if isinstance(one.mean, Absence) else value_with_unit(one.figure, one.mean)
        rows.append((style.label, value, f"{label} {style.unit}".rstrip()))
    if not rows:
        return None
    columns = (
        TableColumn("Figure"),
        TableColumn("Value", is_numeric=True),
        TableColumn("Band", is_numeric=True),
    )
    return DataTable("values-and-bands", "Values and bands", columns, tuple(rows))
