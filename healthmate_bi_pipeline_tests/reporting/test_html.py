import os
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from healthmate_bi_pipeline.catalog.health import HEADLINE_FIGURES
from healthmate_bi_pipeline.catalog.reports import HEALTH_SUMMARY
from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline_tests.reporting.rich_sample import rich_report
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


@pytest.fixture(params=CASES, name="html")
def html_of_case(request):
    return render_html(health_summary(CASES[request.param], stamp=STAMP))


def test_every_page_is_well_formed_and_its_references_lead_somewhere(html):
    page = Page(html)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.labels) <= set(page.ids)
    inner = {reference.removeprefix("#") for reference in page.references if reference.startswith("#")}
    assert inner <= set(page.ids)


def test_nothing_is_loaded_from_anywhere(html):
    page = Page(html)
    assert all(reference.startswith(("#", "data:,")) for reference in page.references)
    assert not {"script", "iframe", "object", "img", "image", "use", "form"} & set(page.elements)
    assert not re.search(r"url\(|@import|@font-face|https?:", html)
    assert "default-src 'none'" in unescape(html)


def test_every_chart_can_be_read_without_seeing_it(html):
    page = Page(html)
    charts = page.elements.count("svg")
    assert len(re.findall(r"<desc id=", html)) == charts
    assert page.elements.count("figure") == charts
    assert page.elements.count("details") == charts


def test_every_kind_of_block_has_its_figures_on_the_page():
    html = render_html(rich_report())
    page = Page(html)
    assert page.open == []
    for told in (
        "9\u202f400", "centre 7\u202f380", "Plan: family", "three price changes", "December 2025",
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
    assert "script" not in page.elements
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
    assert "script" not in page.elements


def test_a_change_says_against_what():
    html = render_html(health_summary(inputs(), stamp=STAMP))
    deltas = re.findall(r'<p class="delta">.*?</p>', html, re.DOTALL)
    assert len(deltas) == len(HEADLINE_FIGURES)
    assert all("against February 2026" in delta for delta in deltas)


def test_what_is_not_shown_says_why():
    current = {name: one for name, one in inputs().current.items() if name != "avg_blood_sugar"}
    current["avg_temperature"] = inputs(8).current["avg_temperature"]
    html = render_html(health_summary(inputs(current=current), stamp=STAMP))
    assert "Not shown, about too few people: Body temperature." in html
    assert "No data in this period: Blood glucose." in html


def test_the_first_screen_of_a_personal_report_says_that_it_is_one():
    html = render_html(health_summary(CASES["personal"], stamp=STAMP))
    assert html.index("Personal report") < html.index("Main figures")
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
