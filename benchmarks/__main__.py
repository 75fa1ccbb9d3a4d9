"""How long the pipeline takes, as a ratio to what the machine must at least do; made in one run.

``python -m benchmarks [--readings 2000000] [--people 500]``

*ingest*: landing file → checked raw days; the floor is DuckDB rewriting the same file as Parquet by day.
*aggregate*: raw → all six periods in PostgreSQL; the floor is DuckDB reading the same columns once and a bare
binary COPY of the same finished rows into a table without index.
*late row*: one row for a day long past, until every figure that holds it is right again.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import Connection, text

from healthmate_bi_pipeline.catalog.datasets import HEALTH_READINGS, USERS
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.lake.store import Lake
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.graph import ASSETS
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

FIRST_DAY = date(2025, 1, 1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--readings", type=int, default=2_000_000, help="how many readings")
    parser.add_argument("--people", type=int, default=500, help="of how many people")
    parser.add_argument("--days", type=int, default=60, help="over how many days")
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="healthmate-bench-"))
    try:
        _run(home, arguments.readings, arguments.people, arguments.days)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _run(home: Path, readings: int, people: int, days: int) -> None:
    landing = _write_readings(home / "landing", readings, people, days)
    settings = Settings(home=home)
    with Warehouse.open(settings) as warehouse:
        pipeline = Pipeline(
            settings, warehouse, Lake(settings.lake_uri), datetime(2026, 6, 1, tzinfo=UTC), actor="bench"
        )
        floor = _timed(lambda: _rewrite_by_day(landing, home / "floor"))
        ingest = _timed(lambda: _refresh(pipeline, ("staged", "raw")))
        _tell("ingest", readings, ingest, floor)
        aggregate = _timed(lambda: _refresh(pipeline, ("state", "health_metrics")))
        files = _finished_rows(warehouse, home)
        floor = _timed(lambda: _read_and_copy(landing, files, warehouse))
        _tell("aggregate", readings, aggregate, floor)
        _add_late_row(home / "landing")
        late = _timed(lambda: _refresh(pipeline, ("staged", "raw", "state", "health_metrics")))
        print(f"late row    {late:8.1f} s for one row, of {readings:,} in the store")
    print(
        f"memory      {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:8.2f} GB at the most, in this process"
    )


def _write_readings(landing: Path, readings: int, people: int, days: int) -> Path:
    path = landing / HEALTH_READINGS.name / "readings.parquet"
    path.parent.mkdir(parents=True)
    (landing / USERS.name).mkdir()
    each = max(1, readings // (people * days))
    with _duckdb() as connection:
        connection.execute(
            f"""COPY (SELECT 1 + i AS user_id, 165.0 + i % 20 AS height_cm,
                ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata'][1 + i % 3] AS time_zone
                FROM range({people}) t(i)) TO '{landing / USERS.name / "users.parquet"}' (FORMAT parquet)"""
        )
        # A day of a person with a watch: mostly heart rate, every few minutes; some oxygen saturation and glucose;
        # a weight and a numbered blood pressure.
        connection.execute(
            f"""COPY (
                SELECT user_id, reading_id, metric, start_value + (user_id + 7 * k + d) % 5 AS value, unit, source,
                    timestamptz '{FIRST_DAY} 00:00:00+00' + to_seconds(86400 * d + k * 86400 // {each} + user_id % 60)
                        AS recorded_at
                FROM (
                    SELECT 1 + u AS user_id, d, k, 'watch ' || u % 5 AS source,
                        CASE k WHEN 1 THEN 4 WHEN 2 THEN 5 WHEN 3 THEN 6
                        ELSE CASE k % 8 WHEN 6 THEN 2 WHEN 7 THEN 3 ELSE 1 END END AS kind,
                        CASE WHEN k IN (2, 3) THEN 'cuff ' || d END AS reading_id,
                        ['heart_rate', 'oxygen_saturation', 'blood_glucose', 'weight',
                            'blood_pressure_systolic', 'blood_pressure_diastolic'][kind] AS metric,
                        [60.0, 95.0, 100.0, 70.0, 120.0, 80.0][kind] AS start_value,
                        ['bpm', '%', 'mg/dL', 'kg', 'mmHg', 'mmHg'][kind] AS unit
                    FROM range({days}) a(d), range({people}) b(u), range({each}) c(k)
                )
                ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"""
        )
    return path


def _rewrite_by_day(path: Path, folder: Path) -> None:
    with _duckdb() as connection:
        connection.execute(
            f"COPY (SELECT *, recorded_at::date AS day FROM '{path}') TO '{folder}' (FORMAT parquet, PARTITION_BY day)"
        )


def _finished_rows(warehouse: Warehouse, folder: Path) -> list[Path]:
    """All finished rows as files in PostgreSQL's binary format, one per period."""
    files = []
    for period in Period:
        path = folder / f"{period}.copy"
        with warehouse.transaction() as connection, path.open("wb") as file, _cursor(connection) as cursor:
            cursor.copy_expert(f"COPY bi_health_metric_rows_{period} TO STDOUT (FORMAT binary)", file)
        files.append(path)
    return files


def _read_and_copy(path: Path, files: list[Path], warehouse: Warehouse) -> None:
    """Read the readings once, and copy the finished rows as they are into a table without index."""
    with _duckdb() as connection:
        connection.execute(
            f"SELECT sum(value), max(recorded_at), max(user_id), max(metric) FROM '{path}'"
        ).fetchall()
    with warehouse.transaction() as connection:
        connection.execute(text("CREATE TABLE bare AS SELECT * FROM bi_health_metric_rows LIMIT 0"))
        for file in files:
            with file.open("rb") as rows, _cursor(connection) as cursor:
                cursor.copy_expert("COPY bare FROM STDIN (FORMAT binary)", rows)
    with warehouse.transaction() as connection:
        connection.execute(text("DROP TABLE bare"))


@contextmanager
def _cursor(connection: Connection) -> Iterator[Any]:
    with connection.connection.cursor() as cursor:
        yield cursor


def _add_late_row(landing: Path) -> None:
    late = landing / HEALTH_READINGS.name / "late.csv"
    late.write_text(
        "user_id,metric,value,unit,source,recorded_at\n"
        f"1,heart_rate,91,bpm,watch,{midnight(FIRST_DAY):%Y-%m-%d}T12:34:56Z\n"
    )


def _refresh(pipeline: Pipeline, groups: tuple[str, ...]) -> None:
    for asset in ASSETS:
        if asset.group not in groups:
            continue
        stale = stale_partitions(pipeline, asset)
        if not stale:
            continue
        if asset.partitioned_by is None:
            asset.build(pipeline, None)
            continue
        first, last = (asset.partitioned_by.window(midnight(day)) for day in (stale[0], stale[-1]))
        asset.build(pipeline, Window(first.start, last.end))


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _tell(what: str, readings: int, seconds: float, floor: float) -> None:
    rate = readings / seconds / 1e6
    print(
        f"{what:<10}  {seconds:8.1f} s, {rate:5.2f} M readings a second, {seconds / floor:5.1f} times the floor of {floor:.1f} s"
    )


@contextmanager
def _duckdb() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(config={"memory_limit": "2GB"})
    try:
        yield connection
    finally:
        connection.close()


if __name__ == "__main__":
    main()
