"""What was planted in the demo's backend is what the reports of these days tell first; other days stay quiet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.document import Report
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.sources.demo import write_demo, write_stories
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.recipes import RECIPE_BY_TYPE
from healthmate_bi_pipeline.usecases.reports.scope import Subject
from healthmate_bi_pipeline_tests.reporting.samples import STAMP
from healthmate_bi_pipeline_tests.running import opened, refresh

pytestmark = pytest.mark.slow

FIRST, LAST = date(2026, 1, 1), date(2026, 9, 30)
RECIPE = RECIPE_BY_TYPE["system_performance"]
BACKEND = ("api_requests", "host_samples")


@pytest.fixture(scope="module")
def made(new_settings: Callable[[], Settings]) -> Iterator[tuple[Pipeline, dict[str, dict[str, Any]]]]:
    settings = new_settings()
    demo = write_demo(settings.landing_path, first_day=FIRST, last_day=LAST, people=60, datasets=BACKEND)
    told = json.loads(write_stories(settings.home_path / "demo", demo.stories, demo.about()).read_text())
    now = datetime.combine(LAST, datetime.min.time(), UTC) + timedelta(days=10)
    with opened(settings, now=now.replace(tzinfo=None)) as pipeline:
        refresh(pipeline, groups=("staged", "raw", "state", "system_performance"))
        yield pipeline, {story["name"]: story for story in told["stories"]}


def report_on(pipeline: Pipeline, day: datetime, period: Period = Period.DAILY) -> Report:
    inputs = RECIPE.gather(pipeline, Subject(RECIPE.report_type, period, period.window(day)))
    assert inputs is not None
    return RECIPE.build(inputs, STAMP)


def when(story: dict[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(story["when"][name]).replace(tzinfo=None)


def test_the_outage_is_told_with_its_service_and_hour(made: tuple[Pipeline, dict[str, Any]]) -> None:
    pipeline, stories = made
    start, end = when(stories["outage"], "from"), when(stories["outage"], "until")
    report = report_on(pipeline, start)
    service = stories["outage"]["who"]["service"]
    rules = {one.rule for one in report.insights if one.subject == service}
    assert "slo_broken" in rules
    assert {"budget_burning", "threshold_broken"} & rules
    inputs = RECIPE.gather(pipeline, Subject(RECIPE.report_type, Period.DAILY, Period.DAILY.window(start)))
    assert inputs is not None
    seen = [one for one in inputs.incidents if one.place.service == service and one.errors >= 5]
    slack = timedelta(minutes=10)
    assert any(abs(one.started_at - start) <= slack and abs(one.ended_at - end) <= slack for one in seen)
    assert report.recommendations[0].urgency == "now"


def test_the_slow_release_is_told_on_its_second_day(made: tuple[Pipeline, dict[str, Any]]) -> None:
    pipeline, stories = made
    service = stories["slow_release"]["who"]["service"]
    report = report_on(pipeline, when(stories["slow_release"], "from") + timedelta(days=1))
    told = [
        one for one in report.insights if one.subject == service and one.figures == ("response_time_p95",)
    ]
    assert told
    assert all(one.tone == "worse" for one in told)


def test_the_leak_is_told_before_the_memory_is_full(made: tuple[Pipeline, dict[str, Any]]) -> None:
    pipeline, stories = made
    story = stories["memory_leak"]
    until = when(story, "until")
    report = report_on(pipeline, until - timedelta(days=4))
    told = [one for one in report.insights if one.rule == "limit_ahead"]
    assert [(one.subject, one.figures) for one in told] == [
        (story["who"]["instance_id"], ("memory_percent_mean",))
    ]
    assert told[0].estimate == pytest.approx(story["effect"]["sizes"]["memory_percent"], rel=0.2)


def test_days_without_a_story_wake_nobody(made: tuple[Pipeline, dict[str, Any]]) -> None:
    pipeline, stories = made
    quiet = [datetime(2026, 7, 22), datetime(2026, 8, 19), datetime(2026, 9, 24)]
    told = [stories[name] for name in ("outage", "slow_release", "memory_leak")]
    for day in quiet:
        assert all(not when(one, "from") <= day <= when(one, "until") + timedelta(days=4) for one in told)
        rules = {one.rule for one in report_on(pipeline, day).insights}
        assert not rules & {"slo_broken", "budget_burning", "limit_ahead"}, day
