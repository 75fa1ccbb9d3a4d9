"""What people's figures are held against: categories of blood pressure, the guideline for activity, days with steps.

Each says who could not be judged. In a period shorter than a week nobody is, and the page says why.
"""

from __future__ import annotations

from collections.abc import Mapping

from healthmate_bi_pipeline.catalog.health_groups import CATEGORIES, FIGURE_BY_NAME, PRESSURE_SHARES
from healthmate_bi_pipeline.domain.bands import (
    ACTIVITY_GUIDELINE,
    LEAST_ACTIVE_DAYS_A_WEEK,
    LEAST_PRESSURE_DAYS,
    LEAST_PRESSURES,
    STEP_DAYS,
)
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    Band,
    BandChart,
    Block,
    Cell,
    Count,
    DataTable,
    TableColumn,
    Text,
)
from healthmate_bi_pipeline.reporting.suppression import ShownFigure, shares
from healthmate_bi_pipeline.reporting.wording import count_text, people_text, share_text

CATEGORY = "blood_pressure_category"
HIGH_SHARE = "stage_2_blood_pressure_share"
MINUTES = "activity_minutes_a_week"
MET_SHARE = "activity_guideline_share"
STEPS, DAYS_WITH_STEPS = "avg_steps_per_day", "days_with_steps"

_LOW, _HIGH = ACTIVITY_GUIDELINE
BAND_LABELS: dict[str, tuple[str, ...]] = {
    CATEGORY: tuple(name.replace("_", " ").capitalize() for name in CATEGORIES[CATEGORY]),
    MINUTES: (f"below {_LOW}", f"{_LOW} to {_HIGH}", f"above {_HIGH}"),
}
"""Names of bands, where their bounds do not tell them."""

_PRESSURES = {
    "normal": "<120 and <80",
    "elevated": "120–129 and <80",
    "stage_1": "130–139 or 80–89",
    "stage_2": "≥140 or ≥90",
    "severe": ">180 or >120",
    "insufficient": "",
}
_GATE_OF_PRESSURES = f"{LEAST_PRESSURES} readings on {LEAST_PRESSURE_DAYS} days"
_A_WEEK = 7


def guideline_blocks(
    shown: Mapping[str, ShownFigure], *, window: Window, minimum: int
) -> dict[str, tuple[Block, ...]]:
    """What stands in a panel beside its own figures, by the first of them; nothing where there are no data."""
    found = {
        HIGH_SHARE: _pressures(shown, window=window, minimum=minimum),
        MINUTES: _activity(shown, window=window),
        STEPS: _steps(shown, window=window),
    }
    return {figure: blocks for figure, blocks in found.items() if blocks}


def labelled(figure: ShownFigure, labels: tuple[str, ...]) -> tuple[Band, ...]:
    """The bands of a figure with their shares."""
    bounds = FIGURE_BY_NAME[figure.figure].bands
    uppers: tuple[float | None, ...] = (*bounds[1:], None)
    parts = zip(labels, bounds, uppers, figure.bands, shares(figure.bands, total=figure.people), strict=True)
    return tuple(Band(*part) for part in parts)


def _pressures(shown: Mapping[str, ShownFigure], *, window: Window, minimum: int) -> tuple[Block, ...]:
    readings = {name: shown[figure] for name, figure in PRESSURE_SHARES.items()}
    if all(isinstance(one.mean, Absence) for one in readings.values()):
        return ()
    if window.days < _A_WEEK:
        reason = (
            f"People are not put into categories here: that of a mean needs {_GATE_OF_PRESSURES}, so a week or"
            " longer. The table says how their readings lie."
        )
        return Text((reason,)), _readings_table(readings)
    category = shown[CATEGORY]
    if shown[HIGH_SHARE].people == 0:
        reason = (
            f"Nobody has {_GATE_OF_PRESSURES}, which a category of a person's mean needs. The table says how their"
            " readings lie."
        )
        return Text((reason,)), _readings_table(readings)
    if isinstance(category.people, Absence) or not any(
        not isinstance(count, Absence) for count in category.bands
    ):
        reason = f"The categories of people are not shown: too many of them hold fewer than {minimum} people."
        return Text((reason,)), _readings_table(readings)
    if category.people == 1:  # personal: it stands among the figures' bands
        return (_readings_table(readings),)
    bands = labelled(category, BAND_LABELS[CATEGORY])
    return _category_chart(category, bands, minimum=minimum), _category_table(bands, readings)


