"""Opens a gRPC server's port: with TLS and client certificates where they are set, else on this
host alone.
"""

import ipaddress
from pathlib import Path
from typing import Final

import grpc
from childlink_core.errors import UserError

from childlink_access.revoked import RevokedCertificates

# Requests are small; nothing that is larger is read.
_MOST_REQUEST_BYTES: Final = 64 * 1024
SERVER_OPTIONS: Final = (
    ("grpc.max_receive_message_length", _MOST_REQUEST_BYTES),
    # Nothing compressed is taken: 64 KiB of it could be 64 MiB of zeros. Bit 0: not compressed.
    ("grpc.compression_enabled_algorithms_bitset", 1),
    # Who opens a connection and does not shake hands is put out soon; an idle one later.
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.max_connection_idle_ms", 300_000),
    ("grpc.max_concurrent_streams", 100),
    # One process a port: a second one would get half of the calls.
    ("grpc.so_reuseport", 0),
)
"""For every gRPC server of the hub."""


class ServingError(UserError):
    """The port cannot be opened as it is set."""


def is_local(address: str) -> bool:
    """Whether only this host reaches an address (host:port, or a Unix socket).

    >>> is_local("127.0.0.1:50051"), is_local("[::1]:1"), is_local("localhost:1"), is_local("0.0.0.0:50051")
    (True, True, True, False)
    """  # noqa: E501
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
    """Let a server listen. Returns the port. Raises ServingError where others could listen in or
    nobody is asked who they are.
    """
    if not is_local(address) and not (guarded and certificate):
        raise ServingError(
            f"{address} can be reached from other machines, but there is no policy or no"
            " certificate.",
            "Set policy, grpc_tls_certificate and grpc_tls_key; or serve 127.0.0.1 alone.",
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
    """What a guard asks whether a certificate was revoked. Raises ServingError for a list without
    its authority.
    """
    if file is None:
        return None
    if client_ca is None:
        raise ServingError(
            "There is a revocation list, but no authority.",
            "Set the authority of the callers' certificates.",
        )
    return RevokedCertificates(file, client_ca)


def _credentials(
    certificate: Path, key: Path | None, client_ca: Path | None
) -> grpc.ServerCredentials:
    if key is None:
        raise ServingError("There is a certificate without its key.", "Set grpc_tls_key.")
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
