"""Status: what there is, what is stale, what failed, and where things are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import make_url

from healthmate_bi_pipeline.catalog.datasets import DATASETS
from healthmate_bi_pipeline.lake.first_day import read_first_day
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.graph import ASSETS, AssetSpec
from healthmate_bi_pipeline.usecases.ingest import new_file_count
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline.warehouse import alerts, books, overview, receipts, runs

SHOWN_RUNS = 5


@dataclass(frozen=True)
class DatasetStatus:
    """A dataset: its files, read and new, and their rows."""

    totals: books.FileTotals
    new_files: int


@dataclass(frozen=True)
class AssetStatus:
    """An asset: what was made of it, and how many partitions are stale; ``None``: it is always tried."""

    totals: overview.AssetTotals | None
    stale: int | None


@dataclass(frozen=True)
class Status:
    """Everything at a glance.

    Attributes:
        first_day: the earliest day ever staged; ``None`` before the first import.
        datasets: by name.
        assets: by name, in the order of the graph.
        running: runs that go on.
        failed: the last runs that failed or whose process was killed.
        open_alerts: how many alerts were open when it was last looked at.
        deleted: what retention has deleted.
        places: where things are, by what they are.
    """

    first_day: date | None
    datasets: Mapping[str, DatasetStatus]
    assets: Mapping[str, AssetStatus]
    running: Sequence[overview.RunEntry]
    failed: Sequence[overview.RunEntry]
    open_alerts: int
    deleted: receipts.Deletions
    places: Mapping[str, str]


def find_status(pipeline: Pipeline, *, assets: Sequence[AssetSpec] = ASSETS) -> Status:
    """Look at everything; nothing is changed but the runs of killed processes, which are marked so."""
    with pipeline.warehouse.transaction() as connection:
        runs.abandon_dead_runs(connection, now=pipeline.now)
        totals = overview.asset_totals(connection)
        files = {dataset.name: books.file_totals(connection, dataset.name) for dataset in DATASETS}
        deleted = receipts.all_deletions(connection)
        running = overview.latest_runs(connection, outcomes=(runs.RUNNING,), limit=SHOWN_RUNS)
        failed = overview.latest_runs(connection, outcomes=(runs.FAILED, runs.ABANDONED), limit=SHOWN_RUNS)
        open_alerts = alerts.count_open(connection, now=pipeline.now)
    return Status(
        first_day=read_first_day(pipeline.lake),
        datasets={
            dataset.name: DatasetStatus(files[dataset.name], new_file_count(pipeline, dataset))
            for dataset in DATASETS
        },
        assets={
            asset.name: AssetStatus(
                totals.get(versions.booked_as(pipeline, asset)),
                None if asset.inputs is None else len(begun_stale(pipeline, asset)),
            )
            for asset in assets
        },
        running=running,
        failed=failed,
        open_alerts=open_alerts,
        deleted=deleted,
        places=find_places(pipeline.settings),
    )


def begun_stale(pipeline: Pipeline, asset: AssetSpec) -> list[date]:
    """First days of an asset's stale partitions that have begun; by UTC, as the partitionings count."""
    today = pipeline.utc_now.date()
    return [day for day in stale_partitions(pipeline, asset) if day <= today]


def find_places(settings: Settings) -> dict[str, str]:
    """Where things are; of the database's address what is no secret."""
    database = f"embedded PostgreSQL in {settings.postgres_path}"
    if settings.database_url is not None:
        database = make_url(settings.database_url.get_secret_value()).render_as_string()
    return {
        "home": str(settings.home_path),
        "landing": str(settings.landing_path),
        "lake": settings.lake_uri,
        "database": database,
        "reports": str(settings.reports_path),
        "dagster": str(settings.dagster_path),
    }
