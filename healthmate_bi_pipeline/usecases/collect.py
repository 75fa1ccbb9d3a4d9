"""Collect: files for the landing folder, from the demo and from foreign formats.

What is written here is read by ``ingest`` like any other file. People of other systems are entered with the
numbers that they go by here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from healthmate_bi_pipeline.errors import HealthMateError
from healthmate_bi_pipeline.sources.demo import DemoResult, write_demo
from healthmate_bi_pipeline.sources.fitbit import import_fitbit
from healthmate_bi_pipeline.sources.imports import ImportResult
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse import books, runs

FITBIT = "fitbit"


def make_demo(
    pipeline: Pipeline, *, people: int, first_day: date, last_day: date, seed: int, detail: float = 1.0
) -> DemoResult:
    """Write the landing files of a synthetic population; those of an earlier demo are replaced.

    Raises:
        UsageError: there are no people or no days, or the seed or the detail is out of range.
    """
    made = write_demo(
        pipeline.settings.landing_path,
        first_day=first_day,
        last_day=last_day,
        people=people,
        seed=seed,
        detail=detail,
        progress=pipeline.progress,
    )
    rows = sum(counts.rows for counts in made.counts.values())
    enter(pipeline, "demo", {"people": people, "seed": seed, "files": len(made.files)}, rows)
    return made


def import_fitbit_export(pipeline: Pipeline, folder: Path, *, time_zone: str) -> ImportResult:
    """Turn a folder of Fitbit exports into landing files, and enter its people.

    Raises:
        UsageError: the folder or the zone does not exist, or nothing in the folder is an export.
        IntegrityError: a number of one of its people is another person's.
    """
    result = import_fitbit(
        folder,
        time_zone=time_zone,
        landing=pipeline.settings.landing_path,
        progress=pipeline.progress,
    )
    try:
        with pipeline.warehouse.transaction() as connection:
            new = books.register_identities(connection, FITBIT, result.identities, now=pipeline.now)
    except HealthMateError:
        for file in result.files:  # rows of people whom nobody could name again must not be read
            file.unlink(missing_ok=True)
        raise
    detail = {"files": len(result.inputs), "people": result.identities.num_rows, "new people": new}
    enter(pipeline, "import", {**detail, "format": FITBIT}, sum(result.rows.values()))
    return result


def enter(pipeline: Pipeline, action: str, detail: Mapping[str, Any], rows: int) -> None:
    """Enter into the audit log that files were put into the landing folder."""
    with pipeline.warehouse.transaction() as connection:
        runs.record_action(
            connection,
            actor=pipeline.actor,
            action=action,
            object="landing",
            window=None,
            rows=rows,
            outcome="done",
            detail=detail,
            now=pipeline.now,
        )
