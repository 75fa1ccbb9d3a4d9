"""Real files through the real ingest: a column that is lost, renamed or of another type is told, all else is not."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from healthmate_bi_pipeline.catalog.datasets import DATASETS, HEALTH_READINGS
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.sources.fitbit import import_fitbit
from healthmate_bi_pipeline.usecases.check_results import check_and_record
from healthmate_bi_pipeline.usecases.checks import CHECKS, Judgement, Verdict, check
from healthmate_bi_pipeline.usecases.checks.drift import DRIFT, TOLD_FOR
from healthmate_bi_pipeline.usecases.ingest import ingest
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse import books
from healthmate_bi_pipeline_tests.running import SHARED_DATA, csv_text, drop_file, opened, query, refresh

FIRST = datetime(2026, 3, 2, 6)
SECRET = "Zaphod7531"
BY_ASSET = {spec.asset: spec for spec in DRIFT}
READING: dict[str, Any] = {
    "user_id": 1, "metric": "weight", "value": 70.5, "unit": "kg", "recorded_at": "2026-03-01T08:00:00Z",
    "source": "scale",
}  # fmt: skip


class Deliveries:
    """Files of readings, one delivery a day."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.now = FIRST
        self.count = 0

    @contextmanager
    def opened(self) -> Iterator[Pipeline]:
        with opened(self.settings, now=self.now) as pipeline:
            yield pipeline

    def come(self, *files: str | bytes, days: float = 1) -> None:
        """Drop files that were not there before, named by their number, and take them in; then time goes on."""
        for content in files:
            suffix = "parquet" if isinstance(content, bytes) else "ndjson" if content[0] == "{" else "csv"
            drop_file(self.settings, f"health_readings/{self.count:03}.{suffix}", content)
            self.count += 1
        with self.opened() as pipeline:
            assert ingest(pipeline, HEALTH_READINGS).counts["files"] == len(files)
        self.now += timedelta(days=days)

    def came(self, *without: str, days: float = 1) -> None:
        """Enter a CSV file as ingest would, where there are too many of them to be read."""
        columns = {name: "untyped" for name in READING if name not in without}
        account = books.FileAccount(
            file_hash=f"{self.count:064}", dataset=HEALTH_READINGS.name, file_number=self.count,
            name=f"{self.count:03}.csv", bytes=1, lines=2, rows=2, rejected=0, staged=2, undated=0,
            first_seen_at=self.now.replace(tzinfo=UTC), columns=columns,
        )  # fmt: skip
        self.count += 1
        with self.opened() as pipeline, pipeline.warehouse.transaction() as connection:
            assert books.register_files(connection, [account]) == 1
        self.now += timedelta(days=days)

    def judged(self) -> Judgement:
        with self.opened() as pipeline:
            return check(pipeline, BY_ASSET["staged/health_readings"], None)


@pytest.fixture
def deliveries(settings: Settings) -> Deliveries:
    return Deliveries(settings)


def rows(number: int, *without: str, **more: Any) -> list[dict[str, Any]]:
    """Two readings, whose values make the file unlike every other."""
    kept = {name: value for name, value in (READING | more).items() if name not in without}
    return [kept | {"value": number + half} if "value" in kept else kept for half in (0.0, 0.5)]


def csv(number: int, *without: str, **more: Any) -> str:
    return csv_text(rows(number, *without, **more))


def ndjson(number: int, *without: str, **more: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows(number, *without, **more))


def parquet(number: int, *without: str, types: Mapping[str, pa.DataType] | None = None, **more: Any) -> bytes:
    table = pa.Table.from_pylist(rows(number, *without, **more))
    for name, type_ in (types or {}).items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, table.column(name).cast(type_))
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def wrong(found: Judgement) -> tuple[int, int]:
    assert found.measurement is not None
    return found.measurement.wrong, found.measurement.of


@pytest.mark.parametrize("make", [csv, ndjson, parquet])
def test_an_optional_column_that_is_lost_is_told_with_the_file(deliveries: Deliveries, make: Any) -> None:
    for number in range(3):
        deliveries.come(make(number))
    assert deliveries.judged().verdict is Verdict.PASSED
    deliveries.come(make(3, "unit"))
    found = deliveries.judged()
    assert (found.verdict, wrong(found)) == (Verdict.FAILED, (1, 4))
    assert (
        f"health_readings/003.{'parquet' if make is parquet else make.__name__}: without unit,"
        in found.reason
    )
    assert "source" not in found.reason
    # The files that follow with the same columns lack it too.
    deliveries.come(make(4, "unit"), make(5, "unit"))
    assert wrong(deliveries.judged()) == (3, 6)
    assert "and 2 more: without unit" in deliveries.judged().reason


