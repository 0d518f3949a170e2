"""The fields that profiles name: how to read them from a subject, and their shapes. No I/O.

Some shapes are not changed by typical errors: the sound of a name, its start and end, two parts of
a date. They let records match that were written differently, without sending any similarity
measure.
"""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final

from childlink_ingest.model.rows import PRECISIONS, Identity, Precision
from childlink_ingest.pseudonymise.split import Subject
from childlink_ingest.standardise.normalise import phonetic
from childlink_ingest.standardise.spellings import NICKNAMES, PARTICLES, PREFIXES

Shape = Callable[[str], str]
# Endings of values that equal no name. They stand where a record has nothing to say, so that its
# encoding does not show it.
_NO_OTHER_NAME: Final = "\x01"
_NO_FAMILY: Final = "\x02"


def _first(name: str) -> str:
    """The first given name. A name that many brothers share comes last, so it is passed over.

    >>> _first("yusuf ali"), _first("muhammad ali"), _first("muhammad")
    ('yusuf', 'ali', 'muhammad')
    """
    first, _, rest = name.partition(" ")
    return rest.split(" ", 1)[0] if rest and first in PREFIXES else first


@lru_cache(maxsize=50_000)
def other_given_names(given: str, known_as: str) -> tuple[str, str]:
    """Two more given names: the known-as name, and the next of the given names.

    >>> other_given_names("katarzyna anna", "kasia"), other_given_names("paa kwesi kofi", "")
    (('kasia', 'anna'), ('kwesi', 'kofi'))

    Who has fewer gets values that equal no name:

    >>> other_given_names("anne", "anne"), other_given_names("", "")
    (('anne\\x01', 'anne\\x01\\x01'), ('', ''))
    """
    if not given:
        return "", ""
    first = _first(given)
    names = dict.fromkeys((known_as.split(" ", 1)[0], *given.split(" ")))
    others = [name for name in names if name and name != first]
    second, third, *_ = [*others, first + _NO_OTHER_NAME, first + 2 * _NO_OTHER_NAME]
    return second, third


def given_family(given: str) -> str:
    """The family of nicknames of a given name, or a value that equals no other name's.

    >>> given_family("bill") == given_family("william") != given_family("ben")
    True
    """
    return NICKNAMES.get(first := _first(given), first + _NO_FAMILY)


def _given(identity: Identity) -> str:
    return identity.given_name or identity.known_as


def _main(surname: str) -> str:
    words = surname.split()
    return next((word for word in words if word not in PARTICLES), words[0])


@lru_cache(maxsize=50_000)
def either_way(day: date | None) -> str:
    """A date as text. If the day could also be a month, the smaller of the two comes first.

    Swapping day and month then makes no difference.

    >>> either_way(date(2020, 11, 3)), either_way(date(2020, 3, 11))
    ('2020-03-11', '2020-03-11')
    >>> either_way(date(2020, 3, 14)), either_way(None)
    ('2020-03-14', '')
    """
    if day is None:
        return ""
    low, high = (day.month, day.day) if day.day > 12 else sorted((day.month, day.day))
    return f"{day.year:04}-{low:02}-{high:02}"


def day_of_birth(identity: Identity) -> date | None:
    """The date of birth, if its day is known."""
    return identity.date_of_birth if identity.date_precision == "day" else None


def _known(identity: Identity, part: Precision) -> str:
    """The year, or the year and month, of birth; "" if the source does not know it.

    >>> _known(Identity("1", date_of_birth=date(2020, 3, 1), date_precision="month"), "month")
    '2020-03'
    >>> _known(Identity("1", date_of_birth=date(2020, 1, 1), date_precision="year"), "month")
    ''
    """
    born = identity.date_of_birth
    if born is None or PRECISIONS.index(identity.date_precision) > PRECISIONS.index(part):
        return ""
    return f"{born.year:04}" if part == "year" else f"{born.year:04}-{born.month:02}"


LEFT_OUT: Final = ("1", "2", "3", "4", "5", "last")
"""The positions of the letters that are left out of names, one at a time."""


def _without(which: str, of: Shape) -> Shape:
    """The name without one letter; the whole name if it has no letter at that position."""

    def shape(value: str) -> str:
        name = of(value)
        at = len(name) - 1 if which == "last" else int(which) - 1
        return name[:at] + name[at + 1 :] if 0 <= at < len(name) and len(name) > 2 else name

    return shape


