from dataclasses import replace

import pytest

from healthmate_bi_pipeline.catalog.watched_figures import watched_figure
from healthmate_bi_pipeline.reporting.blocks import Absence, BarChart, DataTable, HeatMap, Text, TrendChart
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline.reporting.inputs import GroupFigure
from healthmate_bi_pipeline.reporting.json import render_json
from healthmate_bi_pipeline.reporting.user_engagement.figures import tracked_features, tracked_figures
from healthmate_bi_pipeline.reporting.user_engagement.inputs import Activity, FeatureUse, PeriodEngagement
from healthmate_bi_pipeline.reporting.user_engagement.report import user_engagement
from healthmate_bi_pipeline.reporting.user_engagement.sections import USE_IS_NOT_BENEFIT
from healthmate_bi_pipeline_tests.reporting.engagement_samples import (
    WEEK,
    calibration,
    cohort_cells,
    inputs,
    one_period,
)
from healthmate_bi_pipeline_tests.reporting.samples import PERSONAL, STAMP
from healthmate_bi_pipeline_tests.reporting.walking import (
    assert_no_small_cell,
    assert_valid,
    blocks,
    metric,
    table,
)


def report(**changes):
    return user_engagement(inputs(**changes), stamp=STAMP)


def chart(made, chart_id, kind):
    (found,) = (block for block in blocks(made, kind) if block.chart_id == chart_id)
    return found


def test_a_week_says_what_happened_first():
    made = report()
    first, second, third = made.summary.sentences[:3]
    assert "400\u00a0people were active in the app (\u221220\u00a0people against week 9 of 2026)" in first
    assert "40 were new; 300 had been there before too; 60 came back after a gap; 120 of the people" in second
    assert third.startswith("Stickiness 21.0")
    assert metric(made, "active_people").comparison.change == -20
    assert made.summary.headline[0] == "active_people"
    assert USE_IS_NOT_BENEFIT in made.summary.reading
    assert USE_IS_NOT_BENEFIT in {text for block in blocks(made, Text) for text in block.paragraphs}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"active": 30},
        {"active": 5, "lifecycle": {"new": 5}, "active_before": 0},
        {"settings": PERSONAL},
        {"previous": None, "history": [], "calibration": None, "cohorts": [], "curves": {}},
    ],
)
def test_every_report_follows_the_schema_and_can_be_drawn(given):
    made = report(**given)
    assert_valid(made)
    assert "<h1>User engagement</h1>" in render_html(made)


def test_the_identities_of_the_lifecycle_are_told():
    (text,) = (
        text
        for block in blocks(report(), Text)
        for text in block.paragraphs
        if text.startswith("Active people =")
    )
    assert "400 = 40 + 300 + 60." in text
    assert "420 - fell silent 120 + new 40 + came back 60" in text
    bars = chart(report(), "lifecycle", BarChart).bars
    assert [bar.value for bar in bars] == [40, 300, 60, -120]


def test_a_small_stage_cannot_be_worked_out_from_the_others():
    """New + returning + came back are the active, returning + silent those of before: both totals are told."""
    made = report(lifecycle={"new": 6, "returning": 300, "resurrecting": 94, "dormant": 120})
    values = {
        name: metric(made, f"{name}_people").value for name in ("new", "returning", "resurrected", "dormant")
    }
    assert values["new"] is Absence.SUPPRESSED
    withheld = [name for name, value in values.items() if value is Absence.SUPPRESSED]
    # The first whole lacks two of its parts, and the second one, of which one of these is a part, two as well.
    assert len({"new", "returning", "resurrected"} & set(withheld)) >= 2
    assert "returning" not in withheld or "dormant" in withheld
    assert_no_small_cell(made)


def test_cells_of_cohorts_hide_few_people_and_few_others():
    cells = cohort_cells(people=60, kept=(60, 33, 4, 55))
    made = report(cohorts=cells)
    rows = chart(made, "cohorts", HeatMap).cells
    # 33 of 60; 4 of 60 are few; 55 of 60 leave few; what is not over yet is no data.
    assert rows[0] == (pytest.approx(35 / 60), Absence.SUPPRESSED, Absence.SUPPRESSED)
    assert rows[1] == (pytest.approx(35 / 60), Absence.SUPPRESSED, Absence.NO_DATA)
    assert rows[2] == (pytest.approx(35 / 60), Absence.NO_DATA, Absence.NO_DATA)
    assert chart(made, "cohorts", HeatMap).rows[0] == "9 Feb (60)"


