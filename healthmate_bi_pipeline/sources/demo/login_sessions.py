"""``login_sessions`` of the demo: visits as the app logged them, some of them without an end."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo import devices
from healthmate_bi_pipeline.sources.demo.rows import (
    Clock,
    DemoRows,
    FileStyle,
    Format,
    coded,
    instants,
    joined,
    same,
)
from healthmate_bi_pipeline.sources.demo.visits import DEVICES, Visits
from healthmate_bi_pipeline.sources.demo.world import World

SESSIONS = FileStyle("login_sessions", "app", Format.CSV_ZSTD, Clock.UTC, has_offset=True)
_WITHOUT_END_SHARE = 0.03  # the app was ended by the phone


def login_sessions(world: World, visits: Visits) -> DemoRows:
    """The sessions; old web clients log none."""
    chance = world.block.rng("sessions").random(len(visits))
    logged = np.flatnonzero(visits.has_session)
    person, day, end = visits.person[logged], visits.day[logged], visits.end[logged]
    has_end = chance[logged] >= _WITHOUT_END_SHARE
    table = pa.table(
        {
            "user_id": pa.array(world.users_of(person)),
            "session_id": session_ids(world, visits).take(pa.array(logged)),
            "started_at": instants(visits.start[logged]),
            "ended_at": instants(np.where(has_end, end, np.datetime64("NaT"))),
            "device": coded(visits.device[logged], DEVICES),
            "app_version": joined("5.", pa.array(visits.release[logged]), ".0"),
            "source": same(devices.APP, len(logged)),
        }
    )
    return DemoRows(SESSIONS, person, day, table, end)


def session_ids(world: World, visits: Visits) -> pa.Array:
    """The session of each visit, whether it was logged or not."""
    dates = pa.array(world.block.span.dates[visits.day].astype(str))
    return joined("s-", pa.array(world.users_of(visits.person)), "-", dates, "-", pa.array(visits.part))
