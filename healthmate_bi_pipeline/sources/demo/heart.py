"""Heart rate by watch: by the hour or every four, and in some nights every five minutes from 3 to 7."""

from __future__ import annotations

import numpy as np

from healthmate_bi_pipeline.sources.demo import devices
from healthmate_bi_pipeline.sources.demo.clocks import Flags, Integers, Numbers, as_minutes
from healthmate_bi_pipeline.sources.demo.reading_rows import (
    HEALTH_READINGS,
    Choice,
    Readings,
    make_rows,
    readings_at,
)
from healthmate_bi_pipeline.sources.demo.rows import Clock, DemoRows, FileStyle, Format
from healthmate_bi_pipeline.sources.demo.world import Moments, World

WATCH = FileStyle(
    HEALTH_READINGS, "watch", Format.PARQUET, Clock.UTC, has_offset=True, is_quarterly=True
)  # fmt: skip
DENSE_FROM, DENSE_SLOTS, DENSE_MINUTES = 3, 48, 5
_CONTEXTS = ("", "resting", "active")
_FEVER_BPM = 8.0


def heart_rate(world: World) -> DemoRows:
    """Heart rate while the watch is worn: low at night, high when people move or have a fever."""
    dense = dense_nights(world)
    return make_rows(world, WATCH, _by_hour(world, dense), _by_five_minutes(world, dense))


def dense_nights(world: World) -> Flags:
    """The nights with a reading each five minutes: people × days."""
    share = np.array((*devices.DENSE_NIGHTS, 0.0))[world.people.watch]  # −1, no watch, is the last one
    dense: Flags = world.habits.is_worn & (
        world.block.rng("dense nights").random(world.block.shape) < share[:, None]
    )
    return dense


def _by_hour(world: World, dense: Flags) -> Readings:
    rng, people, movement = world.block.rng("heart rate"), world.people, world.movement
    grid, watch = movement.grid, people.watch[:, None]
    is_due = (watch >= 1) | ((watch == 0) & (np.floor(grid.local_hour) % 4 == 0))
    in_dense = (grid.local_hour >= DENSE_FROM) & (grid.local_hour < DENSE_FROM + 4) & grid.of_day(dense)
    seen = is_due & grid.is_inside & grid.of_day(world.habits.is_worn) & ~in_dense
    person, slot = np.nonzero(seen)
    kept = rng.random(len(person)) < 0.98
    person, slot = person[kept], slot[kept]
    day, awake = grid.day[person, slot], movement.is_awake[person, slot]
    effort = np.where(
        awake,
        9
        + np.minimum(movement.steps[person, slot], 3_000) / 90
        + 0.9 * movement.vigorous_minutes[person, slot],
        0.0,
    )
    circadian = 3.0 * np.cos(2 * np.pi * (grid.local_hour[person, slot] - 16) / 24)
    above = circadian + effort + rng.normal(0, 3, len(person))
    value = people.resting_bpm[person] + above + _illness(world, person, day)
    context = np.where(above > 35, 2, np.where(awake, 0, 1))
    utc = grid.utc[person, slot] + as_minutes(np.floor(rng.uniform(0, 3_000, len(person))) / 60)
    at = Moments(person, day, utc, grid.local_hour[person, slot])
    return _readings(world, at, value=value, context=context)


def _by_five_minutes(world: World, dense: Flags) -> Readings:
    rng = world.block.rng("heart rate at night")
    person, day = np.nonzero(dense)
    level = world.people.resting_bpm[person] + _illness(world, person, day) + rng.normal(0, 1.2, len(person))
    slot = np.arange(DENSE_SLOTS)
    dip = 2.5 * np.cos(2 * np.pi * (slot - rng.uniform(10, 40, len(person))[:, None]) / DENSE_SLOTS)
    value = level[:, None] - dip + rng.normal(0, 1.5, dip.shape)
    seen = rng.random(dip.shape) < 0.985
    night, slot = np.nonzero(seen)
    at = world.moments_of(person[night], day[night], DENSE_FROM + slot * DENSE_MINUTES / 60)
    return _readings(world, at, value=value[seen], context=np.ones(len(at), dtype=np.int64))


def _illness(world: World, person: Integers, day: Integers) -> Numbers:
    fever: Numbers = _FEVER_BPM * world.habits.is_ill[person, day]
    return fever


def _readings(world: World, at: Moments, *, value: Numbers, context: Integers) -> Readings:
    return readings_at(
        at, "heart_rate", np.round(np.clip(value, 36, 205)), unit="bpm",
        source=Choice(devices.WATCH.models, world.people.watch[at.person]),
        context=Choice(_CONTEXTS, context),
    )  # fmt: skip
