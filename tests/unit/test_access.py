"""Who gets in: every RPC has a rule, and every role that it does not name is turned away."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from childlink.linker.v1 import operator_pb2, review_pb2, review_pb2_grpc
from childlink_access.guard import Guard
from childlink_access.policy import ROLES, PolicyError, PolicyFile, new_token, parse_policy, sha256
from childlink_access.serving import ServingError, open_port
from childlink_linker.server import RULES
from google.protobuf import empty_pb2

TOKENS = {role: new_token() for role in ROLES}
POLICY = "\n".join(
    f'[[person]]\nname = "a.{role}"\nroles = ["{role}"]\ntoken_sha256 = "{sha256(token)}"'
    for role, token in TOKENS.items()
)
METHODS = [
    f"/{service.full_name}/{method.name}"
    for file in (operator_pb2.DESCRIPTOR, review_pb2.DESCRIPTOR)
    for service in file.services_by_name.values()
    for method in service.methods
]


class Anything(grpc.GenericRpcHandler):
    """Answers every method with nothing, so that only the guard decides."""

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
    server = grpc.server(ThreadPoolExecutor(2), interceptors=[Guard(PolicyFile(policy_file).now, RULES)])
    server.add_generic_rpc_handlers([Anything()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    server.stop(0).wait()


def call(channel, method, token=None):
    """OK, or the code of the refusal."""
    metadata = [("authorization", f"Bearer {token}")] if token else []
    ask = channel.unary_unary(method, empty_pb2.Empty.SerializeToString, empty_pb2.Empty.FromString)
    try:
        ask(empty_pb2.Empty(), metadata=metadata, timeout=5)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def test_every_method_of_the_linkers_services_has_a_rule():
    assert METHODS
    assert set(METHODS) <= set(RULES)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("method", METHODS)
def test_a_method_answers_the_roles_that_its_rule_names_and_no_other(channel, method, role):
    allowed = role in RULES[method]
    assert call(channel, method, TOKENS[role]) == (grpc.StatusCode.OK if allowed else grpc.StatusCode.PERMISSION_DENIED)


@pytest.mark.parametrize("method", METHODS)
def test_without_a_known_token_nobody_gets_in(channel, method):
    assert call(channel, method) == grpc.StatusCode.UNAUTHENTICATED
    assert call(channel, method, new_token()) == grpc.StatusCode.UNAUTHENTICATED


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
            '[[person]]\nname = "a"\nroles = []\ncertificate = "c"\n[[person]]\nname = "b"\nroles = []\ncertificate = "c"',
            "same certificate",
        ),
        ("name = [", "no TOML"),
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
    from childlink_linker.review_service import ReviewService

    from tests.support.people import NHS

    linker.send("trust-a", child("trust-a", "1", nhs=NHS[0]))
    linker.send("council-b", child("council-b", "1", nhs=NHS[1], postcode="SE24 0AA"))
    server = grpc.server(ThreadPoolExecutor(2), interceptors=[Guard(lambda: parse_policy(POLICY), RULES)])
    review_pb2_grpc.add_ReviewServiceServicer_to_server(ReviewService(linker.desk()), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    me = [("authorization", f"Bearer {TOKENS['steward']}")]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = review_pb2_grpc.ReviewServiceStub(channel)
        [case] = stub.ListCases(review_pb2.ListCasesRequest(), metadata=me).cases
        assert not case.doubts[0].comparisons
        [doubt] = stub.GetCase(review_pb2.GetCaseRequest(number=case.number), metadata=me).case.doubts
        said = {finding.what: finding.outcome for finding in doubt.comparisons[0].findings}
        assert said["NHS number"] == "different"
        verdict = review_pb2.PairVerdict(pair=doubt.pair, verdict=review_pb2.VERDICT_SAME)
        done = stub.Decide(review_pb2.DecideRequest(verdicts=[verdict], reason="spoke to both"), metadata=me)
        assert done.links_changed == 1
        assert not stub.ListCases(review_pb2.ListCasesRequest(), metadata=me).cases
        [decision] = stub.ListDecisions(review_pb2.ListDecisionsRequest(), metadata=me).decisions
        assert (decision.steward, decision.reason) == ("a.steward", "spoke to both")
        stub.UndoDecision(review_pb2.UndoDecisionRequest(decision_id=decision.decision_id), metadata=me)
        assert len(stub.ListCases(review_pb2.ListCasesRequest(), metadata=me).cases) == 1
        with pytest.raises(grpc.RpcError, match="No case"):
            stub.GetCase(review_pb2.GetCaseRequest(number=999), metadata=me)
    server.stop(0).wait()
