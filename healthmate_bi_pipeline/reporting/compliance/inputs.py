"""What a report on compliance is made from: books, audit log and other reports, before suppression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from healthmate_bi_pipeline.reporting.inputs import DatasetQuality, ReportInputs


@dataclass(frozen=True)
class DatasetBooks:
    """The account of a dataset's rows.

    Attributes:
        is_about_people: whether a row is about somebody.
        quality: what became of the rows of the period, and of the lines of its files.
        lines: lines of the files with rows in the period.
        rows: those that could be split into columns.
        staged_of_files: rows of these files that have a day.
        days: days of the period with rows.
        days_expected: days of the period that have passed since the dataset's first row.
        is_daily: it had rows on nearly every day of the weeks before, so that a day without is worth telling.
        rows_unaccounted: staged rows that are neither kept, nor duplicates, superseded or quarantined, day by day.
        days_unmade: days with rows that were not checked yet: nothing can be said of them.
    """

    is_about_people: bool
    quality: DatasetQuality
    lines: int
    rows: int
    staged_of_files: int
    days: int
    days_expected: int
    is_daily: bool
    rows_unaccounted: int
    days_unmade: int

    @property
    def dataset(self) -> str:
        """Its name."""
        return self.quality.dataset


@dataclass(frozen=True)
class Overdue:
    """An asset with partitions of complete periods that were not made, or from something else than there is now."""

    asset: str
    missing: tuple[date, ...]
    stale: tuple[date, ...]


@dataclass(frozen=True)
class Actions:
    """Entries of the audit log that are alike."""

    action: str
    outcome: str
    entries: int
    actors: int
    rows: int


@dataclass(frozen=True)
class ReportsWritten:
    """Published reports of a type and cadence on periods inside this one."""

    report_type: str
    cadence: str
    reports: int
    versions: int
    withheld: int
    reports_with_withheld: int


@dataclass(frozen=True)
class Deletions:
    """What of one thing was deleted because its time was over.

    Attributes:
        object: what.
        is_about_people: whether its rows are about somebody.
        partitions: partitions, files or runs.
        rows: rows, lines or events.
        last_day: the last day of it that is gone.
        rule: how long it is kept.
        unfinished: deletions that were begun and not finished.
    """

    object: str
    is_about_people: bool
    partitions: int
    rows: int
    last_day: date
    rule: str
    unfinished: int


@dataclass(frozen=True)
class PastItsTime:
    """An asset with partitions whose time was over, and that were still there."""

    asset: str
    partitions: int
    first_day: date


@dataclass(frozen=True)
class Retention:
    """What was deleted in the period, and what was to be deleted by its end."""

    is_enabled: bool = False
    deletions: Sequence[Deletions] = ()
    past_their_time: Sequence[PastItsTime] = ()


@dataclass(frozen=True, kw_only=True)
class ComplianceInputs(ReportInputs):
    """All that a report on compliance needs.

    Attributes:
        counted_until: up to when actions and reports were counted.
        books: per dataset with rows, in the order of the catalog.
        overdue: assets with overdue partitions.
        partitions_due: partitions of complete periods inside this one that there are rows for.
        actions: of the audit log, in the period.
        reports: that were written on periods inside this one.
        retention: what was deleted because its time was over.
    """

    counted_until: datetime
    books: Sequence[DatasetBooks]
    overdue: Sequence[Overdue] = ()
    partitions_due: int = 0
    actions: Sequence[Actions] = ()
    reports: Sequence[ReportsWritten] = ()
    retention: Retention = Retention()