# The value that each source reads from a subject ("" if missing), and its shapes, by the names in
# profiles.
SOURCES: Final[dict[str, Callable[[Subject], str]]] = {
    "given_name": lambda s: _given(s.identity),
    "second_given_name": lambda s: other_given_names(_given(s.identity), s.identity.known_as)[0],
    "third_given_name": lambda s: other_given_names(_given(s.identity), s.identity.known_as)[1],
    "surname": lambda s: s.identity.surname,
    "postcode": lambda s: s.identity.postcode,
    "date_of_birth": lambda s: either_way(day_of_birth(s.identity)),
    "month_of_birth": lambda s: _known(s.identity, "month"),
    "year_of_birth": lambda s: _known(s.identity, "year"),
    "sex": lambda s: s.identity.sex,
    "nhs_number": lambda s: s.identity.nhs_number,
    "child_nhs_number": lambda s: s.child.nhs_number if s.child else "",
    "child_given_name": lambda s: _given(s.child) if s.child else "",
    "child_surname": lambda s: s.child.surname if s.child else "",
    "child_date_of_birth": lambda s: either_way(day_of_birth(s.child)) if s.child else "",
    "relation": lambda s: s.relation or "",
    "mother_nhs_number": lambda s: s.mother.nhs_number if s.mother else "",
    "mother_given_name": lambda s: s.mother.given_name if s.mother else "",
    "mother_date_of_birth": lambda s: either_way(day_of_birth(s.mother)) if s.mother else "",
}
SHAPES: Final[dict[str, dict[str, Shape]]] = {
    "given_name": {
        "given": _first,
        "given_sound": lambda v: phonetic(_first(v)),
        "given_initial": lambda v: _first(v)[:1],
        "given_start": lambda v: _first(v)[:3],
        "given_end": lambda v: _first(v)[-3:],
        "given_family": given_family,
        **{f"given_without_{which}": _without(which, _first) for which in LEFT_OUT},
    },
    "second_given_name": {"given_2": lambda v: v},
    "third_given_name": {"given_3": lambda v: v},
    "surname": {
        "surname": lambda v: v,
        "surname_sound": phonetic,
        **{f"surname_without_{which}": _without(which, str) for which in LEFT_OUT},
        "surname_start": lambda v: _main(v)[:3],
        "surname_end": lambda v: v[-3:],
    },
    "postcode": {"postcode": lambda v: v, "district": lambda v: v[:-3]},
    "date_of_birth": {
        "date": lambda v: v,
        "date_day_month": lambda v: v[5:],
        "date_month_year": lambda v: v[:7],
        "date_day_year": lambda v: v[:5] + v[8:],
    },
    "month_of_birth": {"month": lambda v: v},
    "year_of_birth": {"year": lambda v: v},
    "sex": {"sex": lambda v: v},
    "nhs_number": {"nhs_number": lambda v: v},
    "child_nhs_number": {"child_nhs_number": lambda v: v},
    "child_given_name": {"child_given_sound": lambda v: phonetic(_first(v))},
    "child_surname": {"child_surname_sound": phonetic},
    "child_date_of_birth": {"child_date": lambda v: v},
    "relation": {"relation": lambda v: v},
    "mother_nhs_number": {"mother_nhs_number": lambda v: v},
    "mother_given_name": {"mother_given_sound": lambda v: phonetic(_first(v))},
    "mother_date_of_birth": {"mother_date": lambda v: v},
}
# Names are hashed alike in every field, and with any letter left out. Swapped given name and
# surname therefore give the same pair, and a name with one extra letter matches the right name.
# So are their sounds.
SPACES: Final = {
    shape: "name"
    for name in ("given", "surname")
    for shape in (name, *(f"{name}_without_{which}" for which in LEFT_OUT))
} | {"given_2": "name", "given_3": "name", "given_sound": "sound", "surname_sound": "sound"}
SOURCE_OF: Final = {shape: source for source, shapes in SHAPES.items() for shape in shapes}


def source_of(shape: str) -> str:
    """The source of a field that a profile names. Raises ValueError if it is unknown."""
    if shape not in SOURCE_OF:
        raise ValueError(f"profile names an unknown field {shape!r}")
    return SOURCE_OF[shape]


# What sources read, where it is not the field of their own name.
_READ_FROM: Final = {
    "given_name": ("given_name", "known_as"),
    "second_given_name": ("given_name", "known_as"),
    "third_given_name": ("given_name", "known_as"),
    "month_of_birth": ("date_of_birth",),
    "year_of_birth": ("date_of_birth",),
}


def read_from(shape: str) -> tuple[str, ...]:
    """The fields of an identity that a field of a profile is made of.

    >>> read_from("given_2"), read_from("year"), read_from("mother_date")
    (('given_name', 'known_as'), ('date_of_birth',), ('mother_date_of_birth',))
    """
    source = source_of(shape)
    return _READ_FROM.get(source, (source,))


def value_of(subject: Subject, shape: str) -> str:
    """A field of a subject, in the shape that a profile names; "" if missing."""
    source = source_of(shape)
    value = SOURCES[source](subject)
    return SHAPES[source][shape](value) if value else ""
