import base64
import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from healthmate_bi_pipeline.catalog.columns import PrivacyClass
from healthmate_bi_pipeline.reporting.markdown import render_markdown
from healthmate_bi_pipeline_tests.reporting.rich_sample import INSIGHTS, RECOMMENDATIONS, insight, rich_report
from healthmate_bi_pipeline_tests.reporting.test_html import HOSTILE

PATH = "health_summary/monthly/2026-03-01_2026-03-31/v1.html"


def rendered(report):
    return MarkdownIt().render(render_markdown(report, path=PATH))


def test_it_says_what_happened_how_sure_what_to_do_and_where():
    html = rendered(rich_report())
    assert "Health summary, March 2026" in html
    assert "Confidence 84" in html
    for one in INSIGHTS[:4]:
        assert one.text in html
    assert "and 1 more" in html
    for one in RECOMMENDATIONS:
        assert one.text in html
        assert one.owner in html
    assert f"<code>{PATH}</code>" in html


def test_its_picture_is_the_chart_of_the_first_insight():
    html = rendered(rich_report())
    (alternative, data) = re.search(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]*)"', html).groups()[
        ::-1
    ]
    assert base64.b64decode(data).startswith(b"\x89PNG")
    assert alternative.startswith("Steps per day over 28 days")
    assert len(data) < 120_000


def test_hostile_text_stays_text():
    html = rendered(
        replace(
            rich_report(), title=HOSTILE, insights=(replace(INSIGHTS[0], text=f"[x](http://y) {HOSTILE}"),)
        )
    )
    assert "<script" not in html
    assert "<a " not in html


@pytest.mark.parametrize("privacy", [PrivacyClass.IDENTIFIED, PrivacyClass.LIMITED])
def test_nothing_is_told_of_what_is_not_for_passing_on(privacy):
    text = render_markdown(replace(rich_report(), privacy=privacy), path=PATH)
    assert len(text) < 300
    assert "240" not in text
    assert insight("x", "y", INSIGHTS[0].tone).text not in text.splitlines()
    assert not any(one.text in text for one in INSIGHTS)
