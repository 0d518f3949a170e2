"""The true people: families, births, names, homes and NHS numbers."""

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from tests.bench.second_world.names import (
    Name,
    draw_adult,
    gendered,
    known_as,
    name_child,
)
from tests.bench.second_world.places import Homes, Places
from tests.bench.second_world.traditions import TRADITIONS

FIRST_BIRTH: Final = date(2018, 9, 1)
LAST_BIRTH: Final = date(2024, 8, 31)
EXTRACTED: Final = date(2025, 7, 31)

# Births by month in England: most in September and October, fewest in winter and spring (ONS).
MONTHS: Final = (0.97, 0.96, 0.97, 0.97, 1.0, 1.01, 1.03, 1.02, 1.05, 1.03, 1.0, 0.98)
WEEKEND: Final = 0.86  # fewer planned births on Saturday and Sunday (ONS)
TWIN_BIRTHS: Final = 0.0155  # so that 3% of children are twins; ONS has 1.4% to 1.6% of births
TRIPLET_BIRTHS: Final = 0.0007  # ONS has 0.02% to 0.03%; more here, so that there are a few
IDENTICAL: Final = 0.33  # a third of twins are monozygotic, so always of one sex
TWIN_INITIALS: Final = 0.35  # parents of twins like names that sound alike
SIZES: Final = (0.42, 0.37, 0.15, 0.06)  # families with 1 to 4 births; ONS has most with 1 or 2
MOVES_A_YEAR: Final = 0.12  # families with small children in inner London
LEAVES: Final = 0.3  # of the moves go out of the borough
ARRIVES: Final = 0.12  # families that came to the borough after a birth
FATHER_KNOWN: Final = 0.93  # 5% to 6% of births in England are registered by one parent alone
MIXED_COUPLE: Final = 0.13  # parents of different traditions
GRANDMOTHER: Final = 0.06  # families in which she brings the child to services
LATER_SURNAME: Final = 0.15  # children of unmarried parents who change surname when small
SEPARATION: Final = 0.12  # couples who separate within the years that the extracts cover
OLD_NHS_NUMBER: Final = 0.01  # people with a superseded number
ADOPTED: Final = 0.001  # children who get a wholly new identity


@dataclass(eq=False)
class Person:
    """A true person."""

    id: str
    sex: str
    tradition: str
    ethnicity: str
    born: date
    names: list[tuple[date, Name]]
    known_as: str
    nhs: str
    homes: Homes
    old_nhs: str = ""
    order: int = 0
    """Order of birth in a set of twins or triplets; 0 for a single child."""
    twins: "list[Person]" = field(default_factory=list)
    family: "Family | None" = None
    since: date = date.min
    until: date = date.max
    """The days between which the identity is in use: adoption ends one and begins another."""

    def name_at(self, when: date) -> Name:
        """The legal name on a day; the first one before that."""
        return [name for since, name in self.names if since <= max(when, self.names[0][0])][-1]


@dataclass(eq=False)
class Family:
    """A mother and her children, with the other adults."""

    id: int
    mother: Person
    father: Person | None
    carer: Person | None
    homes: Homes
    arrived: date
    children: list[Person] = field(default_factory=list)


