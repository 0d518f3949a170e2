"""The journey through the deployed stack, from partners' extracts to an analyst's answer. Every
connection uses certificates.
"""

import contextlib
import csv
import itertools
import json
import os
import subprocess
import urllib.parse
import urllib.request

import grpc
import pytest
from childlink.linker.v1 import operator_pb2, operator_pb2_grpc
from childlink_client import Client, ClientError
from childlink_ingest.app import load_mapping

from deploy import stack

pytestmark = pytest.mark.usefixtures("loaded")


def _client(**changed: object) -> Client:
    keys = stack.STACK / "analyst"
    given = {
        "ca": keys / "ca.pem",
        "certificate": keys / "tls.pem",
        "key": keys / "tls.key",
    } | changed
    return Client(f"localhost:{os.environ['CHILDLINK_ANSWERS_PORT']}", **given)  # type: ignore[arg-type]


def _prometheus(query: str) -> list[dict[str, object]]:
    address = f"http://127.0.0.1:{os.environ['CHILDLINK_PROMETHEUS_PORT']}/api/v1/query?query={urllib.parse.quote(query)}"
    with urllib.request.urlopen(address, timeout=10) as answer:
        return list(json.load(answer)["data"]["result"])


@pytest.mark.parametrize("partner", stack.PARTNERS)
def test_every_row_of_every_extract_is_accounted_for(partner: str) -> None:
    for run in stack.status(partner)["runs"]:
        fates = (
            run["accepted"]
            + run["refused"]
            + run["rejected"]
            + run["permitted_out"]
            + run["waiting"]
            + run["deleted"]
        )
        assert run["rows_read"] == fates > 0
        assert run["waiting"] == run["refused"] == 0


def test_children_of_both_partners_are_linked() -> None:
    records = stack.metric("linker", "childlink_linker_records_total")
    assert {label for label, count in records.items() if count and "accepted" in label} == {
        f'{{outcome="accepted",reason="",sender="{partner}"}}' for partner in stack.PARTNERS
    }
    children = stack.metric("linker", "childlink_linker_identifiers")['{kind="child"}']
    with (stack.STACK / "synthetic" / "truth.csv").open() as truth:
        assert 0 < children < sum(1 for _ in truth), (
            "fewer identifiers than records: some were linked"
        )


def test_an_analyst_with_a_certificate_gets_a_protected_answer() -> None:
    with _client() as client:
        answer = client.ask("reach_children", ["residence"])
    counts = [cell.count for cell in answer.cells if cell.count is not None]
    assert answer.release.id == stack.RELEASE
    assert sum(counts) > 100
    assert all(count % 5 == 0 and count >= 10 for count in counts)


def test_a_release_was_published_by_somebody_else_than_who_cut_it_and_the_trails_say_so() -> None:
    said = stack.inside("analytics", "childlink-analytics", "release", "list")
    assert "cut" in said
    assert "first-manager" in said
    assert "published by second-manager" in said
    cut = ("release", "cut", stack.RELEASE, "--data-until", "2024-12-31")
    first, second = stack.MANAGERS
    with pytest.raises(stack.StackError, match="exists already"):
        stack.run(*stack.manager_command(first), *cut)
    # Nobody takes another name: the certificate says who it is, and the command line may not.
    with pytest.raises(stack.StackError, match="through its release service"):
        stack.inside("analytics", "childlink-analytics", *cut)
    again = ("release", "cut", "two-people", "--data-until", "2024-12-31")
    stack.run(*stack.manager_command(second), *again)
    with pytest.raises(stack.StackError, match="another person must publish it"):
        stack.run(*stack.manager_command(second), "release", "publish", "two-people")
    stack.run(*stack.manager_command(first), "release", "discard", "two-people")
    assert "entries, none changed" in stack.inside(
        "analytics", "childlink-analytics", "audit", "verify"
    )


def test_who_asked_what_is_in_the_trail_of_questions() -> None:
    with _client() as client:
        client.ask("reach_children", ["sex"])
    stack.wait_for(
        "the question to be written down",
        lambda: (
            "demo-analyst: Query"
            in stack.inside("answers", "childlink-analytics", "audit", "show", "--questions")
        ),
        20,
    )
    assert "none changed" in stack.inside(
        "answers", "childlink-analytics", "audit", "verify", "--questions"
    )


def test_an_analyst_without_a_certificate_gets_none() -> None:
    with pytest.raises(ClientError), _client(certificate=None, key=None) as client:
        client.releases()


def test_a_partner_s_certificate_is_not_an_analyst_s() -> None:
    etc = stack.STACK / "partners" / "st-anns-trust" / "etc"
    with (
        pytest.raises(ClientError),
        _client(certificate=etc / "tls.pem", key=etc / "keys" / "tls.key") as client,
    ):
        client.releases()


def test_an_analyst_whose_certificate_is_revoked_is_let_in_no_more_within_a_minute() -> None:
    leaver = stack.STACK / "leaver"
    given = {name: leaver / file for name, file in (("certificate", "tls.pem"), ("key", "tls.key"))}
    with _client(**given) as client:
        assert client.releases()
        authority = stack.STACK / "authority" / "answers"
        listed = stack.run("childlink-ops", "ca", "list", "--authority", authority)
        [serial] = [
            word
            for line in listed.splitlines()
            if "leaving-analyst" in line
            for word in line.split()[:1]
        ]
        stack.run("childlink-ops", "ca", "revoke", serial, "--authority", authority)
        stack.publish()
        stack.wait_for("the open connection to be refused", lambda: _refused(client), 60)
    with _client() as client:
        assert client.releases(), "the others stay"


