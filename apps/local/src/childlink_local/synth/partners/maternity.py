"""The maternity system of a trust: births."""

from pathlib import Path
from typing import Final

import numpy as np

from childlink_local.synth.lives import Lives
from childlink_local.synth.people import Child, Family
from childlink_local.synth.recording import Desk, by_chance
from childlink_local.synth.writing import Row, write_mapping, write_rows

_ETHNIC_CODES: Final = {"asian": "H", "black": "N", "mixed": "D", "white": "A", "other": "S"}


def maternity(lives: Lives, folder: Path, desk: Desk) -> None:
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
    write_rows(folder / desk.partner / "maternity.csv", header, rows)
    write_mapping(
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


def _newborn_name(child: Child, rng: np.random.Generator) -> str:
    if rng.random() < 0.4:
        return child.given_name.split(" ")[0]
    if child.birth_order:
        return f"TWIN {child.birth_order}"
    return str(rng.choice(["BABY", "Baby Girl" if child.sex == "f" else "Baby Boy", "INFANT"]))


def _spaced(number: str) -> str:
    return f"{number[:3]} {number[3:6]} {number[6:]}" if number else ""
