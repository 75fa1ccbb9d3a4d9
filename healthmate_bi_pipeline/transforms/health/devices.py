"""How the readings of each device changed from one month to the next, each person held against themself."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.transforms.columns import EXACT

_OF_PERSON = ["user_id", "metric", "source"]
_GROUP = ["month", "metric"]
_SUM = "decimal(38, 6)"


def device_readings(readings: ir.Table, *, metrics: Collection[str]) -> ir.Table:
    """How many readings each person has per month, metric and device, and their sum: rows of ``state/device_readings``.

    Args:
        readings: raw readings of whole months.
        metrics: which are looked at.
    """
    rows = readings.filter(readings.metric.isin(sorted(metrics)))
    return rows.group_by([*_OF_PERSON, rows.day.truncate("M").cast("date").name("month")]).agg(
        readings=rows.count().cast("int64"), total=rows.value.cast(EXACT).sum().cast(_SUM)
    )


def paired_changes(months: ir.Table, *, least: int) -> ir.Table:
    """The change of each person's mean since the month before, per device.

    Args:
        months: rows of ``state/device_readings``, of whole months.
        least: readings that a person needs in each of both months, of one device and metric.

    Returns:
        user_id, metric, source, month (its first day, the later one), change (in the metric's unit). Of the first of
        the months there are none.
    """
    enough = months.filter(months.readings >= least)
    means = enough.select(*_OF_PERSON, "month", mean=enough.total.cast("float64") / enough.readings)
    next_month = (means.month + ibis.interval(months=1)).cast("date")
    before = means.select(*_OF_PERSON, month=next_month, before=means["mean"])
    joined = means.join(before, [*_OF_PERSON, "month"])
    return joined.select(*_OF_PERSON, "month", change=joined["mean"] - joined.before)


def device_changes(changes: ir.Table) -> ir.Table:
    """Counts and sums of the changes, per device and of the people who have only others.

    The others are everybody without the people of the device, each with the mean over their own devices, so that
    everyone counts once and nobody stands on both sides.

    Args:
        changes: from ``paired_changes``, stored.

    Returns:
        Rows of ``bi_device_changes``, in the order of its key.
    """
    people = changes.group_by([*_GROUP, "user_id"]).agg(
        mean=changes.change.cast(EXACT).sum().cast("float64") / changes.count()
    )
    everyone = people.group_by(_GROUP).agg(**_moments(people["mean"], "all_"))
    by = [*_GROUP, "source"]
    with_mean = changes.join(people, [*_GROUP, "user_id"])
    own = with_mean.group_by(by).agg(**_moments(with_mean.change), **_moments(with_mean["mean"], "own_"))
    joined = own.join(everyone, _GROUP)
    other_people = joined.all_people - joined.own_people

    def of_others(name: str) -> Any:
        return (other_people > 0).ifelse(
            (joined[f"all_{name}"] - joined[f"own_{name}"]).cast("float64"), None
        )

    return joined.select(
        *by,
        "people",
        total=joined.total.cast("float64"),
        total_squared=joined.total_squared.cast("float64"),
        other_people=other_people,
        other_total=of_others("total"),
        other_total_squared=of_others("total_squared"),
    ).order_by(by)


def _moments(value: Any, prefix: str = "") -> dict[str, Any]:
    """How many there are, their sum and that of their squares; fixed-point, so that differences are exact."""
    return {
        f"{prefix}people": value.count().cast("int64"),
        f"{prefix}total": value.cast(EXACT).sum().cast(_SUM),
        f"{prefix}total_squared": (value * value).cast("decimal(30, 6)").sum().cast(_SUM),
    }
