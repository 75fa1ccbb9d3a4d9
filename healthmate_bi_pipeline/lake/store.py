"""The lake's Delta tables: append, replace whole partitions, name the files of a stretch of days.

A commit is whole or not there. Nothing is computed here: rows come as an Arrow stream and are read again as
files by the engine.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions
from pyarrow import fs

from healthmate_bi_pipeline.catalog.columns import Column, Type
from healthmate_bi_pipeline.domain.period import Window, midnight
from healthmate_bi_pipeline.errors import (
    HealthMateError,
    IntegrityError,
    TransientError,
    UsageError,
    disk_full,
    is_disk_full,
    telling_full_disk,
)

_UNUSABLE = re.compile(r"[][|^]|%[0-9A-Fa-f]{2}")

_ATTEMPTS = 20  # commits of other days that may come between reading a table's version and writing the next

_FILLING = CommitProperties(app_transactions=[Transaction("filling empty partitions", 1)])
"""Of two that fill empty partitions at once one fails and looks again: they may be the same partitions."""

ARROW_TYPES: dict[Type, Any] = {
    Type.INTEGER: pa.int64(),
    Type.NUMBER: pa.float64(),
    Type.EXACT: pa.decimal128(38, 6),
    Type.TEXT: pa.string(),
    Type.TEXT_LIST: pa.list_(pa.string()),
    Type.BOOLEAN: pa.bool_(),
    Type.DATE: pa.date32(),
    Type.TIMESTAMP: pa.timestamp("us"),
    Type.INSTANT: pa.timestamp("us", tz="UTC"),
}


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """The Arrow schema of a lake table's columns."""
    return pa.schema([pa.field(column.name, ARROW_TYPES[column.type]) for column in columns])


def _unguarded() -> None:
    """What a lake asks that nobody else writes to."""


