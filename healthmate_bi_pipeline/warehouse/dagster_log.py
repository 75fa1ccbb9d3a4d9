"""How much Dagster's log of runs takes up: read from its own table, beside the warehouse; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.warehouse.failures import translated
from healthmate_bi_pipeline.warehouse.server import dagster_database_url
from healthmate_bi_pipeline.warehouse.warehouse import make_engine

_EVENTS = sa.table("event_logs", sa.column("run_id"), sa.column("event"))


@dataclass(frozen=True)
class LogSize:
    """Events, and the bytes of what they say."""

    events: int
    bytes: int


def measure_log(settings: Settings, runs: Sequence[str]) -> LogSize:
    """How much the log holds of some runs."""
    engine = make_engine(dagster_database_url(settings))
    counted = sa.select(
        sa.func.count(), sa.func.coalesce(sa.func.sum(sa.func.octet_length(_EVENTS.c.event)), 0)
    ).where(_EVENTS.c.run_id == sa.any_(sa.literal(list(runs), sa.ARRAY(sa.Text()))))
    try:
        with translated(), engine.connect() as connection:
            events, size = connection.execute(counted).one()
            return LogSize(int(events), int(size))
    finally:
        engine.dispose()
