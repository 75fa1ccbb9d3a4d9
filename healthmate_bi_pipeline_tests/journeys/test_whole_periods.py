"""Figures of whole periods against a second, independent computation in pandas, row by row with zoneinfo.

A year and a bit of random readings, activity and sleep of people in several time zones (one of them moves),
told as UTC, with an offset, or as wall-clock time. The roll-up through hours, days and months must equal what
pandas computes straight from the rows, for every figure and every period.
"""

from __future__ import annotations

import math
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, health, opened, refresh

pytestmark = pytest.mark.slow

FIRST, LAST = date(2024, 12, 20), date(2026, 1, 10)
ZONES = {
    1: "Europe/Berlin",
    2: "America/New_York",
    3: "Asia/Kolkata",
    4: "Pacific/Auckland",
    5: "Europe/Berlin",
}
MOVED_AT = datetime(2025, 6, 15, 12, tzinfo=UTC)  # person 5 moves from Berlin to New York
HEIGHT = {1: 170.0, 2: 181.5, 3: 160.0, 4: 175.0, 5: 168.0}


def _zone(person: int, instant: datetime) -> zoneinfo.ZoneInfo:
    name = "America/New_York" if person == 5 and instant >= MOVED_AT else ZONES.get(person, "UTC")
    return zoneinfo.ZoneInfo(name)


def _local(person: int, instant: datetime) -> datetime:
    return instant.astimezone(_zone(person, instant)).replace(tzinfo=None)


def _instants(random: np.random.Generator, count: int) -> list[datetime]:
    seconds = random.integers(0, (LAST - FIRST).days * 86_400, count)
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
    return [start + timedelta(seconds=int(second)) for second in seconds]


def _told(person: int, instant: datetime) -> str:
    """As the person's device tells it: UTC, with an offset, or wall-clock (only where that is no doubt)."""
    if person in (1, 5, 6):
        return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
    if person in (2, 4):
        return instant.astimezone(_zone(person, instant)).isoformat()
    return f"{_local(person, instant):%Y-%m-%d %H:%M:%S}"


def _readings(random: np.random.Generator) -> pd.DataFrame:
    rows = []
    for person in range(1, 7):
        for metric, unit, low, high, count in (
            ("heart_rate", "bpm", 50, 120, 1500),
            ("blood_pressure_systolic", "mmHg", 95, 170, 300),
            ("weight", "kg", 60, 90, 120),
            ("blood_glucose", "mmol/L", 3.5, 12, 150),
        ):
            for instant in _instants(random, count):
                value = round(float(random.uniform(low, high)), 2)
                rows.append((person, metric, unit, value, instant, _local(person, instant)))
    frame = pd.DataFrame(rows, columns=["user_id", "metric", "unit", "value", "instant", "local"])
    return frame.drop_duplicates(["user_id", "metric", "instant"])


def _activity(random: np.random.Generator) -> pd.DataFrame:
    """Stretches of up to 5 hours in wall-clock time, away from the hours in which clocks change."""
    rows = []
    for person in range(1, 7):
        for day in pd.date_range(FIRST, LAST - timedelta(days=2)):
            start = day + timedelta(hours=18, minutes=int(random.integers(0, 300)))
            end = start + timedelta(minutes=int(random.integers(1, 60)))
            if random.random() < 0.2:  # over midnight, and done before clocks change at 01:00 UTC or 02:00
                start, end = day + timedelta(hours=21, minutes=30), day + timedelta(hours=24, minutes=40)
            rows.append((person, start, end, int(random.integers(1, 3000)), int(random.integers(0, 2))))
    return pd.DataFrame(rows, columns=["user_id", "started_at", "ended_at", "steps", "vigorous_minutes"])


