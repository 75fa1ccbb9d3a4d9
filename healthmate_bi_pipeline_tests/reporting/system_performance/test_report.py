import json
from datetime import datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from healthmate_bi_pipeline.reporting.blocks import Absence, BarChart, DataTable, TimelineChart, TrendChart
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline.reporting.json import SCHEMA_PATH, render_json
from healthmate_bi_pipeline.reporting.system_performance.report import METRICS, system_performance
from healthmate_bi_pipeline_tests.reporting.performance_samples import (
    API,
    DAY,
    STAGING,
    Place,
    figures,
    inputs,
    memory_days,
    outage,
    places,
)
from healthmate_bi_pipeline_tests.reporting.samples import STAMP

VALIDATOR = Draft202012Validator(json.loads(Path(SCHEMA_PATH).read_text(encoding="utf-8")))
DOWN = {
    "current": places(api=figures(errors=120)),
    "incidents": [
        outage(),
        outage(threshold="burn_6h", worst_value=82.7, limit_value=6.0, ended_at=datetime(2026, 3, 10, 10, 40)),
        outage(threshold="burn_3d", worst_value=8.9, limit_value=1.0, started_at=datetime(2026, 3, 10, 23), ended_at=datetime(2026, 3, 11)),
        outage(place=STAGING, errors=7),
    ],
    "incident_counts": {(API, "error_rate"): (1, 30), (API, "burn_6h"): (1, 40), (API, "burn_3d"): (1, 60), (STAGING, "error_rate"): (1, 5)},
}  # fmt: skip


def report(**changes):
    return system_performance(inputs(**changes), stamp=STAMP)


def blocks(of, kind):
    parts = [part for section in of.sections for part in (section, *section.subsections)]
    return [block for part in parts for block in part.blocks if isinstance(block, kind)]


def table(of, table_id):
    return next(block for block in blocks(of, DataTable) if block.table_id == table_id)


def metric(of, name):
    return next(one for one in of.metrics if one.figure == name)


@pytest.mark.parametrize(
    "changes",
    [{}, DOWN, {"current": {}, "trend": [], "previous_window": None, "previous": {}, "slow_routes": []}],
    ids=["quiet", "outage", "nothing"],
)
def test_it_follows_the_schema_and_can_be_read(changes):
    of = report(**changes)
    VALIDATOR.validate(json.loads(render_json(of)))
    assert of.title in render_html(of)


def test_the_figures_are_of_the_environment_with_the_most_requests_and_about_nobody():
    of = report()
    assert [one.figure for one in of.metrics] == list(METRICS)
    assert metric(of, "requests").value == 12_000  # production: without the 60 of staging
    assert all(one.people is None for one in of.metrics)
    assert metric(of, "availability").basis.replace("\u202f", " ") == "from 12 000 requests"
    assert metric(of, "requests").comparison.change == 0
    assert metric(of, "failed_response_time_p95").value is Absence.NO_DATA
    assert "staging is in the tables only" in of.summary.reading[0]
    assert [row[0] for row in table(of, "signals").rows] == ["api", "web", "api (staging)"]


def test_a_quiet_day_has_no_insight_and_says_so():
    of = report()
    assert of.insights == ()
    assert of.recommendations == ()
    assert "nobody had to be woken" in of.summary.sentences[1]


def test_an_outage_is_one_episode_with_its_objective_and_what_to_do():
    of = report(**DOWN)
    rules = [(one.rule, one.subject) for one in of.insights]
    # Three thresholds, one outage; the budget that burns slowly afterwards is not a second one.
    assert sorted(rules) == [("slo_broken", "api"), ("threshold_broken", "api")]
    told = next(one for one in of.insights if one.rule == "threshold_broken")
    assert "10 Mar 10:00 to 10:40 UTC (40 min)" in told.text.replace("\u00a0", " ")
    assert told.estimate == 1.0
    broken = next(one for one in of.insights if one.rule == "slo_broken")
    assert broken.effect == pytest.approx(12)  # 120 failures where 10 were allowed
    assert "Incident: api" in " ".join(of.summary.sentences)
    assert "Missed their objective: api." in of.summary.sentences[1]
    assert any("api" in one.text for one in of.recommendations)
    spans = blocks(of, TimelineChart)[0].spans
    assert {span.label for span in spans} == {
        "api: failing requests", "api: budget burning over 6h", "api: budget burning over 3d",
    }  # fmt: skip
    assert all(DAY.start <= span.start <= span.end <= DAY.end for span in spans)
    listed = table(of, "incidents-table").rows
    assert (len(listed), listed[-1][1]) == (4, "budget burning over 3d")


