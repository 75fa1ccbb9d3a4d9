"""Stretches of constant offset, against the offsets that zoneinfo gives for single instants."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.time_zones import known_time_zones, offset_stretches

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # a change of half an hour
    "Pacific/Apia",  # skipped a whole day
    "Africa/Casablanca",  # several changes a year, around Ramadan
    "America/Sao_Paulo",  # changed at midnight
)


@pytest.fixture(autouse=True)
def _pinned_zones() -> Iterator[None]:
    """Ask zoneinfo with the pinned database and not with this machine's, which may be older."""
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()


@settings(max_examples=300, deadline=None)
@given(zone=st.sampled_from(ZONES), moment=st.datetimes(datetime(2008, 1, 2), datetime(2027, 12, 30)))
def test_every_instant_lies_in_one_stretch_with_its_offset(zone: str, moment: datetime) -> None:
    stretches = offset_stretches(zone, start=datetime(2008, 1, 1), end=datetime(2027, 12, 31))
    holding = [stretch for stretch in stretches if stretch.start <= moment < stretch.end]
    assert len(holding) == 1
    offset = moment.replace(tzinfo=UTC).astimezone(zoneinfo.ZoneInfo(zone)).utcoffset()
    assert timedelta(minutes=holding[0].offset_minutes) == offset


def test_the_changes_of_central_europe_in_2026() -> None:
    stretches = offset_stretches("Europe/Berlin", start=datetime(2026, 1, 1), end=datetime(2026, 12, 31))
    assert [(stretch.start, stretch.offset_minutes) for stretch in stretches[1:]] == [
        (datetime(2026, 3, 29, 1), 120),
        (datetime(2026, 10, 25, 1), 60),
    ]


def test_an_unknown_zone_is_refused() -> None:
    assert "Mars/Olympus" not in known_time_zones()
    with pytest.raises(ValueError, match="unknown time zone"):
        offset_stretches("Mars/Olympus", start=datetime(2026, 1, 1), end=datetime(2026, 2, 1))
