"""Requests and host samples → the state of five minutes and of hours.

A row may stand for several requests (``count``): all is weighted with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.lake_tables import HOST_VALUES
from healthmate_bi_pipeline.catalog.measures import Measure
from healthmate_bi_pipeline.catalog.performance import (
    ALL,
    APDEX_SAMPLES,
    CLIENT_ERRORS,
    ERRORS,
    ERRORS_ALLOWED,
    FAILED_RESPONSE_TIME,
    PLACE,
    REQUESTS,
    RESPONSE_TIME,
    SATISFIED,
    SLOT_MINUTES,
    SLOT_P95,
    SLOW,
    SLOW_ONE_IN,
    STATUS_CODE,
    TIMED,
    TOLERATING,
)
from healthmate_bi_pipeline.domain.service_levels import FIRST_BAD_STATUS, TOLERATED_TIMES
from healthmate_bi_pipeline.settings import PerformanceSettings, ServiceLevel
from healthmate_bi_pipeline.transforms.columns import EXACT, union_all
from healthmate_bi_pipeline.transforms.performance.sketch import bucket_of, least_values_exceeded_by

SERVICE = ("service_name", "environment")
_EXACT_SUM = "decimal(38, 6)"
_COMPONENTS = ("n", "total", "total_squared", "low", "high")
_STATE = ("measure", "item", *_COMPONENTS)
_COUNTED = (REQUESTS, ERRORS, CLIENT_ERRORS, TIMED, SLOW, SATISFIED, TOLERATING, APDEX_SAMPLES)
_OF_SLOTS = (REQUESTS, ERRORS, TIMED, SLOW)
_VALUES = (RESPONSE_TIME, FAILED_RESPONSE_TIME)


def level_of(service: Any, name: str, settings: PerformanceSettings) -> Any:
    """What is promised of a service, as an expression of its name."""
    own = {
        known: value for known, level in settings.services.items() if (value := _own(level, name)) is not None
    }
    usual = float(getattr(settings, name) or settings.response_time_ms)
    cases = [(service == known, ibis.literal(float(value))) for known, value in own.items()]
    return ibis.cases(*cases, else_=ibis.literal(usual)) if cases else ibis.literal(usual)


def _own(level: ServiceLevel, name: str) -> float | None:
    """A level of a service's own; its Apdex is measured against its own threshold if it has one."""
    if name == "apdex_target_ms":
        return level.apdex_target_ms or level.response_time_ms
    value: float | None = getattr(level, name)
    return value


