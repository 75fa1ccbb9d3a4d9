"""What a report on the pipeline's operation is made from: its books, before suppression.

A row of most datasets is about somebody: their counts must go through ``suppression`` (``is_about_people``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.inputs import ReportInputs


@dataclass(frozen=True)
class DatasetState:
    """How the rows of a dataset came.

    Attributes:
        dataset: its name.
        is_about_people: whether a row is about somebody.
        newest: the newest instant (UTC) in the period.
        last_day: the last day with rows up to the period's end.
        rows: rows with a day in the period.
        days: days of the period with rows.
        days_expected: days of the period that have passed since the dataset's first row.
        judged_days: days that closed since the first file was read.
        whole_days: those of them whose rows had all been read by then.
        judged_rows: rows of the judged days.
        late_rows: those of them that were read later.
        lines: lines of the files with rows in the period.
        bytes: size of the files with rows in the period.
    """

    dataset: str
    is_about_people: bool
    newest: datetime | None
    last_day: date | None
    rows: int
    days: int
    days_expected: int
    judged_days: int
    whole_days: int
    judged_rows: int
    late_rows: int
    lines: int
    bytes: int


@dataclass(frozen=True)
class AssetPartitions:
    """The partitions of an asset: ``missing`` are those that there are rows for and that were not made."""

    asset: str
    expected: int
    missing: tuple[date, ...]

    @property
    def present(self) -> int:
        """How many of the expected were made."""
        return self.expected - len(self.missing)


@dataclass(frozen=True)
class GroupRuns:
    """The runs of a group of assets: durations in seconds, of those that succeeded."""

    group: str
    runs: int
    succeeded: int
    failed: int
    running: int
    rows: int
    seconds_p50: float | None
    seconds_p95: float | None
    seconds_max: float | None

    @property
    def ended(self) -> int:
        """Those that have ended, well or badly."""
        return self.succeeded + self.failed


@dataclass(frozen=True)
class FailedRun:
    """A run that did not succeed; instants UTC."""

    started_at: datetime
    ended_at: datetime | None
    outcome: str
    asset: str
    window: str


@dataclass(frozen=True)
class DiskUse:
    """The disk of a machine in the period, in percent."""

    machine: str
    mean: float
    highest: float


@dataclass(frozen=True, kw_only=True)
class OperationalInputs(ReportInputs):
    """All that a report on operations needs.

    Attributes:
        reference: what freshness is measured against: the period's end, or what has passed of it.
        began: when the pipeline read its first file, UTC.
        runs_until: up to when runs were counted.
        datasets: how rows came, in the order of the catalog.
        partitions: per asset, in the order of the graph.
        runs: those that began in the period.
        makers: those that made the period's partitions, whenever that was.
        failed: the last of those that began in the period and did not succeed.
        previous_window: what volumes are compared with.
        previous_rows: dataset -> rows in the period before.
        volumes: dataset -> day -> rows, of the days of the chart.
        trend_window: what the chart covers.
        evidence_period: the period of the points that insights are looked for in.
        evidence_window: what they cover.
        evidence: dataset -> start -> rows.
        disks: of machines with host samples.
    """

    reference: datetime
    began: datetime | None
    runs_until: datetime
    datasets: Sequence[DatasetState]
    partitions: Sequence[AssetPartitions]
    runs: Sequence[GroupRuns] = ()
    makers: Sequence[GroupRuns] = ()
    failed: Sequence[FailedRun] = ()
    previous_window: Window | None = None
    previous_rows: Mapping[str, int] = field(default_factory=dict)
    volumes: Mapping[str, Mapping[date, int]] = field(default_factory=dict)
    trend_window: Window | None = None
    evidence_period: Period = Period.DAILY
    evidence_window: Window | None = None
    evidence: Mapping[str, Mapping[datetime, int]] = field(default_factory=dict)
    disks: Sequence[DiskUse] = ()
