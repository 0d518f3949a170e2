"""How a person of a tradition is named at law, and how the same name is written elsewhere."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from typing import Final

from tests.bench.second_world.given_names import BOYS, GIRLS, PARENTS
from tests.bench.second_world.surnames import (
    GIVEN_ENDS,
    GIVEN_STARTS,
    SURNAMES,
    TAIL_ENDS,
    TAIL_STARTS,
)
from tests.bench.second_world.variants import ENGLISH_FOR_USE, GROUPS, SHORT_FORMS

PATRONYMIC: Final = frozenset({"somali", "eritrean"})
"""Traditions whose last names are the father's and the grandfather's given names."""

GENDERED: Final = (("ski", "ska"), ("cki", "cka"), ("dzki", "dzka"))
TWO_SURNAMES: Final = frozenset({"spanish_latin", "portuguese"})
EAST_ASIAN: Final = frozenset({"chinese", "vietnamese"})

# Share of people whose name comes from the long tail of rare names: about half of English people
# have a surname outside the most common few hundred.
TAIL_SURNAMES: Final = 0.45
TAIL_GIVEN: Final = 0.15
# Flattens the Zipf curve so that the first name is held by 2% to 4% of its tradition, as in the
# ONS lists of baby names.
ZIPF_OFFSET: Final = 9
ZIPF_POWER: Final = 0.9


@dataclass(frozen=True)
class Name:
    """A legal name. A double surname has two parts."""

    given: str
    middle: tuple[str, ...]
    surname: tuple[str, ...]
    joiner: str = " "

    @property
    def last(self) -> str:
        """The whole surname."""
        return self.joiner.join(self.surname)


@cache
def _ranked(words: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    names = tuple(word.replace("_", " ") for word in words.split())
    weights = [1 / (rank + ZIPF_OFFSET) ** ZIPF_POWER for rank in range(len(names))]
    return names, tuple(accumulate(weights))


def _draw(words: str, rng: random.Random) -> str:
    names, weights = _ranked(words)
    return rng.choices(names, cum_weights=weights)[0]


def _compose(starts: str, ends: str, rng: random.Random) -> str:
    return (rng.choice(starts.split()) + rng.choice(ends.split())).replace("_", " ")


def draw_given(tradition: str, sex: str, rng: random.Random) -> str:
    """Draw a given name."""
    if tradition in GIVEN_STARTS and rng.random() < TAIL_GIVEN * (
        3 if tradition in ("punjabi_sikh", "nigerian_yoruba", "chinese") else 1
    ):
        return _compose(GIVEN_STARTS[tradition], GIVEN_ENDS[tradition], rng)
    name = _draw((GIRLS if sex == "f" else BOYS)[tradition], rng)
    if name in GROUPS and rng.random() < 0.35:  # families spell one name in many ways
        return rng.choice(GROUPS[name])
    return name


def draw_surname(tradition: str, rng: random.Random) -> str:
    """Draw a family name, in its male form."""
    if tradition in PATRONYMIC:
        return draw_given(tradition, "m", rng)
    if tradition in TAIL_STARTS and rng.random() < TAIL_SURNAMES:
        return _compose(TAIL_STARTS[tradition], TAIL_ENDS[tradition], rng)
    return _draw(SURNAMES[tradition], rng)


def gendered(surname: str, sex: str) -> str:
    """The form of a Polish surname for a man or a woman."""
    for male, female in GENDERED:
        if sex == "f" and surname.endswith(male):
            return surname[: -len(male)] + female
        if sex == "m" and surname.endswith(female):
            return surname[: -len(female)] + male
    return surname


def draw_adult(tradition: str, sex: str, rng: random.Random) -> Name:
    """Draw an adult's name at birth."""
    given = draw_given(tradition, sex, rng)
    if rng.random() < {"english": 1.0, "irish": 0.5, "caribbean": 0.5}.get(tradition, 0.0):
        given = _draw(PARENTS[sex], rng)
    middle: tuple[str, ...] = ()
    surname: tuple[str, ...] = (draw_surname(tradition, rng),)
    if tradition == "polish":
        surname = (gendered(surname[0], sex),)
    elif tradition in TWO_SURNAMES:
        surname = (surname[0], draw_surname(tradition, rng))
    elif tradition == "punjabi_sikh":
        title = "Kaur" if sex == "f" else "Singh"
        if rng.random() < 0.35:  # many Sikhs use Kaur or Singh as their only last name
            surname = (title,)
        else:
            middle = (title,)
    elif tradition in ("bengali", "pakistani") and sex == "f" and rng.random() < 0.6:
        titles = (
            "Begum Khatun Bibi Akter Sultana" if tradition == "bengali" else "Bibi Begum Kausar"
        )
        surname = (rng.choice(titles.split()),)
    elif tradition in PATRONYMIC:
        middle = (draw_given(tradition, "m", rng),)
    elif rng.random() < 0.5:
        middle = (draw_given(tradition, sex, rng),)
    return Name(given, middle, surname)


