"""Who pays for which plan from when to when: what ``users.plan`` and the billing events are made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from healthmate_bi_pipeline.sources.demo.block import Block
from healthmate_bi_pipeline.sources.demo.clocks import NEVER, Flags, Integers, Numbers
from healthmate_bi_pipeline.sources.demo.people import FAMILY, FREE, PLANS, PLUS, People
from healthmate_bi_pipeline.sources.demo.roles import Calendar

PRICE_LEAVER_SHARE, PRICE_LEAVING_DAYS = 0.45, 42
_FREE, _PLUS, _FAMILY = (PLANS.index(plan) for plan in (FREE, PLUS, FAMILY))
_CHANGE_SHARES = np.array([0.1, 0.08, 0.12])  # free → plus, plus → family, family → plus
_CHANGED_TO = np.array([_PLUS, _FAMILY, _PLUS])
_CANCELS_AFTER_LEAVING = 0.7


@dataclass(frozen=True)
class Subscriptions:
    """Plans, one value per person of a block; days by their numbers, ``NEVER`` for what does not come.

    Attributes:
        first_plan: place in ``PLANS``.
        started_on: the first day of paying, below 0 for who paid before the demo.
        changes_on: the day of a change to another plan that costs something.
        next_plan: the plan from then on.
        cancelled_on: the last change, to the free plan.
        is_hit_by_price: paid for "plus" on the day on which its price rose.
        leaves_for_price: cancels for that reason.
    """

    first_plan: Integers
    started_on: Integers
    changes_on: Integers
    next_plan: Integers
    cancelled_on: Integers
    is_hit_by_price: Flags
    leaves_for_price: Flags

    def plan_on(self, person: Integers, day: Integers) -> Integers:
        """The plan of people on days."""
        plan = np.where(day >= self.changes_on[person], self.next_plan[person], self.first_plan[person])
        return np.where(day >= self.cancelled_on[person], _FREE, plan)


def draw_subscriptions(
    block: Block, people: People, calendar: Calendar, *, falls_away: Integers
) -> Subscriptions:
    """Draw plans: some change theirs, and most who fall away cancel a while later.

    Args:
        block: of the people.
        people: who.
        calendar: the price change.
        falls_away: from which day on they do not open the app, but for the price change.
    """
    rng, count, days = block.rng("subscriptions"), len(people), block.span.days
    first_plan = np.select([people.plan == plan for plan in PLANS], [_FREE, _PLUS, _FAMILY])
    changes_on = _changes(rng, people, first_plan, days)
    next_plan = np.where(changes_on < NEVER, _CHANGED_TO[first_plan], first_plan)
    started_on = np.where(first_plan == _FREE, changes_on, people.first_day - people.account_age_days)
    cancels = (rng.random(count) < _CANCELS_AFTER_LEAVING) & (falls_away < NEVER) & (started_on < NEVER)
    cancelled_on = np.where(cancels, falls_away + rng.integers(2, 60, count), NEVER)
    cancelled_on = np.where(cancelled_on < days, cancelled_on, NEVER)
    changes_on = np.where(changes_on < cancelled_on, changes_on, NEVER)
    started_on = np.where(first_plan == _FREE, changes_on, started_on)
    cancelled_on = np.where(started_on < NEVER, cancelled_on, NEVER)
    everyone, price_day = np.arange(count), np.full(count, calendar.price_change)
    drawn = Subscriptions(
        first_plan, started_on, changes_on, next_plan, cancelled_on, np.zeros(count, bool), np.zeros(count, bool)
    )  # fmt: skip
    is_hit = (calendar.price_change < NEVER) & (people.first_day < price_day) & people.is_registered
    is_hit &= drawn.plan_on(everyone, price_day) == _PLUS
    leaves = is_hit & (rng.random(count) < PRICE_LEAVER_SHARE)
    leaves_on = price_day + rng.integers(1, PRICE_LEAVING_DAYS, count)
    return Subscriptions(
        first_plan=first_plan,
        started_on=started_on,
        changes_on=np.where(leaves & (changes_on > leaves_on), NEVER, changes_on),
        next_plan=next_plan,
        cancelled_on=np.where(leaves, np.minimum(leaves_on, cancelled_on), cancelled_on),
        is_hit_by_price=is_hit,
        leaves_for_price=leaves,
    )


def _changes(rng: np.random.Generator, people: People, plan: Integers, days: int) -> Integers:
    """The day on which some change their plan; while they are there, and before any price changes."""
    share: Numbers = rng.uniform(0.1, 0.65, len(people))
    day = people.first_day + 7 + (share * np.maximum(days - people.first_day, 0)).astype(np.int64)
    changes = (rng.random(len(people)) < _CHANGE_SHARES[plan]) & (day < 0.7 * days) & people.is_registered
    return np.where(changes, day, NEVER)
