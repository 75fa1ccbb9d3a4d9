"""The registry of system performance: measures of its state, figures of ``bi_system_performance_metrics``.

A figure is a row, not a column: one per service, environment, instance and route group, and for all of any of
them (``*``), which is a merge of states and never a mean of figures.
"""

from __future__ import annotations

from dataclasses import dataclass

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.figures import Figure
from healthmate_bi_pipeline.catalog.measures import Measure
from healthmate_bi_pipeline.domain.period import Grain
from healthmate_bi_pipeline.domain.service_levels import BURN_ALERTS, LEAST_APDEX_SAMPLES, BurnAlert

STATE_VERSION = 2
"""Raised when the meaning of any state of performance changes."""

REGISTRY_VERSION = 1
"""Raised with every change of a figure's meaning."""

ALL = "*"
PLACE = ("service_name", "environment", "instance_id", "route_group")
"""What the state is kept by; of a host sample, and of what is judged per service, the rest is ``ALL``."""

SLOT_MINUTES = 5

SLOW_ONE_IN = 20
"""Of so many requests in five minutes one may be slower than the threshold: the 95th percentile keeps it."""

LEVELS: tuple[tuple[str, ...], ...] = (
    ("service_name", "environment", "route_group"),
    ("service_name", "environment", "instance_id"),
    ("service_name", "environment"),
    ("service_name",),
    ("environment",),
    (),
)
"""What figures are told apart by; all of the rest."""

FINEST_LEVEL = PLACE
"""From the day up also every route of every instance; an hour of one has few requests and many rows."""

REQUESTS = Measure("requests", "1", Grain.FIVE_MINUTES, "Requests.")
ERRORS = Measure("errors", "1", Grain.FIVE_MINUTES, "Requests that failed: status 500 or above.")
CLIENT_ERRORS = Measure(
    "client_errors", "1", Grain.HOUR, "Requests with a status of 400 to 499: valid, and not bad."
)
ERRORS_ALLOWED = Measure(
    "errors_allowed", "1", Grain.FIVE_MINUTES, "How many of the requests the objective of their service lets fail.",
)  # fmt: skip
TIMED = Measure("timed", "1", Grain.FIVE_MINUTES, "Requests that did not fail and whose duration is known.")
SLOW = Measure(
    "slow", "1", Grain.FIVE_MINUTES, "Those of them that took longer than the threshold of their service."
)
SLOT_P95 = Measure(
    "response_time_p95", "ms", Grain.FIVE_MINUTES, "95th percentile of their durations, of the service as a whole: the"
    " least that no more than 5 % of them exceed.",
)  # fmt: skip
SATISFIED = Measure(
    "apdex_satisfied", "1", Grain.HOUR, "Requests that did not fail and took no longer than T."
)
TOLERATING = Measure(
    "apdex_tolerating",
    "1",
    Grain.HOUR,
    "Requests that did not fail and took longer than T, no longer than 4 T.",
)
APDEX_SAMPLES = Measure("apdex_samples", "1", Grain.HOUR, "Requests that failed, or whose duration is known.")
RESPONSE_TIME = Measure("response_time", "ms", Grain.HOUR, "Duration of a request that did not fail.")
FAILED_RESPONSE_TIME = Measure("failed_response_time", "ms", Grain.HOUR, "Duration of a request that failed.")
CPU, MEMORY, DISK = (
    Measure(f"{name}_percent", "%", Grain.HOUR, f"Share of the {label} in use, of a sample.")
    for name, label in (("cpu", "processors"), ("memory", "memory"), ("disk", "disk"))
)
STATUS_CODE = Measure("status_code", "1", Grain.HOUR, "Requests per status.", has_items=True)
SLOTS = Measure("slots", "1", Grain.HOUR, "Stretches of 5 minutes with requests, of a service as a whole.")
BREACH = Measure(
    "breach", "1", Grain.HOUR, "Stretches of 5 minutes in which a threshold of the service was broken, and the worst"
    " value; the item is the threshold.", has_items=True,
)  # fmt: skip
BURN = Measure(
    "burn", "1", Grain.HOUR, "Burn rate of the service's error budget over the window that ends with 5 minutes; the"
    " item is the window.", has_items=True,
)  # fmt: skip

VALUE_MEASURES = (RESPONSE_TIME, FAILED_RESPONSE_TIME, CPU, MEMORY, DISK)
"""Measures of values, of which the state keeps a sketch too."""


def bucket_measure(measure: Measure) -> str:
    """The name that the buckets of a measure's sketch are kept under; the item is the number of the bucket."""
    return f"{measure.name}_bucket"


BUCKETS = tuple(
    Measure(bucket_measure(measure), "1", measure.native_grain, f"Bucket of the sketch: {measure.description}", has_items=True)
    for measure in VALUE_MEASURES
)  # fmt: skip

PERFORMANCE_MEASURES = (
    REQUESTS, ERRORS, CLIENT_ERRORS, ERRORS_ALLOWED, TIMED, SLOW, SLOT_P95, SATISFIED, TOLERATING, APDEX_SAMPLES,
    *VALUE_MEASURES, *BUCKETS, STATUS_CODE, SLOTS, BREACH, BURN,
)  # fmt: skip

SERVICE_MEASURES = (SLOTS, BREACH, BURN)
"""What is judged of a service in an environment as a whole, and does not add up to more."""


