"""A report as one HTML file that opens without network: styles and charts are in it, scripts are not.

The templates only place what the document holds; numbers are written by ``wording``, drawings made by
``charts``. The page's own policy forbids it to load anything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from healthmate_bi_pipeline.catalog.columns import PrivacyClass
from healthmate_bi_pipeline.reporting.charts import chart_svg
from healthmate_bi_pipeline.reporting.document import (
    Absence,
    BandChart,
    BarChart,
    Block,
    CalendarChart,
    Cell,
    Chart,
    DataTable,
    Definitions,
    HeatMap,
    KeyFigure,
    KeyFigures,
    Report,
    Section,
    Series,
    Text,
    TimelineChart,
    TrendChart,
)
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.wording import (
    ADJECTIVES,
    NOUNS,
    absence_text,
    change_text,
    count_text,
    figure_text,
    instant_text,
    is_change_visible,
    number_text,
    people_text,
    period_text,
    share_text,
    span_beside,
    value_with_unit,
)

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

_BLOCKS: dict[str, type[Block]] = {
    "key_figures": KeyFigures,
    "bands": BandChart,
    "trend": TrendChart,
    "bars": BarChart,
    "heat_map": HeatMap,
    "calendar": CalendarChart,
    "timeline": TimelineChart,
    "data_table": DataTable,
    "definitions": Definitions,
    "text": Text,
}
"""Types of blocks by the names of the templates' tests (``block is bands``)."""

PRIVACY_TEXTS = {
    PrivacyClass.AGGREGATE: "groups of people",
    PrivacyClass.LIMITED: "limited: not for passing on",
    PrivacyClass.IDENTIFIED: "personal: identified data",
}


def render_html(report: Report) -> str:
    """The report's HTML file."""
    period = period_text(report.cadence, report.window)
    return (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            policy=POLICY,
            period=period,
            span=span_beside(report.cadence, report.window),
            adjective=ADJECTIVES[report.cadence],
            privacy_text=PRIVACY_TEXTS[report.privacy],
            withheld=_labels(report, absence=Absence.SUPPRESSED),
            absent=_labels(report, absence=Absence.NO_DATA),
            anchors=_anchors(report),
        )
    )


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates; what is undefined in them is an error, what they are given is escaped."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "absence": absence_text,
        "cell": _cell,
        "change": change_text,
        "count": count_text,
        "has_no_bands": _has_no_bands,
        "has_people": _has_people,
        "instant": instant_text,
        "is_change_visible": is_change_visible,
        "local": _local,
        "lower_first": _lower_first,
        "metrics_by_name": _metrics_by_name,
        "noun": NOUNS.__getitem__,
        "people": people_text,
        "share": share_text,
        "svg": _svg,
        "unit": _unit,
        "value": figure_text,
        "value_with_unit": value_with_unit,
    }
    templates.tests |= {name: _is_a(kind) for name, kind in _BLOCKS.items()}
    return templates


def _is_a(kind: type[Block]) -> Callable[[Block], bool]:
    return lambda block: isinstance(block, kind)


def _metrics_by_name(report: Report) -> dict[str, KeyFigure]:
    return {metric.figure: metric for metric in report.metrics}


def _labels(report: Report, *, absence: Absence) -> list[str]:
    """The figures that are missing for a reason, on a page that has others."""
    return [metric.label for metric in report.metrics if metric.value is absence and report.summary.headline]


def _anchors(report: Report) -> dict[str, str]:
    """Where each figure is shown in full."""
    anchors: dict[str, str] = {}
    for section in report.sections:
        for part in (section, *section.subsections):
            for block in part.blocks:
                if isinstance(block, KeyFigures):
                    anchors |= {metric.figure: part.section_id for metric in block.figures}
    return anchors


def _has_no_bands(sections: tuple[Section, ...]) -> bool:
    """Whether no panel has a distribution, so that two of them fit side by side."""
    return not any(isinstance(block, BandChart) for section in sections for block in section.blocks)


def _has_people(series: Series) -> bool:
    """Whether its points are about people."""
    return any(point.people is not None for point in series.points)


def _svg(chart: Chart) -> Markup:
    return chart_svg(chart) if isinstance(chart, BandChart | TrendChart) else Markup("")


def _cell(cell: Cell, figure: str) -> str | Markup:
    """What stands in a cell of a table; a number is written as its column's figure is, or as a count."""
    if isinstance(cell, Absence):
        return Markup('<span class="absent">{}</span>').format(absence_text(cell))
    if isinstance(cell, datetime):
        return instant_text(cell)
    if isinstance(cell, str):
        return cell
    return figure_text(figure, cell) if figure else number_text(cell, decimals=0)


def _unit(figure: str) -> str:
    return style_of(figure).unit


def _local(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes")


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
