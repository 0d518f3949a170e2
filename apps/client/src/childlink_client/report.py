"""One self-contained, accessible HTML file of a release's answers: charts, the tables behind them,
and what was withheld.

A file of questions says what to ask (`reports/annual.toml`, `reports/quarterly.toml`). A template
says how the report looks (`reports/report.html`). A partnership may supply its own of either.
"""

import difflib
import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

from childlink_client.analyses.change import Change
from childlink_client.answers import Answer
from childlink_client.charts import as_image, data_url
from childlink_client.client import Client
from childlink_client.comparator import compare_with_all, describe_comparator
from childlink_client.errors import ClientError
from childlink_client.found import Found
from childlink_client.questions import Question
from childlink_client.shown import Table
from childlink_client.values import Measure

_SERVICE: Final = "service"
# The name, in files of questions, of a comparison of one group with all.
_COMPARATOR: Final = "beside"


@dataclass(frozen=True)
class Item:
    """An answer as a report shows it."""

    found: Found
    title: str
    sentence: str
    table: Table
    chart: str
    """The chart as a data URL; empty if there is nothing to draw."""
    reasons: Mapping[str, str]
    """Why figures are withheld, by the text shown in their place."""

    @property
    def bare(self) -> bool:
        """Whether it is a single figure, which the summary already gives."""
        return isinstance(self.found, Answer) and not self.found.by


def make_report(
    client: Client,
    questions: str = "",
    template: str = "",
    release: str = "",
    *,
    kind: str = "annual",
    service: str = "",
) -> str:
    """Write the report as HTML. `questions` and `template` are the texts of files; by default the
    bundled ones (`kind`: annual or quarterly).

    `service` is an id or a title. It fills in `${service}` and `${service_title}` in the file of
    questions. Raises ClientError.
    """
    bundled = files("childlink_client") / "reports"
    facts = client.describe(release)
    release = facts["release"]["id"]
    measures = {measure.id: measure for measure in client.measures(release)}
    asked = _parse(questions or (bundled / f"{kind}.toml").read_text(encoding="utf-8"))
    asked = _fill(asked, _names(measures.values(), service))
    left_out: list[str] = []
    sections = [
        {
            "title": section["title"],
            "text": section.get("text", ""),
            "items": _items(client, section.get("question", []), measures, release, left_out),
        }
        for section in asked["section"]
    ]
    shown = [section for section in sections if section["items"]]
    why = {
        shown: text
        for section in sections
        for item in section["items"]
        for shown, text in item.reasons.items()
    }
    return _render(
        template or (bundled / "report.html").read_text(encoding="utf-8"),
        title=asked["title"],
        introduction=asked.get("introduction", ""),
        policy=facts["policy"],
        release=facts["release"],
        facts=facts,
        sections=shown,
        left_out=left_out,
        reasons=why,
        made_on=f"{datetime.now(UTC):%-d %B %Y}",
    )


def find_service(measures: Sequence[Measure], told: str) -> tuple[str, str]:
    """Find a service by id or title, ignoring case. Returns its id and title. Raises ClientError
    that names the closest matches.
    """
    known: dict[str, str] = {}
    for measure in measures:
        if _SERVICE in measure.dimensions:
            known |= measure.dimensions[_SERVICE].categories
    by_name = {name.casefold(): key for key, title in known.items() for name in (key, title)}
    if found := by_name.get(told.casefold()):
        return found, known[found]
    near = dict.fromkeys(
        by_name[name]
        for name in difflib.get_close_matches(told.casefold(), by_name, n=3, cutoff=0.5)
    )
    said = "Did you mean" if near else "There are"
    names = ", ".join(f"{known[key]} ({key})" for key in near or known) or "none that you may see"
    raise ClientError(f"There is no service {told!r}. {said}: {names}.")


def _names(measures: Any, service: str) -> dict[str, str]:
    if not service:
        return {}
    key, title = find_service(list(measures), service)
    return {"service": key, "service_title": title}


def _items(
    client: Client,
    questions: Sequence[Any],
    measures: Mapping[str, Measure],
    release: str,
    left_out: list[str],
) -> list[Item]:
    """The answers that the release has. Questions that it cannot answer are added to `left_out`, so
    that a reader does not mistake a missing table for zero.
    """
    items = []
    for table in questions:
        with_comparator = table.get("kind") == _COMPARATOR
        question = Question.of({**table, "kind": "ask"} if with_comparator else table)
        if why := question.missing(measures):
            left_out.append(why)
            continue
        found: Found = (
            compare_with_all(client, question, release)
            if with_comparator
            else question.put(client, release, explain=True)
        )
        if isinstance(found, Change) and "only" in table:
            found = replace(
                found, changes=tuple(row for row in found.changes if row.category == table["only"])
            )
            if all(row.count is None for row in found.changes):
                left_out.append(
                    f"{found.measure.title}: too few people at this service, or none, have"
                    " both questionnaires"
                )
                continue
        words = (
            describe_comparator(found)
            if with_comparator and isinstance(found, Answer)
            else found.describe()
        )
        why_withheld = {reason.shown: reason.why for reason in found.reasons()}
        title = table.get("title") or _title(question, found)
        items.append(Item(found, title, words, found.table(), _chart(found), why_withheld))
    return items


def _title(question: Question, found: Found) -> str:
    measure = found.measure
    by = " and ".join(measure.dimensions[name].title.lower() for name in question.by)
    kept = [
        measure.dimensions[name].categories[key]
        for name, keys in question.where.items()
        for key in keys
    ]
    return measure.title + (f", by {by}" if by else "") + (f": {', '.join(kept)}" if kept else "")


def _chart(found: Found) -> str:
    # For a single group, the summary says as much as a chart would.
    single = not found.by if isinstance(found, Answer) else len(list(found.rows())) <= 1
    return "" if single else data_url(as_image(found.plot(), "svg"))


def _parse(text: str) -> dict[str, Any]:
    try:
        content = tomllib.loads(text)
        _ = content["title"], [section["title"] for section in content["section"]]
        for section in content["section"]:
            for question in section.get("question", []):
                _ = question.get("kind") == "pathways" or question["measure"]
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ClientError(
            f"The file of questions cannot be read ({error}). Start from the bundled"
            " annual.toml or quarterly.toml."
        ) from None
    return content


def _fill(value: Any, names: Mapping[str, str]) -> Any:
    """Return `value` with `${service}` and `${service_title}` filled in. Raises ClientError for an
    unknown name.
    """
    if isinstance(value, dict):
        return {key: _fill(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, names) for item in value]
    if not isinstance(value, str):
        return value
    try:
        return string.Template(value).substitute(names)
    except KeyError as error:
        raise ClientError(f"The questions use {error}. Give its value with --service.") from None
    except ValueError:
        raise ClientError(f"{value!r}: write $$ for a dollar sign.") from None


def _render(template: str, **values: Any) -> str:
    try:
        from jinja2 import Environment, StrictUndefined, TemplateError
    except ImportError:
        raise ClientError(
            "Jinja is not installed: pip install 'childlink-client[report]'."
        ) from None
    try:
        environment = Environment(
            autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
        )
        return environment.from_string(template).render(**values)
    except TemplateError as error:
        raise ClientError(
            f"The template cannot be used: {error}. Start from the bundled report.html."
        ) from None
