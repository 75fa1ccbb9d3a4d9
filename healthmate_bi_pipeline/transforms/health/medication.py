"""Doses and refills: the three outcomes of scheduled doses, and the proportion of days covered."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.measures import DOSE_MEASURES, MEDICATION_FILL
from healthmate_bi_pipeline.transforms.columns import EXACT
from healthmate_bi_pipeline.transforms.state import single_values

_SEPARATOR = "\x1f"
"""Between class, drug and day in the item of a refill: a control character, which names do not hold."""


def dose_states(doses: ir.Table, ranks: ir.Table) -> ir.Table:
    """States of doses and refills per person and day, one row per measure and item.

    A scheduled dose is a drug and a time; it counts once, as taken when any of its rows says so, else as
    skipped when one does, else as unlogged. What is taken a second time or beside the schedule is an extra
    dose, and as-needed drugs are counted apart. So no day exceeds what was scheduled.

    Args:
        doses: rows of ``raw/medication_doses``.
        ranks: ``source`` and ``source_rank``.
    """
    ranked = doses.join(ranks, "source")
    is_fill = ranked.status == "filled"
    return single_values(_doses(ranked.filter(~is_fill)).union(_fills(ranked.filter(is_fill))))


def _doses(doses: ir.Table) -> ir.Table:
    """The numbers of a day's doses: user_id, day, source, source_rank, measure, value, item."""
    is_of_schedule = doses.scheduled_at.notnull() & ~doses.is_as_needed
    scheduled = doses.filter(is_of_schedule)
    slots = scheduled.group_by(["user_id", "day", "medication", "scheduled_at"]).agg(
        taken=(scheduled.status == "taken").sum(),
        skipped=(scheduled.status == "skipped").sum(),
        **_best_source(scheduled),
    )
    beside = doses.filter(~is_of_schedule & (doses.status == "taken"))
    is_taken, is_skipped = slots.taken > 0, (slots.taken == 0) & (slots.skipped > 0)
    names = [measure.name for measure in DOSE_MEASURES]
    place = ("user_id", "day", "source", "source_rank")
    counted = slots.select(
        *place,
        **_counts(
            names,
            doses_scheduled=ibis.literal(1),
            doses_taken=is_taken,
            doses_skipped=is_skipped,
            doses_unlogged=~is_taken & ~is_skipped,
            doses_extra=ibis.greatest(slots.taken - 1, 0),
        ),
    ).union(
        beside.select(
            *place, **_counts(names, doses_extra=~beside.is_as_needed, doses_as_needed=beside.is_as_needed)
        )
    )
    # One value a day from all sources: an app and a dispenser share the work, neither stands in for the other.
    per_day = counted.group_by(["user_id", "day"]).agg(
        **_best_source(counted), **{name: counted[name].sum().cast(EXACT) for name in names}
    )
    long = per_day.pivot_longer(names, names_to="measure", values_to="value")
    return long.mutate(item=ibis.literal(""))


def _counts(names: list[str], **given: Any) -> dict[str, Any]:
    return {name: given.get(name, ibis.literal(0)).cast("int64") for name in names}


def _best_source(rows: ir.Table) -> dict[str, Any]:
    order = [rows.source_rank, rows.source]
    return {"source": rows.source.first(order_by=order), "source_rank": rows.source_rank.min()}


def _fills(fills: ir.Table) -> ir.Table:
    """The days of supply per class, drug and day, in the columns of ``_doses``."""
    drug_class = fills.medication_class.fill_null(fills.medication)
    item = ibis.literal(_SEPARATOR).join([drug_class, fills.medication, fills.day.cast("string")])
    named = fills.mutate(item=item)
    per_day = named.group_by(["user_id", "day", "item"]).agg(
        **_best_source(named), value=named.days_supply.cast(EXACT).sum().cast(EXACT)
    )
    return per_day.select(
        "user_id",
        "day",
        "source",
        "source_rank",
        "value",
        "item",
        measure=ibis.literal(MEDICATION_FILL.name),
    ).select("user_id", "day", "source", "source_rank", "measure", "value", "item")


def days_covered(fills: ir.Table) -> ir.Table:
    """The proportion of days covered per person and period (PQA).

    Of each class of drugs the days from the period's first dispensing to its end on which a drug of the class
    was at hand; a refill that comes early lasts from when the earlier supply ends. Classes are pooled.

    Args:
        fills: merged state of refills of ended periods: user_id, period_start, period_end, item, total.

    Returns:
        user_id, period_start, ``medication_pdc``.
    """
    parts = fills.item.split(_SEPARATOR)
    supplies = fills.select(
        "user_id",
        "period_start",
        drug_class=parts[0],
        medication=parts[1],
        # Days as numbers: the arithmetic of supplies is whole days.
        filled=_day_number(parts[2].cast("date")),
        supply=fills.total.cast("float64").ceil().cast("int64"),
        end=_day_number(fills.period_end.date()),
    )
    person = ["user_id", "period_start", "end", "drug_class"]
    own = ibis.cumulative_window(group_by=[*person, "medication"], order_by="filled")
    summed = supplies.mutate(supplied=supplies.supply.sum().over(own))
    # A supply starts when it is dispensed or when the one before ends, whichever is later; so the k-th ends at
    # the sum of the first k supplies + the largest (dispensed - sum of those before).
    late = summed.mutate(late=summed.filled - (summed.supplied - summed.supply))
    ended = late.mutate(until=late.late.max().over(own) + late.supplied)
    stretches = ended.mutate(start=ended.until - ended.supply, until=ibis.least(ended.until, ended.end))
    earlier = ibis.window(
        group_by=person, order_by=["start", "until", "medication"], preceding=(None, 1), following=None
    )
    reached = stretches.mutate(reached=stretches.until.max().over(earlier))
    begin = ibis.greatest(reached.start, reached.reached.fill_null(reached.start))
    counted = reached.mutate(covered=ibis.greatest(reached.until - begin, 0))
    per_class = counted.group_by(person).agg(covered=counted.covered.sum(), first=counted.filled.min())
    days = per_class.mutate(days=per_class.end - per_class["first"])
    pooled = days.group_by(["user_id", "period_start"])
    return pooled.agg(medication_pdc=days.covered.sum().cast("float64") / days.days.sum())


def _day_number(day: Any) -> Any:
    return day.epoch_days().cast("int64")
