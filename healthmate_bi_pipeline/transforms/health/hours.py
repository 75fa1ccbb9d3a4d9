"""Raw readings, activity and symptoms → the health state of wall-clock hours.

Where several sources measured the same thing, one counts and none are added: for point readings per metric
and minute, for activity per measure and hour; the best rank wins, then the better coverage, then the name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.families import HEALTH, state_table
from healthmate_bi_pipeline.catalog.lake_tables import ACTIVITY_VALUES
from healthmate_bi_pipeline.catalog.measures import (
    COMPONENTS,
    READING_MEASURES,
    SOURCE,
    SYMPTOM,
)
from healthmate_bi_pipeline.domain.period import Grain
from healthmate_bi_pipeline.transforms.columns import IBIS_TYPES, union_all
from healthmate_bi_pipeline.transforms.health.categories import category_states
from healthmate_bi_pipeline.transforms.health.choosing import of_one_source_a_minute
from healthmate_bi_pipeline.transforms.raw import cut_at_hours
from healthmate_bi_pipeline.transforms.state import (
    COMPONENT_NAMES,
    merge_states,
    shaped_as_state,
    single_values,
    value_components,
)

_SLOT = ("user_id", "day", "hour")
_LOGS = "symptoms"
_READING_SLOT = ["user_id", "metric", "day", "hour"]
_ORDERED = tuple(measure.name for measure in READING_MEASURES if measure.keeps_order)


@dataclass(frozen=True)
class RawHours:
    """The raw rows that hours are made from.

    Attributes:
        readings: rows of ``raw/health_readings``.
        activity: rows of ``raw/activity_intervals``.
        symptoms: rows of ``raw/symptom_logs``.
    """

    readings: ir.Table
    activity: ir.Table
    symptoms: ir.Table


def hour_states(raw: RawHours, slots: ir.Table, crowded: ir.Table | None, ranks: ir.Table) -> ir.Table:
    """The health state of hours.

    Args:
        raw: the raw rows of the hours.
        slots: ``reading_slots`` of the readings.
        crowded: ``crowded_states``; ``None`` when one source made every slot.
        ranks: ``source`` and ``source_rank`` for every source that occurs.

    Returns:
        Rows of ``state_table(HEALTH, Grain.HOUR)``.
    """
    table = state_table(HEALTH, Grain.HOUR)
    without_item = ibis.literal("")
    alone = slots.filter(slots.source == slots.last_source).join(ranks, "source").rename(measure="metric")
    contested = None if crowded is None else slots.filter(slots.source != slots.last_source)
    moved = activity_states(raw.activity, ranks)
    felt = symptom_states(raw.symptoms, ranks)
    key = [*_SLOT, "measure", "item"]
    parts = [
        *(shaped_as_state(rows.mutate(item=without_item), table) for rows in (alone, moved)),
        shaped_as_state(merge_states(_with_components(felt), key), table),
        shaped_as_state(category_states(raw.readings, ranks, crowded=contested), table),
    ]
    used = [alone, moved, felt.filter(felt.measure == _LOGS)]
    if crowded is not None:
        merged = merge_states(_with_components(crowded.mutate(item=without_item)), key)
        parts.append(shaped_as_state(merged, table))
        used.append(crowded)
    rows = union_all(part.select(*_SLOT, "source", "n") for part in used)
    sources = rows.group_by([*_SLOT, "source"]).agg(n=rows.n.sum()).mutate(measure=ibis.literal(SOURCE.name))
    return union_all([*parts, shaped_as_state(sources.rename(item="source"), table)])


def symptom_states(symptoms: ir.Table, ranks: ir.Table) -> ir.Table:
    """States of symptom logs per person, day, hour and source: each symptom, all of them, and their severity."""
    hourly = symptoms.mutate(hour=symptoms.local_recorded_at.hour().cast("int64")).join(ranks, "source")
    by = [*_SLOT, "source", "source_rank"]
    logs = hourly.group_by([*by, "symptom"]).agg(n=hourly.count()).rename(item="symptom")
    severe = hourly.filter(hourly.severity.notnull())
    severity = severe.group_by(by).agg(**value_components(severe.severity))
    parts = (
        logs.mutate(measure=ibis.literal(SYMPTOM.name)),
        logs.group_by(by).agg(n=logs.n.sum()).mutate(measure=ibis.literal(_LOGS), item=ibis.literal("")),
        severity.mutate(measure=ibis.literal("symptom_severity"), item=ibis.literal("")),
    )
    return union_all(
        _with_components(part).select(*by, "measure", "item", *COMPONENT_NAMES[:-1]) for part in parts
    )


def _with_components(rows: ir.Table) -> ir.Table:
    """The rows with every component; what they do not keep is null."""
    missing = [component for component in COMPONENTS if component.column.name not in rows.columns]
    return rows.mutate(
        **{part.column.name: ibis.null(IBIS_TYPES[part.column.type]) for part in missing},
    )


def reading_slots(readings: ir.Table, *, is_ordered: bool) -> ir.Table:
    """States of point readings per person, measure, day and hour, whatever their source.

    Of the measures that keep an order, or of the others: finding first and last values costs as much as all the
    rest, and few readings need it.

    Returns:
        The state of each slot, ``source`` and ``last_source``: the first and the last by name, which are the
        same where one source made the slot. Nearly every slot is like that; the others are not to be used.
    """
    keeps_order = readings.metric.isin(_ORDERED)
    hourly = _hourly(readings.filter(keeps_order if is_ordered else ~keeps_order))
    more = {"source": hourly.source.min(), "last_source": hourly.source.max()}
    return _aggregated(hourly, _READING_SLOT, more, is_ordered=is_ordered)


def crowded_states(readings: ir.Table, slots: ir.Table, ranks: ir.Table) -> ir.Table:
    """States of the readings that count in slots that several sources made, per source."""
    crowded = slots.filter(slots.source != slots.last_source)
    counted = of_one_source_a_minute(_hourly(readings).semi_join(crowded, _READING_SLOT), ranks)
    states = _aggregated(counted, [*_READING_SLOT, "source"], {}, is_ordered=True)
    return states.join(ranks, "source").rename(measure="metric")


def _hourly(readings: ir.Table) -> ir.Table:
    return readings.mutate(hour=readings.local_recorded_at.hour().cast("int64"))


def _aggregated(readings: ir.Table, by: list[str], more: dict[str, Any], *, is_ordered: bool) -> ir.Table:
    value: Any = readings.value
    order = _order_key(readings)
    text, number = ibis.null("string"), ibis.null("float64")
    is_known = order.notnull()
    return readings.group_by(by).agg(
        **value_components(value),
        first_key=order.min() if is_ordered else text,
        first_value=value.argmin(order, where=is_known) if is_ordered else number,
        last_key=order.max() if is_ordered else text,
        last_value=value.argmax(order, where=is_known) if is_ordered else number,
        implausible=readings.is_implausible.cast("int64").sum().cast("int64"),
        **more,
    )


def _order_key(readings: ir.Table) -> Any:
    """The readings' order in time, by their keys where times are equal. Null where no order is kept.

    Not by file and row: their numbers differ from one way of reading the same files to another.
    """
    parts = [readings.recorded_at.cast("string"), readings.source, readings.reading_id.fill_null("")]
    key = ibis.literal("|").join(parts)
    return readings.metric.isin(_ORDERED).ifelse(key, ibis.null("string"))


def activity_states(activity: ir.Table, ranks: ir.Table) -> ir.Table:
    """States of activity per person, measure, day and hour, from the source that counts there."""
    pieces = cut_at_hours(activity.filter(~activity.is_daily_total))
    covered = pieces.local_ended_at.delta(pieces.local_started_at, unit="second")
    per_source = pieces.group_by([*_SLOT, "source"]).agg(
        coverage=covered.sum(), **{name: pieces[name].sum() for name in ACTIVITY_VALUES}
    )
    long = long_activity(per_source.join(ranks, "source"))
    order = ibis.window(
        group_by=[*_SLOT, "measure"],
        order_by=["source_rank", ibis.desc("coverage"), "source"],
    )
    chosen = long.mutate(place=ibis.row_number().over(order)).filter(ibis._.place == 0)
    return single_values(chosen)


def long_activity(wide: ir.Table) -> ir.Table:
    """Activity values as one row per measure, ``exercise_minutes`` among them."""
    exercise = wide.moderate_minutes.fill_null(0) + wide.vigorous_minutes.fill_null(0)
    has_exercise = wide.moderate_minutes.notnull() | wide.vigorous_minutes.notnull()
    wide = wide.mutate(exercise_minutes=has_exercise.ifelse(exercise, ibis.null()))
    names = [*ACTIVITY_VALUES, "exercise_minutes"]
    exact = wide.mutate(**{name: wide[name].cast("decimal(38, 6)") for name in names})
    long = exact.pivot_longer(names, names_to="measure", values_to="value")
    return long.filter(long.value.notnull())
