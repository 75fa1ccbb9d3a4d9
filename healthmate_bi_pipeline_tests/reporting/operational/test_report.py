import json
from datetime import date, datetime, timedelta

import pytest
from jsonschema import Draft202012Validator

from healthmate_bi_pipeline.catalog.reports import OPERATIONAL
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence, DataTable, TimelineChart, TrendChart
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline.reporting.inputs import DatasetQuality
from healthmate_bi_pipeline.reporting.json import SCHEMA_PATH, render_json
from healthmate_bi_pipeline.reporting.operational.inputs import (
    AssetPartitions,
    DatasetState,
    DiskUse,
    FailedRun,
    GroupRuns,
    OperationalInputs,
)
from healthmate_bi_pipeline.reporting.operational.report import operational
from healthmate_bi_pipeline.settings import ReportSettings
from healthmate_bi_pipeline_tests.reporting.samples import STAMP

VALIDATOR = Draft202012Validator(json.loads(SCHEMA_PATH.read_text(encoding="utf-8")))
WEEK = Period.WEEKLY.window(datetime(2026, 3, 9))
CHART = Window(WEEK.end - timedelta(days=28), WEEK.end)
REQUESTS, READINGS = "api_requests", "health_readings"


def state(dataset=REQUESTS, **changes):
    values = {
        "dataset": dataset, "is_about_people": dataset == READINGS, "newest": WEEK.end - timedelta(hours=1),
        "last_day": WEEK.last_day, "rows": 700, "days": 7, "days_expected": 7, "judged_days": 7, "whole_days": 7,
        "judged_rows": 700, "late_rows": 0, "lines": 702, "bytes": 12_000_000,
    }  # fmt: skip
    return DatasetState(**(values | changes))


def volumes(value=100, **others):
    named = {date.fromisoformat(day.replace("_", "-")[1:]): count for day, count in others.items()}
    return {day: named.get(day, value + day.day * 7 % 11) for day in CHART.each_day()}


def report(**changes):
    values = {
        "report_type": OPERATIONAL, "cadence": "weekly", "window": WEEK, "settings": ReportSettings(),
        "as_of": WEEK.end - timedelta(hours=1), "is_complete": True,
        "quality": [DatasetQuality(REQUESTS, 700, 699, 0, 0, 1, {"missing:service": 1}, files=7, rejected_lines=2)],
        "reference": WEEK.end, "began": datetime(2026, 1, 1), "runs_until": WEEK.end, "datasets": [state()],
        "partitions": [AssetPartitions("raw/api_requests", 7, ()), AssetPartitions("state/performance_days", 7, ())],
        "runs": [GroupRuns("raw", 20, 20, 0, 0, 700, 1.5, 7.5, 9.5)],
        "volumes": {REQUESTS: volumes()}, "trend_window": CHART,
        "disks": [DiskUse("api-1 (production)", 40.0, 41.0)],
    }  # fmt: skip
    return operational(OperationalInputs(**(values | changes)), stamp=STAMP)


def blocks(of, kind):
    parts = [part for section in of.sections for part in (section, *section.subsections)]
    return [block for part in parts for block in part.blocks if isinstance(block, kind)]


def table(of, table_id):
    return next(block for block in blocks(of, DataTable) if block.table_id == table_id)


def metric(of, name):
    return next(one for one in of.metrics if one.figure == name)


