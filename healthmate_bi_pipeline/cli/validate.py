"""``healthmate-bi validate``: what would be set aside of files, before they are dropped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from healthmate_bi_pipeline.cli.progress import shown_progress

if TYPE_CHECKING:
    from healthmate_bi_pipeline.usecases.validate import FileVerdict


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", exists=True, dir_okay=False, help="Files as they would be dropped."
        ),
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="What they are rows of, where folder, name and columns do not tell."
        ),
    ] = None,
) -> None:
    """Say what would be set aside of files; nothing is taken in.

    Per file: its lines, the rows among them, the good ones; then a line per rule with the first record and how
    many more. Ends with 1 when anything would be set aside. Needs neither a home nor a database.

    Notes name optional columns that a file has not, and columns that nobody reads, such as one that is spelled
    otherwise: figures would be null for it. They are no reason to end with 1.

    A file is judged by itself: times without an offset as if everyone lived at UTC, slips of the unit against
    the months that the file itself holds, and without the rows that are there already.

    \b
    Examples:
      healthmate-bi validate new/health_readings/*.csv
      healthmate-bi validate doses.ndjson.gz --dataset medication_doses
    """
    from datetime import UTC, datetime

    from healthmate_bi_pipeline.settings import load_settings
    from healthmate_bi_pipeline.usecases.validate import validate_files

    settings = load_settings()
    now = datetime.now(UTC).replace(tzinfo=None)
    with shown_progress() as progress:
        verdicts = list(validate_files(files, dataset=dataset, settings=settings, now=now, progress=progress))
    for verdict in verdicts:
        _tell(verdict)
    if not all(verdict.is_good for verdict in verdicts):
        raise typer.Exit(1)


def _tell(verdict: FileVerdict) -> None:
    if verdict.dataset is None:
        typer.echo(f"{verdict.path}: cannot be used")
    else:
        typer.echo(
            f"{verdict.path}: {verdict.dataset}: {verdict.lines:,} lines, {verdict.rows:,} rows,"
            f" {verdict.good:,} good"
        )
    for message in verdict.messages:
        typer.echo(f"  {message}")
    for note in verdict.notes:
        typer.echo(f"  note: {note}")
