"""Release managers over gRPC, each with their own token: steps that need two people, and the audit
trail of all steps.
"""

import json
import time
from datetime import date

import grpc
import pytest
from childlink.analytics.v1 import release_pb2 as pb
from childlink.analytics.v1 import release_pb2_grpc as pb_grpc
from childlink_access.policy import new_token, sha256
from childlink_analytics.answering.app import build_access
from childlink_analytics.answering.metrics import ServingMetrics
from childlink_analytics.answering.service import serve
from childlink_analytics.releasing import app
from childlink_analytics.releasing.metrics import StoreMetrics
from childlink_analytics.releasing.release.service import serve_releases
from childlink_analytics.releasing.store import tables as t
from childlink_analytics.settings import ServingSettings, StoreSettings
from childlink_client import Client, ClientError
from childlink_core.keys import SecretKey, write_key

PEOPLE = {
    "ann": ["release_manager"],
    "ben": ["release_manager"],
    "eve": ["auditor"],
    "zoe": ["analyst"],
}


def observations(count, month="2024-02"):
    """Children who came to a service, and their links."""
    for number in range(count):
        reference = number.to_bytes(16, "big")
        attributes = {
            "service": "pairs",
            "session_date": month,
            "residence": "area" if number % 3 else "borough",
        }
        yield (
            {
                "partner": "p",
                "row_reference": reference,
                "dataset": "attendance",
                "month": month,
                "child_reference": reference,
                "adult_reference": None,
                "attributes": json.dumps(attributes),
            },
            {
                "partner": "p",
                "reference": reference,
                "role": 1,
                "person": reference,
                "family": reference,
                "version": 1,
                "parameter_version": "prior",
            },
        )


@pytest.fixture
def hub(tmp_path):
    """A store with 90 children, its release service and an answering process, with a token for each
    person.
    """
    tokens = {name: new_token() for name in PEOPLE}
    policy = "".join(
        f'[[person]]\nname = "{name}"\nroles = {json.dumps(roles)}\ntoken_sha256 ='
        f' "{sha256(tokens[name])}"\npurposes = ["improve"]\n'
        for name, roles in PEOPLE.items()
    )
    (tmp_path / "policy.toml").write_text(policy)
    (tmp_path / "purposes.toml").write_text(
        '[[purpose]]\nid = "improve"\ntitle = "I"\nlawful_basis = "b"\ndatasets ='
        ' ["attendance"]\nuntil = 2099-01-01\n[retention_months]\nattendance = 36\n'
    )
    for name in ("release", "questions"):
        write_key(tmp_path / f"{name}.key", SecretKey.generate(name))
    settings = StoreSettings(
        directory=tmp_path / "none.toml",
        database=f"sqlite:///{tmp_path / 'store.sqlite'}",
        release_key=tmp_path / "release.key",
        drafts=tmp_path / "drafts",
        releases=tmp_path / "releases",
        policy=tmp_path / "policy.toml",
        purposes=tmp_path / "purposes.toml",
        grpc_address=f"unix:{tmp_path / 'store.sock'}",
        schedule="quarterly",
        schedule_after_days=28,
    )
    desk = app.build_desk(settings)
    with desk.engine.begin() as tx:
        rows, links = zip(*observations(90), strict=True)
        tx.execute(t.observation.insert(), list(rows))
        tx.execute(t.link.insert(), list(links))
    server = serve_releases(settings, desk, StoreMetrics())
    serving = ServingSettings(
        releases=settings.releases,
        address="127.0.0.1:0",
        policy=settings.policy,
        purposes=settings.purposes,
        audit=f"sqlite:///{tmp_path / 'questions.sqlite'}",
        audit_key=tmp_path / "questions.key",
    )
    access = build_access(serving)
    answers, port = serve(serving, ServingMetrics(), access)
    with grpc.insecure_channel(settings.grpc_address) as channel:
        yield Hub(pb_grpc.ReleaseServiceStub(channel), tokens, desk, access, port)
    server.stop(grace=1).wait()
    answers.stop(grace=1).wait()
    access.trail.close()
    desk.engine.dispose()


