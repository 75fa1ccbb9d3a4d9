"""A block of people with all that was drawn about them, and the moments at which they do things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from healthmate_bi_pipeline.sources.demo.clocks import Integers, Times, as_minutes
from healthmate_bi_pipeline.sources.demo.habits import Habits, draw_habits
from healthmate_bi_pipeline.sources.demo.movement import Movement, draw_movement
from healthmate_bi_pipeline.sources.demo.people import Block, Flags, Numbers, People, draw_people


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
    habits: Habits
    movement: Movement

    def moments(self, happens: Flags, hour: Numbers) -> Moments:
        """Where something happens, at which hour of the day: both arrays of people × days."""
        person, day = np.nonzero(happens)
        hours = np.broadcast_to(hour, happens.shape)[person, day]
        local = self.block.span.midnights[day] + as_minutes(hours * 60)
        return Moments(person, day, self.people.clocks.to_utc(person, local), hours)

    def users_of(self, person: Integers) -> npt.NDArray[np.int64]:
        """HealthMate's numbers of people."""
        return self.people.user_id[person]


def draw_world(block: Block) -> World:
    """Draw a block of people and their days."""
    people = draw_people(block)
    habits = draw_habits(block, people)
    return World(block, people, habits, draw_movement(block, people, habits))
