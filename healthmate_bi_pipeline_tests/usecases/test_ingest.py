"""Ingest: each file once, bad input named in one line and nothing lost, no value of a person told."""

from __future__ import annotations

import gzip
import io
import json
import logging
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from healthmate_bi_pipeline.catalog.datasets import (
    ACTIVITY_INTERVALS,
    DATASETS,
    HEALTH_READINGS,
    SLEEP_SESSIONS,
    USERS,
)
from healthmate_bi_pipeline.catalog.lake_tables import staged_table
from healthmate_bi_pipeline.catalog.rules import FILE_RULES
from healthmate_bi_pipeline.lake.first_day import read_first_day
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.ingest import (
    FILES_AT_ONCE,
    ingest,
    new_file_count,
    unknown_folder_messages,
)
from healthmate_bi_pipeline.usecases.pipeline import Built, Pipeline
from healthmate_bi_pipeline_tests.accounts import INGEST, assert_books_balance, fates, lake_frame, rules
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, query, refresh

NOW = datetime(2026, 3, 10, 12)
HEADER = "user_id,metric,value,unit,recorded_at,source,reading_id\n"
SECRET = "Zaphod7531"


@pytest.fixture
def pipeline(settings: Settings) -> Iterator[Pipeline]:
    with opened(settings, now=NOW) as pipeline:
        yield pipeline


def reading(**more: Any) -> dict[str, Any]:
    return {
        "user_id": 1, "metric": "heart_rate", "value": 60, "unit": "bpm", "recorded_at": "2026-03-01T10:00:00Z",
        "source": "watch",
    } | more  # fmt: skip


def readings(count: int, *, user: int = 1) -> list[dict[str, Any]]:
    return [
        reading(user_id=user, recorded_at=f"2026-03-01T{n // 60:02}:{n % 60:02}:00Z") for n in range(count)
    ]


