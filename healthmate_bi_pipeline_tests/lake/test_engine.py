"""The engine's readers against Python's own csv and json, and what it says when something cannot be read."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthmate_bi_pipeline.errors import DataError, TransientError, UnreadableFileError
from healthmate_bi_pipeline.lake.engine import LONGEST_LINE_BYTES, Engine, TextFile
from healthmate_bi_pipeline.settings import EngineSettings

NAMES = ("a", "b", "c")
SECRET = "Zaphod"
TEXT = st.text(
    st.one_of(st.sampled_from(",;\t|\"'\\\n {}[]:é漢🙂"), st.characters(codec="utf-8", exclude_characters="\0\r\x01")),
    max_size=12,
)  # fmt: skip
TABLES = st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=60)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def engine(scratch: Path) -> Iterator[Engine]:
    with Engine(EngineSettings(), scratch=scratch) as engine:
        yield engine


def csv_file(engine: Engine, content: bytes | str, *, delimiter: str = ",") -> TextFile:
    path = engine.scratch / "a.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return engine.csv_file(path, names=NAMES, delimiter=delimiter)


def json_file(engine: Engine, content: bytes | str) -> TextFile:
    path = engine.scratch / "a.ndjson"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return engine.json_lines_file(path, names=NAMES)


def records(engine: Engine, file: TextFile) -> list[tuple[object, ...]]:
    rows = engine.rows(file.rows.order_by("row_number"))
    return [(row["row_number"], *(row[name] for name in NAMES)) for row in rows]


def rejected(engine: Engine, file: TextFile) -> list[tuple[int, str]]:
    return [(row["row_number"], row["line"]) for row in engine.rows(file.rejected.order_by("row_number"))]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=TABLES,
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_a_csv_file_says_what_was_written_into_it(engine, table, delimiter, line_end, quoting):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerows([NAMES, *table])
    file = csv_file(engine, buffer.getvalue(), delimiter=delimiter)
    found = [(number, *(text or "" for text in texts)) for number, *texts in records(engine, file)]
    assert found == [(number, *row) for number, row in enumerate(table, start=1)]
    assert rejected(engine, file) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=TABLES, is_ascii=st.booleans())
def test_ndjson_says_what_was_written_into_it(engine, table, is_ascii):
    lines = [json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=is_ascii) for row in table]
    file = json_file(engine, "\n".join(lines))
    assert records(engine, file) == [(number, *row) for number, row in enumerate(table, start=1)]
    assert rejected(engine, file) == []


def test_records_that_cannot_be_split_keep_their_place_and_their_text(engine):
    random_ = random.Random(4)
    good, bad, lines = {}, {}, ["a,b,c"]
    for number in range(1, 3_001):
        if random_.random() < 0.2:
            bad[number] = random_.choice([f"{number}", f"{number},1", f"{number},1,2,3", f'{number},"x"y,2'])
            lines.append(bad[number])
        elif random_.random() < 0.1:
            good[number] = (str(number), "two\nlines", '"quoted"')
            lines.append(f'{number},"two\nlines","""quoted"""')
        else:
            good[number] = (str(number), "1", "2")
            lines.append(f"{number},1,2")
    file = csv_file(engine, "\n".join(lines) + "\n")
    assert records(engine, file) == [(number, *row) for number, row in good.items()]
    assert rejected(engine, file) == sorted(bad.items())


@pytest.mark.parametrize("count", [200_000])
def test_rows_are_numbered_in_the_order_of_the_file_by_many_threads(engine, count):
    text = "a,b,c\n" + "".join(
        f"{n},xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx,\n" for n in range(1, count + 1)
    )
    file = csv_file(engine, text)
    wrong = file.rows.filter(file.rows.row_number.cast("string") != file.rows.a)
    assert (engine.count(file.rows), engine.count(wrong)) == (count, 0)


def test_a_quote_without_end_takes_nothing_away_that_was_before_and_keeps_the_rest_as_text(engine):
    file = csv_file(engine, 'a,b,c\n1,2,3\n4,"5,6\n7,8,9\n')
    assert records(engine, file) == [(1, "1", "2", "3")]
    assert rejected(engine, file) == [(2, '4,"5,6\n7,8,9')]


def test_a_line_without_end_is_set_aside(engine):
    file = csv_file(engine, b"a,b,c\n1,2,3\n4,5," + b"x" * (LONGEST_LINE_BYTES + 1) + b"\n7,8,9\n")
    assert records(engine, file) == [(1, "1", "2", "3"), (3, "7", "8", "9")]
    assert [number for number, _ in rejected(engine, file)] == [2]


def test_bytes_that_are_no_utf8_set_their_line_aside(engine):
    file = csv_file(engine, b"a,b,c\n1,2,3\n4,\xff,6\n7,8,9\n")
    assert records(engine, file) == [(1, "1", "2", "3"), (3, "7", "8", "9")]
    assert rejected(engine, file) == [(2, "4,?,6")]  # the reader does not say which byte it was
    file = json_file(engine, b'{"a": "1"}\n{"a": "\xff"}\n')
    assert records(engine, file) == [(1, "1", None, None)]
    assert [number for number, _ in rejected(engine, file)] == [2]


@pytest.mark.parametrize("line_ends", [["\n", "\r\n"], ["\r\n", "\n"], ["\r", "\n"], ["\n", "\r", "\r\n"]])
def test_line_ends_may_be_mixed(engine, line_ends):
    lines = ["a,b,c", "1,2,3", '4,"5\n5",6', "bad", "7,8,9"]
    text = "".join(line + line_ends[number % len(line_ends)] for number, line in enumerate(lines))
    file = csv_file(engine, text)
    assert records(engine, file) == [(1, "1", "2", "3"), (2, "4", "5\n5", "6"), (4, "7", "8", "9")]
    assert rejected(engine, file) == [(3, "bad")]
    text = "".join(f'{{"a": {number}}}{line_ends[number % len(line_ends)]}' for number in range(5))
    assert [row[1] for row in records(engine, json_file(engine, text))] == list("01234")


def test_lines_that_are_no_json_object_are_set_aside(engine):
    bad = [
        '{"a": 1',
        "[1, 2]",
        "1",
        '"text"',
        "null",
        "{'a': 1}",
        '{"a": 1} {"a": 2}',
        '{"a": "\x01"}',
        "a,b,c",
    ]
    file = json_file(engine, "\n".join(["", *bad, '{"a": 5}', ""]))
    assert records(engine, file) == [(len(bad) + 2, "5", None, None)]
    assert rejected(engine, file) == list(enumerate(bad, start=2))


def test_the_members_of_all_objects_are_told_those_that_were_asked_for_first(engine):
    file = json_file(engine, '{"b": 1, "z": {"y": 2}}\n["x"]\n{"A": 1, "a": null}\n{}\n')
    assert file.members == ("a", "b", "A", "z")


def test_json_values_come_as_the_text_that_stands_there(engine):
    file = json_file(
        engine, '{"c": {"x": [1]}, "a": 4611686018427387905, "b": true}\n{"a": null, "b": 0.1, "C": 1}\n'
    )
    assert records(engine, file) == [
        (1, "4611686018427387905", "true", '{"x":[1]}'),
        (2, None, "0.1", None),
    ]


def test_a_parquet_file_is_numbered_by_its_rows(engine):
    path = engine.scratch / "a.parquet"
    pq.write_table(pa.table({"x": list(range(5_000)), "row_number": [0] * 5_000}), path, row_group_size=700)
    rows = engine.parquet_file(path)
    assert engine.count(rows.filter(rows.row_number != rows.x + 1)) == 0


def test_what_is_said_of_a_damaged_file_holds_none_of_it(engine):
    path = engine.scratch / "a.parquet"
    pq.write_table(pa.table({"x": [SECRET] * 3, "file_row_number": [1, 2, 3]}), path)
    with pytest.raises(UnreadableFileError, match="file_row_number") as caught:
        engine.parquet_file(path)
    assert SECRET not in str(caught.value)
    numbers = engine.memory_table(pa.table({"x": [SECRET]}))
    with pytest.raises(DataError) as about_values:
        engine.rows(numbers.mutate(y=numbers.x.cast("int64")))
    assert SECRET not in str(about_values.value)
    with pytest.raises(DataError) as about_stream:
        engine.stream(
            numbers.mutate(y=numbers.x.cast("int64")), schema=pa.schema({"y": pa.int64()})
        ).read_all()
    assert SECRET not in str(about_stream.value)
    assert about_stream.value.__cause__ is None
    with pytest.raises(UnreadableFileError, match="gone.csv"):
        engine.csv_file(engine.scratch / "gone.csv", names=NAMES, delimiter=",")


def test_memory_that_does_not_suffice_is_worth_another_try(tmp_path):
    with Engine(EngineSettings(memory_limit="20MB", threads=1), scratch=tmp_path) as small:
        numbers = small.memory_table(pa.table({"x": range(2_000_000)}))
        with pytest.raises(TransientError, match="memory_limit"):
            small.rows(numbers.agg(all=numbers.x.cast("string").collect()))


def test_scratch_is_empty_when_the_engine_is_closed(tmp_path):
    with Engine(EngineSettings(), scratch=tmp_path / "scratch") as engine:
        csv_file(engine, "a,b,c\n1,2,3\n")
        assert list((tmp_path / "scratch").iterdir()) == [engine.scratch]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_stream_comes_in_the_schema_that_was_asked_for(engine):
    rows = engine.memory_table(pa.table({"x": pa.array(range(250_000), pa.int32()), "y": ["a"] * 250_000}))
    schema = pa.schema({"y": pa.string(), "x": pa.int64()})
    stream = engine.stream(rows, schema=schema)
    table = stream.read_all()
    assert table.schema == schema
    assert table.num_rows == 250_000


def test_a_scan_fills_columns_that_older_files_lack(engine):
    folder = engine.scratch / "lake [x]" / "day=2026-03-01"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"x": [1]}), folder / "old.parquet")
    pq.write_table(pa.table({"x": [2], "y": ["b"]}), folder / "new.parquet")
    schema = pa.schema({"x": pa.int64(), "y": pa.string(), "day": pa.date32()})
    files = [str(folder / name) for name in ("old.parquet", "new.parquet")]
    rows = engine.rows(engine.scan(files, schema=schema, partition_by="day").order_by("x"))
    assert [(row["x"], row["y"], str(row["day"])) for row in rows] == [
        (1, None, "2026-03-01"),
        (2, "b", "2026-03-01"),
    ]
    assert engine.count(engine.scan([], schema=schema)) == 0


def test_nothing_is_fetched_at_run_time(engine):
    rows = engine._connection.execute(
        "SELECT value FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions', 'autoload_known_extensions')"
    ).fetchall()
    assert rows == [("false",), ("false",)]
