"""The parts of a report's page as JSON: sections and blocks, and how numbers are written in all of it."""

from __future__ import annotations

from datetime import datetime
from functools import singledispatch
from typing import Any, TypeAlias

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    Band,
    BandChart,
    Bar,
    BarChart,
    Block,
    CalendarChart,
    Cell,
    Chart,
    ControlLimits,
    Count,
    DataTable,
    Definitions,
    HeatMap,
    KeyFigures,
    Number,
    Point,
    Series,
    Span,
    Text,
    TimelineChart,
    TrendChart,
)
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.wording import as_utc

Json: TypeAlias = dict[str, Any]


def number_json(number: Number) -> Json:
    """A number, or ``null`` with the reason why there is none."""
    if isinstance(number, Absence):
        return {"value": None, "status": number.value}
    return {"value": number, "status": "shown"}


def instant_json(instant: datetime) -> str:
    """An instant as JSON has it: UTC, to the second."""
    return as_utc(instant).strftime("%Y-%m-%dT%H:%M:%SZ")


def people_json(people: Count | None) -> Json | None:
    """A number of people; ``None`` where it is not about people."""
    return None if people is None else number_json(people)


def window_json(window: Window) -> Json:
    """A window, wall-clock; its end is exclusive."""
    return {"period_start": window.start.isoformat(), "period_end": window.end.isoformat()}


def section_json(section: Section) -> Json:
    """A section with its blocks and what lies below it."""
    return {
        "section_id": section.section_id,
        "title": section.title,
        "blocks": [_block(block) for block in section.blocks],
        "subsections": [section_json(one) for one in section.subsections],
    }


@singledispatch
def _block(block: Block) -> Json:
    raise TypeError(f"a report has no block {type(block).__name__}")


def _chart(chart: Chart) -> Json:
    """What every chart begins with."""
    return {"chart_id": chart.chart_id, "title": chart.title, "description": chart.description}


@_block.register
def _(block: KeyFigures) -> Json:
    return {"block": "key_figures", "figures": [metric.figure for metric in block.figures]}


@_block.register
def _(block: BandChart) -> Json:
    return {
        "block": "bands",
        **_chart(block),
        "figure": block.figure,
        "unit": block.unit,
        "bands": [_band(band) for band in block.bands],
        "note": block.note,
    }


def _band(band: Band) -> Json:
    return {
        "label": band.label,
        "lower": band.lower,
        "upper": band.upper,
        "people": number_json(band.people),
        "share": number_json(band.share),
    }


@_block.register
def _(block: TrendChart) -> Json:
    return {
        "block": "trend",
        **_chart(block),
        "unit": block.unit,
        "period": block.period,
        "highlight": window_json(block.highlight) if block.highlight else None,
        "series": [_series(series) for series in block.series],
        "note": block.note,
    }


def _series(series: Series) -> Json:
    return {
        "figure": series.figure,
        "label": series.label,
        "points": [_point(point) for point in series.points],
        "limits": _limits(series.limits) if series.limits else None,
        "signals": list(series.signals),
    }


def _point(point: Point) -> Json:
    return {
        "period_start": point.period_start.isoformat(),
        **number_json(point.value),
        "people": people_json(point.people),
    }


def _limits(limits: ControlLimits) -> Json:
    return {"centre": limits.centre, "lower": limits.lower, "upper": limits.upper}


@_block.register
def _(block: BarChart) -> Json:
    return {
        "block": "bars",
        **_chart(block),
        "figure": block.figure,
        "unit": block.unit,
        "bars": [_bar(bar) for bar in block.bars],
        "note": block.note,
    }


def _bar(bar: Bar) -> Json:
    return {
        "label": bar.label,
        **number_json(bar.value),
        "people": people_json(bar.people),
        "hint": bar.hint,
    }


@_block.register
def _(block: HeatMap) -> Json:
    return {
        "block": "heat_map",
        **_chart(block),
        "figure": block.figure,
        "unit": block.unit,
        "row_title": block.row_title,
        "column_title": block.column_title,
        "rows": list(block.rows),
        "columns": list(block.columns),
        "cells": [[number_json(cell) for cell in row] for row in block.cells],
        "note": block.note,
    }


@_block.register
def _(block: CalendarChart) -> Json:
    return {
        "block": "calendar",
        **_chart(block),
        "figure": block.figure,
        "unit": block.unit,
        "days": [_point(day) for day in block.days],
        "note": block.note,
    }


@_block.register
def _(block: TimelineChart) -> Json:
    return {
        "block": "timeline",
        **_chart(block),
        "window": window_json(block.window),
        "spans": [_span(span) for span in block.spans],
        "note": block.note,
    }


def _span(span: Span) -> Json:
    return {
        "label": span.label,
        "start": instant_json(span.start),
        "end": instant_json(span.end),
        "hint": span.hint,
    }


@_block.register
def _(block: DataTable) -> Json:
    return {
        "block": "table",
        "table_id": block.table_id,
        "title": block.title,
        "columns": [
            {"label": column.label, "is_numeric": column.is_numeric, "figure": column.figure}
            for column in block.columns
        ],
        "rows": [[_cell(cell) for cell in row] for row in block.rows],
        "note": block.note,
    }


def _cell(cell: Cell) -> object:
    if isinstance(cell, Absence):
        return number_json(cell)
    return cell.isoformat() if isinstance(cell, datetime) else cell


@_block.register
def _(block: Text) -> Json:
    return {"block": "text", "paragraphs": list(block.paragraphs)}


@_block.register
def _(block: Definitions) -> Json:
    return {
        "block": "definitions",
        "items": [
            {
                "figure": item.figure,
                "label": item.label,
                "meaning": item.meaning,
                "unit": item.unit,
                "source": item.source,
                "version": item.version,
            }
            for item in block.items
        ],
    }
