"""What every use case is given: settings, warehouse, lake, the time, and whom it works for."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

from healthmate_bi_pipeline.catalog.retention import Rules, retention_rules
from healthmate_bi_pipeline.domain.period import Window, is_complete
from healthmate_bi_pipeline.errors import HealthMateError
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import Lake
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.warehouse import runs
from healthmate_bi_pipeline.warehouse.locks import assert_still_held
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

Progress = Callable[[str, float], None]
"""Called with what is being made and the share of it that is done, 0 to 1."""


def no_progress(what: str, share: float) -> None:
    """The progress that nobody looks at."""


@dataclass(frozen=True)
class Pipeline:
    """Everything a use case needs.

    Attributes:
        settings: the configuration.
        warehouse: the open warehouse.
        lake: the lake.
        now: the instant that counts as now, in UTC.
        actor: who asked for it.
        run_id: the run that it belongs to.
        progress: told how far it is.
    """

    settings: Settings
    warehouse: Warehouse
    lake: Lake
    now: datetime
    actor: str = field(default_factory=getpass.getuser)
    run_id: str = field(default_factory=lambda: str(uuid4()))
    progress: Progress = no_progress

    @classmethod
    @contextmanager
    def open(cls, settings: Settings, *, now: datetime | None = None) -> Iterator[Pipeline]:
        """Open warehouse and lake; the folders that hold rows of people are made for their owner only.

        Raises:
            UsageError: ``[retention]`` is nonsense.
        """
        retention_rules(settings.retention, delay=settings.period.delay)
        make_private_folders(settings)
        with Warehouse.open(settings) as warehouse:
            lake = Lake(settings.lake_uri, before_commit=assert_still_held)
            yield cls(settings, warehouse, lake, now or datetime.now(UTC))

    @property
    def utc_now(self) -> datetime:
        """``now`` as a naive value, as the lake keeps instants."""
        return self.now.astimezone(UTC).replace(tzinfo=None)

    @property
    def complete_before(self) -> datetime:
        """What ended by then counts as complete: late data are no longer waited for (wall-clock)."""
        return self.utc_now - self.settings.period.delay

    def is_complete(self, end: datetime) -> bool:
        """Whether a period that ended then is no longer expected to change."""
        return is_complete(end=end, now=self.utc_now, delay=self.settings.period.delay)

    @property
    def retention(self) -> Rules:
        """How long what is kept."""
        return retention_rules(self.settings.retention, delay=self.settings.period.delay)

    def engine(self) -> Engine:
        """A new engine."""
        return Engine(self.settings.engine, scratch=self.settings.scratch_path)

    @contextmanager
    def recorded(self, asset: str, window: Window | None) -> Iterator[Tally]:
        """Keep the books of one piece of work: a row in ``bi_pipeline_runs``, an entry in the audit log."""
        run_id = f"{self.run_id}:{asset}:{uuid4().hex[:8]}"
        tally = Tally()
        with self.warehouse.transaction() as connection:
            runs.start_run(
                connection,
                run_id=run_id,
                assets=[asset],
                window=str(window) if window else None,
                now=datetime.now(UTC),
            )
        try:
            yield tally
        except BaseException:
            # Where this cannot be written either, why the work failed is what has to be told.
            with suppress(HealthMateError):
                self._finish(run_id, asset, window, tally, has_failed=True)
            raise
        self._finish(run_id, asset, window, tally, has_failed=False)

    def _finish(
        self, run_id: str, asset: str, window: Window | None, tally: Tally, *, has_failed: bool
    ) -> None:
        with self.warehouse.transaction(needs_locks=not has_failed) as connection:
            outcome = "failed" if has_failed else "succeeded"
            runs.finish_run(
                connection, run_id=run_id, outcome=outcome, rows=tally.rows, now=datetime.now(UTC)
            )
            runs.record_action(
                connection,
                actor=self.actor,
                action="make",
                object=asset,
                window=str(window) if window else None,
                rows=tally.rows,
                outcome="failed" if has_failed else "done",
                detail={"run_id": self.run_id},
                now=self.now,
            )


def make_private_folders(settings: Settings) -> None:
    """Make the folders of people's data, closed to others; one that is there keeps its mode."""
    settings.make_home()
    lake = Lake(settings.lake_uri)
    private = [settings.landing_path, settings.scratch_path, *([Path(lake.uri)] if lake.is_on_disk else [])]
    for folder in private:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True)


@dataclass
class Tally:
    """What a piece of work has written so far."""

    rows: int = 0


@dataclass(frozen=True)
class Built:
    """What a use case made.

    Attributes:
        rows: rows per partition, by its first day; an unpartitioned asset has the day of ``UNPARTITIONED``.
        counts: figures for people: staged, kept …
        messages: lines about input that could not be used.
        files: the paths of what was written, below the reports, per partition.
        summary: what was made in a few lines of Markdown; nothing of a person in it.
    """

    rows: Mapping[date, int]
    counts: Mapping[str, int] = field(default_factory=dict)
    messages: tuple[str, ...] = ()
    files: Mapping[date, tuple[str, ...]] = field(default_factory=dict)
    summary: str = ""

    @property
    def total(self) -> int:
        """Rows of all partitions."""
        return sum(self.rows.values())

    @property
    def paths(self) -> tuple[str, ...]:
        """Files of all partitions."""
        return tuple(path for paths in self.files.values() for path in paths)


UNPARTITIONED = date(1970, 1, 1)
"""The partition that the books name for what has none."""
