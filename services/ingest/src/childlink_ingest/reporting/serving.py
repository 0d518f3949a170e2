"""Serves a site's metrics and read-only status page on one port, or pushes the metrics.

Push them if the site allows no inbound connections.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from childlink_core.errors import UserError
from prometheus_client import CollectorRegistry, make_wsgi_app, push_to_gateway


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Do nothing: requests are not logged."""


def serve(
    port: int, address: str, registry: CollectorRegistry, page: Callable[[], str]
) -> WSGIServer:
    """Serve `/metrics`, and at `/` the page that `page` makes.

    Returns the server, which runs in a thread. Raises UserError.
    """
    metrics = make_wsgi_app(registry)

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == "/metrics":
            return metrics(environ, start)  # type: ignore[no-any-return]
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            start("405 Method Not Allowed", [("Allow", "GET, HEAD")])
            return [b""]
        if environ.get("PATH_INFO") not in ("/", ""):
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"Available: / and /metrics.\n"]
        body = page().encode()
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))]
        start(
            "200 OK",
            [*headers, ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")],
        )
        return [body]

    try:
        server = make_server(address, port, application, handler_class=_Quiet)
    except OSError as error:
        raise UserError(
            f"The server cannot listen on {address}:{port} ({error.strerror}).",
            "Set another metrics_port.",
        ) from None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def push(gateway: str, partner: str, registry: CollectorRegistry) -> None:
    """Push the metrics to a Pushgateway. Raises UserError if it does not accept them."""
    try:
        push_to_gateway(
            gateway,
            job="childlink-ingest",
            grouping_key={"instance": partner},
            registry=registry,
            timeout=10,
        )
    except (OSError, ValueError) as error:
        raise UserError(
            f"The push gateway did not accept the metrics ({type(error).__name__}).",
            "Check push_gateway.",
        ) from None
