"""What alerts are judged by, read from the books; nothing is judged here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from healthmate_bi_pipeline.catalog.alerts import DAILY_DAYS, LOOK_BACK
from healthmate_bi_pipeline.domain.period import is_complete, midnight
from healthmate_bi_pipeline.usecases.graph import ASSETS, AssetSpec
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Pipeline
from healthmate_bi_pipeline.usecases.status import begun_stale
from healthmate_bi_pipeline.warehouse import alerts, runs
from healthmate_bi_pipeline.warehouse.alerts import Arrivals, EndedRun
from healthmate_bi_pipeline.warehouse.check_results import CheckResult, results_since_trouble
from healthmate_bi_pipeline.warehouse.performance_queries import Incident


@dataclass(frozen=True)
class Facts:
    """Everything that is judged.

    Attributes:
        runs: those that failed within the look-back, and what succeeded of the same assets since the first of them,
            in the order in which they began.
        results: of checks that failed at some time, in their order.
        incidents: that may go on, in the order of their key.
        stale: first days of partitions that have begun and are missing or stale, by asset; ``UNPARTITIONED`` for one
            without partitions. Assets that are not there are up to date.
        overdue: those of them whose period has ended for everyone.
        arrivals: of files, by dataset.
    """

    runs: Sequence[EndedRun]
    results: Sequence[CheckResult]
    incidents: Sequence[Incident]
    stale: Mapping[str, Sequence[date]]
    overdue: Mapping[str, Sequence[date]]
    arrivals: Sequence[Arrivals]


def find_facts(
    pipeline: Pipeline, *, outside: Sequence[EndedRun] = (), assets: Sequence[AssetSpec] = ASSETS
) -> Facts:
    """Read them all; nothing is changed but the runs of killed processes, which are marked so.

    Args:
        pipeline: where to look.
        outside: runs that our own books do not know: they ended before anything was begun.
        assets: the graph.
    """
    settings, now = pipeline.settings.alerts, pipeline.now.astimezone(UTC)
    with pipeline.warehouse.transaction() as connection:
        runs.abandon_dead_runs(connection, now=now)
        failed = [*alerts.failed_runs(connection, since=now - LOOK_BACK), *outside]
        since = min((run.started_at for run in failed), default=now)
        succeeded = alerts.succeeded_runs(connection, {run.asset for run in failed}, since=since)
        incidents = alerts.incidents_since(
            connection, since=pipeline.utc_now - timedelta(minutes=settings.incident_minutes)
        )
        results = results_since_trouble(connection)
        arrivals = alerts.arrivals(connection, days=DAILY_DAYS)
    stale = {
        asset.name: days
        for asset in assets
        if asset.inputs is not None and not asset.is_frozen and (days := begun_stale(pipeline, asset))
    }
    overdue = {
        asset.name: days for asset in assets if (days := _ended(pipeline, asset, stale.get(asset.name, ())))
    }
    return Facts(
        runs=sorted([*failed, *succeeded], key=_when),
        results=results,
        incidents=incidents,
        stale=stale,
        overdue=overdue,
        arrivals=arrivals,
    )


def _when(run: EndedRun) -> datetime:
    return run.started_at


def _ended(pipeline: Pipeline, asset: AssetSpec, days: Sequence[date]) -> list[date]:
    """The partitions whose period has ended for everyone; what has none is as its newest input."""
    period = asset.partitioned_by
    if period is None:
        return [day for day in days if day == UNPARTITIONED]
    delay = timedelta(hours=pipeline.settings.period.settle_hours)
    return [
        day
        for day in days
        if is_complete(end=period.window(midnight(day)).end, now=pipeline.utc_now, delay=delay)
    ]
