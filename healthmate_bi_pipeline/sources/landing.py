"""The landing folder: which files are there, what they are, and whether they can be read.

``landing/<dataset>/`` takes Parquet, CSV and NDJSON, plain, gzip or zstd, in any folders below. A file that is
still being written is named ``….part`` or ``….tmp`` and renamed when it is whole; hidden files are left alone.
Nothing is computed here: an opened file is plain, and its rows are read by the engine.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from healthmate_bi_pipeline.catalog.datasets import Dataset
from healthmate_bi_pipeline.domain.file_columns import UNTYPED
from healthmate_bi_pipeline.errors import SchemaError, UnreadableFileError, disk_full, is_disk_full

_UNFINISHED = (".part", ".tmp", ".crdownload", "~")
_BLOCK = 1 << 20
_HEADER_BYTES = 1 << 20
_DELIMITERS = ",;\t|"
_NAME = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9_ .()%/-]{0,62})?"
)  # a row of data has a number or a time somewhere
_LINE_END = re.compile(rb"[\r\n]")
_GZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"


class Format(StrEnum):
    """What a landing file is written in."""

    PARQUET = "parquet"
    CSV = "csv"
    NDJSON = "ndjson"


_SUFFIXES = {
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".txt": Format.CSV,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".json": Format.NDJSON,
}


_TYPE_NAMES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_null, UNTYPED),
    (pa.types.is_integer, "integer"),
    (lambda type_: pa.types.is_floating(type_) or pa.types.is_decimal(type_), "number"),
    (lambda type_: pa.types.is_string(type_) or pa.types.is_large_string(type_), "text"),
    (pa.types.is_string_view, "text"),
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_date, "date"),
    (lambda type_: pa.types.is_timestamp(type_) and type_.tz is None, "timestamp"),
    (pa.types.is_timestamp, "instant"),
)


@dataclass(frozen=True)
class FoundFile:
    """A file that lies in the landing folder.

    Attributes:
        path: where it lies.
        name: its path below the dataset's folder.
        size: in bytes.
    """

    path: Path
    name: str
    size: int


@dataclass(frozen=True)
class OpenedFile:
    """A file whose header was understood.

    Attributes:
        path: the plain file: the one that was found, or its unpacked copy.
        format: what it is written in.
        columns: the columns of a Parquet or CSV file, in their order; empty for NDJSON.
        types: their types, in words of ``catalog.columns`` and a few more; none of a CSV file.
        delimiter: of a CSV file.
    """

    path: Path
    format: Format
    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    delimiter: str = ","

    @property
    def typed_columns(self) -> list[tuple[str, str]]:
        """The columns by the names that they are looked for by, in small letters, with their types."""
        names = [column.strip().lower() for column in self.columns]
        return list(zip(names, self.types or [UNTYPED] * len(names), strict=True))

    def renamed(self, dataset: Dataset) -> dict[str, str]:
        """The dataset's names of the file's columns, by the file's names; case and spaces do not matter."""
        wanted = {field.name for field in dataset.fields}
        return {column: name for column in self.columns if (name := column.strip().lower()) in wanted}


def find_files(landing: Path, dataset: Dataset) -> list[FoundFile]:
    """The files in a dataset's landing folder, by name: the order in which they are first seen."""
    folder = landing / dataset.name
    if not folder.is_dir():
        return []
    found = []
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in relative.parts)
        if path.is_file() and not is_hidden and not path.name.endswith(_UNFINISHED):
            found.append(FoundFile(path, _printable(relative.as_posix()), path.stat().st_size))
    return found


def folder_digest(landing: Path, datasets: Iterable[Dataset]) -> str | None:
    """A short text that changes when files of datasets appear, grow or go; ``None`` if there are none.

    The files are not opened: it is asked every half minute.
    """
    seen: list[str] = []
    for dataset in datasets:
        with suppress(FileNotFoundError):  # taken away at this moment
            seen += [
                f"{dataset.name}/{file.name} {file.size} {file.path.stat().st_mtime_ns}"
                for file in find_files(landing, dataset)
            ]
    return hashlib.sha256("\n".join(sorted(seen)).encode()).hexdigest()[:16] if seen else None


def _printable(name: str) -> str:
    """A file's name for books and messages: one line, and text in any encoding."""
    readable = name.encode(errors="surrogateescape").decode(errors="replace")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in readable)


