"""Finance: all billing events → recurring revenue of every period, and lifetime values. Replaced whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.datasets import BILLING_EVENTS
from healthmate_bi_pipeline.catalog.finance import REGISTRY_VERSION
from healthmate_bi_pipeline.catalog.finance_tables import LIFETIME_VALUE, REVENUE
from healthmate_bi_pipeline.catalog.lake_tables import raw_table
from healthmate_bi_pipeline.catalog.reports import REPORT_CADENCES
from healthmate_bi_pipeline.domain.bgbb import Patterns
from healthmate_bi_pipeline.domain.bgbb_fit import Fit, fit
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.domain.revenue import discount_per_period
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.settings import FinanceSettings
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.finance.lifetimes import moment_table, paying_patterns
from healthmate_bi_pipeline.transforms.finance.revenue import BEFORE, period_table, revenue_rows
from healthmate_bi_pipeline.transforms.finance.subscriptions import changes
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.families import scan_partitions
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline
from healthmate_bi_pipeline.usecases.ranges import by_window
from healthmate_bi_pipeline.usecases.whole_tables import ANY_TIME, build_whole
from healthmate_bi_pipeline.warehouse import books

FINANCE = "finance"
REVENUE_ASSET = f"{FINANCE}/revenue"
BILLING = f"raw/{BILLING_EVENTS.name}"

_BILLING_COLUMNS = ("user_id", "event_id", "event", "plan", "amount_minor", "currency", "occurred_at")


def revenue_inputs(pipeline: Pipeline, connection: Connection, window: Window) -> dict[date, int]:
    """What revenue would be made from: the billing days of all time, the rules, and which days are over."""
    del window  # not partitioned
    days = books.partition_records(connection, BILLING)
    if not days:
        return {}
    held = versions.combined((day, record.output_version) for day, record in days.items())
    rules = versions.hash64(pipeline.settings.finance)
    return {UNPARTITIONED: versions.hash64(REGISTRY_VERSION, rules, versions.settled_day(pipeline), held)}


def billing_days(connection: Connection) -> list[date]:
    """The days that have billing events, in order."""
    return sorted(day for day, record in books.partition_records(connection, BILLING).items() if record.rows)


def build_revenue(pipeline: Pipeline) -> Built:
    """Work out recurring revenue, its movements, payments and lifetime values of all time."""
    with pipeline.warehouse.transaction() as connection:
        days = billing_days(connection)

    def make(engine: Engine) -> Mapping[Table, ir.Table]:
        events = _events(pipeline, engine)
        return {
            REVENUE: _revenue(pipeline, engine, events, days),
            LIFETIME_VALUE: engine.memory_table(_lifetimes(pipeline, engine, events, days)),
        }

    return build_whole(
        pipeline,
        REVENUE_ASSET,
        version=lambda connection: revenue_inputs(pipeline, connection, ANY_TIME).get(UNPARTITIONED, 0),
        make=make,
    )


def _events(pipeline: Pipeline, engine: Engine) -> ir.Table:
    rows = scan_partitions(pipeline, engine, raw_table(BILLING_EVENTS), None)
    return engine.store(rows.select(*_BILLING_COLUMNS))


def _revenue(pipeline: Pipeline, engine: Engine, events: ir.Table, days: Sequence[date]) -> ir.Table:
    parts = []
    for period in REPORT_CADENCES:
        spans = [
            (part, *_closing(pipeline, part, days))
            for part in (period.windows(Window.of_days(days[0], days[-1])) if days else ())
        ]
        periods = engine.memory_table(period_table(spans, str(period)))
        rules = pipeline.settings.finance
        parts.append(engine.store(revenue_rows(events, periods, period=period, rules=rules)))
    return union_all(parts)


def _closing(pipeline: Pipeline, part: Window, days: Sequence[date]) -> tuple[datetime, bool]:
    """The moment that a period's closing figures are of, and whether late data are no longer waited for."""
    is_over = part.last_day < versions.settled_day(pipeline)
    reached = min(part.end, midnight(days[-1]) + timedelta(days=1)) if days else part.end
    return (part.end if is_over else reached), is_over


