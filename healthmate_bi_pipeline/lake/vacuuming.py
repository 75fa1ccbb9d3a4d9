"""Files that no version of a table needs any more: those of replaced partitions, and those of killed writers.

Every refresh replaces what it makes, and Delta keeps what was there, so that whoever reads an earlier version can go on.
After some days nobody does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pyarrow import fs

from healthmate_bi_pipeline.lake.removing import forget
from healthmate_bi_pipeline.lake.store import Lake

if TYPE_CHECKING:
    from deltalake import DeltaTable


@dataclass(frozen=True)
class Freed:
    """What nobody needs any more.

    Attributes:
        table: of which table.
        files: how many files.
        bytes: their size.
    """

    table: str
    files: int
    bytes: int


def vacuum(lake: Lake, name: str, *, keep: timedelta, dry_run: bool) -> Freed:
    """Delete the files that have not been part of a table for some time; what is read and written now is not touched.

    Writers need not wait: a file that one of them has begun is younger than what goes.

    Args:
        lake: where the table lies.
        name: the table.
        keep: how long files stay after they were replaced; longer than anybody reads or writes.
        dry_run: only say what would go.
    """
    table = lake.open(name)
    if table is None:
        return Freed(name, 0, 0)
    filesystem, root = lake.place(name)
    paths = [f"{root}/{unquote(path)}" for path in _vacuum(table, keep, dry_run=True)]
    # The log goes on speaking of files that are gone.
    sizes = [info.size or 0 for info in filesystem.get_file_info(paths) if info.type is fs.FileType.File]
    freed = Freed(name, len(sizes), sum(sizes))
    if sizes and not dry_run:
        _vacuum(table, keep, dry_run=False)
        forget(lake, name)
    return freed


def _vacuum(table: DeltaTable, keep: timedelta, *, dry_run: bool) -> list[str]:
    return table.vacuum(
        retention_hours=int(keep / timedelta(hours=1)),
        dry_run=dry_run,
        enforce_retention_duration=False,
        full=True,  # also what killed writers left, of which no log speaks
    )
