"""Staged rows → checked rows: wall-clock time, units, rules, versions.

Nothing is repaired. A row that breaks a rule carries the rule's name in ``rule``; rows that break none
compete by key, and the last version wins. The order: rows are judged first, so that a correction that makes
no sense does not take a good value away.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.datasets import (
    ACTIVITY_INTERVALS,
    FILLED,
    HEALTH_READINGS,
    HOST_SAMPLES,
    MEDICATION_DOSES,
    SKIPPED,
    SLEEP_SESSIONS,
    TAKEN,
    UNLOGGED,
    USERS,
    Dataset,
)
from healthmate_bi_pipeline.catalog.lake_tables import ACTIVITY_VALUES, HOST_VALUES
from healthmate_bi_pipeline.catalog.readings import METRICS, Metric, Unit
from healthmate_bi_pipeline.domain.time_zones import DISTANT_PAST, known_time_zones
from healthmate_bi_pipeline.transforms.clock import with_utc, with_wall_clock
from healthmate_bi_pipeline.transforms.columns import first_rule

UNKNOWN_SOURCE = "unknown"
UNKNOWN_PLACE = "unknown"
_ALL = "*"
_ELAPSED_TOLERANCE_MINUTES = 1.5  # whole minutes at both ends
_EARLIEST_DOSE_SECONDS = 24 * 3600


def unit_table() -> pa.Table:
    """Every metric and unit that is taken: factor, offset, limits. A missing unit is ''."""
    rows = [
        (metric.code, spelling, unit.factor, unit.offset, *metric.hard, *metric.soft)
        for metric in METRICS
        for unit in metric.units
        for spelling in _spellings(metric, unit)
    ]  # fmt: skip
    unique = {(row[0], row[1]): row for row in rows}
    names = ("metric", "unit", "factor", "shift", "hard_low", "hard_high", "soft_low", "soft_high")
    return pa.table(dict(zip(names, zip(*unique.values(), strict=True), strict=True)))


def _spellings(metric: Metric, unit: Unit) -> tuple[str, ...]:
    """The unit as it is compared, and no unit at all where only one exists."""
    spelled = unit.spelling.lower()
    return (spelled, "") if metric.is_unit_optional and unit is metric.units[0] else (spelled,)


def zone_table() -> pa.Table:
    """The names of all time zones."""
    return pa.table({"known_zone": sorted(known_time_zones())})


def judge(staged: ir.Table, dataset: Dataset, *, stretches: ir.Table, units: ir.Table) -> ir.Table:
    """Fill in wall-clock times, convert units and name the rule that a row breaks.

    Args:
        staged: staged rows that have a day.
        dataset: what they are rows of.
        stretches: ``person_stretches``; of no use where there are no people.
        units: ``unit_table``; used by readings only.

    Returns:
        The staged columns with times filled in, ``rule`` (null for a good row), ``own_day`` (the wall-clock
        day that the row belongs to), ``key_hash``, and for readings ``kept_value``, ``is_implausible`` and
        ``is_repaired``.
    """
    rows = _normalised(staged, dataset)
    for field in dataset.fields:
        if field.type is Type.TIMESTAMP and field.name != "updated_at":  # that one only orders versions
            rows = (
                with_wall_clock(rows, field.name, stretches)
                if dataset.has_wall_clock
                else with_utc(rows, field.name)
            )
    if dataset is HEALTH_READINGS:
        rows = _converted(rows, units)
    rules = [*_type_rules(rows, dataset), *_value_rules(rows, dataset)]
    is_tombstone = rows.is_deleted.fill_null(ibis.literal(value=False))
    rule = ibis.coalesce(
        first_rule(_key_rules(rows, dataset)), is_tombstone.ifelse(ibis.null("string"), first_rule(rules))
    )
    return rows.mutate(rule=rule, own_day=_own_day(rows, dataset), key_hash=_key_hash(rows, dataset))


def judge_users(staged: ir.Table, zones: ir.Table) -> ir.Table:
    """The same for the people's records: ``rule`` (null for a good one) and ``key_hash``."""
    rows = _normalised(staged, USERS)
    # A date without an offset is a version's start like any other: it is taken for UTC.
    rows = rows.mutate(valid_from=ibis.coalesce(rows.valid_from, rows.local_valid_from))
    joined = rows.left_join(zones, rows.time_zone == zones.known_zone)
    is_unknown_zone = joined.time_zone.notnull() & joined.known_zone.isnull()
    rules = [
        *_key_rules(joined, USERS),
        *_type_rules(joined, USERS),
        *_limit_rules(joined, USERS),
        (is_unknown_zone, "unknown_code:time_zone"),
        (joined.birth_year > joined.first_seen_at.year(), "impossible_value:birth_year"),
    ]
    return joined.mutate(rule=first_rule(rules), key_hash=_key_hash(joined, USERS)).drop("known_zone")


