"""Small exports, written by the tests."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from healthmate_bi_pipeline.sources.fitbit import import_fitbit
from healthmate_bi_pipeline.sources.imports import ImportResult

DAILY = "Id,ActivityDate,TotalSteps,TotalDistance,VeryActiveMinutes,FairlyActiveMinutes,Calories"
STEPS = "Id,ActivityHour,StepTotal"
CALORIES = "Id,ActivityHour,Calories"
INTENSITIES = "Id,ActivityHour,TotalIntensity,AverageIntensity"
SLEEP = "Id,SleepDay,TotalSleepRecords,TotalMinutesAsleep,TotalTimeInBed"
MINUTES = "Id,date,value,logId"
WEIGHT = "Id,Date,WeightKg,WeightPounds,Fat,BMI,IsManualReport,LogId"
HEART = "Id,Time,Value"


def write(path: Path, header: str, lines: Iterable[str]) -> Path:
    """Write a file of an export."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


def imported(folder: Path, landing: Path, time_zone: str = "Europe/Berlin") -> ImportResult:
    """Import an export."""
    return import_fitbit(folder, time_zone=time_zone, landing=landing)


def rows_of(result: ImportResult, dataset: str) -> list[dict[str, object]]:
    """The rows of a dataset's landing files, without nulls, by origin."""
    files = [path for path in result.files if path.parent.name == dataset and path.suffix == ".parquet"]
    rows = [row for path in files for row in pa.parquet.read_table(path).to_pylist()]
    return sorted(
        ({name: value for name, value in row.items() if value is not None} for row in rows),
        key=lambda row: str(row["origin"]),
    )


def rejected_of(result: ImportResult, dataset: str) -> list[dict[str, str]]:
    """The rejected rows of a dataset, without empty cells, by origin."""
    files = [path for path in result.files if path.parent.name == dataset and path.suffix == ".csv"]
    rows = [row for path in files for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))]
    return sorted(
        ({name: value for name, value in row.items() if value} for row in rows), key=lambda row: row["origin"]
    )


def frame_of(result: ImportResult, dataset: str) -> pd.DataFrame:
    """The rows of a dataset's landing files."""
    files = [path for path in result.files if path.parent.name == dataset and path.suffix == ".parquet"]
    return pd.concat([pd.read_parquet(path) for path in files], ignore_index=True)