def _sleep(random: np.random.Generator) -> pd.DataFrame:
    rows = []
    for person in range(1, 7):
        for day in pd.date_range(FIRST + timedelta(days=1), LAST - timedelta(days=2)):
            if random.random() < 0.3:
                continue
            asleep = int(random.integers(200, 400))
            rows.append(
                (
                    person,
                    day - timedelta(hours=1),
                    day + timedelta(hours=8),
                    asleep,
                    asleep + 30,
                    day.normalize(),
                )
            )
    columns = ["user_id", "started_at", "ended_at", "asleep_minutes", "in_bed_minutes", "day"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture(scope="module")
def data() -> dict[str, pd.DataFrame]:
    random = np.random.default_rng(7)
    return {"readings": _readings(random), "activity": _activity(random), "sleep": _sleep(random)}


@pytest.fixture(scope="module")
def pipeline(data: dict[str, pd.DataFrame], journey_settings: Settings) -> Iterator[Pipeline]:
    _write(journey_settings, data)
    with opened(journey_settings, now=datetime(2026, 1, 20, 12)) as pipeline:
        refresh(pipeline, groups=("staged", "baselines", "raw", "state", "health_metrics"))
        yield pipeline


def _write(settings: Settings, data: dict[str, pd.DataFrame]) -> None:
    users = [
        {"user_id": person, "valid_from": "", "time_zone": zone, "height_cm": HEIGHT[person]}
        for person, zone in ZONES.items()
    ]
    users.append(
        {
            "user_id": 5,
            "valid_from": f"{MOVED_AT:%Y-%m-%dT%H:%M:%SZ}",
            "time_zone": "America/New_York",
            "height_cm": 168,
        }
    )
    drop_file(settings, "users/users.csv", csv_text(users))
    readings = data["readings"]
    told = readings.assign(
        recorded_at=[
            _told(person, at) for person, at in zip(readings["user_id"], readings["instant"], strict=True)
        ],
        source="watch",
    )
    drop_file(
        settings, "health_readings/all.csv", told.drop(columns=["instant", "local"]).to_csv(index=False)
    )
    drop_file(
        settings, "activity_intervals/all.csv", data["activity"].assign(source="watch").to_csv(index=False)
    )
    drop_file(
        settings,
        "sleep_sessions/all.csv",
        data["sleep"].drop(columns="day").assign(source="band").to_csv(index=False),
    )


FREQUENCY = {"hourly": "h", "daily": "D", "weekly": "W-SUN", "monthly": "M", "quarterly": "Q", "yearly": "Y"}
PERIODS = tuple(FREQUENCY)


def _start(at: pd.Series, period: str) -> pd.Series:
    return at.dt.to_period(FREQUENCY[period]).dt.start_time


def _assert_equal(found: pd.Series, expected: pd.Series, rtol: float = 1e-9, atol: float = 0) -> None:
    found, expected = found.dropna().astype(float).sort_index(), expected.dropna().astype(float).sort_index()
    expected.index.names = found.index.names
    pd.testing.assert_series_equal(
        found, expected, check_names=False, rtol=rtol, atol=atol, check_index_type=False
    )


@pytest.mark.parametrize("period", PERIODS)
def test_readings(pipeline: Pipeline, data: dict[str, pd.DataFrame], period: str) -> None:
    rows = health(pipeline, period)
    for metric, column, factor in (
        ("heart_rate", "heart_rate", 1),
        ("blood_pressure_systolic", "blood_pressure_systolic", 1),
        ("blood_glucose", "blood_sugar", 18.0182),
        ("weight", "weight", 1),
    ):
        mine = data["readings"].query("metric == @metric")
        values = mine["value"] * factor
        grouped = values.groupby([mine["user_id"], _start(mine["local"], period)])
        _assert_equal(rows[f"avg_{column}"], grouped.mean(), 1e-7 if metric == "blood_glucose" else 1e-9)
        _assert_equal(rows[f"{column}_readings"].replace(0, np.nan), grouped.count())
        if metric != "weight":
            _assert_equal(rows[f"min_{column}"], grouped.min())
            _assert_equal(rows[f"max_{column}"], grouped.max())
        if metric == "blood_pressure_systolic":
            _assert_equal(rows[f"sd_{column}"], grouped.std())
    weights = data["readings"].query("metric == 'weight'").sort_values("instant")
    by_period = weights.groupby([weights["user_id"], _start(weights["local"], period)])["value"]
    change = (by_period.last() - by_period.first()).where(by_period.count() > 1)
    # Differences of rounded values: absolute, not relative.
    found = rows["weight_change"].dropna().astype(float)
    assert np.allclose(found.to_numpy(), change.dropna().sort_index().to_numpy(), atol=1e-9)
    bmi = by_period.mean() / by_period.mean().index.get_level_values(0).map(HEIGHT) ** 2 * 10_000
    _assert_equal(rows["avg_bmi"], bmi)


@pytest.mark.parametrize("period", PERIODS)
def test_steps_are_cut_in_proportion_to_time(
    pipeline: Pipeline, data: dict[str, pd.DataFrame], period: str
) -> None:
    pieces = []
    for row in data["activity"].itertuples():
        at, length = row.started_at, (row.ended_at - row.started_at).total_seconds()
        while at < row.ended_at:
            until = min(at.floor("h") + timedelta(hours=1), row.ended_at)
            pieces.append((row.user_id, at, row.steps * (until - at).total_seconds() / length))
            at = until
    frame = pd.DataFrame(pieces, columns=["user_id", "at", "steps"])
    expected = frame.groupby(["user_id", _start(frame["at"], period)])["steps"].sum()
    rows = health(pipeline, period)
    _assert_equal(rows["total_steps"], expected, atol=3e-6)  # each piece is kept to a millionth
    if period not in ("hourly", "daily"):
        continuing = data["activity"].groupby(["user_id"])["steps"].sum()
        assert np.isclose(rows["total_steps"].groupby("user_id").sum(), continuing, rtol=0, atol=1e-6).all()
    if period != "hourly":
        days = frame.groupby(["user_id", _start(frame["at"], period)])["at"].agg(
            lambda at: at.dt.normalize().nunique()
        )
        _assert_equal(rows["avg_steps_per_day"], expected / days, atol=3e-6)
        _assert_equal(rows["days_with_steps"].replace(0, np.nan), days)


@pytest.mark.parametrize("period", PERIODS[1:])
def test_sleep(pipeline: Pipeline, data: dict[str, pd.DataFrame], period: str) -> None:
    sleep = data["sleep"]
    grouped = sleep.groupby([sleep["user_id"], _start(sleep["day"], period)])
    rows = health(pipeline, period)
    _assert_equal(rows["avg_sleep_hours"], grouped["asleep_minutes"].mean() / 60)
    _assert_equal(rows["total_sleep_hours"], grouped["asleep_minutes"].sum() / 60)
    efficiency = 100 * grouped["asleep_minutes"].sum() / grouped["in_bed_minutes"].sum()
    _assert_equal(rows["sleep_quality_score"], efficiency)


@pytest.mark.parametrize("period", PERIODS)
def test_hours_covered_are_the_hours_that_really_elapsed(pipeline: Pipeline, period: str) -> None:
    rows = health(pipeline, period)
    people = [person for person in ZONES if person != 5]  # a move is no clock change of one zone
    for person in people:
        zone = zoneinfo.ZoneInfo(ZONES[person])
        for start, row in rows.loc[person].iterrows():
            begin, end = (
                moment.to_pydatetime().replace(tzinfo=zone).astimezone(UTC)
                for moment in (start, row["period_end"])
            )
            assert math.isclose(row["hours_covered"], (end - begin).total_seconds() / 3600), (person, start)


def test_the_periods_hold_the_same_rows(pipeline: Pipeline) -> None:
    """Totals do not depend on the period that they are read from (weeks reach over the edges of years)."""
    sums = {
        period: health(pipeline, period)[["heart_rate_readings", "total_steps"]].sum() for period in PERIODS
    }
    for period in PERIODS[1:]:
        assert np.allclose(sums[period].astype(float), sums["hourly"].astype(float), rtol=1e-12), period


def test_every_row_is_complete_only_after_grace(pipeline: Pipeline) -> None:
    for period in PERIODS:
        rows = health(pipeline, period)
        expected = rows["period_end"] + timedelta(hours=84) <= datetime(2026, 1, 20, 12)
        assert (rows["is_complete"] == expected).all()


def test_periods_start_where_they_should(pipeline: Pipeline) -> None:
    for period in Period:
        rows = health(pipeline, str(period)).reset_index()
        assert all(period.floor(start.to_pydatetime()) == start for start in rows["period_start"])
        assert all(
            period.next(s.to_pydatetime()) == e
            for s, e in zip(rows["period_start"], rows["period_end"], strict=True)
        )


def test_a_person_without_a_record_counts_and_is_flagged(pipeline: Pipeline) -> None:
    rows = health(pipeline, "yearly")
    assert not rows.loc[6, "has_user_record"].any()
    assert rows.loc[1, "has_user_record"].all()
    assert rows.loc[6, "avg_bmi"].isna().all()


def test_the_mover_lives_by_the_clock_of_each_place(
    pipeline: Pipeline, data: dict[str, pd.DataFrame]
) -> None:
    mine = data["readings"].query("user_id == 5 and metric == 'heart_rate'")
    counts = mine.groupby(mine["local"].dt.normalize())["value"].count()
    found = health(pipeline, "daily").loc[5]["heart_rate_readings"].replace(0, np.nan).dropna()
    assert found.astype(int).to_dict() == counts.to_dict()
