"""``healthmate-bi requeue``: take quarantined rows up again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from healthmate_bi_pipeline.cli.progress import shown_steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthmate_bi_pipeline.usecases.requeue import Held


def requeue(
    datasets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DATASET]", help="Whose rows; of all when none is named."),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="Only rows of this rule, with its column or without."),
    ] = None,
) -> None:
    """Take quarantined rows up again, after a rule or a setting was changed.

    The days that hold them are made again, then all that became stale; new files are left for the next run.
    Every partition is recorded in Dagster's instance. Says how many rows were taken up, and how many stay.

    \b
    Examples:
      healthmate-bi requeue
      healthmate-bi requeue health_readings --rule suspected_unit
      healthmate-bi requeue medication_doses symptom_logs
    """
    from healthmate_bi_pipeline.settings import load_settings

    settings = load_settings()

    from healthmate_bi_pipeline.orchestration.instance import prepare_dagster_home
    from healthmate_bi_pipeline.usecases.pipeline import Pipeline
    from healthmate_bi_pipeline.usecases.requeue import (
        count_come_due,
        find_held,
        note_held,
        still_held,
    )

    prepare_dagster_home(settings)
    with Pipeline.open(settings) as pipeline:
        found = find_held(pipeline, datasets or (), rule=rule)
        _tell_due({} if rule else count_come_due(pipeline, datasets or ()))
        if not found:
            typer.echo("There are no such rows in quarantine.")
            return
        note_held(pipeline, found)

    from healthmate_bi_pipeline.orchestration.run import run_pipeline
    from healthmate_bi_pipeline.usecases.graph import ASSETS

    with shown_steps() as on_progress:
        summary = run_pipeline(
            settings,
            assets=[asset for asset in ASSETS if asset.inputs is not None],
            on_progress=on_progress,
        )
    with Pipeline.open(settings) as pipeline:
        for held in found:
            _tell(held, still_held(pipeline, held))
    for failure in summary.failures:
        typer.echo(f"failed: {failure}", err=True)
    if summary.failures:
        raise typer.Exit(1)


def _tell(held: Held, stay: Mapping[str, int]) -> None:
    staying = sum(stay.values())
    why = ", ".join(f"{rule} {count:,}" for rule, count in stay.items())
    typer.echo(
        f"{held.dataset.name}: {held.rows - staying:,} rows taken up, {staying:,} stay{f': {why}' if why else ''}"
    )


def _tell_due(due: Mapping[str, int]) -> None:
    for name, count in due.items():
        typer.echo(
            f"{name}: {count:,} rows came before their time (in_the_future) and have no day: deliver them again"
            " in a new file.",
            err=True,
        )
