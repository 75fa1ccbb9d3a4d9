"""Raw sessions and events → the engagement state of wall-clock hours; days and months are merged from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.datasets import HEALTH_DATA_ADDED
from healthmate_bi_pipeline.catalog.engagement import (
    ACTIVE_HOURS,
    APP_SECONDS,
    DEEP_SESSIONS,
    HEALTH_DATA,
    ITEMS_OF_EVENT,
    LOGINS,
    MEASURE_OF_EVENT,
    SESSION_DAY,
    SESSION_SECONDS,
    SESSIONS,
)
from healthmate_bi_pipeline.catalog.families import ENGAGEMENT, state_table
from healthmate_bi_pipeline.catalog.measures import Measure
from healthmate_bi_pipeline.domain.period import Grain, Period
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.engagement.sessions import deliberate_events
from healthmate_bi_pipeline.transforms.placing import period_floor
from healthmate_bi_pipeline.transforms.state import (
    merge_states,
    shaped_as_state,
    single_values,
    value_components,
)

_SLOT = ["user_id", "day", "hour"]
_KEY = ("user_id", "measure", "item")


def hour_states(sessions: ir.Table, opened: ir.Table, starts: ir.Table, events: ir.Table) -> ir.Table:
    """The engagement state of hours.

    Args:
        sessions: sessions where they began: user_id, day, hour, is_logged, session_seconds, is_deep.
        opened: from ``sessions.open_hours``.
        starts: user_id, day, hour in which a session began whose end is unknown.
        events: rows of ``raw/app_events`` of the days.

    Returns:
        Rows of ``state_table(ENGAGEMENT, Grain.HOUR)``.
    """
    table = state_table(ENGAGEMENT, Grain.HOUR)
    hourly = events.filter(events["count"] > 0).mutate(hour=events.local_occurred_at.hour().cast("int64"))
    parts = (
        *_session_states(sessions),
        _app_seconds(opened),
        _active_hours(opened, starts, deliberate_events(hourly)),
        *_event_states(hourly),
        *_item_states(hourly),
    )
    return union_all(shaped_as_state(part, table) for part in parts)


def _session_states(sessions: ir.Table) -> Iterator[ir.Table]:
    by = sessions.group_by(_SLOT)
    seconds = sessions.session_seconds
    number = sessions.day.epoch_days().cast("int64")
    yield _named(by.agg(n=sessions.count()), SESSIONS)
    yield _named(_given(by.agg(n=sessions.count(where=sessions.is_logged))), LOGINS)
    yield _named(_given(by.agg(n=sessions.count(where=sessions.is_deep))), DEEP_SESSIONS)
    yield _named(by.agg(n=sessions.count(), low=number.min(), high=number.max()), SESSION_DAY)
    yield _named(_given(by.agg(**value_components(seconds.cast("float64")))), SESSION_SECONDS)


def _app_seconds(opened: ir.Table) -> ir.Table:
    hourly = opened.group_by(_SLOT).agg(value=opened.seconds.sum().cast("decimal(18, 6)"))
    return _named(single_values(hourly), APP_SECONDS)


def _active_hours(*places: ir.Table) -> ir.Table:
    """One per hour in which a session was open or a deliberate event happened."""
    active = union_all(place.select(*_SLOT) for place in places).distinct()
    return _named(active.mutate(n=ibis.literal(1, type="int64")), ACTIVE_HOURS)


def _event_states(hourly: ir.Table) -> Iterator[ir.Table]:
    """How many events of each kind; of entries of health data also how many data points they added."""
    names = {code: measure.name for code, measure in MEASURE_OF_EVENT.items() if code != HEALTH_DATA_ADDED}
    named = hourly.filter(hourly.event.isin(list(names)))
    measure = ibis.cases(*((named.event == code, name) for code, name in names.items()), else_="")
    placed = named.mutate(measure=measure)
    counted = placed.group_by([*_SLOT, "measure"]).agg(n=placed["count"].sum().cast("int64"))
    yield counted.mutate(item=ibis.literal(""))
    entries = hourly.filter(hourly.event == HEALTH_DATA_ADDED)
    points: Any = entries["count"].cast("float64")
    yield _named(entries.group_by(_SLOT).agg(**value_components(points)), HEALTH_DATA)


def _item_states(hourly: ir.Table) -> Iterator[ir.Table]:
    for code, measure in ITEMS_OF_EVENT.items():
        named = hourly.filter((hourly.event == code) & hourly["name"].notnull())
        items = named.group_by([*_SLOT, "name"]).agg(n=named["count"].sum().cast("int64"))
        yield items.rename(item="name").mutate(measure=ibis.literal(measure.name))


def _named(rows: ir.Table, measure: Measure) -> ir.Table:
    return rows.mutate(measure=ibis.literal(measure.name), item=ibis.literal(""))


def _given(rows: ir.Table) -> ir.Table:
    """The slots in which anything was counted."""
    return rows.filter(rows.n > 0)


def day_states(hours: ir.Table) -> ir.Table:
    """The engagement state of days: the merge of their hours."""
    table = state_table(ENGAGEMENT, Grain.DAY)
    merged = merge_states(hours, (*_KEY, "day"))
    return shaped_as_state(merged.mutate(days=ibis.literal(1, type="int64"), first_day=merged.day), table)


def month_states(days: ir.Table) -> ir.Table:
    """The engagement state of months: the merge of their days."""
    table = state_table(ENGAGEMENT, Grain.MONTH)
    dated = days.mutate(month=period_floor(days.day, Period.MONTHLY).date()).drop("day")
    return shaped_as_state(merge_states(dated, (*_KEY, "month")), table)
