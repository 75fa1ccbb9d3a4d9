"""Judged rows → raw rows: what each dataset keeps of a good row."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.datasets import (
    ACTIVITY_INTERVALS,
    API_REQUESTS,
    APP_EVENTS,
    BILLING_EVENTS,
    HEALTH_READINGS,
    HOST_SAMPLES,
    LOGIN_SESSIONS,
    MEDICATION_DOSES,
    SLEEP_SESSIONS,
    SYMPTOM_LOGS,
    USERS,
    Dataset,
)
from healthmate_bi_pipeline.catalog.lake_tables import ACTIVITY_VALUES, quarantine_table, raw_table
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.transforms import sessions
from healthmate_bi_pipeline.transforms.columns import EXACT, minutes
from healthmate_bi_pipeline.transforms.routes import route_group

_SHORT_SECONDS = 2 * 3600
KEPT, DUPLICATE, SUPERSEDED, QUARANTINED = "kept", "duplicates", "superseded", "quarantined"


def with_status(judged: ir.Table, fates: ir.Table | None, moved: ir.Table | None) -> ir.Table:
    """Say of each row what became of it.

    Args:
        judged: from ``conform.judge``.
        fates: from ``conform.repeated_rows``; ``None`` when no key is repeated.
        moved: places of rows whose id came again on another day; ``None`` when there are none.

    Returns:
        The rows with ``booked_as``: kept, duplicates, superseded or quarantined. A deletion is booked as
        superseded, whether or not it found what it deletes.
    """
    place = ["file_number", "row_number"]
    rows = judged
    is_duplicate = is_superseded = has_moved = ibis.literal(value=False)
    for others in (fates, moved):
        if others is not None:
            rows = rows.left_join(others, place).drop("file_number_right", "row_number_right")
    if fates is not None:
        is_duplicate, is_superseded = rows.fate == "duplicate", rows.fate == "superseded"
    if moved is not None:
        has_moved = rows.has_moved.fill_null(ibis.literal(value=False))
    is_tombstone = rows.is_deleted.fill_null(ibis.literal(value=False))
    booked_as = ibis.cases(
        (rows.rule.notnull(), QUARANTINED),
        (has_moved, SUPERSEDED),  # first: its twins have too, whether or not the later row is in sight
        (is_duplicate, DUPLICATE),
        (is_superseded | is_tombstone, SUPERSEDED),
        else_=KEPT,
    )
    return rows.select(*judged.columns, booked_as=booked_as)


def later_versions(judged: ir.Table, moved: ir.Table, dataset: Dataset) -> ir.Table:
    """Good rows whose id was noted again, later, under another staged day.

    Returns:
        file_number, row_number; later_file, later_row, later_day. Whether the later row is there and good is
        not known here.
    """
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
    return joined.filter(is_later).select("file_number", "row_number", "later_file", "later_row", "later_day")


def moved_rows(later: ir.Table, judged_later: ir.Table) -> ir.Table:
    """The places of rows whose id has a good later version under another staged day.

    Args:
        later: from ``later_versions``.
        judged_later: the rows of the later days, from ``conform.judge``.
    """
    good = judged_later.filter(judged_later.rule.isnull())
    found = later.semi_join(good, [later.later_file == good.file_number, later.later_row == good.row_number])
    places = found.select("file_number", "row_number").distinct()
    return places.mutate(has_moved=ibis.literal(value=True))


def raw_rows(kept: ir.Table, dataset: Dataset, window: Window, *, turns: ir.Table | None = None) -> ir.Table:
    """The raw rows of the days of a window, in the shape of ``raw_table``.

    Args:
        kept: the good rows.
        dataset: what they are rows of.
        window: whole days.
        turns: ``clock_turns`` of activity or sessions; ``None`` when there are none.
    """
    if dataset is HEALTH_READINGS:
        rows = _in_window(kept.mutate(value=kept.kept_value), window)
    elif dataset is SLEEP_SESSIONS:
        is_nap = kept.is_nap.fill_null(ibis.literal(value=False))
        rows = _in_window(kept.mutate(is_nap=is_nap), window)
    elif dataset is MEDICATION_DOSES:
        is_as_needed = kept.is_as_needed.fill_null(ibis.literal(value=False))
        rows = _in_window(kept.mutate(is_as_needed=is_as_needed), window)
    elif dataset in (SYMPTOM_LOGS, HOST_SAMPLES, BILLING_EVENTS):
        rows = _in_window(kept, window)
    elif dataset is API_REQUESTS:
        rows = _in_window(_with_route_group(kept.mutate(count=kept["count"].fill_null(1))), window)
    elif dataset is APP_EVENTS:
        rows = _in_window(kept.mutate(count=kept["count"].fill_null(1)), window)
    elif dataset in (ACTIVITY_INTERVALS, LOGIN_SESSIONS):
        cut = _cut_at_midnight if dataset is ACTIVITY_INTERVALS else sessions.cut_at_midnight
        pieces = cut(kept, turns)
        rows = pieces.filter(_is_within(pieces.day, window))
    else:
        raise AssertionError(dataset.name)
    return rows.select(*raw_table(dataset).column_names)


def _with_route_group(requests: ir.Table) -> ir.Table:
    """Requests with the group of their route, which is made once for each route: there are few."""
    named = requests.mutate(route=requests.route.fill_null(""))
    routes = named.select("route").distinct()
    return named.join(routes.mutate(route_group=route_group(routes.route)), "route")


def raw_users(kept: ir.Table) -> ir.Table:
    """The people's records, in the shape of ``raw/users``; times are instants where they are told."""
    times = {
        name: ibis.coalesce(kept[name], kept[f"local_{name}"]) for name in ("valid_from", "created_at", "updated_at")
    }  # fmt: skip
    return kept.mutate(**times).select(*raw_table(USERS).column_names)


