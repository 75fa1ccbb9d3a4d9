"""The landing files of a benchmark: readings of people with a watch, a cuff and a scale, made by DuckDB."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from healthmate_bi_pipeline.catalog.datasets import HEALTH_READINGS, USERS
from healthmate_bi_pipeline.domain.period import midnight


@dataclass(frozen=True)
class Size:
    """How much there is: about so many readings, of so many people, over so many days from the first."""

    readings: int
    people: int
    days: int
    first_day: date = date(2025, 1, 1)

    @property
    def of_a_day(self) -> int:
        """Readings of a person and day."""
        return max(4, self.readings // (self.people * self.days))

    def __str__(self) -> str:
        made = self.of_a_day * self.people * self.days
        return f"{made / 1e6:.1f} M readings of {self.people:,} people over {self.days:,} days"


def write_landing(landing: Path, size: Size) -> Path:
    """Write the files of readings and people; the path of the readings.

    A day is mostly heart rate, every few minutes, with some oxygen saturation and glucose, a weight and a
    numbered blood pressure. One row of 200 comes twice and one of 1,000 is impossible. Values and times differ
    as real ones do (by a hash, so that the files are the same every time): a pattern that repeats would compress
    to next to nothing, and reading it would cost nothing.
    """
    path = landing / HEALTH_READINGS.name / "readings.parquet"
    path.parent.mkdir(parents=True)
    (landing / USERS.name).mkdir()
    with connected() as connection:
        connection.execute(
            f"""COPY (SELECT 1 + i AS user_id, 165.0 + i % 20 AS height_cm,
                ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata'][1 + i % 3] AS time_zone
                FROM range({size.people}) t(i)) TO '{landing / USERS.name / "users.parquet"}' (FORMAT parquet)"""
        )
        connection.execute(
            f"""COPY (
                SELECT user_id, reading_id, metric,
                    CASE WHEN (user_id + 31 * k + 7 * d) % 1000 = 0 THEN 100000.0
                        ELSE usual + round(spread * (hash(user_id, d, k) % 1000 + hash(k, d, user_id) % 1000) / 2000,
                            CASE metric WHEN 'weight' THEN 1 ELSE 0 END) END AS value,
                    unit, source, timestamptz '{size.first_day} 00:00:00+00'
                        + to_seconds((86400 * d + (k * 86400 + hash(d, user_id, k) % 86400) // {size.of_a_day})::BIGINT)
                        AS recorded_at
                FROM (
                    SELECT 1 + u AS user_id, d, k, 'watch ' || u % 5 AS source,
                        CASE k WHEN 1 THEN 4 WHEN 2 THEN 5 WHEN 3 THEN 6
                            ELSE CASE k % 8 WHEN 6 THEN 2 WHEN 7 THEN 3 ELSE 1 END END AS kind,
                        CASE WHEN k IN (2, 3) THEN 'cuff ' || d END AS reading_id,
                        ['heart_rate', 'oxygen_saturation', 'blood_glucose', 'weight',
                            'blood_pressure_systolic', 'blood_pressure_diastolic'][kind] AS metric,
                        [60.0, 95.0, 80.0, 70.0, 110.0, 70.0][kind] AS usual,
                        [40.0, 4.0, 80.0, 2.0, 40.0, 25.0][kind] AS spread,
                        ['bpm', '%', 'mg/dL', 'kg', 'mmHg', 'mmHg'][kind] AS unit
                    FROM range({size.days}) a(d), range({size.people}) b(u), range({size.of_a_day}) c(k)
                ), range(CASE WHEN (user_id + 3 * d + 17 * k) % 200 = 0 THEN 2 ELSE 1 END)
                ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"""
        )
    return path


def add_late_row(landing: Path, size: Size) -> None:
    """Write a file with one row for the first day."""
    late = landing / HEALTH_READINGS.name / "late.csv"
    late.write_text(
        "user_id,metric,value,unit,source,recorded_at\n"
        f"1,heart_rate,91,bpm,watch,{midnight(size.first_day):%Y-%m-%d}T12:34:56Z\n"
    )


@contextmanager
def connected() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with the memory that the pipeline has."""
    with tempfile.TemporaryDirectory() as scratch:
        # Unordered, else what is written is kept until all before it is.
        limits = {"memory_limit": "2GB", "temp_directory": scratch, "preserve_insertion_order": "false"}
        connection = duckdb.connect(config=limits)
        connection.execute("SET enable_progress_bar = false")
        try:
            yield connection
        finally:
            connection.close()
