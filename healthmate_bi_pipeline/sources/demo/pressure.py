"""Blood pressure by cuff: two rows with one reading_id, in the morning and in the evening."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo import devices
from healthmate_bi_pipeline.sources.demo.clocks import Flags, Numbers
from healthmate_bi_pipeline.sources.demo.reading_rows import (
    HEALTH_READINGS,
    Choice,
    Readings,
    make_rows,
    readings_at,
)
from healthmate_bi_pipeline.sources.demo.roles import (
    FIRMWARE_DIASTOLIC,
    FIRMWARE_SYSTOLIC,
    TREATMENT_DIASTOLIC,
    TREATMENT_SYSTOLIC,
)
from healthmate_bi_pipeline.sources.demo.rows import Clock, DemoRows, FileStyle, Format, joined
from healthmate_bi_pipeline.sources.demo.world import World

CUFF = FileStyle(HEALTH_READINGS, "cuff", Format.NDJSON, Clock.LOCAL_WITH_OFFSET, has_updated_at=True)

SWAPPED, SWAPPED_SHARE = "swapped blood pressure", 0.003


def blood_pressure(world: World) -> DemoRows:
    """Blood pressure: lower in summer and at weekends, and as the stories have it."""
    rng, people, habits, roles = world.block.rng("blood pressure"), world.people, world.habits, world.roles
    measures = habits.has_data & (people.cuff >= 0)[:, None]
    keenness = np.where(people.has_hypertension, 0.55, 0.2) * (0.7 + 0.5 * people.interest)
    readings: list[Readings] = []
    swapped: list[Flags] = []
    for part, share, hour, shift in (
        ("am", 0.75, habits.wake_hour + 0.4, 3.0),
        ("pm", 0.45, np.full_like(habits.wake_hour, 20.75), -3.0),
    ):
        taken = measures & (rng.random(measures.shape) < share * keenness[:, None])
        at = world.moments(taken, hour + rng.uniform(0, 0.5, taken.shape))
        season = -1.5 * habits.warmth[at.person, at.day]
        weekend = -2.0 * world.block.span.is_weekend[at.day]
        usual = shift + season + weekend + rng.normal(0, 6, len(at))
        treated = roles.treatment_share(at.person, at.day)
        is_high = roles.has_new_firmware(at.person, at.day)
        systolic = (
            people.systolic[at.person] + usual + TREATMENT_SYSTOLIC * treated + FIRMWARE_SYSTOLIC * is_high
        )
        diastolic: Numbers = people.diastolic[at.person] + 0.5 * usual + rng.normal(0, 3, len(at))
        diastolic += TREATMENT_DIASTOLIC * treated + FIRMWARE_DIASTOLIC * is_high
        systolic = np.round(np.clip(systolic, 80, 215))
        diastolic = np.round(np.clip(diastolic, 45, systolic - 15))
        dates = pa.array(world.block.span.dates[at.day].astype(str))
        reading_id = joined("bp-", pa.array(world.users_of(at.person)), "-", dates, "-", part)
        source = Choice(devices.CUFF.models, people.cuff[at.person])
        is_swapped = rng.random(len(at)) < SWAPPED_SHARE
        swapped += [is_swapped, is_swapped]
        systolic, diastolic = (
            np.where(is_swapped, diastolic, systolic),
            np.where(is_swapped, systolic, diastolic),
        )
        readings += [
            readings_at(at, f"blood_pressure_{name}", value, unit=unit, source=source, reading_id=reading_id)
            for name, value, unit in (("systolic", systolic, "mmHg"), ("diastolic", diastolic, "mm[Hg]"))
        ]
    rows = make_rows(world, CUFF, *readings)
    return replace(rows, marks={SWAPPED: np.concatenate(swapped)})