def _key_hash(rows: ir.Table, dataset: Dataset) -> Any:
    """A hash of the key that each row is known by.

    Comparing hashes costs a fraction of comparing keys. Rows of a hash that stands once have no rival; only the
    few others go through ``repeated_rows``. Null for a row that is known by nothing: it has no rival.
    """
    hashes = [
        ibis.struct(
            {"key": ibis.literal(number), **{name: _key_value(rows, dataset, name) for name in key}}
        ).hash()
        for number, key in enumerate(dataset.keys)
    ]
    *others, last = hashes
    cases = [(_uses_key(rows, dataset.keys, number), key_hash) for number, key_hash in enumerate(others)]
    key_hash = ibis.cases(*cases, else_=last) if cases else last
    if dataset.has_keyless_rows:
        return _has_key(rows, dataset).ifelse(key_hash, ibis.null("int64"))
    return key_hash


def repeated_rows(good: ir.Table, dataset: Dataset) -> ir.Table:
    """The rows whose key stands more than once, with their place and fate.

    Returns:
        file_number, row_number, ``fate``: kept, duplicate (equal to the kept row), superseded.
    """
    keys = dataset.keys
    if dataset.has_keyless_rows:
        good = good.filter(_has_key(good, dataset))
    parts = []
    for number, key in enumerate(keys):
        rows = good.filter(_uses_key(good, keys, number))
        columns = [f"{name}" for name in key]
        probe = rows.mutate(**{f"key_{i}": _key_value(rows, dataset, name) for i, name in enumerate(columns)})
        by = [f"key_{i}" for i in range(len(columns))]
        crowded = probe.group_by(by).agg(n=ibis._.count()).filter(ibis._.n > 1)
        parts.append(_fates(probe.semi_join(crowded, by), dataset, by))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _fates(rows: ir.Table, dataset: Dataset, by: list[str]) -> ir.Table:
    """Who wins among rows of one key: the latest update, then the later file, then the later row."""
    updated = ibis.coalesce(rows.updated_at, rows.local_updated_at)
    order = [ibis.desc(updated, nulls_first=False), ibis.desc("file_number"), ibis.desc("row_number")]
    window = ibis.window(group_by=by, order_by=order)
    said = ibis.struct(
        {field.name: rows[field.name] for field in dataset.fields if field.name != "origin"}
        | {"updated_at": updated}
    )
    ranked = rows.mutate(place=ibis.row_number().over(window), said=said.cast("string"))
    first = ibis.window(group_by=by, order_by="place", preceding=None, following=None)
    ranked = ranked.mutate(winner=ranked.said.first().over(first))
    is_tombstone = ranked.is_deleted.fill_null(ibis.literal(value=False))
    fate = ibis.cases(
        ((ranked.place == 0) & ~is_tombstone, "kept"),
        ((ranked.place > 0) & (ranked.said == ranked.winner), "duplicate"),
        else_="superseded",
    )
    return ranked.select("file_number", "row_number", fate=fate)


def _has_key(rows: ir.Table, dataset: Dataset) -> Any:
    """Whether a row is known by anything: one of its keys is whole."""
    return ibis.or_(*(_is_whole(rows, key) for key in dataset.keys))


def _uses_key(rows: ir.Table, keys: tuple[tuple[str, ...], ...], number: int) -> Any:
    """Whether a row is known by the key with this number: the first whose columns all have a value."""
    if number == len(keys) - 1:
        return ~ibis.or_(*(_is_whole(rows, key) for key in keys[:-1])) if number else ibis.literal(value=True)
    return ibis.and_(_is_whole(rows, keys[number]), *(~_is_whole(rows, key) for key in keys[:number]))


