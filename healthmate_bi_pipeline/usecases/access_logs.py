"""Import of access logs: files of web servers → landing files of ``api_requests``.

Lines are split and read by the engine, which spills what does not fit into memory; rows are written as a stream.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.catalog.datasets import API_REQUESTS
from healthmate_bi_pipeline.errors import UnreadableFileError, UsageError
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.sources import landing
from healthmate_bi_pipeline.sources.imports import (
    MAX_PROBLEMS_PER_FILE,
    ImportResult,
    InputFile,
    Problem,
)
from healthmate_bi_pipeline.sources.writing import LandingBatch, open_parquet
from healthmate_bi_pipeline.transforms import access_logs
from healthmate_bi_pipeline.transforms.access_logs import LogOptions
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.usecases.collect import enter
from healthmate_bi_pipeline.usecases.pipeline import Pipeline

SOURCE = "access log"
FORMAT = "access-log"

_SCHEMA = pa.schema(
    [
        ("service", pa.string()),
        ("environment", pa.string()),
        ("instance_id", pa.string()),
        ("route", pa.string()),
        ("status_code", pa.string()),
        ("duration_ms", pa.float64()),
        ("occurred_at", pa.string()),
        ("request_id", pa.string()),
        ("source", pa.string()),
        ("origin", pa.string()),
    ]
)
_PLAIN = ("request_id", "origin")  # different in every row
_FINGERPRINT_BYTES = 1024


@dataclass(frozen=True)
class LogPlace:
    """Whose log it is."""

    service: str
    environment: str
    instance_id: str


@dataclass
class _Import:
    """The import while it runs."""

    pipeline: Pipeline
    batch: LandingBatch
    place: LogPlace
    options: LogOptions
    inputs: list[InputFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    rows: int = 0
    rejected: int = 0


def import_access_logs(
    pipeline: Pipeline, files: Sequence[Path], *, place: LogPlace, options: LogOptions
) -> ImportResult:
    """Turn access logs into landing files.

    A log is known by its first 1,024 bytes, and a request by its line in it: a log that has grown since, or was
    renamed or packed, counts once. A file that cannot be read to its end is left out as a whole and named.

    Args:
        pipeline: where to.
        files: plain or gzip, in any order.
        place: whose log it is; the lines do not say.
        options: what else they do not tell.

    Raises:
        UsageError: a file does not exist, or a name is empty or the star that stands for all.
    """
    _check(files, place)
    with LandingBatch(pipeline.settings.landing_path) as batch:
        running = _Import(pipeline, batch, place, options)
        for number, path in enumerate(files):
            pipeline.progress(f"reading {path.name}", number / len(files))
            try:
                _import_file(running, path)
            except (UnreadableFileError, OSError):
                running.problems.append(Problem(path.name, None, None, "unreadable_file"))
        pipeline.progress("writing landing files", 1.0)
    detail = {"format": FORMAT, "files": len(running.inputs), "rejected": running.rejected}
    enter(pipeline, "import", detail, running.rows)
    return ImportResult(
        files=batch.files,
        rows={API_REQUESTS.name: running.rows},
        rejected={API_REQUESTS.name: running.rejected},
        identities=None,
        inputs=tuple(running.inputs),
        unused=(),
        problems=tuple(running.problems),
    )


def _check(files: Sequence[Path], place: LogPlace) -> None:
    for path in files:
        if not path.is_file():
            raise UsageError(f"{path} is no file: the files of an access log are needed.")
    for name in (place.service, place.environment, place.instance_id):
        if name.strip() in ("", "*"):
            raise UsageError("Service, environment and instance need a name; * stands for all of them.")


def _import_file(running: _Import, path: Path) -> None:
    """Read a file as a whole; nothing of it is written when it cannot be read to its end."""
    place, name = running.place, path.name
    constants = {"service": place.service, "source": SOURCE}
    with running.pipeline.engine() as engine:
        plain = landing.unpacked(path, label=name, scratch=engine.scratch)
        text = engine.lines_file(plain)
        read, others = _read_lines(engine, text.rows, running.options)
        rejected = engine.store(
            access_logs.rejected_rows([*others, text.rejected], constants=constants, file_name=name)
        )
        found = access_logs.landing_rows(
            read,
            constants={**constants, "environment": place.environment, "instance_id": place.instance_id},
            file_name=name,
            fingerprint=_fingerprint(plain),
            fields=_SCHEMA.names,
        )
        part, rows = _write(running.batch, engine, found)
        bad_part, bad = _write(running.batch, engine, rejected)
        lines = [row["row_number"] for row in engine.rows(rejected.limit(MAX_PROBLEMS_PER_FILE))]
    for finished, count, label in ((part, rows, "access-log"), (bad_part, bad, "access-log-rejected")):
        if count:
            running.batch.finish(finished, f"{label}-{{digest}}.parquet")
    running.rows += rows
    running.rejected += bad
    running.inputs.append(InputFile(name, FORMAT, rows + bad, bad))
    running.problems += [Problem(name, line, None, "malformed_line") for line in lines]


def _read_lines(engine: Engine, lines: ir.Table, options: LogOptions) -> tuple[ir.Table, list[ir.Table]]:
    """Lines of either kind as rows, and those of no kind."""
    objects, others = engine.json_members(lines, access_logs.json_members(options))
    parts = [
        engine.store(access_logs.split_json(objects)),
        engine.store(access_logs.split_combined(others)),
    ]
    # In steps that are stored: one expression would look at each line a dozen times.
    grouped = [engine.store(access_logs.with_path_group(part)) for part in parts]
    read = union_all(access_logs.read_rows(part, options) for part in grouped)
    return read, [part.filter(~part.is_read) for part in parts]


def _write(batch: LandingBatch, engine: Engine, rows: ir.Table) -> tuple[Path, int]:
    """Write rows as a landing file that is not finished yet; how many there are.

    All files have the same columns: one that only some had would count as lost in the others.
    """
    part, count = batch.start(API_REQUESTS.name), 0
    types = ibis.Schema.from_pyarrow(_SCHEMA)
    absent = {name: ibis.null(dtype) for name, dtype in types.items() if name not in rows.columns}
    with open_parquet(part, _SCHEMA, plain_columns=_PLAIN) as writer:
        for piece in engine.stream(rows.mutate(**absent), schema=_SCHEMA):
            writer.write_batch(piece)
            count += piece.num_rows
    return part, count


def _fingerprint(path: Path) -> str:
    """What a log is known by: a hash of how it begins, which stays while it grows."""
    with path.open("rb") as file:
        return hashlib.sha256(file.read(_FINGERPRINT_BYTES)).hexdigest()[:16]
