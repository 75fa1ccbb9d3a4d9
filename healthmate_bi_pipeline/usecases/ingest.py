"""Ingest: landing files → staged rows, each file once.

A file is known by the hash of its bytes. Its rows and a mark with the hash are one commit of the lake, so a
run that is killed leaves a file either wholly staged or not at all; the warehouse's books follow and are
mended from the lake if the kill came between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.datasets import DATASET_BY_NAME, Dataset
from healthmate_bi_pipeline.catalog.lake_tables import staged_table
from healthmate_bi_pipeline.domain.file_columns import UNTYPED, kept_columns
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import DataError, SchemaError, UnreadableFileError
from healthmate_bi_pipeline.lake.engine import Engine, TextFile
from healthmate_bi_pipeline.lake.first_day import move_first_day_back
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.lake.writing import append_rows
from healthmate_bi_pipeline.sources import landing
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.stage import LandingFile, rejected_lines, stage_rows, with_lineage
from healthmate_bi_pipeline.usecases.moved_ids import index_ids
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline
from healthmate_bi_pipeline.usecases.staged_tally import StagedTally
from healthmate_bi_pipeline.warehouse import books, runs

FILES_AT_ONCE = 50
BYTES_AT_ONCE = 512 << 20
_ANY_TIME = Window.of_days(UNPARTITIONED, UNPARTITIONED)


@dataclass(frozen=True)
class _NewFile:
    """A file that has not been staged yet; its columns are known once it is read."""

    found: landing.FoundFile
    file_hash: str
    number: int
    columns: Mapping[str, str] | None = None


@dataclass
class _Notes:
    """What an import has staged so far, and why it could not use some files: a line each."""

    total: StagedTally = field(default_factory=StagedTally)
    messages: list[str] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)

    def add(self, files: Sequence[_NewFile], tally: StagedTally) -> None:
        """Count staged files in."""
        self.total.add(tally)
        self.names |= {file.number: file.found.name for file in files}


def ingest(pipeline: Pipeline, dataset: Dataset) -> Built:
    """Stage the files of a dataset that are new.

    A file that cannot be used is left where it lies and named in a message; the others go on.
    """
    asset = f"staged/{dataset.name}"
    found = landing.find_files(pipeline.settings.landing_path, dataset)
    notes = _Notes()
    with pipeline.warehouse.hold(asset, _ANY_TIME), pipeline.recorded(asset, None) as tally:
        files = _without_staged(pipeline, dataset, _new_files(pipeline, dataset, found, notes), notes)
        for batch in _batches(files):
            _stage_batch(pipeline, dataset, batch, notes)
            tally.rows = notes.total.rows
            pipeline.progress(f"reading {dataset.name}", (files.index(batch[-1]) + 1) / len(files))
    total, messages = notes.total, [*notes.messages, *notes.total.messages(dataset, notes.names)]
    counts = {
        "files": total.files, "lines": total.lines, "rejected": total.rejected, "staged": total.staged,
        "undated": total.undated, "refused": len(notes.messages),
    }  # fmt: skip
    return Built({UNPARTITIONED: total.rows}, counts, tuple(messages))


def new_file_count(pipeline: Pipeline, dataset: Dataset) -> int:
    """How many files of a dataset wait in the landing folder."""
    found = landing.find_files(pipeline.settings.landing_path, dataset)
    hashes = set(_by_hash(pipeline, dataset, found, []))
    with pipeline.warehouse.transaction() as connection:
        return len(hashes - books.known_files(connection, dataset.name, hashes))


def unknown_folder_messages(pipeline: Pipeline) -> tuple[str, ...]:
    """A line for each landing folder that is no dataset's."""
    folders = landing.unknown_folders(pipeline.settings.landing_path, frozenset(DATASET_BY_NAME))
    known = ", ".join(DATASET_BY_NAME)
    return tuple(f"landing/{folder}: no such dataset; expected one of {known}." for folder in folders)


def read_file(
    engine: Engine, dataset: Dataset, found: landing.FoundFile, *, number: int, now: datetime
) -> tuple[ir.Table, dict[str, str]]:
    """The rows of one file as they would be staged, and its columns as the books would keep them.

    Raises:
        UnreadableFileError: it cannot be opened or parsed.
        SchemaError: a required column is missing.
    """
    read = _ReadRows()
    columns = read.add(engine, dataset, _NewFile(found, file_hash="", number=number), now=now)
    return read.staged(dataset), columns


