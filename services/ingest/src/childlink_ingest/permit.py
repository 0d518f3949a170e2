"""Who may not be sent. Applied to rows before anything is encoded; what stays here is counted, never listed. A rule: no I/O but
`read_*`.

The rule, per subject (docs/explanation/who-may-be-sent.md):

1. The national data opt-out applies where the contract is confidential patient information, unless the mapping states the
   exemption. Then a subject with an NHS number is sent only if the checking service's list has the number.
2. A subject without an NHS number cannot be checked, and is sent (NHS policy: the opt-out is held against NHS numbers).
3. Objections, local and partnership-wide, apply to every dataset.
4. A row whose *main* subject (the child, where the contract has one) may not be sent stays here whole.
5. A row whose other subject may not be sent goes without that person: no encoding, no relation, and no identifier of theirs
   salts anything.
6. What was sent before about someone who may no longer be sent is withdrawn at the next run.
"""

import csv
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from childlink_core.references import keyed_hash

from childlink_ingest.errors import PermitError
from childlink_ingest.normalise import nhs_number
from childlink_ingest.rows import Held, Identity, Role, Row

OPTED_OUT: Final = "national data opt-out"
OBJECTED: Final = "objection"
_SECONDS_A_DAY: Final = 86_400


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
        if (number and number in said_no.nhs_numbers) or (role, identity.person_id) in said_no.local_ids:
            return OBJECTED
        if number and said_no.tokens and self.token_of(number) in said_no.tokens:
            return OBJECTED
        return None

    def apply(self, row: Row) -> Row | Held:
        """The row as far as it may be sent, or Held."""
        child = self.problem("child", row.child) if row.child else None
        adult = self.problem("adult", row.adult) if row.adult else None
        if child is None and adult is None:
            return row
        main = child if row.child else adult
        if main is not None:
            return Held(row.number, main, row)
        return replace(
            row, adult=None, relation=None, notes=(*row.notes, f"adult left out: {adult}"), left_out=row.adult
        )


def objection_token(key: bytes, number: str) -> bytes:
    """What a partnership-wide objection is told by: a keyed hash of the NHS number under the linkage secret."""
    return keyed_hash(key, "objection", number)


def read_permitted_list(path: Path | None, max_age_days: float, now: datetime) -> PermittedList:
    """Read the checking service's answer: NHS numbers, one a line, each with a comma (MESH) or without.

    Raises PermitError when it is missing, too old, or no such list.
    """
    if path is None or not path.is_file():
        where = f"{path} does not exist" if path else "none is set"
        raise PermitError(
            f"This dataset needs the list of permitted NHS numbers, and {where}.",
            "Write the request with `childlink-ingest opt-out request`, send it to the checking service, and set "
            '`permitted_list` to its answer. If the opt-out does not apply, state why in the mapping: opt_out_exempt = "..."',
        )
    age = (now.timestamp() - path.stat().st_mtime) / _SECONDS_A_DAY
    if age > max_age_days:
        raise PermitError(
            f"The list of permitted NHS numbers is {age:.1f} days old; at most {max_age_days:g} are allowed.",
            "Have it checked again. Nothing was sent.",
        )
    return PermittedList(array("q", sorted({int(number) for number in _numbers(path)})))


def read_objections(path: Path | None) -> Objections:
    """Read the site's own objections: a CSV file with the columns nhs_number, role and local_id (either may be empty)."""
    if path is None:
        return Objections()
    numbers, ids = set(), set()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"nhs_number", "role", "local_id"} <= set(reader.fieldnames or ()):
                raise PermitError(f"{path} lacks a column.", "Its header is: nhs_number,role,local_id")
            for line, row in enumerate(reader, start=2):
                number = nhs_number(row["nhs_number"] or "")
                if (row["nhs_number"] or "").strip() and not number:
                    raise PermitError(
                        f"{path}, line {line}: the NHS number fails its check.", "Correct it. Nothing was sent."
                    )
                if number:
                    numbers.add(number)
                if local := (row["local_id"] or "").strip():
                    if row["role"] not in ("child", "adult"):
                        raise PermitError(
                            f"{path}, line {line}: role is child or adult.", "Correct it. Nothing was sent."
                        )
                    ids.add((row["role"], local))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PermitError(f"{path} cannot be read ({type(error).__name__}).", "Correct `objections`.") from None
    return Objections(frozenset(numbers), frozenset(ids))


def read_objection_tokens(path: Path | None) -> frozenset[bytes]:
    """Read partnership-wide objections: one token a line, in hexadecimal."""
    if path is None:
        return frozenset()
    try:
        tokens = frozenset(bytes.fromhex(line) for line in path.read_text(encoding="ascii").split())
    except (OSError, ValueError) as error:
        raise PermitError(
            f"{path} cannot be read ({type(error).__name__}).", "Fetch the partnership's list again."
        ) from None
    return tokens


def read_nhs_numbers(path: Path) -> list[str]:
    """Read a file of NHS numbers, one a line. Raises PermitError."""
    return list(dict.fromkeys(_numbers(path)))


def _numbers(path: Path) -> Iterable[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line, text in enumerate(file, start=1):
                stripped = text.strip().rstrip(",").strip()
                if not stripped or (line == 1 and not any(c.isdigit() for c in stripped)):
                    continue
                number = nhs_number(stripped)
                if not number:
                    raise PermitError(
                        f"{path.name}, line {line} is not an NHS number that passes its check.",
                        "Give the file as the checking service sent it: one number a line.",
                    )
                yield number
    except (OSError, UnicodeDecodeError) as error:
        raise PermitError(f"{path} cannot be read ({type(error).__name__}).", "Check the path.") from None
