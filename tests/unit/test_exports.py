"""Files that leave the client say what they are, where they come from, and what was withheld."""

import csv
import json

from childlink_client.answers import Answer
from childlink_client.values import Cell, Dimension, Measure, Release

RELEASE = Release("2026-Q1", 1, "2026-03-31", "rounded-5-v1", "ab" * 32)
PLACE = Dimension("place", "Place", {"a": "Area", "b": "Borough"}, ordered=True)
MEASURE = Measure("m", "A measure", "What it counts.", "children", "share", {"place": PLACE})
ANSWER = Answer(
    RELEASE,
    MEASURE,
    ("place",),
    (
        Cell(("a",), None, "<10", None, "group too small"),
        Cell(("b",), 40, "", 1 / 3, "", (), 0.2, 0.5),
    ),
    ("A note.",),
)


def test_a_csv_file_has_ids_release_and_policy_and_its_metadata_beside_it(tmp_path):
    ANSWER.save_csv(tmp_path / "m.csv")
    with (tmp_path / "m.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["place_id"], first["place"], first["count"]) == ("a", "Area", "")
    assert first["count_withheld"] == "<10"
    assert (second["count"], second["share"]) == ("40", "0.33333")
    assert {second["release"], second["policy"]} == {"2026-Q1", "rounded-5-v1"}
    told = json.loads((tmp_path / "m.csv-metadata.json").read_text())
    assert told["url"] == "m.csv"
    assert "2026-Q1" in told["dc:source"]
    types = {column["name"]: column["datatype"] for column in told["tableSchema"]["columns"]}
    assert list(types) == list(first), "the columns of the file, in its order"
    # The first figure is withheld, and its column is still one of numbers.
    assert (types["count"], types["share"], types["place_id"]) == ("integer", "number", "string")


def test_a_frame_keeps_the_order_of_categories_and_says_where_it_comes_from():
    frame = ANSWER.to_pandas()
    assert frame.place.cat.ordered
    assert list(frame.place.cat.categories) == ["Area", "Borough"]
    assert frame["count"].isna().tolist() == [True, False]
    assert frame.attrs["release"] == "2026-Q1"
