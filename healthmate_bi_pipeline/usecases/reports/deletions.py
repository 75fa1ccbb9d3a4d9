"""What the report on compliance says of retention: receipts of the period, and what should have had one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.columns import PrivacyClass
from healthmate_bi_pipeline.domain.period import Window, midnight
from healthmate_bi_pipeline.reporting.compliance.inputs import Deletions, PastItsTime, Retention
from healthmate_bi_pipeline.usecases.keeping import horizon
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline
from healthmate_bi_pipeline.usecases.versions import booked_as
from healthmate_bi_pipeline.warehouse import books, receipts

_A_NIGHT = timedelta(days=1)
"""What is past its time at midnight is deleted in the night that follows."""


def gather_retention(
    pipeline: Pipeline, connection: Connection, window: Window, *, until: datetime, reference: datetime
) -> Retention:
    """What was deleted in a window, and what was still to be deleted at its end.

    Args:
        pipeline: whose settings hold.
        connection: to the warehouse.
        window: the period.
        until: up to when deletions are counted, naive UTC.
        reference: what is past its time is judged at.
    """
    by_object: dict[str, list[receipts.Receipt]] = defaultdict(list)
    for receipt in receipts.receipts_between(connection, window.start, min(window.end, until)):
        by_object[receipt.object].append(receipt)
    deletions = [
        Deletions(
            object=name,
            is_about_people=own[-1].privacy != str(PrivacyClass.AGGREGATE),
            partitions=sum(receipt.partitions for receipt in own),
            rows=sum(receipt.rows for receipt in own),
            last_day=max(receipt.last_day for receipt in own),
            rule=own[-1].rule,
            unfinished=sum(receipt.outcome == receipts.STARTED for receipt in own),
        )
        for name, own in sorted(by_object.items())
    ]
    is_enabled = pipeline.retention.is_enabled
    late = _past_their_time(pipeline, connection, reference) if is_enabled else []
    return Retention(is_enabled, deletions, late)


def _past_their_time(pipeline: Pipeline, connection: Connection, reference: datetime) -> list[PastItsTime]:
    # The graph is made from the recipes of the reports, of which one reads this.
    from healthmate_bi_pipeline.usecases.graph import ASSETS  # noqa: PLC0415

    then = reference.replace(tzinfo=UTC)
    night_before = replace(pipeline, now=then - _A_NIGHT)
    found = []
    for asset in ASSETS:
        first = horizon(night_before, asset)
        if first is None:
            continue
        before = Window(midnight(UNPARTITIONED), midnight(first))
        records = books.partition_records(connection, booked_as(pipeline, asset), window=before)
        held = [
            day
            for day, record in records.items()
            if record.rows
            and record.refreshed_at <= then - _A_NIGHT
            and (record.removed_at is None or record.removed_at > then)
        ]
        if held:
            found.append(PastItsTime(asset.name, len(held), min(held)))
    return found
