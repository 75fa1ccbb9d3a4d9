"""What insights are looked for in: figures over time and facts, as the audience may see them.

Builders of reports fill these from ``Shown…`` values; ``insights`` reads nothing else, so that no text can say more
than the page shows.
"""

from __future__ import annotations

from dataclasses import dataclass

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence, Count, Number
from healthmate_bi_pipeline.reporting.document import Tone


@dataclass(frozen=True)
class Sample:
    """A figure in one period.

    Attributes:
        value: the figure.
        people: how many it rests on; ``None`` where it is not about people.
        deviation: standard deviation between people, where it is known and may be shown.
    """

    window: Window
    value: Number
    people: Count | None = None
    deviation: Number = Absence.NO_DATA


@dataclass(frozen=True)
class Tracked:
    """A figure that is watched.

    Attributes:
        figure: its name in the registry.
        subject: whom it is about: empty for everyone, else a group, a service …
        period: what a point of its history stands for.
        history: its points in order, none left out, the last one inside the report's window.
        current: the figure in the report's window.
        previous: the same in the period before.
        previous_name: what a reader calls that period.
        reach: the share of everyone whom it is about, for the order of insights.
    """

    figure: str
    period: Period
    history: tuple[Sample, ...]
    current: Sample
    previous: Sample | None = None
    previous_name: str = ""
    subject: str = ""
    reach: Number = 1.0


@dataclass(frozen=True)
class Contrast:
    """How a figure of the same people changed since the period before, of some against all others.

    Attributes:
        figure: its name in the registry.
        subject: whose change is held against that of the others: a device.
        own: their change: ``value`` is the mean of the people's own changes.
        others: the change of the others; nobody stands on both sides.
        previous_name: what a reader calls the period before.
        reach: the share of everyone whom it is about, for the order of insights.
    """

    figure: str
    subject: str
    own: Sample
    others: Sample
    previous_name: str
    reach: Number = 1.0


@dataclass(frozen=True)
class Fact:
    """Something that happened or a limit that was broken: seen, not inferred.

    Attributes:
        rule: its name in ``catalog/insight_rules``.
        figures: the figures that it rests on.
        subject: whom it is about.
        text: what happened, with its numbers.
        estimate: its size, in the unit of the first figure.
        effect: size without a unit, which insights are ranked by: 1 is a limit just broken.
        people: whom it is about; ``None`` where it is not about people.
    """

    rule: str
    figures: tuple[str, ...]
    text: str
    estimate: Number
    effect: float
    tone: Tone = Tone.WORSE
    subject: str = ""
    people: Count | None = None


@dataclass(frozen=True)
class Evidence:
    """All that the insights of a report may rest on."""

    tracked: tuple[Tracked, ...] = ()
    facts: tuple[Fact, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
