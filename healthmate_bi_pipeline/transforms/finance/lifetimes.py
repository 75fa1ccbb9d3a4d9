"""Payments → the patterns that BG/BB knows subscriptions by.

Opportunities are the dates on which a payment is due, every ``paid_days`` after the first one; each takes in the
days that are nearer to it than to the next, so that a payment that comes in late is still that one. The first payment
is where a subscription comes from and is no opportunity.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from healthmate_bi_pipeline.domain.revenue import PAYMENT_EVENTS
from healthmate_bi_pipeline.settings import FinanceSettings
from healthmate_bi_pipeline.transforms.finance.subscriptions import LINE, running

PATTERN = ["active", "last_active", "opportunities"]
_DAY = 86_400.0


def moment_table(moments: Sequence[datetime]) -> pa.Table:
    """Moments: moment."""
    return pa.table({"moment": pa.array(list(moments), pa.timestamp("us"))})


def paying_patterns(
    events: ir.Table, moves: ir.Table, moments: ir.Table, *, rules: FinanceSettings
) -> ir.Table:
    """How many subscriptions had which pattern of payments at some moments, and what those that run recur.

    Args:
        events: rows of ``raw/billing_events``.
        moves: from ``changes``.
        moments: ``moment_table``.
        rules: how long a payment lasts.

    Returns:
        moment, currency, active, last_active, opportunities, is_running, subscriptions, recurs: their sum.
    """
    is_payment = events.event.isin(PAYMENT_EVENTS) & (events.amount_minor > 0) & events.currency.notnull()
    paid = events.filter(is_payment).select(*LINE, at=events.occurred_at)
    first = paid.group_by(LINE).agg(first_at=ibis._["at"].min())
    timed = paid.join(first, LINE)
    due = timed.mutate(number=_periods(timed["at"], timed.first_at, rules, shift=0.5))
    seen = due.join(moments, due["at"] < moments.moment)
    past = seen.mutate(
        opportunities=ibis.greatest(_periods(seen.moment, seen.first_at, rules, shift=-0.5), 0)
    )
    counted = (seen.number >= 1) & (seen.number <= past.opportunities)
    of_lines = past.mutate(is_counted=counted).group_by(["moment", *LINE, "opportunities"]).agg(
        active=ibis._.number.nunique(where=ibis._.is_counted),
        last_active=ibis._.number.max(where=ibis._.is_counted).fill_null(0),
    )  # fmt: skip
    now = running(moves, moments).rename(at_moment="moment", of_user="user_id", of_currency="currency")
    keys = [("moment", "at_moment"), ("user_id", "of_user"), ("currency", "of_currency")]
    known = of_lines.left_join(now, keys)
    told = known.mutate(is_running=known.recurs.notnull(), recurs=known.recurs.fill_null(0))
    by = ["moment", "currency", *PATTERN, "is_running"]
    return told.group_by(by).agg(subscriptions=told.count(), recurs=told.recurs.sum()).order_by(by)


def _periods(moment: Any, start: Any, rules: FinanceSettings, *, shift: float) -> Any:
    """How many paid periods lie between two moments, from the middle of one to that of the next."""
    seconds = moment.delta(start, unit="second").cast("float64")
    return (seconds / (_DAY * rules.paid_days) + shift).floor().cast("int64")