def parquet(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def damaged_parquet(*, with_ids: bool) -> bytes:
    """A file whose footer is whole and whose data are not."""
    rows = [reading(value=n**0.5, reading_id=f"{n}" if with_ids else None) for n in range(20_000)]
    content = bytearray(parquet(rows))
    content[300:60_000] = random.Random(2).randbytes(59_700)
    return bytes(content)


def test_a_file_counts_once_whatever_its_name(pipeline, settings):
    content = csv_text(readings(3))
    drop_file(settings, "health_readings/a.csv", content)
    drop_file(settings, "health_readings/again/b.csv", content)
    assert new_file_count(pipeline, HEALTH_READINGS) == 1
    first = ingest(pipeline, HEALTH_READINGS)
    assert (first.counts["files"], first.counts["staged"], first.messages) == (1, 3, ())
    drop_file(settings, "health_readings/c.csv", content)
    again = ingest(pipeline, HEALTH_READINGS)
    assert (again.counts["files"], again.total) == (0, 0)
    (settings.landing_path / "health_readings" / "a.csv").unlink()
    assert ingest(pipeline, HEALTH_READINGS).total == 0
    assert new_file_count(pipeline, HEALTH_READINGS) == 0
    refresh(pipeline, groups=INGEST)
    assert fates(pipeline, HEALTH_READINGS) == {"kept": 3}
    assert_books_balance(pipeline)


def test_the_same_bytes_may_be_two_datasets(pipeline, settings):
    content = "user_id,metric,value,recorded_at,time_zone\n1,heart_rate,60,2026-03-01,Europe/Berlin\n"
    drop_file(settings, "health_readings/a.csv", content)
    drop_file(settings, "users/a.csv", content)
    refresh(pipeline, groups=INGEST)
    assert (fates(pipeline, HEALTH_READINGS), fates(pipeline, USERS)) == ({"kept": 1}, {"kept": 1})


def test_a_file_without_rows_is_read_once_too(pipeline, settings):
    drop_file(settings, "health_readings/a.csv", HEADER)
    drop_file(settings, "health_readings/b.parquet", parquet(readings(1))[:0] or parquet(readings(1)))
    assert ingest(pipeline, HEALTH_READINGS).messages == ()
    assert new_file_count(pipeline, HEALTH_READINGS) == 0
    lines = query(pipeline, "SELECT name, lines FROM bi_ingested_files ORDER BY name")
    assert lines.to_dict("records") == [{"name": "a.csv", "lines": 0}, {"name": "b.parquet", "lines": 1}]


def test_many_small_files_are_a_few_commits(pipeline, settings):
    for number in range(FILES_AT_ONCE + 5):
        drop_file(settings, f"health_readings/{number:03}.csv", csv_text([reading(user_id=number)]))
    ingest(pipeline, HEALTH_READINGS)
    table = pipeline.lake.open(staged_table(HEALTH_READINGS).name)
    assert table is not None
    assert table.version() == 1
    frame = table.to_pandas().sort_values("file_number")
    assert list(frame["user_id"]) == list(
        range(FILES_AT_ONCE + 5)
    )  # numbered by name: the order of first sight
    assert frame["file_number"].is_unique


BAD_FILES: dict[str, tuple[str | bytes, str]] = {
    "01.csv.gz": (gzip.compress(csv_text(readings(900)).encode(), mtime=0)[:-30], "unreadable_file: the packed data are damaged or cut off."),
    "02.csv.zst": (pa.compress(csv_text(readings(900)).encode(), codec="zstd", asbytes=True)[:-30], "unreadable_file: the packed data are damaged or cut off."),
    "03.parquet": (parquet(readings(9))[:-30], "unreadable_file: it is no Parquet file, or is cut off."),
    "04.csv": ("", "unreadable_file: it is empty."),
    "05.parquet": (csv_text(readings(9)), "unreadable_file: it is no Parquet file, or is cut off."),
    "06.csv": (random.Random(1).randbytes(5_000), "unreadable_file: it is no text in UTF-8."),
    "07.xlsx": (b"PK", "unreadable_file: expected .parquet, .csv or .ndjson, plain or with .gz or .zst behind it."),
    "08.csv": ("user_id,metric,recorded_at\n1,weight,2026-03-01\n", "missing_column: value (found: user_id, metric, recorded_at)."),
    "09.csv": (f"{HEADER.strip()},Value\n", "missing_column: value stands more than once."),
    "10.parquet": (damaged_parquet(with_ids=False), "unreadable_file: the data are damaged, or cannot be computed with."),
    "11.parquet": (damaged_parquet(with_ids=True), "unreadable_file: the data are damaged, or cannot be computed with."),
    "12.csv": (HEADER + "1,heart_rate,60,bpm\n2,heart_rate,60,bpm,2026-03-01,watch,\n3,heart_rate\n", "record 1 and 1 more: malformed_line: "),
    "13.csv": (HEADER + "1,heart_rate,60,bpm,,watch,\n", "record 1: undated:recorded_at: "),
    "14.ndjson": (json.dumps(reading()) + "\nno json\n" + json.dumps(reading(recorded_at="soon")) + "\n", "record 2: malformed_line: "),
    "15.csv": (HEADER + "1,heart_rate,60,bpm,1969-01-01,watch,\n", "record 1: before_1970:recorded_at: "),
    "16.csv": (HEADER + "1,heart_rate,60,bpm,2026-03-12,watch,\n", "record 1: in_the_future:recorded_at: "),
}  # fmt: skip


def test_bad_files_are_named_and_the_others_go_on(pipeline, settings):
    for name, (content, _) in BAD_FILES.items():
        drop_file(settings, f"health_readings/{name}", content)
    for name in ("00.csv", "10a.csv", "99.csv"):
        drop_file(settings, f"health_readings/{name}", csv_text(readings(4, user=int(name[:2]) + 100)))
    built = ingest(pipeline, HEALTH_READINGS)
    for name, (_, reason) in BAD_FILES.items():
        said = [
            message for message in built.messages if message.startswith(f"health_readings/{name}: {reason}")
        ]
        assert len(said) == 1, "\n".join((name, *built.messages))
    assert len(built.messages) == len(BAD_FILES) + 1  # 14.ndjson has two defects
    assert all("\n" not in message for message in built.messages)
    assert {rule for rule in FILE_RULES if any(f": {rule}" in text for text in built.messages)} == set(
        FILE_RULES
    )
    refresh(pipeline, groups=INGEST)
    assert_books_balance(pipeline)
    frame = lake_frame(pipeline, staged_table(HEALTH_READINGS).name)
    good = frame[frame["defect"].isna()]
    assert good.groupby("user_id").size().to_dict() == {1: 1, 2: 1, 100: 4, 110: 4, 199: 4}
    assert set(query(pipeline, "SELECT name FROM bi_ingested_files")["name"]) == {
        "00.csv", "10a.csv", "99.csv", "12.csv", "13.csv", "14.ndjson", "15.csv", "16.csv",
    }  # fmt: skip
    # What could not be used is tried again, and mended files are read.
    drop_file(settings, "health_readings/04.csv", csv_text(readings(2, user=4)))
    again = ingest(pipeline, HEALTH_READINGS)
    assert again.counts["staged"] == 2
    assert len(again.messages) == 10


def test_text_that_has_no_day_or_cannot_be_split_is_found_in_the_lake(pipeline, settings):
    drop_file(
        settings,
        "health_readings/a.csv",
        HEADER + f'1,heart_rate,60,bpm,the {SECRET} day,watch,\n2,"{SECRET}"x,1\n',
    )
    drop_file(settings, "health_readings/b.ndjson", f"{{{SECRET}\n")
    drop_file(settings, "sleep_sessions/c.csv", f"user_id,asleep_minutes,night_on\n1,400,{SECRET}\n")
    refresh(pipeline, groups=("staged",))
    texts = {
        (row["defect"], row["unparsed"])
        for dataset in (HEALTH_READINGS, SLEEP_SESSIONS)
        for row in lake_frame(pipeline, staged_table(dataset).name).to_dict("records")
    }
    assert texts == {
        ("undated", f"recorded_at: the {SECRET} day"),
        ("malformed_line", f'2,"{SECRET}"x,1'),
        ("malformed_line", f"{{{SECRET}"),
        ("undated", f"night_on: {SECRET}"),
    }


ROWS_SET_ASIDE = [
    reading(user_id="Bob"), reading(user_id=None), reading(value="sixty"), reading(value=-1), reading(metric="pulse"),
    reading(unit="kg"), reading(metric="weight", unit=None), reading(value=None),
]  # fmt: skip
ACTIVITY = {
    "user_id": 1,
    "source": "watch",
    "started_at": "2026-03-01T10:00:00Z",
    "ended_at": "2026-03-01T11:00:00Z",
}


def test_rows_that_are_set_aside_are_named_by_file_record_rule_and_column(pipeline, settings):
    drop_file(settings, "health_readings/r.csv", csv_text([reading(), *ROWS_SET_ASIDE, *ROWS_SET_ASIDE[3:5]]))
    drop_file(
        settings, "activity_intervals/a.csv", csv_text([ACTIVITY | {"steps": -5}, ACTIVITY | {"steps": 5}])
    )
    drop_file(
        settings, "users/u.csv", csv_text([{"user_id": 1, "time_zone": "Mars/Olympus"}, {"user_id": 2}])
    )
    made = refresh(pipeline, groups=INGEST)
    said = [message.rsplit(": ", 1)[0] for built in made.values() for message in built.messages]
    assert said == [
        "users/u.csv: record 1: unknown_code:time_zone",
        "health_readings/r.csv: record 5 and 1 more: impossible_value:value",
        "health_readings/r.csv: record 3: missing:user_id",
        "health_readings/r.csv: record 9: missing:value",
        "health_readings/r.csv: record 8: missing_unit:unit",
        "health_readings/r.csv: record 6 and 1 more: unknown_code:metric",
        "health_readings/r.csv: record 7: unknown_unit:unit",
        "health_readings/r.csv: record 2: wrong_type:user_id",
        "health_readings/r.csv: record 4: wrong_type:value",
        "activity_intervals/a.csv: record 1: negative:steps",
    ]
    assert sum(rules(pipeline, HEALTH_READINGS).values()) == 10
    assert_books_balance(pipeline)


def test_nothing_of_a_mess_is_lost(pipeline, settings):
    """Rows whose own day lies far from where they are staged are booked too, in every dataset."""
    sleep = {"user_id": 1, "source": "watch", "asleep_minutes": 400}
    drop_file(settings, "sleep_sessions/a.csv", csv_text([
        sleep | {"started_at": "2026-03-01T22:00:00Z", "ended_at": "2026-03-02T06:00:00Z"},
        sleep | {"started_at": "2026-03-03T22:00:00Z", "ended_at": "2026-02-01T06:00:00Z"},
        sleep | {"started_at": "2026-03-04T22:00:00Z", "ended_at": "2026-03-09T06:00:00Z"},
        sleep | {"started_at": "2026-03-05T22:00:00Z", "night_on": "2019-05-05"},
        sleep | {"started_at": "2026-03-05T23:00:00Z", "night_on": "2026-03-20"},
        sleep | {"night_on": "2026-03-01"},
        sleep | {"user_id": 2, "night_on": "2026-03-01", "started_at": "2026-03-01T01:00:00+14:00", "utc_offset_minutes": -720},
        sleep | {"user_id": 2, "started_at": "2026-03-07T00:00:00Z", "ended_at": "2026-03-08T00:00:00Z", "utc_offset_minutes": 840},
    ]))  # fmt: skip
    drop_file(settings, "health_readings/a.csv", csv_text([
        reading(utc_offset_minutes=offset, recorded_at=f"2026-03-0{day}T{hour:02}:00:00Z", user_id=n)
        for n, (offset, day, hour) in enumerate(
            (offset, day, hour) for offset in (-720, 840, 10**12, -(10**18), 0) for day in (1, 5) for hour in (0, 11, 23)
        )
    ]))  # fmt: skip
    drop_file(settings, "activity_intervals/a.csv", csv_text([
        ACTIVITY | {"steps": 1, "ended_at": "2026-03-03T10:00:00Z"},
        ACTIVITY | {"steps": 2, "ended_at": "9999-12-29T10:00:00Z"},
        ACTIVITY | {"steps": 3, "ended_at": "0001-01-03T10:00:00Z"},
        ACTIVITY | {"steps": 4, "started_at": "2026-03-01 00:00", "utc_offset_minutes": 840},
        ACTIVITY | {"steps": 5, "started_at": "2026-03-01 23:59", "ended_at": "2026-03-02 23:59", "utc_offset_minutes": -720},
    ]))  # fmt: skip
    refresh(pipeline, groups=INGEST)
    assert_books_balance(pipeline)
    assert read_first_day(pipeline.lake) == date(2026, 2, 27)  # 01:00 at UTC+14, shown at UTC-12


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (["2026-03-01T13:00:00Z"], date(2026, 3, 1)),
        (["2026-03-01T11:00:00Z"], date(2026, 2, 28)),  # it may have been evening yet, in the far west
        (["2026-03-01 00:00:00"], date(2026, 3, 1)),
        (["2026-03-01T05:00:00+14:00"], date(2026, 3, 1)),
        (["2026-03-03", "2020-02-29", "2026-03-04"], date(2020, 2, 29)),
        (["1969-12-31", "2999-01-01", "never"], None),
    ],
)
def test_the_first_day_is_the_earliest_that_any_row_can_have(pipeline, settings, times, first):
    drop_file(settings, "health_readings/a.csv", csv_text([reading(recorded_at=time) for time in times]))
    ingest(pipeline, HEALTH_READINGS)
    assert read_first_day(pipeline.lake) == first


