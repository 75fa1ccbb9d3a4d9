"""What is kept as additive state, and how it adds up.

State is long: one row per person, measure, item and slot (an hour, a day or a month of wall-clock time), with
the same components for every measure; ``item`` tells the members of a set apart: a source, a symptom, a page.
Two states of the same key are merged by the rule of each component, so that any period is a merge of finer
states and nothing averages averages (DESIGN, rule 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from healthmate_bi_pipeline.catalog.columns import Column, Type
from healthmate_bi_pipeline.catalog.readings import METRICS
from healthmate_bi_pipeline.domain.period import Grain

STATE_VERSION = 2
"""Raised when the meaning of any state changes; every state is then stale."""


class Merge(StrEnum):
    """How a component of two states becomes that of both."""

    SUM = "sum"
    LEAST = "least"
    GREATEST = "greatest"
    OF_FIRST = "of the smaller first_key"
    OF_LAST = "of the larger last_key"


@dataclass(frozen=True)
class Component:
    """A column of the state and its rule of merging."""

    column: Column
    merge: Merge


COMPONENTS: tuple[Component, ...] = (
    Component(Column("n", Type.INTEGER, "Values."), Merge.SUM),
    Component(Column("total", Type.EXACT, "Sum of the values."), Merge.SUM),
    Component(Column("total_squared", Type.EXACT, "Sum of the squared values."), Merge.SUM),
    Component(Column("low", Type.NUMBER, "Smallest value."), Merge.LEAST),
    Component(Column("high", Type.NUMBER, "Largest value."), Merge.GREATEST),
    Component(Column("first_key", Type.TEXT, "Instant, source and id of the first value, where order matters."), Merge.LEAST),
    Component(Column("first_value", Type.NUMBER, "The value then."), Merge.OF_FIRST),
    Component(Column("last_key", Type.TEXT, "Instant, source and id of the last value, where order matters."), Merge.GREATEST),
    Component(Column("last_value", Type.NUMBER, "The value then."), Merge.OF_LAST),
    Component(Column("implausible", Type.INTEGER, "Values outside the soft limits."), Merge.SUM),
    Component(Column("days", Type.INTEGER, "Days with a value; from the grain of a day up."), Merge.SUM),
    Component(Column("first_day", Type.DATE, "The first day with a value; from the grain of a day up."), Merge.LEAST),
    Component(Column("source_rank", Type.INTEGER, "Rank of the most trusted source used, 1 the highest."), Merge.LEAST),
)  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """Something that is counted or measured, and added up.

    Attributes:
        name: as it stands in the state.
        unit: of its values.
        native_grain: the finest slot that it exists in; it is null in anything shorter.
        description: what one value is.
        keeps_order: whether first and last value are kept.
        is_daily: a person who measures it at all is expected to have a value on every day.
        has_items: its values are counted per member of a set, which ``item`` names.
    """

    name: str
    unit: str
    native_grain: Grain
    description: str
    keeps_order: bool = False
    is_daily: bool = False
    has_items: bool = False


_DAILY_READINGS = frozenset(
    {
        "blood_pressure_systolic", "heart_rate", "weight", "blood_glucose", "body_temperature", "oxygen_saturation",
    }
)  # fmt: skip

READING_MEASURES = tuple(
    Measure(
        metric.code, metric.unit, Grain.HOUR, f"A reading of {metric.label}.",
        keeps_order=metric.code in {"weight", "height"}, is_daily=metric.code in _DAILY_READINGS,
    )
    for metric in METRICS
)  # fmt: skip

BLOOD_PRESSURE_CATEGORY = Measure(
    "blood_pressure_category", "1", Grain.HOUR,
    "Blood pressures (a systolic and a diastolic reading taken together) per category.", has_items=True,
)  # fmt: skip

FASTING_GLUCOSE = Measure("fasting_glucose", "mg/dL", Grain.HOUR, "A glucose reading that was taken fasting.")
CGM_GLUCOSE = Measure("cgm_glucose", "mg/dL", Grain.HOUR, "A glucose value of a continuous monitor.")
GLUCOSE_BAND = Measure(
    "glucose_band",
    "1",
    Grain.HOUR,
    "Glucose readings per band, those of continuous monitors apart.",
    has_items=True,
)
CGM_BAND = Measure(
    "cgm_band", "1", Grain.HOUR, "Glucose values of continuous monitors per band.", has_items=True
)

CATEGORY_MEASURES = (BLOOD_PRESSURE_CATEGORY, FASTING_GLUCOSE, CGM_GLUCOSE, GLUCOSE_BAND, CGM_BAND)

SYMPTOM = Measure("symptom", "1", Grain.HOUR, "Logs per symptom.", has_items=True)
SYMPTOM_MEASURES = (
    SYMPTOM,
    Measure("symptoms", "1", Grain.HOUR, "Logs of any symptom."),
    Measure("symptom_severity", "1", Grain.HOUR, "The severity of a log that has one, 0 to 10."),
)

ACTIVITY_MEASURES = (
    Measure("steps", "1", Grain.HOUR, "Steps of an hour, or a device's total of the day.", is_daily=True),
    Measure("calories_kcal", "kcal", Grain.HOUR, "Energy burned in an hour, or a device's total of the day."),
    Measure("moderate_minutes", "min", Grain.HOUR, "Minutes of moderate activity."),
    Measure("vigorous_minutes", "min", Grain.HOUR, "Minutes of vigorous activity."),
    Measure("exercise_minutes", "min", Grain.HOUR, "Minutes of moderate or vigorous activity."),
    Measure("distance_m", "m", Grain.HOUR, "Distance covered."),
    Measure("intensity_points", "1", Grain.HOUR, "Sum of the intensity levels of the minutes."),
)

SLEEP_MEASURES = (
    Measure(
        "sleep_minutes", "min", Grain.DAY, "Minutes asleep in the night that ended on the day.", is_daily=True
    ),
    Measure("sleep_timed_minutes", "min", Grain.DAY, "Minutes asleep in nights whose time in bed is known."),
    Measure("in_bed_minutes", "min", Grain.DAY, "Minutes in bed in nights whose time asleep is known."),
    Measure("nap_minutes", "min", Grain.DAY, "Minutes asleep in naps."),
)

SLEEP_AGREEMENT = Measure(
    "sleep_agreement", "min", Grain.DAY,
    "Minutes, of the 1,440 from noon to noon, in which sleep or waking was as 24 hours before.",
)  # fmt: skip

DOSE_MEASURES = (
    Measure(
        "doses_scheduled", "1", Grain.DAY, "Scheduled doses of the day, as-needed drugs apart.", is_daily=True
    ),
    Measure("doses_taken", "1", Grain.DAY, "Scheduled doses that were taken; each counts once."),
    Measure("doses_skipped", "1", Grain.DAY, "Scheduled doses that were logged as skipped."),
    Measure("doses_unlogged", "1", Grain.DAY, "Scheduled doses of which nothing was logged."),
    Measure("doses_extra", "1", Grain.DAY, "Doses taken beside the schedule, or a second time."),
    Measure("doses_as_needed", "1", Grain.DAY, "Doses of as-needed drugs that were taken."),
)

MEDICATION_FILL = Measure(
    "medication_fill", "d", Grain.DAY,
    "Days of supply that were dispensed; the item is class, drug and day.", has_items=True,
)  # fmt: skip

RESTING_HEART_RATE = Measure(
    "resting_heart_rate",
    "bpm",
    Grain.DAY,
    "The day's lowest 30-minute mean of heart rate between 03:00 and 07:00.",
)

SOURCE = Measure("source", "1", Grain.HOUR, "Rows used of a source; the source is the item.", has_items=True)

HEALTH_MEASURES = (
    *READING_MEASURES,
    *CATEGORY_MEASURES,
    *SYMPTOM_MEASURES,
    *ACTIVITY_MEASURES,
    *SLEEP_MEASURES,
    SLEEP_AGREEMENT,
    *DOSE_MEASURES,
    MEDICATION_FILL,
    RESTING_HEART_RATE,
    SOURCE,
)

DAILY_MEASURES = tuple(measure for measure in HEALTH_MEASURES if measure.is_daily)
"""The measures that completeness of data is counted by: one slot a day each."""
