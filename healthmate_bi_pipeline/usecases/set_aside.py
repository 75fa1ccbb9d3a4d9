"""Saying which rows were set aside, where and why: one line per file and rule, and no value of anybody."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
from sqlalchemy import Connection

from healthmate_bi_pipeline.catalog.datasets import Dataset
from healthmate_bi_pipeline.catalog.rules import FILE_RULES, ROW_RULES
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.transforms import raw
from healthmate_bi_pipeline.warehouse import books

Places = dict[tuple[int, str], tuple[int, int]]
"""By file number and rule: how many rows, and the first of them."""


def quarantined_places(engine: Engine, classified: ir.Table, window: Window | None) -> Places:
    """Where the rows lie that broke a rule; those whose own day is in the window, or all."""
    bad = classified.filter(classified.booked_as == raw.QUARANTINED)
    if window is not None:
        first, last = ibis.literal(window.first_day), ibis.literal(window.last_day)
        bad = bad.filter((bad.own_day >= first) & (bad.own_day <= last))
    counted = bad.group_by(["file_number", "rule"]).agg(n=bad.count(), first=bad.row_number.min())
    return {(row["file_number"], row["rule"]): (row["n"], row["first"]) for row in engine.rows(counted)}


def add_places(total: Places, more: Places) -> None:
    """Count the places of another piece of work in."""
    for key, (count, first) in more.items():
        known, earliest = total.get(key, (0, first))
        total[key] = (known + count, min(earliest, first))


def set_aside_messages(connection: Connection, dataset: Dataset, places: Places) -> tuple[str, ...]:
    """One line per file and rule: file, first record, how many more, rule and column, what the rule says."""
    names = books.file_names(connection, dataset.name, {number for number, _ in places})
    return tuple(
        message(dataset, names.get(number, f"file {number}"), rule=rule, first=first, count=count)
        for (number, rule), (count, first) in sorted(places.items())
    )


def message(dataset: Dataset, file: str, *, rule: str, first: int, count: int) -> str:
    """One line about the rows of a file that broke a rule."""
    more = f" and {count - 1:,} more" if count > 1 else ""
    text = _RULES[rule.split(":", maxsplit=1)[0]]
    return f"{dataset.name}/{file}: record {first:,}{more}: {rule}: {text}."


_RULES: Mapping[str, str] = {**FILE_RULES, **ROW_RULES}
