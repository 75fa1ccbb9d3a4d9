"""What the report on user engagement is made from: counts of groups as the warehouse holds them, before suppression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.inputs import Arrivals, GroupFigure, ReportInputs


@dataclass(frozen=True)
class Activity:
    """How many people were active in one period; ``None`` where a period has no such figure.

    Attributes:
        active: different people in the period.
        daily: mean of the people active on a day.
        weekly: different people in the 7 days up to its end.
        monthly: different people in the 28 days up to its end.
        stickiness: mean daily people of those 28 days / monthly.
    """

    active: int
    daily: float | None = None
    weekly: int | None = None
    monthly: int | None = None
    stickiness: float | None = None


@dataclass(frozen=True)
class FeatureUse:
    """Who used a feature in one period, and how often."""

    feature: str
    people: int
    uses: int
    adopters: int | None = None


@dataclass(frozen=True)
class PeriodEngagement:
    """All that is known of one period of groups.

    Attributes:
        window: the period.
        activity: active people.
        figures: means over people, by figure.
        features: feature -> its use.
        churn: the churn risk of the people who were recently active, at the last end of a week in the period.
        came: people of the cohorts whose first interval after the one they came in lies in the period.
        stayed: those of them who were active in it.
    """

    window: Window
    activity: Activity | None = None
    figures: Mapping[str, GroupFigure] = field(default_factory=dict)
    features: Mapping[str, FeatureUse] = field(default_factory=dict)
    churn: GroupFigure | None = None
    came: int = 0
    stayed: int = 0


@dataclass(frozen=True)
class CohortCell:
    """Of the people who came in an interval, how many were active ``number`` intervals later."""

    start: date
    number: int
    people: int
    active: int


@dataclass(frozen=True)
class Tenth:
    """A tenth of the people by the churn model's forecast, and what came; 0 stands for all people."""

    decile: int
    people: int
    predicted: float
    observed: float


@dataclass(frozen=True)
class Calibration:
    """The churn model judged on weeks that it was not fitted on.

    Attributes:
        month: whose parameters.
        tenths: by rising forecast.
        people: all of them.
        brier: the model's score.
        rule_brier: that of the rule "inactive for 14 days".
    """

    month: date
    tenths: Sequence[Tenth]
    people: int
    brier: float
    rule_brier: float


@dataclass(frozen=True, kw_only=True)
class UserEngagementInputs(ReportInputs):
    """All that a report on user engagement needs.

    Attributes:
        current: the report's window.
        previous: the period before, where there is something.
        period: the period of the history.
        history: its periods in order, none left out, the last one in the window.
        lifecycle: stage -> people in the window; ``dormant`` is missing while it goes on.
        active_before: different people of the period before.
        curves: 7 or 28 -> active days of so many -> people.
        cohort_interval: the interval that cohorts are shown by.
        cohorts: their cells, of intervals that were over at the window's end.
        first_day: the first day on which anybody was active; who came then may have come long before.
        forecast_people: people with a churn forecast at the last end of a week; ``known_people``: with a first
            activity by then.
        calibration: the last that was known at the window's end.
        days_with_data: days of the window on which anybody was active.
        arrivals: dataset -> when the days of the window came.
    """

    current: PeriodEngagement
    previous: PeriodEngagement | None
    period: Period
    history: Sequence[PeriodEngagement]
    lifecycle: Mapping[str, int]
    active_before: int | None
    curves: Mapping[int, Mapping[int, int]]
    cohort_interval: Period
    cohorts: Sequence[CohortCell]
    first_day: date | None
    forecast_people: int
    known_people: int
    calibration: Calibration | None
    days_with_data: int
    arrivals: Mapping[str, Arrivals] = field(default_factory=dict)
