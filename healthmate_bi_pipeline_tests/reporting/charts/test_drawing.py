import re
import struct
from dataclasses import replace
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    Band,
    BandChart,
    Bar,
    BarChart,
    CalendarChart,
    ControlLimits,
    HeatMap,
    Point,
    Series,
    Span,
    TimelineChart,
    TrendChart,
)
from healthmate_bi_pipeline.reporting.charts import theme
from healthmate_bi_pipeline.reporting.charts.drawing import chart_png, chart_svg, gauge_svg
from healthmate_bi_pipeline.reporting.document import Confidence
from healthmate_bi_pipeline_tests.reporting import rich_sample

START = datetime(2026, 3, 1)
SYSTOLIC, DIASTOLIC = "avg_blood_pressure_systolic", "avg_blood_pressure_diastolic"
ALL = {
    chart.chart_id: chart
    for chart in (
        rich_sample.CONTROLLED,
        rich_sample.PLANS,
        rich_sample.BANDS,
        rich_sample.MOVEMENTS,
        rich_sample.COHORTS,
        rich_sample.CALENDAR,
        rich_sample.INCIDENTS,
    )
}


def bands(*shares):
    return BandChart(
        "bands", "People", "Text.", SYSTOLIC, "mmHg",
        tuple(
            Band(f"band {number}", number, None, share if isinstance(share, Absence) else 100, share)
            for number, share in enumerate(shares)
        ),
    )  # fmt: skip


def series(figure, values, **changes):
    points = tuple(
        Point(START + timedelta(days=at), f"day {at}", value, 20 if not isinstance(value, Absence) else value)
        for at, value in enumerate(values)
    )
    return Series(figure, figure, points, **changes)


def lines(*rows, highlight=None):
    return TrendChart("trend", "Day by day", "Text.", "mmHg", "daily", rows, highlight)


def marks(svg, kind):
    """The marks of a kind: those in groups of this class."""
    found = []
    for group in ET.fromstring(str(svg)).iter("g"):
        if group.get("class") == kind:
            found += list(group)
    return found


def box(mark):
    """Left, top, width and height of a rectangle that Vega draws as a path."""
    left, top, width, height = re.fullmatch(
        r"M(-?[\d.]+),(-?[\d.]+)h(-?[\d.]+)v(-?[\d.]+)h-?[\d.]+Z", mark.get("d")
    ).groups()
    return float(left), float(top), float(width), float(height)


def texts(svg):
    return [one.text for one in ET.fromstring(str(svg)).iter("text")]


@pytest.mark.parametrize("name", ALL)
def test_every_chart_is_small_and_says_what_it_is(name):
    chart = ALL[name]
    svg = str(chart_svg(chart))
    root = ET.fromstring(svg)
    assert (root.get("role"), root[0].text, root[1].text) == ("img", chart.title, chart.description)
    assert len(svg) < 15_000
    assert not re.search(r"aria-label=|url\(|https?:|clip-path|\d\.\d\d", svg)


@pytest.mark.parametrize("name", ALL)
def test_every_chart_is_the_same_when_it_is_drawn_again(name):
    assert chart_svg(ALL[name]) == chart_svg(ALL[name])


@pytest.mark.parametrize("name", ALL)
def test_colours_are_the_page_s_and_all_of_them_exist(name):
    svg = str(chart_svg(ALL[name]))
    assert not re.search(r'(fill|stroke)="#', svg)
    assert set(re.findall(r"var\(--chart-([a-z0-9-]+)\)", svg)) <= set(theme.LIGHT)
    assert set(theme.LIGHT) == set(theme.DARK)


def test_bars_are_as_long_as_their_shares():
    widths = [box(bar)[2] for bar in marks(chart_svg(bands(0.5, 0.25, 0.0, 0.125)), "bar")]
    assert [round(width / widths[0], 2) for width in widths] == [1.0, 0.5, 0.25]


def test_a_withheld_band_has_words_and_no_bar():
    svg = chart_svg(bands(0.6, Absence.SUPPRESSED, Absence.SUPPRESSED))
    assert len(marks(svg, "bar")) == 1
    assert [one.text for one in marks(svg, "absent")] == ["not shown", "not shown"]


def test_bands_without_any_number_are_drawn():
    svg = chart_svg(bands(Absence.SUPPRESSED, Absence.SUPPRESSED))
    assert marks(svg, "bar") == []


