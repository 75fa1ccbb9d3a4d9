"""A report as one HTML file that opens without network: styles, charts and one short script are in it.

The templates only place what the document holds; numbers are written by ``wording``, drawings made by
``charts``. The page's own policy forbids it to load anything, or to run any script but its own, which makes
tables sortable; the page does not need it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from healthmate_bi_pipeline.catalog.columns import PrivacyClass
from healthmate_bi_pipeline.reporting import page
from healthmate_bi_pipeline.reporting.blocks import (
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
    Series,
    TableColumn,
    Text,
    TimelineChart,
    TrendChart,
)
from healthmate_bi_pipeline.reporting.charts import theme
from healthmate_bi_pipeline.reporting.csv import block_name
from healthmate_bi_pipeline.reporting.document import Confidence, Report
from healthmate_bi_pipeline.reporting.json_blocks import instant_json
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
    short_instant_text,
    span_beside,
    value_with_unit,
)

if TYPE_CHECKING:
    from jinja2 import Environment

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
    PrivacyClass.AGGREGATE: "aggregated figures",
    PrivacyClass.LIMITED: "limited: not for passing on",
    PrivacyClass.IDENTIFIED: "personal: identified data",
}


def render_html(report: Report) -> str:
    """The report's HTML file."""
    script = script_text("sort.js")
    return (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            policy=policy_with(script),
            script=script,
            links=page.links(report),
            period=period_text(report.cadence, report.window),
            span=span_beside(report.cadence, report.window),
            adjective=ADJECTIVES[report.cadence],
            privacy_text=PRIVACY_TEXTS[report.privacy],
            withheld=_labels(report, absence=Absence.SUPPRESSED),
            absent=_labels(report, absence=Absence.NO_DATA),
            tones=page.TONES,
            most_insights=page.MOST_INSIGHTS,
        )
    )


def script_text(name: str) -> str:
    """A script of the templates."""
    return Path(__file__).with_name("templates").joinpath(name).read_text(encoding="utf-8")


def policy_with(script: str) -> str:
    """The policy of a page that runs this script and no other."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"{POLICY}; script-src 'sha256-{digest}'"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates; what is undefined in them is an error, what they are given is escaped."""
    import jinja2  # noqa: PLC0415 - only pages need it

    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "absence": absence_text,
        "cell": _cell,
        "csv_link": _csv_link,
        "change": change_text,
        "count": count_text,
        "has_people": _has_people,
        "head": _head,
        "instant": instant_text,
        "is_pair": page.is_pair,
        "is_change_visible": is_change_visible,
        "local": _local,
        "lower_first": _lower_first,
        "metrics_by_name": _metrics_by_name,
        "noun": NOUNS.__getitem__,
        "people": people_text,
        "runs": page.runs,
        "share": share_text,
        "short_instant": short_instant_text,
        "sortable": _sortable,
        "svg": _svg,
        "unit": _unit,
        "value": figure_text,
        "value_with_unit": value_with_unit,
    }
    templates.globals |= {"light": _chart_css(theme.LIGHT), "dark": _chart_css(theme.DARK)}
    templates.tests |= {name: _is_a(kind) for name, kind in _BLOCKS.items()}
    return templates


def _is_a(kind: type[Block]) -> Callable[[Block], bool]:
    return lambda block: isinstance(block, kind)


def _metrics_by_name(report: Report) -> dict[str, KeyFigure]:
    return {metric.figure: metric for metric in report.metrics}


def _labels(report: Report, *, absence: Absence) -> list[str]:
    """The figures that are missing for a reason, on a page that has others; those of one name with their units."""
    if not report.summary.headline:
        return []
    names = [metric.label for metric in report.metrics]
    return [
        f"{metric.label} ({metric.unit})" if names.count(metric.label) > 1 else metric.label
        for metric in report.metrics
        if metric.value is absence
    ]


def _has_people(series: Series) -> bool:
    """Whether its points are about people."""
    return any(point.people is not None for point in series.points)


def _svg(drawn: Chart | Confidence) -> Markup:
    from healthmate_bi_pipeline.reporting.charts import drawing  # noqa: PLC0415 - Altair takes half a second

    return drawing.gauge_svg(drawn) if isinstance(drawn, Confidence) else drawing.chart_svg(drawn)


def _chart_css(palette: Mapping[str, str]) -> Markup:
    """The colours of charts as CSS variables."""
    return Markup(" ".join(f"--chart-{name}: {colour};" for name, colour in palette.items()))  # noqa: S704 - constants


def _csv_link(block: Block, report: Report) -> str:
    """The file of a block beside the page."""
    return f"./v{report.stamp.version}.{block_name(block)}.csv"


def _sortable(cell: Cell) -> str | float:
    """What a cell is sorted by."""
    if isinstance(cell, Absence):
        return ""
    return instant_json(cell) if isinstance(cell, datetime) else cell


def _cell(cell: Cell, figure: str) -> str | Markup:
    """What stands in a cell of a table; a number is written as its column's figure is, or as a count."""
    if isinstance(cell, Absence):
        return Markup('<span class="absent">{}</span>').format(absence_text(cell))
    if isinstance(cell, datetime):
        return instant_text(cell)
    if isinstance(cell, str):
        return cell
    return figure_text(figure, cell) if figure else number_text(cell, decimals=0)


def _head(column: TableColumn) -> str:
    """The head of a column, with the unit of its numbers unless its label says it."""
    unit = style_of(column.figure).unit if column.figure else ""
    is_said = not unit or column.label.endswith((f", {unit}", f" {unit}", f"({unit})"))
    return column.label if is_said else f"{column.label}, {unit}"


def _unit(figure: str) -> str:
    return style_of(figure).unit


def _local(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes")


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