def quarantined_rows(bad: ir.Table, dataset: Dataset, window: Window) -> ir.Table:
    """The rows that broke a rule, as they were staged, under their wall-clock day."""
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


def clock_turns(judged: ir.Table, stretches: ir.Table) -> ir.Table:
    """Where the clock was changed in the middle of stretches of time: file_number, row_number, turned_at.

    The wall clock is then no measure of their length. Of a short stretch whose change is not known (the
    offsets are the row's own) the clock of its start counts to the end.
    """
    begin, end = _offset_at(judged, "started_at"), _offset_at(judged, "ended_at")
    is_total = (
        judged.is_daily_total.fill_null(ibis.literal(value=False))
        if "is_daily_total" in judged.columns
        else ibis.literal(value=False)
    )
    turned = judged.mutate(begin_offset=begin, end_offset=end).filter(
        judged.rule.isnull() & ~is_total & (begin != end)
    )
    changes = stretches.filter(stretches.shift_minutes != 0).select(
        "user_id",
        changed_at="start",
        offset_before=stretches.offset_minutes + stretches.shift_minutes,
        offset_after="offset_minutes",
    )
    known = turned.left_join(
        changes,
        [
            turned.user_id == changes.user_id,
            turned.begin_offset == changes.offset_before,
            turned.end_offset == changes.offset_after,
            turned.started_at < changes.changed_at,
            turned.ended_at >= changes.changed_at,
        ],
    )
    is_short = known.ended_at.delta(known.started_at, unit="second") <= _SHORT_SECONDS
    turned_at = ibis.coalesce(known.changed_at, is_short.ifelse(known.ended_at, ibis.null("timestamp(6)")))
    found = known.group_by(["file_number", "row_number"]).agg(turned_at=turned_at.min())
    return found.filter(found.turned_at.notnull())


def _offset_at(rows: ir.Table, name: str) -> Any:
    return rows[f"local_{name}"].delta(rows[name], unit="minute")


def _cut_at_midnight(rows: ir.Table, turns: ir.Table | None) -> ir.Table:
    """Cut stretches of time at wall-clock midnights and where the clock changes, in proportion to time.

    A piece is what had accumulated by its end minus what had by its start, each rounded, so that the pieces
    add up to the whole exactly. A daily total is not cut: it belongs to the day that it starts in.
    """
    rows = rows.mutate(is_daily_total=rows.is_daily_total.fill_null(ibis.literal(value=False)))
    parts = _uncut(rows) if turns is None else _cut_at_turns(rows, turns)
    last_moment = ibis.greatest(parts.local_ended_at - ibis.interval(microseconds=1), parts.local_started_at)
    span = last_moment.date().epoch_days() - parts.local_started_at.date().epoch_days()
    count = parts.is_daily_total.ifelse(0, span).cast("int64")
    pieces = parts.mutate(piece=ibis.range(0, count + 1).unnest(), _count=count)
    cut = _cut(pieces, piece_start=pieces.local_started_at.truncate("D"), unit="day")
    # The second part is numbered on, so that one piece of each row has the number 0.
    return cut.mutate(piece=cut.piece + cut["_first_piece"], day=cut.local_started_at.date())


