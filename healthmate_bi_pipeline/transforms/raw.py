"""Judged rows → raw rows: what each dataset keeps of a good row."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.datasets import (
    ACTIVITY_INTERVALS,
    HEALTH_READINGS,
    SLEEP_SESSIONS,
    USERS,
    Dataset,
)
from healthmate_bi_pipeline.catalog.lake_tables import ACTIVITY_VALUES, quarantine_table, raw_table
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.transforms.columns import EXACT

KEPT, DUPLICATE, SUPERSEDED, QUARANTINED = "kept", "duplicates", "superseded", "quarantined"


def with_status(judged: ir.Table, fates: ir.Table | None, moved: ir.Table | None) -> ir.Table:
    """Say of each row what became of it.

    Args:
        judged: from ``conform.judge``.
        fates: from ``conform.repeated_rows``; ``None`` when no key is repeated.
        moved: places of rows whose id came again on another day; ``None`` when there are none.

    Returns:
        The rows with ``status``: kept, duplicates, superseded or quarantined. A deletion is booked as
        superseded, whether or not it found what it deletes.
    """
    place = ["file_number", "row_number"]
    rows = judged
    is_tombstone = judged.is_deleted.fill_null(ibis.literal(value=False))
    is_duplicate = is_superseded = ibis.literal(value=False)
    for others in (fates, moved):
        if others is not None:
            rows = rows.left_join(others, place).drop("file_number_right", "row_number_right")
    if fates is not None:
        is_duplicate, is_superseded = rows.fate == "duplicate", rows.fate == "superseded"
    if moved is not None:
        is_superseded |= rows.has_moved.fill_null(ibis.literal(value=False))
    status = ibis.cases(
        (rows.rule.notnull(), QUARANTINED),
        (is_duplicate, DUPLICATE),
        (is_superseded | is_tombstone, SUPERSEDED),
        else_=KEPT,
    )
    return rows.select(*judged.columns, status=status)


def moved_rows(judged: ir.Table, moved: ir.Table, dataset: Dataset) -> ir.Table:
    """The places of rows whose id has a later version under another staged day."""
    key = list(dataset.keys[0])
    good = judged.filter(judged.rule.isnull() & judged[dataset.id_column].notnull())
    later = moved.rename(
        {
            "later_file": "file_number",
            "later_row": "row_number",
            "later_day": "day",
            "later_update": "updated_at",
        }
    )
    joined = good.join(later, key).filter(ibis._.later_day != ibis._.day)
    updated = ibis.coalesce(joined.updated_at, joined.local_updated_at)
    distant = ibis.timestamp("0001-01-02 00:00:00")
    this, that = updated.fill_null(distant), joined.later_update.fill_null(distant)
    same_update = this == that
    is_later = (that > this) | (
        same_update
        & (
            (joined.later_file > joined.file_number)
            | ((joined.later_file == joined.file_number) & (joined.later_row > joined.row_number))
        )
    )
    places = joined.filter(is_later).select("file_number", "row_number").distinct()
    return places.mutate(has_moved=ibis.literal(value=True))


def raw_rows(kept: ir.Table, dataset: Dataset, window: Window) -> ir.Table:
    """The raw rows of the days of a window, in the shape of ``raw_table``."""
    if dataset is HEALTH_READINGS:
        rows = _in_window(kept.mutate(value=kept.kept_value), window)
    elif dataset is SLEEP_SESSIONS:
        is_nap = kept.is_nap.fill_null(ibis.literal(value=False))
        rows = _in_window(kept.mutate(is_nap=is_nap), window)
    elif dataset is ACTIVITY_INTERVALS:
        pieces = _cut_at_midnight(kept)
        rows = pieces.filter(_is_within(pieces.day, window))
    else:
        raise AssertionError(dataset.name)
    return rows.select(*raw_table(dataset).column_names)


def raw_users(kept: ir.Table) -> ir.Table:
    """The people's records, in the shape of ``raw/users``; times are instants where they are told."""
    times = {
        name: ibis.coalesce(kept[name], kept[f"local_{name}"]) for name in ("valid_from", "created_at", "updated_at")
    }  # fmt: skip
    return kept.mutate(**times).select(*raw_table(USERS).column_names)


