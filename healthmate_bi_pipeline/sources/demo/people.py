"""Who the people are: the person table, one array per trait, drawn once per block of people.

What a person does on a day is in ``habits``; what they own is told by the model numbers here, see
``devices``. Traits that several kinds of data share (interest in the app, plan, when they came and left) are
here too, so that whatever is written of a person fits together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from healthmate_bi_pipeline.sources.demo import devices
from healthmate_bi_pipeline.sources.demo.block import BLOCK_SIZE, Block
from healthmate_bi_pipeline.sources.demo.clocks import (
    NEVER,
    Clocks,
    Flags,
    Integers,
    Numbers,
    Stay,
    make_clocks,
)
from healthmate_bi_pipeline.sources.demo.places import IS_IMPERIAL, IS_SOUTHERN, PLACES, SHARES

FIRST_USER_ID = 1_001
SHORTEST_SPAN_OF_A_MOVE = 14
INTEREST = (2.2, 1.8)
"""Of a beta distribution."""
_UNREGISTERED_EVERY = 60
_NICOTINE = np.array(
    ["never", "quit_5_years", "quit_1_year", "quit_recently", "e_cigarette", "smoker", None], object
)
PLANS = (FREE, PLUS, FAMILY) = ("free", "plus", "family")
_PLANS = np.array(PLANS, object)
_SEXES = np.array(["female", "male", "other"], object)

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class People:
    """Traits, one value per person of a block.

    Attributes:
        user_id: HealthMate's number.
        home: place in ``PLACES``.
        next_home: the same after the move.
        moves_on: number of the day of the move, ``NEVER`` for most.
        stays: journeys, on which the clock is another but the record is not.
        is_registered: whether the dataset ``users`` knows them.
        nicotine_use: as in the record; empty where it was not asked.
        mepa_score: 0 to 16; NaN where it was not asked.
        interest: in the app, 0 to 1: how much is logged, how long they stay, and the chance that they open it
            in a week.
        first_day: number of the first day with data.
        last_day: number of the last one.
        account_age_days: days between the account and the first data.
        is_bp_treated: takes drugs against high blood pressure from before the first day on.
        wake_hour: when they get up on a weekday; with it goes how late they are active.
        steps: on an average day.
        weekend_factor: of the steps on Saturdays and Sundays.
        trend: relative change of habits over the whole span.
        wear_share: share of the days on which the watch is worn.
        adherence: chance that a dose is taken on a weekday.
        weekend_dip: what is missing of it at weekends.
        decline: how much of it is lost from the first day to the last, evenly.
        watch: number of the model, −1 for none; so the other devices.
    """

    user_id: Integers
    home: Integers
    next_home: Integers
    moves_on: Integers
    stays: tuple[Stay, ...]
    is_registered: Flags
    sex: Texts
    plan: Texts
    birth_year: Integers
    age: Numbers
    nicotine_use: Texts
    mepa_score: Numbers
    interest: Numbers
    first_day: Integers
    last_day: Integers
    account_age_days: Integers
    height_cm: Numbers
    weight_kg: Numbers
    weight_change_kg: Numbers
    systolic: Numbers
    diastolic: Numbers
    resting_bpm: Numbers
    glucose: Numbers
    non_hdl: Numbers
    has_hypertension: Flags
    is_bp_treated: Flags
    has_diabetes: Flags
    is_lipid_treated: Flags
    uses_mmol: Flags
    steps: Numbers
    weekend_factor: Numbers
    trend: Numbers
    exercise_share: Numbers
    wake_hour: Numbers
    sleep_hours: Numbers
    sleep_noise: Numbers
    efficiency: Numbers
    symptom_share: Numbers
    wear_share: Numbers
    adherence: Numbers
    weekend_dip: Numbers
    decline: Numbers
    watch: Integers
    phone: Integers
    ring: Integers
    cuff: Integers
    scale: Integers
    meter: Integers
    cgm: Integers
    oximeter: Integers

    def __len__(self) -> int:
        return len(self.user_id)

    @property
    def is_imperial(self) -> Flags:
        """Whether they live with pounds and °F."""
        return IS_IMPERIAL[self.home]

    @property
    def is_southern(self) -> Flags:
        """Whether their summer is in January."""
        return IS_SOUTHERN[self.home]

    def make_clocks(self, block: Block) -> Clocks:
        """What time it is where they are."""
        moved = Stay(self.moves_on, np.full(len(self), NEVER), self.next_home)
        return make_clocks(block.span, self.home, (moved, *self.stays))


def draw_people(block: Block) -> People:
    """Draw the people of a block.

    The first of all people moves from Berlin to New York in the middle of the span, if it is long enough;
    one in 60 has no row in ``users``.
    """
    rng, number, count = block.rng("people"), block.person_numbers, BLOCK_SIZE
    age = np.clip(rng.normal(52, 17, count), 18, 92)
    sex = rng.choice(_SEXES, count, p=[0.51, 0.47, 0.02])
    height = np.round(rng.normal(np.where(sex == "male", 177, 165), 7), 1)
    bmi = np.clip(rng.gamma(28, 0.97, count), 17, 48)
    interest = rng.beta(*INTEREST, count)
    home = np.where(number < len(PLACES), number % len(PLACES), rng.choice(len(PLACES), count, p=SHARES))
    moves = (number == 0) | (rng.random(count) < 0.03)
    moves &= block.span.days >= SHORTEST_SPAN_OF_A_MOVE
    move_share = np.where(number == 0, 0.5, rng.uniform(0.2, 0.8, count))
    next_home = np.where(number == 0, 1, rng.choice(len(PLACES), count, p=SHARES))
    first_day, last_day = _draw_membership(block, rng, interest)
    people = People(
        user_id=FIRST_USER_ID + number,
        home=home,
        next_home=np.where(moves, next_home, home),
        moves_on=np.where(moves, (block.span.days * move_share).astype(np.int64), NEVER),
        stays=_draw_journeys(block),
        is_registered=number % _UNREGISTERED_EVERY != _UNREGISTERED_EVERY - 1,
        sex=sex,
        plan=rng.choice(_PLANS, count, p=[0.6, 0.3, 0.1]),
        birth_year=block.span.first.year - age.astype(np.int64),
        age=age,
        nicotine_use=rng.choice(_NICOTINE, count, p=[0.35, 0.14, 0.06, 0.03, 0.03, 0.09, 0.3]),
        mepa_score=np.where(rng.random(count) < 0.55, rng.binomial(16, 0.55, count), np.nan),
        interest=interest,
        first_day=first_day,
        last_day=last_day,
        account_age_days=rng.integers(1, 500, count),
        **_draw_body(rng, age=age, height=height, bmi=bmi, is_imperial=IS_IMPERIAL[home]),
        **_draw_habits(block.rng("habits of people"), age=age, interest=interest),
        **_draw_devices(block.rng("devices")),
    )  # fmt: skip
    return replace(people, **_devices_for_conditions(block, people))


def _devices_for_conditions(block: Block, people: People) -> dict[str, Any]:
    """Who has a condition owns what it is measured with."""
    rng = block.rng("devices for conditions")
    needs_cuff = people.has_hypertension & (rng.random(len(people)) < 0.8)
    needs_cgm = people.has_diabetes & (rng.random(len(people)) < 0.4)
    return {
        "cuff": np.where(people.cuff >= 0, people.cuff, devices.CUFF.draw(rng, needs_cuff)),
        "meter": np.where(people.meter >= 0, people.meter, devices.METER.draw(rng, people.has_diabetes)),
        "cgm": devices.CGM.draw(rng, needs_cgm),
    }


def _draw_body(
    rng: np.random.Generator, *, age: Numbers, height: Numbers, bmi: Numbers, is_imperial: Flags
) -> dict[str, Any]:
    count = len(age)
    has_diabetes = rng.random(count) < np.clip(0.02 + (age - 30) / 300 + (bmi - 25) / 90, 0.02, 0.4)
    systolic = rng.normal(113 + 0.3 * (age - 30) + 0.6 * (bmi - 25), 8)
    has_hypertension = (systolic >= 126) | (rng.random(count) < np.clip((age - 45) / 150, 0, 0.3))
    systolic = np.where(has_hypertension, np.maximum(systolic, 118) + 14, systolic)
    is_bp_treated = has_hypertension & (rng.random(count) < 0.45)
    systolic = systolic - 12 * is_bp_treated
    non_hdl = np.clip(rng.normal(145, 30, count), 80, 260)
    is_lipid_treated = (non_hdl > 165) & (rng.random(count) < 0.6)
    return {
        "height_cm": height,
        "weight_kg": bmi * (height / 100) ** 2,
        "weight_change_kg": rng.normal(-0.8, 2.5, count),
        "systolic": systolic,
        "diastolic": rng.normal(0.35 * systolic + 35, 4),
        "resting_bpm": np.clip(rng.normal(63 + 0.2 * (bmi - 25), 7, count), 42, 90),
        "glucose": np.where(
            has_diabetes, rng.normal(145, 20, count), np.clip(rng.normal(95 + 0.4 * (bmi - 26), 6, count), 78, 122)
        ),
        "non_hdl": np.where(is_lipid_treated, non_hdl - 45, non_hdl),
        "has_hypertension": has_hypertension,
        "is_bp_treated": is_bp_treated,
        "has_diabetes": has_diabetes,
        "is_lipid_treated": is_lipid_treated,
        "uses_mmol": ~is_imperial & (rng.random(count) < 0.5),
    }  # fmt: skip


def _draw_habits(rng: np.random.Generator, *, age: Numbers, interest: Numbers) -> dict[str, Any]:
    count = len(age)
    return {
        "steps": rng.lognormal(np.log(8_000 - 50 * (age - 45)), 0.3),
        "weekend_factor": rng.lognormal(-0.08, 0.25, count),
        "trend": rng.normal(0.03, 0.1, count),
        "exercise_share": rng.beta(1.2, 4, count),
        "wake_hour": np.clip(rng.normal(7.0 - 0.015 * (age - 50), 0.9, count), 4.5, 10),
        "sleep_hours": np.clip(rng.normal(7.3, 0.7, count), 5, 9.5),
        "sleep_noise": rng.uniform(0.25, 1.0, count),
        "efficiency": np.clip(rng.normal(0.91 - 0.0008 * (age - 50), 0.03, count), 0.75, 0.97),
        "symptom_share": rng.beta(1.1, 25, count),
        "wear_share": np.clip(rng.beta(9, 1.5, count), 0.3, 1) * (0.85 + 0.15 * interest),
        "adherence": np.clip(rng.beta(9, 1.8, count), 0.3, 0.98),
        "weekend_dip": np.clip(rng.normal(0.06, 0.05, count), 0, 0.25),
        "decline": np.where(rng.random(count) < 0.2, rng.uniform(0.1, 0.3, count), 0.0),
    }


def _draw_devices(rng: np.random.Generator) -> dict[str, Any]:
    watch = devices.WATCH.draw(rng, rng.random(BLOCK_SIZE) < 0.5)
    return {
        "watch": watch,
        "phone": devices.PHONE.draw(rng, (rng.random(BLOCK_SIZE) < 0.35) | (watch < 0)),
        "ring": devices.RING.draw(rng, rng.random(BLOCK_SIZE) < 0.12),
        "cuff": devices.CUFF.draw(rng, rng.random(BLOCK_SIZE) < 0.22),
        "scale": devices.SCALE.draw(rng, rng.random(BLOCK_SIZE) < 0.45),
        "meter": devices.METER.draw(rng, rng.random(BLOCK_SIZE) < 0.06),
        "cgm": np.full(BLOCK_SIZE, -1),
        "oximeter": devices.OXIMETER.draw(rng, rng.random(BLOCK_SIZE) < 0.2),
    }


def _draw_membership(block: Block, rng: np.random.Generator, interest: Numbers) -> tuple[Integers, Integers]:
    """The first and the last day of each: some come later, and some stay away, the less keen the sooner."""
    days, count = block.span.days, BLOCK_SIZE
    comes_late = rng.random(count) < 0.3
    first = np.where(comes_late, (days * rng.uniform(0, 0.7, count)).astype(np.int64), 0)
    leaves = rng.random(count) < 0.45 * (1 - interest)
    last = first + ((days - first) * rng.uniform(0.15, 1, count)).astype(np.int64)
    return first, np.where(leaves, last, days)


def _draw_journeys(block: Block) -> tuple[Stay, ...]:
    """Up to two journeys for three in ten."""
    rng = block.rng("journeys")
    travels = rng.random(BLOCK_SIZE) < 0.3
    journeys = []
    for part in range(2):
        start = ((part + rng.uniform(0.05, 0.9, BLOCK_SIZE)) / 2 * block.span.days).astype(np.int64)
        length = rng.integers(4, 16, BLOCK_SIZE)
        goes = travels & (rng.random(BLOCK_SIZE) < 0.7) & (start + length < block.span.days)
        place = rng.choice(len(PLACES), BLOCK_SIZE)
        journeys.append(Stay(np.where(goes, start, NEVER), np.where(goes, start + length, NEVER), place))
    return tuple(journeys)
