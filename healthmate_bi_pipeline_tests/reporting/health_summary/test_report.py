from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from healthmate_bi_pipeline.catalog.columns import PrivacyClass
from healthmate_bi_pipeline.catalog.health_groups import FIGURE_BY_NAME, GROUPED_FIGURES, HEADLINE_FIGURES
from healthmate_bi_pipeline.catalog.reports import REPORT_CADENCES
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence, BandChart, DataTable, Definitions, TrendChart
from healthmate_bi_pipeline.reporting.document import RANGE
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.reporting.health_summary.sections import SECTIONS
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline.reporting.inputs import GroupFigure, TrendPoint
from healthmate_bi_pipeline.reporting.styles import STYLES
from healthmate_bi_pipeline.settings import ReportSettings
from healthmate_bi_pipeline_tests.reporting.samples import (
    MARCH,
    PERSONAL,
    STAMP,
    group,
    groups,
    inputs,
    quality,
    trend,
)

SYSTOLIC = "avg_blood_pressure_systolic"


def blocks(report, kind):
    parts = [part for section in report.sections for part in (section, *section.subsections)]
    return [block for part in parts for block in part.blocks if isinstance(block, kind)]


def metric(report, name=SYSTOLIC):
    return next(one for one in report.metrics if one.figure == name)


def test_every_headline_figure_has_a_place_and_a_style():
    placed = {
        figure for _, _, panels in SECTIONS for panel in panels for figure in (*panel.figures, *panel.beside)
    }
    assert placed | {"data_accuracy"} == set(HEADLINE_FIGURES)
    assert set(STYLES) >= set(HEADLINE_FIGURES)


def test_a_month_of_a_cohort():
    systolic = [118.0] * 100 + [125.0] * 60 + [150.0] * 40
    before = [120.0] * 200
    report = health_summary(
        inputs(
            200,
            current=groups(200) | {SYSTOLIC: group(SYSTOLIC, systolic)},
            previous=groups(200) | {SYSTOLIC: group(SYSTOLIC, before)},
        ),
        stamp=STAMP,
    )
    figure = metric(report)
    assert (figure.value, figure.people) == (126.5, 200)
    assert figure.comparison.against == "February 2026"
    assert figure.comparison.window == Window.of_days(date(2026, 2, 1), date(2026, 2, 28))
    assert (figure.comparison.value, figure.comparison.change) == (120.0, 6.5)
    chart = next(chart for chart in blocks(report, BandChart) if chart.figure == SYSTOLIC)
    assert [(band.label, band.people, band.share) for band in chart.bands] == [
        ("under 120", 100, 0.5),
        ("120 to <130", 60, 0.3),
        ("130 to <140", 0, 0.0),
        ("140 to <160", 40, 0.2),
        ("160 or more", 0, 0.0),
    ]
    assert [section.title for section in report.sections] == [
        "Cardiovascular health", "Vital signs", "Activity", "Sleep", "Medication", "Symptoms", "Data quality", "What the figures mean",
    ]  # fmt: skip
    assert report.summary.people == 200
    assert set(report.summary.headline) == set(HEADLINE_FIGURES)


@pytest.mark.parametrize(
    ("people", "before", "now", "is_told"), [(50, 0.44, 0.54, False), (1000, 0.44, 0.54, True)]
)
def test_a_change_of_a_share_is_told_where_rounding_does_not_make_it(people, before, now, is_told):
    name = "stage_2_blood_pressure_share"
    report = health_summary(
        inputs(
            people,
            current=groups(people) | {name: GroupFigure(name, people, now)},
            previous=groups(people) | {name: GroupFigure(name, people, before)},
        ),
        stamp=STAMP,
    )
    assert (metric(report, name).comparison is not None) == is_told


def test_a_share_of_people_is_shown_as_the_number_of_those_people_is():
    name = "stage_2_blood_pressure_share"
    for people, mean in ((200, 0.05), (200, 0.95), (10, 0.5)):
        report = health_summary(inputs(current={name: GroupFigure(name, people, mean)}), stamp=STAMP)
        assert metric(report, name).value is Absence.SUPPRESSED
    report = health_summary(inputs(current={name: GroupFigure(name, 203, 61 / 203)}), stamp=STAMP)
    assert metric(report, name).value == 60 / 205


