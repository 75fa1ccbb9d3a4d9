"""The pages of all six types and their index, made from files by the pipeline, as a browser, a phone and paper show them.

``test_browser`` tries what a page can do on a made-up report; here are real figures, and with them the lengths of
names and the gaps that nobody makes up.
"""

import fcntl
import json
import os
import re
from datetime import date, datetime
from html import unescape
from pathlib import Path

import pytest
from justhtml import JustHTML

from healthmate_bi_pipeline.domain.period import Period
from healthmate_bi_pipeline.sources.demo import write_demo
from healthmate_bi_pipeline.usecases.reports.recipes import RECIPE_BY_TYPE
from healthmate_bi_pipeline.usecases.reports.writing import write_report
from healthmate_bi_pipeline_tests.conftest import SESSION_FOLDER
from healthmate_bi_pipeline_tests.reporting.browsing import (
    CONTRAST,
    IN_A_BROWSER,
    WIDTHS,
    texts_outside_of_charts,
    unfold,
    violations,
    visits,
)
from healthmate_bi_pipeline_tests.reporting.test_html import Page
from healthmate_bi_pipeline_tests.running import opened, refresh

pytestmark = IN_A_BROWSER

FIRST, LAST = date(2026, 4, 27), date(2026, 5, 31)
REPORTS = {
    "health_summary": (Period.MONTHLY, datetime(2026, 5, 1)),
    "user_engagement": (Period.WEEKLY, datetime(2026, 5, 18)),
    "system_performance": (Period.DAILY, datetime(2026, 5, 29)),
    "compliance": (Period.MONTHLY, datetime(2026, 5, 1)),
    "financial": (Period.MONTHLY, datetime(2026, 5, 1)),
    "operational": (Period.WEEKLY, datetime(2026, 5, 18)),
}
FIGURES = (
    *(f"health_metrics/{name}" for name in ("daily", "weekly", "monthly", "starts")),
    *(f"user_engagement/{name}" for name in ("daily", "weekly", "starts", "cohorts", "retention")),
    *(f"engagement_groups/{name}" for name in ("daily", "weekly")),
    *(f"system_performance/{name}" for name in ("hourly", "daily", "weekly", "incidents")),
)  # fmt: skip


@pytest.fixture(scope="session")
def pages(new_settings) -> dict[str, Path]:
    """The pages of 100 people in five weeks, by type; made by one of the workers for all of them."""
    folder = Path(os.environ[SESSION_FOLDER])
    made = folder / "pages.json"
    with (folder / "pages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            settings = new_settings().model_copy(update={"home": folder / "pages"})
            made.write_text(json.dumps(write_pages(settings)), encoding="utf-8")
    return {name: Path(path) for name, path in json.loads(made.read_text(encoding="utf-8")).items()}


def write_pages(settings) -> dict[str, str]:
    """Where the pages are, by type."""
    write_demo(settings.landing_path, first_day=FIRST, last_day=LAST, people=100)
    found = {"index": str(settings.reports_path / "index.html")}
    with opened(settings, now=datetime(2026, 6, 10)) as pipeline:
        refresh(pipeline, groups=("staged", "baselines", "raw", "state", "parameters", "finance"))
        refresh(pipeline, names=FIGURES)
        for name, (period, start) in REPORTS.items():
            html_path, _ = write_report(pipeline, RECIPE_BY_TYPE[name], period.window(start)).paths
            found[name] = str(settings.reports_path / html_path)
    return found


@pytest.fixture
def visit(browser, pages):
    with visits(browser) as open_file:
        yield lambda name, **how: open_file(pages[name], **how)


EVERY_PAGE = pytest.mark.parametrize("name", [*REPORTS, "index"])


@EVERY_PAGE
def test_every_page_is_valid_and_refers_to_nothing_outside(pages, name):
    html = pages[name].read_text(encoding="utf-8")
    JustHTML(html, strict=True)
    page = Page(html)
    assert (page.open, len(page.ids)) == ([], len(set(page.ids)))
    assert set(page.labels) <= set(page.ids)
    for reference in page.references:
        if reference.startswith("#"):
            assert reference == "#" or reference.removeprefix("#") in page.ids
        elif not reference.startswith("data:,"):
            assert (pages[name].parent / reference).is_file(), reference
    assert not {"iframe", "object", "img", "image", "use"} & set(page.elements)
    assert not re.search(r"url\(|@import|@font-face|https?:|fetch\(|XMLHttp", html)
    assert "default-src 'none'" in unescape(html)


@EVERY_PAGE
def test_in_the_light_on_a_desk(visit, pages, name):
    page = visit(name)
    unfold(page)
    assert violations(page) == []
    assert texts_outside_of_charts(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTHS["wide"]
    assert [url for url in page.requested if not url.startswith("data:")] == [pages[name].as_uri()]
    assert page.complaints == []


@EVERY_PAGE
def test_in_the_dark_on_a_phone(visit, name):
    page = visit(name, width="phone", scheme="dark")
    unfold(page)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTHS["phone"]


@EVERY_PAGE
def test_on_paper(visit, name):
    page = visit(name, width="paper", scheme="dark")
    page.emulate_media(media="print")
    assert violations(page, rules=CONTRAST) == []
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTHS["paper"]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
