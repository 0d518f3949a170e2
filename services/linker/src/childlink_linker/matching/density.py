"""How many children share a date of birth. A profile is issued for so many births a day: where more
share a date, a stolen store tells more about them. Rule: arrays in, numbers out.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.errors import UserError
from childlink_core.profiles import Profile, profile_for

from childlink_linker.matching.encodings import Encodings


@dataclass(frozen=True)
class Density:
    """Children of one date of birth, over all dates that the store has."""

    usual: int
    """The median."""
    most: int
    """Of the date with the most: often one that a source uses for unknown dates."""
    issued_for: int
    """What the profile is issued for."""

    @property
    def outgrown(self) -> bool:
        """Whether more than half of the dates have more children than the profile is issued for."""
        return self.usual > self.issued_for

    def advice(self) -> str:
        """What to do, in words."""
        if not self.outgrown:
            return "nothing to do"
        try:
            other = profile_for(self.usual)
        except UserError:
            return (
                "no profile is issued for so many: split the store by area, or accept the risk in"
                " the DPIA (docs/explanation/encodings.md)"
            )
        return f"move to {other.id}: docs/runbooks/ProfileOutgrown.md"


class ChildrenOfADate:
    """Counts the children of each date, chunk by chunk."""

    def __init__(self, profile: Profile) -> None:
        dated = [item for item in profile.passes if item.salt == ("date",)]
        self._pass = dated[0].number if dated and profile.births_a_day else None
        self._issued_for = profile.births_a_day
        self._seen: set[tuple[int, str]] = set()

    def add(self, encodings: Encodings, persons: Sequence[str | None]) -> None:
        """Count records and the persons that they belong to."""
        if self._pass is None:
            return
        tokens = encodings.passes[self._pass].tokens.tolist()
        roles = encodings.role.tolist()
        self._seen.update(
            (token, person)
            for token, role, person in zip(tokens, roles, persons, strict=True)
            if token and person and role == wire.ROLE_CHILD
        )

    def density(self) -> Density | None:
        """None if no child has a date, or the profile is issued for no number of births."""
        sizes = Counter(token for token, _ in self._seen).values()
        if not sizes:
            return None
        return Density(round(median(sizes)), max(sizes), self._issued_for)
