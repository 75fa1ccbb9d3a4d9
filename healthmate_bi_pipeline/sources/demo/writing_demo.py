"""The demo as a whole: draw the people block by block, and write what they recorded as landing files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.sources.demo import (
    activity,
    body,
    glucose,
    heart,
    labs,
    medication,
    pressure,
    sleep,
    symptoms,
    users,
)
from healthmate_bi_pipeline.sources.demo.block import BLOCK_SIZE, Block
from healthmate_bi_pipeline.sources.demo.clocks import Span
from healthmate_bi_pipeline.sources.demo.defects import DEFECT_BY_NAME
from healthmate_bi_pipeline.sources.demo.disorder import DisorderCounts, disorder
from healthmate_bi_pipeline.sources.demo.output import DemoOutput
from healthmate_bi_pipeline.sources.demo.roles import make_calendar
from healthmate_bi_pipeline.sources.demo.rows import DemoRows
from healthmate_bi_pipeline.sources.demo.stories import Story, joined_stories, tell_stories
from healthmate_bi_pipeline.sources.demo.world import World, draw_world
from healthmate_bi_pipeline.sources.imports import Progress, no_progress
from healthmate_bi_pipeline.sources.writing import LandingBatch

DEFAULT_PEOPLE = 200
DEFAULT_SEED = 20
FIRST_YEAR, LAST_YEAR, MOST_DAYS = 1990, 2100, 3_660

_CONTENT: tuple[Callable[[World], DemoRows], ...] = (
    users.users,
    heart.heart_rate,
    pressure.blood_pressure,
    glucose.continuous_glucose,
    glucose.finger_sticks,
    body.weight,
    body.home_readings,
    labs.lab_reports,
    activity.watch_hours,
    activity.phone_parts,
    activity.phone_days,
    activity.daily_totals,
    sleep.watch_nights,
    sleep.ring_nights,
    medication.doses,
    medication.refills,
    symptoms.symptoms,
)


@dataclass(frozen=True)
class DemoResult:
    """What the demo wrote.

    Attributes:
        files: the landing files.
        counts: rows per dataset, and how many of them are late, bad and so on.
        stories: what is planted in them.
        arguments: what it was made from.
    """

    files: tuple[Path, ...]
    counts: Mapping[str, DisorderCounts]
    stories: tuple[Story, ...]
    arguments: Mapping[str, Any]

    def about(self) -> dict[str, Any]:
        """Arguments, counts and expected rules, for the file of the stories."""
        return {
            "demo": dict(self.arguments),
            "datasets": {
                dataset: vars(counts)
                | {
                    "by_defect": {
                        name: {"rule": DEFECT_BY_NAME[name].rule, "rows": count}
                        for name, count in sorted(counts.by_defect.items())
                    }
                }
                for dataset, counts in self.counts.items()
            },
        }


def write_demo(
    landing: Path,
    *,
    first_day: date,
    last_day: date,
    people: int = DEFAULT_PEOPLE,
    seed: int = DEFAULT_SEED,
    progress: Progress = no_progress,
) -> DemoResult:
    """Write the landing files of a synthetic population; the same arguments give the same bytes.

    Files of an earlier demo are replaced, and removed where there is no new one.

    Args:
        landing: the folder of landing files.
        first_day: first wall-clock day of the data.
        last_day: last one, inclusive.
        people: how many; nobody's data depend on it.
        seed: any number from 0; another one gives other people.
        progress: told of the people who are done.

    Raises:
        UsageError: there are no people or no days, too many days, or the seed is negative.
    """
    _check(people=people, first_day=first_day, last_day=last_day, seed=seed)
    calendar = make_calendar(Span(first_day, last_day))
    counts: dict[str, DisorderCounts] = {}
    stories = []
    with LandingBatch(landing) as batch, DemoOutput(batch) as output:
        for number in range(-(-people // BLOCK_SIZE)):
            progress("making people", number * BLOCK_SIZE / people)
            world = draw_world(Block(seed, number, people, calendar.span), calendar)
            _write_block(world, output, counts)
            stories.append(tell_stories(world))
        progress("making people", 1.0)
    _remove_others(landing, batch.files)
    arguments = {
        "people": people, "seed": seed, "first_day": str(first_day), "last_day": str(last_day),
    }  # fmt: skip
    return DemoResult(batch.files, counts, joined_stories(stories), arguments)


def _check(*, people: int, first_day: date, last_day: date, seed: int) -> None:
    if people < 1:
        raise UsageError(f"A demo needs at least one person, not {people}.")
    if last_day < first_day:
        raise UsageError(f"A demo cannot end ({last_day}) before it begins ({first_day}).")
    if not FIRST_YEAR <= first_day.year <= last_day.year <= LAST_YEAR:
        raise UsageError(f"A demo lies between {FIRST_YEAR} and {LAST_YEAR}, not {first_day} to {last_day}.")
    if (last_day - first_day).days >= MOST_DAYS:
        raise UsageError(
            f"A demo has at most {MOST_DAYS} days (ten years), not {(last_day - first_day).days + 1}."
        )
    if seed < 0:
        raise UsageError(f"The seed of a demo is a number from 0, not {seed}.")


def _write_block(world: World, output: DemoOutput, counts: dict[str, DisorderCounts]) -> None:
    for make in _CONTENT:
        rows = make(world)
        style = rows.style
        parts, counted = disorder(world, rows)
        counts[style.dataset] = counts.get(style.dataset, DisorderCounts()) + counted
        for part in parts:
            output.add(style, part.name, table=part.table, person=part.person, clocks=world.clocks)


def _remove_others(landing: Path, files: tuple[Path, ...]) -> None:
    """Remove what an earlier demo left, which would be read beside the new one."""
    for path in set(landing.glob("*/demo-*")) - set(files):
        path.unlink()
