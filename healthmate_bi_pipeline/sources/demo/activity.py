"""``activity_intervals`` of the demo: a watch and a phone by the hour, and the watch's own daily totals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo.clocks import Integers, Times
from healthmate_bi_pipeline.sources.demo.people import Flags, Numbers
from healthmate_bi_pipeline.sources.demo.rows import Clock, DemoRows, FileStyle, Format, constant, instants
from healthmate_bi_pipeline.sources.demo.world import World

WATCH = FileStyle("activity_intervals", "watch", Format.PARQUET, Clock.UTC, has_offset=True)
PHONE = FileStyle("activity_intervals", "phone", Format.PARQUET, Clock.WALL)
DAILY = FileStyle("activity_intervals", "daily", Format.PARQUET, Clock.WALL)

_HOUR = np.timedelta64(1, "h")
_BASAL_KCAL_PER_KG_HOUR = 1.0  # one MET


def watch_hours(world: World) -> DemoRows:
    """Every hour in which the watch is worn."""
    rng, movement = world.block.rng("watch"), world.movement
    worn = _worn_hours(world)
    person, slot = np.nonzero(worn & (rng.random(worn.shape) < 0.995))
    steps = np.round(movement.steps[person, slot] * rng.normal(1.0, 0.01, len(person)))
    moderate, vigorous = movement.moderate_minutes[person, slot], movement.vigorous_minutes[person, slot]
    light = np.clip(np.round(steps / 60) - moderate - vigorous, 0, 60 - moderate - vigorous)
    table = _table(
        world, person,
        started_at=movement.grid.utc[person, slot],
        ended_at=movement.grid.utc[person, slot] + _HOUR,
        steps=steps,
        calories_kcal=_calories(world)[person, slot],
        moderate_minutes=moderate,
        vigorous_minutes=vigorous,
        distance_m=_distance(world, person, steps),
        intensity_points=light + 2 * moderate + 3 * vigorous,
        source="demo watch",
    )  # fmt: skip
    return DemoRows(WATCH, person, movement.grid.day[person, slot], table, "started_at")


def phone_hours(world: World) -> DemoRows:
    """The hours in which the phone was carried and counted something, of many people beside their watch."""
    rng, movement = world.block.rng("phone"), world.movement
    carried = _hours_with_data(world) & world.people.has_phone[:, None] & movement.is_awake
    carried &= rng.random(carried.shape) < 0.75
    counted = np.round(movement.steps * rng.uniform(0.6, 1.02, carried.shape))
    person, slot = np.nonzero(carried & (counted > 0))
    steps = counted[person, slot]
    table = _table(
        world, person,
        started_at=movement.grid.utc[person, slot],
        ended_at=movement.grid.utc[person, slot] + _HOUR,
        steps=steps,
        distance_m=_distance(world, person, steps),
        source="demo phone",
    )  # fmt: skip
    return DemoRows(PHONE, person, movement.grid.day[person, slot], table, "started_at")


def daily_totals(world: World) -> DemoRows:
    """The watch's total of each day: a little more than the sum of its hours, as real ones are."""
    rng, movement, days = world.block.rng("daily totals"), world.movement, world.block.span.days
    has_total = world.habits.is_worn & world.people.has_watch[:, None]
    person, day = np.nonzero(has_total)
    excess = rng.uniform(1.0, 1.03, len(person))
    midnights = np.append(world.block.span.midnights, world.block.span.end)
    clocks = world.people.clocks

    def total(values: Numbers) -> Numbers:
        row = np.arange(len(world.people))[:, None]
        place = row * days + np.minimum(movement.grid.day, days - 1)
        sums = np.bincount(
            place.ravel(), weights=(values * _worn_hours(world)).ravel(), minlength=len(world.people) * days
        )
        return np.round(sums.reshape(-1, days)[person, day] * excess)

    steps = total(movement.steps)
    table = _table(
        world, person,
        started_at=clocks.to_utc(person, midnights[day]),
        ended_at=clocks.to_utc(person, midnights[day + 1]),
        steps=steps,
        calories_kcal=total(_calories(world)),
        moderate_minutes=total(movement.moderate_minutes),
        vigorous_minutes=total(movement.vigorous_minutes),
        distance_m=_distance(world, person, steps),
        source="demo watch",
        is_daily_total=True,
    )  # fmt: skip
    return DemoRows(DAILY, person, day, table, "started_at")


def _hours_with_data(world: World) -> Flags:
    grid = world.movement.grid
    day = np.minimum(grid.day, world.block.span.days - 1)
    inside: Flags = grid.is_inside & world.habits.has_data[np.arange(len(world.people))[:, None], day]
    return inside


def _worn_hours(world: World) -> Flags:
    grid = world.movement.grid
    day = np.minimum(grid.day, world.block.span.days - 1)
    worn: Flags = world.habits.is_worn[np.arange(len(world.people))[:, None], day]
    return worn & grid.is_inside & world.people.has_watch[:, None]


def _calories(world: World) -> Numbers:
    movement, weight = world.movement, world.people.weight_kg[:, None]
    effort = 0.0005 * movement.steps + 0.05 * movement.moderate_minutes + 0.09 * movement.vigorous_minutes
    kcal: Numbers = np.round(weight * (_BASAL_KCAL_PER_KG_HOUR + effort))
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
    source: str,
    is_daily_total: bool = False,
    **values: Numbers,
) -> pa.Table:
    count = len(person)
    return pa.table(
        {
            "user_id": pa.array(world.users_of(person)),
            "started_at": instants(started_at),
            "ended_at": instants(ended_at),
            **{name: pa.array(numbers, pa.float64()) for name, numbers in values.items()},
            "is_daily_total": constant(is_daily_total, count),
            "source": pa.array(np.full(count, source), pa.string()),
        }
    )
