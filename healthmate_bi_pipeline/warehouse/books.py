"""The pipeline's books: files that were read, partitions that were made, people of other systems.

Functions on a connection, so that what they write is kept or lost together with the caller's transaction.
Instants come and go in UTC with their zone; a naive one is taken for UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from healthmate_bi_pipeline.catalog.tables import IDENTITIES, INGESTED_FILE_DAYS, INGESTED_FILES, PARTITIONS
from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.warehouse.schema import FILE_NUMBERS, SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from healthmate_bi_pipeline.domain.period import Window

_FILES = SQL_TABLES[INGESTED_FILES.name]
_FILE_DAYS = SQL_TABLES[INGESTED_FILE_DAYS.name]
_PARTITIONS = SQL_TABLES[PARTITIONS.name]
_IDENTITIES = SQL_TABLES[IDENTITIES.name]

IDENTITIES_AT_ONCE = 20_000


@dataclass(frozen=True)
class FileAccount:
    """A file that was read as a dataset: lines = rows + rejected, rows = staged + undated.

    Attributes:
        columns: the types of its columns as they came, by name (``domain.file_columns``); ``None``: not known.
        days: rows per staged day; a day may have none and yet be changed by the file.
    """

    file_hash: str
    dataset: str
    file_number: int
    name: str
    bytes: int
    lines: int
    rows: int
    rejected: int
    staged: int
    undated: int
    first_seen_at: datetime
    columns: Mapping[str, str] | None = None
    days: Mapping[date, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.lines != self.rows + self.rejected or self.rows != self.staged + self.undated:
            raise IntegrityError(
                f"{self.dataset}/{self.name}: the rows do not add up: {self.lines} lines, {self.rows} rows,"
                f" {self.rejected} rejected, {self.staged} staged, {self.undated} undated. This is a defect"
                " of the pipeline: the file was not registered."
            )


@dataclass(frozen=True)
class FileTotals:
    """The accounts of all files of a dataset, added up."""

    files: int = 0
    bytes: int = 0
    lines: int = 0
    rows: int = 0
    rejected: int = 0
    staged: int = 0
    undated: int = 0


@dataclass(frozen=True)
class PartitionRecord:
    """A partition that was made.

    Attributes:
        removed_at: when its rows were deleted because their time was over; the rest tells what it held.
        removed: of raw days: the ``counts`` that were deleted, and ``last_file``, the last file among them.
    """

    asset: str
    partition: date
    input_version: int
    output_version: int
    rows: int
    counts: Mapping[str, Any]
    run_id: str | None
    refreshed_at: datetime
    removed_at: datetime | None = None
    removed: Mapping[str, Any] | None = None


def known_files(connection: Connection, dataset: str, hashes: Collection[str]) -> set[str]:
    """Which of the files were read as this dataset before."""
    found = sa.select(_FILES.c.file_hash).where(
        _FILES.c.dataset == dataset,
        _FILES.c.file_hash == sa.any_(sa.literal(list(hashes), sa.ARRAY(sa.Text()))),
    )
    return set(connection.scalars(found))


def next_file_number(connection: Connection) -> int:
    """The first of a million numbers that nobody else is given, above all that were given before."""
    return int(connection.execute(sa.select(FILE_NUMBERS.next_value())).scalar_one())


def register_files(connection: Connection, accounts: Sequence[FileAccount]) -> int:
    """Enter files and their days; a file that is known changes nothing. How many were new."""
    if not accounts:
        return 0
    columns = INGESTED_FILES.column_names
    entered = connection.execute(
        insert(_FILES).on_conflict_do_nothing().returning(_FILES.c.dataset, _FILES.c.file_hash),
        [{name: getattr(account, name) for name in columns} for account in accounts],
    )
    new = {(row.dataset, row.file_hash) for row in entered}
    for account in accounts:
        if (account.dataset, account.file_hash) in new:
            note_days(connection, account.dataset, account.file_hash, account.days)
    return len(new)


def note_days(connection: Connection, dataset: str, cause: str, days: Mapping[date, int]) -> None:
    """Enter days that a file has rows for, or that something else changed.

    Args:
        connection: in a transaction.
        dataset: whose staged days they are.
        cause: the file's hash, or a name that stands in for one.
        days: rows per day.
    """
    # As two arrays: ten times as fast as a row of parameters each, and a file may have thousands of days.
    entered = (
        sa.func.unnest(
            sa.literal(list(days), sa.ARRAY(sa.Date())),
            sa.literal(list(days.values()), sa.ARRAY(sa.BigInteger())),
        )
        .table_valued("day", "rows")
        .render_derived(name="entered")
    )
    rows = sa.select(sa.literal(cause), sa.literal(dataset), entered.c.day, entered.c.rows)
    connection.execute(
        insert(_FILE_DAYS).from_select(["file_hash", "dataset", "day", "rows"], rows).on_conflict_do_nothing()
    )


def noted_days(connection: Connection, dataset: str, cause: str) -> dict[date, int]:
    """The days that were entered under a name that stands in for a file's hash."""
    found = sa.select(_FILE_DAYS.c.day, _FILE_DAYS.c.rows).where(
        _FILE_DAYS.c.dataset == dataset, _FILE_DAYS.c.file_hash == cause
    )
    return {row.day: row.rows for row in connection.execute(found)}


