"""What looks back over all time: first days, and cohort retention."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.engagement import ACTIVE_HOURS, FEATURE
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.placing import period_end, period_floor

COHORTS: tuple[tuple[Period, int], ...] = ((Period.DAILY, 90), (Period.WEEKLY, 104), (Period.MONTHLY, 60))
"""The intervals that people are put together by, and how many of them retention is followed over."""


def active_days(days: ir.Table) -> ir.Table:
    """The days on which people were active: rows of ``state/active_days``.

    Args:
        days: the engagement state of days.
    """
    active = days.filter(days.measure == ACTIVE_HOURS.name)
    return active.select("user_id", "day", month=period_floor(active.day, Period.MONTHLY).date())


def first_active_days(months: ir.Table) -> ir.Table:
    """The first active day of each person, from the state of all months; sorted."""
    active = months.filter(months.measure == ACTIVE_HOURS.name)
    return active.group_by("user_id").agg(first_active_on=active.first_day.min()).order_by("user_id")


def first_feature_days(months: ir.Table) -> ir.Table:
    """The first day on which anybody used each feature, from the state of all months; sorted."""
    used = months.filter(months.measure == FEATURE.name)
    return used.group_by(feature="item").agg(first_used_on=used.first_day.min()).order_by("feature")


def cohort_retention(active: ir.Table, settled: date) -> ir.Table:
    """Retention by day, week and month: rows of ``bi_engagement_cohorts``, sorted by key.

    Args:
        active: rows of ``state/active_days``.
        settled: cells whose interval ends after this day's start are not over for everybody, and absent.
    """
    return union_all(
        _retention_by(active, period, most=most, settled=settled) for period, most in COHORTS
    ).order_by("interval", "cohort_start", "number")


def _retention_by(active: ir.Table, period: Period, *, most: int, settled: date) -> ir.Table:
    intervals = active.select("user_id", start=period_floor(active.day, period)).distinct()
    first = intervals.group_by("user_id").agg(cohort=intervals.start.min())
    sizes = first.group_by("cohort").agg(people=first.count())
    counted = intervals.join(first, "user_id")
    cells = counted.group_by(["cohort", "start"]).agg(active_people=counted.count())
    # Every interval since a cohort came, also those in which nobody was active.
    numbers = sizes.mutate(number=ibis.range(0, most + 1).unnest().cast("int64"))
    start = _moved(numbers.cohort, numbers.number, period)
    over = numbers.mutate(start=start).filter(
        lambda table: period_end(table.start, period) <= ibis.literal(settled).cast("timestamp(6)")
    )
    joined = over.left_join(cells, ["cohort", "start"])
    found = joined.active_people.fill_null(0)
    return joined.select(
        interval=ibis.literal(str(period)),
        cohort_start=joined.cohort.date(),
        number=joined.number,
        people=joined.people,
        active_people=found,
        share=found / joined.people,
    )


def _moved(start: Any, number: Any, period: Period) -> Any:
    """The start of the interval so many after another one."""
    if period is Period.MONTHLY:
        return start + ibis.interval(months=1) * number
    return start + ibis.interval(days=1) * (number * (7 if period is Period.WEEKLY else 1))