def test_a_person_has_no_shares_of_people_and_a_category_among_the_bands():
    mine = groups(1) | {"blood_pressure_category": group("blood_pressure_category", [2.0])}
    report = health_summary(inputs(1, settings=PERSONAL, current=mine), stamp=STAMP)
    assert metric(report, "stage_2_blood_pressure_share").value is Absence.NO_DATA
    (ranges,) = (table for table in blocks(report, DataTable) if table.table_id == "values-and-bands")
    assert {row[0]: row[2] for row in ranges.rows}["Category of the mean blood pressure"] == "Stage 1"


def test_an_empty_period_says_so_and_holds_no_figure():
    report = health_summary(inputs(0, as_of=None, previous=None, previous_window=None), stamp=STAMP)
    assert report.summary.sentences == ("There are no health data for March 2026.",)
    assert report.summary.people == 0
    assert report.summary.headline == ()
    assert {one.value for one in report.metrics} == {Absence.NO_DATA}
    assert not blocks(report, BandChart)
    assert not blocks(report, TrendChart)
    assert not blocks(report, Definitions)
    html = render_html(report)
    assert "There are no health data for March 2026." in html
    assert "<figure" not in html


def test_too_few_people_for_any_figure():
    report = health_summary(inputs(10), stamp=STAMP)
    assert report.summary.sentences == (
        "March 2026: fewer than 11 people have data, too few for any figure to be shown.",
    )
    assert report.summary.people is Absence.SUPPRESSED
    assert {one.value for one in report.metrics} == {Absence.SUPPRESSED}
    assert not blocks(report, BandChart)
    assert not blocks(report, TrendChart)


@pytest.mark.parametrize(
    ("before", "change"),
    [(group(SYSTOLIC, [120.0] * 10), Absence.SUPPRESSED), (GroupFigure(SYSTOLIC, 0), Absence.NO_DATA)],
)
def test_no_change_against_a_period_that_is_not_shown(before, change):
    report = health_summary(inputs(previous={SYSTOLIC: before}), stamp=STAMP)
    comparison = metric(report).comparison
    assert (comparison.value, comparison.change) == (change, change)
    assert "for February 2026, so no change" in render_html(report)


def test_a_running_period_says_so_first():
    report = health_summary(inputs(is_complete=False), stamp=STAMP)
    (notice,) = report.summary.notices
    assert notice.startswith("This month is not complete: its figures will still change.")
    assert notice.endswith("It holds data up to 4 April 2026, 05:12 UTC.")
    assert "so far" in report.summary.sentences[0]


def test_a_free_range_is_limited():
    window = Window.of_days(date(2026, 2, 20), date(2026, 3, 8))
    report = health_summary(inputs(cadence=RANGE, window=window), stamp=STAMP)
    assert report.privacy is PrivacyClass.LIMITED
    assert "Not for passing on" in report.summary.notices[0]
    assert metric(report).comparison.against == "3–19 February 2026"


def test_a_personal_report_shows_everything_and_says_so():
    mine = groups(1)
    report = health_summary(
        inputs(1, settings=PERSONAL, current=mine, trend=trend(MARCH, people=1)), stamp=STAMP
    )
    assert report.privacy is PrivacyClass.IDENTIFIED
    assert report.summary.notices[0].startswith("Personal report: it shows single people's own figures")
    assert report.summary.sentences[0] == "March 2026: the data of one person."
    assert metric(report).value == mine[SYSTOLIC].mean
    assert not blocks(report, BandChart)
    (ranges,) = (table for table in blocks(report, DataTable) if table.table_id == "values-and-bands")
    banded = [name for name in GROUPED_FIGURES if FIGURE_BY_NAME[name].bands]
    assert len(ranges.rows) == len(banded)
    rows = next(table for table in blocks(report, DataTable) if table.table_id == "rows")
    assert rows.rows[0][1] == 84_213


