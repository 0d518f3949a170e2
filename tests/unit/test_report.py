"""A report says what a release holds, in words and tables, and never what is withheld."""

import re

import pytest
from childlink_client import Answer, Cell, ClientError, Dimension, Measure, Release
from childlink_client.report import in_words, make_report, write_pdf

from tests.support.browser import barriers, chromium

RELEASE = Release("2026-Q3", 3, "2026-09-30", "childlink-rounding-1", "ab" * 32)
PLACE = Dimension(
    "residence", "Where they live", {"area": "In the area", "borough": "Elsewhere in the borough", "outside": "Outside"}
)
REACH = Measure("reach_children", "Children reached", "Distinct children.", "children", "", {"residence": PLACE})
LEVEL = Measure("asq3_overall", "ASQ-3 <b>", "At the expected level.", "children", "share", {"engaged": PLACE})
QUESTIONS = """
title = "Annual report"
[[section]]
title = "Reach"
[[section.question]]
measure = "reach_children"
by = ["residence"]
[[section.question]]
measure = "newer_than_this_release"
[[section]]
title = "Nothing of this is in the release"
[[section.question]]
measure = "newer_than_this_release"
"""


def counts(*cells):
    made = tuple(
        Cell((name,), count, "" if count is not None else "<10", None, "")
        for name, count in zip(PLACE.categories, cells, strict=True)
    )
    return Answer(RELEASE, REACH, ("residence",), made, ("Rounded to 5.",))


class Desk:
    """A client that knows one measure."""

    def describe(self, release=""):
        return {
            "release": vars(RELEASE), "policy": "Under 10 shows as <10.", "cells": 1061, "cells_withheld": 12, "largest_error": 9,
            "attack_failures": 0, "parameters": "prior-2026c",
        }  # fmt: skip

    def measures(self, release=""):
        return [REACH]

    def ask(self, measure, by=(), where=None, release=""):
        assert (measure, release) == ("reach_children", "2026-Q3")
        return counts(7_125, 1_230, None)


def test_a_sentence_names_the_largest_and_the_least_group_that_is_shown():
    assert in_words(counts(7_125, 1_230, None)) == (
        "Most: In the area, 7,125 children. Least of those shown: Elsewhere in the borough, 1,230 children. 1 of 3 groups is withheld."
    )


def test_where_nothing_is_shown_the_sentence_says_so():
    assert in_words(counts(None, None, None)) == "Every group is too small to be shown."


def test_zero_is_said_and_is_not_withheld():
    assert "Least of those shown: Outside, 0 children." in in_words(counts(20, 15, 0))


def test_a_share_is_said_as_a_percentage():
    answer = Answer(RELEASE, LEVEL, (), (Cell((), 800, "", 0.803, ""),), ())
    assert in_words(answer) == "80.3%."


def test_a_report_has_each_answer_as_words_chart_and_table_and_leaves_out_what_the_release_lacks():
    page = make_report(Desk(), QUESTIONS)
    assert "7,125 children" in page
    assert re.search(r'class="n withheld">&lt;10<', page)
    assert page.count('src="data:image/svg+xml;base64,') == 1
    assert "Nothing of this is in the release" not in page
    assert "prior-2026c" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_report_is_one_file_without_script_and_without_barriers(tmp_path):
    path = tmp_path / "report.html"
    path.write_text(make_report(Desk(), QUESTIONS))
    with chromium() as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert barriers(page) == []
        page.set_viewport_size({"width": 360, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize(
    ("questions", "template", "says"),
    [
        ("title = ", "", "file of questions"),
        ("title = 'x'", "", "file of questions"),
        (QUESTIONS, "{{ nobody }}", "template"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(questions, template, says):
    with pytest.raises(ClientError, match=says):
        make_report(Desk(), questions, template)


def test_a_report_is_printed_as_a_pdf_and_without_a_browser_that_is_told(tmp_path, monkeypatch):
    with chromium():
        pass
    path = tmp_path / "report.pdf"
    write_pdf(make_report(Desk(), QUESTIONS), path)
    assert path.read_bytes().startswith(b"%PDF")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClientError, match="Chromium"):
        write_pdf("<p>", tmp_path / "again.pdf")
