"""Arguments that several commands take."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer


def parse_day(text: str | date) -> date:
    """A day as people write it on the command line, YYYY-MM-DD.

    Raises:
        typer.BadParameter: it is none.
    """
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day. Write it as 2026-01-31.") from None


FirstDay = Annotated[
    date | None, typer.Option("--from", parser=parse_day, metavar="DAY", help="First day, YYYY-MM-DD.")
]
LastDay = Annotated[
    date | None,
    typer.Option("--to", parser=parse_day, metavar="DAY", help="Last day, inclusive, YYYY-MM-DD."),
]


def check_order(first_day: date | None, last_day: date | None) -> None:
    """Refuse days in the wrong order.

    Raises:
        typer.BadParameter: the last day lies before the first.
    """
    if first_day is not None and last_day is not None and last_day < first_day:
        raise typer.BadParameter(f"the last day ({last_day}) lies before the first ({first_day})")
