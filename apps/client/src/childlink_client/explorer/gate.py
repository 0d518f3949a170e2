"""Access control: only the browser that brings the ticket gets in, the ticket works once, and pages
of other sites get no access.
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
    """A secret that gives access once. An address that is read over a shoulder, or from a browser
    history, gives no access.
    """

    def __init__(self) -> None:
        self.text = secrets.token_urlsafe(32)
        self._used = False
        self._lock = threading.Lock()

    def use(self, given: str) -> bool:
        """Whether `given` is the ticket and it was not used before."""
        with self._lock:
            if self._used or not hmac.compare_digest(given.encode(), self.text.encode()):
                return False
            self._used = True
            return True


def add_gate(page: Flask, ticket: Ticket, hosts: Collection[str]) -> None:
    """Refuse every request without the ticket. `hosts`: the host names that the page accepts; empty
    if it cannot know them.
    """

    @page.before_request
    def let_in() -> None:
        # Another site's name may resolve to this machine (DNS rebinding).
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
        # A link in an email counts as another site: the browser sends the cookie only for links
        # followed from this page.
        again = request.full_path if request.endpoint not in _OPEN and request.endpoint else ""
        return render_template("refused.html", again=again), 403
