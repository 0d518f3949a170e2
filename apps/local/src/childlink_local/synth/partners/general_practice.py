"""The system of general practices: immunisations."""

from datetime import timedelta
from pathlib import Path

from childlink_local.synth.lives import Lives
from childlink_local.synth.recording import Desk
from childlink_local.synth.writing import Row, write_mapping, write_rows


def immunisation(lives: Lives, folder: Path, desk: Desk) -> None:
    """Immunisations at two years of nine in ten children."""
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
    write_rows(folder / desk.partner / "immunisation.csv", header, rows)
    write_mapping(
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
