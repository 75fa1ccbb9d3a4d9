"""The engine: Ibis on DuckDB in memory, over the files of the lake and of the landing folder.

Everything that is DuckDB's own way of doing things lives here: its settings, its readers of landing files,
its temporary tables and its streams. Expressions over the tables that come out of here are plain Ibis
(``transforms``). The engine writes nowhere but into its scratch folder, where it spills what does not fit
into memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.errors import (
    DataError,
    EngineFullError,
    UnreadableFileError,
    disk_full,
    is_disk_full,
    telling_full_disk,
)
from healthmate_bi_pipeline.lake.memory import default_memory_limit
from healthmate_bi_pipeline.lake.scratch import ScratchFolder
from healthmate_bi_pipeline.settings import EngineSettings

if TYPE_CHECKING:  # Ibis loads it where an engine is opened
    from ibis.backends.duckdb import Backend

BATCH_ROWS = 100_000
_BLOCK = 1 << 20
_DAMAGED = "the data are damaged, or cannot be computed with."
_FILE_NAMED = re.compile(r'file "([^"]+)"')
_PATTERN_LETTERS = re.compile(r"[*?[]")
LONGEST_LINE_BYTES = 16 * 1024 * 1024
ROW_NUMBER = "row_number"
MOST_MEMBERS = 1000
_OPEN_FILES = 100  # what DuckDB keeps open at once; beyond that it would begin new files again and again


@ibis.udf.scalar.builtin(name="json_type")
def _json_type(text: str) -> str: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="json_valid")
def _is_json(text: str) -> bool: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="json_extract_string")
def _json_texts(text: str, paths: list[str]) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="json_keys")
def _json_keys(text: str) -> list[str]: ...  # type: ignore[empty-body]


@dataclass(frozen=True)
class TextFile:
    """A text file, split into records.

    Attributes:
        rows: one text column per name, and ``row_number``: the record's place in the file, from 1, the header
            apart.
        rejected: the records that could not be split: ``row_number`` and ``line``, the text as it stands.
        members: of NDJSON the names that stand in any object, those that were asked for first, at most
            ``MOST_MEMBERS``.
    """

    rows: ir.Table
    rejected: ir.Table
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class EngineFile:
    """A Parquet file that the engine wrote.

    Attributes:
        path: where it lies.
        bytes: its size.
        rows: how many rows it holds.
        columns: per column ``null_count``, and ``min`` and ``max`` as text where they are known.
        partition: the partition column and its value as text, ``None`` for no value.
    """

    path: Path
    bytes: int
    rows: int
    columns: Mapping[str, Mapping[str, str]]
    partition: Mapping[str, str | None]


class Engine:
    """One in-memory database for one piece of work; a context manager."""

    def __init__(self, settings: EngineSettings, *, scratch: Path) -> None:
        self._scratch = ScratchFolder(scratch)
        self._memory_limit = settings.memory_limit or default_memory_limit()
        options: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self._memory_limit,
            "temp_directory": str(self._scratch.path),
            # Nothing is fetched at run time; all that is needed comes in the wheel.
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if settings.threads is not None:
            options["threads"] = settings.threads
        self._connection = duckdb.connect(":memory:", config=options)
        self._backend: Backend = ibis.duckdb.from_connection(self._connection)
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET enable_progress_bar = false")  # it would run into ours
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give memory and scratch space back."""
        self._connection.close()
        self._scratch.close()

    @property
    def scratch(self) -> Path:
        """A folder that goes when the engine is closed."""
        return self._scratch.path

    def scan(self, files: Sequence[str], *, schema: pa.Schema, partition_by: str | None = None) -> ir.Table:
        """The rows of a lake table's files.

        Args:
            files: what ``Lake.files`` gave; none makes an empty table.
            schema: the columns, the partition column among them; a column that older files lack is null.
            partition_by: the column that stands in the folders' names.
        """
        if not files:
            return self.memory_table(schema.empty_table())
        rows = self._backend.read_parquet(
            [_literal(file) for file in files], hive_partitioning=partition_by is not None, union_by_name=True
        )
        target = ibis.Schema.from_pyarrow(schema)
        return rows.select(
            **{
                name: rows[name].cast(dtype) if name in rows.columns else ibis.null(dtype)
                for name, dtype in target.items()
            }
        )

    def parquet_file(self, path: Path) -> ir.Table:
        """The rows of one Parquet file, with ``row_number`` from 1.

        Raises:
            UnreadableFileError: it is none, or is cut off.
        """
        with self._reading(path):
            rows = self._backend.read_parquet(
                _literal(str(path)), file_row_number=True, hive_partitioning=False
            )
        return rows.mutate(**{ROW_NUMBER: rows["file_row_number"] + 1}).drop("file_row_number")

    def csv_file(self, path: Path, *, names: Sequence[str], delimiter: str) -> TextFile:
        """The records of one CSV file (RFC 4180, UTF-8, with a header), all columns as text.

        Args:
            path: a file that is not compressed.
            names: the columns of the header, in its order.
            delimiter: what stands between them.

        Raises:
            UnreadableFileError: it cannot be read as CSV at all.
        """
        rows, rejected = self._split(path, names=names, header=True, delim=delimiter, quote='"', escape='"')
        return TextFile(self._renumbered(rows, rejected), rejected)

    def json_lines_file(self, path: Path, *, names: Sequence[str]) -> TextFile:
        """The records of one NDJSON file (one JSON object a line, UTF-8), the named members as text.

        Raises:
            UnreadableFileError: it cannot be read as lines of text at all.
        """
        text = self.lines_file(path)
        objects, others = self.json_members(text.rows, {name: (name,) for name in names})
        members = objects.select(name=_json_keys(objects.line).unnest()).distinct()
        members = members.order_by(~members.name.isin(list(names)), members.name).limit(MOST_MEMBERS)
        found = tuple(row["name"] for row in self.rows(members))
        return TextFile(objects.drop("line"), others.union(text.rejected), found)

    def lines_file(self, path: Path) -> TextFile:
        """The lines of a text file (UTF-8) as ``row_number`` and ``line``; blank ones are left out.

        Raises:
            UnreadableFileError: it cannot be read as lines of text at all.
        """
        # The delimiter is a control character: in JSON it can only stand escaped.
        lines, broken = self._split(path, names=["line"], header=False, delim="\x01", quote="", escape="")
        lines = self._renumbered(lines, broken)
        lines = lines.filter(lines.line.notnull() & (lines.line.strip() != ""))
        return TextFile(lines.select(ROW_NUMBER, "line"), broken)

    def json_members(
        self, lines: ir.Table, members: Mapping[str, tuple[str, ...]]
    ) -> tuple[ir.Table, ir.Table]:
        """Lines that are JSON objects, with some of their members as text; and the other lines.

        Args:
            lines: ``row_number`` and ``line``.
            members: for each new column the names from the outermost object to the member.
        """
        # Not `and`: the engine evaluates both sides, and json_type fails on what is no JSON.
        kind = _is_json(lines.line).ifelse(_json_type(lines.line), ibis.null("string"))
        is_object = kind.fill_null("") == "OBJECT"
        good, others = lines.filter(is_object), lines.filter(~is_object)
        paths = ["$" + "".join(f'."{name}"' for name in names) for names in members.values()]
        # All members in one pass over the text.
        found = good.select(ROW_NUMBER, "line", found=_json_texts(good.line, ibis.array(paths)))
        texts = {column: found.found[place] for place, column in enumerate(members)}
        return found.select(ROW_NUMBER, "line", **texts), others.select(ROW_NUMBER, "line")

    def memory_table(self, table: pa.Table) -> ir.Table:
        """A small Arrow table as an Ibis table."""
        name = self._new_name()
        self._connection.register(name, table)
        return self._backend.table(name)

    def store(self, expression: ir.Table) -> ir.Table:
        """Compute a table once and keep it, in memory or spilled, until the engine is closed."""
        with self._working():
            return self._backend.create_table(self._new_name(), expression, temp=True)

    def stream(self, expression: ir.Table, *, schema: pa.Schema) -> pa.RecordBatchReader:
        """The rows of an expression as a stream of Arrow batches of a schema; one stream at a time."""
        with self._working():
            batches = self._backend.to_pyarrow_batches(
                expression.select(*schema.names), chunk_size=BATCH_ROWS
            )
        return pa.RecordBatchReader.from_batches(schema, self._cast(batches, schema))

    def write(
        self,
        expression: ir.Table,
        *,
        schema: pa.Schema,
        folder: Path,
        prefix: str,
        partition_by: str,
        partitions: int,
    ) -> list[EngineFile]:
        """Write the rows of an expression as Parquet files, one folder for each value of a column.

        Args:
            expression: the rows.
            schema: the columns.
            folder: where the folders go; what lies there stays.
            prefix: what the names of the files begin with.
            partition_by: the column that stands in the folders' names.
            partitions: how many values of it there are at most: with many, rows are sorted by it first, since
                only so many files are open at once.
        """
        types = ibis.Schema.from_pyarrow(schema)
        rows = expression.select(
            **{name: _written_as(expression[name], dtype) for name, dtype in types.items()}
        )
        if partitions > _OPEN_FILES:
            rows = rows.order_by(partition_by)
        target = str(folder).replace("'", "''")
        with self._working():
            written = self._connection.execute(
                f"COPY ({self._backend.compile(rows)}) TO '{target}' (FORMAT parquet, RETURN_STATS, APPEND,"
                f" PARTITION_BY ({partition_by}), FILENAME_PATTERN '{prefix}-{{uuid}}')"
            ).fetchall()
        return [
            EngineFile(
                path=Path(path),
                bytes=size,
                rows=count,
                columns={name.strip('"'): found for name, found in columns.items()},
                partition=partition,
            )
            for path, count, size, _, columns, partition in written
        ]

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        """The rows of a small result."""
        with self._working():
            result: list[dict[str, Any]] = self._backend.to_pyarrow(expression).to_pylist()
        return result

    def count(self, expression: ir.Table) -> int:
        """How many rows an expression has."""
        with self._working():
            return int(self._backend.to_pyarrow(expression.count()).as_py())

    def _cast(self, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        with self._working():
            for batch in batches:
                yield batch.cast(schema)

    def _new_name(self) -> str:
        self._count += 1
        return f"rows_{self._count}"

    def _split(
        self, path: Path, *, names: Sequence[str], header: bool, **syntax: str
    ) -> tuple[ir.Table, ir.Table]:
        """The records of a text file as they are numbered by the reader, and those that it could not split."""

        def read(plain: Path) -> ir.Table:
            self._forget_rejects()
            source = self._backend.read_csv(
                _literal(str(plain)),
                header=header,
                auto_detect=False,
                columns=dict.fromkeys(names, "VARCHAR"),
                hive_partitioning=False,
                store_rejects=True,
                rejects_limit=0,
                max_line_size=LONGEST_LINE_BYTES,
                **syntax,
            )
            return self.store(source.mutate(**{ROW_NUMBER: ibis.row_number() + 1}))

        with self._reading(path):
            try:
                rows = read(path)
            except (duckdb.InvalidInputException, DataError):
                # The reader gives a file up whose lines end differently: of files that were put together.
                rows = read(self._with_newlines(path))
            rejected = self._rejected_records(header_lines=int(header))
        return rows, rejected

    def _with_newlines(self, path: Path) -> Path:
        """A copy of a text file whose lines all end in a line feed."""
        copy = self.scratch / f"{self._new_name()}.txt"
        with (
            telling_full_disk("the engine's scratch files", self.scratch),
            path.open("rb") as source,
            copy.open("wb") as target,
        ):
            while block := source.read(_BLOCK):
                if block.endswith(b"\r"):
                    block += source.read(1)
                target.write(block.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        return copy

    def _forget_rejects(self) -> None:
        for table in ("reject_errors", "reject_scans"):
            self._connection.execute(f"DROP TABLE IF EXISTS {table}")

    def _rejected_records(self, *, header_lines: int) -> ir.Table:
        errors = self._backend.table("reject_errors")
        records = errors.group_by(**{ROW_NUMBER: errors.line.cast("int64") - header_lines}).agg(
            line=errors.csv_line.arbitrary().strip()
        )
        return self.store(records.order_by(ROW_NUMBER))

    def _renumbered(self, rows: ir.Table, rejected: ir.Table) -> ir.Table:
        """Count the rejected records in: the reader numbers only those that it could split."""
        if self.count(rejected) == 0:
            return rows
        before = rejected.select(
            after=rejected[ROW_NUMBER] - ibis.row_number().over(order_by=rejected[ROW_NUMBER]) - 1,
            skipped=ibis.row_number().over(order_by=rejected[ROW_NUMBER]) + 1,
        )
        steps = before.group_by("after").agg(skipped=before.skipped.max())
        joined = rows.asof_join(steps, rows[ROW_NUMBER] > steps.after)
        shifted = joined[ROW_NUMBER] + joined.skipped.fill_null(0)
        return joined.select(
            **{name: joined[name] for name in rows.columns if name != ROW_NUMBER}, **{ROW_NUMBER: shifted}
        )

    @contextmanager
    def _reading(self, path: Path) -> Iterator[None]:
        try:
            with self._working():
                yield
        except DataError as error:
            raise UnreadableFileError(f"{path.name} cannot be read: {error}") from None

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Turn the engine's errors into ours. Their own text may quote values, so most of it is left out."""
        try:
            yield
        except duckdb.OutOfMemoryException as error:
            raise EngineFullError(
                f"The engine ran out of memory ({self._memory_limit}) or of scratch space in {self.scratch.parent}:"
                f" {_first_line(error)} Raise engine.memory_limit or free space there."
            ) from None
        except duckdb.InterruptException:
            raise
        except duckdb.IOException as error:
            if not is_disk_full(error):
                raise DataError(_DAMAGED) from None
            place = Path(named[1]).parent if (named := _FILE_NAMED.search(str(error))) else self.scratch
            if place.is_relative_to(self.scratch):
                raise EngineFullError(
                    f"There is no room left for the engine's scratch files in {self.scratch.parent}. Free space there,"
                    " or raise engine.memory_limit so that less is written to it, and run again."
                ) from None
            raise disk_full("the lake", place) from None
        except (duckdb.BinderException, duckdb.NotSupportedError) as error:  # about columns, not about rows
            raise DataError(_first_line(error)) from None
        except duckdb.Error:
            raise DataError(_DAMAGED) from None


def _literal(path: str) -> str:
    """A path for the engine's readers, which would take ``*``, ``?`` and ``[`` for patterns."""
    return _PATTERN_LETTERS.sub(lambda letter: f"[{letter[0]}]", path)


def _written_as(value: Any, dtype: dt.DataType) -> Any:
    """A column as it is to stand in a file.

    A date goes by way of a timestamp: of one that was cut off to a month the engine makes a timestamp, while its
    expression says that it still is a date, and a plain cast would be left out.
    """
    return (value.cast("timestamp(6)") if dtype.is_date() else value).cast(dtype)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
