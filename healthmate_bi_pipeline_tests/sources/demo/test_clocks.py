"""What time it is where somebody is, against Python's own zones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.sources.demo.clocks import NEVER, ZONES, Clocks, Span, hours_of
from healthmate_bi_pipeline.sources.demo.movement import make_grid

FIRST, LAST = datetime(2025, 1, 1), datetime(2026, 12, 31)


def clocks_of(*zones: str) -> Clocks:
    places = np.array([ZONES.index(zone) for zone in zones])
    return Clocks(places, places, np.full(len(places), NEVER), FIRST.year, LAST.year)


@given(zone=st.sampled_from(ZONES), moments=st.lists(st.datetimes(FIRST, LAST), min_size=1, max_size=20))
def test_wall_clock_times_are_those_of_the_zone(zone, moments):
    clocks, person = clocks_of(zone), np.zeros(len(moments), dtype=np.int64)
    local = clocks.to_local(person, np.array(moments, dtype="datetime64[us]"))
    expected = [
        moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in moments
    ]
    assert local.tolist() == expected


@given(zone=st.sampled_from(ZONES), local=st.datetimes(FIRST + timedelta(days=1), LAST - timedelta(days=1)))
def test_instants_are_the_earlier_ones_of_a_wall_clock_time(zone, local):
    person = np.zeros(1, dtype=np.int64)
    (utc,) = clocks_of(zone).to_utc(person, np.array([local], dtype="datetime64[us]")).tolist()
    placed = local.replace(tzinfo=ZoneInfo(zone))  # fold 0: the earlier one
    if placed.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local:
        assert utc == placed.astimezone(UTC).replace(tzinfo=None)
    else:  # the clock never showed that time
        assert utc == local - placed.replace(
            fold=1
        ).utcoffset() or utc == local - placed.utcoffset() - timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("Pacific/Auckland", date(2026, 4, 5), 25),
        ("Asia/Kolkata", date(2026, 3, 29), 24),
    ],
)
def test_a_day_has_the_hours_that_its_clock_shows(zone, day, hours):
    span = Span(day - timedelta(days=1), day + timedelta(days=1))
    grid = make_grid(clocks_of(zone), span, minutes=60)
    of_day = grid.local[grid.is_inside & (grid.day == 1)]
    assert len(of_day) == hours
    assert hours_of(of_day).max() == 23
    assert (hours_of(of_day) % 1 == 0).all()  # on the hour, also where the offset is not
    assert np.unique(np.diff(grid.utc)).tolist() == [timedelta(hours=1)]


def test_who_moves_has_the_new_clock_from_then_on():
    places = np.array([ZONES.index("Europe/Berlin")])
    moves_at = np.array(["2026-02-01T12:00"], dtype="datetime64[us]")
    clocks = Clocks(places, np.array([ZONES.index("America/New_York")]), moves_at, 2025, 2027)
    person = np.zeros(2, dtype=np.int64)
    utc = moves_at[0] + np.array([-1, 0], dtype="timedelta64[us]")
    assert clocks.offset_minutes(person, utc).tolist() == [60, -300]
    local = np.array(["2026-02-01T09:00", "2026-02-01T14:00"], dtype="datetime64[us]")
    expected = np.array(["2026-02-01T08:00", "2026-02-01T19:00"], dtype="datetime64[us]")
    assert clocks.to_utc(person, local).tolist() == expected.tolist()
