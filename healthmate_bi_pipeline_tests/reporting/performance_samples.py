"""Inputs of reports on system performance: two services, an outage, a machine whose memory fills up."""

from datetime import datetime, timedelta

from healthmate_bi_pipeline.catalog.reports import SYSTEM_PERFORMANCE
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.inputs import DatasetQuality
from healthmate_bi_pipeline.reporting.system_performance.inputs import (
    Incident,
    Measured,
    Place,
    PlacePoint,
    Route,
    ServiceLevels,
    SystemPerformanceInputs,
)
from healthmate_bi_pipeline.settings import ReportSettings

DAY = Period.DAILY.window(datetime(2026, 3, 10))
LEVELS = ServiceLevels(200, 0.01, 0.999, 200)
API, WEB, STAGING = Place("api", "production"), Place("web", "production"), Place("api", "staging")
MACHINE = Place("api", "production", "api-1")


def figures(*, requests=10_000, errors=0, p95=90.0):
    """What the warehouse has of a place with so many requests."""
    allowed = requests * 0.001
    values = {
        "requests": requests,
        "throughput": requests / 86_400,
        "errors": errors,
        "error_rate": errors / requests,
        "client_error_rate": 0.01,
        "availability": 1 - errors / requests,
        "error_budget_left": 1 - errors / allowed,
        "burn_rate": errors / allowed,
        "apdex": 0.97,
    }
    found = {name: Measured(value, requests) for name, value in values.items()}
    for name, factor in (("p50", 0.4), ("p90", 0.8), ("p95", 1.0), ("p99", 1.6)):
        found[f"response_time_{name}"] = Measured(p95 * factor, requests - errors)
    if errors:
        found |= {
            f"failed_response_time_{name}": Measured(8000.0, errors) for name in ("p50", "p90", "p95", "p99")
        }
    return found


def samples(memory=50.0):
    """A machine's figures."""
    return {
        f"{name}_percent_{statistic}": Measured(value, 288)
        for name, value in (("cpu", 30.0), ("memory", memory), ("disk", 40.0))
        for statistic in ("mean", "p95", "max")
    }


def places(api=None, web=None):
    """Everything of a period: services, environments, all of them, and a machine."""
    api, web = api or figures(), web or figures(requests=2_000)
    staging = figures(requests=60, errors=6)
    return {
        API: api,
        WEB: web,
        STAGING: staging,
        Place("*", "production"): figures(
            requests=int(api["requests"].value + web["requests"].value),
            errors=int(api["errors"].value + web["errors"].value),
        ),
        Place("*", "staging"): staging,
        Place("*", "*"): figures(requests=12_060),
        MACHINE: samples(),
    }


def outage(**changes):
    """An incident of an hour in which everything failed."""
    values = {
        "place": API,
        "threshold": "error_rate",
        "started_at": datetime(2026, 3, 10, 10),
        "ended_at": datetime(2026, 3, 10, 10, 30),
        "breach_minutes": 30,
        "worst_value": 1.0,
        "limit_value": 0.01,
        "unit": "1",
        "requests": 120,
        "errors": 120,
    }
    return Incident(**(values | changes))


def memory_days(values, *, last=DAY.start, machine=MACHINE):
    """Daily means of a machine's memory up to a day."""
    return [
        PlacePoint(
            last - timedelta(days=len(values) - 1 - number),
            {machine: {"memory_percent_mean": Measured(value, 288)}},
        )
        for number, value in enumerate(values)
    ]


def inputs(*, window=DAY, **changes):
    """A day without anything to tell; ``changes`` replace fields."""
    values = {
        "report_type": SYSTEM_PERFORMANCE,
        "cadence": "daily",
        "window": window,
        "settings": ReportSettings(),
        "as_of": datetime(2026, 3, 10, 23, 59),
        "is_complete": True,
        "quality": [DatasetQuality("api_requests", 900, 897, 0, 0, 3, {"missing:status_code": 3}, files=2)],
        "current": places(),
        "previous_window": Window(window.start - timedelta(days=1), window.start),
        "previous": places(),
        "trend": [PlacePoint(window.start - timedelta(days=back), places()) for back in range(27, -1, -1)],
        "levels": {"api": LEVELS, "web": LEVELS},
        "slow_routes": [Route(API, "GET /users/{id}", 4_000, 2, 0.0005, 140.0)],
        "hours": {"production": {("*", "*"): 24}},
        "sampled_hours": {"production": {("api", "api-1"): 24}},
        "hours_expected": 24,
    }
    return SystemPerformanceInputs(**(values | changes))
