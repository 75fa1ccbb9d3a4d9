"""Rows of the engine into the lake's tables.

On a disk the engine writes the files itself, by as many threads as it has, and one commit names them: rows that
went to Delta's writer as a stream would all pass through one thread. Elsewhere they do. Files of a write that
fails are taken away again; those of a process that was killed are in no commit, and a vacuum finds them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import ibis.expr.types as ir
import pyarrow as pa
from deltalake.transaction import AddAction

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import IntegrityError, telling_full_disk
from healthmate_bi_pipeline.lake.engine import Engine, EngineFile
from healthmate_bi_pipeline.lake.store import Lake


def append_rows(
    lake: Lake,
    engine: Engine,
    name: str,
    rows: ir.Table,
    *,
    schema: pa.Schema,
    partition_by: str | None,
    partitions: int,
    marks: Iterable[str] = (),
) -> None:
    """Add rows to a table in one commit.

    Args:
        lake: where the table lies.
        engine: where the rows are.
        name: the table.
        rows: the rows.
        schema: the table's columns.
        partition_by: the column that files are laid out by.
        partitions: how many values of it there are at most.
        marks: see ``Lake.append``.
    """
    if not lake.is_on_disk or partition_by is None:
        lake.append(name, engine.stream(rows, schema=schema), partition_by=partition_by, marks=marks)
        return
    with _written(
        lake, engine, name, rows, schema=schema, partition_by=partition_by, partitions=partitions
    ) as actions:
        lake.append_files(name, actions, schema=schema, partition_by=partition_by, marks=marks)


def replace_rows(
    lake: Lake,
    engine: Engine,
    name: str,
    rows: ir.Table,
    *,
    schema: pa.Schema,
    partition_by: str,
    window: Window,
) -> None:
    """Replace all rows whose partition value lies in a window of days, in one commit.

    Raises:
        IntegrityError: a row lies outside of it; the table is as it was.
    """
    if not lake.is_on_disk:
        stream = engine.stream(rows, schema=schema)
        lake.replace(name, stream, partition_by=partition_by, window=window)
        return
    with _written(
        lake, engine, name, rows, schema=schema, partition_by=partition_by, partitions=window.days
    ) as actions:
        first, last = str(window.first_day), str(window.last_day)
        if not all(first <= (action.partition_values[partition_by] or "") <= last for action in actions):
            raise IntegrityError(f"{name}: rows lie outside of the window; nothing was written.")
        lake.replace_files(name, actions, schema=schema, partition_by=partition_by, window=window)


@contextmanager
def _written(
    lake: Lake,
    engine: Engine,
    name: str,
    rows: ir.Table,
    *,
    schema: pa.Schema,
    partition_by: str,
    partitions: int,
) -> Iterator[list[AddAction]]:
    """Write the files of some rows; they go again when the block raises."""
    folder = Path(lake.table_uri(name))
    with telling_full_disk("the lake", lake.uri):
        folder.mkdir(parents=True, exist_ok=True)
    prefix = f"part-{uuid4().hex}"
    try:
        files = engine.write(
            rows,
            schema=schema,
            folder=folder,
            prefix=prefix,
            partition_by=partition_by,
            partitions=partitions,
        )
        yield [_action(file, schema, folder) for file in files]
    except BaseException:
        _take_away(lake, name, sorted(folder.glob(f"{partition_by}=*/{prefix}*")), folder=folder)
        raise


def _take_away(lake: Lake, name: str, files: list[Path], *, folder: Path) -> None:
    """Delete files of a write that failed, unless it is committed: Ctrl-C may come right after the commit."""
    with suppress(Exception):  # then they stay: whether they are in the table is not known
        if files and not lake.is_committed(name, files[0].relative_to(folder).as_posix()):
            for file in files:
                file.unlink(missing_ok=True)


def _action(file: EngineFile, schema: pa.Schema, folder: Path) -> AddAction:
    """What a commit says of a file: its path, its size and its statistics."""
    return AddAction(
        path=file.path.relative_to(folder).as_posix(),
        size=file.bytes,
        partition_values=dict(file.partition),
        modification_time=file.path.stat().st_mtime_ns // 1_000_000,
        data_change=True,
        stats=json.dumps(_statistics(file, schema)),
    )


def _statistics(file: EngineFile, schema: pa.Schema) -> dict[str, Any]:
    low, high, nulls = {}, {}, {}
    for field in schema:
        found = file.columns.get(field.name)
        if found is None:  # the partition column
            continue
        nulls[field.name] = int(found["null_count"])
        if "min" in found and "max" in found:
            bounds = _bound(found["min"], field.type), _bound(found["max"], field.type)
            if None not in bounds:
                low[field.name], high[field.name] = bounds
    return {"numRecords": file.rows, "minValues": low, "maxValues": high, "nullCount": nulls}


def _bound(text: str, kind: pa.DataType) -> Any:
    """A smallest or largest value as Delta writes it; ``None`` for types that it is not kept of."""
    if pa.types.is_integer(kind):
        return int(text)
    if pa.types.is_timestamp(kind):
        return datetime.fromisoformat(text).isoformat(timespec="microseconds")
    return None
