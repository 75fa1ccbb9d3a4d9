"""``healthmate-bi collect``: samples of this host into the landing folder."""

from __future__ import annotations

from typing import Annotated

import typer


def collect(
    every: Annotated[
        float | None,
        typer.Option("--every", metavar="SECONDS", min=0.1, help="Go on until Ctrl-C or SIGTERM."),
    ] = None,
    per_file: Annotated[
        float | None,
        typer.Option(
            "--per-file",
            metavar="SECONDS",
            min=0.1,
            help="What one file covers. Unset: as in the settings, 300.",
        ),
    ] = None,
    service: Annotated[
        str | None, typer.Option("--service", metavar="NAME", help="The service that this host works for.")
    ] = None,
    environment: Annotated[
        str | None, typer.Option("--environment", metavar="NAME", help="production, staging, …")
    ] = None,
    instance: Annotated[
        str | None, typer.Option("--instance", metavar="NAME", help="This host. Unset: its own name.")
    ] = None,
) -> None:
    """Sample processors, memory and disk of this host.

    Once, or every so many seconds until it is stopped, as a service would. The samples become landing files;
    `run` takes them in.

    \b
    Examples:
      healthmate-bi collect
      healthmate-bi collect --every 60 --service api --environment staging
    """
    from datetime import timedelta

    from healthmate_bi_pipeline.settings import load_settings
    from healthmate_bi_pipeline.usecases.collect_host import (
        host_place,
        sample_host,
        sample_host_until_stopped,
    )

    settings = load_settings()
    place = host_place(settings, service=service, environment=environment, instance=instance)
    if every is None:
        collected = sample_host(settings, place)
    else:
        collected = sample_host_until_stopped(
            settings,
            place,
            every=timedelta(seconds=every),
            per_file=timedelta(seconds=per_file or settings.collect.seconds_per_file),
        )
    typer.echo(f"{collected.samples} samples in {len(collected.files)} files in {settings.landing_path}.")
