"""Rows that are wrong only beside others: unit slips, swapped blood pressures, days that nobody can have.

Judged after ``conform``, on rows that break no rule by themselves (or only a hard limit: the unit is checked
first, the value second). A suspicion sets a row aside; ``plausibility.repair_slips`` mends it instead.
"""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.datasets import Dataset
from healthmate_bi_pipeline.catalog.readings import (
    BASELINE_METRICS,
    DIASTOLIC,
    METRIC_BY_CODE,
    SLIPS,
    SYSTOLIC,
    Metric,
    Slip,
)
from healthmate_bi_pipeline.domain.time_zones import DISTANT_PAST
from healthmate_bi_pipeline.transforms.columns import EXACT, union_all
from healthmate_bi_pipeline.transforms.raw import KEPT, QUARANTINED

SUSPECTED_UNIT, SUSPECTED_SWAP, IMPOSSIBLE_DAY = "suspected_unit", "suspected_swap", "impossible_day"
_IMPOSSIBLE_VALUE = "impossible_value:value"
_PARTING_MMHG = 100.0
_PLACE = ("file_number", "row_number")


def reading_baselines(staged: ir.Table, units: ir.Table) -> ir.Table:
    """What is usual for each person: the median of a month's values inside the hard limits.

    Args:
        staged: staged readings of whole months.
        units: ``conform.unit_table``.

    Returns:
        user_id, metric, median (in the kept unit), month.
    """
    is_value = staged.user_id.notnull() & staged.value.notnull() & ~_is_true(staged.is_deleted)
    rows = staged.filter(is_value & staged.metric.lower().isin(BASELINE_METRICS)).select(
        "user_id", "day", "value", metric=staged.metric.lower(), spelling=staged.unit.lower().fill_null("")
    )
    joined = rows.join(units, [rows.metric == units.metric, rows.spelling == units.unit])
    kept = joined.value * joined.factor + joined.shift
    inside = joined.mutate(kept=kept, month=joined.day.truncate("M")).filter(
        lambda t: t.kept.between(t.hard_low, t.hard_high)
    )
    return inside.group_by(["user_id", "metric", "month"]).agg(median=inside.kept.median())


def suspected_rows(judged: ir.Table, baselines: ir.Table) -> ir.Table:
    """Readings in which a slip is suspected.

    Args:
        judged: judged readings.
        baselines: ``reading_baselines`` of the months before.

    Returns:
        file_number, row_number, ``suspicion`` (the rule), ``mended`` (the value that was probably meant, in the
        kept unit; null where nothing plain can be), ``is_implausible`` of that.
    """
    slips = [_slipped(judged, slip, baselines) for slip in SLIPS]
    return union_all([*slips, _swapped(judged)])


def with_suspicions(judged: ir.Table, found: ir.Table, *, repair: bool) -> ir.Table:
    """The judged readings, those with a suspicion set aside or, where that can be done, mended."""
    rows = judged.left_join(found, _PLACE, rname="{name}_found")
    is_mended = rows.mended.notnull() & rows.suspicion.notnull() if repair else ibis.literal(value=False)
    changed = {
        "rule": is_mended.ifelse(ibis.null("string"), ibis.coalesce(rows.suspicion, rows.rule)),
        "kept_value": is_mended.ifelse(rows.mended, rows.kept_value),
        "is_implausible": is_mended.ifelse(rows.is_implausible_found, rows.is_implausible),
        "is_repaired": is_mended,
    }
    return rows.select(**{name: changed.get(name, rows[name]) for name in judged.columns})


def impossible_days(classified: ir.Table, dataset: Dataset) -> ir.Table:
    """The days of a person and source on which the kept rows add up to more than a day can have.

    Rows count on the day that they belong to, as a whole, so that a day is judged alike whatever other days
    are made with it. A device's daily totals are judged apart from its stretches.

    Returns:
        The columns that name such a day, and ``suspicion`` (the rule).
    """
    by = _day_key(dataset)
    kept = _with_total_flag(classified.filter(classified.booked_as == KEPT), dataset)
    sums = kept.group_by(by).agg(
        **{name: kept[name].cast(EXACT).sum().fill_null(0) for name, _ in dataset.day_limits}
    )
    rules = [(sums[name] > limit, f"{IMPOSSIBLE_DAY}:{name}") for name, limit in dataset.day_limits]
    judged = sums.select(*by, suspicion=ibis.cases(*rules, else_=ibis.null("string")))
    return judged.filter(judged.suspicion.notnull())


def with_impossible_days(classified: ir.Table, days: ir.Table, dataset: Dataset) -> ir.Table:
    """The classified rows, those that were kept on such days set aside."""
    by = _day_key(dataset)
    flagged = _with_total_flag(classified, dataset)
    rows = flagged.left_join(days, by, rname="{name}_found")
    is_bad = (rows.booked_as == KEPT) & rows.suspicion.notnull()
    changed = {
        "rule": is_bad.ifelse(rows.suspicion, rows.rule),
        "booked_as": is_bad.ifelse(QUARANTINED, rows.booked_as),
    }
    return rows.select(**{name: changed.get(name, rows[name]) for name in classified.columns})


def _day_key(dataset: Dataset) -> list[str]:
    has_totals = any(field.name == "is_daily_total" for field in dataset.fields)
    return ["user_id", "source", "own_day", *(["is_daily_total"] if has_totals else [])]


def _with_total_flag(rows: ir.Table, dataset: Dataset) -> ir.Table:
    if "is_daily_total" not in _day_key(dataset):
        return rows
    return rows.mutate(is_daily_total=_is_true(rows.is_daily_total))


def _is_true(flag: Any) -> Any:
    return flag.fill_null(ibis.literal(value=False))


