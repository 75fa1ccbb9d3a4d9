"""How the readings of each device changed from one month to the next: what is compared, and the table that holds it.

Whoever measured with a device in both months is held against themself; so neither who comes and goes nor how people
differ moves the change. A device of which the people change by more than the people of all others is an insight.
"""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.columns import Column, PrivacyClass, Table, Type
from healthmate_bi_pipeline.catalog.readings import DIASTOLIC, SYSTOLIC

DEVICE_READINGS_VERSION = 1
"""Raised when the sums per person, month and device are made another way."""

DEVICE_CHANGES_VERSION = 1
"""Raised when the changes are worked out another way; all months are then made again."""

LEAST_READINGS = 3
"""Of a person, with one device, in each of both months; fewer tell one bad day rather than the month."""

LEAST_PEOPLE_A_SIDE = 11
"""Of the device and of the others; fewer people have no spread to judge by, and are not spoken of (STANDARDS §5)."""

COMPARED_FIGURES: dict[str, str] = {
    SYSTOLIC: "avg_blood_pressure_systolic",
    DIASTOLIC: "avg_blood_pressure_diastolic",
    "heart_rate": "avg_heart_rate",
    "weight": "avg_weight",
    "blood_glucose": "avg_blood_sugar",
}
"""Metric of a reading -> the figure in whose unit, and by whose smallest change worth saying, it is compared."""

DEVICE_CHANGES = Table(
    "bi_device_changes",
    "How people's own monthly means changed since the month before, by metric and device, beside the same of the people"
    f" who have only other devices. Of people with {LEAST_READINGS} readings or more of a device in both months.",
    (
        Column("month", Type.DATE, "First day of the later month, wall-clock.", is_nullable=False),
        Column("metric", Type.TEXT, "What was measured.", is_nullable=False),
        Column("source", Type.TEXT, "The device or program.", is_nullable=False),
        Column("people", Type.INTEGER, "People of the device.", "1", is_nullable=False),
        Column("total", Type.NUMBER, "Sum of their changes, in the metric's unit.", is_nullable=False),
        Column("total_squared", Type.NUMBER, "Sum of the squares of their changes.", is_nullable=False),
        Column("other_people", Type.INTEGER, "People who have only other devices.", "1", is_nullable=False),
        Column(
            "other_total", Type.NUMBER,
            "Sum of their changes: of a person with several devices the mean of theirs. Null where there is nobody.",
        ),
        Column("other_total_squared", Type.NUMBER, "Sum of the squares of their changes; null where there is nobody."),
    ),
    key=("month", "metric", "source"),
    privacy=PrivacyClass.LIMITED,
)  # fmt: skip
