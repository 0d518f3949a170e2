"""A report gives the content of a release in words and tables, and never shows a withheld
figure.
"""

import re
from importlib.resources import files

import pytest
from childlink_client import Answer, Cell, Client, ClientError, Dimension, Measure, Release
from childlink_client.pdf import write_pdf
from childlink_client.report import make_report

from tests.support.browser import barriers, chromium

RELEASE = Release("2026-Q3", 3, "2026-09-30", "childlink-rounding-1", "ab" * 32)
PLACE = Dimension(
    "residence",
    "Where they live",
    {"area": "In the area", "borough": "Elsewhere in the borough", "outside": "Outside"},
)
REACH = Measure(
    "reach_children",
    "Children reached",
    "Distinct children.",
    "children",
    "",
    {"residence": PLACE},
    (("residence",),),
)
LEVEL = Measure(
    "asq3_overall", "ASQ-3 <b>", "At the expected level.", "children", "share", {"engaged": PLACE}
)
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
            "release": vars(RELEASE),
            "policy": "Under 10 shows as <10.",
            "cells": 1061,
            "cells_withheld": 12,
            "largest_error": 9,
            "attack_failures": 0,
            "parameters": "prior-2026d",
            "changes": ["The first release."],
            "completeness": [],
        }

    def measures(self, release=""):
        return [REACH]

    def ask(self, measure, by=(), where=None, release="", *, explain=False):
        assert (measure, release) == ("reach_children", "2026-Q3")
        return counts(7_125, 1_230, None)


def test_a_sentence_names_the_largest_and_the_least_group_that_is_shown():
    assert (
        counts(7_125, 1_230, None).describe()
        == "Most: In the area, 7,125 children. Least of those shown: Elsewhere in the borough,"
        " 1,230 children. 1 of 3 groups is withheld."
    )


def test_where_nothing_is_shown_the_sentence_says_so():
    assert counts(None, None, None).describe() == "Every group is too small to be shown."


def test_zero_is_said_and_is_not_withheld():
    assert "Least of those shown: Outside, 0 children." in counts(20, 15, 0).describe()


def test_a_share_is_said_as_a_percentage():
    answer = Answer(RELEASE, LEVEL, (), (Cell((), 800, "", 0.803, ""),), ())
    assert answer.describe() == "80.3%."


def test_a_report_has_each_answer_as_words_chart_and_table_and_leaves_out_what_the_release_lacks():
    page = make_report(Desk(), QUESTIONS)
    assert "7,125 children" in page
    assert re.search(r'class="n withheld">&lt;10<', page)
    assert page.count('src="data:image/svg+xml;base64,') == 1
    assert "Nothing of this is in the release" not in page
    assert "prior-2026d" in page
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
    printed = path.read_bytes()
    assert printed.startswith(b"%PDF")
    assert b"/Outlines" in printed
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClientError, match="Chromium"):
        write_pdf("<p>", tmp_path / "again.pdf")


EVERY_KIND = """
title = "Of ${service_title}, at $$5 a copy"
[[section]]
title = "Every kind"
question = [
  { kind = "compare", measure = "asq3_overall" }, { kind = "inequality", measure = "asq3_overall" },
  { kind = "change", measure = "change_mental_health", by = ["programme"], only = "${service}" },
  { kind = "pathways", where = { first_service = "${service}" } }, { kind = "trend", measure = "reach_children" },
  { kind = "beside", measure = "reach_children", by = ["ethnicity"], where = { service = "${service}" } },
  { measure = "reach_children", by = ["quarter"], where = { service = "${service}" } },
  { kind = "compare", measure = "reach_children" }, { measure = "reach_children", by = ["no_such"] },
]
"""  # noqa: E501


@pytest.fixture
def client(answering_address):
    with Client(answering_address) as client:
        yield client


def test_a_services_report_compares_it_with_all_and_follows_its_families(client):
    page = make_report(client, kind="quarterly", service="Baby Steps")
    assert "<h1>Quarterly report: Baby Steps, April to June 2026</h1>" in page
    of, of_all = (
        client.ask("reach_children", ["priority"], w) for w in ({"service": "baby_steps"}, {})
    )
    total = client.ask("reach_children", where={"service": "baby_steps"}).cells[0].count
    assert f"{of.cell('priority').count / total:.1%}" in page
    assert f"{of_all.cell('priority').count:,}" in page
    assert client.pathways("baby_steps").pathways[0].went_on.text("{:.0%}") in page
    [mine] = [
        row
        for row in client.change("change_mental_health", "programme").changes
        if row.category == "baby_steps"
    ]
    assert mine.mean.text("{:.1f}") in page
    assert "Linkage rate" in page
    assert "What changed since the previous release" in page
    assert "New measures: Preterm births." in page
    assert "To cite: childlink release 2026-Q2 (data until 2026-06-30), policy" in page


def test_what_a_release_does_not_publish_is_named_and_not_taken_for_none(client):
    [attendances] = [item for item in client.measures() if item.id == "attendances"]
    _, first, *_ = attendances.dimensions["session_quarter"].categories
    page = make_report(client, kind="quarterly", service="pairs", period=first)
    assert "What this release does not publish" in page
    assert "Attendances: Quarter has no 20" in page
    assert "Beside the quarter before" not in page
    with pytest.raises(ClientError, match=r"The release has no 1999-Q4\. It has 20"):
        make_report(client, kind="quarterly", service="pairs", period="1999-Q4")


