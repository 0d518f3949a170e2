"""Decides which rows may be sent, before anything is encoded. No I/O (`eligibility.lists` reads the
lists).

Withheld rows are counted, never listed. The rule, per subject
(docs/explanation/who-may-be-sent.md):

1. The national data opt-out applies if the contract is confidential patient information,
   unless the mapping states an exemption. A subject with an NHS number is then sent only if the
   checking service's list contains the number.
2. A subject without an NHS number cannot be checked, and is sent. (NHS policy: the opt-out is
   recorded against NHS numbers.)
3. Objections, local and partnership-wide, apply to every dataset. 4. If the *main* subject of a row
(the child, if the contract has one) may not be sent, the whole
   row is withheld.
5. If the other subject may not be sent, the row goes without that person: no encoding, no
   relation, and none of their identifiers salts an encoding.
6. If a person may no longer be sent, the next run withdraws what was sent about them.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from childlink_core.references import keyed_hash

from childlink_ingest.model.rows import Identity, Role, Row, WithheldRow

OPTED_OUT: Final = "national data opt-out"
OBJECTED: Final = "objection"


@dataclass(frozen=True)
class PermittedList:
    """The NHS numbers that the checking service returned."""

    numbers: "array[int]" = field(repr=False)
    """Sorted in ascending order."""

    def __contains__(self, number: str) -> bool:
        wanted = int(number)
        at = bisect_left(self.numbers, wanted)
        return at < len(self.numbers) and self.numbers[at] == wanted


@dataclass(frozen=True)
class Objections:
    """People whose rows are never sent, in any dataset."""

    nhs_numbers: frozenset[str] = field(default=frozenset(), repr=False)
    local_ids: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    """Pairs of role and person id."""
    tokens: frozenset[str] = field(default=frozenset(), repr=False)
    """Partnership-wide objections: keyed hashes of NHS numbers."""


@dataclass(frozen=True)
class Permissions:
    """All rules that decide who may be sent in one run."""

    permitted: PermittedList | None = None
    """None if the opt-out does not apply to this run."""
    objections: Objections = Objections()
    tokens_of: Callable[[str], Iterable[str]] = field(default=lambda _number: (), repr=False)
    """The tokens of an NHS number, one for each linkage secret that the site holds."""

    def problem(self, role: Role, identity: Identity) -> str | None:
        """The reason why a subject may not be sent, or None."""
        number = identity.nhs_number
        if number and self.permitted is not None and number not in self.permitted:
            return OPTED_OUT
        said_no = self.objections
        if (number and number in said_no.nhs_numbers) or (
            role,
            identity.person_id,
        ) in said_no.local_ids:
            return OBJECTED
        if number and said_no.tokens and not said_no.tokens.isdisjoint(self.tokens_of(number)):
            return OBJECTED
        return None

    def apply(self, row: Row) -> Row | WithheldRow:
        """The part of the row that may be sent, or WithheldRow."""
        child = self.problem("child", row.child) if row.child else None
        adult = self.problem("adult", row.adult) if row.adult else None
        if child is None and adult is None:
            return row
        main = child if row.child else adult
        if main is not None:
            return WithheldRow(row.number, main, row)
        return replace(
            row,
            adult=None,
            relation=None,
            notes=(*row.notes, f"adult left out: {adult}"),
            left_out=row.adult,
        )


def objection_tokens(keys: Mapping[int, bytes], number: str) -> list[str]:
    """The tokens of a partnership-wide objection: keyed hashes of the NHS number (16 bytes), with
    the version of the linkage secret, as VERSION:HEX.

    Each key is derived from the linkage secret of that version.
    """
    return [
        f"{version}:{keyed_hash(key, 'objection', number).hex()}" for version, key in keys.items()
    ]
