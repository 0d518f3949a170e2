"""Encoding profiles: which passes a record carries and how a filter's bits come about. See DESIGN's "salted passes".

A profile is a versioned TOML file. Its fingerprint travels with every encoding; encodings of another fingerprint are
refused, never compared.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from childlink_core.errors import UserError

# Version of the algorithm (normalisation, features, hashing, bit selection, diffusion) in childlink_ingest. Part of the fingerprint.
ALGORITHM: Final = "cl-diffused-aes-1"
DEFAULT_PROFILE: Final = "cl-2026b"
EXACT_BYTES: Final = 8
"""Length of a segment of an exact pass."""


@dataclass(frozen=True)
class FilterField:
    """How a field is cut into features, and how many bits they set in all (each of them at most 8)."""

    field: str
    features: Literal["given", "bigrams", "positions", "postcode", "whole"]
    bits: int


@dataclass(frozen=True)
class Pass:
    """Filters made under a key that depends on the salt fields, so comparable within one salt value only."""

    number: int
    name: str
    roles: tuple[str, ...]
    salt: tuple[str, ...]
    segments: tuple[tuple[str, ...], ...]
    """The fields of each segment; a record that lacks one of them lacks the segment."""
    only_without: tuple[str, ...]
    exact: bool
    """Segments are keyed hashes, equal or not, and the token is the NHS number's: the pass makes no candidates of its own."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of all segments, each once."""
        return tuple(dict.fromkeys(name for segment in self.segments for name in segment))


@dataclass(frozen=True)
class Profile:
    """A versioned set of passes."""

    id: str
    segment_bits: int
    diffusion: int
    """How many bits are combined into each bit that leaves."""
    fields: Mapping[str, FilterField]
    passes: tuple[Pass, ...]
    fingerprint: bytes

    def segment_bytes(self, item: Pass) -> int:
        """Length of one of a pass's segments."""
        return EXACT_BYTES if item.exact else self.segment_bits // 8

    def get_pass(self, number: int) -> Pass | None:
        """The pass of this number, if the profile has it."""
        return next((item for item in self.passes if item.number == number), None)


@cache
def get_profile(profile_id: str = DEFAULT_PROFILE) -> Profile:
    """Load a profile that comes with this version."""
    known = sorted(file.name.removesuffix(".toml") for file in files(__name__).iterdir() if file.name.endswith(".toml"))
    if profile_id not in known:
        raise UserError(f"There is no encoding profile {profile_id!r}.", f"Use one of: {', '.join(known)}.")
    return parse_profile((files(__name__) / f"{profile_id}.toml").read_text(encoding="utf-8"))


def parse_profile(text: str) -> Profile:
    """Parse a profile file. The fingerprint covers its meaning (not comments or spacing) and the algorithm."""
    content = tomllib.loads(text)
    fields = {name: FilterField(name, **how) for name, how in content["fields"].items()}
    passes = tuple(_parse_pass(item) for item in content["pass"])
    bits, diffusion = content["segment_bits"], content["diffusion"]
    meaning = repr((ALGORITHM, content["id"], bits, diffusion, sorted(fields.items()), passes))
    return Profile(content["id"], bits, diffusion, fields, passes, hashlib.sha256(meaning.encode()).digest())


def _parse_pass(item: Mapping[str, Any]) -> Pass:
    return Pass(
        number=item["number"],
        name=item["name"],
        roles=tuple(item["roles"]),
        salt=tuple(item["salt"]),
        segments=tuple(tuple(segment) for segment in item["segments"]),
        only_without=tuple(item.get("only_without", ())),
        exact=item.get("exact", False),
    )
