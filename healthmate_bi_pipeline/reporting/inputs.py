"""What ``health_summary`` is made from: figures of groups as the warehouse holds them, before suppression.

These values must not reach a page: ``suppression`` turns them into ``Shown…`` values, and only those are read
by what builds the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from healthmate_bi_pipeline.catalog.reports import ReportType
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.settings import ReportSettings


@dataclass(frozen=True)
class GroupFigure:
    """A figure of a group of people in one period.

    Attributes:
        figure: its name in the registry.
        people: people with a value.
        mean: mean of the people's figures.
        low: smallest of them: one person's.
        high: largest of them: one person's.
        band_people: people in each of the registry's bands, in order; empty where it has none.
    """

    figure: str
    people: int
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    band_people: tuple[int, ...] = ()


@dataclass(frozen=True)
class TrendPoint:
    """The figures of one short period: ``figure -> (people, mean)``."""

    period_start: datetime
    means: Mapping[str, tuple[int, float | None]]


@dataclass(frozen=True)
class DatasetQuality:
    """What became of a dataset's rows: staged = kept + duplicates + superseded + quarantined."""

    dataset: str
    staged: int
    kept: int
    duplicates: int
    superseded: int
    quarantined: int
    quarantined_by_rule: Mapping[str, int] = field(default_factory=dict)
    files: int = 0
    rejected_lines: int = 0
    undated: int = 0


@dataclass(frozen=True)
class HealthSummaryInputs:
    """All that a health summary needs.

    Attributes:
        report_type: the catalog's entry.
        cadence: a period's value, or ``range``.
        window: what the report covers, wall-clock.
        settings: the audience and what may be shown to it.
        as_of: instant (UTC) of the newest data, ``None`` where there are none.
        is_complete: the period has ended and late data are no longer waited for.
        people: people with any row in the window.
        current: figure -> its group in the window.
        previous_window: what it is compared with, ``None`` where there is nothing before.
        previous: figure -> its group there.
        trend_period: the short period of the trend.
        trend: its points in order; they may begin before the window.
        quality: one entry per dataset.
        input_versions: asset or partition -> version.
    """

    report_type: ReportType
    cadence: str
    window: Window
    settings: ReportSettings
    as_of: datetime | None
    is_complete: bool
    people: int
    current: Mapping[str, GroupFigure]
    previous_window: Window | None = None
    previous: Mapping[str, GroupFigure] | None = None
    trend_period: Period = Period.DAILY
    trend: Sequence[TrendPoint] = ()
    quality: Sequence[DatasetQuality] = ()
    input_versions: Mapping[str, int] = field(default_factory=dict)
