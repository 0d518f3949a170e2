"""Messages that try to exhaust or confuse the linker's gRPC port. Each is refused and counted, and
the service continues to answer.
"""

import random
import socket
import ssl
import subprocess
import sys
import threading
import time

import grpc
import pytest
from childlink.linker.v1 import operator_pb2, review_pb2

from tests.attacks.access.conftest import code_of, get_status

C = grpc.StatusCode
STATUS = "/childlink.linker.v1.OperatorService/GetStatus"
LIST_CASES = "/childlink.linker.v1.ReviewService/ListCases"
CALLS = 2_000
GRPC_LIMIT = 64 * 1024


def test_a_message_that_is_too_large_is_not_read(service):
    with service.channel("monitor") as channel:
        ask = channel.unary_unary(STATUS)
        assert code_of(lambda: ask(b"\x00" * (GRPC_LIMIT + 1), timeout=5)) == C.RESOURCE_EXHAUSTED
        assert code_of(lambda: ask(b"\x00" * 50_000_000, timeout=20)) == C.RESOURCE_EXHAUSTED
        wait_for(lambda: service.refused("unreadable") == 2)


BOMB = """
import sys, grpc
address, ca, public, private = sys.argv[1:]
read = lambda path: open(path, "rb").read()
credentials = grpc.ssl_channel_credentials(read(ca), read(private), read(public))
options = [("grpc.max_send_message_length", -1)]
with grpc.secure_channel(address, credentials, options, compression=grpc.Compression.Gzip) as channel:
    try:
        channel.unary_unary("%s")(bytes(40_000_000), timeout=20)
        print("OK")
    except grpc.RpcError as error:
        print(error.code().name, error.details())
"""  # noqa: E501


def test_zeros_that_were_compressed_a_thousandfold_are_not_unpacked(service):
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    public, private = service.certificates["monitor"]
    # Sent from another process, so that growing memory in this one is the service's.
    arguments = [
        sys.executable,
        "-c",
        BOMB % STATUS,
        service.address,
        service.pki.ca,
        public,
        private,
    ]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split()[0] == "UNIMPLEMENTED", done.stdout
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
    wait_for(lambda: service.refused("unreadable") == 1)


def test_connections_that_never_shake_hands_hold_nobody_up_and_are_closed(service):
    host, port = service.address.split(":")
    silent = [socket.create_connection((host, int(port)), timeout=15) for _ in range(200)]
    for sock in silent[:100]:
        # The start of a TLS handshake, and nothing more.
        sock.sendall(b"\x16\x03\x01\x02")
    started = time.monotonic()
    assert service.healthy()
    assert time.monotonic() - started < 3
    for sock in silent:
        with sock:
            assert drained(sock), "closed from the other side"
    assert time.monotonic() - started < 15


def test_connections_that_send_half_a_request_hold_nobody_up(service):
    public, private = service.certificates["stranger"]
    context = ssl.create_default_context(cafile=str(service.pki.ca))
    context.load_cert_chain(public, private)
    context.set_alpn_protocols(["h2"])
    host, port = service.address.split(":")
    held = []
    for _ in range(60):
        tls = context.wrap_socket(
            socket.create_connection((host, int(port)), timeout=5), server_hostname="localhost"
        )
        # Preface, SETTINGS, and a HEADERS frame that announces more than the attacker sends.
        tls.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
            + b"\x00\x10\x00\x01\x00"
        )
        held.append(tls)
    assert service.healthy()
    for tls in held:
        tls.close()


@pytest.mark.parametrize(
    ("who", "code", "why"),
    [
        ("stranger", C.UNAUTHENTICATED, "unauthenticated"),
        ("n-steward", C.DEADLINE_EXCEEDED, ""),
    ],
)
def test_calls_that_never_send_their_message_do_not_take_the_service_away(service, who, code, why):
    """gRPC's own servers wait for a message in a worker thread. As many such calls as there are
    threads would block the service for all callers.
    """
    never = threading.Event()

    def message():
        never.wait()
        yield b""

    with service.channel(who) as channel:
        asks = [channel.stream_unary(LIST_CASES).future(message(), timeout=4) for _ in range(20)]
        started = time.monotonic()
        if why:
            assert service.healthy(), "a stranger blocks no threads at all"
            assert time.monotonic() - started < 2
        assert {code_of(ask.result) for ask in asks} == {code}
    never.set()
    assert service.refused("unauthenticated") == (20 if why else 0)
    wait_for(service.healthy)


def test_a_call_that_would_never_end_is_refused(service):
    with service.channel("monitor") as channel:
        assert code_of(lambda: get_status(channel, timeout=None)) == C.INVALID_ARGUMENT
        assert code_of(lambda: get_status(channel, timeout=3600)) == C.INVALID_ARGUMENT
    assert service.refused("no_deadline") == 2


def test_malformed_messages_are_refused_one_by_one(patient_service):
    """The other 8,000 of the 10,000 messages are in test_bus.py."""
    service, rng = patient_service, random.Random(6)
    good = [
        review_pb2.DecideRequest(
            verdicts=[review_pb2.PairVerdict(pair=review_pb2.Pair(), verdict=1)], reason="r"
        ).SerializeToString(),
        review_pb2.GetCaseRequest(number=7).SerializeToString(),
        operator_pb2.GetStatusRequest().SerializeToString(),
    ]
    methods = [
        f"/childlink.linker.v1.ReviewService/{name}"
        for name in ("Decide", "GetCase", "ListCases", "AskPartner")
    ]
    codes = []
    with service.channel("n-steward") as channel:
        asks = {method: channel.unary_unary(method) for method in methods}
        for _ in range(CALLS // 20):
            batch = [
                asks[rng.choice(methods)].future(spoilt(rng, rng.choice(good)), timeout=20)
                for _ in range(20)
            ]
            codes += [code_of(ask.result) for ask in batch]
    assert len(codes) == CALLS
    assert set(codes) <= {C.OK, C.INVALID_ARGUMENT, C.FAILED_PRECONDITION}, set(codes)
    assert service.refused("unreadable") > CALLS // 5, "many are not valid messages at all"
    assert not service.linker.partition()


def spoilt(rng, message):
    """A message with bytes changed, cut off or added; or random bytes."""
    made = bytearray(message if rng.random() < 0.6 else rng.randbytes(rng.randrange(1, 200)))
    for _ in range(rng.randrange(1, 4)):
        if made:
            made[rng.randrange(len(made))] = rng.randrange(256)
    return bytes(made[: rng.randrange(len(made) + 1)]) + rng.randbytes(rng.randrange(6))


def wait_for(true, seconds=10):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def drained(sock):
    """Whether the other side closes the connection."""
    try:
        while sock.recv(4096):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True
