"""Figures past their time: all tables of a family go together, what stays is as it was, and nothing comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.checks import CHECKS, Verdict, check
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME, ASSETS
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.retention.deleting import delete_due, find_due
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline_tests.running import opened, query, refresh
from healthmate_bi_pipeline_tests.usecases.retention.keeping import (
    FIGURE_TABLES,
    NOW,
    days,
    deliver,
    files_of,
    kept,
    reading,
    receipts,
    table_rows,
)

CUTS = {"hourly": date(2026, 6, 1), "daily": date(2025, 7, 10)}
"""The first day that is kept: of hours the whole month that 30 days lie in; of days 365 of them."""


@pytest.fixture
def home(settings: Settings) -> Settings:
    """Readings every fourth day of two years, and events of an app."""
    rows = [reading(day, user=user) for day in days(date(2024, 7, 1), date(2026, 7, 8), step=4) for user in (1, 2)]
    deliver(settings, "health_readings/a.csv", rows)
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=("staged", "raw", "state", "health_metrics", "engagement_groups"))
    return settings


@pytest.fixture
def pipeline(home: Settings) -> Iterator[Pipeline]:
    with opened(kept(home), now=NOW) as pipeline:
        yield pipeline


def snapshot(pipeline: Pipeline) -> dict[str, pd.DataFrame]:
    return {table: table_rows(pipeline, table) for table in FIGURE_TABLES}


def is_over(rows: pd.DataFrame) -> pd.Series:
    cut = rows["period"].map(lambda period: CUTS.get(period, date(1970, 1, 1)))
    return rows["period_start"].dt.date < cut


def test_off_by_default(home: Settings):
    with opened(home, now=NOW) as pipeline:
        before = snapshot(pipeline)
        with pytest.raises(UsageError, match="Retention is off, so nothing was deleted"):
            delete_due(pipeline)
        assert all(before[table].equals(now) for table, now in snapshot(pipeline).items())


def test_what_is_over_goes_and_what_stays_is_the_same(pipeline: Pipeline):
    before = snapshot(pipeline)
    deleted = delete_due(pipeline)
    print([(due.object, due.rows, due.partitions, due.first_day, due.last_day) for due in deleted.things], deleted.messages)
    for table, rows in snapshot(pipeline).items():
        if before[table].empty:
            continue
        over = is_over(before[table])
        survivors = before[table][~over]
        key = lambda frame: sorted(map(str, frame["row"]))
        assert key(rows) == key(survivors), table
