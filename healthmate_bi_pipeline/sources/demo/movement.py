"""What people do by the hour: arrays of people × hours, over true hours and not over those of a clock.

A day whose clock changes has 23 or 25 of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from healthmate_bi_pipeline.sources.demo.clocks import Clocks, Integers, Span, Times, as_minutes, hours_of
from healthmate_bi_pipeline.sources.demo.habits import Habits
from healthmate_bi_pipeline.sources.demo.people import Block, Flags, Numbers, People

_CURVE = np.array(
    [
        0.1, 0.05, 0.05, 0.05, 0.1, 0.3, 0.8, 1.4, 1.6, 1.1, 1.0, 1.1,
        1.7, 1.3, 1.0, 1.0, 1.2, 1.7, 1.8, 1.4, 0.9, 0.6, 0.35, 0.2,
    ]
)  # fmt: skip
"""How active people who are awake are at each hour of the day, relative to its mean."""
EXERCISE_HOUR = 18
_STEPS_OF_EXERCISE = 120  # per minute
_STEPS_OF_WALKING = 100  # per minute, moderate activity from here (Tudor-Locke 2018)


@dataclass(frozen=True)
class Grid:
    """Slots of equal length from everyone's first midnight to the last one: arrays of people × slots.

    Attributes:
        utc: start of the slot.
        local: the same by the person's clock.
        day: number of the wall-clock day.
        is_inside: the slot lies in the span.
    """

    utc: Times
    local: Times
    day: Integers
    is_inside: Flags


def make_grid(clocks: Clocks, span: Span, *, minutes: int) -> Grid:
    """The slots of a block of people, aligned with the wall clock."""
    person = np.arange(len(clocks.zone))
    start = clocks.to_utc(person, np.full(len(person), span.midnights[0]))
    slots = (span.days + 1) * 1440 // minutes  # a day more, for clocks that go back
    utc = start[:, None] + as_minutes(np.arange(slots) * minutes)
    local = clocks.to_local(np.broadcast_to(person[:, None], utc.shape), utc)
    return Grid(utc=utc, local=local, day=span.day_of(local), is_inside=local < span.end)


@dataclass(frozen=True)
class Movement:
    """What everyone does in each hour.

    Attributes:
        grid: the hours.
        is_awake: for more than half of the hour.
        steps: in the hour.
        moderate_minutes: the same.
        vigorous_minutes: the same.
    """

    grid: Grid
    is_awake: Flags
    steps: Numbers
    moderate_minutes: Numbers
    vigorous_minutes: Numbers


def draw_movement(block: Block, people: People, habits: Habits) -> Movement:
    """Spread the steps of each day over the hours in which the person is awake."""
    rng = block.rng("movement")
    grid = make_grid(people.clocks, block.span, minutes=60)
    row, day = np.arange(len(people))[:, None], np.minimum(grid.day, block.span.days - 1)
    hour = hours_of(grid.local)
    is_awake = _is_awake(habits, row, day, hour)
    weight = _CURVE[hour.astype(np.int64)] * np.where(is_awake, 1.0, 0.002) * rng.gamma(2.0, 0.5, hour.shape)
    share = weight / _sum_of_day(weight, row, day, block.span.days)
    exercise = np.where(hour.astype(np.int64) == EXERCISE_HOUR, habits.exercise_minutes[row, day], 0.0)
    walked = np.round(habits.steps[row, day] * share)
    free = np.clip(60 - exercise, 0, None)
    return Movement(
        grid=grid,
        is_awake=is_awake,
        steps=np.minimum(walked + exercise * _STEPS_OF_EXERCISE, 60 * 180),
        moderate_minutes=np.minimum(np.floor(np.clip(walked - 400, 0, None) / _STEPS_OF_WALKING), free),
        vigorous_minutes=exercise,
    )


def _is_awake(habits: Habits, row: Integers, day: Integers, hour: Numbers) -> Flags:
    """Whether people are up in the middle of the hours."""
    middle = hour + 0.5
    next_day = np.minimum(day + 1, habits.bed_hour.shape[1] - 1)
    awake: Flags = (middle >= habits.wake_hour[row, day]) & (middle < habits.bed_hour[row, next_day] + 24)
    return awake & ~((middle >= habits.bed_hour[row, day]) & (middle < habits.wake_hour[row, day]))


def _sum_of_day(values: Numbers, row: Integers, day: Integers, days: int) -> Numbers:
    """For each hour the sum over all hours of its person and day."""
    place = row * days + day
    sums = np.bincount(place.ravel(), weights=values.ravel(), minlength=len(row) * days)
    of_day: Numbers = sums[place]
    return of_day
