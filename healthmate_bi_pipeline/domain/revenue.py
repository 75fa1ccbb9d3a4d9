"""What recurring revenue is at a moment, and how it moves from one moment to another.

A **subscription** is what one person pays in one currency. Every payment (``started``, ``renewed``, ``upgraded``,
``downgraded`` with an amount above 0) pays for ``paid_days`` (30), and its amount is what recurs from then on. At a
moment the subscription **runs** if the last of its events before that moment is a payment, and no more than
``paid_days + grace_days`` (30 + 7) have passed since: a payment that fails and is made up for within the days of
grace is no loss and no gain. It ends with ``cancelled``, with an amount of 0, or silently when the days of grace are
over. A refund pays money back and ends nothing.

**Monthly recurring revenue** (MRR) at a moment is the sum of what recurs of all subscriptions that run then, per
paid period of 30 days. Currencies are never added up.

**Movements** compare two moments per subscription, the start and the end of a period:

===============  =========================  =============================================================
movement         what recurs, then and now  amount
===============  =========================  =============================================================
new              nothing, something         all of it, where nothing had ever been paid before the period
reactivation     nothing, something         all of it, where something had
expansion        something, more            the difference: a dearer plan or a higher price
contraction      something, less            the difference
churned          something, nothing         all of it
===============  =========================  =============================================================

so that, exactly: MRR at the end = MRR at the start + new + reactivation + expansion - contraction - churned.
Who comes and goes between the two moments is in neither of them; so the movements of days do not add up to those of
their month. Of one plan there are two more: what subscribers bring along from another plan (``moved_in``), and what
they take away to one (``moved_out``). Over all plans these are nought.

All moments are UTC. Own definitions (``origin: own``) after the common use of these words in subscription business.
"""

from __future__ import annotations

from enum import StrEnum

PAYMENT_EVENTS = ("started", "renewed", "upgraded", "downgraded")
"""Events that pay for a period, where they have an amount above 0."""

CANCELLED_EVENT, FAILED_EVENT, REFUND_EVENT = "cancelled", "payment_failed", "refunded"

DAYS_OF_YEAR = 365.0


class Movement(StrEnum):
    """What became of a subscription between two moments."""

    NEW = "new"
    REACTIVATION = "reactivation"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURNED = "churned"


def movement(before: int, after: int, *, has_paid_before: bool) -> tuple[Movement, int] | None:
    """The movement of one subscription and its amount, or ``None`` where nothing changed.

    Args:
        before: what recurred at the first moment; 0: nothing.
        after: what recurs at the second.
        has_paid_before: whether anything had ever been paid before the first moment.

    >>> movement(799, 1299, has_paid_before=True)
    (<Movement.EXPANSION: 'expansion'>, 500)
    >>> movement(0, 799, has_paid_before=False), movement(799, 799, has_paid_before=True)
    ((<Movement.NEW: 'new'>, 799), None)
    """
    if before == after:
        return None
    if before == 0:
        return (Movement.REACTIVATION if has_paid_before else Movement.NEW), after
    if after == 0:
        return Movement.CHURNED, before
    return (Movement.EXPANSION, after - before) if after > before else (Movement.CONTRACTION, before - after)


def discount_per_period(yearly: float, *, days: int) -> float:
    """The discount rate of a paid period that a yearly one comes to, compounded.

    >>> round(discount_per_period(0.10, days=30), 5)
    0.00786
    """
    return float((1 + yearly) ** (days / DAYS_OF_YEAR) - 1)
