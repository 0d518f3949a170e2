"""One self-contained, accessible HTML file of a release's answers: charts with the tables behind them, and what was withheld.

Which questions it asks is a file (`reports/annual.toml`); what it looks like is a template (`reports/report.html`). A partnership may give
its own of either.
"""

import base64
import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from childlink_client.answers import Answer, Cell
from childlink_client.client import Client
from childlink_client.errors import ClientError
from childlink_client.render import show_count, show_estimate

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PDF_S: Final = 120


@dataclass(frozen=True)
class Row:
    """A row of a table, as text."""

    title: str
    count: str
    count_withheld: bool
    estimate: str
    estimate_withheld: bool


@dataclass(frozen=True)
class Item:
    """An answer as a report shows it."""

    answer: Answer
    by: str
    sentence: str
    rows: Sequence[Row]
    chart: str
    """A data URL; empty where nothing can be drawn."""


def make_report(client: Client, questions: str = "", template: str = "", release: str = "") -> str:
    """The report as HTML. `questions` and `template` are texts of files; the bundled ones by default. Raises ClientError."""
    bundled = files("childlink_client") / "reports"
    asked = _parse(questions or (bundled / "annual.toml").read_text(encoding="utf-8"))
    facts = client.describe(release)
    release = facts["release"]["id"]
    known = {measure.id for measure in client.measures(release)}
    sections = [
        {
            "title": section["title"], "text": section.get("text", ""),
            "answers": list(_answers(client, section.get("question", []), known, release)),
        }
        for section in asked["section"]
    ]  # fmt: skip
    return _render(
        template or (bundled / "report.html").read_text(encoding="utf-8"),
        title=asked["title"], introduction=asked.get("introduction", ""), policy=facts["policy"], release=facts["release"],
        facts=facts, sections=[section for section in sections if section["answers"]],
        made_on=f"{datetime.now(UTC):%-d %B %Y}",
    )  # fmt: skip


def write_pdf(page: str, path: Path) -> None:
    """The report as PDF, by headless Chromium. Raises ClientError where there is none."""
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise ClientError(
            "A PDF needs Chromium or Chrome, and there is none. Write an .html file: every browser prints it."
        )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "report.html"
        source.write_text(page, encoding="utf-8")
        # As root (in a container) Chromium refuses its own sandbox; the page is ours, and has no script.
        sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        done = subprocess.run(
            [
                browser, "--headless", *sandbox, "--disable-gpu", "--no-first-run", "--disable-background-networking",
                f"--user-data-dir={folder}/profile", "--no-pdf-header-footer", f"--print-to-pdf={path.resolve()}", source.as_uri(),
            ],
            capture_output=True, check=False, timeout=_PDF_S,
        )  # fmt: skip
    if done.returncode != 0 or not path.exists():
        raise ClientError(f"{Path(browser).name} could not write {path}. Write an .html file instead.")


def in_words(answer: Answer) -> str:
    """What an answer says, in a sentence: its largest and smallest shown group, never one that is withheld."""
    kind, unit = answer.measure.estimate, answer.measure.unit
    shown = [cell for cell in answer.cells if (cell.estimate if kind else cell.count) is not None]
    if not shown:
        return "Every group is too small to be shown."
    said = {id(cell): show_estimate(cell, kind) if kind else f"{show_count(cell)} {unit}" for cell in shown}
    if not answer.by:
        return f"{said[id(shown[0])]}."
    ranked = sorted(shown, key=lambda cell: (cell.estimate if kind else cell.count) or 0)
    low, high = ranked[0], ranked[-1]
    hidden = len(answer.cells) - len(shown)
    rest = f" {hidden} of {len(answer.cells)} groups {'is' if hidden == 1 else 'are'} withheld." if hidden else ""
    if low is high:
        return f"{_named(answer, high)}: {said[id(high)]}.{rest}"
    return f"Most: {_named(answer, high)}, {said[id(high)]}. Least of those shown: {_named(answer, low)}, {said[id(low)]}.{rest}"


def _answers(client: Client, questions: Sequence[Any], known: set[str], release: str) -> Iterator[Item]:
    for question in questions:
        # A release of an older catalogue lacks the newer measures.
        if question["measure"] not in known:
            continue
        answer = client.ask(question["measure"], question.get("by", []), question.get("where"), release)
        by = ", ".join(answer.measure.dimensions[name].title for name in answer.by)
        yield Item(answer, by, in_words(answer), [_row(answer, cell) for cell in answer.cells], _chart(answer))


def _row(answer: Answer, cell: Cell) -> Row:
    kind = answer.measure.estimate
    return Row(
        _title(answer, cell), show_count(cell), cell.count is None, show_estimate(cell, kind) if kind else "",
        bool(kind) and cell.estimate is None,
    )  # fmt: skip


def _title(answer: Answer, cell: Cell) -> str:
    titles = [answer.measure.dimensions[n].categories[c] for n, c in zip(answer.by, cell.categories, strict=True)]
    return ", ".join(titles) or "All"


def _named(answer: Answer, cell: Cell) -> str:
    """A group as a sentence names it: a bare number says nothing without its dimension."""
    title = _title(answer, cell)
    return f"{answer.measure.dimensions[answer.by[0]].title.lower()} {title}" if title[:1].isdigit() else title


def _chart(answer: Answer) -> str:
    if not answer.by:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chart.svg"
        answer.save_chart(path)
        encoded = base64.b64encode(path.read_bytes()).decode()
    return f"data:image/svg+xml;base64,{encoded}"


def _parse(text: str) -> dict[str, Any]:
    try:
        content = tomllib.loads(text)
        _ = content["title"], [section["title"] for section in content["section"]]
        _ = [question["measure"] for section in content["section"] for question in section.get("question", [])]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ClientError(
            f"The file of questions cannot be read ({error}). Start from the bundled annual.toml."
        ) from None
    return content


def _render(template: str, **values: Any) -> str:
    try:
        from jinja2 import Environment, StrictUndefined, TemplateError
    except ImportError:
        raise ClientError("Jinja is not installed: pip install 'childlink-client[report]'.") from None
    try:
        environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
        return environment.from_string(template).render(**values)
    except TemplateError as error:
        raise ClientError(f"The template cannot be used: {error}. Start from the bundled report.html.") from None