def _category_chart(category: ShownFigure, bands: tuple[Band, ...], *, minimum: int) -> BandChart:
    told = "; ".join(f"{band.label}: {share_text(band.share)}" for band in bands)
    note = f"Insufficient: fewer than {_GATE_OF_PRESSURES}."
    if any(isinstance(band.people, Absence) for band in bands):
        note += (
            f" Not shown: categories of fewer than {minimum} people, and others from which such a number could be"
            " worked out."
        )
    return BandChart(
        chart_id="categories-blood-pressure",
        title="People by category of their mean blood pressure",
        description=f"Share of people by the category of their mean in the period. {told}.",
        figure=category.figure,
        unit="",
        bands=bands,
        note=note,
    )


def _category_table(bands: tuple[Band, ...], readings: Mapping[str, ShownFigure]) -> DataTable:
    rows: list[tuple[Cell, ...]] = []
    for name, band in zip(CATEGORIES[CATEGORY], bands, strict=True):
        of_readings = readings[name].mean if name in readings else ""
        rows.append((band.label, _PRESSURES[name], band.people, band.share, of_readings))
    columns = (
        TableColumn("Category"),
        TableColumn("mmHg"),
        TableColumn("People", is_numeric=True),
        TableColumn("Share of people", is_numeric=True, figure=HIGH_SHARE),
        TableColumn("Share of readings", is_numeric=True, figure=HIGH_SHARE),
    )
    return DataTable("blood-pressure-categories", _TABLE_TITLE, columns, tuple(rows), note=_TABLE_NOTE)


_TABLE_TITLE = "Categories of blood pressure"
_TABLE_NOTE = (
    "AHA/ACC 2017, for adults; systolic and diastolic, the higher of both categories counts. Share of readings: the mean"
    " over people of the share of their own readings; each is rounded, so that they need not add up to 100."
)


def _readings_table(readings: Mapping[str, ShownFigure]) -> DataTable:
    labels = dict(zip(CATEGORIES[CATEGORY], BAND_LABELS[CATEGORY], strict=True))
    columns = (
        TableColumn("Category"),
        TableColumn("mmHg"),
        TableColumn("Share of readings", is_numeric=True, figure=HIGH_SHARE),
    )
    rows = tuple((labels[name], _PRESSURES[name], one.mean) for name, one in readings.items())
    return DataTable("blood-pressure-categories", _TABLE_TITLE, columns, rows, note=_TABLE_NOTE)


def _activity(shown: Mapping[str, ShownFigure], *, window: Window) -> tuple[Block, ...]:
    observed, judged = shown["avg_exercise_minutes_per_day"].people, shown[MINUTES].people
    if observed == 0:
        return ()
    if window.days < _A_WEEK:
        text = (
            f"Activity is not held against the guideline here: it is {_LOW}–{_HIGH} minutes a week, and a period shorter"
            " than a week has no week's activity."
        )
        return (Text((text,)),)
    text = (
        f"WHO 2020, for adults: {_LOW}–{_HIGH} minutes of moderate activity a week, vigorous minutes counted twice."
        f" {_judged(judged, observed, 'recorded activity')} on at least {LEAST_ACTIVE_DAYS_A_WEEK} days a week."
    )
    if judged != 0:
        text += " The mean of a person's observed days stands for the days that are missing."
    return (Text((text,)),)


def _steps(shown: Mapping[str, ShownFigure], *, window: Window) -> tuple[Block, ...]:
    observed = shown[DAYS_WITH_STEPS].people
    if observed == 0 or window.days < _A_WEEK:
        return ()
    return (
        Text(
            (
                f"{_judged(shown[STEPS].people, observed, 'steps')} on {STEP_DAYS.at(window.days)} days or more.",
            )
        ),
    )


def _judged(people: Count, observed: Count, what: str) -> str:
    """Who is counted: the beginning of a sentence that ends with the gate."""
    if isinstance(people, Absence) or isinstance(observed, Absence):
        return f"Counted are people with {what}"
    if people == 0:
        return f"Of {people_text(observed)} nobody has {what}"
    verb = "was" if people == 1 else "were"
    return f"Counted {verb} the {people_text(people)} of {count_text(observed)} with {what}"
