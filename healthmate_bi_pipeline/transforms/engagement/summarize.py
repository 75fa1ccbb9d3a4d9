"""Engagement state → figures per person and period."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.engagement import (
    ACTIVE_HOURS,
    ADOPTED_DAYS,
    ENGAGEMENT_FIGURES,
    FEATURE,
    PAGE,
    REGISTRY_VERSION,
)
from healthmate_bi_pipeline.catalog.engagement_tables import ENGAGEMENT_ROWS
from healthmate_bi_pipeline.catalog.figures import Figure
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.transforms.columns import IBIS_TYPES
from healthmate_bi_pipeline.transforms.finishing import NEEDED, attached, finished_figure, is_too_short
from healthmate_bi_pipeline.transforms.people import real_lengths, with_person
from healthmate_bi_pipeline.transforms.placing import period_end, period_floor

_ROW = ["user_id", "period_start"]
_NEEDED_BY_NAME = (
    ("sessions", "n"),
    ("deep_sessions", "n"),
    ("page_views", "n"),
    ("session_day", "high"),
    ("notifications_received", "n"),
    ("notifications_opened", "n"),
)
_INDICES = ("click_depth_index", "recency_index", "loyalty_index", "interaction_index")


def active_people(states: ir.Table, period: Period) -> ir.Table:
    """Who was active in which period: user_id, period_start; each once.

    Args:
        states: states of the period's grain.
        period: the period.
    """
    active = states.filter(states.measure == ACTIVE_HOURS.name)
    day = active["month" if period.state_grain is Grain.MONTH else "day"]
    return active.select("user_id", period_start=period_floor(day, period)).distinct()


def active_before(active: ir.Table, period: Period, window: Window) -> ir.Table:
    """The same, moved on by a period: who was active in the period before each one of a window.

    Args:
        active: from ``active_people``, from the period before the window on.
        period: the period.
        window: whole periods.
    """
    moved = active.mutate(period_start=period_end(active.period_start, period))
    start, end = (ibis.literal(moment, type="timestamp(6)") for moment in (window.start, window.end))
    return moved.filter((moved.period_start >= start) & (moved.period_start < end))


def summarize(
    merged: ir.Table,
    before: ir.Table | None,
    *,
    period: Period | Window,
    measures: Collection[str],
    users: ir.Table,
    shifts: ir.Table | None,
    versions: ir.Table,
    complete_before: datetime,
) -> ir.Table:
    """Figures per person and period.

    A person who was active in the period before has a row also where nothing is known of this one, once it is
    complete: the first empty period.

    Args:
        merged: from ``merged_to_period`` or ``merged_to_range``.
        before: from ``active_before``; ``None`` for hours and for a window as a whole.
        period: the period, or the window of a free range of days.
        measures: the measures that occur in ``merged``; figures of others are left out.
        users: rows of ``raw/users``.
        shifts: ``clock_shifts`` of the people; ``None`` where nobody asks how long a period really was.
        versions: ``period_start`` and ``state_version``.
        complete_before: a period that ends by then is complete.

    Returns:
        Rows of ``bi_user_engagement_rows`` without the stamps and without figures that no row has, sorted by key.
    """
    ended = ibis.literal(complete_before, type="timestamp(6)")
    wide = _wide(merged, measures)
    keys = wide.select(*_ROW)
    parts = [wide, *_sets(merged, measures), *real_lengths(shifts, period), versions]
    if before is not None:
        over = before.filter(period_end(before.period_start, period) <= ended)
        keys = keys.union(over.select(*_ROW), distinct=True)
        parts.append(before.mutate(is_known_before=ibis.literal(value=True)))
    end = period_end(keys.period_start, period)
    rows = keys.mutate(
        period_end=end,
        aggregation_period=ibis.literal(str(period)),
        date=keys.period_start.date(),
        is_complete=end <= ended,
        registry_version=ibis.literal(REGISTRY_VERSION, type="int64"),
        height_seen=ibis.null("float64"),
    )
    rows = with_person(attached(rows, parts), users)
    if before is not None:
        was_active = rows.is_known_before.fill_null(ibis.literal(value=False))
        rows = rows.mutate(was_active_before=was_active)
    finished = {
        figure.name: finished_figure(rows, figure)
        for figure in ENGAGEMENT_FIGURES
        if figure.statistic is not None and figure.measure in measures
    }
    return _shaped(_with_score(rows.mutate(**finished)), period).order_by(*_ROW)


def _wide(merged: ir.Table, measures: Collection[str]) -> ir.Table:
    """One row per person and period with the components that figures need, named ``measure__component``."""
    wanted = {
        (figure.measure, component)
        for figure in ENGAGEMENT_FIGURES
        if figure.statistic is not None and figure.measure in measures
        for component in NEEDED[figure.statistic]
    } | set(_NEEDED_BY_NAME)
    needed = {
        f"{measure}__{component}": (merged.measure == measure)
        .ifelse(merged[component], ibis.null(merged[component].type()))
        .max()
        for measure, component in sorted(wanted)
    }
    return merged.group_by(_ROW).agg(**needed)


def _sets(merged: ir.Table, measures: Collection[str]) -> Iterator[ir.Table]:
    """The names of what was used and visited, in order, and how many there are."""
    if FEATURE.name in measures:
        items = merged.filter(merged.measure == FEATURE.name)
        collected = items.group_by(_ROW).agg(
            features_used=items.item.collect(),
            features_used_count=items.count(),
            features_adopted_count=items.count(where=items.days >= ADOPTED_DAYS),
        )
        yield collected.mutate(features_used=collected.features_used.sort())
    if PAGE.name in measures:
        items = merged.filter(merged.measure == PAGE.name)
        collected = items.group_by(_ROW).agg(
            pages_visited=items.item.collect(), pages_visited_count=items.count()
        )
        yield collected.mutate(pages_visited=collected.pages_visited.sort())


def _with_score(rows: ir.Table) -> ir.Table:
    """The sub-indices that there are, and their mean (Taki 2017)."""

    def number(measure: str, component: str = "n") -> Any:
        return rows[f"{measure}__{component}"].cast("float64")

    sessions = number("sessions").nullif(0)
    last_day = rows.period_end.date().epoch_days() - 1
    opened = number("notifications_opened").fill_null(0)
    indices = rows.mutate(
        # Where no page is viewed at all, pages are not logged rather than not viewed.
        click_depth_index=(number("page_views") > 0).ifelse(
            number("deep_sessions").fill_null(0) / sessions, ibis.null("float64")
        ),
        recency_index=1.0 / (1.0 + last_day - number("session_day", "high")),
        loyalty_index=1.0 - 1.0 / sessions,
        interaction_index=(number("notifications_received") > 0).ifelse(
            ibis.least(opened / number("notifications_received"), 1.0), ibis.null("float64")
        ),
    )
    found: Any = sum((indices[name].notnull().cast("int64") for name in _INDICES), start=ibis.literal(0))
    total: Any = sum((indices[name].fill_null(0.0) for name in _INDICES), start=ibis.literal(0.0))
    return indices.mutate(
        engagement_score_components=found,
        engagement_score=100.0 * total / found.cast("float64").nullif(0),
    )


def _shaped(rows: ir.Table, period: Period | Window) -> ir.Table:
    """The columns of the table in its order, without the figures that such rows do not have."""
    return rows.select(
        **{
            column.name: rows[column.name].cast(IBIS_TYPES.get(column.type, "string"))
            for column in ENGAGEMENT_ROWS.columns
            if column.name in rows.columns
            and not (isinstance(column, Figure) and is_too_short(period, column.shortest))
        }
    )
