"""What a health summary finds and how far it can be relied on, from inputs with planted changes."""

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pytest

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence
from healthmate_bi_pipeline.reporting.document import RANGE, Tone
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.reporting.inputs import Arrivals, GroupFigure, TrendPoint
from healthmate_bi_pipeline_tests.reporting.histories import noise, windows
from healthmate_bi_pipeline_tests.reporting.samples import PERSONAL, STAMP, inputs, quality

SLEEP, STEPS = "avg_sleep_hours", "avg_steps_per_day"
DAYS = windows(91)
LAST = DAYS[-1]


def plain(text):
    return text.replace("\u202f", " ").replace("\u00a0", " ").replace("\u2212", "-")


def points(**series):
    """A point per day of 91, of figures that are the means of so many people."""
    return [
        TrendPoint(
            day.start,
            {figure: GroupFigure(figure, 240, float(values[place])) for figure, values in series.items()},
        )
        for place, day in enumerate(DAYS)
    ]


def day_report(history, *, people=240, **changes):
    """A report on the last of 91 days."""
    current = dict(history[-1].figures)
    given = {"cadence": "daily", "window": LAST, "current": current, "previous": None, "history": history}
    return health_summary(inputs(people, **(given | {"previous_window": None} | changes)), stamp=STAMP)


def quiet():
    return noise(91, level=7, deviation=0.2, cycle=False, seed=2)


def test_a_planted_shift_becomes_an_insight_and_a_recommendation():
    shifted = quiet() - np.where(np.arange(91) >= 77, 0.8, 0)
    report = day_report(points(**{SLEEP: shifted, STEPS: noise(91)}))
    (insight,) = report.insights
    assert (insight.rule, insight.figures, insight.tone, insight.people) == (
        "shift",
        (SLEEP,),
        Tone.WORSE,
        240,
    )
    assert insight.low < -0.8 < insight.high
    (advice,) = report.recommendations
    assert advice.insight_ids == (insight.insight_id,)
    assert "7–9 hours" in advice.guideline


def test_a_quiet_day_has_none_and_says_so():
    report = day_report(points(**{SLEEP: quiet(), STEPS: noise(91)}))
    assert (report.insights, report.recommendations) == ((), ())
    assert report.summary.sentences[-1] == (
        "No insights: 10 tests of 2 figures found nothing beyond chance that is large enough to matter."
    )


def test_a_period_that_is_not_over_is_not_judged():
    shifted = quiet() - np.where(np.arange(91) >= 77, 0.8, 0)
    report = day_report(points(**{SLEEP: shifted}), is_complete=False)
    assert report.insights == ()
    assert not any("insights" in sentence for sentence in report.summary.sentences)


def test_days_with_too_few_people_are_gaps():
    history = points(**{SLEEP: quiet() - np.where(np.arange(91) >= 77, 0.8, 0)})
    history[40] = TrendPoint(DAYS[40].start, {SLEEP: GroupFigure(SLEEP, 4, 1.25)})
    (insight,) = day_report(history).insights
    assert insight.points == 90
    assert "1.25" not in insight.text
    assert "1 day without a number is left out." in insight.text


def test_a_person_is_not_counted_but_their_days_are():
    shifted = quiet() - np.where(np.arange(91) >= 77, 0.8, 0)
    history = [
        TrendPoint(point.period_start, {SLEEP: GroupFigure(SLEEP, 1, point.figures[SLEEP].mean)})
        for point in points(**{SLEEP: shifted})
    ]
    report = day_report(history, people=1, settings=PERSONAL)
    (insight,) = report.insights
    assert "person" not in insight.text
    (advice,) = report.recommendations
    assert advice.owner == "you"


def march(people=240, **changes):
    window = Window.of_days(date(2026, 3, 1), date(2026, 3, 31))
    given = {
        "cadence": "monthly",
        "window": window,
        "quality": [
            quality(),
            quality(dataset="sleep_sessions", staged=1000, kept=900, duplicates=0, quarantined=100),
        ],
        "current": {
            SLEEP: GroupFigure(SLEEP, 100, 7.0),
            "sleep_regularity_index": GroupFigure("sleep_regularity_index", 80, 78.0),
            "data_accuracy": GroupFigure("data_accuracy", 200, 0.98),
            "overall_health_score": GroupFigure("overall_health_score", 150, 70.0),
        },
        "person_days": {SLEEP: 1550, "data_accuracy": 6200},
        "arrivals": {"sleep_sessions": Arrivals(30, 31)},
    }
    return health_summary(inputs(people, **(given | changes)), stamp=STAMP)


