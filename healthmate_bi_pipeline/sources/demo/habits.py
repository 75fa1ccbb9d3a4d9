"""What each day of each person looks like: arrays of people × days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from healthmate_bi_pipeline.sources.demo.block import Block
from healthmate_bi_pipeline.sources.demo.clocks import Flags, Numbers, Span
from healthmate_bi_pipeline.sources.demo.people import People
from healthmate_bi_pipeline.sources.demo.roles import (
    BAD_SLEEP_HOURS,
    SPRING_FACTOR,
    SPRING_MONTHS,
    WINTER_ILLNESS_FACTOR,
    Calendar,
    Roles,
)

_ILLNESSES_PER_YEAR = 1.6
_GAPS_PER_YEAR = 2.0


@dataclass(frozen=True)
class Habits:
    """One value per person and day.

    Attributes:
        has_data: nothing at all is recorded on the other days.
        is_worn: the watch is worn.
        is_offline: what was recorded arrives late.
        is_ill: a fever, a faster pulse, and little movement.
        is_away: on a journey.
        steps: taken on the day.
        exercise_minutes: vigorous ones, in one hour of the day.
        wake_hour: when they get up, in hours since the day's midnight.
        bed_hour: when they went to bed for it; below 0 is the evening before.
        warmth: of the season where they are, −1 to 1.
    """

    has_data: Flags
    is_worn: Flags
    is_offline: Flags
    is_ill: Flags
    is_away: Flags
    steps: Numbers
    exercise_minutes: Numbers
    wake_hour: Numbers
    bed_hour: Numbers
    warmth: Numbers


def draw_habits(block: Block, people: People, roles: Roles) -> Habits:
    """Draw the days of a block of people: a weekly and a yearly rhythm, a slow trend, gaps and illness."""
    rng, shape, span = block.rng("habits"), block.shape, block.span
    day, weekend = np.arange(span.days), span.is_weekend
    warmth = np.where(people.is_southern[:, None], -1.0, 1.0) * span.warmth
    takes_part = (day >= people.first_day[:, None]) & (day <= people.last_day[:, None])
    is_ill = _draw_illness(block, roles.calendar, warmth)
    is_away = np.any(
        [(day >= s.first_day[:, None]) & (day < s.end_day[:, None]) for s in people.stays], axis=0
    )
    is_gap = _in_stretches(block.rng("gaps"), np.full(shape, _GAPS_PER_YEAR / 365), shortest=2, longest=12)
    has_data = takes_part & ~is_gap & (rng.random(shape) < 0.965)
    factor = np.where(weekend, people.weekend_factor[:, None], 1.0) * (1 + 0.06 * warmth)
    factor *= 1 + people.trend[:, None] * (day / max(span.days - 1, 1) - 0.5)
    factor *= np.where(is_away, 1.25, 1.0) * np.where(is_ill, 0.4, 1.0) * _spring(roles, span)
    steps = people.steps[:, None] * factor * rng.lognormal(-0.03, 0.25, shape)
    exercises = (rng.random(shape) < people.exercise_share[:, None]) & ~is_ill
    wake = people.wake_hour[:, None] + np.where(weekend, 0.9, 0.0) - 0.15 * warmth
    wake = np.clip(wake + rng.normal(0, 1, shape) * 0.5 * people.sleep_noise[:, None], 3.5, 11.5)
    asleep = people.sleep_hours[:, None] + np.where(weekend, 0.5, 0.0) - 0.15 * warmth + 0.8 * is_ill
    asleep = asleep + rng.normal(0, 1, shape) * people.sleep_noise[:, None] * 0.7
    asleep += np.where(is_bad_night(roles, span), BAD_SLEEP_HOURS / 0.91, 0.0)  # in bed; asleep is about 91 %
    return Habits(
        has_data=has_data,
        is_worn=has_data & (rng.random(shape) < people.wear_share[:, None]),
        is_offline=_in_stretches(block.rng("offline"), np.full(shape, 0.004), shortest=1, longest=4),
        is_ill=is_ill,
        is_away=is_away,
        steps=steps,
        exercise_minutes=np.where(exercises, np.round(rng.uniform(15, 55, shape)), 0.0),
        wake_hour=wake,
        bed_hour=wake - np.clip(asleep, 3, 11.5),
        warmth=warmth,
    )


def is_bad_night(roles: Roles, span: Span) -> Flags:
    """The nights of the week of bad sleep of those who live there."""
    first = roles.calendar.bad_sleep
    day = np.arange(span.days)
    bad: Flags = roles.sleeps_badly[:, None] & (day >= first) & (day < first + 7)
    return bad


def _spring(roles: Roles, span: Span) -> Numbers:
    in_spring = np.isin(span.month, SPRING_MONTHS)
    factor: Numbers = np.where(roles.is_active_in_spring[:, None] & in_spring, SPRING_FACTOR, 1.0)
    return factor


def _draw_illness(block: Block, calendar: Calendar, warmth: Numbers) -> Flags:
    """Infections: more in winter, and many in the three weeks of the story."""
    day = np.arange(block.span.days)
    in_wave = (day >= calendar.infections) & (day < calendar.infections + 21)
    chance = _ILLNESSES_PER_YEAR / 365 * (1 - 0.6 * warmth) * np.where(in_wave, WINTER_ILLNESS_FACTOR, 1.0)
    return _in_stretches(block.rng("illness"), chance, shortest=3, longest=7)


def _in_stretches(rng: np.random.Generator, chance: Numbers, *, shortest: int, longest: int) -> Flags:
    """Whether days lie in a stretch; ``chance`` is that one begins on a day."""
    begins = rng.random(chance.shape) < chance
    person, start = np.nonzero(begins)
    end = np.minimum(start + rng.integers(shortest, longest + 1, len(start)), chance.shape[1])
    change = np.zeros((chance.shape[0], chance.shape[1] + 1), dtype=np.int64)
    np.add.at(change, (person, start), 1)
    np.add.at(change, (person, end), -1)
    inside: Flags = np.cumsum(change, axis=1)[:, :-1] > 0
    return inside
