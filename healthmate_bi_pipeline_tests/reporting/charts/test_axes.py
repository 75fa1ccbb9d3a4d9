import itertools

from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.reporting.charts.axes import apart, nice_axis

numbers = st.floats(-1e5, 1e5, allow_nan=False).map(lambda number: round(number, 3))


@given(numbers, st.floats(0, 1e5).map(lambda number: round(number, 3)))
def test_an_axis_contains_what_it_is_for(low, span):
    high = low + span
    axis = nice_axis(low, high)
    tolerance = 1e-6 * max(1.0, abs(low), abs(high))
    assert axis.low <= low + tolerance
    assert axis.high >= high - tolerance
    assert axis.low < axis.high
    assert axis.values[0] == axis.low
    assert abs(axis.values[-1] - axis.high) < tolerance
    assert len(axis.values) <= 8


@given(st.lists(st.floats(0, 148), min_size=1, max_size=6))
def test_labels_are_apart_and_inside(places):
    moved = sorted(apart(places, last=148))
    assert all(after - before >= 12.999 for before, after in itertools.pairwise(moved))
    assert moved[-1] <= 148.001
