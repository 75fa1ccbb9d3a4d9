"""What each day of each person looks like: arrays of people × days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from healthmate_bi_pipeline.sources.demo.clocks import SOUTHERN, Span
from healthmate_bi_pipeline.sources.demo.people import Block, Flags, Numbers, People


@dataclass(frozen=True)
class Habits:
    """One value per person and day.

    Attributes:
        has_data: nothing at all is recorded on the other days.
        is_worn: the watch is worn.
        is_offline: what was recorded arrives late.
        is_ill: a fever, and little movement.
        is_weekend: Saturday or Sunday.
        steps: taken on the day.
        exercise_minutes: vigorous ones, in one hour of the day.
        wake_hour: when they get up, in hours since the day's midnight.
        bed_hour: when they went to bed for it; below 0 is the evening before.
    """

    has_data: Flags
    is_worn: Flags
    is_offline: Flags
    is_ill: Flags
    is_weekend: Flags
    steps: Numbers
    exercise_minutes: Numbers
    wake_hour: Numbers
    bed_hour: Numbers


def draw_habits(block: Block, people: People) -> Habits:
    """Draw the days of a block of people: a weekly and a yearly rhythm, a slow trend, gaps and illness."""
    rng, days = block.rng("habits"), block.span.days
    shape = (len(people), days)
    day = np.arange(days)
    weekend = np.broadcast_to((block.span.first.weekday() + day) % 7 >= 5, shape)
    takes_part = (day >= people.first_day[:, None]) & (day <= people.last_day[:, None])
    is_away = _in_stretch(rng, shape, chance=0.5, longest=10)
    is_ill = _in_stretch(rng, shape, chance=0.25, longest=5)
    has_data = takes_part & ~is_away & (rng.random(shape) < 0.97)
    growth = 1 + people.trend[:, None] * day / max(days - 1, 1)
    factor = np.where(weekend, people.weekend_factor[:, None], 1.0) * growth * _season(block.span, people)
    steps = people.steps[:, None] * factor * rng.lognormal(-0.03, 0.25, shape) * np.where(is_ill, 0.4, 1.0)
    exercises = (rng.random(shape) < people.exercise_share[:, None]) & ~is_ill
    wake = people.wake_hour[:, None] + np.where(weekend, 1.0, 0.0) + rng.normal(0, 0.35, shape)
    wake = np.clip(wake, 3.5, 11.5)
    asleep = people.sleep_hours[:, None] + np.where(weekend, 0.5, 0.0) + rng.normal(0, 0.6, shape)
    return Habits(
        has_data=has_data,
        is_worn=has_data & (rng.random(shape) < people.wear_share[:, None]),
        is_offline=rng.random(shape) < 0.01,
        is_ill=is_ill,
        is_weekend=weekend,
        steps=steps,
        exercise_minutes=np.where(exercises, np.round(rng.uniform(15, 55, shape)), 0.0),
        wake_hour=wake,
        bed_hour=wake - np.clip(asleep, 3, 11.5),
    )


def _in_stretch(rng: np.random.Generator, shape: tuple[int, int], *, chance: float, longest: int) -> Flags:
    """One stretch of days for some of the people."""
    people, days = shape
    start = rng.integers(0, days, people)
    length = rng.integers(2, longest + 1, people) * (rng.random(people) < chance)
    day = np.arange(days)
    inside: Flags = (day >= start[:, None]) & (day < (start + length)[:, None])
    return inside


def _season(span: Span, people: People) -> Numbers:
    """More steps in summer, wherever that is."""
    day_of_year = (
        (span.midnights - span.midnights.astype("datetime64[Y]")).astype("timedelta64[D]").astype(int)
    )
    north = 1 + 0.06 * np.cos(2 * np.pi * (day_of_year - 196) / 365.25)
    is_southern = np.isin(people.clocks.zone, SOUTHERN)
    season: Numbers = np.where(is_southern[:, None], 2 - north, north)
    return season
