"""What a page offers: published combinations only, and earlier choices that still fit."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from childlink_client.analyses import KINDS
from childlink_client.analyses.pathways import PATHWAYS
from childlink_client.analyses.standardisation import pairs
from childlink_client.errors import ClientError
from childlink_client.questions import Question, combinations, within
from childlink_client.values import Dimension, Measure

BESIDE = "figures beside, not of linked people"


@dataclass(frozen=True)
class Breakdown:
    """A choice of one or two dimensions."""

    value: str
    title: str
    chosen: bool


@dataclass(frozen=True)
class Keep:
    """A dimension whose categories can be filtered."""

    dimension: Dimension
    kept: tuple[str, ...]
    single: bool
    """Whether to offer one category or all: distinct people do not sum over the dimension."""


@dataclass(frozen=True)
class Asked:
    """What an address asks for. `dropped` holds the titles of dimensions that were removed because
    they are not published together with the rest.
    """

    question: Question
    release: str
    dropped: tuple[str, ...]


def read(kind: str, args: "MultiDict[str, str]", measures: Mapping[str, Measure]) -> Asked:
    """Read the question from an address. A combination that is not published is passed on
    unchanged: the service answers with what is published.
    """
    measure_id = args.get("measure", "") if "measure" in KINDS[kind].takes else PATHWAYS
    by = tuple(name for value in args.getlist("by") for name in value.split(",") if name)
    where = _groups(args.getlist("keep"))
    dropped: list[str] = []
    measure = measures.get(measure_id)
    if measure and "against" in KINDS[kind].takes:
        against = _groups(args.getlist("against"))
        per = args.get("per", "")
        if not where and not against and not per:
            where, against = _first_two(measure)
        question = Question(kind, measure_id, by, where, against, per)
        return Asked(question, args.get("release", ""), ())
    if "missed" in KINDS[kind].takes:
        missed = _share(args.get("missed", ""))
        return Asked(Question(kind, measure_id, missed=missed), args.get("release", ""), ())
    if measure and "for" in KINDS[kind].takes and not by:
        by = next(iter(pairs(measure)), ())
        if not by:
            raise ClientError(
                f"{measure.title} cannot be standardised: no shares of it are published by two"
                " dimensions together. Choose another kind of question"
            )
    if measure and measure.published(set(by)):
        for name in list(where):
            if name in measure.dimensions and not measure.published({*by, *where}):
                dropped.append(measure.dimensions[name].title)
                del where[name]
    return Asked(Question(kind, measure_id, by, where), args.get("release", ""), tuple(dropped))


def _share(percent: str) -> float:
    """A share, from a percentage. Raises ClientError."""
    try:
        return float(percent or 0) / 100
    except ValueError:
        raise ClientError(f"{percent!r} is no percentage; write 2, for example") from None


def _groups(values: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Categories by dimension, from parts of an address (`residence=area`)."""
    found: dict[str, tuple[str, ...]] = {}
    for value in values:
        name, _, category = value.partition("=")
        if category:
            found[name] = (*found.get(name, ()), category)
    return found


def _first_two(
    measure: Measure,
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Two groups to begin with: the first two categories of a dimension."""
    for name, dimension in measure.dimensions.items():
        if measure.published({name}) and not dimension.within and len(dimension.categories) > 1:
            first, second, *_ = dimension.categories
            return {name: (first,)}, {name: (second,)}
    return {}, {}


def breakdowns(measure: Measure, asked: Question) -> dict[str, list[Breakdown]]:
    """The published ways to break a measure down, by number of dimensions. The current choice keeps
    its own order.
    """
    found = {"By one": list[Breakdown](), "By two": list[Breakdown]()}
    now = ",".join(asked.by)
    for names in (
        asked.by if set(names) == set(asked.by) else names for names in combinations(measure)
    ):
        title = " × ".join(measure.dimensions[name].title for name in names)
        found["By one" if len(names) == 1 else "By two"].append(
            Breakdown(",".join(names), title, ",".join(names) == now)
        )
    return {title: choices for title, choices in found.items() if choices}


def keeps(measure: Measure, asked: Question) -> Iterator[Keep]:
    """The dimensions that can be filtered in the current question. Dimensions of the breakdown come
    first.
    """
    for name in (*asked.by, *(name for name in measure.dimensions if name not in asked.by)):
        dimension = measure.dimensions[name]
        if measure.published({*asked.by, *asked.where, name}) and within(
            measure, (*asked.by, name)
        ):
            yield Keep(
                dimension,
                tuple(asked.where.get(name, ())),
                dimension.overlapping and name not in asked.by,
            )


def kept(measure: Measure, asked: Question) -> dict[str, list[str]]:
    """Titles of the categories that are kept, by title of their dimension."""
    return {
        measure.dimensions[name].title: [
            measure.dimensions[name].categories[category] for category in categories
        ]
        for name, categories in asked.where.items()
    }


def is_about(measure: Measure, words: str) -> bool:
    """Whether every word of a search begins a word of the measure's name, title or description, or
    of one of its dimensions.
    """
    said = " ".join(
        [
            measure.id.replace("_", " "),
            measure.title,
            measure.description,
            *(item.title for item in measure.dimensions.values()),
        ]
    )
    known = re.findall(r"\w+", said.casefold())
    return all(
        any(word.startswith(wanted) for word in known)
        for wanted in re.findall(r"\w+", words.casefold())
    )


def by_unit(measures: Sequence[Measure]) -> dict[str, list[Measure]]:
    """Measures, grouped by the unit that they count; tables that stand beside come last."""
    found: dict[str, list[Measure]] = {}
    for measure in sorted(measures, key=lambda item: item.table):
        found.setdefault(BESIDE if measure.table else measure.unit, []).append(measure)
    return found
