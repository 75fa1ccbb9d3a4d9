"""Who takes which drugs since when, when they are refilled, and how likely a dose is to be taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from healthmate_bi_pipeline.sources.demo.block import Block
from healthmate_bi_pipeline.sources.demo.clocks import NEVER, Flags, Integers, Numbers
from healthmate_bi_pipeline.sources.demo.people import People
from healthmate_bi_pipeline.sources.demo.roles import GAP_ADHERENCE, GAP_DAYS, Roles

_GAP_AFTER = 0.4  # of the span


@dataclass(frozen=True)
class Drug:
    """A drug that is taken on a schedule.

    Attributes:
        name: as in ``medication``.
        drug_class: as in ``medication_class``.
        hours: of the day at which it is due.
        days_supply: how long a refill lasts.
    """

    name: str
    drug_class: str
    hours: tuple[float, ...]
    days_supply: int


DRUGS = (
    Drug("ramipril 5 mg", "ace inhibitor", (8.0,), 30),
    Drug("amlodipine 5 mg", "calcium channel blocker", (8.0,), 90),
    Drug("metformin 850 mg", "biguanide", (8.0, 19.0), 90),
    Drug("atorvastatin 20 mg", "statin", (21.0,), 90),
)
_RAMIPRIL, _AMLODIPINE, _METFORMIN, _STATIN = range(len(DRUGS))


@dataclass(frozen=True)
class Regimes:
    """What the people of a block take.

    Attributes:
        starts_on: number of the first day, people × drugs; ``NEVER`` for who does not take it, below 0 for who
            took it before.
        fills: numbers of the days of the refills, people × drugs × refills; ``NEVER`` where there is none.
        gap_from: first day without the drug after a refill that came too late; ``NEVER`` for most.
        gap_to: the day of that refill.
        gap_drug: which drug it was.
        chance: that a dose is taken, people × days; the days of the gap apart.
    """

    starts_on: Integers
    fills: Integers
    gap_from: Integers
    gap_to: Integers
    gap_drug: Integers
    chance: Numbers

    def is_in_gap(self, drug: int, days: int) -> Flags:
        """The days on which people have none of a drug left: people × days."""
        day = np.arange(days)
        inside = (day >= self.gap_from[:, None]) & (day < self.gap_to[:, None])
        gap: Flags = inside & (self.gap_drug == drug)[:, None]
        return gap


def draw_regimes(block: Block, people: People, roles: Roles) -> Regimes:
    """Draw drugs, refills and adherence."""
    rng = block.rng("regimes")
    starts_on = _draw_starts(rng, people, roles)
    fills = _draw_fills(rng, people, starts_on, block.span.days)
    gap_drug = np.argmin(starts_on, axis=1)
    row = np.arange(len(people))
    mine = fills[row, gap_drug]  # the refills of the drug in question, people × refills
    late = np.argmax(mine >= int(_GAP_AFTER * block.span.days), axis=1)
    gap_from = np.where(roles.has_gap, mine[row, late], NEVER)
    is_after = roles.has_gap[:, None] & (np.arange(mine.shape[1]) >= late[:, None]) & (mine < NEVER)
    fills[row, gap_drug] = mine + GAP_DAYS * is_after
    gap_to = np.where(roles.has_gap, gap_from + GAP_DAYS, NEVER)
    return Regimes(starts_on, fills, gap_from, gap_to, gap_drug, _chance(block, people, gap_to))


def _draw_starts(rng: np.random.Generator, people: People, roles: Roles) -> Integers:
    count = len(people)
    starts = np.full((count, len(DRUGS)), NEVER)
    before = -rng.integers(1, 90, count)
    is_newly_treated = roles.treated_from < NEVER
    is_treated = people.is_bp_treated | is_newly_treated
    kind = rng.random(count)
    bp_start = np.where(is_newly_treated, roles.treated_from, before)
    starts[:, _RAMIPRIL] = np.where(is_treated & (kind < 0.65), bp_start, NEVER)
    starts[:, _AMLODIPINE] = np.where(is_treated & ((kind >= 0.65) | (kind < 0.1)), bp_start, NEVER)
    starts[:, _METFORMIN] = np.where(people.has_diabetes & (rng.random(count) < 0.85), before, NEVER)
    starts[:, _STATIN] = np.where(people.is_lipid_treated, before, NEVER)
    return starts


def _draw_fills(rng: np.random.Generator, people: People, starts_on: Integers, days: int) -> Integers:
    """The first refill on the first day, each other when the last one is used up, or some days off."""
    supply = np.array([drug.days_supply for drug in DRUGS])
    refills = (days + 90) // int(supply.min()) + 2
    shape = (*starts_on.shape, refills)
    mean_delay = (10 * (1 - people.adherence))[:, None, None]
    delay = np.round(rng.exponential(1.0, shape) * mean_delay + rng.uniform(-3, 1, shape)).astype(np.int64)
    delay[:, :, 0] = 0
    steps = np.arange(refills) * supply[:, None] + np.cumsum(delay, axis=2)
    return np.where(starts_on[:, :, None] < NEVER, starts_on[:, :, None] + steps, NEVER)


def _chance(block: Block, people: People, gap_to: Integers) -> Numbers:
    """The chance that a dose is taken: less at weekends, less and less for some, less after a gap."""
    day = np.arange(block.span.days)
    chance = people.adherence[:, None] - np.where(block.span.is_weekend, people.weekend_dip[:, None], 0.0)
    chance = chance - people.decline[:, None] * day / max(block.span.days - 1, 1)
    chance = chance + np.where(day >= gap_to[:, None], GAP_ADHERENCE, 0.0)
    clipped: Numbers = np.clip(chance, 0.05, 0.99)
    return clipped
