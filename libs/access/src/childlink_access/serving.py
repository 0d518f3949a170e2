"""Opens the port of a gRPC server.

With TLS and client certificates if they are set; otherwise on this host only.
"""

import ipaddress
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
from childlink_core.errors import UserError

from childlink_access.guard import Guard, Refused, Rules
from childlink_access.limits import Limiter
from childlink_access.policy import PolicyFile
from childlink_access.revoked import RevokedCertificates

# Requests are small. Larger ones are refused.
_MOST_REQUEST_BYTES: Final = 64 * 1024
SERVER_OPTIONS: Final = (
    ("grpc.max_receive_message_length", _MOST_REQUEST_BYTES),
    # Compressed messages are refused: 64 KiB could unpack to 64 MiB of zeros. Bit 0: uncompressed.
    ("grpc.compression_enabled_algorithms_bitset", 1),
    # Closes connections without a handshake soon, and idle connections later.
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.max_connection_idle_ms", 300_000),
    ("grpc.max_concurrent_streams", 100),
    # One process per port. A second process would get half of the calls.
    ("grpc.so_reuseport", 0),
)
"""Options of every gRPC server of the hub."""


class ServingError(UserError):
    """The port cannot be opened with these settings."""


def is_local(address: str) -> bool:
    """Whether an address (host:port, or a Unix socket) is reachable from this host only.

    >>> is_local("127.0.0.1:50051"), is_local("[::1]:1"), is_local("localhost:1")
    (True, True, True)
    >>> is_local("0.0.0.0:50051")
    False
    """
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def open_port(
    server: grpc.Server,
    address: str,
    certificate: Path | None,
    key: Path | None,
    client_ca: Path | None,
    *,
    guarded: bool,
) -> int:
    """Make a server listen, and return the port.

    Raises ServingError if the address is reachable from other machines without TLS or without a
    policy, and if the port cannot be opened.
    """
    if not is_local(address) and not (guarded and certificate):
        raise ServingError(
            f"{address} can be reached from other machines, but there is no policy or no"
            " certificate.",
            "Set policy, grpc_tls_certificate and grpc_tls_key; or serve on 127.0.0.1 only.",
        )
    try:
        if certificate is None:
            bound: int = server.add_insecure_port(address)
        else:
            bound = server.add_secure_port(address, _credentials(certificate, key, client_ca))
    except RuntimeError:
        bound = 0
    if not bound:
        raise ServingError(f"{address} cannot be served.", "Is it in use? Set another address.")
    return bound


def revocations(file: Path | None, client_ca: Path | None) -> RevokedCertificates | None:
    """The revocation list for a guard, or None if there is no `file`.

    Raises ServingError if there is a list without its authority.
    """
    if file is None:
        return None
    if client_ca is None:
        raise ServingError(
            "A revocation list is set, but no authority.",
            "Set the authority of the callers' certificates.",
        )
    return RevokedCertificates(file, client_ca)


@dataclass(frozen=True)
class Port:
    """Where a server listens, with what certificate, and whose certificates and policy count."""

    address: str
    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None
    revoked: Path | None = None
    policy: Path | None = None


def start_server(
    where: Port,
    services: Iterable[Callable[[grpc.Server], None]],
    rules: Rules,
    refused: Refused,
    *,
    threads: int,
    most_calls: int | None = None,
    calls_a_minute: int | None = None,
    longest_call_s: float | None = None,
) -> tuple[grpc.Server, int]:
    """Start a guarded server with these services and the health service. Returns it and its port.

    The caller must stop it. `calls_a_minute` is each caller's. Raises ServingError.
    """
    policy = PolicyFile(where.policy).now if where.policy else None
    guard = Guard(
        policy,
        rules,
        refused,
        revoked=revocations(where.revoked, where.client_ca),
        limiter=Limiter(calls_a_minute) if calls_a_minute else None,
        longest_call_s=longest_call_s,
    )
    server = grpc.server(
        ThreadPoolExecutor(max_workers=threads),
        interceptors=[guard],
        options=SERVER_OPTIONS,
        maximum_concurrent_rpcs=most_calls,
    )
    for add in services:
        add(server)
    port = open_port(
        server,
        where.address,
        where.certificate,
        where.key,
        where.client_ca,
        guarded=policy is not None,
    )
    server.start()
    return server, port


def _credentials(
    certificate: Path, key: Path | None, client_ca: Path | None
) -> grpc.ServerCredentials:
    if key is None:
        raise ServingError("A certificate is set without its key.", "Set grpc_tls_key.")
    try:
        return grpc.ssl_server_credentials(
            [(key.read_bytes(), certificate.read_bytes())],
            root_certificates=client_ca.read_bytes() if client_ca else None,
            require_client_auth=client_ca is not None,
        )
    except OSError as error:
        raise ServingError(
            f"{error.filename} cannot be read ({error.strerror}).", "Correct grpc_tls_*."
        ) from None