@dataclass(frozen=True)
class Lake:
    """All tables below one folder or object store address.

    Attributes:
        uri: where the tables lie.
        before_commit: asked before anything is committed or deleted; raises when the writer has lost the locks that
            keep others from writing the same.
    """

    uri: str
    before_commit: Callable[[], None] = field(default=_unguarded, compare=False, repr=False)

    def __post_init__(self) -> None:
        found = _UNUSABLE.search(self.uri) if self.is_on_disk else None
        if found is not None:
            raise UsageError(
                f"The lake cannot lie in {self.uri}: Delta takes no {found[0]} in a path."
                " Choose another folder by HEALTHMATE_HOME or HEALTHMATE_LAKE."
            )

    @cached_property
    def is_on_disk(self) -> bool:
        """Whether the lake is a folder of this machine."""
        return "://" not in self.uri

    def table_uri(self, name: str) -> str:
        """Where a table lies."""
        return f"{self.uri.rstrip('/')}/{name}"

    def place(self, name: str) -> tuple[fs.FileSystem, str]:
        """The file system of the lake, and the path there of a table or of a file beside the tables."""
        if self.is_on_disk:
            return fs.LocalFileSystem(), self.table_uri(name)
        filesystem, path = fs.FileSystem.from_uri(self.uri)
        return filesystem, f"{path.rstrip('/')}/{name}"

    def open(self, name: str) -> DeltaTable | None:
        """The newest version of a table, or ``None`` when nothing was ever written to it."""
        try:
            return DeltaTable(self.table_uri(name))
        except TableNotFoundError:
            return None

    def tables(self) -> list[str]:
        """The names of all tables that there are, in order."""
        filesystem, root = self.place("")
        found = filesystem.get_file_info(fs.FileSelector(root, recursive=False, allow_not_found=True))
        folders = [info.path for info in found if info.type is fs.FileType.Directory]
        logs = [
            f"{info.path}/_delta_log"
            for folder in folders
            for info in filesystem.get_file_info(fs.FileSelector(folder))
            if info.type is fs.FileType.Directory
        ]
        tables = [
            info.path.removesuffix("/_delta_log")
            for info in filesystem.get_file_info(logs)
            if info.type is fs.FileType.Directory
        ]
        return sorted("/".join(path.split("/")[-2:]) for path in tables)

    def append(
        self,
        name: str,
        rows: pa.RecordBatchReader,
        *,
        partition_by: str | None,
        marks: Iterable[str] = (),
    ) -> None:
        """Add rows in one commit.

        Args:
            name: the table.
            rows: the rows.
            partition_by: the column that files are laid out by.
            marks: written with the same commit, to be asked for with ``known_marks``: Delta's own means against
                writing the same thing twice.
        """
        self._write(
            name,
            rows,
            mode="append",
            partition_by=[partition_by] if partition_by else None,
            commit_properties=CommitProperties(app_transactions=[Transaction(mark, 1) for mark in marks]),
        )

    def known_marks(self, name: str, marks: Iterable[str]) -> set[str]:
        """Those of some marks that a commit of the table carries."""
        table = self.open(name)
        return (
            set()
            if table is None
            else {mark for mark in marks if table.transaction_version(mark) is not None}
        )

    def replace(self, name: str, rows: pa.RecordBatchReader, *, partition_by: str, window: Window) -> None:
        """Replace all rows whose partition value lies in a window of days, in one commit.

        ``rows`` may hold no row outside of it.

        Raises:
            IntegrityError: it does; the table is as it was.
        """
        if self.open(name) is None:
            self._create(name, rows.schema, partition_by)
        self._write(
            name,
            rows,
            mode="overwrite",
            predicate=f"{partition_by} >= '{window.first_day}' AND {partition_by} <= '{window.last_day}'",
            partition_by=[partition_by],
        )

    def append_files(
        self,
        name: str,
        files: Sequence[AddAction],
        *,
        schema: pa.Schema,
        partition_by: str,
        marks: Iterable[str] = (),
    ) -> None:
        """Take files that lie in a table's folder into it, in one commit; see ``append``."""
        self._commit(
            name,
            files,
            schema=schema,
            partition_by=partition_by,
            properties=CommitProperties(app_transactions=[Transaction(mark, 1) for mark in marks]),
        )

    def replace_files(
        self, name: str, files: Sequence[AddAction], *, schema: pa.Schema, partition_by: str, window: Window
    ) -> None:
        """Let files that lie in a table's folder take the place of those of a window of days, in one commit.

        The files that go are named one by one, so that writers of other days are never in the way.
        """
        self._commit(name, files, schema=schema, partition_by=partition_by, replaced=window)

    def _commit(
        self,
        name: str,
        files: Sequence[AddAction],
        *,
        schema: pa.Schema,
        partition_by: str,
        replaced: Window | None = None,
        properties: CommitProperties | None = None,
    ) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            table = self.open(name)
            # Between reading what the table holds and the commit: of two that replace the same files one fails.
            self.before_commit()
            try:
                if table is not None:
                    _add_columns(table, schema)
                    removed = _removals(table, partition_by, replaced) if replaced else []
                    table.create_write_transaction(
                        [*files, *removed],
                        mode="append",
                        schema=table.schema(),
                        partition_by=[partition_by],
                        commit_properties=_FILLING if replaced and not removed else properties,
                    )
                    return
                if self._created_with(name, files, schema, partition_by, properties):
                    return
            except CommitFailedError as error:
                # Delta cannot know that another one's commit was about other days; with marks it may not be.
                if properties is not None or attempt == _ATTEMPTS:
                    raise TransientError(f"{name} could not be written: {error}") from None
            except (DeltaError, OSError) as error:
                if files and self.is_committed(name, files[0].path):
                    return  # what Delta does after a commit (a checkpoint) failed: the next one makes up for it
                raise self._told(error) from None

    def _created_with(
        self,
        name: str,
        files: Sequence[AddAction],
        schema: pa.Schema,
        partition_by: str,
        properties: CommitProperties | None,
    ) -> bool:
        """Make a table that begins with some files; whether another process was not faster."""
        try:
            create_table_with_add_actions(
                self.table_uri(name),
                Schema.from_arrow(schema),
                list(files),
                partition_by=[partition_by],
                commit_properties=properties,
            )
        except (DeltaError, OSError):
            if self.open(name) is None:
                raise
            return self.is_committed(name, files[0].path) if files else True
        return True

    def is_committed(self, name: str, path: str) -> bool:
        """Whether the newest version of a table holds a file, named by its path in the table's folder."""
        table = self.open(name)
        return table is not None and path in pa.table(table.get_add_actions()).column("path").to_pylist()

    def _told(self, error: Exception) -> Exception:
        """An error of Delta's, told as ours where it is about room."""
        return disk_full("the lake", self.uri) if is_disk_full(error) else error

    def replace_all(self, name: str, rows: pa.RecordBatchReader) -> None:
        """Replace a table that has no partitions, in one commit."""
        self._write(name, rows, mode="overwrite")

    def files(
        self,
        name: str,
        *,
        window: Window | None = None,
        values: Iterable[object] | None = None,
        partition_by: str = "day",
    ) -> list[str]:
        """The files that hold the rows of some partitions (of all, when none are named), sorted.

        Args:
            name: the table.
            window: the partitions of these days; rows without a day are not among them.
            values: the partitions with these values.
            partition_by: the column that the files are laid out by.
        """
        table = self.open(name)
        if table is None:
            return []
        paths: list[str] = sorted(table.file_uris())
        if self.is_on_disk:  # they come as addresses: a blank in a folder's name as %20
            paths = [unquote(path) for path in paths]
        if window is None and values is None:
            return paths
        marker = f"/{partition_by}="
        folders = {path: path[path.rindex(marker) + len(marker) :].split("/", 1)[0] for path in paths}
        if window is not None:
            first, last = str(window.first_day), str(window.last_day)
            return [path for path in paths if first <= folders[path] <= last]
        wanted = {str(value) for value in values or ()}
        return [path for path in paths if folders[path] in wanted]

    def newest(self, name: str, column: str, *, window: Window) -> datetime | None:
        """The largest time in a column of the partitions of some days, from the statistics of the files.

        A file whose rows have no such time (only a date is known) counts as its day.
        """
        table = self.open(name)
        if table is None:
            return None
        actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
        values = [
            action.get(f"max.{column}") or midnight(action["partition.day"])
            for action in actions
            if action["num_records"]
            and action["partition.day"] is not None
            and window.first_day <= action["partition.day"] <= window.last_day
        ]
        return max(values, default=None)

    def _create(self, name: str, schema: pa.Schema, partition_by: str) -> None:
        """Make an empty table; another process may do so at the same time."""
        self._make_folder(name)
        try:
            DeltaTable.create(self.table_uri(name), schema, partition_by=[partition_by])
        except (DeltaError, OSError) as error:
            if self.open(name) is None:
                raise self._told(error) from None

    def _write(self, name: str, rows: pa.RecordBatchReader, **options: Any) -> None:
        """Write a commit; what the stream of rows raises comes out as it is.

        Raises:
            IntegrityError: a row lies outside of what is replaced.
            TransientError: the disk is full, or others changed the table at the same time.
        """
        self._make_folder(name)
        raised: list[HealthMateError] = []
        # Delta reads the rows in a thread of its own, where this one's locks would not be known.
        here = copy_context()
        batches = _noting_errors(rows, raised, at_the_end=lambda: here.run(self.before_commit))
        stream = pa.RecordBatchReader.from_batches(rows.schema, batches)
        try:
            # A table that an earlier release made gets the columns that it does not have yet.
            write_deltalake(self.table_uri(name), stream, schema_mode="merge", **options)
        except Exception as error:
            if raised:  # the writer wraps it in an error of its own
                raise raised[0] from None
            if "failed validation" in str(error):  # its text shows the rows
                raise IntegrityError(
                    f"{name}: rows lie outside of the window; nothing was written."
                ) from None
            if isinstance(error, CommitFailedError):
                raise TransientError(f"{name} could not be written: {error}") from None
            if is_disk_full(error):
                raise disk_full("the lake", self.uri) from None
            raise

    def _make_folder(self, name: str) -> None:
        if self.is_on_disk:
            with telling_full_disk("the lake", self.uri):
                Path(self.table_uri(name)).mkdir(parents=True, exist_ok=True)


def _add_columns(table: DeltaTable, schema: pa.Schema) -> None:
    """Give a table the columns that it lacks; they are null in what it holds."""
    known = {field.name for field in table.schema().fields}
    missing = [field for field in Schema.from_arrow(schema).fields if field.name not in known]
    if missing:
        table.alter.add_columns(missing)


def _removals(table: DeltaTable, partition_by: str, window: Window) -> list[RemoveAction]:
    """What takes the files of a window of days out of a table."""
    moment = time.time_ns() // 1_000_000
    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return [
        RemoveAction(
            path=action["path"],
            data_change=True,
            deletion_timestamp=moment,
            size=action["size_bytes"],
            partition_values={partition_by: str(value)},
        )
        for action in actions
        if (value := action[f"partition.{partition_by}"]) is not None
        and window.first_day <= value <= window.last_day
    ]


def _noting_errors(
    rows: pa.RecordBatchReader, raised: list[HealthMateError], *, at_the_end: Callable[[], None]
) -> Iterator[pa.RecordBatch]:
    try:
        yield from rows
        at_the_end()
    except HealthMateError as error:
        raised.append(error)
        raise
