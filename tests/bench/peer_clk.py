"""clkhash and anonlink: one cryptographic long-term key per record, Dice's coefficient of all
pairs, anonlink's own solvers.

Runs in the peers' own environment: `python peer_clk.py people.csv groups.csv`. Names, date of
birth, sex and postcode go into the key. If both records have NHS numbers, the (hashed) numbers
decide before the keys do: equal numbers are a link, different numbers are not. The solvers are told
that a partner holds each person once.
"""

import csv
import sys
import warnings
from array import array
from collections import defaultdict

warnings.simplefilter("ignore")
import anonlink  # noqa: E402
from clkhash import clk  # noqa: E402
from clkhash.schema import from_json_dict  # noqa: E402

THRESHOLDS = (0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
_FIELDS = ("given", "surname", "dob", "sex", "postcode")


def schema(bits: dict[str, int]) -> object:
    """Bigrams of names, characters with their positions of dates and postcodes, and this many bits
    per field.
    """
    kinds = {"dob": ("ngram", 1, True), "postcode": ("ngram", 1, True), "sex": ("ngram", 1, True)}
    features = []
    for field in _FIELDS:
        comparison, n, positional = kinds.get(field, ("ngram", 2, False))
        features.append(
            {
                "identifier": field,
                "format": {"type": "string", "encoding": "utf-8"},
                "hashing": {
                    "comparison": {"type": comparison, "n": n, "positional": positional},
                    "strategy": {"bitsPerFeature": bits[field]},
                    "hash": {"type": "blakeHash"},
                },
            }
        )
    kdf = {"type": "HKDF", "hash": "SHA256", "info": "YmVuY2g=", "salt": "YmVuY2g=", "keySize": 64}
    return from_json_dict(
        {"version": 3, "clkConfig": {"l": 1024, "kdf": kdf}, "features": features}
    )


def candidates(people: list[list[dict[str, str]]], keys: list[list[object]]):
    """Pairs of records with their similarity, as anonlink gives it, after the NHS numbers have
    decided.
    """
    found = anonlink.candidate_generation.find_candidate_pairs(
        keys, anonlink.similarities.dice_coefficient, min(THRESHOLDS), k=8
    )
    pairs = {}
    for similarity, a, b, i, j in zip(found[0], *found[1], *found[2], strict=True):
        numbers = {people[a][i]["nhs"], people[b][j]["nhs"]}
        if "" in numbers or len(numbers) == 1:
            pairs[a, i, b, j] = similarity
    holders = defaultdict(list)
    for a, of_partner in enumerate(people):
        for i, row in enumerate(of_partner):
            if row["nhs"]:
                holders[row["nhs"]].append((a, i))
    for held in holders.values():
        pairs |= {(a, i, b, j): 1.0 for a, i in held for b, j in held if a < b}
    return sorted(
        ((similarity, pair) for pair, similarity in pairs.items()),
        key=lambda item: (-item[0], item[1]),
    )


def solve(pairs: list, threshold: float, solver) -> list:
    """Groups of (partner, record)."""
    kept = [(similarity, pair) for similarity, pair in pairs if similarity >= threshold]
    column = lambda place, code: array(code, (pair[place] for _, pair in kept))  # noqa: E731
    return solver(
        (
            array("d", (s for s, _ in kept)),
            (column(0, "I"), column(2, "I")),
            (column(1, "I"), column(3, "I")),
        )
    )


def main() -> None:
    by_partner = defaultdict(list)
    with open(sys.argv[1], newline="") as file:  # noqa: PTH123
        for row in csv.DictReader(file):
            by_partner[row["partner"]].append(row)
    people = [by_partner[partner] for partner in sorted(by_partner)]
    weights = {
        "even": {"given": 200, "surname": 200, "dob": 200, "sex": 40, "postcode": 200},
        "names and date": {"given": 250, "surname": 180, "dob": 250, "sex": 30, "postcode": 90},
    }
    solvers = {
        "greedy": anonlink.solving.greedy_solve,
        "probabilistic greedy": anonlink.solving.probabilistic_greedy_solve,
    }
    with open(sys.argv[2], "w", newline="") as file:  # noqa: PTH123
        writer = csv.writer(file)
        writer.writerow(["way", "unique_id", "group"])
        for kind, bits in weights.items():
            hashed = [
                clk.generate_clks(
                    [[row[f] for f in _FIELDS] for row in rows],
                    schema(bits),
                    "bench",
                    False,
                    max_workers=1,
                )
                for rows in people
            ]
            pairs = candidates(people, hashed)
            for name, solver in solvers.items():
                for threshold in THRESHOLDS:
                    way = f"{kind} bits, {name} at {threshold}"
                    for number, group in enumerate(solve(pairs, threshold, solver)):
                        writer.writerows((way, people[a][i]["unique_id"], number) for a, i in group)


if __name__ == "__main__":
    main()
