"""Versions: from what a partition would be made now, to compare with what it was made from.

A partition is stale when the two differ. Versions are hashes of content or of the files that content comes
from, so the same files give the same versions on every machine, and a state that comes out the same stops
the wave: what depends on it is not made again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.datasets import (
    HEALTH_READINGS,
    USERS,
    Dataset,
)
from healthmate_bi_pipeline.catalog.device_changes import (
    COMPARED_FIGURES,
    DEVICE_CHANGES_VERSION,
    DEVICE_READINGS_VERSION,
    LEAST_READINGS,
)
from healthmate_bi_pipeline.catalog.families import ENGAGEMENT, Family, state_name
from healthmate_bi_pipeline.catalog.lake_tables import (
    ACTIVE_DAYS,
    ACTIVE_DAYS_VERSION,
    CHURN_FIT_VERSION,
    CHURN_FITS,
    DEVICE_READINGS,
    READING_BASELINES,
)
from healthmate_bi_pipeline.catalog.readings import BASELINE_METRICS, BASELINE_VERSION, METRIC_BY_CODE
from healthmate_bi_pipeline.domain.period import Grain, Period, Window, midnight
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline
from healthmate_bi_pipeline.warehouse import books

if TYPE_CHECKING:
    from healthmate_bi_pipeline.usecases.graph import AssetSpec


def report_books(asset: str, audience: str) -> str:
    """The name that reports are booked under: those for one's own eyes apart from the published ones."""
    return asset if audience == "groups" else f"{audience} {asset}"


def booked_as(pipeline: Pipeline, asset: AssetSpec) -> str:
    """The name that an asset's partitions are booked under."""
    if asset.group == "reports":
        return report_books(asset.name, pipeline.settings.report.audience)
    return asset.name


def hash64(*parts: object) -> int:
    """A signed 64-bit hash of some values, the same in every process."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def combined(versions: Iterable[tuple[object, int]]) -> int:
    """One version from named ones, whatever their order; 0 when there are none."""
    parts = sorted((str(name), version) for name, version in versions)
    return hash64(*(f"{name}={version}" for name, version in parts)) if parts else 0


def users_inputs(pipeline: Pipeline, connection: Connection, window: Window) -> dict[date, int]:
    """What the people's records would be made from: their files."""
    del pipeline, window  # not partitioned
    totals = books.file_hashes(connection, USERS.name)
    if not totals:
        return {}
    return {UNPARTITIONED: hash64(USERS.version, *sorted(totals))}


def baseline_inputs(pipeline: Pipeline, connection: Connection, window: Window) -> dict[date, int]:
    """What baselines would be made by: only their definition, once a month with readings is over (frozen)."""
    months = Period.MONTHLY.covering(window)
    staged = books.staged_rows(connection, HEALTH_READINGS.name, months)
    version = hash64(BASELINE_VERSION, *(METRIC_BY_CODE[code] for code in BASELINE_METRICS))
    return {
        first: version
        for first in sorted({day.replace(day=1) for day, rows in staged.items() if rows})
        if pipeline.is_complete(Period.MONTHLY.next(midnight(first)))
    }


def raw_inputs(
    pipeline: Pipeline, connection: Connection, window: Window, *, dataset: Dataset
) -> dict[date, int]:
    """What raw days would be made from: staged days around them, and the records of the people in them.

    Readings also from what was usual for the people in the month before, and from what is done with slips.
    """
    reach = window.widened(days_before=dataset.days_before, days_after=dataset.days_after)
    staged = books.staged_versions(connection, dataset.name, reach)
    people = books.staged_versions(connection, USERS.name, reach) if dataset.has_wall_clock else {}
    found: dict[date, list[tuple[object, int]]] = defaultdict(list)
    for day, version in staged.items():
        # A staged day reaches days_before later raw days, and days_after earlier ones.
        for shift in range(-dataset.days_after, dataset.days_before + 1):
            found[day + timedelta(days=shift)].append((day, version))
    slips = (
        partial(_slip_version, pipeline, _baselines_before(connection, window))
        if dataset is HEALTH_READINGS
        else None
    )
    return {
        day: hash64(dataset.version, combined(parts), people.get(day, 0), *(slips(day) if slips else ()))
        for day, parts in sorted(found.items())
        if window.first_day <= day <= window.last_day
    }


def _baselines_before(connection: Connection, window: Window) -> dict[date, int]:
    """The versions of the baselines of the months from the one before a window."""
    months = Period.MONTHLY.covering(window.widened(days_before=32))
    return outputs(connection, READING_BASELINES.name, months)


