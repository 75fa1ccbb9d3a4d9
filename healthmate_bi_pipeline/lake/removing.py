"""Deleting from the lake so that the bytes are gone: rows, files of earlier versions, what the log says of them.

Whoever deletes holds the lock that the writers of these partitions, or of this table, take.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
from pyarrow import fs

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.lake.store import Lake


@dataclass(frozen=True)
class Held:
    """What a table holds of some partitions."""

    partitions: int = 0
    rows: int = 0
    bytes: int = 0
    first_day: date | None = None
    last_day: date | None = None


def measure_partitions(lake: Lake, name: str, *, partition_by: str, last_day: date) -> Held:
    """The partitions of a table up to a day: how many, and their rows and bytes, from Delta's own statistics."""
    table = lake.open(name)
    if table is None:
        return Held()
    found = [
        action
        for action in pa.table(table.get_add_actions(flatten=True)).to_pylist()
        if (day := action[f"partition.{partition_by}"]) is not None and day <= last_day
    ]
    days = {action[f"partition.{partition_by}"] for action in found}
    return Held(
        partitions=len(days),
        rows=sum(action["num_records"] for action in found),
        bytes=sum(action["size_bytes"] for action in found),
        first_day=min(days, default=None),
        last_day=max(days, default=None),
    )


def remove_partitions(lake: Lake, name: str, *, partition_by: str, window: Window) -> None:
    """Delete the partitions of a window of days, their earlier versions too; may be repeated.

    One commit takes them out of the table; then the folders go, with what killed writers left in them.
    """
    table = lake.open(name)
    if table is None:
        return
    lake.replace_files(name, [], schema=_schema(table.schema()), partition_by=partition_by, window=window)
    filesystem, root = lake.place(name)
    for folder in _folders(filesystem, root):
        label, _, value = folder.rsplit("/", 1)[-1].partition("=")
        if label == partition_by and _is_within(value, window):
            lake.before_commit()  # what another writer has put there is not ours to delete
            filesystem.delete_dir(folder)
    forget(lake, name)


def remove_rows(lake: Lake, name: str, predicate: str) -> int:
    """Delete rows wherever they lie; how many there were.

    Nobody else may write to the table meanwhile: files that no version needs any more are taken away at once.

    Args:
        lake: where the table lies.
        name: the table.
        predicate: which rows, in Delta's terms.
    """
    table = lake.open(name)
    if table is None:
        return 0
    lake.before_commit()
    deleted = int(table.delete(predicate)["num_deleted_rows"] or 0)
    lake.before_commit()
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    forget(lake, name)
    return deleted


def forget(lake: Lake, name: str) -> None:
    """Let go of what the log said of files that are gone (extremes of their columns), as far as it is old."""
    table = lake.open(name)
    assert table is not None  # noqa: S101 - it was there a moment ago
    table.create_checkpoint()
    table.cleanup_metadata()


def _folders(filesystem: fs.FileSystem, root: str) -> Iterator[str]:
    for info in filesystem.get_file_info(fs.FileSelector(root, allow_not_found=True)):
        if info.type is fs.FileType.Directory:
            yield info.path


def _is_within(value: str, window: Window) -> bool:
    return str(window.first_day) <= value <= str(window.last_day)


def _schema(schema: object) -> pa.Schema:
    return pa.schema(schema.to_arrow())  # type: ignore[attr-defined]
