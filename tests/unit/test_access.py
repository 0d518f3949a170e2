"""Access: every RPC has a rule, and every role that the rule does not name is refused."""

import importlib
import pkgutil
from concurrent.futures import ThreadPoolExecutor

import childlink.linker.v1
import grpc
import grpc_health.v1
import pytest
import structlog
from childlink.linker.v1 import review_pb2, review_pb2_grpc
from childlink_access.guard import Guard
from childlink_access.limits import Limiter
from childlink_access.policy import PolicyError, PolicyFile, new_token, parse_policy, sha256
from childlink_access.roles import ROLES
from childlink_access.serving import ServingError, open_port
from childlink_core.logs import ALLOWED_FIELDS
from childlink_linker.review.service import ReviewService
from childlink_linker.server import RULES, OperatorService, serve
from childlink_linker.settings import LinkerSettings
from google.protobuf import empty_pb2

from tests.support.people import NHS

TOKENS = {role: new_token() for role in ROLES}
POLICY = "\n".join(
    f'[[person]]\nname = "a.{role}"\nroles = ["{role}"]\ntoken_sha256 = "{sha256(token)}"'
    for role, token in TOKENS.items()
)
# Every method of the linker, and the roles that may call it. This table is not derived from the
# product's rules, so a rule that becomes wider fails here.
EXPECTED = {
    "OperatorService/GetStatus": "operator auditor",
    "ReviewService/ListCases": "steward",
    "ReviewService/GetCase": "steward",
    "ReviewService/Decide": "steward",
    "ReviewService/ListPatterns": "steward",
    "ReviewService/GetPattern": "steward",
    "ReviewService/Propose": "steward",
    "ReviewService/AskPartner": "steward",
    "ReviewService/UndoDecision": "steward",
    "ReviewService/ListDecisions": "steward auditor",
    "Health/Check": "analyst steward operator release_manager auditor",
    "Health/List": "",
    "Health/Watch": "",
}


def methods_of(package):
    """Full names of every method of every service in a package's modules."""
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if module.name.endswith("_pb2"):
            for service in importlib.import_module(
                module.name
            ).DESCRIPTOR.services_by_name.values():
                yield from (f"/{service.full_name}/{method.name}" for method in service.methods)


METHODS = sorted([*methods_of(childlink.linker.v1), *methods_of(grpc_health.v1)])


class Anything(grpc.GenericRpcHandler):
    """Answers every method with an empty message, so that only the guard decides."""

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(
            lambda _request, _context: empty_pb2.Empty(),
            request_deserializer=empty_pb2.Empty.FromString,
            response_serializer=empty_pb2.Empty.SerializeToString,
        )


@pytest.fixture(scope="module")
def policy_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("policy") / "policy.toml"
    path.write_text(POLICY)
    return path