def test_a_period_beyond_the_attendances_is_said_to_be_in_part(client):
    told = client.describe() | {
        "completeness": [{"dataset": "attendance", "rows": {"2025-Q3": 300}}]
    }
    client.describe = lambda _release="": told
    page = make_report(client, kind="quarterly", service="pairs", period="2026-Q1")
    assert "This release has attendances in full until July to September 2025." in page
    assert "is not of the whole period" in page
    assert "not of the whole period" not in make_report(client, kind="annual")


@pytest.mark.parametrize(
    ("completeness", "year", "quarter"),
    [
        ([], "2025", "2026-Q3"),
        ([{"dataset": "attendance", "rows": {"2024-Q4": 300, "2025-Q1": 200}}], "2024", "2025-Q1"),
        ([{"dataset": "attendance", "rows": {"2024-Q4": 300, "2025-Q1": 100}}], "2024", "2024-Q4"),
        (
            [
                {"dataset": "attendance", "rows": {"2025-Q1": 300}},
                {"dataset": "attendance", "rows": {"2024-Q3": 300}},
                {"dataset": "attendance", "rows": {"2019-Q3": 300}},
            ],
            "2023",
            "2024-Q3",
        ),
        ([{"dataset": "attendance", "rows": {"2024-Q4": 300}}], "2024", "2024-Q4"),
        ([{"dataset": "asq3", "rows": {"2024-Q4": 300}}], "2025", "2026-Q3"),
        ([{"dataset": "attendance", "rows": {"2026-Q4": 300}}], "2025", "2026-Q3"),
    ],
)
def test_a_report_is_of_the_last_period_in_full_that_has_attendances(
    completeness, year, quarter, monkeypatch
):
    told = Desk().describe() | {"completeness": completeness}
    monkeypatch.setattr(Desk, "describe", lambda _self, _release="": told)
    asked = 'title = "${year} ${quarter}"' + QUESTIONS.replace('title = "Annual report"', "")
    assert f"<h1>{year} {quarter}</h1>" in make_report(Desk(), asked)
    assert "<h1>2022 2022-Q4</h1>" in make_report(Desk(), asked, period="2022")
    assert "<h1>2021 2022-Q1</h1>" in make_report(Desk(), asked, period="2022-Q1")


@pytest.mark.parametrize("period", ["22", "2022-Q5", "2022-13", "next"])
def test_a_period_that_is_none_is_told(period):
    with pytest.raises(ClientError, match="give a year"):
        make_report(Desk(), QUESTIONS, period=period)


def test_where_every_figure_is_withheld_there_is_no_chart():
    class Withheld(Desk):
        def ask(self, measure, by=(), where=None, release="", *, explain=False):
            return counts(None, None, None)

    assert "<img" not in make_report(Withheld(), QUESTIONS)
    assert counts(10, 10, None).describe() == (
        "Each group that is shown: 10 children. 1 of 3 groups is withheld."
    )


def test_a_service_is_found_by_id_or_title_and_a_misspelt_one_gets_the_nearest(client):
    assert "Making it REAL" in make_report(client, kind="quarterly", service="making IT real")
    with pytest.raises(ClientError, match=r"Did you mean: Baby Steps \(baby_steps\)\."):
        make_report(client, kind="quarterly", service="Baby Stepps")
    with pytest.raises(ClientError, match="There are: Baby Steps"):
        make_report(client, kind="quarterly", service="zzz")
    with pytest.raises(ClientError, match="--service"):
        make_report(client, kind="quarterly")


def test_every_kind_of_answer_can_stand_in_a_file_of_questions(client):
    page = make_report(client, EVERY_KIND, service="pairs")
    assert "Of PAIRS, at $5 a copy" in page
    for figure in (
        "Odds ratio, adjusted",
        "Slope index of inequality",
        "Both questionnaires",
        "Went on to another",
    ):
        assert figure in page
    assert '<th scope="col" class="n">2026-Q1</th>' in page
    assert "All services" in page
    assert "Children reached: compare is not available for it." in page
    assert "Children reached: not published by no_such." in page
    with pytest.raises(ClientError, match="no kind of question 'aks'"):
        make_report(client, EVERY_KIND.replace('"trend"', '"aks"'), service="pairs")


def test_the_bundled_reports_have_no_barriers_and_the_bundled_files_can_be_copied(client, tmp_path):
    bundled = files("childlink_client") / "reports"
    template = (bundled / "report.html").read_text()
    with chromium(width=400) as page:
        for kind in ("annual", "evaluation", "quarterly"):
            path = tmp_path / f"{kind}.html"
            path.write_text(
                make_report(
                    client, (bundled / f"{kind}.toml").read_text(), template, service="pairs"
                )
            )
            page.goto(path.as_uri())
            assert barriers(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= 400
            assert page.locator("img").count() >= 7


def test_a_table_by_the_levels_of_a_share_is_told_by_its_counts(client):
    answer = client.ask("services_per_family", ["services"])
    assert answer.measure.estimate == "share"
    assert re.match(r"Most: [\w ]+, [\d,]+ families\. Least of those shown: ", answer.describe())
    assert "too small" not in answer.describe()
