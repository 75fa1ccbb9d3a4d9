"""What a health summary rests on, by kind of data, and how much of what should be there is there.

Reads ``Shown…`` values and what may be derived from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from healthmate_bi_pipeline.domain.bands import (
    CARDIOVASCULAR_COMPONENTS,
    LEAST_COMPONENTS,
    LEAST_PRESSURE_DAYS,
    LEAST_PRESSURES,
)
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.blocks import Absence, Count
from healthmate_bi_pipeline.reporting.confidence import ConfidenceInput, Portion
from healthmate_bi_pipeline.reporting.health_summary.guidelines import (
    CATEGORY,
    DAYS_WITH_STEPS,
    HIGH_SHARE,
    STEPS,
)
from healthmate_bi_pipeline.reporting.health_summary.inputs import HealthSummaryInputs
from healthmate_bi_pipeline.reporting.suppression import (
    ShownFigure,
    ShownQuality,
    show_count,
    show_quality,
)


@dataclass(frozen=True)
class Kind:
    """A kind of data.

    Attributes:
        name: as a reader calls it.
        dataset: where its rows come from.
        daily_figure: whoever has a value of it on a day has data of this kind; empty: none is expected daily.
        day: what such days are called.
        gate: the figure that only people with enough data have.
        gate_of: the figure of the people who could pass it.
        gate_meaning: what enough is.
        gate_days: in shorter periods the gate is not counted.
    """

    name: str
    dataset: str
    daily_figure: str = ""
    day: str = "days"
    gate: str = ""
    gate_of: str = ""
    gate_meaning: str = ""
    gate_days: int = 14


KINDS: tuple[Kind, ...] = (
    Kind(
        "Readings", "health_readings", "data_accuracy", "person-days with a reading",
        HIGH_SHARE, CATEGORY,
        f"people with blood pressures who have the {LEAST_PRESSURES} readings on {LEAST_PRESSURE_DAYS} days that a"
        " category needs",
    ),
    Kind(
        "Activity", "activity_intervals", DAYS_WITH_STEPS, "person-days with steps",
        STEPS, DAYS_WITH_STEPS, "people with steps who have them on the days that a mean needs",
        gate_days=7,
    ),
    Kind(
        "Sleep", "sleep_sessions", "avg_sleep_hours", "person-nights with sleep recorded",
        "sleep_regularity_index", "avg_sleep_hours",
        "people with sleep who have the 6 pairs of nights that regularity needs",
    ),
    Kind("Medication", "medication_doses", "medication_adherence_rate", "person-days with a scheduled dose"),
    Kind("Symptoms", "symptom_logs"),
)  # fmt: skip
"""Symptoms are logged when there are some: no day of them is expected.

In a week only whoever misses no night passes the gate of regularity, and only whoever measures twice a day that of
blood pressure, which says little of the others.
"""

_SCORE = "overall_health_score"


def confidence_inputs(
    inputs: HealthSummaryInputs, *, shown: Mapping[str, ShownFigure], people: Count
) -> list[ConfidenceInput]:
    """The kinds of data that the report has, and the score."""
    qualities = {one.dataset: show_quality(one, settings=inputs.settings) for one in inputs.quality}
    found = []
    for kind in KINDS:
        quality = qualities.get(kind.dataset)
        if quality is None or quality.staged == 0:
            continue
        portions = (
            *_coverage(kind, inputs=inputs, shown=shown),
            _validity(quality, minimum=inputs.settings.minimum_people),
            *_sufficiency(kind, inputs=inputs, shown=shown),
            _timeliness(kind, inputs=inputs),
        )
        found.append(ConfidenceInput(kind.name, portions))
    if found and shown[_SCORE].people != 0:
        components = f"{LEAST_COMPONENTS} of {len(CARDIOVASCULAR_COMPONENTS)} components"
        meaning = f"people with at least {components}"
        scored = Portion("sufficiency", shown[_SCORE].people, people, meaning)
        found.append(ConfidenceInput("Cardiovascular health", (scored,)))
    return found


def _coverage(
    kind: Kind, *, inputs: HealthSummaryInputs, shown: Mapping[str, ShownFigure]
) -> tuple[Portion, ...]:
    """Days of people with data, of their days in the period; of one day the people, of the most in four weeks."""
    figure = shown.get(kind.daily_figure)
    if figure is None or figure.people == 0:
        return ()
    if inputs.cadence == Period.DAILY:
        most = max(
            (
                point.figures[kind.daily_figure].people
                for point in inputs.trend
                if kind.daily_figure in point.figures
            ),
            default=0,
        )
        meaning = "people, against the most on any day of these four weeks"
        usual = show_count(most, settings=inputs.settings)
        return (Portion("coverage", figure.people, usual, meaning),)
    seen: Count = show_count(inputs.person_days.get(kind.daily_figure, 0), settings=inputs.settings)
    expected: Count = Absence.SUPPRESSED
    if not isinstance(figure.people, Absence):
        expected = figure.people * _elapsed_days(inputs)
    else:
        seen = Absence.SUPPRESSED
    return (Portion("coverage", seen, expected, kind.day),)


def _elapsed_days(inputs: HealthSummaryInputs) -> int:
    """The days of the period up to the newest data."""
    if inputs.is_complete or inputs.as_of is None:
        return inputs.window.days
    passed = (inputs.as_of.date() - inputs.window.first_day).days + 1
    return min(max(passed, 1), inputs.window.days)


def _validity(quality: ShownQuality, *, minimum: int) -> Portion:
    """Rows that were not set aside, of the staged ones; too few of them to be shown count as half of the most.

    Rejected lines and undated rows have no day; they stand in the table of rows.
    """
    meaning = "rows that broke no rule"
    if isinstance(quality.staged, Absence):
        return Portion("validity", Absence.SUPPRESSED, Absence.SUPPRESSED, meaning)
    bad = (minimum - 1) // 2 if isinstance(quality.quarantined, Absence) else quality.quarantined
    return Portion("validity", max(quality.staged - bad, 0), quality.staged, meaning)


def _sufficiency(
    kind: Kind, *, inputs: HealthSummaryInputs, shown: Mapping[str, ShownFigure]
) -> tuple[Portion, ...]:
    """People who pass the gate, of those who have data of the kind; where nobody does, no figure rests on it."""
    if not kind.gate or shown[kind.gate].people == 0 or inputs.window.days < kind.gate_days:
        return ()
    return (Portion("sufficiency", shown[kind.gate].people, shown[kind.gate_of].people, kind.gate_meaning),)


def _timeliness(kind: Kind, *, inputs: HealthSummaryInputs) -> Portion:
    come = inputs.arrivals.get(kind.dataset)
    meaning = "days whose data came before they closed"
    if come is None or come.days == 0:
        return Portion("timeliness", 0, 0, f"{meaning}; the period was loaded afterwards")
    return Portion("timeliness", come.in_time, come.days, meaning)
