"""The pages in a real browser: axe-core finds nothing, nothing is loaded, all of it works by keyboard and on a phone.

Needs Debian's ``chromium`` (``.ci/run`` installs it); nothing is downloaded.
"""

from datetime import datetime

import pytest

from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.reporting.html import render_html
from healthmate_bi_pipeline.reporting.index import render_index
from healthmate_bi_pipeline_tests.reporting.browsing import (
    IN_A_BROWSER,
    WIDTHS,
    texts_outside_of_charts,
    violations,
    visits,
)
from healthmate_bi_pipeline_tests.reporting.rich_sample import rich_report
from healthmate_bi_pipeline_tests.reporting.samples import PERSONAL, STAMP, inputs
from healthmate_bi_pipeline_tests.reporting.test_index import record

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The pages as files, as they are opened from a mail."""
    folder = tmp_path_factory.mktemp("pages")
    index, _ = render_index(
        [
            record(Period.MONTHLY, datetime(2026, 3, 1), confidence=0.84),
            record(Period.MONTHLY, datetime(2026, 4, 1), confidence=0.4, is_complete=False),
            record(Period.DAILY, datetime(2025, 12, 31)),
        ]
    )
    pages = {
        "rich": render_html(rich_report()),
        "empty": render_html(health_summary(inputs(0, as_of=None), stamp=STAMP)),
        "personal": render_html(health_summary(inputs(1, settings=PERSONAL), stamp=STAMP)),
        "index": index,
    }
    for name, html in pages.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in pages}


@pytest.fixture
def opened(browser, files):
    """Opens a page of these names; what it asks for and what it complains of is kept."""
    with visits(browser) as open_file:
        yield lambda name, **how: open_file(files[name], **how)


@pytest.mark.parametrize(("width", "scheme"), [("wide", "light"), ("phone", "dark")])
@pytest.mark.parametrize("name", ["rich", "index"])
def test_axe_finds_nothing(opened, name, width, scheme):
    page = opened(name, width=width, scheme=scheme)
    assert violations(page) == []
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert violations(page) == []


@pytest.mark.parametrize("name", ["empty", "personal"])
def test_axe_finds_nothing_in_what_is_short(opened, name):
    assert violations(opened(name, width="phone")) == []


@pytest.mark.parametrize("name", ["rich", "index", "personal"])
def test_the_page_asks_for_nothing_and_complains_of_nothing(opened, files, name):
    page = opened(name)
    assert [url for url in page.requested if not url.startswith("data:")] == [files[name].as_uri()]
    assert page.complaints == []


@pytest.mark.parametrize("name", ["rich", "index", "empty"])
def test_nothing_sticks_out_on_a_phone(opened, name):
    page = opened(name, width="phone")
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTHS["phone"]


def test_texts_of_charts_stay_inside_their_charts(opened):
    assert texts_outside_of_charts(opened("rich")) == []


def test_a_table_is_sorted_by_its_heads_with_the_keyboard_too(opened):
    page = opened("rich")
    table = page.locator("table.is-sortable", has_text="notification-dispatcher").last
    head = table.locator("th", has_text="Requests")

    def services():
        return table.locator("tbody th").all_inner_texts()

    head.locator("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert services() == [
        "=cmd|' /C calc'!A0",
        "api",
        "notification-dispatcher",
    ]  # what is not shown comes last
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert services() == ["api", "=cmd|' /C calc'!A0", "notification-dispatcher"]


def test_the_first_stop_of_the_keyboard_leads_to_the_content(opened):
    page = opened("rich")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_a_link_to_a_folded_insight_unfolds_it(opened):
    page = opened("rich")
    assert not page.locator("#insight-5").is_visible()
    page.goto(page.url + "#insight-5")
    assert page.locator("#insight-5").is_visible()


def test_what_is_folded_is_printed(opened):
    page = opened("rich")
    page.emulate_media(media="print")
    assert page.locator("#insight-1 .terms").is_visible()
    assert page.locator("#insight-5").is_visible()


def test_the_colours_of_charts_follow_light_and_dark(opened):
    fills = {
        scheme: opened("rich", scheme=scheme)
        .locator(".bar path").first.evaluate("one => getComputedStyle(one).fill")
        for scheme in ("light", "dark")
    }  # fmt: skip
    assert fills == {"light": "rgb(11, 103, 163)", "dark": "rgb(99, 180, 232)"}


def test_the_list_of_reports_is_filtered(opened):
    page = opened("index")

    def shown():
        return page.locator("#reports tbody tr:visible").count()

    assert shown() == 3
    page.select_option("[name=confidence]", "0.75")
    assert (shown(), page.locator("#count").inner_text()) == (1, "1 of 3 reports")
    page.select_option("[name=confidence]", "")
    page.select_option("[name=cadence]", "monthly")
    assert shown() == 2
    page.fill("[name=words]", "march")
    assert shown() == 1