def test_a_column_that_is_spelled_otherwise_is_told_with_the_one_that_is_meant(
    deliveries: Deliveries,
) -> None:
    deliveries.come(csv(0))
    deliveries.come(csv(1, "unit", units="kg"))
    found = deliveries.judged()
    assert "without unit, which nearly all files before had (1); nobody reads units (unit?)." in found.reason
    assert found.measurement is not None
    assert {name: n for name, n in found.measurement.counts.items() if n} == {
        "columns lost": 1, "columns unknown": 1,
    }  # fmt: skip


def test_a_new_column_that_nobody_reads_is_told(deliveries: Deliveries) -> None:
    deliveries.come(csv(0))
    deliveries.come(csv(1, firmware="7"))
    assert "health_readings/001.csv: nobody reads firmware." in deliveries.judged().reason


def test_a_known_column_more_is_no_drift(deliveries: Deliveries) -> None:
    deliveries.come(csv(0))
    deliveries.come(csv(1, context="resting"))
    assert deliveries.judged().verdict is Verdict.PASSED


def test_case_spaces_and_order_of_columns_are_no_drift(deliveries: Deliveries) -> None:
    deliveries.come(csv(0))
    lines = csv(1).splitlines()
    deliveries.come("\n".join([lines[0].upper().replace(",", ", "), *lines[1:]]) + "\n")
    turned = [dict(reversed(row.items())) for row in rows(2)]
    deliveries.come(csv_text(turned))
    assert deliveries.judged().verdict is Verdict.PASSED


def test_a_member_in_capitals_is_not_read_and_so_is_told(deliveries: Deliveries) -> None:
    """Unlike headers, members of objects are looked for as they are spelled."""
    deliveries.come(ndjson(0))
    deliveries.come(ndjson(1, "unit", Unit="kg"))
    assert "without unit, which nearly all files before had (1); nobody reads Unit (unit?)." in (
        deliveries.judged().reason
    )


def test_a_member_that_any_object_has_is_there(deliveries: Deliveries) -> None:
    deliveries.come(ndjson(0))
    deliveries.come(ndjson(1, "unit") + ndjson(2))
    assert deliveries.judged().verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"types": {"value": pa.string()}}, "value is text and was number"),
        ({"types": {"user_id": pa.string()}}, "user_id is text and was integer"),
        ({"recorded_at": datetime(2026, 3, 1, 8)}, "recorded_at is timestamp and was text"),
        ({"types": {"value": pa.float32(), "user_id": pa.int32(), "unit": pa.large_string()}}, None),
        ({"types": {"value": pa.int64(), "unit": pa.dictionary(pa.int32(), pa.string())}, "half": 0}, None),
        ({"unit": None}, None),  # of a column without a value the type is not known
    ],
)
def test_another_type_is_told_another_width_is_none(
    deliveries: Deliveries, changed: dict[str, Any], told: str | None
) -> None:
    deliveries.come(parquet(0))
    changed = dict(changed)
    if "half" in changed:
        del changed["half"]
        table = pa.Table.from_pylist([READING | {"value": 71}])
        table = table.set_column(3, "unit", table.column("unit").cast(pa.dictionary(pa.int32(), pa.string())))
        sink = io.BytesIO()
        pq.write_table(table, sink)
        deliveries.come(sink.getvalue())
    else:
        deliveries.come(parquet(1, **changed))
    found = deliveries.judged()
    assert found.verdict is (Verdict.FAILED if told else Verdict.PASSED)
    assert (told or "All 2 files.") in found.reason


def test_a_time_that_lost_its_zone_is_told(deliveries: Deliveries) -> None:
    """The same digits are another instant."""
    at = datetime(2026, 3, 1, 8)
    deliveries.come(parquet(0, recorded_at=at, types={"recorded_at": pa.timestamp("us", tz="UTC")}))
    deliveries.come(parquet(1, recorded_at=at, types={"recorded_at": pa.timestamp("ms")}))
    assert "recorded_at is timestamp and was instant" in deliveries.judged().reason


def test_text_files_beside_parquet_have_no_types_to_differ_in(deliveries: Deliveries) -> None:
    deliveries.come(parquet(0))
    deliveries.come(csv(1))
    deliveries.come(ndjson(2))
    deliveries.come(parquet(3))
    assert deliveries.judged().verdict is Verdict.PASSED


