"""Cutting sessions at midnights and hours, against a count of their minutes with ``zoneinfo``."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from healthmate_bi_pipeline.catalog.datasets import LOGIN_SESSIONS
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.settings import EngineSettings
from healthmate_bi_pipeline.transforms import raw, sessions
from healthmate_bi_pipeline_tests.transforms.judging import WINDOW, judge, people, stage

ZONES = {
    1: "Europe/Berlin", 2: "America/New_York", 3: "Asia/Kolkata", 4: "Australia/Lord_Howe", 5: "America/Havana",
    6: "Asia/Beirut",
}  # fmt: skip
MINUTE = timedelta(minutes=1)
Case = tuple[int, datetime, timedelta]

TURNS = [
    (1, datetime(2026, 3, 29, 0, 30), timedelta(hours=2)),  # the clock goes from 2:00 to 3:00 at 1:00 UTC
    (1, datetime(2025, 10, 26, 0, 10), timedelta(hours=2)),  # the hour from 2:00 comes twice
    (2, datetime(2025, 11, 2, 5, 30), timedelta(hours=20)),
    (4, datetime(2025, 4, 5, 14, 50), timedelta(minutes=30)),  # by half an hour
    (5, datetime(2025, 11, 2, 4, 30), timedelta(hours=1)),  # the clock goes back at 1:00
    (6, datetime(2025, 3, 29, 20, 0), timedelta(hours=4)),  # midnight does not exist
    (6, datetime(2025, 10, 25, 20, 30), timedelta(hours=23)),  # midnight comes twice
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(EngineSettings(), scratch=tmp_path_factory.mktemp("scratch")) as engine:
        yield engine


def raw_pieces(engine: Engine, cases: Sequence[tuple[int, datetime, timedelta | None]]) -> Any:
    rows = [
        {
            "user_id": user,
            "session_id": f"s{number}",
            "started_at": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "ended_at": None if length is None else f"{start + length:%Y-%m-%dT%H:%M:%SZ}",
        }
        for number, (user, start, length) in enumerate(cases)
    ]
    judged = judge(engine, LOGIN_SESSIONS, stage(engine, LOGIN_SESSIONS, rows), zones=ZONES)
    assert engine.count(judged.filter(judged.rule.notnull())) == 0
    turns = engine.store(raw.clock_turns(judged, people(engine, ZONES)))
    return engine.store(raw.raw_rows(judged, LOGIN_SESSIONS, WINDOW, turns=turns))


def counted(case: Case, *, by_hour: bool) -> Counter[tuple[Any, ...]]:
    """Minutes of a session per day or hour, by asking every minute what the clock shows."""
    user, start, length = case
    shown = [
        (start + number * MINUTE).replace(tzinfo=UTC).astimezone(ZoneInfo(ZONES[user]))
        for number in range(int(length / MINUTE))
    ]
    return Counter((at.date(), at.hour) if by_hour else (at.date(),) for at in shown)


def found_minutes(engine: Engine, table: Any, *by: str) -> list[Counter[tuple[Any, ...]]]:
    """Elapsed minutes of each session by some columns."""
    seconds = table.ended_at.delta(table.started_at, unit="second")
    found: dict[int, Counter[tuple[Any, ...]]] = {}
    for row in engine.rows(table.group_by(["row_number", *by]).agg(seconds=seconds.sum())):
        of_row = found.setdefault(row["row_number"], Counter())
        if row["seconds"]:
            of_row[tuple(row[name] for name in by)] = row["seconds"] / 60
    return [of_row for _, of_row in sorted(found.items())]


def assert_cut_right(engine: Engine, cases: Sequence[Case]) -> None:
    table = raw_pieces(engine, cases)
    assert found_minutes(engine, table, "day") == [counted(case, by_hour=False) for case in cases]
    hours = engine.store(sessions.cut_at_hours(table))
    assert found_minutes(engine, hours, "day", "hour") == [counted(case, by_hour=True) for case in cases]
    firsts = engine.rows(table.filter(table.piece == 0).order_by("row_number"))
    assert len(firsts) == len(cases)
    assert [row["session_seconds"] for row in firsts] == [
        Decimal(case[2] / timedelta(seconds=1)) for case in cases
    ]


def test_sessions_over_clock_changes(engine):
    assert_cut_right(engine, TURNS)


def test_sessions_at_any_time(engine):
    generator = random.Random(7)
    cases = [
        (
            generator.choice(list(ZONES)),
            datetime(2025, 1, 1) + MINUTE * generator.randrange(500 * 1440),
            MINUTE * generator.randrange(1, 1441),
        )
        for _ in range(400)
    ]
    assert_cut_right(engine, cases)


def test_a_session_without_an_end_is_kept_where_it_began(engine):
    (row,) = engine.rows(raw_pieces(engine, [(1, datetime(2026, 3, 1, 23, 30), None)]))
    assert row["local_started_at"] == datetime(2026, 3, 2, 0, 30)
    assert row["piece"] == 0
    assert row["ended_at"] is row["local_ended_at"] is row["session_seconds"] is None


def test_a_session_that_ends_as_it_begins_has_one_piece(engine):
    (row,) = engine.rows(raw_pieces(engine, [(1, datetime(2026, 3, 1, 23, 0), timedelta(0))]))
    assert row["session_seconds"] == 0
    assert row["started_at"] == row["ended_at"]


def test_a_session_up_to_midnight_does_not_touch_the_next_day(engine):
    (row,) = engine.rows(raw_pieces(engine, [(1, datetime(2026, 3, 1, 22, 0), timedelta(hours=1))]))
    assert row["local_ended_at"] == datetime(2026, 3, 2)
