"""Who may not be sent. Applied to rows before anything is encoded; what stays here is counted,
never listed. Rule: no I/O (the lists are read by `permit_lists`).

The rule, per subject (docs/explanation/who-may-be-sent.md):

1. The national data opt-out applies where the contract is confidential patient information,
   unless the mapping states the exemption. Then a subject with an NHS number is sent only if the
   checking service's list has the number.
2. A subject without an NHS number cannot be checked, and is sent (NHS policy: the opt-out is
   held against NHS numbers).
3. Objections, local and partnership-wide, apply to every dataset.
4. A row whose *main* subject (the child, where the contract has one) may not be sent stays here
   whole.
5. A row whose other subject may not be sent goes without that person: no encoding, no relation,
   and no identifier of theirs salts anything.
6. What was sent before about someone who may no longer be sent is withdrawn at the next run.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from childlink_core.references import keyed_hash

from childlink_ingest.model.rows import Identity, Role, Row, WithheldRow

OPTED_OUT: Final = "national data opt-out"
OBJECTED: Final = "objection"


@dataclass(frozen=True)
class PermittedList:
    """The NHS numbers that came back from the checking service."""

    numbers: "array[int]" = field(repr=False)
    """Ascending."""

    def __contains__(self, number: str) -> bool:
        wanted = int(number)
        at = bisect_left(self.numbers, wanted)
        return at < len(self.numbers) and self.numbers[at] == wanted


@dataclass(frozen=True)
class Objections:
    """People whose rows are never sent, whatever the dataset."""

    nhs_numbers: frozenset[str] = field(default=frozenset(), repr=False)
    local_ids: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    """(role, person id)."""
    tokens: frozenset[bytes] = field(default=frozenset(), repr=False)
    """Partnership-wide: keyed hashes of NHS numbers."""


@dataclass(frozen=True)
class Permissions:
    """Everything that decides who may be sent in one run."""

    permitted: PermittedList | None = None
    """None: the opt-out does not apply to this run."""
    objections: Objections = Objections()
    token_of: Callable[[str], bytes] = field(default=lambda _number: b"", repr=False)

    def problem(self, role: Role, identity: Identity) -> str | None:
        """Why a subject may not be sent, or None."""
        number = identity.nhs_number
        if number and self.permitted is not None and number not in self.permitted:
            return OPTED_OUT
        said_no = self.objections
        if (number and number in said_no.nhs_numbers) or (
            role,
            identity.person_id,
        ) in said_no.local_ids:
            return OBJECTED
        if number and said_no.tokens and self.token_of(number) in said_no.tokens:
            return OBJECTED
        return None

    def apply(self, row: Row) -> Row | WithheldRow:
        """The row as far as it may be sent, or WithheldRow."""
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


def objection_token(key: bytes, number: str) -> bytes:
    """What a partnership-wide objection is told by: a keyed hash of the NHS number under the
    linkage secret.
    """
    return keyed_hash(key, "objection", number)
