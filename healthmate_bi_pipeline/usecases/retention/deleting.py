"""The way in: what is due, and deleting it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from healthmate_bi_pipeline.errors import BusyError, UsageError
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.retention.due import ACTION, RUN_LOG, Due
from healthmate_bi_pipeline.usecases.retention.figures import delete_figures, find_figures
from healthmate_bi_pipeline.usecases.retention.lake_rows import (
    delete_lake_rows,
    find_lake_rows,
    finish_lake_rows,
    is_of_lake,
)
from healthmate_bi_pipeline.usecases.retention.reports import delete_reports, find_reports, finish_reports
from healthmate_bi_pipeline.warehouse import receipts


@dataclass
class Deleted:
    """What was deleted, or what would be.

    Attributes:
        things: each with what it held.
        finished: receipts of an earlier run that had been begun.
        messages: what has to wait, and why.
    """

    things: list[Due] = field(default_factory=list)
    finished: list[receipts.Receipt] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows of all of them."""
        return sum(due.rows for due in self.things)

    @property
    def bytes(self) -> int:
        """Bytes of all of them."""
        return sum(due.bytes for due in self.things)


def find_due(pipeline: Pipeline) -> Deleted:
    """What would be deleted now; nothing is changed."""
    found = Deleted(things=[*find_figures(pipeline), *find_reports(pipeline)])
    for due in find_lake_rows(pipeline):
        if isinstance(due, str):
            found.messages.append(due)
        else:
            found.things.extend(due)
    with pipeline.warehouse.transaction() as connection:
        found.finished = receipts.unfinished_receipts(connection)
    return found


def delete_due(pipeline: Pipeline) -> Deleted:
    """Delete everything whose time is over, and finish what an earlier run had begun.

    Finished figures first, then reports, then what they were made from. What another run works on is left for the next
    time.

    Raises:
        UsageError: retention is off.
    """
    refuse_when_off(pipeline)
    deleted = Deleted()
    with pipeline.recorded(ACTION, None) as tally:
        with pipeline.warehouse.transaction() as connection:
            begun = receipts.unfinished_receipts(connection)
        for receipt in begun:
            if receipt.object == RUN_LOG:
                continue
            finish = finish_lake_rows if is_of_lake(receipt.object) else finish_reports
            with _unless_busy(deleted, receipt.object):
                finish(pipeline, receipt)
                deleted.finished.append(receipt)
        for due in find_figures(pipeline):
            with _unless_busy(deleted, due.object):
                deleted.things += delete_figures(pipeline, due)
        for due in find_reports(pipeline):
            with _unless_busy(deleted, due.object):
                deleted.things += delete_reports(pipeline, due)
        for rows in find_lake_rows(pipeline):
            if isinstance(rows, str):
                deleted.messages.append(rows)
                continue
            with _unless_busy(deleted, rows[0].object):
                deleted.things += delete_lake_rows(pipeline, rows)
        tally.rows = deleted.rows
    return deleted


def refuse_when_off(pipeline: Pipeline) -> None:
    """Say that nothing is deleted unless somebody wants it.

    Raises:
        UsageError: retention is off.
    """
    if not pipeline.retention.is_enabled:
        raise UsageError(
            "Retention is off, so nothing was deleted. `healthmate-bi retention --dry-run` shows what would go; set"
            " retention.enabled = true (HEALTHMATE_RETENTION__ENABLED=true) when that is what you want."
        )


@contextmanager
def _unless_busy(deleted: Deleted, name: str) -> Iterator[None]:
    """Leave what another run works on for the next time."""
    try:
        yield
    except BusyError as error:
        deleted.messages.append(f"{name}: left for the next time. {error}")
