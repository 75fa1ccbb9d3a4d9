"""Blood glucose: finger sticks, and sensors that some people with diabetes wear for some weeks."""

from __future__ import annotations

import numpy as np

from healthmate_bi_pipeline.sources.demo import devices
from healthmate_bi_pipeline.sources.demo.clocks import Flags, Numbers
from healthmate_bi_pipeline.sources.demo.reading_rows import HEALTH_READINGS, Choice, make_rows, readings_at
from healthmate_bi_pipeline.sources.demo.rows import Clock, DemoRows, FileStyle, Format
from healthmate_bi_pipeline.sources.demo.world import World

CGM = FileStyle(HEALTH_READINGS, "cgm", Format.PARQUET, Clock.UTC, has_offset=True)
METER = FileStyle(HEALTH_READINGS, "meter", Format.CSV_GZIP, Clock.UTC, has_offset=True)

MMOL = 18.0182
UNITS = ("mg/dL", "mmol/L")
_CGM_SLOTS, _CGM_MINUTES = 288, 5
_FEWEST_SENSOR_DAYS, _MOST_SENSOR_DAYS = 15, 28


def continuous_glucose(world: World) -> DemoRows:
    """Glucose every five minutes."""
    rng = world.block.rng("cgm")
    person, day = np.nonzero(sensor_days(world) & world.habits.has_data)
    slot = np.arange(_CGM_SLOTS)
    hour = slot * _CGM_MINUTES / 60
    phase = rng.uniform(0, 2 * np.pi, (2, len(person), 1))
    slow = 7 * np.sin(slot / 23 + phase[0]) + 4 * np.sin(slot / 9 + phase[1])
    level = (world.people.glucose[person] - 14 + rng.normal(0, 8, len(person)))[:, None]
    value = level + 60 * _after_meals(hour) + slow + rng.normal(0, 3, slow.shape)
    seen = rng.random(slow.shape) < 0.97
    which, slot = np.nonzero(seen)
    at = world.moments_of(person[which], day[which], slot * _CGM_MINUTES / 60)
    return make_rows(
        world, CGM,
        readings_at(
            at, "blood_glucose", np.round(np.clip(value[seen], 45, 400)), unit="mg/dL",
            source=Choice(devices.CGM.models, world.people.cgm[at.person]), context="cgm",
        ),
    )  # fmt: skip


def sensor_days(world: World) -> Flags:
    """The days on which people wear a sensor: once for two to four weeks."""
    rng, people, days = world.block.rng("sensor days"), world.people, world.block.span.days
    length = rng.integers(_FEWEST_SENSOR_DAYS, _MOST_SENSOR_DAYS + 1, len(people))
    last = np.minimum(people.last_day, days)
    start = people.first_day + (
        np.maximum(last - people.first_day - length, 0) * rng.random(len(people))
    ).astype(int)
    day = np.arange(days)
    worn: Flags = (people.cgm >= 0)[:, None] & (day >= start[:, None]) & (day < (start + length)[:, None])
    return worn


def finger_sticks(world: World) -> DemoRows:
    """Glucose before breakfast and after meals, in mg/dL or mmol/L."""
    rng, people, habits = world.block.rng("finger sticks"), world.people, world.habits
    measures = habits.has_data & (people.meter >= 0)[:, None] & ~sensor_days(world)
    keenness = np.where(people.has_diabetes, 0.4, 0.12)[:, None] * (0.6 + 0.8 * people.interest)[:, None]
    readings = []
    for context, share, hour, rise in (
        ("fasting", 1.6, habits.wake_hour + 0.2, 0.0),
        ("after_meal", 0.9, habits.wake_hour + 2.5, 30.0),
        ("after_meal", 0.7, np.full_like(habits.wake_hour, 14.2), 25.0),
        ("", 0.4, np.full_like(habits.wake_hour, 21.0), 15.0),
    ):
        taken = measures & (rng.random(measures.shape) < share * keenness)
        at = world.moments(taken, hour + rng.normal(0, 0.2, taken.shape))
        weekend = 5.0 * world.block.span.is_weekend[at.day] * people.has_diabetes[at.person]
        noise = rng.normal(0, 1, len(at)) * np.where(people.has_diabetes[at.person], 14, 5)
        rises = rise * np.where(people.has_diabetes[at.person], 1.4, 0.8)
        value = np.clip(people.glucose[at.person] + rises + weekend + noise, 55, 400)
        readings.append(
            readings_at(
                at, "blood_glucose", as_measured(value, people.uses_mmol[at.person]),
                unit=Choice(UNITS, people.uses_mmol[at.person].astype(int)),
                source=Choice(devices.METER.models, people.meter[at.person]), context=context,
            )
        )  # fmt: skip
    return make_rows(world, METER, *readings)


def as_measured(mg_dl: Numbers, in_mmol: Flags) -> Numbers:
    """Glucose as the meter shows it."""
    return np.where(in_mmol, np.round(mg_dl / MMOL, 1), np.round(mg_dl))


def _after_meals(hour: Numbers) -> Numbers:
    """How much of a meal is in the blood at hours of the day, between 0 and about 1."""
    since = [np.mod(hour - meal, 24) for meal in (7.5, 12.8, 19.0)]
    parts = [hours * np.exp(1 - hours) * (hours < 6) for hours in since]
    meals: Numbers = np.sum(parts, axis=0)
    return meals
