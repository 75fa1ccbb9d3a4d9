"""``sleep_sessions`` of the demo: nights by watch and by ring, some by both, and naps."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo import devices
from healthmate_bi_pipeline.sources.demo.clocks import Flags, Integers, Numbers, Times, as_minutes
from healthmate_bi_pipeline.sources.demo.rows import Clock, DemoRows, FileStyle, Format, coded, instants
from healthmate_bi_pipeline.sources.demo.world import World

WATCH = FileStyle("sleep_sessions", "watch", Format.PARQUET, Clock.UTC, has_offset=True)
RING = FileStyle("sleep_sessions", "ring", Format.CSV_ZSTD, Clock.LOCAL_WITH_OFFSET, has_updated_at=True)


def watch_nights(world: World) -> DemoRows:
    """Nights, and now and then a nap in the afternoon, of people who wear a watch."""
    rng, people = world.block.rng("sleep by watch"), world.people
    worn = world.habits.is_worn & (people.watch >= 0)[:, None]
    nap_share = np.where(world.block.span.is_weekend, 0.12, 0.03) * np.where(people.age > 60, 2, 1)[:, None]
    naps = worn & (rng.random(worn.shape) < nap_share)
    nap_starts = rng.uniform(13, 16, worn.shape)
    nap_ends = nap_starts + rng.uniform(0.4, 1.6, worn.shape)
    nights = _sessions(world, worn, world.habits.bed_hour, world.habits.wake_hour)
    naps_taken = _sessions(world, naps, nap_starts, nap_ends)
    person = np.concatenate([nights[0], naps_taken[0]])
    source = coded(people.watch[person], devices.WATCH.models)
    return _rows(world, WATCH, source, rng=rng, nights=nights, naps=naps_taken)


def ring_nights(world: World) -> DemoRows:
    """Nights of people with a ring, who may wear a watch as well; it sees them go to bed a little later."""
    rng, ring = world.block.rng("sleep by ring"), world.people.ring
    worn = world.habits.has_data & (ring >= 0)[:, None] & (rng.random(world.block.shape) < 0.9)
    bed = world.habits.bed_hour + rng.uniform(0, 0.3, worn.shape)
    nights = _sessions(world, worn, bed, world.habits.wake_hour - rng.uniform(0, 0.1, worn.shape))
    nothing = _sessions(world, np.zeros_like(worn), bed, bed)
    source = coded(ring[nights[0]], devices.RING.models)
    return _rows(world, RING, source, rng=rng, nights=nights, naps=nothing)


_Sessions = tuple[Integers, Integers, Times, Times]


def _sessions(world: World, happens: Flags, start: Numbers, end: Numbers) -> _Sessions:
    """Person, wake day, start and end; a night that began before the first day is left out.

    The end is as much later as the clock says, and so by another clock if it was changed meanwhile.
    """
    happens = happens & ((np.arange(world.block.span.days) > 0) | (start >= 0))
    starts = world.moments(happens, np.round(start * 60) / 60)
    minutes = np.round((end - start)[starts.person, starts.day] * 60)
    return starts.person, starts.day, starts.utc, starts.utc + as_minutes(minutes)


def _rows(
    world: World,
    style: FileStyle,
    source: pa.Array,
    *,
    rng: np.random.Generator,
    nights: _Sessions,
    naps: _Sessions,
) -> DemoRows:
    person, day, start, end = (np.concatenate(parts) for parts in zip(nights, naps, strict=True))
    in_bed = (end - start).astype(np.int64) / 60_000_000
    efficiency = world.people.efficiency[person] + rng.normal(0, 0.025, len(person))
    efficiency = np.clip(efficiency - 0.04 * world.habits.is_ill[person, day], 0.6, 0.99)
    table = pa.table(
        {
            "user_id": pa.array(world.users_of(person)),
            "started_at": instants(start),
            "ended_at": instants(end),
            "asleep_minutes": pa.array(np.floor(in_bed * efficiency), pa.float64()),
            "in_bed_minutes": pa.array(in_bed, pa.float64()),
            "is_nap": pa.array(np.arange(len(person)) >= len(nights[0])),
            "source": source,
        }
    )
    return DemoRows(style, person, day, table, end)