@dataclass(frozen=True)
class Threshold:
    """Something that a service may break.

    Attributes:
        name: as it stands in the state and in the incidents.
        unit: of the value that is compared.
        description: what is compared with what.
        alert: the pair of windows, of a burn rate.
    """

    name: str
    unit: str
    description: str
    alert: BurnAlert | None = None


def window_name(minutes: int) -> str:
    """The name of a window: 5m, 1h, 3d.

    >>> window_name(30), window_name(360), window_name(4320)
    ('30m', '6h', '3d')
    """
    for size, letter in ((1440, "d"), (60, "h")):
        if minutes % size == 0:
            return f"{minutes // size}{letter}"
    return f"{minutes}m"


def _minutes(alert: BurnAlert) -> tuple[int, int]:
    return int(alert.long.total_seconds()) // 60, int(alert.short.total_seconds()) // 60


SLOW_RESPONSES = Threshold(
    "response_time", "ms", "95th percentile of the response time above the threshold, in 5 minutes.",
)  # fmt: skip
FAILING_REQUESTS = Threshold("error_rate", "1", "Error rate above the threshold, in 5 minutes.")
BURNING_BUDGETS = tuple(
    Threshold(
        f"burn_{window_name(_minutes(alert)[0])}", "1",
        f"Burn rate above {alert.limit:g} over {window_name(_minutes(alert)[0])} and"
        f" {window_name(_minutes(alert)[1])}: a {alert.urgency}.",
        alert,
    )
    for alert in BURN_ALERTS
)  # fmt: skip
THRESHOLDS = (SLOW_RESPONSES, FAILING_REQUESTS, *BURNING_BUDGETS)

BURN_WINDOWS: dict[str, int] = {
    window_name(minutes): minutes
    for minutes in sorted({size for alert in BURN_ALERTS for size in _minutes(alert)})
}
"""Windows of burn rates, in minutes."""

LONGEST_LOOK_BACK_DAYS = max(BURN_WINDOWS.values()) // 1440

_RED = "RED: Wilkie 2015; latency of failures apart, Beyer 2016, Site Reliability Engineering, ch. 6"
_USE = "USE: Gregg 2013, Commun. ACM 56(2):48"
_DDSKETCH = "DDSketch: Masson, Rim & Lee 2019, PVLDB 12:2195; within 1 %"
_APDEX = "Apdex Technical Specification 1.1 (2007)"
_SLO = "Beyer 2018, The Site Reliability Workbook, ch. 2 and 5"

PERCENTILES: dict[str, float] = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}


def _number(name: str, description: str, unit: str, source: str) -> Figure:
    return Figure(name, Type.NUMBER, description, unit, source=source)


def _times(measure: Measure, whose: str) -> tuple[Figure, ...]:
    name = measure.name
    return (
        _number(f"{name}_mean", f"Mean response time {whose}.", "ms", _RED),
        *(
            _number(f"{name}_{label}", f"{share:.0%} of the response times {whose} are not above this.", "ms", _DDSKETCH)
            for label, share in PERCENTILES.items()
        ),
        _number(f"{name}_max", f"Longest response time {whose}.", "ms", _RED),
    )  # fmt: skip


def _resources(measure: Measure, label: str) -> tuple[Figure, ...]:
    name = measure.name
    return (
        _number(f"{name}_mean", f"Mean share of the {label} in use, over the samples.", "%", _USE),
        _number(f"{name}_p95", f"95 % of the samples show no more of the {label} in use.", "%", _DDSKETCH),
        _number(f"{name}_max", f"Largest share of the {label} in use.", "%", _USE),
    )


PERFORMANCE_FIGURES: tuple[Figure, ...] = (
    _number("requests", "Requests.", "1", _RED),
    _number("throughput", "Requests per second: divided by the length of the whole period.", "1/s", _RED),
    _number("errors", "Requests that failed: status 500 or above.", "1", _RED),
    _number("error_rate", "Requests that failed divided by all.", "1", _RED),
    _number("client_error_rate", "Requests with a status of 400 to 499 divided by all.", "1", _RED),
    *_times(RESPONSE_TIME, "of requests that did not fail"),
    *_times(FAILED_RESPONSE_TIME, "of requests that failed"),
    _number(
        "slow_share", "Share of the requests that did not fail which took longer than their service's threshold.", "1",
        "own",
    ),
    _number(
        "apdex", "(satisfied + tolerating / 2) / samples, T being the target of the service; a failure is frustrated."
        f" Of fewer than {LEAST_APDEX_SAMPLES} samples it is marked in the tags.", "1", _APDEX,
    ),
    _number("availability", "Good requests divided by valid ones; a 4xx is valid and not bad.", "1", _SLO),
    _number(
        "error_budget_left", "1 - failures divided by those that the objective allows for the period's requests; below"
        " 0 when it was missed.", "1", _SLO,
    ),
    _number("burn_rate", "Error rate of the period divided by what the objective allows.", "1", _SLO),
    *_resources(CPU, "processors"),
    *_resources(MEMORY, "memory"),
    *_resources(DISK, "disk"),
    *(
        _number(
            f"burn_rate_{name}", f"Highest burn rate over {name} at the end of any 5 minutes of the period; windows"
            " reach back before it.", "1", _SLO,
        )
        for name in BURN_WINDOWS
    ),
    *(
        _number(
            f"breach_minutes_{threshold.name}", f"Minutes in which it held, 5 at a time: {threshold.description}", "min",
            _SLO if threshold.alert else "own",
        )
        for threshold in THRESHOLDS
    ),
)  # fmt: skip
