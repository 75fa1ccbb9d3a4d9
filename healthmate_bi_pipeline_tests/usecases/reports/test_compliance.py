"""The report on compliance, from files to verdicts: Kahn's categories, conservation, suppression, audit, overdue."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence
from healthmate_bi_pipeline.reporting.compliance.checks import Verdict, conservation, quality_checks
from healthmate_bi_pipeline.reporting.json import content_sha256
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.recipes import RECIPE_BY_TYPE
from healthmate_bi_pipeline.usecases.reports.scope import Subject
from healthmate_bi_pipeline.usecases.staleness import stale_partitions
from healthmate_bi_pipeline.warehouse import runs
from healthmate_bi_pipeline_tests.reporting.samples import STAMP
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, query, refresh
from healthmate_bi_pipeline_tests.usecases.reports.test_operational import samples

RECIPE = RECIPE_BY_TYPE["compliance"]
MARCH = Window.of_days(date(2026, 3, 1), date(2026, 3, 31))
LATER = datetime(2026, 4, 20, 12)
FAMILY = ("staged", "raw", "state", "system_performance")


def request(**more: object) -> dict[str, object]:
    return {
        "service": "api", "environment": "production", "instance_id": "api-1", "route": "GET /a", "status_code": 200,
        "duration_ms": 12.5, "occurred_at": "2026-03-10T12:00:00Z", "request_id": None, **more,
    }  # fmt: skip


BAD = [
    *(request(status_code="OK") for _ in range(3)),  # conformance
    *(request(service=None) for _ in range(2)),  # completeness
    *(request(duration_ms=-1) for _ in range(5)),  # plausibility
]


def gathered(pipeline: Pipeline, window: Window = MARCH, *, period: Period | None = Period.MONTHLY):
    inputs = RECIPE.gather(pipeline, Subject(RECIPE.report_type, period, window))
    assert inputs is not None
    return inputs


def metric(report, name):
    return next(one for one in report.metrics if one.figure == name)


def by_name(inputs):
    return {(one.dataset, one.name): one for one in quality_checks(inputs.books, settings=inputs.settings)}


def test_rows_are_judged_by_category_and_every_one_is_accounted_for(settings: Settings) -> None:
    good = [request() for _ in range(390)]
    again = [request(request_id="7"), request(request_id="7")]
    rows = csv_text([*good, *again, *BAD, request(occurred_at="soon")])
    drop_file(settings, "api_requests/a.csv", rows + "a,line,with,too,many,fields,for,any,header,at,all\n")
    with opened(settings, now=LATER) as pipeline:
        refresh(pipeline, groups=FAMILY)
        inputs = gathered(pipeline)
    checks = by_name(inputs)
    values = {
        name: (check.category.value, check.violations, check.of, check.verdict)
        for (_, name), check in checks.items()
    }
    assert values == {
        "values have the agreed form": ("conformance", 3, 402, Verdict.PASSED),
        "values that a row needs are there": ("completeness", 2, 402, Verdict.PASSED),
        "values can be true": ("plausibility", 5, 402, Verdict.FAILED),  # more than one of a hundred
        "lines can be read as rows": ("conformance", 1, 404, Verdict.PASSED),
        "rows have a day": ("completeness", 1, 403, Verdict.PASSED),
    }
    identities = conservation(inputs.books, settings=inputs.settings)
    assert [(one.total, one.unaccounted, one.verdict) for one in identities] == [
        (404, 0, Verdict.PASSED), (403, 0, Verdict.PASSED), (402, 0, Verdict.PASSED),
    ]  # fmt: skip
    report = RECIPE.build(inputs, STAMP)
    assert metric(report, "quality_checks_passed").value == pytest.approx(4 / 5)
    assert metric(report, "quarantine_share").value == pytest.approx(10 / 402)
    assert metric(report, "rejected_lines").value == pytest.approx(1 / 404)
    assert [(one.rule, one.subject) for one in report.insights] == [("rows_set_aside", "Api requests")]
    (told,) = report.insights
    assert told.estimate == pytest.approx(5 / 402)
    assert {part.name for one in report.confidence.inputs for part in one.parts} >= {"coverage", "validity"}


def test_books_that_do_not_add_up_fail(settings: Settings) -> None:
    drop_file(settings, "api_requests/a.csv", csv_text([request() for _ in range(20)]))
    with opened(settings, now=LATER) as pipeline:
        refresh(pipeline, groups=FAMILY)
        with pipeline.warehouse.transaction() as connection:
            connection.execute(
                text(
                    "UPDATE bi_partitions SET counts = counts || '{\"kept\": 17}' WHERE asset = 'raw/api_requests' AND partition = '2026-03-10'"
                )
            )
        report = RECIPE.build(gathered(pipeline), STAMP)
    assert metric(report, "rows_unaccounted").value == 3
    (told,) = report.insights
    assert told.rule == "rows_lost"
    assert "not every row is accounted for" in report.summary.sentences[0]


def test_days_that_were_not_checked_yet_have_no_verdict(settings: Settings) -> None:
    drop_file(settings, "api_requests/a.csv", csv_text([request() for _ in range(20)]))
    with opened(settings, now=LATER) as pipeline:
        refresh(pipeline, groups=("staged",))
        inputs = gathered(pipeline)
        report = RECIPE.build(inputs, STAMP)
    checks = by_name(inputs)
    assert checks["api_requests", "values can be true"].verdict is Verdict.ERROR
    assert checks["api_requests", "lines can be read as rows"].verdict is Verdict.PASSED
    overdue = {one.asset: (one.missing, one.stale) for one in inputs.overdue}
    assert overdue["raw/api_requests"][0][0] <= date(2026, 3, 10)
    assert {one.rule for one in report.insights} == {"overdue"}


def test_a_file_that_comes_later_makes_days_overdue_until_they_are_made(settings: Settings) -> None:
    drop_file(settings, "host_samples/a.csv", samples("2026-03-01", days=31))
    with opened(settings, now=LATER) as pipeline:
        refresh(pipeline, groups=FAMILY)
        assert list(gathered(pipeline).overdue) == []
        due = gathered(pipeline).partitions_due
        assert due >= 31 * 5
        drop_file(settings, "host_samples/b.csv", samples("2026-03-10T00:10:00", days=1))
        refresh(pipeline, groups=("staged",))
        late = gathered(pipeline)
        overdue = {one.asset: one.stale for one in late.overdue}
        assert date(2026, 3, 10) in overdue["raw/host_samples"]
        told = metric(RECIPE.build(late, STAMP), "partitions_overdue").value
        assert told == sum(len(one.stale) for one in late.overdue) > 0
        refresh(pipeline, groups=FAMILY)
        assert list(gathered(pipeline).overdue) == []


def test_small_counts_about_people_are_withheld_and_judged_by_the_most_that_they_can_be(
    settings: Settings,
) -> None:
    def reading(user: int, value: float) -> dict[str, object]:
        return {
            "user_id": user, "metric": "heart_rate", "value": value, "unit": "bpm",
            "recorded_at": f"2026-03-10T10:{user % 60:02}:00Z", "source": "watch",
        }  # fmt: skip

    rows = [reading(user, 60) for user in range(1, 1501)] + [reading(user, 900) for user in range(2001, 2005)]
    drop_file(settings, "health_readings/a.csv", csv_text(rows))
    with opened(settings, now=LATER) as pipeline:
        refresh(pipeline, groups=("staged", "raw"))
        inputs = gathered(pipeline)
        report = RECIPE.build(inputs, STAMP)
    check = by_name(inputs)["health_readings", "values can be true"]
    assert check.violations is Absence.SUPPRESSED  # four
    assert check.of == 1505
    assert check.verdict is Verdict.PASSED  # at most 10 of 1505
    exact = inputs.settings.model_copy(update={"round_people_to": 1})
    strict = {one.name: one for one in quality_checks(inputs.books, settings=exact)}
    assert strict["values can be true"].verdict is Verdict.NOT_APPLICABLE
    table = next(
        block
        for section in report.sections
        for block in section.blocks
        if getattr(block, "table_id", "") == "checks"
    )
    assert not any(4 in row for row in table.rows)


def test_what_reports_withheld_is_counted_and_actions_are_those_of_the_period(settings: Settings) -> None:
    rows = [
        {"user_id": user, "metric": "heart_rate", "value": 60 + user, "unit": "bpm", "recorded_at": "2026-03-10T10:00:00Z", "source": "watch"}
        for user in range(1, 8)
    ]  # fmt: skip
    drop_file(settings, "health_readings/a.csv", csv_text(rows))
    with opened(settings, now=LATER) as pipeline:
        refresh(pipeline, groups=("staged", "raw", "state", "health_metrics"))
        refresh(pipeline, names=("reports/health_summary_monthly", "reports/health_summary_daily"))
        with pipeline.warehouse.transaction() as connection:
            for outcome, at in (("done", 3), ("denied", 4), ("denied", 35)):
                runs.record_action(
                    connection, actor="somebody", action="sql", object="warehouse", window=None, rows=1, outcome=outcome,
                    detail=None, now=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=at),
                )  # fmt: skip
        inputs = gathered(pipeline)
        report = RECIPE.build(inputs, STAMP)
        stored = query(pipeline, "SELECT metrics FROM bi_reports WHERE report_type = 'health_summary'")
    withheld = sum(_suppressed(metrics) for metrics in stored["metrics"])
    assert withheld > 0
    assert metric(report, "figures_withheld").value == withheld
    assert metric(report, "reports_written").value == len(stored) > 0
    assert [(one.action, one.outcome, one.entries) for one in inputs.actions] == [
        ("sql", "denied", 1), ("sql", "done", 1),
    ]  # fmt: skip
    assert metric(report, "actions_refused").value == 1
    assert metric(report, "audited_actions").value == 2
    assert "action_refused" in {one.rule for one in report.insights}


def _suppressed(value: object) -> int:
    """How often a status says so, in whatever depth: counted here by a walk over the values."""
    if isinstance(value, dict):
        own = value.get("status") == "suppressed"
        return own + sum(_suppressed(one) for one in value.values())
    return sum(_suppressed(one) for one in value) if isinstance(value, list) else 0


def test_its_own_making_does_not_make_it_stale_but_another_report_does(settings: Settings) -> None:
    drop_file(settings, "host_samples/a.csv", samples("2026-02-20", days=40))
    asset = ASSET_BY_NAME["reports/compliance_monthly"]
    with opened(settings, now=LATER) as pipeline:
        refresh(pipeline, groups=FAMILY)
        assert refresh(pipeline, names=(asset.name,))[asset.name].rows == {date(2026, 3, 1): 1}
        first = content_sha256(RECIPE.build(gathered(pipeline), STAMP))
        assert stale_partitions(pipeline, asset) == []
    with opened(settings, now=LATER + timedelta(days=2)) as pipeline:
        refresh(pipeline, groups=FAMILY)
        assert stale_partitions(pipeline, asset) == []
        assert content_sha256(RECIPE.build(gathered(pipeline), STAMP)) == first
        refresh(pipeline, names=("reports/system_performance_monthly",))
        assert stale_partitions(pipeline, asset) == [date(2026, 3, 1)]
        assert refresh(pipeline, names=(asset.name,)).keys() == {asset.name}
        assert stale_partitions(pipeline, asset) == []
        assert metric(RECIPE.build(gathered(pipeline), STAMP), "reports_written").value == 1
