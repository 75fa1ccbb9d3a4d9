"""What is due, and the receipt that it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

from sqlalchemy import Connection

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse import runs
from healthmate_bi_pipeline.warehouse.receipts import DONE, STARTED, Receipt, write_receipts

ACTION = "retention"
"""What the audit log calls it."""

RUN_LOG = "dagster/runs"
"""The log of the orchestrator's runs, which is deleted by who knows it."""


@dataclass(frozen=True)
class Due:
    """Something whose time is over.

    Attributes:
        object: an asset, ``landing/<dataset>``, ``dagster/runs`` …
        privacy: its class.
        first_day: of what is there.
        last_day: the last one whose time is over.
        partitions: partitions, files or runs.
        rows: rows, lines or events.
        bytes: what they take up, indexes apart.
        rule: how long it is kept.
    """

    object: str
    privacy: str
    first_day: date
    last_day: date
    partitions: int
    rows: int
    bytes: int
    rule: str

    @property
    def window(self) -> Window:
        """The days."""
        return Window.of_days(self.first_day, self.last_day)

    @property
    def is_something(self) -> bool:
        """Whether there is anything to delete."""
        return self.partitions > 0 or self.rows > 0 or self.bytes > 0


def note_deletions(
    pipeline: Pipeline, connection: Connection, deleted: Sequence[Due], *, is_done: bool
) -> list[Receipt]:
    """Write receipts and entries of the audit log, in the transaction that deletes, or that begins to."""
    written = [
        Receipt(
            receipt_id=str(uuid4()),
            object=due.object,
            privacy=due.privacy,
            first_day=due.first_day,
            last_day=due.last_day,
            partitions=due.partitions,
            rows=due.rows,
            bytes=due.bytes,
            rule=due.rule,
            outcome=DONE if is_done else STARTED,
            started_at=pipeline.now,
            done_at=pipeline.now if is_done else None,
            actor=pipeline.actor,
            run_id=pipeline.run_id,
        )
        for due in deleted
    ]
    write_receipts(connection, written)
    for receipt in written:
        runs.record_action(
            connection,
            actor=pipeline.actor,
            action=ACTION,
            object=receipt.object,
            window=str(Window.of_days(receipt.first_day, receipt.last_day)),
            rows=receipt.rows,
            outcome="done",
            detail={"receipt_id": receipt.receipt_id, "rule": receipt.rule, "bytes": receipt.bytes},
            now=pipeline.now,
        )
    return written