def unknown_folders(landing: Path, known: frozenset[str]) -> list[str]:
    """Folders and files right in the landing folder that are no dataset's, and would never be read."""
    if not landing.is_dir():
        return []
    return sorted(
        _printable(path.name)
        for path in landing.iterdir()
        if path.name not in known and not path.name.startswith(".")
    )


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_file(found: FoundFile, dataset: Dataset, *, scratch: Path) -> OpenedFile:
    """Unpack a file if need be and understand its header.

    Args:
        found: the file.
        dataset: what its rows should be.
        scratch: where an unpacked copy may lie.

    Raises:
        UnreadableFileError: it is damaged, empty, or none of the formats.
        SchemaError: a column that the dataset needs is missing, or one that it knows stands twice.
    """
    label = f"{dataset.name}/{found.name}"
    suffixes = [suffix.lower() for suffix in found.path.suffixes]
    packed = suffixes and suffixes[-1] in (".gz", ".zst", ".zstd")
    kind = _SUFFIXES.get(suffixes[-2] if packed and len(suffixes) > 1 else suffixes[-1] if suffixes else "")
    if kind is None:
        raise UnreadableFileError(
            f"{label}: unreadable_file: expected .parquet, .csv or .ndjson, plain or with .gz or .zst behind it."
        )
    if found.size == 0:
        raise UnreadableFileError(f"{label}: unreadable_file: it is empty.")
    path = unpacked(found.path, label=label, scratch=scratch)
    if kind is Format.PARQUET:
        schema = _parquet_schema(path, label)
        opened = OpenedFile(path, kind, tuple(schema.names), tuple(map(_type_name, schema.types)))
    elif kind is Format.CSV:
        opened = _open_csv(path, dataset, label)
    else:
        _refuse_binary(_head(path), label)
        return OpenedFile(path, kind)
    _check_columns(opened, dataset, label)
    return opened


def unpacked(path: Path, *, label: str, scratch: Path) -> Path:
    """A plain copy of a packed file; one that is not packed is itself.

    What it is packed with is told by its first bytes, not by its name. It is unpacked here and not by the
    engine, which takes a cut-off gzip file for a whole one.
    """
    with path.open("rb") as file:
        magic = file.read(4)
    if magic[:2] == _GZIP:
        reader: IO[bytes] | pa.NativeFile = gzip.open(path, "rb")  # noqa: SIM115 - closed below
    elif magic == _ZSTD:
        reader = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
    else:
        return path
    plain = scratch / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.plain"
    try:
        with reader, plain.open("wb") as target:
            shutil.copyfileobj(reader, target, _BLOCK)
    except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
        plain.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:  # the disk, not the file
            if is_disk_full(error):
                raise disk_full("the engine's scratch files", scratch) from None
            raise
        raise UnreadableFileError(
            f"{label}: unreadable_file: the packed data are damaged or cut off."
        ) from None
    if plain.stat().st_size == 0:
        raise UnreadableFileError(f"{label}: unreadable_file: it is empty.")
    return plain


def _parquet_schema(path: Path, label: str) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except (pa.ArrowException, UnicodeDecodeError, OSError):
        raise UnreadableFileError(
            f"{label}: unreadable_file: it is no Parquet file, or is cut off."
        ) from None


def _type_name(type_: pa.DataType) -> str:
    """What a Parquet column holds, whatever its width, unit or encoding."""
    if pa.types.is_dictionary(type_):
        return _type_name(type_.value_type)
    return next((name for is_so, name in _TYPE_NAMES if is_so(type_)), "other")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEADER_BYTES)


def _refuse_binary(head: bytes, label: str) -> None:
    """Refuse what is no text, by its first line: a bad line further below is set aside by itself."""
    if head[:4] == _PARQUET:
        raise UnreadableFileError(f"{label}: unreadable_file: it is a Parquet file with the name of another.")
    if b"\0" in _LINE_END.split(head, 1)[0]:
        raise UnreadableFileError(f"{label}: unreadable_file: it is no text in UTF-8.")


def _open_csv(path: Path, dataset: Dataset, label: str) -> OpenedFile:
    head = _head(path)
    _refuse_binary(head, label)
    try:
        text = _LINE_END.split(head, 1)[0].decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFileError(f"{label}: unreadable_file: the header is not UTF-8.") from None
    wanted = {field.name for field in dataset.fields}

    def columns(delimiter: str) -> tuple[str, ...]:
        return tuple(next(csv.reader([text], delimiter=delimiter), []))

    def known(delimiter: str) -> int:
        return sum(column.strip().lower() in wanted for column in columns(delimiter))

    try:
        best = max(_DELIMITERS, key=known)
        return OpenedFile(path, Format.CSV, columns(best), delimiter=best)
    except csv.Error:
        raise UnreadableFileError(f"{label}: unreadable_file: the header is no line of CSV.") from None


def _check_columns(opened: OpenedFile, dataset: Dataset, label: str) -> None:
    names = [column.strip().lower() for column in opened.columns]
    missing = [name for name in dataset.required if name not in names]
    if missing:
        raise SchemaError(
            f"{label}: missing_column: {', '.join(missing)} (found: {', '.join(_shown(opened.columns, dataset))})."
        )
    repeated = sorted({field.name for field in dataset.fields if names.count(field.name) > 1})
    if repeated:
        raise SchemaError(f"{label}: missing_column: {', '.join(repeated)} stands more than once.")


def _shown(columns: tuple[str, ...], dataset: Dataset, most: int = 12) -> Iterator[str]:
    """Column names for a message; of a file without a header, whose first row stands there, only known ones."""
    known = {field.name for field in dataset.fields}
    is_header = all(_NAME.fullmatch(column.strip()) for column in columns) and any(
        column.strip().lower() in known for column in columns
    )
    for column in columns[:most]:
        yield column.strip() if is_header or column.strip().lower() in known else "?"
    if len(columns) > most:
        yield "…"