def classified(requests: ir.Table, settings: PerformanceSettings) -> ir.Table:
    """Raw requests with what they count for; to be stored, since every state reads them."""
    named = requests.rename(service_name="service")
    duration = named.duration_ms
    is_error = named.status_code >= FIRST_BAD_STATUS
    target = level_of(named.service_name, "apdex_target_ms", settings)
    limit = level_of(named.service_name, "response_time_ms", settings)
    objective = level_of(named.service_name, "availability", settings)
    is_timed = duration.notnull() & ~is_error
    flags = {
        REQUESTS.name: ibis.literal(value=True),
        ERRORS.name: is_error,
        CLIENT_ERRORS.name: named.status_code.between(400, FIRST_BAD_STATUS - 1),
        TIMED.name: is_timed,
        SLOW.name: is_timed & (duration > limit),
        SATISFIED.name: is_timed & (duration <= target),
        TOLERATING.name: is_timed & (duration > target) & (duration <= target * TOLERATED_TIMES),
        APDEX_SAMPLES.name: is_error | duration.notnull(),
    }
    return named.select(
        *PLACE,
        "day",
        "status_code",
        "duration_ms",
        "count",
        hour=named.occurred_at.hour().cast("int64"),
        minute=(named.occurred_at.minute() // SLOT_MINUTES * SLOT_MINUTES).cast("int64"),
        bucket=bucket_of(duration),
        allowed=(1 - objective).round(6).cast(EXACT) * named["count"].cast("decimal(18, 0)"),
        **{f"is_{name}": flag for name, flag in flags.items()},
    )


def _counted(requests: ir.Table, measures: Iterable[Measure]) -> dict[str, Any]:
    """How many requests each measure counts, as aggregates."""
    return {measure.name: requests["count"].sum(where=requests[f"is_{measure.name}"]) for measure in measures}


def slot_states(requests: ir.Table) -> ir.Table:
    """The state of five minutes, of services in their environments as a whole: few and small rows.

    Args:
        requests: from ``classified``.

    Returns:
        ``PLACE``, day, hour, minute and the columns of a state.
    """
    by = [*SERVICE, "day", "hour", "minute"]
    sums = requests.group_by(by).agg(
        **_counted(requests, _OF_SLOTS), allowed=requests.allowed.sum().cast(_EXACT_SUM)
    )
    timed = requests.filter(requests.is_timed)
    buckets = timed.group_by([*by, "bucket"]).agg(n=timed["count"].sum())
    worst = least_values_exceeded_by(buckets, by, one_in=SLOW_ONE_IN)
    parts = [
        *_count_rows(sums, by, [measure.name for measure in _OF_SLOTS]),
        _rows(sums, by, ERRORS_ALLOWED.name, n=sums[REQUESTS.name], total=sums.allowed),
        _rows(worst, by, SLOT_P95.name, high=worst.value),
    ]
    whole = union_all(parts)
    return whole.mutate(instance_id=ibis.literal(ALL), route_group=ibis.literal(ALL))


def request_sums(requests: ir.Table) -> ir.Table:
    """Counts and sums of requests per place and hour, one row each; to be stored before ``hour_states``."""
    by = [*PLACE, "day", "hour"]
    duration = requests.duration_ms
    weight = requests["count"].cast("decimal(18, 0)")
    squared = (duration * duration * requests["count"].cast("float64")).cast(_EXACT_SUM)
    sums: dict[str, Any] = {}
    for measure, is_meant in (
        (RESPONSE_TIME, requests.is_timed),
        (FAILED_RESPONSE_TIME, requests.is_errors & duration.notnull()),
    ):
        sums |= {
            f"{measure.name}__n": requests["count"].sum(where=is_meant),
            f"{measure.name}__total": (duration.cast(EXACT) * weight).sum(where=is_meant).cast(_EXACT_SUM),
            f"{measure.name}__total_squared": squared.sum(where=is_meant).cast(_EXACT_SUM),
            f"{measure.name}__low": duration.min(where=is_meant),
            f"{measure.name}__high": duration.max(where=is_meant),
        }
    return requests.group_by(by).agg(
        **_counted(requests, _COUNTED), **sums, allowed=requests.allowed.sum().cast(_EXACT_SUM)
    )


def request_states(requests: ir.Table, sums: ir.Table) -> Iterator[ir.Table]:
    """The parts of the state of hours that requests make.

    Args:
        requests: from ``classified``.
        sums: from ``request_sums``.
    """
    by = [*PLACE, "day", "hour"]
    yield from _count_rows(sums, by, [measure.name for measure in _COUNTED])
    yield _rows(sums, by, ERRORS_ALLOWED.name, n=sums[REQUESTS.name], total=sums.allowed)
    for measure in _VALUES:
        of = sums.filter(sums[f"{measure.name}__n"] > 0)
        yield _rows(of, by, measure.name, **{name: of[f"{measure.name}__{name}"] for name in _COMPONENTS})
    codes = requests.group_by([*by, "status_code"]).agg(n=requests["count"].sum())
    yield _rows(codes, by, STATUS_CODE.name, item=codes.status_code.cast("string"), n=codes.n)
    timed = requests.filter(requests.duration_ms.notnull())
    name = timed.is_errors.ifelse(FAILED_RESPONSE_TIME.name, RESPONSE_TIME.name) + "_bucket"
    buckets = timed.mutate(measure=name).group_by([*by, "measure", "bucket"]).agg(n=timed["count"].sum())
    yield _rows(buckets, by, buckets.measure, item=buckets.bucket.cast("string"), n=buckets.n)


def host_states(samples: ir.Table) -> Iterator[ir.Table]:
    """The parts of the state of hours that samples of hosts make; a host has no route."""
    by = [*PLACE, "day", "hour"]
    placed = samples.rename(service_name="service").mutate(
        route_group=ibis.literal(ALL), hour=samples.sampled_at.hour().cast("int64")
    )
    long = placed.select(*by, *HOST_VALUES).pivot_longer(
        list(HOST_VALUES), names_to="measure", values_to="value"
    )
    given = long.filter(long.value.notnull())
    value = given.value
    sums = given.group_by([*by, "measure"]).agg(
        n=given.count(),
        total=value.cast(EXACT).sum().cast(_EXACT_SUM),
        total_squared=(value * value).cast(EXACT).sum().cast(_EXACT_SUM),
        low=value.min(),
        high=value.max(),
    )
    yield _rows(sums, by, sums.measure, **{name: sums[name] for name in _COMPONENTS})
    in_buckets = given.mutate(bucket=bucket_of(value), measure=given.measure + "_bucket")
    buckets = in_buckets.group_by([*by, "measure", "bucket"]).agg(n=in_buckets.count())
    yield _rows(buckets, by, buckets.measure, item=buckets.bucket.cast("string"), n=buckets.n)


def _count_rows(sums: ir.Table, by: list[str], names: list[str]) -> Iterator[ir.Table]:
    """A state row for each count that is not zero."""
    for name in names:
        of = sums.filter(sums[name] > 0)
        yield _rows(of, by, name, n=of[name])


def _rows(rows: ir.Table, by: list[str], measure: Any, *, item: Any = "", **components: Any) -> ir.Table:
    """Rows in the shape that all parts of a state are put together in."""
    types = {
        "n": "int64",
        "total": _EXACT_SUM,
        "total_squared": _EXACT_SUM,
        "low": "float64",
        "high": "float64",
    }
    given = {
        name: components[name].cast(type_) if name in components else ibis.null(type_)
        for name, type_ in types.items()
    }
    named = {"measure": measure, "item": item}
    literals = {
        name: ibis.literal(value) if isinstance(value, str) else value for name, value in named.items()
    }
    return rows.select(*by, **literals, **given)
