"""``healthmate-bi demo``: files of a synthetic population."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from healthmate_bi_pipeline.cli.arguments import FirstDay, LastDay, check_order
from healthmate_bi_pipeline.cli.progress import shown_progress

MONTHS_BACK = 5
"""So that whole weeks, months and a quarter are among the days."""


def demo(
    people: Annotated[int, typer.Option(min=1, help="How many people.")] = 60,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    seed: Annotated[int, typer.Option(min=0, help="Another number makes other people.")] = 20,
) -> None:
    """Make files of a synthetic population.

    They have several devices and time zones, late and bad rows, and lie in the landing folder. The same
    arguments make the same files. Without days: from five months ago until yesterday.

    \b
    Examples:
      healthmate-bi demo
      healthmate-bi demo --people 500 --from 2025-01-01 --to 2025-12-31 --seed 7
    """
    from dataclasses import replace

    from healthmate_bi_pipeline.settings import load_settings
    from healthmate_bi_pipeline.usecases.collect import make_demo
    from healthmate_bi_pipeline.usecases.pipeline import Pipeline

    check_order(first_day, last_day)
    last = last_day or datetime.now(UTC).date() - timedelta(days=1)
    first = first_day or _months_before(last, MONTHS_BACK)
    check_order(first, last)
    settings = load_settings()
    with Pipeline.open(settings) as pipeline, shown_progress() as progress:
        made = make_demo(
            replace(pipeline, progress=progress), people=people, first_day=first, last_day=last, seed=seed
        )
    typer.echo(f"{people} people, {first} to {last}: {len(made.files)} files in {settings.landing_path}")
    for dataset, counts in made.counts.items():
        typer.echo(f"  {dataset}: {counts.rows:,} rows, {counts.bad:,} of them bad, {counts.late:,} late")
    typer.echo("Next: healthmate-bi run")


def _months_before(day: date, months: int) -> date:
    """The first day of the month that lies so many months before a day's.

    >>> _months_before(date(2026, 3, 15), 5)
    datetime.date(2025, 10, 1)
    """
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)
