"""A free range of days as one period: which states tile it, and how it is worked out where memory does not suffice.

State adds up, so that whole months inside a range are read as such and only the days at its edges one by one (DESIGN,
rule 7): a year and three days are twelve months and three days. A month that is not made yet, or was made from other
days than there are now, is read from its days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import ibis
import ibis.expr.types as ir
from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.families import Family, state_name, state_table
from healthmate_bi_pipeline.domain.period import Grain, Period, Window
from healthmate_bi_pipeline.errors import EngineFullError
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.transforms.columns import union_all
from healthmate_bi_pipeline.transforms.state import COMPONENT_NAMES
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.families import scan_partitions
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.warehouse import books

MOST_PARTS = 64
"""People are told apart into no more parts than these: what does not fit then does not fit at all."""

FIGURE_COLUMNS = ("people", "total", "total_squared", "low", "high")
"""What a row of figures of groups tells of its people."""

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Tiles:
    """The partitions of a family's states that cover a range of days once, the coarsest that do.

    Attributes:
        months: first days of the months that are read whole.
        days: the other days.
    """

    months: tuple[date, ...]
    days: tuple[date, ...]


@dataclass(frozen=True)
class PeoplePart:
    """Every ``parts``-th person."""

    number: int = 0
    parts: int = 1

    def of(self, rows: ir.Table) -> ir.Table:
        """The rows of these people, of rows with ``user_id``."""
        return rows if self.parts == 1 else rows.filter(rows.user_id.abs() % self.parts == self.number)


def tiles_of(pipeline: Pipeline, connection: Connection, window: Window, *, family: Family) -> Tiles:
    """The states of a family that tile a range of days."""
    inner = Period.MONTHLY.inside(window)
    months = _whole_months(pipeline, connection, inner, family=family) if inner else set()
    days = tuple(day for day in window.each_day() if day.replace(day=1) not in months)
    return Tiles(tuple(sorted(months)), days)


def _whole_months(pipeline: Pipeline, connection: Connection, window: Window, *, family: Family) -> set[date]:
    """The months whose state is what their days would be merged to; or whose days are not kept any more."""
    made = books.partition_records(connection, state_name(family, Grain.MONTH), window=window)
    wanted = versions.state_inputs(pipeline, connection, window, family=family, grain=Grain.MONTH)
    return {
        month
        for month, record in made.items()
        if wanted.get(month, record.input_version) == record.input_version
    }


def scan_tiles(pipeline: Pipeline, engine: Engine, family: Family, windows: Iterable[Window]) -> ir.Table:
    """The states that tile some ranges of days, to be merged.

    Returns:
        The family's key, measure, item, components, and ``period_start``: the start of the range.
    """
    names = (*family.key_names, "measure", "item", *COMPONENT_NAMES)
    parts = []
    for window in windows:
        with pipeline.warehouse.transaction() as connection:
            tiles = tiles_of(pipeline, connection, window, family=family)
        start = ibis.literal(window.start, type="timestamp(6)")
        parts += [
            scan_partitions(pipeline, engine, state_table(family, grain), None, values=values).select(
                *names, period_start=start
            )
            for grain, values in ((Grain.MONTH, tiles.months), (Grain.DAY, tiles.days))
        ]
    return union_all(parts)


def made_of_people(make: Callable[[PeoplePart], _Made]) -> list[_Made]:
    """Work something out of everybody at once, or of ever smaller parts where that does not fit into memory.

    Args:
        make: works it out of some people; what it gives must add up.

    Raises:
        EngineFullError: it does not fit in ``MOST_PARTS`` parts either.
    """
    parts = 1
    while True:
        try:
            return [make(PeoplePart(number, parts)) for number in range(parts)]
        except EngineFullError:
            if parts == MOST_PARTS:
                raise
            parts *= 2


def by_window(rows: Iterable[dict[str, Any]], windows: Iterable[Window]) -> list[list[dict[str, Any]]]:
    """Rows with the ``period_start`` of their range, apart by range."""
    found: dict[datetime, list[dict[str, Any]]] = {window.start: [] for window in windows}
    for row in rows:
        found[row["period_start"]].append(row)
    return list(found.values())


def added_rows(
    parts: Iterable[Iterable[Mapping[str, Any]]], *, key: Sequence[str], counts: Sequence[str]
) -> list[dict[str, Any]]:
    """Rows on groups of different people as rows on all of them, sorted by key.

    Args:
        parts: the rows of each part.
        key: the columns that tell rows apart.
        counts: the columns that add up; of ``low`` the smallest counts, of ``high`` the largest.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for part in parts:
        for row in part:
            place = tuple(row[name] for name in key)
            known = found.get(place)
            given = {name: row[name] for name in counts}
            found[place] = (
                given if known is None else {name: _added(name, known[name], given[name]) for name in counts}
            )
    return [dict(zip(key, place, strict=True)) | row for place, row in sorted(found.items())]


def _added(name: str, known: Any, value: Any) -> Any:
    if known is None or value is None:
        return value if known is None else known
    if name in {"low", "high"}:
        return min(known, value) if name == "low" else max(known, value)
    # Sums of figures are kept to a millionth, as they are of everybody at once.
    return round(known + value, 6) if isinstance(value, float) else known + value