def test_exporters_of_different_make_may_alternate(deliveries: Deliveries) -> None:
    """One has units, one calls its firmware; they begin together, as they do where somebody starts to use this."""
    deliveries.come(csv(0), parquet(1, "unit", firmware="7"))
    for number in range(2, 8, 2):
        deliveries.come(csv(number))
        deliveries.come(parquet(number + 1, "unit", firmware="7"))
    found = deliveries.judged()
    assert (found.verdict, wrong(found)) == (Verdict.PASSED, (0, 8))


def test_what_comes_monthly_beside_what_comes_daily_is_known(deliveries: Deliveries) -> None:
    deliveries.come(csv(0), csv(1, "unit", "source"))
    for month in range(3):
        for _ in range(30):
            deliveries.came()
        deliveries.come(csv(1000 + month, "unit", "source"))
        assert deliveries.judged().verdict is Verdict.PASSED


def test_the_delivery_before_is_compared_with_however_long_ago_it_was(deliveries: Deliveries) -> None:
    deliveries.come(csv(0), days=400)
    deliveries.come(csv(1), days=400)
    assert deliveries.judged().verdict is Verdict.NOT_APPLICABLE
    deliveries.come(csv(2, "unit"))
    assert "without unit" in deliveries.judged().reason


def test_columns_that_come_back_after_another_kind_had_replaced_them_are_told(deliveries: Deliveries) -> None:
    """An exporter was set back to what it was a year ago."""
    deliveries.come(csv(0, "unit"))
    for _ in range(40):
        deliveries.came()
    deliveries.come(csv(41, "unit"))
    assert "health_readings/041.csv: without unit" in deliveries.judged().reason


def test_a_file_by_hand_with_few_columns_does_not_excuse_the_next_loss(deliveries: Deliveries) -> None:
    for _ in range(30):
        deliveries.came()
    deliveries.come(csv(30, "unit", "source"))
    assert "without source, unit" in deliveries.judged().reason
    for _ in range(19):
        deliveries.came()
    assert deliveries.judged().verdict is Verdict.PASSED
    deliveries.come(csv(50, "unit"))
    assert (
        "health_readings/050.csv: without unit, which nearly all files before had"
        in deliveries.judged().reason
    )


def test_a_wanted_change_is_told_for_two_weeks_and_then_is_how_it_is(deliveries: Deliveries) -> None:
    deliveries.come(csv(0))
    deliveries.come(csv(1, "unit"))
    for day in range(1, TOLD_FOR.days):
        assert deliveries.judged().verdict is Verdict.FAILED, day
        deliveries.came("unit")
    deliveries.now += timedelta(seconds=1)
    found = deliveries.judged()
    assert found.verdict is Verdict.PASSED
    assert "unit" not in found.reason


def test_a_first_file_is_no_drift_but_what_nobody_reads_of_it_is_named(deliveries: Deliveries) -> None:
    deliveries.come(csv(0, firmware="7", line="as it came"))
    found = deliveries.judged()
    assert found.verdict is Verdict.PASSED
    assert found.reason.endswith("Of the first files nobody reads firmware.")
    assert found.measurement is not None
    assert found.measurement.counts["unread columns of first files"] == 1


def test_a_slip_in_writing_is_told_of_a_first_file_too(deliveries: Deliveries) -> None:
    deliveries.come(csv(0, "unit", units="kg", firmware="7"), csv(1))
    found = deliveries.judged()
    assert (found.verdict, wrong(found)) == (Verdict.FAILED, (1, 2))
    assert (
        "health_readings/000.csv: nobody reads units (unit?). Of the first files nobody reads firmware."
        in (found.reason)
    )


def test_files_of_before_the_upgrade_are_not_known(deliveries: Deliveries) -> None:
    """What the migration leaves behind: files without columns. The next one is the first that is known."""
    for number in range(3):
        deliveries.come(csv(number))
    with deliveries.opened() as pipeline, pipeline.warehouse.transaction() as connection:
        connection.exec_driver_sql("UPDATE bi_ingested_files SET columns = NULL")
    assert deliveries.judged().verdict is Verdict.NOT_APPLICABLE
    deliveries.come(csv(3, "unit"))
    assert (deliveries.judged().verdict, wrong(deliveries.judged())) == (Verdict.PASSED, (0, 1))
    deliveries.come(csv(4, "unit", "source"))
    found = deliveries.judged()
    assert "without source, which nearly all files before had (1)" in found.reason


def test_a_file_without_rows_says_nothing(deliveries: Deliveries) -> None:
    deliveries.come(csv(0))
    drop_file(deliveries.settings, "health_readings/empty.csv", "user_id,metric,value,recorded_at,firmware\n")
    with deliveries.opened() as pipeline:
        ingest(pipeline, HEALTH_READINGS)
    assert wrong(deliveries.judged()) == (0, 1)


