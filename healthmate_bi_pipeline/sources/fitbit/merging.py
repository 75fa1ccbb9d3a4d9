"""What is told in several places → told once: exports that overlap, files of one hour, minutes of one sleep.

Of several tellings of a value the one of the latest export counts; what it does not say is taken from the one
before. The latest export is the one with the latest date in any of its files (the files of a folder are an
export); then the file with the latest date, then the path decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from healthmate_bi_pipeline.sources.fitbit import formats
from healthmate_bi_pipeline.sources.fitbit.formats import Kind
from healthmate_bi_pipeline.sources.fitbit.mapping import TRACKER

_ONE_MINUTE = timedelta(minutes=1)
_RANK, _ROW = "rank", "row"


@dataclass(frozen=True)
class _Slot:
    """How files of a kind are merged: what a row is known by, and the values that may differ."""

    name: str
    key: tuple[str, ...]
    values: tuple[str, ...]


_STRETCH = ("user_id", "started_at", "ended_at", "is_daily_total", "source")
_SLOTS: dict[Kind, _Slot] = {
    formats.HOURLY_ACTIVITY: _Slot("hourly", _STRETCH, ("steps", "calories_kcal", "intensity_points")),
    formats.DAILY_ACTIVITY: _Slot(
        "daily", _STRETCH, ("steps", "calories_kcal", "moderate_minutes", "vigorous_minutes", "distance_m")
    ),
}


@dataclass(frozen=True)
class FileRows:
    """The rows of a file, in the order of its lines.

    Attributes:
        name: path below the imported folder.
        rows: as ``mapping`` made them.
    """

    name: str
    rows: pa.Table


def order_files(latest: dict[str, datetime]) -> list[str]:
    """The names of files by what they are worth, the one that counts most being last.

    >>> order_files({"a/x": datetime(2016, 5, 1), "a/y": datetime(2016, 3, 1), "b/y": datetime(2016, 4, 1)})
    ['b/y', 'a/y', 'a/x']
    """
    of_export: dict[PurePosixPath, datetime] = defaultdict(lambda: datetime.min)
    for name, moment in latest.items():
        folder = PurePosixPath(name).parent
        of_export[folder] = max(of_export[folder], moment)
    return sorted(latest, key=lambda name: (of_export[PurePosixPath(name).parent], latest[name], name))


@dataclass(frozen=True)
class MergedRows:
    """The rows of a landing file.

    Attributes:
        dataset: where they go.
        name: what the file is called by.
        moment: the column that orders them in time.
        rows: at least one.
    """

    dataset: str
    name: str
    moment: str
    rows: pa.Table


def merge_files(files: Mapping[Kind, Sequence[FileRows]], order: Sequence[str]) -> Iterator[MergedRows]:
    """Everything that the files of all kinds but heart rate tell, each thing once.

    Args:
        files: at least one row in each.
        order: the names of the files, the one that counts most being last.
    """
    for kind, rule in _SLOTS.items():
        if kind in files:
            rows = merge_slots(files[kind], order, key=rule.key, values=rule.values)
            yield MergedRows(kind.dataset, rule.name, kind.moment, rows)
    if formats.WEIGHT_LOG in files:
        rows = _merge_weights(files[formats.WEIGHT_LOG], order)
        yield MergedRows(formats.WEIGHT_LOG.dataset, "weight", formats.WEIGHT_LOG.moment, rows)
    yield from _merge_sleep(files, order)


def merge_slots(
    files: Sequence[FileRows], order: Sequence[str], *, key: Iterable[str], values: Sequence[str]
) -> pa.Table:
    """One row per key.

    Args:
        files: of one kind.
        order: names of files, the one that counts most being last.
        key: what a row is known by.
        values: the columns that may differ; the row's origin is that of the first of them that has a value.

    Returns:
        The columns of the files, ordered by the key.
    """
    ranked = _ranked(files, order)
    key = list(key)
    with_origins = ranked
    for number, name in enumerate(values):
        origin = pc.if_else(pc.is_valid(ranked[name]), ranked["origin"], pa.scalar(None, pa.string()))
        with_origins = with_origins.append_column(f"origin_{number}", origin)
    lasts = [*values, *(f"origin_{number}" for number in range(len(values))), "origin"]
    merged = _grouped(
        with_origins.sort_by([(name, "ascending") for name in (*key, _RANK, _ROW)]),
        key,
        [(name, "last") for name in lasts],
    )
    columns = {name: merged[name] for name in key} | {name: merged[f"{name}_last"] for name in values}
    origins = [merged[f"origin_{number}_last"] for number in range(len(values))]
    columns["origin"] = pc.coalesce(*origins, merged["origin_last"])
    return pa.table(columns).select([name for name in ranked.column_names if name not in {_RANK, _ROW}])


def _merge_weights(files: Sequence[FileRows], order: Sequence[str]) -> pa.Table:
    """One row per person and entry of the log, or per time where the entry has no number."""
    keyed = [
        FileRows(
            file.name,
            file.rows.append_column(
                "entry", pc.coalesce(file.rows["reading_id"], file.rows["recorded_at"].cast(pa.string()))
            ),
        )
        for file in files
    ]
    values = ("value", "reading_id", "metric", "unit", "recorded_at", "source")
    return merge_slots(keyed, order, key=("user_id", "entry"), values=values).drop_columns("entry")


def _merge_sleep(files: Mapping[Kind, Sequence[FileRows]], order: Sequence[str]) -> Iterator[MergedRows]:
    """Sessions by the minute, and the totals of the nights that no session ends in."""
    minutes, nights = formats.MINUTE_SLEEP, formats.SLEEP_DAY
    sessions = merge_sleep_minutes(files[minutes], order) if minutes in files else None
    if sessions is not None:
        yield MergedRows(minutes.dataset, "sleep", minutes.moment, sessions)
    if nights in files:
        key, values = ("user_id", "night_on", "source"), ("asleep_minutes", "in_bed_minutes")
        totals = merge_slots(files[nights], order, key=key, values=values)
        rows = totals if sessions is None else without_nights_of(totals, sessions)
        if rows.num_rows:
            yield MergedRows(nights.dataset, "nights", nights.moment, rows)


def merge_sleep_minutes(files: Sequence[FileRows], order: Sequence[str]) -> pa.Table:
    """Minutes of sleep → one session per person and log."""
    minutes = merge_slots(
        files, order, key=("user_id", "started_at"), values=("asleep_minutes", "log_id", "source")
    )
    sessions = _grouped(
        minutes.sort_by([("user_id", "ascending"), ("started_at", "ascending")]),
        ["user_id", "log_id"],
        [
            ("started_at", "min"),
            ("started_at", "max"),
            ("started_at", "count"),
            ("asleep_minutes", "sum"),
            ("origin", "first"),
        ],
    )
    count = sessions.num_rows
    table = pa.table(
        {
            "user_id": sessions["user_id"],
            "started_at": sessions["started_at_min"],
            "ended_at": pc.add(sessions["started_at_max"], _ONE_MINUTE),
            "night_on": pa.nulls(count, pa.date32()),
            "asleep_minutes": sessions["asleep_minutes_sum"].cast(pa.float64()),
            "in_bed_minutes": sessions["started_at_count"].cast(pa.float64()),
            "source": pa.repeat(TRACKER, count),
            "origin": sessions["origin_first"],
        }
    )
    return table.sort_by([("user_id", "ascending"), ("started_at", "ascending")])


def without_nights_of(nights: pa.Table, sessions: pa.Table) -> pa.Table:
    """The nights that are only known as totals: those without a session that ends on their date."""
    covered = set(
        zip(
            sessions["user_id"].to_pylist(),
            sessions["ended_at"].cast(pa.date32(), safe=False).to_pylist(),
            strict=True,
        )
    )
    keep = [
        pair not in covered
        for pair in zip(nights["user_id"].to_pylist(), nights["night_on"].to_pylist(), strict=True)
    ]
    return nights.filter(pa.array(keep, pa.bool_()))


def _ranked(files: Sequence[FileRows], order: Sequence[str]) -> pa.Table:
    """All rows, with the rank of their file and their place in it."""
    place = {name: rank for rank, name in enumerate(order)}
    tables = [
        file.rows.append_column(_RANK, pa.repeat(place[file.name], file.rows.num_rows)).append_column(
            _ROW, pa.array(range(file.rows.num_rows), pa.int64())
        )
        for file in files
    ]
    return pa.concat_tables(tables).combine_chunks()


def _grouped(rows: pa.Table, key: list[str], aggregates: list[tuple[str, str]]) -> pa.Table:
    # One thread, so that "first" and "last" mean the order of the rows; both pass over nulls.
    return rows.group_by(key, use_threads=False).aggregate(aggregates)