def range_revenue(pipeline: Pipeline, windows: Sequence[Window]) -> list[list[dict[str, Any]]]:
    """Recurring revenue over ranges of days, each as one period; nothing is written.

    Args:
        pipeline: where the events are.
        windows: each begins where the one before it ends.
    """
    with pipeline.warehouse.transaction() as connection:
        days = billing_days(connection)
    start = windows[0].start
    with pipeline.engine() as engine:
        spans = [
            (Window(BEFORE, start), start, True),
            *((window, *_closing(pipeline, window, days)) for window in windows),
        ]
        rows = revenue_rows(
            _events(pipeline, engine),
            engine.memory_table(period_table(spans, "range")),
            period=windows,
            rules=pipeline.settings.finance,
        )
        return by_window([row for row in engine.rows(rows) if row["period_start"] >= start], windows)


def _lifetimes(pipeline: Pipeline, engine: Engine, events: ir.Table, days: Sequence[date]) -> pa.Table:
    """Lifetime values at the start of every month, and at the end of the last day with data."""
    rules = pipeline.settings.finance
    last = midnight(days[-1]) + timedelta(days=1) if days else BEFORE
    starts = [part.end for part in Period.MONTHLY.windows(Window.of_days(days[0], days[-1]))] if days else []
    moments = sorted({*(start for start in starts if start <= last), *([last] if days else [])})
    moves = engine.store(changes(events, rules))
    found = engine.rows(
        paying_patterns(events, moves, engine.memory_table(moment_table(moments)), rules=rules)
    )
    by_moment: dict[datetime, list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        by_moment[row["moment"]].append(row)
    told = [row for moment, rows in sorted(by_moment.items()) for row in lifetime_values(moment, rows, rules)]
    return pa.Table.from_pylist(told, schema=arrow_schema(LIFETIME_VALUE.columns))


def lifetime_values(
    moment: datetime, rows: Sequence[Mapping[str, Any]], rules: FinanceSettings
) -> list[dict[str, Any]]:
    """Rows of ``bi_lifetime_value`` of one moment, one per currency.

    Args:
        moment: the moment.
        rows: from ``paying_patterns``, of this moment.
        rules: what later money is worth.
    """
    fitted = _fit(rows)
    discount = discount_per_period(rules.discount_rate, days=rules.paid_days)
    by_currency: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["is_running"]:
            by_currency[row["currency"]].append(row)
    found = []
    for currency, own in sorted(by_currency.items()):
        people = sum(row["subscriptions"] for row in own)
        value = payments = None
        if fitted is not None and fitted.is_converged:
            expected = fitted.model.expected_discounted(_patterns(own), discount=discount)
            payments = (
                sum(float(e) * row["subscriptions"] for e, row in zip(expected, own, strict=True)) / people
            )
            value = sum(float(e) * row["recurs"] for e, row in zip(expected, own, strict=True)) / people
        found.append(
            {
                "as_of": moment.date(),
                "currency": currency,
                "people": people,
                "lifetime_value_minor": value,
                "expected_payments": payments,
                **_parameters(fitted),
            }
        )
    return found


def _fit(rows: Sequence[Mapping[str, Any]]) -> Fit | None:
    told = [row for row in rows if row["opportunities"] > 0]
    return fit(_patterns(told)) if told else None


def _patterns(rows: Sequence[Mapping[str, Any]]) -> Patterns:
    return Patterns.of(
        [row["active"] for row in rows],
        [row["last_active"] for row in rows],
        [row["opportunities"] for row in rows],
        [row["subscriptions"] for row in rows],
    )


def _parameters(fitted: Fit | None) -> dict[str, Any]:
    if fitted is None:
        nothing = dict.fromkeys(("alpha", "beta", "gamma", "delta"))
        reason = "no subscription has come to a date on which its second payment was due"
        return {"fitted_people": 0, **nothing, "is_converged": False, "reason": reason}
    model = fitted.model
    return {
        "fitted_people": fitted.people,
        "alpha": model.alpha,
        "beta": model.beta,
        "gamma": model.gamma,
        "delta": model.delta,
        "is_converged": fitted.is_converged,
        "reason": fitted.reason,
    }
