"""``activity_intervals`` of the demo: a watch by the hour, a phone by the quarter of a day, daily totals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo import devices
from healthmate_bi_pipeline.sources.demo.clocks import Flags, Integers, Numbers, Times
from healthmate_bi_pipeline.sources.demo.rows import (
    Clock,
    DemoRows,
    FileStyle,
    Format,
    coded,
    constant,
    instants,
)
from healthmate_bi_pipeline.sources.demo.world import World

DATASET = "activity_intervals"
WATCH = FileStyle(DATASET, "watch", Format.PARQUET, Clock.UTC, has_offset=True, is_quarterly=True)
PHONE = FileStyle(DATASET, "phone", Format.PARQUET, Clock.WALL)
DAILY = FileStyle(DATASET, "daily", Format.PARQUET, Clock.WALL)

_HOUR = np.timedelta64(1, "h")
_BASAL_KCAL_PER_KG_HOUR = 1.0  # one MET
_PHONE_HOURS = 6


def watch_hours(world: World) -> DemoRows:
    """The hours with steps while a watch is worn that counts by the hour."""
    rng, movement, people = world.block.rng("watch"), world.movement, world.people
    person, slot = np.nonzero(_worn_hours(world) & (people.watch >= 1)[:, None] & movement.is_awake)
    steps = np.round(movement.steps[person, slot] * rng.normal(1.0, 0.01, len(person)))
    moderate, vigorous = movement.moderate_minutes[person, slot], movement.vigorous_minutes[person, slot]
    light = np.clip(np.round(steps / 60) - moderate - vigorous, 0, 60 - moderate - vigorous)
    start = movement.grid.utc[person, slot]
    table = _table(
        world, person, started_at=start, ended_at=start + _HOUR,
        source=coded(people.watch[person], devices.WATCH.models),
        steps=steps,
        calories_kcal=_calories(world, person, hours=1.0, steps=steps, moderate=moderate, vigorous=vigorous),
        moderate_minutes=moderate, vigorous_minutes=vigorous,
        distance_m=_distance(world, person, steps),
        intensity_points=light + 2 * moderate + 3 * vigorous,
    )  # fmt: skip
    return DemoRows(WATCH, person, movement.grid.day[person, slot], table, start + _HOUR)


def phone_parts(world: World) -> DemoRows:
    """The quarters of a day in which a phone counted something, of some people beside their watch."""
    rng, movement, people, span = world.block.rng("phone"), world.movement, world.people, world.block.span
    carries = world.habits.has_data & (people.phone >= 0)[:, None]
    part = np.minimum(movement.grid.local_hour.astype(np.int64), 23) // _PHONE_HOURS
    parts = 24 // _PHONE_HOURS
    counted = _sums(world, movement.steps * movement.grid.is_inside, part, parts)
    counted = np.round(counted * rng.uniform(0.6, 1.02, counted.shape)) * carries[:, :, None]
    person, day, part = np.nonzero(counted > 10)
    local = span.midnights[day] + part * _PHONE_HOURS * _HOUR
    start = world.clocks.to_utc(person, local)
    end = world.clocks.to_utc(person, local + _PHONE_HOURS * _HOUR)
    is_ordinary = np.abs(end - start - _PHONE_HOURS * _HOUR) <= _HOUR  # on a journey it is not
    person, day, part = person[is_ordinary], day[is_ordinary], part[is_ordinary]
    start, end = start[is_ordinary], end[is_ordinary]
    steps = counted[person, day, part]
    table = _table(
        world, person, started_at=start, ended_at=end,
        source=coded(people.phone[person], devices.PHONE.models),
        steps=steps, distance_m=_distance(world, person, steps),
    )  # fmt: skip
    return DemoRows(PHONE, person, day, table, end)


def daily_totals(world: World) -> DemoRows:
    """The watch's total of each day: a little more than the sum of its hours, as real ones are."""
    rng, movement, span, people = (
        world.block.rng("daily totals"),
        world.movement,
        world.block.span,
        world.people,
    )
    person, day = np.nonzero(world.habits.is_worn & (people.watch >= 0)[:, None])
    excess = rng.uniform(1.0, 1.03, len(person))
    worn, nothing = _worn_hours(world), np.zeros_like(movement.grid.day)

    def total(values: Numbers) -> Numbers:
        whole: Numbers = np.round(_sums(world, values * worn, nothing, 1)[person, day, 0] * excess)
        return whole

    steps, moderate, vigorous = (
        total(values) for values in (movement.steps, movement.moderate_minutes, movement.vigorous_minutes)
    )
    midnights = np.append(span.midnights, span.end)
    end = world.clocks.to_utc(person, midnights[day + 1])
    table = _table(
        world, person, started_at=world.clocks.to_utc(person, midnights[day]), ended_at=end,
        source=coded(people.watch[person], devices.WATCH.models),
        steps=steps,
        calories_kcal=_calories(world, person, hours=24.0, steps=steps, moderate=moderate, vigorous=vigorous),
        moderate_minutes=moderate, vigorous_minutes=vigorous,
        distance_m=_distance(world, person, steps),
        is_daily_total=True,
    )  # fmt: skip
    return DemoRows(DAILY, person, day, table, end)


def _worn_hours(world: World) -> Flags:
    grid = world.movement.grid
    worn: Flags = grid.of_day(world.habits.is_worn) & grid.is_inside & (world.people.watch >= 0)[:, None]
    return worn


def _sums(world: World, values: Numbers, part: Integers, parts: int) -> Numbers:
    """Sums of hours by day and part of the day: people × days × parts."""
    shape = (*world.block.shape, parts)
    row = np.arange(shape[0])[:, None]
    place = (row * shape[1] + world.movement.grid.day) * parts + part
    sums = np.bincount(place.ravel(), weights=values.ravel(), minlength=int(np.prod(shape)))
    of_parts: Numbers = sums.astype(np.float64).reshape(shape)
    return of_parts


def _calories(
    world: World, person: Integers, *, hours: float, steps: Numbers, moderate: Numbers, vigorous: Numbers
) -> Numbers:
    effort = 0.0005 * steps + 0.05 * moderate + 0.09 * vigorous
    kcal: Numbers = np.round(world.people.weight_kg[person] * (_BASAL_KCAL_PER_KG_HOUR * hours + effort))
    return kcal


def _distance(world: World, person: Integers, steps: Numbers) -> Numbers:
    metres: Numbers = np.round(steps * 0.00415 * world.people.height_cm[person])
    return metres


def _table(
    world: World,
    person: Integers,
    *,
    started_at: Times,
    ended_at: Times,
    source: pa.Array,
    is_daily_total: bool = False,
    **values: Numbers,
) -> pa.Table:
    return pa.table(
        {
            "user_id": pa.array(world.users_of(person)),
            "started_at": instants(started_at),
            "ended_at": instants(ended_at),
            **{name: pa.array(numbers, pa.float64()) for name, numbers in values.items()},
            "is_daily_total": constant(is_daily_total, len(person)),
            "source": source,
        }
    )
