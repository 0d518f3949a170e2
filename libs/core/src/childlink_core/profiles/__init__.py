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

# Version of the algorithm (features, hashing, bit selection) in childlink_ingest.encode. Part of the fingerprint.
ALGORITHM: Final = "cl-salted-aes-1"
DEFAULT_PROFILE: Final = "cl-2026a"


@dataclass(frozen=True)
class FilterField:
    """A field of a filter: how it is cut into features, and how many bits each feature sets (1 to 8)."""

    field: str
    features: Literal["bigrams", "positions", "whole"]
    bits: int


@dataclass(frozen=True)
class Pass:
    """One filter: made under a key that depends on the salt fields, so comparable within one salt value only."""

    number: int
    name: str
    roles: tuple[str, ...]
    salt: tuple[str, ...]
    filter: tuple[FilterField, ...]
    needs: tuple[str, ...]
    only_without: tuple[str, ...]
    instead_of: int | None
    """A pass with much the same evidence: this one counts only where that one does not agree."""

    @property
    def weighty(self) -> tuple[int, ...]:
        """Indexes of the filter fields that are names: the ones whose absence changes what a similarity means."""
        return tuple(index for index, field in enumerate(self.filter) if field.features == "bigrams")


@dataclass(frozen=True)
class Profile:
    """A versioned set of passes."""

    id: str
    filter_bits: int
    passes: tuple[Pass, ...]
    fingerprint: bytes

    @property
    def filter_bytes(self) -> int:
        """Length of a filter on the wire."""
        return self.filter_bits // 8

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
    passes = tuple(_parse_pass(item) for item in content["pass"])
    meaning = repr((ALGORITHM, content["id"], content["filter_bits"], passes))
    return Profile(content["id"], content["filter_bits"], passes, hashlib.sha256(meaning.encode()).digest())


def _parse_pass(item: Mapping[str, Any]) -> Pass:
    return Pass(
        number=item["number"],
        name=item["name"],
        roles=tuple(item["roles"]),
        salt=tuple(item["salt"]),
        filter=tuple(FilterField(**field) for field in item["filter"]),
        needs=tuple(item.get("needs", ())),
        only_without=tuple(item.get("only_without", ())),
        instead_of=item.get("instead_of"),
    )
