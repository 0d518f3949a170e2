"""Families: mothers, fathers, carers and children, with their addresses, their needs, and their
names over time.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np

from childlink_local.synth import names

FIRST_BIRTH: Final = date(2015, 4, 1)
LAST_BIRTH: Final = date(2022, 3, 31)
TWIN_SHARE_OF_CHILDREN: Final = 0.03
RESIDENCES: Final = ("area", "borough", "outside")
_RESIDENCE_SHARES: Final = (0.49, 0.42, 0.09)
_OUTWARD: Final = {
    "area": ("SW2", "SW9"),
    "borough": ("SW4", "SE24", "SE27", "SW16"),
    "outside": ("SE5", "CR0", "SW17", "SE15"),
}
_INWARD: Final = "ABDEFGHJLNPQRSTUWXYZ"
_IMD: Final = {
    "area": (0.42, 0.35, 0.15, 0.06, 0.02),
    "borough": (0.25, 0.33, 0.22, 0.13, 0.07),
    "outside": (0.2, 0.25, 0.25, 0.18, 0.12),
}


@dataclass
class Adult:
    """A parent or carer."""

    person: int
    relation: str
    given_name: str
    surname: str
    born: date
    sex: str
    nhs_number: str
    later_surname: str = ""
    """Surname after marriage or separation, if it changes."""


@dataclass
class Child:
    """A child."""

    person: int
    given_name: str
    surname: str
    first_surname: str
    """Surname at birth, as in the maternity record."""
    born: date
    sex: str
    nhs_number: str
    birth_order: int
    """Position within a multiple birth; 0 for a single birth."""


@dataclass
class Family:
    """A family: the mother, other adults, children, addresses and circumstances."""

    family: int
    ethnicity: str
    residence: str
    imd_quintile: int
    need: bool
    mother: Adult
    father: Adult | None
    carer: Adult | None
    children: list[Child] = field(default_factory=list)
    postcodes: list[str] = field(default_factory=list)
    moved: list[date] = field(default_factory=list)

    def postcode_on(self, day: date) -> str:
        """The postcode of their home on a day."""
        return self.postcodes[sum(1 for moved in self.moved if moved <= day)]


class People:
    """Makes families, one after another, from a single random stream."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._persons = 0
        self._nhs_numbers: set[str] = set()

    def families(self, children: int) -> list[Family]:
        """Families with `children` children in all."""
        families: list[Family] = []
        made = 0
        while made < children:
            family = self._family(len(families) + 1, children - made)
            families.append(family)
            made += len(family.children)
        return families

    def _family(self, number: int, most_children: int) -> Family:
        rng = self._rng
        ethnicity = str(rng.choice(names.GROUPS, p=[names.SHARES[group] for group in names.GROUPS]))
        residence = str(rng.choice(RESIDENCES, p=_RESIDENCE_SHARES))
        imd = int(rng.choice(5, p=_IMD[residence])) + 1
        need = bool(rng.random() < (0.32, 0.27, 0.2, 0.15, 0.1)[imd - 1])
        first_birth = FIRST_BIRTH + timedelta(
            days=int(rng.integers((LAST_BIRTH - FIRST_BIRTH).days))
        )
        mother = self._adult("mother", "f", ethnicity, first_birth)
        other = ethnicity if rng.random() < 0.8 else str(rng.choice(names.GROUPS))
        father = self._adult("father", "m", other, first_birth) if rng.random() < 0.72 else None
        carer = self._adult("carer", "f", ethnicity, first_birth) if rng.random() < 0.07 else None
        if rng.random() < 0.12:
            mother.later_surname = (
                father.surname if father and rng.random() < 0.7 else self._surname(ethnicity)
            )
        family = Family(number, ethnicity, residence, imd, need, mother, father, carer)
        self._addresses(family, first_birth)
        born = first_birth
        while born <= LAST_BIRTH and len(family.children) < most_children:
            twins = (
                rng.random() < TWIN_SHARE_OF_CHILDREN / (2 - TWIN_SHARE_OF_CHILDREN)
                and most_children - len(family.children) > 1
            )
            for order in (1, 2) if twins else (0,):
                family.children.append(self._child(family, born, order))
            if rng.random() > (0.42, 0.25, 0.15, 0.05, 0.0)[min(len(family.children), 5) - 1]:
                break
            born += timedelta(days=int(rng.integers(330, 1500)))
        return family

    def _addresses(self, family: Family, start: date) -> None:
        moves = int(self._rng.poisson(0.8))
        family.moved = sorted(
            start + timedelta(days=int(day)) for day in self._rng.integers(-100, 2200, size=moves)
        )
        places = [family.residence] * (moves + 1)
        family.postcodes = [self._postcode(place, family.imd_quintile) for place in places]

    def _child(self, family: Family, born: date, order: int) -> Child:
        rng = self._rng
        sex = "f" if rng.random() < 0.488 else "m"
        if order == 2 and rng.random() < 0.5:
            sex = family.children[-1].sex
        taken = {child.given_name for child in family.children}
        given = self._given(sex, family.ethnicity)
        while given in taken:
            given = self._given(sex, family.ethnicity)
        surname = family.mother.surname
        if family.father and rng.random() < 0.6:
            surname = family.father.surname
            if rng.random() < 0.12:
                surname = (
                    f"{family.mother.surname.split('-')[0]}-{family.father.surname.split('-')[-1]}"
                )
        if order == 2:
            surname = family.children[-1].surname
        return Child(
            self._person(), given, surname, family.mother.surname, born, sex, self._nhs(), order
        )

    def _adult(self, relation: str, sex: str, ethnicity: str, first_birth: date) -> Adult:
        years = int(
            np.clip(
                self._rng.normal(31 if relation == "mother" else 34, 5.5),
                17,
                52 if relation != "carer" else 70,
            )
        )
        born = first_birth - timedelta(days=years * 365 + int(self._rng.integers(365)))
        return Adult(
            self._person(),
            relation,
            self._given(sex, ethnicity),
            self._surname(ethnicity),
            born,
            sex,
            self._nhs(),
        )

    def _given(self, sex: str, ethnicity: str) -> str:
        pool = (names.GIRLS if sex == "f" else names.BOYS)[ethnicity].split()
        rank = min(int(self._rng.exponential(len(pool) / 2.2)), len(pool) - 1)
        first = pool[rank]
        if self._rng.random() < 0.25:
            first += " " + pool[int(self._rng.integers(len(pool)))]
        return first

    def _surname(self, ethnicity: str) -> str:
        pool = names.SURNAMES[ethnicity].split()
        surname = pool[min(int(self._rng.exponential(len(pool) / 2.0)), len(pool) - 1)]
        if "-" not in surname and self._rng.random() < 0.06:
            surname += "-" + pool[int(self._rng.integers(len(pool)))]
        return surname

    def _postcode(self, residence: str, quintile: int) -> str:
        outward = str(self._rng.choice(_OUTWARD[residence]))
        letters = "".join(_INWARD[int(i)] for i in self._rng.integers(len(_INWARD), size=2))
        # Two postcode sectors per quintile: as in reality, area and deprivation can be looked up
        # from the postcode.
        return f"{outward} {2 * (quintile - 1) + int(self._rng.integers(0, 2))}{letters}"

    def _person(self) -> int:
        self._persons += 1
        return self._persons

    def _nhs(self) -> str:
        """A number from the range 999, which the NHS reserves for tests, with its check digit."""
        while True:
            body = f"999{int(self._rng.integers(10**6)):06d}"
            check = (
                11 - sum(int(d) * w for d, w in zip(body, range(10, 1, -1), strict=True)) % 11
            ) % 11
            if check < 10 and body + str(check) not in self._nhs_numbers:
                self._nhs_numbers.add(body + str(check))
                return body + str(check)
