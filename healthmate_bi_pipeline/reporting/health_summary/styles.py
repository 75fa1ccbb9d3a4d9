"""How the figures of health are written."""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.health_groups import PRESSURE_SHARES
from healthmate_bi_pipeline.reporting.style import Style

HEALTH_STYLES: dict[str, Style] = {
    "avg_blood_pressure_systolic": Style("Systolic blood pressure", "mmHg", 1, "systolic", 12),
    "avg_blood_pressure_diastolic": Style("Diastolic blood pressure", "mmHg", 1, "diastolic", 12),
    "stage_2_blood_pressure_share": Style(
        "Blood pressure of stage 2 or above", "%", 0, "stage 2", 0.1, scale=100,
        change_unit="points",
    ),
    "blood_pressure_category": Style("Category of the mean blood pressure", "", 0, "category", 1),
    "avg_heart_rate": Style("Heart rate", "bpm", 1, "heart rate", 10),
    "resting_heart_rate": Style("Resting heart rate", "bpm", 1, "resting", 10),
    "avg_weight": Style("Weight", "kg", 1, "weight", 4),
    "avg_bmi": Style("Body mass index", "kg/m²", 1, "BMI", 2),
    "avg_blood_sugar": Style("Blood glucose", "mg/dL", 1, "glucose", 20),
    "blood_sugar_in_range": Style(
        "Glucose readings in range", "%", 1, "in range", 0.1, scale=100, change_unit="points"
    ),
    "avg_hba1c": Style("HbA1c", "%", 1, "HbA1c", 1, change_unit="points"),
    "avg_temperature": Style("Body temperature", "°C", 1, "temperature", 1),
    "avg_oxygen_saturation": Style("Oxygen saturation", "%", 1, "saturation", 4, change_unit="points"),
    "avg_steps_per_day": Style("Steps per day", "steps", 0, "steps", 2000),
    "activity_minutes_a_week": Style("Active minutes a week", "min", 0, "active minutes", 60),
    "activity_guideline_share": Style(
        "Reach 150 active minutes a week", "%", 0, "reach 150 min", 0.1, scale=100, change_unit="points"
    ),
    "covered_share": Style("People with data", "%", 0, "with data", 0.1, scale=100, change_unit="points"),
    "avg_calories_burned_per_day": Style("Energy burned per day", "kcal", 0, "energy", 500),
    "avg_exercise_minutes_per_day": Style("Exercise per day", "min", 1, "exercise", 20),
    "avg_sleep_hours": Style("Sleep per night", "h", 1, "sleep", 2),
    "sleep_quality_score": Style("Sleep efficiency", "%", 1, "efficiency", 8, change_unit="points"),
    "sleep_regularity_index": Style("Sleep regularity index", "", 1, "regularity", 10),
    "medication_adherence_rate": Style(
        "Medication adherence", "%", 1, "adherence", 0.1, scale=100, change_unit="points"
    ),
    "total_symptoms_logged": Style("Symptom logs per person", "logs", 1, "logs", 2),
    "avg_symptom_severity": Style("Symptom severity (0–10)", "", 1, "severity", 1),
    "overall_health_score": Style("Partial cardiovascular-health mean", "points", 1, "score", 8),
    "health_score_components": Style(
        "Components of the mean", "of 8", 1, "components", 1, change_unit="components"
    ),
    "data_accuracy": Style(
        "Plausible readings", "%", 1, "plausible", 0.04, scale=100, change_unit="points"
    ),
    **{
        figure: Style(
            f"Blood pressures: {category.replace('_', ' ')}", "%", 0, category, 0.1, scale=100, change_unit="points"
        )
        for category, figure in PRESSURE_SHARES.items()
    },
}  # fmt: skip
