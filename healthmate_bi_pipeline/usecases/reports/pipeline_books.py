"""What the reports on the pipeline itself share: up to when they count, what should have been made, and versions.

What they read of runs, of the audit log and of other reports is no partition of an asset. A period that is complete
reads it up to ``now``: what began in the period does not change any more, and a report on the period that is made
again makes the compliance report stale, as it should. One that is running reads up to the last midnight (UTC), so
that it changes once a day and not with every run, its own included.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.datasets import PARTITIONED_DATASETS, Dataset
from healthmate_bi_pipeline.catalog.families import FAMILIES, Family, figures_name, state_name
from healthmate_bi_pipeline.domain.period import Grain, Period, Window, midnight
from healthmate_bi_pipeline.reporting.operational.inputs import AssetPartitions
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.versions import hash64
from healthmate_bi_pipeline.warehouse import pipeline_queries
from healthmate_bi_pipeline.warehouse.pipeline_queries import DayRows


def counted_until(pipeline: Pipeline, window: Window) -> datetime:
    """Up to when runs, actions and reports are counted, UTC."""
    now = pipeline.utc_now
    return now if pipeline.is_complete(window.end) else midnight(now.date())


def reference_of(pipeline: Pipeline, window: Window) -> datetime:
    """What freshness is measured against: the period's end, or the last midnight while it runs."""
    return max(window.start, min(window.end, midnight(pipeline.utc_now.date())))


def raw_assets(datasets: Iterable[Dataset] = PARTITIONED_DATASETS) -> tuple[str, ...]:
    """The assets of the raw days."""
    return tuple(f"raw/{dataset.name}" for dataset in datasets)


def watched_assets() -> tuple[str, ...]:
    """The assets whose partitions are expected where there are rows: raw days, states, figures."""
    names = [*raw_assets()]
    for family in FAMILIES:
        names += [state_name(family, grain) for grain in family.grains]
        names += [figures_name(family, period) for period in Period]
    return tuple(dict.fromkeys(names))


def find_partitions(
    connection: Connection, window: Window, days: Sequence[DayRows], *, until: datetime
) -> list[AssetPartitions]:
    """What was made of the days with rows in a window, and what was not.

    Args:
        connection: to the warehouse.
        window: the days.
        days: the days with rows.
        until: only days that were over by then are expected.
    """
    made = pipeline_queries.partition_days(connection, watched_assets(), window)
    over = {day.dataset: set[date]() for day in days}
    for day in days:
        if day.rows and midnight(day.day) + timedelta(days=1) <= until:
            over[day.dataset].add(day.day)
    found = [
        _partitions(f"raw/{dataset.name}", over.get(dataset.name, set()), made)
        for dataset in PARTITIONED_DATASETS
    ]
    seen: set[str] = set()
    for family in FAMILIES:
        for asset, expected in _expected(family, made, window, until=until):
            if asset not in seen:
                seen.add(asset)
                found.append(_partitions(asset, expected, made))
    return [one for one in found if one.expected]


def _partitions(
    asset: str, expected: Iterable[date], made: Mapping[str, Mapping[date, int]]
) -> AssetPartitions:
    wanted = sorted(set(expected))
    return AssetPartitions(asset, len(wanted), tuple(day for day in wanted if day not in made.get(asset, {})))


def _expected(
    family: Family, made: Mapping[str, Mapping[date, int]], window: Window, *, until: datetime
) -> Iterable[tuple[str, set[date]]]:
    """The partitions of a family that there are raw rows for; longer periods only where they lie in the window."""
    days = {
        day
        for dataset in family.datasets
        for day, rows in made.get(f"raw/{dataset.name}", {}).items()
        if rows and midnight(day) + timedelta(days=1) <= until
    }
    for grain in family.grains:
        unit = Period.MONTHLY if grain is Grain.MONTH else Period.DAILY
        datasets = family.layer(grain).datasets
        fed = days
        if grain is family.grains[0]:  # a finest state of some of the datasets only
            fed = {
                day
                for dataset in datasets
                for day, rows in made.get(f"raw/{dataset.name}", {}).items()
                if rows and day in days
            }
        yield state_name(family, grain), _starts(fed, unit, window)
    for period in Period:
        yield figures_name(family, period), _starts(days, period.partitioned_by, window)


def _starts(days: Iterable[date], unit: Period, window: Window) -> set[date]:
    """The first days of the periods of some days, of those that lie whole in a window."""
    parts = {unit.window(midnight(day)) for day in days}
    return {part.first_day for part in parts if part.start >= window.start and part.end <= window.end}


def in_parts(digests: Mapping[date, str], parts: Sequence[Window]) -> dict[date, list[str]]:
    """The digests of the days of each period, by its first day."""
    found: dict[date, list[str]] = defaultdict(list)
    for part in parts:
        found[part.first_day] = [f"{day}={digests[day]}" for day in part.each_day() if day in digests]
    return dict(found)


def part_versions(parts: Sequence[Window], *digests: Mapping[date, Sequence[str]]) -> dict[date, int]:
    """One version per period from digests of several kinds."""
    return {
        part.first_day: hash64(*(value for kind in digests for value in ("|", *kind.get(part.first_day, ()))))
        for part in parts
    }


def span_of(parts: Sequence[Window]) -> Window:
    """From the start of the first to the end of the last."""
    return Window(parts[0].start, parts[-1].end)