def test_columns_are_known_again_when_the_books_are_mended(deliveries: Deliveries) -> None:
    deliveries.come(csv(0))
    deliveries.come(ndjson(1, "unit"))
    with deliveries.opened() as pipeline:
        before = query(pipeline, "SELECT name, columns FROM bi_ingested_files ORDER BY name")
        with pipeline.warehouse.transaction() as connection:
            connection.exec_driver_sql("DELETE FROM bi_ingested_file_days")
            connection.exec_driver_sql("DELETE FROM bi_ingested_files")
        ingest(pipeline, HEALTH_READINGS)
        after = query(pipeline, "SELECT name, columns FROM bi_ingested_files ORDER BY name")
    assert after.to_dict("records") == before.to_dict("records")
    assert before["columns"][1] == {name: "untyped" for name in READING if name != "unit"}


def test_many_changes_and_columns_are_capped(deliveries: Deliveries) -> None:
    deliveries.come(csv(0))
    deliveries.come(*(csv(number, **{f"x{number}y{n}": n for n in range(20)}) for number in range(1, 9)))
    reason = deliveries.judged().reason
    assert "nobody reads x1y0, x1y1, x1y10, x1y11, x1y12, x1y13, x1y14, x1y15 and 12 more." in reason
    assert reason.endswith("3 more changes.")
    assert len(reason) < 1000


@pytest.mark.parametrize("make", [csv, ndjson, parquet])
def test_a_name_that_may_be_a_value_is_kept_nowhere(deliveries: Deliveries, make: Any) -> None:
    """Of objects that are keyed by people, or rows that were turned into columns."""
    deliveries.come(make(0))
    people = [SECRET, f"{SECRET.lower()}@example.org", "2026-03-01", "4711", "Long " * 20, "a\tb"]
    deliveries.come(make(1, **dict.fromkeys(people, "x")))
    found = deliveries.judged()
    assert "nobody reads ? (a name that is not kept)." in found.reason
    with deliveries.opened() as pipeline:
        check_and_record(pipeline, BY_ASSET["staged/health_readings"], None, at=pipeline.now)
        kept = query(pipeline, "SELECT columns FROM bi_ingested_files ORDER BY file_number")["columns"][1]
        results = query(pipeline, "SELECT * FROM bi_check_results").to_csv()
    assert set(kept) == {*READING, "?"}
    assert not any(secret.lower() in (results + found.reason).lower() for secret in people[:4])


def test_a_file_with_more_columns_than_anybody_needs_keeps_those_that_are_known(
    deliveries: Deliveries,
) -> None:
    deliveries.come(ndjson(0, **{f"a{n // 100}b{n % 100}": n for n in range(3000)}))
    with deliveries.opened() as pipeline:
        (kept,) = query(pipeline, "SELECT columns FROM bi_ingested_files")["columns"]
    assert set(READING) < set(kept)
    assert len(kept) == len(READING) + 100


def test_a_failure_stops_nothing_and_can_be_made_graver() -> None:
    assert {(str(spec.severity), spec.is_blocking, spec.is_by_clock) for spec in DRIFT} == {
        ("warning", False, False)
    }
    assert {spec.asset for spec in DRIFT} == {f"staged/{dataset.name}" for dataset in DATASETS}
    assert set(DRIFT) <= set(CHECKS)


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED_DATA / "fitbit").is_dir(), reason="../shared/data is not here")
def test_a_real_export_that_comes_in_two_parts_does_not_drift(settings: Settings, tmp_path: Any) -> None:
    """The same kinds of files, cut in two by line, imported a month apart."""
    verdicts: list[set[Verdict]] = []
    for part, now in enumerate([FIRST, FIRST + timedelta(days=30)]):
        folder = tmp_path / str(part)
        for path in sorted((SHARED_DATA / "fitbit" / "mar").glob("*.csv")):
            header, *lines = path.read_text().splitlines(keepends=True)
            half = len(lines) // 2
            (folder / path.name).parent.mkdir(exist_ok=True)
            (folder / path.name).write_text(header + "".join(lines[:half] if part == 0 else lines[half:]))
        shutil.copy(SHARED_DATA / "fitbit" / "apr_sleep" / "sleepDay_merged.csv", folder)
        import_fitbit(folder, time_zone="UTC", landing=settings.landing_path)
        with opened(settings, now=now) as pipeline:
            refresh(pipeline, groups={"staged"})
            verdicts.append({check(pipeline, spec, None).verdict for spec in DRIFT})
    assert verdicts == [{Verdict.PASSED, Verdict.NOT_APPLICABLE}] * 2
