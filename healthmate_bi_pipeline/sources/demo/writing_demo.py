"""The demo as a whole: draw the people block by block, and write what they recorded as landing files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.sources.demo import activity, readings, sleep
from healthmate_bi_pipeline.sources.demo.clocks import Span
from healthmate_bi_pipeline.sources.demo.disorder import DisorderCounts, disorder, in_order
from healthmate_bi_pipeline.sources.demo.output import DemoOutput
from healthmate_bi_pipeline.sources.demo.people import Block
from healthmate_bi_pipeline.sources.demo.rows import DemoRows
from healthmate_bi_pipeline.sources.demo.users import USERS, users
from healthmate_bi_pipeline.sources.demo.world import World, draw_world
from healthmate_bi_pipeline.sources.imports import Progress, no_progress
from healthmate_bi_pipeline.sources.writing import LandingBatch

PEOPLE_OF_A_BLOCK = 200
"""How many people are in memory at a time: at 120 days some 300 MB. Another number makes another demo."""

_CONTENT: tuple[Callable[[World], DemoRows], ...] = (
    users,
    readings.heart_rate,
    readings.continuous_glucose,
    readings.blood_pressure,
    readings.finger_sticks,
    readings.home_devices,
    activity.watch_hours,
    activity.phone_hours,
    activity.daily_totals,
    sleep.watch_nights,
    sleep.ring_nights,
)


@dataclass(frozen=True)
class DemoResult:
    """What the demo wrote.

    Attributes:
        files: the landing files.
        counts: rows per dataset, and how many of them are late, bad and so on.
    """

    files: tuple[Path, ...]
    counts: Mapping[str, DisorderCounts]


def write_demo(
    landing: Path,
    *,
    first_day: date,
    last_day: date,
    people: int = 60,
    seed: int = 20,
    progress: Progress = no_progress,
) -> DemoResult:
    """Write the landing files of a synthetic population; the same arguments give the same bytes.

    Files of an earlier demo are replaced.

    Args:
        landing: the folder of landing files.
        first_day: first wall-clock day of the data.
        last_day: last one, inclusive.
        people: how many.
        seed: any number from 0; another one gives other people.
        progress: told of the people who are done.

    Raises:
        UsageError: there are no people or no days, or the seed is negative.
    """
    if people < 1:
        raise UsageError(f"A demo needs at least one person, not {people}.")
    if last_day < first_day:
        raise UsageError(f"A demo cannot end ({last_day}) before it begins ({first_day}).")
    if seed < 0:
        raise UsageError(f"The seed of a demo is a number from 0, not {seed}.")
    counts: dict[str, DisorderCounts] = {}
    with LandingBatch(landing) as batch, DemoOutput(batch) as output:
        for first in range(0, people, PEOPLE_OF_A_BLOCK):
            progress("making people", first / people)
            count = min(PEOPLE_OF_A_BLOCK, people - first)
            _write_block(Block(seed, first, count, people, Span(first_day, last_day)), output, counts)
        progress("making people", 1.0)
    return DemoResult(batch.files, counts)


def _write_block(block: Block, output: DemoOutput, counts: dict[str, DisorderCounts]) -> None:
    world = draw_world(block)
    for make in _CONTENT:
        rows = make(world)
        style = rows.style
        result = in_order(rows) if style is USERS else disorder(world, rows)
        counts[style.dataset] = counts.get(style.dataset, DisorderCounts()) + result.counts
        for number, part in enumerate(result.parts, start=1):
            output.add(style, number, table=part.table, person=part.person, clocks=world.people.clocks)
