"""Files as partners keep them. Each partner uses different headers, date formats and codings, and
records contain realistic errors.
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from childlink_local.synth import names
from childlink_local.synth.lives import Attendance, Lives
from childlink_local.synth.people import Adult, Child, Family

Row = list[str]
_ETHNIC_CODES: Final = {"asian": "H", "black": "N", "mixed": "D", "white": "A", "other": "S"}
_ETHNIC_WORDS: Final = {
    "asian": "Asian or Asian British",
    "black": "Black or Black British",
    "mixed": "Mixed",
    "white": "White",
    "other": "Other",
}
_FEEDING_WORDS: Final = {"breast": "Totally", "mixed": "Partially", "formula": "Not at all"}
# Share of babies breastfed, wholly or in part, at six to eight weeks: for families in the middle
# quintile, and the increase per quintile.
_BREASTFED: Final = {"asian": 0.78, "black": 0.82, "mixed": 0.68, "white": 0.64, "other": 0.75}
_BREASTFED_PER_QUINTILE: Final = 0.04
# Share of families whose first language is not English, and the language codes of the school
# census.
_OTHER_LANGUAGE: Final = {"asian": 0.6, "black": 0.35, "mixed": 0.15, "white": 0.3, "other": 0.75}
_LANGUAGE_CODES: Final = {
    "ENG": False,
    "ENGB": False,
    "OTH": True,
    "OTHB": True,
    "REFU": "",
    "LNOT": "",
}
# Share of people with a national data opt-out in the synthetic area.
_OPTED_OUT: Final = 0.01
# The first columns of every report of the child-health system, and their mapping.
_CHILD_HEALTH_HEADER: Final = (
    "ContactID",
    "ClientID",
    "NHSNumber",
    "Surname",
    "Forenames",
    "DateOfBirth",
    "Gender",
    "PostCode",
    "CarerID",
    "CarerNHS",
    "CarerSurname",
    "CarerForenames",
    "CarerDOB",
)
_CHILD_HEALTH_COLUMNS: Final[dict[str, Any]] = {
    "row_id": "ContactID",
    "child_id": "ClientID",
    "child_nhs_number": "NHSNumber",
    "child_surname": "Surname",
    "child_given_name": "Forenames",
    "child_date_of_birth": ("DateOfBirth", "%Y-%m-%d"),
    "child_sex": "Gender",
    "child_postcode": "PostCode",
    "adult_id": "CarerID",
    "adult_nhs_number": "CarerNHS",
    "adult_surname": "CarerSurname",
    "adult_given_name": "CarerForenames",
    "adult_date_of_birth": ("CarerDOB", "%Y-%m-%d"),
    "adult_postcode": "PostCode",
    "review_date": ("ReviewDate", "%Y-%m-%d"),
    "sex": ("Gender", {"Female": "female", "Male": "male"}),
    "ethnicity": ("Ethnicity", {words: group for group, words in _ETHNIC_WORDS.items()}),
}
WARDS: Final = {"area": "E05000001", "borough": "E05000002", "outside": "E05000003"}
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
        _write(path, ["partner", "local_id", "role", "person", "family"], rows)


@dataclass(frozen=True)
class _Desk:
    """What a partner's extracts share: its recorder, its random stream, the form of its local
    ids.
    """

    partner: str
    record: Recorder
    truth: Truth
    rng: np.random.Generator
    prefix: str

    def child_id(self, child: Child, family: Family) -> str:
        return self.truth.note(
            self.partner,
            f"{self.prefix}C{child.person * 7 + 1000}",
            "child",
            child.person,
            family.family,
        )

    def adult_id(self, adult: Adult, family: Family) -> str:
        return self.truth.note(
            self.partner,
            f"{self.prefix}A{adult.person * 7 + 1000}",
            "adult",
            adult.person,
            family.family,
        )


def write_partnership(
    lives: Lives, folder: Path, rng: np.random.Generator, errors: Errors, nhs_times: float = 1.0
) -> None:
    """Write every partner's extracts and mappings, and the truth file.

    `nhs_times` scales the share of records with an NHS number at every partner.
    """
    truth = Truth()

    def desk(partner: str, prefix: str, nhs_share: float, dirt: float = 1.0) -> _Desk:
        (folder / partner).mkdir(parents=True, exist_ok=True)
        own = np.random.default_rng(rng.integers(2**63))
        return _Desk(
            partner,
            Recorder(own, errors.times(dirt), min(1.0, nhs_share * nhs_times)),
            truth,
            own,
            prefix,
        )

    _maternity(lives, folder, desk("st-anns-trust", "M", 0.93))
    community_health = desk("community-health", "H", 0.985)
    _asq3(lives, folder, community_health)
    _six_week_review(lives, folder, community_health)
    _immunisation(lives, folder, desk("gp-federation", "G", 0.995))
    _school(lives, folder, desk("borough-council", "", 0.55))
    _charity(lives, folder, desk("early-years-charity", "", 0.3, dirt=2.0))
    truth.write(folder / "truth.csv")
    _permitted_lists(lives, folder, rng)
    _areas(lives, folder)


def _permitted_lists(lives: Lives, folder: Path, rng: np.random.Generator) -> None:
    """The list that the checking service returned, for each partner: everyone except the few people
    who opted out.
    """
    people = (
        person
        for family in lives.families
        for person in (*family.children, family.mother, family.father, family.carer)
        if person is not None
    )
    numbers = sorted(person.nhs_number for person in people)
    kept = rng.random(len(numbers)) >= _OPTED_OUT
    text = "".join(f"{number},\n" for number, stays in zip(numbers, kept, strict=True) if stays)
    for partner in {path.parent.name for path in folder.glob("*/*.toml")}:
        (folder / partner / "permitted.dat").write_text(text, encoding="ascii")


def _areas(lives: Lives, folder: Path) -> None:
    """The two published files, for the postcodes in use: the postcode directory and the deciles of
    deprivation.
    """
    places = {code: family for family in lives.families for code in family.postcodes}
    sectors = sorted(
        {(code[:-2], family.residence, family.imd_quintile) for code, family in places.items()}
    )
    lsoa = {sector: f"E{1000000 + number:08d}" for number, (sector, *_) in enumerate(sectors)}
    (folder / "areas").mkdir(exist_ok=True)
    _write(
        folder / "areas" / "ONSPD_made_up.csv",
        ["pcds", "lsoa21cd", "wd24cd", "lad24cd"],
        (
            [code, lsoa[code[:-2]], WARDS[family.residence], "E09000022"]
            for code, family in sorted(places.items())
        ),
    )
    _write(
        folder / "areas" / "IMD_made_up.csv",
        [
            "LSOA code (2021)",
            "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)",
        ],
        ([lsoa[sector], str(2 * quintile - 1)] for sector, _, quintile in sectors),
    )


def _maternity(lives: Lives, folder: Path, desk: _Desk) -> None:
    """Births. Most newborns have no given name and carry the mother's surname."""
    rows: list[Row] = []
    for family in lives.families:
        for child in family.children:
            if desk.rng.random() > 0.85:
                continue
            given = _newborn_name(child, desk.rng)
            seen = desk.record.child(
                child, family, child.born, surname=child.first_surname, given=given
            )
            mother = desk.record.adult(family.mother, family, child.born)
            rows.append(
                [
                    f"B{len(rows) + 1:06d}",
                    desk.child_id(child, family),
                    _spaced(seen.nhs_number),
                    seen.given_name,
                    seen.surname.upper(),
                    f"{seen.born:%d/%m/%Y}",
                    {"f": "2", "m": "1"}[seen.sex],
                    str(child.birth_order or ""),
                    f"{child.born:%d/%m/%Y}",
                    str(
                        int(
                            np.clip(
                                desk.rng.normal(2500 if child.birth_order else 3300, 480), 700, 5200
                            )
                        )
                    ),
                    str(
                        int(
                            np.clip(desk.rng.normal(36 if child.birth_order else 39.2, 1.6), 25, 42)
                        )
                    ),
                    desk.adult_id(family.mother, family),
                    _spaced(mother.nhs_number),
                    mother.given_name,
                    mother.surname.upper(),
                    f"{mother.born:%d/%m/%Y}",
                    mother.postcode,
                    _ETHNIC_CODES[family.ethnicity],
                    str(family.imd_quintile),
                    family.residence,
                    *_booking(child, family),
                ]
            )
    header = [
        "BirthEventID",
        "BabyHospitalNo",
        "Baby NHS No",
        "Baby Forename",
        "Baby Surname",
        "Baby DOB",
        "Sex (1=M 2=F)",
        "Birth Order",
        "Delivery Date",
        "Birthweight g",
        "Gestation wks",
        "Mother Hospital No",
        "Mother NHS No",
        "Mother Forename",
        "Mother Surname",
        "Mother DOB",
        "Postcode",
        "Ethnic Category",
        "IMD Quintile",
        "Area",
        *_OF_BOOKING.values(),
    ]
    _write(folder / desk.partner / "maternity.csv", header, rows)
    _mapping(
        folder / desk.partner / "maternity.toml",
        "maternity",
        {
            "id_space": "pas",
        },
        {
            "row_id": "BirthEventID",
            "child_id": "BabyHospitalNo",
            "child_nhs_number": "Baby NHS No",
            "child_given_name": "Baby Forename",
            "child_surname": "Baby Surname",
            "child_date_of_birth": ("Baby DOB", "%d/%m/%Y"),
            "child_sex": "Sex (1=M 2=F)",
            "child_birth_order": "Birth Order",
            "child_postcode": "Postcode",
            "birth_date": ("Delivery Date", "%d/%m/%Y"),
            "birth_weight": "Birthweight g",
            "gestation": "Gestation wks",
            "adult_id": "Mother Hospital No",
            "adult_nhs_number": "Mother NHS No",
            "adult_given_name": "Mother Forename",
            "adult_surname": "Mother Surname",
            "adult_date_of_birth": ("Mother DOB", "%d/%m/%Y"),
            "adult_postcode": "Postcode",
            "sex": ("Sex (1=M 2=F)", {"1": "male", "2": "female"}),
            "ethnicity": (
                "Ethnic Category",
                {code: group for group, code in _ETHNIC_CODES.items()},
            ),
            "imd_quintile": "IMD Quintile",
            "residence": "Area",
            **_OF_BOOKING,
        },
    )


