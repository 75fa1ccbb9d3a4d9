"""Checks that the books balance: rows of files, of days, and of figures (DESIGN, rule 2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial

from healthmate_bi_pipeline.catalog.datasets import DATASETS, PARTITIONED_DATASETS, Dataset
from healthmate_bi_pipeline.catalog.families import FAMILIES, Family, figures_name
from healthmate_bi_pipeline.catalog.lake_tables import quarantine_table, raw_table, staged_table
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.lake.statistics import partition_statistics, table_statistics
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.transforms import raw
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.checks.judging import CheckSpec, Measurement
from healthmate_bi_pipeline.usecases.closed_days import held_counts
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline.warehouse import books, checks, receipts

_FATES = (raw.KEPT, raw.DUPLICATE, raw.SUPERSEDED, raw.QUARANTINED)


def _lines_add_up(pipeline: Pipeline, window: Window | None, *, dataset: Dataset) -> Measurement:
    del window  # files have no days
    with pipeline.warehouse.transaction() as connection:
        wrong, lines = checks.count_unbalanced_lines(connection, dataset.name)
        totals = books.file_totals(connection, dataset.name)
    counts = {name: getattr(totals, name) for name in ("files", "lines", "rejected", "undated", "staged")}
    return Measurement(wrong, lines, counts)


def _staged_in_lake(pipeline: Pipeline, window: Window | None, *, dataset: Dataset) -> Measurement:
    """Books against the lake: every line of every file, and per day, of all days; files have no others."""
    del window
    name = staged_table(dataset).name
    with pipeline.warehouse.transaction() as connection:
        deleted = receipts.deleted_rows(connection, name)
        lines = books.file_totals(connection, dataset.name).lines - deleted
        per_day = books.staged_rows(connection, dataset.name, _ALL_DAYS) if dataset.is_partitioned else {}
    held = table_statistics(pipeline.lake, name).rows
    in_lake = _lake_rows(pipeline, name, None) if dataset.is_partitioned else {}
    difference = _difference(per_day, in_lake)
    wrong = max(abs(lines - held), sum(difference.values()))
    counts = {"lines in the books": lines, "rows in the lake": held, "rows deleted by retention": deleted}
    return Measurement(wrong, lines, counts, tuple(sorted(difference)) or (UNPARTITIONED,))


def _rows_add_up(pipeline: Pipeline, window: Window | None, *, dataset: Dataset) -> Measurement:
    recorded = recorded_counts(pipeline, f"raw/{dataset.name}", window)
    totals: dict[str, int] = defaultdict(int)
    wrong: dict[date, int] = {}
    for day, counts in recorded.items():
        for name in ("staged", *_FATES):
            totals[name] += counts.get(name, 0)
        missing = abs(counts.get("staged", 0) - sum(counts.get(name, 0) for name in _FATES))
        if missing:
            wrong[day] = missing
    return Measurement(sum(wrong.values()), totals["staged"], dict(totals), tuple(sorted(wrong)))


def _raw_in_lake(pipeline: Pipeline, window: Window | None, *, dataset: Dataset) -> Measurement:
    recorded = {
        day: held_counts(record) for day, record in _records(pipeline, f"raw/{dataset.name}", window).items()
    }
    wrong: dict[date, int] = defaultdict(int)
    counts: dict[str, int] = {}
    of = 0
    in_lake = {
        raw.KEPT: _kept_rows(pipeline, dataset, window),
        raw.QUARANTINED: _lake_rows(pipeline, quarantine_table(dataset).name, window, dataset=dataset),
    }
    for fate, held in in_lake.items():
        booked = {day: of_day.get(fate, 0) for day, of_day in recorded.items()}
        for day, rows in _difference(booked, held).items():
            wrong[day] += rows
        counts |= {f"{fate} in the books": sum(booked.values()), f"{fate} in the lake": sum(held.values())}
        of += sum(booked.values())
    return Measurement(sum(wrong.values()), of, counts, tuple(sorted(wrong)))


def _nothing_lost(pipeline: Pipeline, window: Window | None, *, dataset: Dataset) -> Measurement:
    del window  # a row may have found its day anywhere
    asset = ASSET_BY_NAME[f"raw/{dataset.name}"]
    if stale_partitions(pipeline, asset):
        return Measurement(0, 0, note="Some days are still to be made.")
    with pipeline.warehouse.transaction() as connection:
        staged = books.file_totals(connection, dataset.name).staged
    on_days = sum(counts.get("staged", 0) for counts in recorded_counts(pipeline, asset.name, None).values())
    return Measurement(abs(staged - on_days), staged, {"rows of files": staged, "rows of days": on_days})


def _figures_follow_state(
    pipeline: Pipeline, window: Window | None, *, family: Family, period: Period
) -> Measurement:
    """Rows that do not carry their state's version, or are more or fewer than the books say."""
    asset = ASSET_BY_NAME[figures_name(family, period)]
    assert asset.inputs is not None  # noqa: S101 - figures have inputs
    with pipeline.warehouse.transaction() as connection:
        held = checks.figure_versions(connection, family.rows, period=period, window=window)
        records = books.partition_records(connection, asset.name, window=window)
        looked_at = window or _window_of(period, (*held, *records))
        if looked_at is None:
            return Measurement(0, 0)
        states = versions.state_versions(connection, looked_at, family=family, period=period)
        inputs = asset.inputs(pipeline, connection, looked_at)
    of = stale = 0
    wrong: dict[date, int] = {}
    for day in sorted({*held, *records}):
        by_version = held.get(day, {})
        rows = sum(by_version.values())
        record = records.get(day)
        booked = record.rows if record is not None and record.removed_at is None else 0
        if record is not None and inputs.get(day, 0) != record.input_version:
            stale += rows  # will be made again, and may differ until then
            continue
        of += rows
        unlike = rows - by_version.get(states.get(day, 0), 0)
        missing = abs(rows - booked)
        if unlike or missing:
            wrong[day] = max(unlike, missing)
    counts = {"rows": of, "rows of stale partitions": stale}
    return Measurement(sum(wrong.values()), of, counts, tuple(sorted(wrong)))