class Hub:
    def __init__(self, stub, tokens, desk, access, port):
        self.stub, self.tokens, self.desk, self.access, self.port = stub, tokens, desk, access, port

    def call(self, who, method, request):
        return getattr(self.stub, method)(
            request, metadata=(("authorization", f"Bearer {self.tokens[who]}"),), timeout=60
        )

    def cut(self, who, name, until="2024-03-31"):
        return list(
            self.call(who, "CutRelease", pb.CutReleaseRequest(release_id=name, data_until=until))
        )

    def asks(self, who):
        return Client(f"127.0.0.1:{self.port}", token=self.tokens[who])


def refused(code, call, *arguments):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments)
    assert caught.value.code() == code
    return caught.value.details()


def test_a_release_needs_two_people_and_so_does_its_recall(hub):
    said = hub.cut("ann", "2024-Q1")
    assert any("reach_children" in item.progress for item in said[:-1]), "progress is reported"
    assert said[-1].release.state == "draft"
    with hub.asks("zoe") as client:
        assert client.releases() == [], "analysts cannot ask a draft"
        why = refused(
            grpc.StatusCode.FAILED_PRECONDITION,
            hub.call,
            "ann",
            "PublishRelease",
            pb.PublishReleaseRequest(release_id="2024-Q1"),
        )
        assert "another person" in why
        assert (
            hub.call("ben", "CheckRelease", pb.CheckReleaseRequest(release_id="2024-Q1")).narrowest
            >= 5
        )
        published = hub.call(
            "ben", "PublishRelease", pb.PublishReleaseRequest(release_id="2024-Q1")
        ).release
        assert (published.cut_by, published.published_by, published.state) == (
            "ann",
            "ben",
            "published",
        )
        time.sleep(2.1)
        assert client.ask("reach_children").cells[0].count == pytest.approx(90, abs=9)

        asked = hub.call(
            "ben", "RecallRelease", pb.RecallReleaseRequest(release_id="2024-Q1", why="wrong file")
        ).release
        assert asked.state == "recalling"
        refused(
            grpc.StatusCode.FAILED_PRECONDITION,
            hub.call,
            "ben",
            "RecallRelease",
            pb.RecallReleaseRequest(release_id="2024-Q1"),
        )
        assert (
            hub.call(
                "ann", "RecallRelease", pb.RecallReleaseRequest(release_id="2024-Q1")
            ).release.state
            == "recalled"
        )
        time.sleep(2.1)
        with pytest.raises(ClientError, match="no release"):
            client.ask("reach_children")
    refused(grpc.StatusCode.FAILED_PRECONDITION, hub.cut, "ann", "2024-Q1")


def test_only_those_whose_role_it_is_may_and_an_auditor_may_look(hub):
    hub.cut("ann", "2024-Q1")
    for who in ("eve", "zoe"):
        refused(
            grpc.StatusCode.PERMISSION_DENIED,
            hub.call,
            who,
            "PublishRelease",
            pb.PublishReleaseRequest(release_id="2024-Q1"),
        )
    refused(
        grpc.StatusCode.PERMISSION_DENIED,
        hub.call,
        "zoe",
        "ListAllReleases",
        pb.ListAllReleasesRequest(),
    )
    assert [
        item.release_id
        for item in hub.call("eve", "ListAllReleases", pb.ListAllReleasesRequest()).releases
    ] == ["2024-Q1"]
    shown = hub.call("eve", "ShowRelease", pb.ShowReleaseRequest(release_id="2024-Q1"))
    assert json.loads(shown.manifest_json)["policy_id"] == "rounded-5-v1"
    assert len(hub.call("eve", "VerifyReleases", pb.VerifyReleasesRequest()).releases) == 1
    said = [(entry.who, entry.action) for entry in hub.desk.audit_trail()]
    assert ("ann", "release cut") in said
    assert ("eve", "release verify") in said
    assert hub.desk.verify_audit().number == len(said)


