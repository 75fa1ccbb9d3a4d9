"""What was planted in the demo population is said by the reports of its weeks and months, and nothing in a quiet month.

The stories are told of some people only, as far as a group's mean shows them; their sizes per person are held by
``test_planted_stories``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest

from healthmate_bi_pipeline.catalog.reports import HEALTH_SUMMARY
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.document import Insight, Report, Tone
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.sources.demo import write_demo
from healthmate_bi_pipeline.usecases.reports.health_summary import gather_health_summary
from healthmate_bi_pipeline.usecases.reports.scope import Subject
from healthmate_bi_pipeline_tests.reporting.samples import STAMP
from healthmate_bi_pipeline_tests.running import opened, refresh

pytestmark = pytest.mark.slow

FIRST, LAST = date(2025, 11, 1), date(2026, 8, 31)
HEALTH_DATASETS = (
    "users", "health_readings", "activity_intervals", "sleep_sessions", "medication_doses", "symptom_logs",
)  # fmt: skip
WEEK_OF_INFECTIONS = (Period.WEEKLY, datetime(2026, 2, 9))
AFTER_THE_GAP = (Period.WEEKLY, datetime(2026, 4, 20))
SPRING, QUIET = (Period.MONTHLY, datetime(2026, 4, 1)), (Period.MONTHLY, datetime(2026, 6, 1))
FIRMWARE = (Period.MONTHLY, datetime(2026, 5, 1))
"""On its second day a model of cuffs begins to read high."""


@pytest.fixture(scope="module")
def reports(new_settings: Callable[[], Settings]) -> dict[tuple[Period, datetime], Report]:
    settings = new_settings()
    write_demo(settings.landing_path, first_day=FIRST, last_day=LAST, people=150, datasets=HEALTH_DATASETS)
    made = {}
    with opened(settings, now=datetime(2026, 9, 10)) as pipeline:
        refresh(pipeline, groups=("staged", "baselines", "raw", "state"))
        for asset in ("daily", "weekly", "monthly", "device_changes"):
            refresh(pipeline, names=(f"health_metrics/{asset}",))
        for period, start in (WEEK_OF_INFECTIONS, AFTER_THE_GAP, SPRING, FIRMWARE, QUIET):
            inputs = gather_health_summary(pipeline, Subject(HEALTH_SUMMARY, period, period.window(start)))
            assert inputs is not None
            made[period, start] = health_summary(inputs, stamp=STAMP)
    return made


def said_of(report: Report, figure: str) -> Insight:
    return next(one for one in report.insights if one.figures == (figure,))


def test_winter_infections_show_as_symptoms(reports: dict[tuple[Period, datetime], Report]) -> None:
    report = reports[WEEK_OF_INFECTIONS]
    insight = said_of(report, "total_symptoms_logged")
    assert (insight.rule, insight.tone) == ("outside", Tone.WORSE)
    assert report.insights[0] == insight
    assert report.recommendations[0].insight_ids == (insight.insight_id,)


def test_adherence_falls_where_refills_come_late(reports: dict[tuple[Period, datetime], Report]) -> None:
    insight = said_of(reports[AFTER_THE_GAP], "medication_adherence_rate")
    assert (insight.rule, insight.tone) == ("shift", Tone.WORSE)
    assert -0.25 < insight.low < insight.estimate < insight.high < 0, "some people's fall of 0.25, among all"


def test_spring_shows_as_steps_from_march_on(reports: dict[tuple[Period, datetime], Report]) -> None:
    insight = said_of(reports[SPRING], "avg_steps_per_day")
    assert (insight.rule, insight.tone) == ("shift", Tone.BETTER)
    assert " March 2026" in insight.text


def test_treatment_shows_as_lower_blood_pressure(reports: dict[tuple[Period, datetime], Report]) -> None:
    assert said_of(reports[SPRING], "avg_blood_pressure_systolic").tone is Tone.BETTER


def test_a_cuff_that_reads_high_is_found_in_the_month_of_its_firmware(
    reports: dict[tuple[Period, datetime], Report],
) -> None:
    report = reports[FIRMWARE]
    devices = {one.figures: one for one in report.insights if one.rule == "device_shift"}
    insight = devices["avg_blood_pressure_systolic",]
    assert (insight.subject, insight.tone) == ("cuff Tensio M3", Tone.NEUTRAL)
    assert 0 < insight.low < 8 + 2 < insight.high, "8 mmHg, and what treatment takes off the others"
    assert "cuff Tensio M3" in insight.text
    assert {one.subject for one in devices.values()} == {"cuff Tensio M3"}
    (advice,) = (one for one in report.recommendations if insight.insight_id in one.insight_ids)
    assert advice.recommendation_id == "do-device"


def test_in_no_other_month_does_a_device_read_otherwise(
    reports: dict[tuple[Period, datetime], Report],
) -> None:
    others = [report for when, report in reports.items() if when != FIRMWARE]
    assert not [one for report in others for one in report.insights if one.rule == "device_shift"]


def test_a_quiet_month_has_no_insights_and_says_so(reports: dict[tuple[Period, datetime], Report]) -> None:
    report = reports[QUIET]
    assert (report.insights, report.recommendations) == ((), ())
    assert report.summary.sentences[-1].startswith("No insights: ")


def test_how_far_each_report_can_be_relied_on(reports: dict[tuple[Period, datetime], Report]) -> None:
    for report in reports.values():
        inputs = {one.name: one for one in report.confidence.inputs}
        assert {"Readings", "Activity", "Sleep", "Medication", "Cardiovascular health"} <= set(inputs)
        assert report.confidence.score == min(one.score for one in inputs.values())
        assert 0.5 < report.confidence.score < 1
