"""Rows of datasets and states whose time is over: landing files, staged, raw and quarantined rows, indexes of ids.

First a transaction says that they are gone: receipts (``started``), books, audit log; from then on nobody reads or makes
them. Then they are deleted, file by file, and the receipts finished. Whoever finds one that is not goes on with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta

import ibis

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.datasets import DATASET_BY_NAME, Dataset
from healthmate_bi_pipeline.catalog.lake_tables import (
    id_index_table,
    moved_table,
    quarantine_table,
    staged_table,
)
from healthmate_bi_pipeline.catalog.retention import DATASETS_KEPT_FOR
from healthmate_bi_pipeline.domain.period import Window, midnight
from healthmate_bi_pipeline.lake.removing import Held, measure_partitions, remove_partitions, remove_rows
from healthmate_bi_pipeline.lake.statistics import partition_statistics, table_statistics
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.sources import landing
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME, ASSETS, AssetSpec
from healthmate_bi_pipeline.usecases.keeping import horizon
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline
from healthmate_bi_pipeline.usecases.retention.due import Due, note_deletions
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline.usecases.whole_tables import ANY_TIME
from healthmate_bi_pipeline.warehouse import books, receipts, removing
from healthmate_bi_pipeline.warehouse.receipts import Receipt

_NO_DAY = "__HIVE_DEFAULT_PARTITION__"
_MARGIN_DAYS = 32
"""How far before a partition that is still to be made days have to stay: nothing looks back further, but for a month."""

_BEFORE_RAW = ("landing", "staged", "ids")
"""What raw days are made from; a day goes there when no open raw day needs it."""

_STATES = tuple(asset for asset in ASSETS if asset.name.startswith("state/") and asset.keeping is not None)


def find_lake_rows(pipeline: Pipeline) -> Iterator[list[Due] | str]:
    """What is due of each dataset and state that is named; a line where it has to wait."""
    for asset in (*(ASSET_BY_NAME[f"raw/{dataset.name}"] for dataset in DATASETS_KEPT_FOR), *_STATES):
        first = horizon(pipeline, asset)
        if first is None:
            continue
        last = first - timedelta(days=1)
        waits_from = _waits_from(pipeline, asset)
        if waits_from is not None and waits_from <= last:
            yield f"{asset.name}: days wait until `healthmate-bi run` has made all that is made from them."
            last = waits_from - timedelta(days=1)
        found = [due for due in _measure(pipeline, asset, last) if due.is_something]
        if found:
            yield found


def delete_lake_rows(pipeline: Pipeline, found: Sequence[Due]) -> list[Due]:
    """Delete what is due of a dataset or a state, as it is now.

    Raises:
        BusyError: another run reads files in, or makes these days.
    """
    asset = _asset_of(found[0].object)
    last = max(_closed_by(due) for due in found)
    with _held(pipeline, asset, last):
        waits_from = _waits_from(pipeline, asset)  # files may have been read meanwhile
        if waits_from is not None:
            last = min(last, waits_from - timedelta(days=1))
        due = [one for one in _measure(pipeline, asset, last) if one.is_something]
        if not due:
            return []
        with pipeline.warehouse.transaction() as connection:
            written = note_deletions(pipeline, connection, due, is_done=False)
            dataset = DATASET_BY_NAME.get(asset.name.removeprefix("raw/"))
            for receipt in written:
                if dataset is not None and receipt.object == staged_table(dataset).name:
                    days = _staged_days(pipeline, dataset, receipt.last_day)
                    books.note_days(connection, dataset.name, f"retention:{receipt.receipt_id}", days)
            removing.mark_removed(
                connection,
                asset.name,
                window=Window.of_days(min(one.first_day for one in due), last),
                now=pipeline.now,
                last_file=removing.last_file_number(connection, dataset.name) if dataset else None,
            )
        for receipt in written:
            _finish(pipeline, receipt)
    return due


def finish_lake_rows(pipeline: Pipeline, receipt: Receipt) -> None:
    """Delete what is left of something whose deletion was begun."""
    with _held(pipeline, _asset_of(receipt.object), _closed_by(receipt)):
        _finish(pipeline, receipt)


def is_of_lake(name: str) -> bool:
    """Whether a receipt's object is deleted here."""
    return name.partition("/")[0] in {*_BEFORE_RAW, "raw", "quarantine", "state"}


