"""A planted story: what, who, when, how much, and how to get it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from healthmate_bi_pipeline.sources.demo.clocks import NEVER, Flags, Integers
from healthmate_bi_pipeline.sources.demo.roles import Calendar
from healthmate_bi_pipeline.sources.demo.world import World


@dataclass(frozen=True)
class Story:
    """A story.

    Attributes:
        name: what it is known by.
        kind: its shape: ``step_per_person``, ``step_by_device``, ``week``, ``weeks``, ``season``, ``lifetimes``,
            ``cohort``, ``campaign``, ``stretch`` or ``ramp``.
        dataset: where it shows.
        figures: the figures that it shows in, with the size of the effect in each.
        unit: of the sizes.
        rule: who, in words.
        compare: how the size can be got back, in words.
        when: dates, first and last inclusive, or the rule.
        user_ids: who.
        own_dates: of some stories, each person's own dates, by user_id.
        others: other people to compare with, by what they are.
        part: of the backend, where it is about no people: service, environment, instance.
    """

    name: str
    kind: str
    dataset: str
    figures: dict[str, float]
    unit: str
    rule: str
    compare: str
    when: dict[str, Any]
    user_ids: tuple[int, ...] = ()
    own_dates: tuple[tuple[int, dict[str, Any]], ...] = ()
    others: tuple[tuple[str, tuple[int, ...]], ...] = ()
    part: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The story as it stands in the file."""
        own_dates = {str(user): dates for user, dates in self.own_dates}
        return {
            "name": self.name,
            "kind": self.kind,
            "what": {"dataset": self.dataset, "figures": list(self.figures)},
            "who": {
                "rule": self.rule,
                "count": len(self.user_ids),
                "user_ids": list(self.user_ids),
                **{name: list(users) for name, users in self.others},
                **self.part,
            },
            "when": self.when | ({"per_person": own_dates} if own_dates else {}),
            "effect": {"sizes": self.figures, "unit": self.unit, "compare": self.compare},
        }


def joined_stories(blocks: Sequence[tuple[Story, ...]]) -> tuple[Story, ...]:
    """The stories of all blocks as one."""
    return tuple(
        replace(
            told[0],
            user_ids=tuple(user for story in told for user in story.user_ids),
            own_dates=tuple(pair for story in told for pair in story.own_dates),
            others=_joined_others(told),
        )
        for told in zip(*blocks, strict=True)
    )


def _joined_others(told: Sequence[Story]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    names = [name for name, _ in told[0].others]
    return tuple((name, tuple(user for story in told for user in dict(story.others)[name])) for name in names)


def named(story: Story, world: World, who: Flags) -> Story:
    """The story with its people."""
    return replace(story, user_ids=users_of(world, who))


def users_of(world: World, who: Flags) -> tuple[int, ...]:
    """The numbers of some people of a block, of whom there is anything."""
    return tuple(world.people.user_id[who & is_there(world)].tolist())


def is_there(world: World) -> Flags:
    """Who is asked for and recorded or did anything at all."""
    does = world.habits.has_data.any(axis=1) | world.app_use.is_open.any(axis=1)
    there: Flags = world.block.is_asked_for & does
    return there


def days_of(calendar: Calendar, first: int, days: int) -> dict[str, str]:
    """The first and the last of so many days."""
    start = calendar.span.date_of(first)
    return {"first_day": str(start), "last_day": str(start + timedelta(days=days - 1))}


def own_dates(world: World, **days: Integers) -> tuple[tuple[int, dict[str, Any]], ...]:
    """Everyone's own dates by their numbers of days, of whom they come for."""
    span = world.block.span
    comes = np.all([day < NEVER for day in days.values()], axis=0) & is_there(world)
    return tuple(
        (
            int(world.people.user_id[person]),
            {name: str(date_of(span.first, int(day[person]))) for name, day in days.items()},
        )
        for person in np.flatnonzero(comes)
    )


def date_of(first: date, number: int) -> date:
    """The date of a number, which may lie outside of the span."""
    return first + timedelta(days=number)