def _uncut(rows: ir.Table) -> ir.Table:
    """Stretches whose wall-clock time is their length."""
    length = rows.local_ended_at.delta(rows.local_started_at, unit="microsecond")
    return rows.mutate(_before=ibis.literal(0, type="int64"), _whole=length, _first_piece=0)


def _cut_at_turns(rows: ir.Table, turns: ir.Table) -> ir.Table:
    """Stretches, and of those in which the clock changes the part before and the part after."""
    place = ["file_number", "row_number"]
    joined = rows.left_join(turns, place).drop("file_number_right", "row_number_right")
    turned_at = joined.turned_at
    is_turned = turned_at.notnull()
    count = (is_turned & (turned_at < joined.ended_at)).ifelse(2, 1)
    parts = joined.mutate(_part=ibis.range(0, count).unnest())
    first, second = parts["_part"] == 0, parts["_part"] == 1
    turn_before = parts.turned_at + minutes(_offset_at(parts, "started_at"))
    turn_after = parts.turned_at + minutes(_offset_at(parts, "ended_at"))
    days_before = (
        (turn_before - ibis.interval(microseconds=1)).date().epoch_days()
        - parts.local_started_at.date().epoch_days()
    )  # fmt: skip
    length = parts.local_ended_at.delta(parts.local_started_at, unit="microsecond")
    elapsed = parts.ended_at.delta(parts.started_at, unit="microsecond")
    before = parts.turned_at.delta(parts.started_at, unit="microsecond")
    return parts.mutate(
        local_started_at=second.ifelse(turn_after, parts.local_started_at),
        local_ended_at=(first & parts.turned_at.notnull()).ifelse(turn_before, parts.local_ended_at),
        _before=second.ifelse(before, 0),
        _whole=parts.turned_at.notnull().ifelse(elapsed, length),
        _first_piece=second.ifelse(days_before + 1, 0),
    ).drop("_part", "turned_at")


def _cut(pieces: ir.Table, *, piece_start: Any, unit: str) -> ir.Table:
    """Keep of each stretch the piece with number ``piece``, counted in days or hours from ``piece_start``.

    ``_count`` is the number of the last piece; ``_whole`` the length of all that the values were counted in,
    and ``_before`` how much of it lies before the stretch, in microseconds.
    """
    seconds = {"day": 86_400, "hour": 3_600}[unit]
    start = piece_start + ibis.interval(seconds=1) * (pieces.piece * seconds)
    end = start + ibis.interval(seconds=seconds)
    length = pieces.local_ended_at.delta(pieces.local_started_at, unit="microsecond")
    is_one = pieces["_count"] == 0
    is_whole = is_one & (pieces["_whole"] == length)
    begin = is_one.ifelse(pieces.local_started_at, ibis.greatest(start, pieces.local_started_at))
    finish = is_one.ifelse(pieces.local_ended_at, ibis.least(end, pieces.local_ended_at))

    def share(moment: Any) -> Any:
        gone = pieces["_before"] + moment.delta(pieces.local_started_at, unit="microsecond")
        return gone.cast("float64") / pieces["_whole"].cast("float64")

    cut = {
        name: is_whole.ifelse(
            pieces[name].cast(EXACT),
            (pieces[name].cast("float64") * share(finish)).cast(EXACT)
            - (pieces[name].cast("float64") * share(begin)).cast(EXACT),
        )
        for name in ACTIVITY_VALUES
    }
    return pieces.mutate(local_started_at=begin, local_ended_at=finish, **cut).drop(
        "_count", "_before", "_whole"
    )


def cut_at_hours(pieces: ir.Table) -> ir.Table:
    """Cut raw activity pieces at wall-clock hours: the same columns and ``hour``."""
    last_moment = ibis.greatest(
        pieces.local_ended_at - ibis.interval(microseconds=1), pieces.local_started_at
    )
    first_hour = pieces.local_started_at.truncate("h")
    count = last_moment.truncate("h").delta(first_hour, unit="hour")
    counted = _uncut(pieces).drop("_first_piece")
    cut = counted.mutate(piece=ibis.range(0, count.cast("int64") + 1).unnest(), _count=count)
    return _cut(cut, piece_start=cut.local_started_at.truncate("h"), unit="hour").mutate(
        hour=lambda t: t.local_started_at.hour().cast("int64")
    )
