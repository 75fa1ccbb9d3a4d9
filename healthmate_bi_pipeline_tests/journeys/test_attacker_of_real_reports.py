"""Reports on a town in which few people come, go, come back and pay, before and after a late file: nothing of them follows.

``reporting/test_attacker*`` play the attacker on all numbers there are; here on what the pipeline really writes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeAlias

import numpy as np
import pytest

from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.blocks import Absence, HeatMap
from healthmate_bi_pipeline.reporting.document import Report
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.recipes import RECIPE_BY_TYPE
from healthmate_bi_pipeline.usecases.reports.scope import Subject
from healthmate_bi_pipeline_tests.reporting.samples import GROUPS, STAMP
from healthmate_bi_pipeline_tests.reporting.test_attacker import LEAST_OPEN, MOST, candidates
from healthmate_bi_pipeline_tests.reporting.test_attacker_of_use_and_money import assert_consistent, collect
from healthmate_bi_pipeline_tests.reporting.walking import assert_no_small_cell, blocks, metric
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, refresh

pytestmark = pytest.mark.slow

Key: TypeAlias = tuple[str, Period, datetime]

MONDAY = datetime(2026, 3, 2)
WEEKS = 6
CORE = range(1, 17)
COMERS = {1: 4, 2: 8, 3: 12, 4: 3, 5: 9}
"""Week -> people who come in it, and are seen no more."""
BACK = {3: 3, 5: 10}
"""Week -> people of the first week who are back for it."""
LATE = {2: 3, 3: 2, 4: 7}
"""Week -> people who turn out to have come in it too: 8 become 11, 12 become 14, 3 become 10."""
STAGES = ("new", "resurrecting", "returning", "dormant")
FIGURES = (
    *(f"user_engagement/{name}" for name in ("daily", "weekly", "monthly", "starts", "cohorts", "retention")),
    *(f"engagement_groups/{name}" for name in ("daily", "weekly", "monthly")),
)  # fmt: skip
REPORTED = [
    *(("user_engagement", Period.WEEKLY, MONDAY + timedelta(weeks=week)) for week in range(1, WEEKS)),
    *(("user_engagement", Period.DAILY, MONDAY + timedelta(days=day)) for day in range(14, 28)),
    ("user_engagement", Period.MONTHLY, datetime(2026, 3, 1)),
    *(("financial", Period.MONTHLY, datetime(2026, month, 1)) for month in (2, 3)),
]


def visit(user: int, week: int, weekday: int) -> dict[str, object]:
    day = (MONDAY + timedelta(weeks=week, days=weekday)).date()
    return {
        "user_id": user, "session_id": f"{user}-{week}-{weekday}", "started_at": f"{day}T12:00:00Z",
        "ended_at": f"{day}T12:20:00Z", "device": "phone", "app_version": "1",
    }  # fmt: skip


def visits() -> Iterator[dict[str, object]]:
    """Tuesdays and Saturdays."""
    for week in range(WEEKS):
        yield from (visit(user, week, weekday) for user in CORE for weekday in (1, 5))
        yield from (
            visit(100 * week + number, week, (1, 5)[number % 2]) for number in range(COMERS.get(week, 0))
        )
    first = [900 + number for number in range(max(BACK.values()))]
    yield from (visit(user, 0, 1) for user in first)
    yield from (visit(user, week, 5) for week, count in BACK.items() for user in first[:count])


def payments(
    people: range, month: int, event: str, amount: int, currency: str
) -> Iterator[dict[str, object]]:
    for user in people:
        yield {
            "user_id": user, "event_id": f"{user}-{month}-{event}", "event": event, "plan": "plus", "amount_minor": amount,
            "currency": currency, "occurred_at": f"2026-{month:02}-05T12:00:00Z",
        }  # fmt: skip


def bills() -> Iterator[dict[str, object]]:
    """Forty pay in euros, four in francs; in March three of them leave and six come."""
    yield from payments(range(1, 41), 1, "started", 799, "EUR")
    yield from payments(range(51, 55), 1, "started", 999, "CHF")
    for month in (2, 3):
        yield from payments(range(1, 41) if month == 2 else range(4, 41), month, "renewed", 799, "EUR")
        yield from payments(range(51, 55), month, "renewed", 999, "CHF")
    yield from payments(range(1, 4), 3, "cancelled", 0, "EUR")
    yield from payments(range(61, 67), 3, "started", 799, "EUR")


@pytest.fixture(scope="module")
def versions(new_settings: Callable[[], Settings]) -> list[dict[Key, Report]]:
    """All reports, before and after the late file."""
    settings = new_settings()
    drop_file(settings, "login_sessions/a.csv", csv_text(visits()))
    drop_file(settings, "billing_events/a.csv", csv_text(bills()))
    made = []
    with opened(settings, now=datetime(2026, 4, 25, 12)) as pipeline:
        made.append(reports(pipeline))
        late = (
            visit(100 * week + 50 + number, week, 5)
            for week, count in LATE.items()
            for number in range(count)
        )
        drop_file(settings, "login_sessions/b.csv", csv_text(late))
        drop_file(
            settings, "billing_events/b.csv", csv_text(payments(range(70, 75), 3, "started", 799, "EUR"))
        )
        made.append(reports(pipeline))
    return made


def reports(pipeline: Pipeline) -> dict[Key, Report]:
    refresh(pipeline, groups=("staged", "raw", "state", "parameters", "finance"))
    refresh(pipeline, names=FIGURES)
    made = {}
    for name, period, start in REPORTED:
        recipe = RECIPE_BY_TYPE[name]
        inputs = recipe.gather(pipeline, Subject(recipe.report_type, period, period.window(start)))
        if inputs is not None:
            made[name, period, start] = recipe.build(inputs, STAMP)
    return made


def weekly(made: dict[Key, Report], week: int) -> Report:
    return made["user_engagement", Period.WEEKLY, MONDAY + timedelta(weeks=week)]


def stage_values(made: dict[Key, Report], week: int) -> dict[str, set[int]]:
    """What each stage of a week may be, by its report, the one before and the cohorts of the ones after."""
    report = weekly(made, week)
    names = ("new_people", "resurrected_people", "returning_people", "dormant_people")
    most = 45
    places = np.indices((most,) * len(STAGES))
    possible = np.ones(places.shape[1:], dtype=bool)
    for place, name in zip(places, names, strict=True):
        value = metric(report, name).value
        if not isinstance(value, Absence):
            possible &= np.isin(place, candidates(value) if value else [0])
    new, back, stayed, silent = places
    for sum_of, told in (
        (new + back + stayed, metric(report, "active_people").value),
        (stayed + silent, metric(report, "active_people").comparison.value),
    ):
        if not isinstance(told, Absence):
            possible &= np.isin(sum_of, candidates(told))
    for later in range(week + 1, WEEKS):
        size = cohort_size(weekly(made, later), MONDAY + timedelta(weeks=week))
        if size is not None:
            possible &= np.isin(new, candidates(size)) if size else (new <= MOST)
    assert possible.any()
    return {
        name: set(np.unique(place[possible]).tolist()) for name, place in zip(STAGES, places, strict=True)
    }


def cohort_size(report: Report, start: datetime) -> int | None:
    """The size of a cohort as it stands beside its row; 0 for few."""
    for chart in blocks(report, HeatMap):
        for row in chart.rows:
            name, size = re.fullmatch(r"(.*) \((.*)\)", row).groups()
            if name.startswith(f"{start.day} {start:%b}"):
                return 0 if size == "few" else int(size)
    return None


def real_stages(week: int, *, is_late: bool) -> dict[str, int]:
    comers = [COMERS.get(at, 0) + (LATE.get(at, 0) if is_late else 0) for at in range(WEEKS)]
    back = [BACK.get(at, 0) for at in range(WEEKS)]
    silent = comers[week - 1] + back[week - 1] + (max(BACK.values()) if week == 1 else 0)
    return {"new": comers[week], "resurrecting": back[week], "returning": len(CORE), "dormant": silent}


@pytest.mark.parametrize("week", range(1, WEEKS))
def test_small_stages_of_a_week_stay_open(versions: list[dict[Key, Report]], week: int) -> None:
    """By totals, neighbours, cohorts, and both versions together: the attacker knows that few came late."""
    before, after = (stage_values(made, week) for made in versions)
    for stage in STAGES:
        real = [real_stages(week, is_late=is_late)[stage] for is_late in (False, True)]
        assert real[0] in before[stage]
        assert real[1] in after[stage]
        joint = {one for one in before[stage] if any(0 <= other - one <= MOST for other in after[stage])}
        for values, count in ((before[stage], real[0]), (after[stage], real[1]), (joint, real[0])):
            if 0 < count <= MOST:
                assert len(values - {0}) >= LEAST_OPEN, (stage, count, values)


def test_no_report_holds_a_number_of_few_people(versions: list[dict[Key, Report]]) -> None:
    small = 0
    for made in versions:
        for report in made.values():
            assert_no_small_cell(report)
            small += sum(one.value is Absence.SUPPRESSED for one in report.metrics)
    assert small > 50, "there were small cells to be withheld"


@pytest.mark.parametrize("cadence", [Period.DAILY, Period.WEEKLY, Period.MONTHLY])
def test_neighbours_say_the_same_of_the_same_period(
    versions: list[dict[Key, Report]], cadence: Period
) -> None:
    for made in versions:
        told: dict[tuple[str, datetime], set[object]] = defaultdict(set)
        for (name, period, start), report in made.items():
            if period is cadence and name == "user_engagement":
                before = period.window(period.previous(start))
                collect(report, told, report.window, before)
        assert_consistent(told)


def test_payers_who_came_late_are_not_counted_by_two_versions(versions: list[dict[Key, Report]]) -> None:
    before, after = (made["financial", Period.MONTHLY, datetime(2026, 3, 1)] for made in versions)
    paying = [metric(report, "paying_people").value for report in (before, after)]
    possible = {
        other - one
        for one in candidates(paying[0])
        for other in candidates(paying[1])
        if 0 <= other - one <= MOST
    }
    assert len(possible) >= LEAST_OPEN
    for report in (before, after):
        assert not [
            one
            for one in report.metrics
            if one.figure.endswith(":CHF") and not isinstance(one.value, Absence)
        ]
        # Three left and six came: of forty, neither is told, and so nor how many of both.
        told = {one.figure for one in report.metrics if not isinstance(one.value, Absence)}
        assert not told & {
            "new_revenue:EUR",
            "churned_revenue:EUR",
            "paying_people_churn_rate",
            "revenue_churn_rate:EUR",
        }
    assert GROUPS.minimum_people == MOST + 1
