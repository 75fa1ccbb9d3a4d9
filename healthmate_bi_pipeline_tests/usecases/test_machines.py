"""Requests and host samples: what is bad is set aside by name, what has no id counts each time, clocks are UTC."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.datasets import API_REQUESTS, HOST_SAMPLES
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline_tests.accounts import INGEST, assert_books_balance, fates, lake_frame, rules
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, query, refresh

NOW = datetime(2026, 3, 20, 12)


def request(**more: Any) -> dict[str, Any]:
    return {
        "service": "api", "environment": "production", "instance_id": "api-1", "route": "GET /users/17",
        "status_code": 200, "duration_ms": 12.5, "occurred_at": "2026-03-10T12:00:00Z", "request_id": None,
        "count": None, "utc_offset_minutes": None, **more,
    }  # fmt: skip


def sample(**more: Any) -> dict[str, Any]:
    return {
        "service": "api", "environment": "production", "instance_id": "api-1", "cpu_percent": 10,
        "memory_percent": 20, "disk_percent": 30, "sampled_at": "2026-03-10T12:00:00Z", **more,
    }  # fmt: skip


BAD_REQUESTS: list[tuple[dict[str, Any], str]] = [
    (request(status_code=0), "impossible_value:status_code"),
    (request(status_code=999), "impossible_value:status_code"),
    (request(status_code=None), "missing:status_code"),
    (request(status_code="OK"), "wrong_type:status_code"),
    (request(duration_ms=-1), "negative:duration_ms"),
    (request(duration_ms=86_400_001), "impossible_value:duration_ms"),
    (request(duration_ms="1e300"), "impossible_value:duration_ms"),
    (request(duration_ms="inf"), "wrong_type:duration_ms"),
    (request(duration_ms="-inf"), "wrong_type:duration_ms"),
    (request(duration_ms="quick"), "wrong_type:duration_ms"),
    (request(status_code=-200), "impossible_value:status_code"),
    (request(status_code=99), "impossible_value:status_code"),
    (request(status_code=600), "impossible_value:status_code"),
    (request(count=0), "impossible_value:count"),
    (request(count=-3), "impossible_value:count"),
    (request(service=None), "missing:service"),
    (request(service="*"), "reserved:service"),
    (request(instance_id="*"), "reserved:instance_id"),
]
BAD_SAMPLES: list[tuple[dict[str, Any], str]] = [
    (sample(cpu_percent=100.1, sampled_at="2026-03-10T12:01:00Z"), "impossible_value:cpu_percent"),
    (sample(memory_percent=-0.1, sampled_at="2026-03-10T12:02:00Z"), "negative:memory_percent"),
    (sample(disk_percent=250, sampled_at="2026-03-10T12:03:00Z"), "impossible_value:disk_percent"),
    (
        sample(cpu_percent=None, memory_percent=None, disk_percent=None, sampled_at="2026-03-10T12:04:00Z"),
        "not_measured",
    ),
    (sample(environment="*", sampled_at="2026-03-10T12:05:00Z"), "reserved:environment"),
]


def test_bad_rows_are_set_aside_by_name(settings: Settings) -> None:
    good = [request(), request(status_code=100, duration_ms=0), request(status_code=599, duration_ms=None)]
    drop_file(
        settings, "api_requests/a.csv", csv_text([*good, *(row for row, _ in BAD_REQUESTS), request(occurred_at="soon")])
    )  # fmt: skip
    drop_file(settings, "host_samples/a.csv", csv_text([sample(), *(row for row, _ in BAD_SAMPLES)]))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=INGEST)
        assert_books_balance(pipeline)
        assert fates(pipeline, API_REQUESTS) == {"kept": 3, "quarantined": len(BAD_REQUESTS)}
        assert (
            rules(pipeline, API_REQUESTS)
            == pd.Series([rule for _, rule in BAD_REQUESTS]).value_counts().to_dict()
        )
        assert (
            rules(pipeline, HOST_SAMPLES)
            == pd.Series([rule for _, rule in BAD_SAMPLES]).value_counts().to_dict()
        )
        assert fates(pipeline, HOST_SAMPLES)["kept"] == 1


def test_bad_rows_count_in_no_figure(settings: Settings) -> None:
    """The figures of three good requests and a sample are theirs, whatever came with them."""
    good = [request(), request(status_code=100, duration_ms=0), request(status_code=599, duration_ms=40)]
    bad = [*(row for row, _ in BAD_REQUESTS), request(occurred_at="soon"), request(occurred_at="2036-03-10")]
    drop_file(settings, "api_requests/a.csv", csv_text([*good, *bad]))
    drop_file(settings, "host_samples/a.csv", csv_text([sample(), *(row for row, _ in BAD_SAMPLES)]))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=(*INGEST, "state"))
        refresh(pipeline, groups=("system_performance",), names=("system_performance/daily",))
        found = query(pipeline, "SELECT * FROM bi_system_performance_metrics WHERE route_group = '*'")
        # No place comes from a bad row: of all that is told, everything is told of this service alone.
        assert set(found["service_name"]) == {"api", "*"}
        of = found[(found["service_name"] == "api") & (found["instance_id"] == "api-1")]
    values = of[of["environment"] == "production"].set_index("metric_name")["metric_value"]
    assert values[["requests", "errors", "response_time_max", "failed_response_time_max"]].tolist() == [
        3,
        1,
        12.5,
        40,
    ]
    assert values["error_rate"] == pytest.approx(1 / 3, rel=1e-12)
    assert values["response_time_mean"] == pytest.approx(6.25, rel=1e-12)
    assert values[["cpu_percent_max", "memory_percent_max", "disk_percent_max"]].tolist() == [10, 20, 30]


def test_requests_without_an_id_each_count_and_those_with_one_count_once(settings: Settings) -> None:
    rows = [request(), request(), request(request_id="7"), request(request_id="7"), request(request_id="7", duration_ms=13),
            request(request_id="7", service="other"), request(request_id="7", instance_id="api-2")]  # fmt: skip
    drop_file(settings, "api_requests/a.csv", csv_text(rows))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=INGEST)
        assert fates(pipeline, API_REQUESTS) == {"kept": 5, "superseded": 2}
        kept = lake_frame(pipeline, raw_table(API_REQUESTS).name)
    assert kept["count"].tolist() == [1] * 5
    assert set(kept["route_group"]) == {"GET /users/{id}"}
    assert kept.loc[(kept["request_id"] == "7") & (kept["service"] == "api"), "duration_ms"].max() == 13


def test_machines_know_no_clock_but_utc(settings: Settings) -> None:
    """Whatever the people's zones are: a time without offset is UTC, one with an offset is that instant."""
    drop_file(settings, "users/users.csv", csv_text([{"user_id": 1, "time_zone": "Pacific/Auckland"}]))
    rows = [
        request(occurred_at="2026-03-10 23:30:00"),
        request(occurred_at="2026-03-10T23:30:00Z"),
        request(occurred_at="2026-03-11T01:30:00+02:00"),
        request(occurred_at="2026-03-10 18:30:00", utc_offset_minutes=-300),
        request(occurred_at="2026-03-11T00:00:00"),
    ]
    drop_file(settings, "api_requests/a.csv", csv_text(rows))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=INGEST)
        kept = lake_frame(pipeline, raw_table(API_REQUESTS).name)
        days = {
            asset: built.rows
            for asset, built in refresh(pipeline, groups=INGEST).items()
            if asset.startswith("raw")
        }
    assert days == {}
    moments = pd.to_datetime(kept["occurred_at"]).dt.tz_localize(None)
    assert sorted(moments) == [datetime(2026, 3, 10, 23, 30)] * 4 + [datetime(2026, 3, 11)]
    assert kept.groupby("day").size().to_dict() == {date(2026, 3, 10): 4, date(2026, 3, 11): 1}


def test_a_file_of_people_makes_no_day_of_machines_stale(settings: Settings) -> None:
    drop_file(settings, "api_requests/a.csv", csv_text([request()]))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=INGEST)
        drop_file(settings, "users/users.csv", csv_text([{"user_id": 1, "time_zone": "Asia/Tokyo"}]))
        made = refresh(pipeline, groups=INGEST)
    assert "raw/users" in made
    assert "raw/api_requests" not in made
