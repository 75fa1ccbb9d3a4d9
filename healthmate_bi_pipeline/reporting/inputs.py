"""What reports are made from, before suppression; each type adds its own in ``<type>/inputs.py``.

These values must not reach a page: ``suppression`` turns them into ``Shown…`` values, and only those are read
by what builds the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from healthmate_bi_pipeline.catalog.reports import ReportType
from healthmate_bi_pipeline.domain.period import Window
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
        deviation: standard deviation between the people.
    """

    figure: str
    people: int
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    band_people: tuple[int, ...] = ()
    deviation: float | None = None


@dataclass(frozen=True)
class TrendPoint:
    """The figures of one short period, by name."""

    period_start: datetime
    figures: Mapping[str, GroupFigure]


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
class Arrivals:
    """When a dataset's days came: of those that closed while the pipeline was there.

    Attributes:
        in_time: days with rows that were read before the day closed.
        days: days with rows that closed after the pipeline's first file.
    """

    in_time: int
    days: int


@dataclass(frozen=True, kw_only=True)
class ReportInputs:
    """What the inputs of every report begin with.

    Attributes:
        report_type: the catalog's entry.
        cadence: a period's value, or ``range``.
        window: what the report covers; wall-clock, of performance and revenue UTC.
        settings: the audience and what may be shown to it.
        as_of: instant (UTC) of the newest data, ``None`` where there are none.
        is_complete: the period has ended and late data are no longer waited for.
        quality: what became of the rows, one entry per dataset that it rests on.
        input_versions: asset or partition -> version.
    """

    report_type: ReportType
    cadence: str
    window: Window
    settings: ReportSettings
    as_of: datetime | None
    is_complete: bool
    quality: Sequence[DatasetQuality] = ()
    input_versions: Mapping[str, int] = field(default_factory=dict)
