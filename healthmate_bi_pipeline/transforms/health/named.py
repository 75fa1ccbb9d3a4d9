"""Figures that are more than a statistic of one measure: categories, bands, adherence, symptoms, regularity."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.health_groups import PRESSURE_SHARES
from healthmate_bi_pipeline.catalog.measures import (
    BLOOD_PRESSURE_CATEGORY,
    CGM_BAND,
    GLUCOSE_BAND,
    MEDICATION_FILL,
    SYMPTOM,
)
from healthmate_bi_pipeline.domain.bands import (
    CGM_VALUES_A_DAY,
    GMI_INTERCEPT,
    GMI_SLOPE,
    IN_RANGE,
    INSUFFICIENT,
    LEAST_CGM_DAYS,
    LEAST_CGM_SHARE,
    LEAST_PRESSURE_DAYS,
    LEAST_PRESSURES,
)
from healthmate_bi_pipeline.transforms.health.categories import pressure_category
from healthmate_bi_pipeline.transforms.health.medication import days_covered
from healthmate_bi_pipeline.transforms.health.score import with_health_score

LEAST_SLEEP_PAIRS = 6
"""Seven nights in a row (Phillips 2017)."""

_MINUTES_A_DAY = 1_440
_LONG_DAYS = 28  # a month or longer

NEEDED_BY_NAME: tuple[tuple[str, str], ...] = (
    ("blood_pressure_systolic", "n"),
    ("blood_pressure_systolic", "days"),
    ("blood_pressure_diastolic", "n"),
    ("blood_pressure_diastolic", "days"),
    ("fasting_glucose", "total"),
    ("fasting_glucose", "n"),
    ("cgm_glucose", "total"),
    ("cgm_glucose", "n"),
    ("cgm_glucose", "days"),
    ("moderate_minutes", "total"),
    ("vigorous_minutes", "total"),
    ("exercise_minutes", "days"),
    ("sleep_timed_minutes", "total"),
    ("in_bed_minutes", "total"),
    ("sleep_agreement", "total"),
    ("sleep_agreement", "n"),
    ("doses_unlogged", "total"),
)
"""Components of merged state that the figures of this module and of ``score`` need."""


_USED_FIGURES = (
    "avg_blood_pressure_systolic",
    "avg_blood_pressure_diastolic",
    "avg_blood_sugar",
    "sd_blood_sugar",
    "avg_hba1c",
    "avg_non_hdl_cholesterol",
    "avg_weight",
    "avg_sleep_hours",
    "total_medications_scheduled",
    "total_medications_taken",
    "cgm_in_range",
)


def itemized_figures(
    merged: ir.Table, measures: Collection[str], *, complete_before: Any
) -> Iterator[ir.Table]:
    """The figures that come from the items of sets, for the measures that occur; by user_id and period_start.

    Args:
        merged: the merged state, with ``period_end``.
        measures: the measures that occur in it.
        complete_before: days covered are counted in periods that end by then: those of others have not all come.
    """
    if BLOOD_PRESSURE_CATEGORY.name in measures:
        yield (
            item_shares(merged, BLOOD_PRESSURE_CATEGORY.name)
            .rename(blood_pressures="total", blood_pressure_category_shares="shares")
            .drop("share")
        )
        yield _pressure_shares(merged)
    if GLUCOSE_BAND.name in measures:
        yield (
            item_shares(merged, GLUCOSE_BAND.name, of=IN_RANGE)
            .rename(blood_sugar_in_range="share", blood_sugar_band_shares="shares")
            .drop("total")
        )
    if CGM_BAND.name in measures:
        yield (
            item_shares(merged, CGM_BAND.name, of=IN_RANGE)
            .rename(cgm_in_range="share")
            .drop("total", "shares")
        )
    if SYMPTOM.name in measures:
        yield symptom_frequencies(merged)
    if MEDICATION_FILL.name in measures:
        fills = merged.filter(
            (merged.measure == MEDICATION_FILL.name) & (merged.period_end <= complete_before)
        )
        yield days_covered(fills)


def with_named_figures(rows: ir.Table) -> ir.Table:
    """Add the figures that are made by name from others.

    Args:
        rows: one row per person and period: figures, ``itemized_figures``, components and what is known of the
            person; what does not occur may be missing.
    """
    needed = [f"{measure}__{component}" for measure, component in NEEDED_BY_NAME]
    absent = [name for name in (*needed, *_USED_FIGURES) if name not in rows.columns]
    if absent:
        rows = rows.mutate(**{name: ibis.null("float64") for name in absent})
    return with_health_score(rows.mutate(**_simple_figures(rows)))


def _number(value: Any) -> Any:
    return value.cast("float64")


def _simple_figures(rows: ir.Table) -> dict[str, Any]:
    """Figures that are an expression of other figures and components of the row."""
    scheduled = _number(rows.total_medications_scheduled).nullif(0)
    taken, unlogged = _number(rows.total_medications_taken), _number(rows.doses_unlogged__total)
    pairs = _number(rows.sleep_agreement__n)
    agreeing = _number(rows.sleep_agreement__total) / (_MINUTES_A_DAY * pairs.nullif(0))
    cgm_mean = _number(rows.cgm_glucose__total) / _number(rows.cgm_glucose__n).nullif(0)
    nothing = ibis.null("float64")
    return {
        "data_accuracy": (rows.readings - rows.implausible_readings) / rows.readings.nullif(0),
        "avg_bmi": _number(rows.avg_weight) / (rows.height_cm / 100) ** 2,
        "sleep_quality_score": 100
        * _number(rows.sleep_timed_minutes__total)
        / _number(rows.in_bed_minutes__total).nullif(0),
        "sleep_regularity_index": (pairs >= LEAST_SLEEP_PAIRS).ifelse(-100 + 200 * agreeing, nothing),
        "medication_adherence_rate": taken / scheduled,
        "medication_adherence_upper_bound": (taken + unlogged) / scheduled,
        "cv_blood_sugar": 100 * _number(rows.sd_blood_sugar) / _number(rows.avg_blood_sugar).nullif(0),
        "glucose_management_indicator": _is_enough_cgm(rows).ifelse(
            GMI_INTERCEPT + GMI_SLOPE * cgm_mean, nothing
        ),
        "cgm_time_in_range": _is_enough_cgm(rows).ifelse(rows.cgm_in_range, nothing),
        "blood_pressure_category": _category_of_mean(rows),
    }


def _is_enough_cgm(rows: ir.Table) -> Any:
    """Whether the continuous glucose values stand for the period (Battelino 2019)."""
    days = rows.cgm_glucose__days
    is_long = rows.period_end.delta(rows.period_start, unit="day") >= _LONG_DAYS
    is_dense = rows.cgm_glucose__n >= LEAST_CGM_SHARE * CGM_VALUES_A_DAY * days
    return (is_dense & (~is_long | (days >= LEAST_CGM_DAYS))).fill_null(ibis.literal(value=False))


def _category_of_mean(rows: ir.Table) -> Any:
    """The category of the mean blood pressure, if enough readings on enough days stand behind it."""
    upper, lower = _number(rows.avg_blood_pressure_systolic), _number(rows.avg_blood_pressure_diastolic)
    readings = ibis.least(rows.blood_pressure_systolic__n, rows.blood_pressure_diastolic__n)
    days = ibis.least(rows.blood_pressure_systolic__days, rows.blood_pressure_diastolic__days)
    is_enough = (readings >= LEAST_PRESSURES) & (days >= LEAST_PRESSURE_DAYS)
    category = pressure_category(upper, lower)
    return (category.isnull() | is_enough).ifelse(category, INSUFFICIENT)


def item_shares(merged: ir.Table, measure: str, *, of: str | None = None) -> ir.Table:
    """What share of the values each item has, per person and period.

    Args:
        merged: merged state.
        measure: one that has items.
        of: an item whose share is wanted by itself, as ``share``.

    Returns:
        user_id, period_start, ``total``, ``shares`` (a JSON object, items by name), ``share``.
    """
    items = merged.filter(merged.measure == measure)
    counted = items.group_by(["user_id", "period_start"]).agg(
        total=items.n.sum(),
        counts=_collected(items.item, items.n),
        of_item=ibis.null("int64") if of is None else items.n.sum(where=items.item == of).fill_null(0),
    )
    total = _number(counted.total)
    return counted.select(
        "user_id",
        "period_start",
        "total",
        shares=_json_object(counted.counts, lambda n: _number(n) / total),
        share=_number(counted.of_item) / total,
    )


def _pressure_shares(merged: ir.Table) -> ir.Table:
    """What share of the blood pressures each category has, per person and period: a column per category."""
    items = merged.filter(merged.measure == BLOOD_PRESSURE_CATEGORY.name)
    total = _number(items.n.sum())
    return items.group_by(["user_id", "period_start"]).agg(
        **{
            figure: _number(items.n.sum(where=items.item == category).fill_null(0)) / total
            for category, figure in PRESSURE_SHARES.items()
        }
    )


def symptom_frequencies(merged: ir.Table) -> ir.Table:
    """How often each symptom was logged, per person and period: most_common_symptom, symptom_frequency."""
    logs = merged.filter(merged.measure == SYMPTOM.name)
    counts = logs.mutate(count=ibis.struct({"logs": logs.n, "days": logs.days}))
    collected = counts.group_by(["user_id", "period_start"]).agg(
        most_common_symptom=counts.item.first(order_by=[ibis.desc(counts.n), counts.item]),
        counts=_collected(counts.item, counts["count"]),
    )
    return collected.mutate(symptom_frequency=_json_object(collected.counts)).drop("counts")


def _collected(names: Any, values: Any) -> Any:
    """A group's names and values, in any order: collecting in order costs the engine twenty times as much."""
    return ibis.struct({"name": names, "value": values}).collect()


def _json_object(collected: Any, finish: Callable[[Any], Any] = lambda value: value) -> Any:
    """What ``_collected`` gave, as the text of a JSON object in the order of the names."""
    ordered = collected.sort()
    names, values = ordered.map(lambda one: one["name"]), ordered.map(lambda one: finish(one["value"]))
    return ibis.map(names, values).cast("json").cast("string")
