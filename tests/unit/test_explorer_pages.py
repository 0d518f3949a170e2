"""The explorer's pages, asked without a browser."""

import pytest
from childlink_client.client import Client
from childlink_client.explorer.gate import Ticket
from childlink_client.explorer.page import create_explorer


@pytest.fixture
def explorer(answering_address):
    with Client(answering_address) as client:
        ticket = Ticket()
        browser = create_explorer(client, ticket).test_client()
        browser.get(f"/enter?ticket={ticket.text}")
        yield browser


def test_a_measure_without_shares_cannot_be_standardised_and_the_page_says_so(explorer):
    page = explorer.get("/standardise?measure=reach_children")
    assert page.status_code == 400
    assert "cannot be standardised: no shares of it are published" in page.text
    assert "--by" not in page.text, "a page has no options of a command"


def test_a_measure_with_shares_is_standardised_by_the_first_pair_that_is_published(explorer):
    assert explorer.get("/standardise?measure=asq3_overall").status_code == 200


def test_an_unknown_measure_gets_a_page_in_words_however_many_there_are(explorer):
    page = explorer.get("/ask?measure=zzzz")
    assert page.status_code == 400
    assert "has no measure" in page.text
