"""Sessions cut at wall-clock midnights and hours.

The pieces are cut by instants, so their lengths are what really elapsed, also where the clock changes in the
middle; which day and hour a piece lies in is told by the wall clock.
"""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.transforms.columns import minutes

_MICROSECOND = ibis.interval(microseconds=1)


def cut_at_midnight(sessions: ir.Table, turns: ir.Table | None) -> ir.Table:
    """Cut sessions at wall-clock midnights and where the clock changes.

    Args:
        sessions: good rows of ``login_sessions``; one without an end is one piece without an end.
        turns: ``raw.clock_turns`` of them; ``None`` when there are none.

    Returns:
        The rows with the times of the piece, ``piece``, ``session_seconds`` of the whole, and ``day``.
    """
    length = sessions.ended_at.delta(sessions.started_at, unit="microsecond")
    rows = sessions.mutate(
        session_seconds=(length.cast("decimal(38, 6)") / 1_000_000).cast("decimal(38, 6)"),
        has_end=sessions.ended_at.notnull(),
        ended_at=sessions.ended_at.fill_null(sessions.started_at),
        begin_offset=sessions.local_started_at.delta(sessions.started_at, unit="minute"),
        end_offset=sessions.local_ended_at.delta(sessions.ended_at, unit="minute"),
    )
    parts = _cut_at_turns(rows, turns) if turns is not None else _uncut(rows)
    cut = _cut(parts, unit="D", seconds=86_400)
    return cut.mutate(
        piece=cut.piece + cut.first_piece,
        ended_at=cut.has_end.ifelse(cut.ended_at, ibis.null("timestamp(6)")),
        local_ended_at=cut.has_end.ifelse(cut.local_ended_at, ibis.null("timestamp(6)")),
        day=cut.local_started_at.date(),
    )


def cut_at_hours(pieces: ir.Table) -> ir.Table:
    """Cut raw pieces that have an end at wall-clock hours: the same columns, and ``hour``."""
    ended = pieces.filter(pieces.ended_at.notnull())
    offset = ended.local_started_at.delta(ended.started_at, unit="minute")
    cut = _cut(ended.mutate(offset=offset), unit="h", seconds=3_600)
    return cut.mutate(hour=cut.local_started_at.hour().cast("int64"))


def _uncut(rows: ir.Table) -> ir.Table:
    return rows.mutate(offset=rows.begin_offset, first_piece=0)


def _cut_at_turns(rows: ir.Table, turns: ir.Table) -> ir.Table:
    """The sessions, and of those in which the clock changes the part before and the part after."""
    joined = rows.left_join(turns, ["file_number", "row_number"]).drop(
        "file_number_right", "row_number_right"
    )
    is_turned = joined.turned_at.notnull() & (joined.turned_at < joined.ended_at)
    parts = joined.mutate(is_turned=is_turned, part=ibis.range(0, is_turned.ifelse(2, 1)).unnest())
    is_second = parts.part == 1
    turn_before = parts.turned_at + minutes(parts.begin_offset)
    days_before = (
        turn_before - _MICROSECOND
    ).date().epoch_days() - parts.local_started_at.date().epoch_days()
    return parts.mutate(
        started_at=is_second.ifelse(parts.turned_at, parts.started_at),
        ended_at=(parts.is_turned & ~is_second).ifelse(parts.turned_at, parts.ended_at),
        offset=is_second.ifelse(parts.end_offset, parts.begin_offset),
        # The second part is numbered on, so that one piece of each session has the number 0.
        first_piece=is_second.ifelse(days_before + 1, 0),
    ).drop("part", "is_turned", "turned_at")


def _cut(parts: ir.Table, *, unit: str, seconds: int) -> ir.Table:
    """Cut at the whole days or hours of the clock, of which each part has one offset."""
    local_begin = parts.started_at + minutes(parts.offset)
    local_finish = parts.ended_at + minutes(parts.offset)
    last_moment = ibis.greatest(local_finish - _MICROSECOND, local_begin)
    first = local_begin.truncate(unit)
    count = last_moment.truncate(unit).delta(first, unit="second") // seconds
    pieces = parts.mutate(
        local_begin=local_begin,
        local_finish=local_finish,
        first=first,
        piece=ibis.range(0, count.cast("int64") + 1).unnest(),
    )
    start: Any = pieces["first"] + ibis.interval(seconds=1) * (pieces.piece * seconds)
    begin = ibis.greatest(start, pieces.local_begin)
    finish = ibis.least(start + ibis.interval(seconds=seconds), pieces.local_finish)
    return pieces.mutate(
        local_started_at=begin,
        local_ended_at=finish,
        started_at=begin - minutes(pieces.offset),
        ended_at=finish - minutes(pieces.offset),
    ).drop("local_begin", "local_finish", "first", "offset")
