"""The import of a Fitbit export: find the files, read them, merge what is told twice, write landing files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from healthmate_bi_pipeline.domain.time_zones import known_time_zones
from healthmate_bi_pipeline.errors import UnreadableFileError, UsageError
from healthmate_bi_pipeline.sources.fitbit import formats
from healthmate_bi_pipeline.sources.fitbit.formats import ExportFile, Kind, files_below, recognise
from healthmate_bi_pipeline.sources.fitbit.lines import read_lines
from healthmate_bi_pipeline.sources.fitbit.mapping import People, map_lines
from healthmate_bi_pipeline.sources.fitbit.merging import FileRows, merge_files, order_files
from healthmate_bi_pipeline.sources.fitbit.rejecting import RejectedRows
from healthmate_bi_pipeline.sources.imports import (
    ImportResult,
    InputFile,
    Problem,
    Progress,
    UnusedFile,
    no_progress,
)
from healthmate_bi_pipeline.sources.writing import LandingBatch, open_parquet, write_parquet

_PLAIN = ("origin",)


def import_fitbit(
    folder: Path, *, time_zone: str, landing: Path, progress: Progress = no_progress
) -> ImportResult:
    """Turn a folder with one or several Fitbit exports into landing files.

    The same folder and zone give files of the same names and bytes, so that importing twice counts once. A
    file that cannot be read to its end is left out as a whole and named in ``problems``.

    Args:
        folder: the exports, in any depth of subfolders.
        time_zone: IANA name of the zone that all people of the exports live in; the files do not say.
        landing: the folder of landing files.
        progress: told of each file.

    Raises:
        UsageError: the zone or the folder does not exist, or the folder holds no file of an export.
    """
    if time_zone not in known_time_zones():
        raise UsageError(
            f"There is no time zone {time_zone!r}: an IANA name such as Europe/Berlin is needed."
        )
    found = _find(folder)
    total = sum(file.path.stat().st_size for file in found.files)
    done = 0
    with LandingBatch(landing) as batch:
        running = _Import(batch)
        for file in found.files:
            progress(f"reading {file.name}", done / total)
            running.read(file)
            done += file.path.stat().st_size
        progress("writing landing files", 1.0)
        running.write(time_zone)
    return ImportResult(
        files=batch.files,
        rows=dict(sorted(running.rows.items())),
        rejected=dict(sorted(running.rejected.items())),
        identities=running.people.identities(),
        inputs=tuple(running.inputs),
        unused=found.unused,
        problems=(*found.problems, *running.problems),
    )


@dataclass(frozen=True)
class _Found:
    files: tuple[ExportFile, ...]
    unused: tuple[UnusedFile, ...]
    problems: tuple[Problem, ...]


def _find(folder: Path) -> _Found:
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: the folder of a Fitbit export is needed.")
    files: list[ExportFile] = []
    unused: list[UnusedFile] = []
    problems: list[Problem] = []
    for path, name in files_below(folder):
        try:
            file = recognise(path, name)
        except UnreadableFileError:
            problems.append(Problem(name, None, None, "unreadable_file"))
        else:
            if isinstance(file, ExportFile):
                files.append(file)
            else:
                unused.append(UnusedFile(name, file))
    if not files:
        looked_for = ", ".join(kind.label for kind in formats.READ_KINDS)
        raise UsageError(
            f"{folder} holds no file of a Fitbit export: looked here and below for CSV files, plain "
            f"or gzip, with the headers of {looked_for}."
        )
    return _Found(tuple(files), tuple(unused), tuple(problems))


@dataclass
class _Import:
    """The import while it runs: what was read and counted so far."""

    batch: LandingBatch
    people: People = field(default_factory=People)
    rows: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    inputs: list[InputFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _kept: dict[Kind, list[FileRows]] = field(default_factory=dict)
    _latest: dict[str, datetime] = field(default_factory=dict)

    def read(self, file: ExportFile) -> None:
        """Read a file as a whole, or name it as one that cannot be read."""
        try:
            with RejectedRows(self.batch, file) as rejected:
                count = self._read_rows(file, rejected)
        except UnreadableFileError:
            self.problems.append(Problem(file.name, None, None, "unreadable_file"))
            return
        self.inputs.append(InputFile(file.name, file.kind.label, count + rejected.count, rejected.count))
        self.rejected[file.kind.dataset] += rejected.count
        self.problems += rejected.problems

    def write(self, time_zone: str) -> None:
        """Write what was kept back until all files were read."""
        for merged in merge_files(self._kept, order_files(self._latest)):
            latest = pc.max(merged.rows[merged.moment]).as_py()
            self._write(merged.rows, dataset=merged.dataset, name=f"{merged.name}-{latest:%Y-%m-%d}")
        users = self.people.user_rows(time_zone)
        if users.num_rows:
            self._write(users, dataset="users", name="users")

    def _read_rows(self, file: ExportFile, rejected: RejectedRows) -> int:
        """Read a file's rows; how many there are."""
        chunks = self._mapped(file, rejected)
        seen = _Seen(file)
        if file.kind is formats.HEART_RATE:
            self._stream_rows(chunks, seen)
        else:
            tables = list(seen.each(chunks))
            if tables:
                rows = pa.concat_tables(tables)
                self._kept.setdefault(file.kind, []).append(FileRows(file.name, rows))
        if seen.latest is not None:
            self._latest[file.name] = seen.latest
        self.people.note_origins(seen.first_origins)
        return seen.count

    def _mapped(self, file: ExportFile, rejected: RejectedRows) -> Iterator[pa.Table]:
        for lines in read_lines(file, malformed=rejected.add_malformed):
            mapped = map_lines(lines, file, self.people)
            rejected.add(mapped)
            if mapped.rows.num_rows:
                yield mapped.rows

    def _stream_rows(self, chunks: Iterator[pa.Table], seen: _Seen) -> None:
        """Write rows as they come: heart rate by the second does not fit into memory.

        Exports that overlap both keep theirs; the ingest counts a person's second once.
        """
        first = next(chunks, None)
        if first is None:
            return
        part = self.batch.start("health_readings")
        with open_parquet(part, first.schema, plain_columns=_PLAIN) as writer:
            for rows in seen.each(chain([first], chunks)):
                writer.write_table(rows)
        self.batch.finish(part, f"fitbit-heart-rate-{seen.latest:%Y-%m-%d}-{{digest}}.parquet")
        self.rows["health_readings"] += seen.count

    def _write(self, rows: pa.Table, *, dataset: str, name: str) -> None:
        part = self.batch.start(dataset)
        write_parquet(rows, part, plain_columns=_PLAIN)
        # The latest day in a name puts what counts more behind what counts less.
        self.batch.finish(part, f"fitbit-{name}-{{digest}}.parquet")
        self.rows[dataset] += rows.num_rows


@dataclass
class _Seen:
    """What has gone by of a file's rows: their number, latest time and everyone's first."""

    file: ExportFile
    count: int = 0
    latest: datetime | None = None
    first_origins: dict[int, str] = field(default_factory=dict)

    def each(self, chunks: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """The same chunks, while they go by."""
        for rows in chunks:
            self._note(rows)
            yield rows

    def _note(self, rows: pa.Table) -> None:
        self.count += rows.num_rows
        latest = pc.max(rows[self.file.kind.moment].cast(pa.timestamp("us"))).as_py()
        self.latest = max(self.latest or latest, latest)
        users, first = np.unique(rows["user_id"].to_numpy(), return_index=True)
        for user, place in zip(users.tolist(), first.tolist(), strict=True):
            if user not in self.first_origins:
                self.first_origins[user] = rows["origin"][place].as_py()
