"""Finds local ids that more than one person shares. No I/O.

The linker takes all rows with one id for one person. A placeholder ("TBC"), a number shortened by a
spreadsheet (9.99E+09) or a wrong column in the mapping would therefore silently merge different
people. This module compares the rows of each id before anything is sent. Values are held in memory
only, as numbers, and are never shown.

Two rows with the same id belong to one person if they share an NHS number, names that sound alike,
or a date of birth that no other field contradicts. An id is shared if this leaves two people who
differ in date of birth or in NHS number, or four people of any kind. One typing error in a date is
tolerated if a name matches, and so is a single row that differs from all the others. An id with far
more rows than the others is a placeholder, too.
"""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from childlink_ingest.errors import ContradictingIdsError
from childlink_ingest.model.rows import Role, Row
from childlink_ingest.standardise.normalise import phonetic

CLAIM: Final = np.dtype(
    [
        ("person", "<u8"),
        ("number", "<u4"),
        ("born", "<i4"),
        ("given", "<u4"),
        ("surname", "<u4"),
        ("rows", "<u4"),
        ("line", "<u4"),
        ("shape", "<u4"),
        ("adult", "u1"),
    ]
)
"""The values that some rows give for one local id. 0 means missing.

`born` is the ordinal of a day; names are phonetic codes.
"""

# Far more than any family has in a register of sessions.
LEAST_ROWS_OF_A_PLACEHOLDER: Final = 20
LARGEST_SHARE_OF_ROWS: Final = 0.05
TIMES_THE_OTHERS: Final = 10
MOST_PEOPLE_UNTOLD: Final = 3
"""Up to this many names, without date or number, may belong to one person."""
LARGEST_SHARE_OF_STRAYS: Final = 0.25
"""Share of an id's rows that may differ from all the others: typing errors in a register of
visits.
"""

MOST_SHOWN: Final = 5
_COMPACT_ABOVE: Final = 500_000
_LONGEST_SHAPE: Final = 24
_SHAPES: Final = str.maketrans(
    {
        **dict.fromkeys("0123456789", "9"),
        **{chr(c): "A" for c in range(ord("A"), ord("Z") + 1)},
        **{chr(c): "a" for c in range(ord("a"), ord("z") + 1)},
    }
)
Why = Literal["different people", "too many rows"]


@dataclass(frozen=True)
class Contradiction:
    """An id that several people share. Shows the id's shape, never its value."""

    role: Role
    shape: str
    why: Why
    rows: int
    births: int
    numbers: int
    line: int
    """The id's first row in the extract."""


@dataclass(frozen=True)
class Claims:
    """The values that the rows of a chunk give for their ids.

    Plain data, because several processes prepare chunks.
    """

    packed: bytes = b""
    """An array of `CLAIM`."""
    shapes: Mapping[int, str] | None = None


class Said(NamedTuple):
    """One set of values for an id, and its number of rows. 0 means missing."""

    number: int
    born: int
    given: int
    surname: int
    rows: int = 1


def claims_of(rows: Iterable[Row]) -> Claims:
    """The claims of a chunk's rows: one for each different set of values of an id."""
    found: dict[tuple[bool, str, str, date | None, str, str], list[int]] = {}
    for row in rows:
        for adult, who in ((False, row.child), (True, row.adult)):
            if who is None:
                continue
            key = (
                adult,
                who.person_id,
                who.nhs_number,
                None if who.date_approximate or who.date_precision != "day" else who.date_of_birth,
                who.given_name,
                who.surname,
            )
            seen = found.get(key)
            if seen is None:
                found[key] = [row.number, 1]
            else:
                seen[1] += 1
    shapes: dict[int, str] = {}
    claims = []
    for (adult, person_id, number, born, given, surname), (line, count) in found.items():
        shape = shape_of(person_id)
        code = _code(shape)
        shapes[code] = shape
        person = int.from_bytes(_person(person_id, adult), "little")
        day = born.toordinal() if born else 0
        sounds = _code(phonetic(given)), _code(phonetic(surname))
        claims.append(
            (person, _code(number), day, *sounds, count, min(line, 2**32 - 1), code, adult)
        )
    return Claims(np.array(claims, dtype=CLAIM).tobytes(), shapes)


def shape_of(person_id: str) -> str:
    """The shape of an id, without its value.

    >>> shape_of("TBC"), shape_of("9.99E+09"), shape_of("a-17/2020")
    ('AAA', '9.99A+99', 'a-99/9999')
    """
    shape = person_id.translate(_SHAPES)
    return shape if len(shape) <= _LONGEST_SHAPE else f"{shape[:_LONGEST_SHAPE]}..."


