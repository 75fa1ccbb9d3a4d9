"""What the templates of a report's page are given beside the report: what leads where, and what stands beside what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    BandChart,
    BarChart,
    Block,
    CalendarChart,
    Chart,
    HeatMap,
    KeyFigures,
    TimelineChart,
    TrendChart,
)
from healthmate_bi_pipeline.reporting.document import Insight, Recommendation, Report, Section, Tone
from healthmate_bi_pipeline.reporting.wording import change_text

CHARTS = (BandChart, BarChart, CalendarChart, HeatMap, TimelineChart, TrendChart)
MOST_INSIGHTS = 4
"""So many stand open on the first screen."""
TONES = {Tone.WORSE: ("!", "worse"), Tone.BETTER: ("✓", "better"), Tone.NEUTRAL: ("i", "changed")}
"""Sign and word of a tone."""
_FINEST_P = 0.001


@dataclass(frozen=True)
class Place:
    """A part of the page that something is shown in."""

    anchor: str
    title: str


@dataclass(frozen=True)
class NumberedInsight:
    """An insight as the page has it.

    Attributes:
        number: as readers call it.
        anchor: its place on the page.
        place: where what it is about is drawn.
        recommendations: the numbers of what follows from it.
        details: how it was found, as term and text.
    """

    number: int
    insight: Insight
    anchor: str
    place: Place | None
    recommendations: tuple[int, ...]
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Links:
    """What leads where.

    Attributes:
        places: figure -> the first part of the page that shows it.
        insights: as they are numbered.
        by_place: anchor of a part -> the insights about what it shows.
        by_recommendation: recommendation -> the insights that it follows from.
    """

    places: Mapping[str, Place]
    insights: tuple[NumberedInsight, ...]
    by_place: Mapping[str, tuple[NumberedInsight, ...]]
    by_recommendation: Mapping[str, tuple[NumberedInsight, ...]]


@dataclass(frozen=True)
class Run:
    """Blocks that follow each other and are charts, or are not.

    Attributes:
        stacks: what stands below each other; two stacks stand side by side.
    """

    is_charts: bool
    stacks: tuple[tuple[Block, ...], ...]


def links(report: Report) -> Links:
    """The links of a page."""
    places = _places(report.sections)
    insights = tuple(
        _numbered(number, insight, places, report.recommendations)
        for number, insight in enumerate(report.insights, start=1)
    )
    by_place = {
        anchor: tuple(one for one in insights if one.place is not None and one.place.anchor == anchor)
        for anchor in {place.anchor for place in places.values()}
    }
    by_recommendation = {
        one.recommendation_id: tuple(each for each in insights if each.insight.insight_id in one.insight_ids)
        for one in report.recommendations
    }
    return Links(places, insights, by_place, by_recommendation)


def _places(sections: Iterable[Section]) -> dict[str, Place]:
    """Where each figure is shown; a chart comes before a mere number."""
    drawn: dict[str, Place] = {}
    told: dict[str, Place] = {}
    for part in _parts(sections):
        place = Place(part.section_id, part.title)
        for block in part.blocks:
            found = drawn if isinstance(block, CHARTS) else told
            for figure in _figures(block):
                found.setdefault(figure, place)
    return told | drawn


def _parts(sections: Iterable[Section]) -> Iterator[Section]:
    for section in sections:
        yield section
        yield from _parts(section.subsections)


def _figures(block: Block) -> Iterator[str]:
    if isinstance(block, KeyFigures):
        yield from (metric.figure for metric in block.figures)
    elif isinstance(block, TrendChart):
        yield from (series.figure for series in block.series)
    elif isinstance(block, BandChart | BarChart | CalendarChart | HeatMap):
        yield block.figure


def _numbered(
    number: int, insight: Insight, places: Mapping[str, Place], recommendations: Sequence[Recommendation]
) -> NumberedInsight:
    following = tuple(
        at for at, one in enumerate(recommendations, start=1) if insight.insight_id in one.insight_ids
    )
    place = next((places[figure] for figure in insight.figures if figure in places), None)
    return NumberedInsight(number, insight, f"insight-{number}", place, following, details(insight))


def details(insight: Insight) -> tuple[tuple[str, str], ...]:
    """How an insight was found, without what it has not."""
    figure = insight.figures[0]
    rows = [("Rule", f"{insight.rule}: {insight.standard}")]
    if insight.subject:
        rows.append(("About", insight.subject))
    rows.append(("Statistic", f"{insight.statistic} {_plain(insight.statistic_value)}"))
    if not isinstance(insight.estimate, Absence):
        rows.append(("Size", change_text(figure, insight.estimate)))
    if not isinstance(insight.low, Absence) and not isinstance(insight.high, Absence):
        interval = f"{change_text(figure, insight.low)} to {change_text(figure, insight.high)}"
        rows.append(("95 % interval", interval))
    if insight.p_value is not None:
        adjusted = (
            f"; {p_text(insight.adjusted_p)} after Benjamini-Hochberg"
            if insight.adjusted_p is not None
            else ""
        )
        rows.append(("p", f"{p_text(insight.p_value)}{adjusted}"))
    return tuple(rows)


def p_text(p_value: float) -> str:
    """A probability as papers print it.

    >>> p_text(0.0004), p_text(0.0123)
    ('<0.001', '0.012')
    """
    return f"<{_FINEST_P}" if p_value < _FINEST_P else f"{p_value:.3f}"


def _plain(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def runs(blocks: Sequence[Block]) -> list[Run]:
    """Blocks in the runs that the page lays out together.

    Trends stand left of distributions where there are both; other charts follow each other in two columns.
    """
    found = []
    for is_charts, run in groupby(blocks, key=lambda block: isinstance(block, CHARTS)):
        some = tuple(run)
        trends = tuple(block for block in some if isinstance(block, TrendChart))
        others = tuple(block for block in some if not isinstance(block, TrendChart))
        is_split = is_charts and trends and others and all(isinstance(one, BandChart) for one in others)
        found.append(Run(is_charts, (trends, others) if is_split else (some,)))
    return found


def is_pair(sections: Sequence[Section]) -> bool:
    """Whether panels are slim enough to stand side by side: none has more than one chart or a table."""
    return len(sections) > 1 and not any(
        sum(isinstance(block, CHARTS) for block in section.blocks) > 1 for section in sections
    )


def main_chart(report: Report) -> Chart | None:
    """The chart that stands for a report: that of its first insight, else its first one."""
    charts = [block for part in _parts(report.sections) for block in part.blocks if isinstance(block, CHARTS)]
    for insight in report.insights:
        for chart in charts:
            if any(figure in insight.figures for figure in _figures(chart)):
                return chart
    return charts[0] if charts else None
