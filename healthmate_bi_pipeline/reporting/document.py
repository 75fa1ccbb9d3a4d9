"""The model of a report: what every report of any type consists of, before it is HTML or JSON.

Values only: nothing here computes, suppresses or formats. All that stands in a ``Report`` may be shown to its
audience; what may not be shown is an ``Absence`` by then. A new kind of content is a new block here, a branch
in ``html``/``json`` and an entry of the schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from healthmate_bi_pipeline.catalog.columns import PrivacyClass
from healthmate_bi_pipeline.domain.period import Window

Audience: TypeAlias = Literal["groups", "personal"]

RANGE = "range"
"""The cadence of a report over any days that somebody asked for."""


class Absence(StrEnum):
    """Why there is no number where one could stand."""

    NO_DATA = "no_data"
    SUPPRESSED = "suppressed"


Number: TypeAlias = float | Absence
Count: TypeAlias = int | Absence
Cell: TypeAlias = str | int | Absence


@dataclass(frozen=True)
class Comparison:
    """A figure against the same one of another period.

    Attributes:
        against: the other period as a reader calls it.
        window: the other period.
        value: the figure there.
        change: the figure minus the one there.
    """

    against: str
    window: Window
    value: Number
    change: Number


@dataclass(frozen=True)
class KeyFigure:
    """One figure.

    Attributes:
        figure: its name in the registry.
        label: as a reader calls it.
        unit: of the registry.
        value: the mean over people of their own figure.
        people: how many people it rests on.
        comparison: against the period before, where there is one.
        low: smallest figure of a person; only for people who look at their own data.
        high: the largest, likewise.
        note: why a number is missing, as a sentence; else empty.
    """

    figure: str
    label: str
    unit: str
    value: Number
    people: Count
    comparison: Comparison | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class KeyFigures:
    """A block of figures side by side."""

    figures: tuple[KeyFigure, ...]


@dataclass(frozen=True)
class Band:
    """The people whose figure lies in ``lower <= figure < upper``; ``share`` of those in the bands shown."""

    label: str
    lower: float
    upper: float | None
    people: Count
    share: Number


@dataclass(frozen=True)
class BandChart:
    """How people spread over the bands of a figure.

    Attributes:
        chart_id: unique in the report; letters, digits and dashes.
        description: what it shows, for readers who do not see it.
        note: what must be known about gaps; else empty.
    """

    chart_id: str
    title: str
    description: str
    figure: str
    unit: str
    bands: tuple[Band, ...]
    note: str = ""


@dataclass(frozen=True)
class Point:
    """The figure of one short period."""

    period_start: datetime
    label: str
    value: Number
    people: Count


@dataclass(frozen=True)
class Series:
    """A figure over time, one point per short period, none left out."""

    figure: str
    label: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class TrendChart:
    """One figure or several of one unit over time.

    Attributes:
        chart_id: unique in the report; letters, digits and dashes.
        description: what it shows, for readers who do not see it.
        period: the short period that a point stands for.
        highlight: the report's own period, where the points begin before it.
        note: what must be known about gaps and shading; else empty.
    """

    chart_id: str
    title: str
    description: str
    unit: str
    period: str
    series: tuple[Series, ...]
    highlight: Window | None = None
    note: str = ""


@dataclass(frozen=True)
class TableColumn:
    """A column of a table on the page."""

    label: str
    is_numeric: bool = False


@dataclass(frozen=True)
class DataTable:
    """A table on the page; ``table_id`` is unique in the report."""

    table_id: str
    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Text:
    """Paragraphs."""

    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Definition:
    """What a figure means, from the registry."""

    figure: str
    label: str
    meaning: str
    unit: str
    source: str
    version: int


@dataclass(frozen=True)
class Definitions:
    """A block of definitions."""

    items: tuple[Definition, ...]


Block: TypeAlias = KeyFigures | BandChart | TrendChart | DataTable | Text | Definitions


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading; ``section_id`` is its anchor."""

    section_id: str
    title: str
    blocks: tuple[Block, ...] = ()
    subsections: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Summary:
    """The first screen.

    Attributes:
        sentences: what a reader should know who reads nothing else.
        people: people with any data in the period.
        headline: names of the metrics that stand on the first screen, in order.
        notices: what must be known before reading on.
        reading: how the numbers are meant and shown.
    """

    sentences: tuple[str, ...]
    people: Count
    headline: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    reading: tuple[str, ...] = ()


@dataclass(frozen=True)
class Insight:
    """Something that a rule found in the figures; none are made yet."""

    insight_id: str
    text: str
    rule: str
    figures: tuple[str, ...]


@dataclass(frozen=True)
class Recommendation:
    """What to do, the insights that it follows from and the guideline behind it; none are made yet."""

    text: str
    insight_ids: tuple[str, ...]
    guideline: str


@dataclass(frozen=True)
class DataSource:
    """Something that the report was made from."""

    name: str
    description: str


@dataclass(frozen=True)
class Stamp:
    """What tells one writing of a report from another; the content hash leaves it out.

    Attributes:
        generated_at: instant, UTC.
        generated_by: who or what asked for it.
    """

    report_id: str
    version: int
    generated_at: datetime
    generated_by: str


@dataclass(frozen=True)
class Report:
    """A whole report.

    Attributes:
        description: what this type of report answers.
        cadence: a period, or ``range``.
        window: the period, wall-clock, its end exclusive.
        as_of: instant (UTC) of the newest data in it; not of its writing, else every run were a new version.
        is_complete: the period has ended and late data are no longer waited for.
        metrics: all its figures, those without a number too.
        confidence_score: between 0 and 1; ``None`` where it is not measured.
        not_measured: what a reader may look for and is not there.
        input_versions: versions of the partitions that it rests on.
    """

    stamp: Stamp
    report_type: str
    title: str
    description: str
    cadence: str
    window: Window
    audience: Audience
    privacy: PrivacyClass
    as_of: datetime | None
    is_complete: bool
    summary: Summary
    metrics: tuple[KeyFigure, ...]
    sections: tuple[Section, ...]
    insights: tuple[Insight, ...]
    recommendations: tuple[Recommendation, ...]
    confidence_score: float | None
    data_sources: tuple[DataSource, ...]
    not_measured: tuple[str, ...]
    input_versions: Mapping[str, int]
