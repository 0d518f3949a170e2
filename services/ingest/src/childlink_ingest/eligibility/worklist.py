"""Duplicates and contradictions among a site's own records, for its data-quality team. Rule: rows
in, findings out.

It uses one extract and nothing else. Nothing that another partner sent, and nothing that the hub
knows, has any effect on it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from childlink_ingest.model.rows import Identity, Role, Row
from childlink_ingest.standardise.normalise import phonetic

YOUNGEST_MOTHER, OLDEST_MOTHER = 11, 60
"""Years between a mother's and her child's birth. Outside of them, one of the dates is probably
wrong.
"""
_DAYS_OF_A_YEAR: Final = 365.25


@dataclass(frozen=True)
class Finding:
    """Something to look at in the source."""

    kind: str
    role: Role
    ids: tuple[str, ...]
    """Local ids, in order."""
    rows: tuple[int, ...]
    """Numbers of rows of the extract, in order."""
    todo: str


_TODO: Final = {
    "one NHS number, several ids": (
        "Is it one person? Then merge the records. If not, one has a wrong number."
    ),
    "same names and date of birth, several ids": "Is it one person? Then merge the records.",
    "similar names, same date of birth and postcode, several ids": (
        "Is it one person whose name was written in two ways? Or are they twins?"
    ),
    "one id, several dates of birth": "Which date is right?",
    "one id, several NHS numbers": "Which number is right?",
    "one id, both sexes": "Which is right?",
    "the mother's age at the birth is not plausible": (
        "Check both dates of birth, and whether she is the mother."
    ),
}


@dataclass(slots=True)
class _Seen:
    """What the rows of an id say. `several`: the kinds of contradictions."""

    rows: list[int]
    born: date | None
    number: str
    sex: str
    several: tuple[str, ...] = ()


class Worklist:
    """Collects rows, and finds what contradicts itself."""

    def __init__(self) -> None:
        self._of_id: dict[tuple[Role, str], _Seen] = {}
        # Most keys have one id; those with several are kept apart. There are millions of keys, so
        # only their hashes are kept.
        self._first: dict[int, tuple[str, int]] = {}
        self._alike: dict[tuple[str, Role, int], dict[str, list[int]]] = {}
        self._mothers: list[tuple[str, int]] = []

    def add(self, row: Row) -> None:
        """Add a row of the extract."""
        people: Sequence[tuple[Role, Identity | None]] = (
            ("child", row.child),
            ("adult", row.adult),
        )
        for role, person in people:
            if person:
                self._add(role, person, row.number)
        if row.child and row.adult and row.relation == "mother":
            mother, child = row.adult.date_of_birth, row.child.date_of_birth
            if mother and child:
                years = (child - mother).days / _DAYS_OF_A_YEAR
                if not YOUNGEST_MOTHER <= years <= OLDEST_MOTHER:
                    self._mothers.append((row.child.person_id, row.number))

    def _add(self, role: Role, person: Identity, number: int) -> None:
        certain = person.date_precision == "day" and not person.date_approximate
        born = person.date_of_birth if certain else None
        seen = self._of_id.get((role, person.person_id))
        if seen is None:
            said = _Seen([number], born, person.nhs_number, person.sex)
            self._of_id[role, person.person_id] = said
        else:
            seen.rows.append(number)
            for kind, before, now in (
                ("one id, several dates of birth", seen.born, born),
                ("one id, several NHS numbers", seen.number, person.nhs_number),
                ("one id, both sexes", seen.sex, person.sex),
            ):
                if before and now and before != now and kind not in seen.several:
                    seen.several = (*seen.several, kind)
            seen.born = seen.born or born
            seen.number = seen.number or person.nhs_number
            seen.sex = seen.sex or person.sex
        names = (person.given_name, person.surname)
        if person.nhs_number:
            self._note("one NHS number, several ids", role, person.nhs_number, person, number)
        if born and all(names):
            key = (*names, born)
            self._note("same names and date of birth, several ids", role, key, person, number)
            if person.postcode:
                sounds = (*map(phonetic, names), born, person.postcode)
                kind = "similar names, same date of birth and postcode, several ids"
                self._note(kind, role, sounds, person, number)

    def _note(self, kind: str, role: Role, key: object, person: Identity, number: int) -> None:
        code = hash((kind, role, key))
        first_id, first_row = self._first.setdefault(code, (person.person_id, number))
        several = self._alike.get((kind, role, code))
        if several is None and first_id != person.person_id:
            several = self._alike[kind, role, code] = {first_id: [first_row]}
        if several is not None:
            several.setdefault(person.person_id, []).append(number)

    def findings(self) -> list[Finding]:
        """Everything that was found, by kind. A pair of ids is named once, by the strongest
        reason.
        """
        found: list[Finding] = []
        named: set[tuple[Role, tuple[str, ...]]] = set()
        for kind in _TODO:
            for (of_kind, role, _), ids in self._alike.items():
                if of_kind != kind:
                    continue
                key = role, tuple(sorted(ids))
                if key not in named:
                    named.add(key)
                    rows = [number for numbers in ids.values() for number in numbers]
                    found.append(_finding(kind, role, ids, rows))
        for (role, person_id), seen in self._of_id.items():
            found += [_finding(kind, role, [person_id], seen.rows) for kind in seen.several]
        by_child: dict[str, list[int]] = defaultdict(list)
        for child, number in self._mothers:
            by_child[child].append(number)
        kind = "the mother's age at the birth is not plausible"
        found += [_finding(kind, "child", [child], rows) for child, rows in by_child.items()]
        order = list(_TODO)
        return sorted(found, key=lambda item: (order.index(item.kind), item.rows))


def _finding(kind: str, role: Role, ids: Iterable[str], rows: Iterable[int]) -> Finding:
    return Finding(kind, role, tuple(sorted(ids)), tuple(sorted(rows)), _TODO[kind])
