"""Ingest: landing files → staged rows, each file once.

A file is known by the hash of its bytes. Its rows and a mark with the hash are one commit of the lake, so a
run that is killed leaves a file either wholly staged or not at all; the warehouse's books follow and are
mended from the lake if the kill came between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.datasets import DATASET_BY_NAME, Dataset
from healthmate_bi_pipeline.catalog.lake_tables import staged_table
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import DataError, SchemaError, UnreadableFileError
from healthmate_bi_pipeline.lake.engine import Engine, TextFile
from healthmate_bi_pipeline.lake.first_day import move_first_day_back
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.sources import landing
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.stage import LandingFile, rejected_lines, stage_rows
from healthmate_bi_pipeline.usecases.moved_ids import index_ids
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline
from healthmate_bi_pipeline.usecases.staged_tally import StagedTally
from healthmate_bi_pipeline.warehouse import books, runs

FILES_AT_ONCE = 50
BYTES_AT_ONCE = 512 << 20
_ANY_TIME = Window.of_days(UNPARTITIONED, UNPARTITIONED)


@dataclass(frozen=True)
class _NewFile:
    """A file that has not been staged yet."""

    found: landing.FoundFile
    file_hash: str
    number: int


def ingest(pipeline: Pipeline, dataset: Dataset) -> Built:
    """Stage the files of a dataset that are new.

    A file that cannot be used is left where it lies and named in a message; the others go on.
    """
    asset = f"staged/{dataset.name}"
    found = landing.find_files(pipeline.settings.landing_path, dataset)
    with pipeline.warehouse.hold(asset, _ANY_TIME), pipeline.recorded(asset, None) as tally:
        files = _new_files(pipeline, dataset, found)
        messages: list[str] = []
        total = StagedTally()
        for batch in _batches(files):
            counted = _stage_batch(pipeline, dataset, batch, messages)
            total.add(counted)
            tally.rows += counted.rows
            pipeline.progress(f"reading {dataset.name}", (files.index(batch[-1]) + 1) / len(files))
    messages += total.messages(dataset, {file.number: file.found.name for file in files})
    counts = {
        "files": total.files, "lines": total.lines, "rejected": total.rejected, "staged": total.staged,
        "undated": total.undated,
    }  # fmt: skip
    return Built({UNPARTITIONED: total.rows}, counts, tuple(messages))


def new_file_count(pipeline: Pipeline, dataset: Dataset) -> int:
    """How many files of a dataset wait in the landing folder."""
    found = landing.find_files(pipeline.settings.landing_path, dataset)
    hashes = {landing.hash_file(file.path) for file in found}
    with pipeline.warehouse.transaction() as connection:
        return len(hashes - books.known_files(connection, dataset.name, hashes))


def unknown_folder_messages(pipeline: Pipeline) -> tuple[str, ...]:
    """A line for each landing folder that is no dataset's."""
    folders = landing.unknown_folders(pipeline.settings.landing_path, frozenset(DATASET_BY_NAME))
    known = ", ".join(DATASET_BY_NAME)
    return tuple(f"landing/{folder}: no such dataset; expected one of {known}." for folder in folders)


def _new_files(pipeline: Pipeline, dataset: Dataset, found: Sequence[landing.FoundFile]) -> list[_NewFile]:
    by_hash: dict[str, landing.FoundFile] = {}
    for number, file in enumerate(found):
        by_hash.setdefault(landing.hash_file(file.path), file)
        pipeline.progress(f"looking at {dataset.name}", (number + 1) / len(found))
    with pipeline.warehouse.transaction() as connection:
        known = books.known_files(connection, dataset.name, by_hash)
        number = books.next_file_number(connection)
    fresh = [(file_hash, file) for file_hash, file in by_hash.items() if file_hash not in known]
    return [_NewFile(file, file_hash, number + place) for place, (file_hash, file) in enumerate(fresh)]


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


def _stage_batch(
    pipeline: Pipeline, dataset: Dataset, batch: list[_NewFile], messages: list[str]
) -> StagedTally:
    """Stage some files in one commit; if one of them turns out to be damaged, each by itself."""
    try:
        return _stage_together(pipeline, dataset, batch, messages)
    except UnreadableFileError as error:
        if len(batch) == 1:
            messages.append(f"{dataset.name}/{batch[0].found.name}: unreadable_file: {error}")
            return StagedTally()
    total = StagedTally()
    for file in batch:
        total.add(_stage_batch(pipeline, dataset, [file], messages))
    return total