class Population:
    """Builds the families. All that it draws depends on `seed` only."""

    def __init__(self, children: int, seed: int) -> None:
        self._rng = random.Random(f"people {seed}")
        self._places = Places(children, self._rng)
        self._numbers: set[str] = set()
        self._people = 0
        self.families: list[Family] = []
        self.children: list[Person] = []
        while len(self.children) < children:
            family = self._family()
            self.families.append(family)
            self.children += family.children
        for child in self._rng.sample(self.children, round(children * ADOPTED)):
            self._adopt(child)

    def _nhs(self) -> str:
        """A new NHS number of the range 999, which is never issued, with a valid check digit."""
        while True:
            digits = f"999{self._rng.randrange(10**6):06}"
            check = -sum(int(d) * (10 - place) for place, d in enumerate(digits)) % 11
            number = f"{digits}{check}"
            if check < 10 and number not in self._numbers:
                self._numbers.add(number)
                return number

    def _person(
        self, kind: str, sex: str, tradition: str, born: date, name: Name, homes: Homes
    ) -> Person:
        self._people += 1
        return Person(
            f"{kind}{self._people:06}",
            sex,
            tradition,
            TRADITIONS[tradition].ethnicity,
            born,
            [(born, name)],
            known_as(name, tradition, sex, self._rng),
            self._nhs(),
            homes,
            self._nhs() if self._rng.random() < OLD_NHS_NUMBER else "",
        )

    def _birthday(self) -> date:
        days = (LAST_BIRTH - FIRST_BIRTH).days
        while True:  # from years earlier, so that later births are as common at the start
            day = FIRST_BIRTH + timedelta(self._rng.randint(-1500, days))
            weight = MONTHS[day.month - 1] * (WEEKEND if day.weekday() > 4 else 1.0)
            if self._rng.random() * 1.05 < weight:
                return day

    def _tradition(self) -> str:
        shares = [item.share for item in TRADITIONS.values()]
        return self._rng.choices(list(TRADITIONS), shares)[0]

    def _homes(self, first: date, tradition: str) -> tuple[Homes, date]:
        poor, rng = TRADITIONS[tradition].poor, self._rng
        arrived = date.min
        homes: Homes = []
        day = first - timedelta(700)
        if rng.random() < ARRIVES:
            arrived = first + timedelta(rng.randint(30, 1500))
        homes.append((day, self._places.home(poor, inside=arrived == date.min)))
        while (day := day + timedelta(int(rng.expovariate(MOVES_A_YEAR) * 365) + 1)) < EXTRACTED:
            if day > arrived:
                homes.append((day, self._places.home(poor, inside=rng.random() >= LEAVES)))
        if arrived > date.min:
            homes.append((arrived, self._places.home(poor, inside=True)))
        return sorted(homes, key=lambda item: item[0]), arrived

    def _family(self) -> Family:
        rng = self._rng
        tradition, first = self._tradition(), self._birthday()
        homes, arrived = self._homes(first, tradition)
        age = min(47.0, max(17.0, rng.gauss(31.5, 5.8)))  # mothers in London (ONS)
        mother = self._adult("f", tradition, first, age, homes)
        father = carer = None
        if rng.random() < FATHER_KNOWN:
            other = self._tradition() if rng.random() < MIXED_COUPLE else tradition
            apart = rng.random() < 0.12
            father_homes = self._homes(first, other)[0] if apart else homes
            father_age = max(18.0, age + rng.gauss(2.5, 4.0))
            father = self._adult("m", other, first, father_age, father_homes)
        if rng.random() < GRANDMOTHER:
            carer = self._adult("f", tradition, first, age + rng.uniform(19, 34), homes)
        family = Family(len(self.families), mother, father, carer, homes, arrived)
        married = rng.random() < TRADITIONS[tradition].married
        if father and married:
            self._marry(mother, father, first)
        self._births(family, first, married=married)
        for adult in (mother, father, carer):
            if adult:
                adult.family = family
        return family

    def _adult(self, sex: str, tradition: str, first: date, age: float, homes: Homes) -> Person:
        name = draw_adult(tradition, sex, self._rng)
        born = first - timedelta(int(age * 365.25))
        return self._person("A", sex, tradition, born, name, homes)

    def _marry(self, mother: Person, father: Person, first: date) -> None:
        rng = self._rng
        maiden = mother.names[0][1]
        if rng.random() >= TRADITIONS[mother.tradition].takes_name:
            return
        day = first + timedelta(int(rng.gauss(-500, 700)))
        surname, joiner = father.names[0][1].surname, " "
        if mother.tradition == "polish":
            surname = tuple(gendered(part, "f") for part in surname)
        if mother.tradition in ("english", "caribbean", "irish") and rng.random() < 0.15:
            surname, joiner = (maiden.surname[-1], surname[-1]), "-"
        mother.names.append((day, replace(maiden, surname=surname, joiner=joiner)))
        if rng.random() < SEPARATION and rng.random() < 0.5:
            mother.names.append((max(day, first) + timedelta(rng.randint(300, 1800)), maiden))

    def _births(self, family: Family, first: date, *, married: bool) -> None:
        rng, day = self._rng, first
        while not family.children:  # if all births fall outside the years, try other years
            for _ in range(rng.choices((1, 2, 3, 4), SIZES)[0]):
                kind = rng.random()
                many = 2 if kind < TWIN_BIRTHS else 3 if kind < TWIN_BIRTHS + TRIPLET_BIRTHS else 1
                if FIRST_BIRTH <= day <= LAST_BIRTH:
                    self._delivery(family, day, many, married=married)
                day += timedelta(330 + int(rng.gammavariate(2.2, 260)))
            day = self._birthday()

    def _delivery(self, family: Family, day: date, many: int, *, married: bool) -> None:
        rng = self._rng
        sexes = [rng.choices("mf", (0.513, 0.487))[0] for _ in range(many)]
        if many == 2 and rng.random() < IDENTICAL:
            sexes = [sexes[0]] * 2
        likes = rng.choices(
            ("father", "both", "mother"), (0.93, 0.05, 0.02) if married else (0.55, 0.17, 0.28)
        )[0]
        alike = rng.random() < TWIN_INITIALS
        born: list[Person] = []
        for order, sex in enumerate(sexes, 1):
            child = self._child(family, day, sex, likes, born[0] if born and alike else None)
            child.order = order if many > 1 else 0
            born.append(child)
        if not married and rng.random() < LATER_SURNAME:
            self._rename(family, born)
        for child in born:
            child.twins = [other for other in born if other is not child]
        family.children += born

    def _child(
        self, family: Family, day: date, sex: str, likes: str, alike: Person | None
    ) -> Person:
        rng = self._rng
        mother, father = family.mother, family.father
        tradition = mother.tradition
        if father and rng.random() < 0.5:
            tradition = father.tradition
        hers, his = mother.name_at(day), father.name_at(day) if father else None
        taken = [child.names[0][1] for child in family.children]
        for _ in range(30):
            name = name_child(tradition, sex, hers, his, likes, rng)
            same = any((name.given, name.middle[:1]) == (n.given, n.middle[:1]) for n in taken)
            if not same and (not alike or name.given[0] == alike.names[0][1].given[0]):
                break
        if alike and name.given == alike.names[0][1].given:
            name = replace(name, given=name.given + ("e" if sex == "f" else "o"))
        child = self._person("C", sex, tradition, day, name, family.homes)
        if father and father.ethnicity != mother.ethnicity:
            child.ethnicity = "mixed"
        child.family = family
        return child

    def _rename(self, family: Family, born: list[Person]) -> None:
        """Registered with the mother's surname; the father's or both later."""
        if not family.father:
            return
        day = born[0].born + timedelta(self._rng.randint(60, 1200))
        both = self._rng.random() < 0.35
        for child in born:
            hers = family.mother.name_at(child.born).surname
            his = family.father.name_at(child.born).surname
            first = child.names[0][1]
            later = (hers[-1], his[-1]) if both else his
            child.names = [
                (child.born, replace(first, surname=hers)),
                (day, replace(first, surname=later, joiner="-" if both else " ")),
            ]

    def _adopt(self, child: Person) -> None:
        """End a child's identity and begin a new one that must never be joined to it."""
        rng = self._rng
        day = min(child.born + timedelta(rng.randint(300, 1100)), EXTRACTED - timedelta(60))
        family = self._family()
        while not family.father:
            family = self._family()
        family.children = []
        name = name_child(
            child.tradition,
            child.sex,
            family.mother.name_at(day),
            family.father.name_at(day),
            "father",
            rng,
        )
        if rng.random() < 0.5:
            name = replace(name, given=child.names[0][1].given)
        new = self._person("C", child.sex, child.tradition, child.born, name, family.homes)
        new.ethnicity, new.family, new.since, child.until = child.ethnicity, family, day, day
        family.children = [new]
        self.families.append(family)
        self.children.append(new)
