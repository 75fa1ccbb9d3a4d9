"""The health state of days and months.

A day is the merge of its hours and of what exists only per day: sleep, doses, resting heart rate, a device's
own total of the day. A month is the merge of its days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.families import HEALTH, state_table
from healthmate_bi_pipeline.catalog.lake_tables import ACTIVITY_VALUES
from healthmate_bi_pipeline.catalog.measures import RESTING_HEART_RATE, SOURCE
from healthmate_bi_pipeline.domain.period import Grain
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.health.choosing import counted_readings, crowded_slots
from healthmate_bi_pipeline.transforms.health.hours import long_activity
from healthmate_bi_pipeline.transforms.health.medication import dose_states
from healthmate_bi_pipeline.transforms.health.sleep import counted_nights, sleep_agreement, sleep_values
from healthmate_bi_pipeline.transforms.state import merge_states, shaped_as_state, single_values

_KEY = ("user_id", "measure", "item", "day")
_SLOT_MINUTES = 5
_SLOTS = 6  # six slots of five minutes are the half hour of the definition


@dataclass(frozen=True)
class RawDays:
    """The raw rows of some days.

    Attributes:
        readings: rows of ``raw/health_readings``.
        activity: rows of ``raw/activity_intervals``.
        sleep: rows of ``raw/sleep_sessions``, of the day before the first one too.
        doses: rows of ``raw/medication_doses``.
        first_day: the first of the days.
    """

    readings: ir.Table
    activity: ir.Table
    sleep: ir.Table
    doses: ir.Table
    first_day: date


def day_states(hours: ir.Table, raw: RawDays, ranks: ir.Table) -> ir.Table:
    """The health state of days.

    Args:
        hours: the state of the days' hours.
        raw: the raw rows of the same days.
        ranks: ``source`` and ``source_rank`` for every source that occurs.

    Returns:
        Rows of ``state_table(HEALTH, Grain.DAY)``; each has ``days`` 1.
    """
    table = state_table(HEALTH, Grain.DAY)
    of_hours = shaped_as_state(merge_states(hours, _KEY), table)
    counted = _counted_totals(daily_totals(raw.activity, ranks), of_hours)
    counted_totals = shaped_as_state(_with_item(counted), table)
    kept_hours = of_hours.anti_join(counted_totals, ["user_id", "measure", "day"])
    nights = counted_nights(raw.sleep, ranks)
    slept = sleep_values(nights.filter(nights.day >= ibis.literal(raw.first_day)))
    taken = dose_states(raw.doses, ranks)
    natives = (
        slept,
        sleep_agreement(raw.sleep, nights, first_day=raw.first_day),
        resting_heart_rates(raw.readings, ranks),
    )
    used = union_all(part.select("user_id", "source", "day") for part in (counted, slept, taken))
    sources = used.group_by(["user_id", "source", "day"]).agg(n=used.count())
    parts = (
        kept_hours,
        counted_totals,
        *(shaped_as_state(_with_item(part), table) for part in natives),
        shaped_as_state(merge_states(shaped_as_state(taken, table), _KEY), table),
        shaped_as_state(sources.mutate(measure=ibis.literal(SOURCE.name)).rename(item="source"), table),
    )
    merged = merge_states(union_all(parts), _KEY)
    return shaped_as_state(merged.mutate(days=ibis.literal(1, type="int64"), first_day=merged.day), table)


def _counted_totals(totals: ir.Table, of_hours: ir.Table) -> ir.Table:
    """The devices' own totals that stand in for the sum of the hours: unless better sources made the hours."""
    best = of_hours.select("user_id", "measure", "day", hours_rank="source_rank")
    weighed = totals.left_join(best, ["user_id", "measure", "day"])
    counted = weighed.filter(weighed.hours_rank.isnull() | (weighed.source_rank <= weighed.hours_rank))
    return counted.select(*totals.columns)


def month_states(days: ir.Table) -> ir.Table:
    """The health state of months: the merge of their days."""
    table = state_table(HEALTH, Grain.MONTH)
    dated = days.mutate(month=days.day.truncate("M")).drop("day")
    return shaped_as_state(merge_states(dated, ("user_id", "measure", "item", "month")), table)


def daily_totals(activity: ir.Table, ranks: ir.Table) -> ir.Table:
    """Devices' own totals of a day: of each measure the best-ranked one; of equal rank the larger."""
    totals = activity.filter(activity.is_daily_total)
    # Two totals of one device and day are two states of one count: the last day of an export is partial.
    per_source = totals.group_by(["user_id", "source", "day"]).agg(
        **{name: totals[name].max() for name in ACTIVITY_VALUES}
    )
    long = long_activity(per_source.join(ranks, "source"))
    order = ibis.window(
        group_by=["user_id", "measure", "day"], order_by=["source_rank", ibis.desc("value"), "source"]
    )
    chosen = long.mutate(place=ibis.row_number().over(order)).filter(ibis._.place == 0)
    return single_values(chosen)


def resting_heart_rates(readings: ir.Table, ranks: ir.Table) -> ir.Table:
    """Per person and day the lowest 30-minute mean of heart rate between 03:00 and 07:00 wall-clock time.

    The half hours start every five minutes; one counts when each of its six five-minute slots has a reading.
    Own definition, after Speed 2023, PLOS Digital Health.
    """
    hour = readings.local_recorded_at.hour()
    early = readings.filter((readings.metric == "heart_rate") & (hour >= 3) & (hour < 7))
    day = ["user_id", "day"]
    early = counted_readings(early, ranks, crowded=crowded_slots(early, day), slot=day)
    minute = early.local_recorded_at.hour() * 60 + early.local_recorded_at.minute()
    slots = (
        early.mutate(slot=(minute // _SLOT_MINUTES).cast("int64"))
        .group_by(["user_id", "day", "slot"])
        .agg(n=ibis._.count(), total=ibis._.value.cast("decimal(18, 6)").sum())
    )
    ahead = ibis.window(group_by=["user_id", "day"], order_by="slot", preceding=0, following=_SLOTS - 1)
    halves = slots.mutate(
        last_slot=slots.slot.max().over(ahead),
        total_of_half=slots.total.sum().over(ahead),
        n_of_half=slots.n.sum().over(ahead),
        filled=slots.slot.count().over(ahead),
    )
    whole = halves.filter((halves.filled == _SLOTS) & (halves.last_slot == halves.slot + _SLOTS - 1))
    mean = whole.total_of_half.cast("float64") / whole.n_of_half
    lowest = whole.group_by(["user_id", "day"]).agg(value=mean.min().cast("decimal(18, 6)"))
    return single_values(lowest.mutate(measure=ibis.literal(RESTING_HEART_RATE.name)))


def _with_item(rows: ir.Table) -> ir.Table:
    return rows.mutate(item=ibis.literal(""))
