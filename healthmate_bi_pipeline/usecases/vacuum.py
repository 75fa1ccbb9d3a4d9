"""Vacuum: take the files out of the lake that no table needs any more."""

from __future__ import annotations

from datetime import UTC, datetime

from healthmate_bi_pipeline.lake.vacuuming import Freed, vacuum
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse import runs


def vacuum_lake(pipeline: Pipeline, *, dry_run: bool) -> list[Freed]:
    """Delete what was replaced longer than ``vacuum.keep_days`` ago, and what killed writers left; by table.

    Counted by the clock of the file system and not by ``now``: it is about who may still be reading.

    Args:
        pipeline: for whom.
        dry_run: only say what would go.
    """
    freed: list[Freed] = []
    names = pipeline.lake.tables()
    for number, name in enumerate(names):
        of_table = vacuum(pipeline.lake, name, keep=pipeline.settings.vacuum.kept_for, dry_run=dry_run)
        pipeline.progress("vacuum", (number + 1) / len(names))
        if not of_table.files:
            continue
        freed.append(of_table)
        if dry_run:
            continue
        with pipeline.warehouse.transaction() as connection:
            runs.record_action(
                connection,
                actor=pipeline.actor,
                action="vacuum",
                object=name,
                window=None,
                rows=None,
                outcome="done",
                detail={"files": of_table.files, "bytes": of_table.bytes, "run_id": pipeline.run_id},
                now=datetime.now(UTC),
            )
    return freed
