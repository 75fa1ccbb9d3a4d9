"""``healthmate-bi alerts``: what is not as it should be, and whom it is told to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthmate_bi_pipeline.domain.alerts import Episode
    from healthmate_bi_pipeline.settings import Settings


class Format(StrEnum):
    """How alerts are listed."""

    TABLE = "table"
    JSON = "json"


def alerts(
    every: Annotated[  # noqa: FBT002 - options
        bool, typer.Option("--all", help="Also what is over, or may still pass by itself.")
    ] = False,
    output_format: Annotated[
        Format, typer.Option("--format", help="A table for people, or all there is for programs.")
    ] = Format.TABLE,
    send: Annotated[  # noqa: FBT002
        bool, typer.Option("--send", help="Look at everything now and tell mail, webhooks and log; for cron.")
    ] = False,
    test: Annotated[  # noqa: FBT002
        bool, typer.Option("--test", help="Send a test to every channel and say how each answers.")
    ] = False,
) -> None:
    """List the alerts that are open.

    What is listed is what was found when it was last looked at: by Dagster's sensor `alerts`, or by --send.
    docs/alerts.md says what each means and how channels are set.

    \b
    Examples:
      healthmate-bi alerts
      healthmate-bi alerts --all --format json
      healthmate-bi alerts --send
      healthmate-bi alerts --test
    """
    from healthmate_bi_pipeline.settings import load_settings

    settings = load_settings()
    if test:
        _test(settings)
    else:
        if send:
            _send(settings)
        _list(settings, every=every, output_format=output_format)


def _test(settings: Settings) -> None:
    from healthmate_bi_pipeline.usecases.alerts.telling import try_channels

    answers = try_channels(settings.alerts, now=datetime.now(UTC))
    for name, failure in answers.items():
        typer.echo(f"{name}: {failure or 'took the message'}")
    if any(answers.values()):
        raise typer.Exit(1)


def _send(settings: Settings) -> None:
    import dagster as dg

    from healthmate_bi_pipeline.orchestration.alerts import send_alerts
    from healthmate_bi_pipeline.orchestration.instance import prepare_dagster_home

    prepare_dagster_home(settings)
    with dg.DagsterInstance.get() as instance:
        found = send_alerts(settings, instance=instance)
    for delivery in found.deliveries:
        answer = delivery.failure or f"told of {delivery.told}"
        typer.echo(f"{delivery.channel}: {answer}", err=True)


def _list(settings: Settings, *, every: bool, output_format: Format) -> None:
    from healthmate_bi_pipeline.usecases.alerts.listing import list_alerts
    from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

    with Warehouse.open(settings) as warehouse:
        found = list_alerts(warehouse, now=datetime.now(UTC), every=every)
    if output_format is Format.JSON:
        from healthmate_bi_pipeline.messaging.message import Message

        message = Message(datetime.now(UTC), ui_url=settings.alerts.ui_url)
        typer.echo(json.dumps([message.episode_json(one) for one in found], ensure_ascii=False, indent=1))
    elif not found:
        typer.echo("No alert is open." if not every else "There are no alerts.")
    else:
        for line in _table(found):
            typer.echo(line)


def _table(found: Sequence[Episode]) -> list[str]:
    rows: list[tuple[str, ...]] = [("severity", "since (UTC)", "over (UTC)", "alert", "what")]
    rows += [
        (one.severity.value, _minute(one.opened_at), _minute(one.resolved_at), one.fingerprint, one.summary)
        for one in found
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _minute(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"