_ALL_DAYS = Window.of_days(date(1, 1, 2), date(9999, 12, 30))


def _window_of(period: Period, days: Iterable[date]) -> Window | None:
    starts = [midnight(day) for day in days]
    if not starts:
        return None
    return period.partitioned_by.covering(Window(min(starts), period.partitioned_by.window(max(starts)).end))


def _starts_cover_rows(pipeline: Pipeline) -> Measurement:
    with pipeline.warehouse.transaction() as connection:
        without, rows = checks.count_rows_without_start(connection)
    return Measurement(without, rows)


def _active_starts_cover_rows(pipeline: Pipeline) -> Measurement:
    with pipeline.warehouse.transaction() as connection:
        without, rows = checks.count_active_rows_without_start(connection)
    return Measurement(without, rows)


def recorded_counts(pipeline: Pipeline, asset: str, window: Window | None) -> dict[date, Mapping[str, int]]:
    """What the books say of the rows of an asset's partitions, by their first day."""
    return {day: record.counts for day, record in _records(pipeline, asset, window).items()}


def _records(pipeline: Pipeline, asset: str, window: Window | None) -> dict[date, books.PartitionRecord]:
    is_partitioned = ASSET_BY_NAME[asset].partitioned_by is not None
    with pipeline.warehouse.transaction() as connection:
        return books.partition_records(connection, asset, window=window if is_partitioned else None)


def _lake_rows(
    pipeline: Pipeline, name: str, window: Window | None, *, dataset: Dataset | None = None
) -> dict[date, int]:
    """Rows of a table per day; of a table that has no days, of all of it. Rows without a day are left out."""
    if dataset is not None and not dataset.is_partitioned:
        return {UNPARTITIONED: table_statistics(pipeline.lake, name).rows}
    found = partition_statistics(pipeline.lake, name, partition_by="day", window=window)
    return {day: statistics.rows for day, statistics in found.items() if day is not None}


def _kept_rows(pipeline: Pipeline, dataset: Dataset, window: Window | None) -> dict[date, int]:
    """Staged rows that stand in the lake's raw days; of one that was cut its first piece counts."""
    table = raw_table(dataset)
    if "piece" not in table.column_names:
        return _lake_rows(pipeline, table.name, window, dataset=dataset)
    with pipeline.engine() as engine:
        files = pipeline.lake.files(table.name, window=window)
        rows = engine.scan(files, schema=arrow_schema(table.columns), partition_by="day")
        first = rows.filter(rows.piece == 0)
        counted = engine.rows(first.group_by("day").agg(n=first.count()))
        return {row["day"]: row["n"] for row in counted}


def _difference(one: Mapping[date, int], other: Mapping[date, int]) -> dict[date, int]:
    """By how many rows two accounts differ, for the days where they do."""
    return {
        day: difference for day in {*one, *other} if (difference := abs(one.get(day, 0) - other.get(day, 0)))
    }


CONSERVATION: tuple[CheckSpec, ...] = (
    *(
        CheckSpec(name, f"staged/{dataset.name}", description, partial(measure, dataset=dataset), is_of_all=True)
        for dataset in DATASETS
        for name, description, measure in (
            ("lines_add_up", "Lines of a file = rows + rejected; rows = staged + undated.", _lines_add_up),
            ("lake_holds_all_lines", "The lake holds every line of each file on its day.", _staged_in_lake),
        )
    ),
    *(
        # Where rows are missing nothing may be made from the others.
        CheckSpec(name, f"raw/{dataset.name}", description, partial(measure, dataset=dataset), is_blocking=True)
        for dataset in DATASETS
        for name, description, measure in (
            ("rows_add_up", "Staged rows = kept + duplicates + superseded + quarantined.", _rows_add_up),
            ("lake_holds_all_rows", "The lake holds the kept and quarantined rows.", _raw_in_lake),
        )
    ),
    *(
        CheckSpec(
            "no_row_lost",
            f"raw/{dataset.name}",
            "Rows with a day of all files = staged rows of all days.",
            partial(_nothing_lost, dataset=dataset),
            is_of_all=True,
        )
        for dataset in PARTITIONED_DATASETS
    ),
    *(
        CheckSpec(
            "figures_follow_state",
            figures_name(family, period),
            "Every row carries the version of its state, and there are as many as were counted.",
            partial(_figures_follow_state, family=family, period=period),
        )
        for family in FAMILIES
        for period in Period
    ),
    CheckSpec(
        "starts_cover_rows",
        "health_metrics/starts",
        "No daily row lies before the first day of all measures of its person.",
        lambda pipeline, _window: _starts_cover_rows(pipeline),
    ),
    CheckSpec(
        "starts_cover_rows",
        "user_engagement/starts",
        "No daily row with activity lies before the first active day of its person.",
        lambda pipeline, _window: _active_starts_cover_rows(pipeline),
    ),
)  # fmt: skip
