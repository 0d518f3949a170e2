"""Encoding profiles: the passes of a record, and the fields that each pass compares.

A profile is a versioned TOML file. Its fingerprint travels with every encoding. Encodings with
another fingerprint are refused, never compared.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Final

from childlink_core.errors import UserError

# Version of the algorithm in childlink_ingest (normalisation, fields, hashing). The fingerprint
# covers it.
ALGORITHM: Final = "cl-filters-1"
DEFAULT_PROFILE: Final = "cl-2026e"
PROFILES: Final = (DEFAULT_PROFILE, "cl-2026e-dense")
SEGMENT_BYTES: Final = 4
MOST_SEGMENTS: Final = 32
"""Segments of a pass: `present` has a bit for each."""


@dataclass(frozen=True)
class Filter:
    """A Bloom filter of the pairs of bigrams of two fields, hardened: it holds a fixed number of
    elements, each made of two min-hashes. Two people who share one of the fields look like
    strangers, and no length shows.
    """

    fields: tuple[str, str]
    elements: int
    """How many elements it holds, whatever the values."""
    bits: int
    """Its length: a power of two."""
    keys: int
    """Elements that are also segments, so that records with one in common are compared."""
    only_without: tuple[str, ...]
    """Only records that lack one of these fields carry it. Empty: all do."""


@dataclass(frozen=True)
class Pass:
    """One pass: how to compare records that share the values of the salt fields."""

    number: int
    name: str
    roles: tuple[str, ...]
    salt: tuple[str, ...]
    segments: tuple[tuple[str, ...], ...]
    """The fields of each segment (at most 32 segments). A record that lacks a field lacks the
    segment.
    """
    only_without: tuple[str, ...]
    candidates: bool
    """Whether records that share the token of this pass are compared."""
    filters: tuple[Filter, ...] = ()

    @property
    def columns(self) -> int:
        """The number of segments and of keys of filters."""
        return len(self.segments) + sum(item.keys for item in self.filters)

    @property
    def filter_bytes(self) -> int:
        """The length of all filters together."""
        return sum(item.bits for item in self.filters) // 8


@dataclass(frozen=True)
class Profile:
    """A versioned set of passes."""

    id: str
    passes: tuple[Pass, ...]
    fingerprint: bytes
    births_a_day: int
    """The births a day in the partnership's area for which it is issued. Where more people share a
    date of birth, a stolen store tells more about them.
    """

    def get_pass(self, number: int) -> Pass | None:
        """The pass with this number, or None."""
        return self.by_number.get(number)

    @cached_property
    def by_number(self) -> dict[int, Pass]:
        """The passes by number."""
        return {item.number: item for item in self.passes}


@cache
def get_profile(profile_id: str = DEFAULT_PROFILE) -> Profile:
    """Load a profile bundled with this version. Raises UserError if there is none with this id."""
    if profile_id not in PROFILES:
        raise UserError(
            f"There is no encoding profile {profile_id!r}.", f"Use one of: {', '.join(PROFILES)}."
        )
    return parse_profile((files(__name__) / f"{profile_id}.toml").read_text(encoding="utf-8"))


def profile_for(births_a_day: int) -> Profile:
    """The profile to issue where so many people are born a day. Raises UserError if none was
    measured for so many.
    """
    known = sorted((get_profile(name) for name in PROFILES), key=lambda item: item.births_a_day)
    for item in known:
        if births_a_day <= item.births_a_day:
            return item
    raise UserError(
        f"No encoding profile is issued for {births_a_day} births a day.",
        f"{known[-1].id} is for up to {known[-1].births_a_day}. Where more people share a date of"
        " birth, a stolen store would tell too much about them: see docs/explanation/encodings.md.",
    )


def parse_profile(text: str) -> Profile:
    """Parse a profile file.

    The fingerprint covers the meaning of the profile (not comments or spacing) and the algorithm.
    """
    content = tomllib.loads(text)
    passes = tuple(_parse_pass(item) for item in content["pass"])
    for item in passes:
        _check(item)
    meaning = repr((ALGORITHM, content["id"], passes))
    fingerprint = hashlib.sha256(meaning.encode()).digest()
    return Profile(content["id"], passes, fingerprint, content["births_a_day"])


def _check(item: Pass) -> None:
    """Raise UserError if a pass cannot be encoded."""
    if len(item.segments) > MOST_SEGMENTS:
        raise UserError(
            f"Pass {item.name} has {len(item.segments)} segments.",
            f"Use at most {MOST_SEGMENTS}.",
        )
    for one in item.filters:
        if one.bits < 64 or one.bits & (one.bits - 1):
            raise UserError(
                f"A filter of pass {item.name} has {one.bits} bits.",
                "Use a power of two from 64 on.",
            )
        if one.elements % 2 or not 0 < one.keys <= one.elements <= one.bits // 8:
            raise UserError(
                f"A filter of pass {item.name} has {one.elements} elements and {one.keys} keys in"
                f" {one.bits} bits.",
                "Use an even number of elements, at most an eighth of the bits, and no more keys.",
            )


def _parse_pass(item: Mapping[str, Any]) -> Pass:
    return Pass(
        number=item["number"],
        name=item["name"],
        roles=tuple(item["roles"]),
        salt=tuple(item["salt"]),
        segments=tuple(tuple(segment) for segment in item["segments"]),
        only_without=tuple(item.get("only_without", ())),
        candidates=item.get("candidates", True),
        filters=tuple(
            Filter(
                tuple(one["fields"]),
                one["elements"],
                one["bits"],
                one["keys"],
                tuple(one.get("only_without", ())),
            )
            for one in item.get("filters", ())
        ),
    )
