"""A report's figures as CSV: one file for the key figures, one per table and one per chart.

Numbers have all the digits that the audience may see, in the registry's unit; instants are UTC. Where there is no
number the value is empty and ``status`` says why. Texts that a spreadsheet would take for a formula get an apostrophe
before them (OWASP, CSV injection); numbers are left alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import singledispatch
from typing import TypeAlias

from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    BandChart,
    BarChart,
    Block,
    CalendarChart,
    Cell,
    DataTable,
    HeatMap,
    Number,
    TimelineChart,
    TrendChart,
)
from healthmate_bi_pipeline.reporting.document import Report, Section
from healthmate_bi_pipeline.reporting.json_blocks import instant_json

Line: TypeAlias = tuple[object, ...]

METRICS = "metrics"
"""The name of the file with the key figures."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\u2212", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula, also in full width, which some spreadsheets read alike."""


@dataclass(frozen=True)
class CsvFile:
    """A file beside the report; ``name`` is the table's or the chart's."""

    name: str
    text: str


def csv_files(report: Report) -> tuple[CsvFile, ...]:
    """The files of a report, the key figures first.

    Raises:
        IntegrityError: two of its tables and charts have one name.
    """
    names = [METRICS, *(name for name, _ in _named(report))]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise IntegrityError(
            f"Tables and charts of a report need names of their own; twice: {', '.join(twice)}."
        )
    return (
        CsvFile(METRICS, _text(_metrics(report))),
        *(CsvFile(name, _text(list(_lines(block)))) for name, block in _named(report)),
    )


def csv_names(report: Report) -> frozenset[str]:
    """The names of the files of a report."""
    return frozenset([METRICS, *(name for name, _ in _named(report))])


def block_name(block: Block) -> str:
    """The name of a block's file; empty where it has none."""
    if isinstance(block, DataTable):
        return block.table_id
    return str(getattr(block, "chart_id", ""))


def _named(report: Report) -> Iterator[tuple[str, Block]]:
    def walk(sections: Sequence[Section]) -> Iterator[tuple[str, Block]]:
        for section in sections:
            yield from ((name, block) for block in section.blocks if (name := block_name(block)))
            yield from walk(section.subsections)

    return walk(report.sections)


def _text(lines: Sequence[Line]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([safe(value) for value in line] for line in lines)
    return file.getvalue()


def safe(value: object) -> object:
    """A value that no spreadsheet calculates.

    >>> safe("=1+1"), safe(-3.5), safe("a=b")
    ("'=1+1", -3.5, 'a=b')
    """
    if isinstance(value, datetime):
        return instant_json(value)
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value


def _shown(number: Number | None) -> tuple[object, str]:
    """A number and its status."""
    if isinstance(number, Absence):
        return "", number.value
    return ("", "") if number is None else (number, "shown")


def _value(number: Number | None) -> object:
    return "" if number is None or isinstance(number, Absence) else number


def _metrics(report: Report) -> list[Line]:
    lines: list[Line] = [
        (
            "figure", "label", "unit", "value", "status", "people", "compared_with", "value_there", "change",
            "low", "high", "basis", "note",
        )
    ]  # fmt: skip
    for metric in report.metrics:
        comparison = metric.comparison
        against = (
            (comparison.against, _value(comparison.value), _value(comparison.change))
            if comparison
            else ("", "", "")
        )
        lines.append(
            (
                metric.figure, metric.label, metric.unit, *_shown(metric.value), _value(metric.people), *against,
                _value(metric.low), _value(metric.high), metric.basis, metric.note,
            )
        )  # fmt: skip
    return lines


@singledispatch
def _lines(block: Block) -> Iterator[Line]:
    raise TypeError(f"{type(block).__name__} has no file")


@_lines.register
def _(block: BandChart) -> Iterator[Line]:
    yield ("band", "lower", "upper", "people", "share", "status")
    for band in block.bands:
        share, status = _shown(band.share)
        yield (band.label, band.lower, _value(band.upper), _value(band.people), share, status)


@_lines.register
def _(block: TrendChart) -> Iterator[Line]:
    yield (
        "figure",
        "label",
        "period_start",
        "value",
        "status",
        "people",
        "is_signal",
        "centre",
        "lower",
        "upper",
    )
    for series in block.series:
        limits = (
            (series.limits.centre, series.limits.lower, series.limits.upper) if series.limits else ("",) * 3
        )
        for at, point in enumerate(series.points):
            yield (
                series.figure, series.label, point.period_start.isoformat(), *_shown(point.value),
                _value(point.people), int(at in series.signals), *limits,
            )  # fmt: skip


@_lines.register
def _(block: BarChart) -> Iterator[Line]:
    yield ("label", "value", "status", "people", "remark")
    for bar in block.bars:
        yield (bar.label, *_shown(bar.value), _value(bar.people), bar.hint)


@_lines.register
def _(block: HeatMap) -> Iterator[Line]:
    yield (block.row_title, block.column_title, "value", "status")
    for row, cells in zip(block.rows, block.cells, strict=True):
        for column, cell in zip(block.columns, cells, strict=True):
            yield (row, column, *_shown(cell))


@_lines.register
def _(block: CalendarChart) -> Iterator[Line]:
    yield ("day", "value", "status", "people")
    for day in block.days:
        yield (day.period_start.date().isoformat(), *_shown(day.value), _value(day.people))


@_lines.register
def _(block: TimelineChart) -> Iterator[Line]:
    yield ("label", "start", "end", "remark")
    for span in block.spans:
        yield (span.label, span.start, span.end, span.hint)


@_lines.register
def _(block: DataTable) -> Iterator[Line]:
    yield tuple(column.label for column in block.columns)
    for row in block.rows:
        yield tuple(_cell(cell) for cell in row)


def _cell(cell: Cell) -> object:
    """A cell of a table; why there is no number stands in its place, for a table has no room for a status."""
    return cell.value if isinstance(cell, Absence) else cell
