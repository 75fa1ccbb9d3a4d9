"""Nights and naps per person and wake date, and how regular the nights are."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.measures import SLEEP_AGREEMENT, SLEEP_MEASURES
from healthmate_bi_pipeline.transforms.columns import EXACT
from healthmate_bi_pipeline.transforms.state import single_values

DAYS_BEFORE = 1
"""How many days before its own the regularity of a day looks at."""

_DAY_SECONDS = 86_400


def counted_nights(sleep: ir.Table, ranks: ir.Table) -> ir.Table:
    """Nights and naps, from the source that counts: the best rank, then the longer, then the name."""
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
    return ranked.filter(ranked.place == 0).drop("place")


def sleep_values(nights: ir.Table) -> ir.Table:
    """The minutes of ``counted_nights`` as states per person and wake date."""
    night = ~nights.is_nap
    nothing = ibis.null(EXACT)
    wide = nights.mutate(
        sleep_minutes=night.ifelse(nights.asleep.cast(EXACT), nothing),
        sleep_timed_minutes=night.ifelse(nights.timed.cast(EXACT), nothing),
        in_bed_minutes=night.ifelse(nights.in_bed.cast(EXACT), nothing),
        nap_minutes=nights.is_nap.ifelse(nights.asleep.cast(EXACT), nothing),
    )
    names = [measure.name for measure in SLEEP_MEASURES]
    long = wide.pivot_longer(names, names_to="measure", values_to="value")
    return single_values(long.filter(long.value.notnull()))


def sleep_agreement(sleep: ir.Table, nights: ir.Table, *, first_day: date) -> ir.Table:
    """Per person and wake date the minutes in which sleep or waking was as 24 hours before.

    The day of a night runs from noon to noon around its wake date; only nights whose start and end are known
    count, and only where the night before is known too (Phillips 2017, with epochs of any length). In
    wall-clock time, so that a clock change moves nobody's habits.

    Args:
        sleep: rows of ``raw/sleep_sessions``, of ``DAYS_BEFORE`` the first day too.
        nights: ``counted_nights`` of them.
        first_day: the first day that is wanted.
    """
    counted = nights.filter(~nights.is_nap)
    timed = sleep.filter(~sleep.is_nap & sleep.local_started_at.notnull() & sleep.local_ended_at.notnull())
    timed = timed.semi_join(counted, ["user_id", "source", "day"])
    noon = timed.day.cast("timestamp(6)") - ibis.interval(hours=12)
    pieces = timed.select(
        "user_id",
        "day",
        start=_within_day(timed.local_started_at.delta(noon, unit="second")),
        end=_within_day(timed.local_ended_at.delta(noon, unit="second")),
    )
    key = ["user_id", "day"]
    lengths = pieces.group_by(key).agg(length=(pieces.end - pieces.start).sum())
    before = _a_day_later(pieces.rename(start_before="start", end_before="end"))
    both = pieces.join(before, key)
    shared = ibis.least(both.end, both.end_before) - ibis.greatest(both.start, both.start_before)
    overlap = both.group_by(key).agg(shared=ibis.greatest(shared, 0).sum())
    pairs = overlap.join(lengths, key).join(_a_day_later(lengths.rename(length_before="length")), key)
    pairs = pairs.filter(pairs.day >= ibis.literal(first_day))
    agreeing = _within_day(_DAY_SECONDS - (pairs.length + pairs.length_before - 2 * pairs.shared))
    minutes = (agreeing.cast("float64") / 60).cast(EXACT)
    return single_values(
        pairs.select("user_id", "day", measure=ibis.literal(SLEEP_AGREEMENT.name), value=minutes)
    )


def _within_day(seconds: Any) -> Any:
    return ibis.greatest(ibis.least(seconds, _DAY_SECONDS), 0)


def _a_day_later(rows: ir.Table) -> ir.Table:
    return rows.mutate(day=(rows.day + ibis.interval(days=1)).cast("date"))
