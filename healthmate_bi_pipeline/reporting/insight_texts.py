"""What an insight says: composed from rule, figure, size, interval and what it is held against.

Only numbers of findings and samples stand in it, which come from what is shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence, Count
from healthmate_bi_pipeline.reporting.evidence import Contrast, Sample, Tracked
from healthmate_bi_pipeline.reporting.findings import Finding, History
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.wording import (
    NOUNS,
    WEEKDAYS,
    change_text,
    count_text,
    figure_text,
    mid_sentence,
    number_text,
    people_text,
    period_text,
    span_text,
    value_with_unit,
)

NOTABLE_CHANGE_OF_PEOPLE = 0.1
"""A lasting change of a mean is told with that of its people, where that is so large a share."""


def insight_text(
    finding: Finding, tracked: Tracked, history: History, *, comparison: Finding | None = None
) -> str:
    """The sentence of an insight.

    Args:
        finding: what is said.
        tracked: the figure.
        history: its points.
        comparison: the change against the period before, where it says the same and is worth adding.
    """
    said = _SAYINGS[finding.rule](finding, tracked, history)
    parts = [f"{_label(tracked)}: {said}{_people(finding, tracked)}."]
    if comparison is not None and comparison is not finding:
        change = change_text(tracked.figure, comparison.estimate)
        parts.append(f"Against {tracked.previous_name or 'the period before'}: {change}.")
    parts += _other_people(finding, tracked, history)
    if history.missing and finding.rule != "comparison":
        noun = _noun(tracked.period, history.missing)
        verb = "is" if history.missing == 1 else "are"
        parts.append(f"{count_text(history.missing)} {noun} without a number {verb} left out.")
    return " ".join(parts)


def device_text(finding: Finding, contrast: Contrast) -> str:
    """The sentence of an insight about a device."""
    figure, people, others = contrast.figure, contrast.own.people, contrast.others.people
    own_change, other_change = (_changed(figure, one) for one in (contrast.own, contrast.others))
    assert people is not None  # noqa: S101 - a device has people
    assert others is not None  # noqa: S101 - so have the others
    return (
        f"{style_of(figure).label}, {contrast.subject}: against {contrast.previous_name}"
        f" {_size(finding, figure)} than with other devices. Held against themselves, those who measure with it changed by"
        f" {own_change} ({people_text(people)}), those with other devices by {other_change} ({count_text(others)})."
    )


def _changed(figure: str, sample: Sample) -> str:
    assert not isinstance(sample.value, Absence)  # noqa: S101 - what was found has values
    return change_text(figure, sample.value)


def people_of(finding: Finding, tracked: Tracked) -> Count | None:
    """Whom a finding is about: those of its own point, or those of the report's period."""
    return finding.last.people if finding.rule in {"outside", "near"} else tracked.current.people


def _label(tracked: Tracked) -> str:
    label = style_of(tracked.figure).label
    return f"{label}, {tracked.subject}" if tracked.subject else label


def _people(finding: Finding, tracked: Tracked) -> str:
    """Whom it is about, where that is more than one person."""
    people = people_of(finding, tracked)
    if not _are_several(people):
        return ""
    assert people is not None  # noqa: S101 - several are some
    before = finding.before.people if finding.before else None
    if before is None or not _are_several(before):
        return f" ({people_text(people)})"
    return f" ({people_text(people)} against {count_text(before)})"


