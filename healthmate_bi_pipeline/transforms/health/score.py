"""The cardiovascular health score: points per component (Life's Essential 8) and their mean.

HealthMate usually measures fewer than the eight components, so the mean is a partial one and is published with
how many it rests on.
"""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.domain import bands
from healthmate_bi_pipeline.transforms.columns import stepped

_NO = ibis.literal(value=False)


def with_health_score(rows: ir.Table) -> ir.Table:
    """Add the minutes of activity a week, the points of each component, how many there are, and their mean.

    Args:
        rows: figures, components and the person's record, as ``with_named_figures`` has them.
    """
    rows = rows.mutate(activity_minutes_a_week=_activity_minutes(rows))
    points = {
        "activity": stepped(rows.activity_minutes_a_week, bands.ACTIVITY_POINTS),
        "sleep": stepped(rows.avg_sleep_hours, bands.SLEEP_POINTS),
        "bmi": stepped(rows.avg_bmi, bands.BMI_POINTS),
        "blood_pressure": blood_pressure_points(
            rows.avg_blood_pressure_systolic, rows.avg_blood_pressure_diastolic, is_treated=rows.is_bp_treated
        ),
        "glucose": _glucose(rows),
        "lipids": _treated(
            stepped(rows.avg_non_hdl_cholesterol, bands.NON_HDL_POINTS), is_treated=rows.is_lipid_treated
        ),
        "nicotine": ibis.cases(
            *((rows.nicotine_use == use, number) for use, number in bands.NICOTINE_POINTS.items())
        ),
        "diet": stepped(rows.mepa_score, bands.DIET_POINTS),
    }
    named = {f"health_score_{name}": points[name].cast("float64") for name in bands.CARDIOVASCULAR_COMPONENTS}
    scored = rows.mutate(**named)
    given = [scored[name] for name in named]
    available = reduce(add, (value.notnull().cast("int64") for value in given))
    mean = reduce(add, (value.fill_null(0) for value in given)) / available.nullif(0)
    is_enough = available >= bands.LEAST_COMPONENTS
    return scored.mutate(
        health_score_components=available,
        overall_health_score=is_enough.ifelse(mean, ibis.null("float64")),
    )


def blood_pressure_points(systolic: Any, diastolic: Any, *, is_treated: Any) -> Any:
    """Points for a blood pressure: the worse of the two values; null where one is missing."""
    upper, lower = stepped(systolic, bands.SYSTOLIC_POINTS), stepped(diastolic, bands.DIASTOLIC_POINTS)
    worse = (upper.notnull() & lower.notnull()).ifelse(ibis.least(upper, lower), ibis.null("int64"))
    return _treated(worse, is_treated=is_treated)


def _treated(points: Any, *, is_treated: Any) -> Any:
    """Fewer points for a value that drugs have brought about, but not below none."""
    is_lowered = is_treated.fill_null(_NO) & points.notnull()
    return is_lowered.ifelse(ibis.greatest(points - bands.TREATED_DEDUCTION, 0), points)


def _activity_minutes(rows: ir.Table) -> Any:
    """Minutes a week: the mean of the observed days times 7, of a week or longer with enough of them."""
    days = rows.exercise_minutes__days
    moderate = rows.moderate_minutes__total.cast("float64").fill_null(0)
    vigorous = rows.vigorous_minutes__total.cast("float64").fill_null(0)
    weeks = rows.period_end.delta(rows.period_start, unit="day") / 7
    is_observed = (weeks >= 1) & (days >= bands.LEAST_ACTIVE_DAYS_A_WEEK * weeks)
    a_week = (moderate + 2 * vigorous) / days.nullif(0) * 7
    return is_observed.ifelse(a_week, ibis.null("float64"))


def _glucose(rows: ir.Table) -> Any:
    """Points for HbA1c or fasting glucose, the worse of them; with diabetes HbA1c only."""
    fasting = rows.fasting_glucose__total.cast("float64") / rows.fasting_glucose__n.nullif(0)
    of_fasting = stepped(fasting, bands.FASTING_GLUCOSE_POINTS)
    of_hba1c = stepped(rows.avg_hba1c, bands.HBA1C_POINTS)
    is_too_high = (fasting.notnull() & of_fasting.isnull()) | (rows.avg_hba1c.notnull() & of_hba1c.isnull())
    worse = ibis.coalesce(ibis.least(of_fasting, of_hba1c), of_fasting, of_hba1c)
    scoreable = is_too_high.ifelse(ibis.null("int64"), worse)
    with_diabetes = stepped(rows.avg_hba1c, bands.DIABETES_HBA1C_POINTS)
    return rows.has_diabetes.fill_null(_NO).ifelse(with_diabetes, scoreable)
