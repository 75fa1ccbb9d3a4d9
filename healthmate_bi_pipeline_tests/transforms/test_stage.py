"""Typing of landing rows: every spelling of times, numbers, and the day that a row is laid under."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthmate_bi_pipeline.catalog.datasets import (
    ACTIVITY_INTERVALS,
    HEALTH_READINGS,
    SLEEP_SESSIONS,
    USERS,
    Dataset,
)
from healthmate_bi_pipeline.catalog.lake_tables import staged_table
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.settings import EngineSettings
from healthmate_bi_pipeline.transforms.stage import LandingFile, rejected_lines, stage_rows, with_lineage

SEEN_AT = datetime(2026, 6, 1, 12)
FILE = LandingFile("hash", 7, SEEN_AT)
TEN = datetime(2026, 3, 1, 10)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(EngineSettings(), scratch=tmp_path_factory.mktemp("scratch")) as engine:
        yield engine


def staged(engine: Engine, dataset: Dataset, **columns: Any) -> list[dict[str, Any]]:
    """Staged rows of columns of values."""
    length = max(len(values) for values in columns.values())
    table = pa.table({"row_number": list(range(1, length + 1)), **columns})
    return engine.rows(
        stage_rows(with_lineage(engine.memory_table(table), FILE), dataset).order_by("row_number")
    )


TIMES = {
    # wall-clock time, nothing said about where
    "2026-03-01 10:00:00": (None, TEN),
    "2026-03-01T10:00:00": (None, TEN),
    "2026-03-01 10:00": (None, TEN),
    "2026-3-1 10:00": (None, TEN),
    "2026-03-01T10:00:00.5": (None, TEN + timedelta(milliseconds=500)),
    "2026-03-01T10:00:00.123456789": (None, TEN + timedelta(microseconds=123456)),
    "2026-03-01": (None, datetime(2026, 3, 1)),
    " 2026-03-01 10:00:00\t": (None, TEN),
    # an instant, nothing said about where: offset zero, however it is spelled
    "2026-03-01T10:00:00Z": (TEN, None),
    "2026-03-01T10:00Z": (TEN, None),
    "2026-03-01 10:00:00z": (TEN, None),
    "2026-03-01T10:00:00.25Z": (TEN + timedelta(milliseconds=250), None),
    "2026-03-01 10:00:00 UTC": (TEN, None),
    "2026-03-01T10:00:00+00:00": (TEN, None),
    "2026-03-01T10:00:00-00:00": (TEN, None),
    "2026-03-01T10:00:00+0000": (TEN, None),
    "2026-03-01T10:00:00+00": (TEN, None),
    # an instant and the wall-clock time
    "2026-03-01T10:00:00+05:30": (datetime(2026, 3, 1, 4, 30), TEN),
    "2026-03-01T10:00:00+0530": (datetime(2026, 3, 1, 4, 30), TEN),
    "2026-03-01 10:00:00 +05:30": (datetime(2026, 3, 1, 4, 30), TEN),
    "2026-03-01T10:00-08": (datetime(2026, 3, 1, 18), TEN),
    "2026-03-01T10:00:00.75-03:30": (
        datetime(2026, 3, 1, 13, 30, 0, 750_000),
        TEN + timedelta(milliseconds=750),
    ),
    "2026-03-01T10:00:00+14:00": (datetime(2026, 2, 28, 20), TEN),
    "2026-03-01T10:00:00-12:00": (datetime(2026, 3, 1, 22), TEN),
    # no time
    "": (None, None),
    "yesterday": (None, None),
    "03/01/2026": (None, None),
    "2026-02-30": (None, None),
    "2026-03-01 25:00:00": (None, None),
    "2026-03-01 10:61:00": (None, None),
    "1772359200": (None, None),
    "2026-03-01Z": (None, None),
    "2026-03-01T10:00:00+14:01": (None, None),
    "2026-03-01T10:00:00-12:30": (None, None),
    "2026-03-01T10:00:00+99:00": (None, None),
    "2026-03-01T10:00:00+05:99": (None, None),
    "2026-03-01T10:00:00 Europe/Berlin": (None, None),
    "infinity": (None, None),
    "-infinity": (None, None),
    "0044-03-15 (BC) 10:00:00": (None, None),
    "290000-01-01 00:00:00": (None, None),
    "294247-01-10 04:00:54-10:00": (None, None),
    "0001-01-01T00:00:00Z": (None, None),  # what some programs write for no time
}


def test_times_in_text(engine):
    rows = staged(engine, HEALTH_READINGS, recorded_at=list(TIMES))
    found = {
        text: (row["recorded_at"], row["local_recorded_at"]) for text, row in zip(TIMES, rows, strict=True)
    }
    assert found == TIMES
    for text, row in zip(TIMES, rows, strict=True):
        is_lost = TIMES[text] == (None, None)
        assert row["unparsed"] == (f"recorded_at: {text}" if is_lost and text else None)
        assert row["defect"] == ("undated" if is_lost else None)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moments=st.lists(
        st.tuples(
            st.datetimes(min_value=datetime(1970, 1, 3), max_value=datetime(2026, 5, 30)),
            st.one_of(st.none(), st.integers(-12 * 60, 14 * 60)),
            st.sampled_from(["T", " "]),
        ),
        min_size=30,
        max_size=300,
    )
)
def test_what_python_writes_is_read_as_python_means_it(engine, moments):
    texts, expected = [], []
    for wall, offset, separator in moments:
        if offset is None:
            texts.append(wall.isoformat(separator))
            expected.append((None, wall, wall.date()))
        else:
            told = wall.replace(tzinfo=timezone(timedelta(minutes=offset)))
            instant = told.astimezone(UTC).replace(tzinfo=None)
            texts.append(told.isoformat(separator))
            expected.append((instant, wall if offset else None, instant.date()))
    rows = staged(engine, HEALTH_READINGS, recorded_at=texts)
    assert [(row["recorded_at"], row["local_recorded_at"], row["day"]) for row in rows] == expected


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        (pa.timestamp("us"), TEN, (None, TEN)),
        (pa.timestamp("ns"), TEN, (None, TEN)),
        (pa.timestamp("ms"), TEN, (None, TEN)),
        (pa.timestamp("us", tz="UTC"), TEN, (TEN, None)),
        (pa.timestamp("us", tz="Asia/Kolkata"), TEN, (TEN, None)),  # Arrow keeps the instant
        (pa.date32(), date(2026, 3, 1), (None, datetime(2026, 3, 1))),
        (pa.int64(), 1_772_359_200, (None, None)),
        (pa.timestamp("us"), 2**62, (None, None)),
        (pa.timestamp("us", tz="UTC"), -(2**62), (None, None)),
        (pa.date32(), 2**31 - 2, (None, None)),
    ],
)
def test_times_of_parquet(engine, type_, value, expected):
    (row,) = staged(engine, HEALTH_READINGS, recorded_at=pa.array([value], type_))
    assert (row["recorded_at"], row["local_recorded_at"]) == expected
    assert (row["unparsed"] is None) == (expected != (None, None))


NUMBERS = {
    "12": 12.0, "12.5": 12.5, "-3": -3.0, "+5": 5.0, ".5": 0.5, "5.": 5.0, "1e3": 1000.0, " 7 ": 7.0,
    "NaN": None, "inf": None, "-Infinity": None, "1e400": None, "1,5": None, "abc": None, "0x1F": None, "true": None,
}  # fmt: skip
IDS = {
    "12": 12, "0012": 12, "+7": 7, "-7": -7, "12.0": 12, "12.": 12,
    "4611686018427387905": 2**62 + 1, "4611686018427387905.0": 2**62 + 1, "9223372036854775807": 2**63 - 1,
    "9223372036854775808": None, "12.7": None, "1e3": None, "abc": None, "1 2": None, "": None,
}  # fmt: skip
FLAGS = {
    "true": True,
    "FALSE": False,
    "1": True,
    "0": False,
    "yes": True,
    "no": False,
    "maybe": None,
    "2": None,
}
DATES = {
    "2026-03-01": date(2026, 3, 1), "2026-03-01 07:00:00": date(2026, 3, 1),
    "2026-13-01": None, "infinity": None, "5881580-07-10": None, "soon": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("dataset", "name", "texts"),
    [
        (HEALTH_READINGS, "value", NUMBERS),
        (HEALTH_READINGS, "user_id", IDS),
        (HEALTH_READINGS, "is_deleted", FLAGS),
        (SLEEP_SESSIONS, "night_on", DATES),
    ],
    ids=["number", "integer", "boolean", "date"],
)
def test_texts_of_other_types(engine, dataset, name, texts):
    rows = staged(engine, dataset, **{name: list(texts)})
    assert {text: row[name] for text, row in zip(texts, rows, strict=True)} == texts
    for text, row in zip(texts, rows, strict=True):
        is_lost = texts[text] is None and text != ""
        assert row["unparsed"] == (f"{name}: {text}" if is_lost else None)


def test_text_is_trimmed_and_empty_text_is_none(engine):
    rows = staged(engine, HEALTH_READINGS, source=[" Watch ", "", "  ", None, "é"])
    assert [row["source"] for row in rows] == ["Watch", None, None, None, "é"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([12.0, None, 7.5, float("nan"), float("inf"), 1e300, 2.0**62]), [12, None, None, None, None, None, None]),
        (pa.array([Decimal(2**62 + 1), Decimal(3)]), [2**62 + 1, 3]),
        (pa.array([Decimal("3.50"), Decimal("3.00")]), [None, 3]),
        (pa.array([5, 2**63 + 5], pa.uint64()), [5, None]),
        (pa.array([5, -5], pa.int8()), [5, -5]),
        (pa.array([True]), [None]),
        (pa.array([b"12"]), [12]),
        (pa.array(["a", "12"]).dictionary_encode(), [None, 12]),
    ],
    ids=["float", "decimal", "fraction", "unsigned", "short", "boolean", "bytes", "dictionary"],
)  # fmt: skip
def test_ids_of_parquet_are_exact_or_wrong(engine, values, expected):
    rows = staged(engine, HEALTH_READINGS, user_id=values)
    assert [row["user_id"] for row in rows] == expected
    for given_, row in zip(values.to_pylist(), rows, strict=True):
        assert (row["unparsed"] is not None) == (row["user_id"] is None and given_ is not None)


def test_numbers_of_parquet_are_finite_or_wrong(engine):
    values = pa.array([1.5, float("nan"), float("inf"), -float("inf"), None])
    rows = staged(engine, HEALTH_READINGS, value=values)
    assert [row["value"] for row in rows] == [1.5, None, None, None, None]
    assert [row["unparsed"] for row in rows] == [None, "value: nan", "value: inf", "value: -inf", None]


def test_all_texts_that_failed_are_kept(engine):
    (row,) = staged(
        engine, HEALTH_READINGS, user_id=["x"], value=["y"], recorded_at=["2026-03-01Z"], unit=["z"], is_deleted=["w"]
    )  # fmt: skip
    assert row["unparsed"] == "user_id: x\nvalue: y\nrecorded_at: 2026-03-01Z\nis_deleted: w"


def test_the_staged_row_has_all_columns_and_says_where_it_comes_from(engine):
    for dataset in (HEALTH_READINGS, ACTIVITY_INTERVALS, SLEEP_SESSIONS, USERS):
        (row,) = staged(engine, dataset, user_id=["1"])
        assert tuple(row) == staged_table(dataset).column_names
        assert (row["file_hash"], row["file_number"], row["row_number"]) == ("hash", 7, 1)
        assert row["first_seen_at"] == SEEN_AT


@pytest.mark.parametrize(
    ("told", "defect", "day"),
    [
        ("2026-03-01T23:59:59Z", None, date(2026, 3, 1)),
        ("2026-03-01T23:59:59-08:00", None, date(2026, 3, 2)),  # of the instant, where one is told
        ("2026-03-01T23:59:59", None, date(2026, 3, 1)),
        ("1970-01-01T00:00:00Z", None, date(1970, 1, 1)),
        ("1969-12-31T23:59:59Z", "before_1970", None),
        ("1900-01-01", "before_1970", None),
        ("2026-06-02T02:00:00Z", None, date(2026, 6, 2)),  # 14 hours ahead: the clocks of UTC+14
        ("2026-06-02T02:00:01Z", "in_the_future", None),
        ("2026-06-02T02:00:01", "in_the_future", None),
        ("2026-06-02T10:00:00+14:00", None, date(2026, 6, 1)),
        ("2999-01-01", "in_the_future", None),
        ("no time", "undated", None),
        (None, "undated", None),
    ],
)
def test_the_day_of_a_row_or_why_it_has_none(engine, told, defect, day):
    (row,) = staged(engine, HEALTH_READINGS, recorded_at=pa.array([told], pa.string()))
    assert (row["defect"], row["day"]) == (defect, day)


@pytest.mark.parametrize(
    ("started_at", "night_on", "day"),
    [
        ("2026-03-01T22:00:00Z", None, date(2026, 3, 1)),
        ("2026-03-01T22:00:00Z", "2026-03-02", date(2026, 3, 1)),
        (None, "2026-03-02", date(2026, 3, 2)),
        (None, None, None),
    ],
)
def test_a_night_without_a_start_lies_under_its_date(engine, started_at, night_on, day):
    text = pa.string()
    columns = {"started_at": pa.array([started_at], text), "night_on": pa.array([night_on], text)}
    (row,) = staged(engine, SLEEP_SESSIONS, **columns)
    assert (row["day"], row["defect"]) == (day, None if day else "undated")


def test_records_of_people_need_no_day(engine):
    (row,) = staged(engine, USERS, user_id=["1"], valid_from=["2026-03-01"])
    assert "day" not in row
    assert row["defect"] is None
    assert row["local_valid_from"] == datetime(2026, 3, 1)


def test_lines_that_could_not_be_split_keep_their_text(engine):
    lines = engine.memory_table(pa.table({"row_number": [3, 9], "line": ["a,b", "{"]}))
    rows = engine.rows(rejected_lines(with_lineage(lines, FILE), SLEEP_SESSIONS).order_by("row_number"))
    assert tuple(rows[0]) == staged_table(SLEEP_SESSIONS).column_names
    assert [(row["row_number"], row["defect"], row["unparsed"], row["day"]) for row in rows] == [
        (3, "malformed_line", "a,b", None),
        (9, "malformed_line", "{", None),
    ]
