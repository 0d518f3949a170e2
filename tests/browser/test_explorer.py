"""An analyst who uses the explorer in a real browser instead of a terminal, and visitors whom it
refuses.
"""

import csv
from urllib.parse import urlsplit

import pytest
from childlink_client import Client, ClientError
from childlink_client.explorer import Ticket, create_explorer, start

from tests.support import answers
from tests.support.browser import barriers, chromium

REACH = "/ask?measure=reach_children&by=ethnicity,imd_quintile"
PAGES = [
    "/",
    "/release",
    REACH,
    "/ask?measure=asq3_overall&by=engaged&keep=imd_quintile=1&keep=imd_quintile=2",
    "/ask?measure=breastfeeding",
    "/compare?measure=asq3_overall",
    "/change?measure=change_mental_health&by=programme",
    "/pathways",
    "/pathways?keep=first_service=baby_steps",
    "/trend?measure=reach_children&by=residence",
    "/inequality?measure=asq3_overall",
    "/standardise?measure=asq3_overall&by=engaged,imd_quintile",
    "/standardise?measure=asq3_overall",
    "/ask?measure=reach_childen",
    "/nowhere",
]


@pytest.fixture
def client(answering_address):
    with Client(answering_address) as client:
        yield client


@pytest.fixture
def explorer(client):
    running = start(client)
    yield running
    running.close()


@pytest.fixture
def inside(client):
    """A visitor with access, without a browser."""
    ticket = Ticket()
    visitor = create_explorer(client, ticket).test_client()
    assert visitor.get(f"/enter?ticket={ticket.text}").status_code == 302
    return visitor


def text(answer):
    return answer.get_data(as_text=True)


@pytest.mark.slow
def test_an_analyst_picks_a_measure_breaks_it_down_reads_the_table_and_takes_it_along(
    explorer, client, tmp_path
):
    with chromium(width=1280) as page:
        problems = []
        page.on(
            "console",
            lambda message: problems.append(message.text) if message.type == "error" else None,
        )
        page.goto(explorer.url)
        assert page.locator("h1").inner_text() == "What would you like to know?"
        page.get_by_role("link", name="Children reached", exact=True).click()
        page.get_by_label("Break down by").select_option(
            label="Ethnic group × Deprivation quintile"
        )
        page.get_by_role("button", name="Show").click()
        page.locator("summary", has_text="Ethnic group").click()
        page.get_by_label("White").check()
        page.locator("summary", has_text="Deprivation quintile").click()
        for quintile in ("1 (most deprived)", "5 (least deprived)", "Not recorded"):
            page.get_by_role("group", name="Deprivation quintile").get_by_label(quintile).check()
        page.get_by_role("button", name="Show").click()
        answer = client.ask("reach_children", ["ethnicity", "imd_quintile"])
        shown = page.locator("tbody tr").first.locator("td").all_inner_texts()
        assert shown == [str(answer.cell("white", quintile).count) for quintile in "15"] + ["<10"]
        assert page.locator("tbody tr").count() == 1
        assert "keep=ethnicity%3Dwhite" in page.url
        assert page.locator("figure img").evaluate(
            "image => image.complete && image.naturalWidth > 300"
        )
        page.locator("tbody a", has_text="<10").first.click()
        assert "count is withheld" in page.locator("dt:target + dd").inner_text()
        with page.expect_download() as download:
            page.get_by_role("link", name="Table as CSV").click()
        assert (
            download.value.suggested_filename == "reach_children-ethnicity-imd_quintile-2026-Q2.csv"
        )
        download.value.save_as(tmp_path / "table.csv")
        with page.expect_download() as download:
            page.get_by_role("link", name="Chart as SVG").click()
        download.value.save_as(tmp_path / "chart.svg")
        assert problems == []
    rows = list(csv.DictReader((tmp_path / "table.csv").open()))
    assert [row["count"] for row in rows] == [*shown[:2], ""], (
        "a withheld figure is empty, not zero"
    )
    assert "<svg" in (tmp_path / "chart.svg").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
def test_no_page_has_barriers_that_axe_knows_of_or_is_wider_than_the_screen(explorer, width):
    with chromium(width=width) as page:
        page.goto(explorer.url)
        for path in PAGES:
            page.goto(explorer.url.split("/enter")[0] + path)
            assert barriers(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.slow
def test_a_question_is_asked_with_the_keyboard_alone(explorer):
    with chromium() as page:
        page.goto(explorer.url)
        page.get_by_role("link", name="Children reached", exact=True).focus()
        page.keyboard.press("Enter")
        page.get_by_label("Break down by").focus()
        page.keyboard.type("Sex")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Show").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**by=sex**")
        assert page.locator("h2").first.inner_text() == "By Sex"
        assert page.locator("tbody th").all_inner_texts() == ["Female", "Male", "Not recorded"]


