"""Who gets in: the browser that brings the ticket, which is good once; and no page of another
site.
"""

import hmac
import secrets
import threading
from collections.abc import Collection
from typing import Final

from flask import Flask, Response, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_OPEN: Final = ("enter", "static")


class Ticket:
    """A secret that opens the door once: an address that is read over a shoulder, or in a history,
    opens nothing.
    """

    def __init__(self) -> None:
        self.text = secrets.token_urlsafe(32)
        self._used = False
        self._lock = threading.Lock()

    def use(self, given: str) -> bool:
        """Whether this is it, for the first time."""
        with self._lock:
            if self._used or not hmac.compare_digest(given.encode(), self.text.encode()):
                return False
            self._used = True
            return True


def add_gate(page: Flask, ticket: Ticket, hosts: Collection[str]) -> None:
    """Let nobody in without the ticket. `hosts`: the names that the page goes by; empty where it
    cannot know them.
    """

    @page.before_request
    def let_in() -> None:
        # Another site's name may lead to this machine too (DNS rebinding).
        if hosts and request.host not in hosts:
            abort(403)
        if request.endpoint not in _OPEN and not session.get("in"):
            abort(403)

    @page.get("/enter")
    def enter() -> ResponseReturnValue:
        if not session.get("in") and not ticket.use(request.args.get("ticket", "")):
            abort(403)
        session["in"] = True
        return redirect(url_for("start"))

    @page.after_request
    def protect(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    @page.errorhandler(403)
    def refuse(_error: Exception) -> ResponseReturnValue:
        # A link in a letter is another site's: the browser sends the cookie only with what is
        # followed from here.
        again = request.full_path if request.endpoint not in _OPEN and request.endpoint else ""
        return render_template("refused.html", again=again), 403
