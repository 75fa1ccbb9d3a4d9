"""State of performance → figures: one row per figure, place and period; * stands for all of a kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.catalog.lake_tables import HOST_VALUES
from healthmate_bi_pipeline.catalog.performance import (
    ALL,
    APDEX_SAMPLES,
    BREACH,
    BUCKETS,
    BURN,
    BURN_WINDOWS,
    CLIENT_ERRORS,
    ERRORS,
    ERRORS_ALLOWED,
    FINEST_LEVEL,
    LEVELS,
    PERCENTILES,
    PERFORMANCE_FIGURES,
    PLACE,
    REGISTRY_VERSION,
    REQUESTS,
    SATISFIED,
    SERVICE_MEASURES,
    SLOT_MINUTES,
    SLOTS,
    SLOW,
    SLOW_RESPONSES,
    THRESHOLDS,
    TIMED,
    TOLERATING,
    VALUE_MEASURES,
)
from healthmate_bi_pipeline.catalog.performance_tables import SYSTEM_PERFORMANCE_METRICS
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.domain.service_levels import LEAST_APDEX_SAMPLES
from healthmate_bi_pipeline.transforms.columns import IBIS_TYPES, union_all
from healthmate_bi_pipeline.transforms.performance.requests import SERVICE
from healthmate_bi_pipeline.transforms.performance.sketch import quantiles
from healthmate_bi_pipeline.transforms.placing import period_end, period_floor
from healthmate_bi_pipeline.transforms.state import COMPONENT_NAMES, merge_states

KEY = (*PLACE, "measure", "item")
_OF = [*PLACE, "period_start"]
_COUNTS = (
    REQUESTS, ERRORS, CLIENT_ERRORS, TIMED, SLOW, SATISFIED, TOLERATING, APDEX_SAMPLES, SLOTS,
)  # fmt: skip


def merged_states(states: ir.Table, by: tuple[str, ...]) -> ir.Table:
    """States merged to the next grain: days of hours, months of days."""
    return merge_states(states, (*KEY, *by))


def merged_to_levels(states: ir.Table, period: Period) -> ir.Table:
    """States of a period's grain, merged to the period and to every level that figures are told apart by.

    Returns:
        ``KEY``, ``period_start`` and the components; what is left out of a level is ``ALL``.
    """
    if period.state_grain is Grain.HOUR:
        start = states.day.cast("timestamp(6)") + ibis.interval(hours=1) * states.hour
    else:
        start = period_floor(states["month" if period.state_grain is Grain.MONTH else "day"], period)
    placed = states.select(*KEY, *COMPONENT_NAMES, period_start=start)
    return _merged(placed, LEVELS if period is Period.HOURLY else (*LEVELS, FINEST_LEVEL))


def merged_to_ranges(states: ir.Table) -> ir.Table:
    """States that tile ranges of days, with their ``period_start``, merged to every level but the finest."""
    return _merged(states.select(*KEY, *COMPONENT_NAMES, "period_start"), LEVELS)


def _merged(placed: ir.Table, levels: tuple[tuple[str, ...], ...]) -> ir.Table:
    return merge_states(union_all(_level(placed, level) for level in levels), (*KEY, "period_start"))


def _level(states: ir.Table, level: tuple[str, ...]) -> ir.Table:
    """The states that a level tells apart, everything else of their place being ``ALL``."""
    of_service = states.measure.isin([measure.name for measure in SERVICE_MEASURES])
    kept = states if level == SERVICE else states.filter(~of_service)
    for name in level:  # a host has no route
        kept = kept.filter(kept[name] != ALL)
    return kept.mutate(**{name: ibis.literal(ALL) for name in PLACE if name not in level}).select(
        *states.columns
    )


def percentile_rows(merged: ir.Table) -> ir.Table:
    """The percentiles of all sketches: ``_OF``, measure, and a column per percentile; to be stored."""
    names = [measure.name for measure in BUCKETS]
    buckets = merged.filter(merged.measure.isin(names))
    numbered = buckets.select(*_OF, "measure", "n", bucket=buckets.item.cast("int64"))
    return quantiles(numbered, [*_OF, "measure"], PERCENTILES)


def wide_rows(merged: ir.Table, percentiles: ir.Table) -> ir.Table:
    """One row per place and period with all that figures need; to be stored.

    Args:
        merged: from ``merged_to_levels``, stored.
        percentiles: from ``percentile_rows``, stored.
    """
    needed = {measure.name: (measure.name, "", "n") for measure in _COUNTS}
    needed["allowed"] = (ERRORS_ALLOWED.name, "", "total")
    for measure in VALUE_MEASURES:
        needed |= {f"{measure.name}__{name}": (measure.name, "", name) for name in ("n", "total", "high")}
    needed |= {f"burn_{name}": (BURN.name, name, "high") for name in BURN_WINDOWS}
    needed |= {f"breach_{threshold.name}": (BREACH.name, threshold.name, "n") for threshold in THRESHOLDS}
    wide = merged.group_by(_OF).agg(
        **{
            column: ((merged.measure == measure) & (merged.item == item))
            .ifelse(merged[component], ibis.null(merged[component].type()))
            .max()
            for column, (measure, item, component) in needed.items()
        }
    )
    turned = percentiles.group_by(_OF).agg(
        **{
            f"{bucket.name.removesuffix('_bucket')}_{label}": percentiles[label].max(
                where=percentiles.measure == bucket.name
            )
            for bucket in BUCKETS
            for label in PERCENTILES
        }
    )
    renamed = turned.rename({f"of_{name}": name for name in _OF})
    joined = wide.left_join(renamed, [(name, f"of_{name}") for name in _OF])
    return joined.select(*wide.columns, *(name for name in turned.columns if name not in _OF))


def figure_rows(
    wide: ir.Table, units: ir.Table, *, period: Period, versions: ir.Table, complete_before: datetime
) -> ir.Table:
    """Rows of ``bi_system_performance_metrics`` without the stamps, sorted by key.

    Args:
        wide: from ``wide_rows``.
        units: ``unit_table``.
        period: the period.
        versions: ``period_start`` and ``state_version``.
        complete_before: a period that ends by then is complete.
    """
    ended = ibis.literal(complete_before, type="timestamp(6)")
    timed = wide.mutate(period_end=period_end(wide.period_start, period))
    known = _known_figures(timed).join(units, "metric_name").join(versions, "period_start")
    return _shaped(known, period, ended)


def range_rows(wide: ir.Table, window: Window) -> ir.Table:
    """The figures of ranges of days: place, ``period_start``, ``metric_name``, ``metric_value`` and ``samples``.

    Args:
        wide: from ``wide_rows`` of what ``merged_to_ranges`` gave.
        window: one of the ranges; the others are as long.
    """
    known = _known_figures(wide.mutate(period_end=period_end(wide.period_start, window)))
    return known.select(*_OF, "metric_name", "metric_value", "samples").order_by(*_OF, "metric_name")


def _known_figures(timed: ir.Table) -> ir.Table:
    """One row per figure that has a value, with what stands beside requests."""
    figures = _figures(timed)
    usage = _resource_usage(timed, figures)
    given = timed.mutate(
        found=ibis.array([_found(name, value, samples) for name, (value, samples) in figures.items()]),
        usage=usage,
        p95=figures["response_time_p95"][0],
        rate=figures["error_rate"][0],
        per_second=figures["throughput"][0],
    )
    long = given.select(
        *_OF, "period_end", "usage", "p95", "rate", "per_second", found=given.found.unnest()
    ).mutate(
        metric_name=ibis._.found["name"], metric_value=ibis._.found["value"], samples=ibis._.found["samples"]
    )
    return long.filter(long.metric_value.notnull())


def _shaped(rows: ir.Table, period: Period, ended: Any) -> ir.Table:
    is_requests = rows.metric_name == "requests"
    is_small = (rows.metric_name == "apdex") & (rows.samples < LEAST_APDEX_SAMPLES)
    tags = is_small.ifelse(
        _json(samples=rows.samples, is_small_sample=ibis.literal(value=True)), _json(samples=rows.samples)
    )
    filled = rows.mutate(
        aggregation_period=ibis.literal(str(period)),
        timestamp=rows.period_start,
        response_time_ms=is_requests.ifelse(rows.p95, ibis.null("float64")),
        error_rate=is_requests.ifelse(rows.rate, ibis.null("float64")),
        throughput=is_requests.ifelse(rows.per_second, ibis.null("float64")),
        resource_usage=is_requests.ifelse(rows.usage, ibis.null("string")),
        tags=tags,
        is_complete=rows.period_end <= ended,
        registry_version=ibis.literal(REGISTRY_VERSION, type="int64"),
    )
    columns = [column for column in SYSTEM_PERFORMANCE_METRICS.columns if column.name in filled.columns]
    typed = {
        column.name: filled[column.name].cast(IBIS_TYPES.get(column.type, "string")) for column in columns
    }
    return filled.select(**typed).order_by(*SYSTEM_PERFORMANCE_METRICS.key)


def unit_table() -> pa.Table:
    """The unit of each figure."""
    return pa.table(
        {
            "metric_name": [figure.name for figure in PERFORMANCE_FIGURES],
            "metric_unit": [figure.unit for figure in PERFORMANCE_FIGURES],
        }
    )


def _found(name: str, value: Any, samples: Any) -> Any:
    return ibis.struct(
        {"name": ibis.literal(name), "value": value.cast("float64"), "samples": samples.cast("int64")}
    )


def _json(**members: Any) -> Any:
    return ibis.struct(members).cast("json").cast("string")


def _figures(rows: ir.Table) -> dict[str, tuple[Any, Any]]:
    """Each figure, null where there is nothing to tell, and how many values it rests on."""
    figures = dict(_request_figures(rows))
    for measure in VALUE_MEASURES:
        figures |= _value_figures(rows, measure.name)
    figures |= dict(_service_figures(rows))
    return {figure.name: figures[figure.name] for figure in PERFORMANCE_FIGURES}


def _request_figures(rows: ir.Table) -> Iterator[tuple[str, tuple[Any, Any]]]:
    requests = rows[REQUESTS.name]
    n = requests.cast("float64").nullif(0)
    seconds = rows.period_end.delta(rows.period_start, unit="second").cast("float64")

    def count(name: str) -> Any:
        """What is not there was not counted, where there were requests."""
        return requests.notnull().ifelse(rows[name].fill_null(0), ibis.null("int64")).cast("float64")

    errors, allowed = count(ERRORS.name), rows.allowed.cast("float64").nullif(0)
    yield "requests", (requests, requests)
    yield "throughput", (n / seconds, requests)
    yield "errors", (errors, requests)
    yield "error_rate", (errors / n, requests)
    yield "client_error_rate", (count(CLIENT_ERRORS.name) / n, requests)
    timed = rows[TIMED.name]
    yield "slow_share", (count(SLOW.name) / timed.cast("float64").nullif(0), timed)
    samples = rows[APDEX_SAMPLES.name]
    satisfied = count(SATISFIED.name) + count(TOLERATING.name) / 2
    # Of requests of which no duration is known only the failures would be judged.
    is_timed = timed.fill_null(0) > 0
    apdex = is_timed.ifelse(satisfied / samples.cast("float64").nullif(0), ibis.null("float64"))
    yield "apdex", (apdex, samples)
    yield "availability", ((n - errors) / n, requests)
    yield "error_budget_left", (1 - errors / allowed, requests)
    yield "burn_rate", (errors / allowed, requests)


def _value_figures(rows: ir.Table, name: str) -> dict[str, tuple[Any, Any]]:
    n = rows[f"{name}__n"]
    mean = rows[f"{name}__total"].cast("float64") / n.cast("float64").nullif(0)
    labels = {"mean": mean, "max": rows[f"{name}__high"]}
    labels |= {label: rows[f"{name}_{label}"] for label in PERCENTILES}
    return {f"{name}_{label}": (value, n) for label, value in labels.items()}


def _service_figures(rows: ir.Table) -> Iterator[tuple[str, tuple[Any, Any]]]:
    slots = rows[SLOTS.name]
    for name in BURN_WINDOWS:
        yield f"burn_rate_{name}", (rows[f"burn_{name}"], slots)
    for threshold in THRESHOLDS:
        broken = rows[f"breach_{threshold.name}"].fill_null(0) * SLOT_MINUTES
        # Where no duration is known nobody can say that none was too long.
        judged = (
            slots
            if threshold is not SLOW_RESPONSES
            else rows[TIMED.name].notnull().ifelse(slots, ibis.null("int64"))
        )
        yield f"breach_minutes_{threshold.name}", (judged.notnull().ifelse(broken, ibis.null("int64")), slots)


def _resource_usage(rows: ir.Table, figures: Mapping[str, tuple[Any, Any]]) -> Any:
    """Mean, 95th percentile and maximum of each resource, as the text of a JSON object."""
    usage = _json(
        **{
            name: ibis.struct({label: figures[f"{name}_{label}"][0] for label in ("mean", "p95", "max")})
            for name in HOST_VALUES
        }
    )
    is_sampled = ibis.or_(*(rows[f"{name}__n"].notnull() for name in HOST_VALUES))
    return is_sampled.ifelse(usage, ibis.null("string"))
