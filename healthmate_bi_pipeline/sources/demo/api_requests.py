"""``api_requests`` of the demo: what the services answered, as a log keeps it that counts alike requests.

Every request is counted, but not each has a row of its own: of the successful ones of an hour and service some
are kept, and each stands for an equal part of all (``count``). Failures, and the hours of an outage or a slow
release, are kept finer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo.block import BackendBlock
from healthmate_bi_pipeline.sources.demo.clocks import Flags, Integers, Numbers, Times
from healthmate_bi_pipeline.sources.demo.load import Load
from healthmate_bi_pipeline.sources.demo.rows import (
    Clock,
    DemoRows,
    FileStyle,
    Format,
    coded,
    instants,
    joined,
    same,
)
from healthmate_bi_pipeline.sources.demo.services import (
    ENVIRONMENTS,
    FAILING_SERVICE,
    FAILING_SHARE,
    FAILING_STATUS,
    SERVICE_NAMES,
    SERVICES,
    SLOW_FACTOR,
    SLOW_SERVICE,
    Incidents,
    is_within,
)

REQUESTS = FileStyle(
    "api_requests", "gateway", Format.PARQUET, Clock.UTC, is_quarterly=True, comes_twice=True
)

REQUESTS_PER_ROW, REQUESTS_PER_ROW_OF_A_SLOW_RELEASE = 300, 4
SIGMA = 0.45
"""Of the lognormal durations of a route."""
LOAD_SLOWS_BY = 0.25
"""How much longer a request takes in a busy hour."""
_SERVER_ERROR_SHARE, _CLIENT_ERROR_SHARE = 0.0002, 0.0025
_SERVER_ERRORS, _CLIENT_ERRORS = np.array([500, 502, 504]), np.array([400, 401, 404, 429])
_SUCCESSES, _SUCCESS_SHARES = np.array([200, 201, 204, 304]), (0.8, 0.1, 0.04, 0.06)
_STAGING_HOURS_SHARE, _STAGING_REQUESTS = 0.06, 25
_TIMEOUT_MS, _HOUR_SECONDS = 8_000.0, 3_600

ROUTES = tuple(route.name for service in SERVICES for route in service.routes)
_FIRST_ROUTE = np.cumsum([0, *(len(service.routes) for service in SERVICES)])
_MEDIANS = np.array([route.median_ms for service in SERVICES for route in service.routes])
INSTANCES = tuple(
    name for service in SERVICES for environment in ENVIRONMENTS for name in service.instance_names(environment)
)  # fmt: skip
_FIRST_INSTANCE = np.array(
    [[INSTANCES.index(service.instance_names(environment)[0]) for environment in ENVIRONMENTS] for service in SERVICES]
)  # fmt: skip
_INSTANCE_COUNT = np.array(
    [[len(service.instance_names(environment)) for environment in ENVIRONMENTS] for service in SERVICES]
)  # fmt: skip


@dataclass(frozen=True)
class _Logged:
    """Lines of the log: the hour in the block, the place of the service and environment, the status, how many."""

    hour: Integers
    service: Integers
    environment: Integers
    status: Integers
    count: Integers


def api_requests(block: BackendBlock, load: Load, incidents: Incidents, *, detail: float) -> DemoRows:
    """The rows of some days.

    Args:
        block: the days.
        load: of all people, on all days.
        incidents: what goes wrong when.
        detail: how many times as many rows, each for fewer requests.
    """
    rng = block.rng("requests")
    expected = load.expected[block.hours]
    shares = np.array([service.share for service in SERVICES])
    requests = rng.poisson(expected[:, None] * shares)  # hours × services
    lines = [
        *_production(rng, requests, _requests_per_row(block, incidents, detail)),
        _staging(rng, requests.shape),
    ]
    hour, service, environment, status, count = (
        np.concatenate([getattr(each, name) for each in lines])
        for name in ("hour", "service", "environment", "status", "count")
    )
    drawn = rng.integers(0, _HOUR_SECONDS, len(hour))
    second = _beside_successes(rng, lines[0], hour * len(SERVICES) + service, drawn)
    utc = block.start + hour * np.timedelta64(1, "h") + second * np.timedelta64(1, "s")
    order = np.lexsort([service, utc])
    logged = _Logged(hour[order], service[order], environment[order], status[order], count[order])
    busy = load.share_of_peak[block.hours][hour]
    return _rows(block, rng, logged, utc=utc[order], busy=busy[order], incidents=incidents)


def _beside_successes(rng: np.random.Generator, good: _Logged, cell: Integers, second: Integers) -> Integers:
    """The seconds of the hour at which lines are logged, failures at those of a success of their hour and service.

    A success stands for many, so a failure that came alone would be all that there is in its minutes.

    Args:
        rng: for which of the successes it is.
        good: the successes, which are the first of all lines, in the order of their cells.
        cell: the hour and service of each line, as one number.
        second: as drawn, all over the hour.
    """
    own = cell[: len(good.hour)]
    first, end = (np.searchsorted(own, cell, side=side) for side in ("left", "right"))
    partner = first + np.floor(rng.random(len(cell)) * (end - first)).astype(np.int64)
    partner = np.where((end > first) & (np.arange(len(cell)) >= len(own)), partner, np.arange(len(cell)))
    return second[partner]


def _requests_per_row(block: BackendBlock, incidents: Incidents, detail: float) -> Numbers:
    """How many successful requests a row stands for at most: hours × services."""
    hour = block.start + np.arange(len(block.hours)) * np.timedelta64(1, "h")
    end = hour + np.timedelta64(1, "h")
    per_row = np.full((len(hour), len(SERVICES)), float(REQUESTS_PER_ROW))
    slow = SERVICE_NAMES.index(SLOW_SERVICE)
    is_slow = (end > incidents.slow_from) & (hour < incidents.slow_until)
    per_row[is_slow, slow] = REQUESTS_PER_ROW_OF_A_SLOW_RELEASE
    fails = (end > incidents.failing_from) & (hour < incidents.failing_until)
    per_row = np.maximum(per_row / detail, 1.0)
    per_row[fails, SERVICE_NAMES.index(FAILING_SERVICE)] = 1.0
    return per_row


def _production(rng: np.random.Generator, requests: Integers, per_row: Numbers) -> list[_Logged]:
    server_errors = rng.binomial(requests, _SERVER_ERROR_SHARE)
    client_errors = rng.binomial(requests - server_errors, _CLIENT_ERROR_SHARE)
    good = requests - server_errors - client_errors
    return [
        _lines(rng, good, np.ceil(good / per_row).astype(np.int64), _SUCCESSES, _SUCCESS_SHARES),
        _lines(rng, client_errors, np.minimum(client_errors, 1), _CLIENT_ERRORS),
        _lines(rng, server_errors, server_errors, _SERVER_ERRORS),
    ]


def _staging(rng: np.random.Generator, shape: tuple[int, ...]) -> _Logged:
    """Somebody tries something now and then."""
    tried = rng.poisson(_STAGING_REQUESTS, shape) * (rng.random(shape) < _STAGING_HOURS_SHARE)
    lines = _lines(rng, tried, np.minimum(tried, 1), np.array([200, 201, 404, 500]), (0.8, 0.13, 0.05, 0.02))
    return _Logged(lines.hour, lines.service, np.ones_like(lines.hour), lines.status, lines.count)


def _lines(
    rng: np.random.Generator,
    requests: Integers,
    rows: Integers,
    statuses: Integers,
    shares: tuple[float, ...] | None = None,
) -> _Logged:
    """So many rows for the requests of each hour and service, whose counts add up to them."""
    hour, service = np.nonzero(rows)
    of_each = rows[hour, service]
    cell = np.repeat(np.arange(len(hour)), of_each)
    place = np.arange(len(cell)) - np.repeat(np.cumsum(of_each) - of_each, of_each)
    whole = requests[hour, service][cell]
    count = whole // of_each[cell] + (place < whole % of_each[cell])
    status = rng.choice(statuses, len(cell), p=shares)
    return _Logged(hour[cell], service[cell], np.zeros(len(cell), dtype=np.int64), status, count)


def _rows(
    block: BackendBlock,
    rng: np.random.Generator,
    logged: _Logged,
    *,
    utc: Times,
    busy: Numbers,
    incidents: Incidents,
) -> DemoRows:
    rows = len(utc)
    service, environment = logged.service, logged.environment
    route = _routes(rng, service)
    is_production = environment == 0
    is_slow = is_production & (service == SERVICE_NAMES.index(SLOW_SERVICE))
    is_slow &= is_within(utc, incidents.slow_from, incidents.slow_until)
    fails: Flags = is_production & (service == SERVICE_NAMES.index(FAILING_SERVICE))
    fails &= is_within(utc, incidents.failing_from, incidents.failing_until)
    fails &= (logged.count == 1) & (rng.random(rows) < FAILING_SHARE)
    status = np.where(fails, FAILING_STATUS, logged.status)
    duration = _MEDIANS[route] * rng.lognormal(0, SIGMA, rows) * (1 + LOAD_SLOWS_BY * busy)
    duration *= np.where(is_slow, SLOW_FACTOR, 1.0)
    is_timeout = (status == 504) | (fails & (rng.random(rows) < 0.5))
    duration = np.where(is_timeout, _TIMEOUT_MS + 200 * rng.random(rows), duration)
    instance = _FIRST_INSTANCE[service, environment]
    instance = instance + rng.integers(0, 1 << 16, rows) % _INSTANCE_COUNT[service, environment]
    table = pa.table(
        {
            "service": coded(service, SERVICE_NAMES),
            "environment": coded(environment, ENVIRONMENTS),
            "instance_id": coded(instance, INSTANCES),
            "route": coded(route, ROUTES),
            "status_code": pa.array(status.astype(np.int64)),
            "duration_ms": pa.array(np.round(duration, 1)),
            "occurred_at": instants(utc),
            "request_id": joined("r-", pa.array(utc.astype("datetime64[s]").astype(np.int64)), "-", pa.array(np.arange(rows))),
            "count": pa.array(logged.count.astype(np.int64)),
            "source": same("gateway log", rows),
        }
    )  # fmt: skip
    return DemoRows(REQUESTS, np.zeros(rows, dtype=np.int64), block.first + logged.hour // 24, table, utc)


def _routes(rng: np.random.Generator, service: Integers) -> Integers:
    """A route of each row's service, by their shares."""
    chance = rng.random(len(service))
    route = np.zeros(len(service), dtype=np.int64)
    for number, each in enumerate(SERVICES):
        mine = service == number
        limits = np.cumsum([route.share for route in each.routes])
        place = np.minimum(np.searchsorted(limits, chance[mine], side="right"), len(limits) - 1)
        route[mine] = _FIRST_ROUTE[number] + place
    return route
