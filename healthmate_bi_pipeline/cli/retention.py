"""``healthmate-bi retention``: delete what is past its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from healthmate_bi_pipeline.cli.columns import aligned, size_text

if TYPE_CHECKING:
    from healthmate_bi_pipeline.usecases.retention.deleting import Deleted


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,  # noqa: FBT002 - an option
) -> None:
    """Delete what is past its time.

    How long what is kept stands in the settings (`[retention]`); nothing is deleted until `retention.enabled`. Each
    deletion leaves a receipt in bi_retention_receipts. What is deleted is not made again by `run`, except for days
    that somebody asks for with --from and --to.

    \b
    Examples:
      healthmate-bi retention --dry-run
      healthmate-bi retention
    """
    from healthmate_bi_pipeline.settings import load_settings

    settings = load_settings()

    from healthmate_bi_pipeline.orchestration.instance import prepare_dagster_home

    prepare_dagster_home(settings)

    from healthmate_bi_pipeline.orchestration.retention import apply_retention

    done = apply_retention(settings, dry_run=dry_run)
    for line in _lines(done, dry_run=dry_run):
        typer.echo(line)
    if dry_run and not settings.retention.enabled:
        typer.echo("Retention is off (retention.enabled): nothing of this goes.", err=True)
    for message in done.messages:
        typer.echo(message, err=True)


def _lines(done: Deleted, *, dry_run: bool) -> list[str]:
    lines = []
    if done.finished:
        what = "would be finished" if dry_run else "were finished"
        lines.append(f"{len(done.finished)} deletions that an earlier run had begun {what}.")
    if not done.things:
        return [*lines, "Nothing is past its time."]
    rows: list[tuple[str, ...]] = [("what", "kept", "partitions", "rows", "size", "first", "last")]
    for due in done.things:
        kept = due.rule.partition(" ")[2]
        counts = f"{due.partitions:,}", f"{due.rows:,}", size_text(due.bytes)
        rows.append((due.object, kept, *counts, str(due.first_day), str(due.last_day)))
    verb = "would be deleted" if dry_run else "deleted"
    return [*lines, *aligned(rows), "", f"{done.rows:,} rows, {size_text(done.bytes)} {verb}."]
