"""Vacuum: the bytes of what was replaced go after some time, and no row that is there."""

from __future__ import annotations

import os
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import Lake
from healthmate_bi_pipeline.lake.vacuuming import Freed, vacuum
from healthmate_bi_pipeline_tests.lake.test_writing import MARCH, TABLE, append, engine, held, lake, replace

__all__ = ["engine", "lake"]

WEEK = timedelta(days=7)
NO_TIME = timedelta(0)


def files_on_disk(lake: Lake) -> set[Path]:
    return {path for path in (Path(lake.uri) / TABLE).rglob("*.parquet") if "_delta_log" not in path.parts}


@pytest.fixture
def replaced(lake: Lake, engine: Engine) -> tuple[set[Path], set[Path]]:
    """A table with a day that was replaced: the files that are needed, and those that are not."""
    append(lake, engine, [(1, MARCH[0]), (2, MARCH[1])], marks=["file a"])
    first = files_on_disk(lake)
    replace(lake, engine, [(3, MARCH[0])], MARCH[0], MARCH[0])
    needed = {Path(path) for path in lake.files(TABLE)}
    return needed, first - needed


def rows_of(lake: Lake) -> list[tuple[int, date | None]]:
    return sorted((x, day) for x, day in held(lake))


def test_what_was_replaced_goes_when_nobody_can_still_read_it(lake, replaced) -> None:
    needed, unneeded = replaced
    rows = rows_of(lake)
    size = sum(path.stat().st_size for path in unneeded)
    assert vacuum(lake, TABLE, keep=WEEK, dry_run=False) == Freed(TABLE, 0, 0)
    assert files_on_disk(lake) == needed | unneeded
    expected = Freed(TABLE, len(unneeded), size)
    assert unneeded
    assert vacuum(lake, TABLE, keep=NO_TIME, dry_run=True) == expected
    assert files_on_disk(lake) == needed | unneeded
    assert vacuum(lake, TABLE, keep=NO_TIME, dry_run=False) == expected
    assert files_on_disk(lake) == needed
    assert rows_of(lake) == rows
    assert vacuum(lake, TABLE, keep=NO_TIME, dry_run=False) == Freed(TABLE, 0, 0)


def test_what_a_killed_writer_left_goes_and_what_a_living_one_has_begun_stays(lake, replaced) -> None:
    needed, unneeded = replaced
    left, begun = (next(iter(needed)).with_name(name) for name in ("left.parquet", "begun.parquet"))
    for path in (left, begun):
        path.write_bytes(b"half of a file")
    eight_days_ago = time.time() - 8 * 86_400
    os.utime(left, (eight_days_ago, eight_days_ago))
    assert vacuum(lake, TABLE, keep=WEEK, dry_run=False) == Freed(TABLE, 1, len(b"half of a file"))
    assert files_on_disk(lake) == needed | unneeded | {begun}


def test_a_file_that_was_taken_in_stays_known_and_days_can_be_made_again(lake, engine, replaced) -> None:
    vacuum(lake, TABLE, keep=NO_TIME, dry_run=False)
    assert lake.known_marks(TABLE, ["file a", "file b"]) == {"file a"}
    replace(lake, engine, [(4, MARCH[0])], MARCH[0], MARCH[0])
    assert rows_of(lake) == [(2, MARCH[1]), (4, MARCH[0])]


def test_all_tables_are_found(lake, engine, replaced) -> None:
    assert lake.tables() == [TABLE]
    (Path(lake.uri) / "raw" / "no table").mkdir()
    (Path(lake.uri) / "first_day.json").write_text("{}")
    assert lake.tables() == [TABLE]
    assert Lake(f"{lake.uri}/nowhere").tables() == []
    assert vacuum(lake, "raw/other", keep=NO_TIME, dry_run=False) == Freed("raw/other", 0, 0)
