"""What the finance report is made from: revenue of groups in the warehouse; of free ranges, the billing events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.datasets import BILLING_EVENTS
from healthmate_bi_pipeline.catalog.families import (
    ENGAGEMENT,
    ENGAGEMENT_GROUPS,
    HEALTH,
    figures_name,
    state_name,
)
from healthmate_bi_pipeline.catalog.finance import EVERYTHING, minor_units
from healthmate_bi_pipeline.catalog.reports import FINANCIAL
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.reporting.financial.inputs import (
    Amount,
    FinancialInputs,
    Lifetime,
    PeriodRevenue,
    Revenue,
)
from healthmate_bi_pipeline.reporting.financial.report import financial
from healthmate_bi_pipeline.usecases.engagement_ranges import range_active_people
from healthmate_bi_pipeline.usecases.finance import BILLING, REVENUE_ASSET, billing_days, range_revenue
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.recipe import Reach, Reading, ReportRecipe
from healthmate_bi_pipeline.usecases.reports.rows import arrivals, common_inputs
from healthmate_bi_pipeline.usecases.reports.scope import Subject, evidence_of, previous_window
from healthmate_bi_pipeline.warehouse import books, engagement_queries, finance_queries

_LIFETIME_REACH = timedelta(days=45)
"""A lifetime value is told of a period if it was worked out so long before its end, or later."""

EXISTS_WITH = (BILLING, state_name(ENGAGEMENT, Grain.DAY), state_name(HEALTH, Grain.DAY))
"""Days with any of these have a report: where people used the app and nobody was billed, it says so."""


def gather_financial(pipeline: Pipeline, subject: Subject) -> FinancialInputs | None:
    """What the report is made from, or ``None`` where nothing at all is known of its days."""
    window = subject.window
    before = previous_window(subject.period, window)
    period, span = evidence_of(subject.period, window)
    with pipeline.warehouse.transaction() as connection:
        if not _has_any(connection, window):
            return None
        days = billing_days(connection)
        if subject.period is not None:
            current, previous = (_period(connection, subject.period, part) for part in (window, before))
        else:
            previous, current = _ranges(pipeline, connection, (before, window))
        history = _history(connection, period, span)
        datasets = (BILLING_EVENTS,) if days else ()
        common = common_inputs(pipeline, connection, subject, datasets=datasets, rests_on=(BILLING,))
        come = arrivals(connection, (BILLING_EVENTS,), window, delay=pipeline.settings.period.delay)
    inside = [day for day in days if window.first_day <= day <= window.last_day]
    newest = max(days, default=None)
    up_to_date = 0 if newest is None else (min(newest, window.last_day) - window.first_day).days + 1
    return FinancialInputs(
        **common,
        current=current,
        previous=previous if previous.whole else None,
        period=period,
        history=history,
        billing_days=len(inside),
        days_up_to_date=max(up_to_date, 0),
        arrivals=come,
    )


def _has_any(connection: Connection, window: Window) -> bool:
    return any(
        record.rows
        for asset in EXISTS_WITH
        for record in books.partition_records(connection, asset, window=window).values()
    )


def _period(connection: Connection, period: Period, window: Window) -> PeriodRevenue:
    rows = finance_queries.revenue(connection, period=period, window=window, has_plans=True)
    active = engagement_queries.activity(connection, period=period, window=window)
    found = PeriodRevenue(window, _cells(rows), active[0]["active_people"] if active else None)
    return _with_lifetime(connection, found)


def _ranges(pipeline: Pipeline, connection: Connection, windows: Sequence[Window]) -> list[PeriodRevenue]:
    found = []
    revenue, people = range_revenue(pipeline, windows), range_active_people(pipeline, windows)
    for window, rows, active in zip(windows, revenue, people, strict=True):
        days = books.partition_records(connection, state_name(ENGAGEMENT, Grain.DAY), window=window)
        is_known = any(record.rows for record in days.values())
        one = PeriodRevenue(window, _cells(rows), active if is_known else None)
        found.append(_with_lifetime(connection, one))
    return found


def _with_lifetime(connection: Connection, one: PeriodRevenue) -> PeriodRevenue:
    end = one.window.end
    rows = finance_queries.lifetime_values(connection, first=(end - _LIFETIME_REACH).date(), last=end.date())
    return replace(one, lifetimes={row["currency"]: _lifetime(row) for row in rows})  # the last one stands


def _history(connection: Connection, period: Period, span: Window) -> list[PeriodRevenue]:
    """All periods that start in a span, in order, without plans; lifetime values where one is of a period's end."""
    by_start: dict[datetime, list[Mapping[str, Any]]] = defaultdict(list)
    for row in finance_queries.revenue(connection, period=period, window=span, has_plans=False):
        by_start[row["period_start"]].append(row)
    active = {
        row["period_start"]: row["active_people"]
        for row in engagement_queries.activity(connection, period=period, window=span)
    }
    values: dict[date, dict[str, Lifetime]] = defaultdict(dict)
    if period is Period.MONTHLY:  # they are worked out where months begin
        rows = finance_queries.lifetime_values(connection, first=span.first_day, last=span.end.date())
        for row in rows:
            values[row["as_of"]][row["currency"]] = _lifetime(row)
    return [
        PeriodRevenue(
            part, _cells(by_start[part.start]), active.get(part.start), values.get(part.end.date(), {})
        )
        for part in period.windows(span)
    ]


