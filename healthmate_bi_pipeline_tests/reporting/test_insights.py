"""Insights: what is planted is found with its direction and size, quiet data give none, and all tests are counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from healthmate_bi_pipeline.catalog.watched_figures import HEALTH
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence
from healthmate_bi_pipeline.reporting.document import Tone
from healthmate_bi_pipeline.reporting.evidence import Evidence, Fact, Sample
from healthmate_bi_pipeline.reporting.figure_tests import find
from healthmate_bi_pipeline.reporting.insights import MOST_INSIGHTS, find_insights, search
from healthmate_bi_pipeline_tests.reporting.histories import (
    AS_OF,
    STEPS,
    looked,
    noise,
    samples,
    tracked,
)

DAY = np.arange(91)
REPORTS = 100


def plain(text):
    return text.replace("\u202f", "_").replace("\u00a0", " ").replace("\u2212", "-")


def null_report(seed, *, period=Period.DAILY, count=91):
    """All figures of health over noise that is twice as large as the smallest change worth saying."""
    dice = np.random.default_rng(seed)
    figures = []
    for watched in HEALTH:
        unit = 2 * watched.smallest_at(100)
        values = 100 + unit * (dice.normal(size=count) + np.sin(np.arange(count) % 7))
        figures.append(tracked(values, figure=watched.name, period=period))
    return looked(*figures)


def test_null_data_give_insights_in_no_more_reports_than_q():
    reports = [null_report(seed) for seed in range(REPORTS)]
    told = sum(bool(report.insights) for report in reports)
    assert told / REPORTS <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / REPORTS)
    assert all(report.tests == 5 * len(HEALTH) for report in reports)


def test_a_quiet_report_says_that_there_is_nothing():
    report = null_report(4)
    assert report.insights == ()
    assert report.sentence == (
        "No insights: 120 tests of 24 figures found nothing beyond chance that is large enough to matter."
    )


def test_too_little_history_is_said():
    report = looked(tracked(noise(10)))
    assert (report.tests, report.insights) == (0, ())
    assert "too little history" in report.sentence


def test_a_planted_shift_is_found_with_direction_size_and_interval():
    values = noise(91) + np.where(DAY >= 77, -900, 0)
    report = looked(tracked(values))
    (insight,) = report.insights
    assert (insight.rule, insight.tone, insight.figures, insight.points) == (
        "shift",
        Tone.WORSE,
        (STEPS,),
        91,
    )
    assert insight.low < -900 < insight.high < 0
    assert insight.low < insight.estimate < insight.high
    assert insight.p_value <= insight.adjusted_p <= 0.05
    assert (insight.people, insight.as_of) == (500, AS_OF)
    text = plain(insight.text)
    assert text.startswith("Steps per day: ")
    assert "steps lower (95_% interval " in text
    assert " since 23 March 2026, against a mean of " in text
    assert text.endswith(" steps in the 77 days before (500 people).")
    assert report.sentence == ""


def test_a_planted_trend_is_found_as_one():
    report = looked(tracked(noise(91) + 15 * DAY))
    (insight,) = report.insights
    assert (insight.rule, insight.tone) == ("trend", Tone.BETTER)
    assert insight.low < 15 * 90 < insight.high
    assert plain(insight.text).startswith("Steps per day: rising by 1_")
    assert plain(insight.text).endswith(" from 5 January 2026 to 5 April 2026 (500 people).")


def test_one_strange_day_is_found_and_held_against_its_weekday():
    values = noise(91)
    values[90] -= 2500  # a Sunday as low as any weekday
    (insight,) = looked(tracked(values)).insights
    assert insight.rule == "outside"
    text = plain(insight.text)
    assert "on 5 April 2026, outside the control limits of " in text
    assert "than usual for a Sunday" in text
    assert insight.low < -2500 < insight.high


def test_a_strange_day_of_a_month_is_about_the_people_of_that_day():
    values = noise(91)
    values[80] -= 2500
    history = tuple(replace(one, people=300) for one in samples(values))
    current = replace(
        history[-1], people=900, window=Window(history[61].window.start, history[-1].window.end)
    )
    (insight,) = looked(tracked(values, history=history, current=current)).insights
    assert (insight.rule, insight.people) == ("outside", 300)
    assert plain(insight.text).endswith("than usual for a Thursday (300 people).")


def test_a_weekend_is_no_insight():
    assert looked(tracked(noise(91))).insights == ()


def test_what_is_over_before_the_period_is_not_told():
    values = noise(91)
    values[60] -= 4000
    assert looked(tracked(values)).insights == ()


def test_a_change_too_small_to_matter_is_not_told():
    values = noise(91, deviation=10) + np.where(DAY >= 77, -300, 0)
    figure = tracked(values)
    shift = next(one for one in find(figure, window=figure.current.window) if one.rule == "shift")
    assert shift.is_signal
    assert shift.p_value < 1e-10
    assert looked(figure).insights == ()


def month(number, value, *, people, deviation):
    window = Period.MONTHLY.window(datetime(2026, number, 1))
    return Sample(window, value, people, deviation)


def compared(value, before, *, people=400, deviation=1.0, figure="avg_sleep_hours"):
    current, previous = (
        month(n, v, people=people, deviation=deviation) for n, v in ((3, value), (2, before))
    )
    return tracked(
        np.array([before, value]),
        figure=figure,
        period=Period.MONTHLY,
        history=(previous, current),
        current=current,
        previous=previous,
        previous_name="February 2026",
    )


def test_a_month_against_the_one_before_by_its_people():
    (insight,) = looked(compared(6.5, 7.0)).insights
    assert (insight.rule, insight.tone, insight.estimate) == ("comparison", Tone.WORSE, -0.5)
    assert (insight.low, insight.high) == pytest.approx((-0.5 - 1.963 * np.sqrt(2 / 400), -0.5 + 1.963 * np.sqrt(2 / 400)), abs=1e-3)  # fmt: skip
    assert plain(insight.text) == (
        "Sleep per night: 6.5 h, 0.5 h lower (95_% interval 0.4 to 0.6) than in February 2026 with 7.0 h"
        " (400 people against 400)."
    )


def test_the_same_difference_among_few_people_is_chance():
    assert looked(compared(6.5, 7.0, people=15)).insights == ()


def test_where_months_differ_among_themselves_people_do_not_decide():
    values = noise(36, level=7, deviation=0.5, cycle=False, seed=3)
    values[34:] = 7.4, 6.7
    history = samples(values, period=Period.MONTHLY, people=400)
    current, previous = (replace(one, deviation=1.0) for one in (history[-1], history[-2]))
    figure = tracked(
        values, figure="avg_sleep_hours", period=Period.MONTHLY, current=current, previous=previous
    )
    comparison = next(one for one in find(figure, window=current.window) if one.rule == "comparison")
    assert comparison.p_value > 0.05
    assert looked(compared(6.7, 7.4)).insights


def test_a_persons_month_is_compared_by_its_days():
    values = noise(62, cycle=False)
    values[31:] -= 800
    history = samples(values, people=1, start=datetime(2026, 1, 1))
    current = Sample(Window(history[31].window.start, history[-1].window.end), 7200.0, 1)
    previous = Sample(Window(history[0].window.start, history[30].window.end), 8000.0, 1)
    figure = tracked(
        values, history=history, current=current, previous=previous, previous_name="January 2026"
    )
    found = {one.rule: one for one in find(figure, window=current.window)}
    assert found["comparison"].estimate == -800
    assert found["comparison"].low < -800 < found["comparison"].high < 0
    (insight,) = looked(figure).insights
    assert insight.rule == "shift"
    assert "Against January 2026: -800 steps." in plain(insight.text)
    assert "people" not in insight.text
    assert "person" not in insight.text


def test_every_test_of_the_report_counts_also_those_that_are_not_told():
    weak = noise(91, seed=0)
    weak[90] -= 1500
    alone = looked(tracked(weak))
    (insight,) = alone.insights
    others = [
        tracked(noise(91, seed=seed), figure=watched.name) for seed, watched in enumerate(HEALTH[:12], 50)
    ]
    among = looked(tracked(weak), *(one for one in others if one.figure != STEPS))
    assert among.tests > alone.tests
    again = next((one for one in among.insights if one.figures == (STEPS,)), None)
    assert again is None or again.adjusted_p > insight.adjusted_p
    found = [one for figure in (tracked(weak),) for one in find(figure, window=figure.current.window)]
    smallest = min(one.p_value for one in found)
    assert insight.adjusted_p == pytest.approx(smallest * len(found), rel=1e-3)


def test_gaps_are_left_out_and_counted():
    values = noise(91) + np.where(DAY >= 70, -900, 0)
    values[[3, 40]] = np.nan
    (insight,) = looked(tracked(values)).insights
    assert insight.points == 89
    assert insight.text.endswith("2 days without a number are left out.")


def test_a_history_that_is_mostly_gaps_is_not_judged():
    values = noise(91) + np.where(DAY >= 70, -900, 0)
    values[(DAY % 3 != 0) & (DAY != 90)] = np.nan
    assert looked(tracked(values)).tests == 0


def test_a_shift_of_long_ago_is_the_level_of_today():
    assert looked(tracked(noise(91) + np.where(DAY >= 50, -900, 0))).insights == ()
    (insight,) = looked(tracked(noise(91) + np.where(DAY >= 64, -900, 0))).insights
    assert insight.rule == "shift"


def test_a_shift_of_a_mean_is_told_with_that_of_its_people():
    values = noise(91) + np.where(DAY >= 77, -900, 0)
    history = tuple(
        replace(one, people=500 if place < 77 else 350) for place, one in enumerate(samples(values))
    )
    (insight,) = looked(tracked(values, history=history, current=history[-1])).insights
    assert "Those measured went from 500 to 350 people meanwhile, which can be part of it." in plain(
        insight.text
    )


def test_few_and_different_people_are_named_as_another_reason():
    values = noise(91) + np.where(DAY >= 77, -900, 0)
    few, many = (
        tracked(values, current=replace(samples(values, people=people)[-1], deviation=3500.0), history=samples(values, people=people))
        for people in (40, 4000)
    )  # fmt: skip
    warning = "With only 40 people it can also be that other people measured than before."
    assert warning in plain(looked(few).insights[0].text)
    assert "other people measured" not in looked(many).insights[0].text


def test_days_before_the_first_one_are_no_gaps():
    values = noise(91) + np.where(DAY >= 70, -900, 0)
    values[:10] = np.nan
    (insight,) = looked(tracked(values)).insights
    assert "left out" not in insight.text


def test_a_suppressed_period_gives_no_insight():
    values = noise(91) + np.where(DAY >= 77, -900, 0)
    values[90] = np.nan
    assert looked(tracked(values)).tests == 0


def test_a_constant_figure_gives_none():
    assert looked(tracked(np.full(91, 5.0))).insights == ()


def fact(effect, *, rule="slo_broken", subject="api"):
    return Fact(
        rule=rule, figures=("availability",), text=f"{subject} missed its objective.", estimate=0.99,
        effect=effect, subject=subject,
    )  # fmt: skip


def test_facts_pass_and_the_largest_comes_first():
    values = noise(91) + np.where(DAY >= 77, -900, 0)
    report = looked(tracked(values), facts=(fact(1.2, subject="web"), fact(3.0)))
    assert [(one.rule, one.subject) for one in report.insights] == [
        ("slo_broken", "api"),
        ("shift", ""),
        ("slo_broken", "web"),
    ]
    first = report.insights[0]
    assert (first.p_value, first.adjusted_p, first.text) == (None, None, "api missed its objective.")


def test_a_small_group_ranks_behind_everyone():
    values = noise(91) + np.where(DAY >= 77, -900, 0)
    group = tracked(values, subject="age 18-39", reach=0.2)
    report = looked(group, tracked(values))
    assert [one.subject for one in report.insights] == ["", "age 18-39"]
    assert report.insights[1].text.startswith("Steps per day, age 18-39: ")


def test_no_more_are_told_than_a_person_reads():
    facts = [fact(effect, subject=f"service {effect}") for effect in range(1, 12)]
    report = search(
        Evidence(facts=tuple(facts)), window=Period.DAILY.window(datetime(2026, 4, 5)), as_of=None
    )
    assert [one.effect for one in report.insights] == [11, 10, 9, 8, 7, 6, 5]
    assert len(report.insights) == MOST_INSIGHTS
    assert report.sentence == "Insights: the 7 most important of 11 are told."


def test_ids_are_unique():
    facts = (fact(2), fact(2), fact(2, subject="web"))
    report = search(Evidence(facts=facts), window=Period.DAILY.window(datetime(2026, 4, 5)), as_of=None)
    assert [one.insight_id for one in report.insights] == [
        "slo_broken-availability-api",
        "slo_broken-availability-api-2",
        "slo_broken-availability-web",
    ]


def test_the_same_evidence_gives_the_same_insights():
    values = noise(91) + np.where(DAY >= 77, -900, 0)
    evidence = Evidence((tracked(values),))
    window = evidence.tracked[0].current.window
    assert find_insights(evidence, window=window, as_of=AS_OF) == find_insights(
        evidence, window=window, as_of=AS_OF
    )


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_does_not_matter_to_what_is_tested(scale):
    values = noise(91) + np.where(DAY >= 77, -900, 0)
    window = tracked(values).current.window
    one = [finding.p_value for finding in find(tracked(values), window=window)]
    other = [finding.p_value for finding in find(tracked(values * scale), window=window)]
    assert one == pytest.approx(other, rel=1e-6)


def test_a_share_of_people_is_compared_as_one():
    figure = replace(
        compared(0.50, 0.60, figure="retention"),
        current=month(3, 0.5, people=1000, deviation=Absence.NO_DATA),
        previous=month(2, 0.6, people=1000, deviation=Absence.NO_DATA),
    )
    (insight,) = looked(figure).insights
    assert insight.statistic == "z"
    assert (insight.low, insight.high) == pytest.approx((-0.1429, -0.0563), abs=1e-3)
