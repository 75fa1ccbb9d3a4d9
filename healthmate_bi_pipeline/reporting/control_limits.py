"""Control limits on a line of a chart, where a reader may hold its points against them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from healthmate_bi_pipeline.domain.control_charts import TRIAL_BELOW, control_limits, find_signals
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.domain.signal_tests import has_levels
from healthmate_bi_pipeline.reporting.blocks import Absence, ControlLimits, Series


def with_control_limits(series: Series, *, period: Period) -> Series:
    """The series with its limits (XmR) and the points that a rule points at; as it is where limits would mislead.

    That is with fewer than 12 points, and for days with a weekly cycle, whose limits would be those of the cycle.
    """
    known = [
        (place, point, point.value)
        for place, point in enumerate(series.points)
        if not isinstance(point.value, Absence)
    ]
    values = np.array([value for _, _, value in known], dtype=np.float64)
    if len(values) < TRIAL_BELOW:
        return series
    weekdays = [point.period_start.weekday() for _, point, _ in known]
    if period is Period.DAILY and has_levels(values, strata=weekdays):
        return series
    limits = control_limits(values)
    if limits is None or limits.moving_range <= 0:
        return series
    signals = sorted({int(place) for places in find_signals(values, limits).values() for place in places})
    return replace(
        series,
        limits=ControlLimits(limits.centre, limits.lower, limits.upper),
        signals=tuple(known[place][0] for place in signals),
    )
