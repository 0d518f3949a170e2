"""Callers without access at the linker's gRPC port. Each is refused and, where the service sees the
call, counted; the service continues to answer.

A failed handshake is refused below the service, in gRPC's own TLS. For that reason its metric does
not count such calls.
"""

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import grpc
import pytest
from childlink.linker.v1 import review_pb2, review_pb2_grpc

from tests.attacks.access.conftest import code_of, get_status
from tests.support.pki import OperatorsAuthority, revocation_list

C = grpc.StatusCode
NOW = datetime.now(UTC)


def test_an_analyst_who_calls_an_operators_method_is_denied(service):
    with service.channel("a-shah") as channel:
        assert code_of(lambda: get_status(channel)) == C.PERMISSION_DENIED
        stewards = review_pb2_grpc.ReviewServiceStub(channel)
        assert (
            code_of(lambda: stewards.ListCases(review_pb2.ListCasesRequest(), timeout=5))
            == C.PERMISSION_DENIED
        )
    assert service.refused("denied") == 2


def test_a_certificate_of_the_authority_that_the_policy_does_not_name_is_nobodys(service):
    with service.channel("stranger") as channel:
        assert code_of(lambda: get_status(channel)) == C.UNAUTHENTICATED
    assert service.refused("unauthenticated") == 1


def test_an_expired_certificate_gets_no_connection(service):
    with service.channel("", service.pki.issue("analyst", "n-steward", days=0)) as channel:
        assert code_of(lambda: get_status(channel)) == C.UNAVAILABLE


def test_a_certificate_of_another_authority_gets_no_connection(service, tmp_path):
    forged = OperatorsAuthority(tmp_path / "forger" / "authority").issue("analyst", "monitor")
    with service.channel("", forged) as channel:
        assert code_of(lambda: get_status(channel)) == C.UNAVAILABLE


def test_without_a_certificate_a_token_does_not_help(service):
    credentials = grpc.ssl_channel_credentials(service.pki.ca.read_bytes())
    with grpc.secure_channel(service.address, credentials) as channel:
        me = [("authorization", f"Bearer {service.token}")]
        assert code_of(lambda: get_status(channel, metadata=me)) == C.UNAVAILABLE
    with service.channel("stranger") as channel:
        assert code_of(lambda: get_status(channel, metadata=me)) == C.OK, "the token is good"


def test_a_revoked_certificate_is_refused_with_the_next_call_on_an_open_connection_too(service):
    with service.channel("n-steward") as steward, service.channel("stranger") as stranger:
        ask = review_pb2_grpc.ReviewServiceStub(steward).ListCases
        assert code_of(lambda: ask(review_pb2.ListCasesRequest(), timeout=5)) == C.OK
        me = [("authorization", f"Bearer {service.token}")]
        assert code_of(lambda: get_status(stranger, metadata=me)) == C.OK
        service.revoke("n-steward")
        assert code_of(lambda: ask(review_pb2.ListCasesRequest(), timeout=5)) == C.UNAUTHENTICATED
        service.revoke("stranger")
        assert code_of(lambda: get_status(stranger, metadata=me)) == C.UNAUTHENTICATED, (
            "nor with another person's token"
        )
    with service.channel("n-steward") as anew:
        assert code_of(lambda: get_status(anew)) == C.UNAUTHENTICATED
    assert service.refused("revoked") == 3
    service.certificates["n-steward"] = service.pki.issue("analyst", "n-steward")
    with service.channel("n-steward") as renewed:
        ask = review_pb2_grpc.ReviewServiceStub(renewed).ListCases
        assert code_of(lambda: ask(review_pb2.ListCasesRequest(), timeout=5)) == C.OK, (
            "a new certificate is not the revoked one"
        )


def test_while_nobody_knows_who_was_revoked_no_certificate_gets_in(service, tmp_path):
    kept = (service.published / "crl.pem").read_bytes()
    forged = OperatorsAuthority(tmp_path / "forger" / "authority")
    older = revocation_list(service.pki, NOW - timedelta(days=9), NOW + timedelta(days=9))
    before = service.refused("no_revocation_list")
    with service.channel("monitor") as channel:
        assert code_of(lambda: get_status(channel)) == C.OK
    for spoilt in (None, b"nonsense", (forged.folder / "crl.pem").read_bytes(), older):
        if spoilt is None:
            (service.published / "crl.pem").unlink()
        else:
            (service.published / "crl.pem").write_bytes(spoilt)
        with service.channel("monitor") as channel:
            assert code_of(lambda: get_status(channel)) == C.UNAUTHENTICATED
    assert service.refused("no_revocation_list") == before + 4
    (service.published / "crl.pem").write_bytes(kept)


def test_a_plaintext_connection_is_closed_without_an_answer(service):
    with grpc.insecure_channel(service.address) as channel:
        assert code_of(lambda: get_status(channel)) == C.UNAVAILABLE
    host, port = service.address.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as sock:
        sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
        sock.settimeout(10)
        # An HTTP/2 answer would begin with a SETTINGS frame: length (3 bytes), then type 4.
        assert sock.recv(100)[3:4] != b"\x04"


@pytest.mark.parametrize(
    ("version", "speaks"),
    [("TLSv1", False), ("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_downgraded_connection_is_refused(service, version, speaks):
    public, private = service.certificates["monitor"]
    context = ssl.create_default_context(cafile=str(service.pki.ca))
    # This OpenSSL would not offer the old versions by itself. The test must show that the server
    # refuses them.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(public, private)
    context.set_alpn_protocols(["h2"])
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    host, port = service.address.split(":")

    def shake():
        with (
            socket.create_connection((host, int(port)), timeout=5) as sock,
            context.wrap_socket(sock, server_hostname="localhost") as tls,
        ):
            return tls.version()

    if speaks:
        assert shake() == version.replace("_", ".")
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)) as refused:
            shake()
        assert "NO_PROTOCOLS" not in str(refused.value), "the attacker's own library refused"


def test_whoever_calls_all_the_time_is_told_to_wait_and_others_are_not_held_up(service):
    with service.channel("n-steward") as channel, ThreadPoolExecutor(8) as pool:
        ask = review_pb2_grpc.ReviewServiceStub(channel).ListCases
        call = partial(ask, review_pb2.ListCasesRequest(), timeout=10)
        codes = list(pool.map(lambda _: code_of(call), range(400)))
        assert service.healthy()
    assert set(codes) == {C.OK, C.RESOURCE_EXHAUSTED}
    assert 300 <= codes.count(C.OK) < 350
    assert service.refused("too_many") == codes.count(C.RESOURCE_EXHAUSTED)
