"""``healthmate-bi run``: make what is stale, or some days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from healthmate_bi_pipeline.cli.arguments import FirstDay, LastDay, check_order
from healthmate_bi_pipeline.cli.progress import shown_steps

if TYPE_CHECKING:
    from healthmate_bi_pipeline.orchestration.watching import RunSummary

SHOWN_MESSAGES = 50
REFUSED = 3
"""What a run exits with that made everything and could not use some files."""


def run(
    first_day: FirstDay = None,
    last_day: LastDay = None,
    select: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="An asset, a group, or Dagster's selection syntax; may come often."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be made.")] = False,  # noqa: FBT002 - an option
) -> None:
    """Make everything that is stale.

    New files are taken in first. With days, all that touches them is made, stale or not; what is frozen per
    month (state/reading_baselines) only when it is selected. Every partition is recorded in Dagster's
    instance, so `healthmate-bi ui` shows it. What was made before stays as it is when something fails, and the
    next run makes the rest.

    Exits with 0 when all went well; with 1 when something failed; with 3 when everything was made but some files could
    not be used: they stay in the landing folder, `status` counts them as new, and every run says so until they are
    mended or taken away. Rows that were set aside change nothing about it.

    \b
    Examples:
      healthmate-bi run
      healthmate-bi run --from 2026-01-01 --to 2026-01-31
      healthmate-bi run --select reports --select health_metrics/daily
      healthmate-bi run --select 'raw/sleep_sessions+' --from 2026-03-01
      healthmate-bi run --dry-run
    """
    from healthmate_bi_pipeline.settings import load_settings

    check_order(first_day, last_day)
    settings = load_settings()

    from healthmate_bi_pipeline.orchestration.instance import prepare_dagster_home

    prepare_dagster_home(settings)

    from healthmate_bi_pipeline.orchestration.run import run_pipeline

    with shown_steps() as on_progress:
        summary = run_pipeline(
            settings,
            first_day=first_day,
            last_day=last_day,
            select=select or (),
            dry_run=dry_run,
            on_progress=on_progress,
        )
    if dry_run:
        _tell_plan(summary)
        return
    _tell(summary)
    if summary.failures:
        raise typer.Exit(1)
    if summary.refused:
        raise typer.Exit(REFUSED)


def _tell_plan(summary: RunSummary) -> None:
    from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED

    for asset, days in summary.partitions.items():
        if asset.startswith("staged/"):
            typer.echo(f"{asset}: {summary.new_files.get(asset, 0)} new files")
        elif UNPARTITIONED in days:
            typer.echo(asset)
        else:
            typer.echo(f"{asset}: {len(days)} partitions, {min(days)} to {max(days)}")


def _tell(summary: RunSummary) -> None:
    if summary.dead_runs:
        typer.echo(f"{summary.dead_runs} runs of processes that are gone were marked as failed.", err=True)
    for message in summary.messages[:SHOWN_MESSAGES]:
        typer.echo(message, err=True)
    more = len(summary.messages) - SHOWN_MESSAGES
    if more > 0:
        typer.echo(f"and {more:,} more such lines; `healthmate-bi ui` shows them", err=True)
    for failure in summary.failures:
        typer.echo(f"failed: {failure}", err=True)
    partitions = sum(
        len(days) for asset, days in summary.partitions.items() if not asset.startswith("staged/")
    )
    staged = sum(rows for asset, rows in summary.rows.items() if asset.startswith("staged/"))
    reports = len({path for path in summary.reports if path.endswith(".html")})
    typer.echo(
        f"{staged:,} new rows taken in, {partitions:,} partitions made, {reports:,} reports written or kept."
    )
    index = summary.reports_path / "index.html"
    if index.exists():
        typer.echo(f"Reports: {index}")
    if summary.refused:
        files = (
            "1 file was refused and stays"
            if summary.refused == 1
            else f"{summary.refused:,} files were refused and stay"
        )
        typer.echo(f"{files} in the landing folder; the lines above say why.", err=True)
