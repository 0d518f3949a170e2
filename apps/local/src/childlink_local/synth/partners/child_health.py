"""The child-health system of a community trust: reviews at two years and at six weeks."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from childlink_local.synth.lives import Lives
from childlink_local.synth.recording import Desk
from childlink_local.synth.writing import ETHNIC_WORDS, Row, write_mapping, write_rows

_FEEDING_WORDS: Final = {"breast": "Totally", "mixed": "Partially", "formula": "Not at all"}
# Share of babies breastfed, wholly or in part, at six to eight weeks: for families in the middle
# quintile, and the increase per quintile.
_BREASTFED: Final = {"asian": 0.78, "black": 0.82, "mixed": 0.68, "white": 0.64, "other": 0.75}
_BREASTFED_PER_QUINTILE: Final = 0.04
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
    "ethnicity": ("Ethnicity", {words: group for group, words in ETHNIC_WORDS.items()}),
}


def asq3(lives: Lives, folder: Path, desk: Desk) -> None:
    """Reviews at two years, with the five domains of the ASQ-3."""
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
                ETHNIC_WORDS[family.ethnicity],
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
    write_rows(folder / desk.partner / "asq3.csv", header, rows)
    write_mapping(
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


def six_week_review(lives: Lives, folder: Path, desk: Desk) -> None:
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
                    ETHNIC_WORDS[family.ethnicity],
                ]
            )
    header = [*_CHILD_HEALTH_HEADER, "ReviewDate", "FeedingStatus", "Ethnicity"]
    write_rows(folder / desk.partner / "six_week_review.csv", header, rows)
    feeding_codes = {words: code for code, words in _FEEDING_WORDS.items()}
    write_mapping(
        folder / desk.partner / "six_week_review.toml",
        "six_week_review",
        {"id_space": "child-health"},
        {
            **_CHILD_HEALTH_COLUMNS,
            "feeding": ("FeedingStatus", feeding_codes),
        },
        areas=True,
    )
