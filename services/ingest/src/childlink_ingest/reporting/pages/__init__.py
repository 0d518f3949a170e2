"""The HTML pages of ingest: the document for approval, and the status page.

They are self-contained (no script, no external resource), escaped by default, and readable without
colour.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    return environment


def render(template: str, **values: Any) -> str:
    """Render a page."""
    made_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return _environment().get_template(template).render(made_at=made_at, **values)
