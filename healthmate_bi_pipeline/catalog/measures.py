"""What is kept as additive state, and how it adds up.

State is long: one row per person, measure, item and slot (an hour, a day or a month of wall-clock time), with
the same components for every measure. Two states of the same key are merged by the rule of each component, so
that any period is a merge of finer states and nothing averages averages (DESIGN, rule 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from healthmate_bi_pipeline.catalog.columns import Column, PrivacyClass, Table, Type
from healthmate_bi_pipeline.catalog.readings import METRICS
from healthmate_bi_pipeline.domain.period import Grain

STATE_VERSION = 1
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
    Component(Column("source_rank", Type.INTEGER, "Rank of the most trusted source used, 1 the highest."), Merge.LEAST),
)  # fmt: skip

STATE_KEY = ("user_id", "measure", "item")
"""Beside the slot. ``item`` tells the members of a set apart (a source, later a symptom or a page)."""


@dataclass(frozen=True)
class Measure:
    """Something that is counted or measured, and added up.

    Attributes:
        name: as it stands in the state.
        unit: of its values.
        native_grain: the finest slot that it exists in; it is null in anything shorter.
        description: what one value is.
        keeps_order: whether first and last value are kept.
    """

    name: str
    unit: str
    native_grain: Grain
    description: str
    keeps_order: bool = False


READING_MEASURES = tuple(
    Measure(
        metric.code, metric.unit, Grain.HOUR, f"A reading of {metric.label}.", keeps_order=metric.code in {"weight", "height"}
    )
    for metric in METRICS
)  # fmt: skip

ACTIVITY_MEASURES = (
    Measure("steps", "1", Grain.HOUR, "Steps of an hour, or a device's total of the day."),
    Measure("calories_kcal", "kcal", Grain.HOUR, "Energy burned in an hour, or a device's total of the day."),
    Measure("moderate_minutes", "min", Grain.HOUR, "Minutes of moderate activity."),
    Measure("vigorous_minutes", "min", Grain.HOUR, "Minutes of vigorous activity."),
    Measure("exercise_minutes", "min", Grain.HOUR, "Minutes of moderate or vigorous activity."),
    Measure("distance_m", "m", Grain.HOUR, "Distance covered."),
    Measure("intensity_points", "1", Grain.HOUR, "Sum of the intensity levels of the minutes."),
)

SLEEP_MEASURES = (
    Measure("sleep_minutes", "min", Grain.DAY, "Minutes asleep in the night that ended on the day."),
    Measure("sleep_timed_minutes", "min", Grain.DAY, "Minutes asleep in nights whose time in bed is known."),
    Measure("in_bed_minutes", "min", Grain.DAY, "Minutes in bed in nights whose time asleep is known."),
    Measure("nap_minutes", "min", Grain.DAY, "Minutes asleep in naps."),
)

RESTING_HEART_RATE = Measure(
    "resting_heart_rate",
    "bpm",
    Grain.DAY,
    "The day's lowest 30-minute mean of heart rate between 03:00 and 07:00.",
)

SOURCE = Measure("source", "1", Grain.HOUR, "Rows used of a source; the source is the item.")

HEALTH_MEASURES = (*READING_MEASURES, *ACTIVITY_MEASURES, *SLEEP_MEASURES, RESTING_HEART_RATE, SOURCE)


def state_table(family: str, grain: Grain) -> Table:
    """The lake's table of a family's state at a grain, partitioned by ``day`` or ``month``.

    The partition column is the wall-clock day (for months: their first day). The state of hours has the hour
    of the day beside it.
    """
    partition = Column(
        "month" if grain is Grain.MONTH else "day", Type.DATE, "Wall-clock day, or first day of the month.",
        is_nullable=False,
    )  # fmt: skip
    hour = (Column("hour", Type.INTEGER, "Wall-clock hour of the day.", is_nullable=False),)
    return Table(
        name=f"state/{family}_{grain}s",
        description=f"Additive state of the {family} family, one row per person, measure, item and {grain}.",
        columns=(
            Column("user_id", Type.INTEGER, "The person.", is_nullable=False),
            Column("measure", Type.TEXT, "What was measured.", is_nullable=False),
            Column("item", Type.TEXT, "Which one of a set; empty where there is none.", is_nullable=False),
            *(hour if grain is Grain.HOUR else ()),
            *(component.column for component in COMPONENTS),
            partition,
        ),
        key=(*STATE_KEY, *(("hour",) if grain is Grain.HOUR else ()), partition.name),
        privacy=PrivacyClass.IDENTIFIED,
    )
