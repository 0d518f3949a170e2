"""Runs the peers (tests/bench/peers.txt) in an environment of their own, on the same normalised
values that childlink encodes.
"""

import csv
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path

import jellyfish

from tests.bench.linkage_data import Key, Plain, Population
from tests.bench.linkage_truth import pairwise

_HERE = Path(__file__).parent
_FOLDER = _HERE.parents[1] / ".cache" / "peers"
PEERS = {"splink": _HERE / "peer_splink.py", "anonlink": _HERE / "peer_clk.py"}
USUAL_WAYS = {
    "splink": ("components at 0.95", "best-links at 0.95"),
    "anonlink": ("even bits, greedy at 0.8",),
}
"""The usual choice of a user without truth."""
KINDS = {"splink": ("components", "best-links"), "anonlink": ("",)}
"""Prefixes of the variants whose best result, chosen with the truth, is reported as well: an upper
bound. `best-links` and anonlink's solvers use that a partner holds each person once. Components do
not, and neither does childlink.
"""


def python() -> Path:
    """The interpreter of the peers' environment, which is created if missing or out of date."""
    wanted = (_HERE / "peers.txt").read_text(encoding="utf-8")
    made, interpreter = _FOLDER / "made-from.txt", _FOLDER / "bin" / "python"
    if not made.exists() or made.read_text(encoding="utf-8") != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", _FOLDER], check=True)
        install = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", _HERE / "peers.txt"], check=True, stdout=sys.stderr)
        made.write_text(wanted, encoding="utf-8")
    return interpreter


def run(
    population: Population, peer: str
) -> Iterator[tuple[str, str, float, Mapping[Key, Hashable]]]:
    """For each role: role, name of the system, seconds, groups; with its usual variants and with
    those that fit the truth best.
    """
    if peer == "anonlink" and len({key[0] for key in population.truth}) == 1:
        # anonlink compares lists, and finds no duplicates inside one.
        return
    for role in population.roles():
        # In random order: local ids of the synthetic people rise with the person, and would decide
        # ties.
        keys = sorted(key for key in population.plain if key[2] == role)
        random.Random(1).shuffle(keys)
        names = {f"r{number}": key for number, key in enumerate(keys)}
        with tempfile.TemporaryDirectory() as name:
            people, groups = Path(name) / "people.csv", Path(name) / "groups.csv"
            _write(population, names, people)
            started = time.perf_counter()
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            subprocess.run(
                [python(), "-W", "ignore", PEERS[peer], people, groups],
                check=True,
                env=environment,
                stdout=sys.stderr,
            )
            seconds = time.perf_counter() - started
            ways = _read(groups, names)
        true = {key: person.person for key, person in population.truth.items() if key[2] == role}
        for way in USUAL_WAYS[peer]:
            yield role, f"{peer}, {way}", seconds, ways[way]
        for kind in KINDS[peer]:
            of_kind = [way for way in ways if way.startswith(kind)]
            best = max(of_kind, key=lambda way: (pairwise(true, ways[way], true).f1, way))
            yield role, f"{peer}, best by truth: {best}", seconds, ways[best]


def _write(population: Population, names: Mapping[str, Key], path: Path) -> None:
    rows = [
        {"unique_id": name, "partner": key[0], **plain_fields(population.plain[key])}
        for name, key in names.items()
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def plain_fields(plain: Plain) -> dict[str, str]:
    """The columns that peers get. childlink also blocks on Soundex and district."""
    who, mother = plain.identity, plain.mother
    first = who.given_name.split(" ")[0]
    return {
        "nhs": who.nhs_number,
        "given": who.given_name,
        "given_first": first,
        "surname": who.surname,
        "dob": who.date_of_birth.isoformat()
        if who.date_of_birth and who.date_precision == "day"
        else "",
        "sex": who.sex,
        "postcode": who.postcode,
        "district": who.postcode[:-3],
        "given_soundex": jellyfish.soundex(first) if first else "",
        "surname_soundex": jellyfish.soundex(who.surname.split(" ")[0]) if who.surname else "",
        "mother_nhs": mother.nhs_number if mother else "",
        "mother_given": mother.given_name if mother else "",
        "mother_dob": mother.date_of_birth.isoformat() if mother and mother.date_of_birth else "",
    }


def _read(path: Path, names: Mapping[str, Key]) -> dict[str, dict[Key, str]]:
    ways: dict[str, dict[Key, str]] = defaultdict(dict)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            ways[row["way"]][names[row["unique_id"]]] = row["group"]
    return ways
