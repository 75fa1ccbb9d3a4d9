"""The report on system performance, from files to what it says: outages, free ranges, and what makes it stale."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.performance import ALL
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.json import content_sha256
from healthmate_bi_pipeline.settings import PerformanceSettings, ServiceLevel, Settings
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.recipes import RECIPE_BY_TYPE
from healthmate_bi_pipeline.usecases.reports.scope import Subject
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline_tests.performance_rows import host_samples, skewed_requests
from healthmate_bi_pipeline_tests.reporting.samples import STAMP
from healthmate_bi_pipeline_tests.running import drop_file, opened, refresh
from healthmate_bi_pipeline_tests.usecases.test_service_levels import NOW, OUTAGE, traffic

RECIPE = RECIPE_BY_TYPE["system_performance"]
FAMILY = ("staged", "raw", "state", "system_performance")
DAY = Period.DAILY.window(OUTAGE[0].to_pydatetime())
WEEK = Window.of_days(date(2026, 3, 2), date(2026, 3, 8))


def gathered(pipeline: Pipeline, window: Window, *, period: Period | None = Period.DAILY):
    return RECIPE.gather(pipeline, Subject(RECIPE.report_type, period, window))


@pytest.fixture(scope="module")
def outage(new_settings: Callable[[], Settings]) -> Iterator[Pipeline]:
    """Three days of traffic with an outage, and a month of a machine whose memory fills up by 2 points a day."""
    settings = new_settings()
    drop_file(settings, "api_requests/a.csv", traffic().to_csv(index=False))
    days = pd.date_range("2026-02-20", "2026-03-10")
    samples = pd.DataFrame(
        {
            "service": "api", "environment": "production", "instance_id": "api-1",
            "cpu_percent": [40.0 + number % 2 for number in range(len(days))],
            "memory_percent": [50.0 + 2.0 * max(0, number - 4) for number in range(len(days))],
            "disk_percent": 41.0, "sampled_at": days + pd.Timedelta(hours=9),
        }
    )  # fmt: skip
    drop_file(settings, "host_samples/a.csv", samples.to_csv(index=False))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=FAMILY)
        yield pipeline


def test_the_outage_and_the_leak_are_what_the_report_tells_first(outage: Pipeline) -> None:
    inputs = gathered(outage, DAY)
    assert inputs is not None
    report = RECIPE.build(inputs, STAMP)
    by_rule = {one.rule: one for one in report.insights}
    assert by_rule["slo_broken"].subject == "api"
    incidents = {one.figures[0]: one for one in report.insights if one.rule == "threshold_broken"}
    assert "10 Mar 10:00" in incidents["error_rate"].text
    told = re.search(r"(\d+) of (\d+) requests failed", incidents["error_rate"].text)
    assert incidents["error_rate"].estimate == pytest.approx(int(told[1]) / int(told[2]))
    assert (
        "failing requests reached 100.0" in incidents["error_rate"].text
    )  # every request of the outage failed
    assert "9 Mar 23:40 to 10 Mar 00:20" in incidents["response_time_p95"].text
    leak = by_rule["limit_ahead"]
    assert (leak.subject, leak.figures) == ("api-1", ("memory_percent_mean",))
    assert leak.estimate == pytest.approx(2.0, abs=0.01)
    assert {one.owner for one in report.recommendations}
    assert {id_ for one in report.recommendations for id_ in one.insight_ids} <= {one.insight_id for one in report.insights}  # fmt: skip


def test_the_figures_are_those_of_the_table_and_hours_are_counted(outage: Pipeline) -> None:
    inputs = gathered(outage, DAY)
    assert inputs is not None
    assert inputs.main_environment == "production"
    (api,) = inputs.services
    assert inputs.current[api]["requests"].value == 24 * 12 * 20
    assert inputs.current[api]["errors"].value == 6 * 20
    assert inputs.hours["production"][ALL, ALL] == inputs.hours_expected == 24
    assert inputs.sampled_hours["production"]["api", "api-1"] == 1
    assert inputs.levels["api"].availability == 0.999
    assert [one.threshold for one in inputs.incidents].count("error_rate") == 1
    assert (inputs.incidents[0].started_at, inputs.incidents[0].started_at.tzinfo) == (
        datetime(2026, 3, 9, 23, 40), None,
    )  # fmt: skip
    assert len(inputs.resources) == 19
    # Everything was read after it had closed for the first time: there is nothing to judge.
    assert inputs.arrivals["api_requests"].days == 0


def test_levels_of_a_service_of_its_own_are_what_it_is_judged_by(outage: Pipeline) -> None:
    levels = PerformanceSettings(services={"api": ServiceLevel(availability=0.9)})
    settings = outage.settings.model_copy(update={"performance": levels})
    inputs = gathered(replace(outage, settings=settings), DAY)
    assert inputs is not None
    assert inputs.levels["api"].availability == 0.9
    assert inputs.levels["api"].response_time_ms == 200


def test_days_without_requests_and_samples_have_no_report(outage: Pipeline) -> None:
    assert gathered(outage, Period.DAILY.window(datetime(2026, 1, 5))) is None
    range_before = Window.of_days(date(2026, 1, 1), date(2026, 1, 3))
    assert gathered(outage, range_before, period=None) is None


@pytest.fixture(scope="module")
def week(new_settings: Callable[[], Settings]) -> Iterator[Pipeline]:
    """A week of skewed traffic on two services, many routes, two machines."""
    settings = new_settings()
    days = pd.date_range(WEEK.start, WEEK.end - timedelta(days=1))
    requests = skewed_requests(days=days, per_day=400, seed=11)
    drop_file(settings, "api_requests/a.csv", requests.to_csv(index=False))
    samples = host_samples(days=days, per_day=24, seed=12)
    drop_file(settings, "host_samples/a.csv", samples.to_csv(index=False))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=FAMILY)
        yield pipeline


def test_a_free_range_has_the_figures_of_the_period_with_the_same_days(week: Pipeline) -> None:
    of_week, of_days = (gathered(week, WEEK, period=period) for period in (Period.WEEKLY, None))
    assert of_week is not None
    assert of_days is not None
    assert set(of_days.current) == set(of_week.current)
    for place, figures in of_week.current.items():
        assert set(of_days.current[place]) == set(figures), place
        for name, measured in figures.items():
            found = of_days.current[place][name]
            assert found.value == pytest.approx(measured.value, rel=1e-9), (place, name)
            assert found.samples == measured.samples, (place, name)
    assert [(one.place, one.route_group, one.errors) for one in of_days.failing_routes] == [
        (one.place, one.route_group, one.errors) for one in of_week.failing_routes
    ]
    assert [(one.place, one.route_group, one.response_time_p95) for one in of_days.slow_routes] == [
        (one.place, one.route_group, pytest.approx(one.response_time_p95)) for one in of_week.slow_routes
    ]
    assert of_days.incident_counts == of_week.incident_counts
    said = [RECIPE.build(one, STAMP) for one in (of_week, of_days)]
    assert {m.figure: m.value for m in said[0].metrics} == pytest.approx(
        {m.figure: m.value for m in said[1].metrics}
    )


def test_the_same_books_give_the_same_bytes(week: Pipeline) -> None:
    first, second = (RECIPE.build(gathered(week, WEEK, period=Period.WEEKLY), STAMP) for _ in range(2))
    assert content_sha256(first) == content_sha256(second)


def test_a_report_is_stale_when_its_own_days_change_and_not_when_others_do(settings: Settings) -> None:
    asset = ASSET_BY_NAME["reports/system_performance_daily"]
    rows = traffic()
    first = rows[rows["occurred_at"] < "2026-03-09"]
    drop_file(settings, "api_requests/a.csv", first.to_csv(index=False))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=FAMILY)
        made = refresh(pipeline, names=(asset.name,))
        assert made[asset.name].rows == {date(2026, 3, 8): 1}
        assert stale_partitions(pipeline, asset) == []
        # The outage of two days later changes the table of incidents as a whole.
        rest = rows[rows["occurred_at"] >= "2026-03-10"]
        drop_file(settings, "api_requests/b.csv", rest.to_csv(index=False))
        refresh(pipeline, groups=FAMILY)
        assert stale_partitions(pipeline, asset) == [date(2026, 3, 10)]
    levels = PerformanceSettings(availability=0.99)
    with opened(settings.model_copy(update={"performance": levels}), now=NOW) as pipeline:
        refresh(pipeline, groups=FAMILY)
        assert date(2026, 3, 8) in stale_partitions(pipeline, asset)
