"""Which alerts there are, for whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from healthmate_bi_pipeline.domain.alerts import Episode
from healthmate_bi_pipeline.warehouse.alerts import kept_episodes
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse


def list_alerts(warehouse: Warehouse, *, now: datetime, every: bool = False) -> Sequence[Episode]:
    """The alerts that are open and due, the gravest first.

    Args:
        warehouse: where to look.
        now: the instant.
        every: also those that are over, and those that may still pass by themselves.
    """
    with warehouse.transaction() as connection:
        found = kept_episodes(connection, resolved_since=None if every else now)
    shown = [one for one in found if every or (one.resolved_at is None and one.due_at <= now)]
    return sorted(
        shown,
        key=lambda one: (one.resolved_at is not None, -one.severity.rank, one.opened_at, one.fingerprint),
    )
