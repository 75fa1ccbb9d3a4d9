import json
from datetime import date, datetime

import pytest
from jsonschema import Draft202012Validator

from healthmate_bi_pipeline.catalog.reports import COMPLIANCE
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.blocks import Absence, DataTable
from healthmate_bi_pipeline.reporting.compliance.inputs import (
    Actions,
    ComplianceInputs,
    DatasetBooks,
    Deletions,
    Overdue,
    PastItsTime,
    ReportsWritten,
    Retention,
)
from healthmate_bi_pipeline.reporting.compliance.report import compliance
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline.reporting.inputs import DatasetQuality
from healthmate_bi_pipeline.reporting.json import SCHEMA_PATH, render_json
from healthmate_bi_pipeline.settings import ReportSettings
from healthmate_bi_pipeline_tests.reporting.samples import STAMP

VALIDATOR = Draft202012Validator(json.loads(SCHEMA_PATH.read_text(encoding="utf-8")))
MARCH = Period.MONTHLY.window(datetime(2026, 3, 1))


def books(dataset="api_requests", *, rules=None, staged=10_000, **changes):
    rules = {"missing:service": 20, "negative:duration_ms": 30} if rules is None else rules
    aside = sum(rules.values())
    values = {
        "is_about_people": dataset != "api_requests",
        "quality": DatasetQuality(dataset, staged, staged - aside, 0, 0, aside, rules, files=31, rejected_lines=5, undated=2),
        "lines": staged + 7, "rows": staged + 2, "staged_of_files": staged, "days": 31, "days_expected": 31,
        "is_daily": True, "rows_unaccounted": 0, "days_unmade": 0,
    }  # fmt: skip
    return DatasetBooks(**(values | changes))


def report(*of, **changes):
    of = of or (books(),)
    values = {
        "report_type": COMPLIANCE, "cadence": "monthly", "window": MARCH, "settings": ReportSettings(),
        "as_of": MARCH.end, "is_complete": True, "quality": [one.quality for one in of], "counted_until": MARCH.end,
        "books": of, "partitions_due": 300, "actions": [Actions("make", "done", 40, 1, 900)],
        "reports": [ReportsWritten("health_summary", "daily", 31, 33, 120, 9)],
    }  # fmt: skip
    return compliance(ComplianceInputs(**(values | changes)), stamp=STAMP)


def table(of, table_id):
    tables = [block for section in of.sections for block in section.blocks if isinstance(block, DataTable)]
    return next(one for one in tables if one.table_id == table_id)


def metric(of, name):
    return next(one for one in of.metrics if one.figure == name)


def test_a_good_month_says_that_there_is_nothing_to_do():
    of = report()
    VALIDATOR.validate(json.loads(render_json(of)))
    assert "Conservation of rows" in render_html(of)
    assert of.insights == ()
    assert "there is nothing to do" in of.summary.sentences[1]
    assert metric(of, "quality_checks_passed").value == 1
    assert metric(of, "figures_withheld").value == 120
    assert {row[0]: row[1:] for row in table(of, "checks-by-category").rows} == {
        "Conformance": (2, 0, 0, 0), "Completeness": (3, 0, 0, 0), "Plausibility": (1, 0, 0, 0),
    }  # fmt: skip
    assert of.confidence.score > 0.99
    assert "Consent" in of.not_measured


@pytest.mark.parametrize(
    ("changed", "more", "rule"),
    [
        ({"rules": {"unknown_code:route": 300}}, {}, "rows_set_aside"),
        ({"days": 25}, {}, "missing_partitions"),
        ({"rows_unaccounted": 4}, {}, "rows_lost"),
        ({}, {"overdue": [Overdue("raw/api_requests", (date(2026, 3, 5),), ())]}, "overdue"),
        ({}, {"actions": [Actions("sql", "denied", 2, 1, 0)]}, "action_refused"),
    ],
    ids=["category", "days", "conservation", "overdue", "audit"],
)
def test_what_went_wrong_is_told_once_with_what_to_do(changed, more, rule):
    of = report(books(**changed), **more)
    assert [one.rule for one in of.insights] == [rule]
    assert [one.insight_ids for one in of.recommendations] == [(of.insights[0].insight_id,)]
    VALIDATOR.validate(json.loads(render_json(of)))


def test_small_counts_about_people_stand_nowhere():
    of = report(books("health_readings", rules={"impossible_value:value": 7, "missing:value": 4213}))
    row = next(row for row in table(of, "checks").rows if row[1] == "values can be true")
    assert row[3:6] == ("passed", Absence.SUPPRESSED, 10_000)
    written = render_json(of)
    assert "4213" not in written
    assert "4215" not in written  # of all rows set aside that would leave the 7
    # Rejected lines (5) and undated rows (2) are about somebody too.
    sides = [row[3] for row in table(of, "conservation-table").rows]
    assert "rejected not shown" in sides[0]
    assert "undated not shown" in sides[1]


def test_days_that_were_not_checked_have_no_verdict_and_cost_confidence():
    of = report(books(days_unmade=3))
    verdicts = {row[1]: row[3].partition(":")[0] for row in table(of, "checks").rows}
    assert verdicts["values can be true"] == "error"
    assert verdicts["lines can be read as rows"] == "passed"
    coverage = next(part for one in of.confidence.inputs for part in one.parts if part.name == "coverage")
    assert (coverage.numerator, coverage.denominator) == (3, 6)


def test_without_rows_it_says_so_and_nothing_is_relied_on():
    of = compliance(
        ComplianceInputs(
            report_type=COMPLIANCE, cadence="monthly", window=MARCH, settings=ReportSettings(), as_of=None,
            is_complete=True, counted_until=MARCH.end, books=(),
        ),
        stamp=STAMP,
    )  # fmt: skip
    assert "nothing to check" in of.summary.sentences[0]
    assert of.confidence.score == 0
    assert metric(of, "quality_checks_passed").value is Absence.NO_DATA
    VALIDATOR.validate(json.loads(render_json(of)))


def test_what_was_deleted_and_what_should_have_been():
    deletions = [
        Deletions("dagster/runs", False, 5, 7, date(2026, 3, 30), "runs 90 days", 1),
        Deletions("health_metrics/daily", True, 31, 7, date(2026, 3, 30), "figures 365 days", 0),
    ]
    late = [PastItsTime("health_metrics/hourly", 2, date(2026, 2, 1))]
    told = report(retention=Retention(is_enabled=True, deletions=deletions, past_their_time=late))
    rows = table(told, "deletions").rows
    assert rows[0] == ("dagster/runs", "90 days", 5, 7, "2026-03-30")
    assert rows[1][3] is Absence.SUPPRESSED  # seven rows about people
    page = render_html(told)
    assert "partitions of health_metrics/hourly (2, from 2026-02-01)" in page
    assert "1 deletions were begun and not finished" in page
    assert "2 partitions are past their time and still there." in told.summary.sentences
    VALIDATOR.validate(json.loads(render_json(told)))
    assert "Retention is off: nothing is deleted because of its age." in render_html(report())
