"""Devices held against each other: Welch by hand, one device of a figure, and nothing where nothing happened."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from healthmate_bi_pipeline.catalog.device_changes import COMPARED_FIGURES
from healthmate_bi_pipeline.catalog.watched_figures import watched_figure
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.blocks import Absence
from healthmate_bi_pipeline.reporting.device_shifts import find_device_shift
from healthmate_bi_pipeline.reporting.document import Tone
from healthmate_bi_pipeline.reporting.evidence import Contrast, Evidence, Sample
from healthmate_bi_pipeline.reporting.health_summary.inputs import DeviceChange
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.reporting.inputs import GroupFigure
from healthmate_bi_pipeline.reporting.insights import search
from healthmate_bi_pipeline.reporting.recommendations import recommend
from healthmate_bi_pipeline_tests.reporting.histories import AS_OF, noise, tracked
from healthmate_bi_pipeline_tests.reporting.samples import STAMP, inputs

SYSTOLIC = "avg_blood_pressure_systolic"
MARCH = Period.MONTHLY.window(datetime(2026, 3, 1))
REPORTS = 200


def sample(value, deviation, people):
    return Sample(MARCH, value, people, deviation)


def contrast(own, others, *, figure=SYSTOLIC, subject="cuff A", reach=0.3):
    """Mean, deviation and people of both sides."""
    return Contrast(figure, subject, sample(*own), sample(*others), "February 2026", reach)


def found_in(*contrasts, figures=()):
    return search(Evidence(tuple(figures), contrasts=contrasts), window=MARCH, as_of=AS_OF)


def plain(text):
    return text.replace("\u202f", " ").replace("\u00a0", " ").replace("\u2212", "-")


def test_welch_by_hand():
    """Standard error √(9/12 + 16/16), 26 degrees of freedom, of which t is 2.0555."""
    found = find_device_shift(contrast((8.0, 3.0, 12), (-2.0, 4.0, 16)))
    assert found.estimate == 10
    assert found.statistic_value == pytest.approx(10 / 1.75**0.5)
    assert found.low == pytest.approx(10 - 2.0555 * 1.75**0.5, abs=2e-3)
    assert found.high == pytest.approx(10 + 2.0555 * 1.75**0.5, abs=2e-3)
    assert found.p_value == pytest.approx(5e-8, rel=0.1)


def test_the_insight_carries_its_evidence_and_calls_for_a_check():
    report = found_in(contrast((8.0, 3.0, 15), (-2.0, 4.0, 30)))
    (insight,) = report.insights
    assert (insight.rule, insight.figures, insight.subject) == ("device_shift", (SYSTOLIC,), "cuff A")
    assert (insight.tone, insight.people, insight.points, insight.as_of) == (Tone.NEUTRAL, 15, 2, AS_OF)
    assert insight.estimate == 10
    assert insight.effect == 5, "in smallest changes worth saying"
    assert insight.p_value == insight.adjusted_p < 0.001
    assert insight.low < 10 < insight.high
    assert plain(insight.text) == (
        "Systolic blood pressure, cuff A: against February 2026 10.0 mmHg higher (95 % interval 7.8 to 12.2) than with"
        " other devices. Held against themselves, those who measure with it changed by +8.0 mmHg (15 people), those with"
        " other devices by -2.0 mmHg (30)."
    )
    (advice,) = recommend(report.insights, report_type="health_summary")
    assert advice.insight_ids == (insight.insight_id,)
    assert advice.text.startswith("Find out what changed with cuff A ")
    assert "ISO 81060-2" in advice.guideline


@pytest.mark.parametrize(
    ("own", "others"),
    [
        ((8.0, 3.0, 10), (-2.0, 4.0, 30)),
        ((8.0, 3.0, 30), (-2.0, 4.0, 10)),
        ((Absence.SUPPRESSED, Absence.SUPPRESSED, Absence.SUPPRESSED), (-2.0, 4.0, 30)),
        ((8.0, 0.0, 15), (-2.0, 0.0, 30)),
    ],
)
def test_without_enough_people_or_any_spread_nothing_is_tested(own, others):
    assert found_in(contrast(own, others)).tests == 0


def test_a_difference_too_small_to_matter_is_not_told():
    report = found_in(contrast((1.0, 0.5, 400), (0.0, 0.5, 600)))
    assert (report.tests, report.figures, report.insights) == (1, 1, ())
    assert report.sentence.startswith("No insights: 1 test")


@pytest.mark.parametrize("own", [0.0, 1.9, -3.0])
def test_where_only_the_others_changed_it_is_not_the_device(own):
    report = found_in(contrast((own, 3.0, 40), (-9.0, 3.0, 60)))
    assert (report.tests, report.insights) == (1, ())


def test_of_one_figure_the_device_that_differs_most_surely_is_told():
    """B is held against A too, and looks as if it had fallen."""
    report = found_in(
        contrast((-2.0, 4.0, 20), (4.0, 6.0, 30), subject="cuff B"),
        contrast((8.0, 4.0, 20), (-2.0, 4.0, 30), subject="cuff A"),
        contrast((4.0, 2.0, 20), (-1.0, 2.0, 30), figure="avg_blood_pressure_diastolic", subject="cuff A"),
    )
    assert {(one.figures[0], one.subject) for one in report.insights} == {
        (SYSTOLIC, "cuff A"),
        ("avg_blood_pressure_diastolic", "cuff A"),
    }
    assert len(recommend(report.insights, report_type="health_summary")) == 1


@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_devices_it_is_the_one_whose_people_changed(is_first):
    a, b = (8.0, 3.0, 15), (-2.0, 4.0, 30)
    both = [contrast(a, b, subject="cuff A"), contrast(b, a, subject="cuff B")]
    (insight,) = found_in(*(both if is_first else reversed(both))).insights
    assert insight.subject == "cuff A"


def test_its_test_is_counted_with_all_others_of_the_report():
    """Alone it would be told; after the tests of other figures it is not."""
    shift = contrast((2.0, 4.0, 30), (-0.2, 4.0, 60))
    alone = found_in(shift)
    among = found_in(shift, figures=[tracked(noise(91, seed=seed)) for seed in range(8)])
    assert [one.rule for one in alone.insights] == ["device_shift"]
    assert among.tests > 30
    assert "device_shift" not in {one.rule for one in among.insights}


def null_contrasts(dice):
    """Four devices of every compared figure, whose people all change alike, by more than is worth saying."""
    for figure in COMPARED_FIGURES.values():
        deviation = 4 * watched_figure(figure).smallest_change
        people = [deviation * dice.normal(size=size) for size in (12, 20, 40, 90)]
        for place, own in enumerate(people):
            others = np.concatenate(people[:place] + people[place + 1 :])
            sides = [(float(side.mean()), float(side.std(ddof=1)), len(side)) for side in (own, others)]
            yield contrast(*sides, figure=figure, subject=f"device {place}")


def test_null_data_give_insights_in_no_more_reports_than_q():
    dice = np.random.default_rng(5)
    reports = [found_in(*null_contrasts(dice)) for _ in range(REPORTS)]
    assert all(report.tests == 4 * len(COMPARED_FIGURES) for report in reports)
    told = sum(bool(report.insights) for report in reports)
    assert told / REPORTS <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / REPORTS)


def device(people, others, *, mean=8.04, source="cuff A"):
    return DeviceChange(
        source,
        GroupFigure(SYSTOLIC, people, mean, deviation=3.21),
        GroupFigure(SYSTOLIC, others, -2.03, deviation=4.32),
    )


def test_a_report_rounds_what_it_tells_and_names_no_device_of_few():
    report = health_summary(inputs(devices=(device(13, 31), device(10, 34, source="rare"))), stamp=STAMP)
    (insight,) = (one for one in report.insights if one.rule == "device_shift")
    assert (insight.subject, insight.people) == ("cuff A", 15)
    assert "8.0" in insight.text
    assert "8.04" not in insight.text
    assert "(30)" in plain(insight.text)
    assert "13" not in insight.text


def test_a_month_that_is_not_over_is_not_judged():
    report = health_summary(inputs(devices=(device(13, 31),), is_complete=False), stamp=STAMP)
    assert report.insights == ()
