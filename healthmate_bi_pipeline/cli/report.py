"""``healthmate-bi report``: one report over any days."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from healthmate_bi_pipeline.catalog.reports import REPORT_TYPE_BY_NAME, ReportType
from healthmate_bi_pipeline.cli.arguments import check_order, parse_day


def _parse_type(text: str | ReportType) -> ReportType:
    if isinstance(text, ReportType):
        return text
    if text not in REPORT_TYPE_BY_NAME:
        raise typer.BadParameter(f"{text!r} is no report. There are: {', '.join(REPORT_TYPE_BY_NAME)}.")
    return REPORT_TYPE_BY_NAME[text]


def report(
    report_type: Annotated[
        ReportType,
        typer.Argument(metavar="TYPE", parser=_parse_type, help=f"One of: {', '.join(REPORT_TYPE_BY_NAME)}."),
    ],
    first_day: Annotated[
        date, typer.Option("--from", parser=parse_day, metavar="DAY", help="First day, YYYY-MM-DD.")
    ],
    last_day: Annotated[
        date, typer.Option("--to", parser=parse_day, metavar="DAY", help="Last day, inclusive, YYYY-MM-DD.")
    ],
    generated_by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Whose name stands in it; by default yours.")
    ] = None,
    is_opened: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,  # noqa: FBT002 - an option
) -> None:
    """Write a report over any days.

    HTML and JSON are written from what `run` has made, with a CSV file per table and chart beside them. Days that
    are exactly a day, week, month, quarter or year make that period's report.

    \b
    Examples:
      healthmate-bi report health_summary --from 2026-01-01 --to 2026-01-31 --open
      healthmate-bi report health_summary --from 2026-01-10 --to 2026-02-20
    """
    from healthmate_bi_pipeline.domain.period import Window
    from healthmate_bi_pipeline.settings import load_settings

    check_order(first_day, last_day)
    settings = load_settings()

    from healthmate_bi_pipeline.orchestration.instance import prepare_dagster_home

    prepare_dagster_home(settings)

    from healthmate_bi_pipeline.orchestration.reports import ReportOrder, write_recorded_report

    order = ReportOrder(report_type, Window.of_days(first_day, last_day), generated_by)
    written = write_recorded_report(settings, order)
    for path in written.paths:
        typer.echo(path)
    if is_opened:
        typer.launch(next(path for path in written.paths if path.suffix == ".html").as_uri())
