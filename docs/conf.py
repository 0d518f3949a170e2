"""How `make docs` makes a site of the Markdown: Sphinx, MyST and Furo (docs/tools.in). The
navigation is in docs/index.md.

The source folder is the repository, so that a page may link to any file of it: pages become pages,
other files are copied into the site.
"""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

project = "childlink"
project_copyright = ""
html_show_copyright = False
html_title = "childlink"
language = "en-GB"
locale_dirs: list[str] = []

root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "GLOSSARY.md",
    "SECURITY.md",
    "deploy/partner/CHECKLIST.md",
]
exclude_patterns = [".*"]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 4
myst_enable_extensions = ["tasklist"]
highlight_language = "none"

html_theme = "furo"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
# Nothing is fetched from a network: fonts are the reader's own, and there is no analytics.
html_theme_options = {
    "light_css_variables": {
        "font-stack": "system-ui, sans-serif",
        "font-stack--monospace": "ui-monospace, monospace",
    },
    "navigation_with_keys": False,
}


def _reachable(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object
) -> None:
    """What axe finds missing: the level of the navigation's headings, and a way by keyboard into
    what scrolls.
    """
    if "furo_navigation_tree" in context:
        context["furo_navigation_tree"] = context["furo_navigation_tree"].replace(
            'role="heading"', 'role="heading" aria-level="2"'
        )
    if "body" in context:
        body = context["body"].replace("<pre>", '<pre tabindex="0">')
        body = body.replace('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper')
        # The long names of tests may break after an underscore.
        context["body"] = re.sub(
            r'(?<=<span class="pre">)\w+(?=</span>)',
            lambda name: name[0].replace("_", "_<wbr>"),
            body,
        )


def _first_page(app: Sphinx, problem: Exception | None) -> None:
    """The site's own index.html leads to the first page."""
    if problem is None:
        text = (
            '<!doctype html><html lang="en-GB"><title>childlink</title><meta http-equiv="refresh"'
            ' content="0; url=docs/index.html">'
        )
        text += '<a href="docs/index.html">childlink</a></html>\n'
        (Path(app.outdir) / "index.html").write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """What Sphinx calls."""
    app.connect("html-page-context", _reachable, priority=900)
    app.connect("build-finished", _first_page)