def test_a_small_cohort_shows_nothing():
    made = report(cohorts=cohort_cells(people=9, kept=(9, 9, 0, 4)))
    heat = chart(made, "cohorts", HeatMap)
    assert all(row[0] is Absence.SUPPRESSED for row in heat.cells)
    assert all(label.endswith("(few)") for label in heat.rows)


def test_features_have_reach_and_depth_and_few_users_are_hidden():
    features = {
        "diary": FeatureUse("diary", 200, 600, 130),
        "export": FeatureUse("export", 7, 9, 1),
    }
    made = report(current=one_period(WEEK, features=features))
    rows = table(made, "features")
    assert rows["diary"][:2] == (200, 0.5)
    assert rows["diary"][3] == 3.0
    assert rows["export"] == (Absence.SUPPRESSED,) * 2 + (Absence.NO_DATA,) + (Absence.SUPPRESSED,) * 2
    assert_no_small_cell(made)


def test_the_forecast_is_judged_against_the_plain_rule():
    good, poor = report(), report(calibration=calibration(brier=0.22, rule_brier=0.2))
    text = next(t for block in blocks(good, Text) for t in block.paragraphs if "Brier" in t)
    assert "better than the rule 'inactive for 14 days': Brier score 0.110 against 0.190" in text
    text = next(t for block in blocks(poor, Text) for t in block.paragraphs if "Brier" in t)
    assert "no better than the rule" in text
    assert table(good, "calibration")["5"] == (50, pytest.approx(0.5), pytest.approx(0.5, abs=0.1))


def test_nobody_and_few_people():
    nobody = report(
        current=PeriodEngagement(WEEK, Activity(0, 0.0, 0, 0, None)), lifecycle={}, previous=None, curves={}
    )
    assert nobody.summary.sentences[0] == "Nobody was active in the app in week 10 of 2026."
    assert nobody.insights == ()
    few = report(active=6, lifecycle={"new": 6}, active_before=0)
    assert few.summary.sentences[0] == (
        "Week 10 of 2026: fewer than 11 people were active in the app, too few for any figure to be shown."
    )
    assert few.insights == ()
    assert few.summary.headline == ()
    assert not blocks(few, TrendChart)


def test_the_same_inputs_give_the_same_report():
    assert report() == report()


def test_everything_watched_is_known_to_the_insights():
    """A figure that nobody said the good direction of stops the report."""
    given = inputs()
    tracked = [*tracked_figures(given).values(), *tracked_features(given)]
    assert {one.subject for one in tracked} == {"", "diary", "chat"}
    for one in tracked:
        assert watched_figure(one.figure).smallest_change > 0
        assert one.current.window == WEEK
    by_name = {one.figure: one for one in tracked if not one.subject}
    assert by_name["engagement_score"].current.deviation == 1.5
    assert len(by_name["active_people"].history) == 16
    assert by_name["retention"].current.value == pytest.approx(45 / 80)


def test_confidence_names_real_counts():
    made = report(days_with_data=5)
    use = next(one for one in made.confidence.inputs if one.name == "Use of the app")
    parts = {part.name: part for part in use.parts}
    assert (parts["coverage"].numerator, parts["coverage"].denominator) == (5, 7)
    assert set(parts) == {"coverage", "validity", "sufficiency", "timeliness"}
    assert made.confidence.score < report().confidence.score


def test_curves_hide_small_bars_and_what_they_follow_from():
    made = report(curves={7: {1: 200, 2: 120, 3: 60, 4: 3}})
    shown = {bar.label: bar.people for bar in chart(made, "l7", BarChart).bars}
    assert shown["4"] is Absence.SUPPRESSED
    assert shown["3"] is Absence.SUPPRESSED
    assert shown["1"] == 200


def test_single_people_are_not_in_a_figure_of_few():
    few = one_period(WEEK)
    few = replace(
        few,
        figures=few.figures
        | {"engagement_score": GroupFigure("engagement_score", 8, 71.25, 3.0, 99.0, (8, 0, 0, 0, 0))},
    )
    made = report(current=few)
    assert metric(made, "engagement_score").value is Absence.SUPPRESSED
    assert "71.2" not in render_json(made)
    assert not [block for block in blocks(made, DataTable) if "99.0" in str(block)]
