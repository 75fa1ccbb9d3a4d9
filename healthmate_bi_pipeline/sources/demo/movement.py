"""What people do by the hour: arrays of people × hours, over true hours and not over those of a clock.

A day whose clock changes has 23 or 25 of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from healthmate_bi_pipeline.sources.demo.block import Block
from healthmate_bi_pipeline.sources.demo.clocks import (
    Clocks,
    Flags,
    Integers,
    Numbers,
    Span,
    Times,
    as_minutes,
)
from healthmate_bi_pipeline.sources.demo.habits import Habits
from healthmate_bi_pipeline.sources.demo.people import People

_CURVE = np.array(
    [
        0.1, 0.05, 0.05, 0.05, 0.1, 0.3, 0.8, 1.4, 1.6, 1.1, 1.0, 1.1,
        1.7, 1.3, 1.0, 1.0, 1.2, 1.7, 1.8, 1.4, 0.9, 0.6, 0.35, 0.2,
    ]
)  # fmt: skip
"""How active people who are awake are at each hour of the day, relative to its mean."""
_MORNING_EXERCISE, _EVENING_EXERCISE = 7, 18
_STEPS_OF_EXERCISE = 120  # per minute
_STEPS_OF_WALKING = 100  # per minute, moderate activity from here (Tudor-Locke 2018)


@dataclass(frozen=True)
class Grid:
    """Hours from everyone's first midnight to the last one: arrays of people × hours.

    Attributes:
        utc: start of the hour.
        local_hour: the hour that the person's clock shows at its start, 0 to 24.
        day: number of the wall-clock day; the last one for hours behind it.
        is_inside: the hour lies in the span.
    """

    utc: Times
    local_hour: Numbers
    day: Integers
    is_inside: Flags

    def of_day(self, values: Flags) -> Flags:
        """Values of people × days, for each hour the one of its day."""
        return values[np.arange(len(self.day))[:, None], self.day]


def make_grid(clocks: Clocks, span: Span) -> Grid:
    """The hours of a block of people, aligned with the wall clock."""
    person = np.arange(len(clocks))
    start = clocks.to_utc(person, np.full(len(person), span.midnights[0]))
    hours = np.arange((span.days + 1) * 24)  # a day more, for clocks that go back
    utc = start[:, None] + as_minutes(hours * 60)
    offset = clocks.offset_minutes(person[:, None], utc)
    passed = hours * 60 + offset - offset[:, :1]  # wall-clock minutes since the first midnight
    day = passed // 1440
    return Grid(
        utc=utc,
        local_hour=(passed % 1440) / 60,
        day=np.clip(day, 0, span.days - 1),
        is_inside=(day >= 0) & (day < span.days),
    )


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


def draw_movement(block: Block, people: People, clocks: Clocks, habits: Habits) -> Movement:
    """Spread the steps of each day over the hours in which the person is awake."""
    rng, grid = block.rng("movement"), make_grid(clocks, block.span)
    row, day = np.arange(len(people))[:, None], grid.day
    hour = grid.local_hour.astype(np.int64) % 24
    is_awake = _is_awake(habits, row, day, grid.local_hour)
    weight = _CURVE[hour] * np.where(is_awake, 1.0, 0.002) * rng.standard_exponential(hour.shape)
    weight *= grid.is_inside
    steps_of_weight = habits.steps / np.maximum(_sum_of_days(weight, row, day, block.span.days), 1e-9)
    exercise_hour = np.where(people.wake_hour < 6.2, _MORNING_EXERCISE, _EVENING_EXERCISE)[:, None]
    exercise = np.where(hour == exercise_hour, habits.exercise_minutes[row, day], 0.0)
    walked = np.round(steps_of_weight[row, day] * weight)
    return Movement(
        grid=grid,
        is_awake=is_awake,
        steps=np.minimum(walked + exercise * _STEPS_OF_EXERCISE, 60 * 180),
        moderate_minutes=np.minimum(np.floor(np.maximum(walked - 400, 0) / _STEPS_OF_WALKING), 60 - exercise),
        vigorous_minutes=exercise,
    )


def _is_awake(habits: Habits, row: Integers, day: Integers, hour: Numbers) -> Flags:
    """Whether people are up in the middle of the hours."""
    middle = hour + 0.5
    to_bed = np.roll(habits.bed_hour, -1, axis=1) + 24  # the evening's, by the same day's midnight
    to_bed[:, -1] = habits.bed_hour[:, -1] + 24
    is_up = (middle >= habits.wake_hour[row, day]) & (middle < to_bed[row, day])
    awake: Flags = is_up | (middle < habits.bed_hour[row, day])
    return awake


def _sum_of_days(values: Numbers, row: Integers, day: Integers, days: int) -> Numbers:
    """The sums over all hours of each person and day: people × days."""
    place = row * days + day
    sums = np.bincount(place.ravel(), weights=values.ravel(), minlength=len(row) * days)
    of_days: Numbers = sums.astype(np.float64).reshape(len(row), days)
    return of_days
