"""Charts as inline SVG for the page, and as a picture for where no style sheet is."""

from __future__ import annotations

from functools import singledispatch

from markupsafe import Markup

from healthmate_bi_pipeline.reporting.blocks import (
    BandChart,
    BarChart,
    CalendarChart,
    Chart,
    HeatMap,
    TimelineChart,
    TrendChart,
)
from healthmate_bi_pipeline.reporting.charts.bands import bands
from healthmate_bi_pipeline.reporting.charts.bars import bars
from healthmate_bi_pipeline.reporting.charts.calendar import calendar
from healthmate_bi_pipeline.reporting.charts.gauge import gauge
from healthmate_bi_pipeline.reporting.charts.heat import heat_map
from healthmate_bi_pipeline.reporting.charts.svg import Drawing, element, picture
from healthmate_bi_pipeline.reporting.charts.theme import Colours, in_picture, on_page
from healthmate_bi_pipeline.reporting.charts.timeline import timeline
from healthmate_bi_pipeline.reporting.charts.trend import trend
from healthmate_bi_pipeline.reporting.document import Confidence
from healthmate_bi_pipeline.reporting.wording import share_text


def chart_svg(chart: Chart) -> Markup:
    """The chart as an ``<svg>`` element whose colours the page gives."""
    return element(
        _drawing(chart, on_page),
        colours=on_page,
        name=chart.chart_id,
        title=chart.title,
        description=chart.description,
    )


def gauge_svg(confidence: Confidence) -> Markup:
    """The gauge of confidence as an ``<svg>`` element."""
    description = f"{share_text(confidence.score)} of 100 %. Limited by: {confidence.limiting}"
    return element(
        gauge(confidence, on_page),
        colours=on_page,
        name="gauge",
        title="Confidence of the report",
        description=description,
    )


def chart_png(chart: Chart) -> bytes:
    """The chart as a PNG in the colours of the light page."""
    return picture(_drawing(chart, in_picture), colours=in_picture)


@singledispatch
def _drawing(chart: Chart, colours: Colours) -> Drawing:
    del colours
    raise TypeError(f"{type(chart).__name__} is no chart")


_drawing.register(BandChart, bands)
_drawing.register(BarChart, bars)
_drawing.register(CalendarChart, calendar)
_drawing.register(HeatMap, heat_map)
_drawing.register(TimelineChart, timeline)
_drawing.register(TrendChart, trend)
