"""Writing landing files: whole or not at all, and the same rows give the same bytes.

A file grows under a name that ends in ``.part``, which nothing reads, and gets its own name when all files of
its batch are complete. What the rows are is the affair of the importers and of the demo.
"""

from __future__ import annotations

import os
from hashlib import file_digest
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

PART_SUFFIX = ".part"
DIGEST_LENGTH = 12


class LandingBatch:
    """Landing files that appear together when the ``with`` block ends, or not at all.

    Attributes:
        files: the final paths, in the order in which the files were finished.
    """

    def __init__(self, landing: Path) -> None:
        self._landing = landing
        self._parts: list[Path] = []
        self._finished: list[tuple[Path, Path]] = []
        self.files: tuple[Path, ...] = ()

    def start(self, dataset: str) -> Path:
        """A new, empty place to write a file of a dataset to."""
        folder = self._landing / dataset
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"writing-{os.getpid()}-{len(self._parts)}{PART_SUFFIX}"
        self._parts.append(part)
        return part

    def finish(self, part: Path, name: str) -> None:
        """Say that a file is complete; ``{digest}`` in the name becomes the start of its SHA-256."""
        with part.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()[:DIGEST_LENGTH]
        self._finished.append((part, part.with_name(name.format(digest=digest))))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for part, final in self._finished:
                part.replace(final)
            self.files = tuple(dict.fromkeys(final for _, final in self._finished))
        for part in self._parts:
            part.unlink(missing_ok=True)


def open_parquet(path: Path, schema: pa.Schema, *, plain_columns: tuple[str, ...] = ()) -> pq.ParquetWriter:
    """A ``pyarrow.parquet.ParquetWriter`` whose every option is fixed.

    Args:
        path: where to.
        schema: of the rows.
        plain_columns: texts that are different in every row but begin alike, such as ``origin``: without a
            dictionary, each as the difference from the one before (a tenth of the size).
    """
    return pq.ParquetWriter(
        path,
        schema,
        version="2.6",
        compression="zstd",
        compression_level=3,
        use_dictionary=[field.name for field in schema if field.name not in plain_columns],
        column_encoding=dict.fromkeys(plain_columns, "DELTA_BYTE_ARRAY"),
        store_schema=True,
    )


def write_parquet(table: pa.Table, path: Path, *, plain_columns: tuple[str, ...] = ()) -> None:
    """Write a table as one Parquet file."""
    with open_parquet(path, table.schema, plain_columns=plain_columns) as writer:
        writer.write_table(table.combine_chunks(), row_group_size=1 << 18)
