"""Rows of the engine into the lake: the same tables as by Delta's own writer, whole or not at all."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import DataError, IntegrityError, LostLockError
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.statistics import partition_statistics
from healthmate_bi_pipeline.lake.store import Lake
from healthmate_bi_pipeline.lake.writing import append_rows, replace_rows
from healthmate_bi_pipeline.settings import EngineSettings

TABLE = "raw/things"
SCHEMA = pa.schema(
    {"x": pa.int64(), "name": pa.string(), "sum": pa.decimal128(38, 6), "at": pa.timestamp("us"), "day": pa.date32()}
)  # fmt: skip
MARCH = [date(2026, 3, number) for number in range(1, 11)]
Pair = tuple[int, date | None]


@pytest.fixture(params=["lake", "José's lake (1) #2, 100 %"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / request.param))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(EngineSettings(), scratch=tmp_path / "scratch") as engine:
        yield engine


def things(pairs: Iterable[Pair]) -> pa.Table:
    pairs = list(pairs)
    return pa.table(
        {
            "x": [x for x, _ in pairs],
            "name": [f"thing {x}" if x % 2 else None for x, _ in pairs],
            "sum": [x for x, _ in pairs],
            "at": [datetime(2026, 3, 1, hour=x % 24, microsecond=5) for x, _ in pairs],
            "day": [day for _, day in pairs],
        }
    ).cast(SCHEMA)


def append(lake: Lake, engine: Engine, pairs: Iterable[Pair], *, marks: Iterable[str] = ()) -> None:
    rows = engine.memory_table(things(pairs))
    append_rows(lake, engine, TABLE, rows, schema=SCHEMA, partition_by="day", partitions=11, marks=marks)


def replace(lake: Lake, engine: Engine, pairs: Iterable[Pair], first: date, last: date) -> None:
    rows = engine.memory_table(things(pairs))
    window = Window.of_days(first, last)
    replace_rows(lake, engine, TABLE, rows, schema=SCHEMA, partition_by="day", window=window)


def held(lake: Lake) -> list[Pair]:
    table = lake.open(TABLE)
    assert table is not None
    rows = table.to_pyarrow_table()
    assert rows.select(SCHEMA.names).schema.equals(SCHEMA)
    pairs = [(row["x"], row["day"]) for row in rows.to_pylist()]
    return sorted(pairs, key=lambda pair: (str(pair[1]), pair[0]))


def test_dates_that_were_cut_off_to_a_month_are_dates(lake: Lake, engine: Engine) -> None:
    rows = engine.memory_table(things([(1, MARCH[4]), (2, MARCH[7])]))
    of_month = rows.mutate(day=rows.day.truncate("M"))
    window = Window.of_days(MARCH[0], MARCH[-1])
    replace_rows(lake, engine, TABLE, of_month, schema=SCHEMA, partition_by="day", window=window)
    assert held(lake) == [(1, date(2026, 3, 1)), (2, date(2026, 3, 1))]


def files_on_disk(lake: Lake) -> list[Path]:
    return sorted(Path(lake.table_uri(TABLE)).glob("*/*.parquet"))


def test_rows_are_added_with_their_marks_and_without_a_day_too(lake, engine):
    append(lake, engine, [(1, MARCH[0]), (2, None)], marks=["a", "b"])
    append(lake, engine, [(3, MARCH[0])], marks=["c"])
    append(lake, engine, [], marks=["empty"])
    assert held(lake) == [(1, MARCH[0]), (3, MARCH[0]), (2, None)]
    assert lake.known_marks(TABLE, {"a", "c", "d", "empty"}) == {"a", "c", "empty"}
    assert lake.open(TABLE).version() == 2


def test_delta_knows_rows_nulls_and_times_of_the_files(lake, engine):
    append(lake, engine, [(1, MARCH[0]), (2, MARCH[0]), (3, MARCH[1]), (4, None)])
    found = partition_statistics(lake, TABLE, partition_by="day")
    assert {day: statistics.rows for day, statistics in found.items()} == {MARCH[0]: 2, MARCH[1]: 1, None: 1}
    assert found[MARCH[0]].nulls == {"x": 0, "name": 1, "sum": 0, "at": 0}
    newest = lake.newest(TABLE, "at", window=Window.of_days(MARCH[0], MARCH[0]))
    assert newest == datetime(2026, 3, 1, 2, microsecond=5)


def test_a_window_is_replaced_and_the_rest_stays(lake, engine):
    replace(lake, engine, [(1, day) for day in MARCH], MARCH[0], MARCH[-1])
    replace(lake, engine, [(2, MARCH[3]), (3, MARCH[4])], MARCH[2], MARCH[4])
    expected = [(1, day) for day in MARCH if day not in MARCH[2:5]] + [(2, MARCH[3]), (3, MARCH[4])]
    assert held(lake) == sorted(expected, key=lambda pair: (str(pair[1]), pair[0]))
    replace(lake, engine, [], MARCH[0], MARCH[-1])
    assert held(lake) == []


def test_a_row_outside_of_the_window_refuses_the_whole_and_leaves_no_file(lake, engine):
    replace(lake, engine, [(1, MARCH[0])], MARCH[0], MARCH[0])
    before = files_on_disk(lake)
    for stray in (MARCH[5], None):
        with pytest.raises(IntegrityError, match="outside of the window"):
            replace(lake, engine, [(2, MARCH[0]), (3, stray)], MARCH[0], MARCH[0])
    assert held(lake) == [(1, MARCH[0])]
    assert files_on_disk(lake) == before


def test_rows_that_cannot_be_computed_leave_the_table_as_it_was(lake, engine):
    append(lake, engine, [(1, MARCH[0])])
    before = files_on_disk(lake)
    rows = engine.memory_table(things([(1, MARCH[1]), (2, MARCH[2])]))
    rows = rows.mutate(x=(rows.x == 2).ifelse("two", "1").cast("int64"))
    with pytest.raises(DataError):
        append_rows(lake, engine, TABLE, rows, schema=SCHEMA, partition_by="day", partitions=2)
    assert held(lake) == [(1, MARCH[0])]
    assert files_on_disk(lake) == before


def test_many_days_make_one_file_each(lake, engine):
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(300)]
    pairs = [(number, day) for number in range(5) for day in days]
    replace(lake, engine, pairs, days[0], days[-1])
    assert len(files_on_disk(lake)) == len(days)
    assert held(lake) == sorted(pairs, key=lambda pair: (str(pair[1]), pair[0]))


def test_a_table_takes_columns_that_are_new(lake, engine):
    append(lake, engine, [(1, MARCH[0])])
    wider = SCHEMA.insert(0, pa.field("more", pa.int64()))
    rows = engine.memory_table(things([(2, MARCH[1])]).add_column(0, "more", pa.array([7])))
    append_rows(lake, engine, TABLE, rows, schema=wider, partition_by="day", partitions=1)
    found = lake.open(TABLE).to_pyarrow_table().select(["x", "more"]).to_pylist()
    assert sorted(found, key=lambda row: row["x"]) == [{"x": 1, "more": None}, {"x": 2, "more": 7}]


def _replace_month(uri: str, scratch: Path, month: int, barrier: multiprocessing.synchronize.Barrier) -> None:
    days = [date(2026, month, number) for number in range(1, 8)]
    with Engine(EngineSettings(threads=1), scratch=scratch) as engine:
        barrier.wait()
        for value in range(5):
            replace(Lake(uri), engine, [(value, day) for day in days], days[0], days[-1])


@pytest.mark.slow
def test_processes_that_make_different_months_do_not_hurt_each_other_even_on_a_new_table(lake, tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    processes = [
        context.Process(target=_replace_month, args=(lake.uri, tmp_path / "scratch", month, barrier))
        for month in (1, 2, 3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert held(lake) == [(4, date(2026, month, number)) for month in (1, 2, 3) for number in range(1, 8)]


@pytest.mark.parametrize("is_empty", [False, True], ids=["replaced", "filled"])
def test_a_writer_that_slept_after_it_was_asked_for_its_locks_does_not_write_beside_the_next(
    tmp_path: Path, engine: Engine, *, is_empty: bool
) -> None:
    plain = Lake(str(tmp_path / "lake"))
    replace(plain, engine, [(0, MARCH[5])], MARCH[5], MARCH[5])
    if not is_empty:
        replace(plain, engine, [(1, MARCH[0])], MARCH[0], MARCH[0])
    asked: list[int] = []

    def sleep_until_locks_are_lost() -> None:
        asked.append(len(asked))
        if len(asked) > 1:
            raise LostLockError("They are lost.")
        replace(plain, engine, [(2, MARCH[0])], MARCH[0], MARCH[0])  # the next one, who has them now

    slow = Lake(plain.uri, before_commit=sleep_until_locks_are_lost)
    with pytest.raises(LostLockError):
        replace(slow, engine, [(3, MARCH[0])], MARCH[0], MARCH[0])
    rows = engine.scan(plain.files(TABLE), schema=SCHEMA, partition_by="day")
    assert sorted(row["x"] for row in engine.rows(rows)) == [0, 2]
