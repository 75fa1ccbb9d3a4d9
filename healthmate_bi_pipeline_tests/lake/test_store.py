"""The lake's tables: whole commits, partitions that are replaced, marks, and the first day."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from healthmate_bi_pipeline.catalog.columns import Column, Type
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import DataError, IntegrityError, UsageError
from healthmate_bi_pipeline.lake.first_day import move_first_day_back, read_first_day
from healthmate_bi_pipeline.lake.statistics import partition_statistics, table_statistics
from healthmate_bi_pipeline.lake.store import Lake, arrow_schema

TABLE = "raw/things"
SCHEMA = pa.schema({"x": pa.int64(), "at": pa.timestamp("us"), "day": pa.date32()})
MARCH = [date(2026, 3, number) for number in range(1, 11)]


@pytest.fixture(params=["lake", "José's lake (1) #2, 100 %"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / request.param))


def rows(values: Iterable[tuple[int, date | None]]) -> pa.RecordBatchReader:
    pairs = list(values)
    table = pa.table(
        {
            "x": [x for x, _ in pairs],
            "at": [datetime(2026, 3, 1, hour=x % 24) for x, _ in pairs],
            "day": [day for _, day in pairs],
        },
        schema=SCHEMA,
    )
    return table.to_reader()


def held(lake: Lake, name: str = TABLE) -> list[tuple[int, date | None]]:
    table = lake.open(name)
    if table is None:
        return []
    return sorted(
        ((row["x"], row["day"]) for row in table.to_pyarrow_table().to_pylist()), key=lambda row: (str(row[1]), row[0])
    )  # fmt: skip


def test_a_table_that_was_never_written_is_none_and_has_no_files(lake):
    assert lake.open(TABLE) is None
    assert lake.files(TABLE, window=Window.of_days(MARCH[0], MARCH[1])) == []
    assert lake.known_marks(TABLE, {"a"}) == set()
    assert table_statistics(lake, TABLE).rows == 0


def test_a_table_of_an_earlier_release_gets_new_columns(lake):
    lake.append(TABLE, rows([(1, MARCH[0]), (2, MARCH[1])]), partition_by="day")
    lake.replace_all("plain", rows([(1, None)]))
    schema = pa.schema([SCHEMA.field("x"), pa.field("y", pa.float64()), *list(SCHEMA)[1:]])

    def wider(x: int, day: date | None) -> pa.RecordBatchReader:
        row = {"x": x, "y": 0.5, "at": datetime(2026, 3, 1), "day": day}
        return pa.Table.from_pylist([row], schema=schema).to_reader()

    lake.append(TABLE, wider(3, MARCH[2]), partition_by="day")
    lake.replace(TABLE, wider(4, MARCH[1]), partition_by="day", window=Window.of_days(MARCH[1], MARCH[1]))
    lake.replace_all("plain", wider(5, None))
    for name, expected in ((TABLE, [(1, None), (3, 0.5), (4, 0.5)]), ("plain", [(5, 0.5)])):
        table = lake.open(name)
        assert table is not None
        found = table.to_pyarrow_table().to_pylist()
        assert sorted((row["x"], row["y"]) for row in found) == expected


def test_rows_are_added_with_their_marks(lake):
    lake.append(TABLE, rows([(1, MARCH[0]), (2, None)]), partition_by="day", marks=["a", "b"])
    lake.append(TABLE, rows([(3, MARCH[0])]), partition_by="day", marks=["c"])
    assert held(lake) == [(1, MARCH[0]), (3, MARCH[0]), (2, None)]
    assert lake.known_marks(TABLE, {"a", "c", "d"}) == {"a", "c"}


def test_an_append_without_rows_still_carries_its_marks(lake):
    lake.append(TABLE, rows([]), partition_by="day", marks=["empty"])
    assert lake.known_marks(TABLE, {"empty"}) == {"empty"}


def test_a_window_is_replaced_and_the_rest_stays(lake):
    lake.replace(
        TABLE, rows((1, day) for day in MARCH), partition_by="day", window=Window.of_days(MARCH[0], MARCH[-1])
    )
    lake.replace(
        TABLE, rows([(2, MARCH[3]), (3, MARCH[4])]), partition_by="day", window=Window.of_days(MARCH[2], MARCH[4])
    )  # fmt: skip
    expected = [(1, day) for day in MARCH if day not in MARCH[2:5]] + [(2, MARCH[3]), (3, MARCH[4])]
    assert held(lake) == sorted(expected, key=lambda row: (str(row[1]), row[0]))
    lake.replace(TABLE, rows([]), partition_by="day", window=Window.of_days(MARCH[0], MARCH[-1]))
    assert held(lake) == []


def test_a_row_outside_of_the_window_refuses_the_whole(lake):
    lake.replace(TABLE, rows([(1, MARCH[0])]), partition_by="day", window=Window.of_days(MARCH[0], MARCH[0]))
    with pytest.raises(IntegrityError, match="outside of the window") as caught:
        lake.replace(TABLE, rows([(2, MARCH[0]), (3, MARCH[5])]), partition_by="day", window=Window.of_days(MARCH[0], MARCH[0]))  # fmt: skip
    assert str(MARCH[5]) not in str(caught.value)  # Delta's own text shows the row
    assert held(lake) == [(1, MARCH[0])]


def test_a_table_without_partitions_is_replaced_whole(lake):
    lake.replace_all("users", rows([(1, MARCH[0]), (2, None)]))
    lake.replace_all("users", rows([(3, None)]))
    assert held(lake, "users") == [(3, None)]


def test_a_stream_that_breaks_leaves_the_table_as_it_was(lake):
    lake.append(TABLE, rows([(1, MARCH[0])]), partition_by="day")

    def broken() -> Iterable[pa.RecordBatch]:
        yield from rows([(2, MARCH[1])])
        raise DataError("cut off")

    with pytest.raises(DataError, match="^cut off$"):
        lake.append(
            TABLE, pa.RecordBatchReader.from_batches(SCHEMA, broken()), partition_by="day", marks=["a"]
        )
    assert held(lake) == [(1, MARCH[0])]
    assert lake.known_marks(TABLE, {"a"}) == set()


def test_files_are_named_by_days_or_values(lake):
    lake.append(TABLE, rows([*((1, day) for day in MARCH), (9, None)]), partition_by="day")
    assert len(lake.files(TABLE)) == len(MARCH) + 1
    of_window = lake.files(TABLE, window=Window.of_days(MARCH[1], MARCH[3]))
    assert ["2026-03-02" in path for path in of_window] == [True, False, False]
    assert len(of_window) == 3
    assert lake.files(TABLE, values=[MARCH[0], date(2020, 1, 1)]) == lake.files(TABLE, window=Window.of_days(MARCH[0], MARCH[0]))  # fmt: skip
    assert all(Path(path).is_file() for path in lake.files(TABLE))
    assert lake.files(TABLE, window=Window.of_days(date(2027, 1, 1), date(2027, 1, 2))) == []


def test_rows_and_nulls_are_known_without_reading(lake):
    lake.append(TABLE, rows([(1, MARCH[0]), (2, MARCH[0]), (3, MARCH[1]), (4, None)]), partition_by="day")
    found = partition_statistics(lake, TABLE, partition_by="day")
    assert {day: statistics.rows for day, statistics in found.items()} == {MARCH[0]: 2, MARCH[1]: 1, None: 1}
    window = Window.of_days(MARCH[1], MARCH[2])
    assert partition_statistics(lake, TABLE, partition_by="day", window=window)[MARCH[1]].nulls["x"] == 0
    assert table_statistics(lake, TABLE).rows == 4


def test_a_schema_has_every_type_of_the_catalog():
    types = [
        type_ for type_ in Type if type_ not in (Type.JSON, Type.TEXT_LIST)
    ]  # these live in the warehouse
    assert arrow_schema([Column(str(type_), type_, "") for type_ in types]).names == [
        str(type_) for type_ in types
    ]


def _replace_month(uri: str, month: int, barrier: multiprocessing.synchronize.Barrier) -> None:
    barrier.wait()
    days = [date(2026, month, number) for number in range(1, 8)]
    for value in range(5):
        Lake(uri).replace(
            TABLE, rows((value, day) for day in days), partition_by="day", window=Window.of_days(days[0], days[-1])
        )  # fmt: skip


@pytest.mark.slow
def test_processes_that_make_different_months_do_not_hurt_each_other_even_on_a_new_table(lake):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    processes = [
        context.Process(target=_replace_month, args=(lake.uri, month, barrier)) for month in (1, 2, 3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert held(lake) == [(4, date(2026, month, number)) for month in (1, 2, 3) for number in range(1, 8)]


def test_the_first_day_moves_back_and_never_ahead(lake):
    assert read_first_day(lake) is None
    assert move_first_day_back(lake, MARCH[5])
    assert not move_first_day_back(lake, MARCH[7])
    assert not move_first_day_back(lake, MARCH[5])
    assert read_first_day(lake) == MARCH[5]
    assert move_first_day_back(lake, MARCH[2])
    assert read_first_day(lake) == MARCH[2]


@pytest.mark.parametrize("folder", ["a[1]", "a|b", "a^b", "a%20b"])
def test_a_folder_that_delta_cannot_use_is_refused_with_a_word(tmp_path, folder):
    with pytest.raises(UsageError, match="HEALTHMATE_HOME"):
        Lake(str(tmp_path / folder))
