"""Engagement of groups: different people who were active, on how many days, and what they used.

Distinct counts are counted from sets and never added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.engagement import (
    ACTIVE_HOURS,
    ADOPTED_DAYS,
    APP_SECONDS,
    FEATURE,
    REGISTRY_VERSION,
    SESSIONS,
)
from healthmate_bi_pipeline.catalog.engagement_tables import (
    ENGAGEMENT_ACTIVE_DAYS,
    ENGAGEMENT_ACTIVITY,
    ENGAGEMENT_FEATURE_USE,
)
from healthmate_bi_pipeline.catalog.provenance import STAMPS
from healthmate_bi_pipeline.domain.lifecycle import MONTH_DAYS, WEEK_DAYS
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.transforms.columns import IBIS_TYPES, union_all

_PERIOD = (
    "aggregation_period", "period_start", "period_end", "is_complete", "state_version", "registry_version",
)  # fmt: skip


def period_table(
    period: Period, starts: Mapping[datetime, int], as_of: Mapping[datetime, date], complete_before: datetime
) -> pa.Table:
    """What is known of each period before anything is counted.

    Args:
        period: the period.
        starts: the version of the state by the start of each period.
        as_of: the day that trailing counts of each period end with.
        complete_before: a period that ends by then is complete.
    """
    ends = [period.next(start) for start in starts]
    return pa.table(
        {
            "aggregation_period": pa.array([str(period)] * len(ends), pa.string()),
            "period_start": pa.array(list(starts), pa.timestamp("us")),
            "period_end": pa.array(ends, pa.timestamp("us")),
            "is_complete": pa.array([end <= complete_before for end in ends], pa.bool_()),
            "state_version": pa.array(list(starts.values()), pa.int64()),
            "registry_version": pa.array([REGISTRY_VERSION] * len(ends), pa.int64()),
            "as_of": pa.array([as_of[start] for start in starts], pa.date32()),
        }
    )


def window_table(as_of: Mapping[Window, date], complete_before: datetime) -> pa.Table:
    """The same of free ranges of days, each as one period."""
    windows = list(as_of)
    return pa.table(
        {
            "aggregation_period": pa.array(["range"] * len(windows), pa.string()),
            "period_start": pa.array([window.start for window in windows], pa.timestamp("us")),
            "period_end": pa.array([window.end for window in windows], pa.timestamp("us")),
            "is_complete": pa.array([window.end <= complete_before for window in windows], pa.bool_()),
            "state_version": pa.array([0] * len(windows), pa.int64()),
            "registry_version": pa.array([REGISTRY_VERSION] * len(windows), pa.int64()),
            "as_of": pa.array(list(as_of.values()), pa.date32()),
        }
    )


def lifecycle_counts(days: ir.Table, window: Window, before: Window) -> ir.Table:
    """How many people were in which stage in a free range of days, after as many days before it: one row.

    Args:
        days: rows of ``state/active_days``, of all time.
        window: the days.
        before: as many days before them.
    """

    def is_within(span: Window) -> Any:
        return (days.day >= ibis.literal(span.first_day)) & (days.day <= ibis.literal(span.last_day))

    people = days.group_by("user_id").agg(
        is_active=is_within(window).any(),
        was_active=is_within(before).any(),
        is_new=days.day.min() >= ibis.literal(window.first_day),
    )
    is_active, was_active, is_new = people.is_active, people.was_active, people.is_new
    return people.agg(
        new=(is_active & is_new).sum(),
        returning=(is_active & was_active).sum(),
        resurrecting=(is_active & ~was_active & ~is_new).sum(),
        dormant=(~is_active & was_active).sum(),
        before=was_active.sum(),
    )


def trailing_days(days: ir.Table, periods: ir.Table) -> ir.Table:
    """On how many of the last 7 and 28 days each person was active: period_start, user_id, of_week, of_month.

    Args:
        days: user_id and day of everybody who was active, each once.
        periods: ``period_table``; without hours.
    """
    back = periods.as_of.epoch_days() - MONTH_DAYS
    ends = periods.select("period_start", last=periods.as_of.epoch_days(), before=back)
    numbered = days.select("user_id", number=days.day.epoch_days())
    near = numbered.join(ends, [numbered.number <= ends["last"], numbered.number > ends.before])
    in_week = near.number > near["last"] - WEEK_DAYS
    return near.group_by(["period_start", "user_id"]).agg(
        of_month=near.count(), of_week=near.count(where=in_week)
    )


def activity(merged: ir.Table, trailing: ir.Table | None, periods: ir.Table) -> ir.Table:
    """How many people were active: rows of ``bi_engagement_activity``.

    Args:
        merged: from ``merged_to_period``.
        trailing: from ``trailing_days``; ``None`` for hours.
        periods: ``period_table``.
    """
    is_active = merged.measure == ACTIVE_HOURS.name
    counted = merged.group_by("period_start").agg(
        people=merged.user_id.nunique(),
        active_people=merged.count(where=is_active),
        person_days=merged.days.sum(where=is_active),
        sessions=merged.n.sum(where=merged.measure == SESSIONS.name),
        time_spent_minutes=merged.total.sum(where=merged.measure == APP_SECONDS.name).cast("float64") / 60,
    )
    rows = periods.left_join(counted, "period_start").drop("period_start_right")
    if trailing is None:
        return _shaped(_filled(rows), ENGAGEMENT_ACTIVITY)
    back = trailing.group_by("period_start").agg(
        weekly_active_people=trailing.count(where=trailing.of_week > 0),
        monthly_active_people=trailing.count(),
        month_days=trailing.of_month.sum(),
    )
    rows = rows.left_join(back, "period_start").drop("period_start_right")
    elapsed = rows.as_of.epoch_days() - rows.period_start.date().epoch_days() + 1
    return _shaped(
        _filled(
            rows.mutate(
                mean_daily_active_people=rows.person_days.fill_null(0) / ibis.greatest(elapsed, 1),
                weekly_active_people=rows.weekly_active_people.fill_null(0),
                monthly_active_people=rows.monthly_active_people.fill_null(0),
                stickiness=rows.month_days / MONTH_DAYS / rows.monthly_active_people,
            )
        ),
        ENGAGEMENT_ACTIVITY,
    )


def _filled(rows: ir.Table) -> ir.Table:
    return rows.mutate(people=rows.people.fill_null(0), active_people=rows.active_people.fill_null(0))


def active_day_curves(trailing: ir.Table, periods: ir.Table) -> ir.Table:
    """The L7 and L28 curves: rows of ``bi_engagement_active_days``."""
    parts = [
        trailing.filter(trailing[name] > 0)
        .group_by(["period_start", name])
        .agg(people=ibis._.count())
        .rename(active_days=name)
        .mutate(window_days=ibis.literal(days, type="int64"))
        for name, days in (("of_week", WEEK_DAYS), ("of_month", MONTH_DAYS))
    ]
    names = ["period_start", "window_days", "active_days", "people"]
    counted = union_all(part.select(*names) for part in parts)
    return _shaped(counted.join(periods, "period_start"), ENGAGEMENT_ACTIVE_DAYS)


def feature_use(merged: ir.Table, periods: ir.Table, *, has_days: bool) -> ir.Table:
    """Reach and depth of features: rows of ``bi_engagement_feature_use``.

    Args:
        merged: from ``merged_to_period``.
        periods: ``period_table``.
        has_days: whether the period is long enough for a feature to be adopted in it.
    """
    used = merged.filter(merged.measure == FEATURE.name)
    adopters = used.count(where=used.days >= ADOPTED_DAYS) if has_days else ibis.null("int64")
    counted = used.group_by(["period_start", "item"]).agg(
        people=used.count(), uses=used.n.sum(), adopters=adopters
    )
    active = merged.filter(merged.measure == ACTIVE_HOURS.name)
    sizes = active.group_by("period_start").agg(active_people=active.count())
    rows = counted.join(sizes, "period_start").join(periods, "period_start").rename(feature="item")
    return _shaped(
        rows.mutate(reach=rows.people / rows.active_people, uses_per_person=rows.uses / rows.people),
        ENGAGEMENT_FEATURE_USE,
    )


def _shaped(rows: ir.Table, table: Table) -> ir.Table:
    stamps = {column.name for column in STAMPS}
    return rows.select(
        **{
            column.name: rows[column.name].cast(IBIS_TYPES[column.type])
            for column in table.columns
            if column.name in rows.columns and column.name not in stamps
        }
    ).order_by(*table.key)