def test_the_date_of_a_night_counts_only_where_nothing_else_is_known(pipeline, settings):
    row = {
        "user_id": 1,
        "asleep_minutes": 1,
        "started_at": "2026-03-01 22:00",
        "ended_at": "2026-03-02 06:00",
    }
    drop_file(settings, "sleep_sessions/a.csv", csv_text([row | {"night_on": "1990-01-01"}]))
    ingest(pipeline, SLEEP_SESSIONS)
    assert read_first_day(pipeline.lake) == date(2026, 3, 1)


def test_a_kill_between_the_lake_and_the_books_is_mended(pipeline, settings):
    """What a run that was killed right after its commit leaves behind, made by striking its books."""
    drop_file(
        settings, "health_readings/0.csv", csv_text([reading(reading_id="moved", recorded_at="2026-03-01")])
    )
    ingest(pipeline, HEALTH_READINGS)
    rows = [
        reading(reading_id="moved", recorded_at="2026-03-05"),
        *readings(5, user=3),
        reading(recorded_at="never"),
    ]
    drop_file(settings, "health_readings/1.csv", csv_text(rows) + "too,few\n")
    first = ingest(pipeline, HEALTH_READINGS)
    books_before = _books(pipeline)
    with pipeline.warehouse.transaction() as connection:
        for table in ("bi_ingested_file_days", "bi_ingested_files"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE file_hash IN (SELECT file_hash FROM bi_ingested_files WHERE name = '1.csv')")  # fmt: skip
    assert new_file_count(pipeline, HEALTH_READINGS) == 1
    again = ingest(pipeline, HEALTH_READINGS)
    assert _books(pipeline) == books_before
    assert (again.messages, again.counts) == (first.messages, first.counts)
    assert ingest(pipeline, HEALTH_READINGS).total == 0
    refresh(pipeline, groups=INGEST)
    assert_books_balance(pipeline)
    assert fates(pipeline, HEALTH_READINGS) == {"kept": 6, "superseded": 1}


def _books(pipeline: Pipeline) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    files = query(pipeline, "SELECT * FROM bi_ingested_files ORDER BY file_number")
    days = query(pipeline, "SELECT * FROM bi_ingested_file_days ORDER BY file_hash, day")
    return files.to_dict("records"), days.to_dict("records")


def test_a_file_that_is_taken_away_meanwhile_does_not_stop_the_others(pipeline, settings):
    paths = [
        drop_file(settings, f"health_readings/{name}.csv", csv_text(readings(2, user=n)))
        for n, name in enumerate("abc")
    ]

    def take_away(what: str, share: float) -> None:
        paths[1].unlink(missing_ok=True)

    built = ingest(replace(pipeline, progress=take_away), HEALTH_READINGS)
    assert built.counts["staged"] == 4
    assert [message.split(": ")[:2] for message in built.messages] == [
        ["health_readings/b.csv", "unreadable_file"]
    ]


@pytest.mark.slow
def test_a_home_with_blanks_and_letters_of_other_languages_works(settings, tmp_path):
    home = settings.model_copy(update={"home": tmp_path / "José's home #1 (100 %)"})
    drop_file(home, "health_readings/Mürz 2026 [1]*?.csv", csv_text(readings(3)))
    drop_file(home, "users/u.csv.gz", gzip.compress(b"user_id,time_zone\n1,Europe/Berlin\n"))
    with opened(home, now=NOW) as pipeline:
        refresh(pipeline)
        assert_books_balance(pipeline)
        rows = query(
            pipeline,
            "SELECT heart_rate_readings FROM bi_aggregated_health_metrics WHERE aggregation_period = 'yearly'",
        )
    assert list(rows["heart_rate_readings"]) == [3]


def test_a_folder_of_no_dataset_is_told(pipeline, settings):
    drop_file(settings, "health_reading/a.csv", csv_text(readings(1)))
    (message,) = unknown_folder_messages(pipeline)
    assert message.startswith(
        "landing/health_reading: no such dataset; expected one of users, health_readings"
    )


def _planted(settings: Settings) -> None:
    """The token as every kind of value, in good rows and in bad ones, in good files and in bad ones."""
    told = "2026-03-01T10:00:00Z"
    rows = [
        reading(source=SECRET, reading_id=SECRET), reading(user_id=SECRET), reading(value=SECRET), reading(metric=SECRET),
        reading(unit=SECRET), reading(recorded_at=SECRET), reading(context=SECRET), reading(updated_at=SECRET),
        reading(origin=SECRET), reading(reading_id=SECRET, recorded_at="2026-03-02T10:00:00Z", source=SECRET),
    ]  # fmt: skip
    drop_file(settings, "health_readings/a.csv", csv_text(rows) + f"{SECRET},{SECRET}\n")
    drop_file(settings, "health_readings/b.ndjson", f'{{"user_id": "{SECRET}"\n' + json.dumps(rows[0]) + "\n")
    drop_file(settings, "health_readings/c.csv", f"{SECRET},{SECRET}\n")  # no header
    drop_file(settings, "health_readings/d.csv.gz", gzip.compress((csv_text(rows) * 50).encode())[:-9])
    drop_file(settings, "health_readings/e.parquet", parquet([reading(value=1.0, source=SECRET)] * 3)[:-7])
    drop_file(settings, "health_readings/f.csv", csv_text(rows).replace("\n", "\r\n", 1) + f'"{SECRET}')
    drop_file(settings, "activity_intervals/a.csv", csv_text([
        ACTIVITY | {"steps": 5, "source": SECRET}, ACTIVITY | {"steps": SECRET}, ACTIVITY | {"ended_at": SECRET, "steps": 1},
    ]))  # fmt: skip
    drop_file(settings, "sleep_sessions/a.csv", csv_text([
        {"user_id": 1, "started_at": told, "ended_at": "2026-03-01T18:00:00Z", "asleep_minutes": 300, "source": SECRET},
        {"user_id": 1, "started_at": SECRET, "night_on": SECRET, "asleep_minutes": SECRET, "source": SECRET},
    ]))  # fmt: skip
    drop_file(settings, "users/a.csv", csv_text([
        {"user_id": 1, "time_zone": "Europe/Berlin", "plan": SECRET}, {"user_id": 2, "time_zone": SECRET},
        {"user_id": SECRET, "sex": SECRET, "birth_year": SECRET, "valid_from": SECRET},
    ]))  # fmt: skip


@pytest.mark.slow
def test_no_value_of_a_person_is_told_anywhere(pipeline, settings, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    _planted(settings)
    made = refresh(pipeline)
    assert sum(rules(pipeline, HEALTH_READINGS).values()) == 12  # it was really there
    told = [text for built in made.values() for text in (*built.messages, *built.paths, str(built.counts))]
    told += [record.getMessage() + str(record.exc_info) for record in caplog.records]
    told += [*capfd.readouterr()]
    told += [path.read_text() for path in settings.reports_path.rglob("*") if path.is_file()]
    for table, column in _text_columns(pipeline):
        cells = query(
            pipeline, f'SELECT "{column}"::text AS cell FROM "{table}" WHERE "{column}" IS NOT NULL'
        )
        told += list(cells["cell"]) if len(cells) else []
    assert [text for text in told if SECRET.lower() in text.lower()] == []


def _text_columns(pipeline: Pipeline) -> list[tuple[str, str]]:
    """Every column of text, lists and documents of the warehouse; figures of persons may name no text at all."""
    rows = query(
        pipeline,
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND table_name LIKE 'bi\\_%' AND data_type IN ('text', 'character varying', 'jsonb', 'ARRAY')",
    )
    found = [(row["table_name"], row["column_name"]) for row in rows.to_dict("records")]
    assert {"bi_audit_log", "bi_partitions", "bi_ingested_files", "bi_pipeline_runs", "bi_reports"} <= {
        t for t, _ in found
    }
    return [(table, column) for table, column in found if table != "bi_identities"]


def test_an_error_of_the_engine_or_the_lake_tells_no_value(pipeline, settings, monkeypatch):
    """Even where the pipeline itself is wrong: the text of what fails is not passed on."""
    drop_file(settings, "health_readings/a.csv", csv_text([reading(source=SECRET)]))
    ingest(pipeline, HEALTH_READINGS)
    with pipeline.engine() as engine:
        files = pipeline.lake.files(staged_table(HEALTH_READINGS).name)
        schema = pa.schema({"source": pa.string(), "day": pa.date32()})
        rows = engine.scan(files, schema=schema, partition_by="day")
        with pytest.raises(Exception, match="data are damaged") as caught:
            engine.rows(rows.mutate(x=rows.source.cast("int64")))
    chain = [caught.value, caught.value.__cause__]
    assert caught.value.__suppress_context__
    assert all(SECRET not in str(error) for error in chain)


def test_staging_takes_no_part_of_what_fails(pipeline, settings, monkeypatch):
    """A commit that does not come about leaves neither rows nor books, and the next run reads the file."""
    drop_file(settings, "health_readings/a.csv", csv_text(readings(3)))
    lake = settings.lake_uri
    ingest(pipeline, HEALTH_READINGS)
    drop_file(settings, "health_readings/b.csv", csv_text(readings(4, user=2)))
    log = Path(lake) / "staged" / "health_readings" / "_delta_log"
    log.rename(log.with_name("away"))
    log.write_text("")  # no folder: nothing can be committed
    with pytest.raises(Exception, match=re.compile("delta_log|log", re.IGNORECASE)):
        ingest(pipeline, HEALTH_READINGS)
    log.unlink()
    log.with_name("away").rename(log)
    assert list(query(pipeline, "SELECT name FROM bi_ingested_files")["name"]) == ["a.csv"]
    assert ingest(pipeline, HEALTH_READINGS).counts["staged"] == 4
    refresh(pipeline, groups=INGEST)
    assert_books_balance(pipeline)


def test_every_import_is_in_the_books(pipeline, settings):
    drop_file(settings, "health_readings/a.csv", csv_text(readings(3)))
    built: Built = ASSET_BY_NAME["staged/health_readings"].build(pipeline, None)
    assert built.total == 3
    actions = query(pipeline, "SELECT actor, action, object, rows, outcome FROM bi_audit_log ORDER BY id")
    assert actions.to_dict("records") == [
        {
            "actor": "test",
            "action": "ingest",
            "object": "staged/health_readings",
            "rows": 3,
            "outcome": "done",
        },
        {"actor": "test", "action": "make", "object": "staged/health_readings", "rows": 3, "outcome": "done"},
    ]
    (run,) = query(pipeline, "SELECT outcome, rows FROM bi_pipeline_runs").to_dict("records")
    assert run == {"outcome": "succeeded", "rows": 3}


def test_nothing_is_made_of_nothing(pipeline):
    for dataset in DATASETS:
        built = ingest(pipeline, dataset)
        assert (built.total, built.messages) == (0, ())
    refresh(pipeline, groups=INGEST)
    assert_books_balance(pipeline)
    assert ACTIVITY_INTERVALS in DATASETS
