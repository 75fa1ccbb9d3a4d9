"""What alerts are judged by, read from the books; nothing is judged here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from healthmate_bi_pipeline.catalog.alerts import DAILY_DAYS, LOOK_BACK
from healthmate_bi_pipeline.domain.period import is_complete, midnight
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME, ASSETS, AssetSpec
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
        arrivals: of files, by dataset.
        stale: first days of partitions that have begun and are missing or stale, of the assets of which a run failed;
            ``UNPARTITIONED`` for one without partitions.
        overdue: first days of partitions that are missing or stale though their period has ended for everyone, by
            asset; ``None``: they were not looked for.
    """

    runs: Sequence[EndedRun]
    results: Sequence[CheckResult]
    incidents: Sequence[Incident]
    arrivals: Sequence[Arrivals]
    stale: Mapping[str, Sequence[date]]
    overdue: Mapping[str, Sequence[date]] | None


def find_facts(pipeline: Pipeline, *, outside: Sequence[EndedRun] = (), is_thorough: bool = True) -> Facts:
    """Read them; nothing is changed but the runs of killed processes, which are marked so.

    Args:
        pipeline: where to look.
        outside: runs that our own books do not know: they ended before anything was begun.
        is_thorough: whether what is overdue is looked for, which takes seconds.
    """
    settings, now = pipeline.settings.alerts, pipeline.now.astimezone(UTC)
    with pipeline.warehouse.transaction() as connection:
        runs.abandon_dead_runs(connection, now=now)
        failed = [*alerts.failed_runs(connection, since=now - LOOK_BACK), *outside]
        names = {run.asset for run in failed}
        since = min((run.started_at for run in failed), default=now)
        succeeded = alerts.succeeded_runs(connection, names, since=since)
        incidents = alerts.incidents_since(
            connection, since=pipeline.utc_now - timedelta(minutes=settings.incident_minutes)
        )
        results = results_since_trouble(connection)
        arrivals = alerts.arrivals(connection, days=DAILY_DAYS)
    return Facts(
        runs=sorted([*failed, *succeeded], key=lambda run: run.started_at),
        results=results,
        incidents=incidents,
        arrivals=arrivals,
        stale={
            name: begun_stale(pipeline, ASSET_BY_NAME[name]) for name in sorted(names & ASSET_BY_NAME.keys())
        },
        overdue=_overdue(pipeline) if is_thorough else None,
    )


def _overdue(pipeline: Pipeline) -> dict[str, list[date]]:
    """What is made by itself, and is not although its time has come."""
    return {
        asset.name: days
        for asset in ASSETS
        if asset.inputs is not None
        and not asset.is_frozen
        and (asset.group != "reports" or asset.wanted is not None)
        and (days := _ended(pipeline, asset, begun_stale(pipeline, asset)))
    }


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