def quarantined_rows(classified: ir.Table, dataset: Dataset, window: Window) -> ir.Table:
    """The rows that broke a rule, as they were staged, under their wall-clock day."""
    bad = classified.filter(classified.status == QUARANTINED)
    if dataset.is_partitioned:
        bad = bad.mutate(day=bad.own_day)
        bad = bad.filter(_is_within(bad.day, window))
    return bad.select(*quarantine_table(dataset).column_names)


def _in_window(rows: ir.Table, window: Window) -> ir.Table:
    dated = rows.mutate(day=rows.own_day)
    return dated.filter(_is_within(dated.day, window))


def _is_within(day: Any, window: Window) -> Any:
    return (day >= _day(window.first_day)) & (day <= _day(window.last_day))


def _day(day: date) -> Any:
    return ibis.literal(day, type="date")


def _cut_at_midnight(rows: ir.Table) -> ir.Table:
    """Cut stretches of time at wall-clock midnights, in proportion to time.

    A piece is what had accumulated by its end minus what had by its start, each rounded, so that the pieces
    add up to the whole exactly. A daily total is not cut: it belongs to the day that it starts in.
    """
    is_total = rows.is_daily_total.fill_null(ibis.literal(value=False))
    last_moment = ibis.greatest(rows.local_ended_at - ibis.interval(microseconds=1), rows.local_started_at)
    span = last_moment.date().epoch_days() - rows.local_started_at.date().epoch_days()
    count = is_total.ifelse(0, span)
    pieces = rows.mutate(
        is_daily_total=is_total, piece=ibis.range(0, count.cast("int64") + 1).unnest(), _count=count
    )
    return _cut(pieces, piece_start=pieces.local_started_at.truncate("D"), unit="day").mutate(
        day=lambda t: t.local_started_at.date()
    )


def _cut(pieces: ir.Table, *, piece_start: Any, unit: str) -> ir.Table:
    """Keep of each stretch the piece with number ``piece``, counted in days or hours from ``piece_start``."""
    seconds = {"day": 86_400, "hour": 3_600}[unit]
    start = piece_start + ibis.interval(seconds=1) * (pieces.piece * seconds)
    end = start + ibis.interval(seconds=seconds)
    is_whole = pieces["_count"] == 0
    begin = is_whole.ifelse(pieces.local_started_at, ibis.greatest(start, pieces.local_started_at))
    finish = is_whole.ifelse(pieces.local_ended_at, ibis.least(end, pieces.local_ended_at))
    length = pieces.local_ended_at.delta(pieces.local_started_at, unit="microsecond").cast("float64")
    share_before = begin.delta(pieces.local_started_at, unit="microsecond") / length
    share_by_end = finish.delta(pieces.local_started_at, unit="microsecond") / length
    cut = {
        name: is_whole.ifelse(
            pieces[name].cast(EXACT),
            (pieces[name].cast("float64") * share_by_end).cast(EXACT)
            - (pieces[name].cast("float64") * share_before).cast(EXACT),
        )
        for name in ACTIVITY_VALUES
    }
    return pieces.mutate(local_started_at=begin, local_ended_at=finish, **cut).drop("_count")


def cut_at_hours(pieces: ir.Table) -> ir.Table:
    """Cut raw activity pieces at wall-clock hours: the same columns and ``hour``."""
    last_moment = ibis.greatest(
        pieces.local_ended_at - ibis.interval(microseconds=1), pieces.local_started_at
    )
    first_hour = pieces.local_started_at.truncate("h")
    count = last_moment.truncate("h").delta(first_hour, unit="hour")
    cut = pieces.mutate(piece=ibis.range(0, count.cast("int64") + 1).unnest(), _count=count)
    return _cut(cut, piece_start=cut.local_started_at.truncate("h"), unit="hour").mutate(
        hour=lambda t: t.local_started_at.hour().cast("int64")
    )