def test_a_line_breaks_where_there_is_no_number():
    svg = chart_svg(lines(series(SYSTOLIC, [120, 121, Absence.NO_DATA, 122, Absence.SUPPRESSED, 119, 118])))
    (path,) = marks(svg, "line")
    assert re.sub(r"[^ML]", "", path.get("d")) == "MLMML" or path.get("d").count("M") == 3
    assert len(marks(svg, "dots")) == 5
    (cross,) = marks(svg, "withheld")
    assert cross[0].text == "day 4: not shown"


def test_points_lie_where_their_values_are():
    svg = chart_svg(lines(series(SYSTOLIC, [120.0, 130.0, 125.0])))
    heights = [float(dot.get("cy")) for dot in marks(svg, "dots")]
    assert heights[1] < heights[2] < heights[0]
    assert abs(heights[2] - (heights[0] + heights[1]) / 2) < 0.11


def test_a_point_says_its_value_beside_the_pointer():
    svg = chart_svg(lines(series(SYSTOLIC, [120.0, 130.0])))
    assert marks(svg, "dots")[1][0].text.replace("\u00a0", " ") == "day 1: 130.0 mmHg, 20 people"


def test_two_lines_are_told_apart_without_colour():
    svg = chart_svg(lines(series(SYSTOLIC, [120, 121]), series(DIASTOLIC, [119, 120])))
    first, second = marks(svg, "end")
    assert (first.text, second.text) == ("systolic", "diastolic")
    assert abs(float(first.get("y")) - float(second.get("y"))) >= 12
    assert {one.tag for one in marks(svg, "dots")} == {"circle", "path"}


def test_lines_of_one_figure_are_called_what_they_are_of():
    rates = (
        replace(series("error_rate", [0.01 * at, 0.02]), label=label)
        for at, label in enumerate(("api", "web"))
    )
    assert [mark.text for mark in marks(chart_svg(lines(*rates)), "end")] == ["api", "web"]


def test_control_limits_and_signals_are_drawn_where_they_are():
    controlled = series(
        SYSTOLIC, [120.0, 121.0, 140.0, 120.5], limits=ControlLimits(121.0, 115.0, 127.0), signals=(2,)
    )
    svg = chart_svg(lines(controlled))
    heights = [float(re.search(r",([\d.]+)\)", one.get("transform"))[1]) for one in marks(svg, "limit")]
    dots = [float(dot.get("cy")) for dot in marks(svg, "dots")]
    assert dots[2] < min(heights) < dots[0] < max(heights)
    (signal,) = marks(svg, "signal")
    assert signal[0].text.endswith("(signal)")
    assert f",{dots[2]:g})" in signal.get("transform")
    assert {"upper", "centre", "lower"} <= set(texts(svg))


def test_the_shade_covers_the_period_of_the_report():
    window = Window(START + timedelta(days=6), START + timedelta(days=7))
    svg = chart_svg(lines(series(SYSTOLIC, [120.0 + at for at in range(7)]), highlight=window))
    (shade,) = marks(svg, "shade")
    left, _, width, _ = box(shade)
    assert left < float(marks(svg, "dots")[-1].get("cx")) < left + width


@pytest.mark.parametrize(
    "values", [[Absence.NO_DATA] * 3, [Absence.SUPPRESSED, 120.0, Absence.NO_DATA], [0.0, 0.0]]
)
def test_a_trend_with_hardly_a_number_is_drawn(values):
    svg = chart_svg(lines(series(SYSTOLIC, values)))
    assert len(marks(svg, "dots")) == sum(not isinstance(value, Absence) for value in values)


def test_a_long_series_has_dots_only_where_the_line_shows_nothing():
    values = [120.0 + at % 5 for at in range(120)]
    values[50] = values[52] = Absence.NO_DATA
    svg = chart_svg(lines(series(SYSTOLIC, values, signals=(7,))))
    assert [dot[0].text.partition(":")[0] for dot in marks(svg, "dots")] == ["day 7", "day 51", "day 119"]


def bars(*values):
    things = tuple(Bar(f"thing {at}", value) for at, value in enumerate(values))
    return BarChart("bars", "Things", "Text.", SYSTOLIC, "mmHg", things)


def test_bars_go_from_zero_to_the_left_where_they_are_negative():
    drawn = [box(bar) for bar in marks(chart_svg(bars(4.0, -2.0, 0.0, Absence.SUPPRESSED)), "bar")]
    (left, _, width, _), (other_left, _, other_width, _) = drawn
    assert width == pytest.approx(2 * other_width, abs=0.2)
    assert other_left + other_width == pytest.approx(left, abs=0.2)


