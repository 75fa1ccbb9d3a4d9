"""Charts as inline SVG, written element by element: no browser, no font files, no drawing library.

Everything is placed here, so that the same chart has the same bytes on every machine. The page's style sheet
gives the colours (light, dark and print) by the classes used here; without it a chart is black.

Vega by way of vl-convert was tried: 0.1–0.2 s a chart against less than a millisecond, a hundred times the
price of the rest of a report, for axes and labels that had to be placed by hand all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.document import Absence, Band, BandChart, Series, TrendChart
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.wording import (
    count_text,
    figure_text,
    number_text,
    people_text,
    point_text,
    share_text,
    short_day_text,
    value_with_unit,
)

_WIDTH = 350
_BAND_LEFT, _BAND_RIGHT, _BAND_STEP, _BAND_TOP, _BAR = 110, 94, 24, 18, 13
_TREND_LEFT, _TREND_TOP, _TREND_HEIGHT, _TREND_BOTTOM = 42, 12, 148, 24
_LABELS = 5
"""At most so many periods are named below a trend."""


def chart_svg(chart: BandChart | TrendChart) -> Markup:
    """The chart as an ``<svg>`` element with a title and a description."""
    height, body = _bands(chart) if isinstance(chart, BandChart) else _trend(chart)
    return Markup(
        '<svg class="chart" viewBox="0 0 {width} {height}" role="img"'
        ' aria-labelledby="{name}-title {name}-text">'
        '<title id="{name}-title">{title}</title><desc id="{name}-text">{text}</desc>{body}</svg>'
    ).format(
        width=_WIDTH,
        height=_coordinate(height),
        name=chart.chart_id,
        title=chart.title,
        text=chart.description,
        body=Markup("").join(body),
    )


def _coordinate(value: float) -> str:
    """A length to a tenth, without a trailing zero."""
    return f"{value:.1f}".removesuffix(".0")


def _text(text: str, *, x: float, y: float, kind: str, anchor: str = "start") -> Markup:
    """A text whose middle line lies at ``y``; an offset is surer than ``dominant-baseline``."""
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, _coordinate(x), _coordinate(y + 4), anchor, text
    )


def _box(*, x: float, y: float, width: float, height: float, kind: str, hint: str = "") -> Markup:
    title = Markup("<title>{}</title>").format(hint) if hint else ""
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}">{}</rect>').format(
        kind, _coordinate(x), _coordinate(y), _coordinate(width), _coordinate(height), title
    )


# ── distribution ─────────────────────────────────────────────────────────────


def _bands(chart: BandChart) -> tuple[float, list[Markup]]:
    """A row per band: its label, a bar, its share and its number of people."""
    full = _WIDTH - _BAND_LEFT - _BAND_RIGHT
    share_at, people_at = _WIDTH - 50, _WIDTH - 2
    known = [band.share for band in chart.bands if not isinstance(band.share, Absence)]
    longest = max([*known, 0.01])
    parts = [
        _text(chart.unit, x=_BAND_LEFT - 8, y=7, kind="t-head", anchor="end"),
        _text("share", x=share_at, y=7, kind="t-head", anchor="end"),
        _text("people", x=people_at, y=7, kind="t-head", anchor="end"),
    ]
    for number, band in enumerate(chart.bands):
        middle = _BAND_TOP + _BAND_STEP * (number + 0.5)
        top = middle - _BAR / 2
        parts.append(_text(band.label, x=_BAND_LEFT - 8, y=middle, kind="t-ink", anchor="end"))
        parts.append(_box(x=_BAND_LEFT, y=top, width=full, height=_BAR, kind="c-track"))
        if isinstance(band.people, Absence) or isinstance(band.share, Absence):
            parts.append(_text("not shown", x=_BAND_LEFT + 6, y=middle, kind="t-absent"))
            continue
        if band.share > 0:
            width = full * band.share / longest
            parts.append(
                _box(x=_BAND_LEFT, y=top, width=width, height=_BAR, kind="c-bar", hint=_band_hint(band))
            )
        parts.append(_text(share_text(band.share), x=share_at, y=middle, kind="t-ink", anchor="end"))
        parts.append(_text(count_text(band.people), x=people_at, y=middle, kind="t-muted", anchor="end"))
    return _BAND_TOP + _BAND_STEP * len(chart.bands) + 2, parts


def _band_hint(band: Band) -> str:
    return f"{band.label}: {share_text(band.share)}, {people_text(band.people)}"


# ── trend ────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Plot:
    """The area of a trend and its two scales.

    Attributes:
        count: periods from left to right.
        low: value at the lower end.
        high: value at the upper end.
        step: from one line of the grid to the next.
        width: of the area.
    """

    count: int
    low: float
    high: float
    step: float
    width: float

    def x(self, at: float) -> float:
        """Where the period with this number lies; its column reaches half a number to either side."""
        return _TREND_LEFT + self.width * (at + 0.5) / self.count

    def y(self, value: float) -> float:
        """Where a value lies."""
        return _TREND_TOP + _TREND_HEIGHT * (1 - (value - self.low) / (self.high - self.low))


def _trend(chart: TrendChart) -> tuple[float, list[Markup]]:
    """A line per series with a dot per short period; a gap where there is no number."""
    right = 48 if len(chart.series) == 1 else 66
    low, high, step = _axis(chart)
    plot = Plot(len(chart.series[0].points), low, high, step, _WIDTH - _TREND_LEFT - right)
    parts = [*_shade(chart, plot=plot), *_grid(plot), *_period_labels(chart, plot=plot)]
    ends = _end_labels(chart, plot=plot)
    for number, series in enumerate(chart.series, start=1):
        parts.extend(_line(series, plot=plot, kind=f"s-{number}"))
        text, y = ends[number - 1]
        parts.append(_text(text, x=_WIDTH - right + 5, y=y, kind=f"t-end s-{number}"))
    return _TREND_TOP + _TREND_HEIGHT + _TREND_BOTTOM, parts


def _runs(series: Series) -> Iterator[list[tuple[int, float]]]:
    """The points that have a number, as (number of the period, value), in unbroken runs."""
    scale = style_of(series.figure).scale
    values = [None if isinstance(point.value, Absence) else point.value * scale for point in series.points]
    for is_gap, run in groupby(enumerate(values), key=lambda pair: pair[1] is None):
        if not is_gap:
            yield [(at, value) for at, value in run if value is not None]


def _values(series: Series) -> list[float]:
    return [value for run in _runs(series) for _, value in run]


def _line(series: Series, *, plot: Plot, kind: str) -> Iterator[Markup]:
    steps = [
        "".join(
            f"{'L' if number else 'M'}{_coordinate(plot.x(at))} {_coordinate(plot.y(value))}"
            for number, (at, value) in enumerate(run)
        )
        for run in _runs(series)
    ]
    yield Markup('<path class="c-line {}" d="{}"/>').format(kind, "".join(steps))
    radius = 2.6 if plot.count <= 35 else 1.6
    for at, value in (pair for run in _runs(series) for pair in run):
        x, y, point = plot.x(at), plot.y(value), series.points[at]
        hint = f"{point.label}: {value_with_unit(series.figure, point.value)}"
        if point.people is not None:
            hint += f", {people_text(point.people)}"
        if kind == "s-1":
            yield Markup('<circle class="c-dot {}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>').format(
                kind, _coordinate(x), _coordinate(y), radius, hint
            )
        else:
            side = 2 * radius - 0.4
            yield _box(
                x=x - side / 2, y=y - side / 2, width=side, height=side, kind=f"c-dot {kind}", hint=hint
            )  # fmt: skip


def _shade(chart: TrendChart, *, plot: Plot) -> list[Markup]:
    """The report's own period, shaded behind the lines."""
    if chart.highlight is None:
        return []
    inside = [
        at
        for at, point in enumerate(chart.series[0].points)
        if chart.highlight.start <= point.period_start < chart.highlight.end
    ]
    if not inside:
        return []
    left, right = plot.x(inside[0] - 0.5), plot.x(inside[-1] + 0.5)
    return [_box(x=left, y=_TREND_TOP, width=right - left, height=_TREND_HEIGHT, kind="c-shade")]


