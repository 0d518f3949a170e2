"""The fields that profiles name: how to read them from a subject, and their shapes. No I/O.

Some shapes are not changed by typical errors: the sound of a name, its start and end, two parts of
a date. They let records match that were written differently, without sending any similarity
measure.
"""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final

from childlink_ingest.pseudonymise.split import Subject
from childlink_ingest.standardise.normalise import phonetic
from childlink_ingest.standardise.spellings import PARTICLES

Shape = Callable[[str], str]


def _first(name: str) -> str:
    return name.split(" ", 1)[0]


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


LEFT_OUT: Final = ("1", "2", "3", "4", "5", "6", "last")
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
    "given_name": lambda s: s.identity.given_name,
    "surname": lambda s: s.identity.surname,
    "postcode": lambda s: s.identity.postcode,
    "date_of_birth": lambda s: either_way(s.identity.date_of_birth),
    "sex": lambda s: s.identity.sex,
    "nhs_number": lambda s: s.identity.nhs_number,
    "mother_nhs_number": lambda s: s.mother.nhs_number if s.mother else "",
    "mother_given_name": lambda s: s.mother.given_name if s.mother else "",
    "mother_date_of_birth": lambda s: either_way(s.mother.date_of_birth) if s.mother else "",
}
SHAPES: Final[dict[str, dict[str, Shape]]] = {
    "given_name": {
        "given": _first,
        "given_sound": lambda v: phonetic(_first(v)),
        "given_initial": lambda v: v[:1],
        "given_start": lambda v: _first(v)[:3],
        "given_end": lambda v: _first(v)[-3:],
        **{f"given_without_{which}": _without(which, _first) for which in LEFT_OUT},
    },
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
    "sex": {"sex": lambda v: v},
    "nhs_number": {"nhs_number": lambda v: v},
    "mother_nhs_number": {"mother_nhs_number": lambda v: v},
    "mother_given_name": {"mother_given_sound": phonetic},
    "mother_date_of_birth": {"mother_date": lambda v: v},
}
# Names are hashed alike in every field, and with any letter left out. Swapped given name and
# surname therefore give the same pair, and a name with one extra letter matches the right name.
SPACES: Final = {
    shape: "name"
    for name in ("given", "surname")
    for shape in (name, *(f"{name}_without_{which}" for which in LEFT_OUT))
}
SOURCE_OF: Final = {shape: source for source, shapes in SHAPES.items() for shape in shapes}


def source_of(shape: str) -> str:
    """The source of a field that a profile names. Raises ValueError if it is unknown."""
    if shape not in SOURCE_OF:
        raise ValueError(f"profile names an unknown field {shape!r}")
    return SOURCE_OF[shape]


def value_of(subject: Subject, shape: str) -> str:
    """A field of a subject, in the shape that a profile names; "" if missing."""
    source = source_of(shape)
    value = SOURCES[source](subject)
    return SHAPES[source][shape](value) if value else ""
