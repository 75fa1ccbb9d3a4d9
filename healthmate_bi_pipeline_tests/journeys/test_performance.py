"""Requests and samples in, figures out: at every period each figure is that of the whole, computed in pandas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.families import PERFORMANCE, state_name
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.accounts import assert_books_balance, lake_frame
from healthmate_bi_pipeline_tests.comparing import period_start
from healthmate_bi_pipeline_tests.performance_rows import (
    as_raw,
    exact_rows,
    host_samples,
    performance,
    skewed_requests,
)
from healthmate_bi_pipeline_tests.running import drop_file, opened, query, refresh

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 20, 12)
DAYS = pd.DatetimeIndex(["2025-12-30", "2025-12-31", "2026-01-01", "2026-01-04", "2026-01-05", "2026-03-31"])


@pytest.fixture(scope="module")
def requests() -> pd.DataFrame:
    return skewed_requests(days=DAYS, per_day=2_000, seed=7)


@pytest.fixture(scope="module")
def samples() -> pd.DataFrame:
    return host_samples(days=DAYS, per_day=96, seed=8)


@pytest.fixture(scope="module")
def pipeline(new_settings, requests: pd.DataFrame, samples: pd.DataFrame) -> Iterator[Pipeline]:
    settings = new_settings()
    half = len(requests) // 2
    for number, part in enumerate((requests[:half], requests[half:])):
        drop_file(settings, f"api_requests/{number}.csv", part.to_csv(index=False))
    drop_file(settings, "host_samples/a.csv", samples.to_csv(index=False))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline)
        yield pipeline


def test_the_books_balance_and_nothing_is_stale(pipeline: Pipeline) -> None:
    assert_books_balance(pipeline)
    assert refresh(pipeline, groups=("raw", "state", "system_performance")) == {}


@pytest.mark.parametrize("period", list(Period))
def test_every_figure_is_that_of_the_whole(
    pipeline: Pipeline, requests: pd.DataFrame, period: Period
) -> None:
    """Counts, shares and means are exact; percentiles lie within 1 % of the exact ones, on skewed data."""
    found = performance(pipeline, period)
    expected = dict(exact_rows(requests, period))
    of_requests = found[found["requests"].notna()]
    assert set(of_requests.index) == set(expected)
    exact = pd.DataFrame.from_dict(expected, orient="index").reindex(of_requests.index)
    for name in exact.columns:
        relative = 0.01 if name.rpartition("_")[2] in ("p50", "p90", "p95", "p99") else 1e-9
        np.testing.assert_allclose(
            of_requests[name].to_numpy(),
            exact[name].to_numpy(),
            rtol=relative * (1 + 1e-6),
            atol=1e-9,
            err_msg=name,
        )


@pytest.mark.parametrize("period", list(Period))
def test_resources_are_those_of_the_samples(
    pipeline: Pipeline, samples: pd.DataFrame, period: Period
) -> None:
    found = performance(pipeline, period)
    starts = period_start(samples["sampled_at"], str(period))
    for name in ("cpu_percent", "memory_percent", "disk_percent"):
        for place, keys in (
            (("api", "production", None, "*"), ["instance_id"]),
            (("api", "production", "*", "*"), []),
            (("*", "*", "*", "*"), []),
        ):
            given = samples[samples[name].notna()]
            for key, values in given.groupby([*keys, starts[samples[name].notna().to_numpy()]])[name]:
                instance = key[0] if keys else place[2]
                row = found.loc[(place[0], place[1], instance, place[3], key[-1])]
                assert row[f"{name}_mean"] == pytest.approx(values.mean(), rel=1e-9)
                assert row[f"{name}_max"] == values.max()
                assert row[f"{name}_p95"] == pytest.approx(
                    values.quantile(0.95, interpolation="lower"), rel=0.01
                )


def test_the_row_of_requests_carries_the_headlines(pipeline: Pipeline) -> None:
    rows = query(
        pipeline,
        "SELECT * FROM bi_system_performance_metrics WHERE aggregation_period = 'daily' AND service_name = 'api'"
        " AND environment = 'production' AND instance_id = '*' AND route_group = '*'",
    )
    wide = rows.pivot_table(index="period_start", columns="metric_name", values="metric_value")
    headlines = rows[rows["metric_name"] == "requests"].set_index("period_start")
    assert headlines["response_time_ms"].tolist() == wide["response_time_p95"].tolist()
    assert headlines["error_rate"].tolist() == wide["error_rate"].tolist()
    assert headlines["throughput"].tolist() == wide["throughput"].tolist()
    for start, usage in headlines["resource_usage"].items():
        assert usage["cpu_percent"]["p95"] == pytest.approx(wide.loc[start, "cpu_percent_p95"], rel=1e-12)
    others = rows[rows["metric_name"] != "requests"]
    assert others[["response_time_ms", "error_rate", "throughput", "resource_usage"]].isna().all().all()
    assert (rows["timestamp"] == rows["period_start"]).all()
    assert rows["is_complete"].all()


def test_small_samples_are_marked(pipeline: Pipeline) -> None:
    rows = query(pipeline, "SELECT * FROM bi_system_performance_metrics WHERE metric_name = 'apdex'")
    samples = rows["tags"].map(lambda tags: tags["samples"])
    is_marked = rows["tags"].map(lambda tags: tags.get("is_small_sample", False))
    assert (is_marked == (samples < 100)).all()
    assert is_marked.any()
    assert not is_marked.all()


def test_late_rows_give_what_all_at_once_gives(
    pipeline: Pipeline, new_settings, requests: pd.DataFrame, samples: pd.DataFrame
) -> None:
    """Another order of files, a file twice, and days that come after their months were made: the same figures."""
    settings = new_settings()
    late = requests["occurred_at"].dt.day.isin([31, 4])
    with opened(settings, now=NOW) as other:
        drop_file(settings, "api_requests/z.csv", requests[~late].to_csv(index=False))
        refresh(other)
        drop_file(settings, "host_samples/s.csv", samples.to_csv(index=False))
        drop_file(settings, "api_requests/a.csv", requests[late].to_csv(index=False))
        drop_file(settings, "api_requests/again.csv", requests[late].to_csv(index=False))
        refresh(other)
        for table in ("bi_system_performance_metrics", "bi_performance_incidents"):
            one, two = (_content(which, table) for which in (pipeline, other))
            pd.testing.assert_frame_equal(one, two)
            assert len(one)


def _content(pipeline: Pipeline, table: str) -> pd.DataFrame:
    """All rows of a table, without their stamps."""
    rows = query(pipeline, f"SELECT * FROM {table}").drop(
        columns=["created_at", "updated_at"], errors="ignore"
    )
    for name in ("tags", "resource_usage"):
        if name in rows:
            rows[name] = rows[name].map(str)
    return rows.sort_values(list(rows.columns[:7])).reset_index(drop=True)


@pytest.mark.parametrize("measure", ["requests", "errors", "timed", "slow", "errors_allowed"])
def test_every_grain_of_the_state_holds_all_requests(
    pipeline: Pipeline, requests: pd.DataFrame, measure: str
) -> None:
    """Five minutes, hours, days and months add up to the same, which is what the requests are."""
    raw = as_raw(requests)
    is_timed = (raw["status_code"] < 500) & raw["duration_ms"].notna()
    expected = {
        "requests": len(raw),
        "errors": (raw["status_code"] >= 500).sum(),
        "timed": is_timed.sum(),
        "slow": (is_timed & (raw["duration_ms"] > 200)).sum(),
        "errors_allowed": len(raw) * 0.001,
    }
    component = "total" if measure == "errors_allowed" else "n"
    for grain in PERFORMANCE.grains:
        states = lake_frame(pipeline, state_name(PERFORMANCE, grain))
        of = states.loc[states["measure"] == measure, component]
        assert float(of.sum()) == pytest.approx(float(expected[measure]), rel=1e-12), grain