def name_child(
    tradition: str, sex: str, mother: Name, father: Name | None, lines: str, rng: random.Random
) -> Name:
    """Name a child. `lines` says whose surname: "father", "mother" or "both"."""
    given = draw_given(tradition, sex, rng)
    if father and sex == "m" and tradition in ("english", "caribbean") and rng.random() < 0.03:
        given = father.given  # named after his father
    middle = _middle_names(tradition, sex, rng)
    if tradition in PATRONYMIC and father:
        own = father.middle[:1] or father.surname
        return (
            Name(given, (father.given,), own)
            if rng.random() < 0.5
            else Name(given, (), (father.given,))
        )
    if tradition in TWO_SURNAMES and father:
        pair = (father.surname[0], mother.surname[0])
        if tradition == "portuguese":
            pair = (mother.surname[-1], father.surname[-1])
        return Name(given, middle, pair)
    if tradition == "arabic" and father and rng.random() < 0.35:
        return Name(given, (), (father.given,))
    chosen = mother if lines == "mother" or father is None else father
    surname, joiner = chosen.surname, chosen.joiner
    if lines == "both" and father:
        surname, joiner = (mother.surname[-1], father.surname[-1]), "-"
    if tradition == "polish" and rng.random() < 0.75:  # some offices insist on one form
        surname = tuple(gendered(part, sex) for part in surname)
    if tradition == "punjabi_sikh":
        title = "Kaur" if sex == "f" else "Singh"
        if surname[-1] in ("Kaur", "Singh"):
            surname = (title,)
        else:
            middle = (title,)
    child = Name(given, middle, surname, joiner)
    return _south_asian_child(child, sex, rng) if tradition in ("bengali", "pakistani") else child


def _south_asian_child(child: Name, sex: str, rng: random.Random) -> Name:
    """Mohammed before the name in use, and a last name that is not the father's."""
    if sex == "m" and child.given not in ("Mohammed", "Muhammad", "Md") and rng.random() < 0.3:
        first = rng.choice(("Mohammed", "Muhammad", "Md"))
        child = replace(child, given=first, middle=(child.given,))
    if rng.random() < 0.3:
        endings = "Begum Khatun Akter" if sex == "f" else "Miah Uddin Ahmed Ali"
        child = replace(child, surname=(rng.choice(endings.split()),))
    return child


def _middle_names(tradition: str, sex: str, rng: random.Random) -> tuple[str, ...]:
    share = {"english": 0.8, "irish": 0.7, "caribbean": 0.75, "polish": 0.5, "ghanaian": 0.8}
    if tradition == "vietnamese":
        return ("Thi" if sex == "f" and rng.random() < 0.5 else draw_given(tradition, sex, rng),)
    if tradition == "nigerian_yoruba":
        names = tuple(draw_given(tradition, sex, rng) for _ in range(rng.randint(0, 2)))
        return (*names, rng.choice(ENGLISH_FOR_USE[sex].split())) if rng.random() < 0.7 else names
    if tradition == "ghanaian" and rng.random() < 0.6:
        return (_draw((GIRLS if sex == "f" else BOYS)[tradition], rng),)
    if rng.random() < share.get(tradition, 0.35):
        return tuple(draw_given(tradition, sex, rng) for _ in range(1 + (rng.random() < 0.15)))
    return ()


def known_as(name: Name, tradition: str, sex: str, rng: random.Random) -> str:
    """The name in daily use if it is not the legal given name, else ""."""
    if tradition in EAST_ASIAN and rng.random() < 0.55:
        return rng.choice(ENGLISH_FOR_USE[sex].split())
    if tradition == "nigerian_yoruba" and name.middle and rng.random() < 0.4:
        return name.middle[-1]
    if tradition == "ghanaian" and name.middle and rng.random() < 0.3:
        return name.middle[0]
    if name.given in ("Mohammed", "Muhammad", "Md", "Abdul") and name.middle:
        return name.middle[0] if rng.random() < 0.8 else ""
    if name.given in SHORT_FORMS and rng.random() < 0.45:
        return rng.choice(SHORT_FORMS[name.given])
    return name.middle[0] if name.middle and rng.random() < 0.03 else ""


