"""The figures of the report on user engagement as they may be shown, over time: key figures and evidence alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from healthmate_bi_pipeline.catalog.engagement import GROUP_FIGURES
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.blocks import Absence, Number
from healthmate_bi_pipeline.reporting.evidence import Sample, Tracked
from healthmate_bi_pipeline.reporting.inputs import GroupFigure
from healthmate_bi_pipeline.reporting.suppressed_parts import ratio, show_mean_share, show_share
from healthmate_bi_pipeline.reporting.suppression import show_count, show_figure
from healthmate_bi_pipeline.reporting.tracked_figures import trimmed
from healthmate_bi_pipeline.reporting.user_engagement.inputs import PeriodEngagement, UserEngagementInputs
from healthmate_bi_pipeline.reporting.wording import mid_sentence, period_text
from healthmate_bi_pipeline.settings import ReportSettings

_Shown: TypeAlias = Callable[[PeriodEngagement, ReportSettings], Sample]

COUNTS = ("active_people", "daily_active_people", "weekly_active_people", "monthly_active_people")
MOST_TRACKED_FEATURES = 8
"""Features that insights are looked for in: the ones that most people use."""


def _count(figure: str) -> _Shown:
    """A number of people, rounded; so is the mean of days."""
    names = {
        "active_people": "active",
        "daily_active_people": "daily",
        "weekly_active_people": "weekly",
        "monthly_active_people": "monthly",
    }

    def shown(one: PeriodEngagement, settings: ReportSettings) -> Sample:
        value = getattr(one.activity, names[figure]) if one.activity else None
        number: Number = Absence.NO_DATA if value is None else show_count(round(value), settings=settings)
        return Sample(one.window, number)

    return shown


def _stickiness(one: PeriodEngagement, settings: ReportSettings) -> Sample:
    activity = one.activity
    if activity is None or not activity.monthly:
        return Sample(one.window, Absence.NO_DATA, 0)
    value = show_mean_share(
        "stickiness", mean=activity.stickiness, people=activity.monthly, settings=settings
    )
    return Sample(one.window, value, show_count(activity.monthly, settings=settings))


def _retention(one: PeriodEngagement, settings: ReportSettings) -> Sample:
    return Sample(
        one.window,
        show_share(one.stayed, one.came, settings=settings),
        show_count(one.came, settings=settings),
    )


def _of_people(figure: str) -> _Shown:
    def shown(one: PeriodEngagement, settings: ReportSettings) -> Sample:
        group = one.figures.get(figure, GroupFigure(figure, 0))
        return _sample(one, group, settings)

    return shown


def _churn(one: PeriodEngagement, settings: ReportSettings) -> Sample:
    return _sample(one, one.churn or GroupFigure("recent_churn_risk", 0), settings)


def _sample(one: PeriodEngagement, group: GroupFigure, settings: ReportSettings) -> Sample:
    told = show_figure(
        GroupFigure(group.figure, group.people, group.mean, deviation=group.deviation), settings=settings
    )
    return Sample(one.window, told.mean, told.people, told.deviation)


def _reach(feature: str) -> _Shown:
    def shown(one: PeriodEngagement, settings: ReportSettings) -> Sample:
        use, active = one.features.get(feature), one.activity.active if one.activity else 0
        if use is None:
            return Sample(one.window, Absence.NO_DATA, show_count(active, settings=settings))
        return Sample(
            one.window,
            show_share(use.people, active, settings=settings),
            show_count(active, settings=settings),
        )

    return shown


def counts(inputs: UserEngagementInputs) -> tuple[str, ...]:
    """The counts that tell something of their own: of a day all people are the day's, of a week the last 7 days'."""
    same = {Period.DAILY: "daily_active_people", Period.WEEKLY: "weekly_active_people"}
    return tuple(
        name for name in COUNTS if not any(inputs.cadence == p and name == own for p, own in same.items())
    )


def tracked_figures(inputs: UserEngagementInputs) -> dict[str, Tracked]:
    """Every figure of everybody, by name."""
    shown: dict[str, _Shown] = {name: _count(name) for name in counts(inputs)}
    shown["stickiness"] = _stickiness
    shown["retention"] = _retention
    shown |= {name: _of_people(name) for name in GROUP_FIGURES}
    shown["recent_churn_risk"] = _churn
    return {name: _tracked(inputs, name, make) for name, make in shown.items()}


def tracked_features(inputs: UserEngagementInputs) -> list[Tracked]:
    """The reach of the features that most people use."""
    most = sorted(inputs.current.features.values(), key=lambda use: (-use.people, use.feature))
    found = []
    for use in most[:MOST_TRACKED_FEATURES]:
        one = _tracked(inputs, "feature_reach", _reach(use.feature), subject=use.feature)
        if not isinstance(one.current.value, Absence):
            found.append(one)
    return found


def _tracked(inputs: UserEngagementInputs, figure: str, shown: _Shown, *, subject: str = "") -> Tracked:
    settings = inputs.settings
    current = shown(inputs.current, settings)
    history = trimmed([shown(one, settings) for one in inputs.history])
    previous = shown(inputs.previous, settings) if inputs.previous else None
    name = mid_sentence(period_text(inputs.cadence, inputs.previous.window)) if inputs.previous else ""
    active = inputs.current.activity.active if inputs.current.activity else 0
    everyone = show_count(active, settings=settings)
    reach: Number = 1.0
    if subject:
        share = ratio(current.value, 1.0)
        reach = share if isinstance(share, Absence) else min(share, 1.0)
    elif current.people is not None:
        share = ratio(current.people, everyone)
        reach = share if isinstance(share, Absence) else min(share, 1.0)
    return Tracked(
        figure=figure,
        period=inputs.period,
        history=history,
        current=current,
        previous=previous,
        previous_name=name,
        subject=subject,
        reach=reach,
    )


_LOOKS_BACK: dict[str, tuple[Period, ...]] = {
    "weekly_active_people": (Period.DAILY,),
    "monthly_active_people": (Period.DAILY, Period.WEEKLY),
    "stickiness": (Period.DAILY, Period.WEEKLY),
    "recent_churn_risk": (Period.DAILY, Period.WEEKLY),
}
"""Figures that look back over more than these periods: neighbours share most of their days."""


def watched(tracked: Sequence[Tracked]) -> tuple[Tracked, ...]:
    """What insights are looked for in: figures with a value in the report's window or a history.

    Control charts take periods for independent of each other. Those of a figure that looks back further than one are
    not, and a shift would be found in every one of its walks; there only this period is held against the one before.
    """
    kept = [
        replace(one, history=()) if one.period in _LOOKS_BACK.get(one.figure, ()) else one for one in tracked
    ]
    return tuple(
        one
        for one in kept
        if not isinstance(one.current.value, Absence)
        or any(not isinstance(sample.value, Absence) for sample in one.history)
    )