def _slip_version(pipeline: Pipeline, baselines: Mapping[date, int], day: date) -> tuple[int, bool]:
    month_before = Period.MONTHLY.previous(Period.MONTHLY.floor(midnight(day))).date()
    return baselines.get(month_before, 0), pipeline.settings.plausibility.repair_slips


def state_inputs(
    pipeline: Pipeline, connection: Connection, window: Window, *, family: Family, grain: Grain
) -> dict[date, int]:
    """What states would be made from: raw days, finer states, and the ranks of sources."""
    layer, finer = family.layer(grain), family.finer(grain)
    if grain is Grain.MONTH:
        assert finer is not None  # noqa: S101 - months are merged from days
        months = _by_month(outputs(connection, state_name(family, finer), window))
        return {
            month: hash64(family.state_version, combined(parts)) for month, parts in sorted(months.items())
        }
    names = [f"raw/{dataset.name}" for dataset in layer.datasets]
    if finer is not None:
        names.append(state_name(family, finer))
    found: dict[date, list[tuple[object, int]]] = defaultdict(list)
    for name in names:
        for day, version in outputs(connection, name, window).items():
            found[day].append((name, version))
    for neighbour in layer.neighbours:
        reach = window.widened(days_before=max(-neighbour.days, 0), days_after=max(neighbour.days, 0))
        beside = outputs(connection, f"raw/{neighbour.dataset.name}", reach)
        for day, parts in found.items():
            parts.append((neighbour.name, beside.get(day + timedelta(days=neighbour.days), 0)))
    ranks = (hash64(pipeline.settings.source.ranks),) if layer.is_ranked else ()
    levels = (hash64(pipeline.settings.performance),) if layer.is_measured_against_levels else ()
    return {
        day: hash64(family.state_version, *ranks, *levels, combined(parts))
        for day, parts in sorted(found.items())
    }


def with_month_before(window: Window) -> Window:
    """The months of a window and the one before them."""
    return Window(Period.MONTHLY.previous(window.start), window.end)


def device_readings_inputs(pipeline: Pipeline, connection: Connection, window: Window) -> dict[date, int]:
    """What the sums per device would be made from: the raw days of the month."""
    del pipeline
    months = _by_month(outputs(connection, f"raw/{HEALTH_READINGS.name}", window))
    version = hash64(DEVICE_READINGS_VERSION, *sorted(COMPARED_FIGURES))
    return {month: hash64(version, combined(parts)) for month, parts in sorted(months.items())}


def device_changes_inputs(pipeline: Pipeline, connection: Connection, window: Window) -> dict[date, int]:
    """What changes of devices would be made from: the sums of each month with readings, and of the one before it."""
    del pipeline
    held = outputs(connection, DEVICE_READINGS.name, with_month_before(window))
    version = hash64(DEVICE_CHANGES_VERSION, LEAST_READINGS)
    return {
        part.first_day: hash64(version, own, held.get(Period.MONTHLY.previous(part.start).date(), 0))
        for part in Period.MONTHLY.windows(window)
        if (own := held.get(part.first_day, 0))
    }


def _by_month(days: Mapping[date, int]) -> dict[date, list[tuple[object, int]]]:
    months: dict[date, list[tuple[object, int]]] = defaultdict(list)
    for day, version in days.items():
        months[day.replace(day=1)].append((day, version))
    return months


def starts_inputs(
    pipeline: Pipeline, connection: Connection, window: Window, *, family: Family
) -> dict[date, int]:
    """What first days would be made from: the state of all months."""
    del pipeline, window  # not partitioned
    months = books.partition_records(connection, state_name(family, Grain.MONTH))
    if not months:
        return {}
    held = combined((day, record.output_version) for day, record in months.items())
    return {UNPARTITIONED: hash64(family.registry_version, held)}


def active_days_inputs(pipeline: Pipeline, connection: Connection, window: Window) -> dict[date, int]:
    """What the days on which people were active would be made from: the state of the month's days."""
    del pipeline
    months = _by_month(outputs(connection, state_name(ENGAGEMENT, Grain.DAY), window))
    return {month: hash64(ACTIVE_DAYS_VERSION, combined(parts)) for month, parts in sorted(months.items())}


def cohorts_inputs(pipeline: Pipeline, connection: Connection, window: Window) -> dict[date, int]:
    """What cohort retention would be made from: the active days of all time, and which intervals are over."""
    del window  # not partitioned
    months = books.partition_records(connection, ACTIVE_DAYS.name)
    if not months:
        return {}
    held = combined((day, record.output_version) for day, record in months.items())
    return {UNPARTITIONED: hash64(ENGAGEMENT.registry_version, settled_day(pipeline), held)}


