import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import datetime
from html import unescape

import pytest

from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.reporting.files import report_path
from healthmate_bi_pipeline.reporting.index import IndexRecord, render_index
from healthmate_bi_pipeline_tests.reporting.test_html import HOSTILE, Page


def record(period, moment, *, version=1, audience="groups", is_complete=True, confidence=None):
    window = period.window(moment)
    html, data = (
        str(
            report_path(
                "health_summary", cadence=period, window=window, version=version, extension=extension,
                audience=audience,
            )
        )
        for extension in ("html", "json")
    )  # fmt: skip
    return IndexRecord(
        report_id=f"{period}-{window.first_day}-{version}",
        report_type="health_summary",
        title="Health summary",
        cadence=period.value,
        window=window,
        version=version,
        audience=audience,
        is_complete=is_complete,
        generated_at=datetime(2026, 4, 2, 5, 30),
        html_path=html,
        json_path=data,
        confidence=confidence,
    )


MARCH = record(Period.MONTHLY, datetime(2026, 3, 1))
APRIL = record(Period.MONTHLY, datetime(2026, 4, 1), is_complete=False)
LAST_DAY = record(Period.DAILY, datetime(2026, 3, 31))


def test_newest_first():
    html, data = render_index([MARCH, APRIL, LAST_DAY])
    listed = [one["report_id"] for one in json.loads(data)["reports"]]
    assert listed == [APRIL.report_id, LAST_DAY.report_id, MARCH.report_id]
    assert html.index("April 2026") < html.index("Tuesday 31 March 2026") < html.index(">March 2026<")
    assert html.count("is-running") - html.count(".is-running") == 1


def test_only_the_newest_version_is_linked():
    html, data = render_index(
        [MARCH, replace(MARCH, version=3, html_path="new/v3.html"), replace(MARCH, version=2)]
    )
    assert [one["version"] for one in json.loads(data)["reports"]] == [3]
    assert 'href="./new/v3.html"' in html


def test_personal_reports_stay_out():
    html, data = render_index(
        [replace(MARCH, audience="personal"), record(Period.DAILY, datetime(2026, 3, 2))]
    )
    assert len(json.loads(data)["reports"]) == 1
    assert "March 2026</a>" in html
    assert ">March 2026</a>" not in html


def test_the_page_runs_its_own_script_and_no_other():
    html, _ = render_index([MARCH])
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    assert unescape(policy).split("; ")[-1] == f"script-src 'sha256-{digest}'"


def test_the_list_is_there_without_the_script():
    html, _ = render_index([MARCH, APRIL])
    page = Page(html)
    assert page.open == []
    assert html.count("<tr") == 3
    assert re.search(r'<form class="filters" id="filters" hidden', html)
    assert all(reference.startswith(("#", "./", "data:,")) for reference in page.references)


def test_confidence_is_listed_and_can_be_asked_for():
    sure = replace(MARCH, confidence=0.842)
    html, data = render_index([sure, APRIL])
    assert [one["confidence_score"] for one in json.loads(data)["reports"]] == [None, 0.842]
    assert 'data-confidence="0.842"' in html
    assert ">84\u202f%</td>" in html
    names = re.findall(r'<select name="([a-z]+)"', html)
    assert names == ["type", "cadence", "year", "confidence"]
    assert '<option value="health_summary">Health summary</option>' in html


def test_no_reports():
    html, data = render_index([])
    assert "There are no reports yet." in html
    assert json.loads(data) == {"reports": []}
    assert "<script" not in html


def test_hostile_text_stays_text():
    html, _ = render_index([replace(MARCH, title=HOSTILE, html_path="javascript:alert(1)")])
    page = Page(html)
    assert page.open == []
    assert page.elements.count("script") == 1
    assert not any(reference.startswith("javascript") for reference in page.references)


@pytest.mark.parametrize("path", ["../v1.html", "/v1.html", "a/../../b", ""])
def test_a_link_cannot_leave_the_folder(path):
    with pytest.raises(IntegrityError):
        render_index([replace(MARCH, html_path=path)])
