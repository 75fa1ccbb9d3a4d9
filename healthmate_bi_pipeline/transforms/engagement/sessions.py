"""Sessions, logged or made from events, and the time in which one was open.

On days of a person on which no logged session was open, sessions are made from deliberate events: 30 minutes
without one ends a session (GA4), and so does midnight, since the next day may have logged ones.
"""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.datasets import PAGE_VIEW
from healthmate_bi_pipeline.catalog.engagement import (
    DEEP_PAGE_VIEWS,
    DELIBERATE_EVENTS,
    SESSION_GAP_MINUTES,
)
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.sessions import cut_at_hours

_SECONDS = "decimal(38, 6)"
_DAY = ["user_id", "day"]
_COUNTED = ("user_id", "day", "hour", "is_logged", "session_seconds", "is_deep")
_OPEN = ("user_id", "day", "started_at", "ended_at", "local_started_at")


def deliberate_events(events: ir.Table) -> ir.Table:
    """The events that a person caused, and that really happened."""
    return events.filter(events.event.isin(DELIBERATE_EVENTS) & (events["count"] > 0))


def logged_sessions(pieces: ir.Table, events: ir.Table) -> ir.Table:
    """The logged sessions, where they began: user_id, day, hour, is_logged, session_seconds, is_deep.

    Args:
        pieces: rows of ``raw/login_sessions``.
        events: rows of ``raw/app_events`` of the same days and the day after: a session's page views are those
            that name it, on the day that it began or the next one.
    """
    began = pieces.filter(pieces.piece == 0)
    named = events.filter((events.event == PAGE_VIEW) & events.session_id.notnull())
    viewed = named.group_by(["user_id", "session_id", "day"]).agg(views=named["count"].sum())
    joined = began.left_join(
        viewed.rename(viewed_on="day"), ["user_id", "session_id"]
    )  # fmt: skip
    ahead = joined.viewed_on.epoch_days() - joined.day.epoch_days()
    counted = joined.mutate(own_views=ahead.isin([0, 1]).ifelse(joined.views, 0))
    by = ["user_id", "session_id", "day", "local_started_at", "session_seconds"]
    whole = counted.group_by(by).agg(views=counted.own_views.sum().fill_null(0))
    return whole.select(
        "user_id",
        "day",
        "session_seconds",
        hour=whole.local_started_at.hour().cast("int64"),
        is_logged=ibis.literal(value=True),
        is_deep=whole.views >= DEEP_PAGE_VIEWS,
    ).select(*_COUNTED)


def with_made_session(events: ir.Table, pieces: ir.Table) -> ir.Table:
    """The deliberate events of people's days without a logged session, with ``session``: its number on the day."""
    deliberate = deliberate_events(events)
    alone = deliberate.anti_join(pieces.select(*_DAY).distinct(), _DAY)
    # Of equal times too there is one order: the gap before an event and the count of gaps up to it must mean the same.
    places = ["occurred_at", "file_number", "row_number"]
    order = ibis.window(group_by=_DAY, order_by=places)
    silence = alone.occurred_at.delta(alone.occurred_at.lag().over(order), unit="microsecond")
    begins = silence.isnull() | (silence >= SESSION_GAP_MINUTES * 60_000_000)
    marked = alone.mutate(begins=begins.cast("int64"))
    so_far = ibis.window(group_by=_DAY, order_by=places, preceding=None, following=0)
    return marked.mutate(session=marked.begins.sum().over(so_far)).drop("begins")


def made_sessions(numbered: ir.Table) -> ir.Table:
    """The sessions made from events, where they began; the columns of ``logged_sessions``.

    Args:
        numbered: from ``with_made_session``.
    """
    is_view = numbered.event == PAGE_VIEW
    made = numbered.group_by([*_DAY, "session"]).agg(
        begin=numbered.occurred_at.min(),
        finish=numbered.occurred_at.max(),
        local_begin=numbered.local_occurred_at.argmin(numbered.occurred_at),
        views=numbered["count"].sum(where=is_view).fill_null(0),
    )
    length = made.finish.delta(made.begin, unit="microsecond")
    return made.select(
        *_DAY,
        hour=made.local_begin.hour().cast("int64"),
        is_logged=ibis.literal(value=False),
        session_seconds=(length.cast(_SECONDS) / 1_000_000).cast(_SECONDS),
        is_deep=made.views >= DEEP_PAGE_VIEWS,
    ).select(*_COUNTED)


def open_stretches(pieces: ir.Table, numbered: ir.Table) -> ir.Table:
    """When a session was open: user_id, day, started_at, ended_at, local_started_at; each of one clock offset.

    Args:
        pieces: rows of ``raw/login_sessions``.
        numbered: from ``with_made_session``.
    """
    logged = pieces.filter(pieces.ended_at.notnull()).select(*_OPEN)
    offset = numbered.local_occurred_at.delta(numbered.occurred_at, unit="minute")
    by = [*_DAY, "session", "offset"]
    of_clock = numbered.mutate(offset=offset).group_by(by).agg(
        started_at=ibis._.occurred_at.min(),
        last_at=ibis._.occurred_at.max(),
        local_started_at=ibis._.local_occurred_at.min(),
    )  # fmt: skip
    # Where the clock changes within a session, the time up to the first event after it is still its time.
    order = ibis.window(group_by=[*_DAY, "session"], order_by="started_at")
    made = of_clock.mutate(ended_at=of_clock.started_at.lead().over(order).fill_null(of_clock.last_at))
    return union_all((logged, made.select(*_OPEN)))


def open_hours(stretches: ir.Table) -> ir.Table:
    """The stretches cut at wall-clock hours, with the seconds that no earlier one of the hour covers.

    Args:
        stretches: from ``open_stretches``.

    Returns:
        user_id, day, hour, seconds: exact; a stretch without length has 0.
    """
    cut = cut_at_hours(stretches)
    before = ibis.window(
        group_by=["user_id", "day", "hour"], order_by=["started_at", "ended_at"], preceding=(None, 1)
    )
    covered_to = cut.ended_at.max().over(before)
    begin: Any = ibis.greatest(cut.started_at, covered_to.fill_null(cut.started_at))
    seconds = ibis.greatest(cut.ended_at.delta(begin, unit="microsecond"), 0)
    exact = (seconds.cast(_SECONDS) / 1_000_000).cast(_SECONDS)
    return cut.select("user_id", "day", "hour", seconds=exact)
