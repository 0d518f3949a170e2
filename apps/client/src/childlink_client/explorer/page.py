"""The explorer's pages: the start page, a page for each kind of question, what a release contains,
and downloads.
"""

import secrets
import threading
from collections.abc import Collection
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask, Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from childlink_client.analyses import KINDS
from childlink_client.analyses.standardisation import pairs
from childlink_client.boundaries import Boundaries
from childlink_client.charts import as_image, data_url, draw
from childlink_client.client import Client
from childlink_client.errors import ClientError
from childlink_client.explorer import forms
from childlink_client.explorer.forms import Asked
from childlink_client.explorer.gate import Ticket, add_gate
from childlink_client.found import Found
from childlink_client.questions import Question, kinds_of
from childlink_client.shown import Chart
from childlink_client.values import Measure, Release

_DRAWING: Final = threading.Lock()
_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "map.svg": "image/svg+xml",
}


def create_explorer(
    client: Client,
    ticket: Ticket,
    hosts: Collection[str] = (),
    cookie: str = "childlink",
    boundaries: Boundaries | None = None,
) -> Flask:
    """The pages as a WSGI application. `hosts`: the host names that it accepts (see `add_gate`)."""
    page = Flask(__name__)
    page.config.update(
        # A new secret each time: the cookie of a stopped explorer does not open another.
        SECRET_KEY=secrets.token_bytes(32),
        SESSION_COOKIE_NAME=cookie,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=True,
        MAX_FORM_MEMORY_SIZE=0,
    )
    page.jinja_env.globals.update(
        kinds=KINDS, kinds_of=kinds_of, pairs=pairs, address=client.address, link=_link
    )
    page.jinja_env.trim_blocks = page.jinja_env.lstrip_blocks = True
    add_gate(page, ticket, hosts)
    _add_errors(page)
    _add_start(page, client)
    _add_questions(page, client, boundaries)
    return page


def _add_errors(page: Flask) -> None:
    @page.errorhandler(ClientError)
    def help_on(error: ClientError) -> ResponseReturnValue:
        return render_template(
            "problem.html", title="This question cannot be asked", says=str(error).split("; ")
        ), 400

    @page.errorhandler(404)
    def nowhere(_error: Exception) -> ResponseReturnValue:
        return render_template(
            "problem.html", title="There is no such page", says=["Check the address."]
        ), 404


def _add_start(page: Flask, client: Client) -> None:
    @page.get("/")
    def start() -> str:
        releases = client.releases()
        release = request.args.get("release", "") or _newest(releases)
        measures = client.measures(release) if releases else []
        words = request.args.get("q", "")
        return render_template(
            "start.html",
            releases=releases,
            release=release,
            words=words,
            units=forms.by_unit([item for item in measures if forms.is_about(item, words)]),
            known=len(measures),
        )

    @page.get("/release")
    def about() -> str:
        facts = client.describe(request.args.get("release", ""))
        titles = {item.id: item.title for item in client.measures(facts["release"]["id"])}
        return render_template(
            "release.html", facts=facts, releases=client.releases(), titles=titles
        )


def _add_questions(page: Flask, client: Client, boundaries: Boundaries | None) -> None:
    kinds = f"any({', '.join(KINDS)})"

    @page.get(f"/<{kinds}:kind>")
    def ask(kind: str) -> str:
        releases = client.releases()
        release = request.args.get("release", "") or _newest(releases)
        measures = {item.id: item for item in client.measures(release)}
        asked = forms.read(kind, request.args, measures)
        found = asked.question.put(client, release, explain=True)
        values = _values(client, asked, found, releases, measures[found.measure.id])
        return render_template("question.html", **values, **_map_values(found, boundaries))

    @page.get(f"/<{kinds}:kind>/<any(csv, svg, png, 'map.svg'):ending>")
    def take(kind: str, ending: str) -> Response:
        release = request.args.get("release", "")
        asked = forms.read(kind, request.args, {item.id: item for item in client.measures(release)})
        found = asked.question.put(client, release)
        body = _file(found, ending, client, boundaries)
        if body is None:
            abort(404)
        name = "-".join(
            (
                found.measure.id,
                *(() if kind == "ask" else (kind,)),
                *asked.question.by,
                found.release.id,
            )
        )
        headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
        return Response(body, content_type=_TYPES[ending], headers=headers)