def test_every_kind_of_question_has_its_page_with_figures_chart_notes_and_citation(inside, client):
    for path, figure in (
        (
            "/compare?measure=asq3_overall",
            client.compare("asq3_overall").adjusted_odds_ratio.text(),
        ),
        (
            "/change?measure=change_mental_health",
            client.change("change_mental_health").changes[0].mean.text("{:.1f}"),
        ),
        (
            "/pathways?keep=first_service=pairs",
            client.pathways("pairs").pathways[0].went_on.text("{:.0%}"),
        ),
        ("/inequality?measure=asq3_overall", client.inequality("asq3_overall").ratio.text()),
        (
            "/standardise?measure=asq3_overall&by=engaged,imd_quintile",
            client.standardise("asq3_overall", "engaged", "imd_quintile").describe(),
        ),
        ("/trend?measure=reach_children", "2026-Q1"),
    ):
        page = text(inside.get(path))
        assert figure in page, path
        assert 'srcset="data:image/svg+xml;base64,' in page
        assert "What to know" in page
        assert "childlink release 2026-Q2 (data until 2026-06-30), policy" in page


def test_only_what_is_published_is_offered_and_what_no_longer_fits_is_let_go_and_said(inside):
    page = text(inside.get("/ask?measure=reach_children&by=language&keep=residence=area"))
    assert "Where they live × Deprivation quintile" in page
    assert "First language ×" not in page
    assert "“Where they live” was removed" in page
    assert "compare" not in text(inside.get("/ask?measure=reach_children")).lower()
    assert "Compare" in text(inside.get("/ask?measure=asq3_overall"))


def test_distinct_people_are_not_summed_over_services_even_by_a_form(inside):
    page = text(inside.get("/ask?measure=reach_children&by=residence&keep=service=pairs"))
    assert '<option value="service=pairs" selected>' in page
    assert 'type="checkbox" name="keep" value="service=' not in page


def test_an_older_release_is_asked_by_its_name_and_its_address_can_be_shared(inside, client):
    old = client.ask("reach_children", release="2026-Q1").cells[0].count
    page = text(inside.get("/ask?measure=reach_children&release=2026-Q1"))
    assert f"{old:,}" in page
    assert "release=2026-Q1" in page.split("Link to this answer")[0].rpartition("href=")[2]


def test_what_is_wrong_with_a_question_is_told_with_what_may_stand_there(inside):
    answer = inside.get("/ask?measure=reach_childen")
    assert answer.status_code == 400
    assert "use one of: reach_children" in text(answer)
    assert "has no category" in text(
        inside.get("/ask?measure=reach_children&by=sex&keep=sex=girls")
    )
    assert "Not collected" in text(inside.get("/ask?measure=breastfeeding"))
    assert inside.get("/ask/png?measure=reach_children").status_code == 404, (
        "one number is no chart"
    )


def test_before_the_first_release_and_without_the_service_the_pages_say_what_to_do(tmp_path):
    ticket = Ticket()
    with answers.answering(tmp_path) as address:
        client = Client(address)
        visitor = create_explorer(client, ticket).test_client()
        visitor.get(f"/enter?ticket={ticket.text}")
        assert "There is no release yet" in text(visitor.get("/"))
    assert "does not answer" in text(visitor.get("/"))
    client.close()


def test_only_the_browser_with_the_ticket_gets_in_and_the_ticket_is_good_once(client):
    ticket = Ticket()
    page = create_explorer(client, ticket)
    first, second = page.test_client(), page.test_client()
    for path in ("/", REACH, "/ask/csv?measure=reach_children", "/enter?ticket=guess", "/enter"):
        assert first.get(path).status_code == 403, path
    assert "Continue to this question" in text(first.get(REACH)), (
        "the cookie is not sent with a link from elsewhere"
    )
    assert first.get(f"/enter?ticket={ticket.text}").status_code == 302
    assert first.get("/").status_code == 200
    assert second.get(f"/enter?ticket={ticket.text}").status_code == 403
    assert second.get("/").status_code == 403


def test_every_page_forbids_what_it_does_not_need_and_its_cookie_stays_here(client):
    ticket = Ticket()
    visitor = create_explorer(client, ticket).test_client()
    entered = visitor.get(f"/enter?ticket={ticket.text}")
    assert "HttpOnly" in entered.headers["Set-Cookie"]
    assert "SameSite=Strict" in entered.headers["Set-Cookie"]
    for path in PAGES:
        answer = visitor.get(path)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert "<script" not in text(answer)


def test_another_sites_name_for_this_machine_opens_nothing(explorer):
    import http.client

    place = urlsplit(explorer.url)
    connection = http.client.HTTPConnection(place.hostname, place.port)
    connection.request(
        "GET", f"/enter?{place.query}", headers={"Host": f"rebound.example:{place.port}"}
    )
    assert connection.getresponse().status == 403
    connection.close()


def test_other_machines_are_not_served_unless_told(client):
    with pytest.raises(ClientError, match="asks in your name"):
        start(client, "0.0.0.0")  # noqa: S104
    running = start(client, "0.0.0.0", beyond=True)  # noqa: S104
    with pytest.raises(ClientError, match="Try another"):
        start(client, "0.0.0.0", urlsplit(running.url).port, beyond=True)  # noqa: S104
    running.close()
