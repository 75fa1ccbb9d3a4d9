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
Cell: TypeAlias = str | int | float | datetime | Absence


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
        people: how many people it rests on; ``None`` where it is not about people.
        comparison: against the period before, where there is one.
        low: smallest figure of a person; only for people who look at their own data.
        high: the largest, likewise.
        note: why a number is missing, as a sentence; else empty.
        basis: what it rests on where that is not people, ``from 1 240 requests``; else empty.
    """

    figure: str
    label: str
    unit: str
    value: Number
    people: Count | None
    comparison: Comparison | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""
    basis: str = ""


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
    """The figure of one short period; ``people`` is ``None`` where it is not about people."""

    period_start: datetime
    label: str
    value: Number
    people: Count | None


@dataclass(frozen=True)
class ControlLimits:
    """Centre and limits of a control chart (XmR), in the figure's unit."""

    centre: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Series:
    """A figure over time, one point per short period, none left out.

    Attributes:
        limits: its control limits, where there are points enough.
        signals: the numbers of the points that a rule of the control chart points at.
    """

    figure: str
    label: str
    points: tuple[Point, ...]
    limits: ControlLimits | None = None
    signals: tuple[int, ...] = ()


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
class Bar:
    """A bar: the value of one thing; ``hint`` says more about it."""

    label: str
    value: Number
    people: Count | None = None
    hint: str = ""


@dataclass(frozen=True)
class BarChart:
    """One figure of several things, in the order in which they are read; values may be negative.

    Attributes:
        chart_id: unique in the report; letters, digits and dashes.
        description: what it shows, for readers who do not see it.
        figure: the figure of the values, which says how they are written.
        note: what must be known about gaps; else empty.
    """

    chart_id: str
    title: str
    description: str
    figure: str
    unit: str
    bars: tuple[Bar, ...]
    note: str = ""


@dataclass(frozen=True)
class HeatMap:
    """A figure of two things at once, cohorts by age for instance.

    Attributes:
        chart_id: unique in the report; letters, digits and dashes.
        description: what it shows, for readers who do not see it.
        figure: the figure of the cells, which says how they are written.
        row_title: what the rows are.
        column_title: what the columns are.
        rows: labels, from top to bottom.
        columns: labels, from left to right.
        cells: one tuple per row; what is not there yet is ``NO_DATA``.
        note: what must be known about gaps; else empty.
    """

    chart_id: str
    title: str
    description: str
    figure: str
    unit: str
    row_title: str
    column_title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Number, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class CalendarChart:
    """A figure of every day, laid out by week and weekday; the days are in order, none left out."""

    chart_id: str
    title: str
    description: str
    figure: str
    unit: str
    days: tuple[Point, ...]
    note: str = ""


@dataclass(frozen=True)
class Span:
    """Something that lasted: an incident, a run; instants UTC."""

    label: str
    start: datetime
    end: datetime
    hint: str


@dataclass(frozen=True)
class TimelineChart:
    """What happened when: a row per label, a bar per span.

    Attributes:
        chart_id: unique in the report; letters, digits and dashes.
        description: what it shows, for readers who do not see it.
        window: what it covers.
        note: what must be known about it; else empty.
    """

    chart_id: str
    title: str
    description: str
    window: Window
    spans: tuple[Span, ...]
    note: str = ""


@dataclass(frozen=True)
class TableColumn:
    """A column of a table on the page; ``figure`` says how its numbers are written, else they are counts."""

    label: str
    is_numeric: bool = False
    figure: str = ""


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


Chart: TypeAlias = BandChart | TrendChart | BarChart | HeatMap | CalendarChart | TimelineChart
Block: TypeAlias = KeyFigures | Chart | DataTable | Text | Definitions


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
        people: people with any data in the period; ``None`` where the report is not about people.
        headline: names of the metrics that stand on the first screen, in order.
        notices: what must be known before reading on.
        reading: how the numbers are meant and shown.
    """

    sentences: tuple[str, ...]
    people: Count | None
    headline: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    reading: tuple[str, ...] = ()


class Tone(StrEnum):
    """Whether something that was found is good or bad news for those it is about."""

    WORSE = "worse"
    BETTER = "better"
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class Insight:
    """Something that a rule found in what the report shows.

    Attributes:
        insight_id: unique in the report; letters, digits, dashes and underscores.
        text: what was found, against what, with its numbers.
        rule: its name in ``catalog/insight_rules``.
        standard: the published rule behind it.
        figures: the figures that it rests on, by their names in the registry.
        subject: whom it is about: empty for everyone, else a group, a service …
        tone: good or bad news.
        statistic: what was worked out, ``Z``, ``t``, ``points in a row`` …
        statistic_value: its value.
        estimate: the size of what was found, in the unit of the first figure.
        low: lower end of its 95 % interval.
        high: upper end.
        p_value: probability of such a statistic by chance alone, where the rule has one.
        adjusted_p: the same after Benjamini-Hochberg over the report.
        people: people whom it is about; ``None`` where it is not about people.
        points: periods that were looked at.
        effect: size without a unit, which insights are ranked by.
        as_of: instant (UTC) of the newest data.
    """

    insight_id: str
    text: str
    rule: str
    standard: str
    figures: tuple[str, ...]
    subject: str
    tone: Tone
    statistic: str
    statistic_value: float
    estimate: Number
    low: Number
    high: Number
    p_value: float | None
    adjusted_p: float | None
    people: Count | None
    points: int
    effect: float
    as_of: datetime | None


class Urgency(StrEnum):
    """How soon something is to be done."""

    NOW = "now"
    THIS_WEEK = "this week"
    NEXT_REVIEW = "at the next review"


@dataclass(frozen=True)
class Recommendation:
    """What to do.

    Attributes:
        recommendation_id: unique in the report.
        text: what is to be done.
        owner: who would do it.
        urgency: how soon.
        insight_ids: the insights that it follows from, at least one.
        guideline: the line of a guideline behind it, with its source.
    """

    recommendation_id: str
    text: str
    owner: str
    urgency: Urgency
    insight_ids: tuple[str, ...]
    guideline: str


@dataclass(frozen=True)
class ConfidencePart:
    """One way in which an input can fall short.

    Attributes:
        name: coverage, validity, sufficiency or timeliness.
        share: between 0 and 1.
        numerator: what there is.
        denominator: what there should be.
        meaning: what of what, as a reader calls it.
    """

    name: str
    share: Number
    numerator: Count
    denominator: Count
    meaning: str


@dataclass(frozen=True)
class InputConfidence:
    """How far one input can be relied on: ``score`` is the geometric mean of the shares of its parts."""

    name: str
    parts: tuple[ConfidencePart, ...]
    score: float


@dataclass(frozen=True)
class Confidence:
    """How far a report can be relied on: as far as its weakest input (STANDARDS §4).

    Attributes:
        score: between 0 and 1, the lowest of the inputs.
        inputs: all of them, the weakest first.
        limiting: what holds the score down, as a sentence.
    """

    score: float
    inputs: tuple[InputConfidence, ...]
    limiting: str


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
        confidence: how far it can be relied on.
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
    confidence: Confidence
    data_sources: tuple[DataSource, ...]
    not_measured: tuple[str, ...]
    input_versions: Mapping[str, int]