def _values(
    client: Client, asked: Asked, found: Found, releases: list[Release], measure: Measure
) -> dict[str, Any]:
    """Template values of a question's page."""
    question, why = asked.question, found.reasons()
    names = " and ".join(measure.dimensions[name].title for name in question.by)
    heading = (
        KINDS[question.kind].title
        if question.kind != "ask"
        else f"By {names}"
        if names
        else "All together"
    )
    values = {
        "question": question,
        "measure": measure,
        "found": found,
        "table": found.table(),
        "sentence": found.describe(),
        "releases": releases,
        "release": found.release.id,
        "dropped": asked.dropped,
        "reasons": why,
        "numbers": {reason.why: number for number, reason in enumerate(why, 1)},
        "breakdowns": forms.breakdowns(measure, question),
        "keeps": list(forms.keeps(measure, question)),
        "kind": KINDS[question.kind],
        "names": names,
        "heading": heading,
        "kept": forms.kept(measure, question),
        "wide": "",
        "narrow": "",
    }
    if pictured := _pictured(found, client):
        values |= {
            "wide": data_url(_draw(pictured, pictured.chart())),
            "narrow": data_url(_draw(pictured, pictured.chart(), narrow=True)),
        }
    return values


def _map_values(found: Found, boundaries: Boundaries | None) -> dict[str, Any]:
    chart = found.mapped(boundaries) if boundaries else None
    if chart is None or chart.empty:
        return {"map_wide": "", "map_narrow": ""}
    return {
        "map_wide": data_url(_draw(found, chart)),
        "map_narrow": data_url(_draw(found, chart, narrow=True)),
    }


def _file(found: Found, ending: str, client: Client, boundaries: Boundaries | None) -> bytes | None:
    """A download; None if there is no such picture."""
    if ending == "csv":
        return found.to_csv().encode()
    if ending == "map.svg":
        chart = found.mapped(boundaries) if boundaries else None
        return _draw(found, chart) if chart else None
    pictured = _pictured(found, client)
    return _draw(pictured, pictured.chart(), ending) if pictured else None


def _pictured(found: Found, client: Client) -> Found | None:
    """What is drawn beside an answer. None if there is nothing to draw."""
    pictured = found.drawn(client)
    return None if pictured is None or pictured.chart().empty else pictured


def _draw(found: Found, chart: Chart, ending: str = "svg", *, narrow: bool = False) -> bytes:
    # matplotlib is not thread-safe.
    with _DRAWING:
        figure = draw(chart, found.measure.title, found.citation(), narrow=narrow)
        return as_image(figure, ending)


def _newest(releases: list[Release]) -> str:
    return releases[0].id if releases else ""


def _link(question: Question, release: str, ending: str = "", **other: Any) -> str:
    """The address of a question, with the parts in `other` replaced."""
    kind, by, where = (other.get(name, getattr(question, name)) for name in ("kind", "by", "where"))
    values: list[tuple[str, str]] = (
        [("measure", question.measure)] if "measure" in KINDS[kind].takes else []
    )
    values += [("by", ",".join(by))] if by else []
    values += [("keep", f"{name}={category}") for name, kept in where.items() for category in kept]
    values += [
        ("against", f"{name}={category}")
        for name, kept in (question.against if "against" in KINDS[kind].takes else {}).items()
        for category in kept
    ]
    values += [("per", question.per)] if question.per and "per" in KINDS[kind].takes else []
    if question.missed and "missed" in KINDS[kind].takes:
        values.append(("missed", f"{question.missed * 100:g}"))
    # Some kinds ask every release.
    values += [("release", release)] if "release" in KINDS[kind].takes else []
    path = url_for("take", kind=kind, ending=ending) if ending else url_for("ask", kind=kind)
    return f"{path}?{urlencode(values, safe=',=')}"
