"""Windows tile time, and periods roll up into each other."""

import itertools
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.period import Period, Window, is_complete

moments = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1))
periods = st.sampled_from(Period)


@given(period=periods, moment=moments)
def test_a_period_contains_the_moments_that_floor_to_it(period: Period, moment: datetime) -> None:
    window = period.window(moment)
    assert window.start <= moment < window.end
    assert period.floor(window.start) == window.start
    assert period.floor(window.end) == window.end
    assert period.floor(window.end - timedelta(microseconds=1)) == window.start
    assert period.next(period.previous(window.start)) == window.start


@given(period=periods, moment=moments, days=st.integers(0, 400))
def test_periods_tile_a_window_without_gap_or_overlap(period: Period, moment: datetime, days: int) -> None:
    if period is Period.HOURLY:
        days = min(days, 3)
    window = Window(moment, moment + timedelta(days=days, minutes=1))
    tiles = list(period.windows(window))
    covering = period.covering(window)
    assert tiles[0].start == covering.start <= window.start
    assert tiles[-1].end == covering.end >= window.end
    assert all(left.end == right.start for left, right in itertools.pairwise(tiles))


@given(period=periods, moment=moments, days=st.integers(0, 800))
def test_the_periods_inside_a_window_are_all_that_lie_in_it_whole(
    period: Period, moment: datetime, days: int
) -> None:
    if period is Period.HOURLY:
        days = min(days, 3)
    window = Window(moment, moment + timedelta(days=days))
    whole = [part for part in period.windows(window) if window.start <= part.start and part.end <= window.end]
    inside = period.inside(window)
    assert whole == ([] if inside is None else list(period.windows(inside)))
    assert inside is None or inside == Window(whole[0].start, whole[-1].end)


@given(moment=moments)
def test_finer_periods_nest_in_what_they_roll_up_into(moment: datetime) -> None:
    for fine, coarse in [
        (Period.HOURLY, Period.DAILY),
        (Period.DAILY, Period.WEEKLY),
        (Period.DAILY, Period.MONTHLY),
        (Period.MONTHLY, Period.QUARTERLY),
        (Period.QUARTERLY, Period.YEARLY),
    ]:
        whole = coarse.window(moment)
        parts = list(fine.windows(whole))
        assert parts[0].start == whole.start
        assert parts[-1].end == whole.end


@pytest.mark.parametrize(
    ("day", "monday"),
    [
        (date(2026, 12, 31), date(2026, 12, 28)),
        (date(2027, 1, 3), date(2026, 12, 28)),
        (date(2027, 1, 4), date(2027, 1, 4)),
        (date(2024, 2, 29), date(2024, 2, 26)),
    ],
)
def test_weeks_are_iso_weeks_over_the_end_of_a_year(day: date, monday: date) -> None:
    start = Period.WEEKLY.window(datetime(day.year, day.month, day.day)).first_day
    assert start == monday
    assert day.isocalendar()[:2] == start.isocalendar()[:2]


def test_a_leap_february_has_29_days() -> None:
    assert Period.MONTHLY.window(datetime(2024, 2, 5)).days == 29
    assert Period.QUARTERLY.window(datetime(2024, 2, 5)).days == 91
    assert Period.YEARLY.window(datetime(2024, 2, 5)).days == 366


@given(period=periods, moment=moments)
def test_labels_name_their_partition(period: Period, moment: datetime) -> None:
    partition = period.partitioned_by.window(moment)
    assert period.parse_label(period.label(partition.start)) == partition


def test_a_label_inside_a_period_names_none() -> None:
    with pytest.raises(ValueError, match="no monthly period starts on 2026-02-02"):
        Period.MONTHLY.parse_label("2026-02-02")


def test_a_window_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="cannot end"):
        Window(datetime(2026, 1, 2), datetime(2026, 1, 1))


def test_days_of_a_window_are_inclusive() -> None:
    window = Window.of_days(date(2026, 2, 27), date(2026, 3, 1))
    assert list(window.each_day()) == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
    assert (window.first_day, window.last_day, window.days) == (date(2026, 2, 27), date(2026, 3, 1), 3)


@pytest.mark.parametrize(("hours", "expected"), [(83, False), (84, True)])
def test_a_period_is_complete_after_the_delay_and_not_before(hours: int, expected: bool) -> None:
    end = datetime(2026, 2, 1)
    assert is_complete(end=end, now=end + timedelta(hours=hours), delay=timedelta(hours=84)) is expected
