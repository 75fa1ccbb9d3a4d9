"""Wall-clock time: where a person was, and what the clocks there showed (DESIGN, rule 4).

A person's time zone changes when they move and its offset when clocks change; both become *stretches* of
constant offset per person, and a time is looked up in them by a range join. That is exact, the same on every
engine, and an order of magnitude faster than converting each row by its zone's name.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.catalog.datasets import UTC_OFFSET_MINUTES
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.domain.time_zones import (
    DISTANT_FUTURE,
    DISTANT_PAST,
    known_time_zones,
    offset_stretches,
)
from healthmate_bi_pipeline.transforms.columns import minutes

ZONE_SCHEMA = pa.schema(
    [
        ("time_zone", pa.string()),
        ("start", pa.timestamp("us")),
        ("end", pa.timestamp("us")),
        ("offset_minutes", pa.int64()),
    ]
)
_MARGIN = timedelta(days=30)  # beyond a window, so that what reaches into it finds its offset


def zone_stretches(zones: Iterable[str], window: Window) -> pa.Table:
    """Stretches of constant offset of some time zones around a window; unknown names have none."""
    rows = [
        (zone, stretch.start, stretch.end, stretch.offset_minutes)
        for zone in sorted(set(zones) & known_time_zones())
        for stretch in offset_stretches(zone, start=window.start - _MARGIN, end=window.end + _MARGIN)
    ]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(ZONE_SCHEMA)
    return pa.table(
        [pa.array(values, type=field.type) for values, field in zip(columns, ZONE_SCHEMA, strict=True)],
        schema=ZONE_SCHEMA,
    )


def person_stretches(users: ir.Table, zones: ir.Table) -> ir.Table:
    """Stretches of constant offset per person.

    Args:
        users: rows of ``raw/users``; the first version of a person reaches back without end.
        zones: ``zone_stretches``.

    Returns:
        user_id, start, end (instants, half-open), local_start, local_end (wall-clock, half-open: a time that
        the clock shows twice belongs to the earlier stretch, one that it skips to the one before),
        offset_minutes, shift_minutes (how much longer the wall-clock time before ``local_start`` really took).
    """
    person = ibis.window(group_by="user_id", order_by=ibis.asc("valid_from", nulls_first=True))
    past, future = ibis.literal(DISTANT_PAST), ibis.literal(DISTANT_FUTURE)
    versions = users.filter(users.time_zone.notnull()).mutate(
        since=(ibis.row_number().over(person) == 0).ifelse(past, ibis._.valid_from),
        until=ibis._.valid_from.lead().over(person).fill_null(future),
    )
    pieces = (
        versions.join(zones, "time_zone")
        .filter(lambda t: (t.start < t.until) & (t.end > t.since))
        .select(
            "user_id",
            "offset_minutes",
            start=lambda t: ibis.greatest(t.start, t.since),
            end=lambda t: ibis.least(t.end, t.until),
        )
    )
    order = ibis.window(group_by="user_id", order_by="start")
    before = pieces.mutate(
        offset_before=pieces.offset_minutes.lag().over(order).fill_null(pieces.offset_minutes)
    )
    latest = before.start + minutes(ibis.greatest(before.offset_minutes, before.offset_before))
    bounded = before.mutate(
        # Never before that of an earlier stretch: who moves twice within a day would be in two of them.
        local_start=latest.max().over(ibis.cumulative_window(group_by="user_id", order_by="start")),
        shift_minutes=before.offset_before - before.offset_minutes,
    )
    return bounded.mutate(
        local_end=bounded.local_start.lead().over(order).fill_null(future),
    ).drop("offset_before")


def with_wall_clock(rows: ir.Table, name: str, stretches: ir.Table) -> ir.Table:
    """Fill in the instant ``<name>`` and the wall-clock time ``local_<name>`` from each other.

    The offset is the row's ``utc_offset_minutes``, else the one it was written with, else the person's there
    and then, else zero. A row that has neither time stays without.
    """
    local_name = f"local_{name}"
    written = (rows[local_name].delta(rows[name], unit="minute")).cast("int64")
    own = rows.mutate(
        own_offset=ibis.coalesce(_real_offset(rows.utc_offset_minutes), written),
        is_local=rows[name].isnull(),
        probe=ibis.coalesce(rows[name], rows[local_name]),
    )
    # One equality join with a range: a time is looked up by instant or by wall clock, whichever it has.
    lookup = stretches.select(
        "user_id", "offset_minutes", is_local=ibis.literal(value=False), since="start", until="end"
    ).union(
        stretches.select(
            "user_id",
            "offset_minutes",
            is_local=ibis.literal(value=True),
            since="local_start",
            until="local_end",
        )
    )
    joined = own.left_join(
        lookup,
        [
            own.user_id == lookup.user_id,
            own.is_local == lookup.is_local,
            own.probe >= lookup.since,
            own.probe < lookup.until,
        ],
    )
    offset = ibis.coalesce(joined.own_offset, joined.offset_minutes, ibis.literal(0, type="int64"))
    filled: dict[str, Any] = {column: joined[column] for column in rows.columns}
    filled[name] = ibis.coalesce(joined[name], joined[local_name] - minutes(offset))
    # The row's own offset also corrects a wall-clock time that was written with another one.
    filled[local_name] = joined[name].isnull().ifelse(joined[local_name], joined[name] + minutes(offset))
    return joined.select(**filled)


def with_utc(rows: ir.Table, name: str) -> ir.Table:
    """Fill in both times of a row that is about no person: its clock shows UTC unless it says otherwise."""
    offset = _real_offset(rows.utc_offset_minutes).fill_null(0)
    instant = ibis.coalesce(rows[name], rows[f"local_{name}"] - minutes(offset))
    return rows.mutate(**{name: instant, f"local_{name}": instant})


def _real_offset(offset: Any) -> Any:
    """An offset that a clock can have; a row with another one is set aside."""
    return offset.between(*UTC_OFFSET_MINUTES).ifelse(offset, ibis.null("int64"))


def clock_shifts(stretches: ir.Table) -> ir.Table:
    """The clock changes of each person: user_id, local_at, shift_minutes, cut at wall-clock hours.

    ``local_at`` is the first moment of an hour that the clock shows twice or leaves out, so that the real
    length of a wall-clock window is its nominal length plus the shifts in it: 25 hours on the day the clock
    goes back, none in an hour that it leaves out. Who moves by six zones has up to seven of them.
    """
    changed = stretches.filter(stretches.shift_minutes != 0)
    begin = changed.local_start - minutes(changed.shift_minutes.abs())
    first_hour = begin.truncate("h")
    count = (changed.local_start.delta(first_hour, unit="minute") + 59) // 60
    hours = changed.mutate(
        begin=begin, first_hour=first_hour, number=ibis.range(0, count.cast("int64")).unnest()
    )
    start = ibis.greatest(hours.begin, hours.first_hour + minutes(hours.number * 60))
    end = ibis.least(hours.local_start, hours.first_hour + minutes(hours.number * 60 + 60))
    amount = end.delta(start, unit="minute") * hours.shift_minutes.sign().cast("int64")
    return hours.select("user_id", local_at=start, shift_minutes=amount.cast("int64"))
