"""The registry of the health family: what each column of ``bi_aggregated_health_metrics`` means.

A figure names the measure that it is made from and the statistic that finishes it; figures without a
statistic are made by name in ``transforms/health`` (``blood_pressure``, ``glucose``, ``medication``, ``score`` …).
What groups of people are described by stands in ``health_groups``.
"""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.figures import Figure, Statistic
from healthmate_bi_pipeline.domain.bands import (
    GMI_INTERCEPT,
    GMI_SLOPE,
    LEAST_CGM_DAYS,
    LEAST_CGM_SHARE,
    PRESSURE_BANDS,
)
from healthmate_bi_pipeline.domain.period import Period

REGISTRY_VERSION = 3
"""Raised with every change of a figure's meaning; rows carry it, and older rows are then stale."""


def _readings(
    measure: str,
    column: str,
    label: str,
    unit: str,
    *,
    bands: tuple[float, ...] = (),
    has_extremes: bool = True,
) -> tuple[Figure, ...]:
    mean = Figure(
        f"avg_{column}", Type.NUMBER, f"Mean of the period's readings of {label}.", unit,
        measure=measure, statistic=Statistic.MEAN, bands=bands,
    )  # fmt: skip
    extremes = (
        Figure(
            f"min_{column}", Type.NUMBER, f"Lowest reading of {label}.", unit,
            measure=measure, statistic=Statistic.MINIMUM,
        ),
        Figure(
            f"max_{column}", Type.NUMBER, f"Highest reading of {label}.", unit,
            measure=measure, statistic=Statistic.MAXIMUM,
        ),
    )  # fmt: skip
    count = Figure(
        f"{column}_readings", Type.INTEGER, f"Number of readings of {label}.", "1",
        measure=measure, statistic=Statistic.COUNT,
    )  # fmt: skip
    return (mean, *(extremes if has_extremes else ()), count)


def _totals(
    measure: str, total: str, per_day: str | None, label: str, unit: str, *, bands: tuple[float, ...] = ()
) -> tuple[Figure, ...]:
    figures = [
        Figure(
            total, Type.NUMBER, f"Sum of {label} in the period; from a day up a device's own total of the day counts.",
            unit, measure=measure, statistic=Statistic.TOTAL,
        )
    ]  # fmt: skip
    if per_day:
        figures.append(
            Figure(
                per_day, Type.NUMBER, f"Sum of {label} divided by the days that have data.", unit,
                measure=measure, statistic=Statistic.PER_DAY, shortest=Period.DAILY, bands=bands,
            )
        )  # fmt: skip
    return tuple(figures)


def _doses(name: str, measure: str, description: str) -> Figure:
    return Figure(
        name,
        Type.INTEGER,
        description,
        "1",
        measure=measure,
        statistic=Statistic.TOTAL,
        shortest=Period.DAILY,
    )


_AHA_2017 = "AHA/ACC 2017, Whelton 2018, Hypertension 71:e13"
_BATTELINO_2019 = "Battelino 2019, Diabetes Care 42:1593"
_LE8 = "AHA Life's Essential 8, Lloyd-Jones 2022, Circulation 146:e18"
_COMPONENTS = {
    "activity": "moderate minutes + 2 x vigorous minutes a week, from the mean of at least 4 days a week",
    "sleep": "mean hours of sleep a night",
    "bmi": "mean body mass index; underweight is not scored",
    "blood_pressure": "mean blood pressure, the worse of the two; 20 less when treated",
    "glucose": "mean fasting glucose or HbA1c; with diabetes HbA1c only",
    "lipids": "mean non-HDL cholesterol; 20 less when treated",
    "nicotine": "nicotine use in the person's record",
    "diet": "MEPA score in the person's record",
}