def test_a_family_sees_its_spread():
    report = health_summary(inputs(3, settings=PERSONAL), stamp=STAMP)
    figure = metric(report)
    assert figure.people == 3
    assert figure.low < figure.value < figure.high
    assert blocks(report, BandChart)


def test_days_without_a_number_are_gaps():
    points = trend(MARCH, people=40)
    points[3] = TrendPoint(points[3].period_start, {SYSTOLIC: GroupFigure(SYSTOLIC, 10, 128.0)})
    del points[7]
    report = health_summary(inputs(trend=points), stamp=STAMP)
    chart = next(one for one in blocks(report, TrendChart) if one.series[0].figure == SYSTOLIC)
    line = chart.series[0].points
    assert len(line) == 31
    assert (line[3].value, line[3].people) == (Absence.SUPPRESSED, Absence.SUPPRESSED)
    assert (line[7].value, line[7].people) == (Absence.NO_DATA, 0)
    assert chart.note == "Gaps: days without data and days with fewer than 11 people."


def test_a_trend_that_begins_before_the_period_marks_it():
    day = Period.DAILY.window(datetime(2026, 3, 5))
    history = trend(Window(day.start - timedelta(days=27), day.end), people=40)
    report = health_summary(inputs(cadence="daily", trend=history), stamp=STAMP)
    chart = blocks(report, TrendChart)[0]
    assert chart.highlight == day
    assert "Shaded: the period of this report." in chart.note
    assert 'class="shade"' in render_html(report)


def test_one_point_is_no_trend():
    report = health_summary(inputs(trend=trend(MARCH, people=40)[:1]), stamp=STAMP)
    assert not blocks(report, TrendChart)


def test_a_distribution_that_would_tell_too_much_is_left_out_in_words():
    few = group(SYSTOLIC, [118.0] * 6 + [125.0] * 6)
    report = health_summary(inputs(12, current={SYSTOLIC: few}), stamp=STAMP)
    assert metric(report).value == 121.5
    assert not blocks(report, BandChart)
    assert "The distribution of systolic blood pressure is not shown" in render_html(report)


def test_rules_of_set_aside_rows_are_explained_from_the_catalog():
    rules = {"impossible_value:value": 70, "a_rule_of_tomorrow": 53}
    report = health_summary(inputs(quality=[quality(quarantined_by_rule=rules)]), stamp=STAMP)
    reasons = next(table for table in blocks(report, DataTable) if table.table_id == "reasons")
    assert reasons.rows == (
        ("Health readings", "a_rule_of_tomorrow", "no description in the catalog", 55),
        (
            "Health readings",
            "impossible_value:value",
            "the value lies outside the hard limits (column value)",
            70,
        ),
    )


@pytest.mark.parametrize("cadence", REPORT_CADENCES)
def test_every_cadence(cadence):
    period = {Period.QUARTERLY: Period.WEEKLY, Period.YEARLY: Period.MONTHLY}.get(cadence, Period.DAILY)
    window = cadence.window(datetime(2026, 3, 5))
    given_inputs = inputs(cadence=cadence, trend_period=period, trend=trend(window, people=50, period=period))
    report = health_summary(given_inputs, stamp=STAMP)
    assert report.window == window
    assert metric(report).comparison.window == Window(cadence.previous(window.start), window.start)
    assert report.summary.sentences[0] in render_html(report)


def test_the_minimum_is_a_setting():
    lenient = ReportSettings(minimum_people=5, round_people_to=1)
    report = health_summary(inputs(7, settings=lenient), stamp=STAMP)
    assert metric(report).people == 7
    assert "Nothing about fewer than 5 people is shown." in report.summary.reading


def test_the_same_inputs_give_the_same_report():
    assert health_summary(inputs(), stamp=STAMP) == health_summary(inputs(), stamp=STAMP)
    shuffled = replace(inputs(), current=dict(reversed(inputs().current.items())))
    assert health_summary(shuffled, stamp=STAMP) == health_summary(inputs(), stamp=STAMP)
