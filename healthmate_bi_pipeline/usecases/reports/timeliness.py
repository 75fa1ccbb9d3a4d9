"""Which days of the datasets were whole when they closed.

A day closes when its period counts as complete: some hours after its end, and the grace for late data. Days that
closed before the pipeline read its first file are not judged: whoever takes in years of history is not late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from healthmate_bi_pipeline.domain.period import midnight
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse import books
from healthmate_bi_pipeline.warehouse.pipeline_queries import DayRows


@dataclass(frozen=True)
class Closing:
    """When days close, and since when it counts.

    Attributes:
        delay: how long after its end a day closes.
        since: when the pipeline read its first file; ``None``: it never did.
        now: the instant that counts as now, UTC.
    """

    delay: timedelta
    since: datetime | None
    now: datetime

    def is_judged(self, day: DayRows) -> bool:
        """Whether a day closed while the pipeline was at work."""
        closed_at = midnight(day.day) + timedelta(days=1) + self.delay
        return self.since is not None and self.since <= closed_at <= self.now


@dataclass(frozen=True)
class Timeliness:
    """Days and rows of a dataset, of those days that are judged."""

    days: int = 0
    whole_days: int = 0
    rows: int = 0
    late_rows: int = 0


def closing_of(pipeline: Pipeline, connection: Connection) -> Closing:
    """How days close for a pipeline."""
    since = books.first_file_at(connection)
    if since is not None:
        since = since.astimezone(UTC).replace(tzinfo=None)
    return Closing(pipeline.settings.period.delay, since, pipeline.utc_now)


def timeliness_of(days: Sequence[DayRows], closing: Closing) -> Timeliness:
    """The judged days of one dataset, added up."""
    judged = [day for day in days if closing.is_judged(day)]
    return Timeliness(
        days=len(judged),
        whole_days=sum(day.late == 0 for day in judged),
        rows=sum(day.rows for day in judged),
        late_rows=sum(day.late for day in judged),
    )


def by_dataset(days: Sequence[DayRows]) -> Mapping[str, list[DayRows]]:
    """The days of each dataset, in order."""
    found: dict[str, list[DayRows]] = {}
    for day in days:
        found.setdefault(day.dataset, []).append(day)
    return found
