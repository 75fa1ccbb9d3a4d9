"""The backend answers what the people's apps ask, at their hours; its durations are those that it is made with."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.sources.demo.api_requests import LOAD_SLOWS_BY, SIGMA, api_requests
from healthmate_bi_pipeline.sources.demo.block import Block, backend_blocks
from healthmate_bi_pipeline.sources.demo.clocks import Span
from healthmate_bi_pipeline.sources.demo.host_samples import host_samples
from healthmate_bi_pipeline.sources.demo.load import (
    REQUESTS_PER_AWAKE_HOUR,
    REQUESTS_PER_VISIT,
    Load,
)
from healthmate_bi_pipeline.sources.demo.roles import make_calendar
from healthmate_bi_pipeline.sources.demo.services import SERVICES, make_incidents
from healthmate_bi_pipeline.sources.demo.visits import draw_visits
from healthmate_bi_pipeline.sources.demo.world import draw_world

SPAN = Span(date(2026, 1, 1), date(2026, 2, 11))
CALENDAR = make_calendar(SPAN)
INCIDENTS = make_incidents(CALENDAR)


@pytest.fixture(scope="module")
def world():
    return draw_world(Block(20, 0, 30, SPAN), CALENDAR)


@pytest.fixture(scope="module")
def load(world):
    load, visits = Load(SPAN), draw_visits(world)
    for _ in range(20):  # as many people of each kind, so that chance is small
        load.add(world, visits)
    return load


def rows_of(make, load, detail):
    return pd.concat(
        [make(block, load, INCIDENTS, detail=detail).table.to_pandas() for block in backend_blocks(20, SPAN)],
        ignore_index=True,
    )


@pytest.fixture(scope="module")
def requests(load):
    return rows_of(api_requests, load, 1.0)


def test_the_load_is_that_of_the_people_who_are_asked_for(world):
    visits = draw_visits(world)
    load = Load(SPAN)
    load.add(world, visits)
    mine = visits.person < 30
    hour = pd.Series(visits.start[mine]).dt.floor("h")
    inside = hour.between(pd.Timestamp(SPAN.first), pd.Timestamp(SPAN.last) + pd.Timedelta(hours=23))
    syncing = load.expected.sum() - REQUESTS_PER_VISIT * inside.sum()
    days = world.habits.has_data[:30].sum()
    assert syncing / REQUESTS_PER_AWAKE_HOUR / days == pytest.approx(16.5, abs=1)  # hours awake a day


def test_requests_follow_the_load(requests, load):
    """By the hour, and each service has its share of what the gateway passes on."""
    made = requests[requests["environment"] == "production"]
    hour = (made["occurred_at"] - pd.Timestamp(SPAN.first)) // pd.Timedelta(hours=1)
    gateway = made["service"] == "api-gateway"
    per_hour = (
        made[gateway].groupby(hour[gateway])["count"].sum().reindex(range(SPAN.days * 24), fill_value=0)
    )
    assert np.corrcoef(per_hour, load.expected)[0, 1] > 0.95
    assert per_hour.sum() == pytest.approx(load.expected.sum(), rel=0.02)
    of_services = made.groupby("service")["count"].sum() / per_hour.sum()
    for service in SERVICES:
        assert of_services[service.name] == pytest.approx(service.share, rel=0.08)


def test_more_detail_is_more_rows_for_the_same_requests(requests, load):
    finer = rows_of(api_requests, load, 8.0)
    assert len(finer) > 1.8 * len(requests)
    coarse, fine = (
        rows[rows["environment"] == "production"].groupby(
            ["service", rows["status_code"] // 100 >= 4, rows["occurred_at"].dt.floor("h")]
        )["count"].sum()
        for rows in (requests, finer)
    )  # fmt: skip
    pd.testing.assert_series_equal(coarse, fine)


def test_durations_are_lognormal_around_the_median_of_their_route(load):
    rows = rows_of(api_requests, load, 10.0)
    rows = rows[(rows["environment"] == "production") & (rows["status_code"] < 400)]
    hour = ((rows["occurred_at"] - pd.Timestamp(SPAN.first)) // pd.Timedelta(hours=1)).to_numpy()
    calm = rows["duration_ms"] / (1 + LOAD_SLOWS_BY * load.share_of_peak[hour])
    medians = {(each.name, route.name): route.median_ms for each in SERVICES for route in each.routes}
    expected = [medians[pair] for pair in zip(rows["service"], rows["route"], strict=True)]
    logs = np.log(calm / expected)
    assert len(rows) > 20_000
    assert logs.mean() == pytest.approx(0, abs=0.01)
    assert logs.std() == pytest.approx(SIGMA, abs=0.01)
    assert logs.groupby(rows["route"]).mean().abs().max() < 0.1


def test_services_run_in_two_environments_on_their_instances(requests, load):
    hosts = rows_of(host_samples, load, 1.0)
    for rows in (requests, hosts):
        instances = rows.groupby(["service", "environment"])["instance_id"].nunique()
        assert set(instances.xs("production", level="environment")) == {2, 3}
        assert set(instances.xs("staging", level="environment")) == {1}
    routes = requests.groupby("service")["route"].nunique()
    assert routes.between(3, 5).all()
    assert set(requests["instance_id"]) <= set(hosts["instance_id"])


def test_samples_are_fine_on_the_last_days_and_coarse_before(load):
    hosts = rows_of(host_samples, load, 1.0)
    one = hosts[hosts["instance_id"] == "auth-1"]
    per_day = one.groupby(one["sampled_at"].dt.date).size()
    assert per_day.iloc[-3:].eq(288).all()
    assert per_day.iloc[:-3].eq(4).all()
    all_fine = rows_of(host_samples, load, 100.0)
    assert len(all_fine) == SPAN.days * 288 * hosts["instance_id"].nunique()


def test_processors_follow_the_load_and_disks_fill_up(load):
    hosts = rows_of(host_samples, load, 100.0)
    busy = hosts[hosts["instance_id"] == "health-data-1"].set_index("sampled_at")
    by_hour = busy["cpu_percent"].resample("h").mean().to_numpy()
    assert np.corrcoef(by_hour, load.expected)[0, 1] > 0.95
    days = busy["disk_percent"].resample("D").mean()
    assert (days.diff().dropna() > 0).mean() > 0.95
    for share in ("cpu_percent", "memory_percent", "disk_percent"):
        assert hosts[share].between(0, 100).all()
