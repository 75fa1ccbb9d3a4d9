"""Thresholds, burn rates and incidents, on outages that were made to last a known time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.domain.service_levels import BURN_ALERTS, apdex, burn_rate
from healthmate_bi_pipeline.settings import PerformanceSettings, ServiceLevel, Settings
from healthmate_bi_pipeline_tests.running import drop_file, opened, query, refresh

NOW = datetime(2026, 3, 20, 12)
START = pd.Timestamp("2026-03-08")
END = pd.Timestamp("2026-03-11")
OUTAGE = (pd.Timestamp("2026-03-10T10:00"), pd.Timestamp("2026-03-10T10:30"))
SLOWNESS = (pd.Timestamp("2026-03-09T23:40"), pd.Timestamp("2026-03-10T00:20"))
PER_SLOT = 20
FAMILY = ("staged", "raw", "state", "system_performance")


def traffic(service: str = "api", **more: Any) -> pd.DataFrame:
    """Twenty requests every five minutes: all fail in the outage, a tenth are slow in the slow stretch."""
    slots = pd.date_range(START, END, freq="5min", inclusive="left")
    moments = np.repeat(slots.to_numpy(), PER_SLOT) + np.tile(
        (np.arange(PER_SLOT) * 10).astype("timedelta64[s]"), len(slots)
    )
    rows = pd.DataFrame({"service": service, "environment": "production", "occurred_at": moments, **more})
    number = np.tile(np.arange(PER_SLOT), len(slots))
    is_down = rows["occurred_at"].between(*OUTAGE, inclusive="left")
    is_slow = rows["occurred_at"].between(*SLOWNESS, inclusive="left") & (number < 2)
    return rows.assign(
        status_code=np.where(is_down, 503, 200),
        duration_ms=np.where(is_down, 9000.0, np.where(is_slow, 450.0, 50.0)),
    )


def figures(
    settings: Settings, rows: pd.DataFrame, period: str = "hourly"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The figures of services as a whole, by service and start; and the incidents."""
    drop_file(settings, "api_requests/a.csv", rows.to_csv(index=False))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=FAMILY)
        found = query(
            pipeline,
            "SELECT * FROM bi_system_performance_metrics WHERE aggregation_period = :period"
            " AND environment = 'production' AND instance_id = '*' AND route_group = '*'",
            period=period,
        )
        incidents = query(pipeline, "SELECT * FROM bi_performance_incidents ORDER BY 1, 2, 3, 4")
    wide = found.pivot_table(
        index=["service_name", "period_start"], columns="metric_name", values="metric_value"
    )
    return wide, incidents


def test_breaches_last_as_long_as_they_were_made_to(settings: Settings) -> None:
    wide, incidents = figures(settings, traffic())
    errors = wide.loc["api", "breach_minutes_error_rate"]
    assert errors[errors > 0].to_dict() == {pd.Timestamp("2026-03-10T10:00"): 30}
    slow = wide.loc["api", "breach_minutes_response_time"]
    assert slow[slow > 0].to_dict() == {SLOWNESS[0].floor("h"): 20, pd.Timestamp("2026-03-10"): 20}
    of = incidents.set_index("threshold")
    assert (of.loc["error_rate", "started_at"], of.loc["error_rate", "ended_at"]) == OUTAGE
    assert of.loc["error_rate", ["breach_minutes", "worst_value", "limit_value", "requests", "errors"]].tolist() == [
        30, 1.0, 0.01, 6 * PER_SLOT, 6 * PER_SLOT,
    ]  # fmt: skip
    # Over midnight, and one.
    assert (of.loc["response_time", "started_at"], of.loc["response_time", "ended_at"]) == SLOWNESS
    assert of.loc["response_time", "worst_value"] == pytest.approx(450, rel=0.01)
    assert of.loc["response_time", "limit_value"] == 200
    assert set(of.index) == {"error_rate", "response_time", "burn_1h", "burn_6h", "burn_1d", "burn_3d"}


def test_burn_rates_are_those_of_both_windows(settings: Settings) -> None:
    """Against a walk over the slots in pandas, and the alerts of the domain."""
    rows = traffic()
    wide, incidents = figures(settings, rows)
    slots = rows.assign(slot=rows["occurred_at"].dt.floor("5min"), bad=rows["status_code"] >= 500)
    counts = slots.groupby("slot").agg(bad=("bad", "sum"), n=("bad", "size"))
    rates = {
        size: pd.Series(
            burn_rate(counts["bad"].rolling(size).sum(), counts["n"].rolling(size).sum(), 0.999), counts.index
        )
        for alert in BURN_ALERTS
        for size in (alert.long, alert.short)
    }
    names = {"5m": 5, "30m": 30, "1h": 60, "2h": 120, "6h": 360, "1d": 1440, "3d": 4320}
    for name, minutes in names.items():
        of = rates[timedelta(minutes=minutes)]
        highest = of.groupby(of.index.floor("h")).max()
        np.testing.assert_allclose(
            wide.loc["api", f"burn_rate_{name}"].to_numpy(), highest.to_numpy(), rtol=1e-9, atol=1e-12
        )
    for alert in BURN_ALERTS:
        is_raised = alert.is_raised(rates[alert.long], rates[alert.short])
        hours = int(alert.long.total_seconds()) // 3600
        name = f"burn_{hours}h" if hours < 24 else f"burn_{hours // 24}d"
        broken = wide.loc["api", f"breach_minutes_{name}"]
        expected = 5 * pd.Series(is_raised, counts.index).groupby(counts.index.floor("h")).sum()
        assert broken.tolist() == expected.tolist()
        of = incidents[incidents["threshold"] == name]
        assert of["breach_minutes"].sum() == 5 * is_raised.sum()
        assert of["worst_value"].max() == pytest.approx(rates[alert.long][is_raised].max(), rel=1e-9)
    assert wide.loc["api", "burn_rate_1h"].max() == pytest.approx(
        500
    )  # half of an hour's requests over 0.1 %


