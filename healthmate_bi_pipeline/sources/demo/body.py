"""What is measured at home now and then: weight, height, temperature, oxygen."""

from __future__ import annotations

import numpy as np

from healthmate_bi_pipeline.sources.demo import devices
from healthmate_bi_pipeline.sources.demo.reading_rows import (
    HEALTH_READINGS,
    Choice,
    Readings,
    make_rows,
    readings_at,
)
from healthmate_bi_pipeline.sources.demo.rows import Clock, DemoRows, FileStyle, Format
from healthmate_bi_pipeline.sources.demo.world import World

SCALE = FileStyle(HEALTH_READINGS, "scale", Format.CSV, Clock.UTC, has_offset=True)
HOME = FileStyle(HEALTH_READINGS, "home", Format.NDJSON_ZSTD, Clock.WALL)

POUND_KG = 0.45359237
WEIGHT_UNITS, TEMPERATURE_UNITS, HEIGHT_UNITS = ("kg", "lb"), ("°C", "°F"), ("cm", "in")


def weight(world: World) -> DemoRows:
    """Weight on the scale in the morning: a trend, more after weekends and in winter."""
    rng, people, habits, span = world.block.rng("weight"), world.people, world.habits, world.block.span
    share = (0.12 + 0.4 * people.interest)[:, None]
    taken = habits.has_data & (people.scale >= 0)[:, None] & (rng.random(world.block.shape) < share)
    at = world.moments(taken, habits.wake_hour + 0.25)
    progress = at.day / max(span.days - 1, 1)
    after_weekend = 0.4 * span.is_weekend[np.maximum(at.day - 1, 0)]
    value = people.weight_kg[at.person] + people.weight_change_kg[at.person] * progress + after_weekend
    value += rng.normal(0, 0.35, len(at)) - 0.5 * habits.warmth[at.person, at.day]
    pounds = people.is_imperial[at.person]
    return make_rows(
        world, SCALE,
        readings_at(
            at, "weight", np.round(np.where(pounds, value / POUND_KG, value), 1),
            unit=Choice(WEIGHT_UNITS, pounds.astype(int)),
            source=Choice(devices.SCALE.models, people.scale[at.person]),
        ),
    )  # fmt: skip


def home_readings(world: World) -> DemoRows:
    """Temperature, oxygen and height: what is written down at home, by the clock on the wall."""
    return make_rows(world, HOME, _temperature(world), _oxygen(world), _height(world))


def _temperature(world: World) -> Readings:
    rng, people, habits = world.block.rng("temperature"), world.people, world.habits
    share = np.where(habits.is_ill, 0.75, 0.015)
    taken = habits.has_data & (rng.random(world.block.shape) < share)
    at = world.moments(taken, rng.uniform(8, 21, taken.shape))
    circadian = 0.25 * np.cos(2 * np.pi * (at.hour - 17) / 24)
    fever = np.where(habits.is_ill[at.person, at.day], rng.gamma(4, 0.4, len(at)), 0.0)
    celsius = np.clip(36.6 + circadian + fever + rng.normal(0, 0.2, len(at)), 35, 41)
    imperial = people.is_imperial[at.person]
    return readings_at(
        at, "body_temperature", np.round(np.where(imperial, celsius * 9 / 5 + 32, celsius), 1),
        unit=Choice(TEMPERATURE_UNITS, imperial.astype(int)), source=devices.MANUAL,
    )  # fmt: skip


def _oxygen(world: World) -> Readings:
    rng, people, habits = world.block.rng("oxygen"), world.people, world.habits
    taken = habits.has_data & (people.oximeter >= 0)[:, None] & (rng.random(world.block.shape) < 0.3)
    at = world.moments(taken, habits.wake_hour + 1)
    ill = habits.is_ill[at.person, at.day]
    value = np.round(np.clip(rng.normal(97.2, 1.2, len(at)) - 1.5 * ill, 86, 100))
    return readings_at(
        at, "oxygen_saturation", value, unit="%",
        source=Choice(devices.OXIMETER.models, people.oximeter[at.person]),
    )  # fmt: skip


def _height(world: World) -> Readings:
    """Once, when they begin."""
    people = world.people
    first = np.argmax(world.habits.has_data, axis=1)
    person = np.flatnonzero(world.habits.has_data.any(axis=1))
    at = world.moments_of(person, first[person], np.full(len(person), 12.25))
    imperial = people.is_imperial[person]
    value = np.where(imperial, np.round(people.height_cm[person] / 2.54, 1), people.height_cm[person])
    return readings_at(
        at, "height", value, unit=Choice(HEIGHT_UNITS, imperial.astype(int)), source=devices.MANUAL
    )