_OF_BOOKING: Final = {
    "first_feed": "First Feed",
    "mode_of_birth": "Delivery Method",
    "smoking_at_delivery": "Smoker At Delivery",
    "bmi_25": "BMI 25+",
    "complex_social_factors": "Complex Social Factors",
    "continuity_of_carer": "Continuity Of Carer",
    "booked_by_10_weeks": "Booked By 10w",
    "mothers_age": "Age Band At Booking",
    "apgar_low": "Apgar Under 7",
}
"""Fields of a birth beside its weight and term, with their headers."""


def _booking(child: Child, family: Family) -> list[str]:
    """Values of `_OF_BOOKING`. They follow from the family alone, so they can be recomputed."""
    poor = (3 - family.imd_quintile) / 40
    years = child.born.year - family.mother.born.year

    def yes(what: str, chance: float) -> str:
        return "Y" if by_chance(child.person, what) < chance else "N"

    mode = by_chance(child.person, "mode")
    return [
        "breast" if by_chance(child.person, "feed") < 0.78 - poor else "formula",
        "spontaneous" if mode < 0.56 else "assisted" if mode < 0.68 else "caesarean",
        yes("smoking", 0.07 + poor),
        yes("bmi", 0.47 + poor),
        yes("complex", 0.16 + poor),
        yes("continuity", 0.35),
        yes("booked", 0.66 - poor),
        "under_20" if years < 20 else "20_to_34" if years < 35 else "35_or_more",
        yes("apgar", 0.02),
    ]


