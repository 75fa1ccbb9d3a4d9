"""What a laboratory reports: HbA1c each quarter with diabetes, lipids and fasting glucose about once a year."""

from __future__ import annotations

import numpy as np

from healthmate_bi_pipeline.sources.demo import devices
from healthmate_bi_pipeline.sources.demo.clocks import Flags, Integers, Numbers
from healthmate_bi_pipeline.sources.demo.glucose import UNITS, as_measured
from healthmate_bi_pipeline.sources.demo.reading_rows import HEALTH_READINGS, Choice, make_rows, readings_at
from healthmate_bi_pipeline.sources.demo.rows import Clock, DemoRows, FileStyle, Format
from healthmate_bi_pipeline.sources.demo.world import World

LAB = FileStyle(HEALTH_READINGS, "lab", Format.NDJSON_GZIP, Clock.UTC, has_offset=True)
_MMOL_CHOLESTEROL = 38.67
_HOUR = 9.5


def lab_reports(world: World) -> DemoRows:
    """The readings of blood drawn in the morning."""
    rng, people = world.block.rng("labs"), world.people
    goes = rng.random(len(people)) < 0.65
    quarterly = _visits(world, rng, every=91, who=people.has_diabetes)
    yearly = _visits(world, rng, every=330, who=goes | people.is_lipid_treated)
    hour = np.full(world.block.shape, _HOUR)
    hba1c_at, lipids_at = world.moments(quarterly, hour), world.moments(yearly, hour)
    hba1c = (people.glucose[hba1c_at.person] + 46.7) / 28.7 + rng.normal(0, 0.2, len(hba1c_at))  # after ADAG
    lipids = people.non_hdl[lipids_at.person] + rng.normal(0, 9, len(lipids_at))
    fasting = people.glucose[lipids_at.person] + rng.normal(0, 4, len(lipids_at))
    mmol = people.uses_mmol[lipids_at.person]
    return make_rows(
        world, LAB,
        readings_at(hba1c_at, "hba1c", _rounded(np.clip(hba1c, 4.5, 13), 1), unit="%", source=devices.LAB),
        readings_at(
            lipids_at, "non_hdl_cholesterol",
            np.where(mmol, _rounded(lipids / _MMOL_CHOLESTEROL, 2), _rounded(lipids, 0)),
            unit=Choice(UNITS, mmol.astype(int)), source=devices.LAB,
        ),
        readings_at(
            lipids_at, "blood_glucose", as_measured(fasting, mmol), unit=Choice(UNITS, mmol.astype(int)),
            source=devices.LAB, context="fasting",
        ),
    )  # fmt: skip


def _rounded(values: Numbers, digits: int) -> Numbers:
    return np.round(values, digits)


def _visits(world: World, rng: np.random.Generator, *, every: int, who: Flags) -> Flags:
    """A day in each stretch of so many days, other days for other people: people × days."""
    people, days = world.people, world.block.span.days
    visits = np.zeros(world.block.shape, dtype=bool)
    count = days // every + 2
    first: Integers = rng.integers(-every, every // 3, len(people))
    day = first[:, None] + np.arange(count) * every + rng.integers(-10, 11, (len(people), count))
    inside = (day >= people.first_day[:, None]) & (day < np.minimum(people.last_day, days)[:, None])
    person, visit = np.nonzero(inside & who[:, None])
    visits[person, day[person, visit]] = True
    return visits