def _asset_of(name: str) -> AssetSpec:
    """The asset whose books tell what is there: of all zones of a dataset its raw days."""
    return ASSET_BY_NAME[name if name.startswith("state/") else f"raw/{name.partition('/')[2]}"]


@contextmanager
def _held(pipeline: Pipeline, asset: AssetSpec, last: date) -> Iterator[None]:
    """Keep those out who read files in, and who make these days; the former first, as everybody takes them."""
    with ExitStack() as stack:
        if asset.group == "raw":
            stack.enter_context(pipeline.warehouse.hold(asset.name.replace("raw/", "staged/"), ANY_TIME))
        with pipeline.warehouse.transaction() as connection:
            first = min(books.partition_records(connection, asset.name), default=last)
        stack.enter_context(pipeline.warehouse.hold(asset.name, Window.of_days(min(first, last), last)))
        yield


def _waits_from(pipeline: Pipeline, asset: AssetSpec) -> date | None:
    """From which day on an asset's partitions are still needed by something that is to be made."""
    if asset.group == "raw" and not _is_booked(pipeline, DATASET_BY_NAME[asset.name.removeprefix("raw/")]):
        return UNPARTITIONED
    names = {asset.name, asset.name.replace("raw/", "staged/")}
    waiting = [
        day
        for other in ASSETS
        if other.inputs is not None
        and (other is asset or names & set(other.upstream))
        and other.group != "reports"
        for day in stale_partitions(pipeline, other)
    ]
    return min(waiting) - timedelta(days=_MARGIN_DAYS) if waiting else None


def _is_booked(pipeline: Pipeline, dataset: Dataset) -> bool:
    """Whether the books know all staged rows; not those that an import had staged when it was killed."""
    name = staged_table(dataset).name
    with pipeline.warehouse.transaction() as connection:
        lines = books.file_totals(connection, dataset.name).lines
        return lines == receipts.deleted_rows(connection, name) + table_statistics(pipeline.lake, name).rows


def _closed_by(what: Due | Receipt) -> date:
    """The last raw day, or day of a state, that is closed when something goes."""
    zone, _, name = what.object.partition("/")
    return _closing(DATASET_BY_NAME[name], what.last_day) if zone in _BEFORE_RAW else what.last_day


def _staged_last(dataset: Dataset, last: date) -> date:
    """The last staged day that no open raw day is made from, when all up to a raw day are closed."""
    return last - timedelta(days=dataset.days_before)


def _closing(dataset: Dataset, staged_last: date) -> date:
    return staged_last + timedelta(days=dataset.days_before)


def _measure(pipeline: Pipeline, asset: AssetSpec, last: date) -> list[Due]:
    rule = (
        f"{'states' if asset.group == 'state' else 'rows'} {asset.keeping(pipeline.retention)}"
        if asset.keeping
        else ""
    )
    with pipeline.warehouse.transaction() as connection:
        records = books.partition_records(connection, asset.name)
    unmarked = [day for day, record in records.items() if day <= last and record.removed_at is None]

    def due(
        table: Table, held: Held, *, name: str = "", partitions: int | None = None, by: date = last
    ) -> Due:
        return Due(
            object=name or table.name,
            privacy=str(table.privacy),
            first_day=min(held.first_day or by, *unmarked, by),
            last_day=by,
            partitions=held.partitions if partitions is None else partitions,
            rows=held.rows,
            bytes=held.bytes,
            rule=rule,
        )

    own = measure_partitions(pipeline.lake, asset.table.name, partition_by="day", last_day=last)
    main = due(asset.table, own, partitions=max(own.partitions, len(unmarked)))
    if asset.group == "state":
        return [main]
    dataset = DATASET_BY_NAME[asset.name.removeprefix("raw/")]
    bad = quarantine_table(dataset)
    return [
        *(
            due(table, held, name=name, by=_staged_last(dataset, last))
            for name, table, held in _measure_staged(pipeline, dataset, _staged_last(dataset, last))
        ),
        main,
        due(bad, measure_partitions(pipeline.lake, bad.name, partition_by="day", last_day=last)),
    ]


