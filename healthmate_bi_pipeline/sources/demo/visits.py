"""The visits of people to the app: when, how long, with what. Sessions and events are made from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from healthmate_bi_pipeline.sources.demo.clocks import Flags, Integers, Numbers, Times, as_minutes
from healthmate_bi_pipeline.sources.demo.devices import PHONE
from healthmate_bi_pipeline.sources.demo.world import World

DEVICES = (*PHONE.models, "tablet Slate", "web")
WEB = len(DEVICES) - 1
_MOST_VISITS = 4
"""On a day; each has a part of the day of its own, so that they do not overlap by much."""
_HOUR_AFTER_WAKING, _LATER_HOURS, _HOUR_NOISE = 0.5, (12.7, 17.6), 0.8
_EARLIEST_EVENING, _LATEST_EVENING = 19.5, 23.5
_PART_SHARES = np.array([0.35, 0.15, 0.2, 0.3])
_LAST_HOUR = 23.98
_MEDIAN_MINUTES, _MINUTES_NOISE = 4.0, 0.8
_BETWEEN = np.timedelta64(60, "s")
_WITHOUT_SESSION_SHARE = 0.4  # of the visits by web
_LATEST_UPDATE_DAYS = 60
_RELEASE_DAYS, _FIRST_RELEASE = 42, np.datetime64("2020-01-06", "D")


@dataclass(frozen=True)
class Visits:
    """Visits, sorted by person and start; one value each.

    Attributes:
        person: number of the person in the block.
        day: number of the wall-clock day on which it begins.
        part: of the day, 0 to 3; a person has one visit in each.
        start: UTC.
        end: UTC; behind the start, and before the person's next visit.
        device: place in ``DEVICES``.
        release: number of the version of the app.
        has_session: the app logged it; the old web client logs events only.
    """

    person: Integers
    day: Integers
    part: Integers
    start: Times
    end: Times
    device: Integers
    release: Integers
    has_session: Flags

    def __len__(self) -> int:
        return len(self.person)

    def is_first_of_day(self) -> Flags:
        """Whether it is the first one of its person on its day."""
        is_other = (np.diff(self.person) != 0) | (np.diff(self.day) != 0)
        return np.append(np.ones(min(len(self), 1), dtype=bool), is_other)

    def is_last_of_day(self) -> Flags:
        """Whether it is the last one."""
        return np.append(self.is_first_of_day()[1:], np.ones(min(len(self), 1), dtype=bool))


def draw_visits(world: World) -> Visits:
    """Draw the visits of the days on which people open the app: at hours of the day that are their own."""
    rng, people, shape = world.block.rng("visits"), world.people, world.block.shape
    extra = rng.poisson((0.1 + 0.7 * people.interest)[:, None], shape)
    count = np.minimum(1 + extra, _MOST_VISITS)
    taste = rng.dirichlet(_PART_SHARES * 8, shape[0])
    # The parts of a day by a lottery in which each has the person's weight.
    tickets = rng.random((*shape, _MOST_VISITS)) ** (1 / np.maximum(taste, 1e-6))[:, None, :]
    place = np.argsort(np.argsort(-tickets, axis=2), axis=2)
    person, day, part = np.nonzero(world.app_use.is_open[:, :, None] & (place < count[:, :, None]))
    evening = rng.uniform(_EARLIEST_EVENING, _LATEST_EVENING, shape[0])  # of each their own
    later = (np.full(len(person), hour) for hour in _LATER_HOURS)
    usual = np.stack([world.habits.wake_hour[person, day] + _HOUR_AFTER_WAKING, *later, evening[person]])
    hour = np.abs(usual[part, np.arange(len(person))] + rng.normal(0, _HOUR_NOISE, len(person)))
    at = world.moments_of(person, day, _LAST_HOUR - np.abs(_LAST_HOUR - hour))  # none slips into the next day
    minutes = (
        rng.lognormal(0, _MINUTES_NOISE, len(person))
        * _MEDIAN_MINUTES
        * (0.6 + 0.8 * people.interest)[person]
    )
    device, without_session = _devices(world, person)
    order = np.lexsort([at.utc, person])
    person, day, part, start = person[order], day[order], part[order], at.utc[order]
    return Visits(
        person=person,
        day=day,
        part=part,
        start=start,
        end=_ends(person, start, np.clip(minutes, 0.3, 180)[order]),
        device=device[order],
        release=_releases(world, person, day),
        has_session=~without_session[order],
    )


def _ends(person: Integers, start: Times, minutes: Numbers) -> Times:
    """The ends, before the next visit begins."""
    end = start + as_minutes(minutes)
    next_start = np.append(start[1:], start[-1:])
    has_next = np.append(person[1:] == person[:-1], np.zeros(min(len(person), 1), dtype=bool))
    latest = np.maximum(next_start - _BETWEEN, start + np.timedelta64(1, "s"))
    ends: Times = np.where(has_next, np.minimum(end, latest), end)
    return ends


def _devices(world: World, person: Integers) -> tuple[Integers, Flags]:
    """What each visit is made with: mostly the phone; and whether it is by the old web client."""
    rng, phone = world.block.rng("visiting devices"), world.people.phone
    own = np.where(phone >= 0, phone, rng.integers(0, len(PHONE.models), len(phone)))
    chance = rng.random(len(person))
    device = np.where(chance < 0.8, own[person], np.where(chance < 0.88, len(PHONE.models), WEB))
    return device, (device == WEB) & (rng.random(len(person)) < _WITHOUT_SESSION_SHARE)


def _releases(world: World, person: Integers, day: Integers) -> Integers:
    """The app's version on days: a new one each six weeks, which some install later than others."""
    waits = world.block.rng("updates").integers(0, _LATEST_UPDATE_DAYS, len(world.people))
    since = (world.block.span.dates[day] - _FIRST_RELEASE).astype(np.int64) - waits[person]
    release: Integers = np.maximum(since, 0) // _RELEASE_DAYS
    return release
