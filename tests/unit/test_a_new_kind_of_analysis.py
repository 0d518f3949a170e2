"""A new kind of analysis is one file plus its name in `analyses.KINDS`. Tables, charts, reports,
the explorer and commands follow.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from childlink_client import analyses
from childlink_client.analyses.kind import Kind
from childlink_client.cli.analysing import _command
from childlink_client.explorer.gate import Ticket
from childlink_client.explorer.page import create_explorer
from childlink_client.found import Found
from childlink_client.questions import Question, kinds_of
from childlink_client.render import as_html
from childlink_client.shown import Bar, Bars, Shown, Table
from childlink_client.values import Dimension, Measure, Release
from click.testing import CliRunner

REACH = Measure(
    "reach",
    "Reach",
    "Who is reached.",
    "children",
    "",
    {"sex": Dimension("sex", "Sex", {"f": "Girls"})},
    (("sex",),),
)
CSV = "children,release,policy\n240,2026-Q1,rounded-5-v1\n"
RELEASE = Release("2026-Q1", 1, "2026-03-31", "rounded-5-v1", "ab" * 32)


@dataclass(frozen=True)
class Doubled(Found):
    """A test analysis that doubles figures."""

    release: Release
    measure: Measure
    notes: tuple[str, ...] = ("Doubled.",)

    def rows(self) -> Iterator[dict[str, Any]]:
        yield {"children": 240}

    def table(self) -> Table:
        return Table(("Group", "Children"), ((Shown("All"), Shown("240")),))

    def describe(self) -> str:
        return "Twice as many: 240."

    def chart(self) -> Bars:
        return Bars("Children", ("All",), {"": [Bar(240.0, "240")]})


class FakeClient:
    address = "made up"

    def releases(self):
        return [RELEASE]

    def measures(self, _release=""):
        return [REACH]


@pytest.fixture
def doubling(monkeypatch):
    """The kind, registered for the test."""
    kind = Kind(
        "double",
        "Doubled",
        "Twice as many: childlink double reach",
        ("measure", "release"),
        lambda measure: True,
        lambda client, question, release: Doubled(RELEASE, REACH),
    )
    monkeypatch.setitem(analyses.KINDS, "double", kind)
    return kind


def test_it_can_be_asked_by_a_file_of_questions(doubling):
    question = Question.of({"kind": "double", "measure": "reach"})
    assert "double" in kinds_of(REACH)
    assert question.missing({"reach": REACH}) == ""
    found = question.put(FakeClient())
    assert (found.describe(), "240" in str(found), "<td>240</td>" in as_html(found)) == (
        "Twice as many: 240.",
        True,
        True,
    )
    assert found.to_csv() == CSV


def test_it_has_a_command_with_its_help_and_its_files(doubling, tmp_path):
    command = _command(doubling)
    done = CliRunner().invoke(
        command,
        ["reach", "--csv", str(tmp_path / "a.csv"), "--chart", str(tmp_path / "a.svg")],
        obj=FakeClient(),
    )
    assert done.exit_code == 0, done.output
    assert "240" in done.output
    assert (tmp_path / "a.csv").read_text() == CSV
    assert "<svg" in (tmp_path / "a.svg").read_text()
    assert "Twice as many" in CliRunner().invoke(command, ["--help"]).output


def test_the_explorer_offers_and_shows_it(doubling):
    ticket = Ticket()
    page = create_explorer(FakeClient(), ticket).test_client()
    page.get(f"/enter?ticket={ticket.text}")
    shown = page.get("/double?measure=reach").text
    assert "Twice as many: 240." in shown
    assert ">Doubled</a>" in shown