def refuse(found: Sequence[Contradiction], columns: Mapping[Role, str]) -> ContradictingIdsError:
    """Build the error for the site. `columns` names the extract's id column of each role."""
    parts = []
    for item in found[:MOST_SHOWN]:
        what = f"{item.rows:,} rows from line {item.line:,} on"
        if item.why == "different people":
            what += f", {item.births:,} dates of birth, {item.numbers:,} NHS numbers"
        else:
            what += ", far more than any other id"
        parts.append(f"{item.role} ids of the form {item.shape} in {columns[item.role]} ({what})")
    more = f"; and {len(found) - MOST_SHOWN:,} more" if len(found) > MOST_SHOWN else ""
    ids = "1 id stands" if len(found) == 1 else f"{len(found):,} ids stand"
    return ContradictingIdsError(
        f"{ids} for different people: {'; '.join(parts)}{more}.",
        "Nothing was sent, because the linker would merge these people. Check these rows. Common"
        " causes are a placeholder such as TBC, a number that a spreadsheet shortened (9.99E+09:"
        " export that column as text), and a wrong column in the mapping. Correct the extract or"
        " the"
        " mapping. You can also list values that are not ids under `placeholder_ids` in the"
        " mapping:"
        " a row with such a value then counts as a row without an id.",
    )


class IdentityCheck:
    """Collects the claims of an extract. Uses 37 bytes of memory per claim."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.void]] = []
        self._pending = 0
        self._shapes: dict[int, str] = {}

    def add(self, claims: Claims) -> None:
        """Add the claims of a chunk."""
        part = np.frombuffer(claims.packed, dtype=CLAIM)
        self._parts.append(part)
        self._shapes |= claims.shapes or {}
        self._pending += len(part)
        if self._pending > _COMPACT_ABOVE:
            self._parts, self._pending = [_compact(self._parts)], 0

    def contradictions(self) -> list[Contradiction]:
        """The ids that several people share, those with the most rows first."""
        claims = _compact(self._parts)
        if not len(claims):
            return []
        starts = np.flatnonzero(np.r_[True, claims["person"][1:] != claims["person"][:-1]])
        ends = np.r_[starts[1:], len(claims)]
        rows = np.add.reduceat(claims["rows"].astype(np.int64), starts)
        adult = claims["adult"][starts] > 0
        crowded = _crowded(rows, adult)
        found = []
        for at in np.flatnonzero(crowded | _worth_a_look(claims, starts)).tolist():
            group = claims[starts[at] : ends[at]]
            said = [
                Said(*map(int, claim))
                for claim in group[["number", "born", "given", "surname", "rows"]].tolist()
            ]
            why: Why | None = "different people" if are_different_people(said) else None
            why = why or ("too many rows" if crowded[at] else None)
            if why:
                found.append(
                    Contradiction(
                        "adult" if adult[at] else "child",
                        self._shapes.get(int(group["shape"][0]), "?"),
                        why,
                        int(rows[at]),
                        len({one.born for one in said if one.born}),
                        len({one.number for one in said if one.number}),
                        int(group["line"].min()),
                    )
                )
        return sorted(found, key=lambda item: (-item.rows, item.line, item.role))


def are_different_people(said: Sequence[Said]) -> bool:
    """Whether the claims of one id cannot all be about one person.

    >>> nia, zofia = Said(1, 737_000, 11, 21), Said(2, 737_400, 12, 22)
    >>> are_different_people([nia, zofia])
    True

    One person may have a corrected date of birth, a corrected number, a change of name, and one
    stray row among many:

    >>> are_different_people([nia, nia._replace(born=737_400)])
    False
    >>> are_different_people([nia, nia._replace(number=3), nia._replace(given=12, surname=22)])
    False
    >>> are_different_people([nia._replace(rows=9), zofia])
    False
    """
    people = _people(said)
    if len(people) > MOST_PEOPLE_UNTOLD:
        return True
    strays = [person for person in people if sum(one.rows for one in person) == 1]
    if len(strays) <= LARGEST_SHARE_OF_STRAYS * sum(one.rows for one in said):
        people = [person for person in people if person not in strays]
    return any(
        _differ(one, other) and not _is_one_slip(one, other)
        for at, one in enumerate(people)
        for other in people[at + 1 :]
    )


def _differ(one: Sequence[Said], other: Sequence[Said]) -> bool:
    """Whether both have dates of birth (or both have numbers), but none in common."""
    for what in ("born", "number"):
        here, there = ({getattr(said, what) for said in person} - {0} for person in (one, other))
        if here and there and not here & there:
            return True
    return False


def _people(said: Sequence[Said]) -> list[list[Said]]:
    """Group the claims that agree in a field."""
    parent = list(range(len(said)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[tuple[object, ...], int] = {}
    for at, one in enumerate(said):
        agreements: list[tuple[object, ...]] = []
        if one.number:
            agreements.append(("number", one.number))
        if one.born:
            agreements.append(("born", one.born, one.given))
            # Twins under one id share a date of birth. If there is a number, the given name must
            # match, too.
            agreements += [("born", one.born, 0)] if not one.number else []
        if one.given and one.surname:
            agreements.append(("names", one.given, one.surname))
        if not one.number and not one.born:
            agreements += [("given", one.given)] if one.given else []
            agreements += [("surname", one.surname)] if one.surname else []
        for agreement in agreements:
            parent[root(at)] = root(first.setdefault(agreement, at))
    groups: dict[int, list[Said]] = defaultdict(list)
    for at, one in enumerate(said):
        if any(one):
            groups[root(at)].append(one)
    return list(groups.values())


def _is_one_slip(one: Sequence[Said], other: Sequence[Said]) -> bool:
    """Whether two dates of birth differ in one mistyped part only, or by swapped day and month.

    A name must also agree or be missing.
    """
    for a in one:
        for b in other:
            alike = not (a.given and b.given and a.surname and b.surname)
            alike |= bool(a.given and a.given == b.given) or bool(
                a.surname and a.surname == b.surname
            )
            if (
                alike
                and a.born
                and b.born
                and _is_slip(date.fromordinal(a.born), date.fromordinal(b.born))
            ):
                return True
    return False


def _is_slip(a: date, b: date) -> bool:
    same = (a.year == b.year) + (a.month == b.month) + (a.day == b.day)
    return same == 2 or (a.year, a.month, a.day) == (b.year, b.day, b.month)


def _worth_a_look(claims: NDArray[np.void], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the ids with two dates, two numbers, or more names than one person has."""
    look = np.zeros(len(starts), dtype=bool)
    for column in ("born", "number"):
        values = claims[column].astype(np.int64)
        least = np.minimum.reduceat(np.where(values == 0, np.iinfo(np.int64).max, values), starts)
        look |= np.maximum.reduceat(values, starts) > least
    size = np.diff(np.r_[starts, len(claims)])
    look |= size > MOST_PEOPLE_UNTOLD
    return look


