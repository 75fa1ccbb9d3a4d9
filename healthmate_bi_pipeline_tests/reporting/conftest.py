"""A browser for the modules that look at pages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from healthmate_bi_pipeline_tests.reporting.browsing import CHROMIUM


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; nothing is downloaded."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--disable-quic", "--disable-background-networking"]
        )
        yield opened
        opened.close()
