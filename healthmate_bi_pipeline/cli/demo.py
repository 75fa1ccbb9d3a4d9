"""``healthmate-bi demo``: files of a synthetic population."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from healthmate_bi_pipeline.cli.arguments import FirstDay, LastDay, check_order
from healthmate_bi_pipeline.cli.progress import shown_progress

if TYPE_CHECKING:
    from healthmate_bi_pipeline.sources.demo import DemoResult

STORIES_FOLDER = "demo"
"""Below the home, beside the landing folder, which takes datasets only."""


def demo(
    people: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many people.")] = 200,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    seed: Annotated[int, typer.Option(min=0, help="Another number makes other people.")] = 20,
    detail: Annotated[
        float,
        typer.Option(min=0.1, max=1000, help="How many times as many rows of requests and host samples."),
    ] = 1.0,
) -> None:
    """Make files of a synthetic population.

    They differ in age, habits, devices, time zones, conditions and drugs, and in how they use the app, whose
    backend answers them. Some of the rows are late, corrected or wrong, and stories are planted in them, from
    nine months on. The files lie in the landing folder, the stories in demo/stories.json of the home. The same
    arguments make the same files, and a person's rows do not depend on how many others there are. Without days:
    from the first of January of last year until yesterday.

    \b
    Examples:
      healthmate-bi demo
      healthmate-bi demo --people 40 --from 2026-01-01 --to 2026-03-31
      healthmate-bi demo --people 5000 --seed 7
      healthmate-bi demo --detail 10
    """
    from dataclasses import replace

    from healthmate_bi_pipeline.settings import load_settings
    from healthmate_bi_pipeline.sources.demo import write_stories
    from healthmate_bi_pipeline.usecases.collect import make_demo
    from healthmate_bi_pipeline.usecases.pipeline import Pipeline

    first, last = _days(first_day, last_day, today=datetime.now(UTC).date())
    settings = load_settings()
    with Pipeline.open(settings) as pipeline, shown_progress() as progress:
        made = make_demo(
            replace(pipeline, progress=progress),
            people=people,
            first_day=first,
            last_day=last,
            seed=seed,
            detail=detail,
        )
        stories = write_stories(settings.home_path / STORIES_FOLDER, made.stories, made.about())
    typer.echo(f"{people} people, {first} to {last}: {len(made.files)} files in {settings.landing_path}")
    _tell_counts(made)
    typer.echo(f"{len(made.stories)} planted stories: {stories}")
    typer.echo("Next: healthmate-bi run")


def _days(first_day: date | None, last_day: date | None, *, today: date) -> tuple[date, date]:
    """The days of the demo: a whole year and what has passed of the next, unless told otherwise.

    Raises:
        typer.BadParameter: they are in the wrong order, or have not come yet.
    """
    check_order(first_day, last_day)
    last = last_day or today - timedelta(days=1)
    first = first_day or date(last.year - 1, 1, 1)
    check_order(first, last)
    if last > today:
        raise typer.BadParameter(f"the last day ({last}) has not come yet, and its rows would be set aside")
    return first, last


def _tell_counts(made: DemoResult) -> None:
    for dataset, counts in made.counts.items():
        parts = [f"{counts.bad:,} of them bad"]
        parts += [f"{counts.suspected:,} with a slip"] if counts.suspected else []
        parts += [
            f"{count:,} {name}"
            for name, count in (
                ("late", counts.late),
                ("corrected", counts.corrected),
                ("deleted", counts.deleted),
                ("repeated", counts.repeated),
            )
            if count
        ]
        typer.echo(f"  {dataset}: {counts.rows:,} rows, {', '.join(parts)}")
    total = sum(counts.rows for counts in made.counts.values())
    typer.echo(f"  all: {total:,} rows")
