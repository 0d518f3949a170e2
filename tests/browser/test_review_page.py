"""A data steward at the review page, in a real browser: ten doubtful pairs, decided with the
keyboard alone.
"""

import socket
from contextlib import ExitStack
from datetime import date
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from childlink_access.policy import PolicyFile, new_token, sha256
from childlink_linker.review.page import create_page
from childlink_linker.review.page.serving import open_server

from tests.bench.bench_encode import nhs_number
from tests.support.browser import barriers, chromium

PAIRS = 10
GIVEN = ["Amina", "Oliver", "Zoe", "Kwame", "Grace", "Hassan", "Mei", "Yusuf", "Freya", "Dawit"]


@pytest.fixture
def waiting(linker, partnership):
    """Ten children whom two partners know under two numbers and two addresses."""
    for partner, number, postcode in (("trust-a", 0, "SW9 8JJ"), ("council-b", 100, "SE24 0AA")):
        linker.send(
            partner,
            *(
                partnership.subject(
                    partner,
                    str(at),
                    nhs=nhs_number(number + at),
                    given=given,
                    surname="Okafor",
                    sex="f",
                    postcode=postcode,
                    born=date(2020, 3, 1 + at),
                )
                for at, given in enumerate(GIVEN)
            ),
        )
    assert linker.review_pairs() == PAIRS
    return linker


@pytest.fixture
def site(waiting, tmp_path):
    """The page's address and a steward's token."""
    import threading

    token, operator = new_token(), new_token()
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[[person]]\nname = "n.steward"\nroles = ["steward"]\ntoken_sha256 ='
        f' "{sha256(token)}"\n[[person]]\nname = "o.perator"\nroles = ["operator"]\ntoken_sha256 ='
        f' "{sha256(operator)}"\n'
    )
    page = create_page(waiting.desk(), PolicyFile(policy).now, b"s" * 32, secure=False)
    server = open_server(page, "127.0.0.1:0")
    threading.Thread(target=server.run, daemon=True).start()
    yield f"http://127.0.0.1:{server.effective_port}", token, operator, policy
    server.close()


def sign_in(page, address, token):
    page.goto(address)
    # A page takes focus some frames after it has loaded. Keys typed before that are lost.
    page.wait_for_selector("#token:focus")
    page.keyboard.type(token)
    # The current page counts as loaded until the next one starts to load.
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.slow
def test_a_steward_clears_ten_pairs_with_the_keyboard(waiting, site, tmp_path):
    address, token, *_ = site
    with chromium() as page:
        problems = []
        page.on(
            "console",
            lambda message: problems.append(message.text) if message.type == "error" else None,
        )
        sign_in(page, address, token)
        assert page.locator("h1").inner_text() == "10 cases wait for you"
        assert barriers(page) == []
        page.wait_for_selector("a.main:focus")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        page.screenshot(path=tmp_path / "case.png", full_page=True)
        assert barriers(page) == []
        for at in range(PAIRS):
            page.wait_for_selector("#keys:not([hidden])")
            page.keyboard.press("s" if at % 2 else "d")
            if not at:
                page.keyboard.type("wrote to the school")
            page.keyboard.press("Enter")
            page.wait_for_load_state()
            left = PAIRS - 1 - at
            page.wait_for_selector(
                f"text={left} {'case waits' if left == 1 else 'cases wait'}"
                if left
                else "text=Nothing waits for you"
            )
        assert page.locator("h1").inner_text() == "Nothing waits for you"
        assert barriers(page) == []
        page.get_by_role("link", name="Decisions").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("table")
        assert page.locator("tbody tr").count() == PAIRS
        assert barriers(page) == []
        assert problems == []
    verdicts = [item.verdict for item in waiting.desk().decisions("test")]
    assert verdicts == ["different", "same"] * 5
    assert waiting.review_pairs() == 0


@pytest.mark.slow
def test_two_stewards_settle_a_pattern_of_ten_pairs(waiting, site, tmp_path):
    address, token, _, policy = site
    second = new_token()
    policy.write_text(
        policy.read_text()
        + f'[[person]]\nname = "b.other"\nroles = ["steward"]\ntoken_sha256 = "{sha256(second)}"\n'
    )
    for steward, of_steward in enumerate((token, second)):
        with chromium(width=360, height=740) as page:
            sign_in(page, address, of_steward)
            page.get_by_role("link", name="Decide many alike at once").click()
            assert page.locator("h1").inner_text() == "1 pattern waits for you"
            assert barriers(page) == []
            page.locator("tbody a").click()
            assert ("has proposed: same" in page.locator("main").inner_text()) == bool(steward)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            assert barriers(page) == []
            page.screenshot(path=tmp_path / f"pattern{steward}.png", full_page=True)
            page.get_by_label("the same person").check()
            page.get_by_label("Why?").fill("both hospitals confirm")
            page.get_by_role("button", name="Propose for all 10 pairs").click()
            page.wait_for_selector("[role=status]")
            assert "same for 10 pairs" in page.locator("[role=status]").inner_text()
        assert waiting.review_pairs() == (0 if steward else PAIRS)


