"""``healthmate-bi import …``: files of foreign formats into the landing folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from healthmate_bi_pipeline.cli.progress import shown_progress

if TYPE_CHECKING:
    from healthmate_bi_pipeline.sources.imports import ImportResult

SHOWN_PROBLEMS = 20

DurationUnit = Literal["s", "ms", "us", "ns"]

import_app = typer.Typer(
    help="Import the files of another system.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@import_app.callback()
def imports() -> None:
    """Import the files of another system."""


@import_app.command()
def fitbit(
    path: Annotated[Path, typer.Argument(help="The folder of one or several exports.")],
    time_zone: Annotated[
        str, typer.Option("--timezone", metavar="ZONE", help="Where its people live, such as Europe/Berlin.")
    ],
) -> None:
    """Import a Fitbit export.

    Activity, steps, calories, intensities, sleep, weight and heart rate become landing files. Folders below
    are read too; exports that overlap count once, and so does an import that is repeated.

    \b
    Examples:
      healthmate-bi import fitbit ~/fitbit-export --timezone Europe/Berlin
      healthmate-bi import fitbit ./exports --timezone UTC && healthmate-bi run
    """
    from dataclasses import replace

    from healthmate_bi_pipeline.settings import load_settings
    from healthmate_bi_pipeline.usecases.collect import import_fitbit_export
    from healthmate_bi_pipeline.usecases.pipeline import Pipeline

    settings = load_settings()
    with Pipeline.open(settings) as pipeline, shown_progress() as progress:
        result = import_fitbit_export(
            replace(pipeline, progress=progress), path.expanduser(), time_zone=time_zone
        )
    _tell(result)
    typer.echo(f"{len(result.files)} files in {settings.landing_path}. Next: healthmate-bi run")


@import_app.command(name="access-log")
def access_log(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Logs, plain or gzip.")],
    *,
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="Whose log it is.")],
    environment: Annotated[
        str, typer.Option("--environment", metavar="NAME", help="production, staging, …")
    ] = "production",
    instance: Annotated[
        str, typer.Option("--instance", metavar="NAME", help="The machine or container that wrote it.")
    ] = "unknown",
    duration_unit: Annotated[
        DurationUnit | None,
        typer.Option(
            "--duration-unit",
            help="Unit of response times that name none. Unset: known JSON names have theirs; behind a line a"
            " number with a point is seconds (nginx), a whole one microseconds (Apache's %D).",
        ),
    ] = None,
    duration_member: Annotated[
        str | None,
        typer.Option(
            "--duration-member",
            metavar="NAME",
            help="JSON member with the response time; a/b for b inside a.",
        ),
    ] = None,
) -> None:
    """Import access logs of web servers.

    Reads the common and combined formats (Apache, nginx; response times behind the line) and JSON lines, also
    mixed. Paths become route groups; client addresses, users, user agents and query strings are not kept. A log
    that has grown since, or was renamed or packed, counts once.

    \b
    Examples:
      healthmate-bi import access-log /var/log/nginx/access.log* --service web
      healthmate-bi import access-log api.json.gz --service api --environment staging --duration-unit ms
    """
    from dataclasses import replace

    from healthmate_bi_pipeline.settings import load_settings
    from healthmate_bi_pipeline.transforms.access_logs import LogOptions
    from healthmate_bi_pipeline.usecases.access_logs import LogPlace, import_access_logs
    from healthmate_bi_pipeline.usecases.pipeline import Pipeline

    settings = load_settings()
    options = LogOptions(duration_unit, tuple(duration_member.split("/")) if duration_member else None)
    with Pipeline.open(settings) as pipeline, shown_progress() as progress:
        result = import_access_logs(
            replace(pipeline, progress=progress),
            [path.expanduser() for path in files],
            place=LogPlace(service, environment, instance),
            options=options,
        )
    _tell(result)
    typer.echo(f"{len(result.files)} files in {settings.landing_path}. Next: healthmate-bi run")


def _tell(result: ImportResult) -> None:
    lines = sum(file.lines for file in result.inputs)
    rejected = sum(file.rejected for file in result.inputs)
    people = "" if result.identities is None else f" of {result.identities.num_rows} people"
    typer.echo(f"{len(result.inputs)} files{people}, {lines:,} lines, {rejected:,} of them set aside.")
    for dataset, rows in result.rows.items():
        typer.echo(f"  {dataset}: {rows:,} rows")
    for unused in result.unused:
        typer.echo(f"not read: {unused.path}: {unused.reason}", err=True)
    for problem in result.problems[:SHOWN_PROBLEMS]:
        typer.echo(str(problem), err=True)
    more = len(result.problems) - SHOWN_PROBLEMS
    if more > 0:
        typer.echo(f"and {more:,} more such lines", err=True)
