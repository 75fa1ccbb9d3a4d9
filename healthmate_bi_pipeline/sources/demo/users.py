"""``users`` of the demo: everyone's record, a version for each move, beginning of a treatment and other plan."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo.clocks import NEVER, Integers, as_minutes, change_of_place
from healthmate_bi_pipeline.sources.demo.people import PLANS
from healthmate_bi_pipeline.sources.demo.places import ZONES
from healthmate_bi_pipeline.sources.demo.rows import Clock, DemoRows, FileStyle, Format, instants
from healthmate_bi_pipeline.sources.demo.world import World

USERS = FileStyle("users", "users", Format.CSV, Clock.UTC, is_tidy=True)

BORN_IN_FUTURE, UNKNOWN_ZONE = "born in the future", "unknown time zone"
_BAD_EVERY, _BORN_IN_FUTURE_AT, _UNKNOWN_ZONE_AT = 50, 11, 12


def users(world: World) -> DemoRows:
    """The records of the people of a block who have one, and a few later versions that make no sense."""
    people, known = world.people, world.people.is_registered
    treated = np.flatnonzero(known & (world.roles.treated_from < NEVER))
    number = world.block.person_numbers % _BAD_EVERY
    is_odd = {
        BORN_IN_FUTURE: np.flatnonzero(known & (number == _BORN_IN_FUTURE_AT)),
        UNKNOWN_ZONE: np.flatnonzero(known & (number == _UNKNOWN_ZONE_AT)),
    }
    groups = (
        np.flatnonzero(known),
        np.flatnonzero(known & (people.moves_on < NEVER)),
        treated,
        *is_odd.values(),
        np.flatnonzero(known & (world.subscriptions.changes_on < world.block.span.days)),
        np.flatnonzero(known & (world.subscriptions.cancelled_on < world.block.span.days)),
    )
    person = np.concatenate(groups)
    origin = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    odd_day = np.full(len(people), world.block.span.days // 2)
    days = np.stack(
        [
            np.full(len(people), -1), people.moves_on, world.roles.treated_from, odd_day, odd_day,
            world.subscriptions.changes_on, world.subscriptions.cancelled_on,
        ]
    )  # fmt: skip
    day = days[origin, person]
    table = _table(world, person, day, origin == 0)
    marks = {name: origin == 3 + place for place, name in enumerate(is_odd)}
    table = _spoiled(world, table, marks[BORN_IN_FUTURE], marks[UNKNOWN_ZONE])
    recorded_at = world.block.span.midnights[np.clip(day, 0, world.block.span.days - 1)]
    return DemoRows(USERS, person, np.zeros_like(person), table, recorded_at, marks)


def _table(world: World, person: Integers, day: Integers, is_first: np.ndarray) -> pa.Table:
    """The record as it stands on a day."""
    people, span = world.people, world.block.span
    valid_from = change_of_place(span, np.clip(day, 0, span.days))
    home = np.where(day >= people.moves_on[person], people.next_home[person], people.home[person])
    days_before = people.first_day - people.account_age_days
    created_at = span.midnights[0] + as_minutes(days_before * 1440 + 600)
    mepa = people.mepa_score[person]
    plan = world.subscriptions.plan_on(person, day)
    return pa.table(
        {
            "user_id": pa.array(people.user_id[person]),
            "valid_from": instants(np.where(is_first, np.datetime64("NaT"), valid_from)),
            "created_at": instants(created_at[person]),
            "time_zone": pa.array(np.array(ZONES, dtype=object)[home], pa.string()),
            "birth_year": pa.array(people.birth_year[person]),
            "sex": pa.array(people.sex[person], pa.string()),
            "height_cm": pa.array(people.height_cm[person]),
            "plan": pa.array(np.array(PLANS, dtype=object)[plan], pa.string()),
            "is_bp_treated": pa.array(
                people.is_bp_treated[person] | (day >= world.roles.treated_from[person])
            ),
            "has_diabetes": pa.array(people.has_diabetes[person]),
            "is_lipid_treated": pa.array(people.is_lipid_treated[person]),
            "nicotine_use": pa.array(people.nicotine_use[person], pa.string()),
            "mepa_score": pa.array(mepa, pa.float64(), mask=np.isnan(mepa)),
            "source": pa.array(np.full(len(person), "account", dtype=object), pa.string()),
        }
    )


def _spoiled(world: World, table: pa.Table, unborn: np.ndarray, nowhere: np.ndarray) -> pa.Table:
    year = np.where(unborn, world.block.span.last.year + 30, table["birth_year"].to_numpy())
    zone = np.where(nowhere, "Europe/Atlantis", table["time_zone"].to_numpy(zero_copy_only=False))
    for name, values in (("birth_year", year), ("time_zone", zone)):
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return table
