"""``health_readings`` of the demo: a file per kind of device, each with its own format and clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo.clocks import Integers, Times, as_minutes, hours_of
from healthmate_bi_pipeline.sources.demo.movement import make_grid
from healthmate_bi_pipeline.sources.demo.people import Numbers
from healthmate_bi_pipeline.sources.demo.rows import Clock, DemoRows, FileStyle, Format, instants, joined
from healthmate_bi_pipeline.sources.demo.world import Moments, World

WATCH = FileStyle("health_readings", "watch", Format.PARQUET, Clock.UTC)
CGM = FileStyle("health_readings", "cgm", Format.PARQUET, Clock.UTC, has_offset=True)
CUFF = FileStyle("health_readings", "cuff", Format.NDJSON, Clock.LOCAL_WITH_OFFSET, has_updated_at=True)
METER = FileStyle("health_readings", "meter", Format.CSV_GZIP, Clock.UTC, has_offset=True)
HOME = FileStyle("health_readings", "home", Format.NDJSON_ZSTD, Clock.WALL)

Texts = npt.NDArray[np.str_]
_HEART_RATE_MINUTES = 30
_CGM_MINUTES = 15
_MMOL = 18.0182


@dataclass(frozen=True)
class _Readings:
    """Readings of one metric, or of several with one clock."""

    person: Integers
    day: Integers
    utc: Times
    metric: str
    value: Numbers
    unit: str | Texts
    source: str
    context: Texts | None = None
    reading_id: pa.Array | None = None


def heart_rate(world: World) -> DemoRows:
    """Heart rate every half hour while the watch is worn: low at night, high when people move."""
    rng, people, movement = world.block.rng("heart rate"), world.people, world.movement
    grid = make_grid(people.clocks, world.block.span, minutes=_HEART_RATE_MINUTES)
    day = np.minimum(grid.day, world.block.span.days - 1)
    worn = (
        grid.is_inside
        & people.has_watch[:, None]
        & world.habits.is_worn[np.arange(len(people))[:, None], day]
    )
    seen = worn & (rng.random(worn.shape) < 0.97)
    person, slot = np.nonzero(seen)
    hour = slot // (60 // _HEART_RATE_MINUTES)
    steps = movement.steps[person, hour]
    awake = movement.is_awake[person, hour]
    vigorous = movement.vigorous_minutes[person, hour]
    circadian = 3.0 * np.cos(2 * np.pi * (hours_of(grid.local[person, slot]) - 16) / 24)
    effort = np.where(awake, 9 + np.minimum(steps, 3_000) / 90 + 0.9 * vigorous, 0.0)
    fever = 8.0 * world.habits.is_ill[person, day[person, slot]]
    value = people.resting_bpm[person] + circadian + effort + fever + rng.normal(0, 3, len(person))
    context = np.where(value > people.resting_bpm[person] + 35, "active", np.where(awake, "", "resting"))
    utc = grid.utc[person, slot] + as_minutes(np.floor(rng.uniform(0, 300, len(person))) / 60)
    readings = _Readings(
        person, grid.day[person, slot], utc, "heart_rate", np.round(np.clip(value, 36, 205)), "bpm",
        "demo watch", context,
    )  # fmt: skip
    return _rows(world, WATCH, readings)


def continuous_glucose(world: World) -> DemoRows:
    """Glucose every quarter of an hour, of a few people with diabetes."""
    rng, people = world.block.rng("cgm"), world.people
    grid = make_grid(people.clocks, world.block.span, minutes=_CGM_MINUTES)
    day = np.minimum(grid.day, world.block.span.days - 1)
    has_data = world.habits.has_data[np.arange(len(people))[:, None], day]
    person, slot = np.nonzero(grid.is_inside & people.has_cgm[:, None] & has_data)
    meals = _after_meals(hours_of(grid.local[person, slot]))
    value = people.glucose[person] - 12 + 60 * meals + rng.normal(0, 9, len(person))
    readings = _Readings(
        person, grid.day[person, slot], grid.utc[person, slot], "blood_glucose",
        np.round(np.clip(value, 45, 400)), "mg/dL", "demo cgm", np.full(len(person), "cgm"),
    )  # fmt: skip
    return _rows(world, CGM, readings)


def blood_pressure(world: World) -> DemoRows:
    """Blood pressure in the morning and in the evening: two rows with one reading_id."""
    rng, people, habits = world.block.rng("blood pressure"), world.people, world.habits
    measures = habits.has_data & people.has_cuff[:, None]
    readings = []
    for part, share, hour, shift in (
        ("am", 0.55, habits.wake_hour + 0.4, 4.0),
        ("pm", 0.35, habits.wake_hour * 0 + 20.75, -2.0),
    ):
        taken = measures & (rng.random(measures.shape) < share)
        at = world.moments(taken, hour + rng.uniform(0, 0.5, taken.shape))
        slow = 3.0 * np.sin(2 * np.pi * at.day / 90)
        weekend = -2.5 * habits.is_weekend[at.person, at.day]
        deviation = shift + slow + weekend + rng.normal(0, 6, len(at))
        systolic = np.round(np.clip(people.systolic[at.person] + deviation, 80, 215))
        diastolic = np.round(people.diastolic[at.person] + 0.5 * deviation + rng.normal(0, 3, len(at)))
        diastolic = np.clip(diastolic, 45, systolic - 15)
        reading_id = joined("bp-", pa.array(world.users_of(at.person)), "-", pa.array(at.day), "-", part)
        readings += [
            _at(at, "blood_pressure_systolic", systolic, "mmHg", "demo cuff", reading_id=reading_id),
            _at(at, "blood_pressure_diastolic", diastolic, "mm[Hg]", "demo cuff", reading_id=reading_id),
        ]
    return _rows(world, CUFF, *readings)


def finger_sticks(world: World) -> DemoRows:
    """Glucose before breakfast and after meals, in mg/dL or mmol/L."""
    rng, people, habits = world.block.rng("finger sticks"), world.people, world.habits
    measures = habits.has_data & people.has_meter[:, None] & ~people.has_cgm[:, None]
    readings = []
    for context, hour, rise in (
        ("fasting", habits.wake_hour + 0.2, 0.0),
        ("after_meal", habits.wake_hour + 2.5, 30.0),
        ("after_meal", habits.wake_hour * 0 + 14.2, 25.0),
        ("", habits.wake_hour * 0 + 21.0, 15.0),
    ):
        taken = measures & (rng.random(measures.shape) < 0.6)
        at = world.moments(taken, hour + rng.normal(0, 0.2, taken.shape))
        weekend = 5.0 * habits.is_weekend[at.person, at.day]
        value = np.clip(people.glucose[at.person] + rise + weekend + rng.normal(0, 12, len(at)), 50, 400)
        mmol = people.uses_mmol[at.person]
        readings.append(
            _at(
                at,
                "blood_glucose",
                np.where(mmol, np.round(value / _MMOL, 1), np.round(value)),
                np.where(mmol, "mmol/L", "mg/dL"),
                "demo meter",
                context=context,
            )
        )
    return _rows(world, METER, *readings)


def home_devices(world: World) -> DemoRows:
    """Weight, temperature and oxygen: what is written down at home, by the clock on the wall."""
    return _rows(world, HOME, _weight(world), _temperature(world), _oxygen(world))


def _weight(world: World) -> _Readings:
    rng, people, habits = world.block.rng("weight"), world.people, world.habits
    taken = habits.has_data & people.has_scale[:, None] & (rng.random(habits.has_data.shape) < 0.45)
    at = world.moments(taken, habits.wake_hour + 0.25)
    progress = at.day / max(world.block.span.days - 1, 1)
    monday = 0.4 * habits.is_weekend[at.person, np.maximum(at.day - 1, 0)]
    value = people.weight_kg[at.person] + people.weight_change_kg[at.person] * progress + monday
    value = value + rng.normal(0, 0.35, len(at))
    pounds = people.uses_pounds[at.person]
    return _at(
        at, "weight", np.round(np.where(pounds, value / 0.45359237, value), 1), np.where(pounds, "lb", "kg"),
        "demo scale",
    )  # fmt: skip


def _temperature(world: World) -> _Readings:
    rng, people, habits = world.block.rng("temperature"), world.people, world.habits
    taken = habits.has_data & (rng.random(habits.has_data.shape) < np.where(habits.is_ill, 0.8, 0.05))
    at = world.moments(taken, rng.uniform(8, 21, taken.shape))
    circadian = 0.25 * np.cos(2 * np.pi * (at.hour - 17) / 24)
    fever = np.where(habits.is_ill[at.person, at.day], rng.gamma(4, 0.4, len(at)), 0.0)
    celsius = np.clip(36.6 + circadian + fever + rng.normal(0, 0.2, len(at)), 35, 41)
    fahrenheit = people.uses_pounds[at.person]
    return _at(
        at, "body_temperature", np.round(np.where(fahrenheit, celsius * 9 / 5 + 32, celsius), 1),
        np.where(fahrenheit, "°F", "°C"), "manual",
    )  # fmt: skip


def _oxygen(world: World) -> _Readings:
    rng, people, habits = world.block.rng("oxygen"), world.people, world.habits
    taken = habits.has_data & people.has_oximeter[:, None] & (rng.random(habits.has_data.shape) < 0.35)
    at = world.moments(taken, habits.wake_hour + 1)
    value = np.round(
        np.clip(rng.normal(97.2, 1.2, len(at)) - 1.5 * habits.is_ill[at.person, at.day], 86, 100)
    )
    return _at(at, "oxygen_saturation", value, "%", "demo oximeter")


def _after_meals(hour: Numbers) -> Numbers:
    """How much of a meal is in the blood at hours of the day, between 0 and about 1."""
    since = [np.mod(hour - meal, 24) for meal in (7.5, 12.8, 19.0)]
    parts = [hours * np.exp(1 - hours) * (hours < 6) for hours in since]
    meals: Numbers = np.sum(parts, axis=0)
    return meals


def _at(
    at: Moments,
    metric: str,
    value: Numbers,
    unit: str | Texts,
    source: str,
    *,
    context: str = "",
    reading_id: pa.Array | None = None,
) -> _Readings:
    return _Readings(
        at.person, at.day, at.utc, metric, value, unit, source, np.full(len(at), context), reading_id
    )  # fmt: skip


def _rows(world: World, style: FileStyle, *readings: _Readings) -> DemoRows:
    table = pa.concat_tables([_table(world, each) for each in readings])
    person, day = (np.concatenate([getattr(each, name) for each in readings]) for name in ("person", "day"))
    return DemoRows(style, person, day, table, "recorded_at")


def _table(world: World, each: _Readings) -> pa.Table:
    count = len(each.person)
    context = pa.array(np.full(count, "") if each.context is None else each.context, pa.string())
    unit = np.full(count, each.unit) if isinstance(each.unit, str) else each.unit
    return pa.table(
        {
            "user_id": pa.array(world.users_of(each.person)),
            "reading_id": pa.nulls(count, pa.string()) if each.reading_id is None else each.reading_id,
            "metric": pa.array(np.full(count, each.metric), pa.string()),
            "value": pa.array(each.value),
            "unit": pa.array(unit, pa.string()),
            "context": context,
            "recorded_at": instants(each.utc),
            "source": pa.array(np.full(count, each.source), pa.string()),
        }
    )
