"""Finished figures whose time is over: all tables of a family, in one transaction with books, audit log and receipt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.device_changes import DEVICE_CHANGES
from healthmate_bi_pipeline.catalog.engagement_tables import USER_RETENTION
from healthmate_bi_pipeline.catalog.families import FAMILIES, figures_name
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.usecases.churn import RETENTION
from healthmate_bi_pipeline.usecases.device_changes import DEVICE_CHANGES_ASSET
from healthmate_bi_pipeline.usecases.graph import ASSETS, AssetSpec
from healthmate_bi_pipeline.usecases.keeping import horizon
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.retention.due import Due, note_deletions
from healthmate_bi_pipeline.warehouse import books, removing

_EVER = datetime(1970, 1, 1)

_Place = tuple[Table, str, Period | None, timedelta]
"""A table, the column that tells its rows' partition, which of its periods, and how much later than its start."""

_PLACES: dict[str, tuple[_Place, ...]] = {
    figures_name(family, period): tuple(
        (table, "period_start", period, timedelta()) for table in (family.rows, *family.beside)
    )
    for family in FAMILIES
    for period in Period
} | {
    RETENTION: ((USER_RETENTION, "week_end", None, timedelta(days=7)),),
    DEVICE_CHANGES_ASSET: ((DEVICE_CHANGES, "month", None, timedelta()),),
}


def find_figures(pipeline: Pipeline) -> Iterator[Due]:
    """What is due of each asset of figures."""
    for asset in ASSETS:
        first = horizon(pipeline, asset) if asset.name in _PLACES else None
        if first is None:
            continue
        with pipeline.warehouse.transaction() as connection:
            due = _measure(pipeline, connection, asset, first)
        if due is not None:
            yield due


def delete_figures(pipeline: Pipeline, due: Due) -> list[Due]:
    """Delete what is due of an asset, as it is now; nothing when somebody else did.

    Raises:
        BusyError: another run makes these days.
    """
    (asset,) = (asset for asset in ASSETS if asset.name == due.object)
    with pipeline.warehouse.hold(asset.name, due.window), pipeline.warehouse.transaction() as connection:
        found = _measure(pipeline, connection, asset, due.last_day + timedelta(days=1))
        if found is None:
            return []
        for figures in _figures(asset.name, due.last_day + timedelta(days=1)):
            removing.delete_figures(connection, figures)
        removing.mark_removed(connection, asset.name, window=found.window, now=pipeline.now)
        note_deletions(pipeline, connection, [found], is_done=True)
    return [found]


def _measure(pipeline: Pipeline, connection: Connection, asset: AssetSpec, first_kept: date) -> Due | None:
    window = Window(_EVER, midnight(first_kept))
    records = books.partition_records(connection, asset.name, window=window)
    held = [day for day, record in records.items() if record.removed_at is None]
    extents = [removing.measure_figures(connection, figures) for figures in _figures(asset.name, first_kept)]
    days = [*held, *(one.first_day for one in extents if one.first_day is not None)]
    if not days or asset.keeping is None:
        return None
    first, last = min(days), first_kept - timedelta(days=1)
    due = Due(
        object=asset.name,
        privacy=str(asset.table.privacy),
        first_day=min(first, last),
        last_day=last,
        partitions=len(held),
        rows=sum(one.rows for one in extents),
        bytes=sum(one.bytes for one in extents),
        rule=f"figures {asset.keeping(pipeline.retention)}",
    )
    return due if due.is_something else None


def _figures(asset: str, first_kept: date) -> list[removing.Figures]:
    return [
        removing.Figures(table, column, Window(_EVER, midnight(first_kept) + later), period)
        for table, column, period, later in _PLACES[asset]
    ]
