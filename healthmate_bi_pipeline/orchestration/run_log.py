"""Dagster's log of runs: old runs are deleted with their events, but for those that tell the newest state.

A partition is shown as made for as long as the event that says so is there. So a run stays while it holds the last
such event of anything that is still there.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg

from healthmate_bi_pipeline.catalog.columns import PrivacyClass
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.retention.due import RUN_LOG, Due, note_deletions
from healthmate_bi_pipeline.warehouse import receipts
from healthmate_bi_pipeline.warehouse.dagster_log import measure_log
from healthmate_bi_pipeline.warehouse.removing import removed_partitions

_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_AT_ONCE = 500


@dataclass(frozen=True)
class OldRuns:
    """Runs whose time is over, and what they come to."""

    run_ids: tuple[str, ...]
    due: Due


def find_old_runs(pipeline: Pipeline, instance: dg.DagsterInstance) -> OldRuns | None:
    """The runs whose time is over, if there are any."""
    keeping = pipeline.retention.runs
    if keeping is None:
        return None
    last = keeping.cut(pipeline.utc_now.date()) - timedelta(days=1)
    old = _runs_up_to(pipeline, instance, last)
    if not old:
        return None
    size = measure_log(pipeline.settings, list(old))
    due = Due(
        object=RUN_LOG,
        privacy=str(PrivacyClass.AGGREGATE),
        first_day=min(old.values()),
        last_day=last,
        partitions=len(old),
        rows=size.events,
        bytes=size.bytes,
        rule=f"runs {keeping}",
    )
    return OldRuns(tuple(old), due)


def delete_old_runs(pipeline: Pipeline, instance: dg.DagsterInstance) -> list[Due]:
    """Delete them, and what is left of those whose deletion was begun."""
    with pipeline.warehouse.transaction() as connection:
        begun = [one for one in receipts.unfinished_receipts(connection) if one.object == RUN_LOG]
    for receipt in begun:
        _delete(pipeline, instance, receipt, tuple(_runs_up_to(pipeline, instance, receipt.last_day)))
    found = find_old_runs(pipeline, instance)
    if found is None:
        return []
    with pipeline.warehouse.transaction() as connection:
        (receipt,) = note_deletions(pipeline, connection, [found.due], is_done=False)
    _delete(pipeline, instance, receipt, found.run_ids)
    return [found.due]


def _delete(
    pipeline: Pipeline, instance: dg.DagsterInstance, receipt: receipts.Receipt, run_ids: tuple[str, ...]
) -> None:
    for run_id in run_ids:
        instance.delete_run(run_id)
    with pipeline.warehouse.transaction() as connection:
        receipts.finish_receipt(connection, receipt, now=pipeline.now)


def _runs_up_to(pipeline: Pipeline, instance: dg.DagsterInstance, last: date) -> dict[str, date]:
    """The finished runs of days up to one that do not tell the newest state of anything, with their days."""
    before = datetime.combine(last + timedelta(days=1), time(), UTC)
    finished = dg.RunsFilter(statuses=_FINISHED, created_before=before)
    records: list[dg.RunRecord] = []
    while True:
        cursor = records[-1].dagster_run.run_id if records else None
        page = instance.get_run_records(finished, limit=_AT_ONCE, cursor=cursor)
        records += page
        if len(page) < _AT_ONCE:
            break
    if not records:
        return {}
    newest = _newest_events(pipeline, instance)
    return {
        record.dagster_run.run_id: record.create_timestamp.astimezone(UTC).date()
        for record in records
        if newest.isdisjoint(_materializations(instance, record.dagster_run.run_id))
    }


def _newest_events(pipeline: Pipeline, instance: dg.DagsterInstance) -> set[int]:
    """The last event of every partition that is still there, and of what has no partitions."""
    found: set[int] = set()
    for key in instance.get_asset_keys():
        by_partition = instance.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        with pipeline.warehouse.transaction() as connection:
            gone = {str(day) for day in removed_partitions(connection, "/".join(key.path))}
        found |= {event for partition, event in by_partition.items() if partition not in gone}
        last = instance.fetch_materializations(key, limit=1).records
        found |= {record.storage_id for record in last if record.partition_key is None}
    return found


def _materializations(instance: dg.DagsterInstance, run_id: str) -> set[int]:
    found: set[int] = set()
    cursor = None
    while True:
        page = instance.get_records_for_run(
            run_id, cursor=cursor, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION, limit=_AT_ONCE
        )
        found |= {record.storage_id for record in page.records}
        if not page.has_more:
            return found
        cursor = page.cursor