def _two_surnames(name: Name, tradition: str, rng: random.Random) -> Name:
    first, second = name.surname[0], name.surname[-1]
    main, other = (second, first) if tradition == "portuguese" else (first, second)
    kind = rng.random()
    if kind < 0.5:
        return replace(name, surname=(main,))
    if kind < 0.62:
        return replace(name, surname=(other,))
    if kind < 0.9:
        return replace(name, joiner="-")
    return replace(name, middle=(*name.middle, first), surname=(second,))


def _sikh(name: Name, _tradition: str, rng: random.Random) -> Name:
    if not name.middle:
        return name
    if rng.random() < 0.6:
        return replace(name, middle=(), surname=(name.middle[0],))
    return replace(name, middle=(), surname=(name.middle[0], *name.surname))


def _lineage(name: Name, _tradition: str, rng: random.Random) -> Name:
    if not name.middle:
        return name
    if rng.random() < 0.5:  # the father's name as surname, the grandfather's left out
        return replace(name, middle=(), surname=name.middle[:1])
    return replace(name, given=" ".join((name.given, *name.middle)), middle=())


def _east_asian(name: Name, _tradition: str, rng: random.Random) -> Name:
    kind = rng.random()
    if kind < 0.35:  # the family name comes first at home, so forms are filled in swapped
        return replace(name, given=name.last, surname=(name.given,))
    parts = name.given.split()
    if len(parts) == 2:
        first, second = parts
        choices = (first + second.lower(), f"{first}-{second}", first)
        return replace(name, given=rng.choice(choices))
    return replace(name, given=" ".join((*name.middle, name.given)), middle=())


def _second_name(name: Name, _tradition: str, rng: random.Random) -> Name:
    if not name.middle:
        return name
    return replace(name, given=rng.choice(name.middle), middle=(name.given,))


def _south_asian(name: Name, _tradition: str, rng: random.Random) -> Name:
    if name.given in ("Mohammed", "Muhammad", "Mohammad", "Md", "Abdul") and name.middle:
        if rng.random() < 0.6:
            return replace(name, given=name.middle[0], middle=())
        return replace(name, given=f"Md {name.middle[0]}", middle=())
    if rng.random() < 0.4:  # the last name left out, so the given name is split in two
        return replace(name, surname=name.middle or name.surname, middle=())
    return name


def _polish(name: Name, _tradition: str, _rng: random.Random) -> Name:
    return replace(name, surname=tuple(gendered(part, "m") for part in name.surname))


def _arabic(name: Name, _tradition: str, rng: random.Random) -> Name:
    last = name.surname[-1]
    for prefix in ("Al-", "El-", "El ", "Ben", "Abdel"):
        if last.startswith(prefix):
            stem = last[len(prefix) :]
            joined = rng.choice((stem, prefix.strip("- ") + stem.lower(), f"{prefix[:-1]} {stem}"))
            return replace(name, surname=(*name.surname[:-1], joined.strip().title()))
    return _lineage(name, "arabic", rng)


# The share of records that depart from the legal form of the name. There are no published rates:
# they are our reading of how often clerks and families report each habit.
CONVENTIONS: Final[dict[str, tuple[float, Callable[[Name, str, random.Random], Name]]]] = {
    "spanish_latin": (0.40, _two_surnames),
    "portuguese": (0.40, _two_surnames),
    "punjabi_sikh": (0.25, _sikh),
    "somali": (0.25, _lineage),
    "eritrean": (0.25, _lineage),
    "arabic": (0.20, _arabic),
    "chinese": (0.30, _east_asian),
    "vietnamese": (0.30, _east_asian),
    "nigerian_yoruba": (0.12, _second_name),
    "ghanaian": (0.12, _second_name),
    "bengali": (0.20, _south_asian),
    "pakistani": (0.15, _south_asian),
    "polish": (0.12, _polish),
}


def another_form(name: Name, tradition: str, scale: float, rng: random.Random) -> Name:
    """The name as a record of this tradition may hold it. `scale` multiplies how often."""
    share, change = CONVENTIONS.get(tradition, (0.0, _second_name))
    return change(name, tradition, rng) if rng.random() < share * scale else name


def another_spelling(text: str, rng: random.Random) -> str:
    """Another spelling of one word of a name, if one is known."""
    words: Sequence[str] = text.split()
    known = [place for place, word in enumerate(words) if word in GROUPS]
    if not known:
        return text
    place = rng.choice(known)
    return " ".join((*words[:place], rng.choice(GROUPS[words[place]]), *words[place + 1 :]))
