"""The schools of a council: weight in reception, and the early-years foundation stage."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from childlink_local.synth.lives import Lives
from childlink_local.synth.recording import Desk
from childlink_local.synth.writing import Row, write_mapping, write_rows

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


def school(lives: Lives, folder: Path, desk: Desk) -> None:
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
    write_rows(
        folder / desk.partner / "ncmp.csv",
        ["RECORD", "UPN", "NHS_NO", *who, "MEASURED", "STATUS"],
        ncmp,
        "cp1252",
        ";",
    )
    write_mapping(
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
    write_rows(
        folder / desk.partner / "eyfs.csv",
        ["RECORD", "UPN", *who, "ASSESSED", "GLD", "IMDQ", "AREA", "FIRST_LANGUAGE"],
        eyfs,
        "cp1252",
        ";",
    )
    write_mapping(
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


def _first_language(rng: np.random.Generator, *, other: bool) -> str:
    known = ["OTH", "OTHB"] if other else ["ENG", "ENGB"]
    return str(rng.choice([*known, "REFU", "LNOT", ""], p=[0.88, 0.05, 0.01, 0.02, 0.04]))
