"""Service levels against the figures of the specification of Apdex and of the Site Reliability Workbook."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.service_levels import (
    BURN_ALERTS,
    SLO_WINDOW,
    Urgency,
    allowed_outage,
    apdex,
    apdex_zones,
    availability,
    budget_left,
    burn_rate,
    error_budget,
)


def test_the_worked_example_of_apdex() -> None:
    assert round(float(apdex(40, 200, 40 + 200 + 48)), 3) == 0.486


@given(times=st.lists(st.tuples(st.floats(0, 2_000), st.booleans()), min_size=1), target=st.floats(1, 500))
def test_zones_hold_every_request_once_and_errors_are_frustrated(
    times: list[tuple[float, bool]], target: float
) -> None:
    durations, failed = zip(*times, strict=True)
    satisfied, tolerating, frustrated = apdex_zones(durations, is_error=failed, target=target)
    assert satisfied + tolerating + frustrated == len(times)
    assert frustrated >= sum(failed)
    assert 0 <= float(apdex(satisfied, tolerating, len(times))) <= 1


def test_zones_include_their_upper_bounds() -> None:
    assert apdex_zones([200, 800], is_error=[False, False], target=200) == (1, 1, 0)


def test_three_nines_allow_43_minutes_and_12_seconds_in_30_days() -> None:
    assert timedelta(days=30) == SLO_WINDOW
    assert allowed_outage(0.999) == timedelta(minutes=43, seconds=12)


@pytest.mark.parametrize(
    ("objective", "minutes"), [(0.99, 432), (0.995, 216), (0.9995, 21.6), (0.9999, 4.32)]
)
def test_the_table_of_allowed_outages(objective: float, minutes: float) -> None:
    """Beyer et al., Site Reliability Engineering (2016), appendix A: 7.2 h, 3.6 h, 21.6 and 4.32 minutes in 30 days."""
    assert allowed_outage(objective) / timedelta(minutes=1) == pytest.approx(minutes)


def test_alerts_are_those_of_the_workbook() -> None:
    """Chapter 5: the share of a budget of 30 days that is used up when the long window is full."""
    hour = timedelta(hours=1)
    found = [
        (
            alert.urgency,
            alert.long / hour,
            alert.short / hour,
            alert.limit,
            alert.limit * alert.long / SLO_WINDOW,
        )
        for alert in BURN_ALERTS
    ]
    assert found == [
        (Urgency.PAGE, 1, pytest.approx(1 / 12), 14.4, pytest.approx(0.02)),
        (Urgency.PAGE, 6, 0.5, 6, pytest.approx(0.05)),
        (Urgency.TICKET, 24, 2, 3, pytest.approx(0.10)),
        (Urgency.TICKET, 72, 6, 1, pytest.approx(0.10)),
    ]


def test_both_windows_must_exceed_the_limit() -> None:
    page = BURN_ALERTS[0]
    assert page.is_raised([15, 15, 14, 14.4, np.nan], [15, 14, 15, 14.4, 15]).tolist() == [True] + [False] * 4


def test_an_outage_uses_up_the_budget_in_the_workbooks_time() -> None:
    """Everything fails: burn rate 1,000 at three nines, so that 30 days of budget last 43.2 minutes."""
    burn = float(burn_rate(500, 500, 0.999))
    assert burn == pytest.approx(1000)
    assert SLO_WINDOW / burn / timedelta(minutes=1) == pytest.approx(43.2)


@given(bad=st.integers(0, 10_000), good=st.integers(0, 10_000), objective=st.floats(0.5, 0.9999))
def test_availability_burn_and_budget_say_the_same(bad: int, good: int, objective: float) -> None:
    valid = bad + good
    if not valid:
        assert np.isnan([availability(0, 0), burn_rate(0, 0, objective), budget_left(0, 0, objective)]).all()
        return
    burn = float(burn_rate(bad, valid, objective))
    assert 1 - float(availability(good, valid)) == pytest.approx(burn * error_budget(objective), abs=1e-12)
    assert float(budget_left(bad, valid, objective)) == pytest.approx(1 - burn)


@pytest.mark.parametrize("objective", [0, 1, 99.9])
def test_an_objective_in_percent_is_refused(objective: float) -> None:
    with pytest.raises(ValueError, match=r"99\.9 % is 0\.999"):
        error_budget(objective)
