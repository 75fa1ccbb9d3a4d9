"""Running the pipeline in a test: the assets in their order, without Dagster, on the test's own database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import text

from healthmate_bi_pipeline.domain.period import Window, midnight
from healthmate_bi_pipeline.lake.store import Lake
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.graph import ASSETS, AssetSpec
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline.warehouse.locks import assert_still_held
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Real data of other people, beside the project and not part of it."""


@contextmanager
def opened(settings: Settings, *, now: datetime) -> Iterator[Pipeline]:
    """A pipeline at an instant (UTC)."""
    with Warehouse.open(settings) as warehouse:
        lake = Lake(settings.lake_uri, before_commit=assert_still_held)
        yield Pipeline(settings, warehouse, lake, now.replace(tzinfo=UTC), actor="test")


def refresh(
    pipeline: Pipeline, *, groups: Collection[str] | None = None, names: Collection[str] | None = None
) -> dict[str, Built]:
    """Make everything that is stale, in the order of the graph; what was made, by asset."""
    made = {}
    for asset in ASSETS:
        if (groups is not None and asset.group not in groups) or (
            names is not None and asset.name not in names
        ):
            continue
        stale = stale_partitions(pipeline, asset)
        if stale:
            made[asset.name] = asset.build(pipeline, window_of(asset, stale))
    return made


def window_of(asset: AssetSpec, days: list[date]) -> Window | None:
    """The window from the first to the last of some partitions."""
    if asset.partitioned_by is None:
        assert days == [UNPARTITIONED]
        return None
    first, last = (
        asset.partitioned_by.window(midnight(days[0])),
        asset.partitioned_by.window(midnight(days[-1])),
    )
    return Window(first.start, last.end)


def drop_file(settings: Settings, name: str, content: str | bytes) -> Path:
    """Put a file into the landing folder; ``name`` is ``<dataset>/<file>``."""
    path = settings.landing_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV."""
    return pd.DataFrame(list(rows)).to_csv(index=False)


def query(pipeline: Pipeline, sql: str, **parameters: Any) -> pd.DataFrame:
    """The result of a query on the warehouse."""
    with pipeline.warehouse.transaction() as connection:
        return pd.DataFrame(connection.execute(text(sql), parameters).mappings().all())


def health(pipeline: Pipeline, period: str) -> pd.DataFrame:
    """The health rows of a period, by person and start."""
    rows = query(
        pipeline,
        "SELECT * FROM bi_aggregated_health_metrics WHERE aggregation_period = :period ORDER BY user_id, period_start",
        period=period,
    )
    return rows.set_index(["user_id", "period_start"]) if len(rows) else rows


def engagement(pipeline: Pipeline, period: str) -> pd.DataFrame:
    """The engagement rows of a period, by person and start."""
    rows = query(
        pipeline,
        "SELECT * FROM bi_user_engagement_analytics WHERE aggregation_period = :period ORDER BY user_id, period_start",
        period=period,
    )
    return rows.set_index(["user_id", "period_start"]) if len(rows) else rows
