"""Cutting stretches of activity at midnights and hours, against a count of their seconds with ``zoneinfo``."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from healthmate_bi_pipeline.catalog.datasets import ACTIVITY_INTERVALS
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.settings import EngineSettings
from healthmate_bi_pipeline.transforms import raw
from healthmate_bi_pipeline_tests.transforms.judging import WINDOW, judge, people, stage

ZONES = {
    1: "Europe/Berlin", 2: "America/New_York", 3: "Asia/Kolkata", 4: "Australia/Lord_Howe", 5: "America/Havana",
    6: "Asia/Beirut",
}  # fmt: skip
STEP = timedelta(minutes=5)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(EngineSettings(), scratch=tmp_path_factory.mktemp("scratch")) as engine:
        yield engine


def stretch(user: int, start: datetime, length: timedelta, **more: Any) -> dict[str, Any]:
    """A stretch of activity that starts at an instant (UTC)."""
    return {
        "user_id": user, "source": "watch", "steps": 1000, "calories_kcal": 123.457,
        "started_at": f"{start:%Y-%m-%dT%H:%M:%SZ}", "ended_at": f"{start + length:%Y-%m-%dT%H:%M:%SZ}", **more,
    }  # fmt: skip


def pieces(engine: Engine, rows: Sequence[dict[str, Any]]) -> Any:
    judged = judge(engine, ACTIVITY_INTERVALS, stage(engine, ACTIVITY_INTERVALS, rows), zones=ZONES)
    assert engine.count(judged.filter(judged.rule.notnull())) == 0
    turns = engine.store(raw.clock_turns(judged, people(engine, ZONES)))
    return engine.store(raw.raw_rows(judged, ACTIVITY_INTERVALS, WINDOW, turns=turns))


def steps_of(engine: Engine, table: Any, *by: str) -> dict[int, dict[tuple[Any, ...], float]]:
    """Steps of each row by some columns, exactly those that got any."""
    found: dict[int, dict[tuple[Any, ...], float]] = defaultdict(dict)
    for row in engine.rows(table.group_by(["row_number", *by]).agg(steps=table.steps.sum())):
        if row["steps"]:
            found[row["row_number"]][tuple(row[name] for name in by)] = float(row["steps"])
    return found


def counted(user: int, start: datetime, length: timedelta, *, by_hour: bool) -> dict[tuple[Any, ...], float]:
    """The same, by asking every five minutes what the clock shows."""
    place, number = ZoneInfo(ZONES[user]), int(length / STEP)
    shares: Counter[tuple[Any, ...]] = Counter()
    for step in range(number):
        local = (start + step * STEP).replace(tzinfo=UTC).astimezone(place)
        shares[(local.date(), local.hour) if by_hour else (local.date(),)] += 1
    return {slot: 1000 * count / number for slot, count in shares.items()}


def assert_cut_right(engine: Engine, cases: Sequence[tuple[int, datetime, timedelta]]) -> None:
    table = pieces(engine, [stretch(*case) for case in cases])
    hours = engine.store(raw.cut_at_hours(table))
    for found, by_hour in (
        (steps_of(engine, table, "day"), False),
        (steps_of(engine, hours, "day", "hour"), True),
    ):
        for number, case in enumerate(cases, start=1):
            assert found[number] == pytest.approx(counted(*case, by_hour=by_hour), abs=1e-4), case
    for each in (table, hours):
        sums = each.group_by("row_number").agg(steps=each.steps.sum(), kcal=each.calories_kcal.sum())
        assert {(row["steps"], row["kcal"]) for row in engine.rows(sums)} == {
            (Decimal(1000), Decimal("123.457"))
        }
    places = engine.rows(table.select("row_number", "piece"))
    assert len({(row["row_number"], row["piece"]) for row in places}) == len(places)
    assert sorted(row["row_number"] for row in places if row["piece"] == 0) == list(range(1, len(cases) + 1))


def test_stretches_are_cut_in_proportion_to_time(engine):
    random_ = random.Random(3)
    begin = datetime(2026, 1, 10)
    cases = [
        (
            random_.randrange(1, 7),
            begin + STEP * random_.randrange(288 * 30),
            STEP * random_.randrange(1, 576),
        )
        for _ in range(150)
    ]
    assert_cut_right(engine, cases)


CHANGES = {
    1: [datetime(2025, 3, 30, 1), datetime(2025, 10, 26, 1)],
    2: [datetime(2025, 3, 9, 7), datetime(2025, 11, 2, 6)],
    4: [datetime(2025, 4, 5, 15), datetime(2025, 10, 4, 15, 30)],  # by half an hour
    5: [datetime(2025, 3, 9, 5), datetime(2025, 11, 2, 5)],  # at midnight
    6: [datetime(2025, 3, 29, 22), datetime(2025, 10, 25, 21)],  # over midnight
}


def test_where_the_clock_changes_each_part_counts_by_its_own_clock(engine):
    lengths = [timedelta(minutes=minutes) for minutes in (5, 15, 60, 90, 480, 1440, 1500, 2880)]
    starts = [timedelta(minutes=minutes) for minutes in (-2000, -600, -90, -60, -30, -15, 0, 15, 30, 60)]
    cases = [
        (user, at + start, length)
        for user, changes in CHANGES.items()
        for at in changes
        for start in starts
        for length in lengths
    ]
    assert_cut_right(engine, cases)


def test_no_row_appears_in_the_hour_that_the_clock_leaves_out(engine):
    """A device that counts by the hour: every hour of the day gets its own, none gets half of its neighbour's."""
    day = [stretch(1, datetime(2025, 3, 29, 23) + timedelta(hours=hour), timedelta(hours=1), steps=100 + hour) for hour in range(23)]  # fmt: skip
    hours = raw.cut_at_hours(pieces(engine, day))
    rows = engine.rows(hours.group_by(["day", "hour"]).agg(steps=hours.steps.sum()).order_by("hour"))
    shown = [hour for hour in range(24) if hour != 2]
    assert [(row["hour"], float(row["steps"])) for row in rows] == [
        (hour, 100 + n) for n, hour in enumerate(shown)
    ]
    assert {row["day"] for row in rows} == {date(2025, 3, 30)}


