"""Choosing among sources that measured the same thing: of each metric and minute the readings of one count."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir


def counted_readings(
    readings: ir.Table, ranks: ir.Table, *, crowded: ir.Table | None, slot: Sequence[str]
) -> ir.Table:
    """The readings that count, row by row.

    Args:
        readings: rows of ``raw/health_readings`` with the columns of the slot.
        ranks: ``source`` and ``source_rank``.
        crowded: the slots that several sources made, which alone are looked at minute by minute; ``None``: there
            are none.
        slot: the columns of a slot, within which there is mostly one source; the result does not depend on it.
    """
    if crowded is None:
        return readings
    alone = readings.anti_join(crowded, list(slot))
    return alone.union(of_one_source_a_minute(readings.semi_join(crowded, list(slot)), ranks))


def crowded_slots(readings: ir.Table, slot: Sequence[str]) -> ir.Table:
    """The slots that several sources made."""
    # The first and the last by name: counting distinct ones costs the engine five times as much.
    sources = readings.group_by(list(slot)).agg(first=readings.source.min(), last=readings.source.max())
    return sources.filter(sources.first != sources.last)


def of_one_source_a_minute(readings: ir.Table, ranks: ir.Table) -> ir.Table:
    """Of each person, metric and minute the readings of one source: best rank, then coverage, then name."""
    contested = readings.join(ranks, "source")
    minute = contested.mutate(minute=contested.recorded_at.truncate("m"))
    candidates = minute.group_by(["user_id", "metric", "minute", "source", "source_rank"]).agg(
        coverage=ibis._.count()
    )
    order = ibis.window(
        group_by=["user_id", "metric", "minute"],
        order_by=["source_rank", ibis.desc("coverage"), "source"],
    )
    chosen = candidates.mutate(place=ibis.row_number().over(order)).filter(ibis._.place == 0)
    counted = minute.semi_join(chosen, ["user_id", "metric", "minute", "source"])
    return counted.select(*readings.columns)