@pytest.mark.slow
def test_the_page_works_without_its_script_and_at_the_width_of_a_telephone(site):
    address, token, *_ = site
    with chromium(width=360, height=740) as page:
        page.route("**/*.js", lambda route: route.abort())
        sign_in(page, address, token)
        page.get_by_role("link", name="Start").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert barriers(page) == []
        page.get_by_label("I do not know").check()
        page.get_by_label("Why?").fill("nothing to go by")
        page.get_by_role("button", name="Decide").click()
        page.wait_for_selector("[role=status]")
        assert "unsure" in page.locator("[role=status]").inner_text()


def test_only_stewards_get_in_and_a_token_that_is_taken_away_ends_its_session(waiting, site):
    _, token, operator, policy = site
    client = create_page(
        waiting.desk(), PolicyFile(policy).now, b"s" * 32, secure=False
    ).test_client()
    mine = {"Origin": "http://localhost"}
    assert client.get("/").status_code == 302
    assert client.post("/sign-in", data={"token": "wrong"}, headers=mine).status_code == 403
    assert client.post("/sign-in", data={"token": operator}, headers=mine).status_code == 403
    assert client.post("/sign-in", data={"token": token}, headers=mine).status_code == 302
    assert client.get("/").status_code == 200
    policy.write_text(policy.read_text().replace(sha256(token), sha256("another")))
    assert client.get("/").status_code == 302


def test_a_steward_who_calls_without_end_is_told_to_wait(waiting, site):
    _, token, _, policy = site
    page = create_page(
        waiting.desk(), PolicyFile(policy).now, b"s" * 32, secure=False, calls_a_minute=5
    )
    client = page.test_client()
    client.post("/sign-in", data={"token": token}, headers={"Origin": "http://localhost"})
    assert [client.get("/").status_code for _ in range(6)] == [200] * 5 + [429]
    told = client.get("/")
    assert int(told.headers["Retry-After"]) > 0
    assert "Wait" in told.text


def test_wrong_tokens_without_end_do_not_fill_the_audit_trail_nor_keep_a_steward_out(waiting, site):
    _, token, _, policy = site
    desk = waiting.desk()
    client = create_page(desk, PolicyFile(policy).now, b"s" * 32, secure=False).test_client()
    mine = {"Origin": "http://localhost"}
    codes = [
        client.post("/sign-in", data={"token": "wrong"}, headers=mine).status_code
        for _ in range(100)
    ]
    assert set(codes) == {403, 429}
    refused = [entry for entry in desk.audit_trail() if entry.action == "review sign in: refused"]
    assert len(refused) == codes.count(403) < 50
    assert client.post("/sign-in", data={"token": token}, headers=mine).status_code == 302


def test_hundreds_of_clients_that_send_a_byte_and_wait_hold_up_nobody(site):
    address, *_ = site
    where = urlsplit(address)
    with ExitStack() as slow:
        for _ in range(300):
            slow.enter_context(socket.create_connection((where.hostname, where.port))).sendall(b"G")
        client = HTTPConnection(where.hostname, where.port, timeout=20)
        client.request("GET", "/sign-in")
        assert client.getresponse().status == 200


def test_a_form_of_another_site_decides_nothing(waiting, site):
    _, token, _, policy = site
    client = create_page(
        waiting.desk(), PolicyFile(policy).now, b"s" * 32, secure=False
    ).test_client()
    client.post("/sign-in", data={"token": token}, headers={"Origin": "http://localhost"})
    [case, *_] = waiting.desk().cases("test")
    pair = "-".join(map(str, case.doubts[0].pair))
    form = {f"verdict {pair}": "same", "reason": "x"}
    for headers in ({"Origin": "https://elsewhere.example"}, {}):
        assert client.post(f"/case/{case.number}", data=form, headers=headers).status_code == 403
    assert waiting.review_pairs() == PAIRS
    assert (
        client.post(
            f"/case/{case.number}", data={"reason": "x"}, headers={"Origin": "http://localhost"}
        ).status_code
        == 422
    )
    assert (
        client.post(
            f"/case/{case.number}", data=form, headers={"Origin": "http://localhost"}
        ).status_code
        == 302
    )
    assert waiting.review_pairs() == PAIRS - 1


def test_no_page_names_a_partner_or_tells_a_value_and_every_page_forbids_what_it_does_not_need(
    waiting, site
):
    _, token, _, policy = site
    client = create_page(
        waiting.desk(), PolicyFile(policy).now, b"s" * 32, secure=False
    ).test_client()
    client.post("/sign-in", data={"token": token}, headers={"Origin": "http://localhost"})
    [case, *_] = waiting.desk().cases("test")
    for path in ("/", f"/case/{case.number}", "/decisions", "/case/99999"):
        answer = client.get(path)
        text = answer.get_data(as_text=True).lower()
        assert not [
            word
            for word in ("trust-a", "council-b", "okafor", "amina", "sw9", "2020-03")
            if word in text
        ]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
