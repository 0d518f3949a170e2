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
ALGORITHM: Final = "cl-segments-3"
DEFAULT_PROFILE: Final = "cl-2026d"
SEGMENT_BYTES: Final = 4


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


@dataclass(frozen=True)
class Profile:
    """A versioned set of passes."""

    id: str
    passes: tuple[Pass, ...]
    fingerprint: bytes

    def get_pass(self, number: int) -> Pass | None:
        """The pass with this number, or None."""
        return self._by_number.get(number)

    @cached_property
    def _by_number(self) -> dict[int, Pass]:
        return {item.number: item for item in self.passes}


@cache
def get_profile(profile_id: str = DEFAULT_PROFILE) -> Profile:
    """Load a profile bundled with this version. Raises UserError if there is none with this id."""
    known = sorted(
        file.name.removesuffix(".toml")
        for file in files(__name__).iterdir()
        if file.name.endswith(".toml")
    )
    if profile_id not in known:
        raise UserError(
            f"There is no encoding profile {profile_id!r}.", f"Use one of: {', '.join(known)}."
        )
    return parse_profile((files(__name__) / f"{profile_id}.toml").read_text(encoding="utf-8"))


def parse_profile(text: str) -> Profile:
    """Parse a profile file.

    The fingerprint covers the meaning of the profile (not comments or spacing) and the algorithm.
    """
    content = tomllib.loads(text)
    passes = tuple(_parse_pass(item) for item in content["pass"])
    meaning = repr((ALGORITHM, content["id"], passes))
    return Profile(content["id"], passes, hashlib.sha256(meaning.encode()).digest())


def _parse_pass(item: Mapping[str, Any]) -> Pass:
    return Pass(
        number=item["number"],
        name=item["name"],
        roles=tuple(item["roles"]),
        salt=tuple(item["salt"]),
        segments=tuple(tuple(segment) for segment in item["segments"]),
        only_without=tuple(item.get("only_without", ())),
        candidates=item.get("candidates", True),
    )
