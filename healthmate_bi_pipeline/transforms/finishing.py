"""Merged state → finished figures: the statistics that are the same for every family."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.figures import Figure, Statistic
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.transforms.placing import period_floor
from healthmate_bi_pipeline.transforms.state import COMPONENT_NAMES, merge_states

GRAINS = (Period.HOURLY, Period.DAILY, Period.MONTHLY)
"""The periods that are the grain of their state: nothing has to be merged."""

NEEDED = {
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
"""The components of merged state that a statistic is finished from."""


def merged_to_period(states: ir.Table, period: Period, *, key: Sequence[str] = ("user_id",)) -> ir.Table:
    """States of the period's grain, merged to the period: ``period_start`` and the state's key.

    Args:
        states: rows of a state table.
        period: the period.
        key: the columns that tell whose state it is.
    """
    if period.state_grain is Grain.HOUR:
        start = states.day.cast("timestamp(6)") + ibis.interval(hours=1) * states.hour
    else:
        start = period_floor(states["month" if period.state_grain is Grain.MONTH else "day"], period)
    by = (*key, "measure", "item")
    placed = states.select(*by, *COMPONENT_NAMES, period_start=start)
    if period in GRAINS:
        return placed
    return merge_states(placed, (*by, "period_start"))


def needed_components(figures: Iterable[Figure]) -> set[str]:
    """The components of merged state that some figures of a statistic are finished from."""
    return {name for figure in figures if figure.statistic is not None for name in NEEDED[figure.statistic]}


def merged_to_ranges(states: ir.Table, *, components: Collection[str]) -> ir.Table:
    """States that tile ranges of days, merged to one of each range: as ``merged_to_period``.

    Args:
        states: rows of the states of people, of months and days, with the ``period_start`` of their range.
        components: which components are wanted; the others are null, and are not read.
    """
    merged = merge_states(states, ("user_id", "measure", "item", "period_start"), components=components)
    absent = {name: ibis.null(states[name].type()) for name in COMPONENT_NAMES if name not in components}
    return merged.mutate(**absent)


def attached(rows: ir.Table, parts: Sequence[ir.Table]) -> ir.Table:
    """The rows with the columns of other tables of the same person and period, or of the same period.

    In one step: every further one repeats a hundred columns, and the engine has to read them all.
    """
    joined: Any = rows
    added: list[str] = []
    for number, part in enumerate(parts):
        keys = [name for name in ("user_id", "period_start") if name in part.columns]
        renamed = part.rename({f"{name}_{number}": name for name in keys})
        joined = joined.left_join(renamed, [(name, f"{name}_{number}") for name in keys])
        added += [name for name in part.columns if name not in keys]
    return cast("ir.Table", joined.select(*rows.columns, *added))


def is_too_short(period: Period | Window, shortest: Period) -> bool:
    """Whether a period or a range of days is shorter than what a figure is given for."""
    if isinstance(period, Window):
        return not shortest.fits_into(period)
    order = list(Period)
    return order.index(period) < order.index(shortest)


def finished_figure(wide: ir.Table, figure: Figure) -> Any:
    """A figure of one statistic, from the components ``measure__component`` of wide rows."""
    assert figure.statistic is not None  # noqa: S101 - the caller asked
    parts = {component: wide[f"{figure.measure}__{component}"] for component in NEEDED[figure.statistic]}
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
