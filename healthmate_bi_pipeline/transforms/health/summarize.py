"""Health state → figures per person and period.

Each figure of the registry that names a measure and a statistic is finished from merged state; the few that
need more than one measure, or the person's record, are made here by name.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.health import HEALTH_FIGURES, REGISTRY_VERSION, Figure, Statistic
from healthmate_bi_pipeline.catalog.measures import READING_MEASURES, SOURCE
from healthmate_bi_pipeline.catalog.tables import HEALTH_METRIC_ROWS
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.transforms.columns import IBIS_TYPES
from healthmate_bi_pipeline.transforms.state import COMPONENT_NAMES, merge_states

RANGE = "range"
_STAMPS = ("created_at", "updated_at")
_TRUNCATION = {
    Period.HOURLY: "h",
    Period.DAILY: "D",
    Period.WEEKLY: "W",
    Period.MONTHLY: "M",
    Period.QUARTERLY: "Q",
    Period.YEARLY: "Y",
}
_LENGTHS = {
    Period.HOURLY: ibis.interval(hours=1),
    Period.DAILY: ibis.interval(days=1),
    Period.WEEKLY: ibis.interval(days=7),
    Period.MONTHLY: ibis.interval(months=1),
    Period.QUARTERLY: ibis.interval(months=3),
    Period.YEARLY: ibis.interval(years=1),
}
GRAINS = (Period.HOURLY, Period.DAILY, Period.MONTHLY)
"""The periods that are the grain of their state: nothing has to be merged."""

_NEEDED = {
    Statistic.MEAN: ("total", "n"),
    Statistic.MINIMUM: ("low",),
    Statistic.MAXIMUM: ("high",),
    Statistic.DEVIATION: ("total", "total_squared", "n"),
    Statistic.TOTAL: ("total",),
    Statistic.PER_DAY: ("total", "days"),
    Statistic.COUNT: ("n",),
    Statistic.DAYS: ("days",),
    Statistic.CHANGE: ("first_value", "last_value", "n"),
}


def period_floor(moment: Any, period: Period) -> Any:
    """The start of the period that a wall-clock time lies in, as ``Period.floor``."""
    return moment.cast("timestamp(6)").truncate(_TRUNCATION[period])


def merged_to_period(states: ir.Table, period: Period) -> ir.Table:
    """States of the period's grain, merged to the period: ``period_start`` and the state's key."""
    if period.state_grain is Grain.HOUR:
        start = states.day.cast("timestamp(6)") + ibis.interval(hours=1) * states.hour
    else:
        start = period_floor(states["month" if period.state_grain is Grain.MONTH else "day"], period)
    placed = states.select("user_id", "measure", "item", *COMPONENT_NAMES, period_start=start)
    if period in GRAINS:
        return placed
    return merge_states(placed, ("user_id", "measure", "item", "period_start"))


def merged_to_range(days: ir.Table, window: Window) -> ir.Table:
    """States of the days of a window, merged to one."""
    start = ibis.literal(window.start, type="timestamp(6)")
    placed = days.select("user_id", "measure", "item", *COMPONENT_NAMES, period_start=start)
    return merge_states(placed, ("user_id", "measure", "item", "period_start"))


def summarize(
    merged: ir.Table,
    *,
    period: Period | Window,
    measures: Collection[str],
    users: ir.Table,
    shifts: ir.Table,
    versions: ir.Table,
    complete_before: datetime,
) -> ir.Table:
    """Figures per person and period.

    Args:
        merged: from ``merged_to_period`` or ``merged_to_range``.
        period: the period, or the window of a free range of days.
        measures: the measures that occur in ``merged``; figures of others are null without being computed.
        users: rows of ``raw/users``.
        shifts: ``clock_shifts`` of the people.
        versions: ``period_start`` and ``state_version``.
        complete_before: a period that ends by then is complete.

    Returns:
        Rows of ``bi_health_metric_rows`` without the stamps, sorted by key.
    """
    wide = _wide(merged, measures)
    figures = {
        figure.name: _figure(wide, figure, period=period, measures=measures)
        for figure in HEALTH_FIGURES
        if not figure.is_trend
    }
    rows = wide.select("user_id", "period_start", "height_seen", **figures)
    rows = _with_person(rows, users, shifts, period)
    rows = rows.mutate(
        aggregation_period=ibis.literal(str(period) if isinstance(period, Period) else RANGE),
        is_complete=rows.period_end <= ibis.literal(complete_before, type="timestamp(6)"),
        registry_version=ibis.literal(REGISTRY_VERSION, type="int64"),
        avg_bmi=rows.avg_weight / (rows.height_cm / 100) ** 2,
    )
    rows = rows.join(versions, "period_start")
    names = [name for name in HEALTH_METRIC_ROWS.column_names if name not in _STAMPS]
    types = {column.name: IBIS_TYPES.get(column.type, "string") for column in HEALTH_METRIC_ROWS.columns}
    cast = {name: rows[name].cast(types[name]) for name in names}
    return rows.select(**cast).order_by("user_id", "period_start")


def _wide(merged: ir.Table, measures: Collection[str]) -> ir.Table:
    """One row per person and period with the components that figures need, named ``measure__component``."""
    needed: dict[str, Any] = {}
    for figure in HEALTH_FIGURES:
        if figure.statistic is None or figure.measure not in measures:
            continue
        for component in _NEEDED[figure.statistic]:
            name = f"{figure.measure}__{component}"
            needed[name] = merged[component].max(where=merged.measure == figure.measure)
    is_reading = merged.measure.isin([measure.name for measure in READING_MEASURES])
    for measure in ("sleep_timed_minutes", "in_bed_minutes"):
        needed[f"{measure}__total"] = merged.total.max(where=merged.measure == measure)
    return merged.group_by(["user_id", "period_start"]).agg(
        **needed,
        readings=merged.n.sum(where=is_reading),
        implausible_readings=merged.implausible.sum(where=is_reading),
        sources=merged.count(where=merged.measure == SOURCE.name),
        height_seen=merged.last_value.max(where=merged.measure == "height"),
    )


def _figure(wide: ir.Table, figure: Figure, *, period: Period | Window, measures: Collection[str]) -> Any:
    nothing = ibis.null(IBIS_TYPES.get(figure.type, "string"))
    match figure.name:
        case "data_accuracy":
            return (wide.readings - wide.implausible_readings) / wide.readings.nullif(0)
        case "source_count":
            return wide.sources
        case "sleep_quality_score":
            in_bed = wide["in_bed_minutes__total"].cast("float64").nullif(0)
            return 100 * wide["sleep_timed_minutes__total"].cast("float64") / in_bed
    is_too_fine = figure.finest is Grain.DAY and period is Period.HOURLY
    if figure.statistic is None or figure.measure not in measures or is_too_fine:
        return nothing
    parts = {component: wide[f"{figure.measure}__{component}"] for component in _NEEDED[figure.statistic]}
    value = _finished(figure.statistic, parts)
    return value / figure.divisor if figure.divisor != 1 else value


def _finished(statistic: Statistic, parts: dict[str, Any]) -> Any:  # noqa: C901, PLR0911 - one line per statistic
    """A statistic from the components of merged state; see ``Statistic``."""

    def number(name: str) -> Any:
        return parts[name].cast("float64")

    match statistic:
        case Statistic.MEAN:
            return number("total") / number("n").nullif(0)
        case Statistic.MINIMUM:
            return parts["low"]
        case Statistic.MAXIMUM:
            return parts["high"]
        case Statistic.TOTAL:
            return number("total")
        case Statistic.PER_DAY:
            return number("total") / number("days").nullif(0)
        case Statistic.COUNT:
            return parts["n"]
        case Statistic.DAYS:
            return parts["days"]
        case Statistic.CHANGE:
            return (parts["n"] > 1).ifelse(parts["last_value"] - parts["first_value"], ibis.null("float64"))
        case Statistic.DEVIATION:
            n = number("n")
            variance = (number("total_squared") - number("total") * number("total") / n) / (n - 1)
            return (n > 1).ifelse(ibis.greatest(variance, 0.0), ibis.null("float64")).sqrt()


def _with_person(rows: ir.Table, users: ir.Table, shifts: ir.Table, period: Period | Window) -> ir.Table:
    """Add the period's end and real length, and what the person's record says at its end."""
    rows = rows.mutate(period_end=_period_end(rows.period_start, period))
    per_period = _placed_shifts(shifts, period)
    shifted = per_period.group_by(["user_id", "period_start"]).agg(shift_minutes=ibis._.shift_minutes.sum())
    joined = rows.left_join(shifted, ["user_id", "period_start"])
    nominal = rows.period_end.delta(rows.period_start, unit="hour")
    rows = joined.select(
        *(joined[name] for name in rows.columns),
        hours_covered=nominal + joined.shift_minutes.fill_null(0) / 60,
    )
    order = ibis.window(group_by="user_id", order_by=ibis.asc("valid_from", nulls_first=True))
    records = users.select(
        "user_id",
        "height_cm",
        since=(ibis.row_number().over(order) == 0).ifelse(
            ibis.timestamp("0001-01-02 00:00:00"), users.valid_from
        ),
        until=users.valid_from.lead().over(order).fill_null(ibis.timestamp("9999-12-30 00:00:00")),
    )
    joined = rows.left_join(
        records,
        [rows.user_id == records.user_id, rows.period_end > records.since, rows.period_end <= records.until],
    )
    return joined.select(
        *(joined[name] for name in rows.columns if name != "height_seen"),
        height_cm=ibis.coalesce(joined.height_cm, joined.height_seen),
        has_user_record=joined.since.notnull(),
    )


def _placed_shifts(shifts: ir.Table, period: Period | Window) -> ir.Table:
    if isinstance(period, Period):
        return shifts.mutate(period_start=period_floor(shifts.local_at, period))
    start, end = (ibis.literal(moment, type="timestamp(6)") for moment in (period.start, period.end))
    inside = shifts.filter((shifts.local_at >= start) & (shifts.local_at < end))
    return inside.mutate(period_start=start)


def _period_end(start: Any, period: Period | Window) -> Any:
    if isinstance(period, Window):
        return ibis.literal(period.end, type="timestamp(6)")
    return start + _LENGTHS[period]
