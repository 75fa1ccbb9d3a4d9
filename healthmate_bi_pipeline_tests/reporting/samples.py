"""Inputs of reports for the tests: seeded people, whose own figures are known here and must not come out."""

import random
from datetime import datetime, timedelta

from healthmate_bi_pipeline.catalog.health_groups import FIGURE_BY_NAME, GROUPED_FIGURES
from healthmate_bi_pipeline.catalog.reports import HEALTH_SUMMARY
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.document import RANGE, Insight, Recommendation, Stamp, Tone, Urgency
from healthmate_bi_pipeline.reporting.health_summary.inputs import HealthSummaryInputs
from healthmate_bi_pipeline.reporting.inputs import (
    DatasetQuality,
    GroupFigure,
    TrendPoint,
)
from healthmate_bi_pipeline.settings import ReportSettings

CENTRES = {
    "avg_blood_pressure_systolic": (127.0, 12.0),
    "avg_blood_pressure_diastolic": (81.0, 8.0),
    "stage_2_blood_pressure_share": (0.3, 0.0),
    "blood_pressure_category": (2.0, 1.2),
    "blood_pressure_share_normal": (0.3, 0.2),
    "blood_pressure_share_elevated": (0.2, 0.1),
    "blood_pressure_share_stage_1": (0.3, 0.1),
    "blood_pressure_share_stage_2": (0.2, 0.1),
    "blood_pressure_share_severe": (0.01, 0.01),
    "days_with_steps": (21.0, 5.0),
    "cgm_readings": (4000.0, 900.0),
    "cgm_time_in_range": (0.7, 0.1),
    "activity_minutes_a_week": (190.0, 90.0),
    "activity_guideline_share": (0.6, 0.0),
    "avg_heart_rate": (74.0, 9.0),
    "resting_heart_rate": (61.0, 8.0),
    "avg_weight": (78.2, 12.0),
    "avg_bmi": (26.4, 4.0),
    "avg_blood_sugar": (104.0, 25.0),
    "avg_temperature": (36.7, 0.3),
    "avg_oxygen_saturation": (97.0, 1.2),
    "avg_steps_per_day": (7400.0, 2900.0),
    "avg_calories_burned_per_day": (2240.0, 400.0),
    "avg_exercise_minutes_per_day": (31.0, 18.0),
    "avg_sleep_hours": (6.9, 0.9),
    "sleep_quality_score": (88.5, 5.0),
    "blood_sugar_in_range": (0.7, 0.1),
    "avg_hba1c": (6.1, 0.6),
    "sleep_regularity_index": (78.0, 8.0),
    "medication_adherence_rate": (0.8, 0.08),
    "total_symptoms_logged": (4.0, 2.0),
    "avg_symptom_severity": (3.5, 1.5),
    "overall_health_score": (68.0, 11.0),
    "health_score_components": (4.0, 1.0),
    "data_accuracy": (0.97, 0.01),
}
AN_INSIGHT = Insight(
    insight_id="shift-avg_heart_rate",
    text="It rose.",
    rule="shift",
    standard="XmR",
    figures=("avg_heart_rate",),
    subject="",
    tone=Tone.WORSE,
    statistic="points on one side",
    statistic_value=8,
    estimate=2.1,
    low=1.0,
    high=3.2,
    p_value=0.001,
    adjusted_p=0.02,
    people=240,
    points=28,
    effect=1.3,
    as_of=datetime(2026, 4, 4, 5, 12),
)
A_RECOMMENDATION = Recommendation(
    "r1", "Ask why.", "clinical lead", Urgency.THIS_WEEK, (AN_INSIGHT.insight_id,), "A guideline"
)
STAMP = Stamp("report-1", 1, datetime(2026, 4, 4, 5, 30), "a schedule")
MARCH = Period.MONTHLY.window(datetime(2026, 3, 5))
GROUPS = ReportSettings()
PERSONAL = ReportSettings(audience="personal")


def group(figure, values):
    """The group whose people have these figures."""
    bounds = FIGURE_BY_NAME[figure].bands
    bands = [0] * len(bounds)
    for value in values:
        if bounds:
            bands[max(number for number, bound in enumerate(bounds) if value >= bound)] += 1
    if not values:
        return GroupFigure(figure, 0, band_people=tuple(bands))
    mean = sum(values) / len(values)
    return GroupFigure(figure, len(values), mean, min(values), max(values), tuple(bands))


def groups(people, *, seed=0, shift=0.0, figures=GROUPED_FIGURES):
    """Every figure for so many people."""
    rng = random.Random(seed)
    made = {}
    for figure in figures:
        centre, spread = CENTRES[figure]
        made[figure] = group(
            figure, [max(0.0, rng.gauss(centre + shift * spread, spread)) for _ in range(people)]
        )
    return made


def trend(window, *, people, period=Period.DAILY, seed=0, figures=GROUPED_FIGURES):
    """A point for every short period of a window."""
    rng = random.Random(seed)
    return [
        TrendPoint(
            short.start,
            {
                figure: GroupFigure(
                    figure,
                    people,
                    CENTRES[figure][0] + rng.gauss(0, CENTRES[figure][1] / 5),
                    deviation=CENTRES[figure][1],
                )
                for figure in figures
            },
        )
        for short in period.windows(window)
    ]


def quality(**changes):
    """What became of one dataset's rows."""
    values = {
        "dataset": "health_readings",
        "staged": 84_213,
        "kept": 83_907,
        "duplicates": 183,
        "superseded": 0,
        "quarantined": 123,
        "quarantined_by_rule": {"impossible_value:value": 70, "unknown_unit:unit": 53},
        "files": 12,
    }
    return DatasetQuality(**(values | changes))


def inputs(people=240, *, cadence="monthly", settings=GROUPS, **changes):
    """Inputs of a health summary; ``changes`` replace fields."""
    window = changes.pop("window", None) or Period(cadence).window(datetime(2026, 3, 5))
    before = (
        Period(cadence).previous(window.start)
        if cadence != RANGE
        else window.start - timedelta(days=window.days)
    )
    values = {
        "report_type": HEALTH_SUMMARY,
        "cadence": cadence,
        "window": window,
        "settings": settings,
        "as_of": datetime(2026, 4, 4, 5, 12),
        "is_complete": True,
        "people": people,
        "current": groups(people, seed=1) if people else {},
        "previous_window": Window(before, window.start),
        "previous": groups(people, seed=2, shift=-0.1) if people else {},
        "trend_period": Period.DAILY,
        "trend": trend(window, people=people) if people else [],
        "quality": [quality()] if people else [],
        "input_versions": {"bi_health_groups": 2**62 + 1},
    }
    return HealthSummaryInputs(**(values | changes))
