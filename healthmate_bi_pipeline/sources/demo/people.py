"""Who the people are: one array per trait, drawn once per block of people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from healthmate_bi_pipeline.sources.demo.clocks import (
    NEVER,
    POUNDS_AND_FAHRENHEIT,
    ZONES,
    Clocks,
    Integers,
    Span,
)

Numbers = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]

FIRST_USER_ID = 1_001
SHORTEST_SPAN_OF_A_MOVE = 14
PLANS = np.array(["free", "plus", "family"])


@dataclass(frozen=True)
class Block:
    """Some of the people, and the days of the demo.

    Attributes:
        seed: of the whole demo.
        first: the number of the block's first person among all, from 0.
        count: people of the block.
        total: people of the demo.
        span: the days.
    """

    seed: int
    first: int
    count: int
    total: int
    span: Span

    def rng(self, purpose: str) -> np.random.Generator:
        """A stream of random numbers of its own per purpose, so that one part does not change another."""
        return np.random.Generator(
            np.random.PCG64(np.random.SeedSequence([self.seed, self.first, crc32(purpose.encode())]))
        )


@dataclass(frozen=True)
class People:
    """Traits, one value per person of a block.

    Attributes:
        user_id: HealthMate's number.
        clocks: where they live.
        is_registered: whether the dataset ``users`` knows them.
        sex: as in the record.
        wake_hour: when they get up on a weekday.
        steps: on an average day.
        weekend_factor: of the steps on Saturdays and Sundays.
        trend: relative change of habits over the whole span.
        wear_share: share of the days on which the watch is worn.
        first_day: number of the first day with data.
        last_day: number of the last one.
    """

    user_id: Integers
    clocks: Clocks
    is_registered: Flags
    sex: npt.NDArray[np.str_]
    plan: npt.NDArray[np.str_]
    birth_year: Integers
    height_cm: Numbers
    weight_kg: Numbers
    weight_change_kg: Numbers
    systolic: Numbers
    diastolic: Numbers
    resting_bpm: Numbers
    glucose: Numbers
    is_bp_treated: Flags
    has_diabetes: Flags
    uses_pounds: Flags
    uses_mmol: Flags
    steps: Numbers
    weekend_factor: Numbers
    trend: Numbers
    exercise_share: Numbers
    wake_hour: Numbers
    sleep_hours: Numbers
    has_watch: Flags
    has_phone: Flags
    has_ring: Flags
    has_cuff: Flags
    has_scale: Flags
    has_meter: Flags
    has_cgm: Flags
    has_oximeter: Flags
    wear_share: Numbers
    first_day: Integers
    last_day: Integers

    def __len__(self) -> int:
        return len(self.user_id)


def draw_people(block: Block) -> People:
    """Draw the people of a block.

    The first of all people moves from Berlin to New York in the middle of the span, if it is long enough; the
    last one has no row in ``users``, if there are three or more.
    """
    rng, count = block.rng("people"), block.count
    number = block.first + np.arange(count)
    clocks = _draw_clocks(block, rng)
    age = np.clip(rng.normal(47, 15, count), 18, 90)
    sex = rng.choice(["female", "male", "other"], count, p=[0.51, 0.47, 0.02])
    height = np.round(rng.normal(np.where(sex == "male", 177, 165), 7), 1)
    bmi = np.clip(rng.gamma(28, 0.95, count), 17, 48)
    has_diabetes = rng.random(count) < 0.12
    is_bp_treated = rng.random(count) < np.clip((age - 35) / 70, 0.02, 0.6)
    systolic = rng.normal(112 + 0.3 * (age - 30) + 0.6 * (bmi - 25) + 6 * is_bp_treated, 8)
    has_watch, has_phone = rng.random(count) < 0.72, rng.random(count) < 0.6
    is_quitter, is_late = rng.random(count) < 0.12, rng.random(count) < 0.15
    days = block.span.days
    return People(
        user_id=FIRST_USER_ID + number,
        clocks=clocks,
        is_registered=(number != block.total - 1) | (block.total < 3),
        sex=sex,
        plan=rng.choice(PLANS, count, p=[0.6, 0.3, 0.1]),
        birth_year=block.span.first.year - age.astype(np.int64),
        height_cm=height,
        weight_kg=bmi * (height / 100) ** 2,
        weight_change_kg=rng.normal(-0.8, 2.5, count),
        systolic=systolic,
        diastolic=rng.normal(0.35 * systolic + 35, 4),
        resting_bpm=np.clip(rng.normal(64, 8, count), 42, 90),
        glucose=np.where(has_diabetes, rng.normal(145, 20, count), rng.normal(96, 6, count)),
        is_bp_treated=is_bp_treated,
        has_diabetes=has_diabetes,
        uses_pounds=np.isin(clocks.zone, POUNDS_AND_FAHRENHEIT),
        uses_mmol=~np.isin(clocks.zone, POUNDS_AND_FAHRENHEIT) & (rng.random(count) < 0.5),
        steps=rng.lognormal(np.log(7_500 - 40 * (age - 45)), 0.3),
        weekend_factor=rng.lognormal(-0.08, 0.25, count),
        trend=rng.normal(0.03, 0.12, count),
        exercise_share=rng.beta(1.2, 4, count),
        wake_hour=np.clip(rng.normal(6.9, 0.8, count), 4.5, 10),
        sleep_hours=np.clip(rng.normal(7.2, 0.7, count), 5, 9.5),
        has_watch=has_watch,
        has_phone=has_phone | ~has_watch,
        has_ring=rng.random(count) < 0.2,
        has_cuff=is_bp_treated | (rng.random(count) < 0.3),
        has_scale=rng.random(count) < 0.5,
        has_meter=has_diabetes | (rng.random(count) < 0.08),
        has_cgm=has_diabetes & (rng.random(count) < 0.3),
        has_oximeter=rng.random(count) < 0.25,
        wear_share=rng.beta(9, 1.5, count),
        first_day=np.where(is_late, (days * rng.uniform(0, 0.6, count)).astype(np.int64), 0),
        last_day=np.where(is_quitter, (days * rng.uniform(0.3, 1, count)).astype(np.int64), days),
    )  # fmt: skip


def _draw_clocks(block: Block, rng: np.random.Generator) -> Clocks:
    number = block.first + np.arange(block.count)
    drawn = rng.choice(len(ZONES), block.count, p=[0.3, 0.22, 0.16, 0.1, 0.12, 0.1])
    zone = np.where(number < len(ZONES), number % len(ZONES), drawn).astype(np.int64)
    moves = (number == 0) & (block.span.days >= SHORTEST_SPAN_OF_A_MOVE)
    noon = block.span.midnights[block.span.days // 2] + np.timedelta64(12, "h")
    return Clocks(
        zone=zone,
        next_zone=np.where(moves, ZONES.index("America/New_York"), zone),
        moves_at=np.where(moves, noon, NEVER),
        first_year=block.span.first.year - 1,
        last_year=block.span.last.year + 1,
    )
