"""Readings sorted into published categories: blood pressure, bands of glucose, fasting and continuous glucose."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.measures import (
    BLOOD_PRESSURE_CATEGORY,
    CGM_BAND,
    CGM_GLUCOSE,
    FASTING_GLUCOSE,
    GLUCOSE_BAND,
)
from healthmate_bi_pipeline.domain.bands import GLUCOSE_BANDS, PRESSURE_CATEGORIES
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.health.choosing import counted_readings
from healthmate_bi_pipeline.transforms.state import value_components

SYSTOLIC, DIASTOLIC, GLUCOSE = "blood_pressure_systolic", "blood_pressure_diastolic", "blood_glucose"
_SLOT = ["user_id", "day", "hour"]


def category_states(readings: ir.Table, ranks: ir.Table, *, crowded: ir.Table | None) -> ir.Table:
    """States of the categories of readings, per person, day, hour, measure and item.

    Args:
        readings: rows of ``raw/health_readings``.
        ranks: ``source`` and ``source_rank`` for every source that occurs.
        crowded: the slots of person, metric, day and hour that several sources made; ``None``: there are none.
    """
    sorted_ones = readings.filter(readings.metric.isin([SYSTOLIC, DIASTOLIC, GLUCOSE]))
    hourly = sorted_ones.mutate(hour=sorted_ones.local_recorded_at.hour().cast("int64"))
    counted = counted_readings(hourly, ranks, crowded=crowded, slot=["user_id", "metric", "day", "hour"])
    counted = counted.join(ranks, "source")
    glucose = counted.filter(counted.metric == GLUCOSE)
    is_continuous = (glucose.context == "cgm").fill_null(ibis.literal(value=False))
    values = (
        _values(glucose.filter(glucose.context == "fasting"), FASTING_GLUCOSE.name),
        _values(glucose.filter(is_continuous), CGM_GLUCOSE.name),
    )
    paired = pressures(counted)
    banded = glucose.mutate(item=glucose_band(glucose.value))
    items = (
        _items(
            paired.mutate(item=pressure_category(paired.systolic, paired.diastolic)),
            BLOOD_PRESSURE_CATEGORY.name,
        ),
        _items(banded.filter(~is_continuous), GLUCOSE_BAND.name),
        _items(banded.filter(is_continuous), CGM_BAND.name),
    )
    names = [*_SLOT, "measure", "item", "n", "source_rank"]
    empty = {name: ibis.null("decimal(38, 6)") for name in ("total", "total_squared")}
    empty |= {name: ibis.null("float64") for name in ("low", "high")}
    return union_all(
        (*values, *(part.select(*names).mutate(**empty).select(*values[0].columns) for part in items))
    )


def pressures(readings: ir.Table) -> ir.Table:
    """Blood pressures: the systolic and the diastolic reading of one person, source and measurement.

    A reading without its other half has none.
    """
    # Where the source does not number its measurements, what was recorded at the same moment is one.
    named = readings.mutate(measurement=readings.reading_id.fill_null(readings.recorded_at.cast("string")))
    key = ["user_id", "source", "measurement"]
    upper = named.filter(named.metric == SYSTOLIC).mutate(systolic=ibis._.value)
    lower = named.filter(named.metric == DIASTOLIC).select(*key, diastolic="value")
    return upper.join(lower, key)


def pressure_category(systolic: Any, diastolic: Any) -> Any:
    """The category of a blood pressure (AHA/ACC 2017), null where one of the values is missing."""
    bounds = [
        (
            systolic >= category.systolic
            if category.diastolic is None
            else (systolic >= category.systolic) | (diastolic >= category.diastolic),
            category.name,
        )
        for category in PRESSURE_CATEGORIES
    ]
    return (systolic.notnull() & diastolic.notnull()).ifelse(ibis.cases(*bounds), ibis.null("string"))


def glucose_band(value: Any) -> Any:
    """The band of a glucose value in whole mg/dL (Battelino 2019)."""
    whole = value.round(0)  # 10.0 mmol/L are 180.18 mg/dL, and in range
    return ibis.cases(*((whole >= low, name) for name, low in reversed(GLUCOSE_BANDS)))


def _values(readings: ir.Table, measure: str) -> ir.Table:
    return (
        readings.group_by(_SLOT)
        .agg(**value_components(readings.value), source_rank=readings.source_rank.min())
        .mutate(measure=ibis.literal(measure), item=ibis.literal(""))
    )


def _items(readings: ir.Table, measure: str) -> ir.Table:
    return (
        readings.group_by([*_SLOT, "item"])
        .agg(n=readings.count(), source_rank=readings.source_rank.min())
        .mutate(measure=ibis.literal(measure))
    )
