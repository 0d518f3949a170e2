"""How partners record people: with errors, under ids of their own. The truth is kept."""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from childlink_local.synth import names
from childlink_local.synth.people import Adult, Child, Family
from childlink_local.synth.writing import write_rows

_KEYS_NEXT_TO: Final = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Errors:
    """How often records are wrong. `times` multiplies every rate to make the data dirtier."""

    date_of_birth: float = 0.003
    sex: float = 0.001
    typo: float = 0.015
    spelling: float = 0.06
    nickname: float = 0.05
    half_a_name: float = 0.25
    nhs_mistyped: float = 0.002
    nhs_of_twin: float = 0.01
    old_address: float = 0.08

    def times(self, factor: float) -> "Errors":
        """The same errors, more or less often. No rate exceeds 0.9."""
        return Errors(**{name: min(0.9, value * factor) for name, value in vars(self).items()})


@dataclass(frozen=True)
class Seen:
    """A person as recorded by one partner."""

    given_name: str
    surname: str
    born: date
    sex: str
    nhs_number: str
    postcode: str


class Recorder:
    """Records people, with errors, and keeps the truth. Each partner records a person once and then
    uses the same values.
    """

    def __init__(self, rng: np.random.Generator, errors: Errors, nhs_share: float) -> None:
        self._rng, self._errors, self._nhs_share = rng, errors, nhs_share
        self._holds_nhs: dict[int, str] = {}
        self._persistent: dict[int, tuple[str, str, date, str]] = {}

    def child(
        self,
        child: Child,
        family: Family,
        day: date,
        surname: str | None = None,
        given: str | None = None,
    ) -> Seen:
        """A child as recorded on a day."""
        name, last, born, sex = self._fixed(
            child.person, child.given_name, surname or child.surname, child.born, child.sex
        )
        twin = next(
            (
                c
                for c in family.children
                if c.birth_order and c.born == child.born and c is not child
            ),
            None,
        )
        nhs = self._nhs(child.person, child.nhs_number, twin.nhs_number if twin else None)
        return Seen(
            name if given is None else given, last, born, sex, nhs, self._address(family, day)
        )

    def adult(self, adult: Adult, family: Family, day: date) -> Seen:
        """An adult as recorded on a day."""
        changed = adult.later_surname and day > family.children[0].born + timedelta(days=400)
        surname = adult.later_surname if changed else adult.surname
        name, last, born, sex = self._fixed(
            adult.person, adult.given_name, surname, adult.born, adult.sex
        )
        return Seen(
            name,
            last,
            born,
            sex,
            self._nhs(adult.person, adult.nhs_number, None),
            self._address(family, day),
        )

    def _fixed(
        self, person: int, given: str, surname: str, born: date, sex: str
    ) -> tuple[str, str, date, str]:
        if person not in self._persistent:
            self._persistent[person] = (
                self._given(given),
                self._spell(surname),
                self._date(born),
                self._sex(sex),
            )
        kept = self._persistent[person]
        return kept[0], kept[1], kept[2], kept[3]

    def _nhs(self, person: int, number: str, twins: str | None) -> str:
        if person not in self._holds_nhs:
            held = number if self._rng.random() < self._nhs_share else ""
            if held and twins and self._rng.random() < self._errors.nhs_of_twin:
                held = twins
            if held and self._rng.random() < self._errors.nhs_mistyped:
                at = int(self._rng.integers(3, 10))
                held = (
                    held[:at]
                    + str((int(held[at]) + 1 + int(self._rng.integers(9))) % 10)
                    + held[at + 1 :]
                )
            self._holds_nhs[person] = held
        return self._holds_nhs[person]

    def _given(self, given: str) -> str:
        first, *rest = given.split(" ")
        if self._rng.random() < self._errors.nickname:
            first = names.NICKNAMES.get(first, first)
        first = self._spell(first)
        keep_rest = rest and self._rng.random() > 0.5
        return " ".join([first, *rest]) if keep_rest else first

    def _spell(self, name: str) -> str:
        if self._rng.random() < self._errors.spelling:
            family = next((group for group in names.SPELLINGS if name in group), None)
            if family:
                name = str(self._rng.choice(family))
        if "-" in name and self._rng.random() < self._errors.half_a_name:
            name = str(self._rng.choice(name.split("-")))
        elif "-" in name and self._rng.random() < 0.2:
            name = name.replace("-", " ")
        return self._typo(name) if self._rng.random() < self._errors.typo else name

    def _typo(self, name: str) -> str:
        at = int(self._rng.integers(1, max(2, len(name))))
        kind = int(self._rng.integers(3))
        if kind == 0:
            return name[:at] + name[at + 1 :]
        if kind == 1 and at + 1 < len(name):
            return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
        return name[:at] + _KEYS_NEXT_TO[int(self._rng.integers(26))] + name[at:]

    def _date(self, born: date) -> date:
        if self._rng.random() >= self._errors.date_of_birth:
            return born
        if born.day <= 12 and born.day != born.month and self._rng.random() < 0.5:
            return date(born.year, born.day, born.month)
        return born - timedelta(days=int(self._rng.choice([1, 10, 30, 365])))

    def _sex(self, sex: str) -> str:
        return ("m" if sex == "f" else "f") if self._rng.random() < self._errors.sex else sex

    def _address(self, family: Family, day: date) -> str:
        late = (
            timedelta(days=400) if self._rng.random() < self._errors.old_address else timedelta(0)
        )
        return family.postcode_on(day - late)


class Truth:
    """The truth: partner, local id, role, person and family."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], tuple[int, int]] = {}

    def note(self, partner: str, local_id: str, role: str, person: int, family: int) -> str:
        """Add a local id and return it."""
        self.rows[partner, local_id, role] = (person, family)
        return local_id

    def write(self, path: Path) -> None:
        """Write the truth file."""
        rows = (
            [*key, f"P{person:06d}", f"F{family:06d}"]
            for key, (person, family) in sorted(self.rows.items())
        )
        write_rows(path, ["partner", "local_id", "role", "person", "family"], rows)


@dataclass(frozen=True)
class Desk:
    """What a partner's extracts share: its recorder, its random stream, the form of its local
    ids.
    """

    partner: str
    record: Recorder
    truth: Truth
    rng: np.random.Generator
    prefix: str

    def child_id(self, child: Child, family: Family) -> str:
        """The partner's local id of a child."""
        return self.truth.note(
            self.partner,
            f"{self.prefix}C{child.person * 7 + 1000}",
            "child",
            child.person,
            family.family,
        )

    def adult_id(self, adult: Adult, family: Family) -> str:
        """The partner's local id of an adult."""
        return self.truth.note(
            self.partner,
            f"{self.prefix}A{adult.person * 7 + 1000}",
            "adult",
            adult.person,
            family.family,
        )


def by_chance(person: int, what: str) -> float:
    """A number from 0 to 1 that follows from a person and a word."""
    digest = hashlib.blake2b(f"{person} {what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