def _measure_staged(pipeline: Pipeline, dataset: Dataset, last: date) -> Iterator[tuple[str, Table, Held]]:
    """Landing files, staged rows and indexed ids up to a staged day, each by its object."""
    table = staged_table(dataset)
    files = _landing_files(pipeline, dataset, last)
    yield (
        f"landing/{dataset.name}",
        table,
        Held(len(files), sum(lines for _, lines in files), sum(file.size for file, _ in files)),
    )
    dated = measure_partitions(pipeline.lake, table.name, partition_by="day", last_day=last)
    undated = _undated_rows(pipeline, dataset, last)
    yield (
        table.name,
        table,
        Held(dated.partitions, dated.rows + undated, dated.bytes, dated.first_day, dated.last_day),
    )
    if dataset.id_column is not None:
        yield f"ids/{dataset.name}", table, Held(rows=_indexed_rows(pipeline, dataset, last))


def _landing_files(pipeline: Pipeline, dataset: Dataset, last: date) -> list[tuple[landing.FoundFile, int]]:
    """The files in the landing folder that were read and hold nothing of a later day, with their lines."""
    with pipeline.warehouse.transaction() as connection:
        over = removing.files_up_to(connection, dataset.name, last)
    if not over:
        return []
    found = landing.find_files(pipeline.settings.landing_path, dataset)
    hashed = [(file, landing.hash_file(file.path)) for file in found]
    return [(file, over[file_hash]) for file, file_hash in hashed if file_hash in over]


def _undated_rows(pipeline: Pipeline, dataset: Dataset, last: date) -> int:
    """Staged rows without a day that were read by the end of a day."""
    table = staged_table(dataset)
    files = pipeline.lake.files(table.name, values=[_NO_DAY])
    if not files:
        return 0
    with pipeline.engine() as engine:
        rows = engine.scan(files, schema=arrow_schema(table.columns), partition_by="day")
        return engine.count(rows.filter(rows.first_seen_at < ibis.literal(_end(last))))


def _indexed_rows(pipeline: Pipeline, dataset: Dataset, last: date) -> int:
    """Entries of the index of ids, and of the list of ids that moved, of staged days up to one."""
    count = 0
    with pipeline.engine() as engine:
        for table, partition_by in ((id_index_table(dataset), "bucket"), (moved_table(dataset), None)):
            files = pipeline.lake.files(table.name)
            rows = engine.scan(files, schema=arrow_schema(table.columns), partition_by=partition_by)
            count += engine.count(rows.filter(rows.day <= ibis.literal(last)))
    return count


def _staged_days(pipeline: Pipeline, dataset: Dataset, last: date) -> dict[date, int]:
    """Staged rows per day up to one, to be taken off the books."""
    found = partition_statistics(pipeline.lake, staged_table(dataset).name, partition_by="day")
    return {day: -statistics.rows for day, statistics in found.items() if day is not None and day <= last}


def _finish(pipeline: Pipeline, receipt: Receipt) -> None:
    """Delete what a receipt is about; its locks are held."""
    zone, _, name = receipt.object.partition("/")
    lake, last = pipeline.lake, receipt.last_day
    if zone in {"raw", "quarantine", "state"}:
        window = Window.of_days(receipt.first_day, last)
        remove_partitions(lake, receipt.object, partition_by="day", window=window)
    else:
        dataset = DATASET_BY_NAME[name]
        window = Window.of_days(receipt.first_day, last)
        if zone == "landing":
            for file, _ in _landing_files(pipeline, dataset, last):
                file.path.unlink(missing_ok=True)
        elif zone == "staged":
            remove_partitions(lake, receipt.object, partition_by="day", window=window)
            remove_rows(lake, receipt.object, f"day IS NULL AND first_seen_at < '{_end(last)}'")
        else:
            for table in (id_index_table(dataset), moved_table(dataset)):
                remove_rows(lake, table.name, f"day <= '{last}'")
    with pipeline.warehouse.transaction() as connection:
        receipts.finish_receipt(connection, receipt, now=pipeline.now)


def _end(day: date) -> object:
    return midnight(day) + timedelta(days=1)
