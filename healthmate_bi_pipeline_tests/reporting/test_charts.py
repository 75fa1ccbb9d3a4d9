import re
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.charts import chart_svg, nice_axis
from healthmate_bi_pipeline.reporting.document import Absence, Band, BandChart, Point, Series, TrendChart

START = datetime(2026, 3, 1)
SYSTOLIC, DIASTOLIC = "avg_blood_pressure_systolic", "avg_blood_pressure_diastolic"


def bands(*shares):
    return BandChart(
        "bands", "People", "Text.", SYSTOLIC, "mmHg",
        tuple(
            Band(f"band {number}", number, None, share if isinstance(share, Absence) else 100, share)
            for number, share in enumerate(shares)
        ),
    )  # fmt: skip


def series(figure, values):
    points = tuple(
        Point(START + timedelta(days=at), f"day {at}", value, 20 if not isinstance(value, Absence) else value)
        for at, value in enumerate(values)
    )
    return Series(figure, figure, points)


def lines(*rows, highlight=None):
    return TrendChart("trend", "Day by day", "Text.", "mmHg", "daily", rows, highlight)


def elements(svg, kind):
    return [one for one in ET.fromstring(str(svg)).iter() if kind in one.get("class", "").split()]


def test_bars_are_as_long_as_their_shares():
    bars = elements(chart_svg(bands(0.5, 0.25, 0.0, 0.125)), "c-bar")
    widths = [float(bar.get("width")) for bar in bars]
    assert [round(width / widths[0], 2) for width in widths] == [1.0, 0.5, 0.25]


def test_a_withheld_band_has_words_and_no_bar():
    svg = chart_svg(bands(0.6, Absence.SUPPRESSED, Absence.SUPPRESSED))
    assert len(elements(svg, "c-bar")) == 1
    assert [one.text for one in elements(svg, "t-absent")] == ["not shown", "not shown"]


def test_a_line_breaks_where_there_is_no_number():
    svg = chart_svg(lines(series(SYSTOLIC, [120, 121, Absence.NO_DATA, 122, Absence.SUPPRESSED, 119, 118])))
    (path,) = elements(svg, "c-line")
    assert re.sub(r"[^ML]", "", path.get("d")) == "MLMML"
    assert len(elements(svg, "c-dot")) == 5


def test_points_lie_where_their_values_are():
    svg = chart_svg(lines(series(SYSTOLIC, [120.0, 130.0, 125.0])))
    heights = [float(dot.get("cy")) for dot in elements(svg, "c-dot")]
    assert heights[1] < heights[2] < heights[0]
    assert abs(heights[2] - (heights[0] + heights[1]) / 2) < 0.11


def test_two_lines_are_told_apart_without_colour():
    svg = chart_svg(lines(series(SYSTOLIC, [120, 121]), series(DIASTOLIC, [119, 120])))
    first, second = elements(svg, "t-end")
    assert (first.text, second.text) == ("systolic", "diastolic")
    assert abs(float(first.get("y")) - float(second.get("y"))) >= 14
    assert {one.tag for one in elements(svg, "c-dot")} == {"circle", "rect"}


def test_the_shade_covers_the_period_of_the_report():
    window = Window(START + timedelta(days=6), START + timedelta(days=7))
    svg = chart_svg(lines(series(SYSTOLIC, [120.0 + at for at in range(7)]), highlight=window))
    (shade,) = elements(svg, "c-shade")
    last = elements(svg, "c-dot")[-1]
    left, width = float(shade.get("x")), float(shade.get("width"))
    assert left < float(last.get("cx")) < left + width


numbers = st.floats(-1e5, 1e5, allow_nan=False).map(lambda number: round(number, 3))


@given(numbers, st.floats(0, 1e5).map(lambda number: round(number, 3)))
def test_an_axis_contains_what_it_is_for(low, span):
    high = low + span
    bottom, top, step = nice_axis(low, high)
    tolerance = 1e-6 * max(1.0, abs(low), abs(high))
    assert bottom <= low + tolerance
    assert top >= high - tolerance
    assert bottom < top
    assert step > 0
    assert abs((top - bottom) / step - round((top - bottom) / step)) < 1e-3


@given(st.lists(st.one_of(st.floats(0, 300), st.sampled_from(list(Absence))), min_size=2, max_size=60))
def test_every_trend_is_drawn_inside_its_frame(values):
    if sum(not isinstance(value, Absence) for value in values) < 2:
        return
    svg = ET.fromstring(str(chart_svg(lines(series(SYSTOLIC, values)))))
    _, _, width, height = map(float, svg.get("viewBox").split())
    for dot in svg.iter("circle"):
        assert 0 <= float(dot.get("cx")) <= width
        assert 0 <= float(dot.get("cy")) <= height
