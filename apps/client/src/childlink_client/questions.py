"""A question as a value: the content of an entry in a report's file of questions, or of an explorer
address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from childlink_client.analyses import KINDS
from childlink_client.analyses.pathways import PATHWAYS
from childlink_client.analyses.standardisation import STANDARDISE, pairs
from childlink_client.errors import ClientError

if TYPE_CHECKING:
    from childlink_client.client import Client
    from childlink_client.found import Found
    from childlink_client.values import Measure


@dataclass(frozen=True)
class Question:
    """One question. Which fields matter depends on its kind."""

    kind: str
    measure: str
    by: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    against: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of a contrast: the other group."""
    per: str = ""
    """Of a contrast: the measure of the other group, if it is another."""
    missed: float = 0.0
    """Of a comparison: the share of the first group whose link is missed."""

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Question:
        """Build from a table of a TOML file. Raises ClientError."""
        kind = table.get("kind", "ask")
        if kind not in KINDS:
            raise ClientError(
                f"There is no kind of question {kind!r}; use one of: {', '.join(KINDS)}."
            )
        where, against = (
            {
                name: (kept,) if isinstance(kept, str) else tuple(kept)
                for name, kept in table.get(part, {}).items()
            }
            for part in ("where", "against")
        )
        measure = table["measure"] if "measure" in KINDS[kind].takes else PATHWAYS
        per, missed = str(table.get("per", "")), table.get("missed", 0.0)
        if not isinstance(missed, int | float):
            raise ClientError(f"missed = {missed!r}: give a share, for example 0.02.")
        return cls(kind, measure, tuple(table.get("by", ())), where, against, per, missed)

    def put(self, client: Client, release: str = "", *, explain: bool = False) -> Found:
        """Ask it. Raises ClientError."""
        if explain and self.kind == "ask":
            return client.ask(self.measure, self.by, self.where, release, explain=True)
        return KINDS[self.kind].put(client, self, release)

    def missing(self, measures: Mapping[str, Measure]) -> str:
        """Why a release cannot answer this question, in words; empty if it can. An older catalogue
        lacks newer measures.
        """
        for name in (self.measure, *([self.per] if self.per else [])):
            if name not in measures:
                return f"{name}: the release has no such measure"
        measure = measures[self.measure]
        if self.kind not in kinds_of(measure):
            return f"{measure.title}: {KINDS[self.kind].title.lower()} is not available for it"
        if self.kind == STANDARDISE and self.by not in pairs(measure):
            named = " standardised for ".join(
                measure.dimensions[name].title if name in measure.dimensions else name
                for name in self.by
            )
            return f"{measure.title}: not published by {named}"
        groups = [(measure, self.where)]
        if self.against or self.per:
            groups.append((measures[self.per or self.measure], self.against))
        return next(filter(None, (self._missing_of(*group) for group in groups)), "")

    def _missing_of(self, measure: Measure, kept: Mapping[str, tuple[str, ...]]) -> str:
        for name in (*self.by, *kept):
            if name not in measure.dimensions:
                return f"{measure.title}: not published by {name}"
        for name, categories in kept.items():
            if unknown := set(categories) - set(measure.dimensions[name].categories):
                return (
                    f"{measure.title}: {measure.dimensions[name].title} has no"
                    f" {', '.join(sorted(unknown))}"
                )
        if "where" in KINDS[self.kind].takes and not measure.published({*self.by, *kept}):
            named = " and ".join(
                measure.dimensions[name].title for name in dict.fromkeys((*self.by, *kept))
            )
            return f"{measure.title}: not published by {named} together"
        return ""


def kinds_of(measure: Measure) -> list[str]:
    """The kinds of analysis that fit a measure, in the order of KINDS."""
    return [name for name, kind in KINDS.items() if kind.fits(measure)]


def combinations(measure: Measure) -> list[tuple[str, ...]]:
    """The published breakdowns by one or two dimensions, in the order of the cubes."""
    found: dict[tuple[str, ...], None] = {}
    for cube in measure.cubes:
        for name in cube:
            found.setdefault((name,))
    for cube in measure.cubes:
        for number, name in enumerate(cube):
            for other in cube[number + 1 :]:
                if (other, name) not in found:
                    found.setdefault((name, other))
    return [names for names in found if within(measure, names)]


def within(measure: Measure, names: Sequence[str]) -> bool:
    """Whether every dimension that subdivides another is used together with that one."""
    return all(
        not measure.dimensions[name].within or measure.dimensions[name].within in names
        for name in names
    )
