"""Ways in which a row can be wrong, how often, and which rule is to set it aside.

Each takes a small table of rows and returns them wrong. A suspected slip is one that only a comparison with
the person's other values shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from healthmate_bi_pipeline.sources.demo.body import POUND_KG
from healthmate_bi_pipeline.sources.demo.glucose import MMOL
from healthmate_bi_pipeline.sources.demo.pressure import SWAPPED
from healthmate_bi_pipeline.sources.demo.rows import constant
from healthmate_bi_pipeline.sources.demo.users import BORN_IN_FUTURE, UNKNOWN_ZONE

Spoil = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True)
class Defect:
    """One way.

    Attributes:
        name: what is wrong.
        rule: of the ingest that sees it, as in ``catalog.rules``; a rule of files where the row has no day.
        share: of the rows it can befall.
        spoil: what it does to rows.
        befalls: values of columns that rows must have to be befallen.
        devices: the styles of files it occurs in; all where empty.
        is_suspected: it is a slip that only a comparison shows.
        needs: a column that must have a value.
    """

    name: str
    rule: str
    share: float
    spoil: Spoil
    befalls: Mapping[str, tuple[str, ...]] | None = None
    devices: tuple[str, ...] = ()
    is_suspected: bool = False
    needs: str | None = None

    def eligible(self, rows: pa.Table) -> pa.Array:
        """Which rows it can befall."""
        found = constant(value=True, count=rows.num_rows)
        for column, values in (self.befalls or {}).items():
            found = pc.and_(found, pc.is_in(rows[column], pa.array(values)).combine_chunks())
        return found if self.needs is None else pc.and_(found, rows[self.needs].combine_chunks().is_valid())


def _put(**values: Any) -> Spoil:
    """Put the same value into all rows; ``None`` empties the column."""

    def spoil(rows: pa.Table) -> pa.Table:
        for name, value in values.items():
            rows = replace_column(rows, name, pa.array([value] * rows.num_rows, rows.schema.field(name).type))
        return rows

    return spoil


def _compute(name: str, how: Callable[[pa.Table], Any]) -> Spoil:
    """Compute a column anew from the row."""
    return lambda rows: replace_column(rows, name, how(rows))


def _swapped_ends(rows: pa.Table) -> pa.Table:
    start, end = rows["started_at"], rows["ended_at"]
    return replace_column(replace_column(rows, "started_at", end), "ended_at", start)


def _hours(count: int) -> pa.Scalar:
    return pa.scalar(count * 3_600_000_000, pa.duration("us"))


def replace_column(rows: pa.Table, name: str, column: pa.Array) -> pa.Table:
    """The table with another column in place of one."""
    return rows.set_column(rows.column_names.index(name), name, column)


_SEVERAL_UNITS = ("weight", "body_temperature", "blood_glucose", "non_hdl_cholesterol", "height")
_YEARS_10 = 87_600

DEFECTS: dict[str, tuple[Defect, ...]] = {
    "health_readings": (
        Defect("impossible value", "impossible_value:value", 0.0008, _put(value=5_000.0)),
        Defect("unknown unit", "unknown_unit:unit", 0.0006, _put(unit="furlong")),
        Defect("no time", "undated", 0.0006, _put(recorded_at=None)),
        Defect(
            "time in the future", "in_the_future", 0.0002,
            _compute("recorded_at", lambda rows: pc.add(rows["recorded_at"], _hours(_YEARS_10))),
        ),
        Defect(
            "unit missing", "missing_unit:unit", 0.002, _put(unit=None), {"metric": _SEVERAL_UNITS},
            devices=("scale", "home", "meter", "lab"),
        ),
        Defect(
            "height in metres declared as cm", "impossible_value:value", 0.04,
            _compute("value", lambda rows: pc.divide(rows["value"], 100.0)), {"metric": ("height",), "unit": ("cm",)},
            devices=("home",),
        ),
        Defect(
            "pounds declared as kg", "suspected_unit", 0.004,
            _compute("value", lambda rows: pc.round(pc.divide(rows["value"], POUND_KG), 1)),
            {"metric": ("weight",), "unit": ("kg",)}, devices=("scale",), is_suspected=True,
        ),
        Defect(
            "°F declared as °C", "suspected_unit", 0.01,
            _compute("value", lambda rows: pc.round(pc.add(pc.multiply(rows["value"], 1.8), 32.0), 1)),
            {"metric": ("body_temperature",), "unit": ("°C",)}, devices=("home",), is_suspected=True,
        ),
        Defect(
            "mmol/L declared as mg/dL", "suspected_unit", 0.004,
            _compute("value", lambda rows: pc.round(pc.divide(rows["value"], MMOL), 1)),
            {"metric": ("blood_glucose",), "unit": ("mg/dL",)}, devices=("meter",), is_suspected=True,
        ),
    ),
    "activity_intervals": (
        Defect(
            "negative steps", "negative:steps", 0.0009,
            _compute("steps", lambda rows: pc.subtract(-1.0, rows["steps"])),
        ),
        Defect("end before start", "ends_before_start:ended_at", 0.0008, _swapped_ends),
        Defect("no time", "undated", 0.0008, _put(started_at=None)),
        Defect(
            "longer than two days", "too_long:ended_at", 0.0005,
            _compute("ended_at", lambda rows: pc.add(rows["ended_at"], _hours(72))),
        ),
    ),
    "sleep_sessions": (
        Defect("end before start", "ends_before_start:ended_at", 0.001, _swapped_ends),
        Defect(
            "negative minutes", "negative:asleep_minutes", 0.0007,
            _compute("asleep_minutes", lambda rows: pc.subtract(-1.0, rows["asleep_minutes"])),
        ),
        Defect("no time", "undated", 0.0007, _put(started_at=None, ended_at=None)),
        Defect(
            "asleep longer than in bed", "more_than_elapsed", 0.0006,
            _compute("asleep_minutes", lambda rows: pc.add(rows["in_bed_minutes"], 60.0)),
        ),
    ),
    "medication_doses": (
        Defect(
            "no time", "undated", 0.0008, _put(scheduled_at=None, taken_at=None, filled_at=None)
        ),
        Defect("unknown status", "unknown_code:status", 0.0006, _put(status="maybe")),
        Defect("no medication", "missing:medication", 0.0006, _put(medication=None)),
        Defect(
            "taken long before it was due", "taken_too_early", 0.0006,
            _compute("taken_at", lambda rows: pc.subtract(rows["scheduled_at"], _hours(30))),
            {"status": ("taken",), "medication_class": ("ace inhibitor", "biguanide", "statin")}, devices=("app",),
        ),
    ),
    "symptom_logs": (
        Defect("severity of 11", "impossible_value:severity", 0.0015, _put(severity=11.0)),
        Defect("no symptom", "missing:symptom", 0.0008, _put(symptom=None)),
        Defect("no time", "undated", 0.0008, _put(recorded_at=None)),
    ),
    "users": (),
    "login_sessions": (
        Defect("end before start", "ends_before_start:ended_at", 0.0015, _swapped_ends, needs="ended_at"),
        Defect(
            "session of a week", "too_long:ended_at", 0.001,
            _compute("ended_at", lambda rows: pc.add(rows["ended_at"], _hours(7 * 24))), needs="ended_at",
        ),
        Defect("no time", "undated", 0.001, _put(started_at=None, ended_at=None)),
    ),
    "app_events": (
        Defect("unknown event", "unknown_code:event", 0.0008, _put(event="page_vieuw")),
        Defect("negative count", "negative:count", 0.0005, _put(count=-1)),
        Defect("no time", "undated", 0.0005, _put(occurred_at=None)),
        Defect(
            "time in the future", "in_the_future", 0.0002,
            _compute("occurred_at", lambda rows: pc.add(rows["occurred_at"], _hours(_YEARS_10))),
        ),
    ),
    "billing_events": (
        Defect("unknown event", "unknown_code:event", 0.003, _put(event="gifted")),
        Defect("negative amount", "negative:amount_minor", 0.003, _put(amount_minor=-100)),
        Defect("no time", "undated", 0.003, _put(occurred_at=None)),
    ),
    "api_requests": (
        Defect("status 0", "impossible_value:status_code", 0.0004, _put(status_code=0)),
        Defect("status 999", "impossible_value:status_code", 0.0004, _put(status_code=999)),
        Defect("negative duration", "negative:duration_ms", 0.0006, _put(duration_ms=-1.0)),
        Defect("duration of a month", "impossible_value:duration_ms", 0.0003, _put(duration_ms=2.6e9)),
        Defect("no time", "undated", 0.0004, _put(occurred_at=None)),
    ),
    "host_samples": (
        Defect("more than all of the processor", "impossible_value:cpu_percent", 0.0006, _put(cpu_percent=640.0)),
        Defect("negative memory", "negative:memory_percent", 0.0006, _put(memory_percent=-3.0)),
        Defect("no time", "undated", 0.0006, _put(sampled_at=None)),
    ),
}  # fmt: skip

MARKS: dict[str, Defect] = {
    SWAPPED: Defect(SWAPPED, "suspected_swap", 0.0, _put(), is_suspected=True),
    BORN_IN_FUTURE: Defect(BORN_IN_FUTURE, "impossible_value:birth_year", 0.0, _put()),
    UNKNOWN_ZONE: Defect(UNKNOWN_ZONE, "unknown_code:time_zone", 0.0, _put()),
}
"""What the rows of a dataset may be marked with when they are made."""

CORRECTIONS: dict[str, Spoil] = {
    "health_readings": _compute("value", lambda rows: pc.add(rows["value"], 1.0)),
    "activity_intervals": _compute("steps", lambda rows: pc.add(rows["steps"], 10.0)),
    "sleep_sessions": _compute("asleep_minutes", lambda rows: pc.subtract(rows["asleep_minutes"], 5.0)),
    "medication_doses": _compute(
        "taken_at", lambda rows: pc.add(rows["taken_at"], pa.scalar(10 * 60_000_000, pa.duration("us")))
    ),
    "symptom_logs": _compute(
        "severity", lambda rows: pc.min_element_wise(pc.add(rows["severity"], 1.0), 10.0)
    ),
    "login_sessions": _compute(
        "ended_at", lambda rows: pc.add(rows["ended_at"], pa.scalar(60_000_000, pa.duration("us")))
    ),
    "app_events": _compute("count", lambda rows: pc.add(rows["count"], 1)),
    "billing_events": _compute("amount_minor", lambda rows: pc.add(rows["amount_minor"], 50)),
    "api_requests": _compute("duration_ms", lambda rows: pc.add(rows["duration_ms"], 5.0)),
    "host_samples": _compute("memory_percent", lambda rows: pc.add(rows["memory_percent"], 0.1)),
}
"""What a correction changes."""


def defect_of(dataset: str, name: str) -> Defect:
    """The defect of a dataset by its name.

    Raises:
        KeyError: there is none.
    """
    named = {defect.name: defect for defect in DEFECTS[dataset]}
    return named[name] if name in named else MARKS[name]
