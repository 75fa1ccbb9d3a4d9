"""What groups of people are described by: figures of the health family, and those that only groups have.

A group figure is the mean over people of their own figure, with the numbers of people in its bands; a figure of
``CATEGORIES`` is a text, has no mean, and its bands are its categories.
"""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.figures import Figure, GroupOnlyFigure
from healthmate_bi_pipeline.catalog.health import HEALTH_FIGURES
from healthmate_bi_pipeline.domain.bands import (
    ABOVE_GUIDELINE,
    ACTIVITY_GUIDELINE,
    LEAST_ACTIVE_DAYS_A_WEEK,
    PRESSURE_BANDS,
    PRESSURE_CATEGORIES,
)
from healthmate_bi_pipeline.domain.period import Period

_AHA_2017 = "AHA/ACC 2017, Whelton 2018, Hypertension 71:e13"
_WHO_2020 = "WHO 2020, guidelines on physical activity; Bull 2020, Br J Sports Med 54:1451"

CATEGORIES: dict[str, tuple[str, ...]] = {"blood_pressure_category": PRESSURE_BANDS}
"""Figures that are texts: the number of a band is the place of the text."""

PRESSURE_SHARES = {
    category.name: f"blood_pressure_share_{category.name}" for category in reversed(PRESSURE_CATEGORIES)
}
"""Category of a blood pressure -> the figure that is its share of the blood pressures."""

HEALTH_GROUP_FIGURES: tuple[GroupOnlyFigure, ...] = (
    GroupOnlyFigure(
        "stage_2_blood_pressure_share", Type.NUMBER,
        "Share of people whose blood_pressure_category is stage_2 or severe, of those who have a category;"
        " 'insufficient' is none.",
        "1", source=_AHA_2017, shortest=Period.WEEKLY, is_share_of_people=True,
    ),
    *(
        GroupOnlyFigure(
            figure, Type.NUMBER, f"Share of a person's blood pressures that are {category.replace('_', ' ')}.", "1",
            source=_AHA_2017, shortest=Period.DAILY,
        )
        for category, figure in PRESSURE_SHARES.items()
    ),
    GroupOnlyFigure(
        "activity_minutes_a_week", Type.NUMBER,
        "Moderate minutes + 2 x vigorous minutes: mean of the observed days x 7, with at least"
        f" {LEAST_ACTIVE_DAYS_A_WEEK} observed days a week on average.",
        "min", source=_WHO_2020, shortest=Period.WEEKLY, bands=(0, ACTIVITY_GUIDELINE[0], ABOVE_GUIDELINE),
    ),
    GroupOnlyFigure(
        "activity_guideline_share", Type.NUMBER,
        f"Share of people whose activity_minutes_a_week are {ACTIVITY_GUIDELINE[0]} or more, of those who have them.",
        "1", source=_WHO_2020, shortest=Period.WEEKLY, is_share_of_people=True,
    ),
    GroupOnlyFigure(
        "covered_share", Type.NUMBER,
        "Share of the people with any data in the period who have data of a kind.", "1",
    ),
)  # fmt: skip

FIGURE_BY_NAME: dict[str, Figure] = {
    figure.name: figure for figure in (*HEALTH_FIGURES, *HEALTH_GROUP_FIGURES)
}

HEADLINE_FIGURES: tuple[str, ...] = (
    "overall_health_score",
    "health_score_components",
    "avg_blood_pressure_systolic",
    "avg_blood_pressure_diastolic",
    "stage_2_blood_pressure_share",
    "avg_heart_rate",
    "resting_heart_rate",
    "avg_weight",
    "avg_bmi",
    "avg_blood_sugar",
    "blood_sugar_in_range",
    "avg_hba1c",
    "avg_temperature",
    "avg_oxygen_saturation",
    "avg_steps_per_day",
    "activity_minutes_a_week",
    "activity_guideline_share",
    "avg_calories_burned_per_day",
    "avg_exercise_minutes_per_day",
    "avg_sleep_hours",
    "sleep_quality_score",
    "sleep_regularity_index",
    "medication_adherence_rate",
    "total_symptoms_logged",
    "avg_symptom_severity",
    "data_accuracy",
)
"""The key figures of a report on groups, in its order. Steps are of people with enough days (``domain/bands``)."""

GROUPED_FIGURES: tuple[str, ...] = (
    *HEADLINE_FIGURES,
    "blood_pressure_category",
    *PRESSURE_SHARES.values(),
    "days_with_steps",
    "cgm_readings",
    "cgm_time_in_range",
)
"""All figures that are made for groups; those that are no key figures stand in tables of a report."""
