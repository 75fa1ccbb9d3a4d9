"""What is not made any more: partitions whose time is over, that were deleted, or whose inputs were.

    figures, reports   not made by themselves past their time, nor once they were deleted
    states             not made by themselves once they were deleted
    states, figures    not made at all while something that they are made from is deleted: half is worse than none
    reports            not made again by themselves when something that a finished one showed was deleted

Who asks for days (``run --from/--to``, a backfill) is held back by the third rule alone. Raw days are always made: of
a closed one (``closed_days.py``) only what came later is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.families import Family, state_name
from healthmate_bi_pipeline.domain.period import Grain, Period, Window, is_complete, midnight
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse import books
from healthmate_bi_pipeline.warehouse.receipts import last_deleted_day
from healthmate_bi_pipeline.warehouse.removing import removed_partitions

if TYPE_CHECKING:
    from healthmate_bi_pipeline.usecases.graph import AssetSpec

_NAMED_DAYS = 3


@dataclass(frozen=True)
class Source:
    """Partitions that another one is made from.

    Attributes:
        asset: whose.
        shifts: how many days away from its own days they lie.
    """

    asset: str
    shifts: tuple[int, ...] = (0,)


def state_sources(family: Family, grain: Grain) -> tuple[Source, ...]:
    """What a state is made from."""
    finer = family.finer(grain)
    if grain is Grain.MONTH:
        assert finer is not None  # noqa: S101 - months are merged from days
        return (Source(state_name(family, finer)),)
    layer = family.layer(grain)
    beside = tuple(neighbour.days for neighbour in layer.neighbours)
    found = [Source(f"raw/{dataset.name}") for dataset in layer.datasets]
    found += [Source(f"raw/{neighbour.dataset.name}", (neighbour.days,)) for neighbour in layer.neighbours]
    if finer is not None:  # what looks at days before may read them at the finer grain
        found.append(Source(state_name(family, finer), (0, *(days for days in beside if days < 0))))
    return tuple(found)


def figure_sources(family: Family, period: Period) -> tuple[Source, ...]:
    """What figures are made from: the state of their period, and of those before it that they look at."""
    unit = {Period.WEEKLY: 7, Period.MONTHLY: 31, Period.QUARTERLY: 92, Period.YEARLY: 366}.get(period, 1)
    before = tuple(-day for day in range(1, family.looks_back(period) * unit + 1))
    return (Source(state_name(family, period.state_grain), (0, *before)),)


def horizon(pipeline: Pipeline, asset: AssetSpec) -> date | None:
    """The first day of the first partition of an asset whose time is not over; ``None``: all are kept.

    Nothing is over before the month that it lies in is complete: the month's reports show it.
    """
    rules = pipeline.retention
    if asset.keeping is None or asset.partitioned_by is None:
        return None
    keeping = asset.keeping(rules)
    if keeping is None:
        return None
    cut = min(keeping.cut(pipeline.utc_now.date()), versions.settled_day(pipeline).replace(day=1))
    return asset.partitioned_by.partitioned_by.floor(midnight(cut)).date()


def unmakeable(connection: Connection, asset: AssetSpec, window: Window) -> set[date]:
    """The first days of the partitions of a window that cannot be made whole, because inputs were deleted."""
    if asset.partitioned_by is None:
        return set()
    unit = asset.partitioned_by.partitioned_by
    found: set[date] = set()
    for source in asset.sources:
        reach = window.widened(days_before=-min(*source.shifts, 0), days_after=max(*source.shifts, 0))
        gone = _gone(connection, source.asset, reach)
        found |= {
            unit.floor(midnight(day - timedelta(days=shift))).date()
            for day in gone
            for shift in source.shifts
        }
    return {day for day in found if window.start <= midnight(day) < window.end}


def _gone(connection: Connection, asset: str, window: Window) -> set[date]:
    """The partitions of a window that were deleted; raw days are closed up to the last one, rows or not."""
    if not asset.startswith("raw/"):
        return removed_partitions(connection, asset, window=window)
    last = last_deleted_day(connection, asset)
    return {day for day in window.each_day() if day <= last} if last is not None else set()


def left_out(pipeline: Pipeline, asset: AssetSpec, days: Iterable[date], *, is_told: bool) -> set[date]:
    """Those of some partitions of an asset that are not made.

    Args:
        pipeline: where they would be made.
        asset: whose partitions.
        days: their first days.
        is_told: somebody asked for these days; else they are made by themselves.
    """
    wanted = set(days)
    is_report = asset.group == "reports"
    if asset.partitioned_by is None or not wanted or (is_report and is_told):
        return set()
    unit = asset.partitioned_by.partitioned_by
    window = Window(midnight(min(wanted)), unit.window(midnight(max(wanted))).end)
    booked = versions.booked_as(pipeline, asset)
    with pipeline.warehouse.transaction() as connection:
        found = unmakeable(connection, asset, window)
        if is_report and found:
            found &= _finished(pipeline, connection, booked, unit, window)
        if not is_told and asset.group != "raw":
            found |= removed_partitions(connection, booked, window=window)
    first = horizon(pipeline, asset) if pipeline.retention.is_enabled and asset.place != "lake" else None
    if first is not None and not is_told:
        found |= {day for day in wanted if day < first}
    return found & wanted


def _finished(
    pipeline: Pipeline, connection: Connection, booked: str, unit: Period, window: Window
) -> set[date]:
    """The partitions that were made when their period was complete."""
    delay = pipeline.settings.period.delay
    return {
        day
        for day, record in books.partition_records(connection, booked, window=window).items()
        if is_complete(
            end=unit.window(midnight(day)).end,
            now=record.refreshed_at.astimezone(UTC).replace(tzinfo=None),
            delay=delay,
        )
    }


def refuse_unmakeable(pipeline: Pipeline, asset: AssetSpec, window: Window | None) -> None:
    """Refuse to make partitions whose inputs were deleted: what is there would be replaced by half of it.

    Raises:
        UsageError: there are any; the text names the first ones.
    """
    if window is None or asset.group == "reports":
        return
    with pipeline.warehouse.transaction() as connection:
        gone = sorted(unmakeable(connection, asset, window))
    if gone:
        named = ", ".join(str(day) for day in gone[:_NAMED_DAYS])
        more = f" and {len(gone) - _NAMED_DAYS} more" if len(gone) > _NAMED_DAYS else ""
        raise UsageError(
            f"{asset.name} {named}{more}: what it is made from was deleted, because the time that it is kept for is over."
            f" Nothing was changed; choose days after {gone[-1]}."
        )
