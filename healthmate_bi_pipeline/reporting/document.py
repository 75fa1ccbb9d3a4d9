"""The model of a report: what every report of any type consists of, before it is HTML or JSON.

Values only: nothing here computes, suppresses or formats. All that stands in a ``Report`` may be shown to its
audience; what may not be shown is an ``Absence`` by then. What stands on the page are the ``blocks``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from healthmate_bi_pipeline.catalog.columns import PrivacyClass
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.blocks import Block, Count, KeyFigure, Number

Audience: TypeAlias = Literal["groups", "personal"]

RANGE = "range"
"""The cadence of a report over any days that somebody asked for."""


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
