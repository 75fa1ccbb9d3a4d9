"""What rules find in the figures of a report: what chance does not explain and what is large enough to matter.

Every test that is made of any figure of the report goes through Benjamini and Hochberg together, those that find
nothing too (STANDARDS §4). An insight is left where its rule holds, its adjusted p value is at most q, its interval
does not hold zero, and its size is at least the smallest change worth saying (``catalog/watched_figures``). Several
that say the same of one figure are one. Facts are seen, not inferred, and pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from healthmate_bi_pipeline.catalog.insight_rules import RULE_BY_NAME
from healthmate_bi_pipeline.catalog.watched_figures import Better, watched_figure
from healthmate_bi_pipeline.domain.multiple_testing import FALSE_DISCOVERY_RATE, adjusted_p_values
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.blocks import Absence, Count
from healthmate_bi_pipeline.reporting.device_shifts import find_device_shift, told_devices
from healthmate_bi_pipeline.reporting.document import Insight, Tone
from healthmate_bi_pipeline.reporting.evidence import Contrast, Evidence, Fact, Tracked
from healthmate_bi_pipeline.reporting.figure_tests import find
from healthmate_bi_pipeline.reporting.findings import Finding, known_history, size
from healthmate_bi_pipeline.reporting.insight_texts import device_text, insight_text, people_of
from healthmate_bi_pipeline.reporting.wording import count_text

MOST_INSIGHTS = 7
"""What a person reads."""
MOST_OF_ONE_FIGURE = 2
_ORDER = ("outside", "run", "comparison", "near")
"""Of rules that find the same, the first is said; a shift or a trend comes before all of them."""
UNKNOWN_REACH = 0.1
"""The reach of a group whose share of everyone is not shown."""


@dataclass(frozen=True)
class Search:
    """What was looked for and found.

    Attributes:
        insights: the most important first, at most ``MOST_INSIGHTS``.
        tests: how many tests were made.
        figures: of how many figures.
        found: how many insights there are with those that are not told.
    """

    insights: tuple[Insight, ...]
    tests: int
    figures: int
    found: int

    @property
    def sentence(self) -> str:
        """What the summary says about it: why there is nothing, or how much more there is; else empty."""
        if self.found > len(self.insights):
            return f"Insights: the {count_text(len(self.insights))} most important of {count_text(self.found)} are told."
        if self.insights:
            return ""
        if not self.tests:
            return "No insights: there is too little history to tell a change from chance."
        return (
            f"No insights: {count_text(self.tests)} tests of {count_text(self.figures)}"
            f" figure{'' if self.figures == 1 else 's'} found nothing beyond chance that is large enough to matter."
        )


@dataclass(frozen=True)
class _Judged:
    """A finding with its p value after all tests of the report."""

    finding: Finding
    adjusted_p: float
    size: float

    @property
    def is_worth_saying(self) -> bool:
        is_likely = self.finding.is_signal and self.adjusted_p <= FALSE_DISCOVERY_RATE
        is_apart_from_none = self.finding.low > 0 or self.finding.high < 0
        return is_likely and is_apart_from_none and self.size >= 1


def find_insights(evidence: Evidence, *, window: Window, as_of: datetime | None) -> tuple[Insight, ...]:
    """What is worth saying about a window, the most important first."""
    return search(evidence, window=window, as_of=as_of).insights


def search(evidence: Evidence, *, window: Window, as_of: datetime | None) -> Search:
    """Look for what is worth saying about a window."""
    tested = [(tracked, find(tracked, window=window)) for tracked in evidence.tracked]
    shifts = [(contrast, shift) for contrast in evidence.contrasts if (shift := find_device_shift(contrast))]
    p_values = [one.p_value for _, found in tested for one in found] + [one.p_value for _, one in shifts]
    adjusted = iter(adjusted_p_values(p_values).tolist())
    ranked: list[tuple[float, Insight]] = []
    for tracked, found in tested:
        watched = watched_figure(tracked.figure)
        judged = [_Judged(one, next(adjusted), size(watched, one)) for one in found]
        insights = _of_figure(tracked, judged, window=window, as_of=as_of)
        ranked += [(insight.effect * _known_reach(tracked), insight) for insight in insights]
    of_devices = [
        (contrast, _Judged(one, next(adjusted), size(watched_figure(contrast.figure), one)))
        for contrast, one in shifts
    ]
    ranked += [
        (insight.effect * _known_reach(contrast), insight)
        for contrast, insight in _of_devices(of_devices, as_of=as_of)
    ]
    ranked += [(fact.effect, _of_fact(fact, as_of=as_of)) for fact in evidence.facts]
    ranked.sort(key=lambda pair: (-pair[0], pair[1].tone is not Tone.WORSE, pair[1].insight_id, pair[1].text))
    told = _with_own_ids([insight for _, insight in ranked])
    return Search(
        insights=told[:MOST_INSIGHTS],
        tests=len(p_values),
        figures=sum(bool(found) for _, found in tested)
        + len(
            {contrast.figure for contrast, _ in shifts}
            - {tracked.figure for tracked, found in tested if found}
        ),
        found=len(told),
    )


def _known_reach(one: Tracked | Contrast) -> float:
    return UNKNOWN_REACH if isinstance(one.reach, Absence) else one.reach


def _of_devices(
    judged: Sequence[tuple[Contrast, _Judged]], *, as_of: datetime | None
) -> Iterator[tuple[Contrast, Insight]]:
    """The insights of devices, one of each figure. Whether people or the device changed is open: no news is good or bad."""
    worth = {contrast: one for contrast, one in judged if one.is_worth_saying}
    for contrast in told_devices([(contrast, one.finding) for contrast, one in worth.items()]):
        one = worth[contrast]
        yield (
            contrast,
            _insight(
                contrast.figure, contrast.subject, one, people=contrast.own.people, tone=Tone.NEUTRAL,
                text=device_text(one.finding, contrast), as_of=as_of,
            ),
        )  # fmt: skip


def _of_figure(
    tracked: Tracked, judged: Sequence[_Judged], *, window: Window, as_of: datetime | None
) -> list[Insight]:
    """The insights of one figure: those worth saying, without those that say the same."""
    found = {one.finding.rule: one for one in judged if one.is_worth_saying}
    comparison = found.get("comparison")
    history = known_history(tracked, window=window)
    insights = []
    for one in _distinct(found):
        says_same = comparison is not None and _is_same_direction(comparison, one)
        text = insight_text(
            one.finding, tracked, history, comparison=comparison.finding if comparison and says_same else None
        )
        insights.append(
            _insight(
                tracked.figure, tracked.subject, one, people=people_of(one.finding, tracked),
                tone=_tone(tracked.figure, one.finding.estimate), text=text, as_of=as_of,
            )
        )  # fmt: skip
    return insights


def _distinct(found: dict[str, _Judged]) -> list[_Judged]:
    """What is said of one figure: of shift and trend the one that fits better, then what contradicts it or is more.

    Where a shift of long ago fits better than a trend, there is no trend.
    """
    lasting = [found[rule] for rule in ("shift", "trend") if rule in found]
    best = [min(lasting, key=lambda one: one.finding.misfit)] if lasting else []
    ordered = [
        *(one for one in best if one.finding.is_news),
        *(found[rule] for rule in _ORDER if rule in found),
    ]
    if not ordered:
        return []
    first, *others = ordered
    distinct = [first]
    for other in others:
        is_more = other.finding.rule == "outside" and first.finding.rule == "trend"
        if len(distinct) < MOST_OF_ONE_FIGURE and (is_more or not _is_same_direction(first, other)):
            distinct.append(other)
    return distinct


def _is_same_direction(one: _Judged, other: _Judged) -> bool:
    return (one.finding.estimate > 0) == (other.finding.estimate > 0)


def _insight(
    figure: str,
    subject: str,
    one: _Judged,
    *,
    people: Count | None,
    tone: Tone,
    text: str,
    as_of: datetime | None,
) -> Insight:
    finding = one.finding
    return Insight(
        insight_id=_slug(finding.rule, figure, subject),
        text=text,
        rule=finding.rule,
        standard=RULE_BY_NAME[finding.rule].standard,
        figures=(figure,),
        subject=subject,
        tone=tone,
        statistic=finding.statistic,
        statistic_value=round(finding.statistic_value, 3),
        estimate=_significant(finding.estimate),
        low=_significant(finding.low),
        high=_significant(finding.high),
        p_value=_significant(finding.p_value),
        adjusted_p=_significant(one.adjusted_p),
        people=people,
        points=finding.points,
        effect=round(one.size, 2),
        as_of=as_of,
    )


def _of_fact(fact: Fact, *, as_of: datetime | None) -> Insight:
    return Insight(
        insight_id=_slug(fact.rule, *fact.figures[:1], fact.subject),
        text=fact.text,
        rule=fact.rule,
        standard=RULE_BY_NAME[fact.rule].standard,
        figures=fact.figures,
        subject=fact.subject,
        tone=fact.tone,
        statistic="times the limit",
        statistic_value=round(fact.effect, 3),
        estimate=fact.estimate,
        low=Absence.NO_DATA,
        high=Absence.NO_DATA,
        p_value=None,
        adjusted_p=None,
        people=fact.people,
        points=1,
        effect=round(fact.effect, 2),
        as_of=as_of,
    )


def _tone(figure: str, change: float) -> Tone:
    better = watched_figure(figure).better
    if better is Better.NEITHER:
        return Tone.NEUTRAL
    return Tone.BETTER if (change > 0) == (better is Better.HIGHER) else Tone.WORSE


def _significant(value: float) -> float:
    """Four digits: more would differ between processors, and nobody reads them.

    >>> _significant(0.000123456), _significant(-1234.5678)
    (0.0001235, -1235.0)
    """
    return float(f"{value:.4g}")


def _slug(*parts: str) -> str:
    """An id of letters, digits, dashes and underscores.

    >>> _slug("shift", "avg_steps_per_day", "age 18-39, sex female")
    'shift-avg_steps_per_day-age-18-39-sex-female'
    """
    return "-".join(filter(None, (re.sub(r"[^A-Za-z0-9_]+", "-", part).strip("-") for part in parts)))


def _with_own_ids(insights: Sequence[Insight]) -> tuple[Insight, ...]:
    """The insights, those with the id of an earlier one numbered."""
    seen: dict[str, int] = {}
    numbered = []
    for insight in insights:
        count = seen[insight.insight_id] = seen.get(insight.insight_id, 0) + 1
        name = insight.insight_id if count == 1 else f"{insight.insight_id}-{count}"
        numbered.append(replace(insight, insight_id=name))
    return tuple(numbered)