def _by_hash(
    pipeline: Pipeline, dataset: Dataset, found: Sequence[landing.FoundFile], messages: list[str]
) -> dict[str, landing.FoundFile]:
    """Files by their content; one that is there twice once."""
    by_hash: dict[str, landing.FoundFile] = {}
    for number, file in enumerate(found):
        try:
            by_hash.setdefault(landing.hash_file(file.path), file)
        except OSError as error:  # taken away meanwhile, or not ours to read
            messages.append(_unreadable(dataset, file, error))
        pipeline.progress(f"looking at {dataset.name}", (number + 1) / len(found))
    return by_hash


def _new_files(
    pipeline: Pipeline, dataset: Dataset, found: Sequence[landing.FoundFile], notes: _Notes
) -> list[_NewFile]:
    by_hash = _by_hash(pipeline, dataset, found, notes.messages)
    with pipeline.warehouse.transaction() as connection:
        known = books.known_files(connection, dataset.name, by_hash)
        number = books.next_file_number(connection)
    fresh = [(file_hash, file) for file_hash, file in by_hash.items() if file_hash not in known]
    return [_NewFile(file, file_hash, number + place) for place, (file_hash, file) in enumerate(fresh)]


def _unreadable(dataset: Dataset, file: landing.FoundFile, error: OSError) -> str:
    return f"{dataset.name}/{file.name}: unreadable_file: {error.strerror or 'it cannot be opened'}."


def _without_staged(
    pipeline: Pipeline, dataset: Dataset, files: list[_NewFile], notes: _Notes
) -> list[_NewFile]:
    """Mend the books of files that a run staged before it was killed; the others."""
    marks = {_mark(file.file_hash) for file in files}
    staged = pipeline.lake.known_marks(staged_table(dataset).name, marks) if marks else set()
    for file in files:
        if _mark(file.file_hash) not in staged:
            continue
        with pipeline.engine() as engine:
            rows = _staged_rows_of(pipeline, engine, dataset, file)
            moved = index_ids(pipeline, engine, dataset, rows)
            tally = StagedTally.of(engine, rows, dataset)
            columns = _columns_of(pipeline, engine, dataset, file)
        # Under the number that the lake knows it by.
        number = next((number for number, _, _ in tally.counts), file.number)
        known = replace(file, number=number, columns=columns)
        _register(pipeline, dataset, [known], tally, moved)
        notes.add([known], tally)
    return [file for file in files if _mark(file.file_hash) not in staged]


def _columns_of(
    pipeline: Pipeline, engine: Engine, dataset: Dataset, file: _NewFile
) -> Mapping[str, str] | None:
    """The columns of a file whose rows are staged; ``None`` where it cannot be looked at any more."""
    try:
        return _ReadRows().add(engine, dataset, file, now=pipeline.utc_now)
    except (DataError, OSError):
        return None


def _batches(files: Sequence[_NewFile]) -> Iterator[list[_NewFile]]:
    """Files that are read together: many small ones cost one commit."""
    batch: list[_NewFile] = []
    for file in files:
        size = sum(member.found.size for member in batch)
        if batch and (len(batch) >= FILES_AT_ONCE or size + file.found.size > BYTES_AT_ONCE):
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch


def _stage_batch(pipeline: Pipeline, dataset: Dataset, batch: list[_NewFile], notes: _Notes) -> None:
    """Stage some files in one commit; if one of them turns out to be damaged, each by itself."""
    try:
        _stage_together(pipeline, dataset, batch, notes)
    except DataError as error:
        if len(batch) == 1:
            notes.messages.append(f"{dataset.name}/{batch[0].found.name}: unreadable_file: {error}")
            return
        for file in batch:
            _stage_batch(pipeline, dataset, [file], notes)


def _stage_together(pipeline: Pipeline, dataset: Dataset, batch: list[_NewFile], notes: _Notes) -> None:
    name = staged_table(dataset).name
    refused: list[str] = []
    read = _ReadRows()
    taken: list[_NewFile] = []
    tally = StagedTally()
    with pipeline.engine() as engine:
        for file in batch:
            try:
                columns = read.add(engine, dataset, file, now=pipeline.utc_now)
                taken.append(replace(file, columns=columns))
            except (UnreadableFileError, SchemaError) as error:
                refused.append(str(error))
            except (FileNotFoundError, PermissionError) as error:
                refused.append(_unreadable(dataset, file.found, error))
        if taken:
            rows = read.staged(dataset)
            moved = index_ids(pipeline, engine, dataset, rows)
            tally = StagedTally.of(engine, rows, dataset)
            append_rows(
                pipeline.lake,
                engine,
                name,
                rows,
                schema=arrow_schema(staged_table(dataset).columns),
                partition_by="day" if dataset.is_partitioned else None,
                partitions=tally.days,
                marks=[_mark(file.file_hash) for file in taken],
            )
    if taken:
        _register(pipeline, dataset, taken, tally, moved)
    notes.messages += refused
    notes.add(taken, tally)


