"""The demo as a whole: draw the people block by block, and write what they recorded as landing files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from healthmate_bi_pipeline.catalog.datasets import DATASET_BY_NAME
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.sources.demo import (
    activity,
    api_requests,
    app_events,
    billing,
    body,
    glucose,
    heart,
    host_samples,
    labs,
    login_sessions,
    medication,
    pressure,
    sleep,
    symptoms,
    users,
)
from healthmate_bi_pipeline.sources.demo.backend_stories import tell_backend_stories
from healthmate_bi_pipeline.sources.demo.block import BLOCK_SIZE, Block, backend_blocks
from healthmate_bi_pipeline.sources.demo.clocks import UTC_CLOCKS, Clocks, Span
from healthmate_bi_pipeline.sources.demo.defects import defect_of
from healthmate_bi_pipeline.sources.demo.disorder import DisorderCounts, Part, disorder, disorder_backend
from healthmate_bi_pipeline.sources.demo.load import Load
from healthmate_bi_pipeline.sources.demo.notifications import draw_notifications
from healthmate_bi_pipeline.sources.demo.output import DemoOutput
from healthmate_bi_pipeline.sources.demo.roles import make_calendar
from healthmate_bi_pipeline.sources.demo.rows import DemoRows, FileStyle
from healthmate_bi_pipeline.sources.demo.services import Incidents, make_incidents
from healthmate_bi_pipeline.sources.demo.stories import tell_stories
from healthmate_bi_pipeline.sources.demo.story import Story, joined_stories
from healthmate_bi_pipeline.sources.demo.visits import Visits, draw_visits
from healthmate_bi_pipeline.sources.demo.world import World, draw_world
from healthmate_bi_pipeline.sources.imports import Progress, no_progress
from healthmate_bi_pipeline.sources.writing import LandingBatch

DEFAULT_PEOPLE = 200
DEFAULT_SEED = 20
LEAST_DETAIL, MOST_DETAIL = 0.1, 1_000.0
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
    billing.billing_events,
)
_APP_DATASETS = (login_sessions.SESSIONS.dataset, app_events.DATASET)
_BACKEND = {
    api_requests.REQUESTS.dataset: api_requests.api_requests,
    host_samples.HOSTS.dataset: host_samples.host_samples,
}


@dataclass(frozen=True)
class DemoResult:
    """What the demo wrote.

    Attributes:
        files: the landing files.
        counts: rows per dataset, and how many of them are late, bad and so on.
        stories: what is planted in them.
        arguments: what it was made from.
        copies: those of the files that are another one once more; their rows are not among the counts.
    """

    files: tuple[Path, ...]
    counts: Mapping[str, DisorderCounts]
    stories: tuple[Story, ...]
    arguments: Mapping[str, Any]
    copies: tuple[Path, ...] = ()

    def about(self) -> dict[str, Any]:
        """Arguments, counts and expected rules, for the file of the stories."""
        return {
            "demo": dict(self.arguments),
            "datasets": {
                dataset: vars(counts)
                | {
                    "by_defect": {
                        name: {"rule": defect_of(dataset, name).rule, "rows": count}
                        for name, count in sorted(counts.by_defect.items())
                    }
                }
                for dataset, counts in self.counts.items()
            },
            "delivered_twice": [f"{path.parent.name}/{path.name}" for path in self.copies],
        }


def write_demo(
    landing: Path,
    *,
    first_day: date,
    last_day: date,
    people: int = DEFAULT_PEOPLE,
    seed: int = DEFAULT_SEED,
    detail: float = 1.0,
    datasets: Collection[str] = tuple(DATASET_BY_NAME),
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
        detail: how many times as many rows the requests and the samples of hosts have; the requests are the
            same number, as a row counts for several.
        datasets: the names of those to write; what is not among them is not written, and changes no other.
        progress: told of the people and days that are done.

    Raises:
        UsageError: there are no people or no days, too many days, or the seed or the detail is out of range.
    """
    _check(people=people, first_day=first_day, last_day=last_day, seed=seed, detail=detail)
    calendar = make_calendar(Span(first_day, last_day))
    load = Load(calendar.span)
    stories = []
    with LandingBatch(landing) as batch, DemoOutput(batch) as output:
        writing = _Writing(output, frozenset(datasets))
        for number in range(-(-people // BLOCK_SIZE)):
            progress("making people", number * BLOCK_SIZE / people)
            world = draw_world(Block(seed, number, people, calendar.span), calendar)
            visits = draw_visits(world)
            writing.add_people(world, visits)
            load.add(world, visits)
            stories.append(tell_stories(world))
        progress("making people", 1.0)
        incidents = make_incidents(calendar)
        writing.add_backend(seed, load, incidents, detail=detail, progress=progress)
    _remove_others(landing, batch.files)
    arguments = {
        "people": people, "seed": seed, "first_day": str(first_day), "last_day": str(last_day), "detail": detail,
    }  # fmt: skip
    told = (*joined_stories(stories), *tell_backend_stories(calendar, incidents))
    told = tuple(story for story in told if story.dataset in writing.datasets)
    return DemoResult(
        batch.files, writing.counts, told, arguments, tuple(landing / name for name in output.copies)
    )


@dataclass
class _Writing:
    """The files while they are written: what goes into them, and how many rows are what."""

    output: DemoOutput
    datasets: frozenset[str]
    counts: dict[str, DisorderCounts] = field(default_factory=dict)

    def add_people(self, world: World, visits: Visits) -> None:
        """Write what a block of people recorded, did and paid."""
        made: dict[FileStyle, DemoRows] = {}
        for make in _CONTENT:
            rows = make(world)
            self._add(rows.style, disorder(world, rows), world.clocks)
            if rows.style in app_events.ENTERED:
                made[rows.style] = rows
        if self.datasets.isdisjoint(_APP_DATASETS):
            return
        sessions = login_sessions.login_sessions(world, visits)
        events = app_events.app_events(world, visits, draw_notifications(world, visits), made)
        for rows in (sessions, *events):
            self._add(rows.style, disorder(world, rows), world.clocks)

    def add_backend(
        self, seed: int, load: Load, incidents: Incidents, *, detail: float, progress: Progress
    ) -> None:
        """Write what the services answered and how busy their hosts were."""
        mine = [make for dataset, make in _BACKEND.items() if dataset in self.datasets]
        for block in backend_blocks(seed, load.span) if mine else ():
            progress("making requests", block.first / load.span.days)
            for make in mine:
                rows = make(block, load, incidents, detail=detail)
                self._add(rows.style, disorder_backend(block, rows), UTC_CLOCKS)
        if mine:
            progress("making requests", 1.0)

    def _add(self, style: FileStyle, disordered: tuple[list[Part], DisorderCounts], clocks: Clocks) -> None:
        if style.dataset not in self.datasets:
            return
        parts, counted = disordered
        self.counts[style.dataset] = self.counts.get(style.dataset, DisorderCounts()) + counted
        for part in parts:
            self.output.add(style, part.name, table=part.table, person=part.person, clocks=clocks)


def _check(*, people: int, first_day: date, last_day: date, seed: int, detail: float) -> None:
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
    if not LEAST_DETAIL <= detail <= MOST_DETAIL:
        raise UsageError(f"The detail of a demo is {LEAST_DETAIL} to {MOST_DETAIL}, not {detail}.")


def _remove_others(landing: Path, files: tuple[Path, ...]) -> None:
    """Remove what an earlier demo left, which would be read beside the new one."""
    for path in set(landing.glob("*/demo-*")) - set(files):
        path.unlink()
