"""What was planted in the demo's backend comes out of the finished figures: when, how much, and nowhere else.

The stories' own file says where, when and how large; here only the warehouse is read. Durations are lognormal with a
sigma of 0.45 around medians that differ by route, some 0.55 in all, so that the median of n rows is uncertain by 1.25
x 0.55 / sqrt(n).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline_tests.journeys.planted import NOW, Stories, Story, days, plant, size, stretch
from healthmate_bi_pipeline_tests.performance_rows import PLACE
from healthmate_bi_pipeline_tests.running import opened, query, refresh

pytestmark = pytest.mark.slow

METRICS = (
    "requests", "error_rate", "response_time_p50", "failed_response_time_mean", "memory_percent_mean",
    "breach_minutes_response_time",
)  # fmt: skip
SERVICES = {"api-gateway", "health-data", "auth", "notifications", "reports"}
HOUR = pd.Timedelta(hours=1)


@dataclass(frozen=True)
class Made:
    """The figures of hours around the stories and of all days, the incidents, and the stories by name."""

    figures: dict[str, pd.DataFrame]
    incidents: pd.DataFrame
    stories: Stories

    def series(
        self, metric: str, service: str, *, period: str = "daily", instance: str = "*"
    ) -> pd.Series[float]:
        """A figure of a service or an instance in production, by start."""
        place = (service, "production", instance, "*", metric)
        found: pd.Series[float] = self.figures[period].loc[place, "metric_value"].sort_index()
        return found


@pytest.fixture(scope="module")
def made(new_settings: Callable[[], Settings]) -> Made:
    """All days, and the hours of the days on which something happens within hours."""
    settings = new_settings()
    stories = plant(settings, ("api_requests", "host_samples"), detail=4)
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=("staged", "raw", "state"))
        names = ("system_performance/daily", "system_performance/incidents")
        refresh(pipeline, groups=("system_performance",), names=names)
        for name, around in (("slow_release", 3), ("outage", 1), ("memory_leak", 0)):
            start, end = stretch(stories[name])
            first = end if name == "memory_leak" else start
            hours = Window.of_days((first - days(around)).date(), (end + days(around)).date())
            ASSET_BY_NAME["system_performance/hourly"].build(pipeline, hours)
        rows = query(
            pipeline,
            f"SELECT {', '.join(PLACE)}, metric_name, period_start, aggregation_period, metric_value"
            " FROM bi_system_performance_metrics WHERE route_group = '*' AND metric_name = ANY(:metrics)",
            metrics=list(METRICS),
        )
        incidents = query(pipeline, "SELECT * FROM bi_performance_incidents ORDER BY started_at")
    figures = {
        str(period): of.set_index([*PLACE, "metric_name", "period_start"]).sort_index()
        for period, of in rows.groupby("aggregation_period")
    }
    return Made(figures, incidents, stories)


def production(made: Made, threshold: str) -> pd.DataFrame:
    """The incidents of a threshold in production."""
    of = made.incidents
    return of[(of["environment"] == "production") & (of["threshold"] == threshold)]


class TestSlowRelease:
    def test_its_days_are_so_many_times_slower(self, made: Made) -> None:
        """The whole days: some 300 rows each, so the median of two is known to 3 %, and the load adds as much."""
        story = made.stories["slow_release"]
        for service in SERVICES:
            ratio = relative_to_other_days(made, story, service)
            is_slow = service == story["who"]["service"]
            expected = size(story, "response_time_ms") if is_slow else 1
            # Other services have fewer rows on these days, some 50: 10 % on a day, and two of them are judged.
            assert ratio.mean() == pytest.approx(expected, rel=0.12 if is_slow else 0.25), service

    def test_no_other_day_is_slow(self, made: Made) -> None:
        story = made.stories["slow_release"]
        start, end = stretch(story)
        median = made.series("response_time_p50", story["who"]["service"])
        others = median[(median.index < start.floor("D")) | (median.index > end)]
        assert len(others) > 100
        assert (others / others.median()).between(1 / 1.5, 1.5).all()

    def test_hours_tell_when_it_began_and_when_it_was_rolled_back(self, made: Made) -> None:
        """Half way between is 1.58 times; an hour inside has 40 rows and more, one outside one or two."""
        story = made.stories["slow_release"]
        start, end = stretch(story)
        service = story["who"]["service"]
        usual = made.series("response_time_p50", service).median()
        half_way = size(story, "response_time_ms") ** 0.5
        is_slow = made.series("response_time_p50", service, period="hourly") / usual > half_way
        inside = (is_slow.index >= start) & (is_slow.index + HOUR <= end)
        outside = (is_slow.index + HOUR <= start) | (is_slow.index >= end)
        near = (is_slow.index >= start - days(3)) & (is_slow.index < end + days(3))
        assert inside.sum() == (end.floor("h") - start.ceil("h")) // HOUR == 77
        assert is_slow[inside].mean() > 0.95
        assert is_slow[outside & near].mean() < 0.25
        assert is_slow[[start.ceil("h"), end.floor("h") - HOUR]].all()
        assert not is_slow[[start.floor("h") - HOUR, end.ceil("h")]].any()

    def test_it_breaks_the_threshold_of_its_service_and_no_other(self, made: Made) -> None:
        """The service has about as many requests in five minutes as are judged at least, so not all are broken."""
        story = made.stories["slow_release"]
        start, end = stretch(story)
        found = production(made, "response_time")
        is_mine = found["service_name"] == story["who"]["service"]
        is_inside = (found["started_at"] >= start.floor("5min")) & (found["ended_at"] <= end.ceil("5min"))
        mine = found[is_mine & is_inside]
        whole_days = (pd.Timestamp(NOW) - found["started_at"].min()) / days(1)

        def minutes_a_day(of: pd.DataFrame, length: float) -> float:
            return float(of["breach_minutes"].sum() / length)

        during = minutes_a_day(mine, (end - start) / days(1))
        assert during > 50
        assert during > 30 * minutes_a_day(found[is_mine & ~is_inside], whole_days)
        assert mine["started_at"].min() - start < 3 * HOUR
        assert end - mine["ended_at"].max() < 3 * HOUR
        for service in SERVICES - {story["who"]["service"]}:
            others = found[(found["service_name"] == service) & is_inside]
            assert minutes_a_day(others, (end - start) / days(1)) < during / 5, service

    def test_what_is_worst_is_worse_than_the_limit(self, made: Made) -> None:
        assert len(made.incidents) > 100
        assert (made.incidents["worst_value"] >= made.incidents["limit_value"]).all()


def relative_to_other_days(made: Made, story: Story, service: str) -> pd.Series[float]:
    """The median response time of the whole days of a story over that of all days without it."""
    start, end = stretch(story)
    median = made.series("response_time_p50", service)
    is_whole = (median.index >= start) & (median.index + days(1) <= end)
    is_other = (median.index < start.floor("D")) | (median.index > end)
    assert is_whole.sum() == 2
    found: pd.Series[float] = median[is_whole] / median[is_other].median()
    return found


class TestOutage:
    def test_its_incident_is_the_only_long_one(self, made: Made) -> None:
        """From the five minutes that it begins in to those that it ends in; a failure elsewhere is one alone."""
        story = made.stories["outage"]
        start, end = stretch(story)
        found = production(made, "error_rate")
        (long,) = found[found["breach_minutes"] > 15].itertuples()
        assert long.service_name == story["who"]["service"]
        assert long.started_at == start.floor("5min")
        assert long.ended_at == end.ceil("5min")
        # Three minutes of the first five and one of the last do not count, so some 6 % of the requests are good.
        share = size(story, "error_rate") * ((end - start) / (long.ended_at - long.started_at))
        noise = (share * (1 - share) / long.requests) ** 0.5
        assert long.requests > 200
        assert long.errors / long.requests == pytest.approx(share, abs=3 * noise)
        assert long.worst_value > 0.5 > 10 * found.loc[found.index != long.Index, "worst_value"].median()

    def test_its_hour_fails_and_no_other_does(self, made: Made) -> None:
        story = made.stories["outage"]
        start, end = stretch(story)
        hour = start.floor("h")
        share = size(story, "error_rate") * ((end - start) / HOUR)
        rates = {
            service: made.series("error_rate", service, period="hourly").loc[start - days(1) : end + days(1)]
            for service in SERVICES
        }
        mine = rates[story["who"]["service"]]
        requests = made.series("requests", story["who"]["service"], period="hourly")[hour]
        noise = (share * (1 - share) / requests) ** 0.5
        assert mine[hour] == pytest.approx(share, abs=3 * noise + 0.03)  # minutes of an hour differ in load
        assert mine.drop(hour).max() < 0.03
        for service in SERVICES - {story["who"]["service"]}:
            assert rates[service].max() < 0.15, service

    def test_half_of_the_failures_are_timeouts(self, made: Made) -> None:
        """After 8 seconds and a bit, or after some 40 ms: 4 seconds in the mean."""
        story = made.stories["outage"]
        start, _ = stretch(story)
        failed = made.series("failed_response_time_mean", story["who"]["service"], period="hourly")
        assert failed[start.floor("h")] == pytest.approx(4_070, rel=0.15)

    def test_it_raises_every_alert_and_is_the_worst_burn(self, made: Made) -> None:
        """70 % of failures at an objective of 99.9 % burn up to 700 times as fast as is allowed."""
        story = made.stories["outage"]
        start, end = stretch(story)
        for name in ("burn_1h", "burn_6h", "burn_1d", "burn_3d"):
            found = production(made, name)
            # Where the log begins, the windows hold little yet, and one failure is much.
            found = found[found["started_at"] >= made.incidents["started_at"].min() + days(3)]
            worst = found.loc[found["worst_value"].idxmax()]
            assert worst["service_name"] == story["who"]["service"], name
            mine = found[found["service_name"] == story["who"]["service"]]
            assert mine["started_at"].between(start.floor("5min"), start + HOUR / 2).any(), name
        hours = production(made, "burn_1h").set_index("service_name").loc[[story["who"]["service"]]]
        share = size(story, "error_rate") * ((end - start) / HOUR)
        assert hours["worst_value"].max() == pytest.approx(1_000 * share, rel=0.15)


class TestMemoryLeak:
    def test_it_grows_by_so_much_a_day_and_others_do_not(self, made: Made) -> None:
        """Whole days scatter by 0.15 around the line, so 20 of them tell its slope to 0.15 / 25.8 = 0.006."""
        story = made.stories["memory_leak"]
        start, end = stretch(story)
        leaking = story["who"]["instance_id"]
        found = made.figures["daily"]["metric_value"].xs("memory_percent_mean", level="metric_name")
        day = found.index.get_level_values("period_start")
        is_one = found.index.get_level_values("instance_id") != "*"
        inside = found[is_one & (day >= start) & (day + days(1) <= end)]
        slopes = {
            instance: np.polyfit(np.arange(20), of.sort_index(level="period_start"), 1)[0]
            for instance, of in inside.groupby("instance_id")
        }
        assert len(slopes) > 10
        assert slopes.pop(leaking) == pytest.approx(size(story, "memory_percent"), abs=0.05)
        assert max(abs(slope) for slope in slopes.values()) < 0.05

    def test_it_begins_and_ends_when_it_was_put_in(self, made: Made) -> None:
        """The line meets what was usual before on the day it begins, and the restart takes it back there."""
        story = made.stories["memory_leak"]
        start, end = stretch(story)
        service, instance = story["who"]["service"], story["who"]["instance_id"]
        daily = made.series("memory_percent_mean", service, instance=instance)
        before = daily[(daily.index >= start.floor("D") - days(7)) & (daily.index < start.floor("D"))].mean()
        after = daily[(daily.index > end) & (daily.index <= end + days(7))].mean()
        assert after == pytest.approx(before, abs=0.5)
        whole = daily[(daily.index >= start) & (daily.index + days(1) <= end)]
        noons = (whole.index + days(1) / 2 - start) / days(1)
        slope, at_start = np.polyfit(noons, whole, 1)
        assert (before - at_start) / slope == pytest.approx(0, abs=0.25)  # days after `from`
        falls = {}
        for one in (instance, f"{service}-1"):
            hourly = made.series("memory_percent_mean", service, period="hourly", instance=one)
            falls[one] = hourly[end.floor("h") - HOUR] - hourly[end.ceil("h")]
        # What the load of the two hours does, it does to its neighbour too. Twelve samples an hour: 0.5 by noise.
        lost = size(story, "memory_percent") * ((end - start) / days(1))
        assert falls[instance] - falls[f"{service}-1"] == pytest.approx(lost, abs=1.5)
        assert abs(falls[f"{service}-1"]) < 5
