import base64
import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from justhtml import JustHTML

from healthmate_bi_pipeline.catalog.health_groups import HEADLINE_FIGURES
from healthmate_bi_pipeline.catalog.reports import HEALTH_SUMMARY
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.blocks import DataTable, TableColumn
from healthmate_bi_pipeline.reporting.csv import csv_files
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline_tests.reporting.rich_sample import INSIGHTS, rich_report
from healthmate_bi_pipeline_tests.reporting.samples import (
    A_RECOMMENDATION,
    AN_INSIGHT,
    GROUPS,
    PERSONAL,
    STAMP,
    inputs,
    quality,
)

VOID = {"meta", "link", "input", "br"}
HOSTILE = "<script>alert(1)</script>\"'&{{ 7*7 }}</style></svg>"


class Page(HTMLParser):
    """What a browser would see: open and closed elements, ids, and everything that refers to something."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.ids, self.references, self.labels = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in {"src", "href", "xlink:href", "action", "data", "poster", "srcset"}:
                self.references.append(value)
            if name == "aria-labelledby":
                self.labels.extend(value.split())
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes nothing"


CASES = {
    "groups": inputs(),
    "small": inputs(32),
    "tiny": inputs(6),
    "empty": inputs(0, as_of=None),
    "personal": inputs(1, settings=PERSONAL),
    "family": inputs(3, settings=PERSONAL),
}


@lru_cache(maxsize=10)
def html_of(case):
    return render_html(rich_report() if case == "rich" else health_summary(CASES[case], stamp=STAMP))


@pytest.fixture(params=[*CASES, "rich"], name="html")
def html_of_case(request):
    return html_of(request.param)


def test_every_page_is_html_without_a_single_error(html):
    JustHTML(html, strict=True)


def test_every_page_is_well_formed_and_its_references_lead_somewhere(html):
    page = Page(html)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.labels) <= set(page.ids)
    inner = {reference.removeprefix("#") for reference in page.references if reference.startswith("#")}
    assert inner <= set(page.ids)


def test_nothing_is_loaded_from_anywhere(html):
    page = Page(html)
    assert all(reference.startswith(("#", "./v1.", "data:,")) for reference in page.references)
    assert not {"iframe", "object", "img", "image", "use", "form"} & set(page.elements)
    assert not re.search(r"url\(|@import|@font-face|https?:|fetch\(|XMLHttp", html)
    assert "default-src 'none'" in unescape(html)


def test_the_page_runs_its_own_script_and_no_other(html):
    (script,) = re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    assert unescape(policy).split("; ")[-1] == f"script-src 'sha256-{digest}'"
    assert not re.search(r"\son[a-z]+=", html)


def test_files_beside_the_page_are_those_that_are_written():
    report = rich_report()
    linked = {
        one.removeprefix("./v1.").removesuffix(".csv")
        for one in Page(html_of("rich")).references
        if one.startswith("./")
    }
    assert linked == {file.name for file in csv_files(report)}


def test_every_chart_can_be_read_without_seeing_it(html):
    page = Page(html)
    figures = html.count("<figure ")
    assert page.elements.count("svg") == figures + 1  # the gauge stands in words beside itself
    assert len(re.findall(r"<desc id=", html)) == figures + 1
    assert len(re.findall(r"Figures as a table<span", html)) == figures


def test_the_first_screen_says_what_happened_how_sure_and_what_to_do():
    html = html_of("rich")
    order = [
        ">What happened<",
        INSIGHTS[0].text,
        ">How sure<",
        "Limited by",
        ">What to do<",
        "Find out what changed",
        ">Figures<",
    ]
    at = [html.index(text) for text in order]
    assert at == sorted(at)
    for tone in ("worse", "better", "changed"):
        assert re.search(
            rf'class="tone [^>]*><span class="sign" aria-hidden="true">[!✓i]</span>{tone}</span>', html
        )


def test_an_insight_leads_to_its_chart_and_to_what_follows_from_it():
    html = html_of("rich")
    first = html[html.index('id="insight-1"') : html.index('id="insight-2"')]
    assert 'href="#activity-over-time"' in first
    assert 'href="#recommendation-1"' in first
    todo = html[html.index('id="recommendation-2"') :]
    assert 'href="#insight-2"' in todo[:900]
    assert 'href="#insight-3"' in todo[:900]
    assert re.search(r'id="activity-over-time".*?Stood out:.*?href="#insight-1"', html, re.DOTALL)


def test_an_insight_says_how_it_was_found():
    html = html_of("rich").replace("\u202f", " ").replace("\u00a0", " ")
    first = html[html.index('id="insight-1"') : html.index('id="insight-2"')]
    for told in (
        "shift: XmR chart", "points on one side 9", "−1 240 steps", "−1 610 steps to −870 steps",
        "&lt;0.001; 0.003 after Benjamini-Hochberg", "240 people", "<dd>28</dd>", "4 April 2026, 05:12 UTC",
    ):  # fmt: skip
        assert told in first, told


def test_a_withheld_size_is_nowhere_in_its_insight():
    html = html_of("rich")
    last = html[html.index('id="insight-5"') :]
    last = last[: last.index("</li>")]
    assert "not shown" in last
    assert "Size" not in last


def test_a_period_that_is_not_over_says_that_changes_are_not_judged():
    running = replace(rich_report(), insights=(), recommendations=(), sections=(), is_complete=False)
    assert "The month is not over: what changed is not judged yet." in render_html(running)


def test_a_head_says_the_unit_of_its_numbers_once():
    columns = (
        TableColumn("Good", is_numeric=True, figure="data_accuracy"),
        TableColumn("Bad, %", is_numeric=True, figure="data_accuracy"),
    )
    table = DataTable("units", "Units", columns, ((0.5, 0.5),))
    report = replace(
        rich_report(), sections=(Section("units", "Units", blocks=(table,)),), insights=(), recommendations=()
    )
    heads = re.findall(r'<th scope="col" class="number">([^<]*)</th>', render_html(report))
    assert heads[:2] == ["Good, %", "Bad, %"]


def test_all_parts_of_confidence_are_on_the_page():
    html = html_of("rich").replace("\u202f", " ")
    table = html[html.index("How far each input can be relied on") :]
    for told in (
        "Health readings",
        "coverage",
        "71 %",
        "83 907",
        "84 213",
        "timeliness",
        "not shown",
        "no data",
    ):
        assert told in table, told


def test_every_kind_of_block_has_its_figures_on_the_page():
    html = render_html(rich_report())
    page = Page(html)
    assert page.open == []
    for told in (
        "9\u202f400", "centre of 7\u202f380", "Plan: family", "three price changes", "December 2025",
        "01 Jan 2026", "notification-dispatcher", "of 1 240 322 requests", "still open", "=cmd|",
    ):  # fmt: skip
        assert told in html, told


def test_hostile_text_stays_text():
    report = health_summary(
        inputs(
            report_type=replace(HEALTH_SUMMARY, title=HOSTILE, description=HOSTILE, not_measured=(HOSTILE,)),
            quality=[quality(dataset=HOSTILE, quarantined_by_rule={HOSTILE: 123})],
            input_versions={HOSTILE: 1},
        ),
        stamp=replace(STAMP, report_id=HOSTILE, generated_by=HOSTILE),
    )
    report = replace(
        report,
        insights=(replace(AN_INSIGHT, text=HOSTILE, rule=HOSTILE, standard=HOSTILE, subject=HOSTILE),),
        recommendations=(replace(A_RECOMMENDATION, text=HOSTILE, owner=HOSTILE, guideline=HOSTILE),),
    )
    html = render_html(report)
    page = Page(html)
    assert page.open == []
    assert page.elements.count("script") == 1
    assert "{{ 7*7 }}" in html
    assert not re.search(r"\b49<", html)


def test_hostile_text_in_a_chart_stays_text():
    report = health_summary(inputs(), stamp=STAMP)
    panel = report.sections[0].subsections[0]
    blocks = tuple(
        replace(block, title=HOSTILE, description=HOSTILE, unit=HOSTILE)
        if hasattr(block, "chart_id")
        else block
        for block in panel.blocks
    )
    hostile = replace(report.sections[0], subsections=(replace(panel, blocks=blocks),))
    page = Page(render_html(replace(report, sections=(hostile,))))
    assert page.open == []
    assert page.elements.count("script") == 1


def test_a_change_says_against_what():
    html = render_html(health_summary(inputs(), stamp=STAMP))
    deltas = re.findall(r'<p class="delta">.*?</p>', html, re.DOTALL)
    assert (
        len(deltas) == len(HEADLINE_FIGURES) - 2
    )  # of two shares of people rounding alone may make the change
    assert all("against February 2026" in delta for delta in deltas)


def test_what_is_not_shown_says_why():
    current = {name: one for name, one in inputs().current.items() if name != "avg_blood_sugar"}
    current["avg_temperature"] = inputs(8).current["avg_temperature"]
    html = render_html(health_summary(inputs(current=current), stamp=STAMP))
    assert "Not shown, about too few people: Body temperature." in html
    assert "No data in this period: Blood glucose." in html


def test_the_first_screen_of_a_personal_report_says_that_it_is_one():
    html = render_html(health_summary(CASES["personal"], stamp=STAMP))
    assert html.index("Personal report") < html.index("What happened")
    assert 'content="identified"' in html
    assert "Personal report" not in render_html(health_summary(inputs(settings=GROUPS), stamp=STAMP))


MAKE = """
import sys
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline.reporting.json import render_json
from healthmate_bi_pipeline_tests.reporting.samples import STAMP, inputs
report = health_summary(inputs(), stamp=STAMP)
sys.stdout.buffer.write((render_html(report) + render_json(report)).encode())
"""


def test_the_bytes_do_not_depend_on_process_clock_or_language():
    made = [
        subprocess.run(
            [sys.executable, "-c", MAKE],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone, language in (
            ("1", "Pacific/Auckland", "C"),
            ("2", "America/Los_Angeles", "de_DE.UTF-8"),
        )
    ]
    assert len(made[0]) > 100_000
    assert made[0] == made[1]


def test_every_cadence_has_its_name_on_the_page():
    html = render_html(health_summary(inputs(cadence=Period.WEEKLY), stamp=STAMP))
    assert "Weekly report" in html
    assert "Week 10 of 2026" in html
    assert "2–8 March 2026" in html
