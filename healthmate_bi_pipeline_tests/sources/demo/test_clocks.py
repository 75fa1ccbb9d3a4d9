"""What time it is where somebody is, against Python's own zones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.sources.demo.clocks import Clocks, Span, Stay, make_clocks
from healthmate_bi_pipeline.sources.demo.movement import make_grid
from healthmate_bi_pipeline.sources.demo.places import ZONES

FIRST, LAST = datetime(2025, 1, 1), datetime(2026, 12, 31)
SPAN = Span(FIRST.date(), LAST.date())


def clocks_of(*zones: str, span: Span = SPAN) -> Clocks:
    return make_clocks(span, np.array([ZONES.index(zone) for zone in zones]))


@given(zone=st.sampled_from(ZONES), moments=st.lists(st.datetimes(FIRST, LAST), min_size=1, max_size=20))
def test_wall_clock_times_are_those_of_the_zone(zone, moments):
    clocks, person = clocks_of(zone), np.zeros(len(moments), dtype=np.int64)
    local = clocks.to_local(person, np.array(moments, dtype="datetime64[us]"))
    expected = [
        moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in moments
    ]
    assert local.tolist() == expected


@given(zone=st.sampled_from(ZONES), local=st.datetimes(FIRST + timedelta(days=1), LAST - timedelta(days=1)))
def test_instants_are_those_of_python(zone, local):
    """Of two the earlier one; a time that the clock skipped comes as much later."""
    person = np.zeros(1, dtype=np.int64)
    (utc,) = clocks_of(zone).to_utc(person, np.array([local], dtype="datetime64[us]")).tolist()
    assert utc == local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)


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
    grid = make_grid(clocks_of(zone, span=span), span)
    of_day = grid.local_hour[grid.is_inside & (grid.day == 1)]
    assert len(of_day) == hours
    assert of_day.max() == 23
    assert (of_day % 1 == 0).all()  # on the hour, also where the offset is not
    assert np.unique(np.diff(grid.utc)).tolist() == [timedelta(hours=1)]


def test_who_moves_or_travels_has_the_other_clock_meanwhile():
    home, away = (np.array([ZONES.index(zone)]) for zone in ("Europe/Berlin", "America/New_York"))
    span = Span(date(2026, 1, 1), date(2026, 3, 31))
    clocks = make_clocks(span, home, [Stay(np.array([31]), np.array([45]), away)])
    person = np.zeros(4, dtype=np.int64)
    leaves, returns = np.datetime64("2026-02-01T12:00", "us"), np.datetime64("2026-02-15T12:00", "us")
    second = np.timedelta64(1, "s")
    utc = np.array([leaves - second, leaves, returns - second, returns])
    assert clocks.offset_minutes(person, utc).tolist() == [60, -300, -300, 60]
    local = np.array(["2026-02-01T09:00", "2026-02-01T14:00"], dtype="datetime64[us]")
    expected = np.array(["2026-02-01T08:00", "2026-02-01T19:00"], dtype="datetime64[us]")
    assert clocks.to_utc(person[:2], local).tolist() == expected.tolist()