def _crowded(rows: NDArray[np.int64], adult: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the ids with far more rows than the other ids of their role."""
    crowded = np.zeros(len(rows), dtype=bool)
    for role in (False, True):
        of_role = adult == role
        count, total = int(of_role.sum()), int(rows[of_role].sum())
        if count < 2:
            continue
        others = (total - rows) / (count - 1)
        many = (rows >= LEAST_ROWS_OF_A_PLACEHOLDER) & (rows > LARGEST_SHARE_OF_ROWS * total)
        crowded |= of_role & many & (rows > TIMES_THE_OTHERS * others)
    return crowded


def _compact(parts: Sequence[NDArray[np.void]]) -> NDArray[np.void]:
    """Sort all claims by id, and merge equal ones."""
    claims = np.concatenate([*parts]) if parts else np.zeros(0, dtype=CLAIM)
    if not len(claims):
        return claims
    order = np.lexsort([claims[name] for name in ("surname", "given", "born", "number", "person")])
    claims = claims[order]
    fresh = np.zeros(len(claims), dtype=bool)
    fresh[0] = True
    for name in ("person", "number", "born", "given", "surname"):
        fresh[1:] |= claims[name][1:] != claims[name][:-1]
    starts = np.flatnonzero(fresh)
    compact = claims[starts].copy()
    compact["rows"] = np.add.reduceat(claims["rows"], starts)
    compact["line"] = np.minimum.reduceat(claims["line"], starts)
    return compact


def _person(person_id: str, adult: bool) -> bytes:
    return hashlib.blake2b(
        person_id.encode(), digest_size=8, person=b"adult" if adult else b"child"
    ).digest()


@lru_cache(maxsize=100_000)
def _code(text: str) -> int:
    """A number for a text; 0 for an empty text. Two texts collide with a chance of 1 in 4
    billion.
    """
    return (zlib.crc32(text.encode()) or 1) if text else 0