@dataclass
class _ReadRows:
    """Rows of files as they came. Those of the same columns are staged together: planning costs per table."""

    rows: dict[ibis.Schema, list[ir.Table]] = field(default_factory=dict)
    rejected: list[ir.Table] = field(default_factory=list)

    def add(self, engine: Engine, dataset: Dataset, file: _NewFile, *, now: datetime) -> dict[str, str]:
        """Read a file; its columns as they are kept."""
        opened = landing.open_file(file.found, dataset, scratch=engine.scratch)
        known = LandingFile(file.file_hash, file.number, now)
        columns = opened.typed_columns
        if opened.format is landing.Format.PARQUET:
            parquet = engine.parquet_file(opened.path)
            wanted = {name: parquet[column] for column, name in opened.renamed(dataset).items()}
            rows = parquet.select("row_number", **wanted)
        else:
            text = _text_of(engine, dataset, opened)
            columns += [(name, UNTYPED) for name in text.members]
            names = [name for name in text.rows.columns if not name.startswith("_")]
            rows = text.rows.select(*names)
            self.rejected.append(with_lineage(text.rejected, known))
        rows = with_lineage(rows.select(*sorted(rows.columns)), known)
        self.rows.setdefault(rows.schema(), []).append(rows)
        return kept_columns(columns, [field.name for field in dataset.fields])

    def staged(self, dataset: Dataset) -> ir.Table:
        """All rows, staged."""
        parts = [stage_rows(union_all(alike), dataset) for alike in self.rows.values()]
        if self.rejected:
            parts.append(rejected_lines(union_all(self.rejected), dataset))
        return union_all(parts)


def _text_of(engine: Engine, dataset: Dataset, opened: landing.OpenedFile) -> TextFile:
    if opened.format is landing.Format.NDJSON:
        return engine.json_lines_file(opened.path, names=[field.name for field in dataset.fields])
    known = opened.renamed(dataset)
    names = [known.get(column, f"_{place}") for place, column in enumerate(opened.columns)]
    return engine.csv_file(opened.path, names=names, delimiter=opened.delimiter)


def _mark(file_hash: str) -> str:
    return f"file:{file_hash}"


def _staged_rows_of(pipeline: Pipeline, engine: Engine, dataset: Dataset, file: _NewFile) -> ir.Table:
    table = staged_table(dataset)
    partition_by = "day" if dataset.is_partitioned else None
    rows = engine.scan(
        pipeline.lake.files(table.name), schema=arrow_schema(table.columns), partition_by=partition_by
    )
    return rows.filter(rows.file_hash == file.file_hash)


def _register(
    pipeline: Pipeline,
    dataset: Dataset,
    files: Sequence[_NewFile],
    tally: StagedTally,
    moved_days: dict[date, int],
) -> None:
    """Keep the books of staged files: the files, their days, the first day, the audit log."""
    accounts = [
        books.FileAccount(
            file_hash=file.file_hash,
            dataset=dataset.name,
            file_number=file.number,
            name=file.found.name,
            bytes=file.found.size,
            first_seen_at=pipeline.now,
            columns=file.columns,
            **tally.of_file(file.number, moved_days),
        )
        for file in files
    ]
    if tally.first_day is not None:
        # Before the books: a day that the definitions do not know yet must not be on them. Held, because two
        # datasets that are read at once would each compare with the day before either moved it.
        with pipeline.warehouse.hold("lake/first_day", _ANY_TIME):
            move_first_day_back(pipeline.lake, tally.first_day)
    with pipeline.warehouse.transaction() as connection:
        books.register_files(connection, accounts)
        runs.record_action(
            connection,
            actor=pipeline.actor,
            action="ingest",
            object=f"staged/{dataset.name}",
            window=None,
            rows=tally.rows,
            outcome="done",
            detail={"files": [file.file_hash for file in files]},
            now=pipeline.now,
        )