def _is_whole(rows: ir.Table, key: tuple[str, ...]) -> Any:
    return ibis.and_(*(_is_given(rows, name) for name in key))


def _is_given(rows: ir.Table, name: str) -> Any:
    return rows[name].notnull()


def _key_value(rows: ir.Table, dataset: Dataset, name: str) -> Any:
    """A key's value; a missing one equals another missing one."""
    value = rows[name]
    field = dataset.field_named(name)
    if field.type is Type.TEXT:
        return value.fill_null("")
    if field.type is Type.TIMESTAMP and field.is_nullable:
        return value.fill_null(ibis.literal(DISTANT_PAST).cast(value.type()))
    return value


def _normalised(staged: ir.Table, dataset: Dataset) -> ir.Table:
    changed: dict[str, Any] = {
        field.name: staged[field.name].lower() for field in dataset.fields if field.codes or field.is_caseless
    }
    if dataset is MEDICATION_DOSES:
        changed["status"] = _dose_status(staged, changed["status"])
    if not dataset.has_people:
        changed |= {name: staged[name].fill_null(UNKNOWN_PLACE) for name in ("environment", "instance_id")}
    return staged.mutate(source=staged.source.fill_null(UNKNOWN_SOURCE), **changed)


def _dose_status(rows: ir.Table, given: Any) -> Any:
    """What became of a dose: as it is given, else as its times tell."""
    has_time = {
        name: rows[name].notnull() | rows[f"local_{name}"].notnull() for name in ("filled_at", "taken_at")
    }
    told = ibis.cases((has_time["filled_at"], FILLED), (has_time["taken_at"], TAKEN), else_=UNLOGGED)
    return given.fill_null(told)


def _converted(rows: ir.Table, units: ir.Table) -> ir.Table:
    spelled = rows.mutate(spelling=rows.unit.lower().fill_null(""))
    joined = spelled.left_join(units, [spelled.metric == units.metric, spelled.spelling == units.unit])
    kept = joined.value * joined.factor + joined.shift
    limits = {name: joined[name] for name in ("hard_low", "hard_high")}
    return joined.select(
        **{name: joined[name] for name in rows.columns},
        **limits,
        kept_value=kept,
        is_implausible=(kept < joined.soft_low) | (kept > joined.soft_high),
        is_repaired=ibis.literal(value=False),
    )


def _own_day(rows: ir.Table, dataset: Dataset) -> Any:
    days = []
    for name in dataset.day_of:
        is_time = dataset.field_named(name).type is Type.TIMESTAMP
        days.append(rows[f"local_{name}"].date() if is_time else rows[name])
    own = ibis.coalesce(*days)
    # A row that lacks the day it belongs to, or names one that no good row can, is set aside; it is booked
    # under the day it was staged by.
    ahead = own.epoch_days() - rows.day.epoch_days()
    return ahead.between(-dataset.days_after, dataset.days_before).ifelse(own, rows.day)


def _key_rules(rows: ir.Table, dataset: Dataset) -> Iterator[tuple[Any, str]]:
    if dataset.has_people:
        yield rows.user_id.isnull() & ~_is_unparsed(rows, "user_id"), "missing:user_id"
        yield _is_unparsed(rows, "user_id"), "wrong_type:user_id"
    else:
        yield rows.service.isnull(), "missing:service"
    if dataset is SLEEP_SESSIONS:
        yield rows.ended_at.isnull() & rows.night_on.isnull(), "missing:ended_at"
    if dataset is ACTIVITY_INTERVALS:
        yield rows.ended_at.isnull() & ~_is_unparsed(rows, "ended_at"), "missing:ended_at"


def _is_unparsed(rows: ir.Table, name: str) -> Any:
    return rows.unparsed.fill_null("").re_search(f"(?m)^{name}: ")


def _type_rules(rows: ir.Table, dataset: Dataset) -> Iterator[tuple[Any, Any]]:
    first = rows.unparsed.re_extract(r"^([a-z_]+): ", 1)
    yield rows.unparsed.notnull(), ibis.literal("wrong_type:") + first
    for field in dataset.fields:
        if not field.is_nullable and field.name != "user_id" and field.type is not Type.TIMESTAMP:
            yield rows[field.name].isnull(), f"missing:{field.name}"
        if field.codes:
            yield (
                rows[field.name].notnull() & ~rows[field.name].isin(field.codes),
                f"unknown_code:{field.name}",
            )


