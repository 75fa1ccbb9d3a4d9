"""Opening pages in a headless Chromium, and what axe-core and a ruler find on them."""

import shutil
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
IN_A_BROWSER = [
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt-get install chromium"),
]
"""Marks of the modules that need one."""

WIDTHS = {"wide": 1400, "tablet": 768, "phone": 360, "paper": 688}
"""Pixels; of paper those of A4 upright less the margins of the style sheet, 182 mm at 96 dots per inch."""

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}

CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
"""For a page whose structure was looked at already."""


@contextmanager
def visits(browser):
    """A function that opens a file; what its page asks for and what it complains of is kept."""
    contexts = []

    def open_file(path, *, width="wide", scheme="light"):
        context = browser.new_context(
            viewport={"width": WIDTHS[width], "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.requested, page.complaints = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()


def unfold(page):
    """Open all that is folded."""
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


def violations(page, *, rules=RULES):
    """What axe-core finds."""
    found = Axe().run(page, options=rules)
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


def texts_outside_of_charts(page):
    """Texts of charts that begin or end outside of their chart."""
    return page.evaluate(
        """() => [...document.querySelectorAll('svg.chart')].flatMap(svg => {
            const frame = svg.getBoundingClientRect();
            return [...svg.querySelectorAll('text')].filter(text => {
                const box = text.getBoundingClientRect();
                return box.left < frame.left - 12 || box.right > frame.right + 12;
            }).map(text => svg.querySelector('title').textContent + ': ' + text.textContent);
        })"""
    )
