"""``billing_events`` of the demo: what people paid for their plans, every 30 days, and when they stopped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo.clocks import NEVER, Flags, Integers, as_minutes
from healthmate_bi_pipeline.sources.demo.people import FAMILY, FREE, PLANS, PLUS
from healthmate_bi_pipeline.sources.demo.places import CURRENCIES, CURRENCY_OF_PLACE, PRICE_FACTORS
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
from healthmate_bi_pipeline.sources.demo.world import World

BILLING = FileStyle("billing_events", "billing", Format.CSV, Clock.UTC)

EVENTS = (STARTED, RENEWED, UPGRADED, DOWNGRADED, CANCELLED, FAILED, REFUNDED) = (
    "started", "renewed", "upgraded", "downgraded", "cancelled", "payment_failed", "refunded",
)  # fmt: skip
_CODE = {event: code for code, event in enumerate(EVENTS)}
_MONTHLY_MINOR = {FREE: 0, PLUS: 799, FAMILY: 1_299}
_PRICES = np.array([_MONTHLY_MINOR[plan] for plan in PLANS])
PRICE_RISE = 1.25
_DAYS_OF_A_PERIOD, _DAYS_TO_RETRY = 30, 3
_FAILED_SHARE, _REFUNDED_SHARE = 0.03, 0.006
_PLUS = PLANS.index(PLUS)


@dataclass(frozen=True)
class _Bills:
    """Events of one kind: whose, on which day, minutes behind its midnight (UTC), what."""

    person: Integers
    day: Integers
    minute: Integers
    event: Integers


def billing_events(world: World) -> DemoRows:
    """The events of who has an account record."""
    rng, plans = world.block.rng("billing"), world.subscriptions
    count, days = len(world.people), world.block.span.days
    minute = rng.integers(721, 1_440, count)  # of the day, each at their own; records change at noon
    rises = _PRICES[plans.next_plan] > _PRICES[plans.first_plan]
    changes = (plans.changes_on < NEVER) & (plans.first_plan != PLANS.index(FREE))
    ends = np.minimum(plans.cancelled_on, days)
    period = np.arange(1, (days + 600) // _DAYS_OF_A_PERIOD + 2)
    renewal = plans.started_on[:, None] + period * _DAYS_OF_A_PERIOD
    person, place = np.nonzero(renewal < ends[:, None])
    due = renewal[person, place]
    chance = rng.random(len(person))
    fails, refunds = chance < _FAILED_SHARE, chance > 1 - _REFUNDED_SHARE
    paid = due + _DAYS_TO_RETRY * fails
    bills = [
        _once(plans.started_on, minute, _CODE[STARTED]),
        _once(np.where(changes & rises, plans.changes_on, NEVER), minute, _CODE[UPGRADED]),
        _once(np.where(changes & ~rises, plans.changes_on, NEVER), minute, _CODE[DOWNGRADED]),
        _once(plans.cancelled_on, minute, _CODE[CANCELLED]),
        _of_renewals(person, paid, minute, paid < ends[person], RENEWED),
        _of_renewals(person, due, minute, fails, FAILED),
        _of_renewals(person, paid + 1, minute, refunds & (paid + 1 < ends[person]), REFUNDED),
    ]
    person, day, at, event = (
        np.concatenate([getattr(each, name) for each in bills])
        for name in ("person", "day", "minute", "event")
    )
    inside = (day >= 0) & (day < days) & world.people.is_registered[person]
    order = np.flatnonzero(inside)[np.lexsort([day[inside], person[inside]])]
    return _rows(world, person[order], day[order], minute=at[order], event=event[order])


def _once(day: Integers, minute: Integers, event: int) -> _Bills:
    person = np.flatnonzero(day < NEVER)
    return _Bills(person, day[person], minute[person], np.full(len(person), event))


def _of_renewals(person: Integers, day: Integers, minute: Integers, is_there: Flags, event: str) -> _Bills:
    found = np.flatnonzero(is_there)
    return _Bills(person[found], day[found], minute[person[found]], np.full(len(found), _CODE[event]))


def _rows(world: World, person: Integers, day: Integers, *, minute: Integers, event: Integers) -> DemoRows:
    """The rows; a cancellation and what did not come in have no amount, and name the plan that they end."""
    span, place = world.block.span, world.people.home[person]
    utc = span.midnights[day] + as_minutes(minute)
    is_end = event == _CODE[CANCELLED]
    plan = world.subscriptions.plan_on(person, day - is_end)
    is_raised = (plan == _PLUS) & (day >= world.roles.calendar.price_change)
    price = _PRICES[plan] * PRICE_FACTORS[place] * np.where(is_raised, PRICE_RISE, 1.0)
    amount = np.where(np.isin(event, [_CODE[CANCELLED], _CODE[FAILED]]), 0, np.round(price)).astype(np.int64)
    dates = pa.array(span.dates[day].astype(str))
    table = pa.table(
        {
            "user_id": pa.array(world.users_of(person)),
            "event_id": joined("b-", pa.array(world.users_of(person)), "-", dates, "-", pa.array(event)),
            "event": coded(event, EVENTS),
            "plan": coded(plan, PLANS),
            "amount_minor": pa.array(amount),
            "currency": coded(CURRENCY_OF_PLACE[place], CURRENCIES),
            "occurred_at": instants(utc),
            "source": same("billing", len(person)),
        }
    )
    return DemoRows(BILLING, person, day, table, utc)