def _limit_rules(rows: ir.Table, dataset: Dataset) -> Iterator[tuple[Any, str]]:
    for field in dataset.fields:
        if field.limits is None:
            continue
        low, high = field.limits
        if low == 0:
            yield rows[field.name] < 0, f"negative:{field.name}"
        yield (rows[field.name] < low) | (rows[field.name] > high), f"impossible_value:{field.name}"


def _value_rules(rows: ir.Table, dataset: Dataset) -> Iterator[tuple[Any, str]]:
    if dataset is MEDICATION_DOSES:
        yield rows.days_supply < 0, "negative:days_supply"
    yield from _limit_rules(rows, dataset)
    if dataset is HEALTH_READINGS:
        yield rows.hard_low.isnull() & rows.unit.isnull(), "missing_unit:unit"
        yield rows.hard_low.isnull(), "unknown_unit:unit"
        yield (rows.kept_value < rows.hard_low) | (rows.kept_value > rows.hard_high), "impossible_value:value"
    if dataset.longest_hours is not None:
        elapsed = rows.ended_at.delta(rows.started_at, unit="second")
        yield elapsed < 0, "ends_before_start:ended_at"
        yield elapsed > dataset.longest_hours * 3600, "too_long:ended_at"
        for amount in _claimed_minutes(rows, dataset):
            yield amount > elapsed / 60 + _ELAPSED_TOLERANCE_MINUTES, "more_than_elapsed"
    if dataset is SLEEP_SESSIONS:
        nights = rows.ended_at.isnull().ifelse(
            rows.night_on.epoch_days() - rows.local_started_at.date().epoch_days(), ibis.null("int64")
        )
        yield nights < 0, "ends_before_start:night_on"
        yield nights > 1, "too_long:night_on"
        yield rows.asleep_minutes > rows.in_bed_minutes, "more_than_elapsed:asleep_minutes"
    if dataset is MEDICATION_DOSES:
        yield from _dose_rules(rows)
    if dataset is ACTIVITY_INTERVALS:
        yield ibis.and_(*(rows[name].isnull() for name in ACTIVITY_VALUES)), "not_measured"
    if not dataset.has_people:
        yield from _machine_rules(rows, dataset)


def _machine_rules(rows: ir.Table, dataset: Dataset) -> Iterator[tuple[Any, str]]:
    for name in ("service", "environment", "instance_id"):
        yield rows[name] == _ALL, f"reserved:{name}"
    if dataset is HOST_SAMPLES:
        yield ibis.and_(*(rows[name].isnull() for name in HOST_VALUES)), "not_measured"


def _claimed_minutes(rows: ir.Table, dataset: Dataset) -> tuple[Any, ...]:
    """The minutes that a stretch of time claims to be made of."""
    if dataset is SLEEP_SESSIONS:
        return rows.asleep_minutes, rows.in_bed_minutes
    if dataset is ACTIVITY_INTERVALS:
        return (rows.moderate_minutes.fill_null(0) + rows.vigorous_minutes.fill_null(0),)
    return ()


def _dose_rules(rows: ir.Table) -> Iterator[tuple[Any, str]]:
    """A refill needs its day and how long it lasts; what was not taken says nothing without its schedule."""
    is_fill = rows.status == FILLED
    yield is_fill & rows.filled_at.isnull(), "missing:filled_at"
    yield is_fill & rows.days_supply.isnull(), "missing:days_supply"
    yield rows.status.isin((SKIPPED, UNLOGGED)) & rows.scheduled_at.isnull(), "missing:scheduled_at"
    is_dose_filled = ~is_fill & rows.filled_at.notnull()
    is_untaken_taken = (rows.status != TAKEN) & rows.taken_at.notnull()
    yield is_dose_filled | is_untaken_taken, "contradiction:status"
    ahead = rows.scheduled_at.delta(rows.taken_at, unit="second")
    yield ahead > _EARLIEST_DOSE_SECONDS, "taken_too_early:taken_at"