def _values(judged: ir.Table, *metrics: str) -> ir.Table:
    """Rows that carry a value of some metrics and break no rule, or only the hard limits."""
    is_open = judged.rule.isnull() | (judged.rule == _IMPOSSIBLE_VALUE)
    return judged.filter(judged.metric.isin(metrics) & is_open & ~_is_true(judged.is_deleted))


def _found(rows: ir.Table, metric: Metric, *, suspicion: str, mended: Any) -> ir.Table:
    low, high = metric.hard
    possible = mended.between(low, high).ifelse(mended, ibis.null("float64"))
    return rows.select(
        *_PLACE,
        suspicion=ibis.literal(f"{suspicion}:value"),
        mended=possible,
        is_implausible=~possible.between(*metric.soft).fill_null(ibis.literal(value=True)),
    )


def _slipped(judged: ir.Table, slip: Slip, baselines: ir.Table) -> ir.Table:
    """Values that were declared in the kept unit and look as if they were in another."""
    metric = METRIC_BY_CODE[slip.metric]
    rows = _values(judged, slip.metric)
    same = [unit.spelling.lower() for unit in metric.units if (unit.factor, unit.offset) == (1.0, 0.0)]
    rows = rows.filter(rows.unit.lower().isin(same))
    if slip.values is not None:
        rows = rows.filter(rows.value.between(*slip.values))
    if slip.needs_baseline:
        usual = baselines.filter(baselines.metric == slip.metric).select(
            "user_id", "median", shown_month=baselines.month + ibis.interval(months=1)
        )
        dated = rows.mutate(own_month=rows.own_day.truncate("M"))
        rows = dated.join(
            usual, [dated.user_id == usual.user_id, dated.own_month == usual.shown_month.cast("date")]
        )
    if slip.median_above is not None:
        rows = rows.filter(rows.median > slip.median_above)
    if slip.times_median is not None:
        rows = rows.filter((rows.value / (rows.median * slip.times_median) - 1).abs() <= slip.within)
    mended = rows.value * slip.meant.factor + slip.meant.offset
    return _found(rows, metric, suspicion=SUSPECTED_UNIT, mended=mended)


def _swapped(judged: ir.Table) -> ir.Table:
    """Both rows of a blood pressure whose systolic value is not above the diastolic one.

    Rows of one reading may come in several versions and files; each is compared with the one that it came
    with, else with the latest before it, else with the first after it. So a correction that makes no sense is
    set aside by itself and does not take the good reading before it away.
    """
    values = _values(judged, SYSTOLIC, DIASTOLIC)
    reading = ["user_id", "source", "_id", "_at"]
    rows = values.filter(values.rule.isnull()).select(
        *_PLACE,
        "user_id",
        "source",
        "metric",
        value="kept_value",
        _id=values.reading_id.fill_null(""),
        _at=values.reading_id.isnull().ifelse(
            values.recorded_at, ibis.literal(DISTANT_PAST).cast("timestamp(6)")
        ),
        _updated=ibis.coalesce(values.updated_at, values.local_updated_at).fill_null(
            ibis.literal(DISTANT_PAST).cast("timestamp(6)")
        ),
    )
    # Whatever the parting value, a swapped pair has its systolic value below it or its diastolic one above.
    is_systolic, is_low = rows.metric == SYSTOLIC, rows.value < _PARTING_MMHG
    doubtful = rows.semi_join(rows.filter(is_systolic == is_low), reading)
    extremes = doubtful.group_by(reading).agg(
        lowest=doubtful.value.min(where=doubtful.metric == SYSTOLIC),
        highest=doubtful.value.max(where=doubtful.metric == DIASTOLIC),
    )
    suspects = doubtful.semi_join(extremes.filter(ibis._.lowest <= ibis._.highest), reading)
    within = ibis.window(group_by=reading, order_by=["_updated", "file_number"])
    alike = ibis.window(group_by=[*reading, "metric", "_updated", "file_number"], order_by="row_number")
    placed = suspects.mutate(delivery=ibis.dense_rank().over(within), turn=ibis.row_number().over(alike))
    return _mismatched(placed, reading)


def _mismatched(placed: ir.Table, reading: list[str]) -> ir.Table:
    """The rows that do not go with the row of the other metric that they came with."""
    partners = placed.select(
        *reading,
        partner_metric="metric",
        partner_value="value",
        partner_delivery="delivery",
        partner_turn="turn",
        partner_row="row_number",
    )
    pairs = placed.join(partners, reading).filter(lambda t: t.metric != t.partner_metric)
    apart = pairs.delivery - pairs.partner_delivery
    nearest = ibis.window(
        group_by=list(_PLACE),
        order_by=[
            ibis.cases((apart == 0, 0), (apart > 0, 1), else_=2),
            apart.abs(),
            (pairs.turn - pairs.partner_turn).abs(),
            ibis.desc(pairs.partner_row),
        ],
    )
    chosen = pairs.mutate(_place=ibis.row_number().over(nearest)).filter(lambda t: t["_place"] == 0)
    rise = (chosen.value - chosen.partner_value) * (chosen.metric == SYSTOLIC).ifelse(1, -1)
    # Equal values are no swap that could be undone; nor are rows that came alone.
    can_mend = (rise < 0) & (chosen.delivery == chosen.partner_delivery)
    wrong = chosen.mutate(_mended=can_mend.ifelse(chosen.partner_value, ibis.null("float64"))).filter(
        rise <= 0
    )
    return union_all(
        _found(of_metric, METRIC_BY_CODE[metric], suspicion=SUSPECTED_SWAP, mended=of_metric["_mended"])
        for metric in (SYSTOLIC, DIASTOLIC)
        for of_metric in (wrong.filter(wrong.metric == metric),)
    )
