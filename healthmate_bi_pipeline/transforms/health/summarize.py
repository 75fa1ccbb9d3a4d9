"""Health state → figures per person and period.

Each figure of the registry that names a measure and a statistic is finished here from merged state; those that
need more than one measure, or the person's record, are made in ``named.py``.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.figures import Figure
from healthmate_bi_pipeline.catalog.health import HEALTH_FIGURES, REGISTRY_VERSION
from healthmate_bi_pipeline.catalog.health_groups import HEALTH_GROUP_FIGURES
from healthmate_bi_pipeline.catalog.measures import DAILY_MEASURES, READING_MEASURES, SOURCE
from healthmate_bi_pipeline.catalog.tables import HEALTH_METRIC_ROWS
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.transforms.columns import IBIS_TYPES
from healthmate_bi_pipeline.transforms.finishing import (
    NEEDED,
    attached,
    finished_figure,
    is_too_short,
)
from healthmate_bi_pipeline.transforms.health.named import (
    NEEDED_BY_NAME,
    itemized_figures,
    with_named_figures,
)
from healthmate_bi_pipeline.transforms.people import real_lengths, with_person
from healthmate_bi_pipeline.transforms.placing import period_end

RANGE = "range"


def first_days(months: ir.Table) -> ir.Table:
    """The first day of each person and measure that is expected daily: user_id, measure, first_day; sorted."""
    daily = months.filter(months.measure.isin([measure.name for measure in DAILY_MEASURES]))
    found = daily.group_by(["user_id", "measure"]).agg(first_day=daily.first_day.min())
    return found.order_by("user_id", "measure")


def summarize(
    merged: ir.Table,
    *,
    period: Period | Window,
    measures: Collection[str],
    users: ir.Table,
    shifts: ir.Table | None,
    versions: ir.Table,
    complete_before: datetime,
) -> ir.Table:
    """Figures per person and period.

    Args:
        merged: from ``merged_to_period`` or ``merged_to_range``.
        period: the period, or the window of a free range of days.
        measures: the measures that occur in ``merged``; figures of others are null without being computed.
        users: rows of ``raw/users``.
        shifts: ``clock_shifts`` of the people; ``None`` where nobody asks how long a period really was.
        versions: ``period_start`` and ``state_version``.
        complete_before: a period that ends by then is complete.

    Returns:
        Rows of ``bi_health_metric_rows``, sorted by key; without the stamps, and without the figures that have no
        value in any row: of a hundred columns an hour has some twenty. For groups also ``age_band``, ``sex`` and what
        ``health_groups`` declares.
    """
    wide = _wide(merged, measures)
    finished = {
        figure.name: finished_figure(wide, figure)
        for figure in HEALTH_FIGURES
        if figure.statistic is not None and figure.measure in measures
    }
    end = period_end(wide.period_start, period)
    ended = ibis.literal(complete_before, type="timestamp(6)")
    rows = wide.mutate(
        **finished,
        period_end=end,
        aggregation_period=ibis.literal(str(period) if isinstance(period, Period) else RANGE),
        is_complete=end <= ended,
        registry_version=ibis.literal(REGISTRY_VERSION, type="int64"),
    )
    placed = merged.mutate(period_end=period_end(merged.period_start, period))
    parts = [
        *real_lengths(shifts, period),
        versions,
        *itemized_figures(placed, measures, complete_before=ended),
    ]
    rows = with_person(attached(rows, parts), users)
    return _shaped(with_named_figures(rows), period).order_by("user_id", "period_start")


def _shaped(rows: ir.Table, period: Period | Window) -> ir.Table:
    """The columns of the table in its order, without the figures that such rows do not have."""
    selected = {
        column.name: rows[column.name].cast(IBIS_TYPES.get(column.type, "string"))
        for column in HEALTH_METRIC_ROWS.columns
        if column.name in rows.columns
        and not (isinstance(column, Figure) and is_too_short(period, column.shortest))
    }
    of_groups = {
        figure.name: rows[figure.name].cast(IBIS_TYPES[figure.type])
        for figure in HEALTH_GROUP_FIGURES
        if figure.name in rows.columns and not is_too_short(period, figure.shortest)
    }
    return rows.select(**selected, **of_groups, age_band=rows.age_band, sex=rows.sex)


def _wide(merged: ir.Table, measures: Collection[str]) -> ir.Table:
    """One row per person and period with the components that figures need, named ``measure__component``."""
    wanted = {
        (figure.measure, component)
        for figure in HEALTH_FIGURES
        if figure.statistic is not None and figure.measure in measures
        for component in NEEDED[figure.statistic]
    } | {(measure, component) for measure, component in NEEDED_BY_NAME if measure in measures}
    needed = {
        # Not `max(where=…)`: the engine filters for every column anew, and finds a condition that is a value once.
        f"{measure}__{component}": (merged.measure == measure)
        .ifelse(merged[component], ibis.null(merged[component].type()))
        .max()
        for measure, component in sorted(wanted)
    }
    is_reading = merged.measure.isin([measure.name for measure in READING_MEASURES])
    is_daily = merged.measure.isin([measure.name for measure in DAILY_MEASURES])
    return merged.group_by(["user_id", "period_start"]).agg(
        **needed,
        readings=merged.n.sum(where=is_reading),
        implausible_readings=merged.implausible.sum(where=is_reading),
        source_count=merged.count(where=merged.measure == SOURCE.name),
        day_slots_filled=merged.days.sum(where=is_daily),
        height_seen=merged.last_value.max(where=merged.measure == "height"),
    )
