"""Rows → files: the clock of the device, then the format."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from healthmate_bi_pipeline.sources.demo.clocks import Clocks, Integers
from healthmate_bi_pipeline.sources.demo.rows import Clock, FileStyle, Format
from healthmate_bi_pipeline.sources.writing import LandingBatch, open_parquet

Append = Callable[[pa.Table], None]

_PACKING = {
    Format.CSV_GZIP: "gzip",
    Format.CSV_ZSTD: "zstd",
    Format.NDJSON_GZIP: "gzip",
    Format.NDJSON_ZSTD: "zstd",
}
_ALWAYS_UTC = "updated_at"
_AGAIN = "_again"  # sorts behind the first one


ROWS_OF_A_WRITE = 1 << 15
"""Rows that are written at once: small writes are slow, and make small row groups."""


@dataclass
class _File:
    """A file, and the rows that wait to be written to it."""

    path: Path
    append: Append
    waiting: list[pa.Table] = field(default_factory=list)
    rows: int = 0

    def add(self, table: pa.Table) -> None:
        self.waiting.append(table)
        self.rows += table.num_rows
        if self.rows >= ROWS_OF_A_WRITE:
            self.flush()

    def flush(self) -> None:
        if self.waiting:
            self.append(pa.concat_tables(self.waiting))
        self.waiting, self.rows = [], 0


@dataclass
class DemoOutput:
    """The files of the demo while they are written, block of people by block of people.

    Attributes:
        batch: what they are written in.
        copies: the files that are another one once more, below the landing folder.
    """

    batch: LandingBatch
    _stack: ExitStack = field(default_factory=ExitStack)
    _files: dict[tuple[FileStyle, str], _File] = field(default_factory=dict)
    copies: list[str] = field(default_factory=list)

    def add(self, style: FileStyle, part: str, *, table: pa.Table, person: Integers, clocks: Clocks) -> None:
        """Append rows to a part of a style's files."""
        if not table.num_rows:
            return
        rendered = render_times(table, style, person=person, clocks=clocks)
        if (style, part) not in self._files:
            path = self.batch.start(style.dataset)
            self._files[style, part] = _File(path, self._open(path, style.format, rendered.schema))
        self._files[style, part].add(rendered)

    def _open(self, path: Path, format_: Format, schema: pa.Schema) -> Append:
        if format_ is Format.PARQUET:
            parquet = self._stack.enter_context(open_parquet(path, schema))
            write_parquet: Append = parquet.write_table
            return write_parquet
        sink = self._stack.enter_context(pa.OSFile(str(path), "wb"))
        if packing := _PACKING.get(format_):
            sink = self._stack.enter_context(pa.CompressedOutputStream(sink, packing))
        if format_.startswith("ndjson"):
            return lambda table: sink.write(_json_lines(table))
        options = pa_csv.WriteOptions(quoting_style="needed")
        writer = self._stack.enter_context(pa_csv.CSVWriter(sink, schema, write_options=options))
        write: Append = writer.write_table
        return write

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for file in self._files.values():
                file.flush()
        self._stack.close()
        if kind is None:
            for (style, part), file in self._files.items():
                self.batch.finish(file.path, style.file_name(part))
            self._copy_first_files()

    def _copy_first_files(self) -> None:
        """Deliver files once more."""
        for style in {style: None for style, _ in self._files if style.comes_twice}:
            part = min(part for other, part in self._files if other == style)
            copy, name = self.batch.start(style.dataset), style.file_name(part, again=_AGAIN)
            copyfile(self._files[style, part].path, copy)
            self.batch.finish(copy, name)
            self.copies.append(f"{style.dataset}/{name}")


def render_times(table: pa.Table, style: FileStyle, *, person: Integers, clocks: Clocks) -> pa.Table:
    """The columns as the device writes them; what came in were instants (UTC)."""
    is_text = style.format is not Format.PARQUET
    columns: dict[str, pa.ChunkedArray] = {}
    offset_column: pa.Array | None = None
    for name in table.column_names:
        column = table[name]
        if pa.types.is_dictionary(column.type):
            columns[name] = column.cast(column.type.value_type)
        elif not pa.types.is_timestamp(column.type):
            columns[name] = column
        elif name == _ALWAYS_UTC or (style.clock is Clock.UTC and not style.has_offset):
            columns[name] = _in_utc(column, is_text=is_text)
        else:
            utc = column.to_numpy()
            offsets = pa.array(clocks.offset_minutes(person, utc), mask=np.isnat(utc))
            offset_column = _filled(offset_column, offsets)
            columns[name] = (
                _in_utc(column, is_text=is_text)
                if style.clock is Clock.UTC
                else _local(column.combine_chunks(), offsets, style.clock, is_text=is_text)
            )
    if style.has_offset:
        columns["utc_offset_minutes"] = offset_column
    return pa.table(columns)


def _filled(known: pa.Array | None, offsets: pa.Array) -> pa.Array:
    """The offset of the first of a row's times that there is."""
    return offsets if known is None else pc.coalesce(known, offsets)


def _in_utc(utc: pa.ChunkedArray, *, is_text: bool) -> pa.ChunkedArray:
    if not is_text:
        return utc.cast(pa.timestamp("us", "UTC"))
    if utc.null_count == len(utc):
        return pa.nulls(len(utc), pa.string())
    return pc.binary_join_element_wise(_text(utc, "T"), "Z", "")


def _local(utc: pa.Array, offsets: pa.Array, clock: Clock, *, is_text: bool) -> pa.Array:
    if utc.null_count == len(utc):
        return pa.nulls(len(utc), pa.string() if is_text else utc.type)
    minute = pa.scalar(60_000_000, pa.int64())
    local = pc.add(utc, pc.multiply(offsets, minute).cast(pa.duration("us")))
    if clock is Clock.WALL:
        return _text(local, " ") if is_text else local
    return pc.binary_join_element_wise(_text(local, "T"), _offset_text(offsets), "")


def _text(moments: pa.Array, separator: str) -> pa.Array:
    """``2026-01-31T08:15:00``."""
    text = moments.cast(pa.timestamp("s"), safe=False).cast(pa.string())
    return text if separator == " " else pc.replace_substring(text, " ", separator, max_replacements=1)


def _offset_text(offsets: pa.Array) -> pa.Array:
    """Minutes as ``+05:30``; there are few different ones."""
    encoded = offsets.dictionary_encode()
    texts = [
        f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
        for minutes in encoded.dictionary.to_pylist()
    ]
    return pa.array(texts, pa.string()).take(encoded.indices)


def _json_lines(table: pa.Table) -> bytes:
    text: str = table.to_pandas().to_json(orient="records", lines=True, force_ascii=False)
    return text.encode()