def _grid(plot: Plot) -> Iterator[Markup]:
    decimals = _decimals(plot.step)
    for number in range(round((plot.high - plot.low) / plot.step) + 1):
        value = plot.low + plot.step * number
        y = plot.y(value)
        yield Markup('<line class="c-grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
            _TREND_LEFT, _coordinate(_TREND_LEFT + plot.width), _coordinate(y), _coordinate(y)
        )
        text = number_text(value, decimals=decimals)
        yield _text(text, x=_TREND_LEFT - 7, y=y, kind="t-muted", anchor="end")


def _period_labels(chart: TrendChart, *, plot: Plot) -> Iterator[Markup]:
    period = Period(chart.period)
    stride = -(-plot.count // _LABELS)
    for at, point in enumerate(chart.series[0].points):
        if at % stride == 0:
            is_short = period in {Period.DAILY, Period.WEEKLY}
            text = short_day_text(point.period_start) if is_short else point_text(period, point.period_start)
            y = _TREND_TOP + _TREND_HEIGHT + 13
            yield _text(text, x=plot.x(at), y=y, kind="t-muted", anchor="middle")


def _end_labels(chart: TrendChart, *, plot: Plot) -> list[tuple[str, float]]:
    """What stands behind the end of each line, and where: its last value, or its name where there are two."""
    ends = []
    for series in chart.series:
        last = next(point.value for point in reversed(series.points) if not isinstance(point.value, Absence))
        text = figure_text(series.figure, last) if len(chart.series) == 1 else style_of(series.figure).short
        ends.append((text, plot.y(last * style_of(series.figure).scale)))
    return _apart(ends)


def _apart(ends: Sequence[tuple[str, float]], *, least: float = 14) -> list[tuple[str, float]]:
    """Labels moved so that no two lie on each other.

    >>> _apart([("a", 50), ("b", 52)])
    [('a', 50), ('b', 64)]
    """
    moved: dict[int, float] = {}
    free_from = -math.inf
    for number in sorted(range(len(ends)), key=lambda one: (ends[one][1], one)):
        moved[number] = max(ends[number][1], free_from)
        free_from = moved[number] + least
    return [(text, moved[number]) for number, (text, _) in enumerate(ends)]


def _axis(chart: TrendChart) -> tuple[float, float, float]:
    """Lower end, upper end and step of the value axis.

    It does not begin at zero, as a body's figures do not, but is never shorter than the figure's least span.
    """
    values = [value for series in chart.series for value in _values(series)]
    style = style_of(chart.series[0].figure)
    low, high = min(values), max(values)
    lack = max(0.0, style.least_span * style.scale - (high - low)) / 2
    margin = (high - low) * 0.05
    bottom = low - lack - margin
    return nice_axis(max(0.0, bottom) if low >= 0 else bottom, high + lack + margin)


def nice_axis(low: float, high: float, *, steps: int = 4) -> tuple[float, float, float]:
    """The shortest axis between round numbers that contains both ends, with about so many steps.

    >>> nice_axis(121.3, 133.1)
    (120.0, 135.0, 5.0)
    """
    rough = max(high - low, 1e-6) / steps
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough * 0.999)
    bottom, top = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = _decimals(step)
    return (
        round(bottom * step, digits),
        round(max(top, bottom + 1) * step, digits),
        round(step, digits),
    )


def _decimals(step: float) -> int:
    """Digits behind the point that tell the lines of a grid apart."""
    return max(0, -math.floor(math.log10(step) + 1e-9))
