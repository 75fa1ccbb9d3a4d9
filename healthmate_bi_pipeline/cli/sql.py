"""``healthmate-bi sql``: a question to the warehouse, by a role that can only read."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from healthmate_bi_pipeline.warehouse.reading import QueryResult

TABLE_ROWS = 1_000
"""Rows of a table: more are for programs."""


class Format(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One statement that gives rows.")],
    output_format: Annotated[
        Format, typer.Option("--format", help="A table for people, or all rows for programs.")
    ] = Format.TABLE,
) -> None:
    """Ask the warehouse in SQL.

    The question is PostgreSQL's, and is asked as a role that can only read.

    \b
    Examples:
      healthmate-bi sql "SELECT * FROM bi_aggregated_health_metrics WHERE aggregation_period = 'monthly'"
      healthmate-bi sql "SELECT asset, count(*) FROM bi_partitions GROUP BY 1 ORDER BY 1" --format csv
    """
    from healthmate_bi_pipeline.settings import load_settings
    from healthmate_bi_pipeline.usecases.ask import ask
    from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

    limit = TABLE_ROWS if output_format is Format.TABLE else None
    with Warehouse.open(load_settings()) as warehouse:
        answer = ask(warehouse, query, limit=limit)
    sys.stdout.write(_WRITERS[output_format](answer))
    if answer.is_cut:
        typer.echo(f"There are more than {TABLE_ROWS} rows; --format csv gives all of them.", err=True)


def _table(answer: QueryResult) -> str:
    cells = [answer.columns, *(tuple(_shown(value) for value in row) for row in answer.rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(answer.columns))]
    is_number = [
        any(isinstance(row[place], int | float | Decimal) for row in answer.rows)
        for place in range(len(answer.columns))
    ]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, is_number, strict=True)
        ).rstrip()
        for row in cells
    ]
    rule = "  ".join("-" * width for width in widths)
    count = f"({len(answer.rows)} row{'' if len(answer.rows) == 1 else 's'})"
    return "\n".join([lines[0], rule, *lines[1:], count]) + "\n"


def _csv(answer: QueryResult) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([None if value is None else _shown(value) for value in row] for row in answer.rows)
    return written.getvalue()


def _json(answer: QueryResult) -> str:
    records = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    return json.dumps(records, default=_plain, ensure_ascii=False, indent=1) + "\n"


def _plain(value: object) -> int | float | str:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, dict | list):
        return json.dumps(value, default=_plain, ensure_ascii=False)
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


_WRITERS: dict[Format, Callable[[QueryResult], str]] = {
    Format.TABLE: _table,
    Format.CSV: _csv,
    Format.JSON: _json,
}
