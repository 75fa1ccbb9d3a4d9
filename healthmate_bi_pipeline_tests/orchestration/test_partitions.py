from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.lake.first_day import move_first_day_back
from healthmate_bi_pipeline.lake.store import Lake
from healthmate_bi_pipeline.orchestration.partitions import (
    find_first_day,
    partitions_of,
    range_tags,
    window_of,
)
from healthmate_bi_pipeline.settings import Settings

periods = st.sampled_from(list(Period))
days = st.dates(min_value=date(1999, 12, 1), max_value=date(2026, 1, 5))


@settings(max_examples=60, deadline=None)
@given(period=periods, first_day=days, length=st.integers(min_value=0, max_value=900))
def test_keys_are_the_labels_of_the_periods(period: Period, first_day: date, length: int) -> None:
    definition = partitions_of(period, first_day)
    now = datetime.combine(first_day + timedelta(days=length), datetime.min.time(), UTC)
    keys = definition.get_partition_keys(current_time=now)
    expected = list(period.partitioned_by.windows(Window.of_days(first_day, now.date())))
    assert keys == [period.label(window.start) for window in expected]
    assert [window_of(definition.time_window_for_partition_key(key)) for key in keys] == expected


def test_the_running_period_is_there() -> None:
    today = datetime.now(UTC).date()
    for period in Period:
        keys = partitions_of(period, today).get_partition_keys()
        assert keys == [period.label(period.partitioned_by.floor(midnight(today)))]


@given(period=periods, first=days, length=st.integers(min_value=0, max_value=500))
def test_a_range_names_every_partition_that_is_touched(period: Period, first: date, length: int) -> None:
    window = Window.of_days(first, first + timedelta(days=length))
    tags = range_tags(period, window)
    touched = list(period.partitioned_by.windows(window))
    assert tags == {
        "dagster/asset_partition_range_start": period.label(touched[0].start),
        "dagster/asset_partition_range_end": period.label(touched[-1].start),
    }


def test_first_day_of_the_settings_then_of_the_lake_then_of_this_year(settings: Settings) -> None:
    this_year = datetime.now(UTC).date().replace(month=1, day=1)
    assert find_first_day(settings) == this_year
    move_first_day_back(Lake(settings.lake_uri), date(2016, 3, 12))
    assert find_first_day(settings) == date(2016, 3, 12)
    earlier = settings.model_copy(update={"start_date": date(2015, 1, 1)})
    assert find_first_day(earlier) == date(2015, 1, 1)


@pytest.mark.parametrize("period", [Period.WEEKLY, Period.MONTHLY, Period.QUARTERLY, Period.YEARLY])
def test_the_first_day_lies_in_the_first_partition(period: Period) -> None:
    definition = partitions_of(period, date(2016, 3, 12))
    first = window_of(definition.time_window_for_partition_key(definition.get_partition_keys()[0]))
    assert first.start <= datetime(2016, 3, 12) < first.end
