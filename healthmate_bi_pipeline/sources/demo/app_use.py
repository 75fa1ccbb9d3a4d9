"""On which days people open the app: arrays of people × days, and what the stories do to it.

People have weeks in which they open the app and weeks in which they do not (``lifetimes``). In a week in
which they do, they open it on at least one day, and the more interested they are, on the more of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from healthmate_bi_pipeline.sources.demo.block import Block
from healthmate_bi_pipeline.sources.demo.clocks import NEVER, Flags, Integers, Numbers
from healthmate_bi_pipeline.sources.demo.people import People
from healthmate_bi_pipeline.sources.demo.roles import Calendar
from healthmate_bi_pipeline.sources.demo.subscriptions import Subscriptions

LAPSED_DAYS, ADDRESSED_SHARE, RETURN_SHARE, RETURN_DAYS = 28, 2 / 3, 0.4, 4
LAUNCH_AGE, ADOPTER_SHARE, OLDER_ADOPTER_SHARE, ADOPTION_DAYS = 50, 0.7, 0.1, 45.0
_SECOND_DROPOUT = 0.08  # a week, of those who came back


@dataclass(frozen=True)
class AppUse:
    """Days by their numbers, ``NEVER`` for what does not come.

    Attributes:
        is_open: whether a person opens the app on a day: people × days.
        falls_away: from this day on a person does not open it, the first time.
        is_addressed: had fallen away and got the notification of the campaign.
        is_held_out: had fallen away and got none, to compare with.
        returns_on: the day on which who was addressed opens the app again.
        leaves_again: from which day on they do not, once more.
        is_young: is of the ages that the launched feature is made for.
        adopts_from: the day from which on a person uses the launched feature.
    """

    is_open: Flags
    falls_away: Integers
    is_addressed: Flags
    is_held_out: Flags
    returns_on: Integers
    leaves_again: Integers
    is_young: Flags
    adopts_from: Integers

    def is_away_on(self, person: Integers, day: Integers) -> Flags:
        """Whether people have fallen away by days, and not come back."""
        left = (day >= self.falls_away[person]) & (day < self.returns_on[person])
        away: Flags = left | (day >= self.leaves_again[person])
        return away


def draw_app_use(
    block: Block,
    people: People,
    calendar: Calendar,
    *,
    subscriptions: Subscriptions,
    falls_away: Integers,
) -> AppUse:
    """Draw the days on which people open the app.

    Args:
        block: of the people.
        people: who.
        calendar: the stories.
        subscriptions: who cancels because of the price.
        falls_away: from which day on they do not open the app, but for the stories (``draw_lifetimes``).
    """
    span, count, day = block.span, len(people), np.arange(block.span.days)
    leaves = np.where(subscriptions.leaves_for_price, _next_monday(block, subscriptions.cancelled_on), NEVER)
    is_addressed, is_held_out, returns_on = _campaign(block, people, calendar, falls_away)
    again = _next_monday(block, returns_on)
    again = again + 7 * block.rng("second lifetimes").geometric(_SECOND_DROPOUT, count)
    again = np.where((returns_on < NEVER) & (again < span.days), again, NEVER)
    came_back = returns_on < NEVER
    falls_away = np.where(came_back, falls_away, np.minimum(falls_away, leaves))
    again = np.where(came_back, np.minimum(again, leaves), again)
    is_young = (span.first.year - people.birth_year) < LAUNCH_AGE
    use = AppUse(
        is_open=np.zeros(block.shape, dtype=bool),
        falls_away=falls_away,
        is_addressed=is_addressed,
        is_held_out=is_held_out,
        returns_on=returns_on,
        leaves_again=again,
        is_young=is_young,
        adopts_from=_adoption(block, calendar, is_young),
    )
    is_there = (day >= people.first_day[:, None]) & ~use.is_away_on(np.arange(count)[:, None], day)
    is_must = (day == people.first_day[:, None]) | (day == returns_on[:, None])
    use.is_open[:] = is_must | (_days_of_use(block, people, is_must) & is_there)
    return use


def _days_of_use(block: Block, people: People, is_must: Flags) -> Flags:
    """The days of weeks in which people open the app, as if nobody fell away; the first week is one."""
    rng, span = block.rng("app use"), block.span
    weeks = int(span.week[-1]) + 1
    is_week = rng.random((len(people), weeks)) < people.interest[:, None]
    keenness = (0.12 + 0.6 * people.interest)[:, None] * np.where(
        span.is_weekend, rng.uniform(0.5, 1.15, len(people))[:, None], 1.0
    )
    chance = rng.random(block.shape)
    # Weeks of seven days, of which the first and the last may lie half outside: the day of such a week may too.
    padded = rng.random((len(people), weeks * 7))
    padded[:, span.first.weekday() :][:, : span.days] = np.where(is_must, -1.0, chance)
    lowest = padded.reshape(len(people), weeks, 7).min(axis=2)
    is_day: Flags = (chance < keenness) | (chance == lowest[:, span.week])
    return is_day & is_week[:, span.week]


def _campaign(
    block: Block, people: People, calendar: Calendar, falls_away: Integers
) -> tuple[Flags, Flags, Integers]:
    """Who had fallen away by the day of the campaign: who of them is addressed, who is not, who returns when."""
    rng, count = block.rng("campaign"), len(people)
    is_lapsed = (calendar.campaign < NEVER) & (falls_away <= calendar.campaign - LAPSED_DAYS)
    is_addressed = is_lapsed & (rng.random(count) < ADDRESSED_SHARE)
    returns = is_addressed & (rng.random(count) < RETURN_SHARE)
    returns_on = np.where(returns, calendar.campaign + rng.integers(0, RETURN_DAYS, count), NEVER)
    return is_addressed, is_lapsed & ~is_addressed, returns_on


def _adoption(block: Block, calendar: Calendar, is_young: Flags) -> Integers:
    """From which day on people use the launched feature: the sooner the more, fewer and fewer are left."""
    rng, count = block.rng("launch"), len(is_young)
    adopts = rng.random(count) < np.where(is_young, ADOPTER_SHARE, OLDER_ADOPTER_SHARE)
    waits: Numbers = rng.exponential(ADOPTION_DAYS, count)
    adopts &= calendar.launch < NEVER
    return np.where(adopts, calendar.launch + np.floor(waits).astype(np.int64), NEVER)


def _next_monday(block: Block, day: Integers) -> Integers:
    """The first Monday after days."""
    monday = day + 7 - (block.span.first.weekday() + day) % 7
    return np.where(day < NEVER, monday, NEVER)
