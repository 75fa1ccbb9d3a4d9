"""The books at a glance: what was made of each asset, and how the last runs ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from healthmate_bi_pipeline.catalog.tables import PARTITIONS, PIPELINE_RUNS
from healthmate_bi_pipeline.warehouse.schema import SQL_TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PARTITIONS = SQL_TABLES[PARTITIONS.name]
_RUNS = SQL_TABLES[PIPELINE_RUNS.name]


@dataclass(frozen=True)
class AssetTotals:
    """The partitions of an asset that are there, added up."""

    partitions: int
    rows: int
    first: date
    last: date
    refreshed_at: datetime


@dataclass(frozen=True)
class RunEntry:
    """A run as the books know it."""

    started_at: datetime
    ended_at: datetime | None
    outcome: str
    assets: list[str]
    window: str | None
    rows: int | None


def asset_totals(connection: Connection) -> dict[str, AssetTotals]:
    """What was made of each asset, and is there."""
    made = (
        sa.select(
            _PARTITIONS.c.asset,
            sa.func.count(),
            sa.func.sum(_PARTITIONS.c.rows).cast(sa.BigInteger()),
            sa.func.min(_PARTITIONS.c.partition),
            sa.func.max(_PARTITIONS.c.partition),
            sa.func.max(_PARTITIONS.c.refreshed_at),
        )
        .where(_PARTITIONS.c.removed_at.is_(None))
        .group_by(_PARTITIONS.c.asset)
    )
    return {asset: AssetTotals(*totals) for asset, *totals in connection.execute(made)}


def latest_runs(connection: Connection, *, outcomes: tuple[str, ...], limit: int) -> list[RunEntry]:
    """The runs that ended so, the last first."""
    names = ("started_at", "ended_at", "outcome", "assets", "window", "rows")
    found = (
        sa.select(*(_RUNS.c[name] for name in names))
        .where(_RUNS.c.outcome.in_(outcomes))
        .order_by(_RUNS.c.started_at.desc(), _RUNS.c.run_id)
        .limit(limit)
    )
    return [RunEntry(**row) for row in connection.execute(found).mappings()]