def test_a_damaged_draft_is_not_published(hub):
    hub.cut("ann", "2024-Q1")
    path = hub.desk.settings.drafts / "2024-Q1" / "release.json"
    path.write_bytes(path.read_bytes().replace(b"90", b"95"))
    refused(
        grpc.StatusCode.FAILED_PRECONDITION,
        hub.call,
        "ben",
        "PublishRelease",
        pb.PublishReleaseRequest(release_id="2024-Q1"),
    )
    assert not (hub.desk.settings.releases / "2024-Q1").exists()


def test_an_unknown_release_gets_help_and_a_discarded_one_is_gone_for_good(hub):
    unknown = pb.CheckReleaseRequest(release_id="x")
    assert "Cut one first" in refused(
        grpc.StatusCode.FAILED_PRECONDITION, hub.call, "ben", "CheckRelease", unknown
    )
    hub.cut("ann", "2024-Q1")
    hub.call("ann", "DiscardRelease", pb.DiscardReleaseRequest(release_id="2024-Q1"))
    assert "exists already" in refused(
        grpc.StatusCode.FAILED_PRECONDITION, hub.cut, "ben", "2024-Q1"
    )
    assert hub.cut("ben", "2024-Q1b")[-1].release.number == 2


def test_the_second_release_carries_forward_what_did_not_change_and_says_what_did(hub):
    hub.cut("ann", "2024-Q1")
    hub.call("ben", "PublishRelease", pb.PublishReleaseRequest(release_id="2024-Q1"))
    hub.cut("ann", "2024-Q2", "2024-06-30")
    hub.call("ben", "PublishRelease", pb.PublishReleaseRequest(release_id="2024-Q2"))
    time.sleep(2.1)
    with hub.asks("zoe") as client:
        trend = client.trend("reach_children", ["service"])
        assert [point.release.id for point in trend.points] == ["2024-Q1", "2024-Q2"]
        first, second = ([cell.count for cell in point.cells] for point in trend.points)
        assert first == second
        assert any("Adults reached" in note for note in client.describe()["changes"])


def test_the_schedule_cuts_the_draft_that_is_due_and_only_that(hub):
    schedule = app.Schedule(hub.desk, StoreMetrics())
    schedule.look(date(2024, 4, 20))
    schedule.join()
    assert [item.release_id for item in hub.desk.releases()] == ["2023-Q4"], (
        "the first quarter is not 28 days past"
    )
    schedule.look(date(2024, 4, 30))
    schedule.join()
    assert [(item.release_id, item.state, item.cut_by) for item in hub.desk.releases()] == [
        ("2024-Q1", "draft", "the schedule"),
        ("2023-Q4", "draft", "the schedule"),
    ]


def test_rows_kept_too_long_are_deleted_and_that_is_written_down(hub):
    assert hub.desk.expire("ann", date(2026, 6, 1)) == {}
    assert hub.desk.expire("ann", date(2027, 6, 1)) == {"attendance": 90}
    assert hub.desk.audit_trail()[-1].detail == {"attendance": 90}


def test_an_analyst_sees_what_their_purposes_allow_and_what_they_ask_is_written_down(hub):
    hub.cut("ann", "2024-Q1")
    hub.call("ben", "PublishRelease", pb.PublishReleaseRequest(release_id="2024-Q1"))
    with hub.asks("zoe") as client:
        names = {item.id for item in client.measures()}
        assert "reach_children" in names
        assert "asq3_overall" not in names, "no purpose of hers names asq3"
        with pytest.raises(ClientError, match="no measure 'asq3_overall'"):
            client.ask("asq3_overall")
        client.ask("reach_children", ["service"])
        with pytest.raises(ClientError, match="no dimension 'residence'"):
            client.ask("reach_children", ["residence"])
    with hub.asks("eve") as client, pytest.raises(ClientError, match="role analyst"):
        client.ask("reach_children")
    deadline = time.monotonic() + 10
    while len(hub.access.trail.read()) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    said = [(entry.who, entry.action, entry.detail["outcome"]) for entry in hub.access.trail.read()]
    assert ("zoe", "Query", "NOT_FOUND") in said
    assert ("zoe", "Query", "OK") in said
    assert hub.access.trail.verify().number == len(hub.access.trail.read())
