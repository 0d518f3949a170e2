"""The explorer's pages: a start, one page for each kind of question, what went into a release, and downloads."""

import secrets
import threading
from collections.abc import Collection
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask, Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from childlink_client.answers import Answer, Measure, Release
from childlink_client.charts import as_image, data_url, draw
from childlink_client.client import Client
from childlink_client.errors import ClientError
from childlink_client.explorer import forms
from childlink_client.explorer.forms import Asked
from childlink_client.explorer.gate import Ticket, add_gate
from childlink_client.questions import KINDS, Question, kinds_of
from childlink_client.reasons import reasons
from childlink_client.studies import Inequality
from childlink_client.study import Study
from childlink_client.study_charts import draw_study
from childlink_client.tables import make_table
from childlink_client.words import in_words

_KIND: Final = f"any({', '.join(KINDS)})"
_DRAWING: Final = threading.Lock()
_TYPES: Final = {"csv": "text/csv; charset=utf-8", "svg": "image/svg+xml", "png": "image/png"}


def create_explorer(client: Client, ticket: Ticket, hosts: Collection[str] = (), cookie: str = "childlink") -> Flask:
    """The pages as a WSGI application. `hosts`: the names it goes by (see `add_gate`)."""
    page = Flask(__name__)
    page.config.update(
        # A new secret each time: a cookie of a stopped explorer opens no other.
        SECRET_KEY=secrets.token_bytes(32), SESSION_COOKIE_NAME=cookie, SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=True, MAX_FORM_MEMORY_SIZE=0,
    )  # fmt: skip
    page.jinja_env.globals.update(kinds=KINDS, kinds_of=kinds_of, address=client.address, link=_link)
    page.jinja_env.trim_blocks = page.jinja_env.lstrip_blocks = True
    add_gate(page, ticket, hosts)
    _add_errors(page)
    _add_start(page, client)
    _add_questions(page, client)
    return page


def _add_errors(page: Flask) -> None:
    @page.errorhandler(ClientError)
    def help_on(error: ClientError) -> ResponseReturnValue:
        return render_template("problem.html", title="That cannot be asked", says=str(error).split("; ")), 400

    @page.errorhandler(404)
    def nowhere(_error: Exception) -> ResponseReturnValue:
        return render_template("problem.html", title="There is no such page", says=["Check the address."]), 404


def _add_start(page: Flask, client: Client) -> None:
    @page.get("/")
    def start() -> str:
        releases = client.releases()
        release = request.args.get("release", "") or _newest(releases)
        measures = client.measures(release) if releases else []
        return render_template("start.html", releases=releases, release=release, units=forms.by_unit(measures))

    @page.get("/release")
    def about() -> str:
        facts = client.describe(request.args.get("release", ""))
        titles = {item.id: item.title for item in client.measures(facts["release"]["id"])}
        return render_template("release.html", facts=facts, releases=client.releases(), titles=titles)


def _add_questions(page: Flask, client: Client) -> None:
    @page.get(f"/<{_KIND}:kind>")
    def ask(kind: str) -> str:
        releases = client.releases()
        release = request.args.get("release", "") or _newest(releases)
        measures = {item.id: item for item in client.measures(release)}
        asked = forms.read(kind, request.args, measures)
        found = asked.question.put(client, release, explain=True)
        return render_template("question.html", **_values(client, asked, found, releases, measures[found.measure.id]))

    @page.get(f"/<{_KIND}:kind>/<any(csv, svg, png):ending>")
    def take(kind: str, ending: str) -> Response:
        release = request.args.get("release", "")
        asked = forms.read(kind, request.args, {item.id: item for item in client.measures(release)})
        found = asked.question.put(client, release)
        pictured = None if ending == "csv" else _pictured(client, found)
        if ending != "csv" and pictured is None:
            abort(404)
        body = _draw(pictured, ending) if pictured else found.to_csv().encode()
        name = "-".join((found.measure.id, *(() if kind == "ask" else (kind,)), *asked.question.by, found.release.id))
        headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
        return Response(body, content_type=_TYPES[ending], headers=headers)


def _values(
    client: Client, asked: Asked, found: Answer | Study, releases: list[Release], measure: Measure
) -> dict[str, Any]:
    """What every page of a question shows."""
    question, why = asked.question, reasons(found)
    names = " and ".join(measure.dimensions[name].title for name in question.by)
    heading = KINDS[question.kind] if question.kind != "ask" else f"By {names}" if names else "All together"
    values = {
        "question": question, "measure": measure, "found": found, "table": make_table(found), "sentence": in_words(found),
        "releases": releases, "release": found.release.id, "dropped": asked.dropped,
        "reasons": why, "numbers": {reason.why: number for number, reason in enumerate(why, 1)},
        "breakdowns": forms.breakdowns(measure, question), "keeps": list(forms.keeps(measure, question)),
        "changes_by": forms.change_dimensions(measure), "names": names, "heading": heading, "kept": forms.kept(measure, question),
        "sides": forms.sides(measure), "wide": "", "narrow": "",
    }  # fmt: skip
    if pictured := _pictured(client, found):
        values |= {"wide": data_url(_draw(pictured)), "narrow": data_url(_draw(pictured, narrow=True))}
    return values


def _pictured(client: Client, found: Answer | Study) -> Answer | Study | None:
    """What is drawn of it; nothing where a chart says no more than the table."""
    if isinstance(found, Inequality):
        # The shares that it is computed of are what it looks like.
        return client.ask(found.measure.id, [found.over], release=found.release.id)
    if isinstance(found, Answer):
        drawable = 1 <= len(found.by) <= 2 and any(cell.count is not None for cell in found.cells)
        return found if drawable else None
    return found


def _draw(found: Answer | Study, ending: str = "svg", *, narrow: bool = False) -> bytes:
    # matplotlib is not safe in several threads at once.
    with _DRAWING:
        figure = draw(found, narrow=narrow) if isinstance(found, Answer) else draw_study(found, narrow=narrow)
        return as_image(figure, ending)


def _newest(releases: list[Release]) -> str:
    return releases[0].id if releases else ""


def _link(question: Question, release: str, ending: str = "", **other: Any) -> str:
    """The address of a question: of the same one, or with something other in it."""
    kind, by, where = (other.get(name, getattr(question, name)) for name in ("kind", "by", "where"))
    values: list[tuple[str, str]] = [] if kind == "pathways" else [("measure", question.measure)]
    values += [("by", ",".join(by))] if by else []
    values += [("keep", f"{name}={category}") for name, kept in where.items() for category in kept]
    # A trend is of every release.
    values += [] if kind == "trend" else [("release", release)]
    path = url_for("take", kind=kind, ending=ending) if ending else url_for("ask", kind=kind)
    return f"{path}?{urlencode(values, safe=',=')}"
