"""``healthmate-bi vacuum``: give the disk back what the lake does not need any more."""

from __future__ import annotations

from typing import Annotated

import typer

from healthmate_bi_pipeline.cli.columns import aligned, size_text


def vacuum(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,  # noqa: FBT002 - an option
) -> None:
    """Delete files of the lake that no table needs any more.

    These are the files of days that were made again longer than `vacuum.keep_days` (7) ago, and what killed runs left. No
    row of any table goes. With schedules, `vacuum_nightly` does it.

    \b
    Examples:
      healthmate-bi vacuum --dry-run
      healthmate-bi vacuum
    """
    from healthmate_bi_pipeline.settings import load_settings

    settings = load_settings()

    from healthmate_bi_pipeline.usecases.pipeline import Pipeline
    from healthmate_bi_pipeline.usecases.vacuum import vacuum_lake

    with Pipeline.open(settings) as pipeline:
        freed = vacuum_lake(pipeline, dry_run=dry_run)
    if not freed:
        typer.echo("All files of the lake are needed.")
        return
    rows: list[tuple[str, ...]] = [("table", "files", "size")]
    rows += [(one.table, f"{one.files:,}", size_text(one.bytes)) for one in freed]
    for line in aligned(rows):
        typer.echo(line)
    verb = "would be deleted" if dry_run else "deleted"
    typer.echo(
        f"\n{sum(one.files for one in freed):,} files, {size_text(sum(one.bytes for one in freed))} {verb}."
    )