def by_chance(person: int, what: str) -> float:
    """A number from 0 to 1 that follows from a person and a word."""
    digest = hashlib.blake2b(f"{person} {what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _asq3(lives: Lives, folder: Path, desk: _Desk) -> None:
    rows: list[Row] = []
    for review in lives.reviews:
        child, family = review.child, review.family
        seen = desk.record.child(child, family, review.day)
        mother = desk.record.adult(family.mother, family, review.day)
        rows.append(
            [
                str(500000 + len(rows)),
                desk.child_id(child, family),
                seen.nhs_number,
                seen.surname,
                seen.given_name,
                seen.born.isoformat(),
                "Female" if seen.sex == "f" else "Male",
                seen.postcode,
                desk.adult_id(family.mother, family),
                mother.nhs_number,
                f"{mother.surname}",
                mother.given_name,
                mother.born.isoformat(),
                review.day.isoformat(),
                *(
                    "Y" if review.domains[name] else "N"
                    for name in (
                        "communication",
                        "gross_motor",
                        "fine_motor",
                        "problem_solving",
                        "personal_social",
                    )
                ),
                "U+" if family.need else "U",
                _ETHNIC_WORDS[family.ethnicity],
            ]
        )
    header = [
        *_CHILD_HEALTH_HEADER,
        "ReviewDate",
        "ASQ_Comm",
        "ASQ_Gross",
        "ASQ_Fine",
        "ASQ_Problem",
        "ASQ_PersSoc",
        "Offer",
        "Ethnicity",
    ]
    yes_no = {"Y": True, "N": False}
    _write(folder / desk.partner / "asq3.csv", header, rows)
    _mapping(
        folder / desk.partner / "asq3.toml",
        "asq3",
        {"id_space": "child-health"},
        {
            **_CHILD_HEALTH_COLUMNS,
            "communication": ("ASQ_Comm", yes_no),
            "gross_motor": ("ASQ_Gross", yes_no),
            "fine_motor": ("ASQ_Fine", yes_no),
            "problem_solving": ("ASQ_Problem", yes_no),
            "personal_social": ("ASQ_PersSoc", yes_no),
            "universal_plus": ("Offer", {"U+": True, "U": False}),
        },
        areas=True,
    )


def _six_week_review(lives: Lives, folder: Path, desk: _Desk) -> None:
    """Health visitors' reviews of nine in ten children, from the same system as the two-year
    reviews. Feeding is sometimes missing.
    """
    # A random stream of its own, so that the content of the other extracts does not change.
    [rng] = desk.rng.spawn(1)
    rows: list[Row] = []
    for family in lives.families:
        for child in family.children:
            if rng.random() > 0.9:
                continue
            day = child.born + timedelta(days=int(rng.integers(42, 57)))
            chance = _BREASTFED[family.ethnicity] + _BREASTFED_PER_QUINTILE * (
                family.imd_quintile - 3
            )
            breastfed, wholly, said = (
                rng.random() < chance,
                rng.random() < 0.65,
                rng.random() < 0.93,
            )
            feeding = "formula" if not breastfed else "breast" if wholly else "mixed"
            seen = desk.record.child(child, family, day)
            mother = desk.record.adult(family.mother, family, day)
            rows.append(
                [
                    str(200000 + len(rows)),
                    desk.child_id(child, family),
                    seen.nhs_number,
                    seen.surname,
                    seen.given_name,
                    seen.born.isoformat(),
                    "Female" if seen.sex == "f" else "Male",
                    seen.postcode,
                    desk.adult_id(family.mother, family),
                    mother.nhs_number,
                    mother.surname,
                    mother.given_name,
                    mother.born.isoformat(),
                    day.isoformat(),
                    _FEEDING_WORDS[feeding] if said else "",
                    _ETHNIC_WORDS[family.ethnicity],
                ]
            )
    header = [*_CHILD_HEALTH_HEADER, "ReviewDate", "FeedingStatus", "Ethnicity"]
    _write(folder / desk.partner / "six_week_review.csv", header, rows)
    feeding_codes = {words: code for code, words in _FEEDING_WORDS.items()}
    _mapping(
        folder / desk.partner / "six_week_review.toml",
        "six_week_review",
        {"id_space": "child-health"},
        {
            **_CHILD_HEALTH_COLUMNS,
            "feeding": ("FeedingStatus", feeding_codes),
        },
        areas=True,
    )


def _immunisation(lives: Lives, folder: Path, desk: _Desk) -> None:
    rows: list[Row] = []
    for family in lives.families:
        for child in family.children:
            if desk.rng.random() > 0.9:
                continue
            day = child.born + timedelta(days=731)
            seen = desk.record.child(child, family, day)
            mmr, six = desk.rng.random() < 0.86, desk.rng.random() < 0.93
            rows.append(
                [
                    f"I{len(rows)}",
                    desk.child_id(child, family),
                    seen.nhs_number,
                    f"{seen.surname}, {seen.given_name}".split(", ")[0],
                    seen.given_name,
                    f"{seen.born:%d-%b-%Y}",
                    seen.sex.upper(),
                    seen.postcode.replace(" ", ""),
                    f"{day:%d-%b-%Y}",
                    str(int(mmr)),
                    str(int(six)),
                    str(int(mmr and six)),
                ]
            )
    header = [
        "RecID",
        "EMISNo",
        "NHS",
        "LastName",
        "FirstName",
        "DOB",
        "Sex",
        "PC",
        "AsOf",
        "MMR1",
        "SixInOne3",
        "UpToDate",
    ]
    _write(folder / desk.partner / "immunisation.csv", header, rows)
    _mapping(
        folder / desk.partner / "immunisation.toml",
        "immunisation",
        {"id_space": "emis"},
        {
            "row_id": "RecID",
            "child_id": "EMISNo",
            "child_nhs_number": "NHS",
            "child_surname": "LastName",
            "child_given_name": "FirstName",
            "child_date_of_birth": ("DOB", "%d-%b-%Y"),
            "child_sex": "Sex",
            "child_postcode": "PC",
            "recorded_date": ("AsOf", "%d-%b-%Y"),
            "mmr1": "MMR1",
            "six_in_one": "SixInOne3",
            "up_to_date": "UpToDate",
        },
    )


def _school(lives: Lives, folder: Path, desk: _Desk) -> None:
    """NCMP and EYFS of the council. Both use one pupil number, half the rows have no NHS number,
    and one file is in cp1252 with semicolons.
    """
    ncmp: list[Row] = []
    eyfs: list[Row] = []
    [language_rng] = desk.rng.spawn(1)
    for family in lives.families:
        # One first language per family. Schools record it child by child, and sometimes not at all.
        speaks_other = language_rng.random() < _OTHER_LANGUAGE[family.ethnicity]
        for child in family.children:
            start = child.born.year + (4 if child.born.month < 9 else 5)
            if start > 2022 or family.residence == "outside" or desk.rng.random() > 0.8:
                continue
            day = date(start, 11, 1) + timedelta(days=int(desk.rng.integers(200)))
            seen = desk.record.child(child, family, day)
            upn = desk.child_id(child, family)
            identity = [
                seen.surname.upper(),
                seen.given_name.upper(),
                f"{seen.born:%d/%m/%Y}",
                seen.sex.upper(),
                seen.postcode,
            ]
            status = str(desk.rng.choice(["U", "H", "O", "VO"], p=[0.02, 0.74, 0.12, 0.12]))
            ncmp.append(
                [f"N{len(ncmp)}", upn, seen.nhs_number, *identity, f"{day:%d/%m/%Y}", status]
            )
            if desk.rng.random() < 0.95:
                level = "Yes" if desk.rng.random() < (0.5 if family.need else 0.74) else "No"
                eyfs.append(
                    [
                        f"E{len(eyfs)}",
                        upn,
                        *identity,
                        f"{date(start + 1, 6, 30):%d/%m/%Y}",
                        level,
                        str(family.imd_quintile),
                        family.residence,
                        _first_language(language_rng, other=speaks_other),
                    ]
                )
    sex = {"F": "female", "M": "male"}
    shared: dict[str, Any] = {
        "child_id": "UPN",
        "child_surname": "SURNAME",
        "child_given_name": "FORENAME",
        "child_date_of_birth": ("DOB", "%d/%m/%Y"),
        "child_sex": "SEX",
        "child_postcode": "POSTCODE",
        "sex": ("SEX", sex),
    }
    who = ["SURNAME", "FORENAME", "DOB", "SEX", "POSTCODE"]
    form = {"id_space": "upn", "encoding": "cp1252", "delimiter": ";"}
    _write(
        folder / desk.partner / "ncmp.csv",
        ["RECORD", "UPN", "NHS_NO", *who, "MEASURED", "STATUS"],
        ncmp,
        "cp1252",
        ";",
    )
    _mapping(
        folder / desk.partner / "ncmp.toml",
        "ncmp",
        form,
        {
            "row_id": "RECORD",
            **shared,
            "child_nhs_number": "NHS_NO",
            "measured_date": ("MEASURED", "%d/%m/%Y"),
            "weight_status": (
                "STATUS",
                {"U": "underweight", "H": "healthy", "O": "overweight", "VO": "very_overweight"},
            ),
        },
    )
    _write(
        folder / desk.partner / "eyfs.csv",
        ["RECORD", "UPN", *who, "ASSESSED", "GLD", "IMDQ", "AREA", "FIRST_LANGUAGE"],
        eyfs,
        "cp1252",
        ";",
    )
    _mapping(
        folder / desk.partner / "eyfs.toml",
        "eyfs",
        form,
        {
            "row_id": "RECORD",
            **shared,
            "assessed_date": ("ASSESSED", "%d/%m/%Y"),
            "good_level_of_development": "GLD",
            "imd_quintile": "IMDQ",
            "residence": "AREA",
            "english_additional_language": ("FIRST_LANGUAGE", _LANGUAGE_CODES),
        },
    )


def _charity(lives: Lives, folder: Path, desk: _Desk) -> None:
    """Attendance and questionnaires: names as people give them, few NHS numbers."""
    rows: list[Row] = []
    for attendance in lives.attendances:
        family = attendance.family
        child_part, adult_part = [""] * 7, [""] * 7
        if attendance.child:
            seen = desk.record.child(attendance.child, family, attendance.day)
            child_part = [desk.child_id(attendance.child, family), *_as_given(seen)]
        if attendance.adult:
            seen = desk.record.adult(attendance.adult, family, attendance.day)
            adult_part = [desk.adult_id(attendance.adult, family), *_as_given(seen)]
        relation = attendance.adult.relation.title() if attendance.adult else ""
        rows.append(
            [
                f"S{len(rows)}",
                *child_part,
                *adult_part,
                relation,
                attendance.service.replace("_", " ").title(),
                f"{attendance.day:%d %b %Y}",
                family.ethnicity.title(),
                str(family.imd_quintile),
                family.residence,
                *_visit(attendance),
            ]
        )
    who = ["id", "first name", "last name", "born", "gender", "postcode", "nhs number"]
    header = [
        "session id",
        *(f"child {w}" for w in who),
        *(f"adult {w}" for w in who),
        "adult is",
        "service",
        "date",
        "ethnicity",
        "imd",
        "lives",
        *_OF_A_VISIT.values(),
    ]
    _write(folder / desk.partner / "attendance.csv", header, rows)
    identity: dict[str, Any] = {}
    for role in ("child", "adult"):
        identity |= {
            f"{role}_id": f"{role} id",
            f"{role}_given_name": f"{role} first name",
            f"{role}_surname": f"{role} last name",
            f"{role}_date_of_birth": (f"{role} born", "%d %b %Y"),
            f"{role}_sex": f"{role} gender",
            f"{role}_postcode": f"{role} postcode",
            f"{role}_nhs_number": f"{role} nhs number",
        }
    services = {s.service.replace("_", " ").title(): s.service for s in lives.attendances}
    _mapping(
        folder / desk.partner / "attendance.toml",
        "attendance",
        {"id_space": "crm"},
        {
            "row_id": "session id",
            **identity,
            "adult_relation": "adult is",
            "service": ("service", services),
            "session_date": ("date", "%d %b %Y"),
            "ethnicity": ("ethnicity", {g.title(): g for g in names.GROUPS}),
            "imd_quintile": "imd",
            "residence": "lives",
            **_OF_A_VISIT,
        },
    )
    forms: list[Row] = []
    for item in lives.questionnaires:
        seen = desk.record.adult(item.adult, item.family, item.day)
        forms.append(
            [
                f"Q{len(forms)}",
                desk.adult_id(item.adult, item.family),
                *_as_given(seen),
                item.service,
                item.instrument,
                item.timepoint.upper(),
                f"{item.score:g}",
                f"{item.day:%d %b %Y}",
            ]
        )
    _write(
        folder / desk.partner / "questionnaire.csv",
        ["form", *who, "programme", "tool", "when", "total", "date"],
        forms,
    )
    _mapping(
        folder / desk.partner / "questionnaire.toml",
        "questionnaire",
        {"id_space": "crm"},
        {
            "row_id": "form",
            "adult_id": "id",
            "adult_given_name": "first name",
            "adult_surname": "last name",
            "adult_date_of_birth": ("born", "%d %b %Y"),
            "adult_sex": "gender",
            "adult_postcode": "postcode",
            "adult_nhs_number": "nhs number",
            "service": "programme",
            "instrument": "tool",
            "timepoint": ("when", {"PRE": "pre", "POST": "post"}),
            "score": "total",
            "completed_date": ("date", "%d %b %Y"),
        },
    )


_OF_A_VISIT: Final = {
    "mode": "how",
    "activity": "activity",
    "venue": "venue",
    "deliverer": "run by",
    "group_of_adult": "adult ethnicity",
    "english_additional": "adult EAL",
    "lone_parent": "lone parent",
    "pregnant": "expecting",
}
"""Fields of a visit beside its service, with their headers."""


def _visit(attendance: Attendance) -> list[str]:
    """Values of `_OF_A_VISIT`. They follow from the visit alone, so that they can be recomputed."""
    service, family = attendance.service, attendance.family
    person = family.mother.person
    visit = f"{service} {attendance.day}"
    online = 2020 <= attendance.day.year <= 2021 and by_chance(person, visit) < 0.6
    places = ("childrens_centre", "library", "park", "gp_surgery", "home")
    venue = places[int(by_chance(person, f"venue {visit}") * len(places))]
    targeted = service in ("pairs", "domestic_abuse_casework", "caseload_midwifery")
    activity = "one_to_one" if targeted else "course" if "real" in service else "drop_in"
    if service == "community_engagement" and by_chance(person, f"event {visit}") < 0.4:
        activity = "event"
    white = 0.6 if family.ethnicity == "white" else 0.0
    by = attendance.adult.person if attendance.adult else 0

    def yes(what: str, chance: float) -> str:
        return "" if not by else "Y" if by_chance(by, what) < chance else "N"

    group = "" if not by else "white_british" if by_chance(by, "group") < white else "others"
    before_birth = any(attendance.day < child.born for child in family.children)
    return [
        "online" if online else "in_person",
        activity,
        "online" if online else venue,
        ("trust", "council", "charity")[len(service) % 3],
        group,
        yes("eal", 0.4),
        yes("lone", 0.22),
        yes("pregnant", 0.5 if before_birth else 0.04),
    ]


def _first_language(rng: np.random.Generator, *, other: bool) -> str:
    known = ["OTH", "OTHB"] if other else ["ENG", "ENGB"]
    return str(rng.choice([*known, "REFU", "LNOT", ""], p=[0.88, 0.05, 0.01, 0.02, 0.04]))


def _as_given(seen: Seen) -> Row:
    sex = {"f": "girl/woman", "m": "boy/man"}[seen.sex].split("/")[0]
    return [
        seen.given_name,
        seen.surname,
        f"{seen.born:%d %b %Y}",
        sex,
        seen.postcode.lower(),
        seen.nhs_number,
    ]


def _newborn_name(child: Child, rng: np.random.Generator) -> str:
    if rng.random() < 0.4:
        return child.given_name.split(" ")[0]
    if child.birth_order:
        return f"TWIN {child.birth_order}"
    return str(rng.choice(["BABY", "Baby Girl" if child.sex == "f" else "Baby Boy", "INFANT"]))


def _spaced(number: str) -> str:
    return f"{number[:3]} {number[3:6]} {number[6:]}" if number else ""


def _write(
    path: Path,
    header: Row,
    rows: Iterable[Iterable[str]],
    encoding: str = "utf-8",
    delimiter: str = ",",
) -> None:
    with path.open("w", newline="", encoding=encoding, errors="replace") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)


def _mapping(
    path: Path,
    dataset: str,
    top: Mapping[str, str],
    columns: Mapping[str, Any],
    *,
    areas: bool = False,
) -> None:
    """Write a mapping. The value of a column is a header, (header, date format) or (header, codes).
    With `areas`, deprivation and residence are derived from the postcode.
    """

    def quote(value: object) -> str:
        return str(value).lower() if isinstance(value, bool) else f'"{value}"'

    lines = [
        f'dataset = "{dataset}"',
        *(f'{key} = "{value}"' for key, value in top.items()),
        "",
        "[columns]",
    ]
    for name, source in columns.items():
        match source:
            case str():
                lines.append(f'{name} = "{source}"')
            case (column, str(form)):
                lines.append(f'{name} = {{ column = "{column}", format = "{form}" }}')
            case (column, dict(codes)):
                inside = ", ".join(f'"{code}" = {quote(value)}' for code, value in codes.items())
                lines.append(f'{name} = {{ column = "{column}", codes = {{ {inside} }} }}')
    if areas:
        lines += ["", "[area]", f'area = ["{WARDS["area"]}"]', f'borough = ["{WARDS["borough"]}"]']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
