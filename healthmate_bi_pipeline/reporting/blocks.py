"""What a page of a report consists of: figures, charts, tables and texts, and why a number may be missing.

Values only, as in ``document``. A new kind of content is a new block here, a branch in ``html``, ``json_blocks`` and
``csv``, and an entry of the schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from healthmate_bi_pipeline.domain.period import Window


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