HEALTH_FIGURES: tuple[Figure, ...] = (
    *_readings(
        "blood_pressure_systolic", "blood_pressure_systolic", "systolic blood pressure", "mmHg",
        bands=(0, 120, 130, 140, 160),
    ),
    Figure(
        "sd_blood_pressure_systolic", Type.NUMBER, "Sample standard deviation of the systolic readings.", "mmHg",
        measure="blood_pressure_systolic", statistic=Statistic.DEVIATION,
    ),
    *_readings(
        "blood_pressure_diastolic", "blood_pressure_diastolic", "diastolic blood pressure", "mmHg",
        bands=(0, 80, 90, 100),
    ),
    Figure(
        "blood_pressures", Type.INTEGER, "Blood pressures: a systolic and a diastolic reading taken together.", "1",
    ),
    Figure(
        "blood_pressure_category", Type.TEXT,
        "Category of the mean systolic and diastolic pressure, the higher one: normal, elevated, stage_1, stage_2,"
        " severe; 'insufficient' below 12 readings of each on 3 days.",
        source=_AHA_2017, shortest=Period.WEEKLY, bands=tuple(range(len(PRESSURE_BANDS))),
    ),
    Figure(
        "blood_pressure_category_shares", Type.JSON, "Share of the blood pressures in each category.", "1",
        source=_AHA_2017,
    ),
    *_readings("heart_rate", "heart_rate", "heart rate", "bpm", bands=(0, 60, 70, 80, 90, 100)),
    Figure(
        "resting_heart_rate", Type.NUMBER,
        "Mean over days of the lowest 30-minute mean of heart rate between 03:00 and 07:00 wall-clock time; six"
        " 5-minute slots in a row must all have a reading.",
        "bpm", measure="resting_heart_rate", statistic=Statistic.MEAN, shortest=Period.DAILY,
        source="own, after Speed 2023, PLOS Digit Health", bands=(0, 50, 60, 70, 80),
    ),
    *_readings("weight", "weight", "weight", "kg", has_extremes=False, bands=(0, 60, 70, 80, 90, 100)),
    Figure(
        "weight_change", Type.NUMBER, "Last weight of the period minus the first.", "kg",
        measure="weight", statistic=Statistic.CHANGE,
    ),
    Figure(
        "avg_bmi", Type.NUMBER,
        "Mean weight divided by the square of the height in the person's record at the end of the period.",
        "kg/m2", source="WHO Technical Report Series 894 (2000)", bands=(0, 18.5, 25, 30, 35),
    ),
    Figure(
        "bmi_trend", Type.NUMBER, "avg_bmi minus that of the period before.", "kg/m2", is_trend=True,
    ),
    *_readings(
        "blood_glucose", "blood_sugar", "blood glucose", "mg/dL", bands=(0, 54, 70, 181, 251),
    ),
    Figure(
        "sd_blood_sugar", Type.NUMBER, "Sample standard deviation of the glucose readings.", "mg/dL",
        measure="blood_glucose", statistic=Statistic.DEVIATION,
    ),
    Figure(
        "cv_blood_sugar", Type.NUMBER, "Coefficient of variation: 100 x deviation / mean of the glucose readings.", "%",
        source=_BATTELINO_2019, bands=(0, 36),
    ),
    Figure(
        "blood_sugar_in_range", Type.NUMBER,
        "Share of the glucose readings in 70–180 mg/dL, those of continuous monitors apart.", "1",
        source=_BATTELINO_2019, bands=(0, 0.5, 0.7, 0.9),
    ),
    Figure(
        "blood_sugar_band_shares", Type.JSON,
        "Share of the glucose readings in each band of whole mg/dL, those of continuous monitors apart.", "1",
        source=_BATTELINO_2019,
    ),
    Figure(
        "cgm_readings", Type.INTEGER, "Glucose values of continuous monitors.", "1",
        measure="cgm_glucose", statistic=Statistic.COUNT,
    ),
    Figure(
        "cgm_time_in_range", Type.NUMBER,
        f"Share of the continuous glucose values in 70–180 mg/dL, where {LEAST_CGM_SHARE:.0%} of the values expected"
        f" on the days worn (one in five minutes) are there; a month or longer needs {LEAST_CGM_DAYS} days.",
        "1", source=_BATTELINO_2019, shortest=Period.DAILY, bands=(0, 0.5, 0.7, 0.9),
    ),
    Figure(
        "glucose_management_indicator", Type.NUMBER,
        f"{GMI_INTERCEPT} + {GMI_SLOPE} x mean of the continuous glucose values; as sufficient as time in range.", "%",
        source="Bergenstal 2018, Diabetes Care 41:2275; Battelino 2019", shortest=Period.DAILY,
    ),
    *_readings("hba1c", "hba1c", "HbA1c", "%", has_extremes=False, bands=(0, 5.7, 6.5, 8)),
    *_readings(
        "non_hdl_cholesterol", "non_hdl_cholesterol", "non-HDL cholesterol", "mg/dL", has_extremes=False,
        bands=(0, 130, 160, 190, 220),
    ),
    *_readings("body_temperature", "temperature", "body temperature", "°C", bands=(0, 36, 37.5, 38.5)),
    *_readings("oxygen_saturation", "oxygen_saturation", "oxygen saturation", "%", bands=(0, 90, 95)),
    *_totals("steps", "total_steps", "avg_steps_per_day", "steps", "1", bands=(0, 2500, 5000, 7500, 10000)),
    *_totals(
        "calories_kcal", "total_calories_burned", "avg_calories_burned_per_day", "energy burned", "kcal",
        bands=(0, 1500, 2000, 2500, 3000),
    ),
    *_totals(
        "exercise_minutes", "total_exercise_minutes", "avg_exercise_minutes_per_day",
        "moderate and vigorous activity", "min", bands=(0, 10, 22, 43),
    ),
    *_totals("distance_m", "total_distance_m", None, "distance", "m"),
    *_totals("intensity_points", "total_intensity_points", None, "intensity points", "1"),
    Figure(
        "days_with_steps", Type.INTEGER, "Days with steps.", "d",
        measure="steps", statistic=Statistic.DAYS, shortest=Period.DAILY,
    ),
    Figure(
        "avg_sleep_hours", Type.NUMBER, "Mean time asleep per recorded night, naps apart.", "h",
        measure="sleep_minutes", statistic=Statistic.MEAN, divisor=60, shortest=Period.DAILY, bands=(0, 5, 6, 7, 9, 10),
    ),
    Figure(
        "total_sleep_hours", Type.NUMBER, "Time asleep in all recorded nights, naps apart.", "h",
        measure="sleep_minutes", statistic=Statistic.TOTAL, divisor=60, shortest=Period.DAILY,
    ),
    Figure(
        "nights", Type.INTEGER, "Nights with recorded sleep.", "1",
        measure="sleep_minutes", statistic=Statistic.COUNT, shortest=Period.DAILY,
    ),
    Figure(
        "total_nap_hours", Type.NUMBER, "Time asleep in naps.", "h",
        measure="nap_minutes", statistic=Statistic.TOTAL, divisor=60, shortest=Period.DAILY,
    ),
    Figure(
        "sleep_quality_score", Type.NUMBER,
        "Sleep efficiency: minutes asleep per 100 minutes in bed, over the nights where both are known.", "%",
        shortest=Period.DAILY, source="sleep efficiency, after Ohayon 2017, Sleep Health 3:6", bands=(0, 75, 85, 90, 95),
    ),
    Figure(
        "sleep_regularity_index", Type.NUMBER,
        "-100 + 200 x the share of minutes in which sleep or waking was as 24 hours before, over the pairs of"
        " nights whose later one lies in the period; needs 6 such pairs.",
        "1", source="Phillips 2017, Sci Rep 7:3216", shortest=Period.WEEKLY, bands=(-100, 60, 75, 87),
    ),
    Figure(
        "medication_adherence_rate", Type.NUMBER,
        "Scheduled doses taken divided by doses scheduled, as-needed drugs apart; no more than 1.", "1",
        source="own, threshold 80 % after PQA", shortest=Period.DAILY, bands=(0, 0.5, 0.8, 0.95),
    ),
    Figure(
        "medication_adherence_upper_bound", Type.NUMBER,
        "The rate if every unlogged dose had been taken: (taken + unlogged) / scheduled.", "1",
        shortest=Period.DAILY,
    ),
    _doses("total_medications_taken", "doses_taken", "Scheduled doses that were taken."),
    _doses("total_medications_scheduled", "doses_scheduled", "Doses scheduled, as-needed drugs apart."),
    _doses("missed_doses", "doses_skipped", "Scheduled doses that were logged as skipped; unlogged ones apart."),
    _doses("unlogged_doses", "doses_unlogged", "Scheduled doses of which nothing was logged."),
    _doses("extra_doses_taken", "doses_extra", "Doses taken beside the schedule, or a second time."),
    _doses("as_needed_doses_taken", "doses_as_needed", "Doses of as-needed drugs that were taken."),
    Figure(
        "medication_pdc", Type.NUMBER,
        "Proportion of days covered: days with supply of a drug of the class divided by the days from the period's"
        " first dispensing to its end; early refills move on; classes of a person pooled. Of ended periods.",
        "1", source="PQA, proportion of days covered", shortest=Period.QUARTERLY, bands=(0, 0.5, 0.8, 0.95),
    ),
    Figure(
        "total_symptoms_logged", Type.INTEGER, "Symptoms logged.", "1",
        measure="symptoms", statistic=Statistic.COUNT, bands=(0, 2, 5, 10, 20),
    ),
    Figure(
        "days_with_symptoms", Type.INTEGER, "Days with a symptom.", "d",
        measure="symptoms", statistic=Statistic.DAYS, shortest=Period.DAILY,
    ),
    Figure(
        "avg_symptom_severity", Type.NUMBER, "Mean severity of the logs that have one, 0 to 10.", "1",
        measure="symptom_severity", statistic=Statistic.MEAN, bands=(0, 2, 4, 6, 8),
    ),
    Figure(
        "most_common_symptom", Type.TEXT, "The symptom logged most often; of equal ones the first by name.",
    ),
    Figure(
        "symptom_frequency", Type.JSON, "For each symptom how often it was logged (logs) and on how many days (days).",
    ),
    *(
        Figure(
            f"health_score_{component}", Type.NUMBER, f"Points for {label}.", "1",
            source=_LE8, shortest=Period.WEEKLY if component == "activity" else Period.DAILY,
        )
        for component, label in _COMPONENTS.items()
    ),
    Figure(
        "health_score_components", Type.INTEGER,
        "How many of the 8 components of cardiovascular health could be scored.", "1",
        source=_LE8, shortest=Period.DAILY, bands=(0, 2, 3, 5, 7),
    ),
    Figure(
        "overall_health_score", Type.NUMBER,
        "Partial cardiovascular-health mean: mean of the components that could be scored, at least 2 of 8. Below 7"
        " of 8 it is not Life's Essential 8.",
        "1", source=_LE8, shortest=Period.DAILY, bands=(0, 50, 80),
    ),
    Figure(
        "health_score_trend", Type.NUMBER, "overall_health_score minus that of the period before.", "1",
        is_trend=True, shortest=Period.DAILY,
    ),
    Figure(
        "day_slots_filled", Type.INTEGER,
        "Days with a value, added up over the measures that are expected daily.", "d", shortest=Period.DAILY,
    ),
    Figure(
        "data_completeness", Type.NUMBER,
        "day_slots_filled divided by the day-slots expected: of every measure that the person ever recorded the"
        " days of the period from its first day on.", "1",
        source="own, after Kahn 2016, eGEMs 4:1244", is_looked_up=True, shortest=Period.DAILY,
    ),
    Figure(
        "data_accuracy", Type.NUMBER, "Readings inside the soft limits divided by readings kept.", "1",
        source="own, after Kahn 2016, eGEMs 4:1244",
    ),
    Figure("source_count", Type.INTEGER, "Sources that the figures rest on.", "1"),
)  # fmt: skip