def file_hashes(connection: Connection, dataset: str) -> list[str]:
    """The hashes of all files that were read as a dataset, sorted."""
    return sorted(connection.scalars(sa.select(_FILES.c.file_hash).where(_FILES.c.dataset == dataset)))


def file_names(connection: Connection, dataset: str, numbers: Collection[int]) -> dict[int, str]:
    """The names of some files of a dataset, by their numbers."""
    found = sa.select(_FILES.c.file_number, _FILES.c.name).where(
        _FILES.c.dataset == dataset, _FILES.c.file_number.in_(sorted(numbers))
    )
    return {row.file_number: row.name for row in connection.execute(found)}


def file_totals(connection: Connection, dataset: str, *, window: Window | None = None) -> FileTotals:
    """The accounts of the files of a dataset, added up: of all, or of those with a row staged in a window."""
    added = [
        sa.func.coalesce(sa.func.sum(_FILES.c[column.name]), 0).cast(sa.BigInteger()).label(column.name)
        for column in fields(FileTotals)
        if column.name != "files"
    ]
    counted = sa.select(sa.func.count().label("files"), *added).where(_FILES.c.dataset == dataset)
    if window is not None:
        is_in_window = (
            (_FILE_DAYS.c.dataset == dataset)
            & (_FILE_DAYS.c.file_hash == _FILES.c.file_hash)
            & _FILE_DAYS.c.day.between(window.first_day, window.last_day)
        )
        counted = counted.where(sa.exists().where(is_in_window))
    return FileTotals(**connection.execute(counted).mappings().one())


# SHA-256 over the sorted hashes, its first 64 bits as a signed number: the same on every server and version,
# which PostgreSQL's own hash functions do not promise.
_STAGED_VERSIONS = sa.text(
    """
    SELECT day,
        ('x' || substr(encode(sha256(convert_to(hashes, 'UTF8')), 'hex'), 1, 16))::bit(64)::bigint
    FROM (
        SELECT day, string_agg(file_hash, ',' ORDER BY file_hash COLLATE "C") AS hashes
        FROM bi_ingested_file_days
        WHERE dataset = :dataset AND day BETWEEN :first AND :last AND rows >= 0
        GROUP BY day
    ) AS files_of_day
    ORDER BY day
    """
)


def staged_versions(connection: Connection, dataset: str, window: Window) -> dict[date, int]:
    """For each staged day of a window that has files, a hash (64 bits, signed) of the set of them."""
    rows = connection.execute(
        _STAGED_VERSIONS, {"dataset": dataset, "first": window.first_day, "last": window.last_day}
    )
    return {day: version for day, version in rows}  # noqa: C416 - rows are no pairs to the type checker


def staged_rows(connection: Connection, dataset: str, window: Window) -> dict[date, int]:
    """Rows that are staged for each day of a window; those that were deleted are taken off."""
    rows = connection.execute(
        sa.select(_FILE_DAYS.c.day, sa.func.sum(_FILE_DAYS.c.rows))
        .where(_FILE_DAYS.c.dataset == dataset, _FILE_DAYS.c.day.between(window.first_day, window.last_day))
        .group_by(_FILE_DAYS.c.day)
        .order_by(_FILE_DAYS.c.day)
    )
    return {day: int(count) for day, count in rows}


def first_seen(connection: Connection, dataset: str, window: Window) -> dict[date, datetime]:
    """For each day of a window with rows of a dataset, the instant at which the first of them were read."""
    rows = connection.execute(
        sa.select(_FILE_DAYS.c.day, sa.func.min(_FILES.c.first_seen_at))
        .join(
            _FILES,
            (_FILES.c.file_hash == _FILE_DAYS.c.file_hash) & (_FILES.c.dataset == _FILE_DAYS.c.dataset),
        )
        .where(
            _FILE_DAYS.c.dataset == dataset,
            _FILE_DAYS.c.day.between(window.first_day, window.last_day),
            _FILE_DAYS.c.rows > 0,
        )
        .group_by(_FILE_DAYS.c.day)
        .order_by(_FILE_DAYS.c.day)
    )
    return {day: instant for day, instant in rows}  # noqa: C416 - rows are no pairs to the type checker


