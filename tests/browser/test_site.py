"""The documents as `make docs` builds them: axe finds no accessibility barriers, and pages fetch
nothing from other servers.
"""

from pathlib import Path

import pytest

from tests.support.browser import barriers, chromium

SITE = Path(__file__).parents[2] / ".cache" / "site"
PAGES = [
    "docs/index.html",
    "docs/tutorials/laptop.html",
    "docs/assurance/threat-model.html",
    "docs/reference/commands.html",
]


@pytest.mark.slow
@pytest.mark.skipif(not (SITE / "docs" / "index.html").exists(), reason="run `make docs` first")
def test_pages_of_the_site_have_no_barriers_and_fetch_nothing_from_a_network():
    for width in (1280, 400):
        with chromium(width=width) as page:
            asked = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            for name in PAGES:
                page.goto((SITE / name).as_uri())
                assert barriers(page) == [], name
            assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.slow
@pytest.mark.skipif(not (SITE / "docs" / "index.html").exists(), reason="run `make docs` first")
def test_the_search_works_without_a_server():
    with chromium() as page:
        page.goto((SITE / "search.html").as_uri() + "?q=custodian")
        page.wait_for_selector("#search-results li")
        assert "custodian" in page.inner_text("#search-results").lower()
