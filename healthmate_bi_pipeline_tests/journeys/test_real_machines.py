"""Real requests, endpoint checks and host metrics, each against a second computation from the files themselves.

A web log of semicomplete.com (Elastic's examples), checks of public endpoints (Upptime, two repositories) and CPU
of AWS machines (Numenta Anomaly Benchmark). An endpoint that gave no answer stands there with status 0: which is
no status, so as it is it goes to quarantine; whoever maps it says what a gateway would have, 504.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.datasets import API_REQUESTS, HOST_SAMPLES
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.settings import PerformanceSettings
from healthmate_bi_pipeline.transforms.access_logs import LogOptions
from healthmate_bi_pipeline.usecases.access_logs import LogPlace, import_access_logs
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.accounts import assert_books_balance, fates, rules
from healthmate_bi_pipeline_tests.comparing import PERIODS, assert_equal, period_start
from healthmate_bi_pipeline_tests.performance_rows import exact_figures, performance
from healthmate_bi_pipeline_tests.running import SHARED_DATA, drop_file, opened, query, refresh

LOG = SHARED_DATA / "web_logs" / "elastic_apache_logs.log"
CHECKS = SHARED_DATA / "api_uptime"
HOSTS = SHARED_DATA / "nab" / "realAWSCloudwatch"
NOW = datetime(2026, 11, 20, 12)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (LOG.is_file() and CHECKS.is_dir() and HOSTS.is_dir()), reason="../shared/data is not here"),
]  # fmt: skip


def endpoint_checks() -> pd.DataFrame:
    """All checks as they stand."""
    parts = [pd.read_csv(path).assign(owner=path.stem) for path in sorted(CHECKS.glob("*.csv"))]
    return pd.concat(parts, ignore_index=True)


def as_requests(checks: pd.DataFrame) -> pd.DataFrame:
    """Checks as landing rows: the endpoint is a service, who checks it the environment."""
    unanswered = checks["status"] == 0
    return pd.DataFrame(
        {
            "service": checks["endpoint"],
            "environment": checks["owner"],
            "instance_id": "upptime",
            "route": "check",
            "status_code": checks["status"].where(~unanswered, 504),
            "duration_ms": checks["latency_ms"].where(~unanswered),
            "occurred_at": checks["checked_at"],
            "request_id": checks["commit"],
        }
    )


def host_metrics() -> pd.DataFrame:
    """CPU of every machine, with the name of its file."""
    parts = [
        pd.read_csv(path).assign(instance=path.stem) for path in sorted(HOSTS.glob("*cpu_utilization*.csv"))
    ]
    return pd.concat(parts, ignore_index=True)


def as_samples(metrics: pd.DataFrame) -> pd.DataFrame:
    """Metrics as landing rows; their times have no zone and are UTC."""
    return pd.DataFrame(
        {
            "service": metrics["instance"].str.partition("_")[0],
            "environment": "aws",
            "instance_id": metrics["instance"],
            "cpu_percent": metrics["value"],
            "sampled_at": metrics["timestamp"],
        }
    )


@pytest.fixture(scope="module")
def pipeline(new_settings) -> Iterator[Pipeline]:
    levels = PerformanceSettings(minimum_requests=1)
    settings = new_settings().model_copy(update={"performance": levels})
    drop_file(settings, "api_requests/checks.csv", as_requests(endpoint_checks()).to_csv(index=False))
    drop_file(settings, "host_samples/aws.csv", as_samples(host_metrics()).to_csv(index=False))
    with opened(settings, now=NOW) as pipeline:
        place = LogPlace("semicomplete", "production", "web-1")
        import_access_logs(pipeline, [LOG], place=place, options=LogOptions())
        refresh(pipeline)
        yield pipeline


def test_every_row_is_accounted_for(pipeline: Pipeline) -> None:
    assert_books_balance(pipeline)
    checks = endpoint_checks()
    lines = len(LOG.read_text().splitlines())
    assert fates(pipeline, API_REQUESTS)["kept"] == lines + len(
        checks.drop_duplicates(["endpoint", "commit"])
    )
    metrics = host_metrics()
    kept = metrics[metrics["value"].between(0, 100)].drop_duplicates(["instance", "timestamp"])
    assert fates(pipeline, HOST_SAMPLES)["kept"] == len(kept)
    assert sum(rules(pipeline, HOST_SAMPLES).values()) == (~metrics["value"].between(0, 100)).sum()


def test_a_status_of_no_answer_is_no_status(new_settings) -> None:
    checks = endpoint_checks()
    rows = as_requests(checks).assign(status_code=checks["status"])
    settings = new_settings()
    drop_file(settings, "api_requests/checks.csv", rows.to_csv(index=False))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=("staged", "raw"))
        assert rules(pipeline, API_REQUESTS) == {
            "impossible_value:status_code": int((checks["status"] == 0).sum())
        }


def whole_services(pipeline: Pipeline, period: str) -> pd.DataFrame:
    """The figures of services as a whole."""
    found = performance(pipeline, Period(period), routes=False).reset_index()
    whole = found[found["instance_id"] == "*"]
    return whole.set_index(["service_name", "environment", "period_start"]).sort_index()


@pytest.mark.parametrize("period", PERIODS)
def test_the_web_log(pipeline: Pipeline, period: str) -> None:
    pattern = re.compile(r'\[(?P<time>[^\]]+)\] "(?P<method>\S+) [^"]*" (?P<status>\d+) ')
    lines = pd.DataFrame(
        [match.groupdict() for match in map(pattern.search, LOG.read_text().splitlines()) if match]
    )
    at = (
        pd.to_datetime(lines["time"], format="%d/%b/%Y:%H:%M:%S %z").dt.tz_convert("UTC").dt.tz_localize(None)
    )
    of = lines.assign(start=period_start(at, period), code=lines["status"].astype(int)).groupby("start")[
        "code"
    ]
    found = whole_services(pipeline, period).loc["semicomplete", "production"]
    assert_equal(found["requests"], of.size())
    assert_equal(found["errors"], of.apply(lambda codes: (codes >= 500).sum()))
    assert_equal(found["client_error_rate"], of.apply(lambda codes: codes.between(400, 499).mean()))
    assert found.filter(like="response_time").isna().all().all()  # the log tells none
    assert found["apdex"].isna().all()


@pytest.mark.parametrize("period", PERIODS)
def test_the_endpoint_checks(pipeline: Pipeline, period: str) -> None:
    checks = endpoint_checks().drop_duplicates(["endpoint", "commit"], keep="last")
    at = pd.to_datetime(checks["checked_at"], utc=True).dt.tz_localize(None)
    raw = as_requests(checks).assign(start=period_start(at, period))
    expected = pd.DataFrame(
        {
            (service.strip(), environment, start): exact_figures(
                of, seconds=(Period(period).next(start) - start).total_seconds()
            )
            for (service, environment, start), of in raw.groupby(["service", "environment", "start"])
        }
    ).T
    found = whole_services(pipeline, period)
    services, owners = (found.index.get_level_values(name) for name in ("service_name", "environment"))
    found = found[owners.isin(checks["owner"].unique()) & (services != "*")]
    for name in expected.columns:
        is_percentile = name.rpartition("_")[2] in ("p50", "p90", "p95", "p99")
        assert_equal(found[name], expected[name], rtol=0.0100001 if is_percentile else 1e-9, atol=1e-9)


def _named(service: str) -> str:
    return service.strip()


@pytest.mark.parametrize("period", PERIODS)
def test_the_machines(pipeline: Pipeline, period: str) -> None:
    metrics = host_metrics().drop_duplicates(["instance", "timestamp"], keep="last")
    metrics = metrics[metrics["value"].between(0, 100)]
    starts = period_start(pd.to_datetime(metrics["timestamp"]), period)
    of = metrics.assign(start=starts).groupby(["instance", "start"])["value"]
    found = performance(pipeline, Period(period)).reset_index()
    found = found[
        (found["environment"] == "aws") & (found["instance_id"] != "*") & (found["route_group"] == "*")
    ]
    found = found.set_index(["instance_id", "period_start"])
    assert_equal(found["cpu_percent_mean"], of.mean())
    assert_equal(found["cpu_percent_max"], of.max())
    exact = of.quantile(0.95, interpolation="lower")
    assert_equal(
        found["cpu_percent_p95"].where(exact >= 1e-3, 0), exact.where(exact >= 1e-3, 0), rtol=0.0100001
    )


def test_the_outages_are_those_of_the_checks(pipeline: Pipeline) -> None:
    """Each stretch of five minutes with a failed check lies in an incident, and no other does."""
    checks = endpoint_checks().drop_duplicates(["endpoint", "commit"], keep="last")
    slot = pd.to_datetime(checks["checked_at"], utc=True).dt.tz_localize(None).dt.floor("5min")
    is_bad = (checks["status"] == 0) | (checks["status"] >= 500)
    down = {
        (_named(service), owner, moment)
        for service, owner, moment in zip(
            checks["endpoint"][is_bad], checks["owner"][is_bad], slot[is_bad], strict=True
        )
    }
    incidents = query(pipeline, "SELECT * FROM bi_performance_incidents WHERE threshold = 'error_rate'")
    assert incidents["breach_minutes"].sum() == 5 * len(down)
    covered = {
        (row.service_name, row.environment, moment)
        for row in incidents.itertuples()
        for moment in pd.date_range(row.started_at, row.ended_at, freq="5min", inclusive="left")
    }
    assert down <= covered
    gaps = incidents.sort_values("started_at").groupby(["service_name", "environment"])
    for _, of in gaps:
        assert (
            of["started_at"].to_numpy()[1:] - of["ended_at"].to_numpy()[:-1] > np.timedelta64(10, "m")
        ).all()
