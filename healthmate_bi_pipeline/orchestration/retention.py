"""Retention over all that the pipeline keeps, Dagster's own log too: what the command and the job both do."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime

import dagster as dg

from healthmate_bi_pipeline.orchestration.run_log import delete_old_runs, find_old_runs
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.retention.deleting import Deleted, delete_due, find_due


def apply_retention(
    settings: Settings,
    *,
    dry_run: bool,
    instance: dg.DagsterInstance | None = None,
    run_id: str | None = None,
    now: datetime | None = None,
) -> Deleted:
    """Delete everything whose time is over.

    Args:
        settings: the configuration.
        dry_run: only say what would be deleted, also while retention is off.
        instance: whose log; by default that of ``DAGSTER_HOME``.
        run_id: the run that it belongs to.
        now: the instant that counts as now.

    Raises:
        UsageError: retention is off.
    """
    with Pipeline.open(settings, now=now) as opened:
        pipeline = replace(opened, run_id=run_id) if run_id else opened
        done = find_due(pipeline) if dry_run else delete_due(pipeline)
        with nullcontext(instance) if instance is not None else dg.DagsterInstance.get() as log:
            if dry_run:
                old = find_old_runs(pipeline, log)
                done.things.extend([old.due] if old is not None else [])
            else:
                done.things.extend(delete_old_runs(pipeline, log))
        return done