def test_a_good_week_says_that_there_is_nothing_to_do():
    of = report()
    VALIDATOR.validate(json.loads(render_json(of)))
    assert "Freshness" in render_html(of)
    assert of.insights == ()
    assert "there is nothing to do" in of.summary.sentences[1]
    assert metric(of, "rejected_lines").value == pytest.approx(2 / 702)
    assert all(one.people is None for one in of.metrics)
    assert of.confidence.score > 0.99


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"partitions": [AssetPartitions("raw/api_requests", 7, (date(2026, 3, 10),))]}, "overdue"),
        ({"datasets": [state(newest=WEEK.end - timedelta(hours=60))]}, "late_data"),
        ({"volumes": {REQUESTS: volumes(_2026_03_12=0)}}, "missing_partitions"),
        ({"datasets": [state(late_rows=70, whole_days=3)]}, "late_data"),
        ({"runs": [GroupRuns("raw", 20, 18, 2, 0, 700, 1.5, 3.0, 4.0)]}, "runs_failed"),
        ({"quality": [DatasetQuality(REQUESTS, 700, 600, 0, 0, 100, {"missing:service": 100})]}, "rows_set_aside"),
        ({"disks": [DiskUse("api-1 (production)", 80.0, 97.0)]}, "disk_low"),
    ],
    ids=["partition", "stopped", "day", "late", "run", "quarantine", "disk"],
)  # fmt: skip
def test_what_went_wrong_is_told_once_with_what_to_do(changes, rule):
    of = report(**changes)
    assert [one.rule for one in of.insights] == [rule]
    assert [one.insight_ids for one in of.recommendations] == [(of.insights[0].insight_id,)]
    VALIDATOR.validate(json.loads(render_json(of)))


def test_a_dataset_that_comes_now_and_then_is_not_missed():
    rare = {date(2026, 2, 20): 30, date(2026, 3, 10): 20}
    of = report(volumes={REQUESTS: rare}, datasets=[state(newest=datetime(2026, 3, 10, 9), days=1)])
    assert of.insights == ()
    assert metric(of, "fresh_datasets").value == 0  # the figure still says so


def test_volumes_have_the_limits_of_their_control_chart():
    chart = blocks(report(volumes={REQUESTS: volumes(_2026_03_11=150)}), TrendChart)[0]
    (line,) = chart.series
    assert len(line.points) == 28
    assert line.limits is not None
    assert line.limits.lower < line.limits.centre < line.limits.upper < 150
    assert datetime(2026, 3, 11) in {line.points[at].period_start for at in line.signals}
    assert chart.highlight == WEEK


def test_counts_about_people_are_withheld_and_never_in_a_sum():
    few = volumes(_2026_03_12=4)
    of = report(
        datasets=[state(), state(READINGS, rows=4, judged_rows=4, late_rows=3, lines=4)],
        volumes={REQUESTS: volumes(), READINGS: few},
        quality=[DatasetQuality(READINGS, 4, 1, 0, 0, 3, {"missing:value": 3}, files=1)],
    )
    assert metric(of, "rows_staged").value == 700
    row = next(row for row in table(of, "freshness").rows if row[0] == "Health readings")
    assert (row[3], row[6], row[7]) == (Absence.SUPPRESSED,) * 3
    written = render_json(of)
    chart = next(one for one in blocks(of, TrendChart) if "readings" in one.chart_id)
    assert chart.series[0].points[-4].value is Absence.SUPPRESSED
    assert '"value": 4.0' not in written
    assert '"value": 3.0' not in written


def test_runs_that_failed_stand_on_a_line_of_time():
    failed = FailedRun(datetime(2026, 3, 10, 3), None, "abandoned", "raw/api_requests", "2026-03-09")
    of = report(
        runs=[GroupRuns("raw", 3, 2, 1, 0, 9, 1.0, 2.0, 3.0)],
        failed=[failed],
        makers=[GroupRuns("raw", 3, 2, 1, 0, 9, 1.0, 2.0, 3.0)],
    )
    (span,) = blocks(of, TimelineChart)[0].spans
    assert (span.label, span.start, span.end) == ("raw/api_requests", failed.started_at, failed.started_at)
    assert table(of, "failed-runs-table").rows[0][2] == "never"
    assert metric(of, "run_success_rate").basis == "2 of 3 runs"


def test_without_rows_it_says_so_and_nothing_is_relied_on():
    empty = state(newest=None, last_day=date(2026, 3, 1), rows=0, days=0, judged_days=0, whole_days=0, judged_rows=0, lines=0)  # fmt: skip
    of = report(datasets=[empty], volumes={}, quality=[], partitions=[], runs=[], disks=[], as_of=None)
    assert of.summary.sentences[0] == "No rows came for week 11 of 2026."
    assert of.confidence.score == 0
    assert metric(of, "quarantine_share").value is Absence.NO_DATA
    VALIDATOR.validate(json.loads(render_json(of)))
