"""``medication_doses`` of the demo: scheduled doses and as-needed ones by the app, refills by the pharmacy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from healthmate_bi_pipeline.sources.demo import devices
from healthmate_bi_pipeline.sources.demo.clocks import Integers, Times, as_minutes
from healthmate_bi_pipeline.sources.demo.regimes import DRUGS
from healthmate_bi_pipeline.sources.demo.rows import (
    Clock,
    DemoRows,
    FileStyle,
    Format,
    coded,
    constant,
    instants,
    joined,
    same,
)
from healthmate_bi_pipeline.sources.demo.world import Moments, World, joined_rows

DATASET = "medication_doses"
APP = FileStyle(DATASET, "app", Format.CSV_ZSTD, Clock.LOCAL_WITH_OFFSET, has_updated_at=True)
PHARMACY = FileStyle(DATASET, "pharmacy", Format.NDJSON, Clock.WALL)

STATUSES = (TAKEN, SKIPPED, UNLOGGED, FILLED) = ("taken", "skipped", "unlogged", "filled")
_AS_NEEDED = len(DRUGS)
_NAMES = (*(drug.name for drug in DRUGS), "ibuprofen 400 mg")
_CLASSES = (*(drug.drug_class for drug in DRUGS), "nsaid")
_SKIPPED_OF_MISSED = 0.4
_TAKEN_TWICE_SHARE = 0.004


def doses(world: World) -> DemoRows:
    """Doses as the app knows them, on the days on which people used it."""
    parts = [
        _scheduled(world, drug, slot) for drug in range(len(DRUGS)) for slot in range(len(DRUGS[drug].hours))
    ]
    parts += [_twice(world, *parts[0]), _as_needed(world)]
    return joined_rows(APP, *zip(*parts, strict=True))


def _scheduled(world: World, drug: int, slot: int) -> tuple[Moments, pa.Table]:
    rng = world.block.rng(f"doses of {DRUGS[drug].name} {slot}")
    shape, days = world.block.shape, world.block.span.days
    has_begun = np.arange(days) >= world.regimes.starts_on[:, drug][:, None]
    is_taken = rng.random(shape) < world.regimes.chance
    is_taken &= ~world.regimes.is_in_gap(drug, days)
    is_skipped = rng.random(shape) < _SKIPPED_OF_MISSED
    due = world.moments(world.habits.has_data & has_begun, np.full(shape, DRUGS[drug].hours[slot]))
    taken = is_taken[due.person, due.day]
    delay = np.clip(rng.normal(6, 22, len(due)), -25, 200)
    taken_at = np.where(taken, due.utc + as_minutes(np.round(delay)), np.datetime64("NaT"))
    status = np.where(taken, 0, np.where(is_skipped[due.person, due.day], 1, 2))
    table = _table(
        world, due, drug=drug, part=str(slot), scheduled_at=due.utc, taken_at=taken_at, status=status
    )
    return due, table


def _as_needed(world: World) -> tuple[Moments, pa.Table]:
    """Against pain: on ill days, and now and then."""
    rng, habits = world.block.rng("doses as needed"), world.habits
    share = np.where(habits.is_ill, 0.35, 0.25 * world.people.symptom_share[:, None])
    taken = habits.has_data & (rng.random(world.block.shape) < share * world.people.interest[:, None])
    at = world.moments(taken, np.round(rng.uniform(7, 22, taken.shape) * 60) / 60)
    nothing = np.full(len(at), np.datetime64("NaT"), "datetime64[us]")
    status = np.zeros(len(at), dtype=np.int64)
    table = _table(world, at, drug=_AS_NEEDED, part="0", scheduled_at=nothing, taken_at=at.utc, status=status)
    return at, table


def refills(world: World) -> DemoRows:
    """What the pharmacy handed out; the days of before the demo apart."""
    parts = []
    for drug, facts in enumerate(DRUGS):
        fills = world.regimes.fills[:, drug]
        last = np.minimum(world.people.last_day, world.block.span.days - 1)
        inside = (fills >= world.people.first_day[:, None]) & (fills <= last[:, None])
        person, number = np.nonzero(inside)
        day = fills[person, number]
        hour = world.block.rng(f"refills of {facts.name}").uniform(9, 18, fills.shape)[person, number]
        at = world.moments_of(person, day, np.round(hour * 60) / 60)
        table = _table(world, at, drug=drug, part="f", filled_at=at.utc, status=np.full(len(at), 3))
        parts.append((at, table))
    return joined_rows(PHARMACY, *zip(*parts, strict=True))


def _twice(world: World, due: Moments, table: pa.Table) -> tuple[Moments, pa.Table]:
    """A few doses that were taken once more, by mistake."""
    is_taken = ~np.isnat(table["taken_at"].to_numpy())
    again = np.flatnonzero(is_taken & (world.block.rng("doses twice").random(len(due)) < _TAKEN_TWICE_SHARE))
    rows = table.take(pa.array(again))
    later = pc.add(rows["taken_at"], pa.scalar(90 * 60_000_000, pa.duration("us")))
    rows = rows.set_column(rows.column_names.index("taken_at"), "taken_at", later)
    dose_id = pc.binary_join_element_wise(rows["dose_id"], "again", "-")
    rows = rows.set_column(rows.column_names.index("dose_id"), "dose_id", dose_id)
    return Moments(due.person[again], due.day[again], due.utc[again], due.hour[again]), rows


def _table(
    world: World,
    at: Moments,
    *,
    drug: int,
    part: str,
    status: Integers,
    scheduled_at: Times | None = None,
    taken_at: Times | None = None,
    filled_at: Times | None = None,
) -> pa.Table:
    count = len(at)
    dates = pa.array(world.block.span.dates[at.day].astype(str))
    is_refill = filled_at is not None
    supply = DRUGS[drug].days_supply if is_refill else None
    return pa.table(
        {
            "user_id": pa.array(world.users_of(at.person)),
            "dose_id": joined("d-", pa.array(world.users_of(at.person)), "-", dates, f"-{drug}{part}"),
            "medication": same(_NAMES[drug], count),
            "medication_class": same(_CLASSES[drug], count),
            **{
                name: pa.nulls(count, pa.timestamp("us")) if times is None else instants(times)
                for name, times in (
                    ("scheduled_at", scheduled_at), ("taken_at", taken_at), ("filled_at", filled_at)
                )
            },
            "status": coded(status, STATUSES),
            "is_as_needed": constant(drug == _AS_NEEDED, count),
            "days_supply": pa.array(np.full(count, supply or np.nan), pa.float64(), from_pandas=True),
            "source": same(devices.PHARMACY if is_refill else devices.APP, count),
        }
    )  # fmt: skip
