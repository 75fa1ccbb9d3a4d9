"""The command line: what commands there are, and how they fail.

A command that fails says so in one clear sentence and exits with 1, after a wrong argument with 2, after
Ctrl-C with 130; a run that made everything but could not use some files exits with 3. ``HEALTHMATE_DEBUG=1`` shows
where an error comes from.
"""

from __future__ import annotations

import os
import sys

import typer

from healthmate_bi_pipeline.cli.alerts import alerts
from healthmate_bi_pipeline.cli.collect import collect
from healthmate_bi_pipeline.cli.demo import demo
from healthmate_bi_pipeline.cli.imports import import_app
from healthmate_bi_pipeline.cli.report import report
from healthmate_bi_pipeline.cli.requeue import requeue
from healthmate_bi_pipeline.cli.retention import retention
from healthmate_bi_pipeline.cli.run import run
from healthmate_bi_pipeline.cli.sql import sql
from healthmate_bi_pipeline.cli.status import status
from healthmate_bi_pipeline.cli.ui import ui
from healthmate_bi_pipeline.cli.vacuum import vacuum
from healthmate_bi_pipeline.cli.validate import validate
from healthmate_bi_pipeline.cli.version import version
from healthmate_bi_pipeline.errors import HealthMateError

PROGRAM = "healthmate-bi"
INTERRUPTED = 130

app = typer.Typer(
    name=PROGRAM,
    help="""HealthMate BI: health metrics per hour to year, and reports, from a health app's raw data.

    \b
    A first look:
      healthmate-bi demo        make files of a synthetic population
      healthmate-bi run         make everything that is stale from them
      healthmate-bi status      see what there is, and where
      healthmate-bi ui          see it in Dagster

    \b
    Your own data:
      put files into the landing folder (status says where), or
      healthmate-bi import fitbit ~/fitbit-export --timezone Europe/Berlin
      healthmate-bi import access-log /var/log/nginx/access.log --service web
      healthmate-bi collect --every 60

    Settings come from HEALTHMATE_… in the environment and from healthmate.toml; HEALTHMATE_HOME says where
    everything lies (default: .healthmate in the working directory).
    """,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(demo)
app.add_typer(import_app, name="import")
app.command()(collect)
app.command()(validate)
app.command()(run)
app.command()(requeue)
app.command()(report)
app.command()(retention)
app.command()(vacuum)
app.command()(ui)
app.command()(sql)
app.command()(status)
app.command()(alerts)
app.command()(version)


def main() -> None:
    """Run the command line; what ``healthmate-bi`` is."""
    try:
        app(prog_name=PROGRAM)
    except HealthMateError as error:
        _raise_when_debugging(error)
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the last place where anything can be said
        _raise_when_debugging(error)
        from healthmate_bi_pipeline.orchestration.defects import unexpected

        _fail(unexpected(error))


def _raise_when_debugging(error: Exception) -> None:
    if os.environ.get("HEALTHMATE_DEBUG"):
        raise error


def _fail(sentence: str) -> None:
    sys.stderr.write(f"{PROGRAM}: {sentence}\n")
    sys.exit(1)
