"""Health figures of persons → what groups of people are made from: with the gates that groups have, and shares."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.domain.bands import ACTIVITY_GUIDELINE, HIGH_PRESSURES, INSUFFICIENT, STEP_DAYS
from healthmate_bi_pipeline.transforms.columns import stepped


def grouped_rows(rows: ir.Table) -> ir.Table:
    """The rows per person as groups count them.

    Steps a day are of those with enough days (``STEP_DAYS``). Of what people are counted by, a person has 1 or 0, or
    null where it cannot be said.

    Args:
        rows: from ``summarize``.
    """
    made = {}
    if "avg_steps_per_day" in rows.columns:
        length = rows.period_end.delta(rows.period_start, unit="day")
        is_enough = rows.days_with_steps >= stepped(length, STEP_DAYS)
        made["avg_steps_per_day"] = is_enough.ifelse(rows.avg_steps_per_day, ibis.null("float64"))
    if "blood_pressure_category" in rows.columns:
        category = rows.blood_pressure_category.nullif(INSUFFICIENT)
        made["stage_2_blood_pressure_share"] = category.isin(HIGH_PRESSURES).cast("float64")
    if "activity_minutes_a_week" in rows.columns:
        is_met = rows.activity_minutes_a_week >= ACTIVITY_GUIDELINE[0]
        made["activity_guideline_share"] = is_met.cast("float64")
    return rows.mutate(**made) if made else rows
