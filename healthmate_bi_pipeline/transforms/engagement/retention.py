"""Weeks of activity per person → the patterns that BG/BB knows people by, set-wise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.transforms.placing import period_floor

_PATTERN = ["active_weeks", "last_active_week", "weeks"]
_DISTANT = date(9999, 1, 1)


def week_table(ends: Sequence[date]) -> pa.Table:
    """Mondays that end weeks: week_end."""
    return pa.table({"week_end": pa.array(list(ends), pa.date32())})


def active_weeks(active: ir.Table) -> ir.Table:
    """The weeks in which people were active, each once, and how far they had come by then.

    Args:
        active: rows of ``state/active_days``.

    Returns:
        user_id, week (its Monday), first (the Monday of the first week), so_far (active weeks after the first), and
        until: the Monday of the next active week, or a distant one.
    """
    weeks = active.select("user_id", week=period_floor(active.day, Period.WEEKLY).date()).distinct()
    order = ibis.window(group_by="user_id", order_by="week")
    return weeks.mutate(
        first=weeks.week.min().over(ibis.window(group_by="user_id")),
        so_far=ibis.row_number().over(order).cast("int64"),
        until=weeks.week.lead().over(order).fill_null(ibis.literal(_DISTANT)),
    )


def patterns(weeks: ir.Table, ends: ir.Table) -> ir.Table:
    """The pattern of everybody who had come by then, at the end of some weeks.

    Args:
        weeks: from ``active_weeks``.
        ends: ``week_table``.

    Returns:
        user_id, week_end, active_weeks (x), last_active_week (t_x), weeks (n), silent_since: the Monday after the
        last active week.
    """
    joined = weeks.join(ends, [weeks.week < ends.week_end, weeks.until >= ends.week_end])
    first = joined["first"].epoch_days()
    return joined.select(
        "user_id",
        "week_end",
        active_weeks=joined.so_far,
        last_active_week=((joined.week.epoch_days() - first) // 7).cast("int64"),
        weeks=((joined.week_end.epoch_days() - first) // 7 - 1).cast("int64"),
    )


def counted_patterns(of_people: ir.Table) -> ir.Table:
    """How many people have each pattern, in order: active_weeks, last_active_week, weeks, people."""
    return of_people.group_by(_PATTERN).agg(people=of_people.count()).order_by(_PATTERN)


def with_probability(of_people: ir.Table, probabilities: ir.Table) -> ir.Table:
    """The patterns with ``probability_alive``, sorted by week and person; those of weeks without a model are left out.

    Args:
        of_people: from ``patterns``.
        probabilities: week_end, the pattern, and ``probability_alive``.
    """
    by = ["week_end", *_PATTERN]
    joined = of_people.join(probabilities, by)
    return joined.select("user_id", *by, "probability_alive").order_by("week_end", "user_id")


def outcomes(of_people: ir.Table, active: ir.Table, *, end: date, days: int, silent_days: int) -> ir.Table:
    """What became of people after a Monday, by pattern and whether they had been silent before it.

    Args:
        of_people: from ``patterns``, of that Monday.
        active: rows of ``state/active_days``.
        end: the Monday.
        days: the days from it on that are looked at.
        silent_days: days before it without activity that make a person silent.

    Returns:
        active_weeks, last_active_week, weeks, is_silent, people, returned: those who were active in the days.
    """
    number = active.day.epoch_days() - ibis.literal(end).epoch_days()
    later = active.filter((number >= 0) & (number < days)).select("user_id").distinct()
    recent = active.filter((number < 0) & (number >= -silent_days)).select("user_id").distinct()
    marked = of_people.left_join(
        later.mutate(has_returned=ibis.literal(value=True)).rename(later_id="user_id"),
        [("user_id", "later_id")],
    ).left_join(
        recent.mutate(is_recent=ibis.literal(value=True)).rename(recent_id="user_id"),
        [("user_id", "recent_id")],
    )
    by = [*_PATTERN, "is_silent"]
    known = marked.mutate(
        is_silent=marked.is_recent.isnull(), returned=marked.has_returned.notnull().cast("int64")
    )
    return known.group_by(by).agg(people=known.count(), returned=known.returned.sum()).order_by(by)
