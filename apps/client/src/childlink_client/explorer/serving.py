"""Serves the explorer with waitress, on this machine only unless `beyond` is set."""

import ipaddress
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from childlink_client.boundaries import Boundaries
from childlink_client.client import Client
from childlink_client.errors import ClientError
from childlink_client.explorer.gate import Ticket
from childlink_client.explorer.page import create_explorer


@dataclass(frozen=True)
class Explorer:
    """A running explorer."""

    url: str
    """Its address, with the ticket that works once."""
    _server: Any
    _thread: threading.Thread

    def wait(self) -> None:
        """Wait until it ends or is interrupted."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def close(self) -> None:
        """Stop it."""
        self._server.close()
        self._thread.join(5)


def start(
    client: Client,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    beyond: bool = False,
    boundaries: Boundaries | None = None,
) -> Explorer:
    """Start serving. Port 0 picks a free port. `beyond`: allow other machines to reach it.
    With `boundaries`, areas are drawn on a map. Raises ClientError.
    """
    from waitress.server import create_server

    local = is_local(host)
    if not local and not beyond:
        raise ClientError(
            f"Other machines can reach {host}, and everyone who reaches the explorer asks in"
            " your name. Serve 127.0.0.1 instead. Behind a TLS proxy, add"
            " --beyond-this-machine."
        )
    try:
        listening = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
    except OSError as error:
        raise ClientError(
            f"Port {port} of {host} is not available ({error.strerror}). Try another: --port 0."
        ) from None
    port = listening.getsockname()[1]
    ticket = Ticket()
    here = f"[{host}]" if ":" in host else host
    hosts = {f"{name}:{port}" for name in (here, "localhost")} if local else set()
    # Browsers keep cookies by host and not by port, so two explorers on one machine need two names.
    page = create_explorer(client, ticket, hosts, f"childlink-{port}", boundaries)
    server = create_server(page, sockets=[listening], threads=4, ident="childlink")

    def run() -> None:
        # Another thread closes the server while it waits in `select`.
        with suppress(OSError):
            server.run()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return Explorer(f"http://{here}:{port}/enter?ticket={ticket.text}", server, thread)


def is_local(host: str) -> bool:
    """Whether only this machine can reach it.

    >>> is_local("127.0.0.1"), is_local("localhost"), is_local("0.0.0.0"), is_local("example.org")
    (True, True, False, False)
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
