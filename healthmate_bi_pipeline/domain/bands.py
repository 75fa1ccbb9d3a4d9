"""Published bands as data: blood pressure, glucose, and the points of Life's Essential 8.

Every rule is a list of lower bounds; ``transforms/health`` turns them into expressions, docs and reports print
them. Nothing here computes over rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Steps:
    """A value that rises or falls in steps: the result of the highest bound that is not above the value.

    Attributes:
        bounds: pairs of a lower bound (inclusive) and the result from there on, rising.
    """

    bounds: tuple[tuple[float, int | None], ...]

    def falling(self) -> Iterator[tuple[float, int | None]]:
        """The bounds with their results, the highest first."""
        return reversed(self.bounds)

    def at(self, value: float) -> int | None:
        """The result for a value; ``None`` below the lowest bound.

        >>> SLEEP_POINTS.at(6.5)
        70
        """
        return next((result for bound, result in self.falling() if value >= bound), None)


# Life's Essential 8, Lloyd-Jones 2022, Circulation 146:e18, doi 10.1161/CIR.0000000000001078.
_ANYTHING = math.nextafter(0, 1)

ACTIVITY_POINTS = Steps(
    ((0, 0), (_ANYTHING, 20), (30, 40), (60, 60), (90, 80), (120, 90), (150, 100))
)  # min/week, moderate + 2 x vigorous
SLEEP_POINTS = Steps(((0, 0), (4, 20), (5, 40), (6, 70), (7, 100), (9, 90), (10, 40)))  # h/night
BMI_POINTS = Steps(((18.5, 100), (25, 70), (30, 30), (35, 15), (40, 0)))  # kg/m2; underweight is not scored
SYSTOLIC_POINTS = Steps(((0, 100), (120, 75), (130, 50), (140, 25), (160, 0)))  # mmHg
DIASTOLIC_POINTS = Steps(((0, 100), (80, 50), (90, 25), (100, 0)))  # mmHg
TREATED_DEDUCTION = 20
FASTING_GLUCOSE_POINTS = Steps(((0, 100), (100, 60), (126, None)))  # mg/dL, no diabetes; above: not scoreable
HBA1C_POINTS = Steps(((0, 100), (5.7, 60), (6.5, None)))  # %, no diabetes
DIABETES_HBA1C_POINTS = Steps(((0, 40), (7, 30), (8, 20), (9, 10), (10, 0)))  # %, with diabetes
NON_HDL_POINTS = Steps(((0, 100), (130, 60), (160, 40), (190, 20), (220, 0)))  # mg/dL
DIET_POINTS = Steps(((0, 0), (4, 25), (8, 50), (12, 80), (15, 100)))  # MEPA score
NICOTINE_POINTS: dict[str, int] = {
    "never": 100,
    "quit_5_years": 75,
    "quit_1_year": 50,
    "quit_recently": 25,
    "e_cigarette": 25,
    "smoker": 0,
}
CARDIOVASCULAR_COMPONENTS = (
    "activity", "sleep", "bmi", "blood_pressure", "glucose", "lipids", "nicotine", "diet",
)  # fmt: skip
LEAST_COMPONENTS = 2
"""With fewer components there is no score; with fewer than 7 of 8 it is not called Life's Essential 8."""
LEAST_ACTIVE_DAYS_A_WEEK = 4

ACTIVITY_GUIDELINE = (150, 300)
"""WHO 2020, for adults: moderate minutes + 2 x vigorous minutes a week, both ends inclusive."""
ABOVE_GUIDELINE = math.nextafter(300, 301)
_MONTH = 365 / 12
STEP_DAYS = Steps(
    ((0, 1), (7, 3), *((math.ceil((months - 0.5) * _MONTH), 4 * months) for months in range(1, 37)))
)
"""Days with steps that a mean needs, by the days of the period: 3 of a week, 4 of a month, 4 a month of longer ones
(after Paluch 2022, Lancet Public Health 7:e219)."""


@dataclass(frozen=True)
class PressureCategory:
    """A category of blood pressure: reached when one of both values reaches its bound.

    Attributes:
        name: as it stands in the data.
        systolic: lower bound, inclusive.
        diastolic: lower bound, inclusive; ``None``: the systolic value alone decides.
    """

    name: str
    systolic: float
    diastolic: float | None


_ABOVE_180, _ABOVE_120 = math.nextafter(180, 181), math.nextafter(120, 121)

PRESSURE_CATEGORIES: tuple[PressureCategory, ...] = (
    PressureCategory("severe", _ABOVE_180, _ABOVE_120),
    PressureCategory("stage_2", 140, 90),
    PressureCategory("stage_1", 130, 80),
    PressureCategory("elevated", 120, None),
    PressureCategory("normal", -math.inf, None),
)
"""AHA/ACC 2017, kept in 2025; the highest that is reached counts."""

INSUFFICIENT = "insufficient"
PRESSURE_BANDS = (*(category.name for category in reversed(PRESSURE_CATEGORIES)), INSUFFICIENT)
"""What the category of a mean may be, from the lowest, and last that there are too few readings."""
HIGH_PRESSURES = ("stage_2", "severe")
LEAST_PRESSURES, LEAST_PRESSURE_DAYS = 12, 3
"""The category of a mean needs as many readings on as many days."""

GLUCOSE_BANDS: tuple[tuple[str, float], ...] = (
    ("below_54", -math.inf),
    ("54_to_69", 54),
    ("70_to_180", 70),
    ("181_to_250", 181),
    ("above_250", 251),
)
"""Battelino 2019, Diabetes Care 42:1593: name and lower bound in whole mg/dL, so values are rounded first."""

IN_RANGE = "70_to_180"
GMI_INTERCEPT, GMI_SLOPE = 3.31, 0.02392
"""Glucose management indicator in percent = 3.31 + 0.02392 x mean glucose in mg/dL (Bergenstal 2018)."""

CGM_VALUES_A_DAY = 288
LEAST_CGM_SHARE, LEAST_CGM_DAYS = 0.7, 14
"""Continuous values every five minutes: the share that must be there, and the days for a month or longer."""