def test_the_repeated_hour_holds_both(engine):
    night = [
        stretch(1, datetime(2025, 10, 25, 22) + timedelta(hours=hour), timedelta(hours=1))
        for hour in range(25)
    ]
    hours = raw.cut_at_hours(pieces(engine, night))
    rows = engine.rows(hours.group_by(["day", "hour"]).agg(steps=hours.steps.sum()).order_by("hour"))
    assert [float(row["steps"]) for row in rows] == [2000 if hour == 2 else 1000 for hour in range(24)]


def test_offsets_of_the_row_itself_do_not_fill_the_missing_hour(engine):
    """Person 9 has no record: where the clock changed is not known, only that it did."""
    row = stretch(9, datetime(2025, 3, 30), timedelta(hours=1))
    row |= {"started_at": "2025-03-30T01:00:00+01:00", "ended_at": "2025-03-30T03:00:00+02:00"}
    hours = raw.cut_at_hours(pieces(engine, [row]))
    assert [(found["hour"], float(found["steps"])) for found in engine.rows(hours)] == [(1, 1000.0)]


def test_a_stretch_without_length_is_kept_whole(engine):
    table = pieces(engine, [stretch(1, datetime(2026, 3, 1, 23), timedelta(0))])
    hours = raw.cut_at_hours(table)
    assert [(row["day"], row["hour"], float(row["steps"])) for row in engine.rows(hours)] == [(date(2026, 3, 2), 0, 1000.0)]  # fmt: skip


def test_a_daily_total_is_not_cut(engine):
    rows = [
        stretch(1, datetime(2026, 3, 1, 5), timedelta(hours=24), is_daily_total="true"),
        stretch(1, datetime(2025, 3, 29, 23), timedelta(hours=23), is_daily_total="true"),
    ]
    found = engine.rows(pieces(engine, rows).order_by("row_number"))
    assert [(row["day"], row["piece"], float(row["steps"])) for row in found] == [
        (date(2026, 3, 1), 0, 1000.0),
        (date(2025, 3, 30), 0, 1000.0),
    ]


def test_what_was_not_measured_stays_empty(engine):
    table = pieces(engine, [stretch(1, datetime(2026, 3, 1, 20), timedelta(hours=6), calories_kcal=None)])
    assert [row["calories_kcal"] for row in engine.rows(table)] == [None, None]
