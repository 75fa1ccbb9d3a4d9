"""What a run did, and the moments in between, for whoever watches."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Literal

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import HealthMateError
from healthmate_bi_pipeline.usecases.graph import AssetSpec
from healthmate_bi_pipeline.usecases.pipeline import Built, Pipeline


@dataclass(frozen=True)
class Step:
    """A moment of a run.

    Attributes:
        kind: what happens.
        asset: to what.
        window: which days of it; ``None``: it has none.
        share: how much of it is done, 0 to 1.
        text: what is being done, or why it failed.
        rows: rows that were made.
    """

    kind: Literal["started", "advanced", "made", "failed"]
    asset: str
    window: Window | None = None
    share: float = 0.0
    text: str = ""
    rows: int = 0


RUN = "run"
"""What a failure is about that no step tells of."""

OnProgress = Callable[[Step], None]


def unwatched(step: Step) -> None:
    """The progress that nobody looks at."""


@dataclass
class RunSummary:
    """What a run did, or, when it was only planned, would do.

    Attributes:
        reports_path: the folder of the reports.
        partitions: first days of what was made, by asset.
        rows: rows that were made, by asset.
        failures: one clear line each.
        messages: lines about input that could not be used.
        refused: files that could not be used at all and lie where they were.
        reports: paths of the reports that were made, below the folder.
        dead_runs: runs of killed processes that were marked as failed.
        new_files: of a plan: files that wait to be taken in, by asset.
    """

    reports_path: Path
    partitions: dict[str, set[date]] = field(default_factory=lambda: defaultdict(set))
    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    failures: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    refused: int = 0
    reports: list[str] = field(default_factory=list)
    dead_runs: int = 0
    new_files: dict[str, int] = field(default_factory=dict)


class Watch:
    """Stands between assets and whoever watches: counts what is made, tells it, and lets it be stopped."""

    def __init__(
        self, summary: RunSummary, on_progress: OnProgress, *, raise_if_stopped: Callable[[], None]
    ) -> None:
        self._summary = summary
        self._tell = on_progress
        self._raise_if_stopped = raise_if_stopped
        self._now_made: tuple[str, Window | None] = ("", None)
        self._last_error = ""

    def advanced(self, what: str, share: float) -> None:
        """Take the word of a use case; the ``progress`` of a pipeline."""
        self._raise_if_stopped()
        asset, window = self._now_made
        self._tell(Step("advanced", asset, window, share, what))

    def failed(self, asset: str, line: str) -> None:
        """Note that an asset, or a check of it, failed."""
        self._summary.failures.append(line)
        self._tell(Step("failed", asset, text=line))

    def reason_of(self, asset: str) -> str:
        """The last error that was seen, for a run that could not even record why it failed."""
        return f" The last error was {self._last_error}" if asset == RUN and self._last_error else ""

    def watched(self, asset: AssetSpec) -> AssetSpec:
        """The same asset, which tells when it is made."""

        def build(pipeline: Pipeline, window: Window | None) -> Built:
            self._now_made = (asset.name, window)
            self._tell(Step("started", asset.name, window))
            try:
                built = asset.build(pipeline, window)
            except HealthMateError as error:
                self._last_error = f"{asset.name}: {error}"
                raise
            self._note(asset.name, built)
            self._tell(Step("made", asset.name, window, 1.0, rows=built.total))
            return built

        return replace(asset, build=build)

    def _note(self, name: str, built: Built) -> None:
        self._summary.partitions[name].update(built.rows)
        self._summary.rows[name] += built.total
        self._summary.messages.extend(built.messages)
        self._summary.refused += built.counts.get("refused", 0)
        self._summary.reports.extend(built.paths)
