"""The data stewards' page: decide doubtful links with the keyboard. It is rendered on the server
and works without its script.

`workflow` decides what is shown and what a decision does. This module handles sign-in and
presentation. A session is a signed cookie with the hash of an access token. If the token is removed
from the policy file, its sessions end.

Requests are limited. Each steward may load a number of pages in a minute. Of wrong tokens, only a
limited number in a minute reaches the audit trail. A valid token is always accepted, however many
wrong ones came before.
"""

import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from childlink_access.limits import Limiter
from childlink_access.policy import Person, Policy, sha256
from childlink_core import __version__
from childlink_core.errors import UserError
from flask import (
    Flask,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from childlink_linker.clustering.verdicts import PROPOSALS, Verdict
from childlink_linker.review.cases import Pair
from childlink_linker.review.workflow import ReviewWorkflow

_IDLE: Final = timedelta(minutes=30)
_LONGEST_REASON: Final = 500
_SHORTCUTS: Final[dict[Verdict, str]] = {
    "same": "S",
    "different": "D",
    "unsure": "U",
    "passed": "P",
}
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action"
        " 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_OPEN: Final = ("sign_in", "static")
_WRONG_TOKENS_A_MINUTE: Final = 20


def create_page(
    desk: ReviewWorkflow,
    policy: Callable[[], Policy],
    secret: bytes,
    *,
    secure: bool,
    calls_a_minute: int = 600,
) -> Flask:
    """The page as a WSGI application. `secure`: send cookies over TLS only. `calls_a_minute`: limit
    for each steward.
    """
    page = Flask(__name__)
    page.config.update(
        SECRET_KEY=secret,
        SESSION_COOKIE_NAME="childlink_review",
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=secure,
        PERMANENT_SESSION_LIFETIME=_IDLE,
        MAX_CONTENT_LENGTH=64 * 1024,
    )
    page.jinja_env.globals.update(
        version=__version__, shortcuts=_SHORTCUTS, longest_reason=_LONGEST_REASON
    )
    page.jinja_env.filters.update(
        day=_day, bits=lambda bits: f"{round(bits):+d}".replace("-", "\N{MINUS SIGN}"), odds=_odds
    )
    page.jinja_env.filters["share"] = lambda share: f"{share:.0%}"

    def person() -> Person | None:
        return next(
            (
                p
                for p in policy().people
                if p.token_sha256 and p.token_sha256 == session.get("token")
            ),
            None,
        )

    def who() -> str:
        found = person()
        if found is None:
            abort(403)
        return found.name

    _add_gate(page, person, Limiter(calls_a_minute))
    _add_sign_in(page, desk, policy)
    _add_cases(page, desk, who)
    _add_patterns(page, desk, who)
    return page


def _add_gate(page: Flask, caller: Callable[[], Person | None], limiter: Limiter) -> None:
    @page.before_request
    def let_in() -> ResponseReturnValue | None:
        if request.method == "POST" and not _from_here():
            abort(403)
        if request.endpoint in _OPEN:
            return None
        person = caller()
        if person is None:
            session.clear()
            return redirect(url_for("sign_in"))
        if "steward" not in person.roles:
            abort(403)
        wait_s = limiter.wait_s(person.name)
        return _too_many(wait_s) if wait_s else None

    @page.after_request
    def protect(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    @page.errorhandler(UserError)
    def tell(error: UserError) -> ResponseReturnValue:
        return render_template("problem.html", problem=error), 409

    @page.errorhandler(403)
    def refuse(_error: Exception) -> ResponseReturnValue:
        return render_template("problem.html", problem=None), 403


def _too_many(wait_s: float) -> ResponseReturnValue:
    problem = UserError(
        "Too many calls within a minute.", f"Wait {math.ceil(wait_s)} s and load the page again."
    )
    return (
        render_template("problem.html", problem=problem),
        429,
        {"Retry-After": str(math.ceil(wait_s))},
    )


def _add_sign_in(page: Flask, desk: ReviewWorkflow, policy: Callable[[], Policy]) -> None:
    wrong_tokens = Limiter(_WRONG_TOKENS_A_MINUTE)

    @page.route("/sign-in", methods=["GET", "POST"])
    def sign_in() -> ResponseReturnValue:
        wrong = False
        if request.method == "POST":
            person = policy().by_token(request.form.get("token", "").strip())
            if person and "steward" in person.roles:
                session.permanent = True
                session["token"] = sha256(request.form["token"].strip())
                desk.note(person.name, "review sign in")
                return redirect(url_for("waiting"))
            # One limit for all callers: behind a proxy they share one address.
            if wait_s := wrong_tokens.wait_s(""):
                return _too_many(wait_s)
            desk.note(person.name if person else "somebody", "review sign in: refused")
            wrong = True
        return render_template("sign_in.html", wrong=wrong), 403 if wrong else 200

    @page.post("/sign-out")
    def sign_out() -> ResponseReturnValue:
        session.clear()
        return redirect(url_for("sign_in"))


def _add_cases(page: Flask, desk: ReviewWorkflow, who: Callable[[], str]) -> None:
    def show(number: int, reason: str, problem: str = "") -> str:
        found, comparisons = desk.case(who(), number)
        pairs = list(zip(found.doubts, comparisons, strict=True))
        return render_template(
            "case.html",
            case=found,
            pairs=pairs,
            left=len(desk.cases(who())),
            reason=reason,
            problem=problem,
            who=who(),
        )

    @page.get("/")
    def waiting() -> ResponseReturnValue:
        return render_template("waiting.html", cases=desk.cases(who()), who=who())

    @page.get("/next")
    def next_case() -> ResponseReturnValue:
        found = desk.cases(who())
        return redirect(url_for("case", number=found[0].number) if found else url_for("waiting"))

    @page.get("/case/<int:number>")
    def case(number: int) -> ResponseReturnValue:
        return show(number, session.get("reason", ""))

    @page.post("/case/<int:number>")
    def decide(number: int) -> ResponseReturnValue:
        reason = request.form.get("reason", "").strip()[:_LONGEST_REASON]
        said = _verdicts()
        if not said or not reason:
            return (
                show(
                    number,
                    reason,
                    "Give a reason: others will read it." if said else "Choose a verdict.",
                ),
                422,
            )
        second = request.form.get("second") == "yes"
        desk.decide(who(), said, reason, asks_second=second)
        session["reason"] = reason
        flash(
            f"Case {number}: {', '.join(sorted({verdict for _, verdict in said}))}. It can be"
            " undone under Decisions."
        )
        return redirect(url_for("next_case"))

    @page.post("/ask/<int:smaller>/<int:larger>/<which>")
    def ask(smaller: int, larger: int, which: str) -> ResponseReturnValue:
        desk.ask_partner(who(), (smaller, larger), larger=which == "larger")
        flash("The partner is asked, with decoys. Decide now, or come back when it has answered.")
        return redirect(url_for("case", number=smaller))

    @page.get("/decisions")
    def decisions() -> ResponseReturnValue:
        made = desk.decisions(who())
        return render_template(
            "decisions.html",
            decisions=list(reversed(made)),
            in_one_step=Counter(item.step for item in made if not item.undone_by),
            who=who(),
        )

    @page.post("/decisions/<int:decision_id>/undo")
    def undo(decision_id: int) -> ResponseReturnValue:
        whole = request.form.get("whole") == "yes"
        desk.undo(who(), decision_id, whole=whole)
        more = " with all that was decided in the same step" if whole else ""
        flash(f"Decision {decision_id} is undone{more}.")
        return redirect(url_for("decisions"))


def _add_patterns(page: Flask, desk: ReviewWorkflow, who: Callable[[], str]) -> None:
    def show(name: str, reason: str, problem: str = "") -> str:
        return render_template(
            "pattern.html",
            pattern=desk.pattern(who(), name),
            reason=reason,
            problem=problem,
            who=who(),
        )

    @page.get("/patterns")
    def patterns() -> ResponseReturnValue:
        return render_template("patterns.html", patterns=desk.patterns(who()), who=who())

    @page.get("/patterns/<name>")
    def pattern(name: str) -> ResponseReturnValue:
        return show(name, session.get("reason", ""))

    @page.post("/patterns/<name>")
    def propose(name: str) -> ResponseReturnValue:
        reason = request.form.get("reason", "").strip()[:_LONGEST_REASON]
        verdict = next((v for v in PROPOSALS if v == request.form.get("verdict")), None)
        if verdict is None:
            return show(name, reason, "Choose a verdict."), 422
        if not reason:
            return show(name, reason, "Give a reason: others will read it."), 422
        pairs, outcome = desk.propose(who(), name, verdict, reason)
        session["reason"] = reason
        flash(
            f"Pattern {name}: {verdict} for {pairs:,} pairs. {len(outcome.linked):,} links changed."
            " It can be undone under Decisions."
        )
        return redirect(url_for("patterns"))


def _from_here() -> bool:
    """Whether the form was sent from this page. Forms of other sites carry another origin."""
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    return urlsplit(origin).netloc == request.host


def _verdicts() -> list[tuple[Pair, Verdict]]:
    said: list[tuple[Pair, Verdict]] = []
    for name, value in request.form.items():
        what, _, pair = name.partition(" ")
        one, dash, other = pair.partition("-")
        if what == "verdict" and dash and one.isdigit() and other.isdigit():
            verdict = next((v for v in _SHORTCUTS if v == value), None)
            if verdict:
                said.append(((int(one), int(other)), verdict))
    return said


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%-d %B %Y}"


def _odds(bits: float) -> str:
    """Bits in words.

    >>> _odds(3.1), _odds(-2), _odds(0.2)
    ('8 to 1 that they are one person', '4 to 1 that they are two', 'even odds')
    """
    whole = round(bits)
    if not whole:
        return "even odds"
    return f"{2 ** min(abs(whole), 20):,} to 1 that they are {'one person' if whole > 0 else 'two'}"
