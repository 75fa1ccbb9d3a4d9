"""Requests and samples for tests, and what pandas makes of them: a second way to every figure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline_tests.comparing import period_start
from healthmate_bi_pipeline_tests.running import query

PLACE = ["service_name", "environment", "instance_id", "route_group"]
LEVELS = [
    ["service_name", "environment", "route_group"],
    ["service_name", "environment", "instance_id"],
    ["service_name", "environment"],
    ["service_name"],
    ["environment"],
    [],
]


def skewed_requests(*, days: pd.DatetimeIndex, per_day: int, seed: int) -> pd.DataFrame:
    """Requests of two services with long tails, failures, missing durations and counts, over some days."""
    random = np.random.default_rng(seed)
    n = len(days) * per_day
    service = random.choice(["api", "web"], n, p=[0.8, 0.2])
    status = random.choice([200, 201, 304, 404, 422, 500, 503], n, p=[0.7, 0.1, 0.08, 0.06, 0.03, 0.02, 0.01])
    duration = np.where(status >= 500, random.lognormal(6, 1, n), random.lognormal(4, 1.2, n)).round(3)
    duration = np.where(random.random(n) < 0.05, np.nan, duration)
    duration = np.where(random.random(n) < 0.01, 0.0, duration)
    seconds = random.integers(0, 86_400, n)
    return pd.DataFrame(
        {
            "service": service,
            "environment": random.choice(["production", "staging"], n, p=[0.9, 0.1]),
            "instance_id": random.choice(["i-1", "i-2", None], n, p=[0.6, 0.3, 0.1]),
            "route": random.choice(["GET /a", "GET /users/17", "POST /login", None], n),
            "status_code": status,
            "duration_ms": duration,
            "occurred_at": (np.repeat(days.to_numpy(), per_day) + seconds.astype("timedelta64[s]")),
            "count": random.choice([np.nan, 1, 3], n, p=[0.9, 0.05, 0.05]),
        }
    ).sort_values("occurred_at")


def host_samples(*, days: pd.DatetimeIndex, per_day: int, seed: int) -> pd.DataFrame:
    """Samples of two hosts."""
    random = np.random.default_rng(seed)
    moments = np.repeat(days.to_numpy(), per_day) + np.tile(
        (np.arange(per_day) * (86_400 // per_day)).astype("timedelta64[s]"), len(days)
    )
    parts = [
        pd.DataFrame(
            {
                "service": "api",
                "environment": "production",
                "instance_id": instance,
                "cpu_percent": random.beta(2, 5, len(moments)).round(4) * 100,
                "memory_percent": random.uniform(30, 90, len(moments)).round(2),
                "disk_percent": np.where(random.random(len(moments)) < 0.5, np.nan, 41.5),
                "sampled_at": moments,
            }
        )
        for instance in ("i-1", "i-2")
    ]
    return pd.concat(parts)


def as_raw(requests: pd.DataFrame) -> pd.DataFrame:
    """Requests with the names of the figures, what is missing filled in; one row per request."""
    named = requests.rename(columns={"service": "service_name"})
    named["instance_id"] = named["instance_id"].fillna("unknown")
    named["route_group"] = named["route"].fillna("(unknown)").str.replace("/17", "/{id}", regex=False)
    return named.loc[named.index.repeat(named["count"].fillna(1).astype(int))].reset_index(drop=True)


def exact_figures(
    of: pd.DataFrame, *, seconds: float, target: float = 200, objective: float = 0.999
) -> dict[str, float]:
    """The figures of some requests, one row each, straight from their definitions; percentiles exact."""
    failed = of["status_code"] >= 500
    timed = of.loc[~failed, "duration_ms"].dropna()
    bad = of.loc[failed, "duration_ms"].dropna()
    n, errors = len(of), int(failed.sum())
    found: dict[str, float] = {
        "requests": n,
        "throughput": n / seconds,
        "errors": errors,
        "error_rate": errors / n,
        "client_error_rate": of["status_code"].between(400, 499).sum() / n,
        "availability": 1 - errors / n,
        "error_budget_left": 1 - errors / (n * (1 - objective)),
        "burn_rate": errors / n / (1 - objective),
    }
    if len(timed):
        satisfied, tolerating = (
            (timed <= target).sum(),
            timed.between(target, 4 * target, inclusive="right").sum(),
        )
        samples = errors + len(timed)
        found |= {"apdex": (satisfied + tolerating / 2) / samples, "slow_share": (timed > target).mean()}
    for name, values in (("response_time", timed), ("failed_response_time", bad)):
        if len(values):
            found |= {f"{name}_mean": values.mean(), f"{name}_max": values.max()}
            found |= {
                f"{name}_p{share}": values.quantile(share / 100, interpolation="lower")
                for share in (50, 90, 95, 99)
            }
    return found


def exact_rows(requests: pd.DataFrame, period: Period) -> Iterator[tuple[tuple[Any, ...], dict[str, float]]]:
    """Every place and period with its figures."""
    raw = as_raw(requests)
    starts = period_start(raw["occurred_at"], str(period))
    levels = LEVELS if period is Period.HOURLY else [*LEVELS, PLACE]
    for level in levels:
        for key, of in raw.groupby([*level, starts]):
            told = dict(zip(level, key[:-1], strict=True))
            start = key[-1]
            seconds = (period.next(start) - start).total_seconds()
            place = tuple(told.get(name, "*") for name in PLACE)
            yield (*place, start), exact_figures(of, seconds=seconds)


def performance(pipeline: Pipeline, period: Period, *, routes: bool = True) -> pd.DataFrame:
    """The figures of a period as columns, by place and start; without ``routes`` those of all routes together."""
    rows = query(
        pipeline,
        f"SELECT {', '.join(PLACE)}, period_start, metric_name, metric_value FROM bi_system_performance_metrics"
        " WHERE aggregation_period = :period AND (:routes OR route_group = '*')",
        period=str(period),
        routes=routes,
    )
    return rows.set_index([*PLACE, "period_start", "metric_name"])["metric_value"].unstack("metric_name")