def _lifetime(row: Mapping[str, Any]) -> Lifetime:
    value = row["lifetime_value_minor"]
    return Lifetime(
        as_of=row["as_of"],
        people=row["people"],
        value=None if value is None else value / minor_units(row["currency"]),
        payments=row["expected_payments"],
        fitted_people=row["fitted_people"],
        reason=row["reason"],
    )


def _cells(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Revenue]:
    return {(row["currency"], row["plan"]): _revenue(row) for row in rows}


def _revenue(row: Mapping[str, Any]) -> Revenue:
    currency = row["currency"]
    unit = 1 if currency == EVERYTHING else minor_units(currency)

    def amount(people: str, minor: str) -> Amount:
        return Amount(row[people], (row[minor] or 0) / unit)

    return Revenue(
        currency=currency,
        plan=row["plan"],
        opening=amount("opening_people", "opening_minor"),
        closing=amount("closing_people", "closing_minor"),
        new=amount("new_people", "new_minor"),
        reactivated=amount("reactivated_people", "reactivated_minor"),
        expanded=amount("expanded_people", "expansion_minor"),
        contracted=amount("contracted_people", "contraction_minor"),
        churned=amount("churned_people", "churned_minor"),
        paid=amount("payers", "paid_minor"),
        payments=row["payments"],
        failed_payments=row["failed_payments"],
        failing_people=row["failing_people"],
        refunded=amount("refunded_people", "refunded_minor"),
        refunds=row["refunds"],
        events=row["events"],
        events_without_amount=row["events_without_amount"],
    )


def _reads(period: Period) -> tuple[Reading, ...]:
    return (
        Reading(REVENUE_ASSET, Reach.BESIDE),
        Reading(BILLING, Reach.BEFORE),
        Reading(state_name(HEALTH, Grain.DAY), Reach.INSIDE),
        Reading(figures_name(ENGAGEMENT_GROUPS, period), Reach.OWN),
        *(
            Reading(figures_name(ENGAGEMENT_GROUPS, short), Reach.TREND, short)
            for short in (Period.DAILY, Period.WEEKLY, Period.MONTHLY)
        ),
    )


FINANCIAL_RECIPE = ReportRecipe(
    report_type=FINANCIAL,
    exists_with=lambda _period: EXISTS_WITH,
    reads=_reads,
    gather=gather_financial,
    build=lambda inputs, stamp: financial(inputs, stamp=stamp),
)