def _other_people(finding: Finding, tracked: Tracked, history: History) -> list[str]:
    """A warning where a lasting change may come from other people being measured.

    The mean of a group moves when people come and go, and the groups' figures do not tell who is the same. It is said
    where the numbers of people differ, or where two groups of so many people could differ as much by themselves.
    """
    if finding.rule not in {"shift", "trend"}:
        return []
    since = finding.first.window.start
    if finding.rule == "trend":  # its second half against its first
        since = history.samples[len(history.samples) // 2].window.start
    before = _usual_people([one for one in history.samples if one.window.start < since])
    after = _usual_people([one for one in history.samples if one.window.start >= since])
    if before < 2 or after < 2:
        return []
    if abs(after - before) >= NOTABLE_CHANGE_OF_PEOPLE * before:
        return [
            f"Those measured went from {count_text(before)} to {people_text(after)} meanwhile, which can be part of it."
        ]
    deviation = tracked.current.deviation
    if isinstance(deviation, Absence) or abs(finding.estimate) >= 1.96 * deviation * math.sqrt(
        1 / before + 1 / after
    ):
        return []
    return [f"With only {people_text(after)} it can also be that other people measured than before."]


def _usual_people(samples: Sequence[Sample]) -> int:
    """The middle one of the numbers of people, of those that are shown; 0 where none is."""
    shown = sorted(
        one.people for one in samples if one.people is not None and not isinstance(one.people, Absence)
    )
    return shown[len(shown) // 2] if shown else 0


def _are_several(people: Count | None) -> bool:
    return people is not None and not isinstance(people, Absence) and people > 1


def _outside(finding: Finding, tracked: Tracked, history: History) -> str:
    assert finding.lower is not None  # noqa: S101 - the rule has limits
    assert finding.upper is not None  # noqa: S101
    figure = tracked.figure
    limits = f"{figure_text(figure, finding.lower)} to {value_with_unit(figure, finding.upper)}"
    return (
        f"{value_with_unit(figure, finding.last.value)} {_when(tracked.period, finding.last)}, outside the control"
        f" limits of {limits}; {_size(finding, tracked.figure)} than usual{_weekday(finding, history)}"
    )


def _near(finding: Finding, tracked: Tracked, history: History) -> str:
    del history
    first, last = (_when(tracked.period, one) for one in (finding.first, finding.last))
    limit = finding.upper if finding.estimate > 0 else finding.lower
    assert limit is not None  # noqa: S101 - the rule has limits
    return (
        f"{_size(finding, tracked.figure)} than usual {first} and {last}, both near the control limit of"
        f" {value_with_unit(tracked.figure, limit)}"
    )


def _shift(finding: Finding, tracked: Tracked, history: History) -> str:
    before = sum(sample.window.start < finding.first.window.start for sample in history.samples)
    return (
        f"{_size(finding, tracked.figure)} since {_name(tracked.period, finding.first.window)}, against a mean of"
        f" {value_with_unit(tracked.figure, finding.level)} in the {count_text(before)}"
        f" {_noun(tracked.period, before)} before"
    )


def _run(finding: Finding, tracked: Tracked, history: History) -> str:
    del history
    verb = "rising" if finding.estimate > 0 else "falling"
    count = int(finding.statistic_value)
    return (
        f"{verb} {count_text(count)} {_noun(tracked.period, count)} in a row up to"
        f" {_name(tracked.period, finding.last.window)}, {_size(finding, tracked.figure)} than at their first"
    )


def _trend(finding: Finding, tracked: Tracked, history: History) -> str:
    del history
    verb = "rising" if finding.estimate > 0 else "falling"
    change = change_text(tracked.figure, abs(finding.estimate)).lstrip("+")
    first, last = (_name(tracked.period, one.window) for one in (finding.first, finding.last))
    return f"{verb} by {change} ({_interval(finding, tracked.figure)}) from {first} to {last}"


def _comparison(finding: Finding, tracked: Tracked, history: History) -> str:
    del history
    before = value_with_unit(tracked.figure, finding.level)
    return (
        f"{value_with_unit(tracked.figure, tracked.current.value)}, {_size(finding, tracked.figure)} than in"
        f" {tracked.previous_name or 'the period before'} with {before}"
    )


_SAYINGS = {
    "outside": _outside,
    "near": _near,
    "shift": _shift,
    "run": _run,
    "trend": _trend,
    "comparison": _comparison,
}


def _size(finding: Finding, figure: str) -> str:
    """``1.2 kg lower (95 % interval 0.8 to 1.6)``."""
    direction = "higher" if finding.estimate > 0 else "lower"
    change = change_text(figure, abs(finding.estimate)).lstrip("+")
    return f"{change} {direction} ({_interval(finding, figure)})"


def _interval(finding: Finding, figure: str) -> str:
    style = style_of(figure)
    ends = sorted(end * (1 if finding.estimate > 0 else -1) for end in (finding.low, finding.high))
    low, high = (number_text(end * style.scale, decimals=style.decimals) for end in ends)
    return f"95\u202f% interval {low} to {high}"


def _weekday(finding: Finding, history: History) -> str:
    return f" for a {WEEKDAYS[finding.last.window.start.weekday()]}" if history.has_weekdays else ""


def _noun(period: Period, count: int) -> str:
    return NOUNS[period] if count == 1 else f"{NOUNS[period]}s"


def _name(period: Period, window: Window) -> str:
    """A point of a history inside a sentence."""
    return span_text(window) if period is Period.DAILY else mid_sentence(period_text(period, window))


def _when(period: Period, sample: Sample) -> str:
    return f"{'on' if period is Period.DAILY else 'in'} {_name(period, sample.window)}"
