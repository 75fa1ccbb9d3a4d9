"""What a health summary is made from: figures of groups as the warehouse holds them, before suppression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.inputs import Arrivals, GroupFigure, ReportInputs, TrendPoint


@dataclass(frozen=True)
class DeviceChange:
    """How a figure of the people of one device changed since the month before, and of those who have only others.

    Attributes:
        source: the device.
        own: of its people; the mean is that of their changes.
        others: of the others.
    """

    source: str
    own: GroupFigure
    others: GroupFigure


@dataclass(frozen=True, kw_only=True)
class HealthSummaryInputs(ReportInputs):
    """All that a health summary needs.

    Attributes:
        people: people with any row in the window.
        current: figure -> its group in the window.
        previous_window: what it is compared with, ``None`` where there is nothing before.
        previous: figure -> its group there.
        trend_period: the short period of the trend.
        trend: its points in order; they may begin before the window.
        history_period: the short period that insights are looked for in.
        history: its points in order, up to the window's end.
        person_days: figure -> days of people with a value in the window, added up.
        covered: group of people (``all``, ``age 18-39``, ``sex female``) -> figure -> people with a value; ``people``
            for anyone with data.
        accounts: group -> people with an account at the window's end.
        devices: of a month how each device's people changed; else empty.
        arrivals: dataset -> the days of the window whose data came in time, of those expected to.
    """

    people: int
    current: Mapping[str, GroupFigure]
    previous_window: Window | None = None
    previous: Mapping[str, GroupFigure] | None = None
    trend_period: Period = Period.DAILY
    trend: Sequence[TrendPoint] = ()
    history_period: Period = Period.DAILY
    history: Sequence[TrendPoint] = ()
    person_days: Mapping[str, int] = field(default_factory=dict)
    covered: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    accounts: Mapping[str, int] = field(default_factory=dict)
    devices: Sequence[DeviceChange] = ()
    arrivals: Mapping[str, Arrivals] = field(default_factory=dict)