@pytest.fixture(scope="module")
def channel(policy_file):
    server = grpc.server(
        ThreadPoolExecutor(2), interceptors=[Guard(PolicyFile(policy_file).now, RULES)]
    )
    server.add_generic_rpc_handlers([Anything()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    server.stop(0).wait()


def call(channel, method, token=None):
    """OK, or the status code of the refusal."""
    metadata = [("authorization", f"Bearer {token}")] if token else []
    ask = channel.unary_unary(method, empty_pb2.Empty.SerializeToString, empty_pb2.Empty.FromString)
    try:
        ask(empty_pb2.Empty(), metadata=metadata, timeout=5)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def test_every_method_has_a_line_in_the_table_and_every_rule_a_method():
    assert {method.partition(".v1.")[2] for method in METHODS} == EXPECTED.keys()
    assert set(RULES) <= set(METHODS)
    assert set(METHODS) - set(RULES) == {
        f"/grpc.health.v1.Health/{name}" for name in ("List", "Watch")
    }


def test_the_server_answers_no_method_that_is_not_in_the_table(linker, tmp_path, monkeypatch):
    """This test finds a service that is added to the server without a line above."""
    served = []
    monkeypatch.setattr(grpc, "server", lambda *_a, **_k: Registers(served))
    settings = LinkerSettings(directory=tmp_path / "d", grpc_address="127.0.0.1:1")
    serve(
        settings,
        OperatorService(linker.engine, [], ""),
        ReviewService(linker.desk()),
        lambda *_: None,
    )
    assert sorted(served) == METHODS


class Registers:
    """A server that only records the methods that it is given."""

    def __init__(self, served):
        self.served = served

    def add_generic_rpc_handlers(self, handlers):
        for handler in handlers:
            self.served += handler._method_handlers

    def add_registered_method_handlers(self, _service, _handlers):
        pass

    def add_insecure_port(self, _address):
        return 1

    def start(self):
        pass


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("method", METHODS)
def test_a_method_answers_the_roles_that_its_rule_names_and_no_other(channel, method, role):
    allowed = role in EXPECTED[method.partition(".v1.")[2]].split()
    assert call(channel, method, TOKENS[role]) == (
        grpc.StatusCode.OK if allowed else grpc.StatusCode.PERMISSION_DENIED
    )


@pytest.mark.parametrize("method", METHODS)
def test_without_a_known_token_nobody_gets_in(channel, method):
    assert call(channel, method) == grpc.StatusCode.UNAUTHENTICATED
    assert call(channel, method, new_token()) == grpc.StatusCode.UNAUTHENTICATED


def guarded(**terms):
    """A channel to a server with all services, with further rules."""
    refusals = []
    guard = Guard(
        lambda: parse_policy(POLICY), RULES, lambda *refusal: refusals.append(refusal), **terms
    )
    server = grpc.server(ThreadPoolExecutor(2), interceptors=[guard])
    server.add_generic_rpc_handlers([Anything()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, grpc.insecure_channel(f"127.0.0.1:{port}"), refusals


STATUS = "/childlink.linker.v1.OperatorService/GetStatus"


def test_a_caller_may_call_so_often_and_others_are_not_held_up():
    now = [0.0]
    server, channel, refusals = guarded(limiter=Limiter(60, clock=lambda: now[0]))
    with channel:
        codes = [call(channel, STATUS, TOKENS["operator"]) for _ in range(61)]
        assert codes == [grpc.StatusCode.OK] * 60 + [grpc.StatusCode.RESOURCE_EXHAUSTED]
        assert refusals == [("a.operator", STATUS, "too_many")]
        assert call(channel, STATUS, TOKENS["auditor"]) == grpc.StatusCode.OK
        now[0] = 2.0
        codes = [call(channel, STATUS, TOKENS["operator"]) for _ in range(3)]
        assert codes == [grpc.StatusCode.OK] * 2 + [grpc.StatusCode.RESOURCE_EXHAUSTED]
        # Refused calls count as well: trying every method is also calling.
        now[0] = 3.0
        assert call(channel, METHODS[0], TOKENS["operator"]) == grpc.StatusCode.OK
        with pytest.raises(
            grpc.RpcError, match=r"More than 60 calls a minute. Call again in 1.0 seconds."
        ):
            channel.unary_unary(STATUS)(
                b"", metadata=[("authorization", f"Bearer {TOKENS['operator']}")], timeout=5
            )
    server.stop(0).wait()


def test_a_call_must_have_a_deadline_and_not_a_long_one():
    server, channel, refusals = guarded(longest_call_s=10)
    me = [("authorization", f"Bearer {TOKENS['operator']}")]
    with channel:
        ask = channel.unary_unary(STATUS)
        ask(b"", metadata=me, timeout=10)
        for deadline in (None, 60):
            with pytest.raises(grpc.RpcError, match=r"Set a deadline of at most 10 seconds."):
                ask(b"", metadata=me, timeout=deadline)
    assert [why for _, _, why in refusals] == ["no_deadline", "no_deadline"]
    server.stop(0).wait()


def test_the_log_names_who_was_turned_away_from_what_and_why():
    server, channel, _ = guarded()
    with channel, structlog.testing.capture_logs() as logged:
        call(channel, STATUS, TOKENS["analyst"])
        call(channel, STATUS, new_token())
    assert [(line["caller"], line["method"], line["reason"]) for line in logged] == [
        ("a.analyst", STATUS, "denied"),
        ("unknown", STATUS, "unauthenticated"),
    ]
    assert set(logged[0]) <= {*ALLOWED_FIELDS, "log_level"}
    server.stop(0).wait()


def test_a_caller_is_not_told_what_the_database_said():
    class Breaks(Anything):
        def service(self, details):
            def fail(_request, context):
                if details.method.endswith("GetCase"):
                    context.abort(grpc.StatusCode.NOT_FOUND, "no such case")
                raise ValueError("INSERT INTO secret VALUES (1)")

            return grpc.unary_unary_rpc_method_handler(fail)

    server = grpc.server(ThreadPoolExecutor(2), interceptors=[Guard(None, RULES)])
    server.add_generic_rpc_handlers([Breaks()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        with pytest.raises(grpc.RpcError) as failed:
            channel.unary_unary(STATUS)(b"", timeout=5)
        assert failed.value.code() == grpc.StatusCode.INTERNAL
        assert "secret" not in str(failed.value)
        with pytest.raises(grpc.RpcError, match="no such case"):
            channel.unary_unary("/childlink.linker.v1.ReviewService/GetCase")(b"", timeout=5)
    server.stop(0).wait()


def test_a_method_without_a_rule_is_nobodys(channel):
    assert (
        call(channel, "/childlink.linker.v1.ReviewService/Brandnew", TOKENS["operator"])
        == grpc.StatusCode.PERMISSION_DENIED
    )


def test_who_is_taken_out_of_the_file_is_shut_out_with_the_next_call(tmp_path, policy_file):
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    policy = PolicyFile(path)
    assert policy.now().by_token(TOKENS["steward"]).name == "a.steward"
    path.write_text(POLICY.replace(sha256(TOKENS["steward"]), sha256("another")))
    assert policy.now().by_token(TOKENS["steward"]) is None
    path.write_text("nonsense")
    with pytest.raises(PolicyError):
        policy.now()
    with pytest.raises(PolicyError):
        policy.now()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[person]]\nname = "a"\nroles = ["queen"]\ncertificate = "c"', "no role 'queen'"),
        ('[[person]]\nname = "a"\nroles = ["steward"]', "no way to prove"),
        ('[[person]]\nname = "a"\nroles = []\ncertificate = "c"\nshoe = 1', "unknown 'shoe'"),
        (
            (
                '[[person]]\nname = "a"\nroles = []\ncertificate = "c"\n[[person]]\nname ='
                ' "b"\nroles = []\ncertificate = "c"'
            ),
            "same certificate",
        ),
        ("name = [", "not TOML"),
        ('[person]\nname = "a"', "two brackets"),
        ("oidc = 1", "one bracket"),
        ('[[person]]\nname = "a"\nroles = []\ntoken_sha256 = "é"', "not a SHA-256"),
        ('[[person]]\nname = "a"\nroles = []\nsubject = "s"', "the policy file has no issuer"),
        ('[oidc]\nissuer = "https://i"', "no audience"),
        ('[oidc]\nissuer = "https://i"\naudience = "a"\nsecret = "s"', "unknown 'secret'"),
    ],
)
def test_a_wrong_policy_says_what_is_wrong(text, says):
    with pytest.raises(PolicyError, match=says):
        parse_policy(text)


def test_a_port_that_others_reach_is_not_opened_without_policy_and_certificate():
    server = grpc.server(ThreadPoolExecutor(1))
    with pytest.raises(ServingError, match="other machines"):
        open_port(server, "0.0.0.0:0", None, None, None, guarded=True)


def test_the_review_service_says_what_the_page_says(linker, child):
    linker.send("trust-a", child("trust-a", "1", nhs=NHS[0]))
    linker.send("council-b", child("council-b", "1", nhs=NHS[1], postcode="SE24 0AA"))
    server = grpc.server(
        ThreadPoolExecutor(2), interceptors=[Guard(lambda: parse_policy(POLICY), RULES)]
    )
    review_pb2_grpc.add_ReviewServiceServicer_to_server(ReviewService(linker.desk()), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    me = [("authorization", f"Bearer {TOKENS['steward']}")]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = review_pb2_grpc.ReviewServiceStub(channel)
        [case] = stub.ListCases(review_pb2.ListCasesRequest(), metadata=me).cases
        assert not case.doubts[0].comparisons
        [doubt] = stub.GetCase(
            review_pb2.GetCaseRequest(number=case.number), metadata=me
        ).case.doubts
        said = {finding.what: finding.outcome for finding in doubt.comparisons[0].findings}
        assert said["NHS number"] == "different"
        verdict = review_pb2.PairVerdict(pair=doubt.pair, verdict=review_pb2.VERDICT_SAME)
        done = stub.Decide(
            review_pb2.DecideRequest(verdicts=[verdict], reason="spoke to both"), metadata=me
        )
        assert done.links_changed == 1
        assert not stub.ListCases(review_pb2.ListCasesRequest(), metadata=me).cases
        [decision] = stub.ListDecisions(review_pb2.ListDecisionsRequest(), metadata=me).decisions
        assert (decision.steward, decision.reason) == ("a.steward", "spoke to both")
        stub.UndoDecision(
            review_pb2.UndoDecisionRequest(decision_id=decision.decision_id), metadata=me
        )
        assert len(stub.ListCases(review_pb2.ListCasesRequest(), metadata=me).cases) == 1
        with pytest.raises(grpc.RpcError, match="No case"):
            stub.GetCase(review_pb2.GetCaseRequest(number=999), metadata=me)
    server.stop(0).wait()
