"""Receipts: what was deleted because its time was over, by whom and by which rule.

What lies in one database is deleted with its receipt. Of all else the receipt is written first (``started``), and
finished when nothing is left: whoever finds one that was not finished goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from healthmate_bi_pipeline.catalog.tables import RETENTION_RECEIPTS
from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.warehouse.schema import SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

_RECEIPTS = SQL_TABLES[RETENTION_RECEIPTS.name]

STARTED, DONE = "started", "done"


@dataclass(frozen=True)
class Receipt:
    """A row of ``bi_retention_receipts``."""

    receipt_id: str
    object: str
    privacy: str
    first_day: date
    last_day: date
    partitions: int
    rows: int
    bytes: int
    rule: str
    outcome: str
    started_at: datetime
    done_at: datetime | None
    actor: str
    run_id: str


@dataclass(frozen=True)
class Deletions:
    """Receipts added up: how many, and what of."""

    receipts: int
    rows: int
    bytes: int
    last_at: datetime | None
    unfinished: int


def write_receipts(connection: Connection, receipts: Sequence[Receipt]) -> None:
    """Enter receipts, in the transaction that makes them true."""
    if receipts:
        connection.execute(sa.insert(_RECEIPTS), [asdict(receipt) for receipt in receipts])


def finish_receipt(connection: Connection, receipt: Receipt, *, now: datetime) -> None:
    """Note that nothing is left of what a receipt is about.

    Raises:
        IntegrityError: there is no such receipt that was started.
    """
    finished = (
        sa.update(_RECEIPTS)
        .where(_RECEIPTS.c.receipt_id == receipt.receipt_id, _RECEIPTS.c.outcome == STARTED)
        .values(outcome=DONE, done_at=now)
    )
    if connection.execute(finished).rowcount != 1:
        raise IntegrityError(f"The receipt for {receipt.object} {receipt.last_day} was never started.")


def unfinished_receipts(connection: Connection) -> list[Receipt]:
    """Those whose deletion was begun and not finished, the oldest first."""
    return _read(connection, _RECEIPTS.c.outcome == STARTED)


def receipts_between(connection: Connection, start: datetime, end: datetime) -> list[Receipt]:
    """Those that were begun from ``start`` to before ``end``, naive UTC, in order."""
    began = sa.func.timezone("UTC", _RECEIPTS.c.started_at)
    return _read(connection, began >= start, began < end)


def last_deleted_day(connection: Connection, object_: str) -> date | None:
    """The last day up to which something was deleted."""
    found: date | None = connection.scalar(
        sa.select(sa.func.max(_RECEIPTS.c.last_day)).where(_RECEIPTS.c.object == object_)
    )
    return found


def deleted_rows(connection: Connection, object_: str) -> int:
    """How many rows of something were ever deleted."""
    added = sa.select(sa.func.coalesce(sa.func.sum(_RECEIPTS.c.rows), 0)).where(_RECEIPTS.c.object == object_)
    return int(connection.scalar(added) or 0)


def all_deletions(connection: Connection) -> Deletions:
    """All receipts, added up."""
    added = sa.select(
        sa.func.count().label("receipts"),
        *(
            sa.func.coalesce(sa.func.sum(_RECEIPTS.c[name]), 0).cast(sa.BigInteger()).label(name)
            for name in ("rows", "bytes")
        ),
        sa.func.max(_RECEIPTS.c.started_at).label("last_at"),
        sa.func.count().filter(_RECEIPTS.c.outcome == STARTED).label("unfinished"),
    )
    return Deletions(**connection.execute(added).mappings().one())


def _read(connection: Connection, *conditions: sa.ColumnElement[bool]) -> list[Receipt]:
    found = (
        sa.select(_RECEIPTS)
        .where(*conditions)
        .order_by(_RECEIPTS.c.started_at, _RECEIPTS.c.object.collate("C"), _RECEIPTS.c.last_day)
    )
    return [Receipt(**row) for row in connection.execute(found).mappings()]
