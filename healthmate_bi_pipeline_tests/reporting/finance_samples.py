"""Inputs of the finance report for the tests; the numbers are known here."""

from dataclasses import replace
from datetime import date, datetime

from healthmate_bi_pipeline.catalog.reports import FINANCIAL
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.financial.inputs import (
    Amount,
    FinancialInputs,
    Lifetime,
    PeriodRevenue,
    Revenue,
)
from healthmate_bi_pipeline.reporting.inputs import Arrivals
from healthmate_bi_pipeline_tests.reporting.samples import GROUPS, quality

MARCH = Period.MONTHLY.window(datetime(2026, 3, 5))
PRICE = 7.99
MOVES = {"new": 40, "reactivated": 15, "expanded": 20, "contracted": 14, "churned": 30}


def cell(currency, plan, *, opening=400, moves=MOVES, price=PRICE, failing=24):
    """A currency with so many subscriptions at the start and so many movements."""
    moved = {kind: Amount(people, people * price) for kind, people in moves.items()}
    moved["expanded"] = Amount(moves["expanded"], moves["expanded"] * 5.0)
    moved["contracted"] = Amount(moves["contracted"], moves["contracted"] * 5.0)
    closing = opening + moves["new"] + moves["reactivated"] - moves["churned"]
    money = (
        opening * price
        + sum(moved[kind].money for kind in ("new", "reactivated", "expanded"))
        - sum(moved[kind].money for kind in ("contracted", "churned"))
    )
    return Revenue(
        currency=currency,
        plan=plan,
        opening=Amount(opening, opening * price),
        closing=Amount(closing, money),
        paid=Amount(closing, closing * price),
        payments=closing,
        failed_payments=failing,
        failing_people=failing,
        refunded=Amount(12, 12 * price),
        refunds=12,
        events=closing + failing + 12,
        events_without_amount=2,
        **moved,
    )


def whole_of(*cells):
    """People and payments over all currencies."""
    counted = {
        name: Amount(sum(getattr(one, name).people for one in cells))
        for name in ("opening", "closing", "new", "reactivated", "churned", "paid", "refunded")
    }
    summed = {
        name: sum(getattr(one, name) for one in cells)
        for name in (
            "payments",
            "failed_payments",
            "failing_people",
            "refunds",
            "events",
            "events_without_amount",
        )
    }
    return Revenue("*", "*", **counted, **summed)


def one_period(window, *, euro=400, dollar=150, plans=(300, 100), failing=24):
    """A period of two currencies, the euro's with two plans."""
    of_euro, of_dollar = (
        cell("EUR", "*", opening=euro, failing=failing),
        cell("USD", "*", opening=dollar, price=8.99),
    )
    by_plan = {
        ("EUR", plan): replace(
            of_euro,
            plan=plan,
            closing=Amount(people, people * PRICE),
            paid=Amount(people, people * PRICE),
            refunded=Amount(0, 0.0),
        )
        for plan, people in zip(("family", "plus"), plans, strict=True)
    }
    return PeriodRevenue(
        window,
        {
            ("*", "*"): whole_of(of_euro, of_dollar),
            ("EUR", "*"): of_euro,
            ("USD", "*"): of_dollar,
            **by_plan,
        },
        active_people=2_000,
        lifetimes={
            "EUR": Lifetime(
                date(2026, 4, 1), euro, 171.3, 20.4, 900, "2 of 5 starts came to the same maximum"
            ),
            "USD": Lifetime(
                date(2026, 4, 1), dollar, 181.9, 20.1, 900, "2 of 5 starts came to the same maximum"
            ),
        },
    )


def inputs(*, settings=GROUPS, current=None, **changes):
    """Inputs of a report on March; ``changes`` replace fields."""
    months = [Period.MONTHLY.window(datetime(2025 + month // 12, month % 12 + 1, 1)) for month in range(15)]
    values = {
        "report_type": FINANCIAL,
        "cadence": "monthly",
        "window": MARCH,
        "settings": settings,
        "as_of": datetime(2026, 3, 31, 20),
        "is_complete": True,
        "quality": [quality(dataset="billing_events")],
        "input_versions": {"raw/billing_events": 11},
        "current": current or one_period(MARCH),
        "previous": one_period(months[-2], euro=390),
        "period": Period.MONTHLY,
        "history": [one_period(window, euro=380 + number) for number, window in enumerate(months)],
        "billing_days": 31,
        "days_up_to_date": 31,
        "arrivals": {"one": Arrivals(31, 31)},
    }
    return FinancialInputs(**(values | changes))


def without_billing():
    """The same month without a single billing event."""
    empty = PeriodRevenue(MARCH, {}, active_people=2_000)
    return inputs(
        current=empty, previous=None, history=[], quality=[], as_of=None, billing_days=0, days_up_to_date=0
    )
