"""The metrics of health readings: units, conversions and plausible values.

Limits are our own for home data (STANDARDS §1: the published sets are from intensive care); a value outside
the hard limits goes to quarantine, one outside the soft limits is kept and counted as implausible. Both
bounds are inclusive and in the unit that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A spelling of a unit that is taken, and the line that turns it into the unit that is kept.

    ``kept = value * factor + offset``
    """

    spelling: str
    factor: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True)
class Metric:
    """One code of ``health_readings.metric``.

    Attributes:
        code: as it is written in the data.
        unit: the unit that is kept.
        units: every spelling that is taken, compared without regard to case.
        hard: outside of it a value is set aside.
        soft: outside of it a value is kept and counted as implausible.
        is_unit_optional: only one unit exists, so that a missing one is no doubt.
    """

    code: str
    label: str
    unit: str
    units: tuple[Unit, ...]
    hard: tuple[float, float]
    soft: tuple[float, float]
    is_unit_optional: bool = False


@dataclass(frozen=True)
class Slip:
    """A value that is declared in the kept unit and was probably meant in another (STANDARDS §1).

    All that is given has to hold.

    Attributes:
        metric: whose values.
        meant: the unit that was probably meant.
        values: the values that look so, inclusive.
        median_above: what the person's median of the month before has to be above.
        times_median: what multiple of that median the value is near to.
        within: how near, as a share.
    """

    metric: str
    meant: Unit
    values: tuple[float, float] | None = None
    median_above: float | None = None
    times_median: float | None = None
    within: float = 0.0

    @property
    def needs_baseline(self) -> bool:
        """Whether a person without a median is not judged."""
        return self.median_above is not None or self.times_median is not None


def _same(*spellings: str) -> tuple[Unit, ...]:
    return tuple(Unit(spelling) for spelling in spellings)


_POUND_KG = 0.45359237  # NIST SP 811, exact
_GLUCOSE_MG_DL = 18.0182  # mg/dL in one mmol/L, Battelino 2019
_CHOLESTEROL_MG_DL = 38.67  # mg/dL in one mmol/L
_MMHG = _same("mmHg", "mm[Hg]", "mm Hg")
_PERCENT = _same("%", "percent")
_CELSIUS = _same("°C", "Cel", "C", "degC", "celsius")
_FAHRENHEIT = tuple(
    Unit(spelling, 5 / 9, -160 / 9) for spelling in ("°F", "[degF]", "F", "degF", "fahrenheit")
)

METRICS: tuple[Metric, ...] = (
    Metric("blood_pressure_systolic", "systolic blood pressure", "mmHg", _MMHG, (40, 300), (70, 220), is_unit_optional=True),
    Metric("blood_pressure_diastolic", "diastolic blood pressure", "mmHg", _MMHG, (20, 200), (40, 130), is_unit_optional=True),
    Metric(
        "heart_rate", "heart rate", "bpm", _same("bpm", "/min", "{beats}/min", "beats/min", "1/min"),
        (20, 300), (35, 220), is_unit_optional=True,
    ),
    Metric(
        "weight", "weight", "kg",
        (*_same("kg"), Unit("g", 0.001), *(Unit(name, _POUND_KG) for name in ("lb", "lbs", "[lb_av]"))),
        (20, 400), (35, 250),
    ),
    Metric(
        "height", "height", "cm",
        (*_same("cm"), Unit("m", 100), *(Unit(name, 2.54) for name in ("in", "[in_i]", "inch", "inches"))),
        (50, 260), (130, 220),
    ),
    Metric(
        "blood_glucose", "blood glucose", "mg/dL", (*_same("mg/dL"), Unit("mmol/L", _GLUCOSE_MG_DL)),
        (10, 1000), (40, 500),
    ),
    Metric("hba1c", "HbA1c", "%", _PERCENT, (2, 25), (4, 15), is_unit_optional=True),
    Metric("body_temperature", "body temperature", "°C", (*_CELSIUS, *_FAHRENHEIT), (30, 44), (34, 41.5)),
    Metric("oxygen_saturation", "oxygen saturation", "%", _PERCENT, (50, 100), (80, 100), is_unit_optional=True),
    Metric(
        "non_hdl_cholesterol", "non-HDL cholesterol", "mg/dL",
        (*_same("mg/dL"), Unit("mmol/L", _CHOLESTEROL_MG_DL)), (20, 1000), (50, 400),
    ),
)  # fmt: skip

METRIC_BY_CODE = {metric.code: metric for metric in METRICS}

SYSTOLIC, DIASTOLIC = "blood_pressure_systolic", "blood_pressure_diastolic"

SLIPS: tuple[Slip, ...] = (
    Slip("body_temperature", _FAHRENHEIT[0], values=(86, 111)),
    Slip("blood_glucose", Unit("mmol/L", _GLUCOSE_MG_DL), values=(0.5, 33), median_above=60),
    Slip("weight", Unit("lb", _POUND_KG), times_median=2.2046, within=0.06),
)

BASELINE_METRICS = tuple(slip.metric for slip in SLIPS if slip.needs_baseline)
"""The metrics whose usual value per person is kept, to tell a slip from a change."""

BASELINE_VERSION = 1
"""Raised when baselines are made another way; the frozen ones are then made again."""

CONTEXTS = ("fasting", "after_meal", "resting", "active", "cgm")
