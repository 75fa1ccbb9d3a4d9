"""Inputs of the report on user engagement for the tests; the numbers are known here."""

from datetime import datetime, timedelta

from healthmate_bi_pipeline.catalog.engagement import CHURN_RISK_BANDS, GROUP_FIGURES
from healthmate_bi_pipeline.catalog.registry import figure_named
from healthmate_bi_pipeline.catalog.reports import USER_ENGAGEMENT
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.inputs import Arrivals, GroupFigure
from healthmate_bi_pipeline.reporting.user_engagement.inputs import (
    Activity,
    Calibration,
    CohortCell,
    FeatureUse,
    PeriodEngagement,
    Tenth,
    UserEngagementInputs,
)
from healthmate_bi_pipeline_tests.reporting.samples import GROUPS, quality

WEEK = Period.WEEKLY.window(datetime(2026, 3, 4))


def group(figure, people, mean, deviation=1.5):
    """A figure of so many people, all in its first bands."""
    count = len(figure_named(figure).bands)
    bands = [people - people // 3, people // 3] + [0] * (count - 2) if count > 1 else [people] * count
    return GroupFigure(figure, people, mean, 0.0, 2 * mean, tuple(bands[:count]), deviation)


def one_period(window, *, active=400, shift=0.0, features=None):
    """A period in which so many people were active."""
    return PeriodEngagement(
        window=window,
        activity=Activity(active, active / 3, active, round(1.6 * active), 0.21 + shift),
        figures={name: group(name, active, 4.0 + shift) for name in GROUP_FIGURES},
        features=features
        if features is not None
        else {
            "diary": FeatureUse("diary", active // 2, 3 * active, active // 3),
            "chat": FeatureUse("chat", active // 4, active, active // 8),
        },
        churn=GroupFigure(
            "recent_churn_risk", active, 0.15, band_people=(active, *([0] * (len(CHURN_RISK_BANDS) - 1)))
        ),
        came=80,
        stayed=44,
    )


def cohort_cells(people=60, kept=(60, 33, 28, 24)):
    """Four weekly cohorts before the end of the week, each with the cells that are over."""
    found = []
    for back in range(4, 0, -1):
        start = (WEEK.end - timedelta(weeks=back)).date()
        found += [CohortCell(start, number, people, kept[number]) for number in range(back)]
    return found


def calibration(*, brier=0.11, rule_brier=0.19, people=500):
    """A judged month."""
    tenths = [Tenth(number, people // 10, number / 10, (number - 0.5) / 10) for number in range(1, 11)]
    return Calibration(datetime(2026, 1, 1).date(), tenths, people, brier, rule_brier)


def inputs(active=400, *, settings=GROUPS, **changes):
    """Inputs of a report on a week; ``changes`` replace fields."""
    starts = [WEEK.start - timedelta(weeks=back) for back in range(15, -1, -1)]
    history = [
        one_period(Period.WEEKLY.window(start), active=active + 7 * (number % 3), shift=0.01 * (number % 4))
        for number, start in enumerate(starts)
    ]
    before = Period.WEEKLY.window(WEEK.start - timedelta(days=1))
    values = {
        "report_type": USER_ENGAGEMENT,
        "cadence": "weekly",
        "window": WEEK,
        "settings": settings,
        "as_of": datetime(2026, 3, 8, 22, 10),
        "is_complete": True,
        "quality": [quality(dataset="login_sessions"), quality(dataset="app_events")],
        "input_versions": {"state/engagement_days": 7},
        "current": one_period(WEEK, active=active),
        "previous": one_period(before, active=active + 20),
        "period": Period.WEEKLY,
        "history": history,
        "lifecycle": {"new": 40, "returning": active - 100, "resurrecting": 60, "dormant": 120},
        "active_before": active + 20,
        "curves": {7: {1: 200, 2: 120, 3: 60, 4: 20}, 28: {1: 300, 2: 200, 10: 140}},
        "cohort_interval": Period.WEEKLY,
        "cohorts": cohort_cells(),
        "first_day": datetime(2025, 1, 1).date(),
        "forecast_people": 900,
        "known_people": 920,
        "calibration": calibration(),
        "days_with_data": 7,
        "arrivals": {"one": Arrivals(7, 7)},
    }
    return UserEngagementInputs(**(values | changes))
