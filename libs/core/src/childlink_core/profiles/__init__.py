"""Encoding profiles: the passes of a record, and the fields that each pass compares.

A profile is a versioned TOML file. Its fingerprint travels with every encoding. Encodings with
another fingerprint are refused, never compared.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Final

from childlink_core.errors import UserError

# Version of the algorithm in childlink_ingest (normalisation, fields, hashing). The fingerprint
# covers it.
ALGORITHM: Final = "cl-filters-1"
DEFAULT_PROFILE: Final = "cl-2026e"
HARDENED: Final = (DEFAULT_PROFILE, "cl-2026e-dense")
"""The profiles that a custodian issues. Their encodings are made to withstand a stolen store."""
CLK_PROFILES: Final = ("clk-2026a", "clk-2026a-dob")
"""For joining a project that uses clkhash. Public attacks read these encodings (ADR 33)."""
PROFILES: Final = (*HARDENED, *CLK_PROFILES)
WHAT_CLKS_TELL: Final = (
    "This profile sends CLKs. If the linker's store is stolen, most names can be read from them by"
    " public methods, without any secret. Hardened profiles are made to withstand that. See"
    " docs/explanation/encodings.md."
)
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
class Clk:
    """A cryptographic long-term key (CLK): one Bloom filter of several fields, made by a linkage
    schema of clkhash, version 3. Under one secret it is the same bit for bit as clkhash's.
    """

    schema: str
    """The linkage schema, as JSON."""
    fields: tuple[str, ...]
    """The field of each feature of the schema, in its order."""
    least_fields: int
    """A record carries a CLK if it has so many of the fields."""
    bits: int
    """Its length: a power of two from 64 on."""
    bands: int
    """Records are compared if one of so many bands agrees: locality-sensitive hashing by sampled
    bits (Indyk and Motwani 1998). 0: if their block tokens agree.
    """
    band_bits: int

    def problem_with(self, clk: bytes) -> str:
        """What is wrong with a CLK, in words, or "". One with hardly any or nearly all bits set
        would agree with anybody's.
        """
        if len(clk) != self.bits // 8:
            return f"has {8 * len(clk)} bits, not {self.bits}"
        share = int.from_bytes(clk, "big").bit_count() / self.bits
        if share < _FEWEST_BITS:
            return f"has {share:.0%} of its bits set: too few"
        return f"has {share:.0%} of its bits set: too many" if share > _MOST_BITS else ""


_FEWEST_BITS: Final = 0.08
_MOST_BITS: Final = 0.85


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
    clk: Clk | None = field(default=None, repr=False)
    """Instead of segments and filters."""

    @property
    def columns(self) -> int:
        """The number of segments and of keys of filters."""
        return len(self.segments) + sum(item.keys for item in self.filters)

    @property
    def filter_sizes(self) -> Sequence[int]:
        """The bits of each filter, or of the CLK."""
        return [self.clk.bits] if self.clk else [item.bits for item in self.filters]

    @property
    def filter_bytes(self) -> int:
        """The length of all filters, or of the CLK."""
        return sum(self.filter_sizes) // 8


@dataclass(frozen=True)
class Profile:
    """A versioned set of passes."""

    id: str
    passes: tuple[Pass, ...]
    fingerprint: bytes
    births_a_day: int
    """The births a day in the partnership's area for which it is issued. Where more people share a
    date of birth, a stolen store tells more about them. 0: it is never issued by births a day.
    """

    @property
    def clk_pass(self) -> Pass | None:
        """The pass with a CLK, if this is a profile of CLKs. It is then the only pass."""
        return next((item for item in self.passes if item.clk), None)

    @property
    def kind(self) -> str:
        """The kind of its encodings: "hardened" or "clk". A store holds one kind, because a CLK
        that is joined to a hardened encoding would open it.
        """
        return "clk" if self.clk_pass else "hardened"

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
    known = sorted((get_profile(name) for name in HARDENED), key=lambda item: item.births_a_day)
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
    if any(item.clk for item in passes) and len(passes) > 1:
        raise UserError(
            f"Profile {content['id']} has a CLK and other passes.",
            "Leave the others out: joined to a CLK, they would be open, too.",
        )
    meaning = repr((ALGORITHM, content["id"], passes, *(item.clk for item in passes if item.clk)))
    fingerprint = hashlib.sha256(meaning.encode()).digest()
    return Profile(content["id"], passes, fingerprint, content["births_a_day"])


def _check(item: Pass) -> None:
    """Raise UserError if a pass cannot be encoded."""
    if item.clk:
        _check_clk(item.clk, item)
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


def _check_clk(clk: Clk, item: Pass) -> None:
    if item.segments or item.filters:
        raise UserError(
            f"Pass {item.name} has a CLK and segments or filters.", "Leave the others out."
        )
    if clk.bits < 64 or clk.bits & (clk.bits - 1):
        raise UserError(
            f"The CLK of pass {item.name} has {clk.bits} bits.", "Use a power of two from 64 on."
        )
    if not item.salt and not 0 < clk.bands * clk.band_bits <= clk.bits:
        raise UserError(
            f"The CLK of pass {item.name} has {clk.bands} bands of {clk.band_bits} bits.",
            f"Give bands that fit into {clk.bits} bits, or a salt.",
        )


def _parse_clk(table: Mapping[str, Any]) -> Clk:
    schema = json.loads(table["schema"])
    if len(schema["features"]) != len(table["fields"]):
        raise UserError(
            f"The schema has {len(schema['features'])} features, and the profile names"
            f" {len(table['fields'])} fields.",
            "Name the field of each feature, in the schema's order.",
        )
    return Clk(
        json.dumps(schema, sort_keys=True),
        tuple(table["fields"]),
        table["least_fields"],
        schema["clkConfig"]["l"],
        table.get("bands", 0),
        table.get("band_bits", 0),
    )


def _parse_pass(item: Mapping[str, Any]) -> Pass:
    return Pass(
        number=item["number"],
        name=item["name"],
        roles=tuple(item["roles"]),
        salt=tuple(item["salt"]),
        segments=tuple(tuple(segment) for segment in item.get("segments", ())),
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
        clk=_parse_clk(item["clk"]) if "clk" in item else None,
    )