def test_staging_is_in_the_tables_and_wakes_nobody():
    of = report(
        current=places(),
        incidents=[outage(place=STAGING)],
        incident_counts={(STAGING, "error_rate"): (1, 30)},
    )
    assert of.insights == ()
    assert table(of, "incidents-table").rows[0][0] == "api (staging)"


@pytest.mark.parametrize(
    ("requests", "errors", "is_told"), [(10_000, 120, True), (900, 2, False), (90, 20, False)]
)
def test_a_missed_objective_is_told_where_it_is_more_than_a_few_of_few(requests, errors, is_told):
    of = report(current=places(web=figures(requests=requests, errors=errors)))
    told = {one.subject for one in of.insights if one.rule == "slo_broken"}
    assert ("web" in told) == is_told
    row = next(row for row in table(of, "objectives").rows if row[0] == "web")
    assert row[4] == 1 - errors / requests  # the table has it in any case


def test_a_service_above_its_threshold_is_told():
    of = report(current=places(web=figures(requests=2_000, p95=412.0)))
    (told,) = of.insights
    assert (told.rule, told.subject, told.estimate) == ("threshold_broken", "web", 412.0)
    assert told.effect == pytest.approx(2.06)
    assert "Slower than promised: web." in of.summary.sentences[1]


def test_an_apdex_of_few_samples_is_in_brackets():
    rows = {row[0]: row for row in table(report(), "signals").rows}
    place = [column.label for column in table(report(), "signals").columns].index("Apdex")
    assert rows["api"][place] == 0.97
    assert rows["api (staging)"][place] == "(0.97)"


def test_memory_on_its_way_to_the_limit_is_told_with_its_interval():
    ramp = [50.0] * 14 + [50 + 2.2 * day + (0.3 if day % 2 else -0.3) for day in range(1, 15)]
    of = report(resources=memory_days(ramp))
    (told,) = of.insights
    assert (told.rule, told.subject, told.figures) == ("limit_ahead", "api-1", ("memory_percent_mean",))
    assert told.estimate == pytest.approx(2.2, abs=0.1)
    row = table(of, "limits").rows[0]
    assert row[:2] == ("api-1", "memory")
    assert row[5].replace("\u00a0", " ") == "9 days"  # (100 - 80.8) / 2.2
    assert any("The memory of api-1 is full in about" in sentence for sentence in of.summary.sentences)


def test_flat_memory_and_one_that_was_freed_are_not_told():
    for values in ([50.0, 51.0] * 14, [50 + 2.0 * day for day in range(20)] + [50.0] * 8):
        assert report(resources=memory_days(values)).insights == ()


def test_charts_have_a_line_per_service_of_the_environment():
    of = report()
    charts = {chart.chart_id: chart for chart in blocks(of, TrendChart)}
    assert [line.label for line in charts["trend-requests"].series] == ["api", "web"]
    assert charts["trend-requests"].highlight == DAY
    assert all(point.people is None for line in charts["trend-requests"].series for point in line.points)
    assert [bar.label for bar in blocks(of, BarChart)[0].bars] == ["api", "web"]


def test_confidence_counts_what_was_seen():
    of = report(hours={"production": {("*", "*"): 6}})
    by_name = {one.name: one for one in of.confidence.inputs}
    parts = {part.name: (part.numerator, part.denominator) for part in by_name["api_requests"].parts}
    assert parts == {"coverage": (6, 24), "validity": (897, 900), "sufficiency": (2, 2), "timeliness": (0, 0)}
    assert of.confidence.inputs[0].name == "api_requests"
    assert "coverage" in of.confidence.limiting


def test_without_requests_it_says_so_and_nothing_is_relied_on():
    of = report(current={}, trend=[], previous={}, previous_window=None, quality=[], slow_routes=[])
    assert of.summary.sentences == ("No requests were logged in Tuesday 10 March 2026.",)
    assert of.confidence.score == 0
    assert of.insights == ()
    assert all(one.value is Absence.NO_DATA for one in of.metrics)


def test_hosts_alone_make_a_report_too():
    of = report(current={Place("api", "production", "api-1"): places()[Place("api", "production", "api-1")]})
    assert "host samples only" in of.summary.sentences[0]
    assert table(of, "resources-table").rows[0][0] == "api-1"


def test_the_same_inputs_give_the_same_bytes_in_any_order():
    shuffled = dict(reversed(places(api=figures(errors=120)).items()))
    same = {**DOWN, "current": shuffled, "incidents": list(DOWN["incidents"])}
    assert render_json(report(**same)) == render_json(report(**DOWN))