def _stage_together(
    pipeline: Pipeline, dataset: Dataset, batch: list[_NewFile], messages: list[str]
) -> StagedTally:
    name = staged_table(dataset).name
    refused: list[str] = []
    with pipeline.engine() as engine:
        parts: list[ir.Table] = []
        taken: list[_NewFile] = []
        for file in batch:
            mark = _mark(file.file_hash)
            if pipeline.lake.has_mark(name, mark):  # staged by a run that was killed before it kept its books
                parts_of_file = _staged_rows_of(pipeline, engine, dataset, file)
                _register(pipeline, dataset, [file], _tally_of(engine, dataset, parts_of_file), {})
                continue
            try:
                parts += _rows_of(engine, dataset, file, pipeline)
            except (UnreadableFileError, SchemaError) as error:
                refused.append(str(error))
                continue
            taken.append(file)
        messages += refused
        if not taken:
            return StagedTally()
        rows = union_all(parts)
        moved = index_ids(pipeline, engine, dataset, rows)
        tally = StagedTally()
        schema = arrow_schema(staged_table(dataset).columns)
        stream = tally.watching(engine.stream(rows, schema=schema), dataset)
        try:
            pipeline.lake.append(
                name,
                stream,
                partition_by="day" if dataset.is_partitioned else None,
                marks=[_mark(file.file_hash) for file in taken],
            )
        except Exception as error:
            # The lake's writer wraps what the stream raised in an error of its own.
            if tally.error is not None:
                raise UnreadableFileError(_reason(tally.error)) from error
            raise
    _register(pipeline, dataset, taken, tally, moved)
    return tally


def _reason(error: BaseException) -> str:
    return error.args[0] if isinstance(error, DataError) else "the data are damaged or cut off."


def _rows_of(engine: Engine, dataset: Dataset, file: _NewFile, pipeline: Pipeline) -> list[ir.Table]:
    """The staged rows of one file, and its lines that could not be split."""
    opened = landing.open_file(file.found, dataset, scratch=engine.scratch)
    known = LandingFile(file.file_hash, file.number, pipeline.utc_now)
    if opened.format is landing.Format.PARQUET:
        renamed = opened.renamed(dataset)
        rows = engine.parquet_file(opened.path)
        rows = rows.select("row_number", **{name: rows[column] for column, name in renamed.items()})
        return [stage_rows(rows, dataset, known)]
    if opened.format is landing.Format.CSV:
        names = [
            opened.renamed(dataset).get(column, f"_{place}") for place, column in enumerate(opened.columns)
        ]
        text = engine.csv_file(opened.path, names=names, delimiter=opened.delimiter)
    else:
        text = engine.json_lines_file(opened.path, names=[field.name for field in dataset.fields])
    return _staged_text(text, dataset, known)


def _staged_text(text: TextFile, dataset: Dataset, known: LandingFile) -> list[ir.Table]:
    return [stage_rows(text.rows, dataset, known), rejected_lines(text.rejected, dataset, known)]


def _mark(file_hash: str) -> str:
    return f"file:{file_hash}"


def _staged_rows_of(pipeline: Pipeline, engine: Engine, dataset: Dataset, file: _NewFile) -> ir.Table:
    table = staged_table(dataset)
    partition_by = "day" if dataset.is_partitioned else None
    rows = engine.scan(
        pipeline.lake.files(table.name), schema=arrow_schema(table.columns), partition_by=partition_by
    )
    return rows.filter(rows.file_hash == file.file_hash)


def _tally_of(engine: Engine, dataset: Dataset, rows: ir.Table) -> StagedTally:
    tally = StagedTally()
    for _batch in tally.watching(
        engine.stream(rows, schema=arrow_schema(staged_table(dataset).columns)), dataset
    ):
        pass
    return tally


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
            **tally.of_file(file.number, moved_days),
        )
        for file in files
    ]
    if tally.first_day is not None:
        # Before the books: a day that the definitions do not know yet must not be on them.
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
