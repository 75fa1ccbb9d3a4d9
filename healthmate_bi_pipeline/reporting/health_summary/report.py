"""The health summary: how the people are, and how good the data are.

A pure function from ``HealthSummaryInputs`` to a ``Report``; its sections are in ``sections``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from healthmate_bi_pipeline.catalog.datasets import USERS
from healthmate_bi_pipeline.catalog.device_changes import DEVICE_CHANGES
from healthmate_bi_pipeline.catalog.health_groups import FIGURE_BY_NAME, GROUPED_FIGURES, HEADLINE_FIGURES
from healthmate_bi_pipeline.catalog.tables import HEALTH_GROUPS
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.assembly import Content, assemble, notices
from healthmate_bi_pipeline.reporting.blocks import Absence, Comparison, Count, KeyFigure, Number
from healthmate_bi_pipeline.reporting.document import DataSource, Report, Section, Stamp, Summary
from healthmate_bi_pipeline.reporting.health_summary.basis import confidence_inputs
from healthmate_bi_pipeline.reporting.health_summary.coverage import coverage_section
from healthmate_bi_pipeline.reporting.health_summary.evidence import health_evidence
from healthmate_bi_pipeline.reporting.health_summary.guidelines import HIGH_SHARE, MET_SHARE, guideline_blocks
from healthmate_bi_pipeline.reporting.health_summary.inputs import HealthSummaryInputs
from healthmate_bi_pipeline.reporting.health_summary.sections import (
    ShownTrend,
    figure_sections,
    personal_ranges,
)
from healthmate_bi_pipeline.reporting.inputs import GroupFigure
from healthmate_bi_pipeline.reporting.row_quality import rows_note
from healthmate_bi_pipeline.reporting.standard_sections import (
    dataset_description,
    definitions_section,
    quality_section,
)
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.suppression import (
    ShownFigure,
    show_count,
    show_everyone,
    show_figure,
    show_quality,
)
from healthmate_bi_pipeline.reporting.wording import (
    change_text,
    is_change_visible,
    mid_sentence,
    people_text,
    period_text,
    value_with_unit,
)

_ACCURACY = "data_accuracy"
_ON_FIGURES = (
    "Each figure is worked out for every person first; what stands here is the mean over people, so that each"
    " person counts once, however often they measured. A band holds the people whose own figure lies in it."
    " Days and nights are those of the person's own clock. Steps per day are of those who have them on enough days: 3 of a"
    " week, 4 of a month."
)
_SHARES = (HIGH_SHARE, MET_SHARE)
_TOLD = (
    "overall_health_score",
    "health_score_components",
    "avg_blood_pressure_systolic",
    "avg_heart_rate",
    "avg_blood_sugar",
    "avg_steps_per_day",
    "avg_sleep_hours",
    "medication_adherence_rate",
)
"""The figures that the summary puts into words, one of each kind."""


def health_summary(inputs: HealthSummaryInputs, *, stamp: Stamp) -> Report:
    """The report on a window.

    Raises:
        IntegrityError: the bands of a figure do not add up to its people.
    """
    shown = {
        name: show_figure(_group(inputs.current, name), settings=inputs.settings) for name in GROUPED_FIGURES
    }
    people = show_everyone(
        inputs.people,
        groups=[_group(inputs.current, name) for name in GROUPED_FIGURES],
        settings=inputs.settings,
    )
    metrics = {name: _key_figure(shown[name], inputs=inputs) for name in HEADLINE_FIGURES}
    if inputs.settings.audience == "personal" and inputs.people == 1:  # of whom there are no shares
        metrics |= {
            name: _key_figure(ShownFigure(name, 0, Absence.NO_DATA), inputs=inputs) for name in _SHARES
        }
    headline = tuple(name for name, metric in metrics.items() if not isinstance(metric.value, Absence))
    return assemble(
        inputs,
        Content(
            summary=Summary(
                sentences=_sentences(inputs, metrics=metrics, people=people),
                people=people,
                headline=headline,
                notices=notices(inputs),
                reading=_reading(inputs),
            ),
            metrics=tuple(metrics.values()),
            sections=_sections(inputs, metrics=metrics, shown=shown, people=people),
            evidence=health_evidence(inputs, shown=shown, people=people),
            confidence_inputs=confidence_inputs(inputs, shown=shown, people=people),
            data_sources=_data_sources(inputs),
        ),
        stamp=stamp,
    )


def _group(groups: Mapping[str, GroupFigure], name: str) -> GroupFigure:
    """The figure of a group; one that is not there has nobody."""
    return groups.get(name) or GroupFigure(name, 0)


def _key_figure(shown: ShownFigure, *, inputs: HealthSummaryInputs) -> KeyFigure:
    note = ""
    if isinstance(shown.mean, Absence):
        note = "No data in this period."
        if shown.mean is Absence.SUPPRESSED:
            few = people_text(shown.mean, minimum=inputs.settings.minimum_people)
            note = f"Not shown: {few}{' do, or do not' if shown.figure in _SHARES else ''}."
    return KeyFigure(
        figure=shown.figure,
        label=style_of(shown.figure).label,
        unit=FIGURE_BY_NAME[shown.figure].unit or "",
        value=shown.mean,
        people=shown.people,
        comparison=_comparison(shown, inputs=inputs),
        low=shown.low if shown.people != 1 else None,
        high=shown.high if shown.people != 1 else None,
        note=note,
    )


def _comparison(shown: ShownFigure, *, inputs: HealthSummaryInputs) -> Comparison | None:
    """The figure against the period before; a change only where both numbers are shown."""
    if inputs.previous is None or inputs.previous_window is None or isinstance(shown.mean, Absence):
        return None
    earlier = show_figure(_group(inputs.previous, shown.figure), settings=inputs.settings)
    before = earlier.mean
    change: Number
    if isinstance(before, Absence):
        change = before
    else:
        difference = shown.mean - before
        is_personal = inputs.settings.audience == "personal"
        change = difference if is_personal else round(difference, style_of(shown.figure).digits)
    if shown.figure in _SHARES and _is_within_rounding(change, (shown, earlier), inputs=inputs):
        return None
    against = mid_sentence(period_text(inputs.cadence, inputs.previous_window))
    return Comparison(against, inputs.previous_window, before, change)


def _is_within_rounding(
    change: Number, shares: Sequence[ShownFigure], *, inputs: HealthSummaryInputs
) -> bool:
    """Whether a change of a share of people may come from the rounding of both their numbers alone."""
    step = inputs.settings.round_people_to
    if isinstance(change, Absence) or inputs.settings.audience == "personal" or step == 1:
        return False
    error = sum(step / one.people for one in shares if not isinstance(one.people, Absence) and one.people)
    return abs(change) <= error


def _sentences(
    inputs: HealthSummaryInputs, *, metrics: Mapping[str, KeyFigure], people: Count
) -> tuple[str, ...]:
    period = period_text(inputs.cadence, inputs.window)
    if inputs.people == 0:
        return (f"There are no health data for {mid_sentence(period)}.",)
    settings = inputs.settings
    if isinstance(show_count(inputs.people, settings=settings), Absence):
        few = people_text(Absence.SUPPRESSED, minimum=settings.minimum_people)
        return (f"{period}: {few} have data, too few for any figure to be shown.",)
    if isinstance(people, Absence):
        opening = f"{period}: what people measured."
    elif settings.audience == "personal" and people == 1:
        opening = f"{period}: the data of one person."
    else:
        verb = "has" if people == 1 else "have"
        so_far = "" if inputs.is_complete else " so far"
        opening = f"{period}: {people_text(people)} {verb} data{so_far}."
    told = [_told(metrics[name]) for name in _TOLD if not isinstance(metrics[name].value, Absence)]
    return (opening, *((f"{_told_opening(inputs)}: {'; '.join(told)}.",) if told else ()))


def _told_opening(inputs: HealthSummaryInputs) -> str:
    what = "Figures" if inputs.settings.audience == "personal" and inputs.people == 1 else "Means over people"
    if inputs.previous is None or inputs.previous_window is None:
        return what
    return (
        f"{what}, with the change against {mid_sentence(period_text(inputs.cadence, inputs.previous_window))}"
    )


def _told(metric: KeyFigure) -> str:
    label = f"{metric.label[0].lower()}{metric.label[1:]}"
    text = f"{label} {value_with_unit(metric.figure, metric.value)}"
    comparison = metric.comparison
    if comparison is None or isinstance(comparison.change, Absence):
        return text
    if not is_change_visible(metric.figure, comparison.change):
        return f"{text} (no change)"
    return f"{text} ({change_text(metric.figure, comparison.change)})"


def _reading(inputs: HealthSummaryInputs) -> tuple[str, ...]:
    settings = inputs.settings
    if inputs.people == 0 or (settings.audience == "personal" and inputs.people == 1):
        return ()
    if settings.audience == "personal":
        return ("A figure is the mean over the people in the data of their own figure for the period.",)
    rounded = (
        f"; other numbers of people are rounded to {settings.round_people_to}"
        if settings.round_people_to > 1
        else ""
    )
    return (
        "A figure is the mean over people of their own figure for the period: each person counts once.",
        f"Nothing about fewer than {settings.minimum_people} people is shown{rounded}.",
    )


def _sections(
    inputs: HealthSummaryInputs,
    *,
    metrics: Mapping[str, KeyFigure],
    shown: Mapping[str, ShownFigure],
    people: Count,
) -> tuple[Section, ...]:
    minimum = inputs.settings.minimum_people
    further = guideline_blocks(shown, window=inputs.window, minimum=minimum)
    sections = list(
        figure_sections(metrics, shown=shown, trend=_trend(inputs), further=further, minimum=minimum)
    )
    ranges = personal_ranges(tuple(shown.values())) if inputs.settings.audience == "personal" else None
    if ranges is not None:
        sections.insert(0, Section("ranges", "Where the figures lie", blocks=(ranges,)))
    covered = coverage_section(inputs, people=people)
    if covered is not None:
        sections.append(covered)
    qualities = [show_quality(one, settings=inputs.settings) for one in inputs.quality]
    sections.append(quality_section(qualities, accuracy=metrics[_ACCURACY], note=rows_note(inputs)))
    if any(not isinstance(metric.value, Absence) for metric in metrics.values()):
        sections.append(definitions_section(tuple(metrics.values()), remark=_ON_FIGURES))
    return tuple(sections)


def _trend(inputs: HealthSummaryInputs) -> ShownTrend:
    """Every short period from the first point to the last, suppressed; one without a point is a gap."""
    if not inputs.trend:
        return ShownTrend(inputs.trend_period, None, ())
    by_start = {point.period_start: point.figures for point in inputs.trend}
    span = Window(min(by_start), inputs.trend_period.next(max(by_start)))
    points = tuple(
        (
            window,
            {
                name: show_figure(figure, settings=inputs.settings)
                for name, figure in by_start.get(window.start, {}).items()
            },
        )
        for window in inputs.trend_period.windows(span)
    )
    highlight = inputs.window if span.start < inputs.window.start else None
    return ShownTrend(inputs.trend_period, highlight, points)


def _data_sources(inputs: HealthSummaryInputs) -> tuple[DataSource, ...]:
    read = [
        DataSource(one.dataset, dataset_description(one.dataset))
        for one in inputs.quality
        if one.staged or one.files
    ]
    accounts = (DataSource(USERS.name, USERS.description),) if inputs.accounts else ()
    devices = (DataSource(DEVICE_CHANGES.name, DEVICE_CHANGES.description),) if inputs.devices else ()
    return (
        DataSource(HEALTH_GROUPS.name, "Figures of groups of people per period."),
        *devices,
        *read,
        *accounts,
    )
