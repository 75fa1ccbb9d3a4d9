"""Control charts: the published example, each rule with a series made for it, and what must not change a chart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.control_charts import (
    ChartRule,
    control_limits,
    find_signals,
    last_run,
)

GOLDEN = [1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]
QUIET = [5, 6, 4, 6, 5, 4, 6, 5, 4, 5, 6, 4, 5, 6]


def signals(values, **lengths):
    found = find_signals(values, control_limits(values), **lengths)
    return {rule: places.tolist() for rule, places in found.items()}


def test_the_limits_of_the_golden_series() -> None:
    limits = control_limits(GOLDEN)
    assert round(limits.centre, 2) == 1.94
    assert (round(limits.lower, 2), round(limits.upper, 2)) == (-0.72, 4.60)
    assert limits.near_upper - limits.centre == pytest.approx(2 / 3 * (limits.upper - limits.centre))
    assert limits.centre - limits.near_lower == pytest.approx(2 / 3 * (limits.centre - limits.lower))


def test_a_wild_value_widens_limits_that_are_not_screened() -> None:
    limits = control_limits(GOLDEN, is_screened=False)
    assert (round(limits.lower, 2), round(limits.upper, 2)) == (-3.06, 6.95)


def test_only_the_wild_value_is_a_signal() -> None:
    assert signals(GOLDEN) == {
        ChartRule.OUTSIDE: [4],
        ChartRule.NEAR: [],
        ChartRule.SHIFT: [],
        ChartRule.TREND: [],
    }


def test_a_quiet_series_has_no_signal() -> None:
    assert not any(signals(QUIET).values())


def test_seven_on_one_side_are_a_shift_and_six_are_not() -> None:
    low, high = [4, 5, 4, 5, 4, 5, 4], [8, 9, 8, 9, 8, 9, 8]
    assert signals(low + high)[ChartRule.SHIFT] == list(range(14))
    assert signals(low + high[:6])[ChartRule.SHIFT] == list(range(7))
    assert signals(low + high, shift_points=8)[ChartRule.SHIFT] == []


def test_seven_that_rise_are_a_trend_and_six_are_not() -> None:
    values = [5, 9, 4, 1, 2, 3, 4, 5, 6, 7, 4, 9, 5]
    assert signals(values)[ChartRule.TREND] == [3, 4, 5, 6, 7, 8, 9]
    assert signals([*values[:9], 4, 9, 5])[ChartRule.TREND] == []
    assert signals([-value for value in values])[ChartRule.TREND] == [3, 4, 5, 6, 7, 8, 9]


def test_equal_values_break_a_trend() -> None:
    assert signals([5, 9, 4, 1, 2, 3, 4, 4, 5, 6, 7, 4, 9, 5])[ChartRule.TREND] == []


def test_two_of_three_beyond_a_near_limit_on_one_side() -> None:
    wide = QUIET + QUIET + QUIET
    values = [*wide, 8.3, 5, 8.3, *wide]
    found = signals(values)
    assert found[ChartRule.NEAR] == [len(wide), len(wide) + 2]
    assert signals([*wide, 8.3, 5, 5, 8.3, *wide])[ChartRule.NEAR] == []
    assert signals([*wide, 8.3, 1.7, 5, *wide])[ChartRule.NEAR] == []


def test_few_points_have_trial_limits() -> None:
    assert control_limits(QUIET[:11]).is_trial
    assert not control_limits(QUIET[:12]).is_trial
    assert control_limits([1.0]) is None


def test_gaps_are_refused() -> None:
    with pytest.raises(ValueError, match="without gaps"):
        control_limits([1.0, float("nan"), 2.0])


def test_a_constant_series_has_limits_and_no_signal() -> None:
    assert not any(signals([3.0] * 20).values())


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40), st.floats(0.01, 100), st.floats(-1e6, 1e6))
def test_limits_move_with_unit_and_origin(values: list[float], scale: float, origin: float) -> None:
    limits = control_limits(values, is_screened=False)
    moved = control_limits(np.asarray(values) * scale + origin, is_screened=False)
    assert moved.centre == pytest.approx(limits.centre * scale + origin, rel=1e-6, abs=1e-3)
    assert moved.upper - moved.lower == pytest.approx(
        (limits.upper - limits.lower) * scale, rel=1e-6, abs=1e-3
    )


@pytest.mark.parametrize(("signs", "length"), [([1, -1, -1], 2), ([1, 1], 2), ([1, 0], 0), ([], 0)])
def test_the_run_at_the_end(signs: list[int], length: int) -> None:
    assert last_run(signs) == length
