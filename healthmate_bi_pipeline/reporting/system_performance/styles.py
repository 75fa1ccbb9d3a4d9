"""How the figures of system performance are written."""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.performance import BURN_WINDOWS, PERCENTILES
from healthmate_bi_pipeline.reporting.style import Style

_RESOURCES = {"cpu": "Processors", "memory": "Memory", "disk": "Disk"}
_STATISTICS = {"mean": "mean", "p95": "95th percentile", "max": "highest"}

PERFORMANCE_STYLES: dict[str, Style] = {
    "requests": Style("Requests", "", 0, "requests", 100),
    "throughput": Style("Throughput", "requests/s", 3, "throughput", 0.1),
    "errors": Style("Failures", "", 0, "failures", 10),
    "error_rate": Style("Error rate", "%", 2, "error rate", 0.01, scale=100, change_unit="points"),
    "client_error_rate": Style("Rate of 4xx", "%", 1, "4xx", 0.05, scale=100, change_unit="points"),
    "response_time_mean": Style("Mean response time", "ms", 0, "mean", 50),
    "response_time_max": Style("Longest response time", "ms", 0, "longest", 50),
    "failed_response_time_mean": Style("Mean response time of failures", "ms", 0, "failures: mean", 50),
    "failed_response_time_max": Style("Longest response time of failures", "ms", 0, "failures: longest", 50),
    **{
        f"response_time_{name}": Style(f"Response time {name}", "ms", 0, name, 50)
        for name in PERCENTILES
    },
    **{
        f"failed_response_time_{name}": Style(f"Response time {name} of failures", "ms", 0, f"failures: {name}", 50)
        for name in PERCENTILES
    },
    "slow_share": Style("Slow requests", "%", 1, "slow", 0.05, scale=100, change_unit="points"),
    "apdex": Style("Apdex", "", 2, "Apdex", 0.1),
    "availability": Style("Availability", "%", 2, "availability", 0.01, scale=100, change_unit="points"),
    "error_budget_left": Style("Error budget left", "%", 0, "budget left", 0.5, scale=100, change_unit="points"),
    "burn_rate": Style("Burn rate", "times", 1, "burn rate", 1),
    **{f"burn_rate_{name}": Style(f"Highest burn rate over {name}", "times", 1, f"burn {name}", 1) for name in BURN_WINDOWS},
    **{
        f"{resource}_percent_{statistic}": Style(
            f"{label}, {told}", "%", 1, f"{resource} {statistic}", 10, change_unit="points"
        )
        for resource, label in _RESOURCES.items()
        for statistic, told in _STATISTICS.items()
    },
}  # fmt: skip
