"""The health state of days and months.

A day is the merge of its hours and of what exists only per day: sleep, resting heart rate, a device's own
total of the day. A month is the merge of its days.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.lake_tables import ACTIVITY_VALUES
from healthmate_bi_pipeline.catalog.measures import RESTING_HEART_RATE, SLEEP_MEASURES, SOURCE, state_table
from healthmate_bi_pipeline.domain.period import Grain
from healthmate_bi_pipeline.transforms.columns import EXACT
from healthmate_bi_pipeline.transforms.health.hours import (
    long_activity,
    of_one_source_a_minute,
    single_values,
)
from healthmate_bi_pipeline.transforms.state import merge_states, shaped_as_state

_KEY = ("user_id", "measure", "item", "day")
_SLOT_MINUTES = 5
_SLOTS = 6  # six slots of five minutes are the half hour of the definition


def day_states(
    hours: ir.Table, readings: ir.Table, activity: ir.Table, sleep: ir.Table, ranks: ir.Table
) -> ir.Table:
    """The health state of days.

    Args:
        hours: the state of the days' hours.
        readings: rows of ``raw/health_readings`` of the same days.
        activity: rows of ``raw/activity_intervals``.
        sleep: rows of ``raw/sleep_sessions``.
        ranks: ``source`` and ``source_rank`` for every source that occurs.

    Returns:
        Rows of ``state_table("health", Grain.DAY)``; each has ``days`` 1.
    """
    table = state_table("health", Grain.DAY)
    of_hours = shaped_as_state(merge_states(hours, _KEY), table)
    totals = _with_item(daily_totals(activity, ranks))
    nights = sleep_values(sleep, ranks)
    # A device's own total stands in for the sum of the hours, unless better sources made the hours.
    best = of_hours.select("user_id", "measure", "day", hours_rank="source_rank")
    weighed = totals.left_join(best, ["user_id", "measure", "day"])
    counted = weighed.filter(weighed.hours_rank.isnull() | (weighed.source_rank <= weighed.hours_rank))
    counted_totals = shaped_as_state(counted.select(*totals.columns), table)
    kept_hours = of_hours.anti_join(counted_totals, ["user_id", "measure", "day"])
    natives = ibis.union(
        counted_totals,
        shaped_as_state(_with_item(nights), table),
        shaped_as_state(_with_item(resting_heart_rates(readings, ranks)), table),
    )
    used = counted.select("user_id", "source", "day").union(nights.select("user_id", "source", "day"))
    sources = used.group_by(["user_id", "source", "day"]).agg(n=used.count())
    named = shaped_as_state(sources.mutate(measure=ibis.literal(SOURCE.name)).rename(item="source"), table)
    merged = merge_states(ibis.union(kept_hours, natives, named), _KEY)
    return shaped_as_state(merged.mutate(days=ibis.literal(1, type="int64")), table)


def month_states(days: ir.Table) -> ir.Table:
    """The health state of months: the merge of their days."""
    table = state_table("health", Grain.MONTH)
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


def sleep_values(sleep: ir.Table, ranks: ir.Table) -> ir.Table:
    """Nights and naps per person and wake date, from the source that counts: the best rank, then the longer."""
    has_both = sleep.in_bed_minutes.notnull()
    asleep = sleep.asleep_minutes.cast(EXACT)
    per_source = sleep.group_by(["user_id", "source", "day", "is_nap"]).agg(
        asleep=asleep.sum(),
        timed=asleep.sum(where=has_both),
        in_bed=sleep.in_bed_minutes.cast(EXACT).sum(where=has_both),
    )
    order = ibis.window(
        group_by=["user_id", "day", "is_nap"],
        order_by=["source_rank", ibis.desc("asleep"), "source"],
    )
    ranked = per_source.join(ranks, "source").mutate(place=ibis.row_number().over(order))
    chosen = ranked.filter(ranked.place == 0)
    exact = "decimal(18, 6)"
    night = ~chosen.is_nap
    nothing = ibis.null(exact)
    wide = chosen.mutate(
        sleep_minutes=night.ifelse(chosen.asleep.cast(exact), nothing),
        sleep_timed_minutes=night.ifelse(chosen.timed.cast(exact), nothing),
        in_bed_minutes=night.ifelse(chosen.in_bed.cast(exact), nothing),
        nap_minutes=chosen.is_nap.ifelse(chosen.asleep.cast(exact), nothing),
    )
    names = [measure.name for measure in SLEEP_MEASURES]
    long = wide.pivot_longer(names, names_to="measure", values_to="value")
    return single_values(long.filter(long.value.notnull()))


def resting_heart_rates(readings: ir.Table, ranks: ir.Table) -> ir.Table:
    """Per person and day the lowest 30-minute mean of heart rate between 03:00 and 07:00 wall-clock time.

    The half hours start every five minutes; one counts when each of its six five-minute slots has a reading.
    Own definition, after Speed 2023, PLOS Digital Health.
    """
    hour = readings.local_recorded_at.hour()
    early = readings.filter((readings.metric == "heart_rate") & (hour >= 3) & (hour < 7))
    day = ["user_id", "day"]
    sources = early.group_by(day).agg(sources=early.source.nunique()).filter(ibis._.sources > 1)
    alone, crowded = early.anti_join(sources, day), early.semi_join(sources, day)
    early = alone.union(of_one_source_a_minute(crowded, ranks))
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