def parts(report, name):
    found = next(one for one in report.confidence.inputs if one.name == name)
    return {part.name: (part.share, part.numerator, part.denominator) for part in found.parts}


def test_confidence_is_that_of_the_weakest_kind_of_data():
    confidence = march().confidence
    assert [one.name for one in confidence.inputs] == ["Cardiovascular health", "Sleep", "Readings"]
    assert confidence.score == confidence.inputs[0].score == 0.625
    assert plain(confidence.limiting) == (
        "Cardiovascular health: sufficiency 62 %, 150 of 240 people with at least 2 of 8 components."
    )


def test_the_parts_of_a_kind_of_data():
    assert parts(march(), "Sleep") == {
        "coverage": (0.5, 1550, 3100),
        "validity": (0.9, 900, 1000),
        "sufficiency": (0.8, 80, 100),
        "timeliness": (0.968, 30, 31),
    }
    sleep = next(one for one in march().confidence.inputs if one.name == "Sleep")
    assert sleep.score == pytest.approx((0.5 * 0.9 * 0.8 * 0.968) ** 0.25, abs=1e-3)


def test_the_gate_of_a_kind_of_data_is_not_counted_in_a_week():
    week = Period.WEEKLY.window(datetime(2026, 3, 5))
    assert "sufficiency" not in parts(march(cadence="weekly", window=week), "Sleep")


def test_a_period_that_was_loaded_afterwards_has_no_timeliness():
    share, *_ = parts(march(arrivals={}), "Sleep")["timeliness"]
    assert share is Absence.NO_DATA


def test_a_kind_of_data_that_nobody_has_is_no_input():
    names = {one.name for one in march().confidence.inputs}
    assert names.isdisjoint({"Activity", "Medication", "Symptoms"})


def test_bad_rows_too_few_to_be_shown_count_as_half_of_the_most():
    few = quality(dataset="sleep_sessions", staged=1000, kept=997, duplicates=0, quarantined=3)
    found = parts(march(quality=[few]), "Sleep")["validity"]
    assert found == (0.995, 995, 1000)


def test_small_groups_are_not_counted_out():
    few = {SLEEP: GroupFigure(SLEEP, 4, 7.0)}
    found = parts(march(current=few, person_days={SLEEP: 37}), "Sleep")
    assert found["coverage"] == (Absence.SUPPRESSED, Absence.SUPPRESSED, Absence.SUPPRESSED)


def test_days_of_a_running_month_are_counted_up_to_the_newest_data():
    running = march(is_complete=False, as_of=datetime(2026, 3, 10, 20), person_days={SLEEP: 500})
    assert parts(running, "Sleep")["coverage"] == (0.5, 500, 1000)


def test_a_day_is_held_against_the_best_of_four_weeks():
    trend = [
        TrendPoint(day.start, {SLEEP: GroupFigure(SLEEP, 100 + place, 7.0)})
        for place, day in enumerate(DAYS[-28:])
    ]
    trend[-1] = TrendPoint(LAST.start, {SLEEP: GroupFigure(SLEEP, 63, 7.0)})
    report = day_report(
        trend,
        current={SLEEP: GroupFigure(SLEEP, 63, 7.0)},
        trend=trend,
        quality=[quality(dataset="sleep_sessions")],
    )
    assert parts(report, "Sleep")["coverage"] == (0.52, 65, 125)


def test_evidence_of_months_compares_them_by_their_people():
    now, before = ({SLEEP: replace(GroupFigure(SLEEP, 400, mean), deviation=1.0)} for mean in (6.5, 7.0))
    report = march(
        people=400, current=now, previous=before, previous_window=Period.MONTHLY.window(datetime(2026, 2, 1))
    )
    (insight,) = report.insights
    assert (insight.rule, insight.estimate) == ("comparison", -0.5)
    assert "than in February 2026 with 7.0 h (400 people against 400)." in plain(insight.text)


def test_a_free_range_is_compared_with_as_many_days_before():
    window = Window.of_days(date(2026, 3, 9), date(2026, 3, 22))
    now, before = ({SLEEP: replace(GroupFigure(SLEEP, 400, mean), deviation=1.0)} for mean in (6.5, 7.0))
    report = health_summary(
        inputs(
            400,
            cadence=RANGE,
            window=window,
            current=now,
            previous=before,
            previous_window=Window.of_days(date(2026, 2, 23), date(2026, 3, 8)),
        ),
        stamp=STAMP,
    )
    (insight,) = report.insights
    assert "than in the 14 days before, 23 February – 8 March 2026, with 7.0 h" in plain(insight.text)
