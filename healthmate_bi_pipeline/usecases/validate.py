"""Validate: what would be set aside of files, said beforehand; nothing is staged.

A file is read, staged and judged by the code that does it in earnest, but by itself: without the people's
records, without the rows that are there already, and with only what it says itself of the months before.
Neither a home nor a database is needed.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.datasets import (
    COMMON,
    DATASET_BY_NAME,
    DATASETS,
    HEALTH_READINGS,
    USERS,
    Dataset,
)
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.domain.file_columns import unread_columns, with_meant
from healthmate_bi_pipeline.domain.period import Window, midnight
from healthmate_bi_pipeline.errors import DataError, SchemaError, UnreadableFileError, UsageError
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.sources import landing
from healthmate_bi_pipeline.transforms import clock, conform, suspicions
from healthmate_bi_pipeline.usecases.conform import classify
from healthmate_bi_pipeline.usecases.ingest import read_file
from healthmate_bi_pipeline.usecases.pipeline import Progress
from healthmate_bi_pipeline.usecases.set_aside import message, quarantined_places
from healthmate_bi_pipeline.usecases.staged_tally import StagedTally

_NUMBER = 1  # a file that is validated is the only one
_ANY = Dataset(
    "file",
    "Any dataset.",
    tuple(
        {
            field.name: replace(field, is_required=False) for dataset in DATASETS for field in dataset.fields
        }.values()
    ),
    keys=(),
)


@dataclass(frozen=True)
class FileVerdict:
    """What would become of a file.

    Attributes:
        path: the file.
        dataset: what it was taken for; ``None`` when the file could not be used.
        lines: its records.
        rows: those that can be split.
        good: those that break no rule.
        messages: one line per rule, as ``run`` would say it.
        notes: what may be meant so: optional columns that it has not, and columns that nobody reads.
    """

    path: Path
    dataset: str | None
    lines: int = 0
    rows: int = 0
    good: int = 0
    messages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether all of it would be taken."""
        return not self.messages


def validate_files(
    paths: Sequence[Path], *, dataset: str | None, settings: Settings, now: datetime, progress: Progress
) -> Iterator[FileVerdict]:
    """Judge files one after the other.

    Args:
        paths: files.
        dataset: what they are rows of; told by folder, name or columns when not given.
        settings: how much memory may be used, and what is done with slips.
        now: the instant that counts as now, UTC, naive.
        progress: told how far it is.

    Raises:
        UsageError: there is no such dataset.
    """
    if dataset is not None and dataset not in DATASET_BY_NAME:
        raise UsageError(f"There is no dataset {dataset}; expected one of {', '.join(DATASET_BY_NAME)}.")
    for number, path in enumerate(paths):
        progress(f"reading {path.name}", number / len(paths))
        with (
            tempfile.TemporaryDirectory(prefix="healthmate-") as scratch,
            Engine(settings.engine, scratch=Path(scratch)) as engine,
        ):
            found = landing.FoundFile(path, path.name, path.stat().st_size)
            try:
                known = DATASET_BY_NAME[dataset] if dataset else find_dataset(found, scratch=engine.scratch)
                verdict = _judged(engine, found, known, settings=settings, now=now)
            except (UnreadableFileError, SchemaError, UsageError) as error:
                verdict = FileVerdict(path, None, messages=(str(error),))
            except DataError as error:
                verdict = FileVerdict(path, None, messages=(f"{path.name}: unreadable_file: {error}",))
        yield verdict
    progress("reading", 1.0)


def find_dataset(found: landing.FoundFile, *, scratch: Path) -> Dataset:
    """What a file is rows of: by the folders that it lies in, its name, its columns.

    Raises:
        UsageError: none of them tells.
        UnreadableFileError: it has no columns that could be read.
    """
    for folder in found.path.resolve().parents:
        if folder.name in DATASET_BY_NAME:
            return DATASET_BY_NAME[folder.name]
    for dataset in DATASETS:
        if found.path.name.lower().startswith(dataset.name):
            return dataset
    columns = _columns(landing.open_file(found, _ANY, scratch=scratch))
    general = {field.name for field in COMMON} | {"user_id"}
    scores = {
        dataset.name: len({field.name for field in dataset.fields} & columns - general)
        for dataset in DATASETS
        if columns.issuperset(dataset.required)
    }
    best = max(scores.values(), default=0)
    names = [name for name, score in scores.items() if score == best]
    if best == 0 or len(names) > 1:
        raise UsageError(
            f"{found.name}: neither folder, name nor columns tell what it is rows of. Say it with --dataset:"
            f" {', '.join(DATASET_BY_NAME)}."
        )
    return DATASET_BY_NAME[names[0]]


def _columns(opened: landing.OpenedFile) -> set[str]:
    """The names of a file's columns; of NDJSON those of its first object."""
    if opened.format is not landing.Format.NDJSON:
        return {column.strip().lower() for column in opened.columns}
    with opened.path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                return set(row)
    return set()


def _judged(
    engine: Engine, found: landing.FoundFile, dataset: Dataset, *, settings: Settings, now: datetime
) -> FileVerdict:
    read, columns = read_file(engine, dataset, found, number=_NUMBER, now=now)
    staged = engine.store(read)
    tally = StagedTally.of(engine, staged, dataset)
    classified = _classified(engine, dataset, staged.filter(staged.defect.isnull()), settings)
    places = quarantined_places(engine, classified, None)
    messages = [
        *tally.messages(dataset, {_NUMBER: found.name}),
        *(
            message(dataset, found.name, rule=rule, first=first, count=count)
            for (_, rule), (count, first) in sorted(places.items())
        ),
    ]
    set_aside = sum(count for count, _ in places.values())
    return FileVerdict(
        found.path,
        dataset.name,
        tally.lines,
        tally.rows,
        tally.staged - set_aside,
        tuple(messages),
        tuple(_notes(columns, dataset)),
    )


def _notes(columns: Collection[str], dataset: Dataset) -> Iterator[str]:
    known = [field.name for field in dataset.fields]
    if absent := [name for name in known if name not in columns and name not in dataset.required]:
        yield f"It has none of the optional columns {', '.join(absent)}."
    if unread := unread_columns(columns, known):
        yield f"Nobody reads its columns {', '.join(with_meant(unread, columns, known))}."


def _classified(engine: Engine, dataset: Dataset, staged: ir.Table, settings: Settings) -> ir.Table:
    """What would become of the rows, were there no others."""
    if dataset is USERS:
        zones = engine.memory_table(conform.zone_table())
        return classify(engine, dataset, engine.store(conform.judge_users(staged, zones)), None)
    units = engine.memory_table(conform.unit_table())
    judged = engine.store(conform.judge(staged, dataset, stretches=_no_stretches(engine), units=units))
    if dataset is HEALTH_READINGS:
        baselines = engine.store(suspicions.reading_baselines(staged, units))
        found = engine.store(suspicions.suspected_rows(judged, baselines))
        judged = suspicions.with_suspicions(judged, found, repair=settings.plausibility.repair_slips)
    return classify(engine, dataset, judged, None)


def _no_stretches(engine: Engine) -> ir.Table:
    """The time zones of nobody."""
    users = engine.memory_table(arrow_schema(raw_table(USERS).columns).empty_table())
    today = midnight(datetime(1970, 1, 1).date())
    zones = engine.memory_table(clock.zone_stretches((), Window(today, today)))
    return engine.store(clock.person_stretches(users, zones))
