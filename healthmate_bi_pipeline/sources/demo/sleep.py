"""``sleep_sessions`` of the demo: nights by watch and by ring, some by both, and naps."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo.clocks import Integers, Times, as_minutes
from healthmate_bi_pipeline.sources.demo.people import Flags, Numbers
from healthmate_bi_pipeline.sources.demo.rows import Clock, DemoRows, FileStyle, Format, instants
from healthmate_bi_pipeline.sources.demo.world import World

WATCH = FileStyle("sleep_sessions", "watch", Format.PARQUET, Clock.UTC)
RING = FileStyle("sleep_sessions", "ring", Format.CSV_ZSTD, Clock.LOCAL_WITH_OFFSET, has_updated_at=True)


def watch_nights(world: World) -> DemoRows:
    """Nights, and now and then a nap in the afternoon, of people who wear a watch."""
    rng = world.block.rng("sleep by watch")
    worn = world.habits.is_worn & world.people.has_watch[:, None]
    naps = worn & (rng.random(worn.shape) < np.where(world.habits.is_weekend, 0.12, 0.03))
    nap_starts = rng.uniform(13, 16, worn.shape)
    nap_ends = nap_starts + rng.uniform(0.4, 1.6, worn.shape)
    nights = _sessions(world, worn, world.habits.bed_hour, world.habits.wake_hour)
    naps_taken = _sessions(world, naps, nap_starts, nap_ends)
    return _rows(world, WATCH, "demo watch", rng=rng, nights=nights, naps=naps_taken)


def ring_nights(world: World) -> DemoRows:
    """Nights of people with a ring, who may wear a watch as well; it sees them go to bed a little later."""
    rng = world.block.rng("sleep by ring")
    worn = (
        world.habits.has_data
        & world.people.has_ring[:, None]
        & (rng.random(world.habits.has_data.shape) < 0.9)
    )
    bed = world.habits.bed_hour + rng.uniform(0, 0.3, worn.shape)
    nights = _sessions(world, worn, bed, world.habits.wake_hour - rng.uniform(0, 0.1, worn.shape))
    nothing = _sessions(world, np.zeros_like(worn), bed, bed)
    return _rows(world, RING, "demo ring", rng=rng, nights=nights, naps=nothing)


_Sessions = tuple[Integers, Integers, Times, Times]


def _sessions(world: World, happens: Flags, start: Numbers, end: Numbers) -> _Sessions:
    """Person, wake day, start and end; a night that began before the first day is left out."""
    day = np.arange(world.block.span.days)
    happens = happens & ((day > 0) | (start >= 0))
    person, days = np.nonzero(happens)
    midnight = world.block.span.midnights[days]
    clocks = world.people.clocks
    starts, ends = (
        clocks.to_utc(person, midnight + as_minutes(np.round(hours[person, days] * 60)))
        for hours in (start, end)
    )
    return person, days, starts, ends


def _rows(
    world: World,
    style: FileStyle,
    source: str,
    *,
    rng: np.random.Generator,
    nights: _Sessions,
    naps: _Sessions,
) -> DemoRows:
    person, day, start, end = (np.concatenate(parts) for parts in zip(nights, naps, strict=True))
    in_bed = (end - start).astype(np.int64) / 60_000_000
    efficiency = np.clip(rng.normal(0.91, 0.04, len(person)), 0.6, 0.99)
    is_nap = np.arange(len(person)) >= len(nights[0])
    table = pa.table(
        {
            "user_id": pa.array(world.users_of(person)),
            "started_at": instants(start),
            "ended_at": instants(end),
            "asleep_minutes": pa.array(np.floor(in_bed * efficiency), pa.float64()),
            "in_bed_minutes": pa.array(in_bed, pa.float64()),
            "is_nap": pa.array(is_nap),
            "source": pa.array(np.full(len(person), source), pa.string()),
        }
    )
    return DemoRows(style, person, day, table, "started_at")
