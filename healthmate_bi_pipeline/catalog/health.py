"""The registry of the health family: what each column of ``bi_aggregated_health_metrics`` means.

A figure names the measure that it is made from and the statistic that finishes it; figures without a
statistic are made by name in ``transforms/health/summarize.py``. A figure whose source the pipeline does not
read yet has neither and is always null.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from healthmate_bi_pipeline.catalog.columns import Column, Type
from healthmate_bi_pipeline.domain.period import Grain

REGISTRY_VERSION = 1
"""Raised with every change of a figure's meaning; rows carry it, and older rows are then stale."""


class Statistic(StrEnum):
    """How merged state becomes a figure. ``n``, ``total`` … are components of the state."""

    MEAN = "mean"  # total / n
    MINIMUM = "minimum"  # low
    MAXIMUM = "maximum"  # high
    DEVIATION = "deviation"  # sample standard deviation, null below two values
    TOTAL = "total"  # total
    PER_DAY = "per day"  # total / days with data
    COUNT = "count"  # n
    DAYS = "days"  # days with data
    CHANGE = "change"  # last value - first value, null below two values


@dataclass(frozen=True)
class Figure(Column):
    """A column of a period table that holds a figure.

    Attributes:
        measure: the measure of the state that it is made from.
        statistic: how it is finished.
        divisor: what the finished value is divided by, to change the unit.
        finest: the shortest grain that it is given for.
        is_trend: computed in a view, as this period minus the one before.
        source: the published rule, or ``own``.
        version: raised when the meaning changes.
        bands: lower bounds (inclusive) of the bands that reports show people's figures in.
        is_planned: its source is not read yet; always null.
    """

    measure: str | None = None
    statistic: Statistic | None = None
    divisor: float = 1.0
    finest: Grain = Grain.HOUR
    is_trend: bool = False
    source: str = "own"
    version: int = 1
    bands: tuple[float, ...] = ()
    is_planned: bool = False


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
                measure=measure, statistic=Statistic.PER_DAY, finest=Grain.DAY, bands=bands,
            )
        )  # fmt: skip
    return tuple(figures)


def _planned(name: str, type_: Type, description: str, unit: str | None = None) -> Figure:
    return Figure(name, type_, f"{description} Not read yet: always null.", unit, is_planned=True)


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
    *_readings("heart_rate", "heart_rate", "heart rate", "bpm", bands=(0, 60, 70, 80, 90, 100)),
    Figure(
        "resting_heart_rate", Type.NUMBER,
        "Mean over days of the lowest 30-minute mean of heart rate between 03:00 and 07:00 wall-clock time; six"
        " 5-minute slots in a row must all have a reading.",
        "bpm", measure="resting_heart_rate", statistic=Statistic.MEAN, finest=Grain.DAY,
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
        measure="steps", statistic=Statistic.DAYS, finest=Grain.DAY,
    ),
    Figure(
        "avg_sleep_hours", Type.NUMBER, "Mean time asleep per recorded night, naps apart.", "h",
        measure="sleep_minutes", statistic=Statistic.MEAN, divisor=60, finest=Grain.DAY, bands=(0, 5, 6, 7, 9, 10),
    ),
    Figure(
        "total_sleep_hours", Type.NUMBER, "Time asleep in all recorded nights, naps apart.", "h",
        measure="sleep_minutes", statistic=Statistic.TOTAL, divisor=60, finest=Grain.DAY,
    ),
    Figure(
        "nights", Type.INTEGER, "Nights with recorded sleep.", "1",
        measure="sleep_minutes", statistic=Statistic.COUNT, finest=Grain.DAY,
    ),
    Figure(
        "total_nap_hours", Type.NUMBER, "Time asleep in naps.", "h",
        measure="nap_minutes", statistic=Statistic.TOTAL, divisor=60, finest=Grain.DAY,
    ),
    Figure(
        "sleep_quality_score", Type.NUMBER,
        "Sleep efficiency: minutes asleep per 100 minutes in bed, over the nights where both are known.", "%",
        finest=Grain.DAY, source="sleep efficiency, after Ohayon 2017, Sleep Health 3:6", bands=(0, 75, 85, 90, 95),
    ),
    _planned("medication_adherence_rate", Type.NUMBER, "Doses taken divided by doses scheduled."),
    _planned("total_medications_taken", Type.INTEGER, "Doses taken.", "1"),
    _planned("total_medications_scheduled", Type.INTEGER, "Doses scheduled.", "1"),
    _planned("missed_doses", Type.INTEGER, "Doses skipped.", "1"),
    _planned("total_symptoms_logged", Type.INTEGER, "Symptoms logged.", "1"),
    _planned("avg_symptom_severity", Type.NUMBER, "Mean severity of the symptoms logged.", "1"),
    _planned("most_common_symptom", Type.TEXT, "The symptom logged most often."),
    _planned("symptom_frequency", Type.JSON, "How often each symptom was logged."),
    _planned("overall_health_score", Type.NUMBER, "Partial cardiovascular-health mean.", "1"),
    _planned("health_score_trend", Type.NUMBER, "overall_health_score minus that of the period before.", "1"),
    _planned("data_completeness", Type.NUMBER, "Day-slots with a value divided by day-slots expected."),
    Figure(
        "data_accuracy", Type.NUMBER, "Readings inside the soft limits divided by readings kept.", "1",
        source="own, after Kahn 2016, eGEMs 4:1244",
    ),
    Figure("source_count", Type.INTEGER, "Sources that the figures rest on.", "1"),
)  # fmt: skip

FIGURE_BY_NAME = {figure.name: figure for figure in HEALTH_FIGURES}

HEADLINE_FIGURES: tuple[str, ...] = (
    "avg_blood_pressure_systolic",
    "avg_blood_pressure_diastolic",
    "avg_heart_rate",
    "resting_heart_rate",
    "avg_weight",
    "avg_bmi",
    "avg_blood_sugar",
    "avg_temperature",
    "avg_oxygen_saturation",
    "avg_steps_per_day",
    "avg_calories_burned_per_day",
    "avg_exercise_minutes_per_day",
    "avg_sleep_hours",
    "sleep_quality_score",
    "data_accuracy",
)
"""The figures that groups of people are described by, in the order of a report."""
