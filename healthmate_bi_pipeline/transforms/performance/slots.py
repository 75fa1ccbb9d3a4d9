"""Five minutes judged: thresholds, burn rates, and the incidents that stretches of broken ones make.

Judged is a service in an environment as a whole. Five minutes without requests are not judged: nobody asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.performance import (
    ALL,
    BREACH,
    BURN,
    BURN_WINDOWS,
    BURNING_BUDGETS,
    ERRORS,
    ERRORS_ALLOWED,
    FAILING_REQUESTS,
    REQUESTS,
    SLOT_MINUTES,
    SLOT_P95,
    SLOTS,
    SLOW,
    SLOW_ONE_IN,
    SLOW_RESPONSES,
    THRESHOLDS,
    TIMED,
    window_name,
)
from healthmate_bi_pipeline.settings import PerformanceSettings
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.performance.requests import SERVICE, level_of

GAP_SLOTS = 2
"""An incident goes on over so many good slots: 10 minutes."""


def judged_slots(states: ir.Table, settings: PerformanceSettings) -> ir.Table:
    """Each five minutes with its counts, its burn rates, and whether it breaks which threshold.

    Args:
        states: the state of five minutes; burn rates look back as far as it reaches.
        settings: what is promised.

    Returns:
        ``SERVICE``, day, hour, ``slot`` (number since 1970), requests, errors, ``burn_<window>``, and per threshold
        ``is_<name>``, ``value_<name>``, ``limit_<name>``; to be stored.
    """
    by = [*SERVICE, "day", "hour", "minute"]
    wide = states.group_by(by).agg(
        **{
            name: states[component].max(where=states.measure == name).fill_null(0)
            for name, component in (
                (REQUESTS.name, "n"), (ERRORS.name, "n"), (TIMED.name, "n"), (SLOW.name, "n"),
                (ERRORS_ALLOWED.name, "total"), (SLOT_P95.name, "high"),
            )
        }
    )  # fmt: skip
    minutes = wide.day.epoch_days().cast("int64") * 1440 + wide.hour * 60 + wide.minute
    numbered = wide.mutate(slot=minutes // SLOT_MINUTES, allowed=wide.errors_allowed.cast("float64"))
    burns = {f"burn_{name}": _burn_rate(numbered, size) for name, size in BURN_WINDOWS.items()}
    asked = {
        f"requests_{name}": numbered[REQUESTS.name].sum().over(_window(size))
        for name, size in BURN_WINDOWS.items()
    }
    rated = numbered.mutate(**burns, **asked)
    return rated.mutate(**_judgements(rated, settings))


def _window(minutes: int) -> Any:
    """The slots of a stretch of time that ends with the slot."""
    return ibis.range_window(
        group_by=list(SERVICE), order_by="slot", preceding=minutes // SLOT_MINUTES - 1, following=0
    )


def _burn_rate(slots: ir.Table, minutes: int) -> Any:
    """Errors of a window divided by those that the objective allows."""
    errors = slots[ERRORS.name].sum().over(_window(minutes)).cast("float64")
    return errors / slots.allowed.sum().over(_window(minutes)).nullif(0)


def _judgements(slots: ir.Table, settings: PerformanceSettings) -> dict[str, Any]:
    is_enough = slots[REQUESTS.name] >= settings.minimum_requests
    timed, rate = slots[TIMED.name], slots[ERRORS.name] / slots[REQUESTS.name]
    limits: dict[str, Any] = {
        SLOW_RESPONSES.name: level_of(slots.service_name, "response_time_ms", settings),
        FAILING_REQUESTS.name: level_of(slots.service_name, "error_rate", settings),
    }
    values: dict[str, Any] = {
        # Where it is broken, the exact percentile is above the limit; the sketch's may be up to 1 % below it.
        SLOW_RESPONSES.name: ibis.greatest(slots[SLOT_P95.name], limits[SLOW_RESPONSES.name]),
        FAILING_REQUESTS.name: rate,
    }
    broken: dict[str, Any] = {
        SLOW_RESPONSES.name: (timed >= settings.minimum_requests) & (slots[SLOW.name] * SLOW_ONE_IN > timed),
        FAILING_REQUESTS.name: is_enough & (rate > limits[FAILING_REQUESTS.name]),
    }
    for threshold in BURNING_BUDGETS:
        alert = threshold.alert
        assert alert is not None  # noqa: S101 - all of these have one
        names = [window_name(int(size.total_seconds()) // 60) for size in (alert.long, alert.short)]
        long, short = (slots[f"burn_{name}"] for name in names)
        is_judged = slots[f"requests_{names[1]}"] >= settings.minimum_requests
        limits[threshold.name] = ibis.literal(alert.limit)
        values[threshold.name] = long
        broken[threshold.name] = is_judged & (long > alert.limit) & (short > alert.limit)
    return {
        f"{kind}_{name}": expression
        for kind, of in (("is", broken), ("value", values), ("limit", limits))
        for name, expression in of.items()
    }


def judged_states(slots: ir.Table, *, first_day: date) -> Iterator[ir.Table]:
    """The parts of the state of hours that judging makes, of services as a whole.

    Args:
        slots: from ``judged_slots``, stored.
        first_day: days before it were there to be looked back at.
    """
    own = slots.filter(slots.day >= ibis.literal(first_day))
    by = [*SERVICE, "day", "hour"]
    hours = own.group_by(by).agg(
        slots=own.count(),
        **{f"n_{t.name}": own[f"is_{t.name}"].cast("int64").sum() for t in THRESHOLDS},
        **{f"high_{t.name}": own[f"value_{t.name}"].max(where=own[f"is_{t.name}"]) for t in THRESHOLDS},
        **{f"burn_{name}": own[f"burn_{name}"].max() for name in BURN_WINDOWS},
    )
    yield _state(hours, by, SLOTS.name, "", n=hours.slots, high=ibis.null("float64"))
    for threshold in THRESHOLDS:
        of = hours.filter(hours[f"n_{threshold.name}"] > 0)
        yield _state(
            of,
            by,
            BREACH.name,
            threshold.name,
            n=of[f"n_{threshold.name}"],
            high=of[f"high_{threshold.name}"],
        )
    for name in BURN_WINDOWS:
        yield _state(hours, by, BURN.name, name, n=hours.slots, high=hours[f"burn_{name}"])


def _state(hours: ir.Table, by: list[str], measure: str, item: str, *, n: Any, high: Any) -> ir.Table:
    nothing = ibis.null("decimal(38, 6)")
    return hours.select(
        *by,
        measure=ibis.literal(measure),
        item=ibis.literal(item),
        n=n.cast("int64"),
        total=nothing,
        total_squared=nothing,
        low=ibis.null("float64"),
        high=high.cast("float64"),
        instance_id=ibis.literal(ALL),
        route_group=ibis.literal(ALL),
    )


def incidents(slots: ir.Table) -> ir.Table:
    """Stretches of broken slots, in the columns of ``bi_performance_incidents``, sorted by key."""
    broken = union_all(
        slots.filter(slots[f"is_{threshold.name}"]).select(
            *SERVICE,
            "slot",
            REQUESTS.name,
            ERRORS.name,
            threshold=ibis.literal(threshold.name),
            unit=ibis.literal(threshold.unit),
            value=slots[f"value_{threshold.name}"].cast("float64"),
            limit_value=slots[f"limit_{threshold.name}"].cast("float64"),
        )
        for threshold in THRESHOLDS
    )
    of_one = [*SERVICE, "threshold"]
    order = ibis.window(group_by=of_one, order_by="slot")
    gap = broken.slot - broken.slot.lag().over(order)
    marked = broken.mutate(is_first=(gap > GAP_SLOTS + 1).fill_null(ibis.literal(value=True)).cast("int64"))
    upto = ibis.cumulative_window(group_by=of_one, order_by="slot")
    numbered = marked.mutate(number=marked.is_first.sum().over(upto))
    found = numbered.group_by([*of_one, "unit", "number"]).agg(
        first_slot=numbered.slot.min(),
        last_slot=numbered.slot.max(),
        broken=numbered.count(),
        worst_value=numbered.value.max(),
        limit_value=numbered.limit_value.max(),
        requests=numbered.requests.sum(),
        errors=numbered.errors.sum(),
    )
    return found.select(
        *SERVICE,
        "threshold",
        started_at=_moment(found.first_slot),
        ended_at=_moment(found.last_slot + 1),
        breach_minutes=found.broken * SLOT_MINUTES,
        worst_value=found.worst_value,
        limit_value=found.limit_value,
        unit=found.unit,
        requests=found.requests.cast("int64"),
        errors=found.errors.cast("int64"),
    ).order_by(*SERVICE, "threshold", "started_at")


def _moment(slot: Any) -> Any:
    """The start of a slot, UTC."""
    return (slot * (SLOT_MINUTES * 60)).as_timestamp("s").cast("timestamp(6)")
