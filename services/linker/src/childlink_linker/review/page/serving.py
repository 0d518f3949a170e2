"""Serves the stewards' page with waitress on this host. Browsers on other machines use the site's
own TLS proxy.
"""

import threading
from collections.abc import Callable

from childlink_access.policy import PolicyFile
from childlink_access.serving import ServingError, is_local
from flask import Flask
from waitress.server import BaseWSGIServer, MultiSocketServer, create_server

from childlink_linker.review.page import create_page
from childlink_linker.review.workflow import ReviewWorkflow
from childlink_linker.settings import LinkerSettings


def open_server(page: Flask, address: str) -> BaseWSGIServer | MultiSocketServer:
    """Open the listening port. Clients that send nothing for 30 seconds are disconnected, so that
    even a thousand of them do not block others.
    """
    return create_server(
        page,
        listen=address,
        threads=4,
        ident="childlink",
        connection_limit=1_000,
        channel_timeout=30,
    )


def serve_page(settings: LinkerSettings, desk: ReviewWorkflow, secret: bytes) -> Callable[[], None]:
    """Start serving. Returns a function that stops it. Raises ServingError."""
    if settings.policy is None:
        raise ServingError(
            "The review page needs a policy file that lists the data stewards.", "Set `policy`."
        )
    if not is_local(settings.review_address) and not settings.review_behind_tls:
        raise ServingError(
            f"{settings.review_address} can be reached from other machines without TLS.",
            "Serve 127.0.0.1 behind a TLS proxy. Or set review_behind_tls if the network to the"
            " proxy is private.",
        )
    page = create_page(
        desk,
        PolicyFile(settings.policy).now,
        secret,
        secure=settings.review_behind_tls,
        calls_a_minute=settings.grpc_calls_a_minute,
    )
    try:
        server = open_server(page, settings.review_address)
    except (OSError, ValueError) as error:
        raise ServingError(
            f"{settings.review_address} cannot be served ({error}).", "Set another review_address."
        ) from None
    threading.Thread(target=server.run, daemon=True).start()

    def close() -> None:
        server.close()

    return close
