"""Why figures of complete periods became others.

That they did is noted by the warehouse, in the transaction that replaces them (``warehouse/restatements.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.datasets import USERS
from healthmate_bi_pipeline.catalog.families import Family, figures_name
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.warehouse import restatements


def explain_restatements(
    connection: Connection,
    *,
    family: Family,
    period: Period,
    run_id: str,
    made_before: Mapping[date, datetime],
) -> None:
    """Say why, for what a run has restated of a family's figures.

    Args:
        connection: in the transaction that replaced them.
        family: whose figures.
        period: of which period.
        run_id: the run.
        made_before: when each partition had been made before, by its first day.
    """
    asset = figures_name(family, period)
    unit = period.partitioned_by
    datasets = [dataset.name for dataset in family.datasets] + ([USERS.name] if family.reads_people else [])
    reach = max((abs(neighbour.days) for layer in family.layers for neighbour in layer.neighbours), default=0)
    restated = restatements.restated_periods(connection, asset=asset)
    for first in sorted({unit.floor(start) for start in restated}):
        since = made_before.get(first.date())
        if since is None:
            continue
        span = unit.window(first)
        looked_at = span
        for _ in range(family.looks_back(period)):
            looked_at = Window(unit.previous(looked_at.start), looked_at.end)
        # A row may be one of the day before or after by its person's clock.
        looked_at = looked_at.widened(days_before=max(reach, 1), days_after=max(reach, 1))
        restatements.explain(
            connection,
            run_id=run_id,
            asset=asset,
            span=span,
            files=restatements.late_files(connection, datasets=datasets, span=looked_at, since=since),
            is_requeued=restatements.was_requeued(connection, datasets=datasets, span=looked_at, since=since),
        )
