"""``users`` of the demo: everyone's record, and a second version for who moved."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo.clocks import NEVER, ZONES, as_minutes
from healthmate_bi_pipeline.sources.demo.rows import Clock, DemoRows, FileStyle, Format, instants
from healthmate_bi_pipeline.sources.demo.world import World

USERS = FileStyle("users", "users", Format.CSV, Clock.UTC)


def users(world: World) -> DemoRows:
    """The records of the people of a block who have one."""
    people, clocks = world.people, world.people.clocks
    rng = world.block.rng("users")
    known = np.flatnonzero(people.is_registered)
    moved = np.flatnonzero(people.is_registered & (clocks.moves_at < NEVER))
    person = np.concatenate([known, moved])
    days_before = people.first_day - rng.integers(1, 500, len(people))
    created_at = world.block.span.midnights[0] + as_minutes(days_before * 1440 + 600)
    valid_from = np.concatenate([np.full(len(known), "NaT", "datetime64[us]"), clocks.moves_at[moved]])
    zone = np.concatenate([clocks.zone[known], clocks.next_zone[moved]])
    table = pa.table(
        {
            "user_id": pa.array(people.user_id[person]),
            "valid_from": instants(valid_from),
            "created_at": instants(created_at[person]),
            "time_zone": pa.array(np.array(ZONES)[zone], pa.string()),
            "birth_year": pa.array(people.birth_year[person]),
            "sex": pa.array(people.sex[person], pa.string()),
            "height_cm": pa.array(people.height_cm[person]),
            "plan": pa.array(people.plan[person], pa.string()),
            "is_bp_treated": pa.array(people.is_bp_treated[person]),
            "has_diabetes": pa.array(people.has_diabetes[person]),
            "source": pa.array(np.full(len(person), "demo"), pa.string()),
        }
    )
    return DemoRows(USERS, person, np.zeros_like(person), table, "created_at")