def _refused(client: Client) -> bool:
    try:
        client.releases()
    except ClientError as error:
        return "revoked" in str(error)
    return False


def test_an_operator_asks_the_linker_with_a_certificate_and_nobody_without() -> None:
    keys = stack.STACK / "operator"
    read = [(keys / name).read_bytes() for name in ("ca.pem", "tls.key", "tls.pem")]
    address = f"localhost:{os.environ['CHILDLINK_LINKER_PORT']}"
    with grpc.secure_channel(address, grpc.ssl_channel_credentials(*read)) as channel:
        status = operator_pb2_grpc.OperatorServiceStub(channel).GetStatus(
            operator_pb2.GetStatusRequest(), timeout=20
        )
    assert status.records > 0
    with (
        grpc.secure_channel(address, grpc.ssl_channel_credentials(read[0])) as channel,
        pytest.raises(grpc.RpcError),
    ):
        operator_pb2_grpc.OperatorServiceStub(channel).GetStatus(
            operator_pb2.GetStatusRequest(), timeout=20
        )


def test_the_stewards_page_asks_for_a_token() -> None:
    with urllib.request.urlopen(
        f"http://localhost:{os.environ['CHILDLINK_REVIEW_PORT']}/", timeout=20
    ) as answer:
        page = answer.read().decode()
    assert "token" in page.lower()


def test_prometheus_sees_every_service_of_the_hub() -> None:
    stack.wait_for(
        "Prometheus to scrape everything",
        lambda: len(_prometheus("up == 1")) == 5 and not _prometheus("up == 0"),
        60,
    )
    assert _prometheus("sum(childlink_linker_records_total) > 0")
    assert _prometheus("sum(childlink_analytics_records_total) > 0")
    assert _prometheus("min(childlink_ops_certificate_expiry_timestamp_seconds) > time()")


def _panels() -> list[tuple[str, str]]:
    """Every query of every dashboard."""
    found = []
    for path in sorted((stack.ROOT / "deploy/grafana/dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            found += [
                (f"{path.stem}: {panel['title']}", target["expr"]) for target in panel["targets"]
            ]
    return found


def test_every_panel_of_the_dashboards_has_data_unless_it_shows_what_went_wrong() -> None:
    """Queries for a site's own ingest. They are for a site's Prometheus, which the hub's cannot
    reach.
    """
    wrong = ("refused", "turned away", "withheld")
    wanted = [
        (where, query) for where, query in _panels() if not any(word in where for word in wrong)
    ]
    wanted = [
        (where, query.replace("$partner", ".*"))
        for where, query in wanted
        if "At the site" not in where
    ]
    assert len(wanted) > 30

    def empty() -> list[str]:
        return [where for where, query in wanted if not _prometheus(query)]

    with contextlib.suppress(stack.StackError):
        stack.wait_for("every panel to have data", lambda: not empty(), 90)
    assert empty() == []


def test_no_alert_fires_on_a_healthy_stack() -> None:
    # RightsTaken reports the revocation in test_isolation.py, as it should.
    firing = {item["metric"]["alertname"] for item in _prometheus('ALERTS{alertstate="firing"}')}  # type: ignore[index]
    # The dead man's switch always fires.
    assert firing - {"RightsTaken"} == {"Watchdog"}


def test_make_up_s_closing_words_hold_a_command_that_works() -> None:
    command = [
        *map(str, stack.ask_command(os.environ["CHILDLINK_ANSWERS_PORT"])),
        "ask",
        "reach_children",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_what_is_sent_while_broker_and_linker_are_killed_arrives_when_they_are_back() -> None:
    partner, (service, (extract, *_)) = next(iter(stack.PARTNERS.items()))
    accepted = sum(run["accepted"] for name in stack.PARTNERS for run in stack.status(name)["runs"])
    runs = len(stack.status(partner)["runs"])
    stack.compose(*stack.profiles(), "kill", "kafka", "linker")

    mapping = load_mapping(
        stack.STACK / "partners" / partner / "etc" / "mappings" / f"{extract}.toml"
    )
    source = stack.STACK / "synthetic" / partner / f"{extract}.csv"
    with source.open(newline="", encoding=mapping.source.encoding) as file:
        rows = list(itertools.islice(csv.DictReader(file, delimiter=mapping.source.delimiter), 60))
    [number] = mapping.columns["row_id"].columns
    late = stack.STACK / f"{extract}-late.csv"
    with late.open("w", newline="", encoding=mapping.source.encoding) as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter=mapping.source.delimiter)
        writer.writeheader()
        writer.writerows(row | {number: f"late-{row[number]}"} for row in rows)
    stack.deliver(partner, late)
    stack.wait_for("the extract to be taken", lambda: len(stack.status(partner)["runs"]) > runs, 60)
    waiting = stack.status(partner)["runs"][0]["waiting"]
    assert waiting > 0, f"{service} still holds spans that it cannot send"

    stack.up()
    stack.wait_for(
        "the late rows to be answered", lambda: not stack.status(partner)["runs"][0]["waiting"], 180
    )
    late_run = stack.status(partner)["runs"][0]
    assert late_run["refused"] == late_run["rejected"] == 0
    assert late_run["accepted"] == waiting
    stack.wait_for("all of it to be linked", lambda: stack.all_linked(accepted + waiting), 120)
