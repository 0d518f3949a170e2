"""One self-contained, accessible HTML file of a release's answers: charts, the tables behind them,
and what was withheld.

A file of questions says what to ask (`reports/annual.toml`, `reports/quarterly.toml`). A template
says how the report looks (`reports/report.html`). A partnership may supply its own of either.
"""

import difflib
import re
import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any, Final

from childlink_client.analyses.change import Change
from childlink_client.answers import Answer
from childlink_client.boundaries import Boundaries
from childlink_client.charts import as_image, data_url, draw
from childlink_client.client import Client
from childlink_client.comparator import compare_with_all, describe_comparator
from childlink_client.errors import ClientError
from childlink_client.found import Found
from childlink_client.questions import Question
from childlink_client.shown import Table
from childlink_client.values import Measure, period_title

_SERVICE: Final = "service"
_ATTENDANCE: Final = "attendance"
_QUARTERS: Final = 4
_PERIOD: Final = r"[12]\d{3}(-Q[1-4])?"
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
    map: str
    """The map as a data URL; empty if the areas have no boundaries."""
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
    period: str = "",
    boundaries: Boundaries | None = None,
) -> str:
    """Write the report as HTML. `questions` and `template` are the texts of files; by default the
    bundled ones (`kind`: annual, evaluation or quarterly).

    `service` is an id or a title. It fills in `${service}` and `${service_title}` in the file of
    questions. `period` is a year (2024) or a quarter (2024-Q3), and fills in `${year}`,
    `${quarter}` and others (`periods`); by default the last that the release has in full, as far
    as it has attendances. With `boundaries`, areas are drawn on maps. Raises ClientError.
    """
    bundled = files("childlink_client") / "reports"
    facts = client.describe(release)
    release = facts["release"]["id"]
    measures = {measure.id: measure for measure in client.measures(release)}
    asked = _parse(questions or (bundled / f"{kind}.toml").read_text(encoding="utf-8"))
    last = _last_full(facts["release"]["data_until"], _attended_until(facts))
    names = periods(last, period)
    notice = _check_period(period, measures, last)
    asked = _fill(asked, names | _names(measures.values(), service))
    left_out: list[str] = []
    sections = [
        {
            "title": section["title"],
            "text": section.get("text", ""),
            "items": _items(
                client, section.get("question", []), measures, release, left_out, boundaries
            ),
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
        notice=notice,
        policy=facts["policy"],
        release=facts["release"],
        facts=facts,
        sections=shown,
        left_out=left_out,
        reasons=why,
        made_on=f"{datetime.now(UTC):%-d %B %Y}",
    )


def _attended_until(facts: Mapping[str, Any]) -> str:
    """The last quarter of which every partner that still sends attendances has as many rows as
    usual; empty if the release does not say.
    """
    last = []
    for item in facts["completeness"]:
        if item["dataset"] == _ATTENDANCE and item["rows"]:
            usual = sorted(item["rows"].values())[len(item["rows"]) // 2]
            last.append(max(q for q, rows in item["rows"].items() if 2 * rows >= usual))
    # A partner that ended more than a year ago no longer sends.
    recent = [quarter for quarter in last if _number(quarter) > _number(max(last)) - _QUARTERS]
    return min(recent, default="")


def _number(quarter: str) -> int:
    return int(quarter[:4]) * _QUARTERS + int(quarter[-1]) - 1


def _quarter(number: int) -> str:
    return f"{number // _QUARTERS}-Q{number % _QUARTERS + 1}"


def _last_full(data_until: str, attended: str) -> str:
    """The last quarter that the data have in full."""
    after = date.fromisoformat(data_until) + timedelta(days=1)
    last = after.year * _QUARTERS + (after.month - 1) // 3 - 1
    return _quarter(min(last, _number(attended)) if attended else last)


def periods(last: str, period: str = "") -> dict[str, str]:
    """The periods of a report, by the name that a file of questions has for them. `last` is the
    last full quarter, and the default. Financial and school years are those that ended in the year.
    Raises ClientError.

    >>> found = periods("2024-Q3")
    >>> found["year"], found["financial_year"], found["quarter"], found["quarter_last_year"]
    ('2023', '2022/23', '2024-Q3', '2023-Q3')
    >>> periods("2024-Q4", "2022")["quarter"]
    '2022-Q4'
    """
    if not re.fullmatch(_PERIOD, period or last):
        raise ClientError(f"{period!r} is no period: give a year (2024) or a quarter (2024-Q3).")
    quarter = f"{period}-Q4" if period and "-" not in period else period or last
    at = _number(quarter)
    whole = (at + 1) // _QUARTERS - 1
    found = {
        "year": str(whole),
        "quarter": quarter,
        "quarter_title": period_title(quarter),
        "previous_quarter": _quarter(at - 1),
        "quarter_last_year": _quarter(at - _QUARTERS),
    }
    for name, ended in (("", whole), ("previous_", whole - 1)):
        split = f"{ended - 1}/{ended % 100:02}"
        found |= {f"{name}year": str(ended)}
        found |= {f"{name}{kind}_year": split for kind in ("financial", "school")}
    return found


def _check_period(period: str, measures: Mapping[str, Measure], last: str) -> str:
    """A sentence for a reader, if a period lies beyond the attendances of the release. Raises
    ClientError if the release does not have it.
    """
    if not period:
        return ""
    known = {
        category
        for measure in measures.values()
        for dimension in measure.dimensions.values()
        if dimension.time
        for category in dimension.categories
        if re.fullmatch(_PERIOD, category) and ("-" in category) == ("-" in period)
    }
    if known and period not in known:
        listed = sorted(known)
        raise ClientError(
            f"The release has no {period}. It has {listed[0]} to {listed[-1]}, and everything"
            " before together."
        )
    end = period if "-" in period else f"{period}-Q4"
    if _number(end) <= _number(last):
        return ""
    return (
        f"This release has attendances in full until {period_title(last)}. What it says of"
        f" {period_title(period)} is not of the whole period."
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
    boundaries: Boundaries | None,
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
        drawn, placed = _chart(found), _map(found, boundaries)
        items.append(Item(found, title, words, found.table(), drawn, placed, why_withheld))
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
    empty = single or found.chart().empty
    return "" if empty else data_url(as_image(found.plot(), "svg"))


def _map(found: Found, boundaries: Boundaries | None) -> str:
    chart = found.mapped(boundaries) if boundaries else None
    if chart is None or chart.empty:
        return ""
    return data_url(as_image(draw(chart, found.measure.title, found.citation()), "svg"))


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
        missing = str(error).strip("'")
        raise ClientError(
            f"The questions use ${{{missing}}}. "
            + (
                "Only a report of a service has that: give --service."
                if missing.startswith(_SERVICE)
                else f"There are: {', '.join(sorted(names))}."
            )
        ) from None
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
