"""A headless Chromium for page tests: Debian's build, driven by Playwright, with accessibility
checks by axe-core.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

SERIOUS = ("serious", "critical")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@contextmanager
def chromium(width: int = 1100, height: int = 900) -> Iterator[Page]:
    """A page in a new browser."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("CHILDLINK_TEST_REQUIRE_REAL"):
            pytest.fail("Chromium is required here: install Debian's chromium")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser.new_page(viewport={"width": width, "height": height})
        finally:
            browser.close()


def barriers(page: Page) -> list[str]:
    """Violations on the current page that axe-core rates serious or worse."""
    found = Axe().run(page).response["violations"]
    return [
        f"{item['id']}: {item['help']} ({node['html'][:120]})"
        for item in found
        if item["impact"] in SERIOUS
        for node in item["nodes"]
    ]