def first_file_at(connection: Connection) -> datetime | None:
    """The instant at which the pipeline read its first file."""
    found: datetime | None = connection.scalar(sa.select(sa.func.min(_FILES.c.first_seen_at)))
    return found


def intake_counts(connection: Connection) -> tuple[int, int, int]:
    """What grows whenever something is read or taken up again: files, the last file's number, their days."""
    files, last = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(_FILES.c.file_number), 0))
    ).one()
    return files, last, int(connection.scalar(sa.select(sa.func.count()).select_from(_FILE_DAYS)) or 0)


def staged_days(connection: Connection, dataset: str) -> list[date]:
    """The staged days that a dataset has files for, in order."""
    days = sa.select(_FILE_DAYS.c.day).where(_FILE_DAYS.c.dataset == dataset).distinct()
    return list(connection.scalars(days.order_by(_FILE_DAYS.c.day)))


def record_partitions(connection: Connection, records: Sequence[PartitionRecord]) -> None:
    """Enter partitions, or what has become of them.

    In the order of their keys, so that two runs that enter the same ones do not wait for each other.
    """
    if not records:
        return
    entered = insert(_PARTITIONS)
    changed = {
        column.name: entered.excluded[column.name] for column in _PARTITIONS.c if not column.primary_key
    }  # fmt: skip
    rows = [{name: getattr(record, name) for name in PARTITIONS.column_names} for record in records]
    connection.execute(
        entered.on_conflict_do_update(index_elements=_PARTITIONS.primary_key, set_=changed),
        sorted(rows, key=lambda row: (row["asset"], row["partition"])),
    )


def partition_records(
    connection: Connection, asset: str, *, window: Window | None = None
) -> dict[date, PartitionRecord]:
    """The partitions of an asset that were made, by their first day; in a window: those that start in it."""
    found = sa.select(_PARTITIONS).where(_PARTITIONS.c.asset == asset).order_by(_PARTITIONS.c.partition)
    if window is not None:
        found = found.where(_starts_in(window))
    records = (PartitionRecord(**row) for row in connection.execute(found).mappings())
    return {record.partition: record for record in records}


def forget_partitions(connection: Connection, asset: str, *, window: Window | None = None) -> int:
    """Strike partitions off the books, so that they are stale; how many there were."""
    forgotten = sa.delete(_PARTITIONS).where(_PARTITIONS.c.asset == asset)
    if window is not None:
        forgotten = forgotten.where(_starts_in(window))
    return connection.execute(forgotten).rowcount


def _starts_in(window: Window) -> sa.ColumnElement[bool]:
    return _PARTITIONS.c.partition.between(window.first_day, window.last_day)


def register_identities(connection: Connection, system: str, pairs: pa.Table, *, now: datetime) -> int:
    """Enter people of another system with the numbers that they go by here; how many were new.

    Args:
        connection: in a transaction.
        system: the other system.
        pairs: user_id (int64) and foreign_id (string).
        now: the instant that new pairs are stamped with.

    Raises:
        IntegrityError: a number is another person's already, or a person has another number.
    """
    entered = insert(_IDENTITIES).on_conflict_do_nothing().returning(_IDENTITIES.c.user_id)
    new = matching = 0
    ordered = pairs.select(["user_id", "foreign_id"]).sort_by("user_id")
    for batch in ordered.to_batches(max_chunksize=IDENTITIES_AT_ONCE):
        numbers, foreign = (batch.column(name).to_pylist() for name in ("user_id", "foreign_id"))
        rows = [
            {"user_id": number, "system": system, "foreign_id": name, "created_at": now}
            for number, name in zip(numbers, foreign, strict=True)
        ]
        new += len(connection.execute(entered, rows).all())
        # What was there before must be the very same pairs.
        asked = (
            sa.func.unnest(
                sa.literal(numbers, sa.ARRAY(sa.BigInteger())), sa.literal(foreign, sa.ARRAY(sa.Text()))
            )
            .table_valued("user_id", "foreign_id")
            .render_derived(name="asked")
        )
        is_same = sa.and_(
            _IDENTITIES.c.user_id == asked.c.user_id,
            _IDENTITIES.c.foreign_id == asked.c.foreign_id,
            _IDENTITIES.c.system == system,
        )
        counted = sa.select(sa.func.count()).select_from(sa.join(_IDENTITIES, asked, is_same))
        matching += connection.execute(counted).scalar_one()
    if matching != pairs.num_rows:
        raise IntegrityError(
            f"{pairs.num_rows - matching} people of {system} have a number that is another person's, or"
            " another number than before; nothing was registered. Import them under another system's name."
        )
    return new