def test_the_published_apdex(settings: Settings) -> None:
    """40 satisfied, 200 tolerating, 48 frustrated of 288: 0.486; two of the frustrated failed quickly."""
    durations = [100.0] * 40 + [500.0] * 200 + [801.0] * 46 + [1.0] * 2
    rows = pd.DataFrame(
        {
            "service": "api",
            "environment": "production",
            "occurred_at": "2026-03-10T10:00:00Z",
            "duration_ms": durations,
            "status_code": [200] * 286 + [500] * 2,
        }
    )
    wide, _ = figures(settings, rows)
    assert wide.loc["api", "apdex"].iloc[0] == pytest.approx(float(apdex(40, 200, 288)), rel=1e-12)
    assert round(wide.loc["api", "apdex"].iloc[0], 3) == 0.486


def test_the_budget_of_the_standard(settings: Settings) -> None:
    """99.9 % of 10,000 requests: 10 may fail; 144 use the budget up 14.4 times. 4xx are valid and not bad."""
    rows = pd.DataFrame(
        {
            "service": "api",
            "environment": "production",
            "occurred_at": "2026-03-10T10:00:00Z",
            "status_code": [500, 404, 200],
            "count": [144, 856, 9000],
        }
    )
    wide, _ = figures(settings, rows)
    row = wide.loc["api"].iloc[0]
    assert row["burn_rate"] == pytest.approx(14.4, rel=1e-12)
    assert row["error_budget_left"] == pytest.approx(-13.4, rel=1e-12)
    assert (row["availability"], row["error_rate"]) == (0.9856, 0.0144)
    assert row["client_error_rate"] == 0.0856


def test_a_service_may_have_levels_of_its_own(settings: Settings) -> None:
    own = ServiceLevel(response_time_ms=500, error_rate=0.5, availability=0.9)
    levels = PerformanceSettings(services={"batch": own})
    rows = pd.concat([traffic("api"), traffic("batch")])
    wide, incidents = figures(settings.model_copy(update={"performance": levels}), rows)
    batch = incidents[incidents["service_name"] == "batch"].set_index("threshold")
    assert "response_time" not in batch.index
    assert batch.loc["error_rate", "limit_value"] == 0.5
    assert wide.loc["batch", "apdex"].loc[SLOWNESS[0].floor("h")] == 1  # 450 ms satisfy there
    assert wide.loc["api", "apdex"].loc[SLOWNESS[0].floor("h")] < 1
    assert wide.loc["batch", "burn_rate"].max() == pytest.approx(5)
    assert wide.loc["api", "burn_rate"].max() == pytest.approx(500)


def test_other_levels_make_figures_and_incidents_stale(settings: Settings) -> None:
    figures(settings, traffic())
    levels = PerformanceSettings(error_rate=0.9999, minimum_requests=1_000_000)
    with opened(settings.model_copy(update={"performance": levels}), now=NOW) as pipeline:
        made = refresh(pipeline, groups=FAMILY)
        assert {"state/performance_hours", "system_performance/daily", "system_performance/incidents"} <= set(
            made
        )
        assert query(pipeline, "SELECT * FROM bi_performance_incidents").empty


def test_few_requests_break_nothing(settings: Settings) -> None:
    rows = traffic().iloc[::4]  # five in five minutes
    _, incidents = figures(settings, rows)
    assert not {"error_rate", "response_time"} & set(incidents["threshold"])


def test_an_incident_is_worse_than_its_limit(settings: Settings) -> None:
    """Of ten requests one is more than 5 %; and 200.1 ms are above 200, though their bucket says 198.4."""
    slow_ms = {"none": [], "one": [450.0], "five": [450.0] * 5, "kept": [200.0] * 5, "barely": [200.1] * 5}
    rows = pd.DataFrame(
        {
            "service": [name for name in slow_ms for _ in range(10)],
            "environment": "production",
            "occurred_at": "2026-03-10T10:00:00Z",
            "status_code": 200,
            "duration_ms": [
                value for slow in slow_ms.values() for value in [*slow, *[50.0] * (10 - len(slow))]
            ],
        }
    )
    wide, incidents = figures(settings, rows)
    minutes = wide["breach_minutes_response_time"].dropna().droplevel("period_start").to_dict()
    assert minutes == {"none": 0, "one": 5, "five": 5, "kept": 0, "barely": 5}
    of = incidents.set_index("service_name")
    assert set(of.index) == {"one", "five", "barely"}
    assert (of["worst_value"] >= of["limit_value"]).all()
    assert of["worst_value"].to_dict() == pytest.approx({"one": 450, "five": 450, "barely": 200.1}, rel=0.01)