def fits_inputs(pipeline: Pipeline, connection: Connection, window: Window) -> dict[date, int]:
    """What the churn model would be fitted by: only its definition, once the days before a month are over (frozen)."""
    active = books.partition_records(connection, ACTIVE_DAYS.name)
    filled = [month for month, record in active.items() if record.rows]
    if not filled:
        return {}
    version = hash64(CHURN_FIT_VERSION)
    return {
        part.first_day: version
        for part in Period.MONTHLY.windows(window)
        if min(filled) < part.first_day and pipeline.is_complete(part.start)
    }


def month_of_week(week: date) -> date:
    """The month whose parameters hold at the end of the week that starts on a Monday: that of its Sunday."""
    return (week + timedelta(days=6)).replace(day=1)


def retention_inputs(pipeline: Pipeline, connection: Connection, window: Window) -> dict[date, int]:
    """What retention at the ends of weeks would be told from: the month's parameters, and all days before.

    Of weeks that are over; those from a month on whose days changed are told again.
    """
    fits = books.partition_records(connection, CHURN_FITS.name)
    active = books.partition_records(connection, ACTIVE_DAYS.name)
    months = sorted((month, record.output_version) for month, record in active.items())
    found: dict[date, int] = {}
    for part in Period.WEEKLY.windows(window):
        fitted = fits.get(month_of_week(part.first_day))
        if fitted is None or not pipeline.is_complete(part.end):
            continue
        before = combined((month, version) for month, version in months if month <= part.last_day)
        found[part.first_day] = hash64(ENGAGEMENT.registry_version, fitted.output_version, before)
    return found


def calibration_inputs(pipeline: Pipeline, connection: Connection, window: Window) -> dict[date, int]:
    """What the churn model would be judged by: all parameters, all active days, and which days are over."""
    fits = books.partition_records(connection, CHURN_FITS.name)
    if not fits:
        return {}
    held = combined((month, record.output_version) for month, record in fits.items())
    days = cohorts_inputs(pipeline, connection, window).get(UNPARTITIONED, 0)
    return {UNPARTITIONED: hash64(held, days)}


def settled_day(pipeline: Pipeline) -> date:
    """The first day that is not over for everybody, or for which late data are still waited for."""
    return pipeline.complete_before.date()


def state_versions(
    connection: Connection, window: Window, *, family: Family, period: Period
) -> dict[date, int]:
    """The version of the state of each partition of a period: what the rows carry as ``state_version``.

    Where figures look at the periods before too, their state is part of it. Partitions whose state holds nothing
    are left out.
    """
    found = _state_parts(connection, window, family=family, period=period)
    filled = {first: [part for part in parts if part[1] != 0] for first, parts in found.items()}
    return {first: combined(parts) for first, parts in sorted(filled.items()) if parts}


def _state_parts(
    connection: Connection, window: Window, *, family: Family, period: Period
) -> dict[date, list[tuple[object, int]]]:
    """The versions of the states of each partition of a period, with those of the periods before it."""
    unit = period.partitioned_by
    reach = window
    periods_before = family.looks_back(period)
    for _ in range(periods_before):
        reach = Window(unit.previous(reach.start), reach.end)
    found: dict[date, list[tuple[object, int]]] = defaultdict(list)
    for day, version in outputs(connection, state_name(family, period.state_grain), reach).items():
        first = unit.floor(midnight(day))
        for _ in range(periods_before + 1):
            if window.start <= first < window.end:
                found[first.date()].append((day, version))
            first = unit.next(first)
    return found


def metrics_inputs(
    pipeline: Pipeline, connection: Connection, window: Window, *, family: Family, period: Period
) -> dict[date, int]:
    """What figures would be made from: states, records of the people, definitions, and whether they are complete."""
    found = {
        first: [(f"state {day}", version) for day, version in parts]
        for first, parts in _state_parts(connection, window, family=family, period=period).items()
    }
    people = books.staged_versions(connection, USERS.name, window) if family.reads_people else {}
    for day, version in people.items():
        first = period.partitioned_by.floor(midnight(day)).date()
        if first in found:  # records alone make no row
            found[first].append((f"people {day}", version))
    return {
        first: hash64(
            family.registry_version,
            pipeline.is_complete(period.partitioned_by.window(midnight(first)).end),
            combined(parts),
        )
        for first, parts in sorted(found.items())
    }  # fmt: skip


def outputs(connection: Connection, asset: str, window: Window) -> dict[date, int]:
    """The versions of what an asset's partitions hold."""
    records = books.partition_records(connection, asset, window=window)
    return {day: record.output_version for day, record in records.items()}


def stale(expected: Mapping[date, int], recorded: Mapping[date, int]) -> list[date]:
    """The partitions that would be made from something else than they were; in order."""
    return sorted(day for day, version in expected.items() if recorded.get(day) != version)
