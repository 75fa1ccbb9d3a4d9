"""Notifications: which people get when, and which of them bring a visit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from healthmate_bi_pipeline.sources.demo.clocks import Integers, Times, as_minutes
from healthmate_bi_pipeline.sources.demo.visits import Visits
from healthmate_bi_pipeline.sources.demo.world import World

NOTIFICATIONS = ("medication_reminder", "weekly_summary", "goal_nudge", "new_content", "we_miss_you")
CAMPAIGN = len(NOTIFICATIONS) - 1
_UNOPENED_A_DAY = np.array([0.12, 0.03])  # of who uses the app, of who does not any more
_EARLIEST_HOUR, _LATEST_HOUR, _CAMPAIGN_HOUR = 8.0, 20.5, 10.0
_LONGEST_MINUTES_TO_OPEN = 25.0


@dataclass(frozen=True)
class Notifications:
    """Notifications received, one value each, and the visits that they brought.

    Attributes:
        person: number of the person in the block.
        day: number of the day.
        utc: when it came.
        name: place in ``NOTIFICATIONS``.
        number: of its day and person, from 0.
        opened_visit: the visits that began by opening one.
        opened_name: which one.
    """

    person: Integers
    day: Integers
    utc: Times
    name: Integers
    number: Integers
    opened_visit: Integers
    opened_name: Integers


def draw_notifications(world: World, visits: Visits) -> Notifications:
    """Draw notifications: some minutes before visits, and others that nobody opened.

    A visit that a notification brings is one that would have been anyway: nobody is more often there for it,
    but for the campaign.
    """
    rng, people, use = world.block.rng("notifications"), world.people, world.app_use
    returns = (visits.day == use.returns_on[visits.person]) & visits.is_first_of_day()
    response = rng.beta(1.5, 2.5, len(people))
    brings = (rng.random(len(visits)) < 0.6 * response[visits.person]) & ~returns
    brought = np.flatnonzero(brings)
    wait = as_minutes(rng.uniform(0.5, _LONGEST_MINUTES_TO_OPEN, len(brought)))
    opened_name = rng.integers(0, CAMPAIGN, len(brought))
    day = np.arange(world.block.span.days)
    is_away = use.is_away_on(np.arange(len(people))[:, None], day).astype(int)
    gets = (rng.random(world.block.shape) < _UNOPENED_A_DAY[is_away]) & (day >= people.first_day[:, None])
    unopened = world.moments(gets, rng.uniform(_EARLIEST_HOUR, _LATEST_HOUR, gets.shape))
    addressed = np.flatnonzero(use.is_addressed)
    on = np.full(len(addressed), world.roles.calendar.campaign)
    hour = _CAMPAIGN_HOUR + rng.uniform(0, 0.2, len(people))[addressed]
    campaign = world.moments_of(addressed, on if len(addressed) else on[:0], hour)
    person = np.concatenate([visits.person[brought], unopened.person, campaign.person])
    days = np.concatenate([visits.day[brought], unopened.day, campaign.day])
    name = np.concatenate(
        [opened_name, rng.integers(0, CAMPAIGN, len(unopened)), np.full(len(campaign), CAMPAIGN)]
    )
    # A visit's has the number of the part of the day, a campaign's and one that nobody opened their own.
    number = np.concatenate([visits.part[brought], np.full(len(unopened), 8), np.full(len(campaign), 9)])
    return Notifications(
        person=person,
        day=days,
        utc=np.concatenate([visits.start[brought] - wait, unopened.utc, campaign.utc]),
        name=name,
        number=number,
        opened_visit=np.concatenate([brought, np.flatnonzero(returns)]),
        opened_name=np.concatenate([opened_name, np.full(int(returns.sum()), CAMPAIGN)]),
    )
