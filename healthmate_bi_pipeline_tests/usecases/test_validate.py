"""Validate says beforehand what ingest and conform say afterwards, and touches nothing."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from healthmate_bi_pipeline.catalog.datasets import SYMPTOM_LOGS
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import no_progress
from healthmate_bi_pipeline.usecases.validate import FileVerdict, validate_files
from healthmate_bi_pipeline_tests.accounts import INGEST
from healthmate_bi_pipeline_tests.running import csv_text, opened, refresh

NOW = datetime(2026, 3, 20, 12)
SECRET = "Zaphod7531"


def validated(*paths: Path, dataset: str | None = None) -> list[FileVerdict]:
    settings = Settings(home=Path("never-made"))
    verdicts = list(validate_files(paths, dataset=dataset, settings=settings, now=NOW, progress=no_progress))
    assert not Path("never-made").exists()
    return verdicts


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def reading(metric: str, value: Any, unit: str | None, day: str, **more: Any) -> dict[str, Any]:
    return {
        "user_id": 1, "metric": metric, "value": value, "unit": unit, "recorded_at": f"2026-{day}T10:00:00Z",
        "source": "app", "reading_id": None,
    } | more  # fmt: skip


FILES: dict[str, Sequence[dict[str, Any]]] = {
    "health_readings/mixed.csv": [
        reading("weight", 70, "kg", "02-01"),
        reading("weight", 154, "kg", "03-02"),  # pounds, by the month before in the file itself
        reading("weight", 70, None, "03-03"),
        reading("weight", SECRET, "kg", "03-04"),
        reading("body_temperature", 98.6, "°C", "03-04"),
        reading("blood_pressure_systolic", 80, "mmHg", "03-05"),
        reading("blood_pressure_diastolic", 120, "mmHg", "03-05"),
        reading("blood_pressure_systolic", 120, "mmHg", "03-06"),
        reading("heart_rate", 60, "bpm", "03-06", recorded_at=SECRET),
        reading("heart_rate", 60, "bpm", "03-06", recorded_at="2027-03-01T10:00:00Z"),
        reading("heart_rate", 1000, "bpm", "03-07"),
        reading("heart_rate", 1001, "bpm", "03-08"),
    ],
    "activity_intervals/steps.csv": [
        {"user_id": 1, "source": "watch", "started_at": f"2026-03-01T{hour}:00:00Z", "ended_at": f"2026-03-01T{hour + 1}:00:00Z", "steps": 60_000}
        for hour in (10, 11)
    ],
    "symptom_logs/s.csv": [
        {"user_id": 1, "symptom": "cough", "severity": severity, "recorded_at": f"2026-03-01T1{severity % 10}:00:00Z"}
        for severity in (1, 11, 2)
    ],
    "users/u.csv": [{"user_id": 1, "time_zone": "Mars/Base"}, {"user_id": 2, "birth_year": 2030}, {"user_id": 3}],
}  # fmt: skip


def test_it_says_what_a_run_says(settings):
    paths = [written(settings.landing_path, name, csv_text(rows)) for name, rows in FILES.items()]
    verdicts = validated(*paths)
    with opened(settings, now=NOW) as pipeline:
        made = refresh(pipeline, groups=(*INGEST, "baselines", "state"))
    said = sorted(line for built in made.values() for line in built.messages)
    assert sorted(line for verdict in verdicts for line in verdict.messages) == said
    assert not any(SECRET in line for line in said)
    assert {(v.dataset, v.lines, v.rows, v.good) for v in verdicts} == {
        ("health_readings", 12, 12, 2), ("activity_intervals", 2, 2, 0), ("symptom_logs", 3, 3, 2), ("users", 3, 3, 1),
    }  # fmt: skip
    assert [line.split(": ")[1:3] for line in sorted(verdicts[0].messages)] == [
        ["record 10", "in_the_future:recorded_at"],
        ["record 11 and 1 more", "impossible_value:value"],
        ["record 2 and 1 more", "suspected_unit:value"],
        ["record 3", "missing_unit:unit"],
        ["record 4", "wrong_type:value"],
        ["record 6 and 1 more", "suspected_swap:value"],
        ["record 9", "undated:recorded_at"],
    ]


def test_repeated_and_deleted_rows_are_good(tmp_path):
    row = reading("heart_rate", 60, "bpm", "03-01")
    rows = [row, row, row | {"value": 61}, row | {"value": None, "is_deleted": "true"}]
    (verdict,) = validated(written(tmp_path, "health_readings.csv", csv_text(rows)))
    assert (verdict.rows, verdict.good, verdict.is_good) == (4, 4, True)


DOSE = {"user_id": 1, "medication": "x", "scheduled_at": "2026-03-01 08:00"}
TOLD: list[tuple[str, bytes, str]] = [
    ("landing/medication_doses/deeper/a.csv", csv_text([DOSE]).encode(), "medication_doses"),
    ("Medication_doses-2026.csv", csv_text([DOSE]).encode(), "medication_doses"),
    ("a.csv", csv_text([DOSE]).encode(), "medication_doses"),
    ("a.csv", csv_text([DOSE]).replace(",", ";").encode(), "medication_doses"),
    ("a.csv.gz", gzip.compress(csv_text([DOSE]).encode(), mtime=0), "medication_doses"),
    ("a.ndjson", (json.dumps(DOSE) + "\n").encode(), "medication_doses"),
    ("a.csv", csv_text([{"user_id": 1, "symptom": "x", "recorded_at": "2026-03-01"}]).encode(), "symptom_logs"),
    ("a.csv", csv_text([reading("weight", 70, "kg", "03-01")]).encode(), "health_readings"),
    ("a.csv", csv_text([{"user_id": 1, "time_zone": "UTC"}]).encode(), "users"),
    ("a.csv", csv_text([{"user_id": 1, "night_on": "2026-03-01", "asleep_minutes": 400}]).encode(), "sleep_sessions"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "dataset"), TOLD)
def test_folder_name_or_columns_tell_the_dataset(tmp_path, name, content, dataset):
    (verdict,) = validated(written(tmp_path, name, content))
    assert (verdict.dataset, verdict.rows, verdict.messages) == (dataset, 1, ())


def test_columns_of_parquet_tell_the_dataset(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist([DOSE]), path)
    (verdict,) = validated(path)
    assert (verdict.dataset, verdict.good) == ("medication_doses", 1)


def test_columns_that_a_file_lacks_and_columns_that_nobody_reads_are_noted(tmp_path):
    night = {
        "user_id": 1, "started_at": "2026-03-01 22:00", "ended_at": "2026-03-02 06:00", "asleep_minutes": 400,
        "source": "watch", "Updated_At": None, "utc_offset_minutes": 60, "is_deleted": None, "origin": None,
        "is_nap": "false", "inbed_minutes": 480, SECRET: 1,
    }  # fmt: skip
    (verdict,) = validated(written(tmp_path, "sleep_sessions/s.csv", csv_text([night])))
    assert (verdict.is_good, verdict.notes) == (
        True,
        (
            "It has none of the optional columns night_on, in_bed_minutes.",
            "Nobody reads its columns ? (a name that is not kept), inbed_minutes (in_bed_minutes?).",
        ),
    )
    (whole,) = validated(
        written(tmp_path, "symptom_logs/s.csv", csv_text([
            dict.fromkeys([field.name for field in SYMPTOM_LOGS.fields])
            | {"user_id": 1, "symptom": "x", "recorded_at": "2026-03-01"}
        ]))
    )  # fmt: skip
    assert (whole.is_good, whole.notes) == (True, ())


def test_what_cannot_be_used_is_said_and_the_others_go_on(tmp_path):
    verdicts = validated(
        written(tmp_path, "who.csv", "user_id,source\n1,x\n"),
        written(tmp_path, "health_readings/b.csv", "user_id,metric\n1,weight\n"),
        written(tmp_path, "health_readings/c.csv.gz", gzip.compress(b"user_id,metric\n" * 99)[:-9]),
        written(tmp_path, "d.xlsx", b"PK"),
        written(tmp_path, "symptom_logs.csv", "user_id,symptom,recorded_at\n1,x,2026-03-01\n"),
    )
    assert [verdict.is_good for verdict in verdicts] == [False] * 4 + [True]
    assert [verdict.dataset for verdict in verdicts[:4]] == [None] * 4
    said = [verdict.messages[0] for verdict in verdicts[:4]]
    assert "--dataset" in said[0]
    assert said[1].startswith("health_readings/b.csv: missing_column: value, recorded_at")
    assert "damaged or cut off" in said[2]
    assert "expected .parquet, .csv or .ndjson" in said[3]
    (named,) = validated(tmp_path / "who.csv", dataset="users")
    assert (named.dataset, named.good) == ("users", 1)
    with pytest.raises(UsageError, match="There is no dataset nothing"):
        validated(tmp_path / "who.csv", dataset="nothing")
