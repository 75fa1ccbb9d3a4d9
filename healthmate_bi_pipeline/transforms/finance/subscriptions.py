"""Billing events → when each subscription began to recur what, and when it stopped; see ``domain/revenue``."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.finance import EVERYTHING, UNKNOWN_PLAN
from healthmate_bi_pipeline.domain.revenue import CANCELLED_EVENT, PAYMENT_EVENTS
from healthmate_bi_pipeline.settings import FinanceSettings
from healthmate_bi_pipeline.transforms.columns import union_all

LINE = ["user_id", "currency"]
_STEP = ("user_id", "currency", "at", "event_id", "plan", "recurs")


def over_all_currencies(events: ir.Table) -> ir.Table:
    """The same events as if there were one currency, in which everybody pays 1: for counting people.

    Args:
        events: rows of ``raw/billing_events``.
    """
    known = events.amount_minor.notnull() & events.currency.notnull()
    unit = known.ifelse((events.amount_minor > 0).cast("int64"), ibis.null("int64"))
    return events.mutate(amount_minor=unit, currency=ibis.literal(EVERYTHING))


def changes(events: ir.Table, rules: FinanceSettings) -> ir.Table:
    """When what recurs of a subscription changed: one row per change, none where it stayed the same.

    Args:
        events: rows of ``raw/billing_events``, or ``over_all_currencies`` of them.
        rules: how long a payment lasts.

    Returns:
        user_id, currency, at, number (rising in time within a subscription), before and after (what recurs, 0:
        nothing) with their plans, first_paid_at.
    """
    steps = _numbered(_steps(events))
    lasts = ibis.interval(days=rules.paid_days + rules.grace_days)
    has_lapsed = steps.before_at.isnull() | (steps.before_at + lasts < steps["at"])
    of_events = steps.select(
        *LINE,
        "at",
        number=steps.place * 2,
        before=has_lapsed.ifelse(0, steps.before_recurs),
        before_plan=has_lapsed.ifelse("", steps.before_plan),
        after=steps.recurs,
        after_plan=(steps.recurs > 0).ifelse(steps.plan, ""),
    )
    end = steps["at"] + lasts
    lapsing = steps.filter((steps.recurs > 0) & (steps.next_at.isnull() | (steps.next_at > end)))
    of_silence = lapsing.select(
        *LINE,
        at=lapsing["at"] + lasts,
        number=lapsing.place * 2 + 1,
        before=lapsing.recurs,
        before_plan=lapsing.plan,
        after=ibis.literal(0, type="int64"),
        after_plan=ibis.literal(""),
    )
    both = union_all((of_events, of_silence))
    same_plan = (both.before_plan == both.after_plan) | (both.before + both.after == 0)
    moved = both.filter((both.before != both.after) | ~same_plan)
    first = steps.filter(steps.recurs > 0).group_by(LINE).agg(first_paid_at=ibis._["at"].min())
    return moved.join(first, LINE)


def _steps(events: ir.Table) -> ir.Table:
    """Payments, and cancellations with nothing that recurs; one that names no currency ends them all."""
    plan = events.plan.fill_null(UNKNOWN_PLAN)
    told = events.select(
        "user_id", "event_id", "event", "currency", "amount_minor", at=events.occurred_at, plan=plan
    )
    paid = told.filter(
        told.event.isin(PAYMENT_EVENTS) & told.amount_minor.notnull() & told.currency.notnull()
    ).rename(recurs="amount_minor")
    lines = paid.select(*LINE).distinct()
    cancelled = told.filter(told.event == CANCELLED_EVENT).rename(own="currency")
    ended = cancelled.join(lines, "user_id")
    ended = ended.filter(ended.own.isnull() | (ended.own == ended.currency))
    nothing: Any = ibis.literal(0, type="int64")
    return union_all((paid.select(*_STEP), ended.mutate(recurs=nothing).select(*_STEP)))


def _numbered(steps: ir.Table) -> ir.Table:
    order = ibis.window(group_by=LINE, order_by=["at", "event_id"])
    return steps.mutate(
        place=ibis.row_number().over(order).cast("int64"),
        before_at=steps["at"].lag().over(order),
        before_recurs=steps.recurs.lag().over(order),
        before_plan=steps.plan.lag().over(order),
        next_at=steps["at"].lead().over(order),
    )


def running(moves: ir.Table, moments: ir.Table) -> ir.Table:
    """The subscriptions that run at some moments: moment, user_id, currency, recurs.

    Args:
        moves: from ``changes``.
        moments: column ``moment``.
    """
    before = moves.join(moments, moves["at"] < moments.moment)
    last = before.group_by(["moment", *LINE]).agg(recurs=before.after.argmax(before.number))
    return last.filter(last.recurs > 0)
