"""A lock whose connection is lost while the work that it protects goes on over others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import text

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import LostLockError
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.removing import remove_partitions
from healthmate_bi_pipeline.lake.store import Lake
from healthmate_bi_pipeline.lake.writing import replace_rows
from healthmate_bi_pipeline.settings import EngineSettings, Settings
from healthmate_bi_pipeline.warehouse.locks import assert_still_held
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

ASSET = "raw/health_readings"
DAY = date(2026, 3, 1)
WINDOW = Window.of_days(DAY, DAY)
SCHEMA = pa.schema({"x": pa.int64(), "day": pa.date32()})

END_HOLDERS = text("""
SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE locktype = 'advisory' AND datname = current_database()
""")


def lose_locks(warehouse: Warehouse) -> None:
    """End the sessions that hold locks, and only these."""
    with warehouse.engine.connect() as connection:
        assert connection.execute(END_HOLDERS).scalars().all() == [True]


ADD_DAY = text("INSERT INTO bi_ingested_file_days SELECT 'ab', 'users', DATE '2026-03-01' + count(*)::int, 1"
               " FROM bi_ingested_file_days")  # fmt: skip


def add_day(warehouse: Warehouse, *, needs_locks: bool = True) -> None:
    with warehouse.transaction(needs_locks=needs_locks) as connection:
        connection.execute(ADD_DAY)


def days(warehouse: Warehouse) -> int:
    with warehouse.engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM bi_ingested_file_days")) or 0)


def test_nothing_is_committed_any_more(warehouse: Warehouse, settings: Settings) -> None:
    with warehouse.hold(ASSET, WINDOW):
        add_day(warehouse)
        assert days(warehouse) == 1
        lose_locks(warehouse)
        with Warehouse.open(settings) as other, other.hold(ASSET, WINDOW, wait_seconds=5):
            for _ in range(2):  # it stays so
                with pytest.raises(
                    LostLockError, match=rf"kept other runs from making {ASSET} {WINDOW} was lost"
                ):
                    add_day(warehouse)
    assert days(warehouse) == 1
    add_day(warehouse)  # a lock that is let go is no matter any more
    assert days(warehouse) == 2


def test_a_transaction_that_was_open_before_is_undone(warehouse: Warehouse) -> None:
    def write() -> None:
        with warehouse.hold(ASSET, WINDOW), warehouse.transaction() as connection:
            connection.execute(ADD_DAY)
            lose_locks(warehouse)

    with pytest.raises(LostLockError):
        write()
    assert days(warehouse) == 0


def test_an_outer_lock_counts_too(warehouse: Warehouse) -> None:
    with warehouse.hold(ASSET, WINDOW):
        lose_locks(warehouse)
        with warehouse.hold("lake/first_day", WINDOW), pytest.raises(LostLockError, match=ASSET):
            add_day(warehouse)


def test_that_it_failed_can_still_be_written_down(warehouse: Warehouse) -> None:
    with warehouse.hold(ASSET, WINDOW):
        lose_locks(warehouse)
        add_day(warehouse, needs_locks=False)
    assert days(warehouse) == 1


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(str(tmp_path / "lake"), before_commit=assert_still_held)
    lake.replace(ASSET, of_number(1).to_reader(), partition_by="day", window=WINDOW)
    return lake


def of_number(number: int) -> pa.Table:
    return pa.table({"x": [number], "day": [DAY]}).cast(SCHEMA)


def by_the_engine(lake: Lake, scratch: Path) -> None:
    with Engine(EngineSettings(), scratch=scratch) as engine:
        rows = engine.memory_table(of_number(2))
        replace_rows(lake, engine, ASSET, rows, schema=SCHEMA, partition_by="day", window=WINDOW)


def by_delta(lake: Lake, scratch: Path) -> None:
    lake.replace(ASSET, of_number(2).to_reader(), partition_by="day", window=WINDOW)


def by_removal(lake: Lake, scratch: Path) -> None:
    remove_partitions(lake, ASSET, partition_by="day", window=WINDOW)


@pytest.mark.parametrize("write", [by_the_engine, by_delta, by_removal])
def test_the_lake_stays_as_it_was(
    warehouse: Warehouse, lake: Lake, tmp_path: Path, write: Callable[[Lake, Path], None]
) -> None:
    files = lake.files(ASSET)

    def lost() -> None:
        with warehouse.hold(ASSET, WINDOW):
            lose_locks(warehouse)
            write(lake, tmp_path / "scratch")

    with pytest.raises(LostLockError):
        lost()
    assert lake.files(ASSET) == files
    assert all(Path(file).exists() for file in files)
    with warehouse.hold(ASSET, WINDOW):
        write(lake, tmp_path / "scratch")
    assert lake.files(ASSET) != files