def test_a_bar_without_a_number_says_why():
    svg = chart_svg(bars(1.0, Absence.SUPPRESSED, Absence.NO_DATA))
    assert [one.text for one in marks(svg, "absent")] == ["not shown", "no data"]


def test_the_darker_a_cell_the_higher_its_number():
    chart = HeatMap(
        "heat", "Heat", "Text.", SYSTOLIC, "mmHg", "Row", "Column", ("a", "b"), ("x", "y", "z"),
        ((1.0, 5.0, 10.0), (2.0, Absence.SUPPRESSED, Absence.NO_DATA)),
    )  # fmt: skip
    svg = chart_svg(chart)
    steps = {
        cell[0].text.replace("\u00a0", " "): cell.get("fill").removeprefix("var(--chart-").rstrip(")")
        for cell in marks(svg, "cell")
    }
    assert steps == {
        "a, column x: 1.0 mmHg": "step-1",
        "a, column y: 5.0 mmHg": "step-3",
        "a, column z: 10.0 mmHg": "step-5",
        "b, column x: 2.0 mmHg": "step-1",
    }
    (withheld,) = marks(svg, "withheld")
    assert withheld[0].text == "b, column y: not shown"
    assert "struck through: not shown" in texts(svg)


@pytest.mark.parametrize("columns", [1, 8, 9, 26])
def test_a_heat_map_of_any_width_is_drawn_inside_its_frame(columns):
    chart = replace(
        rich_sample.COHORTS, columns=tuple(map(str, range(columns))), rows=("all",), cells=((0.5,) * columns,)
    )
    root = ET.fromstring(str(chart_svg(chart)))
    assert len(marks(chart_svg(chart), "cell")) == columns
    assert float(root.get("viewBox").split()[2]) == (350 if columns <= 8 else 720)


def calendar(count, start=START):
    days = tuple(Point(start + timedelta(days=at), f"{at}", float(at), None) for at in range(count))
    return CalendarChart("calendar", "Days", "Text.", SYSTOLIC, "mmHg", days)


@pytest.mark.parametrize("count", [0, 1, 31, 70, 100, 366, 800])
def test_a_calendar_has_a_cell_for_every_day(count):
    svg = chart_svg(calendar(count))
    assert len(marks(svg, "cell")) == count


def test_days_of_a_calendar_stand_below_their_weekday():
    drawn = [box(cell) for cell in marks(chart_svg(calendar(31)), "cell")]  # 1 March 2026 was a Sunday
    assert drawn[0][0] == drawn[7][0] == max(left for left, *_ in drawn)
    assert drawn[1][1] > drawn[0][1]


def test_spans_lie_where_they_were_and_moments_can_be_seen():
    svg = chart_svg(rich_sample.INCIDENTS)
    first, second, moment, last = (box(one) for one in marks(svg, "span"))
    assert second[2] == pytest.approx(346 * 26.2 / (31 * 24), abs=0.3)
    assert moment[2] >= 2.9
    assert last[0] + last[2] == pytest.approx(346, abs=0.2)
    assert first[1] == second[1] < moment[1] == last[1]


def test_what_lies_outside_a_timeline_s_window_is_cut():
    window = Window(START, START + timedelta(days=1))
    spans = (
        Span("api", START - timedelta(days=3), START + timedelta(hours=6), ""),
        Span("api", START + timedelta(days=2), START + timedelta(days=3), "later"),
    )
    svg = chart_svg(TimelineChart("timeline", "Incidents", "Text.", window, spans))
    (span,) = marks(svg, "span")
    assert box(span)[0] == 0
    assert box(span)[2] == pytest.approx(346 / 4, abs=0.2)


def test_a_quiet_timeline_says_so():
    svg = chart_svg(replace(rich_sample.INCIDENTS, spans=()))
    assert "nothing in this period" in texts(svg)


@pytest.mark.parametrize(("score", "text"), [(0.0, "0 %"), (0.842, "84 %"), (1.0, "100 %")])
def test_a_gauge_says_its_score(score, text):
    svg = gauge_svg(Confidence(score, (), "Nothing."))
    assert text in [one.replace("\u202f", " ") for one in texts(svg)]
    assert len(marks(svg, "filled")) == (score > 0)


def test_a_picture_is_a_png_that_needs_no_style_sheet():
    made = chart_png(rich_sample.CONTROLLED)
    assert made.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", made[16:24])
    assert (width, height) == (700, 368)
