"""A disk that is full: what is told, what is left, and that a commit which came through is never undone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.transaction import AddAction

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import DiskFullError, EngineFullError
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.first_day import move_first_day_back, read_first_day
from healthmate_bi_pipeline.lake.store import Lake
from healthmate_bi_pipeline.lake.writing import append_rows, replace_rows
from healthmate_bi_pipeline.settings import EngineSettings
from healthmate_bi_pipeline_tests.disks import files_no_larger_than, small_disk

TABLE = "raw/things"
SCHEMA = pa.schema({"x": pa.int64(), "day": pa.date32()})
DAY = date(2026, 3, 1)
MANY = 200_000
CHECKPOINT_EVERY = 100


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(EngineSettings(), scratch=tmp_path / "scratch") as engine:
        yield engine


def things(count: int, *, first: int = 0) -> pa.Table:
    # Scattered, so that they are not packed to nothing.
    numbers = [(place * 2654435761) % (1 << 40) for place in range(first, first + count)]
    return pa.table({"x": numbers, "day": [DAY] * count}).cast(SCHEMA)


def append(lake: Lake, engine: Engine, rows: pa.Table, *marks: str) -> None:
    table = engine.memory_table(rows)
    append_rows(lake, engine, TABLE, table, schema=SCHEMA, partition_by="day", partitions=1, marks=marks)


def replace(lake: Lake, engine: Engine, rows: pa.Table) -> None:
    window = Window.of_days(DAY, DAY)
    table = engine.memory_table(rows)
    replace_rows(lake, engine, TABLE, table, schema=SCHEMA, partition_by="day", window=window)


def held(lake: Lake, engine: Engine) -> int:
    return engine.count(engine.scan(lake.files(TABLE), schema=SCHEMA, partition_by="day"))


def parquet_files(lake: Lake) -> list[Path]:
    return sorted(Path(lake.table_uri(TABLE)).glob("day=*/*.parquet"))


def test_rows_that_do_not_fit_leave_the_table_as_it_was(lake: Lake, engine: Engine) -> None:
    append(lake, engine, things(10))
    before = parquet_files(lake)
    for write in (append, replace):
        with files_no_larger_than(100_000), pytest.raises(DiskFullError) as caught:
            write(lake, engine, things(MANY))
        assert "no room left for the lake in " in str(caught.value)
        assert lake.uri in str(caught.value)
        assert parquet_files(lake) == before
        assert held(lake, engine) == 10
    replace(lake, engine, things(MANY))
    assert held(lake, engine) == MANY


def test_rows_that_delta_writes_do_so_too(lake: Lake, engine: Engine) -> None:
    lake.replace_all("raw/users", things(10).to_reader())
    with files_no_larger_than(100_000), pytest.raises(DiskFullError, match="no room left for the lake in "):
        lake.replace_all("raw/users", things(MANY).to_reader())
    assert engine.count(engine.scan(lake.files("raw/users"), schema=SCHEMA)) == 10


def test_a_commit_that_does_not_fit_leaves_no_file(lake: Lake, engine: Engine) -> None:
    append(lake, engine, things(10))
    before, version = parquet_files(lake), DeltaTable(lake.table_uri(TABLE)).version()
    with files_no_larger_than(600), pytest.raises(DiskFullError):  # the rows take 500 bytes, the commit 1,000
        append(lake, engine, things(1), "file:1")
    assert parquet_files(lake) == before
    assert DeltaTable(lake.table_uri(TABLE)).version() == version
    assert lake.known_marks(TABLE, ["file:1"]) == set()


@pytest.mark.parametrize("write", ["append", "replace"])
def test_rows_stay_whose_commit_came_through_though_the_checkpoint_after_it_did_not_fit(
    lake: Lake, engine: Engine, write: str
) -> None:
    append(lake, engine, things(10), "file:0")
    _commit_until(lake, CHECKPOINT_EVERY - 2)
    with files_no_larger_than(4_000):
        if write == "append":
            append(lake, engine, things(5, first=10), "file:1")
        else:
            replace(lake, engine, things(5))
    table = DeltaTable(lake.table_uri(TABLE))
    assert table.version() == CHECKPOINT_EVERY - 1
    assert list(Path(lake.table_uri(TABLE), "_delta_log").glob("*.checkpoint.parquet")) == []
    assert held(lake, engine) == (15 if write == "append" else 5)
    assert lake.known_marks(TABLE, ["file:1"]) == ({"file:1"} if write == "append" else set())
    append(lake, engine, things(1))
    assert held(lake, engine) == (16 if write == "append" else 6)


def _commit_until(lake: Lake, version: int) -> None:
    table = DeltaTable(lake.table_uri(TABLE))
    for _ in range(table.version(), version):
        table.create_write_transaction([], mode="append", schema=table.schema(), partition_by=["day"])


def test_a_commit_is_not_undone_by_what_interrupts_after_it(
    lake: Lake, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(lake, engine, things(10))
    commit = DeltaTable.create_write_transaction

    def interrupted(table: DeltaTable, actions: list[AddAction], **options: object) -> None:
        commit(table, actions, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(DeltaTable, "create_write_transaction", interrupted)
    with pytest.raises(KeyboardInterrupt):
        append(lake, engine, things(5))
    assert held(lake, engine) == 15


def test_the_first_day_stays_whole(lake: Lake) -> None:
    move_first_day_back(lake, date(2026, 3, 2))
    with files_no_larger_than(5), pytest.raises(DiskFullError):
        move_first_day_back(lake, DAY)
    assert read_first_day(lake) == date(2026, 3, 2)
    assert [file.name for file in Path(lake.uri).iterdir()] == ["first_day.json"]
    assert json.loads(Path(lake.uri, "first_day.json").read_text())


def test_what_the_engine_cannot_spill_is_told_with_its_folder(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    with (
        small_disk(scratch, "2m"),
        Engine(EngineSettings(memory_limit="40MB", threads=2), scratch=scratch) as engine,
        pytest.raises(EngineFullError) as caught,
    ):
        engine.store(engine.memory_table(things(3_000_000)).order_by("x"))
    assert str(scratch) in str(caught.value)
    assert "free space there" in str(caught.value)


def test_a_scratch_disk_that_takes_no_more_files_is_told_with_its_folder(tmp_path: Path) -> None:
    with small_disk(tmp_path / "scratch", "1m", files=1) as scratch:
        with pytest.raises(DiskFullError, match=f"no room left for the engine's scratch files in {scratch}"):
            Engine(EngineSettings(), scratch=scratch)
        assert list(scratch.iterdir()) == []
