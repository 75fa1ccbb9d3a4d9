"""A block of people with all that was drawn about them, and the moments at which they do things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo.app_use import AppUse, draw_app_use
from healthmate_bi_pipeline.sources.demo.block import Block
from healthmate_bi_pipeline.sources.demo.clocks import Clocks, Flags, Integers, Numbers, Times, as_minutes
from healthmate_bi_pipeline.sources.demo.habits import Habits, draw_habits
from healthmate_bi_pipeline.sources.demo.lifetimes import draw_lifetimes
from healthmate_bi_pipeline.sources.demo.movement import Movement, draw_movement
from healthmate_bi_pipeline.sources.demo.people import People, draw_people
from healthmate_bi_pipeline.sources.demo.regimes import Regimes, draw_regimes
from healthmate_bi_pipeline.sources.demo.roles import Calendar, Roles, cast_people
from healthmate_bi_pipeline.sources.demo.rows import DemoRows, FileStyle
from healthmate_bi_pipeline.sources.demo.subscriptions import Subscriptions, draw_subscriptions


@dataclass(frozen=True)
class Moments:
    """Something that happened to some people on some days.

    Attributes:
        person: number of the person in the block.
        day: number of the day.
        utc: when.
        hour: the same by the person's clock, in hours since midnight.
    """

    person: Integers
    day: Integers
    utc: Times
    hour: Numbers

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True)
class World:
    """A block of people."""

    block: Block
    people: People
    roles: Roles
    clocks: Clocks
    habits: Habits
    movement: Movement
    regimes: Regimes
    subscriptions: Subscriptions
    app_use: AppUse

    def moments(self, happens: Flags, hour: Numbers) -> Moments:
        """Where something happens, at which hour of the day: both arrays of people × days."""
        person, day = np.nonzero(happens)
        return self.moments_of(person, day, np.broadcast_to(hour, happens.shape)[person, day])

    def moments_of(self, person: Integers, day: Integers, hour: Numbers) -> Moments:
        """The same, of people and days one by one."""
        local = self.block.span.midnights[day] + as_minutes(hour * 60)
        return Moments(person, day, self.clocks.to_utc(person, local), hour)

    def users_of(self, person: Integers) -> Integers:
        """HealthMate's numbers of people."""
        return self.people.user_id[person]


def draw_world(block: Block, calendar: Calendar) -> World:
    """Draw a block of people and their days."""
    people, roles = cast_people(block, draw_people(block), calendar)
    clocks = people.make_clocks(block)
    habits = draw_habits(block, people, roles)
    falls_away = draw_lifetimes(block, people)
    subscriptions = draw_subscriptions(block, people, calendar, falls_away=falls_away)
    return World(
        block=block,
        people=people,
        roles=roles,
        clocks=clocks,
        habits=habits,
        movement=draw_movement(block, people, clocks, habits),
        regimes=draw_regimes(block, people, roles),
        subscriptions=subscriptions,
        app_use=draw_app_use(block, people, calendar, subscriptions=subscriptions, falls_away=falls_away),
    )


def joined_rows(style: FileStyle, moments: Sequence[Moments], tables: Sequence[pa.Table]) -> DemoRows:
    """Rows that were made kind by kind."""
    person, day, utc = (
        np.concatenate([getattr(at, name) for at in moments]) for name in ("person", "day", "utc")
    )
    return DemoRows(style, person, day, pa.concat_tables(tables).unify_dictionaries(), utc)
