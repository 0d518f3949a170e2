"""What one partner writes down about one person on one day."""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from tests.bench.second_world import habits, slips
from tests.bench.second_world.habits import Habit
from tests.bench.second_world.names import TWO_SURNAMES, Name, another_form, another_spelling
from tests.bench.second_world.people import Person
from tests.bench.second_world.places import at
from tests.bench.second_world.variants import in_script

PSEUDO: Final = "ZZ99 3VZ"
_HAS_SCRIPT: Final = frozenset({"arabic", "bengali", "chinese", "ukrainian"})
# O'Brien, OBrien and O Brien; hyphens and spaces in double names: judgement.
_PUNCTUATION: Final = 0.12
# Guessed dates: 1 January if only the year is known, else the first of the month.
_YEAR_ONLY: Final = 0.6
_FLAGGED: Final = 0.5  # of guessed dates are marked as such


@dataclass
class Seen:
    """A written record of a person."""

    given: str
    middle: str
    surname: str
    known_as: str
    born: date | None
    guessed: bool
    """Whether the record itself says that the date is a guess."""
    sex: str
    postcode: str
    uprn: str
    nhs: str
    nhs_status: str


class Observer:
    """Writes down a person with one partner's habit. `rng` decides which errors happen."""

    def __init__(self, habit: Habit, errors: float, rng: random.Random) -> None:
        self._habit, self._errors, self._rng = habit, errors, rng

    def _chance(self, rate: float) -> bool:
        return self._rng.random() < rate * self._errors

    def see(self, person: Person, when: date) -> Seen:
        """The record of a person on a day."""
        given, middle, surname = self._names(person, when)
        born, guessed = self._born(person)
        nhs, status = self._nhs(person)
        sex = self._sex(person)
        postcode, uprn = self._postcode(person, when)
        known_as = person.known_as if self._rng.random() < 0.5 else ""
        return Seen(
            given, middle, surname, known_as, born, guessed, sex, postcode, uprn, nhs, status
        )

    def _names(self, person: Person, when: date) -> tuple[str, str, str]:
        habit, rng = self._habit, self._rng
        name = person.name_at(when)
        if self._chance(habits.OLD_SURNAME * habit.forms) and len(person.names) > 1:
            name = person.names[0][1]
        halved = self._chance(habits.HALF_SURNAME * habit.forms)
        if halved and person.tradition not in TWO_SURNAMES:
            name = replace(name, surname=(rng.choice(name.surname),))
        name = another_form(name, person.tradition, habit.forms * self._errors, rng)
        if person.known_as and rng.random() < habit.known_as:
            name = replace(name, given=person.known_as, middle=())
        given, surname = self._written(name.given), self._written(name.last)
        middle = " ".join(name.middle)
        if self._chance(habits.NAMES_SWAPPED * habit.names):
            given, surname = surname, given
        if habit.script and person.tradition in _HAS_SCRIPT and self._chance(habits.FOREIGN_SCRIPT):
            given, surname = self._script(name, person.tradition, given, surname)
        if rng.random() < habit.plain:
            given, middle, surname = slips.plain(given), slips.plain(middle), slips.plain(surname)
        if self._chance(habits.GIVEN_MISSING * habit.names):
            given = ""
        if habit.middle == "appended":
            given, middle = f"{given} {middle}".strip(), ""
        elif habit.middle == "dropped":
            middle = ""
        return given, middle, surname.upper() if habit.upper else surname

    def _script(self, name: Name, tradition: str, given: str, surname: str) -> tuple[str, str]:
        own = in_script(name.given, tradition)
        family = in_script(name.last, tradition)
        return (own, family or surname) if own else (given, surname)

    def _written(self, text: str) -> str:
        scale, rng = self._habit.names, self._rng
        if self._chance(habits.OTHER_SPELLING * scale):
            text = another_spelling(text, rng)
        if self._chance(habits.BY_EAR * scale):
            text = slips.by_ear(text, rng)
        if self._chance(habits.TYPING_SLIP * scale):
            text = slips.typing_slip(text, rng)
        if self._chance(habits.TWO_SLIPS * scale):
            text = slips.typing_slip(slips.typing_slip(text, rng), rng)
        if self._chance(_PUNCTUATION) and ("-" in text or "'" in text):
            text = text.replace("-", rng.choice((" ", ""))).replace("'", rng.choice((" ", "", "’")))
        return text

    def _born(self, person: Person) -> tuple[date | None, bool]:
        habit, rng, born = self._habit, self._rng, person.born
        if self._chance(habits.BORN_MISSING * habit.dates + habit.born_missing):
            return None, False
        if self._chance(habits.BORN_GUESSED * habit.dates + habit.born_guessed):
            flagged = rng.random() < _FLAGGED
            year = born.year + rng.choice((0, 0, 0, -1)) if flagged else born.year
            return date(year, 1 if rng.random() < _YEAR_ONLY else born.month, 1), flagged
        if self._chance(habits.BORN_WRONG * habit.dates):
            return slips.wrong_date(born, rng), False
        return born, False

    def _sex(self, person: Person) -> str:
        if self._chance(habits.SEX_MISSING * self._habit.sexes):
            return ""
        if self._chance(habits.SEX_WRONG * self._habit.sexes):
            return "m" if person.sex == "f" else "f"
        return person.sex

    def _postcode(self, person: Person, when: date) -> tuple[str, str]:
        habit, rng = self._habit, self._rng
        delay = rng.expovariate(1 / habit.move_delay) * self._errors
        home = at(person.homes, when - timedelta(int(min(delay, 20) * 365)))
        postcode, uprn = home.postcode, home.uprn
        if self._chance(habits.POSTCODE_MISSING * habit.postcodes):
            return "", ""
        if habit.pseudo and self._chance(habits.POSTCODE_PSEUDO):
            return PSEUDO, ""
        if self._chance(habits.POSTCODE_SLIP * habit.postcodes):
            return slips.postcode_slip(postcode, rng), uprn
        if self._chance(habit.postcode_partial):
            return postcode.split()[0], ""
        return postcode, uprn

    def _nhs(self, person: Person) -> tuple[str, str]:
        habit, rng = self._habit, self._rng
        scale = self._errors if habit.nhs_is_error else 1.0
        if rng.random() < habit.nhs_missing * scale:
            return "", rng.choice(("03", "04", "07"))
        if person.twins and self._chance(habits.NHS_OF_TWIN):
            return rng.choice(person.twins).nhs, "01"
        if self._chance(habits.NHS_OF_RELATIVE) and person.family and person.id[0] == "C":
            siblings = [child for child in person.family.children if child is not person]
            relatives = siblings or [person.family.mother]
            return rng.choice(relatives).nhs, rng.choice(("01", "02"))
        if self._chance(habits.NHS_MISTYPED):
            return slips.nhs_slip(person.nhs, rng), "02"
        if self._chance(habits.NHS_OLD) and person.old_nhs:
            return person.old_nhs, "02"
        return person.nhs, "01" if rng.random() < 0.97 else "02"
